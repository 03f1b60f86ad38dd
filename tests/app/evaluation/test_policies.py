"""`workup.evaluate`: names, directories, agents, functions and models of Stable-Baselines3 on the same patients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import workup
from workup.agents.baselines.voi import AGENTS
from workup.agents.learned.fixed import tune_fixed
from workup.envs.model.world import World
from workup.errors import WorkupError


def first_legal(observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return mask.argmax(axis=1)


class Model:
    """As Stable-Baselines3 has them."""

    def __init__(self, size: int) -> None:
        self.observation_space = type("Space", (), {"shape": (size,)})()
        self.seen: set[int] = set()

    def predict(self, observation: NDArray[np.float32], deterministic: bool = False, action_masks: Any = None) -> Any:
        self.seen.add(observation.shape[1])
        return np.asarray(action_masks).argmax(axis=1), None


def test_every_kind_of_policy_meets_the_same_patients(world: World, tmp_path: Path) -> None:
    tune_fixed(world, patients=64, rounds=0).save(tmp_path)
    raw, belief = (len(workup.make_engine(world, 1, view=view).observation_names) for view in ("raw", "belief"))
    model = Model(raw)
    policies = {
        "a name": "none", "an agent": AGENTS["voi"](world, seed=0), "a directory": tmp_path, "a function": first_legal,
        "a model": model, "another": Model(belief),
    }  # fmt: skip
    found = workup.evaluate(world, policies, patients=60, seed=2)
    assert set(found.agents) == set(policies)
    assert found.optimum is None
    assert model.seen == {raw}
    assert found.agents["a model"].value == found.agents["a function"].value == found.agents["another"].value
    frame = found.to_frame()
    assert frame["policy"].to_list()[0] == max(found.agents, key=lambda name: found.agents[name].value.mean)
    assert (frame["value_low"] <= frame["value"]).all()
    told = repr(found).splitlines()
    assert len(told) == 1 + len(policies) + 2
    assert told[-2:] == [found.reference, found.meaning]
    assert found.v0 == found.v0_open
    assert {"median", "median_low", "trimmed", "trimmed_high"} <= set(frame.columns)
    assert "60 patients of seed 2" in told[0]


def test_an_id_and_one_policy_are_enough_and_the_optimum_is_there_when_asked_for() -> None:
    found = workup.evaluate("tutorial", "voi", patients=20, optimum=True)
    assert found.optimum is not None
    assert "captured" in repr(found)
    assert list(found.agents) == ["voi"]


def test_who_never_decides_is_named(world: World) -> None:
    def never(observation: Any, mask: Any) -> Any:
        return (~mask).argmax(axis=1)

    found = workup.evaluate(world, [never, "none"], patients=8)
    assert [line.partition(" of journeys")[0] for line in found.cut_off()] == ["never: 100%"]
    assert found.cut_off()[0] in repr(found)
    assert workup.evaluate(world, "none", patients=8).cut_off() == []


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ([], "there are no policies"),
        ({}, "there are no policies"),
        (["voi", "voi"], "several policies are called 'voi'"),
        ({1: "voi", "1": "none"}, "several policies are called '1'"),
        (["model.zip"], "can run code when it is read"),
        ([3], "expected a factory .*, an Agent"),
        ({"m": Model(7)}, r"reads observations of shape \(7,\); tutorial shows"),
        ({"f": lambda observation, mask: np.zeros(len(mask))}, "f returned float64 of shape"),
        (["no such agent"], "neither a name nor a directory"),
    ],
)
def test_what_is_no_policy_is_refused(world: World, policies: Any, message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        workup.evaluate(world, policies, patients=8)


@pytest.mark.torch
@pytest.mark.parametrize("view", ["raw", "belief"])
def test_models_of_stable_baselines_are_taken_as_they_are(world: World, view: str) -> None:
    from sb3_contrib import MaskablePPO
    from stable_baselines3 import PPO

    from workup.envs.views.sb3 import JourneyVecEnv

    env = JourneyVecEnv(world, 8, view=view, seed=1)
    models = {
        "masked": MaskablePPO("MlpPolicy", env, n_steps=8, seed=0),
        "plain": PPO("MlpPolicy", env, n_steps=8, seed=0),
    }
    size = len(env.observation_names)

    def by_hand(observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> Any:
        return models["plain"].predict(observation[:, :size], deterministic=True)[0]

    found = workup.evaluate(world, {**models, "by hand": by_hand}, patients=30)
    assert found.agents["masked"].truncated.mean == 0.0  # legal steps only, so it comes to a decision
    assert found.agents["plain"].value == found.agents["by hand"].value

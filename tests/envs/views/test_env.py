"""The single environment, by Gymnasium's and Stable-Baselines3's own checkers and by the rules of the engine."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from support.shipped import IN_FULL, SCENARIOS, modes_of

import workup
from workup.envs.model.codes import COMPONENTS
from workup.envs.testing.traces import play, random_policy
from workup.envs.views.env import JourneyEnv, make_engine
from workup.envs.views.registration import environment_id
from workup.errors import WorkupError
from workup.scenarios.language.library import find_scenario

IDS = [environment_id(scenario) for scenario in SCENARIOS]
MODES = [
    pytest.param(
        environment_id(name), {"view": view, "results": results, "score": score}, id=f"{name}-{view}-{results}-{score}"
    )
    for name in SCENARIOS
    for view, results in modes_of(name)
    for score in (("truth", "posterior") if name in IN_FULL else ("truth",) if view == "raw" else ("posterior",))
]
BY_PATH = [("workup/Journey-v0", {"scenario": find_scenario("tutorial"), "view": view}) for view in ("raw", "belief")]


@pytest.fixture(autouse=True)
def _warnings_are_faults() -> Iterator[None]:
    """The checkers report most of what they find as warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize(("name", "mode"), MODES)
def test_the_checker_of_gymnasium_passes_on_every_id_and_mode(name: str, mode: dict[str, Any]) -> None:
    check_env(gym.make(name, **mode).unwrapped, skip_render_check=False)


@pytest.mark.torch
@pytest.mark.parametrize(("name", "mode"), [*MODES, *BY_PATH])
def test_the_checker_of_stable_baselines_passes_on_every_id_and_mode(name: str, mode: dict[str, Any]) -> None:
    from stable_baselines3.common import env_checker

    env_checker.check_env(gym.make(name, **mode).unwrapped)


@pytest.mark.parametrize("view", ["raw", "belief"])
def test_any_scenario_by_its_path(view: str) -> None:
    path = find_scenario("tutorial")
    by_path = gym.make("workup/Journey-v0", scenario=path, view=view)
    check_env(by_path.unwrapped)
    by_name = gym.make("workup/Tutorial-v0", view=view)
    for env in (by_path, by_name):
        env.reset(seed=3)
    for action in (0, 1, 2):
        one, other = by_path.step(action), by_name.step(action)
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1] == other[1]


def test_ids_are_registered_by_importing_workup_before_or_after_gymnasium() -> None:
    for first, second in (("workup", "gymnasium"), ("gymnasium", "workup")):
        code = f"import {first}, {second}; print([n for n in gymnasium.registry if n.startswith('workup/')])"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert eval(told) == [*IDS, "workup/Journey-v0"]
    assert workup.__version__


def test_the_environment_is_a_view_of_the_engine() -> None:
    """The same numbers as the engine's own, and info holds the components, the mask and nothing more before the end."""
    policy = random_policy(make_engine("tutorial", 1).world, illegal=0.1)
    expected = play(make_engine("tutorial", 4, seed=5), range(20), policy)
    env = gym.make("workup/Tutorial-v0")
    for patient, trace in expected.items():
        observation, info = env.reset(seed=5, options={"patient": patient})
        assert set(info) == {"action_mask"}
        np.testing.assert_array_equal(observation, trace.observation[0])
        for t, action in enumerate(trace.action):
            np.testing.assert_array_equal(info["action_mask"], trace.mask[t])
            np.testing.assert_array_equal(env.unwrapped.action_masks(), trace.mask[t])  # type: ignore[attr-defined]
            observation, reward, terminated, truncated, info = env.step(np.int64(action))
            np.testing.assert_array_equal(observation, trace.observation[t + 1])
            assert reward == trace.reward[t]
            assert [info[name] for name in COMPONENTS] == trace.components[t].tolist()
            assert info["illegal"] == trace.illegal[t]
            ended = terminated or truncated
            assert ended == (t == len(trace.action) - 1)
            assert set(info) == {"action_mask", "illegal", *COMPONENTS} | ({"journey_end"} if ended else set())
        assert (terminated, truncated) == (trace.terminated, trace.truncated)
        assert info["journey_end"]["patient"] == patient
        assert info["journey_end"]["steps"] == len(trace.action)


def test_each_reset_begins_the_next_patient_and_a_seed_the_first() -> None:
    env = JourneyEnv("tutorial")
    patients = []
    for reset in ({"seed": 8}, {}, {}, {"options": {"patient": 40}}, {}, {"seed": 8}):
        env.reset(**reset)
        patients.append(int(env.engine.patient[0]))
    assert patients == [0, 1, 2, 40, 41, 0]
    assert int(env.engine.seeds[0]) == 8


def test_without_a_seed_patients_differ_from_run_to_run() -> None:
    seeds = set()
    for _ in range(3):
        env = JourneyEnv("tutorial")
        env.reset()
        seeds.add(int(env.engine.seeds[0]))
        env.reset()
        assert int(env.engine.seeds[0]) in seeds
    assert len(seeds) == 3


def test_stepping_after_the_end_or_asking_for_nobody_is_refused() -> None:
    env = JourneyEnv("tutorial")
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    env.step(env.action_names.index("decide reassure"))
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)
    with pytest.raises(WorkupError, match="-3"):
        env.reset(options={"patient": -3})


@pytest.mark.parametrize("action", [-1, -7, 10_000])
def test_no_such_action_is_illegal_like_a_masked_one(action: int) -> None:
    env = JourneyEnv("tutorial", max_steps=3)
    env.reset(seed=0)
    for left in (2, 1, 0):
        _, reward, terminated, truncated, info = env.step(action)
        assert info["illegal"]
        assert (reward == 0.0) == (left > 0)
        assert not terminated
        assert truncated == (left == 0)


@pytest.mark.parametrize("budget", [{"cost_gbp": 60.0}, {"dose_msv": 0.01}, {"tests": 1}], ids=str)
def test_a_budget_means_the_same_as_in_the_engine(budget: dict[str, float]) -> None:
    policy = random_policy(make_engine("tutorial", 1).world, stop=0.05)
    expected = play(make_engine("tutorial", 4, budget=budget), range(15), policy)
    env = JourneyEnv("tutorial", budget=budget)
    for patient, trace in expected.items():
        _, info = env.reset(seed=0, options={"patient": patient})
        for t in range(len(trace.action)):
            action = policy(patient, t, info["action_mask"])
            assert action == trace.action[t]
            info = env.step(action)[4]
        ((name, limit),) = budget.items()
        assert info["journey_end"][name] <= limit + 1e-9

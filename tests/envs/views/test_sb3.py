"""The native VecEnv against SB3's own `DummyVecEnv` over single environments, and in a real rollout."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor
from support.told import same_told

from workup.envs.testing.traces import random_policy
from workup.envs.views.env import JourneyEnv
from workup.envs.views.sb3 import JourneyVecEnv
from workup.errors import WorkupError

pytestmark = pytest.mark.torch

N = 4
SETTINGS: list[dict[str, Any]] = [
    {"max_steps": 6},
    {"view": "belief", "results": "delayed", "score": "posterior", "budget": {"tests": 2}, "max_steps": 9},
]


class Slot(gym.Wrapper[Any, Any, Any, Any]):
    """The patients of one slot: the first, then every n-th after it."""

    def __init__(self, slot: int, **settings: Any) -> None:
        super().__init__(JourneyEnv("tutorial", seed=3, **settings))
        self.patient = slot - N

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.patient += N
        return self.env.reset(options={"patient": self.patient})

    def action_masks(self) -> Any:
        return self.env.unwrapped.action_masks()  # type: ignore[attr-defined]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_steps_like_a_dummy_vec_env(settings: dict[str, Any]) -> None:
    ours = JourneyVecEnv("tutorial", N, seed=3, **settings)
    theirs = DummyVecEnv([partial(Slot, slot, **settings) for slot in range(N)])
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    policy = random_policy(ours.engine.world, stop=0.2, illegal=0.1)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    ends = {True: 0, False: 0}
    for t in range(80):
        mask = get_action_masks(ours)
        np.testing.assert_array_equal(mask, get_action_masks(theirs))
        np.testing.assert_array_equal(mask, ours.action_masks())
        actions = np.array([policy(slot, t, mask[slot]) for slot in range(N)])
        observation, reward, done, infos = ours.step(actions)
        expected = theirs.step(actions)
        np.testing.assert_array_equal(observation, expected[0])
        np.testing.assert_array_equal(reward, expected[1])
        np.testing.assert_array_equal(done, expected[2])
        assert [part.dtype for part in (np.asarray(observation), reward, done)] == [np.float32, np.float32, np.bool_]
        for slot in np.flatnonzero(done):
            same_told(infos[slot], expected[3][slot])
            ends[infos[slot]["TimeLimit.truncated"]] += 1
        assert not any(infos[slot] for slot in np.flatnonzero(~done))
    assert min(ends.values()) > 5


class Rollouts(BaseCallback):
    """Copies of what the rollout buffer held when it was full."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[dict[str, Any]] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        buffer = self.locals["rollout_buffer"]
        names = ("observations", "actions", "action_masks", "rewards", "episode_starts")
        self.kept.append({name: getattr(buffer, name).copy() for name in names})


def test_the_rollout_buffer_holds_the_journeys_as_they_were() -> None:
    """SB3 keeps the last observation while the next step is taken: a reused buffer would corrupt what it stores."""
    n, steps = 6, 24
    learner = MaskablePPO(
        "MlpPolicy",
        JourneyVecEnv("tutorial", n, seed=5, view="belief"),
        n_steps=steps,
        batch_size=48,
        n_epochs=1,
        gamma=1.0,
        seed=0,
        device="cpu",
    )
    kept = Rollouts()
    learner.learn(3 * n * steps, callback=kept)
    assert len(kept.kept) == 3
    again = JourneyVecEnv("tutorial", n, seed=0, view="belief")  # the learner's seed becomes the patients'
    observation: Any = again.reset()
    starts = np.ones(n, bool)
    for rollout in kept.kept:
        shape = (steps, n, -1)
        masks = rollout["action_masks"].reshape(shape)
        for t in range(steps):
            np.testing.assert_array_equal(rollout["observations"].reshape(shape)[t], observation)
            np.testing.assert_array_equal(masks[t], again.action_masks())
            np.testing.assert_array_equal(rollout["episode_starts"].reshape(steps, n)[t], starts)
            actions = rollout["actions"].reshape(steps, n)[t].astype(np.int64)
            assert masks[t][np.arange(n), actions].all()
            observation, reward, starts, infos = again.step(actions)
            whole = [not info.get("TimeLimit.truncated", False) for info in infos]  # to the others SB3 adds a value
            np.testing.assert_allclose(rollout["rewards"].reshape(steps, n)[t][whole], reward[whole], rtol=1e-6)


def test_what_was_handed_out_is_not_written_to_again() -> None:
    env = JourneyVecEnv("tutorial", N, seed=1)
    first = env.reset()
    mask = env.action_masks()
    copies = first.copy(), mask.copy()
    second = env.step(np.zeros(N, np.int64))
    kept = [np.copy(part) for part in second[:3]]  # type: ignore[arg-type]
    env.step(np.ones(N, np.int64))
    env.reset()
    np.testing.assert_array_equal(first, copies[0])
    np.testing.assert_array_equal(mask, copies[1])
    for part, copy in zip(second[:3], kept, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_reset_begins_the_next_patients_and_a_seed_the_first() -> None:
    env = JourneyVecEnv("tutorial", N, seed=2)
    starts = []
    for seed in (None, None, 2, None, 7):
        if seed is not None:
            env.seed(seed)
        env.reset()
        starts.append((int(env.engine.seeds[0]), env.engine.patient.tolist()))
    first, second = list(range(N)), list(range(N, 2 * N))
    assert starts == [(2, first), (2, second), (2, first), (2, second), (7, first)]


def test_slots_answer_as_sb3_asks() -> None:
    env = JourneyVecEnv("tutorial", N)
    env.reset()
    assert is_masking_supported(env)
    assert env.has_attr("action_masks")
    assert not env.has_attr("no_such_thing")
    assert env.get_attr("observation_names", [0, 2]) == [env.observation_names] * 2
    np.testing.assert_array_equal(np.stack(env.env_method("action_masks", indices=1)), env.action_masks()[1:2])
    assert env.env_is_wrapped(VecMonitor) == [False] * N
    with pytest.raises(AttributeError, match="share one engine"):
        env.set_attr("seed", 3)
    with pytest.raises(AttributeError, match="action_masks"):
        env.env_method("render")


def test_monitored_episodes_have_their_return_and_length() -> None:
    env = VecMonitor(JourneyVecEnv("tutorial", N, seed=1))
    env.reset()
    decide = len(env.venv.action_names) - 1  # type: ignore[attr-defined]
    first = env.step(np.zeros(N, np.int64))[1]
    _, last, done, infos = env.step(np.full(N, decide))
    assert done.all()
    for slot in range(N):
        assert infos[slot]["episode"]["l"] == 2
        assert infos[slot]["episode"]["r"] == pytest.approx(first[slot] + last[slot], rel=1e-5)


def test_an_end_is_told_until_the_environment_goes_on() -> None:
    env = JourneyVecEnv("tutorial", N, seed=1)
    env.reset()
    env.step(np.zeros(N, np.int64))
    infos = env.step(np.full(N, len(env.action_names) - 1))[3]
    assert [infos[slot]["journey_end"]["patient"] for slot in (0, 1)] == [0, 1]
    env.step(np.zeros(N, np.int64))
    assert infos[0]["journey_end"]["steps"] == 2
    with pytest.raises(WorkupError, match="read it before the next step"):
        infos[2]["journey_end"]["steps"]

"""Gymnasium's own wrappers: over the native vector environment they give what they give over `SyncVectorEnv`, and what is
counted is what was counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import RecordEpisodeStatistics
from gymnasium.wrappers import vector as wrappers
from support.told import same_told

from workup.benchmarks.speed import legal_actions

N = 3
SEEDS = [3, 1, 4]
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "ClipReward": lambda envs: wrappers.ClipReward(envs, -50.0, 50.0),
    "DictInfoToList": wrappers.DictInfoToList,
    "FlattenObservation": wrappers.FlattenObservation,
    "NormalizeObservation": wrappers.NormalizeObservation,
    "NormalizeReward": wrappers.NormalizeReward,
    "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
    "TransformReward": lambda envs: wrappers.TransformReward(envs, lambda reward: reward / 1000.0),
}
PAIRS = [
    pytest.param(name, mode, id=f"{name}-{mode.value}")
    for name in WRAPPERS
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)
    if mode == AutoresetMode.NEXT_STEP or "Observation" not in name  # which Gymnasium refuses in that mode
]


def made(wrapper: Callable[[Any], Any], mode: str, autoreset: AutoresetMode) -> Any:
    native = mode == "vector_entry_point"
    how: dict[str, Any] = {"autoreset_mode": autoreset} if native else {"vector_kwargs": {"autoreset_mode": autoreset}}
    return wrapper(gym.make_vec("workup/Tutorial-v0", num_envs=N, vectorization_mode=mode, max_steps=5, **how))


def without_times(told: Any) -> Any:
    """What does not depend on the clock on the wall."""
    if isinstance(told, dict):
        return {name: without_times(part) for name, part in told.items() if name not in ("t", "_t")}
    return [without_times(part) for part in told] if isinstance(told, list) else told


@pytest.mark.parametrize(("name", "autoreset"), PAIRS)
def test_a_wrapper_sees_no_difference_between_native_and_sync(name: str, autoreset: AutoresetMode) -> None:
    ours, theirs = (made(WRAPPERS[name], mode, autoreset) for mode in ("vector_entry_point", "sync"))
    rng, ended = np.random.default_rng(0), 0
    same_told(ours.reset(seed=SEEDS), theirs.reset(seed=SEEDS))
    for t in range(25):
        actions = legal_actions(ours.unwrapped.action_masks(), rng)
        mine, yours = ours.step(actions), theirs.step(actions)
        same_told(mine[:4], yours[:4], f"step {t}")
        same_told(without_times(mine[4]), without_times(yours[4]), f"step {t}")
        ended += int((mine[2] | mine[3]).sum())
    assert ended > N


@pytest.mark.parametrize("autoreset", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP], ids=lambda mode: mode.value)
def test_episodes_of_a_batch_are_counted_as_by_hand(autoreset: AutoresetMode) -> None:
    envs = made(wrappers.RecordEpisodeStatistics, "vector_entry_point", autoreset)
    rng, episodes = np.random.default_rng(0), 0
    returns, lengths, idle = np.zeros(N), np.zeros(N, int), np.zeros(N, bool)
    envs.reset(seed=2)
    for _ in range(40):
        _, reward, terminated, truncated, info = envs.step(legal_actions(envs.unwrapped.action_masks(), rng))
        returns, lengths = np.where(idle, 0.0, returns + reward), np.where(idle, 0, lengths + 1)
        done = terminated | truncated
        if done.any():
            np.testing.assert_array_equal(info["_episode"], done)
            np.testing.assert_allclose(info["episode"]["r"][done], returns[done])
            np.testing.assert_array_equal(info["episode"]["l"][done], lengths[done])
            ends = info if autoreset == AutoresetMode.NEXT_STEP else info["final_info"]
            np.testing.assert_array_equal(ends["journey_end"]["steps"][done], lengths[done])
        episodes += int(done.sum())
        idle = done & (autoreset == AutoresetMode.NEXT_STEP)
        returns[done], lengths[done] = 0.0, 0
    assert envs.episode_count == episodes > 3 * N


def test_episodes_of_one_environment_are_counted_as_by_hand() -> None:
    env = RecordEpisodeStatistics(gym.make("workup/Tutorial-v0", max_steps=5))
    rng = np.random.default_rng(0)
    for patient in range(12):
        _, info = env.reset(seed=6 if patient == 0 else None)
        rewards: list[float] = []
        ended = False
        while not ended:
            action = legal_actions(info["action_mask"][None], rng)[0]
            _, reward, terminated, truncated, info = env.step(action)
            rewards.append(float(reward))
            ended = terminated or truncated
        assert info["episode"]["r"] == pytest.approx(sum(rewards))
        assert info["episode"]["l"] == len(rewards) == info["journey_end"]["steps"]
    assert env.episode_count == 12


def test_gymnasium_adds_no_limit_of_its_own_and_the_number_is_told() -> None:
    modes: list[tuple[dict[str, Any], int]] = [({}, 1), ({"results": "delayed"}, 2)]
    for settings, limit in modes:
        env: Any = gym.make("workup/Tutorial-v0", **settings)
        world = env.unwrapped.engine.world
        assert env.spec.max_episode_steps is None
        assert env.spec.reward_threshold is None
        assert env.get_wrapper_attr("max_steps") == limit * world.max_steps
        np.testing.assert_array_equal(env.reset(seed=0)[1]["action_mask"], env.get_wrapper_attr("action_masks")())
        step, truncated = 0, False
        while not truncated:
            terminated, truncated = env.step(-1)[2:4]
            step += 1
        assert not terminated
        assert step == limit * world.max_steps
    assert gym.make_vec("workup/Tutorial-v0", 2, "vector_entry_point", max_steps=7).unwrapped.max_steps == 7  # type: ignore[attr-defined]

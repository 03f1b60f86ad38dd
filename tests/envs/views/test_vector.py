"""The vector environment against Gymnasium's own `SyncVectorEnv` over single environments, step by step."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from numpy.typing import NDArray
from support.told import same_told

from workup.envs.model.codes import COMPONENTS
from workup.envs.testing.traces import Trace, assert_same_trace, play, random_policy
from workup.envs.views.env import JourneyEnv, make_engine
from workup.envs.views.vector import JourneyVectorEnv
from workup.errors import WorkupError

N = 5
AUTORESET = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]


class Slot(gym.Wrapper[Any, Any, Any, Any]):
    """The patients of one slot: the first, then every n-th after it."""

    def __init__(self, slot: int, **settings: Any) -> None:
        super().__init__(JourneyEnv("tutorial", **settings))
        self.patient = slot - N

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.patient += N
        return self.env.reset(seed=3 if seed is not None else None, options={"patient": self.patient})


@pytest.mark.parametrize("mode", AUTORESET, ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    "settings",
    [{}, {"view": "belief", "results": "delayed", "budget": {"tests": 2}}, {"max_steps": 3}],
    ids=str,
)
def test_steps_as_gymnasium_specifies(mode: AutoresetMode, settings: dict[str, Any]) -> None:
    ours = JourneyVectorEnv("tutorial", N, autoreset_mode=mode, **settings)
    theirs = SyncVectorEnv([partial(Slot, slot, **settings) for slot in range(N)], autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"]
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    policy, ended = random_policy(ours.engine.world, stop=0.25, illegal=0.1), 0
    one, other = ours.reset(seed=3), theirs.reset(seed=3)
    same_told(one, other)
    mask = one[1]["action_mask"]
    for t in range(80):
        np.testing.assert_array_equal(mask, ours.action_masks())
        actions = np.array([policy(slot, t, mask[slot]) for slot in range(N)])
        mine, yours = ours.step(actions), theirs.step(actions)
        same_told(mine, yours, f"step {t}")
        mask = mine[4]["action_mask"]
        ended += int((mine[2] | mine[3]).sum())
    assert ended > 3 * N


def slots_to_traces(envs: JourneyVectorEnv, until: int, policy: Any, seed: int) -> dict[int, Trace]:
    """Journeys of patients below `until`, by the rule: slot i's episode k is patient i + k * num_envs."""
    n = envs.num_envs
    observation, info = envs.reset(seed=seed)
    mask, episode, done = info["action_mask"], np.zeros(n, int), np.zeros(n, bool)
    running = [Trace([observation[i]], [mask[i]]) for i in range(n)]
    traces: dict[int, Trace] = {}
    while len(traces) < until:
        patients = np.arange(n) + episode * n
        actions = np.array([policy(int(patients[i]), len(running[i].action), mask[i]) for i in range(n)])
        observation, reward, terminated, truncated, info = envs.step(actions)
        mask = info["action_mask"]
        components = np.column_stack([info.get(name, done) for name in COMPONENTS])
        for i in range(n):
            if done[i]:
                episode[i], running[i] = episode[i] + 1, Trace([observation[i]], [mask[i]])
                continue
            trace = running[i]
            trace.action.append(int(actions[i]))
            trace.observation.append(observation[i])
            trace.mask.append(mask[i])
            trace.reward.append(float(reward[i]))
            trace.components.append(components[i])
            trace.illegal.append(bool(info["illegal"][i]))
            trace.terminated, trace.truncated = bool(terminated[i]), bool(truncated[i])
            if trace.ended and patients[i] < until:
                traces[int(patients[i])] = trace
        done = terminated | truncated
    return traces


@pytest.mark.parametrize("num_envs", [1, 7, 64])
def test_episode_k_of_slot_i_is_patient_i_plus_k_n(num_envs: int) -> None:
    world = make_engine("tutorial", 1).world
    policy = random_policy(world, stop=0.2)
    expected = play(make_engine("tutorial", 8, seed=11), range(70), policy)
    found = slots_to_traces(JourneyVectorEnv("tutorial", num_envs), 70, policy, seed=11)
    assert found.keys() == expected.keys()
    for patient, trace in expected.items():
        assert_same_trace(found[patient], trace)


def digest(num_envs: int) -> str:
    """Of the first 40 journeys of weight loss, in order."""
    envs = JourneyVectorEnv("weight_loss", num_envs, view="belief")
    policy = random_policy(envs.engine.world, stop=0.2)
    traces = slots_to_traces(envs, 40, policy, seed=2)
    told = hashlib.sha256()
    for patient in range(40):
        trace = traces[patient]
        for part in (trace.observation, trace.mask, trace.action, trace.components):
            told.update(np.array(part).tobytes())
    return told.hexdigest()


def test_the_same_journeys_in_another_process_and_batch() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); import importlib.util as u; "
        f"s = u.spec_from_file_location('t', {__file__!r}); m = u.module_from_spec(s); s.loader.exec_module(m); print(m.digest(7))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == digest(1) == digest(64)


@pytest.mark.parametrize("autoreset_mode", AUTORESET, ids=lambda mode: mode.value)
def test_through_gymnasium_make_vec_and_its_wrappers(autoreset_mode: AutoresetMode) -> None:
    made = gym.make_vec(
        "workup/Tutorial-v0",
        num_envs=6,
        vectorization_mode="vector_entry_point",
        autoreset_mode=autoreset_mode,
        view="belief",
    )
    assert isinstance(made.unwrapped, JourneyVectorEnv)
    envs = RecordEpisodeStatistics(made)
    _, info = envs.reset(seed=1)
    policy, total = random_policy(made.unwrapped.engine.world, stop=0.3), np.zeros(6)
    lengths: list[int] = []
    idle = np.zeros(6, bool)
    for t in range(60):
        actions = np.array([policy(slot, t, mask) for slot, mask in enumerate(info["action_mask"])])
        _, reward, terminated, truncated, info = envs.step(actions)
        total = np.where(idle, 0.0, total + reward)
        done = terminated | truncated
        idle = done & (autoreset_mode == AutoresetMode.NEXT_STEP)
        if "episode" in info:
            lengths += info["episode"]["l"][done].tolist()
            np.testing.assert_allclose(info["episode"]["r"][done], total[done], rtol=1e-5, atol=1e-3)
        total[done] = 0.0
    assert len(lengths) > 20
    assert min(lengths) >= 2


def test_reset_begins_the_next_patients_and_a_seed_the_first() -> None:
    envs = JourneyVectorEnv("tutorial", 4)
    seen: list[NDArray[np.int64]] = []
    for reset in ({"seed": 6}, {}, {}, {"options": {"patient": 50}}, {"seed": 6}):
        envs.reset(**reset)
        seen.append(envs.engine.patient)
    assert [int(patients[0]) for patients in seen] == [0, 4, 8, 50, 0]
    assert all((patients - patients[0] == np.arange(4)).all() for patients in seen)
    assert set(envs.engine.seeds.tolist()) == {6}


def test_chosen_slots_alone_begin_anew() -> None:
    envs = JourneyVectorEnv("tutorial", 4)
    envs.reset(seed=6)
    before = envs.step(np.zeros(4, np.int64))[0]
    chosen = np.array([False, True, False, True])
    after, info = envs.reset(options={"reset_mask": chosen})
    assert envs.engine.patient.tolist() == [0, 5, 2, 7]
    np.testing.assert_array_equal(after[~chosen], before[~chosen])
    assert (after[chosen] != before[chosen]).any(axis=1).all()
    assert info["action_mask"].shape == (4, len(envs.action_names))


def test_the_action_after_the_end_is_ignored_in_next_step_mode() -> None:
    rewards = []
    for action in (0, 3, 10_000):
        envs = JourneyVectorEnv("tutorial", 1)
        envs.reset(seed=1)
        envs.step(np.array([0]))
        assert envs.step(np.array([len(envs.action_names) - 1]))[2][0]
        observation, reward, terminated, truncated, info = envs.step(np.array([action]))
        rewards.append(observation)
        assert reward[0] == 0.0
        assert set(info) == {"action_mask", "_action_mask"}
        assert [terminated[0], truncated[0]] == [False] * 2
        assert envs.engine.patient[0] == 1
    np.testing.assert_array_equal(rewards[0], rewards[1])
    np.testing.assert_array_equal(rewards[0], rewards[2])


@pytest.mark.parametrize("mode", AUTORESET, ids=lambda mode: mode.value)
def test_what_was_hidden_is_told_of_the_journeys_that_ended(mode: AutoresetMode) -> None:
    envs = JourneyVectorEnv("tutorial", 3, autoreset_mode=mode)
    envs.reset(seed=9)
    envs.step(np.zeros(3, np.int64))
    last = len(envs.action_names) - 1
    done = envs.step(np.array([last, 1, last]))[2]
    assert done.tolist() == [True, False, True]
    told = envs.journey_ends(np.flatnonzero(done))
    assert told["patient"].tolist() == [0, 2]
    assert told["decision"].tolist() == [3, 3]
    single = JourneyEnv("tutorial")
    for row, patient in enumerate((0, 2)):
        single.reset(seed=9, options={"patient": patient})
        single.step(0)
        end = single.step(last)[4]["journey_end"]
        assert end["condition"] == envs.engine.world.model.conditions[told["condition"][row]]
        assert (end["right"], end["cost_gbp"]) == (told["right"][row], told["cost_gbp"][row])


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(WorkupError, match="Disabled"):
        JourneyVectorEnv("tutorial", 2, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(WorkupError, match="expected ansi or rgb_array"):
        JourneyVectorEnv("tutorial", 2, render_mode="human")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 1.5, "7", [1], [1, 2, 3], [1, -2], [1, 2.5], np.array([[1, 2]]), {1: 2}], ids=str)
def test_a_seed_that_is_none_is_refused_with_what_is_expected(seed: Any) -> None:
    with pytest.raises(WorkupError, match="an integer from 0 for all slots, or a list of 2, one for each"):
        JourneyVectorEnv("tutorial", 2).reset(seed=seed)


@pytest.mark.parametrize(
    "options",
    [{"reset_mask": [True, False]}, {"reset_mask": np.zeros(2, bool)}, {"reset_mask": np.ones(1, bool)}],
    ids=str,
)
def test_a_mask_that_chooses_nobody_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(WorkupError, match="2 bool, of which at least one is true"):
        JourneyVectorEnv("tutorial", 2).reset(options=options)


@pytest.mark.parametrize("patient", [-1, 2.5, "3"])
def test_a_patient_that_is_none_is_refused(patient: Any) -> None:
    with pytest.raises(WorkupError, match="expected a patient's id"):
        JourneyVectorEnv("tutorial", 2).reset(options={"patient": patient})

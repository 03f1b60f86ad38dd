"""Native, sync and async: under the same seeds and actions, the same observations, rewards, flags, infos and pictures."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from support.told import same_told

from workup.benchmarks.speed import legal_actions
from workup.envs.views.vector import JourneyVectorEnv
from workup.errors import WorkupError

N = 4
SEEDS = [11, 7, 7, 2**64 + 3]
AUTORESET = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
SETTINGS: list[dict[str, Any]] = [
    {"max_steps": 5},
    {"view": "belief", "results": "delayed", "score": "posterior", "budget": {"tests": 2}, "first_patient": 3},
]


def made(mode: str, autoreset: AutoresetMode, name: str = "workup/Tutorial-v0", n: int = N, **settings: Any) -> Any:
    if mode != "vector_entry_point":
        settings["vector_kwargs"] = {"autoreset_mode": autoreset}
    else:
        settings["autoreset_mode"] = autoreset
    return gym.make_vec(name, num_envs=n, vectorization_mode=mode, **settings)


def side_by_side(ours: Any, theirs: Any, steps: int, mask: Any, rng: np.random.Generator) -> int:
    """Steps both and compares all they tell; returns how many journeys ended."""
    ended = 0
    for t in range(steps):
        actions = legal_actions(mask, rng)
        actions[rng.random(N) < 0.1] = 0  # often illegal
        mine = ours.step(actions)
        same_told(mine, theirs.step(actions), f"step {t}")
        mask = mine[4]["action_mask"]
        ended += int((mine[2] | mine[3]).sum())
    return ended


@pytest.mark.parametrize("autoreset", AUTORESET, ids=lambda mode: mode.value)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", ["workup/Tutorial-v0", "workup/PulmonaryEmbolism-v0"])
def test_native_tells_what_sync_tells(name: str, autoreset: AutoresetMode, settings: dict[str, Any]) -> None:
    ours, theirs = (made(mode, autoreset, name, **settings) for mode in ("vector_entry_point", "sync"))
    rng, ended = np.random.default_rng(0), 0
    chosen = np.array([False, True, True, False])
    resets: list[dict[str, Any]] = [
        {"seed": SEEDS},
        {},
        {"seed": [5, 6, 5, 0]},
        {"seed": [None, 8, None, 9]},
        {"options": {"patient": 20}},
        {"seed": SEEDS, "options": {"patient": 9}},
        {"options": {"reset_mask": chosen}},
        {"seed": [4, 4, None, 4], "options": {"reset_mask": chosen}},
    ]
    for reset in resets:
        mine = ours.reset(**copy.deepcopy(reset))
        same_told(mine, theirs.reset(**copy.deepcopy(reset)), f"after {reset}")
        ended += side_by_side(ours, theirs, 14, ours.unwrapped.action_masks(), rng)
    assert ended > len(resets) * N


def test_native_tells_what_async_tells() -> None:
    ours, theirs = (made(mode, AutoresetMode.SAME_STEP, max_steps=5) for mode in ("vector_entry_point", "async"))
    mine = ours.reset(seed=SEEDS)
    same_told(mine, theirs.reset(seed=SEEDS))
    assert side_by_side(ours, theirs, 15, mine[1]["action_mask"], np.random.default_rng(1)) > N
    theirs.close()


@pytest.mark.parametrize("autoreset", AUTORESET, ids=lambda mode: mode.value)
def test_native_writes_what_sync_writes(autoreset: AutoresetMode) -> None:
    modes = ("vector_entry_point", "sync")
    ours, theirs = (made(mode, autoreset, render_mode="ansi", view="belief", max_steps=3) for mode in modes)
    rng = np.random.default_rng(2)
    mask = ours.reset(seed=SEEDS)[1]["action_mask"]
    theirs.reset(seed=SEEDS)
    for _ in range(8):
        same_told(ours.render(), theirs.render())
        actions = legal_actions(mask, rng)
        mask = ours.step(actions)[4]["action_mask"]
        theirs.step(actions)


def test_native_draws_what_sync_draws() -> None:
    modes = ("vector_entry_point", "sync")
    ours, theirs = (made(mode, AutoresetMode.NEXT_STEP, n=2, render_mode="rgb_array") for mode in modes)
    for envs in (ours, theirs):
        envs.reset(seed=SEEDS[:2])
        envs.step(np.zeros(2, np.int64))
    same_told(ours.render(), theirs.render())


def test_nothing_to_show_is_told() -> None:
    with pytest.raises(gym.error.ResetNeeded, match="render_mode"):
        JourneyVectorEnv("tutorial", 2).render()


def test_a_list_of_seeds_lasts_until_another_seed() -> None:
    envs = JourneyVectorEnv("tutorial", 3, first_patient=2)
    where = []
    for reset in ({"seed": np.array([5, 6, 5])}, {}, {"seed": [None, 9, None]}, {"seed": 4}, {}):
        envs.reset(**reset)
        where.append((envs.engine.seeds.tolist(), envs.engine.patient.tolist()))
    assert where == [
        ([5, 6, 5], [2, 2, 2]),
        ([5, 6, 5], [3, 3, 3]),
        ([5, 9, 5], [4, 2, 4]),
        ([4, 4, 4], [2, 3, 4]),
        ([4, 4, 4], [5, 6, 7]),
    ]


def test_seeds_left_open_before_any_was_given_are_drawn() -> None:
    envs = JourneyVectorEnv("tutorial", 3)
    envs.reset(seed=[None, 6, None])
    first, given, last = envs.engine.seeds.tolist()
    assert given == 6
    assert first != last
    assert envs.engine.patient.tolist() == [0, 0, 0]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda of: pickle.loads(pickle.dumps(of))])
def test_copies_and_states_carry_the_seeds_of_slots(how: Any) -> None:
    envs, rng = JourneyVectorEnv("tutorial", N, max_steps=4), np.random.default_rng(3)
    envs.reset(seed=SEEDS)
    other, elsewhere = how(envs), JourneyVectorEnv("tutorial", N, max_steps=4)
    elsewhere.engine.set_state(how(envs.engine.get_state()))
    for _ in range(12):
        actions = legal_actions(envs.action_masks(), rng)
        told = envs.step(actions)
        same_told(told, other.step(actions))
        same_told(told[:4], elsewhere.step(actions)[:4])
    assert (envs.engine.patient > 0).all()


def one_end() -> tuple[JourneyVectorEnv, dict[str, Any]]:
    envs = JourneyVectorEnv("tutorial", 2)
    envs.reset(seed=1)
    envs.step(np.zeros(2, np.int64))
    return envs, envs.step(np.array([len(envs.action_names) - 1, 1]))[4]


@pytest.mark.parametrize(
    "read",
    [
        dict, copy.copy, copy.deepcopy, lambda info: pickle.loads(pickle.dumps(info)), lambda info: {**info}, lambda info: info | {},
        lambda info: {} | info, lambda info: info.copy(), lambda info: dict(info.items()),
        lambda info: {name: info[name] for name in info}, lambda info: {name: info.get(name) for name in list(info.keys())},
        lambda info: {name: info.pop(name) for name in list(reversed(info))},
    ],
)  # fmt: skip
def test_an_info_is_whole_however_it_is_read(read: Any) -> None:
    told = read(one_end()[1])
    names = {"action_mask", "illegal", "cost", "harm", "delay", "utility", "journey_end"}
    assert set(told) == names | {f"_{name}" for name in names}
    end = read(told["journey_end"])
    assert end["patient"].tolist() == [0, 0]
    assert end["_patient"].tolist() == [True, False]
    assert end["decision"][1] is None


def test_what_is_written_into_an_info_stays() -> None:
    _, info = one_end()
    info["cost"] = 1
    del info["harm"]
    assert info["cost"] == 1
    assert "harm" not in info
    assert len(info) == 13
    with pytest.raises(KeyError, match="no such"):
        info["no such"]
    assert one_end()[1] != {}


def test_an_end_that_others_may_have_overwritten_is_refused() -> None:
    envs, info = one_end()
    kept = dict(info["journey_end"])
    _, late = one_end()
    envs.step(np.zeros(2, np.int64))
    assert kept["patient"].tolist() == [0, 0]
    assert late["journey_end"]["patient"].tolist() == [0, 0]
    envs, late = one_end()
    envs.step(np.zeros(2, np.int64))
    assert late["cost"].shape == (2,)
    with pytest.raises(WorkupError, match="read it before the next step"):
        late["journey_end"]["patient"]

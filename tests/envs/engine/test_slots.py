"""Stepping some slots is stepping all with the others idle."""

from typing import Any

import numpy as np
import pytest

from workup.benchmarks.speed import legal_actions
from workup.envs.views.env import make_engine
from workup.errors import WorkupError

N = 24


@pytest.mark.parametrize("scenario", ["tutorial", "weight_loss"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"view": "belief", "score": "posterior", "autoreset": "same_step"},
        {"results": "delayed", "autoreset": "next_step"},
        {"view": "belief", "results": "delayed", "budget": {"tests": 2}, "autoreset": "same_step"},
    ],
)
def test_some_slots_or_all_with_the_others_idle(scenario: str, settings: dict[str, Any]) -> None:
    some, all_slots = make_engine(scenario, N, seed=3, **settings), make_engine(scenario, N, seed=3, **settings)
    draws = np.random.default_rng(0)
    finals = 0
    for _ in range(60):
        slots = draws.permutation(N)[: draws.integers(0, N + 1)]
        actions = np.full(N, -1)
        actions[slots] = legal_actions(all_slots.mask, draws)[slots]
        others = np.setdiff1d(
            np.arange(N), slots
        )  # to be stepped too: next-step, an idle journey that ended begins anew
        part = some.step(actions[slots], rows=slots)
        rest = some.step(actions[others], rows=others)
        whole = all_slots.step(actions)
        for name in ("observation", "reward", "components", "terminated", "truncated", "illegal", "mask"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)[slots])
            assert np.array_equal(getattr(rest, name), getattr(whole, name)[others])
        over = part.terminated | part.truncated
        assert part.ended == over.any()
        if settings.get("autoreset") == "same_step":
            finals += int(over.sum())
            assert np.array_equal(part.final_observation[over], whole.final_observation[slots][over])
            assert np.array_equal(part.final_mask[over], whole.final_mask[slots][over])
        assert np.array_equal(some.observation, all_slots.observation)
        assert np.array_equal(some.patient, all_slots.patient)
    assert finals > 0 or settings.get("autoreset") != "same_step"


def test_the_others_are_left_as_they_are() -> None:
    engine = make_engine("tutorial", 4, seed=1)
    before = engine.observation
    engine.step(engine.mask.argmax(axis=1)[[2]], rows=np.array([2]))
    changed = (engine.observation != before).any(axis=1)
    assert changed.tolist() == [False, False, True, False]


@pytest.mark.parametrize("rows", [[0, 0], [4], [-1], [[0, 1]]])
def test_slots_that_are_not_there_or_twice_are_refused(rows: Any) -> None:
    with pytest.raises(WorkupError, match="different slots of 0 to 3"):
        make_engine("tutorial", 4).step(np.zeros(len(rows), np.int64), rows=np.array(rows))


def test_one_action_for_each_slot_is_expected() -> None:
    with pytest.raises(WorkupError, match="one per slot"):
        make_engine("tutorial", 4).step(np.zeros(4, np.int64), rows=np.array([1, 2]))

"""One step ahead for a whole batch is what it is for each journey and order alone, plainly written.

`PYTHONPATH=tests python tests/agents/planning/test_one_step.py [PATIENTS]` compares more patients of every scenario.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from support.generated import generate, scenario_of
from support.locked import locked_tutorial
from support.plain_one_step import PlainOneStep, plain_values

from workup.agents.base import decision_actions
from workup.agents.baselines.voi import VoiAgent
from workup.agents.planning.alike import alike
from workup.agents.planning.one_step import OneStep
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.scenarios.language.library import load_scenario, shipped_scenarios

TIE = 1e-9
"""Of what is promised, or pounds where that is less: what differs by less is a tie, decided by how sums were rounded."""


class Compared(NamedTuple):
    """What was found on journeys under way."""

    asked: int
    """Journeys times steps."""
    apart: float
    """The largest difference of two values, by the larger of the value and a pound."""
    others: int
    """Where another action is chosen that is not as good to `TIE`."""
    ties: int
    """Where another action is chosen that is."""


def compared(world: World, knowledge: World, patients: int, *, keys: bool = True, delayed: bool = False) -> Compared:
    """Both along the journeys of `voi` mixed with those of random legal actions."""
    plain, quick = PlainOneStep(knowledge, keys=keys), OneStep(knowledge, keys=keys)
    engine = Engine(world, patients, seed=3, view="belief", results="delayed" if delayed else "at_once")
    engine.reset(patients=np.arange(patients))
    agent, rng, going = VoiAgent(knowledge), np.random.default_rng(0), np.ones(patients, np.bool_)
    found = Compared(0, 0.0, 0, 0)
    while going.any():
        at = np.flatnonzero(going)
        view = engine.journey_view(at)
        able = np.flatnonzero(view.mask[:, decision_actions(world)].any(axis=1))
        if able.size:
            found = _more(found, quick.values(view, able), plain_values(plain, view, able))
        actions = np.full(patients, -1, np.int64)
        actions[at] = np.where(at % 4 > 0, agent.act(view), _wandering(view, rng))
        step = engine.step(actions)
        going &= ~(step.terminated | step.truncated)
    return found


def _more(so_far: Compared, found: NDArray[np.float64], expected: NDArray[np.float64]) -> Compared:
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    known = np.isfinite(expected)
    size = np.maximum(1.0, np.abs(np.where(known, expected, 1.0)))
    apart = np.where(known, np.abs(np.where(known, found, 0.0) - np.where(known, expected, 0.0)), 0.0) / size
    rows, mine = np.arange(len(found)), found.argmax(axis=1)
    other = mine != expected.argmax(axis=1)
    lost = (expected.max(axis=1) - expected[rows, mine]) / size[rows, mine]
    return Compared(
        so_far.asked + len(found),
        max(so_far.apart, float(apart.max())),
        so_far.others + int((other & (lost > TIE)).sum()),
        so_far.ties + int((other & (lost <= TIE)).sum()),
    )


def _wandering(view: JourneyView, rng: np.random.Generator) -> NDArray[np.int64]:
    return (rng.random(view.mask.shape) * view.mask).argmax(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_scenario_is_as_plainly_written(name: str) -> None:
    world = compile_world(load_scenario(name))
    found = compared(world, world, 24)
    assert found.asked > 24
    assert found.apart <= 1e-9
    assert found.others == 0


@pytest.mark.parametrize("number", range(0, 60, 5))
def test_generated_scenarios_are_too(number: int) -> None:
    """Acts, progression, contraindications, worth by patient; results at once or on their way, with and without keys."""
    world = compile_world(scenario_of(generate(number)))
    found = compared(world, world, 12, keys=number % 2 == 0, delayed=number % 3 == 0)
    assert found.apart <= 1e-9
    assert found.others == 0


@pytest.mark.parametrize(
    "requires", ["[{film: shadow, ct_lungs: mass}, {crp_test: done}]", "[{ct_lungs: mass, ct: [failed, refused]}]"]
)
@pytest.mark.parametrize("delayed", [False, True])
def test_keys_are_priced_as_plainly_written(requires: str, delayed: bool, tmp_path: Path) -> None:
    world = locked_tutorial(tmp_path, requires)
    found = compared(world, world, 40, delayed=delayed)
    assert found.apart <= 1e-9
    assert found.others == 0


@pytest.mark.slow
def test_who_errs_is_as_plainly_written() -> None:
    world = compile_world(load_scenario("tutorial"))
    junior = make_agent("junior", world)
    assert isinstance(junior, VoiAgent)
    found = compared(world, junior._world, 40)
    assert found.apart <= 1e-9
    assert found.others == 0


def test_columns_are_alike_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    few = rng.random((5, 7))
    which = rng.integers(7, size=400)
    class_of, first = alike(few[:, which])
    assert len(first) == len(set(which.tolist()))
    np.testing.assert_array_equal(few[:, which], few[:, which][:, first[class_of]])
    nearly = few[:, which]
    nearly[3, 17] = np.nextafter(nearly[3, 17], 2.0)
    assert len(alike(nearly)[1]) == len(first) + 1


if __name__ == "__main__":
    for each in shipped_scenarios():
        of = compile_world(load_scenario(each))
        print(each, compared(of, of, int(sys.argv[1]) if sys.argv[1:] else 2000), flush=True)

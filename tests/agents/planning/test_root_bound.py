"""The easier problem's bound, and bounds of unfinished searches, against exact values of generated scenarios.

    PYTHONPATH=tests python tests/agents/planning/test_root_bound.py 250

takes as many of them, after opening as well as before, and prints what it compared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from support.generated import generate, scenario_of

from workup.agents.planning.bounded import bound
from workup.agents.planning.optimum import blank_state
from workup.agents.planning.presentation import Presenter, State
from workup.agents.planning.problem import Problem, size
from workup.agents.planning.root_bound import root_upper
from workup.agents.planning.solution import presentations
from workup.envs.compile.compile import compile_world
from workup.errors import PlanningRefused
from workup.scenarios.language.library import load_scenario

pytestmark = pytest.mark.slow

MOST_STATES = 300_000
SETTINGS = (
    {"cheap": 0.15, "looks": 2, "effort": 100_000},
    {"cheap": 0.5, "looks": 1},
    {"cheap": 0.0, "looks": 3},
    {"effort": 30},
)
FREE_ACTS = (70, 94)
"""Seeds that refuted a bound that forgot what free acts bring."""


def problems(seed: int) -> Iterator[Problem]:
    """From the start of a generated scenario and from what a patient presented with."""
    world = compile_world(scenario_of(generate(seed, tests=2 + seed % 2)), preset="complex_decision")
    presenter = Presenter(world)
    (start,) = np.flatnonzero(world.model.prior.reshape(world.model.n_starts, -1).any(axis=1))[:1]
    states: list[State] = [blank_state(world, int(start)), *presentations(world, np.arange(2), seed)[1].values()]
    for state in states:
        try:
            problem = presenter.present(state).problem
        except PlanningRefused:
            continue
        if size(problem) <= MOST_STATES:
            yield problem


def compared(seed: int) -> tuple[int, int]:
    """How many problems were compared, and to how many the easier problem applies; fails where a bound is wrong."""
    seen = applies = 0
    for problem in problems(seed):
        exact = bound(problem, expansions=10**9)
        assert exact.met
        tolerance = 1e-7 * max(1.0, abs(exact.lower))
        for expansions in (1, 3, 10, 40):
            some = bound(problem, expansions=expansions)
            assert some.lower <= exact.lower + tolerance
            assert exact.upper <= some.upper + tolerance, (seed, expansions)
        uppers = [root_upper(problem), *(root_upper(problem, **each) for each in SETTINGS)]
        assert min(uppers) >= exact.lower - tolerance, (seed, uppers, exact.lower)
        seen, applies = seen + 1, applies + bool(np.isfinite(uppers[0]))
    return seen, applies


@pytest.mark.parametrize("seed", sorted({*range(10), *FREE_ACTS}))
def test_no_bound_is_below_the_exact_value(seed: int) -> None:
    compared(seed)


def test_the_bound_applies_to_several_and_is_no_mere_clairvoyance() -> None:
    found = [compared(seed) for seed in range(8)]
    assert sum(applies for _, applies in found) >= 4
    world = compile_world(load_scenario("weight_loss"))
    presenter = Presenter(world)
    narrower = []
    for state in presentations(world, np.arange(6), 0)[1].values():
        problem = presenter.present(state).problem
        free, lower = bound(problem, expansions=1).upper, bound(problem, expansions=1_000).lower
        if free > lower:  # else a thousand orders settle it
            narrower.append((root_upper(problem) - lower) / (free - lower))
    assert narrower
    assert np.median(narrower) < 0.8


if __name__ == "__main__":
    counts = np.zeros(2, int)
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 250):
        counts += compared(number)
    print(f"{counts[0]} problems, the easier one applies to {counts[1]}: no bound is below the exact value")

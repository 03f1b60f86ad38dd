"""Agents and the optimum in one estimand: the expectation, given what each patient told and showed at first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import workup
from workup.agents.planning import PresentationBounds
from workup.agents.registry import make_agent
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import score
from workup.evaluation.worth import value_gbp, worth

AGENTS = ("none", "guideline", "voi", "optimum")
PARTS, SIZE = 16, 250

Known = tuple[dict[str, Journeys], PresentationBounds, Journeys]


@pytest.fixture(scope="module")
def known(world: World, tmp_path_factory: pytest.TempPathFactory) -> Known:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        keeper = Bookkeeper(world)
    bounds, _, plan = keeper.possible(patients=PARTS * SIZE, seed=3, asked=True)
    assert bounds is not None
    assert plan is not None
    agents = keeper.agents(AGENTS, seed=3)
    return run_agents(world, agents, patients=PARTS * SIZE, seed=3), bounds, plan


def some(whole: Any, rows: NDArray[np.int64]) -> Any:
    """These patients of journeys or bounds."""
    found = {name: each[rows] for name, each in vars(whole).items() if isinstance(each, np.ndarray)}
    return replace(whole, **found)


def test_the_plan_is_worth_what_is_certified_and_never_ordering_gains_nothing(known: Known) -> None:
    journeys, bounds, plan = (
        {name: some(each, np.arange(80)) for name, each in known[0].items()},
        some(known[1], np.arange(80)),
        some(known[2], np.arange(80)),
    )
    found = score(journeys, bounds, plan=plan)
    optimum, none = found.agents["optimum"], found.agents["none"]
    assert abs(value_gbp(plan).mean() - bounds.lower.mean()) > 1  # as it went for these patients, something else
    assert (optimum.captured.mean, optimum.captured.low, optimum.captured.high) == pytest.approx((1, 1, 1))
    assert (none.captured.mean, none.captured.low, none.captured.high) == pytest.approx((0, 0, 0), abs=1e-9)
    assert found.optimum is not None
    assert optimum.value.mean == pytest.approx(found.optimum.lower.mean)
    assert (optimum.value.low, optimum.value.high) == pytest.approx((found.optimum.lower.low, found.optimum.lower.high))
    assert found.minus("optimum", "none").mean == pytest.approx(found.optimum.gain.mean)


@pytest.mark.parametrize("name", AGENTS)
def test_the_mean_is_that_of_what_patients_got(known: Known, name: str) -> None:
    # By another way: decisions scored by what was true of each patient, and no luck taken off.
    journeys, bounds, plan = known
    more = worth(journeys[name], bounds, plan).value - journeys[name].value
    assert abs(more.mean()) < 3 * more.std() / len(more) ** 0.5
    assert more.std() > 100


@pytest.mark.parametrize("name", ["guideline", "voi"])
def test_intervals_hold_the_share_that_many_patients_show(known: Known, name: str) -> None:
    journeys, bounds, plan = known
    gain = worth(journeys[name], bounds, plan).value - bounds.v0
    share = gain.mean() / (bounds.lower - bounds.v0).mean()
    held, above = 0, 0
    for part in np.arange(PARTS * SIZE).reshape(PARTS, SIZE):
        of = score({name: some(journeys[name], part)}, some(bounds, part), plan=some(plan, part)).agents[name].captured
        held += of.low <= share <= of.high
        above += of.low > 1
    assert held >= 13  # of 16 intervals, each of which holds it with a chance of 95%, fewer do once in 100
    assert above == 0


def test_the_share_of_the_luck_is_found_without_bias(known: Known) -> None:
    # Half of what the plan's luck was is in these journeys, and noise besides.
    plan, bounds = known[2], known[1]
    left = value_gbp(plan) - bounds.lower
    noise = np.random.default_rng(0).normal(0, 50, len(left))
    components = np.zeros_like(plan.expected_components)
    components[:, 3] = bounds.v0 + 10 + 0.5 * left + noise
    found = worth(replace(plan, expected_components=components, luck=None), bounds, plan)
    assert found.value - bounds.v0 == pytest.approx(10 + noise, abs=0.05 * np.abs(left).max())
    assert (found.slack == 0).all()


def test_between_bounds_the_interval_reaches_up_to_what_the_plan_may_be_worth(known: Known) -> None:
    journeys, bounds, plan = (
        {n: some(j, np.arange(80)) for n, j in known[0].items()},
        *(some(b, np.arange(80)) for b in known[1:]),
    )
    wide = replace(bounds, upper=bounds.lower + 20, exact=False)
    found = score(journeys, wide, plan=plan)
    optimum, none, voi = (found.agents[name] for name in ("optimum", "none", "voi"))
    gain = float((bounds.lower - bounds.v0).mean())
    assert (optimum.captured.mean, optimum.captured.low) == pytest.approx((1, 1))
    assert optimum.captured.high > 1 + 20 / gain
    assert (optimum.gain.high, none.gain.high) == pytest.approx((optimum.gain.high, 0.0), abs=1e-6)
    exact = score(journeys, bounds, plan=plan)
    assert 0 < voi.value.high - exact.agents["voi"].value.high <= 20
    assert voi.value.mean == pytest.approx(exact.agents["voi"].value.mean)
    assert found.minus("optimum", "none").high == pytest.approx(exact.minus("optimum", "none").high + 20)
    assert found.minus("none", "optimum").low == pytest.approx(exact.minus("none", "optimum").low - 20)


def test_what_is_known_from_before_is_told_and_nothing_is_planned(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = workup.evaluate(world, ["voi"], patients=20, seed=5, optimum=True)
    unasked = workup.evaluate(world, ["voi"], patients=20, seed=5)
    assert unasked.agents["voi"].value == asked.agents["voi"].value
    assert unasked.agents["voi"].captured == asked.agents["voi"].captured
    keeper = Bookkeeper(world)
    keeper.cache.actions.clear()
    bounds, refusal, plan = keeper.possible(patients=20, seed=5, asked=False)
    assert bounds is not None
    assert (refusal, plan) == (None, None)
    noisier = score(run_agents(world, {"voi": make_agent("voi", world)}, patients=20, seed=5), bounds)
    assert noisier.meaning != asked.meaning

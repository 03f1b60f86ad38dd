"""A finding again in the engine: what it reveals, when, and what is then believed, against the table as written."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from support.again import TABLE, scenario_of

from workup.agents.baselines.simple import ListAgent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.narrative import journey_in_words
from workup.envs.records.run import run_journeys
from workup.report.story import tell
from workup.scenarios.language.words.prose import explain

PATIENTS = 6_000
CHANGES = ("fell", "same", "rose")


@cache
def world() -> World:
    return compile_world(scenario_of())


def told(engine: Engine, *names: str) -> None:
    """Every journey takes these actions."""
    for name in names:
        (action,) = (i for i, action in enumerate(engine.world.actions) if action.name == name)
        assert engine.mask[:, action].all(), name
        engine.step(np.full(PATIENTS, action))


@cache
def run(
    route: tuple[str, ...], results: str = "at_once"
) -> tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Changes, posteriors before and after, true conditions, hours from the last order to its result."""
    engine = Engine(world(), PATIENTS, seed=5, view="belief", results=results)  # type: ignore[arg-type]
    engine.reset()
    last = route.index("order crp_again")
    told(engine, "order history", "order examination") if results == "at_once" else told(
        engine, "order history", "wait", "order examination", "wait"
    )
    told(engine, *route[:last])
    before, clock = engine.condition_posterior.copy(), engine.journey_view().clock_h.copy()
    told(engine, *route[last:])
    view = engine.journey_view()
    o = engine.world.model.observables.index("crp_48h")
    changes, after, hours = view.values[:, o].copy(), engine.condition_posterior.copy(), view.clock_h - clock
    told(engine, "decide reassure")
    return changes, before, after, engine.ended(np.arange(PATIENTS))["condition"], hours


ROUTES = {
    "no": ("order crp_test", "order crp_again"),
    "yes": ("order crp_test", "act antibiotics", "order crp_again"),
}


@pytest.mark.parametrize("antibiotics", ROUTES)
def test_the_change_follows_the_table(antibiotics: str) -> None:
    changes, _, _, truth, hours = run(ROUTES[antibiotics])
    assert hours == pytest.approx(48.0)
    for c, condition in enumerate(world().model.conditions):
        mine = changes[truth == c]
        for value, expected in enumerate(TABLE[condition][antibiotics]):
            spread = np.sqrt(expected * (1 - expected) / len(mine))
            assert abs((mine == value).mean() - expected) < 4 * spread, (condition, CHANGES[value])


@pytest.mark.parametrize("antibiotics", ROUTES)
def test_it_moves_belief_by_its_chances_alone(antibiotics: str) -> None:
    """Whatever the first value was: each condition's weight times the chance of the change there."""
    changes, before, after, _, _ = run(ROUTES[antibiotics])
    chances = np.array([TABLE[condition][antibiotics] for condition in world().model.conditions])
    weights = before * chances[:, changes].T
    assert after == pytest.approx(weights / weights.sum(axis=1, keepdims=True), abs=1e-6)


def test_an_act_after_the_order_changes_nothing() -> None:
    """The law is that of the act's state when the second test was ordered."""
    route = ("order crp_test", "wait", "order crp_again", "act antibiotics", "wait", "wait")
    changes, before, after, _, _ = run(route, "delayed")
    chances = np.array([TABLE[condition]["no"] for condition in world().model.conditions])
    weights = before * chances[:, changes].T
    assert after == pytest.approx(weights / weights.sum(axis=1, keepdims=True), abs=1e-6)


def test_it_cannot_be_ordered_first() -> None:
    engine = Engine(world(), PATIENTS, seed=5, view="raw")
    engine.reset()
    told(engine, "order history", "order examination")
    (again,) = (i for i, action in enumerate(world().actions) if action.name == "order crp_again")
    assert not engine.mask[:, again].any()
    told(engine, "order crp_test")
    assert engine.mask[:, again].all()


def test_it_is_told_as_a_change_at_its_time() -> None:
    route = ("order history", "order examination", "order crp_test", "order crp_again")
    names = [action.name for action in world().actions]
    agent = ListAgent("again", world(), [names.index(name) for name in route])
    journeys = run_journeys(Population(world()), agent, patients=np.arange(8), seed=5, record=True)
    line = next(line for line in journey_in_words(journeys, 0) if "CRP two days on" in line)
    assert any(f"CRP two days on: {word} (C-reactive protein after 2 days)" in line for word in CHANGES)
    (step,) = (step for step in tell(journeys, 0).steps if step.what == "CRP again")
    assert step.clock_after_h - step.clock_h == pytest.approx(48.0)
    assert step.results[0].endswith("(C-reactive protein after 2 days)")
    assert "CRP two days on: how C-reactive protein has changed after 2 days: " in explain(world().scenario)

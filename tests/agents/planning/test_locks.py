"""Keys: what an order is worth that opens a decision."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from support.locked import locked_tutorial

from workup.agents.baselines.voi import VoiAgent
from workup.agents.opening import open_journeys
from workup.agents.planning.keys import price_keys, rules_of
from workup.agents.planning.locks import Locks
from workup.agents.planning.one_step import OneStep
from workup.agents.registry import make_agent
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.run import run_journeys
from workup.evaluation.run import run_agents
from workup.evaluation.score import score


@numba.njit
def compiled_keys(rules, values, status, failures, price, ordering, met, known, out):
    price_keys(rules, values, status, failures, price, ordering, met, known, out)


TWO_KEYS = "[{film: shadow, ct_lungs: mass}, {crp_test: done}]"
"""A finding that speaks for it, and a test that only has to be done."""


def test_bits_say_what_is_met(tmp_path: Path) -> None:
    world = locked_tutorial(tmp_path, TWO_KEYS)
    locks, journeys = (
        Locks(world),
        run_journeys(world, make_agent("all", world), patients=np.arange(200), seed=0, record=True),
    )
    events = journeys.recorded()
    refer, film, ct = (
        world.decisions.index("refer"),
        *(world.model.observables.index(name) for name in ("film", "ct_lungs")),
    )
    shadow, mass = (
        world.model.network.variable(name).values.index(value)
        for name, value in (("film", "shadow"), ("ct_lungs", "mass"))
    )
    first = (events.values[:, film] == shadow) | (events.values[:, ct] == mass)
    second = events.status[:, world.item("crp_test")] == 2
    assert locks.met(events.values, events.status).tolist() == (first + 2 * second).tolist()
    assert locks.needs.tolist() == [3 * (d == refer) for d in range(len(world.decisions))]
    assert {0, 2, 3} <= set(locks.met(events.values, events.status).tolist())


def test_keys_cost_the_cheapest_orders_that_may_fit(tmp_path: Path) -> None:
    world = locked_tutorial(tmp_path, TWO_KEYS)
    engine = Engine(world, 40, view="belief")
    engine.reset()
    open_journeys(engine)
    view, price = engine.journey_view(), np.arange(1.0, len(world.items) + 1)
    film, ct, crp = (price[world.item(name)] for name in ("chest_film", "ct", "crp_test"))
    bloody = view.values[:, world.model.observables.index("haemoptysis")] == 1
    assert bloody.any()
    assert not bloody.all()
    for row in range(40):
        # A CT needs a shadow on the film unless there is blood, so without blood it comes after the film.
        assert keys(world, view, row, price, ()) == [min(film, ct if bloody[row] else film + ct), crp]
        assert keys(world, view, row, price, ("chest_film", "crp_test")) == [ct, np.inf]


def keys(
    world: World, view: JourneyView, row: int, price: NDArray[np.float64], ordering: tuple[str, ...]
) -> list[float]:
    locks = Locks(world)
    out, known = np.empty(len(locks.groups)), np.empty(len(price))
    ordered = np.isin(np.arange(len(price)), [world.item(name) for name in ordering])
    compiled_keys(
        rules_of(locks), view.values[row], view.status[row], view.failures[row], price, ordered, 0, known, out
    )
    return out.tolist()


def test_one_step_ahead_sees_a_use_in_a_key(tmp_path: Path) -> None:
    """Of two keys neither opens a decision alone: the exact expectation sees nothing in the first, `voi` does."""
    world = locked_tutorial(tmp_path, TWO_KEYS)
    engine = Engine(world, 400, view="belief")
    engine.reset()
    open_journeys(engine)
    view, order = engine.journey_view(), next(a for a, x in enumerate(world.actions) if x.name == "order chest_film")
    rows = np.flatnonzero(view.mask[:, order])
    exact, keyed = (OneStep(world, keys=counted).values(view, rows)[:, order] for counted in (False, True))
    assert (keyed - exact).max() > 100.0


@pytest.mark.parametrize("requires", [TWO_KEYS, "[{ct_lungs: mass, ct: [failed, refused]}]"])
def test_voi_never_takes_a_locked_decision_and_gains(tmp_path: Path, requires: str) -> None:
    world = locked_tutorial(tmp_path, requires)
    agents = {name: make_agent(name, world) for name in ("none", "voi", "optimum")}
    journeys = run_agents(world, agents, patients=400, seed=0)
    found = score(journeys, None)
    assert found.v0.mean < found.v0_open.mean
    assert found.agents["none"].value.mean == pytest.approx(found.v0.mean)
    assert found.agents["none"].value.mean < found.agents["voi"].value.mean
    assert found.agents["voi"].value.mean < found.agents["optimum"].value.mean + 10.0
    refer, locks = world.decisions.index("refer"), Locks(world)
    for each in journeys.values():
        met = locks.met(each.values, each.status)
        assert (met[each.decision == refer] == locks.needs[refer]).all()
    assert (journeys["voi"].decision == refer).any()


def test_voi_without_keys_is_voi_where_nothing_is_locked() -> None:
    from workup.envs.compile.compile import compile_world
    from workup.scenarios.language.library import load_scenario

    world = compile_world(load_scenario("tutorial"))
    plain = VoiAgent(world)
    plain._ahead = OneStep(world)
    both = [
        run_journeys(Population(world), agent, patients=np.arange(100), seed=1) for agent in (plain, VoiAgent(world))
    ]
    np.testing.assert_array_equal(both[0].value, both[1].value)

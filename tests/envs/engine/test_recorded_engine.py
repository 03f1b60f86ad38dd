"""Recorded patients in the one engine: what is missing is told, group discounts count once, numbers are the record's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workup.agents.planning.one_step import OneStep
from workup.envs.engine.engine import Engine
from workup.envs.model.cases import Cases
from workup.envs.model.codes import FAILED, MISSING, RESULT, UNKNOWN
from workup.envs.model.population import Population
from workup.envs.model.world import World


def recorded(world: World, numbers: float = np.nan, **values: int) -> Cases:
    row = np.full((1, len(world.model.observables)), UNKNOWN, np.int16)
    for name, code in values.items():
        row[0, world.model.observables.index(name)] = code
    told = np.full(row.shape, numbers, np.float32)
    return Cases(np.zeros(1, np.int32), np.zeros(1, np.int32), row, told)


def order(engine: Engine, name: str) -> None:
    engine.step(np.full(engine.num_envs, engine.action_names.index(f"order {name}"), np.int64))


def opened(who: World | Population, **settings: object) -> Engine:
    engine = Engine(who, 1, **settings)  # type: ignore[arg-type]
    order(engine, "history")
    order(engine, "examination")
    return engine


def test_an_item_without_any_recorded_value_fails_at_once_and_is_not_charged(world: World) -> None:
    engine = opened(Population(world, recorded(world, egfr=MISSING)))
    before = engine.journey_view()
    order(engine, "kidney_test")
    after = engine.journey_view()
    assert after.status[0, world.item("kidney_test")] == FAILED
    assert after.values[0, world.model.observables.index("egfr")] == MISSING
    assert after.cost_gbp[0] == before.cost_gbp[0]
    assert after.clock_h[0] == before.clock_h[0]


def test_a_value_missing_beside_a_recorded_one_is_missing_in_a_result(world: World) -> None:
    engine = opened(Population(world, recorded(world, fever=1, haemoptysis=MISSING)))
    view = engine.journey_view()
    assert view.status[0, world.item("history")] == RESULT
    assert view.values[0, world.model.observables.index("fever")] == 1
    assert view.values[0, world.model.observables.index("haemoptysis")] == MISSING


def test_recorded_numbers_are_shown_as_they_are(world: World) -> None:
    engine = opened(Population(world, recorded(world, numbers=87.5, crp=3)))
    order(engine, "crp_test")
    assert engine.journey_view().numbers[0, world.model.observables.index("crp")] == 87.5


@pytest.mark.parametrize("once", [True, False])
def test_a_set_up_is_charged_once_in_a_journey_or_at_every_moment(world: World, once: bool) -> None:
    changed = replace(world, set_up_once=np.full(1, float(once)))
    engine = opened(changed)
    start = engine.journey_view().cost_gbp[0]
    order(engine, "crp_test")  # 8, and the needle 6
    assert engine.journey_view().cost_gbp[0] - start == 14.0
    promised = OneStep(changed)
    view, weights, profile = engine.journey_view(), world.model.prior[:1].copy(), np.zeros((1, 1), np.int64)
    a = engine.action_names.index("order kidney_test")
    first = replace(view, status=np.zeros_like(view.status))
    now, before = (promised.changes(of, np.array([a]), profile, weights)[0] for of in (view, first))
    cheaper = now - before
    assert cheaper == pytest.approx(6.0 * 0.95 + 3.0 * 0.95 if once else 0.0)  # 5% are haemolysed, and not charged
    order(engine, "kidney_test")
    if engine.journey_view().status[0, world.item("kidney_test")] == RESULT:
        assert engine.journey_view().cost_gbp[0] - start == (19.0 if once else 25.0)

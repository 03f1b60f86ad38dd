"""Effort goes where it tells, and what is found depends on presentations and effort alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workup.agents.planning import SearchEffort, batch, presentations
from workup.agents.planning.batch import Sought, search_batch
from workup.agents.planning.bounded import Search, bound
from workup.agents.planning.effort import Curve, price_of
from workup.agents.planning.policy_cache import state_key
from workup.agents.planning.presentation import Presented, Presenter
from workup.envs.compile.compile import compile_world
from workup.files import WorkingNotes
from workup.scenarios.language.library import load_scenario

EFFORT = SearchEffort(expansions=3_000, least=0, target=0.0)

Found = Mapping[str, tuple[int, float, float]]


@cache
def presenter() -> Presenter:
    return Presenter(compile_world(load_scenario("weight_loss")))


@cache
def presented(row: int) -> Presented:
    _, states = presentations(presenter().world, np.arange(row + 1), 0)
    return presenter().present(states[row])


def sought(rows: range = range(10)) -> list[Sought]:
    _, states = presentations(presenter().world, np.arange(rows.stop), 0)
    chosen = {state_key(states[row]): states[row] for row in rows if row in states}
    return [Sought(key, partial(presenter().present, state)) for key, state in chosen.items()]


def found(some: list[Sought]) -> Found:
    return {each.key: (each.curve.expansions, each.curve.lower, each.curve.upper) for each in some if each.curve}


def searched(effort: SearchEffort = EFFORT, **options: Any) -> Found:
    some = sought()
    search_batch(some, effort, **options)
    return found(some)


def test_a_search_that_goes_on_finds_what_one_without_a_halt_finds() -> None:
    search = Search(presented(1).problem)
    for expansions in (1, 500, 501, 2_000, 6_000):
        halted = search.run(expansions=expansions)
    whole = bound(presented(1).problem, expansions=6_000, worthwhile=0.0)
    assert (halted.lower, halted.upper, halted.expanded) == (whole.lower, whole.upper, whole.expanded)
    assert whole.expanded > 5_000
    assert search.nbytes < 1_500 * whole.expanded + 10_000_000


@pytest.fixture(scope="module")
def usual() -> Found:
    return searched(workers=1)


def test_bounds_depend_neither_on_threads_nor_on_memory(usual: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "KEPT_BYTES", 0)
    assert searched(workers=3) == usual


def test_an_interrupted_batch_goes_on_where_it_stopped(usual: Found, tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    class Notes(WorkingNotes):
        def add(self, name: str, record: Mapping[str, Any]) -> None:
            if len(self) == 13:
                raise KilledError
            super().add(name, record)

    with pytest.raises(KilledError):
        searched(workers=1, notes=Notes(tmp_path / "notes"))
    kept = WorkingNotes(tmp_path / "notes")
    assert len(kept) == 13
    some = sought()
    search_batch(some, EFFORT, workers=1, notes=kept)
    assert found(some) == usual
    again = sought()
    search_batch(again, EFFORT, workers=1, notes=kept)
    assert found(again) == usual
    for one, other in zip(some, again, strict=True):
        assert one.policy is not None
        assert other.policy is not None
        for part in ("decision", "action", "follow_start", "follow"):
            np.testing.assert_array_equal(getattr(one.policy, part), getattr(other.policy, part))


def test_effort_is_used_up_and_goes_where_it_tells(usual: Found) -> None:
    spent = sum(expansions for expansions, *_ in usual.values())
    assert 0.8 * EFFORT.expansions * len(usual) < spent < 1.1 * EFFORT.expansions * len(usual)
    gap = sum(upper - lower for _, lower, upper in usual.values())
    alike = [bound(each.present().problem, expansions=EFFORT.expansions) for each in sought()]
    assert gap < sum(each.upper - each.lower for each in alike)


def test_a_target_that_is_met_ends_the_search() -> None:
    wide = searched(replace(EFFORT, expansions=2_000))
    near = searched(replace(EFFORT, expansions=2_000, target=10.0))
    assert sum(each[0] for each in near.values()) < 0.6 * sum(each[0] for each in wide.values())


def test_a_presentation_is_left_at_its_own_share() -> None:
    some = sought(range(4))
    search_batch(some, replace(EFFORT, gap=1e6))
    for each in some:
        assert each.curve is not None
        assert each.curve.ended
        assert each.curve.expansions < 600


def curves() -> Iterator[Curve]:
    for scale in (1.0, 10.0, 400.0):
        yield Curve(0.0, points=[(1_000, 100.0, 100.0 + 2 * scale), (2_000, 100.0, 100.0 + scale)])


def test_the_price_uses_up_the_budget_or_meets_the_gap() -> None:
    some = list(curves())
    price = price_of(some, budget=20_000, gap=0.0, most=10**9)
    needed = [curve.needed(price, 10**9) for curve in some]
    assert sum(needed) - 6_000 == pytest.approx(20_000, rel=0.01)
    assert needed[0] == 2_000  # it promises less than the price as it is
    assert [curve.promise * (2_000 / n) ** 2 for curve, n in zip(some[1:], needed[1:], strict=True)] == pytest.approx(
        [price] * 2
    )
    dearer = price_of(some, budget=10**12, gap=100.0, most=10**9)
    assert sum(curve.gap_at(curve.needed(dearer, 10**9)) for curve in some) == pytest.approx(100.0, rel=0.01)
    assert price_of([replace(some[0], ended=True)], budget=10**9, gap=0.0, most=10**9) == np.inf


def test_few_presentations_share_the_least_effort() -> None:
    effort = SearchEffort(expansions=100, least=1_000)
    assert [effort.budget(n) for n in (1, 10, 11)] == [1_000, 1_000, 1_100]


def test_patients_who_present_alike_count_each() -> None:
    one, many = Curve(0.0, 1, points=[(500, 0.0, 10.0)]), Curve(0.0, 7, points=[(500, 0.0, 10.0)])
    assert many.promise == pytest.approx(7 * one.promise)
    assert many.gap_at(1_000) == pytest.approx(7 * one.gap_at(1_000))

"""The ways in which a policy may break an expectation: what to alter, and whether the rules of the world allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from workup.agents.base import Agent
from workup.envs.model.codes import NOT_ORDERED, RESULT
from workup.envs.model.facts import Clause, Condition, ScoreClause, compile_when, vocabulary
from workup.envs.model.world import World
from workup.scenarios.language.schema import Expectation, Vignette
from workup.scenarios.language.words.phrases import Phrases
from workup.vignettes.ceilings import Ceiling, ceilings_of
from workup.vignettes.mutation.mutants import (
    Deciding,
    Towards,
    Where,
    Without,
    always,
    anything,
    before_hours,
    both,
    in_visit,
    keys_of,
    locked,
    not_ordered,
    opposite,
    order_of,
    path_to,
)
from workup.vignettes.mutation.reachable import Reach
from workup.vignettes.timeline import members
from workup.wording import time_in_words

Alter = Callable[[Agent], Agent]
Moment = Mapping[str, Any]
"""One alternative of `when`; empty where there is none."""
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Way:
    """One way to break one expectation."""

    index: int
    """Of the verdict, in the order of `expectations.judge`."""
    change: str
    """What is altered, in words."""
    altered: tuple[Alter, ...]
    """To be tried in turn, the least intrusive first."""
    possible: Callable[[Reach], bool]
    """Whether the rules may allow it for a patient; if not, no policy can do it."""
    reason: str
    """What protects the expectation where they do not."""
    part: Expectation | None = None
    """The part of the expectation that has to fail, so that no other part is taken for it; None: the whole."""
    still: Expectation | None = None
    """What has to hold in some journey that fails: the order that comes late does come."""


def ways_to_break(world: World, vignette: Vignette) -> Iterator[Way]:
    """Every way to break every expectation, the decision and the ceilings of a vignette."""
    for index, expectation in enumerate(vignette.expect):
        yield from _Expected(world, index, expectation).ways()
    index = len(vignette.expect)
    yield _another_decision(world, index, vignette)
    for offset, ceiling in enumerate(ceilings_of(world, vignette.ceilings), start=1):
        yield _too_much(world, index + offset, ceiling)


def _another_decision(world: World, index: int, vignette: Vignette) -> Way:
    """Any that is not acceptable: those that require nothing first, then those whose keys have to be found."""
    wrong = [d for d, name in enumerate(world.decisions) if name not in vignette.decide]
    if not wrong:
        return Way(index, "another decision", (), lambda _: False, "every decision is acceptable")
    wrong.sort(key=lambda d: bool(keys_of(world, d)))
    label = Phrases(world.scenario).label(world.decisions[wrong[0]])

    def opened(agent: Agent, *, decision: int) -> Agent:
        seek = path_to(world, keys_of(world, decision))
        return Deciding(Towards(agent, seek, locked(world, decision)), decision)

    return Way(
        index,
        f"another decision: {label}",
        (
            *(partial(Deciding, decision=d) for d in wrong[:1]),
            *(partial(opened, decision=d) for d in wrong if keys_of(world, d)),
        ),
        lambda patient: any(patient.may_take(d) for d in wrong),
        "what every other decision requires can never be met for this patient",
    )


def _too_much(world: World, index: int, ceiling: Ceiling) -> Way:
    def exceeds(patient: Reach) -> bool:
        most = ceiling.most(patient.profile, patient.hidden) * world.attempts
        return float(sum(most[i] for i in patient.orders)) > ceiling.limit + 1e-9

    largest = ceiling.most(0, 0)
    paths = path_to(world, np.flatnonzero(largest > 0).tolist()), anything(world, largest)
    return Way(
        index,
        f"orders added until {ceiling.name} passes the ceiling",
        tuple(partial(Towards, orders=orders, where=always) for orders in paths),
        exceeds,
        "all that the rules allow for this patient stays below it",
    )


@dataclass(frozen=True, eq=False)
class _Expected:
    """One expectation of orders, and the moment from which it counts."""

    world: World
    index: int
    expectation: Expectation

    def ways(self) -> Iterator[Way]:
        e = self.expectation
        for item in self._items(e.must or ()):
            yield self._drop([item])
        for item in self._items(e.must_not or ()):
            yield self._place(item)
        if e.one_of is not None:
            yield self._drop(self._items(e.one_of))
        for first, second in self._pairs():
            yield self._turn_round(first, second)
        for name, hours in (e.within or {}).items():
            for item in members(self.world, name):
                yield self._drop([item])
                yield self._put_off(item, hours)

    def _pairs(self) -> list[tuple[int, int]]:
        first, second = self.expectation.before or ((), ())
        return [(a, b) for a in self._items([first] if first else ()) for b in self._items([second] if second else ())]

    # ------------------------------------------------------------ what to alter

    def _drop(self, items: list[int]) -> Way:
        barred = frozenset(items)

        def after(agent: Agent, *, moment: Moment) -> Agent:
            return self._after(moment, Without(agent, barred), barred)

        def possible(patient: Reach) -> bool:
            limited = patient.within_limits(without=barred)
            return self._may_count(limited) and limited.may_decide()

        return self._way(
            f"left out: {self._say(items)}",
            [
                lambda agent: Without(agent, barred),
                *(partial(after, moment=moment) for moment in self._moments if moment),
            ],
            possible,
            "no decision is legal without it" if not self.expectation.when else "its condition cannot hold without it",
            self._part(must=self._names(items)) if self.expectation.one_of is None else None,
        )

    def _place(self, item: int) -> Way:
        """The item ordered, and if possible nothing else that is forbidden with it."""
        others = frozenset(self._items(self.expectation.must_not or ())) - {item}
        return self._way(
            f"ordered: {self._say([item])}",
            [*self._placing(item, others), *(self._placing(item, NOBODY) if others else [])],
            lambda patient: self._may_place(patient, item, NOBODY),
            "the rules never allow it for this patient" + self._once,
            self._part(must_not=self._names([item])),
        )

    def _turn_round(self, first: int, second: int) -> Way:
        barred = frozenset({first})
        return self._way(
            f"ordered before {self._say([first])}: {self._say([second])}",
            self._placing(second, barred),
            lambda patient: self._may_place(patient, second, barred),
            "the rules never allow the second before the first" + self._once,
            self._part(before=self._names([first, second])),
        )

    def _placing(self, item: int, barred: frozenset[int]) -> list[Alter]:
        """Agents that place an order as soon as it counts: where it is legal by itself, by what it requires, or by any way."""
        alone, path = [order_of(self.world, item)], path_to(self.world, [item])
        anyhow = [*path, *anything(self.world, -self.world.turnaround_h)]

        def place(agent: Agent, *, moment: Moment, held: Where, orders: list[int]) -> Agent:
            wanted = both(held, not_ordered(item), in_visit(self.expectation.at))
            steps = [each for each in orders if not barred & set(self.world.actions[each].items)]
            kept = Without(agent, barred, not_ordered(item))
            if not moment:
                return Towards(kept, steps, wanted)
            kept = Without(kept, frozenset({item}), opposite(held))
            return self._after(moment, Towards(kept, steps, wanted), barred | {item}, held)

        return [
            partial(place, moment=moment, held=held, orders=orders)
            for orders in (alone, path, anyhow)
            for moment in self._moments
            for held in ((self._held, self._told(moment)) if moment else (always,))
        ]

    def _put_off(self, item: int, hours: float) -> Way:
        early = before_hours(hours)
        slowest = [o for o in anything(self.world, self.world.turnaround_h) if o != order_of(self.world, item)]

        def put_off(agent: Agent) -> Agent:
            late = Towards(agent, path_to(self.world, [item]), both(opposite(early), not_ordered(item)))
            return Towards(Without(late, frozenset({item}), early), slowest, early)

        def possible(patient: Reach) -> bool:
            others = patient.within_limits(without={item}).orders
            longest = sum(float(self.world.turnaround_h[i]) * int(self.world.attempts[i]) for i in others)
            return self._may_count(patient) and item in patient.orders and longest > hours

        change = f"put off beyond {time_in_words(hours)}: {self._say([item])}"
        reason, name = "nothing else that the rules allow takes that long", self.world.items[item]
        part, still = self._part(within={name: hours}), Expectation(must=(name,))
        return self._way(change, [put_off], possible, reason, part, still)

    def _after(self, moment: Moment, agent: Agent, barred: frozenset[int], held: Where | None = None) -> Agent:
        """First what makes a moment come, leaving alone what it wants not to have been asked."""
        clauses = self._clauses(moment)
        sought = [source for each in clauses if not _is_absence(each) for source in self._sources(each)]
        untouched = frozenset(source for each in clauses if _is_absence(each) for source in self._sources(each)) - {
            -1,
            -2,
        }
        steps = path_to(self.world, [source for source in sought if source >= 0])
        allowed = [each for each in steps if not set(self.world.actions[each].items) & (barred | untouched)]
        early = opposite(held or self._held)
        return Towards(Without(agent, untouched, early), allowed, early)

    # ------------------------------------------------------------ what the rules allow

    def _may_count(self, patient: Reach) -> bool:
        return any(patient.may_hold(self._clauses(moment)) for moment in self._moments)

    def _may_place(self, patient: Reach, item: int, barred: frozenset[int]) -> bool:
        """Whether the item may be ordered from the moment on, in the first visit if that is named, and nothing barred."""
        world = self.world
        slow = world.turnaround_h >= world.new_visit_after_h if self.expectation.at == 1 else np.zeros(len(world.items))
        limited = patient.within_limits(without=barred, mute=np.flatnonzero(slow).tolist())
        return any(
            limited.may_hold(self._clauses(moment)) and item in limited.within_limits(given=self._given(moment)).orders
            for moment in self._moments
        )

    def _given(self, moment: Moment) -> dict[int, frozenset[int]]:
        """What a moment says has been revealed."""
        told = [
            each for each in self._clauses(moment) if isinstance(each, Clause) and not each.is_item and not each.unknown
        ]
        return {each.target: frozenset(np.flatnonzero(each.allowed).tolist()) for each in told}

    # ------------------------------------------------------------ the moment

    @cached_property
    def _moments(self) -> tuple[Moment, ...]:
        when = self.expectation.when
        return ({},) if not when else (when,) if isinstance(when, Mapping) else tuple(when)

    @cached_property
    def _held(self) -> Where:
        condition = compile_when(self.expectation.when or {}, self._words)
        return lambda view: condition.holds(view.values, view.status)

    def _told(self, moment: Moment) -> Where:
        """Where all that a moment wants known is known."""
        known = Condition((tuple(each for each in self._clauses(moment) if not _is_absence(each)),))
        return lambda view: known.holds(view.values, view.status)

    @cached_property
    def _compiled(self) -> list[tuple[Clause | ScoreClause, ...]]:
        return [compile_when(dict(moment), self._words).alternatives[0] for moment in self._moments]

    def _clauses(self, moment: Moment) -> tuple[Clause | ScoreClause, ...]:
        return self._compiled[self._moments.index(moment)]

    @cached_property
    def _words(self) -> Any:
        return vocabulary(self.world)

    def _sources(self, clause: Clause | ScoreClause) -> list[int]:
        """Items by which a clause may come to hold."""
        of = self.world.model.item_of
        if isinstance(clause, ScoreClause):
            return [int(of[column]) for part in clause.columns for column in part]
        return [clause.target if clause.is_item else int(of[clause.target])]

    # ------------------------------------------------------------ words

    def _way(
        self,
        change: str,
        altered: Sequence[Alter],
        possible: Callable[[Reach], bool],
        reason: str,
        part: Expectation | None,
        still: Expectation | None = None,
    ) -> Way:
        return Way(self.index, change, tuple(altered), possible, reason, part, still)

    def _part(self, **kind: Any) -> Expectation:
        """An expectation of one kind, with this one's `when` and `at`."""
        return Expectation.model_construct(when=self.expectation.when, at=self.expectation.at, **kind)

    def _names(self, items: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.world.items[i] for i in items)

    @property
    def _once(self) -> str:
        at = self.expectation.at
        return (" once its condition holds" if self.expectation.when else "") + (f", at visit {at}" if at else "")

    def _items(self, names: Iterable[str]) -> list[int]:
        return list(dict.fromkeys(item for name in names for item in members(self.world, name)))

    def _say(self, items: Iterable[int]) -> str:
        return Phrases(self.world.scenario).labels_of(self.world.items[i] for i in items)


def _is_absence(clause: Clause | ScoreClause) -> bool:
    """Whether a clause wants something not to have been asked."""
    if isinstance(clause, ScoreClause):
        return not clause.totals.spans
    if clause.is_item:
        return bool(clause.allowed[NOT_ORDERED]) and not clause.allowed[RESULT]
    return clause.unknown and not clause.allowed.any()

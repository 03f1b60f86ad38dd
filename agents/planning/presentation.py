"""From an information state of a world to a planning problem: what is left to do, to learn, to pay and to decide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.actions import Actions, actions, digits_left
from workup.agents.planning.clairvoyant import Clairvoyant, clairvoyant
from workup.agents.planning.digits import Digits, locate
from workup.agents.planning.outcome_tables import OutcomeTables, Profiles
from workup.agents.planning.problem import F64, Problem
from workup.agents.planning.remaining import DECIDING, Left, Modes, modes, of_decision, remaining, requirements
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import possible_weights
from workup.envs.model.world import World
from workup.errors import PlanningRefused

MAX_CODE = 2**62


@dataclass(frozen=True, eq=False)
class State:
    """One journey as revealed: a row of a `JourneyView`."""

    values: NDArray[np.int16]
    status: NDArray[np.uint8]
    failures: NDArray[np.uint8]
    treated: NDArray[np.bool_]
    progression_h: F64

    @classmethod
    def of(cls, view: JourneyView, row: int) -> State:
        """Row `row` of a view."""
        return cls(
            view.values[row], view.status[row], view.failures[row], view.treated[row], view.progression_h[row]
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Presented:
    """A problem and how to find one's way in it."""

    world: World
    problem: Problem
    items: tuple[int, ...]
    """World items, in the order of the problem's."""
    digits: tuple[Digits, ...]

    def where(self, state: State) -> tuple[int, ...] | None:
        """Digits of a later state of the same journey, or None if it is not one."""
        found = []
        for item, digits in zip(self.items, self.digits, strict=True):
            treated = any(bool(state.treated[o]) for o in digits.observables)
            digit = locate(digits, int(state.status[item]), int(state.failures[item]), treated, state.values)
            if digit is None:
                return None
            found.append(digit)
        return tuple(found)


class Presenter:
    """Builds problems for one world; tables and templates are kept, since presentations share them."""

    def __init__(self, world: World, *, merge: bool = True) -> None:
        self.world, self.merge = world, merge
        self.tables = OutcomeTables(world)
        self.rules = requirements(world)
        self._template = lru_cache(maxsize=4096)(self._new_template)
        self._check_world()

    def present(self, state: State) -> Presented:
        """The problem from this state on, weights normalised to 1.

        Raises:
            PlanningRefused: something the planners cannot treat exactly, with the reason and the size.
        """
        if (state.status == 1).any():
            raise PlanningRefused("a result is pending; the planners treat results that come at once")
        weights = next(self._possible(state))[1]
        template = self._template(*self._known(state))
        return template.weigh(weights, state.progression_h)

    def states(self, state: State) -> float:
        """Information states from a state on, counted without the rest of the problem.

        Raises:
            PlanningRefused: some of what `present` refuses.
        """
        left = self._left(*self._known(state))
        of_past = modes(left)
        return math.prod(float(len(digits_left(left, of_past, item, self.merge).status)) for item in left.items)

    def _possible(self, state: State) -> Iterator[tuple[Profiles, F64]]:
        return possible_weights(
            self.world.model, state.values[None], state.status[None], state.failures[None], state.treated[None]
        )

    def _known(self, state: State) -> tuple[Profiles, tuple[int, ...], bytes, bytes]:
        """What of a state a template depends on."""
        known = tuple(int(v) for v in np.where(self._matters, np.maximum(state.values, -1), -1))
        return next(self._possible(state))[0], known, state.status.tobytes(), state.failures.tobytes()

    @property
    def _matters(self) -> NDArray[np.bool_]:
        """(O,) observables whose value decides what is legal or what it costs."""
        matters = np.zeros(len(self.world.model.observables), bool)
        for groups in self.rules.values():
            for group in groups:
                matters[[c.observable for c in group if c.observable >= 0]] = True
        matters[self.world.contraindication[:, 1]] = True
        return matters

    def _check_world(self) -> None:
        world = self.world
        instant = [
            world.items[i] for i in range(len(world.items)) if world.set_up[i] >= 0 and world.turnaround_h[i] == 0.0
        ]
        if instant:
            raise PlanningRefused(
                f"{', '.join(instant)} share a set-up and give results at once, so what later orders cost depends on the "
                "moment; give them a turnaround, or no set-up"
            )
        most = int(world.attempts.sum()) + 1
        if most > world.max_steps:
            raise PlanningRefused(
                f"a journey may take {most} steps and is cut at max_steps = {world.max_steps}; raise max_steps to {most}"
            )

    def _new_template(self, profiles: Profiles, known: tuple[int, ...], status: bytes, failures: bytes) -> Template:
        left = self._left(profiles, known, status, failures)
        of_past = modes(left)
        return assemble(left, of_past, actions(left, of_past, merge=self.merge), merge=self.merge)

    def _left(self, profiles: Profiles, known: tuple[int, ...], status: bytes, failures: bytes) -> Left:
        return remaining(
            self.tables,
            self.rules,
            profiles=profiles,
            known={o: v for o, v in enumerate(known) if v >= 0},
            status=np.frombuffer(status, np.uint8),
            failures=np.frombuffer(failures, np.uint8),
        )


@dataclass(frozen=True, eq=False)
class Template:
    """Everything of a problem but the weights, by hidden state; states that nothing tells apart are one class.

    Symbols as in `problem`, with S0 = profiles * hidden states.
    """

    left: Left
    actions: Actions
    stop_now: F64
    """(X, D, S0) weighted utility of each decision, once progressed."""
    stop_unprogressed: F64
    """(X, D, S0) what not having progressed adds."""
    rate: F64
    """(S0,) of progression an hour, no act done."""
    rates: F64
    """(X, S0) the same in each mode."""
    condition: NDArray[np.int32]
    """(S0,)"""
    column: F64
    """(G, S0)"""
    hours: F64
    """(T,)"""
    clocked: bool
    first: NDArray[np.int64]
    """(classes,) a state of each."""
    classes: NDArray[np.int64]
    """(S0,)"""
    parts: dict[str, NDArray[np.generic]]
    """The arrays of `Problem` that do not depend on the weights."""

    def weigh(self, weights: F64, progression_h: F64) -> Presented:
        """The problem for a belief over (profile, hidden state), normalised to 1.

        Raises:
            PlanningRefused: no decision can ever become legal.
        """
        weights = weights / weights.sum()
        total = np.bincount(self.classes, weights, minlength=len(self.first))
        kept = np.flatnonzero(total > 0.0)
        # Sums run in this order: another would move, a little, the bounds of unfinished searches that are kept on disk.
        kept = kept[np.argsort(self._apart_from_condition(self.first[kept]), kind="stable")]
        at, all_cost = self.first[kept], self.actions.cost
        moving = np.flatnonzero(self.rate[at] > 0)
        stayed = np.exp(-self.rate[at[moving]] * progression_h[self.condition[at[moving]]])
        wide = np.concatenate([at, at[moving]])
        base = moving.astype(np.int32)
        n = len(at)
        stop = np.concatenate([self.stop_now[:, :, at], self.stop_unprogressed[:, :, at[moving]]], axis=2)
        cost = np.concatenate([all_cost[:, :, at], np.zeros((*all_cost.shape[:2], len(moving)))], axis=2)
        decay = np.ones((len(self.hours), len(self.rates), len(wide)))
        decay[:, :, n:] = np.exp(-self.hours[:, None, None] * self.rates[None][:, :, at[moving]])
        stop = np.ascontiguousarray(stop)
        if not self.left.can_decide:
            raise PlanningRefused("no history can be taken, so no decision is ever legal")
        problem = Problem(
            weights=np.concatenate([total[kept], total[kept][moving] * stayed]),
            base=base, stop=stop, worst=_worst(stop, base, cost), free=self._free(stop, base, cost),
            column=np.ascontiguousarray(self.column[:, wide]), cost=np.ascontiguousarray(cost), hours=self.hours,
            decay=np.ascontiguousarray(decay), root_mode=0, clocked=self.clocked, **cast(dict[str, Any], self.parts),
        )  # fmt: skip
        return Presented(self.left.world, problem, self.left.items, self.actions.digits)

    def _free(self, stop: F64, base: NDArray[np.int32], cost: F64) -> Clairvoyant:
        names = ("member", "first_digit", "radix", "digit_mode", "child_count")
        return clairvoyant(stop, base, cost, **cast(dict[str, Any], {name: self.parts[name] for name in names}))

    def _apart_from_condition(self, states: NDArray[np.int64]) -> NDArray[np.int64]:
        """What of a state is not the principal condition: profile, comorbidities, latent findings, preferences."""
        model = self.left.world.model
        n_hidden = model.prior.shape[1]
        rest = n_hidden // len(model.conditions)
        return states // n_hidden * rest + states % rest


def assemble(left: Left, modes: Modes, actions: Actions, *, merge: bool) -> Template:
    """Put a problem together; `merge`: states that nothing tells apart are one.

    Raises:
        PlanningRefused: too many information states, or time that cannot be told.
    """
    world, tables = left.world, left.tables
    S0 = len(left.profiles) * world.model.prior.shape[1]
    turnarounds = sorted({0.0, *(float(world.turnaround_h[i]) for i in left.items)})
    clocked = bool((world.progression_rate_per_h * (world.progresses_to >= 0) > 0).any()) and len(turnarounds) > 1
    stops = [tables.progressing_stop(left.profiles, modes.acts_done(m)) for m in range(len(modes))]
    stop_now, stop_unprogressed, rates = (np.array(each) for each in zip(*stops, strict=True))
    rate = tables.rate(left.profiles)
    column = np.array([c for d in actions.digits for c in d.column]).reshape(-1, S0)
    first = classes = np.arange(S0)
    if merge:
        by_state = (column, actions.cost, stop_now, stop_unprogressed, rate, rates)
        features = np.concatenate([each.reshape(-1, S0) for each in by_state])
        _, first, classes = np.unique(features, axis=1, return_index=True, return_inverse=True)
    return Template(
        left=left, actions=actions, stop_now=stop_now, stop_unprogressed=stop_unprogressed, rate=rate, rates=rates,
        condition=tables.condition(left.profiles), column=column, hours=np.array(turnarounds), clocked=clocked, first=first,
        classes=np.asarray(classes).ravel(),
        parts=_discrete_parts(modes, actions, np.array(turnarounds), clocked),
    )  # fmt: skip


def _discrete_parts(modes: Modes, actions: Actions, durations: F64, clocked: bool) -> dict[str, NDArray[np.generic]]:
    left, digits, X = modes.left, actions.digits, len(modes)
    radix = np.array([len(d.status) for d in digits], np.int64)
    _refuse_too_many(left, radix)
    place = np.concatenate([[1], np.cumprod(radix)[:-1]]).astype(np.int64) if len(radix) else radix
    first = np.concatenate([[0], np.cumsum(radix)[:-1]]).astype(np.int32) if len(radix) else radix.astype(np.int32)
    G = int(radix.sum())
    start, count = np.zeros((G, X), np.int32), np.zeros((G, X), np.int32)
    bits, hours, signature = np.zeros(G, np.int32), np.zeros(G, np.int32), np.zeros(G, np.int64)
    kinds = []
    for p, d in enumerate(digits):
        seen: dict[object, int] = {}
        for j in range(len(d.status)):
            g = first[p] + j
            for mode in range(X):
                start[g, mode], count[g, mode] = d.children[j][modes.variant(d.item, mode)]
            bits[g] = d.bits[j]
            if d.takes_time[j]:
                hours[g] = int(np.searchsorted(durations, left.world.turnaround_h[d.item]))
            key = (j == 0, d.truths[j], d.bits[j], tuple(d.children[j]))
            signature[g] = seen.setdefault(key, len(seen))
        kinds.append(len(seen))
    if clocked:
        _refuse_mixed_time(left)
    return {
        "radix": radix, "place": place, "first_digit": first, "child_start": start, "child_count": count,
        "digit_mode": bits, "digit_hours": hours, "signature": signature,
        "signature_place": np.concatenate([[1], np.cumprod(kinds)[:-1]]).astype(np.int64) if kinds else radix,
        **_clauses(left, digits), **actions.members(),
    }  # fmt: skip


def _refuse_too_many(left: Left, radix: NDArray[np.int64]) -> None:
    states = float(np.prod(radix.astype(float)))
    if states > MAX_CODE:
        by_item = ", ".join(f"{left.world.items[i]} {r}" for i, r in zip(left.items, radix, strict=True))
        raise PlanningRefused(
            f"{states:.1e} information states do not fit a 64-bit code; digits by item: {by_item}"
        )  # fmt: skip


def _refuse_mixed_time(left: Left) -> None:
    model = left.world.model
    for item in left.items:
        charged = {bool(model.event_charged[e]) for e in model.item_failures[item] if e >= 0}
        if len(charged) > 1:
            raise PlanningRefused(
                f"{left.world.items[item]} may fail with or without taking its time, and a condition progresses: how much time "
                "a failure took cannot be told from its status"
            )


def _clauses(left: Left, digits: tuple[Digits, ...]) -> dict[str, NDArray[np.generic]]:
    groups_at, clauses_at = [0], [0]
    item_at: list[int] = []
    offset: list[int] = []
    allows: list[bool] = []
    position = {item: p for p, item in enumerate(left.items)}
    watching = {item: left.watching(item) for item in left.items}
    for owner in (*left.items, DECIDING, *map(of_decision, range(len(left.world.decisions)))):
        for group in left.groups[owner]:
            for clause in group:
                p = position[clause.item]
                which = next(j for j, c in enumerate(watching[clause.item]) if c is clause)
                item_at.append(p)
                offset.append(len(allows))
                allows.extend(t[which] for t in digits[p].truths)
            clauses_at.append(len(item_at))
        groups_at.append(len(clauses_at) - 1)
    return {
        "group_start": np.array(groups_at, np.int32),
        "clause_start": np.array(clauses_at, np.int32),
        "clause_item": np.array(item_at, np.int32),
        "clause_offset": np.array(offset, np.int32),
        "clause_allows": np.array(allows, np.bool_),
    }


def _worst(stop: F64, base: NDArray[np.int32], cost: F64) -> F64:
    """(S,) less than any journey scores, however it ends: every order paid, the lowest decision, and a pound less.

    Strictly less, so that a search never takes it for what a plan attains.
    """
    stop = stop.reshape(-1, stop.shape[-1])
    S0 = stop.shape[1] - len(base)
    worst = np.concatenate([stop[:, :S0].min(axis=0), np.zeros(len(base))])
    if len(base):
        # As in the clairvoyant bound: the unprogressed part may be worth more or less; take the less.
        worst[S0:] = np.minimum(0.0, (stop[:, base] + stop[:, S0:]).min(axis=0) - worst[base])
    worst[:S0] -= 1.0
    if len(cost):
        worst -= np.maximum(0.0, cost.max(axis=1)).sum(axis=0)
    return worst

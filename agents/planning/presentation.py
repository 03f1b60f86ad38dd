"""From an information state of a world to a planning problem: what is left to do, to learn, to pay and to decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.digits import Bits, Digits, Facts, Truths, digits_of_item, locate
from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, benefit_moves
from workup.agents.planning.problem import F64, Problem, free_value
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import possible_weights
from workup.envs.model.codes import FAILED, NOT_ORDERED, RESULT
from workup.envs.model.world import World
from workup.errors import PlanningRefused

MAX_MODE_BITS = 4
MAX_SET_MEMBERS = 9
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


@dataclass(frozen=True)
class _Clause:
    """One alternative of a requirement: `observable` revealed with an allowed value, or `item` at a status."""

    item: int
    observable: int
    allowed: tuple[bool, ...]
    unless: bool = False
    """True: holds unless the value is known and *not* allowed (contraindications, refusals)."""

    def holds(self, status: int, facts: Facts) -> bool:
        if self.observable < 0:
            return self.allowed[status]
        if self.observable not in facts:
            return self.unless
        return self.allowed[facts[self.observable]]


Groups = list[list[_Clause]]


class Presenter:
    """Builds problems for one world; tables and layouts are kept, since presentations share them."""

    def __init__(self, world: World, *, merge: bool = True) -> None:
        self.world, self.merge = world, merge
        self.tables = OutcomeTables(world)
        self.rules = _requirements(world)
        self._layout = lru_cache(maxsize=4096)(self._new_layout)
        self._check_world()

    def present(self, state: State) -> Presented:
        """The problem from this state on, weights normalised to 1.

        Raises:
            PlanningRefused: something the planners cannot treat exactly, with the reason and the size.
        """
        model = self.world.model
        profiles, weights = next(
            possible_weights(model, state.values[None], state.status[None], state.failures[None], state.treated[None])
        )
        if (state.status == 1).any():
            raise PlanningRefused("a result is pending; the planners treat results that come at once")
        known = tuple(int(v) for v in np.where(self._matters, np.maximum(state.values, -1), -1))
        layout = self._layout(
            profiles, known, state.status.tobytes(), state.failures.tobytes(), state.treated.tobytes()
        )  # fmt: skip
        return layout.weigh(weights, state.progression_h)

    @property
    def _matters(self) -> NDArray[np.bool_]:
        """(O,) observables whose value decides what is legal or what it costs."""
        matters = np.zeros(len(self.world.model.observables), bool)
        for groups in self.rules:
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

    def _new_layout(
        self, profiles: Profiles, known: tuple[int, ...], status: bytes, failures: bytes, treated: bytes
    ) -> _Layout:
        return _Layout(
            self,
            profiles,
            {o: v for o, v in enumerate(known) if v >= 0},
            np.frombuffer(status, np.uint8),
            np.frombuffer(failures, np.uint8),
            np.frombuffer(treated, np.bool_),
        )


def _requirements(world: World) -> list[Groups]:
    """For every item, then for deciding: groups of alternatives, all of which must hold."""
    rules: list[Groups] = [[] for _ in range(len(world.items) + 1)]
    item_of = world.model.item_of
    at: dict[tuple[int, int], list[_Clause]] = {}
    for (item, group, kind, target), allowed in zip(world.clauses.tolist(), world.clause_values, strict=True):
        clauses = at.setdefault((item, group), [])
        if not clauses:
            rules[item].append(clauses)
        observable = target if kind == 0 else -1
        clauses.append(_Clause(int(item_of[target]) if kind == 0 else target, observable, tuple(allowed.tolist())))
    for rows, values in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), bad in zip(rows.tolist(), values, strict=True):
            rules[item].append([_Clause(int(item_of[o]), o, tuple((~bad).tolist()), unless=True)])
    opened = tuple(s == RESULT for s in range(5))
    for kind in (1, 2):
        doors = [_Clause(i, -1, opened) for i in np.flatnonzero(world.opens_journey == kind).tolist()]
        for item in np.flatnonzero(world.opens_journey == 0).tolist():
            rules[item].append(doors)
        if kind == 1:
            rules[-1].append(doors)
    return rules


class _Layout:
    """Everything of a problem but the weights."""

    def __init__(
        self,
        presenter: Presenter,
        profiles: Profiles,
        known: Facts,
        status: NDArray[np.uint8],
        failures: NDArray[np.uint8],
        treated: NDArray[np.bool_],
    ) -> None:
        self.world, self.tables, self.profiles = presenter.world, presenter.tables, profiles
        self.known, self.status, self.failures, self.treated = known, status, failures, treated
        self.groups: dict[int, Groups] = {}
        self.items = self._remaining(presenter.rules)
        self.bits = self._mode_bits()
        self.modes = 1 << len(self.bits)
        self.digits = [self._digits(item, presenter.merge) for item in self.items]
        self._actions()
        self._costs()
        self._assemble(presenter.merge)

    # -- what is left to do -------------------------------------------------------------------------------

    def _remaining(self, rules: list[Groups]) -> list[int]:
        world = self.world
        left = [
            i
            for i in range(len(world.items))
            if self.status[i] == NOT_ORDERED or (self.status[i] == FAILED and self.failures[i] < world.attempts[i])
        ]
        while True:
            kept = []
            for item in left:
                groups = self._open_groups(rules[item], left)
                if groups is not None:
                    self.groups[item] = groups
                    kept.append(item)
            if kept == left:
                break
            left = kept
        groups = self._open_groups(rules[-1], left)
        self.can_decide = groups is not None
        self.groups[-1] = groups or []
        return left

    def _open_groups(self, groups: Groups, left: list[int]) -> Groups | None:
        """The groups that are not settled yet, or None if one can never hold."""
        still: Groups = []
        for group in groups:
            clauses = [c for c in group if c.item in left]
            settled = [c for c in group if c.item not in left]
            if any(c.holds(int(self.status[c.item]) if c.item >= 0 else RESULT, self.known) for c in settled):
                continue
            if not clauses:
                return None
            still.append(clauses)
        return still

    # -- what the past may change about the future -----------------------------------------------------------

    def _mode_bits(self) -> list[tuple[str, int]]:
        """('act', item) done, or ('known', observable) revealed: what changes costs, times or findings to come."""
        world, model = self.world, self.world.model
        bits: list[tuple[str, int]] = []
        for item in self.items:
            changes = (world.waiting_factor[item] != 1.0).any() or (
                (world.progression_factor[item] != 1.0).any() and (world.progression_rate_per_h > 0).any()
            )
            treats = any(
                int(model.treatment[o]) == item for j in self.items for o in world.reveals[j] if o >= 0 and j != item
            )
            if changes or treats or self._benefit_moves(item):
                bits.append(("act", item))
        for item, o in world.contraindication.tolist():
            plain = model.role[o] != "leaf" and model.withheld[o] < 0 and model.corrupted[o] < 0
            open_ = o not in self.known and int(model.item_of[o]) in self.items
            if item in self.items and open_ and not plain and ("known", o) not in bits:
                bits.append(("known", o))
        if len(bits) > MAX_MODE_BITS:
            names = ", ".join(world.items[i] if kind == "act" else model.observables[i] for kind, i in bits)
            raise PlanningRefused(
                f"{len(bits)} acts and facts change what later orders cost or show ({names}); at most {MAX_MODE_BITS} are treated"
            )
        return bits

    def _acts_done(self, mode: int) -> tuple[int, ...]:
        world = self.world
        done = [i for i in range(world.n_investigations, len(world.items)) if self.status[i] == RESULT]
        return tuple(sorted({*done, *(i for b, (kind, i) in enumerate(self.bits) if kind == "act" and mode >> b & 1)}))

    def _digits(self, item: int, merge: bool) -> Digits:
        world, model = self.world, self.world.model
        watching = [c for groups in self.groups.values() for group in groups for c in group if c.item == item]
        acts = {int(model.treatment[o]) for o in world.reveals[item] if o >= 0} - {-1}
        if len(acts) > 1:
            raise PlanningRefused(
                f"the findings of {world.items[item]} depend on {len(acts)} acts; the planners treat one"
            )
        variants: tuple[bool, ...] = (False,)
        if acts:
            act = acts.pop()
            self_open = ("act", act) in self.bits
            variants = (False, True) if self_open else (bool(self.status[act] == RESULT),)

        def truths(status: int, facts: Facts) -> tuple[bool, ...]:
            return tuple(c.holds(status, facts) for c in watching)

        def bits(status: int, facts: Facts, _: int) -> int:
            set_ = 0
            for b, (kind, i) in enumerate(self.bits):
                if (kind == "act" and i == item and status == RESULT) or (kind == "known" and i in facts):
                    set_ |= 1 << b
            return set_

        made: tuple[Truths, Bits] = (truths, bits)
        return digits_of_item(
            self.tables,
            item,
            self.profiles,
            status=int(self.status[item]),
            failures=int(self.failures[item]),
            variants=variants,
            truths=made[0],
            bits=made[1],
            merge=merge,
        )

    def _variant(self, position: int, mode: int) -> int:
        """Which children an order has in a mode: those of the treated law or not."""
        item = self.items[position]
        acts = {int(self.world.model.treatment[o]) for o in self.world.reveals[item] if o >= 0} - {-1}
        if not acts or ("act", next(iter(acts))) not in self.bits:
            return 0
        return mode >> self.bits.index(("act", next(iter(acts)))) & 1

    # -- actions and what they cost ----------------------------------------------------------------------------

    def _actions(self) -> None:
        self.members: list[list[tuple[int, int]]] = []
        self.others: list[list[int]] = []
        self.action: list[int] = []
        position = {item: p for p, item in enumerate(self.items)}
        for a, action in enumerate(self.world.actions):
            if action.kind in ("order", "act"):
                p = position.get(action.items[0])
                for digit in self.digits[p].orderable() if p is not None else ():
                    self._add(a, [(p, digit)] if p is not None else [], [])
            elif action.kind == "set":
                fresh = [i for i in action.items if self.status[i] == NOT_ORDERED]
                self._refuse_act_in_set(action.name, fresh)
                if any(i not in position for i in fresh):
                    continue  # a member that can never be ordered
                if len(fresh) > MAX_SET_MEMBERS:
                    raise PlanningRefused(
                        f"{action.name} has {len(fresh)} members; the planners treat {MAX_SET_MEMBERS}"
                    )
                for size in range(2, len(fresh) + 1):
                    for chosen in combinations(fresh, size):
                        rest = [position[i] for i in fresh if i not in chosen]
                        self._add(a, [(position[i], 0) for i in chosen], rest)

    def _refuse_act_in_set(self, name: str, items: list[int]) -> None:
        for item in items:
            if ("act", item) in self.bits and self._benefit_moves(item):
                raise PlanningRefused(
                    f"{name} contains {self.world.items[item]}, whose benefit progression changes; order it by itself"
                )

    def _benefit_moves(self, item: int) -> bool:
        """Whether progression changes what an act is worth, so that it cannot be credited when the act is done."""
        return benefit_moves(self.world, item)

    def _add(self, action: int, members: list[tuple[int, int]], others: list[int]) -> None:
        self.action.append(action)
        self.members.append(members)
        self.others.append(others)

    def _costs(self) -> None:
        world, tables = self.world, self.tables
        S = len(self.profiles) * world.model.prior.shape[1]
        self.cost = np.zeros((len(self.action), self.modes, S))
        for a, members in enumerate(self.members):
            orders = tuple((self.items[p], self.digits[p].failures[d]) for p, d in members)
            for mode in range(self.modes):
                feared = tuple(self._feared(i, mode) for i, _ in orders)
                self.cost[a, mode] = tables.charges(orders, self.profiles, feared, self._acts_done(mode))

    def _feared(self, item: int, mode: int) -> tuple[int, ...]:
        """Contraindications whose variable is not known."""
        feared = []
        for x, (i, o) in enumerate(self.world.contraindication.tolist()):
            known = o in self.known or (("known", o) in self.bits and mode >> self.bits.index(("known", o)) & 1)
            if i == item and not known:
                feared.append(x)
        return tuple(feared)

    # -- arrays -------------------------------------------------------------------------------------------------

    def _assemble(self, merge: bool) -> None:
        world, model = self.world, self.world.model
        S0 = len(self.profiles) * model.prior.shape[1]
        turnarounds = sorted({0.0, *(float(world.turnaround_h[i]) for i in self.items)})
        self.clocked = (
            bool((world.progression_rate_per_h * (world.progresses_to >= 0) > 0).any()) and len(turnarounds) > 1
        )
        stops = [self.tables.progressing_stop(self.profiles, self._acts_done(m)) for m in range(self.modes)]
        self.stop_now = np.array([now for now, _, _ in stops])
        self.stop_unprogressed = np.array([difference for _, difference, _ in stops])
        self.rate, self.condition = self.tables.rate(self.profiles), self.tables.condition(self.profiles)
        self.rates = np.array([rate for _, _, rate in stops])
        self.moving = self.rate > 0
        self.column = np.array([c for d in self.digits for c in d.column]).reshape(-1, S0)
        features = np.concatenate([
            self.column, self.cost.reshape(-1, S0), self.stop_now.reshape(-1, S0),
            self.stop_unprogressed.reshape(-1, S0), self.rate[None],
        ])  # fmt: skip
        features = np.concatenate([features, self.rates])
        self.hours = np.array(turnarounds)
        if merge:
            _, first, classes = np.unique(features, axis=1, return_index=True, return_inverse=True)
            self.first, self.classes = first, np.asarray(classes).ravel()
        else:
            self.first = self.classes = np.arange(S0)
        self.parts = self._discrete_parts()

    def _discrete_parts(self) -> dict[str, NDArray[np.generic]]:
        digits, X = self.digits, self.modes
        radix = np.array([len(d.status) for d in digits], np.int64)
        if np.prod(radix.astype(float)) > MAX_CODE:
            raise PlanningRefused(
                f"{np.prod(radix.astype(float)):.1e} information states do not fit a 64-bit code; "
                f"digits by item: {', '.join(f'{self.world.items[i]} {r}' for i, r in zip(self.items, radix, strict=True))}"
            )
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
                    start[g, mode], count[g, mode] = d.children[j][self._variant(p, mode)]
                bits[g] = d.bits[j]
                if d.takes_time[j]:
                    hours[g] = int(np.searchsorted(self.hours, self.world.turnaround_h[d.item]))
                key = (j == 0, d.truths[j], d.bits[j], tuple(d.children[j]))
                signature[g] = seen.setdefault(key, len(seen))
            kinds.append(len(seen))
        if self.clocked:
            self._refuse_mixed_time()
        return {
            "radix": radix, "place": place, "first_digit": first, "child_start": start, "child_count": count,
            "digit_mode": bits, "digit_hours": hours, "signature": signature,
            "signature_place": np.concatenate([[1], np.cumprod(kinds)[:-1]]).astype(np.int64) if kinds else radix,
            **self._clauses(radix), **self._members(),
        }  # fmt: skip

    def _refuse_mixed_time(self) -> None:
        model = self.world.model
        for item in self.items:
            charged = {bool(model.event_charged[e]) for e in model.item_failures[item] if e >= 0}
            if len(charged) > 1:
                raise PlanningRefused(
                    f"{self.world.items[item]} may fail with or without taking its time, and a condition progresses: how much time "
                    "a failure took cannot be told from its status"
                )

    def _clauses(self, radix: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
        groups_at, clauses_at = [0], [0]
        item_at: list[int] = []
        offset: list[int] = []
        allows: list[bool] = []
        position = {item: p for p, item in enumerate(self.items)}
        watching = {i: [c for gs in self.groups.values() for g in gs for c in g if c.item == i] for i in self.items}
        for owner in (*self.items, -1):
            for group in self.groups[owner]:
                for clause in group:
                    p = position[clause.item]
                    which = next(j for j, c in enumerate(watching[clause.item]) if c is clause)
                    item_at.append(p)
                    offset.append(len(allows))
                    allows.extend(t[which] for t in self.digits[p].truths)
                clauses_at.append(len(item_at))
            groups_at.append(len(clauses_at) - 1)
        return {
            "group_start": np.array(groups_at, np.int32),
            "clause_start": np.array(clauses_at, np.int32),
            "clause_item": np.array(item_at, np.int32),
            "clause_offset": np.array(offset, np.int32),
            "clause_allows": np.array(allows, np.bool_),
        }

    def _members(self) -> dict[str, NDArray[np.generic]]:
        A = len(self.action)
        M = max([1, *(len(m) for m in self.members)])
        O = max([1, *(len(o) for o in self.others)])
        member, at, other = np.full((A, M), -1, np.int32), np.zeros((A, M), np.int32), np.full((A, O), -1, np.int32)
        for a, (members, others) in enumerate(zip(self.members, self.others, strict=True)):
            for m, (p, digit) in enumerate(members):
                member[a, m], at[a, m] = p, digit
            other[a, : len(others)] = others
        return {"member": member, "member_digit": at, "other": other, "action": np.array(self.action, np.int32)}

    def weigh(self, weights: F64, progression_h: F64) -> Presented:
        """The problem for a belief over (profile, hidden state), normalised to 1."""
        weights = weights / weights.sum()
        total = np.bincount(self.classes, weights, minlength=len(self.first))
        kept = np.flatnonzero(total > 0.0)
        # Sums run in this order: another would move, a little, the bounds of unfinished searches that are kept on disk.
        kept = kept[np.argsort(self._apart_from_condition(self.first[kept]), kind="stable")]
        at = self.first[kept]
        moving = np.flatnonzero(self.moving[at])
        stayed = np.exp(-self.rate[at[moving]] * progression_h[self.condition[at[moving]]])
        wide = np.concatenate([at, at[moving]])
        base = moving.astype(np.int32)
        n = len(at)
        stop = np.concatenate([self.stop_now[:, :, at], self.stop_unprogressed[:, :, at[moving]]], axis=2)
        cost = np.concatenate([self.cost[:, :, at], np.zeros((*self.cost.shape[:2], len(moving)))], axis=2)
        decay = np.ones((len(self.hours), self.modes, len(wide)))
        decay[:, :, n:] = np.exp(-self.hours[:, None, None] * self.rates[None][:, :, at[moving]])
        stop = np.ascontiguousarray(stop)
        if not self.can_decide:
            raise PlanningRefused("no history can be taken, so no decision is ever legal")
        problem = Problem(
            weights=np.concatenate([total[kept], total[kept][moving] * stayed]),
            base=base, stop=stop, worst=_worst(stop, base, cost), free=free_value(stop, base, cost),
            column=np.ascontiguousarray(self.column[:, wide]), cost=np.ascontiguousarray(cost), hours=self.hours,
            decay=np.ascontiguousarray(decay), root_mode=0, clocked=self.clocked, **cast(dict[str, Any], self.parts),
        )  # fmt: skip
        return Presented(self.world, problem, tuple(self.items), tuple(self.digits))

    def _apart_from_condition(self, states: NDArray[np.int64]) -> NDArray[np.int64]:
        """What of a state is not the principal condition: profile, comorbidities, latent findings, preferences."""
        H = self.world.model.prior.shape[1]
        rest = H // len(self.world.model.conditions)
        return states // H * rest + states % rest


def _worst(stop: F64, base: NDArray[np.int32], cost: F64) -> F64:
    """(S,) less than any journey scores, however it ends: every order paid, the lowest decision, and a pound less.

    Strictly less, so that a search never takes it for what a plan attains.
    """
    stop = stop.reshape(-1, stop.shape[-1])
    S0 = stop.shape[1] - len(base)
    worst = np.concatenate([stop[:, :S0].min(axis=0), np.zeros(len(base))])
    if len(base):
        # As in `free_value`: the unprogressed part may be worth more or less; take the less.
        worst[S0:] = np.minimum(0.0, (stop[:, base] + stop[:, S0:]).min(axis=0) - worst[base])
    worst[:S0] -= 1.0
    if len(cost):
        worst -= np.maximum(0.0, cost.max(axis=1)).sum(axis=0)
    return worst

"""One step ahead, journey by journey and order by order, as plainly as it can be written: the oracle of `OneStep`."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from support.plain_change import Keyring, Locked, change_of

from workup.agents.planning.locks import Locks
from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, charges, credited_at_the_end
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import possible_weights
from workup.envs.model.codes import NOT_ORDERED, PENDING, REFUSED, RESULT
from workup.envs.model.world import World

F64 = NDArray[np.float64]


def plain_values(ahead: PlainOneStep, view: JourneyView, rows: NDArray[np.intp]) -> F64:
    """(m, A) pounds against the best decision now, for the given rows; -inf where illegal."""
    model, actions = ahead.world.model, ahead.world.actions
    out = np.full((len(rows), len(actions)), -np.inf)
    beliefs = possible_weights(model, view.values[rows], view.status[rows], view.failures[rows], view.treated[rows])
    for values, row, (profiles, weights) in zip(out, rows.tolist(), beliefs, strict=True):
        decide = ahead.decisions(view, row, profiles, weights)
        for a in np.flatnonzero(view.mask[row]).tolist():
            if actions[a].kind == "decide":
                values[a] = decide[actions[a].decision] - decide.max()
            elif actions[a].kind != "wait":
                values[a] = ahead.change(view, row, a, profiles, weights)
    return out


class Order(NamedTuple):
    """An order in one journey, as far as its tables depend on that."""

    items: tuple[int, ...]
    """Of a set, those not ordered yet."""
    failures: tuple[int, ...]
    """How often each failed before."""
    feared: tuple[tuple[int, ...], ...]
    """For each, rows of `world.contraindication` whose variable is unknown."""
    acts: tuple[int, ...]
    """Acts done before."""


class Ordered(NamedTuple):
    """M items ordered together: S coordinates (profile, hidden state), C outcomes of the first item, then of the next."""

    cost: F64
    """(S,) cost, harm and waiting, less what the acts among them are worth, unless that is in `credit`."""
    likelihood: F64
    """(C, S)"""
    counts: NDArray[np.int64]
    """(M,) outcomes of each item."""
    hours: F64
    """(C,) time that each outcome takes."""
    done: NDArray[np.int64]
    """(C,) 1 where the outcome is that of an act done that is credited at the end; see `credit`."""
    opens: NDArray[np.int64]
    """(C,) the requirements of decisions that each outcome meets, as bits: see `workup.agents.planning.locks`."""
    credit: F64
    """(M, 2, S) what such an act is worth at the end: once progressed, and what not having progressed adds; else 0."""
    sway: F64
    """(M, 2, D, S) the same of an act whose worth hangs on the decision, which `credit` then leaves out; (M, 2, 0, S) in a
    world without."""


class Deciding(NamedTuple):
    """What decisions are worth with some acts done."""

    now: F64
    """(D, S) utility of each decision, once progressed."""
    difference: F64
    """(D, S) what not having progressed adds."""
    rate: F64
    """(S,) of progression an hour."""


class _Told(NamedTuple):
    """A view and what it tells, as lists by journey."""

    view: JourneyView
    status: list[list[int]]
    failures: list[list[int]]
    unknown: list[list[bool]]
    """By contraindication: whether what it looks at has not been revealed."""
    met: list[int]
    """The requirements of decisions that are met, as bits."""


class PlainOneStep:
    """Looks one step ahead from information states of one world.

    One step ahead sees no use in an order that merely opens a decision which takes another step. With `keys`, a locked
    decision counts at its worth less the cheapest orders that might open it (`Locks.keys`), so that a key has a use;
    without, as the exact expectation of the best decision, it does not count.

    Raises:
        PlanningRefused: an item has too many joint results, or may fail in a way that cannot be priced.
    """

    def __init__(self, world: World, *, keys: bool = False) -> None:
        self.world = world
        self.locks, self._keys = Locks(world), keys
        self._no_key = np.full(len(self.locks.groups), np.inf)
        self._distinct = lru_cache(maxsize=20_000)(self._look_up_outcomes)
        self._tables = OutcomeTables(world)
        self._moves = bool((world.progression_rate_per_h * (world.progresses_to >= 0)).any())
        self._still = lru_cache(lambda n: np.ones(n * world.model.prior.shape[1]))
        fears = world.contraindication.tolist()
        self._feared = world.contraindication[:, 1]
        self._fears = [[x for x, (j, _) in enumerate(fears) if j == i] for i in range(len(world.items))]
        self._told: _Told | None = None
        self._credited = [credited_at_the_end(world, i) for i in range(len(world.items))]
        self.n_swayed = len(world.decisions) if world.by_patient.by_decision else 0
        """Decisions among which an act may be worth more after some than after others; 0: no act is."""
        once = np.flatnonzero(world.set_up_once).tolist()
        self._once = [(s, np.flatnonzero(world.set_up == s).tolist()) for s in once]
        self.charges_once = bool(once)
        """Whether there are set-ups charged once in a journey, so that `paid_before` must be added."""
        self._ordered = lru_cache(maxsize=50_000)(self._look_up)
        self._deciding = lru_cache(maxsize=10_000)(self._look_up_deciding)

    def change(self, view: JourneyView, row: int, action: int, profiles: Profiles, weights: F64) -> float:
        """Expected best decision after an order, less its cost and the best decision now.

        Args:
            view: revealed facts.
            row: the journey.
            action: an order, a set (of which what was not ordered yet is ordered) or an act.
            profiles: those that are possible.
            weights: (S,) belief over these profiles' hidden states, of any positive sum.

        Returns:
            pounds.
        """
        order = self.order(view, row, action)
        ordered, deciding = self.tables(order, profiles)
        locked = self._locked(view, row, order, profiles, weights)
        change = float(change_of(weights, self._unprogressed(view, row, profiles), *ordered, *deciding, *locked))
        return change + self.paid_before(view, row, order, profiles, weights) if self._once else change

    def order(self, view: JourneyView, row: int, action: int) -> Order:
        """What an order, a set or an act would be in one journey of a view."""
        told = self._lists_of(view)
        entry, status, failed = self.world.actions[action], told.status[row], told.failures[row]
        items = tuple(entry.items)
        if entry.kind == "set":
            items = tuple([i for i in items if status[i] == NOT_ORDERED])
        unknown = told.unknown[row]
        feared = tuple([tuple([x for x in self._fears[i] if unknown[x]]) for i in items])
        return Order(items, tuple([failed[i] for i in items]), feared, self._acts_done(status))

    def tables(self, order: Order, profiles: Profiles) -> tuple[Ordered, Deciding]:
        """What an order leads to and costs, and what decisions are worth, for these profiles' hidden states."""
        return self._ordered(order, profiles), self._deciding(profiles, order.acts)

    def _lists_of(self, view: JourneyView) -> _Told:
        """The view as lists, made once: every journey and action of a view is asked for in turn."""
        if self._told is None or self._told.view is not view:
            unknown = view.values[:, self._feared] < 0
            met = self.locks.met(view.values, view.status).tolist()
            self._told = _Told(view, view.status.tolist(), view.failures.tolist(), unknown.tolist(), met)
        return self._told

    def paid_before(self, view: JourneyView, row: int, order: Order, profiles: Profiles, weights: F64) -> float:
        """What is expected for set-ups that are charged once in a journey, and were: the tables hold them in full."""
        world, status, paid = self.world, self._lists_of(view).status[row], 0.0
        for s, sharing in self._once:
            if not any(status[j] in (RESULT, PENDING) for j in sharing):
                continue
            none = np.ones_like(weights)
            for i, failed in zip(order.items, order.failures, strict=True):
                if world.set_up[i] == s:
                    none = none * (1.0 - self._tables.charged(i, profiles, failed))
            price = world.weights[0] * world.set_up_cost_gbp[s] + world.weights[1] * world.set_up_harm_gbp[s]
            paid += float(price * (weights @ (1.0 - none)) / weights.sum())
        return paid

    def decisions(self, view: JourneyView, row: int, profiles: Profiles, weights: F64) -> F64:
        """(D,) expected worth of each decision now, less its keys if it is locked; arguments as in `change`."""
        acts = self._acts_done(self._lists_of(view).status[row])
        now, difference, _ = self._deciding(profiles, acts)
        worth = (now + difference * self._unprogressed(view, row, profiles)) @ weights
        if self.locks.groups:
            locked = self._locked(view, row, Order((), (), (), acts), profiles, weights)
            missing = self.locks.needs & ~locked.met
            bits = (missing[:, None] >> np.arange(len(locked.now_gbp))) & 1
            worth = worth - np.where(bits, locked.now_gbp, 0.0).sum(axis=1) * weights.sum()
        return np.asarray(worth)

    def _locked(self, view: JourneyView, row: int, order: Order, profiles: Profiles, weights: F64) -> Locked:
        """What is locked before an order, and what the keys cost before and after it."""
        locks = self.locks
        if not locks.groups:
            return Locked(locks.needs, 0, self._no_key, self._no_key)
        met = self.met(view, row)
        if not self._keys:
            return Locked(locks.needs, met, self._no_key, self._no_key)
        prices = self._prices(view, row, order.acts, profiles, weights)
        now = Keyring(self.world, locks.rules, view, row, prices, ()).of(locks.groups)
        return Locked(
            locks.needs,
            met,
            now,
            Keyring(self.world, locks.rules, view, row, prices, order.items).of(locks.groups) if order.items else now,
        )

    def met(self, view: JourneyView, row: int) -> int:
        """The requirements of decisions that are met in one journey, as bits."""
        return int(self._lists_of(view).met[row])

    def _prices(self, view: JourneyView, row: int, acts: tuple[int, ...], profiles: Profiles, weights: F64) -> F64:
        """(I,) what each item by itself is expected to cost in money, harm and waiting, pounds; inf where it has a result.

        What has one is no key any more, and a long history has more joint results than can be listed.
        """
        told, found = self._lists_of(view), np.full(len(self.world.items), np.inf)
        for i, status in enumerate(told.status[row]):
            if status == RESULT:
                continue
            feared = tuple([x for x in self._fears[i] if told.unknown[row][x]])
            charged = charges(self._tables, ((i, told.failures[row][i]),), profiles, (feared,), acts)
            found[i] = weights @ charged / weights.sum()
        return found

    def _acts_done(self, status: list[int]) -> tuple[int, ...]:
        return tuple([i for i in range(self.world.n_investigations, len(status)) if status[i] == RESULT])

    def _unprogressed(self, view: JourneyView, row: int, profiles: Profiles) -> F64:
        """(S,) chance that nothing progressed yet; `progression_h` has the factors of acts in it."""
        if not self._moves:
            return self._still(len(profiles))
        return np.exp(-self._tables.rate(profiles) * view.progression_h[row][self._tables.condition(profiles)])

    def _look_up_deciding(self, profiles: Profiles, acts: tuple[int, ...]) -> Deciding:
        return Deciding(*(np.ascontiguousarray(table) for table in self._tables.progressing_stop(profiles, acts)))

    def _look_up(self, order: Order, profiles: Profiles) -> Ordered:
        tables, world = self._tables, self.world
        orders = tuple(zip(order.items, order.failures, strict=True))
        likelihoods, counts, hours, done, opens = [], [], [], [], []
        for item, failed in orders:
            treated = any(act in order.acts for act in tables.treated_by(item))
            likelihood, status, opened = self._distinct(item, profiles, failed, treated)
            timely = np.where(tables.takes_time(item, status), world.turnaround_h[item], 0.0)
            likelihoods.append(likelihood)
            counts.append(len(status))
            hours.append(np.where(status == REFUSED, 0.0, timely))
            done.append((status == RESULT) & self._credited[item])
            opens.append(opened)
        credit = np.zeros((len(order.items), 2, likelihood.shape[1]))
        sway = np.zeros((len(order.items), 2, self.n_swayed, likelihood.shape[1]))
        for i, item in enumerate(order.items):
            if self._credited[item]:
                after, plain = self._deciding(profiles, (item,)), self._deciding(profiles, ())
                more = np.subtract(after[:2], plain[:2])
                if world.by_patient.decided[world.by_patient.act == item].all():
                    credit[i] = more[:, 0]
                else:
                    sway[i] = more
        return Ordered(
            np.ascontiguousarray(charges(tables, orders, profiles, order.feared, order.acts)),
            np.concatenate(likelihoods),
            np.array(counts),
            np.concatenate(hours),
            np.concatenate(done).astype(np.int64),
            np.concatenate(opens),
            credit,
            sway,
        )

    def _look_up_outcomes(
        self, item: int, profiles: Profiles, failures: int, treated: bool
    ) -> tuple[F64, NDArray[np.uint8], NDArray[np.int64]]:
        """Likelihoods (cells, S), statuses and opened requirements of outcomes, those that say the same about the patient
        and open the same taken together."""
        cells = self._tables.cells(item, profiles, failures, treated)
        opened = self.locks.opened(item, cells.observables, cells.values, cells.status)
        normal = np.round(cells.likelihood / cells.likelihood.max(axis=1, keepdims=True), 12) + 0.0
        seen: dict[tuple[int, int, bytes], int] = {}
        at = [
            seen.setdefault((s, bits, row.tobytes()), len(seen))
            for s, bits, row in zip(cells.status.tolist(), opened.tolist(), normal, strict=True)
        ]
        if len(seen) == len(at):
            return cells.likelihood, cells.status, opened
        likelihood = np.zeros((len(seen), normal.shape[1]))
        np.add.at(likelihood, at, cells.likelihood)
        status, bits = zip(*((s, b) for s, b, _ in seen), strict=True)
        return likelihood, np.array(status, np.uint8), np.array(bits, np.int64)

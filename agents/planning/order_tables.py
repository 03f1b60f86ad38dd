"""What an order leads to one step ahead: its joint results, what they cost and what decisions are worth after them, by hidden
state, states that nothing tells apart taken together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.alike import alike
from workup.agents.planning.locks import Locks
from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, charges, credited_at_the_end
from workup.envs.model.codes import REFUSED, RESULT
from workup.envs.model.world import World

F64 = NDArray[np.float64]


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


class Deciding(NamedTuple):
    """What decisions are worth with some acts done: S coordinates (profile, hidden state)."""

    now: F64
    """(D, S) utility of each decision, once progressed."""
    difference: F64
    """(D, S) what not having progressed adds."""
    rate: F64
    """(S,) of progression an hour."""


class Ordered(NamedTuple):
    """M items ordered together: C outcomes of the first item, then of the next; S coordinates in U classes, each of
    states with the same rows of all that stands by class."""

    cost: F64
    """(S,) cost, harm and waiting, less what the acts among them are worth, unless that is in `credit`; set-ups in full."""
    paid: F64
    """(B, S) what is in `cost` for each set-up that is charged once in a journey."""
    class_of: NDArray[np.int32]
    """(S,)"""
    condition: NDArray[np.int64]
    """(U,) of a class; of any of its states in a world where nothing progresses."""
    counts: NDArray[np.int64]
    """(M,) outcomes of each item."""
    hours: F64
    """(C,) time that each outcome takes."""
    done: NDArray[np.int64]
    """(C,) 1 where the outcome is that of an act done that is credited at the end; see `credit`."""
    opens: NDArray[np.int64]
    """(C,) the requirements of decisions that each outcome meets, as bits: see `workup.agents.planning.locks`."""
    likelihood: F64
    """(C, U)"""
    credit: F64
    """(M, 2, U) what such an act is worth at the end: once progressed, and what not having progressed adds; else 0."""
    sway: F64
    """(M, 2, D, U) the same of an act whose worth hangs on the decision, which `credit` then leaves out; (M, 2, 0, U) in a
    world without."""
    now: F64
    """(D, U) as in `Deciding`."""
    difference: F64
    """(D, U)"""
    rate: F64
    """(U,)"""


class OrderTables:
    """Of one (knowledge) world; nothing is kept but what orders share.

    Raises:
        PlanningRefused: an item has too many joint results, or may fail in a way that cannot be priced.
    """

    def __init__(self, world: World, locks: Locks) -> None:
        self.world, self._locks = world, locks
        self._tables = OutcomeTables(world)
        self.moves = bool((world.progression_rate_per_h * (world.progresses_to >= 0)).any())
        """Whether anything progresses."""
        self._credited = [credited_at_the_end(world, i) for i in range(len(world.items))]
        self.n_swayed = len(world.decisions) if world.by_patient.by_decision else 0
        """Decisions among which an act may be worth more after some than after others; 0: no act is."""
        self.set_ups = np.flatnonzero(world.set_up_once)
        """(B,) those charged once in a journey."""
        self.deciding = lru_cache(maxsize=200)(self._deciding)

    def charges(
        self, item: int, failures: int, feared: tuple[int, ...], acts: tuple[int, ...], profiles: Profiles
    ) -> F64:
        """(S,) what an item by itself is expected to cost in money, harm and waiting, pounds."""
        return charges(self._tables, ((item, failures),), profiles, (feared,), acts)

    def empty(self, profiles: Profiles, acts: tuple[int, ...]) -> Ordered:
        """Nothing ordered."""
        S = len(profiles) * self.world.model.prior.shape[1]
        none = np.empty(0, np.int64)
        return self._by_class(
            profiles, np.zeros(S), np.zeros((len(self.set_ups), S)), np.zeros((0, S)), none, np.zeros(0), none, none,
            np.zeros((0, 2, S)), np.zeros((0, 2, self.n_swayed, S)), self.deciding(profiles, acts),
        )  # fmt: skip

    def ordered(self, order: Order, profiles: Profiles) -> Ordered:
        """What an order leads to and costs for these profiles' hidden states."""
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
        return self._by_class(
            profiles,
            charges(tables, orders, profiles, order.feared, order.acts),
            self._paid(order, profiles),
            np.concatenate(likelihoods),
            np.array(counts),
            np.concatenate(hours),
            np.concatenate(done).astype(np.int64),
            np.concatenate(opens),
            *self._credits(order, profiles),
            self.deciding(profiles, order.acts),
        )

    def _by_class(
        self, profiles: Profiles, cost: F64, paid: F64, likelihood: F64, counts: NDArray[np.int64], hours: F64,
        done: NDArray[np.int64], opens: NDArray[np.int64], credit: F64, sway: F64, deciding: Deciding,
    ) -> Ordered:  # fmt: skip
        condition = self._tables.condition(profiles)
        same = [likelihood, deciding.now, credit.reshape(-1, len(cost)), sway.reshape(-1, len(cost))]
        if self.moves:
            same += [deciding.difference, deciding.rate[None], condition[None].astype(np.float64)]
        class_of, of = alike(np.concatenate(same))
        return Ordered(
            np.ascontiguousarray(cost),
            paid,
            class_of,
            condition[of].astype(np.int64),
            counts,
            hours,
            done,
            opens,
            *(np.ascontiguousarray(each[..., of]) for each in (likelihood, credit, sway, *deciding)),
        )

    def _credits(self, order: Order, profiles: Profiles) -> tuple[F64, F64]:
        """`credit` and `sway`, by state."""
        world, S = self.world, len(profiles) * self.world.model.prior.shape[1]
        credit = np.zeros((len(order.items), 2, S))
        sway = np.zeros((len(order.items), 2, self.n_swayed, S))
        for i, item in enumerate(order.items):
            if self._credited[item]:
                after, plain = self.deciding(profiles, (item,)), self.deciding(profiles, ())
                more = np.subtract(after[:2], plain[:2])
                if world.by_patient.decided[world.by_patient.act == item].all():
                    credit[i] = more[:, 0]
                else:
                    sway[i] = more
        return credit, sway

    def _paid(self, order: Order, profiles: Profiles) -> F64:
        world, S = self.world, len(profiles) * self.world.model.prior.shape[1]
        paid = np.zeros((len(self.set_ups), S))
        for b, s in enumerate(self.set_ups.tolist()):
            none = np.ones(S)
            for i, failed in zip(order.items, order.failures, strict=True):
                if world.set_up[i] == s:
                    none = none * (1.0 - self._tables.charged(i, profiles, failed))
            price = world.weights[0] * world.set_up_cost_gbp[s] + world.weights[1] * world.set_up_harm_gbp[s]
            paid[b] = price * (1.0 - none)
        return paid

    def _deciding(self, profiles: Profiles, acts: tuple[int, ...]) -> Deciding:
        return Deciding(*(np.ascontiguousarray(table) for table in self._tables.progressing_stop(profiles, acts)))

    def _distinct(
        self, item: int, profiles: Profiles, failures: int, treated: bool
    ) -> tuple[F64, NDArray[np.uint8], NDArray[np.int64]]:
        """Likelihoods (cells, S), statuses and opened requirements of outcomes, those that say the same about the patient
        and open the same taken together."""
        cells = self._tables.cells(item, profiles, failures, treated)
        opened = self._locks.opened(item, cells.observables, cells.values, cells.status)
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

"""What an order changes on average, for many journeys at once: tables of one step ahead, packed so that one compiled call
goes through all of them.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.change import change_of
from workup.agents.planning.one_step import OneStep
from workup.agents.planning.source import SOURCE, Source
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED, RESULT
from workup.envs.model.machine_code import njit
from workup.envs.model.world import World
from workup.errors import PlanningRefused

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

Numbers = TypeVar("Numbers", F64, I64)

MAX_REALS = 1 << 25
"""Numbers held, 256 MB; then everything is forgotten and looked up anew."""
_UNPRICED = -1


class _Where(NamedTuple):
    """Where the tables of an order lie: a row of `_Packed.where`."""

    cells: int
    """Outcomes of all its items, C."""
    members: int
    """M"""
    states: int
    """S"""
    ordered: int
    """In `reals`: cost (S,), likelihood (C, S), hours (C,), credit (M, 2, S), sway (M, 2, D or 0, S)."""
    deciding: int
    """In `reals`: now (D, S), difference (D, S), rate (S,)."""
    counts: int
    """In `ints`: outcomes of each item (M,), whether each outcome is an act done (C,), the requirements it meets (C,)."""


class _Packed(NamedTuple):
    """Tables of many orders, one after another."""

    reals: F64
    ints: I64
    where: I64
    """(orders, 6): rows are `_Where`."""
    source: Source = SOURCE
    """See `workup.agents.planning.source`."""


class Pricer:
    """`OneStep.change` of one action in each of many journeys."""

    def __init__(self, world: World) -> None:
        self._ahead = OneStep(world)
        self._members = np.zeros((len(world.actions), len(world.items)), np.bool_)
        for a, action in enumerate(world.actions):
            self._members[a, list(action.items)] = True
        moving = world.progression_rate_per_h * (world.progresses_to >= 0)
        self._rate = np.where(moving > 0.0, moving, 0.0)
        self._forget()

    def _forget(self) -> None:
        self._known: dict[bytes, int] = {}
        self._deciding_at: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        self._reals, self._ints, self._where = (
            np.empty(1 << 16),
            np.empty(1 << 12, np.int64),
            np.empty((256, 6), np.int64),
        )
        self._n_reals = self._n_ints = self._n_orders = 0

    def changes(self, view: JourneyView, actions: I64, listed: I64, weights: F64) -> F64:
        """What each journey's action is expected to change.

        Args:
            view: revealed facts of n journeys.
            actions: (n,) an order, a set or an act in each.
            listed: (n, P) the profiles that are possible, then -1.
            weights: (n, P * H) belief over these profiles' hidden states, of any positive sum.

        Returns:
            (n,) float64 pounds; NaN for an action that cannot be priced one step ahead.
        """
        if self._n_reals > MAX_REALS:
            self._forget()
        keys = self._keys(view, actions, listed)
        fresh = [row for row, key in enumerate(keys) if key not in self._known]
        for row in fresh:
            if keys[row] not in self._known:
                self._known[keys[row]] = self._look_up(view, row, int(actions[row]), listed[row])
        orders = np.array([self._known[key] for key in keys], np.int64)
        packed = _Packed(self._reals, self._ints, self._where)
        condition_of = self._ahead.world.model.condition_of.astype(np.int64)
        locks = self._ahead.locks
        found = _changes(
            packed, orders, locks.needs, locks.met(view.values, view.status), len(locks.groups), self._ahead.n_swayed, weights,
            view.progression_h, self._rate, condition_of,
        )  # fmt: skip
        if self._ahead.charges_once:
            found += [
                self._paid_before(view, row, action, listed[row], weights[row]) for row, action in enumerate(actions)
            ]
        return found

    def _paid_before(self, view: JourneyView, row: int, action: int, listed: I64, weights: F64) -> float:
        profiles = tuple([k for k in listed.tolist() if k >= 0])
        possible = weights[: len(profiles) * self._ahead.world.model.prior.shape[1]]
        return self._ahead.paid_before(view, row, self._ahead.order(view, row, action), profiles, possible)

    def _keys(self, view: JourneyView, actions: I64, listed: I64) -> list[bytes]:
        """What the tables of each journey's action depend on."""
        world = self._ahead.world
        ordered = self._members[actions]
        profiles = np.full((len(actions), world.model.profiles_per_start), -1, np.int64)
        profiles[:, : listed.shape[1]] = listed
        parts = (
            actions[:, None],
            ordered & (view.status == NOT_ORDERED),
            ordered * view.failures,
            view.status[:, world.n_investigations :] == RESULT,
            (view.values[:, world.contraindication[:, 1]] < 0) & ordered[:, world.contraindication[:, 0]],
            profiles,
        )
        key = np.concatenate(parts, axis=1, dtype=np.int16, casting="unsafe")
        return [row.tobytes() for row in key]

    def _look_up(self, view: JourneyView, row: int, action: int, listed: I64) -> int:
        """Pack the tables of an order; returns its number."""
        profiles = tuple([k for k in listed.tolist() if k >= 0])
        try:
            order = self._ahead.order(view, row, action)
            ordered, deciding = self._ahead.tables(order, profiles)
        except PlanningRefused:
            return _UNPRICED
        decide = (profiles, order.acts)
        if decide not in self._deciding_at:
            self._deciding_at[decide] = self._keep(*deciding)
        counts = np.concatenate([ordered.counts, ordered.done, ordered.opens])
        self._ints = _with_room(self._ints, self._n_ints + len(counts))
        self._ints[self._n_ints : self._n_ints + len(counts)] = counts
        where = _Where(
            cells=len(ordered.hours),
            members=len(ordered.counts),
            states=len(ordered.cost),
            ordered=self._keep(ordered.cost, ordered.likelihood, ordered.hours, ordered.credit, ordered.sway),
            deciding=self._deciding_at[decide],
            counts=self._n_ints,
        )
        self._n_ints += len(counts)
        self._where = _with_room(self._where, self._n_orders + 1)
        self._where[self._n_orders] = where
        self._n_orders += 1
        return self._n_orders - 1

    def _keep(self, *tables: F64) -> int:
        """Add tables to `reals`; returns where they begin."""
        first = self._n_reals
        self._n_reals += sum(table.size for table in tables)
        self._reals = _with_room(self._reals, self._n_reals)
        self._reals[first : self._n_reals] = np.concatenate([table.ravel() for table in tables])
        return first


def _with_room(array: Numbers, size: int) -> Numbers:
    """The array, or a longer copy of it."""
    if size <= len(array):
        return array
    longer = np.empty((2 * size, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def _changes(
    packed: _Packed, orders: I64, needs: I64, met: I64, groups: int, swayed: int, weights: F64, progression_h: F64,
    rate_per_h: F64, condition_of: I64,
) -> F64:  # fmt: skip
    decisions, no_key = needs.shape[0], np.full(groups, np.inf)
    out = np.full(orders.shape[0], np.nan)
    still, unprogressed = np.ones(rate_per_h.shape[0]), np.ones(weights.shape[1])
    moves = rate_per_h.max() > 0.0
    for i in range(orders.shape[0]):
        if orders[i] < 0:
            continue
        where = packed.where[orders[i]]
        C, M, S, at, deciding, n = where[0], where[1], where[2], where[3], where[4], where[5]
        cost = packed.reals[at : at + S]
        likelihood = packed.reals[at + S : at + S + C * S].reshape(C, S)
        at += S + C * S
        hours = packed.reals[at : at + C]
        credit = packed.reals[at + C : at + C + 2 * M * S].reshape(M, 2, S)
        at += C + 2 * M * S
        sway = packed.reals[at : at + 2 * M * swayed * S].reshape(M, 2, swayed, S)
        now = packed.reals[deciding : deciding + decisions * S].reshape(decisions, S)
        deciding += decisions * S
        difference = packed.reals[deciding : deciding + decisions * S].reshape(decisions, S)
        rate = packed.reals[deciding + decisions * S : deciding + decisions * S + S]
        if moves:
            for c in range(rate_per_h.shape[0]):
                still[c] = np.exp(-rate_per_h[c] * progression_h[i, c])
            for s in range(S):
                unprogressed[s] = still[condition_of[s % condition_of.shape[0]]]
        out[i] = change_of(
            weights[i, :S], unprogressed[:S], cost, likelihood, packed.ints[n : n + M], hours,
            packed.ints[n + M : n + M + C], packed.ints[n + M + C : n + M + 2 * C], credit, sway, now, difference, rate,
            needs, met[i], no_key, no_key,
        )  # fmt: skip
    return out

"""What the plain one step ahead is made of: keys of locked decisions, and the walk through joint outcomes."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.remaining import Clause, Groups
from workup.agents.planning.transitions import SUM
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import FAILED, NOT_ORDERED, RESULT
from workup.envs.model.world import World

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Locked(NamedTuple):
    """Which decisions may be taken in one journey before an order, and what a key is worth afterwards."""

    needs: I64
    """(D,) the requirements of each decision, as bits."""
    met: int
    """The bits that are met."""
    now_gbp: F64
    """(G,) a decision that is locked now counts at its worth less this for each requirement not met; inf: not at all."""
    then_gbp: F64
    """(G,) the same after the order."""


class Keyring:
    """Prices of orders in one journey, those included that have to come first."""

    def __init__(
        self,
        world: World,
        rules: dict[int, Groups],
        view: JourneyView,
        row: int,
        price: F64,
        ordering: tuple[int, ...],
    ) -> None:
        self._attempts, self._rules, self._price, self._ordering = world.attempts, rules, price, ordering
        self._values, self._status, self._failures = view.values[row], view.status[row], view.failures[row]
        self._known: dict[int, float] = {}

    def of(self, groups: Groups) -> F64:
        """(G,) by requirement."""
        return np.array([min((self._clause(c) for c in group), default=np.inf) for group in groups], np.float64)

    def _clause(self, clause: Clause) -> float:
        """What it costs to have a chance that a clause will hold."""
        item = clause.item
        return np.inf if item < 0 or item in self._ordering else self._item(item)

    def _item(self, item: int) -> float:
        if item not in self._known:
            self._known[item] = np.inf  # what waits for itself cannot be had
            if self._can_be_tried(item):
                self._known[item] = float(self._price[item]) + sum(map(self._group, self._rules[item]))
        return self._known[item]

    def _can_be_tried(self, item: int) -> bool:
        status = self._status[item]
        return bool(status == NOT_ORDERED or (status == FAILED and self._failures[item] < self._attempts[item]))

    def _group(self, group: list[Clause]) -> float:
        """What it costs to meet one requirement of an item."""
        return min(map(self._before, group), default=np.inf)

    def _before(self, clause: Clause) -> float:
        known = self._values[clause.observable] if clause.observable >= 0 else -1
        if known >= 0:
            return 0.0 if clause.allowed[known] else np.inf
        if clause.unless:
            return 0.0
        if clause.item in self._ordering:
            return 0.0 if clause.observable >= 0 or clause.allowed[RESULT] else np.inf
        if clause.observable < 0 and clause.allowed[self._status[clause.item]]:
            return 0.0
        return np.inf if clause.item < 0 else self._item(clause.item)


@numba.njit(fastmath=SUM)  # type: ignore[untyped-decorator]
def _best(
    weights: F64,
    unprogressed: F64,
    now: F64,
    difference: F64,
    needs: NDArray[np.int64],
    met: int,
    key_gbp: F64,
    more: F64,
) -> float:
    """more: (D,) what acts that are done by then add to each decision, or (0,) if none do."""
    best = -np.inf
    for d in range(now.shape[0]):
        missing, price = needs[d] & ~met, 0.0
        if missing:
            for g in range(key_gbp.shape[0]):
                if missing >> g & 1:
                    price += key_gbp[g]
            if price == np.inf:
                continue
        value = 0.0
        for s in range(weights.shape[0]):
            value += weights[s] * (now[d, s] + difference[d, s] * unprogressed[s])
        if price > 0.0:
            value -= price * weights.sum()
        if more.shape[0]:
            value += more[d]
        best = max(best, value)
    return best


@numba.njit(fastmath=SUM)  # type: ignore[untyped-decorator]
def _add_sway(
    weights: F64, unprogressed: F64, sway: F64, done: NDArray[np.int64], start: NDArray[np.int64], at: NDArray[np.int64], out: F64
) -> None:  # fmt: skip
    """(D,) what the acts among the outcomes `at` add to each decision."""
    for d in range(out.shape[0]):
        out[d] = 0.0
        for m in range(sway.shape[0]):
            if done[start[m] + at[m]]:
                for s in range(weights.shape[0]):
                    out[d] += weights[s] * (sway[m, 0, d, s] + sway[m, 1, d, s] * unprogressed[s])


@numba.njit(fastmath=SUM)  # type: ignore[untyped-decorator]
def change_of(
    weights: F64, unprogressed: F64, cost: F64, likelihood: F64, counts: NDArray[np.int64], hours: F64,
    done: NDArray[np.int64], opens: NDArray[np.int64], credit: F64, sway: F64, now: F64, difference: F64, rate: F64,
    needs: NDArray[np.int64], met: int, now_gbp: F64, then_gbp: F64,
) -> float:  # fmt: skip
    """`PlainOneStep.change` from its tables (`Ordered`, `Deciding`, `Locked`): walks the joint outcomes depth first, the belief of
    each prefix kept."""
    M, S = counts.shape[0], weights.shape[0]
    start = np.zeros(M + 1, np.int64)
    start[1:] = np.cumsum(counts)
    at = np.zeros(M, np.int64)
    belief = np.empty((M + 1, S))
    time = np.zeros(M + 1)
    scale, spent = 0.0, 0.0
    for s in range(S):
        scale += weights[s]
        spent += weights[s] * cost[s]
    belief[0] = weights
    moves = rate.max() > 0.0
    later, later_by, more = unprogressed.copy(), 0.0, np.zeros(sway.shape[2])
    total = -spent - _best(weights, unprogressed, now, difference, needs, met, now_gbp, more)
    level = 0
    while level >= 0:
        if at[level] == counts[level]:
            at[level] = 0
            level -= 1
            if level >= 0:
                at[level] += 1
            continue
        cell = start[level] + at[level]
        mass = 0.0
        for s in range(S):
            belief[level + 1, s] = belief[level, s] * likelihood[cell, s]
            mass += belief[level + 1, s]
        time[level + 1] = max(time[level], hours[cell])
        if mass > 0.0 and level + 1 < M:
            level += 1
            continue
        if mass > 0.0:
            if moves and time[M] != later_by:
                later_by = float(time[M])
                for s in range(S):
                    later[s] = unprogressed[s] * np.exp(-rate[s] * later_by) if rate[s] > 0.0 else unprogressed[s]
            open_ = met
            for m in range(M):
                open_ |= opens[start[m] + at[m]]
            _add_sway(belief[M], later, sway, done, start, at, more)
            total += _best(belief[M], later, now, difference, needs, open_, then_gbp, more)
            for m in range(M):
                if done[start[m] + at[m]]:
                    for s in range(S):
                        total += belief[M, s] * (credit[m, 0, s] + credit[m, 1, s] * later[s])
        at[level] += 1
    return total / scale

"""What decisions require, as bits: one for each requirement of any decision that is met.

A requirement once met stays met, so what an order may open is a number for each of its outcomes, joined by 'or' with what
was open before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.remaining import Clause, Groups, of_decision, requirements
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


class Locks:
    """The requirements of a world's decisions, numbered 0 to G - 1 (G at most 62; 0 where no decision requires anything)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rules = requirements(world)
        owned = [(d, group) for d in range(len(world.decisions)) for group in self._rules[of_decision(d)]]
        self.groups: Groups = [group for _, group in owned]
        self.needs: I64 = np.zeros(len(world.decisions), np.int64)
        """(D,) the bits that each decision needs."""
        for g, (d, _) in enumerate(owned):
            self.needs[d] |= 1 << g

    def met(self, values: NDArray[np.int16], status: NDArray[np.uint8]) -> I64:
        """(n,) the bits that are met where these values (n, O) and statuses (n, I) have been revealed."""
        bits = np.zeros(len(values), np.int64)
        for g, group in enumerate(self.groups):
            holds = np.zeros(len(bits), np.bool_)
            for clause in group:
                allowed = np.array(clause.allowed)
                if clause.observable < 0:
                    holds |= allowed[status[:, clause.item]]
                else:
                    found = values[:, clause.observable]
                    holds |= (found >= 0) & allowed[np.maximum(found, 0)]
            bits |= holds.astype(np.int64) << g
        return bits

    def opened(
        self, item: int, observables: NDArray[np.int32], values: NDArray[np.int16], status: NDArray[np.uint8]
    ) -> I64:
        """(cells,) the bits that each outcome of an item meets.

        Args:
            item: that was ordered.
            observables: (R,) what it reveals.
            values: (cells, R) what they turn out to be.
            status: (cells,) what becomes of the order.
        """
        column = {int(o): r for r, o in enumerate(observables) if o >= 0}
        bits = np.zeros(len(status), np.int64)
        for g, group in enumerate(self.groups):
            for clause in group:
                allowed = np.array(clause.allowed)
                if clause.observable < 0 and clause.item == item:
                    bits |= allowed[status].astype(np.int64) << g
                elif clause.observable in column:
                    found = values[:, column[clause.observable]]
                    bits |= ((found >= 0) & allowed[np.maximum(found, 0)]).astype(np.int64) << g
        return bits

    def keys(self, view: JourneyView, row: int, price: F64, ordering: tuple[int, ...] = ()) -> F64:
        """(G,) pounds of the cheapest orders after which each requirement might be met; inf where none can be given.

        A key is counted as if it surely fitted: how likely its result is to open anything is left to whoever weighs it.

        Args:
            view: revealed facts.
            row: the journey.
            price: (I,) of each item by itself, pounds.
            ordering: items that are about to be ordered: paid for, their results open what they open, and whatever
                waits for them may follow.
        """
        return _Keyring(self.world, self._rules, view, row, price, ordering).of(self.groups)


class _Keyring:
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

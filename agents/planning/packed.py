"""Tables of many orders, one after another in a few arrays, so that one compiled call goes through all of them."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.change import Walk
from workup.agents.planning.order_tables import Ordered
from workup.agents.planning.parts import allocating, part, summing
from workup.agents.planning.source import SOURCE, Source

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

Numbers = TypeVar("Numbers", F64, I64, NDArray[np.int32])

MAX_REALS = 1 << 25
"""Numbers held, 256 MB; then everything is forgotten and looked up anew."""


class Where(NamedTuple):
    """Where the tables of an order lie: a row of `Packed.where`."""

    outcomes: int
    """C"""
    members: int
    """M"""
    states: int
    """S"""
    classes: int
    """U"""
    by_state: int
    """In `reals`: cost (S,), paid (B, S)."""
    by_class: int
    """In `reals`: likelihood (C, U), hours (C,), credit (M, 2, U), sway (M, 2, D or 0, U), now (D, U), difference (D, U),
    rate (U,)."""
    ints: int
    """In `ints`: condition (U,), counts (M,), done (C,), opens (C,)."""
    class_of: int
    """In `class_of`: (S,)."""


class Packed(NamedTuple):
    """All that compiled code reads."""

    reals: F64
    ints: I64
    class_of: NDArray[np.int32]
    where: I64
    """(orders, 8): rows are `Where`."""
    source: Source = SOURCE
    """See `workup.agents.planning.source`."""


class Store:
    """Adds tables to what is packed."""

    def __init__(self) -> None:
        self._reals, self._ints = np.empty(1 << 16), np.empty(1 << 12, np.int64)
        self._class_of, self._where = np.empty(1 << 14, np.int32), np.empty((256, len(Where._fields)), np.int64)
        self._used = [0, 0, 0]
        self._n = 0

    @property
    def full(self) -> bool:
        """Whether it had better be thrown away."""
        return self._used[0] > MAX_REALS

    @property
    def packed(self) -> Packed:
        """As of now; what is added later may lie in other arrays."""
        return Packed(self._reals, self._ints, self._class_of, self._where)

    def keep(self, of: Ordered) -> int:
        """Returns the number of an order."""
        by_state = self.keep_reals(of.cost, of.paid)
        by_class = self.keep_reals(of.likelihood, of.hours, of.credit, of.sway, of.now, of.difference, of.rate)
        self._ints, ints = self._add(self._ints, 1, of.condition, of.counts, of.done, of.opens)
        self._class_of, class_of = self._add(self._class_of, 2, of.class_of)
        if self._n == len(self._where):
            self._where = np.concatenate([self._where, np.empty_like(self._where)])
        self._where[self._n] = Where(
            len(of.hours), len(of.counts), len(of.cost), len(of.rate), by_state, by_class, ints, class_of
        )
        self._n += 1
        return self._n - 1

    def keep_reals(self, *tables: F64) -> int:
        """Returns where they begin in `Packed.reals`."""
        self._reals, first = self._add(self._reals, 0, *tables)
        return first

    def _add(self, array: Numbers, which: int, *tables: Numbers) -> tuple[Numbers, int]:
        """The array or a longer copy of it, with the tables in it, and where they begin."""
        first = at = self._used[which]
        size = first + sum(table.size for table in tables)
        if size > len(array):
            longer = np.empty(2 * size, array.dtype)
            longer[:first] = array[:first]
            array = longer
        for table in tables:
            array[at : at + table.size] = table.ravel()
            at += table.size
        self._used[which] = size
        return array, first


@allocating
def walk_of(packed: Packed, order: int, decisions: int, swayed: int) -> tuple[Walk, I64]:
    """The tables of an order by class, and the condition (U,) of each class."""
    where = packed.where[order]
    C, M, U, at, ints = where[0], where[1], where[3], where[5], where[6]
    likelihood = packed.reals[at : at + C * U].reshape(C, U)
    at += C * U
    hours = packed.reals[at : at + C]
    at += C
    credit = packed.reals[at : at + 2 * M * U].reshape(M, 2, U)
    at += 2 * M * U
    sway = packed.reals[at : at + 2 * M * swayed * U].reshape(M, 2, swayed, U)
    at += 2 * M * swayed * U
    now = packed.reals[at : at + decisions * U].reshape(decisions, U)
    at += decisions * U
    difference = packed.reals[at : at + decisions * U].reshape(decisions, U)
    at += decisions * U
    rate = packed.reals[at : at + U]
    condition = packed.ints[ints : ints + U]
    ints += U
    counts, done = packed.ints[ints : ints + M], packed.ints[ints + M : ints + M + C]
    opens = packed.ints[ints + M + C : ints + M + 2 * C]
    return Walk(counts, done, opens, hours, likelihood, credit, sway, now, difference, rate), condition


@part
def by_class(packed: Packed, order: int, weights: F64, out: F64) -> None:
    """Add up weights (S,) by class, into (U,)."""
    where = packed.where[order]
    first = where[7]
    for u in range(out.shape[0]):
        out[u] = 0.0
    for s in range(where[2]):
        out[packed.class_of[first + s]] += weights[s]


@summing
def charge_of(packed: Packed, order: int, weights: F64, sharing: NDArray[np.bool_]) -> float:
    """What an order is expected to cost, for weights (S,) of any sum, by which it is multiplied; sharing: (B,) whether a set-up
    was charged before."""
    where, total = packed.where[order], 0.0
    S, at = where[2], where[4]
    for s in range(S):
        total += weights[s] * packed.reals[at + s]
    for b in range(sharing.shape[0]):
        if sharing[b]:
            for s in range(S):
                total -= weights[s] * packed.reals[at + (b + 1) * S + s]
    return total

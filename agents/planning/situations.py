"""Which tables each of many journeys needs: journeys that need the same are in one situation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.keys import Rules
from workup.agents.planning.locks import Locks
from workup.agents.planning.order_tables import Order, Ordered, OrderTables
from workup.agents.planning.outcome_tables import Profiles
from workup.agents.planning.packed import Packed, Store
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED, RESULT
from workup.envs.model.machine_code import njit
from workup.envs.model.world import World
from workup.errors import PlanningRefused

I64 = NDArray[np.int64]

NOT_LOOKED_UP, UNPRICED = -1, -2
"""In place of the number of an order: not asked for yet; cannot be priced one step ahead."""


class _Facts(NamedTuple):
    """What the tables of a situation depend on, beside the action."""

    profiles: Profiles
    failures: list[int]
    fresh: list[int]
    """(I,) 1 where an item that is in a set has not been ordered."""
    acts: tuple[int, ...]
    """Done."""
    unknown: list[int]
    """By contraindication, 1 where what it looks at has not been revealed."""


class Situations:
    """Numbers of orders by situation and action, looked up when they are first asked for."""

    def __init__(self, world: World, locks: Locks, rules: Rules | None) -> None:
        """`rules`: where the price of each item by itself is to be known as well."""
        self.world, self._rules = world, rules
        self.tables = OrderTables(world, locks)
        sets = {item for action in world.actions if action.kind == "set" for item in action.items}
        self._in_set = np.isin(np.arange(len(world.items)), list(sets))
        fears = world.contraindication[:, 0].tolist()
        self._fears = [[x for x, item in enumerate(fears) if item == i] for i in range(len(world.items))]
        self._forget()

    def _forget(self) -> None:
        self._store = Store()
        self._number: dict[bytes, int] = {}
        self._facts: list[_Facts] = []
        self._order: dict[tuple[Order, Profiles], int] = {}
        self._price: dict[tuple[object, ...], int] = {}
        self._orders = np.full((64, len(self.world.actions) + 1), NOT_LOOKED_UP, np.int64)
        self._prices = np.full((64, len(self.world.items)), NOT_LOOKED_UP, np.int64)

    def of(self, view: JourneyView, rows: NDArray[np.intp], first: I64, profiles: I64) -> I64:
        """(n,) the situations of some journeys.

        Args:
            view: revealed facts.
            rows: (n,) journeys of the view.
            first: (n + 1,) where each journey's profiles begin.
            profiles: those possible, ascending.
        """
        if self._store.full:
            self._forget()
        status, failures = view.status[rows], view.failures[rows]
        settled = status == RESULT
        parts = (
            _words(first, profiles, self.world.model.prior.shape[0]).view(np.uint8),
            np.where(settled, 0, failures),
            self._in_set & (status == NOT_ORDERED),
            settled[:, self.world.n_investigations :],
            view.values[rows][:, self.world.contraindication[:, 1]] < 0,
        )
        table = np.ascontiguousarray(np.concatenate(parts, axis=1, dtype=np.uint8, casting="unsafe"))
        keys, at, which = np.unique(table.view(f"V{table.shape[1]}").ravel(), return_index=True, return_inverse=True)
        numbers = np.empty(len(keys), np.int64)
        for j, (key, row) in enumerate(zip(keys.tolist(), at.tolist(), strict=True)):
            if key not in self._number:
                known = [part[row].tolist() for part in parts[1:]]
                acts = tuple([self.world.n_investigations + a for a, done in enumerate(known[2]) if done])
                mine = tuple(profiles[first[row] : first[row + 1]].tolist())
                self._number[key] = len(self._facts)
                self._facts.append(_Facts(mine, known[0], known[1], acts, known[3]))
            numbers[j] = self._number[key]
        if len(self._facts) > len(self._orders):
            self._orders, self._prices = (_grown(table, len(self._facts)) for table in (self._orders, self._prices))
        return numbers[which.ravel()]

    def look_up(self, situation: I64, wanted: NDArray[np.bool_], *, refuse: bool) -> None:
        """Make sure that the orders (n, A) that are wanted in these situations are known, and that of nothing ordered.

        Raises:
            PlanningRefused: one cannot be priced, and `refuse`.
        """
        asked = np.zeros((len(self._facts), wanted.shape[1] + 1), np.bool_)
        rows, actions = np.nonzero(wanted)
        asked[situation[rows], actions] = True
        asked[situation, -1] = True
        for at, a in np.argwhere(asked & (self._orders[: len(asked)] == NOT_LOOKED_UP)).tolist():
            try:
                self._orders[at, a] = self._look_up(self._facts[at], a)
            except PlanningRefused:
                if refuse:
                    raise
                self._orders[at, a] = UNPRICED

    def look_up_prices(self, situation: I64, status: NDArray[np.uint8]) -> None:
        """Make sure that the price of each key is known that has no result.

        What has one is no key any more, and a long history has more joint results than can be listed.
        """
        if self._rules is None:
            return
        asked = np.zeros((len(self._facts), len(self.world.items)), np.bool_)
        rows, keys = np.nonzero(status[:, self._rules.items] != RESULT)
        asked[situation[rows], self._rules.items[keys]] = True
        for at, i in np.argwhere(asked & (self._prices[: len(asked)] == NOT_LOOKED_UP)).tolist():
            of = self._facts[at]
            key = (i, of.failures[i], self._feared(of, i), of.acts, of.profiles)
            if key not in self._price:
                self._price[key] = self._store.keep_reals(self.tables.charges(*key))
            self._prices[at, i] = self._price[key]

    def packed(self) -> tuple[Packed, I64, I64]:
        """All tables; (situations, A + 1) the numbers of orders, nothing ordered last; (situations, I) where the prices of
        items begin in `Packed.reals`."""
        return self._store.packed, self._orders, self._prices

    def _look_up(self, of: _Facts, action: int) -> int:
        if action == len(self.world.actions):
            order, make = Order((), (), (), of.acts), lambda: self.tables.empty(of.profiles, of.acts)
            return self._kept(order, of.profiles, make)
        entry = self.world.actions[action]
        items = tuple(i for i in entry.items if entry.kind != "set" or of.fresh[i])
        failures, feared = tuple(of.failures[i] for i in items), tuple(self._feared(of, i) for i in items)
        order = Order(items, failures, feared, of.acts)
        return self._kept(order, of.profiles, lambda: self.tables.ordered(order, of.profiles))

    def _kept(self, order: Order, profiles: Profiles, make: Callable[[], Ordered]) -> int:
        key = (order, profiles)
        if key not in self._order:
            self._order[key] = self._store.keep(make())
        return self._order[key]

    def _feared(self, of: _Facts, item: int) -> tuple[int, ...]:
        return tuple([x for x in self._fears[item] if of.unknown[x]])


def _grown(table: I64, size: int) -> I64:
    longer = np.full((2 * size, table.shape[1]), NOT_LOOKED_UP, np.int64)
    longer[: len(table)] = table
    return longer


@njit(cache=True, nogil=True)
def _words(first: I64, profiles: I64, n_profiles: int) -> NDArray[np.uint64]:
    """(n, K / 64) which profiles are possible, as bits."""
    n = first.shape[0] - 1
    out = np.zeros((n, (n_profiles + 63) // 64), np.uint64)
    for i in range(n):
        for at in range(first[i], first[i + 1]):
            out[i, profiles[at] >> 6] |= np.uint64(1) << np.uint64(profiles[at] & 63)
    return out

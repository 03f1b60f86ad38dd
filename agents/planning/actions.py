"""What may be done from a state on: the digits of every item left, atomic actions, and what each of them costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.digits import Digits, Facts, digits_of_item
from workup.agents.planning.outcome_tables import credited_at_the_end
from workup.agents.planning.problem import F64
from workup.agents.planning.remaining import Left, Modes
from workup.envs.model.codes import NOT_ORDERED, RESULT
from workup.errors import PlanningRefused

MAX_SET_MEMBERS = 9


@dataclass(frozen=True)
class Atomic:
    """A world action as it would be taken at certain digits."""

    action: int
    """Of the world."""
    members: tuple[tuple[int, int], ...]
    """Positions among the items left that it orders, and the digit that each must be at."""
    others: tuple[int, ...] = ()
    """Positions that must have been ordered already: the rest of an order set."""


@dataclass(frozen=True, eq=False)
class Actions:
    """Everything that can be done."""

    digits: tuple[Digits, ...]
    """Of each item left."""
    atomic: tuple[Atomic, ...]
    cost: F64
    """(A, X, S) expected cost, harm and waiting of each atomic action in each mode, by hidden state."""

    def members(self) -> dict[str, NDArray[np.generic]]:
        """The arrays of `Problem` that say what each atomic action orders."""
        A = len(self.atomic)
        M = max([1, *(len(each.members) for each in self.atomic)])
        O = max([1, *(len(each.others) for each in self.atomic)])
        member, at, other = np.full((A, M), -1, np.int32), np.zeros((A, M), np.int32), np.full((A, O), -1, np.int32)
        for a, each in enumerate(self.atomic):
            for m, (p, digit) in enumerate(each.members):
                member[a, m], at[a, m] = p, digit
            other[a, : len(each.others)] = each.others
        action = np.array([each.action for each in self.atomic], np.int32)
        return {"member": member, "member_digit": at, "other": other, "action": action}


def actions(left: Left, modes: Modes, *, merge: bool) -> Actions:
    """List them; `merge`: outcomes that mean the same are one.

    Raises:
        PlanningRefused: an item or a set that the planners cannot treat.
    """
    digits = tuple(digits_left(left, modes, item, merge) for item in left.items)
    atomic = tuple(_atomic(left, modes, digits))
    S = len(left.profiles) * left.world.model.prior.shape[1]
    cost = np.zeros((len(atomic), len(modes), S))
    for a, each in enumerate(atomic):
        orders = tuple((left.items[p], digits[p].failures[d]) for p, d in each.members)
        for mode in range(len(modes)):
            feared = tuple(modes.feared(i, mode) for i, _ in orders)
            cost[a, mode] = left.tables.charges(orders, left.profiles, feared, modes.acts_done(mode))
    return Actions(digits, atomic, cost)


def digits_left(left: Left, modes: Modes, item: int, merge: bool) -> Digits:
    """The digits of one item left; `merge`: outcomes that mean the same are one."""
    watching = left.watching(item)

    def truths(status: int, facts: Facts) -> tuple[bool, ...]:
        return tuple(c.holds(status, facts) for c in watching)

    def bits(status: int, facts: Facts, _: int) -> int:
        set_ = 0
        for b, (kind, i) in enumerate(modes.bits):
            if (kind == "act" and i == item and status == RESULT) or (kind == "known" and i in facts):
                set_ |= 1 << b
        return set_

    return digits_of_item(
        left.tables,
        item,
        left.profiles,
        status=int(left.status[item]),
        failures=int(left.failures[item]),
        variants=modes.variants(item),
        truths=truths,
        bits=bits,
        merge=merge,
    )


def _atomic(left: Left, modes: Modes, digits: tuple[Digits, ...]) -> Iterator[Atomic]:
    position = {item: p for p, item in enumerate(left.items)}
    for a, action in enumerate(left.world.actions):
        if action.kind in ("order", "act") and action.items[0] in position:
            p = position[action.items[0]]
            yield from (Atomic(a, ((p, digit),)) for digit in digits[p].orderable())
        elif action.kind == "set":
            fresh = [i for i in action.items if left.status[i] == NOT_ORDERED]
            _refuse_act_in_set(modes, action.name, fresh)
            if any(i not in position for i in fresh):
                continue  # a member that can never be ordered
            if len(fresh) > MAX_SET_MEMBERS:
                raise PlanningRefused(f"{action.name} has {len(fresh)} members; the planners treat {MAX_SET_MEMBERS}")
            for size in range(2, len(fresh) + 1):
                for chosen in combinations(fresh, size):
                    rest = tuple(position[i] for i in fresh if i not in chosen)
                    yield Atomic(a, tuple((position[i], 0) for i in chosen), rest)


def _refuse_act_in_set(modes: Modes, name: str, items: list[int]) -> None:
    world = modes.left.world
    for item in items:
        if ("act", item) in modes.bits and credited_at_the_end(world, item):
            raise PlanningRefused(
                f"{name} contains {world.items[item]}, whose benefit is known only at the end; order it by itself"
            )

"""What it costs to open a decision that is locked: the cheapest orders after which its requirements might be met. Compiled."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.locks import Locks
from workup.agents.planning.parts import part
from workup.agents.planning.remaining import Clause
from workup.envs.model.codes import FAILED, NOT_ORDERED, RESULT

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Rules(NamedTuple):
    """Requirements of decisions and of the orders that may open them; groups and clauses as in
    `workup.agents.planning.remaining`."""

    items: I64
    """(N,) orders that may open a decision or come before such an order, those first that others wait for."""
    attempts: I64
    """(I,)"""
    item_group: I64
    """(I + 1,) the groups of an item are item_group[i] to item_group[i + 1] - 1; those of decisions begin at item_group[I]."""
    group_clause: I64
    """(groups + 1,) where the clauses of each begin."""
    item: I64
    """(Q,) that a clause looks at, or negative."""
    observable: I64
    """(Q,) or -1: it looks at the item's status."""
    unless: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    """(Q, V or 5)"""


def rules_of(locks: Locks) -> Rules:
    """All that keys depend on."""
    world, owned = locks.world, [locks.rules[i] for i in range(len(locks.world.items))]
    groups = [*(group for of in owned for group in of), *locks.groups]
    clauses = [clause for group in groups for clause in group]
    allowed = np.zeros((len(clauses), max((len(c.allowed) for c in clauses), default=5)), np.bool_)
    for q, clause in enumerate(clauses):
        allowed[q, : len(clause.allowed)] = clause.allowed
    return Rules(
        np.array(_reached(locks), np.int64),
        world.attempts.astype(np.int64),
        np.cumsum([0, *map(len, owned)]),
        np.cumsum([0, *map(len, groups)]),
        np.array([c.item for c in clauses], np.int64),
        np.array([c.observable for c in clauses], np.int64),
        np.array([c.unless for c in clauses], np.bool_),
        allowed,
    )


def _reached(locks: Locks) -> list[int]:
    """Items that may open a decision, or come before one that may; in order, unless alternatives go round in a circle."""

    def looked_at(groups: list[list[Clause]]) -> set[int]:
        return {clause.item for group in groups for clause in group if clause.item >= 0}

    after: dict[int, set[int]] = {}
    fresh = looked_at(locks.groups)
    while fresh:
        after |= {item: looked_at(locks.rules[item]) for item in fresh}
        fresh = {before for item in fresh for before in after[item]} - after.keys()
    try:
        return list(TopologicalSorter(after).static_order())
    except CycleError:
        return sorted(after)


@part
def _before(
    rules: Rules, q: int, values: NDArray[np.int16], status: NDArray[np.uint8], ordering: NDArray[np.bool_], known: F64
) -> float:
    """What it costs to have a chance that a clause will hold of an order yet to come."""
    item, o = rules.item[q], rules.observable[q]
    if o >= 0 and values[o] >= 0:
        return 0.0 if rules.allowed[q, values[o]] else np.inf
    if rules.unless[q]:
        return 0.0
    if item >= 0 and ordering[item]:
        return 0.0 if o >= 0 or rules.allowed[q, RESULT] else np.inf
    if o < 0 and rules.allowed[q, status[item]]:
        return 0.0
    return np.inf if item < 0 else known[item]


@part
def price_keys(
    rules: Rules, values: NDArray[np.int16], status: NDArray[np.uint8], failures: NDArray[np.uint8], price_gbp: F64,
    ordering: NDArray[np.bool_], met: int, known: F64, out: F64,
) -> None:  # fmt: skip
    """The cheapest orders after which each requirement of a decision might be met; inf where none can be given.

    A key is counted as if it surely fitted: how likely its result is to open anything is left to whoever weighs it. What
    waits for itself cannot be had.

    Args:
        rules: of the world.
        values: (O,) revealed in the journey.
        status: (I,)
        failures: (I,)
        price_gbp: (I,) of each item by itself.
        ordering: (I,) items that are about to be ordered: paid for, their results open what they open, and whatever
            waits for them may follow.
        met: the requirements that are met, as bits; what their keys cost is not looked at.
        known: (I,) to work in.
        out: (G,) pounds.
    """
    for i in range(known.shape[0]):
        known[i] = np.inf
    for _ in range(rules.items.shape[0]):
        moved = False
        for item in rules.items:
            again = status[item] == FAILED and failures[item] < rules.attempts[item]
            if not (status[item] == NOT_ORDERED or again):
                continue
            first, total = rules.item_group[item], 0.0
            for group in range(first, rules.item_group[item + 1]):
                best = np.inf
                for q in range(rules.group_clause[group], rules.group_clause[group + 1]):
                    best = min(best, _before(rules, q, values, status, ordering, known))
                total += best
            if price_gbp[item] + total < known[item]:
                known[item], moved = price_gbp[item] + total, True
        if not moved:
            break
    of_decisions = rules.item_group[rules.item_group.shape[0] - 1]
    for g in range(out.shape[0]):
        out[g] = np.inf
        if not met >> g & 1:
            for q in range(rules.group_clause[of_decisions + g], rules.group_clause[of_decisions + g + 1]):
                item = rules.item[q]
                if item >= 0 and not ordering[item]:
                    out[g] = min(out[g], known[item])

"""An upper bound from an easier problem: the results of cheap tests are free, three further looks are paid, then the state is free.

Worked out once for a presentation, in some ten milliseconds, it is what tens of thousands of expansions give; a long search
passes it. Cheap results come in one fixed order, so that no subsets or orders of them are gone through.

Valid: whoever follows a policy of the problem may ignore results not asked for and pays no more here. An item's price is its
least share of the cost of any action that contains it, in any mode, so the shares never add up to more than was paid;
requirements are dropped; all that acts bring beyond their cost is given at once, and decisions are worth what they are in the best mode; after the paid
looks free information less the cheapest price bounds whatever follows; and where the effort ends free information stands in.
Not where time is part of the state, nor where an act changes what a test shows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from workup.agents.planning.problem import F64, I64, Problem
from workup.agents.planning.source import SOURCE, Source
from workup.agents.planning.transitions import SUM, dot
from workup.envs.model.machine_code import njit

_CHEAP = 0.1
"""An item is free if it costs at most this share of what free information adds."""
_LOOKS = 3
_EFFORT = 60_000
"""Beliefs looked at."""
_SLACK = 1e-4
"""Share of what free information adds that is not worth a closer look."""


class Easier(NamedTuple):
    """The easier problem. n items, S coordinates, D decisions of all modes without repetition."""

    price: F64
    """(n, S) at least 0."""
    stop: F64
    """(D, S)"""
    is_free: I64
    """(n,)"""
    least: F64
    """(S,) lowest price of an item that is not free."""
    order: I64
    """(n,) items, those with most outcomes first."""
    source: Source = SOURCE


def root_upper(problem: Problem, *, cheap: float = _CHEAP, looks: int = _LOOKS, effort: int = _EFFORT) -> float:
    """No policy is worth more, in the problem's pounds; infinite where this bound does not apply."""
    n, v = len(problem.radix), problem.weights
    same = (problem.child_start == problem.child_start[:, :1]).all()
    if (
        not n
        or problem.clocked
        or len(problem.base)
        or not same
        or not (problem.child_count == problem.child_count[:, :1]).all()
    ):
        return math.inf
    stop = np.unique(problem.stop.reshape(-1, len(v)), axis=0)
    price = _prices(problem)
    known = problem.free.paid[0]
    best = float(known @ v)
    added = best - float((stop @ v).max())
    is_free = (price @ v <= cheap * added).astype(np.int64)
    orderable = problem.child_count[problem.first_digit, 0] > 0
    paid = (is_free == 0) & orderable
    easier = Easier(
        price=price,
        stop=np.ascontiguousarray(stop),
        is_free=is_free,
        least=price[paid].min(axis=0) if paid.any() else np.zeros(len(v)),
        order=np.argsort(-problem.child_count[problem.first_digit, 0], kind="stable").astype(np.int64),
    )
    return float((problem.free.benefit @ v).sum()) + _given(
        problem, easier, known, looks, _SLACK * added, np.array([effort])
    )


def _prices(problem: Problem) -> F64:
    """(n, S) each item's least share: a cost is shared in the proportion of what its items cost alone, or equally."""
    n, S = len(problem.radix), len(problem.weights)
    least = np.maximum(0.0, problem.cost.min(axis=1)) if len(problem.cost) else np.zeros((0, S))
    alone, price = np.ones((n, S)), np.full((n, S), np.inf)
    single = (problem.member >= 0).sum(axis=1) == 1
    for i in range(n):
        rows = np.flatnonzero(single & (problem.member[:, 0] == i))
        if len(rows):
            alone[i] = np.maximum(1e-9, least[rows].min(axis=0))
    for a, members in enumerate(problem.member):
        items = members[members >= 0]
        price[items] = np.minimum(price[items], least[a] * alone[items] / alone[items].sum(axis=0))
    return np.where(np.isfinite(price), price, 0.0)


@njit(cache=True, fastmath=SUM)
def _stop(e: Easier, v: F64) -> float:
    best = -np.inf
    for d in range(e.stop.shape[0]):
        best = max(best, dot(e.stop[d], v))
    return best


@njit(cache=True, fastmath=SUM)
def _follow(p: Problem, i: int, digit: int, v: F64, out: F64) -> None:
    """The belief after an item has shown a digit."""
    column = p.column[p.first_digit[i] + digit]
    for s in range(v.shape[0]):
        out[s] = v[s] * column[s]


@njit(cache=True, fastmath=SUM)
def _paid(p: Problem, e: Easier, known: F64, root: F64, at: I64, looks: int, slack: float, left: I64) -> float:
    """At most `looks` paid looks, then the state for the least price of any item; a tree gone through depth first."""
    n, S = at.shape[0], root.shape[0]
    v = np.empty((looks + 1, S))
    item, before, outcome = np.empty(looks + 1, np.int64), np.empty(looks + 1, np.int64), np.empty(looks + 1, np.int64)
    value, best, most, price = np.empty(looks + 1), np.empty(looks + 1), np.empty(looks + 1), np.empty(looks + 1)
    v[0] = root
    level, found, entering = 0, 0.0, True
    while True:
        if entering:
            stop, free = _stop(e, v[level]), dot(known, v[level])
            left[0] -= 1
            most[level] = free - dot(e.least, v[level])
            if free - stop <= slack:
                found, entering = max(free, stop), False
            elif most[level] <= stop:
                found, entering = stop, False
            elif level == looks or left[0] <= 0:
                found, entering = most[level], False
            if entering:
                best[level], item[level], entering = stop, -1, False
            else:
                level -= 1
                if level < 0:
                    return found
                value[level] += found
        i = item[level]
        if i >= 0:
            here = p.first_digit[i] + before[level]
            if outcome[level] < p.child_count[here, 0]:
                at[i] = p.child_start[here, 0] + outcome[level]
                outcome[level] += 1
                _follow(p, i, at[i], v[level], v[level + 1])
                level, entering = level + 1, True
                continue
            at[i] = before[level]
            best[level] = max(best[level], min(value[level], dot(known, v[level]) - price[level]))
        i += 1
        while i < n:
            if p.child_count[p.first_digit[i] + at[i], 0] > 0:
                price[level] = dot(e.price[i], v[level])
                if dot(known, v[level]) - price[level] > best[level]:
                    break
            i += 1
        if i < n:
            item[level], before[level], outcome[level], value[level] = i, at[i], 0, -price[level]
            continue
        found = min(best[level], most[level])
        level -= 1
        if level < 0:
            return found
        value[level] += found


@njit(cache=True, fastmath=SUM, nogil=True)
def _given(p: Problem, e: Easier, known: F64, looks: int, slack: float, left: I64) -> float:
    """The results of the free items one after another, retries too, then `_paid`; a tree gone through depth first."""
    n, S = p.radix.shape[0], p.weights.shape[0]
    deepest = p.radix.sum() + 2
    at = np.zeros(n, np.int64)
    v = np.empty((deepest, S))
    item, before, outcome = np.empty(deepest, np.int64), np.empty(deepest, np.int64), np.empty(deepest, np.int64)
    turn, value = np.zeros(deepest, np.int64), np.empty(deepest)
    v[0] = p.weights
    level, entering = 0, True
    while True:
        if entering:
            entering = False
            k = turn[level]
            while k < n and not (
                e.is_free[e.order[k]] and p.child_count[p.first_digit[e.order[k]] + at[e.order[k]], 0]
            ):
                k += 1
            stop, free = _stop(e, v[level]), dot(known, v[level])
            left[0] -= 1
            if free - stop <= slack or left[0] <= 0:
                found = max(free, stop)
            elif k == n:
                found = _paid(p, e, known, v[level], at, looks, slack, left)
            else:
                i = e.order[k]
                turn[level], item[level], before[level], outcome[level], value[level] = k, i, at[i], 0, 0.0
                found = np.nan
            if not np.isnan(found):
                level -= 1
                if level < 0:
                    return found
                value[level] += found
        i = item[level]
        here = p.first_digit[i] + before[level]
        if outcome[level] < p.child_count[here, 0]:
            at[i] = p.child_start[here, 0] + outcome[level]
            outcome[level] += 1
            _follow(p, i, at[i], v[level], v[level + 1])
            turn[level + 1] = turn[level]
            level, entering = level + 1, True
            continue
        at[i] = before[level]
        found = min(value[level], dot(known, v[level]))
        level -= 1
        if level < 0:
            return found
        value[level] += found

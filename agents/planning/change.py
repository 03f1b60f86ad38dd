"""What an order changes, from its tables: every joint outcome is walked through. Compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.parts import allocating, part, summing

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Walk(NamedTuple):
    """Tables of an order, as in `workup.agents.planning.order_tables.Ordered`."""

    counts: I64
    done: I64
    opens: I64
    hours: F64
    likelihood: F64
    credit: F64
    sway: F64
    now: F64
    difference: F64
    rate: F64


class Keyed(NamedTuple):
    """Which decisions are locked, and what a key costs."""

    needs: I64
    """(D,) the requirements of each decision, as bits."""
    first: I64
    """(D + 1,) the requirements of decision d are first[d] to first[d + 1] - 1."""
    key_gbp: F64
    """(G,) a locked decision counts at its worth less this for each requirement not met; inf: not at all."""


@summing
def inner(a: F64, b: F64) -> float:
    """Inner product."""
    total = 0.0
    for u in range(a.shape[0]):
        total += a[u] * b[u]
    return total


@part
def price_of_keys(keyed: Keyed, d: int, met: int) -> float:
    """What the requirements of a decision cost that are not met yet, pounds."""
    price = 0.0
    if keyed.needs[d] & ~met:
        for g in range(keyed.first[d], keyed.first[d + 1]):
            if not met >> g & 1:
                price += keyed.key_gbp[g]
    return price


@summing
def worth_of(now: F64, difference: F64, unprogressed: F64, moves: bool, out: F64) -> None:
    """(D, U) what decisions are worth if nothing has progressed with these chances (U,)."""
    for d in range(now.shape[0]):
        if moves:
            for u in range(now.shape[1]):
                out[d, u] = now[d, u] + difference[d, u] * unprogressed[u]
        else:
            for u in range(now.shape[1]):
                out[d, u] = now[d, u]


@summing
def best_of(weights: F64, mass: float, worth: F64, keyed: Keyed, met: int, more: F64) -> float:
    """Of the best decision; worth: (D, U), more: (D,) what acts that are done by then add to each, or (0,) if none do."""
    best = -np.inf
    for d in range(worth.shape[0]):
        price = price_of_keys(keyed, d, met)
        if price == np.inf:
            continue
        value = inner(weights, worth[d])
        if price > 0.0:
            value -= price * mass
        if more.shape[0]:
            value += more[d]
        best = max(best, value)
    return best


@summing
def _add_sway(weights: F64, unprogressed: F64, walk: Walk, start: I64, at: I64, out: F64) -> None:
    """(D,) what the acts among the outcomes `at` add to each decision."""
    for d in range(out.shape[0]):
        out[d] = 0.0
        for m in range(walk.sway.shape[0]):
            if walk.done[start[m] + at[m]]:
                for u in range(weights.shape[0]):
                    out[d] += weights[u] * (walk.sway[m, 0, d, u] + walk.sway[m, 1, d, u] * unprogressed[u])


@allocating
def change_of(weights: F64, unprogressed: F64, moves: bool, walk: Walk, keyed: Keyed, then: Keyed, met: int) -> float:
    """The expected worth of the best decision after an order less that of the best now, for a belief over classes of states.

    Walks the joint outcomes depth first, the belief of each prefix kept. The answer is multiplied by the sum of weights (U,);
    unprogressed: (U,) chance that nothing progressed yet; keyed, then: before and after the order; met: the requirements of
    decisions that are met, as bits.
    """
    M, U = walk.counts.shape[0], weights.shape[0]
    start, at = np.zeros(M + 1, np.int64), np.zeros(M, np.int64)
    for m in range(M):
        start[m + 1] = start[m] + walk.counts[m]
    belief, time = np.empty((M + 1, U)), np.zeros(M + 1)
    later, later_by, more = np.empty(U), 0.0, np.zeros(walk.sway.shape[2])
    worth, acting, whole = np.empty(walk.now.shape), False, 0.0
    for u in range(U):
        belief[0, u], later[u] = weights[u], unprogressed[u]
        whole += weights[u]
    for c in range(walk.done.shape[0]):
        acting |= walk.done[c] != 0
    worth_of(walk.now, walk.difference, later, moves, worth)
    total = -best_of(weights, whole, worth, keyed, met, more)
    level = 0
    while level >= 0:
        if at[level] == walk.counts[level]:
            at[level] = 0
            level -= 1
            if level >= 0:
                at[level] += 1
            continue
        cell = start[level] + at[level]
        mass = 0.0
        for u in range(U):
            belief[level + 1, u] = belief[level, u] * walk.likelihood[cell, u]
            mass += belief[level + 1, u]
        time[level + 1] = max(time[level], walk.hours[cell])
        if mass > 0.0 and level + 1 < M:
            level += 1
            continue
        if mass > 0.0:
            if moves and time[M] != later_by:
                later_by = float(time[M])
                for u in range(U):
                    if walk.rate[u] > 0.0:
                        later[u] = unprogressed[u] * np.exp(-walk.rate[u] * later_by)
                worth_of(walk.now, walk.difference, later, moves, worth)
            open_ = met
            for m in range(M):
                open_ |= walk.opens[start[m] + at[m]]
            if acting:
                _add_sway(belief[M], later, walk, start, at, more)
                for m in range(M):
                    if walk.done[start[m] + at[m]]:
                        for u in range(U):
                            total += belief[M, u] * (walk.credit[m, 0, u] + walk.credit[m, 1, u] * later[u])
            total += best_of(belief[M], mass, worth, then, open_, more)
        at[level] += 1
    return total

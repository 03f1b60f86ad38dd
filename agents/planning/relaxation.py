"""An upper bound on every information state that follows a given one, from tables of an easier problem.

The easier problem gives three things away. (1) The *block* of the hidden state (everything but
the condition) is told for free, so blocks are planned apart; so are states that hardly matter. (2) Cheap items keep
their outcomes, their costs and their rules, and so do some dear ones if ordered first; results that say the same
within a block are one. (3) Any other dear item tells everything. Each block then fits in a few arrays, swept
once backwards; giving away never lowers the value, so the sum over blocks is an upper bound. The search makes
tables anew at nodes whose gap is large: the fewer items are left, the more of them fit, and the closer the bound.

Symbols as in `problem`, and L blocks, K sets of tables.
Source: pattern databases, Culberson & Schaeffer, Computational Intelligence 1998; additive ones, Felner et al., JAIR 2004.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.transitions import SUM, mode_of

MAX_BLOCKS = 60
NONE = -1
LEAST_STAKE_GBP = 300.0
"""What planning for a patient may cost: a state matters at least this much times its probability."""


class Blocks(NamedTuple):
    """What tables need to know of a problem."""

    active: bool
    low: I64
    """(L + 1,) first coordinate of each block."""
    reach: F64
    """(G, S) likelihood of a digit from digit 0."""
    parent: I32
    """(G,) the digit it follows, -1 for digit 0."""
    single: I32
    """(n,) atomic action that orders the item alone from digit 0, or -1."""
    cost: F64
    """(X, A, S) lowest cost in this mode or one that may follow."""
    stop: F64
    """(X, D, S) highest utility likewise."""


class Tables(NamedTuple):
    """Sets of tables, each rooted at an information state."""

    used: I64
    """(2,) sets and cells in use."""
    root: I64
    """(K, n) digits of the root."""
    cheap: NDArray[np.bool_]
    """(K, n)"""
    kept: NDArray[np.bool_]
    """(K, S) states that are not told for free."""
    digit: I32
    """(K, L, G) merged digit, -1 if impossible in the block."""
    share: F64
    """(K, L, G) of a digit in the likelihood of its merged digit."""
    place: I64
    """(K, L, n) place value of a cheap item."""
    top: I64
    """(K, L) where the table of a block starts, before any dear item."""
    dear: I64
    """(K, L, G) at first_digit + merged digit: where the table after a dear item's outcome starts, -1: none."""
    cells: F64


def no_tables(p: Problem, blocks: Blocks, cells: int, sets: int) -> Tables:
    """Room for tables."""
    n, G, L = len(p.radix), len(p.column), len(blocks.low) - 1
    if not blocks.active:
        cells, sets = 0, 0
    return Tables(
        np.zeros(2, np.int64), np.zeros((sets, n), np.int64), np.zeros((sets, n), bool),
        np.zeros((sets, len(p.weights)), bool), np.zeros((sets, L, G), np.int32), np.zeros((sets, L, G)),
        np.zeros((sets, L, n), np.int64), np.zeros((sets, L), np.int64), np.zeros((sets, L, G), np.int64),
        np.empty(cells),
    )  # fmt: skip


def blocks_of(p: Problem, block: I32 | None) -> Blocks:
    """Prepare tables for a problem.

    Args:
        p: the problem; tables are used only if nothing progresses and no act changes what results mean.
        block: (S,) ascending integers; None: no tables.
    """
    n = len(p.radix)
    variants = n and (p.child_start != p.child_start[:, :1]).any()
    active = not (
        block is None or p.clocked or len(p.base) or variants or n == 0 or len(np.unique(block)) > MAX_BLOCKS
    )  # fmt: skip
    own = np.zeros(len(p.weights), np.int64)
    if active and block is not None:
        own = np.unique(block, return_inverse=True)[1].reshape(-1)
    low = np.searchsorted(own, np.arange(own.max() + 2)).astype(np.int64)
    reach, parent = _from_root(p)
    X = p.cost.shape[1]
    later = [[m for m in range(X) if m & mode == mode] for mode in range(X)]
    single = np.full(n, NONE, np.int32)
    for a in range(len(p.member)):
        if (p.member[a] >= 0).sum() == 1 and p.member_digit[a, 0] == 0:
            single[p.member[a, 0]] = a
    return Blocks(
        active, low, reach, parent, single, np.array([p.cost[:, modes].min(axis=1) for modes in later]),
        np.array([p.stop[modes].max(axis=0) for modes in later]),
    )  # fmt: skip


def _from_root(p: Problem) -> tuple[F64, I32]:
    reach, parent = np.ones_like(p.column), np.full(len(p.column), NONE, np.int32)
    for i in range(len(p.radix)):
        first = int(p.first_digit[i])
        for g in range(first, first + int(p.radix[i])):
            start = first + int(p.child_start[g, 0])
            for child in range(start, start + int(p.child_count[g, 0])):
                reach[child] = reach[g] * p.column[child]
                parent[child] = g
    return reach, parent


class _Merged(NamedTuple):
    """What says the same within each block, for one set of tables."""

    differing: I64
    """(L, n) digits that differ."""
    head: I32
    """(L, G) at first_digit + j: the first digit of merged digit j."""
    reach: F64
    """(G, S) likelihood from the root of all that say the same as a digit, at the first of them."""
    says: NDArray[np.bool_]
    """(L, n) whether results of the item mean anything in the block."""
    explicit: NDArray[np.bool_]
    """(n,) dear items that are told outcome by outcome if ordered first."""


@njit(cache=True, fastmath=SUM)
def _keep(p: Problem, m: Blocks, v: F64, mode: int, slack: float, kept: NDArray[np.bool_]) -> None:
    """Mark the states that matter: those left out are worth at most `slack` together."""
    best, which = -np.inf, 0
    for d in range(m.stop.shape[1]):
        total = 0.0
        for s in range(v.shape[0]):
            total += m.stop[mode, d, s] * v[s]
        if total > best:
            best, which = total, d
    loss = np.empty(v.shape[0])
    for s in range(v.shape[0]):
        loss[s] = v[s] * max(p.free[s] - m.stop[mode, which, s], LEAST_STAKE_GBP)
    spent = 0.0
    kept[:] = True
    for s in np.argsort(loss):
        spent += loss[s]
        if spent > slack:
            break
        kept[s] = False


@njit(cache=True, fastmath=SUM)
def _merge(p: Problem, m: Blocks, t: Tables, k: int, digits: I64) -> _Merged:
    L, n, G, S = m.low.shape[0] - 1, p.radix.shape[0], p.column.shape[0], p.weights.shape[0]
    count, head = np.zeros((L, n), np.int64), np.full((L, G), NONE, np.int32)
    reach, says = np.zeros((G, S)), np.zeros((L, n), np.bool_)
    digit, share, kept = t.digit[k], t.share[k], t.kept[k]
    normal = np.empty((G, S))
    for b in range(L):
        low, high = m.low[b], m.low[b + 1]
        for i in range(n):
            first = p.first_digit[i]
            if digits[i] != 0:
                continue
            for g in range(first, first + p.radix[i]):
                most, least = 0.0, np.inf
                for s in range(low, high):
                    if kept[s]:
                        most, least = max(most, m.reach[g, s]), min(least, m.reach[g, s])
                digit[b, g] = NONE
                if most <= 0.0:
                    continue
                if most - least > 1e-13:
                    says[b, i] = True
                for s in range(low, high):
                    normal[g, s] = m.reach[g, s] / most
                j = NONE
                if g > first and p.child_count[g, 0] == 0:
                    for h in range(first + 1, g):
                        if digit[b, h] < 0 or p.child_count[h, 0] > 0 or m.parent[h] != m.parent[g]:
                            continue
                        same = p.signature[h] == p.signature[g]
                        for s in range(low, high):
                            if kept[s] and abs(normal[h, s] - normal[g, s]) > 1e-12:
                                same = False
                                break
                        if same:
                            j = digit[b, h]
                            break
                if j < 0:
                    j = count[b, i]
                    count[b, i] += 1
                    head[b, first + j] = g
                digit[b, g] = j
                share[b, g] = most
                for s in range(low, high):
                    reach[head[b, first + j], s] += m.reach[g, s]
            for g in range(first, first + p.radix[i]):
                if digit[b, g] >= 0:
                    together = 0.0
                    for s in range(low, high):
                        if kept[s]:
                            together = max(together, reach[head[b, first + digit[b, g]], s])
                    share[b, g] /= together
    return _Merged(count, head, reach, says, np.zeros(n, np.bool_))


@njit(cache=True)
def _requirements_hold(p: Problem, owner: int, digits: I64, relaxed: NDArray[np.bool_]) -> bool:
    """As `transitions.holds`, but a group with a clause about a relaxed item is taken to hold."""
    for group in range(p.group_start[owner], p.group_start[owner + 1]):
        met = False
        for q in range(p.clause_start[group], p.clause_start[group + 1]):
            i = p.clause_item[q]
            met = met or relaxed[i] or p.clause_allows[p.clause_offset[q] + digits[i]]
        if not met:
            return False
    return True


@njit(cache=True, fastmath=SUM)
def make_tables(p: Problem, m: Blocks, t: Tables, digits: I64, v: F64, slack: float, budget: int) -> int:
    """Tables for all that may follow an information state; returns their number, or -1 if there is no room.

    slack: pounds that may be given away on states that hardly matter; budget: cells.
    """
    n, L = p.radix.shape[0], m.low.shape[0] - 1
    mode, k = mode_of(p, digits), t.used[0]
    if k >= t.root.shape[0] or t.used[1] + budget > t.cells.shape[0]:
        return -1
    t.used[0] += 1
    t.root[k] = digits
    t.dear[k] = -1
    _keep(p, m, v, mode, slack, t.kept[k])
    merged = _merge(p, m, t, k, digits)
    _choose(p, m, t, k, merged, digits, v, mode, budget)
    weights = np.zeros(v.shape[0])
    for b in range(L):
        at = np.flatnonzero(t.kept[k, m.low[b] : m.low[b + 1]]) + m.low[b]
        cells = 1
        for i in range(n):
            t.place[k, b, i] = 0
            if t.cheap[k, i]:
                t.place[k, b, i] = cells
                cells *= merged.differing[b, i]
        if at.shape[0] == 0:
            t.top[k, b] = -1
            continue
        for i in range(n):
            first = p.first_digit[i]
            if not merged.explicit[i] or not merged.says[b, i]:
                continue
            for j in range(1, merged.differing[b, i]):
                g = merged.head[b, first + j]
                for s in at:
                    weights[s] = v[s] * merged.reach[g, s]
                t.dear[k, b, first + j] = t.used[1]
                digits[i] = g - first
                _sweep(p, m, t, k, merged, b, at, digits, weights, mode, i, cells)
                digits[i] = 0
                t.used[1] += cells
        t.top[k, b] = t.used[1]
        for s in at:
            weights[s] = v[s]
        _sweep(p, m, t, k, merged, b, at, digits, weights, mode, -1, cells)
        t.used[1] += cells
    return k


@njit(cache=True, fastmath=SUM)
def _choose(
    p: Problem, m: Blocks, t: Tables, k: int, merged: _Merged, digits: I64, v: F64, mode: int, budget: int
) -> None:
    """The cheapest items are told outcome by outcome always; the next, if ordered first; within `budget` cells."""
    n = p.radix.shape[0]
    price = np.full(n, np.inf)
    for i in range(n):
        if digits[i] == 0 and m.single[i] >= 0:
            price[i] = 0.0
            for s in range(v.shape[0]):
                price[i] += m.cost[mode, m.single[i], s] * v[s]
    cheap, explicit = t.cheap[k], merged.explicit
    cheap[:] = False
    order = np.argsort(price)
    for i in order:
        if price[i] < np.inf:
            cheap[i] = True
            if _size(merged, cheap, explicit) > budget // 4:
                cheap[i] = False
    for i in order:
        if price[i] < np.inf and not cheap[i]:
            explicit[i] = True
            if _size(merged, cheap, explicit) > budget:
                explicit[i] = False


@njit(cache=True)
def _size(merged: _Merged, cheap: NDArray[np.bool_], explicit: NDArray[np.bool_]) -> float:
    total = 0.0
    for b in range(merged.differing.shape[0]):
        cells, dear = 1.0, 1.0
        for i in range(cheap.shape[0]):
            if cheap[i]:
                cells *= merged.differing[b, i]
            elif explicit[i] and merged.says[b, i]:
                dear += merged.differing[b, i] - 1
        total += cells * dear
    return total


@njit(cache=True, fastmath=SUM)
def _sweep(
    p: Problem, m: Blocks, t: Tables, k: int, merged: _Merged, b: int, kept: I64, root: I64, weights: F64, mode: int,
    dear: int, cells: int,
) -> None:  # fmt: skip
    """Fill one table; `dear` is the item whose outcome is in the root's digits, after which the next tells all."""
    W, n, A = kept.shape[0], root.shape[0], p.member.shape[0]
    cheap, place = t.cheap[k], t.place[k, b]
    items = np.flatnonzero(cheap)[::-1]
    relaxed = np.array([not cheap[i] and t.root[k, i] == 0 and i != dear for i in range(n)])
    every = np.empty((p.stop.shape[1], W))
    for d in range(p.stop.shape[1]):
        for s in range(W):
            every[d, s] = m.stop[mode, d, kept[s]]
    stop = _useful(every)
    D = stop.shape[0]
    cost, free = np.empty((A, W)), np.empty(W)
    for s in range(W):
        free[s] = p.free[kept[s]]
        for a in range(A):
            cost[a, s] = m.cost[mode, a, kept[s]]
    ruled = p.group_start[1:] > p.group_start[:-1]
    first_child, children = _merged_children(p, t.digit[k, b])
    # What each action is: 1 among cheap items, 2 a dear item told outcome by outcome, 3 one that tells all.
    kind = np.zeros(A, np.int64)
    for a in range(A):
        kind[a] = 1
        for x in range(p.member.shape[1]):
            i = p.member[a, x]
            if i < 0:
                break
            if not cheap[i]:
                if p.member_digit[a, x] != root[i] or p.child_count[p.first_digit[i] + root[i], 0] == 0:
                    kind[a] = 0  # has been ordered
                    break
                kind[a] = 3
        alone = p.member.shape[1] == 1 or p.member[a, 1] < 0
        if kind[a] > 1 and alone:
            i = p.member[a, 0]
            if not merged.says[b, i] and root[i] == 0 and cost[a].min() >= 0.0 and not _sets_mode(p, i):
                kind[a] = 0
            elif dear < 0 and merged.explicit[i] and merged.says[b, i]:
                kind[a] = 2
    start = t.used[1]
    values = t.cells
    digits = root.copy()
    at = np.zeros(n, np.int64)
    for i in items:
        at[i] = merged.differing[b, i] - 1
    N = items.shape[0]
    partial = np.empty((N + 1, W))
    for s in range(W):
        partial[0, s] = weights[kept[s]]
    reach = np.empty((p.column.shape[0], W))
    for i in items:
        for j in range(merged.differing[b, i]):
            g = merged.head[b, p.first_digit[i] + j]
            for s in range(W):
                reach[g, s] = merged.reach[g, kept[s]]
    level = 0
    outcome = np.zeros(p.member.shape[1], np.int64)
    for code in range(cells - 1, -1, -1):
        for j in range(level, N):
            i = items[j]
            g = merged.head[b, p.first_digit[i] + at[i]]
            digits[i] = g - p.first_digit[i]
            for s in range(W):
                partial[j + 1, s] = partial[j, s] * reach[g, s]
        v = partial[N]
        best = -np.inf
        if not ruled[n] or _requirements_hold(p, n, digits, relaxed):
            for d in range(D):
                total = 0.0
                for s in range(W):
                    total += stop[d, s] * v[s]
                best = max(best, total)
        for a in range(A):
            if kind[a] == 0:
                continue
            legal, M = True, 0
            while p.member.shape[1] > M and p.member[a, M] >= 0:
                i = p.member[a, M]
                if digits[i] != p.member_digit[a, M] or p.child_count[p.first_digit[i] + digits[i], 0] == 0:
                    legal = False
                    break
                M += 1
            if not legal:
                continue
            total = 0.0
            for s in range(W):
                total -= cost[a, s] * v[s]
            if kind[a] == 3:
                for s in range(W):
                    total += free[s] * v[s]
            elif kind[a] == 2:
                i = p.member[a, 0]
                first = p.first_digit[i]
                for j in range(first_child[first], first_child[first] + children[first]):
                    total += values[t.dear[k, b, first + j] + code]
            else:
                outcome[:M] = 0
                while True:
                    child = code
                    for x in range(M):
                        i = p.member[a, x]
                        here = p.first_digit[i] + digits[i]
                        child += (first_child[here] + outcome[x] - at[i]) * place[i]
                    total += values[start + child]
                    x = M - 1
                    while x >= 0:
                        i = p.member[a, x]
                        outcome[x] += 1
                        if outcome[x] < children[p.first_digit[i] + digits[i]]:
                            break
                        outcome[x] = 0
                        x -= 1
                    if x < 0:
                        break
            if total <= best:
                continue
            for x in range(p.other.shape[1]):
                i = p.other[a, x]
                if i >= 0 and not relaxed[i] and digits[i] == 0:
                    legal = False
            for x in range(M):
                if legal and ruled[p.member[a, x]]:
                    legal = _requirements_hold(p, p.member[a, x], digits, relaxed)
            if legal:
                best = total
        if best == -np.inf:
            best = 0.0
            for s in range(W):
                best += free[s] * v[s]
        values[start + code] = best
        level = N - 1
        while level >= 0 and at[items[level]] == 0:
            at[items[level]] = merged.differing[b, items[level]] - 1
            level -= 1
        if level >= 0:
            at[items[level]] -= 1


@njit(cache=True)
def _useful(rows: F64) -> F64:
    """The rows that no other one matches everywhere."""
    D = rows.shape[0]
    kept = np.ones(D, np.bool_)
    for j in range(D):
        for k in range(D):
            if k != j and kept[k] and (rows[k] >= rows[j]).all():
                kept[j] = False
                break
    return rows[kept]


@njit(cache=True)
def _sets_mode(p: Problem, i: int) -> bool:
    for g in range(p.first_digit[i], p.first_digit[i] + p.radix[i]):
        if p.digit_mode[g] != 0:
            return True
    return False


@njit(cache=True)
def _merged_children(p: Problem, digit: I32) -> tuple[I64, I64]:
    """(G,) merged digit of the first outcome of ordering again from a digit, and how many there are; contiguous."""
    G = p.column.shape[0]
    first_child, children = np.zeros(G, np.int64), np.zeros(G, np.int64)
    for i in range(p.radix.shape[0]):
        first = p.first_digit[i]
        for g in range(first, first + p.radix[i]):
            least, most = G, -1
            for c in range(first + p.child_start[g, 0], first + p.child_start[g, 0] + p.child_count[g, 0]):
                if digit[c] >= 0:
                    least, most = min(least, digit[c]), max(most, digit[c])
            if most >= 0:
                first_child[g], children[g] = least, most - least + 1
    return first_child, children


@njit(cache=True, fastmath=SUM)
def table_bound(p: Problem, m: Blocks, t: Tables, k: int, digits: I64, v: F64) -> float:
    """Upper bound on the value of an information state that follows the root of tables `k`; infinite if unknown."""
    n, which = digits.shape[0], -1
    for i in range(n):
        if digits[i] != t.root[k, i] and not t.cheap[k, i]:
            if which >= 0 or t.root[k, i] != 0:
                return np.inf
            which = i
    total = 0.0
    for s in range(v.shape[0]):
        if not t.kept[k, s]:
            total += p.free[s] * v[s]
    for b in range(m.low.shape[0] - 1):
        if t.top[k, b] < 0:
            continue
        index, factor, table = 0, 1.0, t.top[k, b]
        for i in range(n):
            if t.cheap[k, i] or i == which:
                g = p.first_digit[i] + digits[i]
                digit = t.digit[k, b, g]
                if digit < 0:
                    factor = 0.0
                    break
                if i == which:
                    table = t.dear[k, b, p.first_digit[i] + digit]
                factor *= t.share[k, b, g]
                index += t.place[k, b, i] * digit
        if factor == 0.0:
            continue
        if table < 0:  # not told outcome by outcome, or tells nothing here
            for s in range(m.low[b], m.low[b + 1]):
                if t.kept[k, s]:
                    total += p.free[s] * v[s]
            continue
        total += factor * t.cells[table + index]
    return total

"""An upper bound on every information state that follows a given one, from tables of an easier problem.

The easier problem gives three things away. (1) The *block* of the hidden state (everything but the condition) is told
for free, so blocks are planned apart. (2) Cheap items keep their outcomes, their costs and their rules, and so does
the first dear item that is ordered; results that say the same within a block are one. (3) The second dear item
tells everything. Each block then fits in a few arrays, swept once backwards; giving away never lowers the value, so
the sum over blocks is an upper bound. The search makes tables anew at nodes whose gap is large: the
fewer items are left, the more of them fit, and the closer the bound.

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
MAX_TABLES = 4_000
NONE = -1


class Merged(NamedTuple):
    """What of a problem is the same within a block: made once for a problem."""

    active: bool
    low: I64
    """(L + 1,) first coordinate of each block."""
    count: I64
    """(L, n) digits that differ."""
    digit: I32
    """(L, G) merged digit, -1 if impossible in the block."""
    head: I32
    """(L, G) at first_digit + j: the first digit of merged digit j."""
    share: F64
    """(L, G) of a digit in the likelihood of its merged digit."""
    reach: F64
    """(G, S) likelihood from the root of all that say the same as a digit, at the first of them."""
    single: I32
    """(n,) atomic action that orders the item alone from digit 0, or -1."""
    silent: NDArray[np.bool_]
    """(L, A) single orders whose results mean nothing in a block, that change nothing and gain nothing."""
    cost: F64
    """(X, A, S) lowest cost in this mode or one that may follow."""
    stop: F64
    """(X, D, S) highest utility likewise."""
    useful: NDArray[np.bool_]
    """(X, L, D) decisions that no other one matches throughout a block."""


class Tables(NamedTuple):
    """Sets of tables, each rooted at an information state."""

    used: I64
    """(2,) sets and cells in use."""
    root: I64
    """(K, n) digits of the root."""
    cheap: NDArray[np.bool_]
    """(K, n)"""
    place: I64
    """(K, L, n) place value of a cheap item."""
    top: I64
    """(K, L) where the table of a block starts, before any dear item."""
    dear: I64
    """(K, L, G) where the table after a dear item's outcome starts, -1: none."""
    cells: F64


def no_tables(p: Problem, cells: int = 0) -> Tables:
    """Room for tables."""
    sets = MAX_TABLES if cells else 0
    n, G = len(p.radix), len(p.column)
    L = MAX_BLOCKS if cells else 0
    return Tables(
        np.zeros(2, np.int64), np.zeros((sets, n), np.int64), np.zeros((sets, n), bool), np.zeros((sets, L, n), np.int64),
        np.zeros((sets, L), np.int64), np.zeros((sets, L, G), np.int64), np.empty(cells),
    )  # fmt: skip


def merge(p: Problem, block: I32 | None) -> Merged:
    """Find what is the same within each block.

    Args:
        p: the problem; tables are used only if nothing progresses and no act changes what results mean.
        block: (S,) ascending integers; None: no tables.
    """
    n, S, G, A = len(p.radix), len(p.weights), len(p.column), len(p.member)
    variants = n and (p.child_start != p.child_start[:, :1]).any()
    if block is None or p.clocked or len(p.base) or variants or n == 0 or len(np.unique(block)) > MAX_BLOCKS:
        nothing, flags = np.zeros((0, 0)), np.zeros((0, 0), bool)
        return Merged(
            False, np.zeros(1, np.int64), np.zeros((0, n), np.int64), np.zeros((0, 0), np.int32),
            np.zeros((0, 0), np.int32), nothing, nothing, np.full(n, NONE, np.int32), flags, np.zeros((0, 0, 0)),
            np.zeros((0, 0, 0)), np.zeros((0, 0, 0), bool),
        )  # fmt: skip
    own = np.asarray(np.unique(block, return_inverse=True)[1]).ravel()
    L = int(own.max()) + 1
    low = np.searchsorted(own, np.arange(L + 1)).astype(np.int64)
    reach, parent = _from_root(p)
    count, digit, head = np.zeros((L, n), np.int64), np.full((L, G), NONE, np.int32), np.full((L, G), NONE, np.int32)
    share, together = np.zeros((L, G)), np.zeros((G, S))
    for b in range(L):
        at = slice(int(low[b]), int(low[b + 1]))
        for i in range(n):
            first, seen = int(p.first_digit[i]), {}
            for g in range(first, first + int(p.radix[i])):
                column = reach[g, at]
                if column.max() <= 0.0:
                    continue
                alike = (np.round(column / column.max(), 12) + 0.0).tobytes()
                alone = g == first or p.child_count[g].any()
                j = seen.setdefault((g,) if alone else (int(parent[g]), int(p.signature[g]), alike), len(seen))
                digit[b, g] = j
                if head[b, first + j] < 0:
                    head[b, first + j] = g
                together[head[b, first + j], at] += column
            count[b, i] = len(seen)
            for g in range(first, first + int(p.radix[i])):
                if digit[b, g] >= 0:
                    share[b, g] = reach[g, at].max() / together[head[b, first + digit[b, g]], at].max()
    X = p.cost.shape[1]
    later = [[m for m in range(X) if m & mode == mode] for mode in range(X)]
    cost = np.array([p.cost[:, modes].min(axis=1) for modes in later])
    stop = np.array([p.stop[modes].max(axis=0) for modes in later])
    useful = np.array([[_useful(stop[m][:, low[b] : low[b + 1]]) for b in range(L)] for m in range(X)])
    single = np.full(n, NONE, np.int32)
    silent = np.zeros((L, A), bool)
    for a in range(A):
        item = int(p.member[a, 0])
        if (p.member[a] >= 0).sum() > 1:
            continue
        if p.member_digit[a, 0] == 0:
            single[item] = a
        rows = slice(int(p.first_digit[item]), int(p.first_digit[item] + p.radix[item]))
        for b in range(L):
            at = slice(int(low[b]), int(low[b + 1]))
            says = np.ptp(p.column[rows, at], axis=1).max() > 1e-15
            silent[b, a] = not says and not p.digit_mode[rows].any() and bool((cost[0][a, at] >= 0.0).all())
    return Merged(True, low, count, digit, head, share, together, single, silent, cost, stop, useful)


def _from_root(p: Problem) -> tuple[F64, I32]:
    """(G, S) likelihood of each digit from digit 0, and (G,) the digit it follows."""
    reach, parent = np.ones_like(p.column), np.full(len(p.column), NONE, np.int32)
    for i in range(len(p.radix)):
        first = int(p.first_digit[i])
        for g in range(first, first + int(p.radix[i])):
            start = first + int(p.child_start[g, 0])
            for child in range(start, start + int(p.child_count[g, 0])):
                reach[child] = reach[g] * p.column[child]
                parent[child] = g
    return reach, parent


def _useful(rows: F64) -> NDArray[np.bool_]:
    kept = np.ones(len(rows), bool)
    for j in range(len(rows)):
        kept[j] = not any(kept[k] and k != j and (rows[k] >= rows[j]).all() for k in range(len(rows)))
    return kept


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
def make_tables(p: Problem, m: Merged, t: Tables, digits: I64, v: F64, budget: int) -> int:
    """Tables for all that may follow an information state; returns their number, or -1 if there is no room."""
    n, L = p.radix.shape[0], m.low.shape[0] - 1
    mode = mode_of(p, digits)
    k = t.used[0]
    cheap = _choose_cheap(p, m, digits, v, mode, budget)
    size = _size(p, m, digits, cheap)
    if k >= t.root.shape[0] or t.used[1] + size > t.cells.shape[0]:
        return -1
    t.used[0] += 1
    t.root[k] = digits
    t.cheap[k] = cheap
    t.dear[k] = -1
    weights = v.copy()
    for b in range(L):
        cells = 1
        for i in range(n):
            t.place[k, b, i] = 0
            if cheap[i]:
                t.place[k, b, i] = cells
                cells *= m.count[b, i]
        for i in range(n):
            first = p.first_digit[i]
            if cheap[i] or digits[i] != 0 or m.single[i] < 0 or m.silent[b, m.single[i]]:
                continue
            for j in range(1, m.count[b, i]):
                g = m.head[b, first + j]
                for s in range(m.low[b], m.low[b + 1]):
                    weights[s] = v[s] * m.reach[g, s]
                t.dear[k, b, g] = t.used[1]
                digits[i] = g - first
                _sweep(p, m, t, k, b, digits, weights, mode, i, cells)
                digits[i] = 0
                t.used[1] += cells
        t.top[k, b] = t.used[1]
        for s in range(m.low[b], m.low[b + 1]):
            weights[s] = v[s]
        _sweep(p, m, t, k, b, digits, weights, mode, -1, cells)
        t.used[1] += cells
    return k


@njit(cache=True, fastmath=SUM)
def _choose_cheap(p: Problem, m: Merged, digits: I64, v: F64, mode: int, budget: int) -> NDArray[np.bool_]:
    n = p.radix.shape[0]
    price = np.full(n, np.inf)
    for i in range(n):
        if digits[i] == 0 and m.single[i] >= 0:
            price[i] = 0.0
            for s in range(v.shape[0]):
                price[i] += m.cost[mode, m.single[i], s] * v[s]
    cheap = np.zeros(n, np.bool_)
    for i in np.argsort(price):
        if price[i] < np.inf:
            cheap[i] = True
            if _size(p, m, digits, cheap) > budget:
                cheap[i] = False
    return cheap


@njit(cache=True)
def _size(p: Problem, m: Merged, digits: I64, cheap: NDArray[np.bool_]) -> int:
    total = 0.0
    for b in range(m.low.shape[0] - 1):
        cells, dear = 1.0, 1.0
        for i in range(p.radix.shape[0]):
            if cheap[i]:
                cells *= m.count[b, i]
            elif digits[i] == 0:
                dear += m.count[b, i] - 1
        total += cells * dear
    return np.int64(min(total, 1e15))


@njit(cache=True, fastmath=SUM)
def _sweep(
    p: Problem, m: Merged, t: Tables, k: int, b: int, root: I64, weights: F64, mode: int, dear: int, cells: int
) -> None:
    """Fill one table; `dear` is the item whose outcome is in the root's digits, after which the next tells all."""
    low, high = m.low[b], m.low[b + 1]
    W, n, A = high - low, root.shape[0], p.member.shape[0]
    cheap, place = t.cheap[k], t.place[k, b]
    items = np.flatnonzero(cheap)[::-1]
    relaxed = np.array([not cheap[i] and t.root[k, i] == 0 and i != dear for i in range(n)])
    stop = np.empty((p.stop.shape[1], W))
    D = 0
    for d in range(p.stop.shape[1]):
        if m.useful[mode, b, d]:
            stop[D] = m.stop[mode, d, low:high]
            D += 1
    cost = np.ascontiguousarray(m.cost[mode][:, low:high])
    free = p.free[low:high]
    ruled = p.group_start[1:] > p.group_start[:-1]
    first_child, children = _merged_children(p, m, b)
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
            if m.silent[b, a]:
                kind[a] = 0
            elif dear < 0 and root[p.member[a, 0]] == 0:
                kind[a] = 2
    start = t.used[1]
    values = t.cells
    digits = root.copy()
    at = np.zeros(n, np.int64)
    for i in items:
        at[i] = m.count[b, i] - 1
    N = items.shape[0]
    partial = np.empty((N + 1, W))
    partial[0] = weights[low:high]
    level = 0
    outcome = np.zeros(p.member.shape[1], np.int64)
    for code in range(cells - 1, -1, -1):
        for j in range(level, N):
            i = items[j]
            g = m.head[b, p.first_digit[i] + at[i]]
            digits[i] = g - p.first_digit[i]
            for s in range(W):
                partial[j + 1, s] = partial[j, s] * m.reach[g, low + s]
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
            while M < p.member.shape[1] and p.member[a, M] >= 0:
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
                for j in range(1, m.count[b, i]):
                    g = m.head[b, p.first_digit[i] + j]
                    child = g - p.first_digit[i] - p.child_start[p.first_digit[i], 0]
                    if 0 <= child < p.child_count[p.first_digit[i], 0]:
                        total += values[t.dear[k, b, g] + code]
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
            at[items[level]] = m.count[b, items[level]] - 1
            level -= 1
        if level >= 0:
            at[items[level]] -= 1


@njit(cache=True)
def _merged_children(p: Problem, m: Merged, b: int) -> tuple[I64, I64]:
    """(G,) merged digit of the first outcome of ordering again from a digit, and how many there are; contiguous."""
    G = p.column.shape[0]
    first_child, children = np.zeros(G, np.int64), np.zeros(G, np.int64)
    for i in range(p.radix.shape[0]):
        first = p.first_digit[i]
        for g in range(first, first + p.radix[i]):
            least, most = G, -1
            for c in range(first + p.child_start[g, 0], first + p.child_start[g, 0] + p.child_count[g, 0]):
                if m.digit[b, c] >= 0:
                    least, most = min(least, m.digit[b, c]), max(most, m.digit[b, c])
            if most >= 0:
                first_child[g], children[g] = least, most - least + 1
    return first_child, children


@njit(cache=True, fastmath=SUM)
def table_bound(p: Problem, m: Merged, t: Tables, k: int, digits: I64) -> float:
    """Upper bound on the value of an information state that follows the root of tables `k`; infinite if unknown."""
    n, which = digits.shape[0], -1
    for i in range(n):
        if digits[i] != t.root[k, i] and not t.cheap[k, i]:
            if which >= 0 or t.root[k, i] != 0:
                return np.inf
            which = i
    total = 0.0
    for b in range(m.low.shape[0] - 1):
        index, factor = 0, 1.0
        for i in range(n):
            if t.cheap[k, i] or i == which:
                g = p.first_digit[i] + digits[i]
                if m.digit[b, g] < 0:
                    factor = 0.0
                    break
                factor *= m.share[b, g]
                index += t.place[k, b, i] * m.digit[b, g]
        if factor == 0.0:
            continue
        table = t.top[k, b]
        if which >= 0:
            first = p.first_digit[which]
            table = t.dear[k, b, m.head[b, first + m.digit[b, first + digits[which]]]]
            if table < 0:  # the outcome says nothing in this block
                g = first + digits[which]
                table = t.top[k, b]
                factor *= m.reach[m.head[b, first + m.digit[b, g]], m.low[b]]
        total += factor * t.cells[table + index]
    return total

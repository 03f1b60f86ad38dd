"""An upper bound on every information state, from tables of an easier problem.

The easier problem gives three things away. (1) The *block* of the hidden state (everything but the condition) is told
for free, so blocks are planned apart. (2) Cheap items keep their outcomes, their costs and their rules, and so does
the first dear item that is ordered; results that say the same within a block are one. (3) The second dear item
tells everything. Each block then fits in a few arrays, swept once backwards; giving away never lowers the value, so
the sum over blocks is an upper bound.

Source: pattern databases, Culberson & Schaeffer, Computational Intelligence 1998; additive ones, Felner et al., JAIR 2004.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.transitions import SUM

CELLS = 2_000_000
"""Entries of all tables together, unless asked otherwise."""
MAX_BLOCKS = 60


class Relaxation(NamedTuple):
    """Tables and how to find an information state in them. L blocks, n items, G digits, S coordinates."""

    active: bool
    low: I64
    """(L + 1,) first coordinate of each block."""
    cheap: NDArray[np.bool_]
    """(n,)"""
    useless: NDArray[np.bool_]
    """(L, A) actions that can tell, change and gain nothing in a block."""
    single: I32
    """(n,) atomic action that orders the item alone from digit 0, or -1."""
    place: I64
    """(L, n) place value of a cheap item in a block's table."""
    digit: I32
    """(L, G) the first digit of the item that says the same in a block, -1 if impossible there."""
    index: I32  # type: ignore[assignment]
    """(L, G) its number among them: the digit of a block's table."""
    scale: F64
    """(L, G) share of a digit in the likelihood of all that say the same."""
    merged: F64
    """(G, S) likelihood, given the digit before, of all that say the same as a digit in the coordinate's block."""
    start: I64
    """(L,) where a block's table starts in `top`."""
    top: F64
    reach: F64
    """(G, S) likelihood from the root of all that say the same as a digit."""
    dear: I64
    """(L, G) where the table of a dear item's outcome starts in `tables`, -1: none."""
    tables: F64


def relax(problem: Problem, block: I32 | None, cells: int = CELLS) -> Relaxation:
    """Tables for a problem whose coordinates come block after block.

    Args:
        problem: the problem; blocks are used only if nothing progresses and no act changes what results mean.
        block: (S,) ascending small integers; None: no tables.
        cells: entries of all tables together.
    """
    n = len(problem.radix)
    variants = n and (problem.child_start != problem.child_start[:, :1]).any()
    if block is None or problem.clocked or len(problem.base) or variants or n == 0 or len(set(block)) > MAX_BLOCKS:
        return _inactive(problem)
    return _Builder(problem, block, cells).build()


def _inactive(p: Problem) -> Relaxation:
    n = len(p.radix)
    none, wide = np.zeros(0), np.zeros((0, 0))
    return Relaxation(
        False, np.zeros(1, np.int64), np.zeros(n, bool), np.zeros((0, 0), bool), np.full(n, -1, np.int32), np.zeros((0, n), np.int64),
        np.zeros((0, 0), np.int32), np.zeros((0, 0), np.int32), wide, wide, np.zeros(0, np.int64), none, wide,
        np.zeros((0, 0), np.int64), none,
    )  # fmt: skip


class _Builder:
    def __init__(self, problem: Problem, block: I32, cells: int) -> None:
        p = self.p = problem
        self.cells = cells
        self.block = np.asarray(np.unique(block, return_inverse=True)[1], np.int32).ravel()
        self.blocks = int(self.block.max()) + 1
        self.n, self.S = len(p.radix), len(p.weights)
        self.cost = p.cost.min(axis=1)
        self.stop = p.stop.max(axis=0)
        self.single = np.full(self.n, -1, np.int32)
        for a in range(len(p.member)):
            if (p.member[a] >= 0).sum() == 1 and p.member_digit[a, 0] == 0:
                self.single[p.member[a, 0]] = a
        self.reach = np.ones_like(p.column)
        for i in range(self.n):
            for d in range(int(p.radix[i])):
                g = int(p.first_digit[i]) + d
                start, count = int(p.child_start[g, 0]), int(p.child_count[g, 0])
                for c in range(start, start + count):
                    child = int(p.first_digit[i]) + c
                    self.reach[child] = self.reach[g] * p.column[child]
        self.merged = [self._merge(i) for i in range(self.n)]
        self.silent = self._silent()
        opens = np.array([bool(np.isin(p.member[a], p.clause_item).any()) for a in range(len(p.member))])
        self.useless = self.silent & ~opens

    def build(self) -> Relaxation:
        """Choose the cheap items, then sweep a table for every group and block."""
        cheap = self._choose_cheap()
        place = np.zeros((self.blocks, self.n), np.int64)
        sizes = np.ones(self.blocks, np.int64)
        for i in np.flatnonzero(cheap):
            for b in range(self.blocks):
                place[b, i] = sizes[b]
                sizes[b] *= self.merged[i][2][b]
        digit = np.concatenate([self.merged[i][0] for i in range(self.n)], axis=1)
        scale = np.concatenate([self.merged[i][1] for i in range(self.n)], axis=1)
        start = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        top, tables, dear = self._sweeps(cheap, place, sizes, digit, start)
        first_alike, together, reach = self._alike(digit)
        low = np.searchsorted(self.block, np.arange(self.blocks + 1)).astype(np.int64)
        return Relaxation(
            True, low, cheap, self.useless, self.single, place, first_alike, digit, scale, together, start, top, reach, dear,
            tables,
        )  # fmt: skip

    def _alike(self, digit: I32) -> tuple[I32, F64, F64]:
        """First digit alike (L, G), and the likelihood of all alike given the digit before and from the root (G, S)."""
        p = self.p
        first_alike = np.full_like(digit, -1)
        merged, reach = np.zeros_like(p.column), np.zeros_like(p.column)
        for i in range(self.n):
            first = int(p.first_digit[i])
            for b in range(self.blocks):
                at = self.block == b
                seen: dict[int, int] = {}
                for d in range(int(p.radix[i])):
                    m = int(digit[b, first + d])
                    if m >= 0:
                        head = seen.setdefault(m, d)
                        first_alike[b, first + d] = head
                        merged[first + head, at] += p.column[first + d, at]
                        reach[first + head, at] += self.reach[first + d, at]
        return first_alike, merged, reach

    # -- digits -----------------------------------------------------------------------------------------------

    def _merge(self, item: int) -> tuple[I32, F64, list[int]]:
        """Merged digit and share of each digit of an item, (blocks, digits), and how many there are, by block."""
        p = self.p
        first, radix = int(p.first_digit[item]), int(p.radix[item])
        digit = np.full((self.blocks, radix), -1, np.int32)
        scale = np.zeros((self.blocks, radix))
        counts = []
        parent = self._parents(item)
        for b in range(self.blocks):
            at = np.flatnonzero(self.block == b)
            seen: dict[object, int] = {}
            totals: list[float] = []
            for d in range(radix):
                column = self.reach[first + d, at]
                if column.max() <= 0.0:
                    continue
                normal = (np.round(column / column.max(), 12) + 0.0).tobytes()
                has_children = bool(p.child_count[first + d].any())
                key = (d,) if has_children or d == 0 else (parent[d], int(p.signature[first + d]), normal)
                if key not in seen:
                    seen[key] = len(totals)
                    totals.append(0.0)
                digit[b, d] = seen[key]
                totals[seen[key]] += column.max()
            for d in range(radix):
                if digit[b, d] >= 0:
                    scale[b, d] = self.reach[first + d, at].max() / totals[digit[b, d]]
            counts.append(len(totals))
        return digit, scale, counts

    def _silent(self) -> NDArray[np.bool_]:
        """(L, A) single orders whose results mean nothing in a block, that change nothing and gain nothing."""
        p = self.p
        silent = np.zeros((self.blocks, len(p.member)), bool)
        for a in range(len(p.member)):
            item = int(p.member[a, 0])
            rows = slice(int(p.first_digit[item]), int(p.first_digit[item] + p.radix[item]))
            if (p.member[a] >= 0).sum() > 1 or p.digit_mode[rows].any():
                continue
            for b in range(self.blocks):
                at = np.flatnonzero(self.block == b)
                says_nothing = bool((np.ptp(p.column[rows][:, at], axis=1) < 1e-15).all())
                silent[b, a] = says_nothing and bool((self.cost[a, at] >= 0.0).all())
        return silent

    def _parents(self, item: int) -> list[int]:
        p = self.p
        first, radix = int(p.first_digit[item]), int(p.radix[item])
        parent = [-1] * radix
        for d in range(radix):
            start, count = int(p.child_start[first + d, 0]), int(p.child_count[first + d, 0])
            for c in range(start, start + count):
                parent[c] = d
        return parent

    # -- which items are cheap, which states a dear item can hardly tell apart ----------------------------------

    def _choose_cheap(self) -> NDArray[np.bool_]:
        """The cheapest items whose tables, with one for each outcome of every other item, stay within `cells`."""
        p = self.p
        price = np.array([
            float(self.cost[self.single[i]] @ p.weights) if self.single[i] >= 0 else np.inf for i in range(self.n)
        ])  # fmt: skip
        counts = np.array([m[2] for m in self.merged], float).reshape(self.n, self.blocks)
        cheap = np.zeros(self.n, bool)
        for i in np.argsort(price):
            cheap[i] = True
            size = counts[cheap].prod(axis=0) * (1.0 + (counts[~cheap] - 1.0).sum(axis=0))
            if not np.isfinite(price[i]) or size.sum() > self.cells:
                cheap[i] = False
                break
        return cheap

    # -- tables -------------------------------------------------------------------------------------------------

    def _sweeps(
        self, cheap: NDArray[np.bool_], place: I64, sizes: I64, digit: I32, start: I64
    ) -> tuple[F64, F64, I64]:  # fmt: skip
        p = self.p
        top = np.empty(int(sizes.sum()))
        dear = np.full(digit.shape, -1, np.int64)
        tables: list[F64] = []
        total = 0
        for b in range(self.blocks):
            at = np.flatnonzero(self.block == b)
            rules = _Rules(self, cheap, place[b], digit[b], b)
            everything: list[Any] = [
                (a, p.free[at] - self.cost[a, at], []) for a in self._dear_actions(cheap) if not self.silent[b, a]
            ]
            purchases: list[Any] = []
            for a, linear, _ in everything:
                if (p.member[a] >= 0).sum() > 1:
                    purchases.append((a, linear, []))
                elif p.member_digit[a, 0] == 0:
                    item = int(p.member[a, 0])
                    first = int(p.first_digit[item])
                    outcomes = range(
                        first + int(p.child_start[first, 0]),
                        first + int(p.child_start[first, 0] + p.child_count[first, 0]),
                    )
                    for m in sorted({int(digit[b, g]) for g in outcomes} - {-1}):
                        alike = [g for g in range(first, first + int(p.radix[item])) if digit[b, g] == m]
                        dear[b, alike] = total
                        weights = p.weights[at] * self.reach[alike][:, at].sum(axis=0)
                        tables.append(rules.sweep(at, weights, everything, np.zeros(0)))
                        total += int(sizes[b])
                    used = sorted({int(x) for x in dear[b, list(outcomes)]} - {-1})
                    purchases.append((a, -self.cost[a, at], used))
            stacked = np.concatenate(tables) if tables else np.zeros(0)
            top[start[b] : start[b] + sizes[b]] = rules.sweep(at, p.weights[at], purchases, stacked)
        return top, (np.concatenate(tables) if tables else np.zeros(0)), dear

    def _dear_actions(self, cheap: NDArray[np.bool_]) -> list[int]:
        p = self.p
        return [a for a in range(len(p.member)) if not all(cheap[i] for i in p.member[a] if i >= 0)]


class _Rules:
    """The cheap items of one block, ready to be swept for any of its coordinates."""

    def __init__(self, builder: _Builder, cheap: NDArray[np.bool_], place: I64, digit: I32, block: int) -> None:
        self.builder, self.cheap = builder, cheap
        p = builder.p
        self.items = np.flatnonzero(cheap)
        position = {int(i): j for j, i in enumerate(self.items)}
        self.radix = np.array([builder.merged[i][2][block] for i in self.items], np.int64)
        self.place = place[self.items]
        self.first = (
            np.concatenate([[0], np.cumsum(self.radix)[:-1]]).astype(np.int32)
            if len(self.items)
            else np.zeros(0, np.int32)
        )
        G = int(self.radix.sum())
        self.reach = np.zeros((G, builder.S))
        self.source = np.zeros(G, np.int64)
        self.child_start, self.child_count = np.zeros(G, np.int32), np.zeros(G, np.int32)
        for j, i in enumerate(self.items):
            first = int(p.first_digit[i])
            for d in range(int(p.radix[i])):
                g = first + d
                if digit[g] < 0:
                    continue
                m = int(self.first[j]) + int(digit[g])
                self.reach[m] += builder.reach[g]
                self.source[m] = g
                start, count = first + int(p.child_start[g, 0]), int(p.child_count[g].max())
                children = sorted({int(x) for x in digit[start : start + count]} - {-1})
                if children:
                    assert children == list(range(children[0], children[-1] + 1))
                    self.child_start[m], self.child_count[m] = children[0], len(children)
        self._list_actions(position, digit)
        self._list_requirements(position)

    def _list_actions(self, position: dict[int, int], digit: I32) -> None:
        p = self.builder.p
        self.actions = []
        members, digits, others = [], [], []
        for a in range(len(p.member)):
            items = [int(i) for i in p.member[a] if i >= 0]
            if not all(self.cheap[i] for i in items):
                continue
            at = [int(digit[int(p.first_digit[i]) + int(d)]) for i, d in zip(items, p.member_digit[a], strict=False)]
            if min(at) < 0:
                continue
            self.actions.append(a)
            members.append([position[i] for i in items])
            digits.append(at)
            others.append([position[int(i)] for i in p.other[a] if i >= 0 and self.cheap[i]])
        self.member, self.member_digit, self.other = _padded(members), _padded(digits), _padded(others)

    def _list_requirements(self, position: dict[int, int]) -> None:
        """Clause groups of every item of the problem (and of deciding), kept where all clauses look at cheap items."""
        p = self.builder.p
        allows: list[Any] = []
        starts, clauses, item_at, offset = [0], [0], [], []
        for owner in range(len(p.radix) + 1):
            for group in range(p.group_start[owner], p.group_start[owner + 1]):
                rows = range(p.clause_start[group], p.clause_start[group + 1])
                if not all(self.cheap[p.clause_item[q]] for q in rows):
                    continue
                for q in rows:
                    j = position[int(p.clause_item[q])]
                    item = int(p.clause_item[q])
                    item_at.append(j)
                    offset.append(len(allows))
                    for m in range(int(self.first[j]), int(self.first[j] + self.radix[j])):
                        allows.append(bool(p.clause_allows[p.clause_offset[q] + self.source[m] - p.first_digit[item]]))
                clauses.append(len(item_at))
            starts.append(len(clauses) - 1)
        self.group_start = np.array(starts, np.int32)
        self.clause_start = np.array(clauses, np.int32)
        self.clause_item = np.array(item_at, np.int32)
        self.clause_offset = np.array(offset, np.int32)
        self.clause_allows = np.array(allows, np.bool_)

    def sweep(
        self, at: NDArray[np.intp], weights: F64, purchases: list[tuple[int, F64, list[int]]], tables: F64
    ) -> F64:
        """The table for a belief over the block's coordinates.

        A purchase is an atomic action, what it is worth linearly, and the tables that what it leads to is found in.
        """
        p, builder = self.builder.p, self.builder
        owners = [[int(i) for i in p.member[a] if i >= 0] for a, _, _ in purchases]
        table_at = np.full((len(purchases), max([1, *(len(used) for _, _, used in purchases)])), -1, np.int64)
        for j, (_, _, used) in enumerate(purchases):
            table_at[j, : len(used)] = used
        linear = np.array([linear for _, linear, _ in purchases]).reshape(len(purchases), len(at))
        values = np.empty(int(np.prod(self.radix)))
        _sweep(
            values, weights, self.radix, self.place, self.first, np.ascontiguousarray(self.reach[:, at]),
            self.child_start, self.child_count, self.member, self.member_digit, self.other,
            np.array([int(i) for i in self.items], np.int64), np.ascontiguousarray(builder.cost[self.actions][:, at]),
            np.ascontiguousarray(self.useful_decisions(at)), np.ascontiguousarray(p.free[at]), _padded(owners), linear,
            table_at, tables, self.group_start, self.clause_start, self.clause_item, self.clause_offset,
            self.clause_allows,
        )  # fmt: skip
        return values

    def useful_decisions(self, at: NDArray[np.intp]) -> F64:
        """(d, coordinates) decisions that no other one matches in every state."""
        rows = np.unique(self.builder.stop[:, at], axis=0)
        kept = [j for j in range(len(rows)) if not any((rows[k] >= rows[j]).all() for k in range(len(rows)) if k != j)]
        return np.asarray(rows[kept])


def _padded(rows: list[list[int]]) -> I32:
    table = np.full((len(rows), max([1, *(len(row) for row in rows)])), -1, np.int32)
    for j, row in enumerate(rows):
        table[j, : len(row)] = row
    return table


@njit(cache=True)
def _met(
    owner: int, digits: I64, group_start: I32, clause_start: I32, clause_item: I32, offset: I32,
    allows: NDArray[np.bool_],
) -> bool:  # fmt: skip
    for group in range(group_start[owner], group_start[owner + 1]):
        met = False
        for q in range(clause_start[group], clause_start[group + 1]):
            met = met or allows[offset[q] + digits[clause_item[q]]]
        if not met:
            return False
    return True


@njit(cache=True, fastmath=SUM, nogil=True)
def _sweep(
    values: F64, weights: F64, radix: I64, place: I64, first: I32, reach: F64, child_start: I32, child_count: I32,
    member: I32, member_digit: I32, other: I32, items: I64, cost: F64, stop: F64, free: F64, owners: I32, linear: F64,
    table_at: I64, tables: F64, group_start: I32, clause_start: I32, clause_item: I32, offset: I32,
    allows: NDArray[np.bool_],
) -> None:  # fmt: skip
    n, S, A, D, P = radix.shape[0], weights.shape[0], cost.shape[0], stop.shape[0], linear.shape[0]
    last = group_start.shape[0] - 2
    digits = radix - 1
    partial = np.empty((n + 1, S))
    partial[0] = weights
    level = 0
    at = np.zeros(member.shape[1], np.int64)
    for code in range(values.shape[0] - 1, -1, -1):
        for j in range(level, n):  # item n - 1 has the highest place, so it is the slowest
            i = n - 1 - j
            g = first[i] + digits[i]
            for s in range(S):
                partial[j + 1, s] = partial[j, s] * reach[g, s]
        v = partial[n]
        best = -np.inf
        if _met(last, digits, group_start, clause_start, clause_item, offset, allows):
            for d in range(D):
                total = 0.0
                for s in range(S):
                    total += stop[d, s] * v[s]
                best = max(best, total)
        for a in range(P):
            total = 0.0
            for s in range(S):
                total += linear[a, s] * v[s]
            for m in range(table_at.shape[1]):
                if table_at[a, m] >= 0:
                    total += tables[table_at[a, m] + code]
            if total > best:
                legal = True
                for m in range(owners.shape[1]):
                    if owners[a, m] >= 0 and legal:
                        legal = _met(owners[a, m], digits, group_start, clause_start, clause_item, offset, allows)
                if legal:
                    best = total
        for a in range(A):
            legal = True
            M = 0
            while legal and member.shape[1] > M and member[a, M] >= 0:
                i = member[a, M]
                legal = digits[i] == member_digit[a, M] and child_count[first[i] + digits[i]] > 0
                M += 1
            for m in range(other.shape[1]):
                if legal and other[a, m] >= 0:
                    legal = digits[other[a, m]] != 0
            for m in range(M):
                if legal:
                    legal = _met(items[member[a, m]], digits, group_start, clause_start, clause_item, offset, allows)
            if not legal:
                continue
            total = 0.0
            for s in range(S):
                total -= cost[a, s] * v[s]
            at[:M] = 0
            while True:
                child = code
                for m in range(M):
                    i = member[a, m]
                    child += (child_start[first[i] + digits[i]] + at[m] - digits[i]) * place[i]
                total += values[child]
                m = M - 1
                while m >= 0:
                    i = member[a, m]
                    at[m] += 1
                    if at[m] < child_count[first[i] + digits[i]]:
                        break
                    at[m] = 0
                    m -= 1
                if m < 0:
                    break
            best = max(best, total)
        if best == -np.inf:
            best = 0.0
            for s in range(S):
                best += free[s] * v[s]
        values[code] = best
        level = n - 1
        while level >= 0 and digits[n - 1 - level] == 0:
            digits[n - 1 - level] = radix[n - 1 - level] - 1
            level -= 1
        if level >= 0:
            digits[n - 1 - level] -= 1


@njit(cache=True, fastmath=SUM)
def table_bound(p: Problem, r: Relaxation, block: int, digits: I64, v: F64) -> float:
    """Upper bound on the value of an information state of one block, its digits the first of those alike."""
    n, low, high = p.radix.shape[0], r.low[block], r.low[block + 1]
    index, dear = 0, 0
    for i in range(n):
        if r.cheap[i]:
            index += r.place[block, i] * r.index[block, p.first_digit[i] + digits[i]]
        elif digits[i] > 0:
            dear += 1
    if dear == 0:
        return r.top[r.start[block] + index]
    kappa = np.ones(high - low)
    for i in range(n):
        if digits[i] > 0 and not r.cheap[i]:
            for s in range(low, high):
                kappa[s - low] *= r.reach[p.first_digit[i] + digits[i], s]
    best = np.inf
    for i in range(n):
        if r.cheap[i] or digits[i] == 0 or r.dear[block, p.first_digit[i] + digits[i]] < 0:
            continue
        g = p.first_digit[i] + digits[i]
        least = np.inf  # what the other dear items leave of the table's belief everywhere
        for s in range(low, high):
            if v[s] > 0.0:
                least = min(least, kappa[s - low] / r.reach[g, s])
            elif r.reach[g, s] > 0.0 and p.weights[s] > 0.0:
                least = 0.0
        total = least * r.tables[r.dear[block, g] + index]
        for s in range(low, high):
            if v[s] > 0.0:
                total += p.free[s] * v[s] * (1.0 - least * r.reach[g, s] / kappa[s - low])
        best = min(best, total)
    return best

"""An upper bound on every information state, from tables of an easier problem.

The easier problem gives four things away. (1) The *block* of the hidden state (everything but the condition) is told
for free, so blocks are planned apart. (2) Cheap items keep their outcomes, their costs and their rules; results
that say the same within a block are one. (3) The first dear item that is ordered tells to which *group* of
states the patient belongs, groups being states that the item can hardly tell apart, and with probability 1 - overlap
the state itself. (4) The second dear item tells everything. Each block then fits in one array, swept once
backwards; giving away never lowers the value, so the sum over blocks is an upper bound.

Source: pattern databases, Culberson & Schaeffer, Computational Intelligence 1998; additive ones, Felner et al., JAIR 2004.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.transitions import SUM

MAX_CELLS = 400_000
"""Entries of the widest table, all blocks together."""
MAX_BLOCKS = 60
MAX_WORK = 1.5e9
"""Multiplications spent on tables."""
LEAST_OVERLAP = 0.7
"""States are of one group for an item if its outcomes overlap at least this much."""


class Relaxation(NamedTuple):
    """Tables and how to find an information state in them. L blocks, n items, G digits, S coordinates."""

    active: bool
    low: I64
    """(L + 1,) first coordinate of each block."""
    cheap: NDArray[np.bool_]
    """(n,)"""
    single: I32
    """(n,) atomic action that orders the item alone from digit 0, or -1."""
    place: I64
    """(L, n) place value of a cheap item in a block's table."""
    digit: I32
    """(L, G) the first digit of the item that says the same in a block, -1 if impossible there."""
    index: I32
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
    group: I32
    """(n, S) group of a coordinate under a dear item, -1 alone."""
    group_table: I64
    """(n, groups) where the table of a group starts in `tables`, -1: none."""
    tables: F64


def relax(problem: Problem, block: I32 | None) -> Relaxation:
    """Tables for a problem whose coordinates come block after block.

    Args:
        problem: the problem; blocks are used only if nothing progresses and no act changes what results mean.
        block: (S,) ascending small integers; None: no tables.
    """
    n = len(problem.radix)
    variants = n and (problem.child_start != problem.child_start[:, :1]).any()
    if block is None or problem.clocked or len(problem.base) or variants or n == 0 or len(set(block)) > MAX_BLOCKS:
        return _inactive(problem)
    return _Builder(problem, block).build()


def _inactive(p: Problem) -> Relaxation:
    n, S = len(p.radix), len(p.weights)
    none, wide = np.zeros(0), np.zeros((0, 0))
    return Relaxation(
        False, np.zeros(1, np.int64), np.zeros(n, bool), np.full(n, -1, np.int32), np.zeros((0, n), np.int64),
        np.zeros((0, 0), np.int32), np.zeros((0, 0), np.int32), wide, wide, np.zeros(0, np.int64), none, wide,
        np.full((n, S), -1, np.int32), np.full((n, 1), -1, np.int64), none,
    )  # fmt: skip


class _Builder:
    def __init__(self, problem: Problem, block: I32) -> None:
        p = self.p = problem
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
        group, overlap = self._groups(cheap)
        top, tables, group_table = self._sweeps(cheap, place, sizes, digit, start, group, overlap)
        first_alike, together, reach = self._alike(digit)
        low = np.searchsorted(self.block, np.arange(self.blocks + 1)).astype(np.int64)
        return Relaxation(
            True, low, cheap, self.single, place, first_alike, digit, scale, together, start, top, reach, group,
            group_table, tables,
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
        p = self.p
        price = np.array([
            float(self.cost[self.single[i]] @ p.weights) if self.single[i] >= 0 else np.inf for i in range(self.n)
        ])  # fmt: skip
        cheap = np.zeros(self.n, bool)
        sizes = np.ones(self.blocks)
        width = np.bincount(self.block, minlength=self.blocks)
        rows = self.stop.shape[0] + len(p.member)
        for i in np.argsort(price):
            grown = sizes * np.array(self.merged[i][2])
            if not np.isfinite(price[i]) or grown.sum() > MAX_CELLS or (grown * width).sum() * rows * 2 > MAX_WORK:
                break
            sizes = grown
            cheap[i] = True
        return cheap

    def _groups(self, cheap: NDArray[np.bool_]) -> tuple[I32, list[dict[int, float]]]:
        """(n, S) groups of every dear item, numbered over all blocks, and the overlap of each group."""
        p = self.p
        group = np.full((self.n, self.S), -1, np.int32)
        overlaps: list[dict[int, float]] = [{} for _ in range(self.n)]
        for i in np.flatnonzero(~cheap):
            found = 0
            for b in range(self.blocks):
                for members, overlap in self._cluster(int(i), np.flatnonzero(self.block == b)):
                    group[i, members] = found
                    overlaps[i][found] = overlap
                    found += 1
        return group, overlaps

    def _cluster(self, item: int, at: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], float]]:
        """Groups of two or more coordinates, grown from the heaviest, with the overlap of all orders of the item."""
        p = self.p
        orders = self._orders(item)
        left = list(at[np.argsort(-p.weights[at] * (p.free[at] - self.stop[:, at].min(axis=0)))])
        groups = []
        while left:
            members = [left.pop(0)]
            low = [column[:, members[0]] for column in orders]
            for s in list(left):
                lower = [np.minimum(a, column[:, s]) for a, column in zip(low, orders, strict=True)]
                if min(float(x.sum()) for x in lower) >= LEAST_OVERLAP:
                    members.append(s)
                    low = lower
                    left.remove(s)
            if len(members) > 1:
                groups.append((np.array(members), min(float(x.sum()) for x in low)))
        return groups

    def _orders(self, item: int) -> list[F64]:
        """Outcome likelihoods of every order of an item, first or repeated."""
        p = self.p
        first = int(p.first_digit[item])
        found = []
        for g in range(first, first + int(p.radix[item])):
            start, count = first + int(p.child_start[g, 0]), int(p.child_count[g, 0])
            if count:
                found.append(p.column[start : start + count])
        return found

    # -- tables -------------------------------------------------------------------------------------------------

    def _sweeps(
        self, cheap: NDArray[np.bool_], place: I64, sizes: I64, digit: I32, start: I64, group: I32,
        overlap: list[dict[int, float]],
    ) -> tuple[F64, F64, I64]:  # fmt: skip
        p = self.p
        top = np.empty(int(sizes.sum()))
        group_table = np.full((self.n, max([1, *(len(o) for o in overlap)])), -1, np.int64)
        tables: list[F64] = []
        total = 0
        for b in range(self.blocks):
            at = np.flatnonzero(self.block == b)
            rules = _Rules(self, cheap, place[b], digit[b], b)
            known: dict[bytes, int] = {}
            purchases = []
            for a in self._dear_actions(cheap):
                item = int(p.member[a, 0])
                linear = p.free[at] - self.cost[a, at]
                used: list[tuple[int, float]] = []
                if (p.member[a] >= 0).sum() == 1:
                    for g in sorted({int(x) for x in group[item, at]} - {-1}):
                        members = np.flatnonzero(group[item] == g)
                        key = members.tobytes()
                        if key not in known:
                            known[key] = total
                            tables.append(rules.sweep(members, [], np.zeros((0, 1))))
                            total += int(sizes[b])
                        group_table[item, g] = known[key]
                        share = overlap[item][g]
                        used.append((known[key], share))
                        linear = linear - share * p.free[at] * np.isin(at, members)
                purchases.append((a, linear, used))
            stacked = np.concatenate(tables) if tables else np.zeros(0)
            top[start[b] : start[b] + sizes[b]] = rules.sweep(at, purchases, stacked)
        return top, (np.concatenate(tables) if tables else np.zeros(0)), group_table

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
        self.first = np.concatenate([[0], np.cumsum(self.radix)[:-1]]).astype(np.int32) if len(self.items) else np.zeros(0, np.int32)
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
        starts, clauses, item_at, offset, allows = [0], [0], [], [], []
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
        self, at: NDArray[np.intp], purchases: list[tuple[int, F64, list[tuple[int, float]]]], tables: F64
    ) -> F64:
        """The table for some coordinates of the block. Without purchases, the first dear item tells everything."""
        p, builder = self.builder.p, self.builder
        if not purchases:
            purchases = [(a, p.free[at] - builder.cost[a, at], []) for a in builder._dear_actions(self.cheap)]
        owners = [[int(i) for i in p.member[a] if i >= 0] for a, _, _ in purchases]
        width = max([1, *(len(used) for _, _, used in purchases)])
        table_at, share = np.full((len(purchases), width), -1, np.int64), np.zeros((len(purchases), width))
        for j, (_, _, used) in enumerate(purchases):
            for m, (where, part) in enumerate(used):
                table_at[j, m], share[j, m] = where, part
        linear = np.array([linear for _, linear, _ in purchases]).reshape(len(purchases), len(at))
        values = np.empty(int(np.prod(self.radix)))
        _sweep(
            values, p.weights[at], self.radix, self.place, self.first, np.ascontiguousarray(self.reach[:, at]),
            self.child_start, self.child_count, self.member, self.member_digit, self.other,
            np.array([int(i) for i in self.items], np.int64), np.ascontiguousarray(builder.cost[self.actions][:, at]),
            np.ascontiguousarray(builder.stop[:, at]), np.ascontiguousarray(p.free[at]), _padded(owners), linear,
            table_at, share, tables.ravel(), self.group_start, self.clause_start, self.clause_item,
            self.clause_offset, self.clause_allows,
        )  # fmt: skip
        return values


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
    table_at: I64, share: F64, tables: F64, group_start: I32, clause_start: I32, clause_item: I32, offset: I32,
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
                    total += share[a, m] * tables[table_at[a, m] + code]
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
    least = np.empty(r.group_table.shape[1])
    for i in range(n):
        if r.cheap[i] or digits[i] == 0:
            continue
        least[:] = np.inf
        for s in range(low, high):
            q = r.group[i, s]
            if q >= 0:
                least[q] = min(least[q], kappa[s - low])
        total = 0.0
        for s in range(low, high):
            q = r.group[i, s]
            if v[s] > 0.0:
                total += p.free[s] * (v[s] if q < 0 else v[s] * (1.0 - least[q] / kappa[s - low]))
        for q in range(least.shape[0]):
            if least[q] < np.inf and least[q] > 0.0:
                total += least[q] * r.tables[r.group_table[i, q] + index]
        best = min(best, total)
    return best

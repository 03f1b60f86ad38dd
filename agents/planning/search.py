"""Best-first search of the AND/OR graph of information states with bounds: the compiled part of AO*.

Each node holds [lower, upper] on its unnormalised value. A trial walks from the root along the action of highest
upper bound and the outcome of widest gap, expands one action there and backs the bounds up. Nodes with the same
code (and clock) are one node. Bounds of a fresh node:

lower: the best decision now, or the plan of a node with the same *structure* (what remains possible) applied here;
upper: the better of deciding now and free information less the cheapest legal action, tightened by the bounds of
nodes of the same structure: the value is convex and homogeneous, so with w = r * w_j + rest,
V(w) <= r * upper_j + free . rest.

Source: Smith & Simmons, UAI 2004 (heuristic search value iteration: widest gap, sawtooth bound); Martelli &
Montanari 1978 (AO*).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.transitions import SUM, best_stop, digits_of, dot, holds, legal_actions, mode_of

DONE, GROW, SPENT = 0, 1, 2
NODES, EDGES, CHILDREN, SLOTS, STRUCTURES, LISTED, EXPANDED, TRIALS = range(8)
_CLOCK = np.array([1, 0x9E3779B97F4A7C15 >> 2, 0xC2B2AE3D27D4EB4F >> 2, 0x165667B19E3779F9], np.int64)
"""Odd multipliers that keep the seconds spent in each mode apart in one integer."""


class Graph(NamedTuple):
    """The search graph; Python grows its arrays between calls of the kernel."""

    used: I64
    """(8,) how much of each array is used, and counters."""
    code: I64
    clock: I64
    structure: I32
    lower: F64
    upper: F64
    decision: I32
    """Best decision of the node."""
    value_stop: F64
    edge_start: I32
    """-1 until the node is opened."""
    edge_count: I32
    slot: I32
    """Where the node's vectors are, or -1."""
    table: I64
    """Open-addressing hash table of nodes, -1 where empty."""

    edge_action: I32
    edge_cost: F64
    edge_children: I32
    """First child, -1 until the edge is expanded."""
    edge_size: I32
    edge_cut_lower: F64
    edge_cut_upper: F64
    edge_lower: F64
    edge_upper: F64
    child: I32

    vector: F64
    """(slots, S) belief of an opened node."""
    plan: F64
    """(slots, S) value of the node's lower-bound plan by coordinate."""
    slot_node: I32
    slot_next: I32
    """Next slot of the same structure."""

    structure_key: I64
    structure_head: I32
    structure_first: I32
    structure_actions: I32
    structure_stop: NDArray[np.bool_]
    structure_cheapest: F64
    """(structures, S) lowest cost of a legal action by coordinate."""
    structure_table: I64
    listed: I32
    """Legal atomic actions of every structure."""


@njit(cache=True)
def _hash(a: int, b: int) -> int:
    x = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x ^ (x >> np.uint64(32))) & np.uint64(0x7FFFFFFFFFFFFFFF))


@njit(cache=True)
def rehash(g: Graph) -> None:
    """Fill the (grown, empty) hash tables again."""
    for node in range(g.used[NODES]):
        at = _hash(g.code[node], g.clock[node]) % g.table.shape[0]
        while g.table[at] >= 0:
            at = (at + 1) % g.table.shape[0]
        g.table[at] = node
    for s in range(g.used[STRUCTURES]):
        at = _hash(g.structure_key[s], 0) % g.structure_table.shape[0]
        while g.structure_table[at] >= 0:
            at = (at + 1) % g.structure_table.shape[0]
        g.structure_table[at] = s


@njit(cache=True)
def structure_of(p: Problem, g: Graph, key: int, digits: I64) -> int:
    """The structure of an information state: what is legal, what it costs, what may follow."""
    at = _hash(key, 0) % g.structure_table.shape[0]
    while g.structure_table[at] >= 0:
        if g.structure_key[g.structure_table[at]] == key:
            return g.structure_table[at]
        at = (at + 1) % g.structure_table.shape[0]
    s = g.used[STRUCTURES]
    g.used[STRUCTURES] += 1
    g.structure_table[at] = s
    g.structure_key[s] = key
    g.structure_head[s] = -1
    mode = mode_of(p, digits)
    first = g.used[LISTED]
    count = legal_actions(p, digits, mode, g.listed[first:])
    g.used[LISTED] += count
    g.structure_first[s], g.structure_actions[s] = first, count
    g.structure_stop[s] = holds(p, p.radix.shape[0], digits)
    for c in range(p.weights.shape[0]):
        cheapest = np.inf
        for k in range(first, first + count):
            cheapest = min(cheapest, max(0.0, p.cost[g.listed[k], mode, c]))
        g.structure_cheapest[s, c] = cheapest if count else 0.0
    return s


@njit(cache=True, fastmath=SUM)
def sawtooth(p: Problem, g: Graph, structure: int, v: F64, upper: float, floor: float, limit: int) -> float:
    """Tighten an upper bound with the bounds of nodes of the same structure; stops early below `floor`."""
    S0 = p.weights.shape[0] - p.base.shape[0]
    S = p.weights.shape[0]
    free = dot(p.free, v)
    slot = g.structure_head[structure]
    while slot >= 0 and limit > 0 and upper > floor:
        limit -= 1
        node = g.slot_node[slot]
        point = g.vector[slot]
        drop = dot(p.free, point) - g.upper[node]
        need = free - upper  # only a drop beyond this helps
        if drop > 0.0:
            ratio = np.inf
            least = need / drop
            for s in range(S0):
                if point[s] * ratio > v[s]:
                    ratio = v[s] / point[s]
                    if ratio <= least:
                        break
            if ratio > least and S > S0:
                for s in range(S0, S):
                    b = p.base[s - S0]
                    if point[s] * ratio > v[s]:
                        ratio = v[s] / point[s]
                    rest, mine = point[b] - point[s], v[b] - v[s]
                    if rest * ratio > mine:
                        ratio = max(0.0, mine) / rest
            if ratio > least and ratio < np.inf:
                upper = min(upper, free - ratio * drop)
        slot = g.slot_next[slot]
    return upper


@njit(cache=True, fastmath=SUM)
def borrowed(g: Graph, structure: int, v: F64, lower: float, limit: int) -> float:
    """Raise a lower bound with the plans of nodes of the same structure."""
    slot = g.structure_head[structure]
    while slot >= 0 and limit > 0:
        limit -= 1
        lower = max(lower, dot(g.plan[slot], v))
        slot = g.slot_next[slot]
    return lower


@njit(cache=True, fastmath=SUM)
def _node(p: Problem, g: Graph, code: int, clock: int, key: int, digits: I64, v: F64, limit: int) -> int:
    """Find or make the node of an information state."""
    at = _hash(code, clock) % g.table.shape[0]
    while g.table[at] >= 0:
        node = g.table[at]
        if g.code[node] == code and g.clock[node] == clock:
            return node
        at = (at + 1) % g.table.shape[0]
    node = g.used[NODES]
    g.used[NODES] += 1
    g.table[at] = node
    g.code[node], g.clock[node] = code, clock
    g.edge_start[node], g.edge_count[node], g.slot[node] = -1, 0, -1
    s = structure_of(p, g, key, digits)
    g.structure[node] = s
    if g.structure_stop[s]:
        g.value_stop[node], g.decision[node] = best_stop(p, v)
    else:
        g.value_stop[node], g.decision[node] = dot(p.worst, v), -1
    lower = upper = g.value_stop[node]
    if g.structure_actions[s] > 0:
        best = dot(p.free, v) - dot(g.structure_cheapest[s], v)
        if best > upper:
            upper = sawtooth(p, g, s, v, best, lower, limit)
            if upper > lower:
                lower = borrowed(g, s, v, lower, limit)
    g.lower[node], g.upper[node] = lower, max(lower, upper)
    return node


@njit(cache=True)
def _open(p: Problem, g: Graph, node: int, v: F64, mode: int) -> None:
    """List the legal actions of a node with what free information would make of them."""
    s = g.structure[node]
    g.edge_start[node] = g.used[EDGES]
    free = dot(p.free, v)
    for k in range(g.structure_first[s], g.structure_first[s] + g.structure_actions[s]):
        a = g.listed[k]
        cost = dot(p.cost[a, mode], v)
        if free - cost > g.lower[node]:
            e = g.used[EDGES]
            g.used[EDGES] += 1
            g.edge_action[e], g.edge_cost[e], g.edge_children[e], g.edge_size[e] = a, cost, -1, 0
            g.edge_cut_lower[e] = g.edge_cut_upper[e] = 0.0
            g.edge_lower[e], g.edge_upper[e] = -np.inf, free - cost
    g.edge_count[node] = g.used[EDGES] - g.edge_start[node]
    slot = g.used[SLOTS]
    g.used[SLOTS] += 1
    g.slot[node], g.slot_node[slot] = slot, node
    g.vector[slot] = v
    if g.decision[node] >= 0:
        g.plan[slot] = p.stop[g.decision[node]]
    else:
        g.plan[slot] = p.worst
    g.slot_next[slot] = g.structure_head[s]
    g.structure_head[s] = slot


@njit(cache=True, fastmath=SUM)
def _expand(p: Problem, g: Graph, node: int, e: int, v: F64, digits: I64, mode: int, cut: float, limit: int) -> None:
    """Make the children of one action; outcomes too rare to matter are bounded together (`cut`)."""
    a, S = g.edge_action[e], p.weights.shape[0]
    M = 0
    while M < p.member.shape[1] and p.member[a, M] >= 0:
        M += 1
    at = np.zeros(M, np.int64)
    partial = np.empty((M + 1, S))
    duration = np.zeros(M + 1, np.int64)
    partial[0] = v
    after = digits.copy()
    g.edge_children[e] = g.used[CHILDREN]
    level = 0
    while level >= 0:
        i = p.member[a, level]
        g0 = p.first_digit[i] + digits[i]
        if at[level] == p.child_count[g0, mode]:
            at[level] = 0
            after[i] = digits[i]
            level -= 1
            if level >= 0:
                at[level] += 1
            continue
        after[i] = p.child_start[g0, mode] + at[level]
        column = p.first_digit[i] + after[i]
        total = 0.0
        for s in range(S):
            partial[level + 1, s] = partial[level, s] * p.column[column, s]
            total += partial[level + 1, s]
        duration[level + 1] = max(duration[level], p.digit_hours[column])
        if total <= 0.0:
            at[level] += 1
            continue
        w = partial[level + 1]
        if cut > 0.0 and not p.clocked:
            stop, _ = best_stop(p, w)
            free = dot(p.free, w)
            if free - stop <= cut:
                g.edge_cut_lower[e] += stop
                g.edge_cut_upper[e] += free
                at[level] += 1
                continue
        if level + 1 < M:
            level += 1
            continue
        clock = g.clock[node]
        if p.clocked:
            T = duration[M]
            w = w * p.decay[T, mode]
            clock += np.int64(np.round(p.hours[T] * 3600.0)) * _CLOCK[mode & 3]
        code, key = g.code[node], g.structure_key[g.structure[node]]
        for m in range(M):
            j = p.member[a, m]
            before, now = p.first_digit[j] + digits[j], p.first_digit[j] + after[j]
            code += (after[j] - digits[j]) * p.place[j]
            key += (p.signature[now] - p.signature[before]) * p.signature_place[j]
        g.child[g.used[CHILDREN]] = _node(p, g, code, clock, key, after, w, limit)
        g.used[CHILDREN] += 1
        at[level] += 1
    g.edge_size[e] = g.used[CHILDREN] - g.edge_children[e]
    g.used[EXPANDED] += 1


@njit(cache=True)
def _sum_edge(g: Graph, e: int) -> int:
    """Add up an expanded action from its children; returns the child of widest gap."""
    lower = g.edge_cut_lower[e] - g.edge_cost[e]
    upper = g.edge_cut_upper[e] - g.edge_cost[e]
    widest, which = -1.0, -1
    for k in range(g.edge_children[e], g.edge_children[e] + g.edge_size[e]):
        c = g.child[k]
        lower += g.lower[c]
        upper += g.upper[c]
        if g.upper[c] - g.lower[c] > widest:
            widest, which = g.upper[c] - g.lower[c], c
    g.edge_lower[e] = max(g.edge_lower[e], lower)
    g.edge_upper[e] = min(g.edge_upper[e], upper)
    return which


@njit(cache=True)
def _best_edge(g: Graph, node: int) -> int:
    best, which = -np.inf, -1
    for e in range(g.edge_start[node], g.edge_start[node] + g.edge_count[node]):
        if g.edge_upper[e] > best:
            best, which = g.edge_upper[e], e
    return which


@njit(cache=True, fastmath=SUM)
def _back_up(p: Problem, g: Graph, node: int, mode: int) -> None:
    """Bounds and plan of a node from its actions."""
    lower, upper, best = g.lower[node], g.value_stop[node], -1
    for e in range(g.edge_start[node], g.edge_start[node] + g.edge_count[node]):
        upper = max(upper, g.edge_upper[e])
        if g.edge_lower[e] > lower:
            lower, best = g.edge_lower[e], e
    g.upper[node] = max(lower, min(upper, g.upper[node]))
    if best >= 0:
        g.lower[node] = lower


@njit(cache=True)
def _room(p: Problem, g: Graph, largest: int) -> bool:
    A = p.member.shape[0]
    return (
        g.used[NODES] + largest < g.code.shape[0]
        and g.used[EDGES] + A < g.edge_action.shape[0]
        and g.used[CHILDREN] + largest < g.child.shape[0]
        and g.used[SLOTS] + 1 < g.slot_node.shape[0]
        and g.used[STRUCTURES] + largest < g.structure_key.shape[0]
        and g.used[LISTED] + largest * A < g.listed.shape[0]
    )


@njit(cache=True, fastmath=SUM, nogil=True)
def search(p: Problem, g: Graph, gap: float, tiny: float, cut: float, limit: int, expansions: int, largest: int) -> int:
    """Trials until the root's gap is at most `gap`, the expansions are spent or the arrays are full."""
    n, S = p.radix.shape[0], p.weights.shape[0]
    path = np.empty(4 * n + 8, np.int64)
    modes = np.empty(4 * n + 8, np.int64)
    digits = np.zeros(n, np.int64)
    v = np.empty(S)
    if g.used[NODES] == 0:
        _node(p, g, 0, 0, 0, digits, p.weights, limit)
    while g.upper[0] - g.lower[0] > gap:
        if g.used[EXPANDED] >= expansions:
            return SPENT
        if not _room(p, g, largest):
            return GROW
        g.used[TRIALS] += 1
        node, depth = 0, 0
        v[:] = p.weights
        digits[:] = 0
        while True:
            path[depth], modes[depth] = node, mode_of(p, digits)
            mode = modes[depth]
            if g.edge_start[node] < 0:
                if not _room(p, g, largest):
                    break
                s = g.structure[node]
                g.upper[node] = max(g.lower[node], sawtooth(p, g, s, v, g.upper[node], g.lower[node], 4 * limit))
                g.lower[node] = min(g.upper[node], borrowed(g, s, v, g.lower[node], 4 * limit))
                _open(p, g, node, v, mode)
            e = _best_edge(g, node)
            if e < 0 or g.edge_upper[e] <= g.lower[node] + tiny:
                break
            if g.edge_children[e] < 0:
                if _room(p, g, largest):
                    _expand(p, g, node, e, v, digits, mode, cut, limit)
                    _sum_edge(g, e)
                break
            before = g.edge_upper[e]
            c = _sum_edge(g, e)
            if g.edge_upper[e] < before and _best_edge(g, node) != e:
                continue
            if c < 0 or g.upper[c] - g.lower[c] <= tiny:
                break
            digits_of(p, g.code[c], digits)
            _step(p, g.edge_action[e], digits, mode, v)
            node = c
            depth += 1
        for level in range(depth, -1, -1):
            parent = path[level]
            for e in range(g.edge_start[parent], g.edge_start[parent] + g.edge_count[parent]):
                if level < depth and g.edge_children[e] >= 0 and g.edge_upper[e] > g.lower[parent]:
                    _sum_edge(g, e)
            _back_up(p, g, parent, modes[level])
    return DONE


@njit(cache=True)
def _step(p: Problem, a: int, after: I64, mode: int, v: F64) -> None:
    duration = 0
    for m in range(p.member.shape[1]):
        i = p.member[a, m]
        if i < 0:
            break
        g = p.first_digit[i] + after[i]
        for s in range(v.shape[0]):
            v[s] *= p.column[g, s]
        duration = max(duration, p.digit_hours[g])
    if p.clocked:
        for s in range(v.shape[0]):
            v[s] *= p.decay[duration, mode, s]

"""Best-first search of the AND/OR graph of information states with bounds: the compiled part of AO*.

Each node holds [lower, upper] on its unnormalised value. A trial walks from the root along the action of highest
upper bound and the outcome of widest gap, looks at the outcomes of one item there and backs the bounds up. Nodes
of the same state are one node. An order set is paid at once and read one item at a time (`extra` says what is
still to be read), so that rare joint results are told apart only where that matters. Bounds of a fresh node:

lower: the best decision now, or the plan of a node of the same *structure* (what remains possible) applied here;
upper: the better of deciding now and free information less the cheapest legal action, tightened by the bounds of
nodes of the same structure: the value is convex and homogeneous, so with w = r * w_j + rest,
V(w) <= r * upper_j + free . rest.

A lower bound is always the value of a plan: a decision, or an action and a plan for each outcome. Plans are
never changed once made, so the plan of the root is a policy that attains the root's lower bound.

Source: Smith & Simmons, UAI 2004 (heuristic search value iteration: widest gap, sawtooth bound); Martelli &
Montanari, CACM 1978 (AO*).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.transitions import SUM, best_stop, digits_of, dot, holds, legal_actions, mode_of

DONE, GROW, SPENT = 0, 1, 2
NODES, EDGES, CHILDREN, SLOTS, STRUCTURES, LISTED, PLANS, FOLLOW, EXPANDED, TRIALS = range(10)
_CLOCK = np.array([1, 0x27220A95FE8D2F5D, 0x309EA2CB49F4D3AD, 0x165667B19E3779F9], np.int64)
"""Odd multipliers that keep the seconds spent in each mode apart in one integer."""


class Graph(NamedTuple):
    """The search graph; Python grows its arrays between calls of the kernel."""

    used: I64
    """(10,) how much of each kind of array is used, and counters."""
    code: I64
    clock: I64
    extra: I64
    """0, or which action of which mode is being read, from which member, and the time it takes so far."""
    structure: I32
    lower: F64
    upper: F64
    plan: I32
    """The plan that attains `lower`: mode * D + d is decision d, X * D is any decision whatever."""
    stop: F64
    """Value of deciding now; -inf where that is not an option."""
    edge_start: I32
    """-1 until the node is opened."""
    edge_count: I32
    table: I64
    """Open-addressing hash table of nodes, -1 where empty."""

    edge_action: I32
    edge_cost: F64
    edge_children: I32
    """First child, -1 until the edge is expanded; then one for each outcome, -1 if impossible."""
    edge_size: I32
    edge_lower: F64
    edge_upper: F64
    child: I32

    vector: F64
    """(slots, S) belief of an opened node."""
    slot_node: I32
    slot_next: I32
    """Next slot of the same structure."""

    structure_key: I64
    structure_extra: I64
    structure_head: I32
    structure_first: I32
    structure_actions: I32
    structure_stop: NDArray[np.bool_]
    structure_cheapest: F64
    """(structures, S) lowest cost of a legal action by coordinate."""
    structure_table: I64
    listed: I32
    """Legal atomic actions of every structure."""

    plan_value: F64
    """(plans, S) value of a plan by coordinate."""
    plan_action: I32
    """Atomic action begun or being read, -1 for decisions."""
    plan_follow: I32
    """Where in `follow` the plans for the outcomes start."""
    plan_outcomes: I32
    follow: I32


@njit(cache=True)
def _hash(a: int, b: int, c: int) -> int:
    x = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    x ^= (x >> np.uint64(29)) ^ np.uint64(c) * np.uint64(0x165667B19E3779F9)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x ^ (x >> np.uint64(32))) & np.uint64(0x7FFFFFFFFFFFFFFF))


@njit(cache=True)
def rehash(g: Graph) -> None:
    """Fill the (grown, empty) hash tables again."""
    for node in range(g.used[NODES]):
        at = _hash(g.code[node], g.clock[node], g.extra[node]) % g.table.shape[0]
        while g.table[at] >= 0:
            at = (at + 1) % g.table.shape[0]
        g.table[at] = node
    for s in range(g.used[STRUCTURES]):
        at = _hash(g.structure_key[s], 0, g.structure_extra[s]) % g.structure_table.shape[0]
        while g.structure_table[at] >= 0:
            at = (at + 1) % g.structure_table.shape[0]
        g.structure_table[at] = s


@njit(cache=True)
def reading(p: Problem, extra: int) -> tuple[int, int, int, int]:
    """Action, member, duration so far and mode of an order that is being read (`extra` > 0)."""
    X, T, M = p.cost.shape[1], p.hours.shape[0], p.member.shape[1]
    rest = extra - 1
    mode, rest = rest % X, rest // X
    duration, rest = rest % T, rest // T
    return rest // M, rest % M, duration, mode


@njit(cache=True)
def _extra(p: Problem, action: int, member: int, duration: int, mode: int) -> int:
    X, T, M = p.cost.shape[1], p.hours.shape[0], p.member.shape[1]
    return 1 + mode + X * (duration + T * (member + M * action))


@njit(cache=True)
def _structure_of(p: Problem, g: Graph, key: int, extra: int, digits: I64) -> int:
    at = _hash(key, 0, extra) % g.structure_table.shape[0]
    while g.structure_table[at] >= 0:
        s = g.structure_table[at]
        if g.structure_key[s] == key and g.structure_extra[s] == extra:
            return s
        at = (at + 1) % g.structure_table.shape[0]
    s = g.used[STRUCTURES]
    g.used[STRUCTURES] += 1
    g.structure_table[at] = s
    g.structure_key[s], g.structure_extra[s] = key, extra
    g.structure_head[s] = -1
    g.structure_stop[s] = holds(p, p.radix.shape[0], digits)
    g.structure_first[s], g.structure_actions[s] = g.used[LISTED], 0
    g.structure_cheapest[s] = 0.0
    if extra == 0:
        _list_actions(p, g, s, digits)
    return s


@njit(cache=True)
def _list_actions(p: Problem, g: Graph, s: int, digits: I64) -> None:
    mode, first = mode_of(p, digits), g.used[LISTED]
    count = legal_actions(p, digits, mode, g.listed[first:])
    g.used[LISTED] += count
    g.structure_actions[s] = count
    for c in range(p.weights.shape[0] if count else 0):
        cheapest = np.inf
        for k in range(first, first + count):
            cheapest = min(cheapest, max(0.0, p.cost[g.listed[k], mode, c]))
        g.structure_cheapest[s, c] = cheapest


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
def _borrow(g: Graph, node: int, v: F64, limit: int) -> None:
    """Raise a node's lower bound with the plans of nodes of the same structure."""
    slot = g.structure_head[g.structure[node]]
    while slot >= 0 and limit > 0:
        limit -= 1
        plan = g.plan[g.slot_node[slot]]
        value = dot(g.plan_value[plan], v)
        if value > g.lower[node]:
            g.lower[node], g.plan[node] = value, plan
        slot = g.slot_next[slot]


@njit(cache=True, fastmath=SUM)
def _node(
    p: Problem, g: Graph, code: int, clock: int, extra: int, key: int, digits: I64, v: F64, limit: int
) -> int:
    """Find or make the node of a state."""
    at = _hash(code, clock, extra) % g.table.shape[0]
    while g.table[at] >= 0:
        node = g.table[at]
        if g.code[node] == code and g.clock[node] == clock and g.extra[node] == extra:
            return node
        at = (at + 1) % g.table.shape[0]
    node = g.used[NODES]
    g.used[NODES] += 1
    g.table[at] = node
    g.code[node], g.clock[node], g.extra[node] = code, clock, extra
    g.edge_start[node], g.edge_count[node] = -1, 0
    s = _structure_of(p, g, key, extra, digits)
    g.structure[node] = s
    can_act = extra > 0 or g.structure_actions[s] > 0
    stop, g.plan[node] = dot(p.worst, v), p.stop.shape[0] * p.stop.shape[1]
    if g.structure_stop[s] or not can_act:  # a journey in which nothing else is left may end
        mode = mode_of(p, digits)
        stop, which = best_stop(p, v, mode)
        g.plan[node] = mode * p.stop.shape[1] + which
    g.lower[node] = stop
    g.stop[node] = stop if extra == 0 and (g.structure_stop[s] or not can_act) else -np.inf
    upper = stop
    if can_act:
        upper = max(g.stop[node], dot(p.free, v) - dot(g.structure_cheapest[s], v))
        if upper > stop:
            upper = max(stop, sawtooth(p, g, s, v, upper, stop, limit))
            if upper > stop:
                _borrow(g, node, v, limit)
    g.upper[node] = max(g.lower[node], upper)
    return node


@njit(cache=True, fastmath=SUM)
def _open(p: Problem, g: Graph, node: int, v: F64, mode: int) -> None:
    """List what may be done at a node, with what free information would make of it."""
    s = g.structure[node]
    g.edge_start[node] = g.used[EDGES]
    free = dot(p.free, v)
    if g.extra[node] > 0:
        _edge(g, reading(p, g.extra[node])[0], 0.0, free)
    for k in range(g.structure_first[s], g.structure_first[s] + g.structure_actions[s]):
        a = g.listed[k]
        cost = dot(p.cost[a, mode], v)
        if free - cost > g.lower[node]:
            _edge(g, a, cost, free - cost)
    g.edge_count[node] = g.used[EDGES] - g.edge_start[node]
    slot = g.used[SLOTS]
    g.used[SLOTS] += 1
    g.slot_node[slot] = node
    g.vector[slot] = v
    g.slot_next[slot] = g.structure_head[s]
    g.structure_head[s] = slot


@njit(cache=True)
def _edge(g: Graph, action: int, cost: float, upper: float) -> None:
    e = g.used[EDGES]
    g.used[EDGES] += 1
    g.edge_action[e], g.edge_cost[e], g.edge_children[e], g.edge_size[e] = action, cost, -1, 0
    g.edge_lower[e], g.edge_upper[e] = -np.inf, upper


@njit(cache=True, fastmath=SUM)
def _expand(p: Problem, g: Graph, node: int, e: int, v: F64, digits: I64, mode: int, limit: int) -> None:
    """Make a child for each outcome of the next item of an action."""
    a = g.edge_action[e]
    level, duration = 0, 0
    if g.extra[node] > 0:
        _, level, duration, _ = reading(p, g.extra[node])
    i = p.member[a, level]
    here = p.first_digit[i] + digits[i]
    last = level + 1 == p.member.shape[1] or p.member[a, level + 1] < 0
    key = g.structure_key[g.structure[node]] - p.signature[here] * p.signature_place[i]
    code = g.code[node] - digits[i] * p.place[i]
    before = digits[i]
    w = np.empty(v.shape[0])
    g.edge_children[e], g.edge_size[e] = g.used[CHILDREN], p.child_count[here, mode]
    g.used[CHILDREN] += p.child_count[here, mode]
    for k in range(p.child_count[here, mode]):
        digit = p.child_start[here, mode] + k
        column = p.first_digit[i] + digit
        total = 0.0
        for s in range(w.shape[0]):
            w[s] = v[s] * p.column[column, s]
            total += w[s]
        g.child[g.edge_children[e] + k] = -1
        if total <= 0.0:
            continue
        clock, extra, takes = g.clock[node], 0, max(duration, p.digit_hours[column])
        if not last:
            extra = _extra(p, a, level + 1, takes, mode)
        elif p.clocked:
            clock += np.int64(np.round(p.hours[takes] * 3600.0)) * _CLOCK[mode & 3]
            for s in range(w.shape[0]):
                w[s] *= p.decay[takes, mode, s]
        digits[i] = digit
        child = _node(
            p, g, code + digit * p.place[i], clock, extra, key + p.signature[column] * p.signature_place[i], digits, w, limit
        )
        g.child[g.edge_children[e] + k] = child
    digits[i] = before
    g.used[EXPANDED] += 1


@njit(cache=True)
def _sum_edge(g: Graph, e: int) -> int:
    """Add up an expanded action from its children; returns which outcome has the widest gap, or -1."""
    lower = upper = -g.edge_cost[e]
    widest, which = -1.0, -1
    for k in range(g.edge_size[e]):
        c = g.child[g.edge_children[e] + k]
        if c >= 0:
            lower += g.lower[c]
            upper += g.upper[c]
            if g.upper[c] - g.lower[c] > widest:
                widest, which = g.upper[c] - g.lower[c], k
    g.edge_lower[e] = lower
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
def _back_up(p: Problem, g: Graph, node: int, taken: int, digits: I64, mode: int, worthwhile: float) -> None:
    """Bounds and plan of a node from its actions; only the one `taken` in this trial is added up again."""
    lower, upper, best = g.lower[node] + worthwhile, g.stop[node], -1
    if taken >= 0:
        _sum_edge(g, taken)
    for e in range(g.edge_start[node], g.edge_start[node] + g.edge_count[node]):
        upper = max(upper, g.edge_upper[e])
        if g.edge_lower[e] > lower:
            lower, best = g.edge_lower[e], e
    if best >= 0:
        g.lower[node] = lower
        g.plan[node] = _plan(p, g, node, best, digits, mode)
    g.upper[node] = max(g.lower[node], min(upper, g.upper[node]))


@njit(cache=True, fastmath=SUM)
def _plan(p: Problem, g: Graph, node: int, e: int, digits: I64, mode: int) -> int:
    """Make the plan: this action, then the present plan of each outcome."""
    a = g.edge_action[e]
    level, duration = 0, 0
    plan = g.used[PLANS]
    g.used[PLANS] += 1
    value = g.plan_value[plan]
    value[:] = 0.0
    if g.extra[node] > 0:
        _, level, duration, _ = reading(p, g.extra[node])
    else:
        value -= p.cost[a, mode]
    i = p.member[a, level]
    here = p.first_digit[i] + digits[i]
    last = level + 1 == p.member.shape[1] or p.member[a, level + 1] < 0
    g.plan_action[plan], g.plan_follow[plan], g.plan_outcomes[plan] = a, g.used[FOLLOW], g.edge_size[e]
    g.used[FOLLOW] += g.edge_size[e]
    for k in range(g.edge_size[e]):
        c = g.child[g.edge_children[e] + k]
        then = g.plan[c] if c >= 0 else p.stop.shape[0] * p.stop.shape[1]
        g.follow[g.plan_follow[plan] + k] = then
        column = p.first_digit[i] + p.child_start[here, mode] + k
        if last and p.clocked:
            decay = p.decay[max(duration, p.digit_hours[column]), mode]
            for s in range(value.shape[0]):
                value[s] += p.column[column, s] * decay[s] * g.plan_value[then, s]
        else:
            for s in range(value.shape[0]):
                value[s] += p.column[column, s] * g.plan_value[then, s]
    return plan


@njit(cache=True)
def _room(p: Problem, g: Graph, largest: int, depth: int) -> bool:
    A = p.member.shape[0]
    return (
        g.used[NODES] + largest < g.code.shape[0]
        and g.used[EDGES] + A + 1 < g.edge_action.shape[0]
        and g.used[CHILDREN] + largest < g.child.shape[0]
        and g.used[SLOTS] + 1 < g.slot_node.shape[0]
        and g.used[STRUCTURES] + largest < g.structure_key.shape[0]
        and g.used[LISTED] + largest * A < g.listed.shape[0]
        and g.used[PLANS] + depth < g.plan_action.shape[0]
        and g.used[FOLLOW] + depth * largest < g.follow.shape[0]
    )


@njit(cache=True)
def begin(p: Problem, g: Graph, first: int) -> None:
    """Make the plans that are decisions, and the root; with `first` >= 0 that action has been ordered and paid."""
    D = p.stop.shape[1]
    last = p.stop.shape[0] * D
    for d in range(last + 1):
        g.plan_value[d] = p.stop[d // D, d % D] if d < last else p.worst
        g.plan_action[d] = g.plan_follow[d] = -1
        g.plan_outcomes[d] = 0
    g.used[PLANS] = last + 1
    extra = _extra(p, first, 0, 0, p.root_mode) if first >= 0 else 0
    _node(p, g, 0, 0, extra, 0, np.zeros(p.radix.shape[0], np.int64), p.weights, 0)


@njit(cache=True, fastmath=SUM, nogil=True)
def search(
    p: Problem, g: Graph, gap: float, share: float, tiny: float, worthwhile: float, limit: int, expansions: int, largest: int
) -> int:
    """Trials until the root's gap is at most `gap` or `share` of its gain, the effort is spent or the arrays full."""
    n, S = p.radix.shape[0], p.weights.shape[0]
    deepest = 2 * p.radix.sum() + 4
    path = np.empty(deepest, np.int64)
    trail = np.empty((deepest, n), np.int64)
    modes = np.empty(deepest, np.int64)
    taken = np.empty(deepest, np.int64)
    v = np.empty(S)
    while g.upper[0] - g.lower[0] > max(gap, share * (g.lower[0] - g.stop[0])):
        if g.used[EXPANDED] >= expansions:
            return SPENT
        if not _room(p, g, largest, deepest):
            return GROW
        g.used[TRIALS] += 1
        node, depth = 0, 0
        v[:] = p.weights
        trail[0] = 0
        while True:
            digits = trail[depth]
            mode = mode_of(p, digits) if g.extra[node] == 0 else reading(p, g.extra[node])[3]
            path[depth], modes[depth], taken[depth] = node, mode, -1
            if g.edge_start[node] < 0:
                if not _room(p, g, largest, deepest):
                    break
                s = g.structure[node]
                g.upper[node] = max(g.lower[node], sawtooth(p, g, s, v, g.upper[node], g.lower[node], 4 * limit))
                _borrow(g, node, v, 4 * limit)
                g.upper[node] = max(g.lower[node], g.upper[node])
                _open(p, g, node, v, mode)
            e = _best_edge(g, node)
            if e < 0 or g.edge_upper[e] <= g.lower[node] + tiny:
                break
            if g.edge_children[e] < 0:
                while e >= 0 and g.edge_children[e] < 0 and g.edge_upper[e] > g.lower[node] + tiny:
                    if not _room(p, g, largest, deepest):
                        break
                    _expand(p, g, node, e, v, digits, mode, limit)
                    _sum_edge(g, e)
                    e = _best_edge(g, node)
                break
            before, taken[depth] = g.edge_upper[e], e
            k = _sum_edge(g, e)
            if g.edge_upper[e] < before and _best_edge(g, node) != e:
                continue
            if k < 0:
                break
            c = g.child[g.edge_children[e] + k]
            if g.upper[c] - g.lower[c] <= tiny:
                break
            _step(p, g, node, e, c, digits, mode, v)
            depth += 1
            digits_of(p, g.code[c], trail[depth])
            node = c
        for level in range(depth, -1, -1):
            _back_up(p, g, path[level], taken[level], trail[level], modes[level], worthwhile)
    return DONE


@njit(cache=True)
def _step(p: Problem, g: Graph, node: int, e: int, child: int, digits: I64, mode: int, v: F64) -> None:
    """Move the belief from a node to one of its children."""
    a, level, duration = g.edge_action[e], 0, 0
    if g.extra[node] > 0:
        _, level, duration, _ = reading(p, g.extra[node])
    i = p.member[a, level]
    column = p.first_digit[i] + (g.code[child] // p.place[i]) % p.radix[i]
    for s in range(v.shape[0]):
        v[s] *= p.column[column, s]
    if p.clocked and g.extra[child] == 0:
        decay = p.decay[max(duration, p.digit_hours[column]), mode]
        for s in range(v.shape[0]):
            v[s] *= decay[s]

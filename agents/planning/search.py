"""Best-first search of the AND/OR graph of information states with bounds: the compiled part of AO*.

Each node holds [lower, upper] on its unnormalised value. A trial walks from the root along the action of highest
upper bound and the outcome of widest gap, looks at the outcomes of one item there and backs the bounds up. Nodes
of the same state are one node. An order set is paid at once and read one item at a time (`extra` says what is
still to be read), so that rare joint results are told apart only where that matters.

A lower bound is always the value of a plan: a decision, or an action and a plan for each outcome. Plans are
never changed once made, so the plan of the root is a policy that attains the root's lower bound.

Source: Smith & Simmons, UAI 2004 (heuristic search value iteration: widest gap, sawtooth bound); Martelli &
Montanari, CACM 1978 (AO*).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workup.agents.planning.graph import CHILDREN, EDGES, EXPANDED, FOLLOW, PLANS, SLOTS, TRIALS, Graph, has_room
from workup.agents.planning.nodes import borrow, extra_of, find_node, make_node, reading, sawtooth
from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.transitions import SUM, digits_of, dot, free_of, mode_of
from workup.envs.model.machine_code import njit

DONE, GROW, SPENT = 0, 1, 2
_CLOCK = np.array([1, 0x27220A95FE8D2F5D, 0x309EA2CB49F4D3AD, 0x165667B19E3779F9], np.int64)
"""Odd multipliers that keep the seconds spent in each mode apart in one integer."""


class Walk(NamedTuple):
    """Where a trial has been."""

    path: I64
    modes: I64
    taken: I64
    trail: I64
    """(depth, n) digits."""
    v: F64
    w: F64
    """(S,) belief at the end, and room for another."""


@njit(cache=True)
def _edge(g: Graph, action: int, cost: float, upper: float) -> None:
    e = g.used[EDGES]
    g.used[EDGES] += 1
    g.edge_action[e], g.edge_cost[e], g.edge_children[e], g.edge_size[e] = action, cost, -1, 0
    g.edge_lower[e], g.edge_upper[e] = -np.inf, upper


@njit(cache=True, fastmath=SUM)
def _open(p: Problem, g: Graph, node: int, v: F64, digits: I64, mode: int) -> None:
    """List what may be done at a node, with what free information would make of it."""
    s = g.structure[node]
    g.edge_start[node] = g.used[EDGES]
    free = free_of(p, v, digits, mode_of(p, digits), g.extra[node] > 0)
    paid = free if g.extra[node] > 0 else free_of(p, v, digits, mode, True)
    if g.extra[node] > 0:
        _edge(g, reading(p, g.extra[node])[0], 0.0, free)
    for k in range(g.structure_first[s], g.structure_first[s] + g.structure_actions[s]):
        a = g.listed[k]
        cost = dot(p.cost[a, mode], v)
        upper = (paid if p.free.bits[a] & ~mode else free) - cost
        if upper > g.lower[node]:
            _edge(g, a, cost, upper)
    g.edge_count[node] = g.used[EDGES] - g.edge_start[node]
    slot = g.used[SLOTS]
    g.used[SLOTS] += 1
    g.slot_node[slot], g.slot_free[slot] = node, free
    g.vector[slot] = v
    g.slot_next[slot] = g.structure_head[s]
    g.structure_head[s] = slot


@njit(cache=True, fastmath=SUM)
def _expand(p: Problem, g: Graph, node: int, e: int, v: F64, w: F64, digits: I64, mode: int, limit: int) -> None:
    """Make a child for each outcome of the next item of an action."""
    a, level, duration = g.edge_action[e], 0, 0
    if g.extra[node] > 0:
        _, level, duration, _ = reading(p, g.extra[node])
    i = p.member[a, level]
    here = p.first_digit[i] + digits[i]
    last = level + 1 == p.member.shape[1] or p.member[a, level + 1] < 0
    key = g.structure_key[g.structure[node]] - p.signature[here] * p.signature_place[i]
    code = g.code[node] - digits[i] * p.place[i]
    before = digits[i]
    g.edge_children[e], g.edge_size[e] = g.used[CHILDREN], p.child_count[here, mode]
    g.used[CHILDREN] += p.child_count[here, mode]
    for j in range(p.child_count[here, mode]):
        digit = p.child_start[here, mode] + j
        column = p.first_digit[i] + digit
        g.child[g.edge_children[e] + j] = -1
        total = 0.0
        for s in range(w.shape[0]):
            w[s] = v[s] * p.column[column, s]
            total += w[s]
        if total <= 0.0:
            continue
        clock, extra, takes = g.clock[node], 0, max(duration, p.digit_hours[column])
        if not last:
            extra = extra_of(p, a, level + 1, takes, mode)
        elif p.clocked:
            clock += np.int64(np.round(p.hours[takes] * 3600.0)) * _CLOCK[mode & 3]
            for s in range(w.shape[0]):
                w[s] *= p.decay[takes, mode, s]
        digits[i] = digit
        child_code = code + digit * p.place[i]
        child = find_node(g, child_code, clock, extra)
        if child < 0:
            child_key = key + p.signature[column] * p.signature_place[i]
            child = make_node(p, g, -child - 1, child_code, clock, extra, child_key, digits, w, limit)
        g.child[g.edge_children[e] + j] = child
    digits[i] = before
    g.used[EXPANDED] += 1


@njit(cache=True)
def _sum_edge(
    child: I32, lower: F64, upper: F64, start: int, size: int, cost: float
) -> tuple[float, float, int]:  # fmt: skip
    """Bounds of an expanded action from its children, and which outcome has the widest gap, or -1."""
    low = high = -cost
    widest, which = -1.0, -1
    for k in range(size):
        c = child[start + k]
        if c >= 0:
            low += lower[c]
            high += upper[c]
            if upper[c] - lower[c] > widest:
                widest, which = upper[c] - lower[c], k
    return low, high, which


@njit(cache=True)
def _refresh(g: Graph, e: int) -> int:
    low, high, which = _sum_edge(g.child, g.lower, g.upper, g.edge_children[e], g.edge_size[e], g.edge_cost[e])
    g.edge_lower[e] = low
    g.edge_upper[e] = min(g.edge_upper[e], high)
    return which


@njit(cache=True)
def _best_edge(edge_upper: F64, start: int, count: int) -> int:
    best, which = -np.inf, -1
    for e in range(start, start + count):
        if edge_upper[e] > best:
            best, which = edge_upper[e], e
    return which


@njit(cache=True, fastmath=SUM)
def _back_up(p: Problem, g: Graph, node: int, taken: int, digits: I64, mode: int, worthwhile: float) -> None:
    """Bounds and plan of a node from its actions; only the one `taken` in this trial is added up again."""
    lower, upper, best = g.lower[node] + worthwhile, g.stop[node], -1
    if taken >= 0:
        _refresh(g, taken)
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


@njit(cache=True, fastmath=SUM)
def begin(p: Problem, g: Graph, first: int) -> None:
    """Make the plans that are decisions, and the root; with `first` >= 0 that action has been ordered and paid."""
    D = p.stop.shape[1]
    last = p.stop.shape[0] * D
    for d in range(last + 1):
        g.plan_value[d] = p.stop[d // D, d % D] if d < last else p.worst
        g.plan_action[d] = g.plan_follow[d] = -1
        g.plan_outcomes[d] = 0
    g.used[PLANS] = last + 1
    extra = extra_of(p, first, 0, 0, p.root_mode) if first >= 0 else 0
    digits = np.zeros(p.radix.shape[0], np.int64)
    make_node(p, g, -find_node(g, 0, 0, extra) - 1, 0, 0, extra, 0, digits, p.weights, 0)


@njit(cache=True, fastmath=SUM)
def _descend(p: Problem, g: Graph, walk: Walk, tiny: float) -> int:
    """From the root to where something is to be done; returns the depth."""
    node, depth = 0, 0
    walk.v[:] = p.weights
    walk.trail[0] = 0
    while True:
        digits = walk.trail[depth]
        mode = mode_of(p, digits) if g.extra[node] == 0 else reading(p, g.extra[node])[3]
        walk.path[depth], walk.modes[depth], walk.taken[depth] = node, mode, -1
        if g.edge_start[node] < 0:
            return depth
        e = _best_edge(g.edge_upper, g.edge_start[node], g.edge_count[node])
        if e < 0 or g.edge_upper[e] <= g.lower[node] + tiny or g.edge_children[e] < 0:
            return depth
        before, walk.taken[depth] = g.edge_upper[e], e
        j = _refresh(g, e)
        if g.edge_upper[e] < before and _best_edge(g.edge_upper, g.edge_start[node], g.edge_count[node]) != e:
            continue
        if j < 0:
            return depth
        c = g.child[g.edge_children[e] + j]
        if g.upper[c] - g.lower[c] <= tiny:
            return depth
        _step(p, g, node, e, c, digits, mode, walk.v)
        depth += 1
        digits_of(p, g.code[c], walk.trail[depth])
        node = c


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


@njit(cache=True, fastmath=SUM)
def _tighten(p: Problem, g: Graph, walk: Walk, depth: int, limit: int) -> None:
    """Better bounds for a node before it is opened."""
    node = walk.path[depth]
    digits = walk.trail[depth]
    free = free_of(p, walk.v, digits, mode_of(p, digits), g.extra[node] > 0)
    upper = sawtooth(p, g, g.structure[node], walk.v, free, g.upper[node], g.lower[node], 4 * limit)
    borrow(g, node, walk.v, 4 * limit)
    g.upper[node] = max(g.lower[node], upper)


@njit(cache=True, fastmath=SUM)
def _grow_here(p: Problem, g: Graph, walk: Walk, depth: int, tiny: float, limit: int) -> None:
    """Open the last node of a walk and expand its best actions until the best one is expanded."""
    node, digits, mode = walk.path[depth], walk.trail[depth], walk.modes[depth]
    if g.edge_start[node] < 0:
        _open(p, g, node, walk.v, digits, mode)
    while True:
        e = _best_edge(g.edge_upper, g.edge_start[node], g.edge_count[node])
        if e < 0 or g.edge_children[e] >= 0 or g.edge_upper[e] <= g.lower[node] + tiny:
            break
        _expand(p, g, node, e, walk.v, walk.w, digits, mode, limit)
        _refresh(g, e)


@njit(cache=True)
def _walk(p: Problem) -> Walk:
    n, S, deepest = p.radix.shape[0], p.weights.shape[0], 2 * p.radix.sum() + 4
    return Walk(
        np.empty(deepest, np.int64), np.empty(deepest, np.int64), np.empty(deepest, np.int64),
        np.zeros((deepest, n), np.int64), np.zeros(S), np.zeros(S),
    )  # fmt: skip


@njit(cache=True, fastmath=SUM, nogil=True)
def search(
    p: Problem, g: Graph, gap: float, share: float, tiny: float, worthwhile: float, limit: int, expansions: int,
    largest: int,
) -> int:  # fmt: skip
    """Trials until the root's gap is at most `gap` or `share` of its gain, the effort is spent or the arrays full."""
    walk = _walk(p)
    deepest = walk.path.shape[0]
    A = p.member.shape[0]
    while g.upper[0] - g.lower[0] > max(gap, share * (g.lower[0] - g.stop[0])):
        if g.used[EXPANDED] >= expansions:
            return SPENT
        if not has_room(g, A, largest, deepest):
            return GROW
        g.used[TRIALS] += 1
        depth = _descend(p, g, walk, tiny)
        node = walk.path[depth]
        if g.edge_start[node] < 0:
            _tighten(p, g, walk, depth, limit)
        if g.upper[node] - g.lower[node] > tiny:
            _grow_here(p, g, walk, depth, tiny, limit)
        settled = walk.taken[depth] >= 0  # its best action has nothing left to look at
        if settled:
            _back_up(p, g, node, walk.taken[depth], walk.trail[depth], walk.modes[depth], 0.0)
            if g.upper[node] - g.lower[node] <= 2.0 * largest * tiny:
                g.upper[node] = g.lower[node]  # what is left is rounding
        for level in range(depth - settled, -1, -1):
            if g.edge_start[walk.path[level]] >= 0:
                _back_up(p, g, walk.path[level], walk.taken[level], walk.trail[level], walk.modes[level], worthwhile)
    return DONE

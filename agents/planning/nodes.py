"""Nodes of the search graph: finding and making them, and the bounds that a fresh one begins with.

lower: the best decision now, or the plan of a node of the same *structure* (what remains possible) applied here;
upper: the better of deciding now and free information less the cheapest legal action; and the bounds of nodes of
the same structure: the value is convex and homogeneous, so with w = r * w_j + rest, V(w) <= r * upper_j + free . rest.

Source: Smith & Simmons, UAI 2004 (sawtooth bound).
"""

from __future__ import annotations

import numpy as np

from workup.agents.planning.graph import CHEAPEST, LISTED, NODES, STRUCTURES, Graph, hash_of
from workup.agents.planning.problem import F64, I64, Problem
from workup.agents.planning.transitions import SUM, best_stop, dot, free_of, holds, legal_actions, mode_of
from workup.envs.model.machine_code import njit


@njit(cache=True)
def reading(p: Problem, extra: int) -> tuple[int, int, int, int]:
    """Action, member, duration so far and mode of an order that is being read (`extra` > 0)."""
    X, T, M = p.cost.shape[1], p.hours.shape[0], p.member.shape[1]
    rest = extra - 1
    mode, rest = rest % X, rest // X
    duration, rest = rest % T, rest // T
    return rest // M, rest % M, duration, mode


@njit(cache=True)
def extra_of(p: Problem, action: int, member: int, duration: int, mode: int) -> int:
    """The `extra` of such an order: the inverse of `reading`."""
    X, T, M = p.cost.shape[1], p.hours.shape[0], p.member.shape[1]
    return 1 + mode + X * (duration + T * (member + M * action))


@njit(cache=True)
def _structure_of(p: Problem, g: Graph, key: int, extra: int, digits: I64) -> int:
    """What is legal, what it costs and what may follow: the same for all nodes of one key."""
    at = hash_of(key, 0, extra) % g.structure_table.shape[0]
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
    g.structure_row[s] = -1
    if extra == 0:
        mode, first = mode_of(p, digits), g.used[LISTED]
        count = legal_actions(p, digits, mode, g.listed[first:])
        g.used[LISTED] += count
        g.structure_actions[s] = count
        if count > 0:
            g.structure_row[s] = g.used[CHEAPEST]
            g.used[CHEAPEST] += 1
        for c in range(p.weights.shape[0] if count else 0):
            cheapest = np.inf
            for k in range(first, first + count):
                a = g.listed[k]
                # What leads to another mode is paid for in the clairvoyant bound already.
                cheapest = min(cheapest, 0.0 if p.free.bits[a] & ~mode else max(0.0, p.cost[a, mode, c]))
            g.cheapest[g.structure_row[s], c] = cheapest
    return s


@njit(cache=True, fastmath=SUM)
def sawtooth(
    p: Problem, g: Graph, structure: int, v: F64, free: float, upper: float, floor: float, limit: int
) -> float:
    """Tighten an upper bound with the bounds of nodes of the same structure; stops early below `floor`."""
    S0 = p.weights.shape[0] - p.base.shape[0]
    slot = g.structure_head[structure]
    while slot >= 0 and limit > 0 and upper > floor:
        limit -= 1
        point = g.vector[slot]
        drop = g.slot_free[slot] - g.upper[g.slot_node[slot]]
        if drop > 0.0:
            ratio = np.inf
            least = (free - upper) / drop  # only a larger ratio helps
            for s in range(S0):
                if point[s] * ratio > v[s]:
                    ratio = v[s] / point[s]
                    if ratio <= least:
                        break
            if ratio > least:
                for s in range(S0, v.shape[0]):
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
def borrow(g: Graph, node: int, v: F64, limit: int) -> None:
    """Raise a node's lower bound with the plans of nodes of the same structure."""
    slot = g.structure_head[g.structure[node]]
    while slot >= 0 and limit > 0:
        limit -= 1
        plan = g.plan[g.slot_node[slot]]
        value = dot(g.plan_value[plan], v)
        if value > g.lower[node]:
            g.lower[node], g.plan[node] = value, plan
        slot = g.slot_next[slot]


@njit(cache=True)
def find_node(g: Graph, code: int, clock: int, extra: int) -> int:
    """The node of a state, or minus the place in the table where it belongs, less 1."""
    at = hash_of(code, clock, extra) % g.table.shape[0]
    while g.table[at] >= 0:
        node = g.table[at]
        if g.code[node] == code and g.extra[node] == extra and g.clock[node] == clock:
            return node
        at = (at + 1) % g.table.shape[0]
    return -at - 1


@njit(cache=True, fastmath=SUM)
def make_node(
    p: Problem, g: Graph, at: int, code: int, clock: int, extra: int, key: int, digits: I64, v: F64, limit: int
) -> int:
    """Make the node of a state."""
    node = g.used[NODES]
    g.used[NODES] += 1
    g.table[at] = node
    g.code[node], g.clock[node], g.extra[node] = code, clock, extra
    g.edge_start[node], g.edge_count[node] = -1, 0
    s = _structure_of(p, g, key, extra, digits)
    g.structure[node] = s
    can_act = extra > 0 or g.structure_actions[s] > 0
    stop, g.plan[node] = dot(p.worst, v), p.stop.shape[0] * p.stop.shape[1]
    # A journey in which nothing else is left may end. Whatever the rest of a set will say, the same decision may follow.
    if (g.structure_stop[s] and not (extra > 0 and p.clocked)) or not can_act:
        mode = mode_of(p, digits)
        stop, which = best_stop(p, v, mode, digits)
        g.plan[node] = mode * p.stop.shape[1] + which
    g.lower[node] = stop
    g.stop[node] = stop if extra == 0 and (g.structure_stop[s] or not can_act) else -np.inf
    upper = stop
    if can_act:
        least = dot(g.cheapest[g.structure_row[s]], v) if g.structure_row[s] >= 0 else 0.0
        free = free_of(p, v, digits, mode_of(p, digits), extra > 0)
        upper = max(g.stop[node], free - least)
        if upper > stop:
            upper = max(stop, sawtooth(p, g, s, v, free, upper, stop, limit))
            if upper > stop:
                borrow(g, node, v, limit)
    g.upper[node] = max(g.lower[node], upper)
    return node

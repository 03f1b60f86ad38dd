"""The arrays of a search graph, and how they grow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.agents.planning.source import SOURCE, Source
from workup.envs.model.machine_code import njit

NODES, EDGES, CHILDREN, SLOTS, STRUCTURES, CHEAPEST, LISTED, PLANS, FOLLOW, EXPANDED, TRIALS = range(11)
_GROWTH = 1.3


class Graph(NamedTuple):
    """Nodes, edges, plans and structures, flat; Python grows the arrays between calls of the kernel."""

    used: I64
    """(11,) how much of each kind of array is used, and counters."""
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
    table: I32
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
    slot_free: F64
    """Value of free information there."""
    slot_next: I32
    """Next slot of the same structure."""

    structure_key: I64
    structure_extra: I64
    structure_head: I32
    structure_first: I32
    structure_actions: I32
    structure_stop: NDArray[np.bool_]
    structure_row: I32
    """Row of `cheapest`, -1 where no action is legal."""
    cheapest: F64
    """(rows, S) lowest cost of a legal action by coordinate; 0 for one that leads to another mode."""
    structure_table: I32
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

    source: Source
    """See `workup.agents.planning.source`."""


_BY = {
    NODES: ("code", "clock", "extra", "structure", "lower", "upper", "plan", "stop", "edge_start", "edge_count"),
    EDGES: ("edge_action", "edge_cost", "edge_children", "edge_size", "edge_lower", "edge_upper"),
    CHILDREN: ("child",),
    SLOTS: ("vector", "slot_node", "slot_free", "slot_next"),
    STRUCTURES: (
        "structure_key", "structure_extra", "structure_head", "structure_first",
        "structure_actions", "structure_stop", "structure_row",
    ),
    CHEAPEST: ("cheapest",),
    LISTED: ("listed",),
    PLANS: ("plan_value", "plan_action", "plan_follow", "plan_outcomes"),
    FOLLOW: ("follow",),
}  # fmt: skip
_FLOAT = {"lower", "upper", "stop", "edge_cost", "edge_lower", "edge_upper", "slot_free"}
_WIDE = {"vector", "cheapest", "plan_value"}
_INT64 = {"code", "clock", "extra", "structure_key", "structure_extra"}


def empty_graph(problem: Problem, largest: int) -> Graph:
    """Arrays with room for a first few hundred expansions; `largest`: most outcomes of one item."""
    S, room = len(problem.weights), {kind: base + 2 * step for kind, (base, step) in _room(problem, largest).items()}
    arrays: dict[str, NDArray[Any]] = {"used": np.zeros(11, np.int64), "source": SOURCE}
    for kind, names in _BY.items():
        for name in names:
            dtype = np.float64 if name in _FLOAT | _WIDE else np.int64 if name in _INT64 else np.int32
            shape = (room[kind], S) if name in _WIDE else (room[kind],)
            arrays[name] = np.empty(shape, np.bool_ if name == "structure_stop" else dtype)
    return Graph(**arrays, **_tables(arrays))


def grown(graph: Graph, problem: Problem, largest: int) -> Graph:
    """The same graph with 1.3 times the room, and enough for a step, in whatever is nearly full."""
    arrays = graph._asdict()
    for kind, (_, step) in _room(problem, largest).items():
        for name in _BY[kind]:
            old, used = arrays[name], int(graph.used[kind])
            if used * 1.15 + step >= len(old):
                arrays[name] = np.empty((int(_GROWTH * len(old)) + 2 * step, *old.shape[1:]), old.dtype)
                arrays[name][:used] = old[:used]
    if len(arrays["code"]) > len(graph.code) or len(arrays["structure_key"]) > len(graph.structure_key):
        arrays |= _tables(arrays)
        _rehash(Graph(**arrays))
    return Graph(**arrays)


def _room(problem: Problem, largest: int) -> dict[int, tuple[int, int]]:
    """For each kind of array: how much to begin with, and the most that a trial may add."""
    A, depth = len(problem.member), 2 * int(problem.radix.sum()) + 4
    step = 64 + A * largest
    return {
        NODES: (4096, step), EDGES: (4096, A + 1), CHILDREN: (8192, step), SLOTS: (512, 1), STRUCTURES: (512, step),
        CHEAPEST: (512, step), LISTED: (4096, step * A),
        PLANS: (512 + problem.stop.shape[0] * problem.stop.shape[1], depth), FOLLOW: (4096, depth * largest),
    }  # fmt: skip


def _tables(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        "table": np.full(2 * len(arrays["code"]), -1, np.int32),
        "structure_table": np.full(2 * len(arrays["structure_key"]), -1, np.int32),
    }


@njit(cache=True)
def has_room(g: Graph, A: int, largest: int, depth: int) -> bool:
    """Whether a trial fits: what `_room` says that it may add."""
    return (
        g.used[NODES] + 64 + A * largest < g.code.shape[0]
        and g.used[EDGES] + A + 1 < g.edge_action.shape[0]
        and g.used[CHILDREN] + A * largest < g.child.shape[0]
        and g.used[SLOTS] + 1 < g.slot_node.shape[0]
        and g.used[STRUCTURES] + 64 + A * largest < g.structure_key.shape[0]
        and g.used[CHEAPEST] + 64 + A * largest < g.cheapest.shape[0]
        and g.used[LISTED] + (64 + A * largest) * A < g.listed.shape[0]
        and g.used[PLANS] + depth < g.plan_action.shape[0]
        and g.used[FOLLOW] + depth * largest < g.follow.shape[0]
    )


@njit(cache=True)
def hash_of(a: int, b: int, c: int) -> np.int64:
    """A non-negative integer that mixes three."""
    x = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    x ^= (x >> np.uint64(29)) ^ np.uint64(c) * np.uint64(0x165667B19E3779F9)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x ^ (x >> np.uint64(32))) & np.uint64(0x7FFFFFFFFFFFFFFF))


@njit(cache=True)
def _rehash(g: Graph) -> None:
    """Fill the (grown, empty) hash tables again."""
    for node in range(g.used[NODES]):
        at = hash_of(g.code[node], g.clock[node], g.extra[node]) % g.table.shape[0]
        while g.table[at] >= 0:
            at = (at + 1) % g.table.shape[0]
        g.table[at] = node
    for s in range(g.used[STRUCTURES]):
        at = hash_of(g.structure_key[s], 0, g.structure_extra[s]) % g.structure_table.shape[0]
        while g.structure_table[at] >= 0:
            at = (at + 1) % g.structure_table.shape[0]
        g.structure_table[at] = s

"""Bounded planning: certified [lower, upper] on the value of a presentation, as tight as the effort allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning import search as kernel
from workup.agents.planning.problem import Problem
from workup.agents.planning.search import Graph


@dataclass(frozen=True, eq=False)
class Bounds:
    """What the search certified about a problem's value, in the problem's (unnormalised) pounds."""

    lower: float
    upper: float
    stop: float
    """Value of the best decision at once."""
    expanded: int
    """Actions whose outcomes were looked at."""
    met: bool
    """Whether the asked-for gap was reached."""
    graph: Graph


def bound(
    problem: Problem,
    *,
    gap: float = 0.0,
    share_of_gain: float = 0.0,
    expansions: int = 200_000,
    points: int = 8,
    first: int = -1,
) -> Bounds:
    """Search until upper - lower <= gap (or a share of the gain), or until `expansions` actions have been expanded.

    Args:
        problem: the root and everything after it.
        gap: pounds, in the problem's unnormalised scale; 0 asks for the exact value (to 1e-9 of its scale).
        share_of_gain: or until the gap is at most this share of lower - stop.
        expansions: the effort allowed.
        points: nodes of the same structure whose bounds a fresh node may borrow.
        first: an atomic action to begin with, whatever its worth; its cost is taken off.
    """
    scale = float(np.abs(problem.stop).max() * problem.weights.sum())
    tiny = 1e-13 * scale
    largest = largest_expansion(problem)
    worthwhile = max(1e-5 * gap, 1e-12 * scale)
    graph = empty_graph(problem, largest)
    kernel.begin(problem, graph, first)
    while True:
        status = kernel.search(problem, graph, max(gap, 1e-10 * scale), share_of_gain, tiny, worthwhile, points, expansions, largest)
        if status != kernel.GROW:
            break
        graph = grown(graph)
    cost = float(problem.cost[first, problem.root_mode] @ problem.weights) if first >= 0 else 0.0
    return Bounds(
        lower=float(graph.lower[0]) - cost,
        upper=float(graph.upper[0]) - cost,
        stop=float(graph.stop[0]),
        expanded=int(graph.used[kernel.EXPANDED]),
        met=status == kernel.DONE,
        graph=graph,
    )


def largest_expansion(problem: Problem) -> int:
    """Most outcomes that reading one item can have."""
    return int(max(1, problem.child_count.max(initial=1)))


_BY = {
    kernel.NODES: ("code", "clock", "extra", "structure", "lower", "upper", "plan", "stop", "edge_start", "edge_count"),
    kernel.EDGES: ("edge_action", "edge_cost", "edge_children", "edge_size", "edge_lower", "edge_upper"),
    kernel.CHILDREN: ("child",),
    kernel.SLOTS: ("vector", "slot_node", "slot_next"),
    kernel.STRUCTURES: (
        "structure_key", "structure_extra", "structure_head", "structure_first", "structure_actions",
        "structure_stop", "structure_cheapest",
    ),
    kernel.LISTED: ("listed",),
    kernel.PLANS: ("plan_value", "plan_action", "plan_follow", "plan_outcomes"),
    kernel.FOLLOW: ("follow",),
}  # fmt: skip
_FLOAT = {"lower", "upper", "stop", "edge_cost", "edge_lower", "edge_upper"}
_WIDE = {"vector", "structure_cheapest", "plan_value"}
_INT64 = {"code", "clock", "extra", "structure_key", "structure_extra"}


def empty_graph(problem: Problem, largest: int) -> Graph:
    """Arrays with room for a first few hundred expansions."""
    S, A, depth = len(problem.weights), len(problem.member), 2 * int(problem.radix.sum()) + 4
    room = {
        kernel.NODES: 4096 + 2 * largest, kernel.EDGES: 4096 + 2 * A, kernel.CHILDREN: 8192 + 2 * largest,
        kernel.SLOTS: 512, kernel.STRUCTURES: 512 + 2 * largest, kernel.LISTED: 4096 + 2 * largest * A,
        kernel.PLANS: 512 + 2 * depth, kernel.FOLLOW: 4096 + 2 * depth * largest,
    }  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {"used": np.zeros(10, np.int64)}
    for kind, names in _BY.items():
        for name in names:
            dtype = np.float64 if name in _FLOAT | _WIDE else np.int64 if name in _INT64 else np.int32
            shape = (room[kind], S) if name in _WIDE else (room[kind],)
            arrays[name] = np.empty(shape, np.bool_ if name == "structure_stop" else dtype)
    arrays["table"] = np.full(2 * room[kernel.NODES], -1, np.int64)
    arrays["structure_table"] = np.full(2 * room[kernel.STRUCTURES], -1, np.int64)
    return Graph(**arrays)


def grown(graph: Graph) -> Graph:
    """The same graph with twice the room in whatever is more than a third full."""
    arrays = graph._asdict()
    for kind, names in _BY.items():
        for name in names:
            if graph.used[kind] * 3 > len(arrays[name]):
                arrays[name] = np.concatenate([arrays[name], np.empty_like(arrays[name])])
    arrays["table"] = np.full(2 * len(arrays["code"]), -1, np.int64)
    arrays["structure_table"] = np.full(2 * len(arrays["structure_key"]), -1, np.int64)
    bigger = Graph(**arrays)
    kernel.rehash(bigger)
    return bigger

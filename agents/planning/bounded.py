"""Bounded planning: certified [lower, upper] on the value of a presentation, as tight as the effort allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    problem: Problem, *, gap: float = 0.0, cut: float = 0.0, expansions: int = 200_000, points: int = 8
) -> Bounds:
    """Search until upper - lower <= gap, or until `expansions` actions have been expanded.

    Args:
        problem: the root and everything after it.
        gap: pounds, in the problem's unnormalised scale; 0 asks for the exact value (to 1e-9 of its scale).
        cut: outcomes whose free-information gap is at most this many pounds are not told apart.
        expansions: the effort allowed.
        points: nodes of the same structure whose bounds a fresh node may borrow.
    """
    scale = float(np.abs(problem.stop).max() * problem.weights.sum())
    tiny = 1e-13 * scale
    largest = largest_expansion(problem)
    graph = empty_graph(problem, largest)
    while True:
        status = kernel.search(problem, graph, max(gap, 1e-10 * scale), tiny, cut, points, expansions, largest)
        if status != kernel.GROW:
            break
        graph = grown(graph)
    return Bounds(
        lower=float(graph.lower[0]),
        upper=float(graph.upper[0]),
        stop=float(graph.value_stop[0]),
        expanded=int(graph.used[kernel.EXPANDED]),
        met=status == kernel.DONE,
        graph=graph,
    )


def largest_expansion(problem: Problem) -> int:
    """Most outcomes that one action can have."""
    most = 1
    counts = problem.child_count.max(axis=1)
    for action in range(len(problem.member)):
        product = 1
        for item, digit in zip(problem.member[action], problem.member_digit[action], strict=True):
            if item >= 0:
                product *= max(1, int(counts[problem.first_digit[item] + digit]))
        most = max(most, product)
    return most


_BY = {
    "code": kernel.NODES, "clock": kernel.NODES, "structure": kernel.NODES, "lower": kernel.NODES,
    "upper": kernel.NODES, "decision": kernel.NODES, "value_stop": kernel.NODES, "edge_start": kernel.NODES,
    "edge_count": kernel.NODES, "slot": kernel.NODES,
    "edge_action": kernel.EDGES, "edge_cost": kernel.EDGES, "edge_children": kernel.EDGES,
    "edge_size": kernel.EDGES, "edge_cut_lower": kernel.EDGES, "edge_cut_upper": kernel.EDGES,
    "edge_lower": kernel.EDGES, "edge_upper": kernel.EDGES, "child": kernel.CHILDREN,
    "vector": kernel.SLOTS, "plan": kernel.SLOTS, "slot_node": kernel.SLOTS, "slot_next": kernel.SLOTS,
    "structure_key": kernel.STRUCTURES, "structure_head": kernel.STRUCTURES, "structure_first": kernel.STRUCTURES,
    "structure_actions": kernel.STRUCTURES, "structure_stop": kernel.STRUCTURES,
    "structure_cheapest": kernel.STRUCTURES, "listed": kernel.LISTED,
}  # fmt: skip
_INT32 = {"structure", "decision", "edge_start", "edge_count", "slot", "edge_action", "edge_children", "edge_size",
          "child", "slot_node", "slot_next", "structure_head", "structure_first", "structure_actions", "listed"}  # fmt: skip
_INT64 = {"code", "clock", "structure_key"}


def empty_graph(problem: Problem, largest: int) -> Graph:
    """Arrays with room for a first few hundred expansions."""
    S, A = len(problem.weights), len(problem.member)
    room = {
        kernel.NODES: 4096 + 2 * largest, kernel.EDGES: 4096 + 2 * A, kernel.CHILDREN: 8192 + 2 * largest,
        kernel.SLOTS: 512, kernel.STRUCTURES: 512 + 2 * largest, kernel.LISTED: 4096 + 2 * largest * A,
    }  # fmt: skip
    arrays: dict[str, np.ndarray] = {"used": np.zeros(8, np.int64)}
    for name, kind in _BY.items():
        shape = (room[kind], S) if name in ("vector", "plan", "structure_cheapest") else (room[kind],)
        dtype = np.int32 if name in _INT32 else np.int64 if name in _INT64 else np.float64
        arrays[name] = np.empty(shape, np.bool_ if name == "structure_stop" else dtype)
    arrays["table"] = np.full(2 * room[kernel.NODES], -1, np.int64)
    arrays["structure_table"] = np.full(2 * room[kernel.STRUCTURES], -1, np.int64)
    return Graph(**arrays)


def grown(graph: Graph) -> Graph:
    """The same graph with twice the room in whatever is more than a third full."""
    arrays = graph._asdict()
    for name, kind in _BY.items():
        array = arrays[name]
        if graph.used[kind] * 3 > len(array):
            arrays[name] = np.concatenate([array, np.empty_like(array)])
    arrays["table"] = np.full(2 * len(arrays["code"]), -1, np.int64)
    arrays["structure_table"] = np.full(2 * len(arrays["structure_key"]), -1, np.int64)
    bigger = Graph(**arrays)
    kernel.rehash(bigger)
    return bigger

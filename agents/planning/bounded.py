"""Bounded planning: certified [lower, upper] on the value of a presentation, as tight as the effort allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workup.agents.planning import search as kernel
from workup.agents.planning.graph import EXPANDED, Graph, empty_graph, grown
from workup.agents.planning.problem import Problem


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
    worthwhile: float | None = None,
) -> Bounds:
    """Search until upper - lower <= gap (or a share of the gain), or until `expansions` actions have been expanded.

    Args:
        problem: the root and everything after it.
        gap: pounds, in the problem's unnormalised scale; 0 asks for the exact value (to 1e-9 of its scale).
        share_of_gain: or until the gap is at most this share of lower - stop.
        expansions: the effort allowed.
        points: nodes of the same structure whose bounds a fresh node may borrow.
        worthwhile: least improvement for which a plan is changed before a node is settled; by default far below the gap.
        first: an atomic action to begin with, whatever its worth; its cost is taken off.
    """
    scale = float(np.abs(problem.stop).max() * problem.weights.sum())
    tiny = 1e-13 * scale
    largest = largest_expansion(problem)
    if worthwhile is None:
        worthwhile = max(1e-5 * gap, 1e-12 * scale)
    graph = empty_graph(problem, largest)
    kernel.begin(problem, graph, first)
    while True:
        status = kernel.search(
            problem, graph, max(gap, 1e-10 * scale), share_of_gain, tiny, worthwhile, points, expansions, largest
        )
        if status != kernel.GROW:
            break
        graph = grown(graph)
    cost = float(problem.cost[first, problem.root_mode] @ problem.weights) if first >= 0 else 0.0
    return Bounds(
        lower=float(graph.lower[0]) - cost,
        upper=float(graph.upper[0]) - cost,
        stop=float(graph.stop[0]),
        expanded=int(graph.used[EXPANDED]),
        met=status == kernel.DONE,
        graph=graph,
    )


def largest_expansion(problem: Problem) -> int:
    """Most outcomes that reading one item can have."""
    return int(max(1, problem.child_count.max(initial=1)))

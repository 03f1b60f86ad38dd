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


class Search:
    """A search of one problem that can be taken up again where it stopped.

    What is found after n expansions does not depend on where it stopped before: a search that was dropped is had again by a
    fresh one to the same number.
    """

    def __init__(self, problem: Problem, *, points: int = 8, first: int = -1, worthwhile: float | None = None) -> None:
        """`points`, `first` and `worthwhile`: see `bound`."""
        self._problem, self._points = problem, points
        self._scale = float(np.abs(problem.stop).max() * problem.weights.sum())
        self._worthwhile = max(worthwhile or 0.0, 1e-12 * self._scale)
        self._largest = largest_expansion(problem)
        self._cost = float(problem.cost[first, problem.root_mode] @ problem.weights) if first >= 0 else 0.0
        self._graph = empty_graph(problem, self._largest)
        kernel.begin(problem, self._graph, first)

    def run(self, *, expansions: int, gap: float = 0.0, share_of_gain: float = 0.0) -> Bounds:
        """Go on until upper - lower <= gap (or a share of the gain), or until `expansions` actions in all were expanded."""
        problem, tiny = self._problem, 1e-13 * self._scale
        while True:
            status = kernel.search(
                problem, self._graph, max(gap, 1e-10 * self._scale), share_of_gain, tiny, self._worthwhile, self._points,
                expansions, self._largest,
            )  # fmt: skip
            if status != kernel.GROW:
                break
            self._graph = grown(self._graph, problem, self._largest)
        graph = self._graph
        return Bounds(
            lower=float(graph.lower[0]) - self._cost,
            upper=float(graph.upper[0]) - self._cost,
            stop=float(graph.stop[0]),
            expanded=int(graph.used[EXPANDED]),
            met=status == kernel.DONE,
            graph=graph,
        )

    @property
    def nbytes(self) -> int:
        """Memory that its arrays take."""
        return sum(int(array.nbytes) for array in self._graph)


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
    worthwhile = 1e-5 * gap if worthwhile is None else worthwhile
    search = Search(problem, points=points, first=first, worthwhile=worthwhile)
    return search.run(expansions=expansions, gap=gap, share_of_gain=share_of_gain)


def largest_expansion(problem: Problem) -> int:
    """Most outcomes that reading one item can have."""
    return int(max(1, problem.child_count.max(initial=1)))

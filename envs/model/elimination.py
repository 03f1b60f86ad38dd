"""Sum-product variable elimination over numpy tables, in min-fill order, with a guard on size.

Source: Zhang & Poole, JAIR 1996;5:301-328 (variable elimination); Kjaerulff 1990 (min-fill).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import combinations
from math import inf, log10, prod

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError

LARGEST_TABLE = 2**26
"""Numbers in the largest table that is allowed to arise (512 MiB)."""

LARGEST_MEMORY = 2**27
"""Numbers in all tables that are held at one time (1 GiB)."""
LARGEST_WORK = 2**32
"""Multiplications in all (a few seconds)."""
CHEAP = 2**20
"""An order that takes less than this is taken without looking for a better one."""
_MEND = "Add evidence on one of the variables, or use fewer parents or values"

SMALL = 1e-100
"""Tables whose largest number is below this are scaled up before they underflow."""


Graph = dict[str, set[str]]
Rank = Callable[[str, Graph, Mapping[str, int]], float]


@dataclass(frozen=True, eq=False)
class Factor:
    """A table over named variables, one axis each in that order."""

    names: tuple[str, ...]
    table: NDArray[np.float64]

    def restricted(self, allowed: Mapping[str, NDArray[np.bool_]], keep: Sequence[str] = ()) -> Factor:
        """The part where every variable has an allowed value; those with one value lose their axis unless kept."""
        names, table = list(self.names), self.table
        for name in self.names:
            if name not in allowed or name in keep:
                continue
            axis, hits = names.index(name), np.flatnonzero(allowed[name])
            if len(hits) == 1:
                table = np.take(table, int(hits[0]), axis=axis)
                names.remove(name)
            elif name == self.names[-1]:  # only the variable's own table may drop the rest, or it would count twice
                shape = [-1 if i == axis else 1 for i in range(table.ndim)]
                table = table * allowed[name].reshape(shape)
        return Factor(tuple(names), table)


def eliminate(
    factors: Sequence[Factor], keep: tuple[str, ...], sizes: Mapping[str, int]
) -> tuple[NDArray[np.float64], float]:
    """Sum all variables but `keep` out of the product of `factors`.

    What it will take is added up before anything is multiplied, so that a network too large is refused at once.

    Returns:
        The table, one axis per kept variable in order, and the logarithm of a factor taken out of it so that
        long products of small numbers do not underflow.

    Raises:
        WorkupError: a table above LARGEST_TABLE would arise, tables above LARGEST_MEMORY together, or more than
            LARGEST_WORK numbers in all.
    """
    pool = {i: _without_constants(factor, sizes) for i, factor in enumerate(factors)}
    scopes = {i: factor.names for i, factor in pool.items()}
    kept = tuple(name for name in keep if sizes[name] > 1)
    order = _good_order(scopes, kept, sizes)
    log_scale = 0.0
    for step, (name, taken) in enumerate(_schedule(order, scopes), start=len(factors)):
        product, log_taken = _product([pool.pop(i) for i in taken], sizes)
        summed = product.table.sum(axis=product.names.index(name))
        log_scale += log_taken
        pool[step] = Factor(tuple(n for n in product.names if n != name), summed)
    result, log_taken = _product([*pool.values(), *(Factor((n,), np.ones(sizes[n])) for n in kept)], sizes)
    table = result.table.transpose([result.names.index(n) for n in kept])
    return table.reshape([sizes[n] for n in keep]), log_scale + log_taken


def _without_constants(factor: Factor, sizes: Mapping[str, int]) -> Factor:
    """The factor without the axes of variables that have one value only: an array cannot have more than 64 axes."""
    names = tuple(name for name in factor.names if sizes[name] > 1)
    return Factor(names, factor.table.reshape([sizes[name] for name in names]))


def _schedule(order: Sequence[str], scopes: Mapping[int, tuple[str, ...]]) -> Iterator[tuple[str, list[int]]]:
    """For each variable in turn, the numbers of the factors that hold it; the k-th result is number len(scopes) + k."""
    scope_of = dict(scopes)
    holding: dict[str, set[int]] = {}
    for i, names in scopes.items():
        for name in names:
            holding.setdefault(name, set()).add(i)
    for step, name in enumerate(order, start=len(scopes)):
        taken = sorted(holding.pop(name, ()))
        yield name, taken
        left = tuple(dict.fromkeys(n for i in taken for n in scope_of.pop(i) if n != name))
        for other in left:
            holding[other].difference_update(taken)
            holding[other].add(step)
        scope_of[step] = left


@dataclass(frozen=True)
class _Effort:
    """What an order of elimination takes."""

    work: int
    """Multiplications in all."""
    most: int
    """Numbers held at one time."""

    @property
    def fits(self) -> bool:
        return self.most <= LARGEST_MEMORY and self.work <= LARGEST_WORK


def _effort(
    order: Sequence[str], scopes: Mapping[int, tuple[str, ...]], keep: tuple[str, ...], sizes: Mapping[str, int]
) -> _Effort:
    scope_of, live, most, work = dict(scopes), 0, 0, 0
    for step, (name, taken) in enumerate(_schedule(order, scopes), start=len(scopes)):
        names = tuple(dict.fromkeys(n for i in taken for n in scope_of[i]))
        cells = prod(sizes[n] for n in names)
        scope_of[step] = tuple(n for n in names if n != name)
        most = max(most, live + cells + cells // sizes[name])
        work += cells * len(taken)
        live += cells // sizes[name] - sum(prod(sizes[n] for n in scope_of[i]) for i in taken if i >= len(scopes))
    return _Effort(work, max(most, live + prod(sizes[name] for name in keep)))


def _good_order(scopes: Mapping[int, tuple[str, ...]], keep: tuple[str, ...], sizes: Mapping[str, int]) -> list[str]:
    """Min-fill; where that takes much, the best of it, the smallest table first, and sweeps through the network."""
    _refuse_if_large(keep, sizes)
    refusals: list[_TooLarge] = []
    found: list[tuple[_Effort, list[str]]] = []
    graph = _graph([*scopes.values(), keep])
    ranks: Iterable[Rank] = (_by_fill, _by_cells, *(partial(_by_place, sweep) for sweep in _sweeps(graph)))
    for rank in ranks:
        try:
            order = _order(graph, keep, sizes, rank)
        except _TooLarge as refusal:
            refusals.append(refusal)
            continue
        found.append((_effort(order, scopes, keep, sizes), order))
        if found[-1][0].work <= CHEAP:
            break
    fitting = [(effort.work, i) for i, (effort, _) in enumerate(found) if effort.fits]
    if fitting:
        return found[min(fitting)[1]][1]
    if found:
        least = min((effort for effort, _ in found), key=lambda effort: effort.work)
        raise WorkupError(
            f"exact inference takes {least.work:,} multiplications and holds {least.most:,} numbers at a time; at most "
            f"{LARGEST_WORK:,} and {LARGEST_MEMORY:,} are allowed. {_MEND}"
        )
    raise min(refusals, key=lambda refusal: refusal.cells)


def _product(factors: Sequence[Factor], sizes: Mapping[str, int]) -> tuple[Factor, float]:
    """The product, scaled to stay in range, and the logarithm of what was taken out of it."""
    names = tuple(dict.fromkeys(name for factor in factors for name in factor.names))
    table: NDArray[np.float64] = np.ones([sizes[name] for name in names])
    log_taken = 0.0
    for factor in factors:
        table *= _aligned(factor, names)
        largest = float(table.max())
        if 0.0 < largest < SMALL:
            table /= largest
            log_taken += float(np.log(largest))
    return Factor(names, table), log_taken


def _aligned(factor: Factor, names: tuple[str, ...]) -> NDArray[np.float64]:
    """The factor's table with its axes in the order of `names` and length 1 for those it lacks."""
    present = [name for name in names if name in factor.names]
    table = factor.table.transpose([factor.names.index(name) for name in present])
    sizes = dict(zip(present, table.shape, strict=True))
    return table.reshape([sizes.get(name, 1) for name in names])


class _TooLarge(WorkupError):  # noqa: N818
    def __init__(self, scope: Iterable[str], sizes: Mapping[str, int]) -> None:
        names = sorted(scope)
        self.cells = prod(sizes[name] for name in names)
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        size = f"{self.cells:,}" if self.cells < 10**18 else f"about 10^{int(log10(self.cells))}"
        super().__init__(
            f"exact inference needs a table of {size} numbers over {shown}; at most {LARGEST_TABLE:,} are allowed. {_MEND}"
        )


def _graph(scopes: Iterable[Sequence[str]]) -> Graph:
    """Who stands in a table together with whom."""
    neighbours: Graph = {}
    for scope in scopes:
        for name in scope:
            neighbours.setdefault(name, set()).update(other for other in scope if other != name)
    return neighbours


def _order(
    graph: Graph,
    keep: tuple[str, ...],
    sizes: Mapping[str, int],
    rank: Rank,
) -> list[str]:
    """Greedily the variable of least rank, then of fewest neighbours; raises _TooLarge if its table would be."""
    neighbours = {name: set(around) for name, around in graph.items()}
    place = {name: i for i, name in enumerate(neighbours)}
    keys: dict[str, tuple[float, int, int]] = {}
    heap: list[tuple[tuple[float, int, int], str]] = []

    def enter(name: str) -> None:
        keys[name] = (rank(name, neighbours, sizes), len(neighbours[name]), place[name])
        heappush(heap, (keys[name], name))

    for name in neighbours:
        if name not in keep:
            enter(name)
    order: list[str] = []
    while keys:
        key, best = heappop(heap)
        if keys.get(best) != key:
            continue  # ranked anew since
        if _cells([best, *neighbours[best]], sizes) > LARGEST_TABLE:
            smallest = min(keys, key=lambda name: _cells([name, *neighbours[name]], sizes)) if key[0] == inf else best
            raise _TooLarge([smallest, *neighbours[smallest]], sizes)
        del keys[best]
        around = neighbours.pop(best)
        order.append(best)
        touched = set(around)
        for name in around:
            neighbours[name].discard(best)
        for a, b in combinations(sorted(around), 2):
            if b not in neighbours[a]:
                neighbours[a].add(b)
                neighbours[b].add(a)
                touched |= neighbours[a] & neighbours[b]  # only these have one edge less to fill
        for name in touched:
            if name in keys:
                enter(name)
    return order


def _by_fill(name: str, neighbours: Graph, sizes: Mapping[str, int]) -> float:
    """Edges that eliminating `name` adds; infinite where its table would be too large (and never counted then)."""
    around = neighbours[name]
    if _cells([name, *around], sizes) > LARGEST_TABLE:
        return inf
    return sum(b not in neighbours[a] for a, b in combinations(around, 2))


def _by_cells(name: str, neighbours: Graph, sizes: Mapping[str, int]) -> float:
    cells = _cells([name, *neighbours[name]], sizes)
    return cells if cells <= LARGEST_TABLE else inf


def _by_place(sweep: Mapping[str, int], name: str, _neighbours: Graph, _sizes: Mapping[str, int]) -> float:
    return sweep[name]


def _sweeps(graph: Graph) -> Iterator[dict[str, int]]:
    """Places along breadth-first sweeps from a variable at the edge of the network: good for long, narrow networks."""
    start: list[str] = list(graph)
    for _ in range(3):  # the last that one sweep reaches is a better start for the next
        seen: dict[str, int] = {}
        for root in start:
            queue = deque([root] if root not in seen else [])
            while queue:
                name = queue.popleft()
                if name in seen:
                    continue
                seen[name] = len(seen)
                queue.extend(sorted(graph[name].difference(seen), key=lambda other: len(graph[other])))
        yield seen
        start = list(reversed(seen))


def _cells(names: Iterable[str], sizes: Mapping[str, int]) -> int:
    """Numbers in a table over these; a lower bound once it is above LARGEST_TABLE**2."""
    cells = 1
    for name in names:
        cells *= sizes[name]
        if cells > LARGEST_TABLE**2:
            break
    return cells


def _refuse_if_large(scope: Sequence[str], sizes: Mapping[str, int]) -> None:
    if prod(sizes[name] for name in scope) > LARGEST_TABLE:
        raise _TooLarge(scope, sizes)

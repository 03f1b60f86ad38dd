"""Sum-product variable elimination over numpy tables, in min-fill order, with a guard on size.

Source: Zhang & Poole, JAIR 1996;5:301-328 (variable elimination); Kjaerulff 1990 (min-fill).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from workup.scenarios.errors import WorkupError

LARGEST_TABLE = 2**26
"""Numbers in the largest table that is allowed to arise (512 MiB)."""

SMALL = 1e-100
"""Tables whose largest number is below this are scaled up before they underflow."""


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

    Returns:
        The table, one axis per kept variable in order, and the logarithm of a factor taken out of it so that
        long products of small numbers do not underflow.

    Raises:
        WorkupError: a table above LARGEST_TABLE would arise.
    """
    order = _min_fill_order([factor.names for factor in factors], keep, sizes)
    pool, log_scale = list(factors), 0.0
    for name in order:
        product, log_taken = _product([f for f in pool if name in f.names], sizes)
        summed = product.table.sum(axis=product.names.index(name))
        log_scale += log_taken
        pool = [f for f in pool if name not in f.names]
        pool.append(Factor(tuple(n for n in product.names if n != name), summed))
    result, log_taken = _product([*pool, *(Factor((n,), np.ones(sizes[n])) for n in keep)], sizes)
    return result.table.transpose([result.names.index(n) for n in keep]), log_scale + log_taken


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


def _min_fill_order(scopes: Sequence[tuple[str, ...]], keep: tuple[str, ...], sizes: Mapping[str, int]) -> list[str]:
    neighbours: dict[str, set[str]] = {name: set() for scope in scopes for name in scope}
    for scope in [*scopes, keep]:
        for a, b in combinations(scope, 2):
            neighbours.setdefault(a, set()).add(b)
            neighbours.setdefault(b, set()).add(a)
    _refuse_if_large(keep, sizes)
    order: list[str] = []
    waiting = [name for name in neighbours if name not in keep]
    fill = {name: _fill(name, neighbours) for name in waiting}
    while waiting:
        best = min(waiting, key=lambda name: (fill[name], len(neighbours[name])))
        around = neighbours.pop(best)
        _refuse_if_large([best, *around], sizes)
        for a, b in combinations(around, 2):
            neighbours[a].add(b)
            neighbours[b].add(a)
        for name in around:
            neighbours[name].discard(best)
        waiting.remove(best)
        order.append(best)
        touched = around.union(*(neighbours[name] for name in around)) if around else set()
        fill.update((name, _fill(name, neighbours)) for name in touched if name in fill and name in neighbours)
    return order


def _fill(name: str, neighbours: Mapping[str, set[str]]) -> int:
    return sum(b not in neighbours[a] for a, b in combinations(neighbours[name], 2))


def _refuse_if_large(scope: Sequence[str], sizes: Mapping[str, int]) -> None:
    cells = prod(sizes[name] for name in scope)
    if cells > LARGEST_TABLE:
        raise WorkupError(
            f"exact inference needs a table of {cells:,} numbers over {', '.join(sorted(scope))}; at most "
            f"{LARGEST_TABLE:,} are allowed. Add evidence on one of them, or use fewer parents or values"
        )

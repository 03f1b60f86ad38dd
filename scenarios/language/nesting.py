"""Nested tables: a number, or numbers nested under the values of each parent in turn.

Rules of the nesting. A table is nested under the values of each parent of `given`, in that order; what is
written at a shallower level holds for everything beneath. A key is a value, several values joined by commas,
a group of conditions (or a band of a number), or `otherwise` for whatever is not named. A value that is named
outright overrides a group that contains it; any other overlap is a fault. Nothing has a default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.errors import in_words, number_hint
from workup.scenarios.language.vocabulary import Axis, LanguageError, SubPath

FloatArray = NDArray[np.float64]
OTHERWISE = "otherwise"
MAX_PARENTS, MAX_ENTRIES = 30, 2_000_000
SUM_TOLERANCE = 1e-6
"""How far written probabilities may be from summing to 1; within it they are divided by their sum."""


def at_key(key: str, make: Callable[[], FloatArray]) -> FloatArray:
    """Run `make`, with `key` put before the path of its faults."""
    try:
        return make()
    except LanguageError as error:
        raise LanguageError([((key, *path), text) for path, text in error.faults]) from None


def check_size(parents: Sequence[Axis], shape: tuple[int, ...] = ()) -> None:
    """Raises LanguageError for a table over the parents, `shape` for each combination, that no memory should be asked for."""
    entries = math.prod([*(len(axis.values) for axis in parents), *shape])
    if len(parents) > MAX_PARENTS or entries > MAX_ENTRIES:
        found = (
            f"depends on {len(parents)} variables, which makes {entries:,} figures"
            if entries < 10**12
            else f"depends on {len(parents)} variables"
        )
        raise LanguageError([((), f"{found}; a table has at most {MAX_PARENTS} and {MAX_ENTRIES:,}: depend on fewer")])


def spread(nested: Any, parents: Sequence[Axis], shape: tuple[int, ...], leaf: Callable[[Any], Any]) -> FloatArray:
    """Fill an array over the parents from a nested table; `leaf` gives the entry, or None for a deeper level."""
    check_size(parents, shape)
    out = np.full((*(len(axis.values) for axis in parents), *shape), np.nan)
    faults: list[tuple[SubPath, str]] = []

    def fill(node: Any, index: tuple[int, ...], path: SubPath) -> None:
        try:
            entry = leaf(node)
            if entry is not None:
                out[index] = entry
            elif len(index) == len(parents):
                raise LanguageError([((), _too_deep(node, parents))])
            else:
                for i, key in enumerate(chosen_keys(node, parents[len(index)])):
                    fill(node[key], (*index, i), (*path, key))
        except LanguageError as error:
            faults.extend(((*path, *inner), text) for inner, text in error.faults)

    fill(nested, (), ())
    if faults:
        raise LanguageError(faults)
    return out


def _too_deep(node: Any, parents: Sequence[Axis]) -> str:
    given = ", ".join(axis.name for axis in parents) or "nothing"
    if not isinstance(node, dict):
        return f"found {in_words(node)}; expected a number{number_hint(node)}"
    keys = ", ".join(map(str, node))
    mend = "name what they depend on as well, such as `given: [condition]`, or write one number"
    return f"found numbers by {keys}, but `given` names {given}; {mend}"


def chosen_keys(node: Mapping[str, Any], axis: Axis, *, may_be_empty: bool = False) -> list[str]:
    """For each value of the axis, the key of `node` that speaks for it."""
    outright: dict[int, str] = {}
    by_word: dict[int, str] = {}
    faults: list[tuple[SubPath, str]] = []
    for key in node:
        for word in (part.strip() for part in str(key).split(",") if key != OTHERWISE):
            into = outright if word in axis.values else by_word
            try:
                for index in axis.meant_by(word):
                    if index in into:
                        faults.append(
                            ((key,), f"{axis.values[index]} is also covered by {into[index]!r}; name it once")
                        )
                    into.setdefault(index, key)
            except LanguageError as error:
                comma = "; for a decimal write 0.3, not 0,3" if word.isdigit() else ""
                faults += [((key,), text + comma) for _, text in error.faults]
    chosen = by_word | outright
    missing = [value for i, value in enumerate(axis.values) if i not in chosen]
    if missing and OTHERWISE not in node and not faults:
        shown = ", ".join(missing[:8]) + (", ..." if len(missing) > 8 else "")
        faults.append(((), f"nothing is said for {axis.name} {shown}; add it, or `otherwise`"))
    if not missing and OTHERWISE in node and not may_be_empty:
        faults.append(((OTHERWISE,), f"every value of {axis.name} is named already; remove `otherwise`"))
    if faults:
        raise LanguageError(faults)
    return [chosen.get(i, OTHERWISE) for i in range(len(axis.values))]


def number(node: Any) -> float | None:
    """A leaf that is any number; None if `node` is a level of parents."""
    if isinstance(node, dict):
        return None
    if isinstance(node, bool) or not isinstance(node, int | float):
        raise LanguageError([((), f"found {in_words(node)}; expected a number{number_hint(node)}")])
    return float(node)


def probability(node: Any) -> float | None:
    """A leaf in [0, 1]; None if `node` is a level of parents."""
    found = number(node)
    if found is not None and not 0.0 <= found <= 1.0:
        hint = f"; write {found / 100:g} for {found:g}%" if 2 <= found <= 100 else ""
        raise LanguageError([((), f"{found:g} is no probability; expected a number from 0 to 1{hint}")])
    return found


def row(node: Any, axis: Axis) -> FloatArray | None:
    """One row of a table, or None if `node` is a level of parents."""
    if isinstance(node, dict) and any(isinstance(entry, dict) for entry in node.values()):
        return None
    if not isinstance(node, dict) or not node:
        raise LanguageError([((), f"found {node!r}; expected {{{', '.join(axis.values)}}} with a probability each")])
    faults: list[tuple[SubPath, str]] = []
    probabilities = np.zeros(len(axis.values))
    for key, entry in node.items():
        try:
            probabilities[_value_index(axis, key)] = probability(entry)
        except LanguageError as error:
            faults += [((key,), text) for _, text in error.faults]
    absent = [value for value in axis.values if value not in node]
    if absent and not faults:
        faults.append(((), f"no probability for {', '.join(absent[:8])}; write 0 where it cannot be"))
    if not faults and abs(probabilities.sum() - 1.0) > SUM_TOLERANCE:
        faults.append(
            (
                (),
                f"the probabilities sum to {probabilities.sum():.7g}; expected 1: each patient has exactly one of these",
            )
        )
    if faults:
        raise LanguageError(faults)
    return np.asarray(probabilities / probabilities.sum(), dtype=np.float64)


def _value_index(axis: Axis, word: str) -> int:
    if word in axis.values:
        return axis.values.index(word)
    if word in axis.words or word == OTHERWISE or "," in word:
        raise LanguageError([((), f"a row of probabilities names single values: {', '.join(axis.values[:12])}")])
    return axis.meant_by(word)[0]

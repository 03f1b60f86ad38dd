"""Conditions on revealed facts (`When` of the scenario language) as predicates on arrays.

Used by the rules of legality, the guideline agent and the vignettes, so that a condition means the same everywhere:

    condition = compile_when(rule.when, vocabulary(world))     # once
    condition.holds(view.values, view.status)                  # (n,) bool, at every step
    when_holds(world, rule.when, view.values, view.status)     # both at once, for a single look
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World
from workup.errors import UnknownNameError, suggestion
from workup.scenarios.language.nesting import FloatArray
from workup.scenarios.language.schema import When
from workup.scenarios.language.scores import Tally, tallies
from workup.scenarios.language.totals import Totals, allowed_totals
from workup.scenarios.language.vocabulary import Axis, allowed_statuses, allowed_values, axes


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The names that a condition may use, and where they stand in the arrays."""

    axes: Mapping[str, Axis]
    """Every variable of the scenario with its values."""
    observables: Mapping[str, int]
    """Name -> column of `values`."""
    items: Mapping[str, int]
    """Name -> column of `status`."""
    tallies: Mapping[str, Tally]
    """Every score of the scenario."""


@dataclass(frozen=True, eq=False)
class Clause:
    """One variable or one item, and what it may be."""

    is_item: bool
    target: int
    """Column of `status` for an item, of `values` for a variable."""
    allowed: NDArray[np.bool_]
    """(5,) statuses of an item in the order of the status codes, or (V,) values of a variable."""
    unknown: bool = False
    """Whether a variable that is not known (not revealed, or asked for and not reported) satisfies it."""

    def holds(self, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(n,) whether it holds; values (n, O) int16, status (n, I) uint8."""
        if self.is_item:
            return np.asarray(self.allowed[status[:, self.target]])
        code = values[:, self.target]
        return np.where(code >= 0, self.allowed[np.maximum(code, 0)], self.unknown)


@dataclass(frozen=True, eq=False)
class ScoreClause:
    """A score, and what its total may be whatever is still unknown."""

    columns: tuple[tuple[int, ...], ...]
    """Of `values`, for each variable of each component of the score."""
    ranges: tuple[tuple[FloatArray, FloatArray], ...]
    """Least and greatest points of each component, the last place of an axis for a value that is not known."""
    totals: Totals

    def range(self, values: NDArray[np.int16]) -> tuple[FloatArray, FloatArray]:
        """(n,) the least and (n,) the greatest total that revealed values (n, O) int16 leave open."""
        least, greatest = np.zeros(len(values)), np.zeros(len(values))
        for columns, (low, high) in zip(self.columns, self.ranges, strict=True):
            found = tuple(values[:, column] for column in columns)
            at = tuple(np.where(code >= 0, code, size - 1) for code, size in zip(found, low.shape, strict=True))
            least += low[at]
            greatest += high[at]
        return least, greatest

    def holds(self, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(n,) whether it holds on values (n, O) int16; the status of items does not matter."""
        return self.totals.holds(*self.range(values))

    def may_hold(self, codes: Callable[[int], Collection[int]]) -> bool:
        """Whether it may hold for some findings; True too where only parts that exclude each other could make it hold.

        Args:
            codes: of a column of `values`, those it may have, negative for not known.
        """
        most, fewest = 0.0, 0.0
        for columns, (low, high) in zip(self.columns, self.ranges, strict=True):
            at = np.ix_(
                *(
                    [code if code >= 0 else size - 1 for code in codes(column) or (-1,)]
                    for column, size in zip(columns, low.shape, strict=True)
                )
            )
            most, fewest = most + float(low[at].max()), fewest + float(high[at].min())
        return self.totals.may_hold(most, fewest)


@dataclass(frozen=True, eq=False)
class Condition:
    """An 'or' of 'and's of clauses; an empty `when` is one alternative without clauses, and always holds."""

    alternatives: tuple[tuple[Clause | ScoreClause, ...], ...]

    def holds(self, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(n,) whether it holds on what has been revealed.

        Args:
            values: (n, O) int16 revealed values, negative where not known.
            status: (n, I) uint8 status of each item.
        """
        held = np.zeros(len(values), bool)
        for clauses in self.alternatives:
            every = np.ones(len(values), bool)
            for clause in clauses:
                every &= clause.holds(values, status)
            held |= every
        return held


def vocabulary(world: World) -> Vocabulary:
    """The vocabulary of a world's arrays."""
    known = axes(world.scenario)
    return Vocabulary(
        known,
        {name: i for i, name in enumerate(world.model.observables)},
        {name: i for i, name in enumerate(world.items)},
        tallies(world.scenario.scores, known),
    )


def compile_when(when: When, words: Vocabulary) -> Condition:
    """The predicate meant by `when`: a mapping is an 'and', a list of mappings an 'or'.

    Raises:
        UnknownNameError: a variable that nothing reveals, or no such item or variable.
        LanguageError: an unknown value or status word, or a threshold inside a band.
    """
    alternatives = (when,) if isinstance(when, Mapping) else tuple(when)
    return Condition(
        tuple(tuple(compile_clause(name, given, words) for name, given in one.items()) for one in alternatives)
    )


def compile_clause(name: str, given: Any, words: Vocabulary) -> Clause | ScoreClause:
    """One entry of a `When` mapping. Raises as `compile_when`."""
    if name in words.tallies:
        found = words.tallies[name]
        columns = tuple(_columns(part.names, words) for part in found.components)
        return ScoreClause(columns, tuple(part.open_range() for part in found.components), allowed_totals(found, given))
    if name in words.items:
        return Clause(True, words.items[name], np.array(allowed_statuses(given)))
    (column,) = _columns((name,), words)
    allowed = allowed_values(words.axes[name], given)
    return Clause(False, column, np.array(allowed.values), allowed.unknown)


def _columns(names: Iterable[str], words: Vocabulary) -> tuple[int, ...]:
    for name in names:
        if name not in words.observables:
            hint = suggestion(name, (*words.observables, *words.items))
            raise UnknownNameError(f"{name!r} is not an item, nor a fact that anything reveals{hint}")
    return tuple(words.observables[name] for name in names)


def when_holds(world: World, when: When, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) whether `when` holds on revealed values (n, O) int16 and status (n, I) uint8. Raises as `compile_when`."""
    return compile_when(when, vocabulary(world)).holds(values, status)

"""Conditions on revealed facts (`When` of the scenario language) as predicates on arrays.

Used by the rules of legality, the guideline agent and the vignettes, so that a condition means the same everywhere:

    condition = compile_when(rule.when, vocabulary(world))     # once
    condition.holds(view.values, view.status)                  # (n,) bool, at every step
    when_holds(world, rule.when, view.values, view.status)     # both at once, for a single look
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World
from workup.errors import UnknownNameError, suggestion
from workup.scenarios.language.schema import When
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
class Condition:
    """An 'or' of 'and's of clauses; an empty `when` is one alternative without clauses, and always holds."""

    alternatives: tuple[tuple[Clause, ...], ...]

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
    return Vocabulary(
        axes(world.scenario),
        {name: i for i, name in enumerate(world.model.observables)},
        {name: i for i, name in enumerate(world.items)},
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


def compile_clause(name: str, given: Any, words: Vocabulary) -> Clause:
    """One entry of a `When` mapping. Raises as `compile_when`."""
    if name in words.items:
        return Clause(True, words.items[name], np.array(allowed_statuses(given)))
    if name not in words.observables:
        hint = suggestion(name, (*words.observables, *words.items))
        raise UnknownNameError(f"{name!r} is not an item, nor a fact that anything reveals{hint}")
    allowed = allowed_values(words.axes[name], given)
    return Clause(False, words.observables[name], np.array(allowed.values), allowed.unknown)


def when_holds(world: World, when: When, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) whether `when` holds on revealed values (n, O) int16 and status (n, I) uint8. Raises as `compile_when`."""
    return compile_when(when, vocabulary(world)).holds(values, status)

"""What stands behind each figure: read in a source, computed from what was, searched for in vain, or nothing yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Literal, get_args

from workup.scenarios.language.authorship import FigureRecord, Source
from workup.scenarios.language.formulas import parse_formula
from workup.scenarios.language.schema import Scenario

Backing = Literal["seen", "computed", "searched", "open"]
"""seen: an author read it; computed: by a formula that lint recomputes, from such figures alone; searched: a search found
nothing to put in its place; open: not yet searched."""
BACKINGS: tuple[Backing, ...] = get_args(Backing)

_ARITHMETIC = frozenset({0.0, 1.0, 2.0, 100.0})
"""Numbers that a formula may hold without a source of theirs: 'all the others', 'half', 'percent'."""


def backing(scenario: Scenario) -> dict[str, Backing]:
    """What stands behind each figure, by its path, in the order of the file.

    A derived figure is `computed` if it states a formula, every figure that this names is seen or itself computed, and every other
    number in it is 0, 1, 2 or 100 or the figure names sources, all of which were read.
    """
    by_path = {figure.path: figure for figure in scenario.figures}
    computed = _computed(by_path, scenario.sources)
    return {path: _backing(figure, path in computed) for path, figure in by_path.items()}


def recomputed(scenario: Scenario) -> tuple[int, int]:
    """How many of the derived figures state a formula, and how many derived figures there are."""
    derived = [figure for figure in scenario.figures if figure.status == "derived"]
    return sum(figure.formula is not None for figure in derived), len(derived)


def recomputed_words(scenario: Scenario) -> str:
    """The same in a sentence; nothing where no figure is derived."""
    stated, derived = recomputed(scenario)
    if not derived:
        return ""
    return f"{stated:,} of {derived:,} derived figures state a formula, which is recomputed whenever they are read"


def _backing(figure: FigureRecord, computed: bool) -> Backing:
    if figure.status == "seen":
        return "seen"
    if computed:
        return "computed"
    return "searched" if figure.searched is not None else "open"


def _computed(by_path: Mapping[str, FigureRecord], sources: Mapping[str, Source]) -> set[str]:
    formulas = {path: parse_formula(figure.formula) for path, figure in by_path.items() if figure.formula is not None}
    found: set[str] = set()
    # What a formula names comes before it; that none goes round in a circle was checked when the scenario was read.
    for path in TopologicalSorter({path: formula.figures for path, formula in formulas.items()}).static_order():
        if path not in formulas:
            continue
        formula, cited = formulas[path], (by_path[path].source or "").split(", ")
        read = all(name in sources and sources[name].seen for name in cited)
        known = all(by_path[each].status == "seen" or each in found for each in formula.figures)
        if known and (read or (formula.figures and _only_arithmetic(formula.numbers))):
            found.add(path)
    return found


def _only_arithmetic(numbers: Iterable[float]) -> bool:
    return set(numbers) <= _ARITHMETIC

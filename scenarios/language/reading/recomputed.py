"""Recomputes every figure that states a formula, and says where the two differ by more than the digits written allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Any

from workup.errors import Fault, suggestion
from workup.scenarios.language.authorship import FigureRecord
from workup.scenarios.language.durations import PATTERN, hours
from workup.scenarios.language.formulas import Formula, FormulaError, parse_formula
from workup.scenarios.language.reading.yaml_tree import Path, Tree

_SUGGESTIONS = 20
"""So many faults say what was perhaps meant; it takes a while to find."""


@dataclass(frozen=True)
class Stated:
    """A formula as it is written, where it stands, and where its figure does."""

    text: str
    path: Path
    value: Path


def miscomputed(tree: Tree, figures: Sequence[FigureRecord], stated: Mapping[Path, Stated]) -> list[Fault]:
    """A fault for each formula that is no arithmetic, does not compute, or gives another figure than is written.

    Args:
        tree: of the scenario.
        figures: all of them.
        stated: path of a figure -> its formula.
    """
    if not stated:
        return []
    by_path = {figure.path: figure for figure in figures}
    faults, read = list[Fault](), dict[str, Formula]()
    for path, of in stated.items():
        name = _dotted(path)
        fault = _unread(name, of, by_path, read, tell=len(faults) < _SUGGESTIONS)
        if fault is not None:
            faults.append(tree.fault(of.path, fault))
    where = {_dotted(path): of for path, of in stated.items()}
    going_round = _in_a_circle(read)
    if going_round:
        shown = going_round if len(going_round) <= 6 else [*going_round[:5], "...", going_round[-1]]
        said = " -> ".join(shown)
        faults.append(tree.fault(where[going_round[0]].path, f"is computed from itself ({said}); state one of them"))
    values = {name: figure.value for name, figure in by_path.items()}
    for name in read:
        message = _compared(read[name], where[name], values, by_path[name].value, _written(tree, where[name].value))
        if message is not None:
            faults.append(tree.fault(where[name].path, message))
    return faults


def _unread(
    name: str, of: Stated, by_path: Mapping[str, FigureRecord], read: dict[str, Formula], *, tell: bool
) -> str | None:
    """Reads a formula into `read`, or says why it cannot be."""
    figure = by_path.get(name)
    if figure is None:
        return "no figure stands here that a formula could be of; remove it"
    if figure.status != "derived":
        return f"states how a figure was derived, but its status is {figure.status}; say derived, or remove the formula"
    try:
        formula = parse_formula(of.text)
    except FormulaError as error:
        return f"{_cut(of.text)}: {error}"
    for path in formula.figures:
        if path not in by_path:
            near = suggestion(path, _like(path, by_path)) if tell else ""
            return f"{_cut(of.text)}: {path!r} is no figure of this scenario{near}"
    read[name] = formula
    return None


def _like(path: str, known: Iterable[str]) -> list[str]:
    """Figures of the same thing, or else of the same part of the scenario."""
    for parts in (2, 1):
        start = ".".join(path.split(".")[:parts]) + "."
        if found := [each for each in known if each.startswith(start)]:
            return found[:100]
    return []


def _in_a_circle(read: Mapping[str, Formula]) -> list[str]:
    """Figures that are computed from each other, the first repeated at the end; none if there are none."""
    try:
        TopologicalSorter({name: formula.figures for name, formula in read.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _compared(formula: Formula, of: Stated, values: Mapping[str, float], value: float, written: _Written) -> str | None:
    """What is wrong with the figure that is written."""
    try:
        found = formula.value(values)
    except FormulaError as error:
        return f"{_cut(of.text)} does not compute: {error}"
    if abs(found - value) <= 0.5 * written.unit * (1 + 1e-9) + 1e-12 * abs(value):
        return None
    gives = f"{found / written.hours:.6g}"
    said = f"{_cut(of.text)} gives {gives}{written.word}, but {written.text} is written"
    rounded = _rounded(found, written)
    return f"{said}; write {rounded}{written.word}, or mend the formula" if rounded else f"{said}; mend one of them"


@dataclass(frozen=True)
class _Written:
    """A figure as it is written; it may be off by half of what its last digit counts."""

    text: str
    digit: Decimal
    """What its last digit counts: 0.01 in 0.30."""
    hours: float = 1.0
    """Of the unit of a time, else 1."""
    word: str = ""
    """Of that unit."""

    @property
    def unit(self) -> float:
        """What the last digit counts, in hours if it is a time."""
        return float(self.digit) * self.hours


def _written(tree: Tree, path: Path) -> _Written:
    found: Any = tree.data
    whole: Path = ()
    for part in path:
        while isinstance(found, dict) and part not in found:  # it stands in what is written {value, status, source}
            found, whole = found["value"], (*whole, "value")
        found, whole = found[part], (*whole, part)
    if isinstance(found, str) and (match := PATTERN.fullmatch(found)):
        one = hours(f"1 {match[2]}")
        return _Written(found, _last_digit(match[1]), one, f" {match[2]}{'s' * (match[2] not in ('h', 'min'))}")
    text = tree.digits.get(whole, repr(found))
    return _Written(text, _last_digit(text))


def _last_digit(text: str) -> Decimal:
    return Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent))


def _rounded(found: float, written: _Written) -> str:
    """What would be written for the value found, to the same digit; nothing if that leaves no digit of it."""
    steps = round(Decimal(repr(found / written.hours)) / written.digit) if abs(found) < 1e15 * written.unit else 0
    return f"{steps * written.digit:f}" if steps else ""


def _dotted(path: Iterable[str | int]) -> str:
    return ".".join(map(str, path))


def _cut(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

"""The words of a scenario: every variable with its values, and what a clause written in these words means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workup.errors import WorkupError, in_words, suggestion
from workup.scenarios.language.schema import Scenario, Variable

SubPath = tuple[str | int, ...]
Kind = Literal["context", "condition", "comorbidity", "latent", "finding", "act"]

CORE_KINDS: frozenset[Kind] = frozenset({"context", "condition", "comorbidity", "latent"})
"""What complications, refusals, incidental findings and utilities may depend on."""
UNKNOWN_WORD = "unknown"
STATUS_WORDS = ("not_done", "pending", "done", "failed", "refused")
"""In the order of the status codes NOT_ORDERED, PENDING, RESULT, FAILED, REFUSED."""
AS, BUT, THE_REST_TO = "as", "but", "the_rest_to"
"""By which a table says in short what the reader writes out in full."""
CLAUSE_WORDS = frozenset({"otherwise", UNKNOWN_WORD, "not", "at_least", "below", AS, BUT, THE_REST_TO})
"""What may stand where a value stands, so that no value may be called so."""
RESERVED = CLAUSE_WORDS | {"condition", "wait", *STATUS_WORDS}
"""Words of the language, which no entry may be called."""
MAX_CELLS = 400
MAX_DECISION_GROUPS = 62
"""Of the requirements of all decisions together: planners keep a bit for each in one number."""


class LanguageError(WorkupError):
    """Faults of one piece of the language, each with its path inside that piece."""

    def __init__(self, faults: Iterable[tuple[SubPath, str]]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__(
            "; ".join(f"{'.'.join(map(str, path))}: {text}" if path else text for path, text in self.faults)
        )


@dataclass(frozen=True)
class Axis:
    """A variable as one axis of a table."""

    name: str
    kind: Kind
    values: tuple[str, ...]
    """In order: written values, band words, or the cells `10_to_20` of a number that is itself the evidence."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further words for sets of values: groups of conditions, bands of a number."""
    cells: tuple[tuple[float, float], ...] | None = None
    """Numeric only: [from, to) of each value, in the variable's unit; NaN for a word without a number."""

    def meant_by(self, word: str) -> tuple[int, ...]:
        """Indices of the values that a value, band or group name means; raises LanguageError if none."""
        if word in self.values:
            return (self.values.index(word),)
        if word in self.words:
            return tuple(self.values.index(value) for value in self.words[word] if value in self.values)
        known = (*self.words, *self.values) if len(self.values) <= 20 else tuple(self.words)
        raise LanguageError([((), f"{word!r} is no value of {self.name}{suggestion(word, known)}")])

    def cell_of(self, number: float) -> int:
        """Index of the value that a number falls in; raises LanguageError if none does."""
        for i, (low, high) in enumerate(self.cells or ()):
            if low <= number < high or (number == high and i == len(self.values) - 1):
                return i
        if self.cells is None:
            raise LanguageError(
                [((), f"{number!r} is a number, but {self.name} has the values {', '.join(self.values)}")]
            )
        if not self.cells:
            raise LanguageError([((), f"{self.name} has no values yet; its `range` and `step` must fit first")])
        if all(math.isnan(end) for cell in self.cells for end in cell):
            raise LanguageError([((), f"{self.name} has no band with numbers yet; add one first")])
        low, high = self.span
        raise LanguageError([((), f"{number:g} is outside the range of {self.name}, {low:g} to {high:g}")])

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest number of a numeric variable."""
        ends = [end for cell in self.cells or () for end in cell if not math.isnan(end)]
        return min(ends), max(ends)


@dataclass(frozen=True)
class Allowed:
    """Which values satisfy a clause, and whether not knowing the value does."""

    values: tuple[bool, ...]
    unknown: bool = False


def axes(scenario: Scenario) -> dict[str, Axis]:
    """Every variable by name: context, `condition`, comorbidities, latent findings, findings, acts (no, yes)."""
    found = {name: _axis(name, "context", variable) for name, variable in scenario.context.items()}
    conditions = tuple(scenario.conditions)
    found["condition"] = Axis("condition", "condition", conditions, words=dict(scenario.groups))
    found |= {name: _axis(name, "comorbidity", variable) for name, variable in scenario.comorbidities.items()}
    found |= {name: _axis(name, "latent", variable) for name, variable in scenario.latent.items()}
    found |= {name: _axis(name, "finding", variable) for name, variable in scenario.findings.items()}
    return found | {name: Axis(name, "act", ("no", "yes")) for name in scenario.acts}


def _axis(name: str, kind: Kind, variable: Variable) -> Axis:
    bands = variable.bands or {}
    if variable.evidence == "number":
        cells = number_cells(variable)
        values = tuple(f"{low:g}_to_{high:g}" for low, high in cells)
        words = {band: _inside(span, cells, values) for band, span in bands.items() if span is not None}
        return Axis(name, kind, values, words, cells)
    if bands:
        none = (math.nan, math.nan)
        return Axis(name, kind, tuple(bands), cells=tuple(none if span is None else span for span in bands.values()))
    return Axis(name, kind, ("no", "yes") if variable.values is None else variable.values)


def number_cells(variable: Variable) -> tuple[tuple[float, float], ...]:
    """Cells [from, to) of width `step` over `range`; none if these do not fit each other."""
    if variable.range is None or variable.step is None or variable.step <= 0:
        return ()
    low, high = variable.range
    count = (high - low) / variable.step
    if not 1 <= count <= MAX_CELLS or abs(count - round(count)) > 1e-9 * max(1.0, count):
        return ()
    edges = [round(low + i * variable.step, 10) for i in range(round(count) + 1)]
    return tuple(itertools.pairwise(edges))


def _inside(
    span: tuple[float, float], cells: tuple[tuple[float, float], ...], values: tuple[str, ...]
) -> tuple[str, ...]:
    return tuple(v for v, (low, high) in zip(values, cells, strict=True) if span[0] <= low and high <= span[1])


def allowed_values(axis: Axis, clause: Any) -> Allowed:
    """What a clause on a variable allows.

    Args:
        axis: the variable.
        clause: a value, band or group; a list of them; `unknown`; `{not: ...}`; `{at_least: x}`, `{below: y}` or both.

    Raises:
        LanguageError: unknown names, or a number that is not an edge of a band or cell.
    """
    if isinstance(clause, dict):
        if clause.keys() == {"not"}:
            inner = allowed_values(axis, clause["not"])
            return Allowed(tuple(not value for value in inner.values))
        return _between(axis, clause)
    words = clause if isinstance(clause, list | tuple) else [clause]
    chosen = [False] * len(axis.values)
    faults: list[tuple[SubPath, str]] = []
    for word in words:
        if not isinstance(word, str):
            expected = "{at_least: ...} or {below: ...}" if axis.cells else ", ".join(axis.values)
            faults.append(((), f"found {in_words(word)} for {axis.name}; expected {expected}"))
        elif word != UNKNOWN_WORD:
            try:
                for index in axis.meant_by(word):
                    chosen[index] = True
            except LanguageError as error:
                faults += error.faults
    if faults or not words:
        raise LanguageError(faults or [((), f"an empty list of values of {axis.name} can never hold; name some")])
    return Allowed(tuple(chosen), UNKNOWN_WORD in words)


def _between(axis: Axis, clause: dict[str, Any]) -> Allowed:
    if not clause or not clause.keys() <= {"at_least", "below"}:
        found = ", ".join(clause) or "nothing"
        raise LanguageError([((), f"found {found}; expected `not`, or `at_least` and `below` with a number")])
    if axis.cells is None:
        raise LanguageError([((), f"{axis.name} is not a number; name its values: {', '.join(axis.values)}")])
    faults: list[tuple[SubPath, str]] = []
    edges = sorted({end for cell in axis.cells for end in cell if not math.isnan(end)})
    for key, number in clause.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            faults.append(((key,), f"found {number!r}; expected a number"))
        elif not any(math.isclose(number, edge, abs_tol=1e-9) for edge in edges):
            shown = ", ".join(f"{edge:g}" for edge in edges[:20])
            faults.append(((key,), f"{number:g} cuts through a band of {axis.name}; its cut-offs are {shown}"))
    if faults:
        raise LanguageError(faults)
    low, high = clause.get("at_least", -math.inf), clause.get("below", math.inf)
    return Allowed(tuple(a >= low - 1e-9 and b <= high + 1e-9 for a, b in axis.cells))


def allowed_statuses(clause: Any) -> tuple[bool, ...]:
    """Which statuses of an investigation or act satisfy a clause, in the order of STATUS_WORDS.

    Raises:
        LanguageError: unknown words.
    """
    if isinstance(clause, dict) and clause.keys() == {"not"}:
        return tuple(not allowed for allowed in allowed_statuses(clause["not"]))
    words = clause if isinstance(clause, list | tuple) else [clause]
    unknown = [word for word in words if word not in STATUS_WORDS]
    if unknown or not words:
        found = repr(unknown[0]) if unknown else "an empty list"
        raise LanguageError([((), f"found {found}; the status of an item is one of: {', '.join(STATUS_WORDS)}")])
    return tuple(word in words for word in STATUS_WORDS)

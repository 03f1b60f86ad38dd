"""The numbers of an evaluation and of checks, laid out as the rows and cells that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workup.scenarios.language.schema import Scenario
from workup.statistics import Interval
from workup.wording import CERTIFIED, percent, plain, pounds

if TYPE_CHECKING:
    from workup.evaluation.score import Evaluation
    from workup.vignettes.check import Check, Failure


@dataclass(frozen=True)
class Column:
    """One measure of an agent."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Cell:
    """A figure, with its interval if that is to be shown."""

    text: str
    range: str = ""


@dataclass(frozen=True)
class Row:
    """One agent."""

    agent: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Any further table; the first cell of a row names it."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False


@dataclass(frozen=True)
class Agents:
    """The main table, best agent first, and what goes into more detail."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    more: tuple[Table, ...]
    meaning: str
    """What the values are, in words."""


_Words = Callable[[float], str]


def tenth(number: float) -> str:
    """'1.2', or a dash where undefined."""
    return f"{number:,.1f}" if np.isfinite(number) else "–"


def _hundredth(number: float) -> str:
    return f"{number:,.2f}" if np.isfinite(number) else "–"


def _tenth_percent(share: float) -> str:
    return percent(share, 1)


_COLUMNS: tuple[tuple[str, _Words, bool, Column], ...] = (
    ("value", pounds, True, Column("Value", "Utility of the decision minus cost, harm and waiting, per patient.")),
    ("gain", pounds, True, Column("Gain", "Value over the best decision straight after history and examination.")),
    ("captured", percent, True, Column("Captured", f"Gain as a share of that of the best plan found, {CERTIFIED}.")),
    ("captured_of_upper", percent, True, Column("Of the bound", "Gain as a share of what no policy can exceed.")),
    (
        "median",
        pounds,
        False,
        Column("Median", "Half of the patients got more than this, luck and true cause included."),
    ),
    ("trimmed", pounds, False, Column("Trimmed mean", "Mean of the same without the lowest and the highest 5%.")),
    ("accuracy", _tenth_percent, False, Column("Right", "Share of decisions that are right for the true cause.")),
    ("brier", _hundredth, False, Column("Brier", "Squared error of the final probabilities: 0 perfect, 2 the worst.")),
    ("cost_gbp", pounds, False, Column("Cost", "Money spent per patient.")),
    ("harm_gbp", pounds, False, Column("Harm", "Expected harm of tests per patient, in pounds.")),
    ("delay_gbp", pounds, False, Column("Waiting", "Expected cost of waiting per patient, in pounds.")),
    ("dose_msv", tenth, False, Column("Dose, mSv", "Radiation per patient.")),
    ("tests", tenth, False, Column("Tests", "Orders beyond history and examination, per patient.")),
    ("days", tenth, False, Column("Days", "From the first consultation to the decision.")),
)
"""Measure, how it is written, whether its 95% interval is shown, and what it is."""
_REFERENCES = ("optimum", "guideline")


def agents_table(evaluation: Evaluation, scenario: Scenario) -> Agents:
    """All agents with intervals, their differences from the references, and how they do by subgroup."""
    names = sorted(evaluation.agents, key=lambda name: -evaluation.agents[name].value.mean)
    rows = tuple(
        Row(
            name,
            tuple(interval_cell(getattr(evaluation.agents[name], key), say, wide) for key, say, wide, _ in _COLUMNS),
        )
        for name in names
    )
    more = (*_differences(evaluation, names), *_subgroups(evaluation, scenario, names))
    return Agents(
        tuple(column for _, _, _, column in _COLUMNS), rows, more, f"{evaluation.reference} {evaluation.meaning}"
    )


def interval_cell(interval: Interval, say: Callable[[float], str], wide: bool = True) -> Cell:
    """A mean, and its interval if it has one and it is to be shown."""
    known = wide and np.isfinite([interval.low, interval.high]).all()
    return Cell(say(interval.mean), f"{say(interval.low)} to {say(interval.high)}" if known else "")


def _differences(evaluation: Evaluation, names: Sequence[str]) -> list[Table]:
    between = {(d.first, d.second): d.value for d in evaluation.differences}
    between |= {(b, a): Interval(-d.mean, -d.high, -d.low) for (a, b), d in between.items()}
    learners = [name for name in names if "ppo" in name.lower()]
    references = [name for name in (*_REFERENCES, *learners) if name in evaluation.agents]
    if not references or len(names) < 2:
        return []
    nothing = Cell("–")
    rows = tuple(
        (
            Cell(name),
            *(
                interval_cell(between[name, each], pounds) if (name, each) in between else nothing
                for each in references
            ),
        )
        for name in names
    )
    note = "Value of the agent in the row minus that of the agent in the column, on the same patients; 95% intervals."
    return [Table("Paired differences", note, ("Agent", *(f"minus {each}" for each in references)), rows)]


def _subgroups(evaluation: Evaluation, scenario: Scenario, names: Sequence[str]) -> list[Table]:
    tables = []
    for variable, first in evaluation.agents[names[0]].subgroups.items():
        values = [value for value, group in first.items() if group.patients]
        if len(values) < 2:
            continue
        label = scenario.context[variable].label if variable in scenario.context else plain(variable)
        rows = tuple(
            (
                Cell(name),
                *(interval_cell(evaluation.agents[name].subgroups[variable][value].gain, pounds) for value in values),
            )
            for name in names
        )
        header = ("Agent", *(f"{plain(value)} (n = {first[value].patients:,})" for value in values))
        tables.append(Table(f"Gain by {label.lower()}", "", header, rows, folded=True))
    return tables


@dataclass(frozen=True)
class Outcome:
    """One agent on one vignette."""

    kind: str
    """passed, failed or absent."""
    mark: str
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class VignetteRow:
    """One vignette, all agents."""

    title: str
    cells: tuple[Outcome, ...]


@dataclass(frozen=True)
class Vignettes:
    """Agent by vignette."""

    agents: tuple[str, ...]
    rows: tuple[VignetteRow, ...]


def vignette_table(checks: Sequence[Check]) -> Vignettes:
    """Who met what clinicians expect of each vignette, and which expectation failed."""
    ids = dict.fromkeys(result.id for check in checks for result in check.vignettes)
    results = [{result.id: result for result in check.vignettes} for check in checks]
    rows = []
    for each in ids:
        title = next(by_id[each].title for by_id in results if each in by_id)
        cells = tuple(
            Outcome("absent", "not run")
            if each not in by_id
            else Outcome("passed", "✓ passed")
            if by_id[each].passed
            else Outcome("failed", "✗ failed", by_id[each].failures)
            for by_id in results
        )
        rows.append(VignetteRow(f"{each} {title}", cells))
    return Vignettes(tuple(check.agent for check in checks), tuple(rows))

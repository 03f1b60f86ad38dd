"""Whom a mean comes from: agents by true cause, as sentences and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workup.evaluation.conditions import OfCondition
from workup.evaluation.score import Evaluation
from workup.report.tables import Cell, Table, interval_cell, tenth
from workup.scenarios.language.schema import Scenario
from workup.statistics import Interval
from workup.wording import listed, percent, pounds, without_brackets

_MORE: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("cost_gbp", "Cost by true cause", pounds),
    ("harm_gbp", "Harm by true cause", pounds),
    ("tests", "Tests by true cause", tenth),
)
_HALF = 0.5


def by_cause(evaluation: Evaluation, scenario: Scenario) -> dict[str, Any]:
    """What the section shows: who carries the mean of the best agent, value and contributions, and the rest folded."""
    names = sorted(evaluation.agents, key=lambda name: -evaluation.agents[name].value.mean)
    found, labels = evaluation.by_condition, {name: c.label for name, c in scenario.conditions.items()}
    first = found.agents[names[0]]
    causes = sorted((each for each in first if first[each].patients), key=lambda each: -first[each].patients)

    def heads(cause: str) -> tuple[Cell, Cell]:
        of = first[cause]
        return Cell(without_brackets(labels[cause])), Cell(f"{of.patients:,}", percent(of.share))

    def rows(cell: Callable[[OfCondition], Cell]) -> list[tuple[Cell, ...]]:
        return [(*heads(cause), *(cell(found.agents[name][cause]) for name in names)) for cause in causes]

    header = ("True cause", "Patients", *names)
    total = (Cell("All"), Cell(f"{evaluation.patients:,}"), *(Cell(pounds(found.got(name))) for name in names))
    adds = (*rows(lambda of: Cell(pounds(of.contribution))), total)
    more = [Table(title, "", header, tuple(rows(_of(key, say)))) for key, title, say in _MORE]
    value = Table("Value by true cause", "", header, tuple(rows(_of("value", pounds))))
    return {
        "says": _says(names[0], first, labels, evaluation.patients),
        "table": Table("What each true cause adds to the mean", "", header, adds),
        "more": [value, *more],
    }


def _of(key: str, say: Callable[[float], str]) -> Callable[[OfCondition], Cell]:
    def cell(of: OfCondition) -> Cell:
        interval: Interval = getattr(of, key)
        return interval_cell(interval, say)

    return cell


def carriers(conditions: Mapping[str, OfCondition]) -> list[str]:
    """The fewest conditions that make up half of all contributions, signs left aside; the largest first."""
    size = {name: abs(of.contribution) for name, of in conditions.items()}
    ranked, wanted, so_far = sorted(size, key=lambda name: -size[name]), _HALF * sum(size.values()), 0.0
    found: list[str] = []
    while ranked and so_far < wanted:
        found.append(ranked.pop(0))
        so_far += size[found[-1]]
    return found


def _says(agent: str, conditions: Mapping[str, OfCondition], labels: Mapping[str, str], patients: int) -> str:
    who = carriers(conditions)
    if not who:
        return f"Under {agent} nobody gained or lost anything."
    return f"{_words(who, conditions, labels, patients)} of the sum under {agent}, gains and losses counted alike."


def _words(who: Sequence[str], conditions: Mapping[str, OfCondition], labels: Mapping[str, str], patients: int) -> str:
    n = sum(conditions[name].patients for name in who)
    part = sum(abs(conditions[name].contribution) for name in who)
    share = part / sum(abs(of.contribution) for of in conditions.values())
    named = listed(without_brackets(labels[name]) for name in who)
    return f"{n:,} of {patients:,} patients ({named}) carry {percent(share)}"

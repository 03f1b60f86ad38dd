"""What `workup evaluate --by-condition` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from workup.cli.terminal import console, number, table
from workup.wording import percent, without_brackets

if TYPE_CHECKING:
    from workup.evaluation.score import Evaluation
    from workup.statistics import Interval


def show_by_condition(result: Evaluation, labels: dict[str, str]) -> None:
    """A table an agent, best first: whom its mean comes from.

    Args:
        result: of an evaluation.
        labels: condition -> what it is called.
    """
    found = result.by_condition
    for agent in sorted(found.agents, key=lambda name: -result.agents[name].value.mean):
        console().print(f"{escape(agent)}, by true condition")
        rows = table("", "patients", "value", "adds", "cost", "harm", "tests")
        for name, each in found.agents[agent].items():
            if each.patients:
                means = (plus_minus(getattr(each, of)) for of in ("cost_gbp", "harm_gbp", "tests"))
                who = f"{each.patients:,} ({percent(each.share)})"
                label = escape(without_brackets(labels[name]))
                rows.add_row(label, who, plus_minus(each.value), number(each.contribution), *means)
        rows.add_row("all", f"{result.patients:,}", *[number(found.got(agent))] * 2)
        console().print(rows)
        console().print()
    console().print(
        "Value by true condition: what patients got, luck included; ± 1.96 standard errors. 'Adds' is the share of patients times "
        "their value; it sums to the mean of what all got."
    )


def plus_minus(interval: Interval) -> str:
    """'123.4 ± 5.6', or the mean alone where there is no interval."""
    half = interval.high - interval.mean
    return number(interval.mean) + (f" ± {number(half)}" if half == half else "")

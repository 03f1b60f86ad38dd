"""How it went by true condition: whom a mean comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workup.envs.records.journeys import Journeys
from workup.statistics import Interval, normal_interval

if TYPE_CHECKING:
    import polars as pl

MEASURES = ("value", "cost_gbp", "harm_gbp", "tests")
_ENDS = {"": "mean", "_low": "low", "_high": "high"}


@dataclass(frozen=True)
class OfCondition:
    """The patients with one true condition under one agent: means over them ± 1.96 standard errors, NaN where there are none."""

    patients: int
    share: float
    """Of all patients, 0 to 1."""
    value: Interval
    """What they got, by their own state and luck included, pounds. An expectation given what was found would count the other
    conditions that were thought possible."""
    cost_gbp: Interval
    harm_gbp: Interval
    """Of tests and acts, as the reward weights and charges it for their own state."""
    tests: Interval

    @property
    def contribution(self) -> float:
        """Share times mean value, pounds: what this condition adds to the mean of what all patients got."""
        return self.share * self.value.mean if self.patients else 0.0

    def as_json(self) -> dict[str, Any]:
        """`patients`, `share`, `contribution` and an interval for each measure."""
        counts = {"patients": self.patients, "share": self.share, "contribution": self.contribution}
        return counts | {name: getattr(self, name).as_json() for name in MEASURES}


@dataclass(frozen=True)
class ByCondition:
    """Agents by true condition, in the scenario's order; contributions of an agent sum to the mean of what its patients got."""

    agents: Mapping[str, Mapping[str, OfCondition]]

    def got(self, agent: str) -> float:
        """Mean of what its patients got, pounds: the sum of the contributions."""
        return sum(each.contribution for each in self.agents[agent].values())

    def to_frame(self) -> pl.DataFrame:
        """One row an agent and condition: `policy`, `condition`, `patients`, `share`, `contribution`, then mean, `_low` and `_high`
        of value, cost_gbp, harm_gbp and tests."""
        import polars as pl

        return pl.DataFrame(
            [
                {"policy": agent, "condition": name, "patients": each.patients, "share": each.share}
                | {"contribution": each.contribution}
                | {f"{of}{end}": getattr(getattr(each, of), side) for of in MEASURES for end, side in _ENDS.items()}
                for agent, conditions in self.agents.items()
                for name, each in conditions.items()
            ]
        )


def by_condition(journeys: Journeys) -> dict[str, OfCondition]:
    """Every condition of the scenario, those that nobody had included."""
    found, n = {}, len(journeys.patient)
    columns = {
        "value": journeys.value,
        "cost_gbp": journeys.cost_gbp,
        "harm_gbp": 0.0 - journeys.components[:, 1],
        "tests": journeys.tests.astype(np.float64),
    }
    for index, name in enumerate(journeys.world.model.conditions):
        inside = journeys.condition == index
        means = {of: normal_interval(column[inside]) for of, column in columns.items()}
        found[name] = OfCondition(patients=int(inside.sum()), share=float(inside.sum() / n), **means)
    return found

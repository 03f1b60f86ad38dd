"""Who is who among simulated patients, by the context of the scenario, and how it went for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.records.journeys import Journeys
from workup.statistics import Interval, normal_interval

Floats = NDArray[np.float64]

EXPECTED = ("value", "gain")
GROUP_MEASURES = ("value", "gain", "accuracy", "cost_gbp", "tests")


@dataclass(frozen=True, eq=False)
class Members:
    """The patients for whom a context variable has one value."""

    variable: str
    value: str
    inside: NDArray[np.bool_]
    """(n,)"""


@dataclass(frozen=True)
class Group:
    """One subgroup under one agent; intervals are mean ± 1.96 standard errors."""

    patients: int
    value: Interval
    gain: Interval
    accuracy: Interval
    cost_gbp: Interval
    tests: Interval

    def as_json(self) -> dict[str, Any]:
        """`patients`, and an interval for each measure."""
        return {"patients": self.patients, **{name: getattr(self, name).as_json() for name in GROUP_MEASURES}}


def subgroups(journeys: Journeys) -> list[Members]:
    """Every value of every context variable that the model of the patients depends on, in the scenario's order."""
    model = journeys.world.model
    found = []
    for name in journeys.world.scenario.context:
        if name not in model.core:
            continue
        c = model.core.index(name)
        for_profile = int(model.core_profile_stride[c])
        stride = for_profile or int(model.core_hidden_stride[c])
        state = journeys.profile if for_profile else journeys.hidden
        value = state // stride % int(model.core_size[c])
        for index, word in enumerate(model.network.variable(name).values):
            found.append(Members(name, word, value == index))
    return found


def by_group(measured: Mapping[str, Floats], groups: list[Members]) -> dict[str, dict[str, Group]]:
    """Context variable -> value -> how it went there; `measured` as `measure` gives it, for all patients."""
    out: dict[str, dict[str, Group]] = {}
    for group in groups:
        slack = float(measured["slack"][group.inside].mean()) if group.inside.any() else 0.0
        means = {name: normal_interval(measured[name][group.inside]) for name in GROUP_MEASURES}
        means |= {name: replace(means[name], high=means[name].high + slack) for name in EXPECTED}
        out.setdefault(group.variable, {})[group.value] = Group(patients=int(group.inside.sum()), **means)
    return out

"""Who is who among simulated patients, by the context of the scenario."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.records.journeys import Journeys


@dataclass(frozen=True, eq=False)
class Members:
    """The patients for whom a context variable has one value."""

    variable: str
    value: str
    inside: NDArray[np.bool_]
    """(n,)"""


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

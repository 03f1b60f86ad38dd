"""Control variates for the value of journeys: what is known to be zero on average takes most of the noise away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine import JourneyView
from workup.envs.world import World

_ROWS = 256
"""Journeys whose beliefs are held at once."""


class ControlVariates:
    """How each decision came to look by the end of a journey, against how it looked at the presentation.

    The posterior is a martingale: whatever a policy orders, the expectation of a fixed decision's utility by the
    posterior at the end is on average what it was at the presentation. So the differences are zero on average for
    patients drawn from the model (not for patients fixed in advance), and they follow the luck of the draw closely.

    Source: Glasserman, Monte Carlo Methods in Financial Engineering (2004), section 4.1 (control variates).
    """

    def __init__(self, world: World, n: int) -> None:
        self._world = world
        self._then = np.zeros((n, len(world.decisions)))
        self._presented = np.zeros(n, bool)

    def present(self, rows: NDArray[np.int64], view: JourneyView) -> None:
        """Note what journeys `rows` look like, now that history and examination are known; `view` holds them."""
        if rows.size:
            self._then[rows] = expected_utility(self._world, view)
            self._presented[rows] = True

    def at_end(self, view: JourneyView) -> NDArray[np.float64]:
        """(n, D) pounds, zero on average; 0 for journeys that never got through history and examination."""
        return np.where(self._presented[:, None], expected_utility(self._world, view) - self._then, 0.0)


def expected_utility(world: World, view: JourneyView) -> NDArray[np.float64]:
    """(n, D) weighted utility of each decision by the posterior of a view, progression left out."""
    utility = world.utility_gbp.reshape(len(world.decisions), -1).T * world.weights[3]
    parts = []
    for first in range(0, len(view.values), _ROWS):
        rows = slice(first, first + _ROWS)
        belief = world.model.belief(view.values[rows], view.status[rows], view.failures[rows], view.treated[rows])
        parts.append(belief.reshape(len(belief), -1) @ utility)
    return np.concatenate(parts)

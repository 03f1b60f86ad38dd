"""What an order changes on average: the expectation over its results of the shaped reward, exactly.

A sampled result pays thousands of pounds once in seventy patients and nothing else; its expectation is known here, since
the posterior is. Rewarding an order by the expectation leaves every policy's return as it is and takes this noise away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, charges
from workup.envs.engine import Engine, JourneyView
from workup.envs.patient_model import NOT_ORDERED, REFUSED, RESULT
from workup.envs.world import World

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Orders:
    """An action at an information state, by coordinate (profile, hidden state); S coordinates, C outcomes of M items."""

    cost: F64
    """(S,)"""
    likelihood: F64
    """(C, S) outcomes of the first item, then of the next ..."""
    counts: NDArray[np.int64]
    """(M,) outcomes of each item."""
    hours: F64
    """(C,) time that each takes."""


class ExpectedChange:
    """Expected change of potential, plus reward, by an action in each journey of an engine in belief view."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = OutcomeTables(world)
        self._treated_by = [self._tables.treated_by(item) for item in range(len(world.items))]
        self._fears = world.contraindication.tolist()
        self._orders = lru_cache(maxsize=50_000)(self._looked_up)

    def of(self, engine: Engine, actions: NDArray[np.int64]) -> F64:
        """(n,) pounds, before the actions (n,) are taken; 0 for decisions and for waiting."""
        view = engine.journey_view()
        weights, profiles = engine.beliefs()
        best = engine.best_expected_utility
        change = np.zeros(len(actions))
        for row, a in enumerate(actions.tolist()):
            if self._world.actions[a].items and view.mask[row, a]:
                change[row] = self._change(view, row, a, weights[row], tuple(k for k in profiles[row].tolist() if k >= 0))
        return change - 0.0 * best

"""How likely something was when an order was placed: whether a test goes to those whom it is meant for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys


def risk_before(journeys: Journeys, item: str, group: str) -> NDArray[np.float64]:
    """The exact posterior risk just before an item is first ordered, in each journey that orders it.

    Args:
        journeys: run with `record=True`, results at once.
        item: an investigation or act of their scenario, after history and examination.
        group: a condition, or a group of conditions.

    Returns:
        (m,) float64 probabilities, in the order of the journeys that have the order; m = 0 if none has.

    Raises:
        WorkupError: the journeys hold no events.
        ValueError: no such item.
        KeyError: no such condition or group.
    """
    events, world = journeys.recorded(), journeys.world
    begins = np.r_[True, events.journey[1:] != events.journey[:-1]]
    now = events.status[:, world.items.index(item)]
    was = np.r_[np.uint8(NOT_ORDERED), now[:-1]]
    ordered = np.flatnonzero((was == NOT_ORDERED) & (now != NOT_ORDERED) & ~begins)
    risk = events.condition_posterior[ordered - 1][:, _members(world, group)].sum(axis=1)
    return np.asarray(risk, np.float64)


def _members(world: World, group: str) -> list[int]:
    names: Sequence[str] = world.model.conditions
    if group in names:
        return [list(names).index(group)]
    return [list(names).index(name) for name in world.scenario.groups[group]]

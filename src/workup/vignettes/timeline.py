"""Journeys laid side by side, step by step: what was known before each step, and what it ordered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import NOT_ORDERED, UNKNOWN
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import UnknownNameError

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Timeline:
    """The steps of n journeys side by side, padded to the longest (S steps)."""

    journeys: Journeys
    taken: Bools
    """(n, S) whether the journey had that step."""
    ordered: Bools
    """(n, S, I) items whose order was placed at the step."""
    clock_h: NDArray[np.float64]
    """(n, S) before the step."""
    visit: NDArray[np.int32]
    """(n, S) 1 is the first."""
    values: NDArray[np.int16]
    """(n, S, O) revealed before the step."""
    status: NDArray[np.uint8]
    """(n, S, I) before the step."""

    @property
    def last(self) -> NDArray[np.int64]:
        """(n,) index of each journey's last step."""
        return np.asarray(self.taken.sum(axis=1) - 1)


def timeline(journeys: Journeys) -> Timeline:
    """Lay out recorded journeys step by step.

    Raises:
        WorkupError: the journeys were run without recording their events.
    """
    events = journeys.recorded()
    world = journeys.world
    n, m = len(journeys.patient), len(events.journey)
    starts = np.searchsorted(events.journey, np.arange(n))
    column = np.arange(m) - starts[events.journey]
    shape = (n, int(column.max(initial=0)) + 1)
    at = (events.journey, column)
    taken, clock, visit = np.zeros(shape, bool), np.zeros(shape), np.zeros(shape, np.int32)
    taken[at], clock[at] = True, events.clock_h
    visit[at] = events.visit - events.visit[starts][events.journey] + 1
    values, status = _before(journeys, starts)
    ordered = _ordered(world, events.action, status)
    return Timeline(
        journeys=journeys,
        taken=taken,
        ordered=_spread(ordered, at, shape),
        clock_h=clock,
        visit=visit,
        values=_spread(values, at, shape),
        status=_spread(status, at, shape),
    )


def _before(journeys: Journeys, starts: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """What was revealed before each step: what was after the step before, and at first what the start tells."""
    events = journeys.recorded()
    values, status = np.roll(events.values, 1, axis=0), np.roll(events.status, 1, axis=0)
    values[starts], status[starts] = events.values[starts], NOT_ORDERED
    values[starts, journeys.world.model.n_known_at_start :] = UNKNOWN
    return values, status


def _ordered(world: World, actions: NDArray[np.int32], status: NDArray[np.uint8]) -> Bools:
    """(m, I) items whose order a step placed; a set orders those of its members not ordered before."""
    placed = np.zeros((len(world.actions), len(world.items)), bool)
    for index, action in enumerate(world.actions):
        placed[index, list(action.items)] = True
    is_set = np.array([action.kind == "set" for action in world.actions])[actions]
    return np.asarray(placed[actions] & (~is_set[:, None] | (status == NOT_ORDERED)))


def _spread(rows: NDArray, at: tuple[NDArray[np.int32], NDArray[np.int64]], shape: tuple[int, int]) -> NDArray:  # type: ignore[type-arg]
    out = np.zeros((*shape, rows.shape[1]), rows.dtype)
    out[at] = rows
    return out


def members(world: World, name: str) -> tuple[int, ...]:
    """The items a name of an expectation stands for: itself, or all members of an order set."""
    order_set = world.scenario.order_sets.get(name)
    names = (name,) if order_set is None else order_set.members
    unknown = [each for each in names if each not in world.items]
    if unknown:
        raise UnknownNameError(f"{name!r} is no investigation, act or order set of {world.scenario.id}")
    return tuple(world.items.index(each) for each in names)

"""How a journey is opened and closed: history and examination, and what to do where an agent orders no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import choose_first, pending_items
from workup.agents.deciding import best_decisions
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import RESULT
from workup.envs.model.world import World


def opening_actions(world: World) -> list[int]:
    """Single orders of history, then of examination, in the scenario's order."""
    orders = [(index, a.items[0]) for index, a in enumerate(world.actions) if a.kind == "order" and len(a.items) == 1]
    return [index for opens in (1, 2) for index, item in orders if world.opens_journey[item] == opens]


def wait_first(view: JourneyView, actions: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) to wait wherever something ordered has not come back, else the actions (n,) chosen.

    An agent that takes one order at a time and has no plan for results that are on their way does not order or decide
    before they are there; so what it does with delayed results is what it does with results at once.
    """
    wait = [action.kind for action in view.world.actions].index("wait")
    return np.where(view.mask[:, wait] & pending_items(view), wait, actions)


def finish(world: World, view: JourneyView, actions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fill in what is still open (-1): wait for what is pending, else the best decision, else what is legal."""
    actions = np.where(actions < 0, wait_first(view, actions), actions)
    still = np.flatnonzero(actions < 0)
    actions[still] = best_decisions(world, view, still)
    stuck = actions < 0
    actions[stuck] = view.mask[stuck].argmax(axis=1)
    return actions


def journey_is_open(view: JourneyView) -> NDArray[np.bool_]:
    """(n,) whether a history item and an examination item both have a result: the presentation is known."""
    done = view.status == RESULT
    opens = view.world.opens_journey
    return np.asarray(done[:, opens == 1].any(axis=1) & done[:, opens == 2].any(axis=1))


def opening_choices(view: JourneyView, opening: Sequence[int]) -> NDArray[np.int64]:
    """(n,) the next of the `opening_actions`; -1 once a journey is open, or where none of them is legal."""
    return np.where(journey_is_open(view), -1, choose_first(view.mask, opening))


def open_journeys(engine: Engine, slots: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Take journeys through history and examination, as far as that is possible.

    Args:
        engine: its journeys have just begun.
        slots: (n,) which of them; by default all.

    Returns:
        (n,) float64 pounds that this earned; 0 elsewhere.
    """
    opening, earned = opening_actions(engine.world), np.zeros(engine.num_envs)
    left = np.ones(engine.num_envs, dtype=np.bool_) if slots is None else slots
    while True:
        actions = np.where(left & ~engine.presented, choose_first(engine.mask, opening), -1)
        if (actions < 0).all():
            return earned
        earned += engine.step(actions).reward

"""What an agent sees and must do: one small, batch-first interface for exact, rule-based and learned agents.

An agent's knowledge is a `World` of its own: the true one, or the same scenario compiled with noise. It
reads codes of revealed values, so both worlds must list the same observables, items and actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import PENDING
from workup.envs.model.world import World

__all__ = ["Agent", "AgentFactory", "JourneyView", "choose_first", "decision_actions", "pending_items"]


class Agent(Protocol):
    """Chooses the next action for each journey of a batch, from what has been revealed alone."""

    name: str
    needs: Literal["raw", "belief"] | None
    """The observation it reads from `view.observation`, if any."""

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """Actions for a batch.

        Args:
            view: revealed facts of n journeys (see `JourneyView`).

        Returns:
            (n,) int64 action indices, each legal under `view.mask`.
        """
        ...


class AgentFactory(Protocol):
    """What a module lists in `AGENTS` under an agent's name."""

    def __call__(self, world: World, *, seed: int) -> Agent:
        """An agent for `world`; `seed` matters only to agents that draw random numbers."""
        ...


def decision_actions(world: World) -> NDArray[np.int64]:
    """(D,) int64 index of the action that takes each decision."""
    first = len(world.actions) - len(world.decisions)
    return np.arange(first, len(world.actions), dtype=np.int64)


def pending_items(view: JourneyView) -> NDArray[np.bool_]:
    """(n,) whether anything ordered has not come back."""
    return np.asarray((view.status == PENDING).any(axis=1))


def choose_first(mask: NDArray[np.bool_], preference: Sequence[int]) -> NDArray[np.int64]:
    """The first legal action of a list of preferences.

    Args:
        mask: (n, A) legal actions.
        preference: action indices, best first.

    Returns:
        (n,) int64 action, or -1 where none of them is legal.
    """
    order = np.asarray(preference, dtype=np.int64)
    if order.size == 0:
        return np.full(len(mask), -1, dtype=np.int64)
    legal = mask[:, order]
    return np.where(legal.any(axis=1), order[legal.argmax(axis=1)], -1)

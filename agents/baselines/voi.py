"""One-step value of information: order what raises the best expected utility most for its cost, else decide."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, decision_actions
from workup.agents.opening import opening_actions, opening_choices, wait_first
from workup.agents.planning.one_step import OneStep
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World

F64 = NDArray[np.float64]
TIE_GBP = 1e-6
"""What promises differ by less are the same: a millionth of a pound is rounding, not worth."""


class VoiAgent:
    """Looks one step ahead on a knowledge model, which may be noisier than the world it acts in.

    A decision that is still locked counts at its worth less the cheapest orders that might open it, and is never taken.

    Raises:
        PlanningRefused: an item has too many joint results, or may fail in a way that cannot be priced.
    """

    needs: Literal["raw", "belief"] | None = None

    def __init__(self, world: World, *, name: str = "voi") -> None:
        """`world` is the agent's knowledge; it needs the names of the world it acts in, not its figures."""
        self.name = name
        self._world = world
        self._ahead = OneStep(world, keys=True)
        self._opening = opening_actions(world)

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = wait_first(view, opening_choices(view, self._opening))
        decisions = decision_actions(self._world)
        able = np.flatnonzero(view.mask[:, decisions].any(axis=1) & (chosen < 0))
        if able.size:
            chosen[able] = best_of(self._ahead.values(view, able), decisions)
        stuck = chosen < 0
        chosen[stuck] = view.mask[stuck].argmax(axis=1)
        return chosen


def best_of(values: F64, decisions: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the action that promises most; of those that promise the same within `TIE_GBP` a decision, then the first. Rounding,
    which differs between processors, decides nothing.

    Args:
        values: (n, A) pounds, -inf where illegal.
        decisions: (D,) actions that decide.
    """
    best = values >= values.max(axis=1, keepdims=True) - TIE_GBP
    deciding = best[:, decisions]
    return np.where(deciding.any(axis=1), decisions[deciding.argmax(axis=1)], best.argmax(axis=1))


def rank_orders(world: World, view: JourneyView) -> F64:
    """What every action promises, looking one step ahead, for the first journey of a view.

    Args:
        world: the knowledge that judges.
        view: revealed facts; its first row is looked at.

    Returns:
        (A,) float64 pounds against the best decision now: an order's value of information net of what it costs, what a
        decision loses; -inf where illegal.
    """
    return np.asarray(OneStep(world).values(view, np.array([0]))[0])


def _voi(world: World, *, seed: int) -> VoiAgent:
    return VoiAgent(world)


AGENTS: dict[str, AgentFactory] = {"voi": _voi}

"""The three baselines that need no thought: nothing more, everything, and anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, StochasticAgent, choose_first, decision_actions
from workup.agents.deciding import best_decisions
from workup.agents.opening import finish, journey_is_open, opening_actions, wait_first
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.scenarios.language.schema import TIERS


def cheapest_tier_first(world: World) -> list[int]:
    """Every order, set and act by its highest tier, sets before single orders, then by price."""

    def rank(action: int) -> tuple[int, bool, float, int]:
        entry = world.actions[action]
        tier = max(TIERS.index(world.tier[item]) for item in entry.items)
        return tier, entry.kind != "set", float(world.cost_gbp[list(entry.items)].sum()), action

    return sorted((a for a, entry in enumerate(world.actions) if entry.items), key=rank)


class ListAgent:
    """Goes down a list of actions, taking what is legal, then waits for results and decides."""

    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, name: str, world: World, actions: Sequence[int], *, until_open: bool = False) -> None:
        """`until_open`: stop at the presentation, as soon as history and examination both have a result."""
        self.name = name
        self._world = world
        self._actions = tuple(actions)
        self._until_open = until_open

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = choose_first(view.mask, self._actions)
        if self._until_open:
            chosen = wait_first(view, np.where(journey_is_open(view), -1, chosen))
        return finish(self._world, view, chosen)


class RandomAgent(StochasticAgent):
    """Any legal order with equal chance, stopping counted as one of them; decides by the posterior.

    What is on its way is waited for before it decides. Chance belongs to the patient and the step, so that two patients who
    look the same may be treated differently.
    """

    name = "random"
    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, world: World, *, seed: int) -> None:
        """`seed` is not used: what is drawn is keyed by the seed of the patients."""
        self._world = world

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        decisions = decision_actions(self._world)
        rows = np.flatnonzero(view.mask[:, decisions].any(axis=1))
        stop = np.zeros(len(view.mask), np.int64)
        stop[rows] = best_decisions(self._world, view, rows)
        stop = wait_first(view, stop)
        options = view.mask.astype(np.float64)
        options[:, decisions] = 0.0
        options[rows, stop[rows]] += 1.0
        return np.asarray(options / options.sum(axis=1, keepdims=True))


def _none(world: World, *, seed: int) -> ListAgent:
    return ListAgent("none", world, opening_actions(world), until_open=True)


def _all(world: World, *, seed: int) -> ListAgent:
    return ListAgent("all", world, cheapest_tier_first(world))


AGENTS: dict[str, AgentFactory] = {"none": _none, "all": _all, "random": RandomAgent}

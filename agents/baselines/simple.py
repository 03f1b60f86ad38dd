"""The three baselines that need no thought: nothing more, everything, and anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, choose_first, decision_actions
from workup.agents.deciding import best_decisions
from workup.agents.opening import finish, journey_is_open, opening_actions, wait_first
from workup.envs.engine.types import JourneyView
from workup.envs.model.randomness import GOLDEN, mix_array
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


class RandomAgent:
    """Any legal order with equal chance, stopping counted as one of them; decides by the posterior.

    What is on its way is waited for before it decides. The choice is a hash of the seed and of what has been revealed, so it does not depend on the batch,
    and two patients who look the same so far are treated the same: one random policy per seed.
    """

    name = "random"
    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, world: World, *, seed: int) -> None:
        self._world = world
        self._seed = seed

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        decisions = decision_actions(self._world)
        options = view.mask.copy()
        can_stop = options[:, decisions].any(axis=1)
        options[:, decisions] = False
        options[:, decisions[0]] = can_stop
        pick = (keyed_uniform(view, self._seed) * options.sum(axis=1)).astype(np.int64)
        chosen = (options.cumsum(axis=1) > pick[:, None]).argmax(axis=1).astype(np.int64)
        stops = chosen == decisions[0]
        chosen[stops] = best_decisions(self._world, view, np.flatnonzero(stops))
        return np.where(stops, wait_first(view, chosen), chosen)


def keyed_uniform(view: JourneyView, seed: int) -> NDArray[np.float64]:
    """(n,) uniform in [0, 1), a function of the seed and the revealed facts alone."""
    numbers = np.nan_to_num(view.numbers.astype(np.float32), nan=-1.0).view(np.uint32)
    facts = (view.values, numbers, view.status, view.failures, view.step[:, None])
    key = np.full(len(view.step), seed, dtype=np.int64).view(np.uint64)
    for block in facts:
        for column in np.asarray(block).T:
            key = mix_array(key ^ (column.astype(np.int64).view(np.uint64) + GOLDEN))
    return np.asarray((key >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _none(world: World, *, seed: int) -> ListAgent:
    return ListAgent("none", world, opening_actions(world), until_open=True)


def _all(world: World, *, seed: int) -> ListAgent:
    return ListAgent("all", world, cheapest_tier_first(world))


AGENTS: dict[str, AgentFactory] = {"none": _none, "all": _all, "random": RandomAgent}

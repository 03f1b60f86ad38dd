"""The scenario's guideline: its rules in order, as a conscientious doctor would follow them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, JourneyView
from workup.agents.simple import finish
from workup.envs.facts import compile_when, vocabulary
from workup.envs.world import World
from workup.scenarios.errors import UnknownNameError


class GuidelineAgent:
    """Does the first rule whose `when` holds and whose action is legal; repeats a failed order while it may.

    Where no rule applies it waits for what is pending, then takes the best decision on the posterior.
    """

    name = "guideline"
    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, world: World, *, seed: int = 0) -> None:
        """`seed` is not used.

        Raises:
            UnknownNameError: a rule does something that the world has no action for.
        """
        self._world = world
        words = vocabulary(world)
        self._rules = [
            (action_named(world, rule.do), compile_when(rule.when, words)) for rule in world.scenario.guideline
        ]

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = np.full(len(view.step), -1, dtype=np.int64)
        for action, condition in self._rules:
            applies = (chosen < 0) & view.mask[:, action] & condition.holds(view.values, view.status)
            chosen[applies] = action
        return finish(self._world, view, chosen)


def action_named(world: World, name: str) -> int:
    """The action that a rule means by an item, an order set, a decision or 'wait'.

    Raises:
        UnknownNameError: none of them.
    """
    for index, action in enumerate(world.actions):
        if action.name == name or action.name.split(" ", 1)[-1] == name:
            return index
    known = ", ".join(action.name for action in world.actions)
    raise UnknownNameError(f"{world.scenario.id} has no action {name!r}; expected one of: {known}")


AGENTS: dict[str, AgentFactory] = {"guideline": GuidelineAgent}

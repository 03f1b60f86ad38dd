"""The scenario's guideline: its rules in order, as a conscientious doctor would follow them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory
from workup.agents.opening import finish, wait_first
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import PENDING
from workup.envs.model.facts import compile_when, vocabulary
from workup.envs.model.world import World
from workup.errors import UnknownNameError
from workup.scenarios.language.schema import Rule, Scenario


class GuidelineAgent:
    """Does the first rule whose `when` holds and whose action is legal; repeats a failed order while it may.

    What is pending is waited for, unless that rule decides and says `even_if_pending`; history and examination always are. Where
    no rule applies it takes the best decision on the posterior.
    """

    name = "guideline"
    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, world: World, *, seed: int = 0, version: str | None = None) -> None:
        """`version` is one of the scenario's `guideline_versions`, or None for the guideline itself; `seed` is not used.

        Raises:
            UnknownNameError: no such version, or a rule does something that the world has no action for.
        """
        self._world, self.version = world, version
        if version is not None:
            self.name = f"{type(self).name}:{version}"
        words = vocabulary(world)
        self._rules = [
            (action_named(world, rule.do), compile_when(rule.when, words), rule.even_if_pending)
            for rule in rules_of(world.scenario, version=version)
        ]

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = np.full(len(view.step), -1, dtype=np.int64)
        at_once = np.zeros(len(chosen), np.bool_)
        for action, condition, even_if_pending in self._rules:
            applies = (chosen < 0) & view.mask[:, action] & condition.holds(view.values, view.status)
            chosen[applies], at_once[applies] = action, even_if_pending
        examining = (view.status[:, self._world.opens_journey > 0] == PENDING).any(axis=1)
        return finish(self._world, view, np.where(at_once & ~examining, chosen, wait_first(view, chosen)))


def rules_of(scenario: Scenario, *, version: str | None = None) -> tuple[Rule, ...]:
    """The guideline's rules in order, after those by which a version differs from it.

    Raises:
        UnknownNameError: the scenario has no such version.
    """
    if version is None:
        return scenario.guideline
    if version not in scenario.guideline_versions:
        known = ", ".join(scenario.guideline_versions) or "none"
        raise UnknownNameError(f"{scenario.id} has no guideline version {version!r}; its versions: {known}")
    return (*scenario.guideline_versions[version].rules, *scenario.guideline)


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

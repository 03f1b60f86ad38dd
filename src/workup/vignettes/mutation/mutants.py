"""Agents altered in one respect, so that one expectation of a vignette is broken.

Each takes an agent and gives another, which acts as the first does but for the one thing. Like every agent they keep
nothing about a patient: what to do follows from what has been revealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import distribution
from workup.agents.base import Agent, StochasticAgent, choose_first, decision_actions
from workup.agents.opening import opening_actions
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED, RESULT
from workup.envs.model.world import World

Bools = NDArray[np.bool_]
Where = Callable[[JourneyView], Bools]
"""view -> (n,): in which journeys."""


def always(view: JourneyView) -> Bools:
    """In every journey."""
    return np.ones(len(view.step), bool)


class Altered(StochasticAgent):
    """An agent made from another, whose name and needs it keeps; where that one draws nothing, so does this."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.name = agent.name
        self.needs = agent.needs


class Without(Altered):
    """Never orders some items, as long as `where` holds; of a set that holds one it orders the others, singly.

    If nothing else is legal, it does what the agent would have done.
    """

    def __init__(self, agent: Agent, items: frozenset[int], where: Where = always) -> None:
        super().__init__(agent)
        self.items = items
        self.where = where

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        chances = distribution(self.agent, view)
        barred = np.asarray(self._barred(view) & self.where(view)[:, None])
        rest = np.asarray(view.mask & ~barred)
        able = np.asarray(rest.any(axis=1))
        wrong = np.argwhere((chances > 0.0) & barred & able[:, None])
        if not wrong.size:
            return chances
        others = distribution(self.agent, replace(view, mask=np.where(able[:, None], rest, view.mask)))
        for row, action in wrong.tolist():
            moved, chances[row, action] = chances[row, action], 0.0
            singly = self._singly(view.world, action, rest[row])
            if singly < 0:
                chances[row] += moved * others[row]
            else:
                chances[row, singly] += moved
        return chances

    def _barred(self, view: JourneyView) -> Bools:
        """(n, A) actions that would order one of the items."""
        new = view.status == NOT_ORDERED
        barred = np.zeros_like(view.mask)
        for index, action in enumerate(view.world.actions):
            mine = [item for item in action.items if item in self.items]
            if mine:
                barred[:, index] = new[:, mine].any(axis=1) if action.kind == "set" else True
        return barred

    def _singly(self, world: World, action: int, rest: Bools) -> int:
        """A single order of another member of the set, or -1."""
        members = [i for i in world.actions[action].items if i not in self.items]
        return next((order for order in (order_of(world, i) for i in members) if rest[order]), -1)


class Towards(Altered):
    """Does the first legal one of some orders, as long as `where` holds; otherwise as the agent."""

    def __init__(self, agent: Agent, orders: Sequence[int], where: Where) -> None:
        """`orders`: actions, best first."""
        super().__init__(agent)
        self.orders = orders
        self.where = where

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        chances = distribution(self.agent, view)
        wanted = np.where(self.where(view), choose_first(view.mask, self.orders), -1)
        rows = np.flatnonzero(wanted >= 0)
        chances[rows] = 0.0
        chances[rows, wanted[rows]] = 1.0
        return chances


class Deciding(Altered):
    """Ends every journey in one decision, at the moment that the agent would end it; as the agent, where it is locked then."""

    def __init__(self, agent: Agent, decision: int) -> None:
        super().__init__(agent)
        self.decision = decision

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        chances, decisions = distribution(self.agent, view), decision_actions(view.world)
        here = decisions[self.decision]
        rows = np.flatnonzero(view.mask[:, here])
        ends = chances[np.ix_(rows, decisions)].sum(axis=1)
        chances[np.ix_(rows, decisions)] = 0.0
        chances[rows, here] = ends
        return chances


def order_of(world: World, item: int) -> int:
    """The action that orders an item and nothing else."""
    return next(a for a, action in enumerate(world.actions) if action.kind != "set" and action.items == (item,))


def locked(world: World, decision: int) -> Where:
    """Where a decision may not be taken, or not yet."""
    action = decision_actions(world)[decision]
    return lambda view: ~view.mask[:, action]


def not_ordered(item: int) -> Where:
    """Where an item has not been ordered."""
    return lambda view: view.status[:, item] == NOT_ORDERED


def before_hours(hours: float) -> Where:
    """Until the clock has passed so many hours."""
    return lambda view: view.clock_h <= hours + 1e-9


def in_visit(number: int | None) -> Where:
    """In that visit (1 is the first); at any time if None."""
    return always if number is None else lambda view: view.visit == number


def opposite(where: Where) -> Where:
    """Where it does not hold."""
    return lambda view: ~where(view)


def both(*parts: Where) -> Where:
    """Where all hold."""
    return lambda view: np.logical_and.reduce([part(view) for part in parts])


def path_to(world: World, items: Iterable[int]) -> list[int]:
    """Orders that may lead to some items: these, then what they require and what reveals that, back to the opening."""
    found = list(dict.fromkeys(items))
    for item in found:  # grows as it is read
        for owner, _, kind, target in world.clauses:
            if owner == item:
                source = int(target) if kind else int(world.model.item_of[target])
                if source >= 0 and source not in found and (kind == 0 or _by_result(world, item, source)):
                    found.append(source)
    return [*(order_of(world, item) for item in found), *opening_actions(world)]


def keys_of(world: World, decision: int) -> list[int]:
    """Items whose result or failure may meet what a decision requires."""
    rows = world.decision_clauses[world.decision_clauses[:, 0] == decision]
    found = (int(target) if kind else int(world.model.item_of[target]) for _, _, kind, target in rows)
    return [item for item in dict.fromkeys(found) if item >= 0]


def _by_result(world: World, item: int, source: int) -> bool:
    """Whether a requirement of the item is met by a result of the other."""
    rows = world.clauses
    mine = (rows[:, 0] == item) & (rows[:, 2] == 1) & (rows[:, 3] == source)
    return bool(world.clause_values[mine][:, RESULT].any())


def anything(world: World, worth: NDArray[np.float64]) -> list[int]:
    """Every single order, those of items that count most (I,) first."""
    return [order_of(world, int(item)) for item in np.argsort(-worth, kind="stable")]

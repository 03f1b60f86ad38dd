"""Asks what tells most about the condition for its price, one order at a time; quick where there are hundreds of questions.

The information of an order is that of its findings added up (they are independent given the condition, so this is an
upper bound, and exact for one finding). Asking stops where what is left to be known is not worth a question: the loss
by the best decision now, less its loss with perfect knowledge, is below the price, or no question tells anything.

Source: Gorry GA, Barnett GO, Experience with a model of sequential diagnosis, Computers and Biomedical Research 1968;1:490-507
(questions by what they are expected to tell, against their cost).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory
from workup.agents.deciding import expected_utilities
from workup.agents.opening import finish, journey_is_open, opening_actions, opening_choices, wait_first
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.world import World

F64 = NDArray[np.float64]

LEAST_NATS = 1e-3
"""A question that tells less is not asked."""
FREE_GBP = 0.01
"""A free question counts as this dear, so that prices can divide."""


class InformativeAgent:
    """Takes history and examination, then the order of most information for its price."""

    name = "informative"
    needs: Literal["raw", "belief"] | None = None

    def __init__(self, world: World, *, seed: int) -> None:
        self._world = world
        self._opening = opening_actions(world)
        orders = [(a, action.items[0]) for a, action in enumerate(world.actions) if action.kind == "order"]
        self._orders = np.array([a for a, _ in orders], np.int64)
        self._price = np.maximum([world.cost_gbp[i] + world.harm_gbp[i] for _, i in orders], FREE_GBP)
        model = world.model
        n_hidden, width = model.prior.shape[1], model.evidence_table.shape[1]
        shown = [(j, int(o)) for j, (_, i) in enumerate(orders) for o in world.reveals[i] if o >= 0]
        observables = np.array([o for _, o in shown], np.int64)
        order_of = np.array([j for j, _ in shown], np.int64)
        of = model.evidence_rows
        cells = of.start[observables][:, None] + of.of_profile[observables, :1] + of.of_hidden[observables]
        laws = model.evidence_table[cells].transpose(1, 0, 2).reshape(n_hidden, -1)
        possible = laws.any(axis=0)
        self._laws = np.ascontiguousarray(laws[:, possible])
        self._order_of = np.zeros((self._laws.shape[1], len(orders)))
        self._order_of[np.arange(self._laws.shape[1]), np.repeat(order_of, width)[possible]] = 1.0
        self._noise = (self._laws * _log(self._laws)) @ self._order_of

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = opening_choices(view, self._opening)
        opened = np.flatnonzero(journey_is_open(view))
        if opened.size:
            chosen[opened] = self._ask(view, opened)
        return finish(self._world, view, wait_first(view, chosen))

    def _ask(self, view: JourneyView, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """(m,) the best question, or -1 to stop."""
        world = self._world
        belief = posterior_weights(
            world.model, view.values[rows], view.status[rows], view.failures[rows], view.treated[rows]
        ).sum(axis=1)
        tells = np.minimum(self._information(belief), -(belief * _log(belief)).sum(axis=1)[:, None])
        tells[~view.mask[rows][:, self._orders]] = 0.0
        worth = tells / self._price
        best = worth.argmax(axis=1)
        at_stake = self._perfect(belief) - expected_utilities(world, view, rows).max(axis=1)
        places = np.arange(len(rows))
        go = (tells[places, best] > LEAST_NATS) & (at_stake > self._price[best])
        return np.where(go, self._orders[best], -1)

    def _information(self, belief: F64) -> F64:
        """(m, orders) nats that the findings of each order are expected to tell about the hidden state."""
        marginal = belief @ self._laws
        return np.maximum(belief @ self._noise - (marginal * _log(marginal)) @ self._order_of, 0.0)

    def _perfect(self, belief: F64) -> F64:
        """(m,) what the best decision for each hidden state would be worth."""
        best = self._world.utility_gbp.max(axis=0).mean(axis=0)
        return belief @ best


def _log(shares: F64) -> F64:
    return np.log(np.where(shares > 0, shares, 1.0))


RECORDED_AGENTS: dict[str, AgentFactory] = {"informative": InformativeAgent}

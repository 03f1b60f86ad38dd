"""What every order changes on average, one step ahead, in many journeys at once: exact, by going through joint results.

Everything is weighted by the belief before, coordinate by coordinate (profile, hidden state), so one walk over the
joint results gives the expected worth of the best decision after.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.keys import rules_of
from workup.agents.planning.listed import Listed, ListedBeliefs
from workup.agents.planning.locks import Locks
from workup.agents.planning.situations import Situations
from workup.agents.planning.stepping import Asked, Knowledge, changes_of, values_of
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import PENDING, RESULT
from workup.envs.model.world import World

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_BELIEF_CELLS = 4_000_000
"""Most weights held at once, 32 MB."""
_ORDER, _WAIT = -1, -2
"""In place of a decision: what else an action is."""


class OneStep:
    """Looks one step ahead from information states of one world.

    One step ahead sees no use in an order that merely opens a decision which takes another step. With `keys`, a locked
    decision counts at its worth less the cheapest orders that might open it, so that a key has a use; without, as the
    exact expectation of the best decision, it does not count.

    Raises:
        PlanningRefused: an item has too many joint results, or may fail in a way that cannot be priced.
    """

    def __init__(self, world: World, *, keys: bool = False) -> None:
        self.world = world
        self._locks = Locks(world)
        rules = rules_of(self._locks)
        keyed = keys and bool(self._locks.groups)
        self._situations = Situations(world, self._locks, rules if keyed else None)
        self._beliefs = ListedBeliefs(world.model)
        moving = world.progression_rate_per_h * (world.progresses_to >= 0)
        self._members = np.zeros((len(world.actions), len(world.items)), np.bool_)
        for a, action in enumerate(world.actions):
            self._members[a, list(action.items)] = True
        tables = self._situations.tables
        self._sharing = [np.flatnonzero(world.set_up == s) for s in tables.set_ups]
        taken = [a.decision if a.kind == "decide" else _WAIT if a.kind == "wait" else _ORDER for a in world.actions]
        self._knowledge = Knowledge(
            rules,
            self._locks.needs,
            self._locks.first,
            keyed,
            np.array(taken, np.int64),
            self._members,
            np.array([a.kind == "set" for a in world.actions]),
            np.where(moving > 0.0, moving, 0.0),
            tables.moves,
            world.model.condition_of.astype(np.int64),
            tables.n_swayed,
        )

    def values(self, view: JourneyView, rows: NDArray[np.intp]) -> F64:
        """What every action promises against the best decision now.

        Args:
            view: revealed facts.
            rows: (m,) journeys of it.

        Returns:
            (m, A) pounds: an order's value of information net of what it costs, what a decision loses; -inf where illegal, and
            for waiting.
        """
        model = self.world.model
        per_block = max(1, _BELIEF_CELLS // (model.profiles_per_start * model.prior.shape[1]))
        out = np.empty((len(rows), len(self.world.actions)))
        for begin in range(0, len(rows), per_block):
            some = rows[begin : begin + per_block]
            out[begin : begin + per_block] = self._values(self._asked(view, some, self._beliefs.of(view, some)))
        return out

    def _values(self, asked: Asked) -> F64:
        orders = asked.mask & (self._knowledge.decision == _ORDER)
        self._situations.look_up(asked.situation, orders, refuse=True)
        self._situations.look_up_prices(asked.situation, asked.status)
        packed, numbers, prices = self._situations.packed()
        return values_of(packed, numbers, prices, self._knowledge, asked)

    def changes(self, view: JourneyView, actions: I64, listed: I64, weights: F64) -> F64:
        """What each journey's action is expected to change; locked decisions do not count.

        Args:
            view: revealed facts of n journeys.
            actions: (n,) an order, a set or an act in each.
            listed: (n, P) the profiles that are possible, then -1.
            weights: (n, P * H) belief over these profiles' hidden states, of any positive sum.

        Returns:
            (n,) float64 pounds; NaN for an action that cannot be priced one step ahead.
        """
        possible, H = listed >= 0, self._beliefs.width
        first = np.concatenate([[0], possible.sum(axis=1).cumsum()])
        of = Listed(first, listed[possible], weights.reshape(*listed.shape, H)[possible].ravel())
        asked = self._asked(view, np.arange(len(actions)), of)
        wanted = np.zeros_like(asked.mask)
        wanted[np.arange(len(actions)), actions] = True
        self._situations.look_up(asked.situation, wanted, refuse=False)
        packed, numbers, _ = self._situations.packed()
        return changes_of(packed, numbers, self._knowledge, asked, actions)

    def _asked(self, view: JourneyView, rows: NDArray[np.intp], of: Listed) -> Asked:
        some = {name: getattr(view, name)[rows] for name in ("values", "status", "failures", "progression_h", "mask")}
        paid = np.zeros((len(rows), len(self._sharing)), np.bool_)
        for b, sharing in enumerate(self._sharing):
            paid[:, b] = np.isin(some["status"][:, sharing], (RESULT, PENDING)).any(axis=1)
        met = self._locks.met(some["values"], some["status"])
        situation = self._situations.of(view, rows, of.first, of.profiles)
        return Asked(situation, of.first, of.weights, met, paid, **some)

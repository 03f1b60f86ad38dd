"""What decisions require, as bits: one for each requirement of any decision that is met.

A requirement once met stays met, so what an order may open is a number for each of its outcomes, joined by 'or' with what
was open before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.remaining import Groups, of_decision, requirements
from workup.envs.model.world import World

I64 = NDArray[np.int64]


class Locks:
    """The requirements of a world's decisions, numbered 0 to G - 1 (G at most 62; 0 where no decision requires anything)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rules = requirements(world)
        owned = [(d, group) for d in range(len(world.decisions)) for group in self.rules[of_decision(d)]]
        self.groups: Groups = [group for _, group in owned]
        self.first: I64 = np.searchsorted([d for d, _ in owned], np.arange(len(world.decisions) + 1)).astype(np.int64)
        """(D + 1,) the requirements of decision d are first[d] to first[d + 1] - 1."""
        self.needs: I64 = np.zeros(len(world.decisions), np.int64)
        """(D,) the bits that each decision needs."""
        for g, (d, _) in enumerate(owned):
            self.needs[d] |= 1 << g

    def met(self, values: NDArray[np.int16], status: NDArray[np.uint8]) -> I64:
        """(n,) the bits that are met where these values (n, O) and statuses (n, I) have been revealed."""
        bits = np.zeros(len(values), np.int64)
        for g, group in enumerate(self.groups):
            holds = np.zeros(len(bits), np.bool_)
            for clause in group:
                allowed = np.array(clause.allowed)
                if clause.observable < 0:
                    holds |= allowed[status[:, clause.item]]
                else:
                    found = values[:, clause.observable]
                    holds |= (found >= 0) & allowed[np.maximum(found, 0)]
            bits |= holds.astype(np.int64) << g
        return bits

    def opened(
        self, item: int, observables: NDArray[np.int32], values: NDArray[np.int16], status: NDArray[np.uint8]
    ) -> I64:
        """(cells,) the bits that each outcome of an item meets.

        Args:
            item: that was ordered.
            observables: (R,) what it reveals.
            values: (cells, R) what they turn out to be.
            status: (cells,) what becomes of the order.
        """
        column = {int(o): r for r, o in enumerate(observables) if o >= 0}
        bits = np.zeros(len(status), np.int64)
        for g, group in enumerate(self.groups):
            for clause in group:
                allowed = np.array(clause.allowed)
                if clause.observable < 0 and clause.item == item:
                    bits |= allowed[status].astype(np.int64) << g
                elif clause.observable in column:
                    found = values[:, column[clause.observable]]
                    bits |= ((found >= 0) & allowed[np.maximum(found, 0)]).astype(np.int64) << g
        return bits

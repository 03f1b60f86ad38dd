"""Decisions that require something (rule 2): what is best of those whose requirements are met; `legality` has them among its rules.

All of it is by itself and comes after what every scenario does: most have no such decision, and mixed into a step it cost them a
sixth of their speed.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from workup.envs.engine.numba_options import inlined
from workup.envs.engine.state import OUTCOMES


@inlined
def unlocked(i, d, world, rows):
    """Rule 2 for a decision, history apart: whether all that it requires has been found or tried."""
    at, ints = world.at, world.ints
    n_words = at.n_words
    for need in range(ints[at.decision_needs_at + d], ints[at.decision_needs_at + d + 1]):
        met = np.int64(0)
        for j in range(n_words):
            met |= rows.counts[i, at.words + j] & ints[at.decision_needs + need * n_words + j]
        if met == 0:
            return False
    return True


@inlined
def best_unlocked(i, world, rows):
    """The highest expected utility of a decision whose requirements are met, from what `summarise` left."""
    at, best = world.at, -np.inf
    for d in range(at.n_decisions):
        utility = rows.amounts[i, at.expected + OUTCOMES + d]
        if utility > best and (not at.locked or unlocked(i, d, world, rows)):
            best = utility
    return best

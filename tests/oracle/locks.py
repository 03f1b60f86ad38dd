"""Decisions that require something (rule 2): what may be taken, what is best, what is shown of it.

All of it is by itself and comes after what every scenario does: most have no such decision, and mixed into a step it cost them a
sixth of their speed.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np

from oracle.legality import refresh_ways_out
from oracle.state import OUTCOMES
from workup.envs.engine.numba_options import jit
from workup.envs.engine.observation import REGRET_SCALE_GBP


@jit
def unlocked(i, d, world, rows):
    """Rule 2 for a decision, history apart: whether all that it requires has been found or tried."""
    at, ints = world.at, world.ints
    n_words, met_all = at.n_words, True
    for need in range(ints[at.decision_needs_at + d], ints[at.decision_needs_at + d + 1]):
        met = np.int64(0)
        for j in range(n_words):
            met |= rows.counts[i, at.words + j] & ints[at.decision_needs + need * n_words + j]
        met_all &= met != 0
    return met_all


@jit
def best_unlocked(i, world, rows):
    """The highest expected utility of a decision whose requirements are met, from what `summarise` left."""
    at = world.at
    best = -np.inf
    for d in range(at.n_decisions):
        if unlocked(i, d, world, rows):
            best = max(best, rows.amounts[i, at.expected + OUTCOMES + d])
    return best


@jit
def lock_decisions(i, world, rows):
    """Take from the mask the decisions whose requirements are not met, and show regrets against the best of the others: signed,
    for a locked decision may be better."""
    at, reals = world.at, world.reals
    refresh_ways_out(i, world, rows)
    for d in range(at.n_decisions):
        rows.mask[i, at.first_decision + d] &= unlocked(i, d, world, rows)
    if not at.show_belief:
        return
    best = best_unlocked(i, world, rows)
    low, span = reals[at.utility_range], reals[at.utility_range + 1]
    unit = 1.0 / math.log1p(span / REGRET_SCALE_GBP)
    for d in range(at.n_decisions):
        regret = best - rows.amounts[i, at.expected + OUTCOMES + d]
        shown = math.log1p(abs(regret) / REGRET_SCALE_GBP) * unit
        rows.facts[i, at.regret_slot + d] = -shown if regret >= 0.0 else shown
    rows.facts[i, at.regret_slot + at.n_decisions] = (best - low) / span

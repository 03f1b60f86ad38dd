"""Time as it counts (rule 8): hours of waiting and of progression, by condition, and the chance of having progressed."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

from oracle.state import ACTED, ACTED_H, CLOCK_H
from workup.envs.engine.numba_options import inlined, jit


@inlined
def exposures(i, c, world, rows):
    """Rule 8: hours of waiting and of progression so far, weighted by the acts done, for one condition."""
    at = world.at
    if not rows.counts[i, ACTED]:
        return rows.amounts[i, CLOCK_H], rows.amounts[i, CLOCK_H]
    since = rows.amounts[i, CLOCK_H] - rows.amounts[i, ACTED_H]
    waited = rows.amounts[i, at.waited_h + c] + since * rows.amounts[i, at.waiting + c]
    progressed = rows.amounts[i, at.progressed_h + c] + since * rows.amounts[i, at.progressing + c]
    return waited, progressed


@jit
def progression_chance_of(i, c, world, rows):
    """Rule 8: chance that the condition has become its worse one."""
    at, ints, reals = world.at, world.ints, world.reals
    if ints[at.progresses_to + c] < 0:
        return 0.0
    hours = exposures(i, c, world, rows)[1]
    return 1.0 - math.exp(-reals[at.progression_rate + c] * hours)

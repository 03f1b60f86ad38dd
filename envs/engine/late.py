"""What was put off to the end (rule 4): charges that depend on the patient, and contraindications that were unknown."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from workup.envs.engine.numba_options import inlined, jit
from workup.envs.engine.state import N_POSSIBLE


@jit
def bad_chance(x, o, k, h, world):
    """P(the observable of contraindication x forbids its item | k, h)."""
    at, ints, reals = world.at, world.ints, world.reals
    cell = at.value_cumulative + ints[at.value_start + o]
    cell += ints[at.value_of_k + k * at.n_observables + o] + ints[at.value_of_h + h * at.n_observables + o]
    n, below, total = ints[at.values_of + o], 0.0, 0.0
    for v in range(n):
        upto = min(reals[cell + v], 1.0) if v < n - 1 else 1.0
        if ints[at.contra_bad + x * at.n_values + v]:
            total += upto - below
        below = upto
    return total


@jit
def expect_late(i, scale, world, rows):
    """Posterior expectation of cost and harm put off to the end, unknown contraindications among them."""
    at, ints, reals = world.at, world.ints, world.reals
    cost, harm = 0.0, 0.0
    n_hidden, n_profiles = at.n_hidden, at.n_profiles
    for late in range(at.n_late):
        charged = rows.marks[i, at.charged + ints[at.late + late]]
        if not charged:
            continue
        for a in range(rows.counts[i, N_POSSIBLE]):
            cell = (late * n_profiles + rows.counts[i, at.possible + a]) * n_hidden
            weighed = rows.scratch[at.weighed + a * at.wide_hidden :]
            late_cost, late_harm = reals[at.late_cost + cell :], reals[at.late_harm + cell :]
            for h in range(n_hidden):
                w = scale * charged * weighed[np.uint64(h)]
                cost += w * late_cost[np.uint64(h)]
                harm += w * late_harm[np.uint64(h)]
    for x in range(at.n_contraindications):
        loss = rows.marks[i, at.feared + x] * reals[at.contra_loss + x]
        if loss == 0.0:
            continue
        o = np.int64(ints[at.contra_observable + x])
        v = rows.values[i, o]
        if v >= 0:
            harm += loss * ints[at.contra_bad + x * at.n_values + v]
            continue
        for a in range(rows.counts[i, N_POSSIBLE]):
            k = rows.counts[i, at.possible + a]
            for h in range(n_hidden):
                w = scale * rows.scratch[at.weighed + a * at.wide_hidden + h]
                harm += w * loss * bad_chance(x, o, k, h, world)
    return cost, harm


@inlined
def anything_late(i, world, rows):
    """Whether anything was put off to the end."""
    at, ints = world.at, world.ints
    for late in range(at.n_late):
        if rows.marks[i, at.charged + ints[at.late + late]]:
            return True
    for x in range(at.n_contraindications):
        if rows.marks[i, at.feared + x]:
            return True
    return False

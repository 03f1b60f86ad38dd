"""The exact posterior, followed report by report: what was told about a patient, as factors of a product.

The belief of journey i is `rows.weights[i]`; where beliefs are made only for the score, all share the first row.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from oracle.patient_tables import ON_BOTH, ON_CONDITION, ON_HIDDEN, ON_NOTHING, ON_PROFILE
from oracle.state import JOINT, N_POSSIBLE, PROFILE, STATUS
from workup.envs.engine.numba_options import inlined, jit
from workup.envs.model.codes import PENDING, REFUSED, RESULT


@inlined
def begin_belief(i, world, rows):
    """All profiles that share the start are possible, and nothing has been said about anyone.

    A belief is a product, so that a report touches as little as it can: a row of weights holds a factor for each condition,
    each hidden state and each possible profile, and (once a report depends on both while several profiles are possible)
    the joint weights, which until then are the prior's.
    """
    at = world.at
    belief = rows.weights[i * at.tracked]
    rows.counts[i, N_POSSIBLE] = at.per_start
    rows.counts[i, JOINT] = 0
    first = rows.counts[i, PROFILE] // at.per_start * at.per_start
    for a in range(at.per_start):
        rows.counts[i, at.possible + a] = first + a
    for j in range(at.n_conditions + at.n_hidden + at.per_start):
        belief[j] = 1.0


@jit
def join_profiles(i, world, rows):
    """Keep joint weights of profile and hidden state from now on."""
    at, reals = world.at, world.reals
    belief = rows.weights[i * at.tracked]
    if rows.counts[i, JOINT]:
        return
    n_hidden = at.n_hidden
    for a in range(rows.counts[i, N_POSSIBLE]):
        prior = reals[
            at.prior + rows.counts[i, at.possible + a] * n_hidden : at.prior
            + rows.counts[i, at.possible + a] * n_hidden
            + n_hidden
        ]
        target = belief[at.by_both + a * n_hidden : at.by_both + a * n_hidden + n_hidden]
        for h in range(n_hidden):
            target[h] = prior[h]
    rows.counts[i, JOINT] = 1


@inlined
def keep_profile(i, a, kept, world, rows):
    """Move possible profile a to place `kept`."""
    at = world.at
    belief = rows.weights[i * at.tracked]
    if a == kept:
        return
    n_hidden = at.n_hidden
    rows.counts[i, at.possible + kept] = rows.counts[i, at.possible + a]
    belief[at.by_profile + kept] = belief[at.by_profile + a]
    if rows.counts[i, JOINT]:
        for h in range(n_hidden):
            belief[at.by_both + kept * n_hidden + h] = belief[at.by_both + a * n_hidden + h]


@jit
def believe_value(i, o, v, attempt, treated, world, rows):
    """Multiply the belief by the likelihood of one reported (or, below 0, withheld) observable that depends on more than
    the condition."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_hidden, width = at.n_hidden, at.n_values + 1
    on = ints[at.likelihood_on + o]
    if on == ON_HIDDEN:
        cell = at.likelihood + ints[at.likelihood_start + o] + attempt * ints[at.likelihood_attempt + o]
        cell += treated * ints[at.likelihood_treated + o] + (v if v >= 0 else ints[at.values_of + o]) * n_hidden
        likelihood, factor = reals[cell : cell + n_hidden], belief[at.by_hidden : at.by_profile]
        for h in range(n_hidden):
            factor[h] *= likelihood[h]
        return
    base = np.int64(ints[at.evidence_start + o]) + attempt * ints[at.attempt_stride + o]
    if treated:
        base += ints[at.treatment_stride + o]
    of_k = at.evidence_of_k + o * at.n_profiles
    of_h = at.evidence_of_h + o * n_hidden
    column = at.evidence + (v if v >= 0 else at.n_values)
    if on == ON_PROFILE:
        kept = 0
        for a in range(rows.counts[i, N_POSSIBLE]):
            p = reals[column + (base + ints[of_k + rows.counts[i, at.possible + a]]) * width]
            if p > 0.0:
                belief[at.by_profile + a] *= p
                keep_profile(i, a, kept, world, rows)
                kept += 1
        rows.counts[i, N_POSSIBLE] = kept
        return
    first = at.by_hidden
    if rows.counts[i, N_POSSIBLE] > 1:
        join_profiles(i, world, rows)
        first = at.by_both
    for a in range(rows.counts[i, N_POSSIBLE]):
        start = base + ints[of_k + rows.counts[i, at.possible + a]]
        for h in range(n_hidden):
            belief[first + a * n_hidden + h] *= reals[column + (start + ints[of_h + h]) * width]


@inlined
def status_chance(cell, column, world):
    """Chance of a result (0), a failure (1), a refusal (2), an order that stands (3), or of a result (4) or failure (5)
    once it stands."""
    reals = world.reals
    if column < 4:
        return reals[cell + column]
    stands = reals[cell + 3]
    return reals[cell + column - 4] / stands if stands > 0.0 else 0.0


@jit
def believe_status(i, item, column, attempt, world, rows):
    """Multiply the belief by the chance of what became of an order; columns as in `status_chance`."""
    at, ints = world.at, world.ints
    belief = rows.weights[i * at.tracked]
    on = ints[at.status_on + item]
    if on == ON_NOTHING:
        return
    n_hidden = at.n_hidden
    base = np.int64(ints[at.status_start + item]) + attempt * ints[at.status_stride + item]
    of_k, of_h = at.status_of_k + item * at.n_profiles, at.status_of_h + item * n_hidden
    alive = rows.counts[i, N_POSSIBLE]
    if on == ON_PROFILE:
        for a in range(alive):
            cell = at.status_chance + (base + ints[of_k + rows.counts[i, at.possible + a]]) * 4
            belief[at.by_profile + a] *= status_chance(cell, column, world)
        return
    first, same = at.by_hidden, 1  # of all possible profiles, the first speaks for the rest
    if on == ON_BOTH and alive > 1:
        join_profiles(i, world, rows)
        first, same = at.by_both, alive
    for a in range(min(same, alive)):
        start = base + ints[of_k + rows.counts[i, at.possible + a]]
        for h in range(n_hidden):
            cell = at.status_chance + (start + ints[of_h + h]) * 4
            belief[first + a * n_hidden + h] *= status_chance(cell, column, world)


@inlined
def believe_reports(i, item, attempt, world, rows):
    """Multiply the belief by the likelihood of everything that a result of the item reported or withheld."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_conditions = at.n_conditions
    for r in range(at.max_reveals):
        o = np.int64(ints[at.reveals + item * at.max_reveals + r])
        if o < 0:
            break
        v, treated = np.int64(rows.values[i, o]), np.int64(rows.marks[i, at.treated + o])
        if ints[at.likelihood_on + o] != ON_CONDITION:
            believe_value(i, o, v, attempt, treated, world, rows)
            continue
        cell = at.likelihood + ints[at.likelihood_start + o] + attempt * ints[at.likelihood_attempt + o]
        cell += treated * ints[at.likelihood_treated + o]
        cell += (v if v >= 0 else ints[at.values_of + o]) * n_conditions
        likelihood = reals[cell : cell + n_conditions]
        for c in range(n_conditions):
            belief[c] *= likelihood[c]


@jit
def replay_belief(i, world, rows):
    """The belief from scratch, from everything revealed."""
    at = world.at
    begin_belief(i, world, rows)
    for item in range(at.n_items):
        status, failures = rows.marks[i, STATUS + item], np.int64(rows.marks[i, at.failures + item])
        if status == RESULT:
            believe_reports(i, item, failures, world, rows)
            believe_status(i, item, np.int64(0), failures, world, rows)
        elif status == REFUSED:
            believe_status(i, item, np.int64(2), failures, world, rows)
        elif status == PENDING:
            believe_status(i, item, np.int64(3), failures, world, rows)
        for attempt in range(failures):
            believe_status(i, item, np.int64(1), attempt, world, rows)


@inlined
def rescale(i, world, rows):
    """Bring the largest entry of every factor to 1, clear of underflow."""
    at = world.at
    belief = rows.weights[i * at.tracked]
    end = at.by_both + rows.counts[i, N_POSSIBLE] * at.n_hidden * rows.counts[i, JOINT]
    for first, last in (
        (0, at.by_hidden),
        (at.by_hidden, at.by_profile),
        (at.by_profile, at.by_both),
        (at.by_both, end),
    ):
        largest = 0.0
        for j in range(first, last):
            largest = max(largest, belief[j])
        for j in range(first, last):
            belief[j] /= largest


@inlined
def weight_of(i, a, h, world, rows):
    """Unnormalised weight of possible profile a with hidden state h."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_hidden = at.n_hidden
    w = belief[ints[at.condition_of + h]] * belief[at.by_hidden + h] * belief[at.by_profile + a]
    if rows.counts[i, JOINT]:
        return w * belief[at.by_both + a * n_hidden + h]
    return w * reals[at.prior + rows.counts[i, at.possible + a] * n_hidden + h]

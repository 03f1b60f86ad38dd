"""The exact posterior, followed report by report: what was told about a patient, as factors of a product.

The belief of journey i is `rows.weights[i]`; where beliefs are made only for the score, all share the first row. It holds a
factor for each condition, each possible profile and (from `at.told` on) each hidden state. A report that depends on profile and
hidden state together while several profiles are possible is noted in `at.joined`: its likelihoods are multiplied anew where they
are wanted, for a row of them for each profile would be most of what a journey holds.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from workup.envs.engine.numba_options import inlined, jit
from workup.envs.engine.patient_tables import ON_BOTH, ON_CONDITION, ON_HIDDEN, ON_NOTHING, ON_PROFILE
from workup.envs.engine.state import JOINT, N_POSSIBLE, PROFILE, RESCALES, STATUS
from workup.envs.engine.vectors import LANES, all_of, load, one, store, times
from workup.envs.model.codes import PENDING, REFUSED, RESULT

PLACES_OF_ITEM = 16
"""Bits of a note in `at.joined`: its observable or (counted from the number of observables) item; then where its table begins.
A note below 0 says by what all was divided."""


@inlined
def begin_belief(i, world, rows):
    """All profiles that share the start are possible, and nothing has been said about anyone."""
    at = world.at
    belief = rows.weights[i * at.tracked]
    rows.counts[i, N_POSSIBLE] = at.per_start
    rows.counts[i, JOINT] = 0
    rows.counts[i, at.told] = 0
    first = rows.counts[i, PROFILE] // at.per_start * at.per_start
    for a in range(at.per_start):
        rows.counts[i, at.possible + a] = first + a
    ones = all_of(1.0)
    for j in range(0, at.divided, LANES):
        store(belief, j, ones)


@inlined
def speak_of_hidden(i, world, rows):
    """Have factors of hidden states from now on."""
    at = world.at
    belief = rows.weights[i * at.tracked]
    if not rows.counts[i, at.told]:
        rows.counts[i, at.told] = 1
        ones = all_of(1.0)
        for h in range(0, at.wide_hidden, LANES):
            store(belief, at.by_hidden + h, ones)


@inlined
def note_joined(i, note, world, rows):
    """Keep a report for `joint_weights`."""
    rows.counts[i, world.at.joined + rows.counts[i, JOINT]] = note
    rows.counts[i, JOINT] += 1


@jit
def joint_weights(i, world, rows):
    """Joint weights of the possible profiles and hidden states, by the prior and reports that depend on both: to `at.given`."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_hidden, n_observables, width = at.n_hidden, at.n_observables, at.n_values + 1
    for a in range(rows.counts[i, N_POSSIBLE]):
        k, target = rows.counts[i, at.possible + a], at.given + a * at.wide_hidden
        for h in range(n_hidden):
            rows.scratch[target + h] = reals[at.prior + k * n_hidden + h]
        for r in range(rows.counts[i, JOINT]):
            note = rows.counts[i, at.joined + r]
            if note < 0:
                for h in range(n_hidden):
                    rows.scratch[target + h] /= belief[at.divided - note - 1]
                continue
            o, first = note & ((1 << PLACES_OF_ITEM) - 1), note >> PLACES_OF_ITEM
            if o < n_observables:
                first += at.evidence + ints[at.evidence_of_k + o * at.n_profiles + k] * width
                of_h = at.evidence_of_h + o * n_hidden
                for h in range(n_hidden):
                    rows.scratch[target + h] *= reals[first + ints[of_h + h] * width]
                continue
            item, column, start = o - n_observables, first & 7, first >> 3
            start += ints[at.status_of_k + item * at.n_profiles + k]
            of_h = at.status_of_h + item * n_hidden
            for h in range(n_hidden):
                cell = at.status_chance + (start + ints[of_h + h]) * 4
                rows.scratch[target + h] *= status_chance(cell, column, world)


@inlined
def keep_profiles(i, o, v, attempt, treated, world, rows):
    """Multiply possible profiles by the likelihood of what was reported of an observable that depends on nothing else, and
    keep those that it leaves possible."""
    at, ints, reals = world.at, world.ints, world.reals
    belief, possible = rows.weights[i * at.tracked][at.by_profile :], rows.counts[i][at.possible :]
    base = ints[at.evidence_start + o] + attempt * ints[at.attempt_stride + o] + treated * ints[at.treatment_stride + o]
    width, kept = at.n_values + 1, np.int64(0)
    column, of_k = at.evidence + (v if v >= 0 else at.n_values) + base * width, at.evidence_of_k + o * at.n_profiles
    for a in range(rows.counts[i, N_POSSIBLE]):
        k = one(possible, a)
        p = one(reals, column + one(ints, of_k + k) * width)
        if p > 0.0:
            belief[a] *= p
        belief[np.uint64(kept)] = belief[a] if p > 0.0 else one(belief, kept)
        possible[np.uint64(kept)] = k if p > 0.0 else one(possible, kept)
        kept += p > 0.0
    rows.counts[i, N_POSSIBLE] = kept


@jit
def believe_value(i, o, v, attempt, treated, world, rows):
    """Multiply the belief by the likelihood of one reported (or, below 0, withheld) observable that depends on more than
    the condition, and not on the profile alone."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_hidden, width = at.n_hidden, at.n_values + 1
    on = ints[at.likelihood_on + o]
    if on == ON_HIDDEN:
        cell = at.likelihood + ints[at.likelihood_start + o] + attempt * ints[at.likelihood_attempt + o]
        cell += treated * ints[at.likelihood_treated + o]
        cell += (v if v >= 0 else ints[at.values_of + o]) * at.wide_hidden
        speak_of_hidden(i, world, rows)
        for h in range(0, at.wide_hidden, LANES):
            store(belief, at.by_hidden + h, times(load(belief, at.by_hidden + h), load(reals, cell + h)))
        return
    base = np.int64(ints[at.evidence_start + o]) + attempt * ints[at.attempt_stride + o]
    base += treated * ints[at.treatment_stride + o]
    column = v if v >= 0 else at.n_values
    if rows.counts[i, N_POSSIBLE] > 1:
        note_joined(i, o + ((base * width + column) << PLACES_OF_ITEM), world, rows)
        return
    speak_of_hidden(i, world, rows)
    of_k = at.evidence_of_k + o * at.n_profiles
    first = at.evidence + column + (base + ints[of_k + rows.counts[i, at.possible]]) * width
    of_h = at.evidence_of_h + o * n_hidden
    for h in range(n_hidden):
        belief[at.by_hidden + h] *= reals[first + ints[of_h + h] * width]


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
def believe_telling_status(i, item, column, attempt, world, rows):
    """`believe_status` of an item whose status says something."""
    at, ints = world.at, world.ints
    belief = rows.weights[i * at.tracked]
    on, n_hidden = ints[at.status_on + item], at.n_hidden
    base = np.int64(ints[at.status_start + item]) + attempt * ints[at.status_stride + item]
    of_k, of_h = at.status_of_k + item * at.n_profiles, at.status_of_h + item * n_hidden
    if on == ON_PROFILE:
        for a in range(rows.counts[i, N_POSSIBLE]):
            cell = at.status_chance + (base + ints[of_k + rows.counts[i, at.possible + a]]) * 4
            belief[at.by_profile + a] *= status_chance(cell, column, world)
        return
    if on == ON_BOTH and rows.counts[i, N_POSSIBLE] > 1:
        note_joined(i, at.n_observables + item + ((base * 8 + column) << PLACES_OF_ITEM), world, rows)
        return
    if rows.counts[i, N_POSSIBLE] == 0:
        return
    speak_of_hidden(i, world, rows)
    start = base + ints[of_k + rows.counts[i, at.possible]]  # of all possible profiles, the first speaks for the rest
    for h in range(n_hidden):
        cell = at.status_chance + (start + ints[of_h + h]) * 4
        belief[at.by_hidden + h] *= status_chance(cell, column, world)


@inlined
def believe_status(i, item, column, attempt, world, rows):
    """Multiply the belief by the chance of what became of an order; columns as in `status_chance`."""
    if world.ints[world.at.status_on + item] != ON_NOTHING:
        believe_telling_status(i, item, column, attempt, world, rows)


@inlined
def believe_reports(i, item, attempt, world, rows):
    """Multiply the belief by the likelihood of everything that a result of the item reported or withheld."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_cells, wide = 0, at.wide_conditions
    for r in range(at.max_reveals):
        o = np.int64(ints[at.reveals + item * at.max_reveals + r])
        if o < 0:
            break
        v, treated = np.int64(rows.values[i, o]), np.int64(rows.marks[i, at.treated + o])
        on = ints[at.likelihood_on + o]
        if on == ON_PROFILE:
            keep_profiles(i, o, v, attempt, treated, world, rows)
            continue
        if on != ON_CONDITION:
            believe_value(i, o, v, attempt, treated, world, rows)
            continue
        cell = at.likelihood + ints[at.likelihood_start + o] + attempt * ints[at.likelihood_attempt + o]
        cell += treated * ints[at.likelihood_treated + o]
        rows.notes[n_cells] = cell + (v if v >= 0 else ints[at.values_of + o]) * wide
        n_cells += 1
    for c in range(0, wide, LANES):
        factor = load(belief, c)
        for q in range(n_cells):
            factor = times(factor, load(reals, one(rows.notes, q) + c))
        store(belief, c, factor)


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


@jit
def rescale(i, world, rows):
    """Bring the largest entry of every factor to 1, clear of underflow."""
    at = world.at
    belief = rows.weights[i * at.tracked]
    end = at.by_hidden + at.n_hidden * rows.counts[i, at.told]
    for first, last in (
        (0, at.n_conditions),
        (at.by_profile, at.by_profile + at.per_start),
        (at.by_hidden, end),
    ):
        largest = 0.0
        for j in range(first, last):
            largest = max(largest, belief[j])
        for j in range(first, last):
            belief[j] /= largest
    largest, before = 0.0, 0
    for a in range(rows.counts[i, N_POSSIBLE]):
        for h in range(at.n_hidden):
            largest = max(largest, rows.scratch[at.given + a * at.wide_hidden + h])
    for r in range(rows.counts[i, JOINT]):
        before += rows.counts[i, at.joined + r] < 0
    if rows.counts[i, JOINT] and before < RESCALES:
        belief[at.divided + before] = largest
        note_joined(i, -1 - before, world, rows)
        joint_weights(i, world, rows)

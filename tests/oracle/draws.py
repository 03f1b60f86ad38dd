"""All that is drawn of a patient: what is true, what happens to an order, and what only a record asks for.

Every draw is a hash of patient and stream (`workup.envs.model.randomness`), so nothing depends on the order of calls.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from oracle.state import HIDDEN, KEY, PATIENT, PROFILE
from workup.envs.engine.numba_options import inlined
from workup.envs.engine.source import SOURCE_RECORD
from workup.envs.model.codes import MISSING, UNKNOWN
from workup.envs.model.machine_code import njit
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.randomness import ATTEMPTS, COMPLICATION, CORE, EVENT, NUMBER, VALUE, uniform
from workup.envs.model.world import World


@inlined
def draw_from(key, stream, table, row, size, world):
    """Value drawn from a row of cumulative probabilities."""
    at, reals = world.at, world.reals
    u = uniform(key, stream)
    cell = table + row * at.n_values
    v = 0
    for threshold in range(cell, cell + size - 1):
        v += u >= reals[threshold]  # no early exit: a wrong guess of the branch costs more than the comparison
    return v


@inlined
def true_value(i, o, world, rows):
    """Rule 7: what is true of patient i, under the treatment at the time of ordering."""
    at, ints, reals = world.at, world.ints, world.reals
    if world.cases.shape[0] > 0:
        fixed = world.cases[rows.counts[i, PATIENT] % world.cases.shape[0], 2 + o]
        if fixed >= 0:
            return np.int64(fixed)
    cell = at.value_cumulative + ints[at.value_start + o]
    cell += ints[at.value_of_k + rows.counts[i, PROFILE] * at.n_observables + o]
    cell += ints[at.value_of_h + rows.counts[i, HIDDEN] * at.n_observables + o]
    if rows.marks[i, at.treated + o]:
        cell += ints[at.treatment_cells + o]
    u = uniform(rows.counts[i, KEY], VALUE + o)
    v = 0
    for threshold in range(cell, cell + ints[at.values_of + o] - 1):
        v += u >= reals[threshold]
    return v


@inlined
def happens(i, e, attempt, world, rows):
    """Whether chance event e (refusal, failure, withheld, corrupted) happens at this attempt."""
    at, ints, reals = world.at, world.ints, world.reals
    row = np.int64(ints[at.event_start + e])
    row += ints[at.event_of_k + e * at.n_profiles + rows.counts[i, PROFILE]]
    row += ints[at.event_of_h + e * at.n_hidden + rows.counts[i, HIDDEN]]
    pivot = ints[at.event_pivot + e]
    if pivot >= 0:
        value = true_value(i, pivot, world, rows)
        row += value * ints[at.event_pivot_stride + e]
    return uniform(rows.counts[i, KEY], EVENT + e * ATTEMPTS + attempt) < reals[at.event_chance + row]


@inlined
def said_by_case(i, item, world, rows):
    """What a case says of the item: 0 or more, a finding (it is not refused and does not fail); MISSING, that there is no
    result to be had; UNKNOWN, nothing."""
    at, ints = world.at, world.ints
    said = np.int64(UNKNOWN)
    if world.cases.shape[0] == 0:
        return said
    for r in range(at.max_reveals):
        o = ints[at.reveals + item * at.max_reveals + r]
        if o >= 0:
            fixed = np.int64(world.cases[rows.counts[i, PATIENT] % world.cases.shape[0], 2 + o])
            if fixed >= 0:
                return fixed
            if fixed == MISSING:
                said = fixed
    return said


@inlined
def failing_event(i, item, world, rows):
    """Rule 6: the first event that makes this attempt fail, or -1."""
    at, ints = world.at, world.ints
    if ints[at.failure_events + item * at.max_failures] < 0:
        return -1
    said = said_by_case(i, item, world, rows)
    if said != UNKNOWN:
        return np.int64(ints[at.failure_events + item * at.max_failures]) if said == MISSING else np.int64(-1)
    attempt = np.int64(rows.marks[i, at.failures + item])
    for m in range(at.max_failures):
        e = ints[at.failure_events + item * at.max_failures + m]
        if e < 0:
            break
        if happens(i, e, attempt, world, rows):
            return np.int64(e)
    return -1


@inlined
def draw_patient(i, world, rows):
    """Rule 1: profile and hidden state by ancestral sampling, or those of the case."""
    at, ints, reals = world.at, world.ints, world.reals
    patient = rows.counts[i, PATIENT]
    if world.cases.shape[0] > 0:
        case = patient % world.cases.shape[0]
        rows.counts[i, PROFILE], rows.counts[i, HIDDEN] = world.cases[case, 0], world.cases[case, 1]
        return
    key, k, h = rows.counts[i, KEY], 0, 0
    for c in range(at.n_core):  # apart from what follows, so that several are hashed at once
        rows.scratch[c] = uniform(key, CORE + c)
    for c in range(at.n_core):
        row = np.int64(ints[at.core_row + c])
        for p in range(ints[at.parents_at + c], ints[at.parents_at + c + 1]):
            row += rows.core[ints[at.parent + p]] * ints[at.parent_stride + p]
        cell = at.core_cumulative + row * at.n_values
        u, size = rows.scratch[c], ints[at.core_size + c]
        v = np.int64(u >= reals[cell])
        for threshold in range(cell + 1, cell + size - 1):
            v += u >= reals[np.uint64(threshold)]
        rows.core[c] = v
        k += v * ints[at.core_k + c]
        h += v * ints[at.core_h + c]
    rows.counts[i, PROFILE], rows.counts[i, HIDDEN] = k, h


# Draws that no reward depends on, made when a record asks for them.


def numbers_of(model: PatientModel, values: NDArray[np.int16], keys: NDArray[np.int64]) -> NDArray[np.float32]:
    """The number of each revealed numeric finding.

    Args:
        model: the patient model.
        values: (n, O) revealed values.
        keys: (n,) keys of the patients.

    Returns:
        (n, O) float32, NaN where nothing numeric is revealed.
    """
    numbers = np.full(values.shape, np.nan, np.float32)
    numeric = np.flatnonzero(~np.isnan(model.numeric_range[:, :, 0]).all(axis=1))
    _fill_numbers(
        SOURCE_RECORD, numeric, model.numeric_range, model.log_uniform, values, np.ascontiguousarray(keys), numbers
    )
    return numbers


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_numbers(SOURCE_RECORD, numeric, ranges, log_uniform, values, keys, numbers):
    for i in range(values.shape[0]):
        for o in numeric:
            v = values[i, o]
            if v >= 0:
                low, high = ranges[o, v, 0], ranges[o, v, 1]
                u = uniform(keys[i], NUMBER + o)
                if log_uniform[o] and low > 0.0:
                    numbers[i, o] = low * math.exp(u * math.log(high / low))
                else:
                    numbers[i, o] = low + u * (high - low)


def complications_of(
    world: World,
    keys: NDArray[np.int64],
    profile: NDArray[np.int64],
    hidden: NDArray[np.int64],
    charged: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Which complications and incidental findings happened.

    Args:
        world: the world.
        keys: (n,) keys of the patients.
        profile: (n,) index of the profile.
        hidden: (n,) index of the hidden state.
        charged: (n, I) how often each item was carried out.

    Returns:
        (n, Z) bool, in the order of `world.complication_names`.
    """
    happened = np.zeros((len(keys), len(world.complication_names)), np.bool_)
    _fill_complications(
        SOURCE_RECORD, world.complication_item, world.complication_chance, keys, profile, hidden, charged, happened
    )
    return happened


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_complications(source, item, chance, keys, profile, hidden, charged, happened):
    for i in range(happened.shape[0]):
        for z in range(happened.shape[1]):
            for attempt in range(charged[i, item[z]]):
                if uniform(keys[i], COMPLICATION + z * ATTEMPTS + attempt) < chance[z, profile[i], hidden[i]]:
                    happened[i, z] = True

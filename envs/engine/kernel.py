"""The fused kernel: one pass takes every journey of a batch through one step.

The world comes packed (`workup.envs.engine.tables`: at, ints, reals); a journey is one row of each state array:
`whole` int64, `real` float64, `byte` uint8, `values` int16, `facts` float32 (the observation, written by change),
`mask` bool and, where the posterior is followed, `weights` float64 (profiles still possible, hidden states).
Columns are numbered below. Rules are those of docs/DESIGN.md, "Rules of the engine".
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numba as nb
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from workup.envs.engine.observation import BINARY, LEVEL, REGRET_SCALE_GBP
from workup.envs.engine.tables import (
    ACTION_KIND,
    ACTION_OF_ITEM,
    ATTEMPT_STRIDE,
    ATTEMPTS,
    AUTORESET,
    BENEFIT,
    BUDGET,
    BUDGETED,
    BY_POSTERIOR,
    CAREFUL,
    CAREFUL_AT,
    CONDITION_OF,
    CONDITION_SLOT,
    CONTRA_AT,
    CONTRA_BAD,
    CONTRA_LOSS,
    CONTRA_OBSERVABLE,
    CORE_CUMULATIVE,
    CORE_H,
    CORE_K,
    CORE_ROW,
    CORE_SIZE,
    CORRUPTED,
    COST,
    DELAYED,
    DOSE,
    DRAWN,
    DRAWN_AT,
    DRAWN_OF_H,
    DRAWN_OF_K,
    DRAWN_SLOT,
    DRAWN_STREAM,
    DRAWN_TWO,
    EVENT_CHANCE,
    EVENT_CHARGED,
    EVENT_OF_H,
    EVENT_OF_K,
    EVENT_PIVOT,
    EVENT_PIVOT_STRIDE,
    EVENT_START,
    EVIDENCE,
    EVIDENCE_OF_H,
    EVIDENCE_OF_K,
    EVIDENCE_START,
    EXPECTED_AT,
    FACT_BIT,
    FACT_KIND,
    FACT_SLOT,
    FACT_WORD,
    FAILURES,
    FIRST_DECISION,
    FORBIDDING,
    HARM,
    LATE,
    LATE_COST,
    LATE_HARM,
    LIKELIHOOD,
    LIKELIHOOD_ATTEMPT,
    LIKELIHOOD_ON,
    LIKELIHOOD_START,
    LIKELIHOOD_TREATED,
    MARGINAL_OF,
    MARGINAL_SLOT,
    MAX_FAILURES,
    MAX_REVEALS,
    MAX_STEPS,
    MEMBERS,
    MEMBERS_AT,
    N_ACTIONS,
    N_CONDITIONS,
    N_CONTRAINDICATIONS,
    N_CORE,
    N_DECISIONS,
    N_DRAWN,
    N_HIDDEN,
    N_INVESTIGATIONS,
    N_ITEMS,
    N_LATE,
    N_MARGINALS,
    N_OBSERVABLES,
    N_OTHERS,
    N_PROFILES,
    N_SET_UPS,
    N_UTILITY_H,
    N_UTILITY_K,
    N_VALUES,
    N_WORDS,
    NEEDS,
    NEEDS_AT,
    NEW_VISIT,
    ON_BOTH,
    ON_CONDITION,
    ON_HIDDEN,
    ON_NOTHING,
    ON_PROFILE,
    OPENS,
    PARENT,
    PARENT_STRIDE,
    PARENTS_AT,
    PER_START,
    PRIOR,
    PROGRESSED,
    PROGRESSES_TO,
    PROGRESSION_FACTOR,
    PROGRESSION_RATE,
    REFUSAL,
    REGRET_SLOT,
    REPORTED_CUMULATIVE,
    REPORTED_START,
    REVEALS,
    RULED,
    RULED_AT,
    RULED_BIT,
    RULES,
    SCALE,
    SET_UP,
    SET_UP_COST,
    SET_UP_HARM,
    SET_UP_REPEATS,
    SETS,
    SETS_AT,
    SETS_EARLY,
    SHOW_BELIEF,
    START_BEST,
    START_EXPECTED,
    START_POSTERIOR,
    STATUS_BIT,
    STATUS_CHANCE,
    STATUS_LEVEL,
    STATUS_OF_H,
    STATUS_OF_K,
    STATUS_ON,
    STATUS_SLOT,
    STATUS_START,
    STATUS_STRIDE,
    STATUS_WORD,
    STRIDE,
    TOTALS_SLOT,
    TRACKED,
    TREATABLE,
    TREATED_SLOT,
    TREATMENT,
    TREATMENT_CELLS,
    TREATMENT_STRIDE,
    TURNAROUND,
    UTILITY,
    UTILITY_OF_H,
    UTILITY_OF_K,
    UTILITY_RANGE,
    VALUE_CUMULATIVE,
    VALUE_OF_H,
    VALUE_OF_K,
    VALUE_START,
    VALUES_OF,
    WAIT_ACTION,
    WAITING_COST,
    WAITING_FACTOR,
    WATCHED,
    WATCHED_AT,
    WATCHED_EARLY,
    WEIGHTS,
    WITHHELD,
    WORDS_AT,
)
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT, UNKNOWN
from workup.envs.model.randomness import (
    ATTEMPTS as STREAMS,
)
from workup.envs.model.randomness import CORE, CORRUPTION, EVENT, VALUE, patient_key, uniform

# Columns of `whole`. E_* hold the journey that ended last, for its report after an automatic reset.
(
    W_PATIENT, W_KEY, W_K, W_H, W_STEP, W_VISIT, W_TESTS, W_PHASE, W_DONE, W_PENDING, W_ALIVE, W_JOINT, W_ACTED,
    E_PATIENT, E_KEY, E_K, E_H, E_STEP, E_TESTS, E_DECISION, W_IMPOSSIBLE, W_LISTED,
) = range(22)  # fmt: skip
# Columns of `real`. After R_LISTS: posterior, waiting, progression, both factors (conditions each), due and
# ordered-at (items each), last charge of each set-up.
(
    R_CLOCK, R_LAST_ORDER, R_COST, R_DOSE, R_SINCE, R_STEP_COST, R_STEP_HARM, R_BEST,
    E_CLOCK, E_COST, E_DOSE, E_TRUTH, E_EXPECTED,
) = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15)  # fmt: skip
R_LISTS = 19
# Autoreset modes.
FROZEN, NEXT_STEP, SAME_STEP = range(3)
HISTORY, BOTH = 1, 3
# Bytes that memory hands over at a time, and how many journeys ahead they are asked for.
LINE, AHEAD = 64, 3
# What `step_batch` tells of a batch, as bits.
ENDED, IMPOSSIBLE = 1, 2

# Without numba's reference counting (`_nrt=False`: nothing here allocates): its atomic updates for every array at
# every call took most of the time.
entry = nb.njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
# No reference counts (`_nrt`): nothing here allocates, and counting every array at every call took most of a step.
# Wrappers that let Python call a function cost more to compile than the function; parts are only called from here.
jit = nb.njit(nogil=True, _nrt=False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
# Loops over a slice become vector instructions; those over computed places do not (they may count from the end).
# A call hands over some ninety words (nine for each array), so what is called for every finding is inlined.
inlined = nb.njit(
    nogil=True, _nrt=False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
)


@intrinsic
def _prefetch(typing_context, array, row, column):
    """Ask for the part of memory where array[row, column] lies, without waiting for it."""

    def build(context, builder, signature, arguments):
        table, i, j = arguments
        held = context.make_array(signature.args[0])(context, builder, table)
        strides = cgutils.unpack_tuple(builder, held.strides, 2)
        offset = builder.add(builder.mul(i, strides[0]), builder.mul(j, strides[1]))
        place = cgutils.pointer_add(builder, held.data, offset, return_type=cgutils.voidptr_t)
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [place, i32(1), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), build


@inlined
def _ask_for_row(i, at, whole, real, byte, values, facts, mask, weights, out_facts):
    """Have the state of journey i at hand by the time it is its turn: rows of thousands of journeys fill no near cache, and
    a step that waits for each part of its row in turn takes half as long again."""
    for column in range(0, whole.shape[1], LINE // 8):
        _prefetch(whole, i, column)
    for column in range(0, real.shape[1], LINE // 8):
        _prefetch(real, i, column)
    for column in range(0, byte.shape[1], LINE):
        _prefetch(byte, i, column)
    for column in range(0, values.shape[1], LINE // 2):
        _prefetch(values, i, column)
    for column in range(0, facts.shape[1], LINE // 4):
        _prefetch(facts, i, column)
        _prefetch(out_facts, i, column)
    _prefetch(mask, i, 0)
    if at[TRACKED]:
        for column in range(0, at[N_CONDITIONS] + at[N_HIDDEN] + at[PER_START], LINE // 8):
            _prefetch(weights, i, column)


@inlined
def _draw(at, reals, key, stream, table, row, size):
    """Value drawn from a row of cumulative probabilities."""
    u = uniform(key, stream)
    cell = table + row * at[N_VALUES]
    v = 0
    for threshold in range(cell, cell + size - 1):
        v += u >= reals[threshold]  # no early exit: a wrong guess of the branch costs more than the comparison
    return v


@inlined
def true_value(i, o, at, ints, reals, cases, whole, byte):
    """What is true of patient i, under the treatment at the time of ordering."""
    if cases.shape[0] > 0:
        fixed = cases[whole[i, W_PATIENT] % cases.shape[0], 2 + o]
        if fixed >= 0:
            return np.int64(fixed)
    cell = at[VALUE_CUMULATIVE] + ints[at[VALUE_START] + o]
    cell += ints[at[VALUE_OF_K] + whole[i, W_K] * at[N_OBSERVABLES] + o]
    cell += ints[at[VALUE_OF_H] + whole[i, W_H] * at[N_OBSERVABLES] + o]
    if byte[i, 3 * at[N_ITEMS] + o]:
        cell += ints[at[TREATMENT_CELLS] + o]
    u = uniform(whole[i, W_KEY], VALUE + o)
    v = 0
    for threshold in range(cell, cell + ints[at[VALUES_OF] + o] - 1):
        v += u >= reals[threshold]
    return v


@inlined
def _happens(i, e, attempt, at, ints, reals, cases, whole, byte):
    row = np.int64(ints[at[EVENT_START] + e])
    row += ints[at[EVENT_OF_K] + e * at[N_PROFILES] + whole[i, W_K]]
    row += ints[at[EVENT_OF_H] + e * at[N_HIDDEN] + whole[i, W_H]]
    pivot = ints[at[EVENT_PIVOT] + e]
    if pivot >= 0:
        value = true_value(i, pivot, at, ints, reals, cases, whole, byte)
        row += value * ints[at[EVENT_PIVOT_STRIDE] + e]
    return uniform(whole[i, W_KEY], EVENT + e * STREAMS + attempt) < reals[at[EVENT_CHANCE] + row]


@inlined
def _fixed(i, item, at, ints, cases, whole):
    """What a case says of the item: 0 or more, a finding (it is not refused and does not fail); MISSING, that there is no
    result to be had; UNKNOWN, nothing."""
    said = np.int64(UNKNOWN)
    if cases.shape[0] == 0:
        return said
    for r in range(at[MAX_REVEALS]):
        o = ints[at[REVEALS] + item * at[MAX_REVEALS] + r]
        if o >= 0:
            fixed = np.int64(cases[whole[i, W_PATIENT] % cases.shape[0], 2 + o])
            if fixed >= 0:
                return fixed
            if fixed == MISSING:
                said = fixed
    return said


@inlined
def _failing_event(i, item, at, ints, reals, cases, whole, byte):
    """The first event that makes this attempt fail, or -1."""
    if ints[at[FAILURES] + item * at[MAX_FAILURES]] < 0:
        return -1
    said = _fixed(i, item, at, ints, cases, whole)
    if said != UNKNOWN:
        return np.int64(ints[at[FAILURES] + item * at[MAX_FAILURES]]) if said == MISSING else np.int64(-1)
    attempt = np.int64(byte[i, at[N_ITEMS] + item])
    for m in range(at[MAX_FAILURES]):
        e = ints[at[FAILURES] + item * at[MAX_FAILURES] + m]
        if e < 0:
            break
        if _happens(i, e, attempt, at, ints, reals, cases, whole, byte):
            return np.int64(e)
    return -1


# ---------------------------------------------------------------- legality


@inlined
def _orderable(i, item, at, ints, whole, byte):
    """Rule 2 for one item, budgets apart."""
    status = byte[i, item]
    if status != NOT_ORDERED and (status != FAILED or byte[i, at[N_ITEMS] + item] >= ints[at[ATTEMPTS] + item]):
        return False
    if ints[at[OPENS] + item] == 0 and whole[i, W_PHASE] != BOTH:
        return False
    if ints[at[RULES] + item] == 0:
        return True
    words, n_words = at[WORDS_AT], at[N_WORDS]
    forbidding = at[FORBIDDING] + item * n_words
    blocked = np.int64(0)  # no early exit: a wrong guess of the branch costs more than the rest of the look
    for j in range(n_words):
        blocked |= whole[i, words + j] & ints[forbidding + j]
    allowed = blocked == 0
    for need in range(ints[at[NEEDS_AT] + item], ints[at[NEEDS_AT] + item + 1]):
        met = np.int64(0)
        for j in range(n_words):
            met |= whole[i, words + j] & ints[at[NEEDS] + need * n_words + j]
        allowed &= met != 0
    return allowed


@jit
def _affordable(i, action, at, ints, reals, whole, real, byte):
    """Whether no hard budget would be exceeded by the orders of an action."""
    cost, dose, tests = real[i, R_COST], real[i, R_DOSE], whole[i, W_TESTS]
    only_new = ints[at[ACTION_KIND] + action] == 1
    set_up_at = R_LISTS + 5 * at[N_CONDITIONS] + 2 * at[N_ITEMS]
    first, last = ints[at[MEMBERS_AT] + action], ints[at[MEMBERS_AT] + action + 1]
    for m in range(first, last):
        item = ints[at[MEMBERS] + m]
        if only_new and byte[i, item] != NOT_ORDERED:
            continue
        cost += reals[at[COST] + item]
        dose += reals[at[DOSE] + item]
        tests += item < at[N_INVESTIGATIONS] and ints[at[OPENS] + item] == 0
        s = ints[at[SET_UP] + item]
        if s >= 0 and real[i, set_up_at + s] != real[i, R_CLOCK] * reals[at[SET_UP_REPEATS] + s]:
            shared = False
            for other in range(first, m):
                j = ints[at[MEMBERS] + other]
                shared = shared or (ints[at[SET_UP] + j] == s and not (only_new and byte[i, j] != NOT_ORDERED))
            if not shared:
                cost += reals[at[SET_UP_COST] + s]
    slack = 1e-9
    return (
        cost <= reals[at[BUDGET]] + slack
        and dose <= reals[at[BUDGET] + 1] + slack
        and tests <= reals[at[BUDGET] + 2] + slack
    )


@inlined
def _refresh_item(i, item, at, ints, reals, whole, real, byte, values, mask):
    action = ints[at[ACTION_OF_ITEM] + item]
    if action < 0:
        return
    legal = _orderable(i, item, at, ints, whole, byte)
    if legal and at[BUDGETED]:
        legal = _affordable(i, action, at, ints, reals, whole, real, byte)
    mask[i, action] = legal


@inlined
def _refresh_set(i, action, at, ints, reals, whole, real, byte, values, mask):
    new, legal = 0, True
    for m in range(ints[at[MEMBERS_AT] + action], ints[at[MEMBERS_AT] + action + 1]):
        item = ints[at[MEMBERS] + m]
        if byte[i, item] == NOT_ORDERED:
            new += 1
            own = ints[at[ACTION_OF_ITEM] + item]
            if own >= 0:
                legal &= mask[i, own]
            else:
                legal &= _orderable(i, item, at, ints, whole, byte)
    legal = legal and new >= 2
    if legal and at[BUDGETED]:
        legal = _affordable(i, action, at, ints, reals, whole, real, byte)
    mask[i, action] = legal


@jit
def refresh_mask(i, at, ints, reals, whole, real, byte, values, mask):
    """Recompute everything that is legal for journey i."""
    for item in range(at[N_ITEMS]):
        _refresh_item(i, item, at, ints, reals, whole, real, byte, values, mask)
    for action in range(at[WAIT_ACTION]):
        if ints[at[ACTION_KIND] + action] == 1:
            _refresh_set(i, action, at, ints, reals, whole, real, byte, values, mask)
    _refresh_ways_out(i, at, whole, mask)


@inlined
def _refresh_after(i, item, at, ints, reals, whole, real, byte, values, mask):
    """Recompute what an order or a result of `item` may have changed."""
    if whole[i, W_PHASE] == BOTH:
        last, last_set = ints[at[WATCHED_AT] + item + 1], ints[at[SETS_AT] + item + 1]
    else:
        last, last_set = ints[at[WATCHED_EARLY] + item], ints[at[SETS_EARLY] + item]
    for w in range(ints[at[WATCHED_AT] + item], last):
        _refresh_item(i, ints[at[WATCHED] + w], at, ints, reals, whole, real, byte, values, mask)
    for s in range(ints[at[SETS_AT] + item], last_set):
        _refresh_set(i, ints[at[SETS] + s], at, ints, reals, whole, real, byte, values, mask)


@inlined
def _refresh_ways_out(i, at, whole, mask):
    mask[i, at[WAIT_ACTION]] = whole[i, W_PENDING] > 0
    decide = (whole[i, W_PHASE] & HISTORY) != 0
    if not decide:  # a journey in which nothing else is left must still be able to end
        stuck = True
        for a in range(at[FIRST_DECISION]):
            stuck = stuck and not mask[i, a]
        decide = stuck
    mask[i][at[FIRST_DECISION] : at[N_ACTIONS]] = decide


# ---------------------------------------------------------------- belief


@inlined
def _begin_belief(i, row, at, whole, weights):
    """All profiles that share the start are possible, and nothing has been said about anyone.

    A belief is a product, so that a report touches as little as it can: weights[row] holds a factor for each condition,
    each hidden state and each possible profile, and (once a report depends on both while several profiles are possible)
    the joint weights, which until then are the prior's.
    """
    whole[i, W_ALIVE] = at[PER_START]
    whole[i, W_JOINT] = 0
    first = whole[i, W_K] // at[PER_START] * at[PER_START]
    for a in range(at[PER_START]):
        whole[i, W_LISTED + a] = first + a
    for j in range(at[N_CONDITIONS] + at[N_HIDDEN] + at[PER_START]):
        weights[row, j] = 1.0


@jit
def _join(i, row, at, reals, whole, weights):
    """Keep joint weights of profile and hidden state from now on."""
    if whole[i, W_JOINT]:
        return
    n_hidden = at[N_HIDDEN]
    joint = at[N_CONDITIONS] + n_hidden + at[PER_START]
    for a in range(whole[i, W_ALIVE]):
        prior = reals[
            at[PRIOR] + whole[i, W_LISTED + a] * n_hidden : at[PRIOR] + whole[i, W_LISTED + a] * n_hidden + n_hidden
        ]
        target = weights[row][joint + a * n_hidden : joint + a * n_hidden + n_hidden]
        for h in range(n_hidden):
            target[h] = prior[h]
    whole[i, W_JOINT] = 1


@inlined
def _keep_profile(i, row, a, kept, at, whole, weights):
    """Move possible profile a to place `kept`."""
    if a == kept:
        return
    n_hidden = at[N_HIDDEN]
    profiles = at[N_CONDITIONS] + n_hidden
    joint = profiles + at[PER_START]
    whole[i, W_LISTED + kept] = whole[i, W_LISTED + a]
    weights[row, profiles + kept] = weights[row, profiles + a]
    if whole[i, W_JOINT]:
        for h in range(n_hidden):
            weights[row, joint + kept * n_hidden + h] = weights[row, joint + a * n_hidden + h]


@jit
def _believe_value(i, row, o, v, attempt, treated, at, ints, reals, whole, weights):
    """Multiply the belief by the likelihood of one reported (or, below 0, withheld) observable that depends on more than
    the condition."""
    n_hidden, n_conditions, width = at[N_HIDDEN], at[N_CONDITIONS], at[N_VALUES] + 1
    on = ints[at[LIKELIHOOD_ON] + o]
    if on == ON_HIDDEN:
        cell = at[LIKELIHOOD] + ints[at[LIKELIHOOD_START] + o] + attempt * ints[at[LIKELIHOOD_ATTEMPT] + o]
        cell += treated * ints[at[LIKELIHOOD_TREATED] + o] + (v if v >= 0 else ints[at[VALUES_OF] + o]) * n_hidden
        likelihood, factor = reals[cell : cell + n_hidden], weights[row][n_conditions : n_conditions + n_hidden]
        for h in range(n_hidden):
            factor[h] *= likelihood[h]
        return
    base = np.int64(ints[at[EVIDENCE_START] + o]) + attempt * ints[at[ATTEMPT_STRIDE] + o]
    if treated:
        base += ints[at[TREATMENT_STRIDE] + o]
    of_k = at[EVIDENCE_OF_K] + o * at[N_PROFILES]
    of_h = at[EVIDENCE_OF_H] + o * n_hidden
    column = at[EVIDENCE] + (v if v >= 0 else at[N_VALUES])
    profiles = n_conditions + n_hidden
    if on == ON_PROFILE:
        kept = 0
        for a in range(whole[i, W_ALIVE]):
            p = reals[column + (base + ints[of_k + whole[i, W_LISTED + a]]) * width]
            if p > 0.0:
                weights[row, profiles + a] *= p
                _keep_profile(i, row, a, kept, at, whole, weights)
                kept += 1
        whole[i, W_ALIVE] = kept
        return
    first = n_conditions
    if whole[i, W_ALIVE] > 1:
        _join(i, row, at, reals, whole, weights)
        first = profiles + at[PER_START]
    for a in range(whole[i, W_ALIVE]):
        start = base + ints[of_k + whole[i, W_LISTED + a]]
        for h in range(n_hidden):
            weights[row, first + a * n_hidden + h] *= reals[column + (start + ints[of_h + h]) * width]


@inlined
def _status_chance(cell, column, reals):
    """Chance of a result (0), a failure (1), a refusal (2), an order that stands (3), or of a result (4) or failure (5)
    once it stands."""
    if column < 4:
        return reals[cell + column]
    stands = reals[cell + 3]
    return reals[cell + column - 4] / stands if stands > 0.0 else 0.0


@jit
def _believe_status(i, row, item, column, attempt, at, ints, reals, whole, weights):
    """Multiply the belief by the chance of what became of an order; columns as in `_status_chance`."""
    on = ints[at[STATUS_ON] + item]
    if on == ON_NOTHING:
        return
    n_hidden, n_conditions = at[N_HIDDEN], at[N_CONDITIONS]
    base = np.int64(ints[at[STATUS_START] + item]) + attempt * ints[at[STATUS_STRIDE] + item]
    of_k, of_h = at[STATUS_OF_K] + item * at[N_PROFILES], at[STATUS_OF_H] + item * n_hidden
    alive = whole[i, W_ALIVE]
    if on == ON_PROFILE:
        for a in range(alive):
            cell = at[STATUS_CHANCE] + (base + ints[of_k + whole[i, W_LISTED + a]]) * 4
            weights[row, n_conditions + n_hidden + a] *= _status_chance(cell, column, reals)
        return
    first, same = n_conditions, 1  # of all possible profiles, the first speaks for the rest
    if on == ON_BOTH and alive > 1:
        _join(i, row, at, reals, whole, weights)
        first, same = n_conditions + n_hidden + at[PER_START], alive
    for a in range(min(same, alive)):
        start = base + ints[of_k + whole[i, W_LISTED + a]]
        for h in range(n_hidden):
            cell = at[STATUS_CHANCE] + (start + ints[of_h + h]) * 4
            weights[row, first + a * n_hidden + h] *= _status_chance(cell, column, reals)


@inlined
def _believe_reports(i, row, item, attempt, at, ints, reals, whole, byte, values, weights):
    """Multiply the belief by the likelihood of everything that a result of the item reported or withheld."""
    n_conditions = at[N_CONDITIONS]
    factor = weights[row]
    for r in range(at[MAX_REVEALS]):
        o = np.int64(ints[at[REVEALS] + item * at[MAX_REVEALS] + r])
        if o < 0:
            break
        v, treated = np.int64(values[i, o]), np.int64(byte[i, 3 * at[N_ITEMS] + o])
        if ints[at[LIKELIHOOD_ON] + o] != ON_CONDITION:
            _believe_value(i, row, o, v, attempt, treated, at, ints, reals, whole, weights)
            continue
        cell = at[LIKELIHOOD] + ints[at[LIKELIHOOD_START] + o] + attempt * ints[at[LIKELIHOOD_ATTEMPT] + o]
        cell += treated * ints[at[LIKELIHOOD_TREATED] + o]
        cell += (v if v >= 0 else ints[at[VALUES_OF] + o]) * n_conditions
        likelihood = reals[cell : cell + n_conditions]
        for c in range(n_conditions):
            factor[c] *= likelihood[c]


@jit
def _replay_belief(i, row, at, ints, reals, whole, byte, values, weights):
    """The belief from scratch, from everything revealed."""
    _begin_belief(i, row, at, whole, weights)
    for item in range(at[N_ITEMS]):
        status, failures = byte[i, item], np.int64(byte[i, at[N_ITEMS] + item])
        if status == RESULT:
            _believe_reports(i, row, item, failures, at, ints, reals, whole, byte, values, weights)
            _believe_status(i, row, item, np.int64(0), failures, at, ints, reals, whole, weights)
        elif status == REFUSED:
            _believe_status(i, row, item, np.int64(2), failures, at, ints, reals, whole, weights)
        elif status == PENDING:
            _believe_status(i, row, item, np.int64(3), failures, at, ints, reals, whole, weights)
        for attempt in range(failures):
            _believe_status(i, row, item, np.int64(1), attempt, at, ints, reals, whole, weights)


@jit
def _bad_chance(x, o, k, h, at, ints, reals):
    """P(the observable contraindicates | k, h)."""
    cell = at[VALUE_CUMULATIVE] + ints[at[VALUE_START] + o]
    cell += ints[at[VALUE_OF_K] + k * at[N_OBSERVABLES] + o] + ints[at[VALUE_OF_H] + h * at[N_OBSERVABLES] + o]
    n, below, total = ints[at[VALUES_OF] + o], 0.0, 0.0
    for v in range(n):
        upto = min(reals[cell + v], 1.0) if v < n - 1 else 1.0
        if ints[at[CONTRA_BAD] + x * at[N_VALUES] + v]:
            total += upto - below
        below = upto
    return total


@inlined
def _exposures(i, c, at, whole, real):
    """Hours of waiting and of progression so far, weighted by the acts done, for one condition."""
    if not whole[i, W_ACTED]:
        return real[i, R_CLOCK], real[i, R_CLOCK]
    n = at[N_CONDITIONS]
    since = real[i, R_CLOCK] - real[i, R_SINCE]
    waited = real[i, R_LISTS + n + c] + since * real[i, R_LISTS + 3 * n + c]
    progressed = real[i, R_LISTS + 2 * n + c] + since * real[i, R_LISTS + 4 * n + c]
    return waited, progressed


@jit
def _benefit(i, c, at, reals, whole, byte):
    total = 0.0
    if whole[i, W_ACTED]:
        for act in range(at[N_INVESTIGATIONS], at[N_ITEMS]):
            if byte[i, act] == RESULT:
                total += reals[at[BENEFIT] + act * at[N_CONDITIONS] + c]
    return total


@jit
def _progression_chance(i, c, at, ints, reals, whole, real):
    if ints[at[PROGRESSES_TO] + c] < 0:
        return 0.0
    hours = _exposures(i, c, at, whole, real)[1]
    return 1.0 - math.exp(-reals[at[PROGRESSION_RATE] + c] * hours)


@inlined
def _weight(i, row, a, h, at, ints, reals, whole, weights):
    """Unnormalised weight of possible profile a with hidden state h."""
    n_hidden, n_conditions = at[N_HIDDEN], at[N_CONDITIONS]
    profiles = n_conditions + n_hidden
    w = weights[row, ints[at[CONDITION_OF] + h]] * weights[row, n_conditions + h] * weights[row, profiles + a]
    if whole[i, W_JOINT]:
        return w * weights[row, profiles + at[PER_START] + a * n_hidden + h]
    return w * reals[at[PRIOR] + whole[i, W_LISTED + a] * n_hidden + h]


@jit
def _expect_late(i, row, scale, at, ints, reals, whole, byte, values, weights):
    """Posterior expectation of cost and harm put off to the end, unknown contraindications among them."""
    cost, harm = 0.0, 0.0
    n_items, n_hidden, n_profiles = at[N_ITEMS], at[N_HIDDEN], at[N_PROFILES]
    for late in range(at[N_LATE]):
        charged = byte[i, 2 * n_items + ints[at[LATE] + late]]
        if not charged:
            continue
        for a in range(whole[i, W_ALIVE]):
            cell = (late * n_profiles + whole[i, W_LISTED + a]) * n_hidden
            for h in range(n_hidden):
                w = scale * charged * _weight(i, row, a, h, at, ints, reals, whole, weights)
                cost += w * reals[at[LATE_COST] + cell + h]
                harm += w * reals[at[LATE_HARM] + cell + h]
    contra = 3 * n_items + at[N_OBSERVABLES]
    for x in range(at[N_CONTRAINDICATIONS]):
        loss = byte[i, contra + x] * reals[at[CONTRA_LOSS] + x]
        if loss == 0.0:
            continue
        o = np.int64(ints[at[CONTRA_OBSERVABLE] + x])
        v = values[i, o]
        if v >= 0:
            harm += loss * ints[at[CONTRA_BAD] + x * at[N_VALUES] + v]
            continue
        for a in range(whole[i, W_ALIVE]):
            k = whole[i, W_LISTED + a]
            for h in range(n_hidden):
                w = scale * _weight(i, row, a, h, at, ints, reals, whole, weights)
                harm += w * loss * _bad_chance(x, o, k, h, at, ints, reals)
    return cost, harm


@jit
def _anything_late(i, at, ints, byte):
    n_items = at[N_ITEMS]
    for late in range(at[N_LATE]):
        if byte[i, 2 * n_items + ints[at[LATE] + late]]:
            return True
    contra = 3 * n_items + at[N_OBSERVABLES]
    for x in range(at[N_CONTRAINDICATIONS]):
        if byte[i, contra + x]:
            return True
    return False


@inlined
def _rescale(i, row, at, whole, weights):
    """Bring the largest entry of every factor to 1, clear of underflow."""
    n_hidden, n_conditions = at[N_HIDDEN], at[N_CONDITIONS]
    profiles, joint = n_conditions + n_hidden, n_conditions + n_hidden + at[PER_START]
    end = joint + whole[i, W_ALIVE] * n_hidden * whole[i, W_JOINT]
    for first, last in ((0, n_conditions), (n_conditions, profiles), (profiles, joint), (joint, end)):
        largest = 0.0
        for j in range(first, last):
            largest = max(largest, weights[row, j])
        for j in range(first, last):
            weights[row, j] /= largest


@inlined
def _weigh(i, row, low, high, at, ints, reals, whole, real, weights, scratch):
    """Unnormalised weights into `scratch`: of hidden states, and of these within utility classes low..high of the
    profiles; of conditions into the journey's posterior. Returns their sum."""
    n_hidden, n_conditions = at[N_HIDDEN], at[N_CONDITIONS]
    profiles, joint = n_conditions + n_hidden, n_conditions + n_hidden + at[PER_START]
    scratch[(low + 1) * n_hidden : (high + 2) * n_hidden] = 0.0
    for a in range(whole[i, W_ALIVE]):
        k, p = whole[i, W_LISTED + a], weights[row, profiles + a]
        group = scratch[
            (ints[at[UTILITY_OF_K] + k] + 1) * n_hidden : (ints[at[UTILITY_OF_K] + k] + 1) * n_hidden + n_hidden
        ]
        if whole[i, W_JOINT]:
            given = weights[row][joint + a * n_hidden : joint + a * n_hidden + n_hidden]
        else:
            given = reals[at[PRIOR] + k * n_hidden : at[PRIOR] + k * n_hidden + n_hidden]
        for h in range(n_hidden):
            group[h] += p * given[h]
    marginal, by_hidden = scratch[:n_hidden], weights[row][n_conditions : n_conditions + n_hidden]
    marginal[:] = 0.0
    for u in range(low, high + 1):
        group = scratch[(u + 1) * n_hidden : (u + 1) * n_hidden + n_hidden]
        for h in range(n_hidden):
            group[h] *= by_hidden[h]
            marginal[h] += group[h]
    total = 0.0
    size = n_hidden // n_conditions
    h = 0
    for c in range(n_conditions):
        p = 0.0
        for _ in range(size):
            marginal[h] *= weights[row, c]
            p += marginal[h]
            h += 1
        real[i, R_LISTS + c] = p
        total += p
    return total


@inlined
def _weigh_classes(i, row, u, scale, chances, by_class, at, ints, weights, scratch):
    """(utility classes of hidden states,) posterior weight within profile class u, progression at its chance."""
    n_hidden, n_conditions = at[N_HIDDEN], at[N_CONDITIONS]
    size = n_hidden // n_conditions
    group = scratch[(u + 1) * n_hidden : (u + 1) * n_hidden + n_hidden]
    class_of, progressed = (
        ints[at[UTILITY_OF_H] : at[UTILITY_OF_H] + n_hidden],
        ints[at[PROGRESSED] : at[PROGRESSED] + n_hidden],
    )
    by_class[:] = 0.0
    h = 0
    for c in range(n_conditions):
        chance, p = scratch[chances + c], weights[row, c] * scale
        for _ in range(size):
            by_class[class_of[h]] += group[h] * p * (1.0 - chance)
            if chance > 0.0:
                by_class[class_of[progressed[h]]] += group[h] * p * chance
            h += 1


@jit
def summarise(i, row, at, ints, reals, whole, real, byte, values, weights, scratch):
    """Posterior expectations of ending now, into the journey's row.

    real: the posterior of the conditions, the reward of the best decision and, from EXPECTED_AT, [0] late cost, [1] late
    harm, [2] delay, [3] benefit, [4:] utility of each decision and of truncation. scratch: first the marginal of each hidden state.
    """
    n_hidden, n_conditions, width = at[N_HIDDEN], at[N_CONDITIONS], at[N_DECISIONS] + 1
    expected, n_classes = at[EXPECTED_AT], at[N_UTILITY_H]
    low, high = at[N_UTILITY_K], np.int64(-1)
    for a in range(whole[i, W_ALIVE]):
        u = ints[at[UTILITY_OF_K] + whole[i, W_LISTED + a]]
        low, high = min(low, u), max(high, u)
    total = _weigh(i, row, low, high, at, ints, reals, whole, real, weights, scratch)
    if not total > 0.0:
        whole[i, W_IMPOSSIBLE] = 1
        return
    if total < 1e-30:
        _rescale(i, row, at, whole, weights)
        total = _weigh(i, row, low, high, at, ints, reals, whole, real, weights, scratch)
    scale = 1.0 / total
    real[i, expected : expected + 4 + width] = 0.0
    marginal = scratch[:n_hidden]
    for h in range(n_hidden):
        marginal[h] *= scale
    acted = whole[i, W_ACTED]
    delay, benefit = 0.0, 0.0
    chances = (at[N_UTILITY_K] + 1) * n_hidden
    for c in range(n_conditions):
        real[i, R_LISTS + c] *= scale
        p = real[i, R_LISTS + c]
        waited, progressed = _exposures(i, c, at, whole, real)
        delay += p * reals[at[WAITING_COST] + c] * waited
        worse, chance = ints[at[PROGRESSES_TO] + c], 0.0
        if worse >= 0:
            chance = 1.0 - math.exp(-reals[at[PROGRESSION_RATE] + c] * progressed)
        scratch[chances + c] = chance
        if acted:
            benefit += p * (1.0 - chance) * _benefit(i, c, at, reals, whole, byte)
            if chance > 0.0:
                benefit += p * chance * _benefit(i, worse, at, reals, whole, byte)
    real[i, expected + 2] = delay
    real[i, expected + 3] = benefit
    utility = real[i][expected + 4 : expected + 4 + width]
    by_class = scratch[chances + n_conditions : chances + n_conditions + n_classes]
    for u in range(low, high + 1):
        _weigh_classes(i, row, u, scale, chances, by_class, at, ints, weights, scratch)
        for q in range(0, n_classes, 4):  # tables are padded to fours: four classes share one pass over the decisions
            w0, w1, w2, w3 = by_class[q], by_class[q + 1], by_class[q + 2], by_class[q + 3]
            cell = at[UTILITY] + (u * n_classes + q) * width
            u0, u1 = reals[cell : cell + width], reals[cell + width : cell + width + width]
            u2, u3 = (
                reals[cell + 2 * width : cell + 2 * width + width],
                reals[cell + 3 * width : cell + 3 * width + width],
            )
            for d in range(width):
                utility[d] += w0 * u0[d] + w1 * u1[d] + w2 * u2[d] + w3 * u3[d]
    if _anything_late(i, at, ints, byte):
        cost, harm = _expect_late(i, row, scale, at, ints, reals, whole, byte, values, weights)
        real[i, expected] = cost
        real[i, expected + 1] = harm
    best = real[i, expected + 4]
    for d in range(1, at[N_DECISIONS]):
        best = max(best, real[i, expected + 4 + d])
    real[i, R_BEST] = (
        reals[at[WEIGHTS] + 3] * (best + benefit)
        - reals[at[WEIGHTS]] * real[i, expected]
        - reals[at[WEIGHTS] + 1] * real[i, expected + 1]
        - reals[at[WEIGHTS] + 2] * delay
    )


@jit
def write_belief(i, at, ints, reals, real, scratch, facts):
    """The belief part of the observation, from what `summarise` left."""
    n_decisions, n_hidden, n_conditions = at[N_DECISIONS], at[N_HIDDEN], at[N_CONDITIONS]
    for c in range(n_conditions):
        facts[i, at[CONDITION_SLOT] + c] = real[i, R_LISTS + c]
    size, slot, sums = n_hidden // n_conditions, at[MARGINAL_SLOT], n_hidden
    for j in range(size):  # the other hidden variables alone: the condition varies slowest
        scratch[sums + j] = 0.0
    for c in range(n_conditions):
        for j in range(size):
            scratch[sums + j] += scratch[c * size + j]
    for f in range(at[N_MARGINALS]):
        facts[i, slot + f] = 0.0
    for variable in range(at[N_OTHERS]):
        for j in range(size):
            f = ints[at[MARGINAL_OF] + variable * n_hidden + j]
            if f >= 0:
                facts[i, slot + f] += scratch[sums + j]
    for f in range(at[N_MARGINALS]):
        facts[i, slot + f] = min(facts[i, slot + f], np.float32(1.0))
    utility = at[EXPECTED_AT] + 4
    best = real[i, utility]
    for d in range(1, n_decisions):
        best = max(best, real[i, utility + d])
    low, span = reals[at[UTILITY_RANGE]], reals[at[UTILITY_RANGE] + 1]
    unit = 1.0 / math.log1p(span / REGRET_SCALE_GBP)
    for d in range(n_decisions):
        facts[i, at[REGRET_SLOT] + d] = -math.log(1.0 + (best - real[i, utility + d]) / REGRET_SCALE_GBP) * unit
    facts[i, at[REGRET_SLOT] + n_decisions] = (best - low) / span


# ---------------------------------------------------------------- a journey's start, orders, results and end


@inlined
def write_fact(i, o, at, ints, values, facts):
    """Show one revealed observable."""
    v = np.int64(values[i, o])
    slot = at_slot = ints[at[FACT_SLOT] + o]
    kind = ints[at[FACT_KIND] + o]
    n = ints[at[VALUES_OF] + o]
    if kind == BINARY:
        facts[i, slot] = 0.0 if v < 0 else (1.0 if v == n - 1 else -1.0)
    elif kind == LEVEL:
        facts[i, slot] = 0.0 if v < 0 else 1.0
        facts[i, at_slot + 1] = 0.0 if v < 0 else v / (n - 1.0)
    else:
        for j in range(n):
            facts[i, slot + j] = 1.0 if v == j else 0.0


@inlined
def _note_facts(i, item, at, ints, whole, values):
    """Set the bits of what an item revealed and a rule looks at."""
    n_words = at[N_WORDS]
    lists = at[RULED_AT] + item * n_words
    for word in range(n_words):
        noted = np.int64(0)
        for r in range(ints[lists + word], ints[lists + word + 1]):
            v = np.int64(values[i, ints[at[RULED] + r]])
            noted |= np.int64(v >= 0) << (ints[at[RULED_BIT] + r] + max(v, 0))
        whole[i, at[WORDS_AT] + word] |= noted


@inlined
def _show_status(i, item, at, ints, reals, whole, byte, facts):
    status = np.int64(byte[i, item])
    if ints[at[STATUS_WORD] + item] >= 0:
        word, bit = at[WORDS_AT] + ints[at[STATUS_WORD] + item], ints[at[STATUS_BIT] + item]
        whole[i, word] = (whole[i, word] & ~(np.int64(31) << bit)) | (np.int64(1) << (bit + status))
    level = reals[at[STATUS_LEVEL] + status]
    if status == FAILED:
        level *= byte[i, at[N_ITEMS] + item] / ints[at[ATTEMPTS] + item]
    facts[i, ints[at[STATUS_SLOT] + item]] = level


@inlined
def write_totals(i, at, reals, whole, real, byte, facts):
    """Show clock, spend, dose, tests, visit and step."""
    clock = real[i, R_CLOCK]
    wait = 0.0
    if whole[i, W_PENDING] > 0:
        due = R_LISTS + 5 * at[N_CONDITIONS]
        wait = np.inf
        for item in range(at[N_ITEMS]):
            if byte[i, item] == PENDING:
                wait = min(wait, real[i, due + item] - clock)
    totals, scale = facts[i][at[TOTALS_SLOT] : at[TOTALS_SLOT] + 7], reals[at[SCALE] : at[SCALE] + 7]
    cost, dose = real[i, R_COST], real[i, R_DOSE]
    tests, earlier, step = whole[i, W_TESTS], whole[i, W_VISIT] - 1, whole[i, W_STEP]
    totals[0] = clock / (clock + scale[0])
    totals[1] = wait / (wait + scale[1]) if wait > 0.0 else 0.0
    totals[2] = cost / (cost + scale[2])
    totals[3] = dose / (dose + scale[3]) if dose > 0.0 else 0.0
    totals[4] = tests / (tests + scale[4]) if tests > 0 else 0.0
    totals[5] = earlier / (earlier + scale[5]) if earlier > 0 else 0.0
    totals[6] = step / (step + scale[6])


@inlined
def draw_patient(i, at, ints, reals, cases, whole, core, scratch):
    """Profile and hidden state by ancestral sampling, or those of the case."""
    patient = whole[i, W_PATIENT]
    if cases.shape[0] > 0:
        case = patient % cases.shape[0]
        whole[i, W_K], whole[i, W_H] = cases[case, 0], cases[case, 1]
        return
    key, k, h = whole[i, W_KEY], 0, 0
    for c in range(at[N_CORE]):  # apart from what follows, so that several are hashed at once
        scratch[c] = uniform(key, CORE + c)
    for c in range(at[N_CORE]):
        row = np.int64(ints[at[CORE_ROW] + c])
        for p in range(ints[at[PARENTS_AT] + c], ints[at[PARENTS_AT] + c + 1]):
            row += core[ints[at[PARENT] + p]] * ints[at[PARENT_STRIDE] + p]
        cell = at[CORE_CUMULATIVE] + row * at[N_VALUES]
        u, size = scratch[c], ints[at[CORE_SIZE] + c]
        v = np.int64(u >= reals[cell])
        for threshold in range(cell + 1, cell + size - 1):
            v += u >= reals[np.uint64(threshold)]
        core[c] = v
        k += v * ints[at[CORE_K] + c]
        h += v * ints[at[CORE_H] + c]
    whole[i, W_K], whole[i, W_H] = k, h


@inlined
def start(
    i, patient, seed_key, at, ints, reals, cases, starts, whole, real, byte, values, facts, mask, weights, scratch, core
):
    """Begin the journey of `patient` in slot i. starts: values, mask and observation at each start."""
    start_values, start_mask, start_facts, start_words = starts
    whole[i, W_PATIENT] = patient
    whole[i, W_KEY] = patient_key(seed_key, patient)
    draw_patient(i, at, ints, reals, cases, whole, core, scratch)
    n_conditions, n_items = at[N_CONDITIONS], at[N_ITEMS]
    if whole[i, W_ACTED]:  # acts left their factors
        for j in range(R_LISTS + n_conditions, R_LISTS + 3 * n_conditions):
            real[i, j] = 0.0
        for j in range(R_LISTS + 3 * n_conditions, R_LISTS + 5 * n_conditions):
            real[i, j] = 1.0
    whole[i][W_STEP:E_PATIENT] = 0
    whole[i, W_VISIT] = 1
    real[i][:R_BEST] = 0.0
    set_up_at = R_LISTS + 5 * n_conditions + 2 * n_items
    real[i][set_up_at : set_up_at + at[N_SET_UPS]] = -1.0
    byte[i][: 3 * n_items + at[N_OBSERVABLES] + at[N_CONTRAINDICATIONS]] = 0
    begin = whole[i, W_K] // at[PER_START]
    for o in range(values.shape[1]):
        values[i, o] = start_values[begin, o]
    for a in range(mask.shape[1]):
        mask[i, a] = start_mask[begin, a]
    for f in range(facts.shape[1]):
        facts[i, f] = start_facts[begin, f]
    for j in range(at[N_WORDS]):
        whole[i, at[WORDS_AT] + j] = start_words[begin, j]
    if at[TRACKED]:
        real[i, R_BEST] = reals[at[START_BEST] + begin]
        for c in range(n_conditions):
            real[i, R_LISTS + c] = reals[at[START_POSTERIOR] + begin * n_conditions + c]
        width = 5 + at[N_DECISIONS]
        for j in range(width):
            real[i, at[EXPECTED_AT] + j] = reals[at[START_EXPECTED] + begin * width + j]
        _begin_belief(i, i, at, whole, weights)


@jit
def _fail(i, item, column, at, ints, reals, whole, real, byte, values, facts, weights):
    attempt = np.int64(byte[i, at[N_ITEMS] + item])
    byte[i, item] = FAILED
    byte[i, at[N_ITEMS] + item] += 1
    for r in range(at[MAX_REVEALS]):
        o = ints[at[REVEALS] + item * at[MAX_REVEALS] + r]
        if o < 0:
            break
        values[i, o] = MISSING
    _show_status(i, item, at, ints, reals, whole, byte, facts)
    if at[TRACKED]:
        _believe_status(i, i, item, column, attempt, at, ints, reals, whole, weights)


@inlined
def _place(i, item, at, ints, reals, cases, whole, real, byte, values, facts, weights):
    """Rule 4: whether the order stands (a result will come, or a failure that is paid for)."""
    n_items, n_conditions = at[N_ITEMS], at[N_CONDITIONS]
    clock = real[i, R_CLOCK]
    ordered_at = R_LISTS + 5 * n_conditions + n_items
    attempt = np.int64(byte[i, n_items + item])
    if attempt == 0:
        real[i, ordered_at + item] = clock
    real[i, R_LAST_ORDER] = clock
    refusal = ints[at[REFUSAL] + item]
    if (
        refusal >= 0
        and _fixed(i, item, at, ints, cases, whole) == UNKNOWN
        and _happens(i, refusal, np.int64(0), at, ints, reals, cases, whole, byte)
    ):
        byte[i, item] = REFUSED
        _show_status(i, item, at, ints, reals, whole, byte, facts)
        if at[TRACKED]:
            _believe_status(i, i, item, np.int64(2), attempt, at, ints, reals, whole, weights)
        return False
    if ints[at[TREATABLE] + item]:
        for r in range(at[MAX_REVEALS]):
            o = ints[at[REVEALS] + item * at[MAX_REVEALS] + r]
            if o < 0:
                break
            act = ints[at[TREATMENT] + o]
            if act >= 0:
                treated = byte[i, act] == RESULT
                byte[i, 3 * n_items + o] = treated
                facts[i, ints[at[TREATED_SLOT] + o]] = 1.0 if treated else 0.0
    failing = _failing_event(i, item, at, ints, reals, cases, whole, byte)
    if failing >= 0 and not ints[at[EVENT_CHARGED] + failing]:
        _fail(i, item, np.int64(1), at, ints, reals, whole, real, byte, values, facts, weights)
        return False
    _charge(i, item, at, ints, reals, whole, real, byte, values)
    return True


@inlined
def _charge(i, item, at, ints, reals, whole, real, byte, values):
    n_items, n_conditions = at[N_ITEMS], at[N_CONDITIONS]
    cost, harm = reals[at[COST] + item], reals[at[HARM] + item]
    s = ints[at[SET_UP] + item]
    if s >= 0:
        cell = R_LISTS + 5 * n_conditions + 2 * n_items + s
        moment = real[i, R_CLOCK] * reals[at[SET_UP_REPEATS] + s]
        if real[i, cell] != moment:
            real[i, cell] = moment
            cost += reals[at[SET_UP_COST] + s]
            harm += reals[at[SET_UP_HARM] + s]
    real[i, R_COST] += cost
    real[i, R_STEP_COST] += cost
    real[i, R_STEP_HARM] += harm
    real[i, R_DOSE] += reals[at[DOSE] + item]
    if item < at[N_INVESTIGATIONS] and ints[at[OPENS] + item] == 0:
        whole[i, W_TESTS] += 1
    byte[i, 2 * n_items + item] += 1
    for x in range(ints[at[CONTRA_AT] + item], ints[at[CONTRA_AT] + item + 1]):
        if values[i, ints[at[CONTRA_OBSERVABLE] + x]] < 0:
            byte[i, 3 * n_items + at[N_OBSERVABLES] + x] += 1


@inlined
def _reveal_plain(i, item, at, ints, reals, whole, values, facts, scratch):
    """Draw the findings of an item that are always reported as they are, and show them."""
    first, two, last = ints[at[DRAWN_AT] + item], ints[at[DRAWN_TWO] + item], ints[at[DRAWN_AT] + item + 1]
    key = whole[i, W_KEY]
    streams = ints[at[DRAWN_STREAM] + first : at[DRAWN_STREAM] + last]
    of_k = at[DRAWN_OF_K] + whole[i, W_K] * at[N_DRAWN]
    of_h = at[DRAWN_OF_H] + whole[i, W_H] * at[N_DRAWN]
    by_k, by_h = ints[of_k + first : of_k + last], ints[of_h + first : of_h + last]
    thresholds = reals[at[VALUE_CUMULATIVE] :]
    for q in range(last - first):  # apart from what follows, so that several are hashed at once
        scratch[q] = uniform(key, streams[q])
    drawn, slots = ints[at[DRAWN] + first : at[DRAWN] + last], ints[at[DRAWN_SLOT] + first : at[DRAWN_SLOT] + last]
    row_values, row_facts = values[i], facts[i]
    for q in range(two - first):
        present = scratch[q] >= thresholds[np.uint64(by_k[q] + by_h[q])]
        row_values[np.uint64(drawn[q])] = present
        row_facts[np.uint64(slots[q])] = 1.0 if present else -1.0
    for q in range(two - first, last - first):
        o, v = drawn[q], 0
        cell = by_k[q] + by_h[q]
        for threshold in range(cell, cell + ints[at[VALUES_OF] + o] - 1):
            v += scratch[q] >= thresholds[np.uint64(threshold)]
        values[i, o] = v
        write_fact(i, o, at, ints, values, facts)


@inlined
def _report(i, item, accepted, at, ints, reals, cases, whole, real, byte, values, facts, weights, scratch):
    """The result of an order that stood: values, or a failure. accepted: the belief knows it was not refused."""
    n_items = at[N_ITEMS]
    attempt = np.int64(byte[i, n_items + item])
    if _failing_event(i, item, at, ints, reals, cases, whole, byte) >= 0:
        _fail(i, item, 1 + 4 * accepted, at, ints, reals, whole, real, byte, values, facts, weights)
        return
    byte[i, item] = RESULT
    key = whole[i, W_KEY]
    listed = at[CAREFUL_AT] + item
    if cases.shape[0] > 0:
        listed += n_items
    else:
        _reveal_plain(i, item, at, ints, reals, whole, values, facts, scratch)
    for r in range(ints[listed], ints[listed + 1]):
        o = ints[at[CAREFUL] + r]
        v = true_value(i, o, at, ints, reals, cases, whole, byte)
        fixed = UNKNOWN if cases.shape[0] == 0 else cases[whole[i, W_PATIENT] % cases.shape[0], 2 + o]
        if fixed == MISSING:
            v = MISSING
        elif fixed < 0:
            e = ints[at[WITHHELD] + o]
            if e >= 0 and _happens(i, e, np.int64(0), at, ints, reals, cases, whole, byte):
                v = MISSING
            else:
                e = ints[at[CORRUPTED] + o]
                if e >= 0 and _happens(i, e, np.int64(0), at, ints, reals, cases, whole, byte):
                    row = ints[at[REPORTED_START] + o] + v
                    v = _draw(at, reals, key, CORRUPTION + o, at[REPORTED_CUMULATIVE], row, ints[at[VALUES_OF] + o])
        values[i, o] = v
        write_fact(i, o, at, ints, values, facts)
    _note_facts(i, item, at, ints, whole, values)
    whole[i, W_PHASE] |= ints[at[OPENS] + item]
    if item >= at[N_INVESTIGATIONS]:
        _act(i, item, at, reals, whole, real)
    _show_status(i, item, at, ints, reals, whole, byte, facts)
    if at[TRACKED]:
        _believe_reports(i, i, item, attempt, at, ints, reals, whole, byte, values, weights)
        _believe_status(i, i, item, 4 * accepted, attempt, at, ints, reals, whole, weights)


@inlined
def _act(i, item, at, reals, whole, real):
    """From now on the act changes what waiting costs and how fast conditions progress."""
    n = at[N_CONDITIONS]
    for c in range(n):
        waited, progressed = _exposures(i, c, at, whole, real)
        real[i, R_LISTS + n + c] = waited
        real[i, R_LISTS + 2 * n + c] = progressed
        real[i, R_LISTS + 3 * n + c] *= reals[at[WAITING_FACTOR] + item * n + c]
        real[i, R_LISTS + 4 * n + c] *= reals[at[PROGRESSION_FACTOR] + item * n + c]
    real[i, R_SINCE] = real[i, R_CLOCK]
    whole[i, W_ACTED] = 1


@inlined
def _settle_truth(i, d, at, ints, reals, cases, whole, real, byte, values):
    """Rule 9 by the patient's own state: (4,) late cost, late harm, delay and utility into E_TRUTH, weighted."""
    k, h = whole[i, W_K], whole[i, W_H]
    c = ints[at[CONDITION_OF] + h]
    width = at[N_DECISIONS] + 1
    waited = _exposures(i, c, at, whole, real)[0]
    chance = 0.0
    if ints[at[PROGRESSES_TO] + c] >= 0:
        chance = _progression_chance(i, c, at, ints, reals, whole, real)
    row = at[UTILITY] + ints[at[UTILITY_OF_K] + k] * at[N_UTILITY_H] * width + d
    utility = reals[row + ints[at[UTILITY_OF_H] + h] * width]
    if whole[i, W_ACTED]:
        utility += _benefit(i, c, at, reals, whole, byte)
    if chance > 0.0:
        worse = reals[row + ints[at[UTILITY_OF_H] + ints[at[PROGRESSED] + h]] * width]
        worse += _benefit(i, ints[at[PROGRESSES_TO] + c], at, reals, whole, byte)
        utility = (1.0 - chance) * utility + chance * worse
    cost, harm = 0.0, 0.0
    n_items = at[N_ITEMS]
    for late in range(at[N_LATE]):
        charged = byte[i, 2 * n_items + ints[at[LATE] + late]]
        if charged:
            cell = (late * at[N_PROFILES] + k) * at[N_HIDDEN] + h
            cost += charged * reals[at[LATE_COST] + cell]
            harm += charged * reals[at[LATE_HARM] + cell]
    for x in range(at[N_CONTRAINDICATIONS]):
        count = byte[i, 3 * n_items + at[N_OBSERVABLES] + x]
        if count:
            o = np.int64(ints[at[CONTRA_OBSERVABLE] + x])
            v = true_value(i, o, at, ints, reals, cases, whole, byte)
            if ints[at[CONTRA_BAD] + x * at[N_VALUES] + v]:
                harm += count * reals[at[CONTRA_LOSS] + x]
    real[i, E_TRUTH] = -reals[at[WEIGHTS]] * cost
    real[i, E_TRUTH + 1] = -reals[at[WEIGHTS] + 1] * harm
    real[i, E_TRUTH + 2] = -reals[at[WEIGHTS] + 2] * reals[at[WAITING_COST] + c] * waited
    real[i, E_TRUTH + 3] = reals[at[WEIGHTS] + 3] * utility


@inlined
def _settle(i, d, at, ints, reals, cases, whole, real, byte, values, weights, scratch):
    """Charge the end, by truth always and by the posterior where it is wanted."""
    _settle_truth(i, d, at, ints, reals, cases, whole, real, byte, values)
    if at[TRACKED] or at[BY_POSTERIOR]:
        if not at[TRACKED]:
            row = np.int64(0)
            _replay_belief(i, row, at, ints, reals, whole, byte, values, weights)
            summarise(i, row, at, ints, reals, whole, real, byte, values, weights, scratch)
        expected = at[EXPECTED_AT]
        for part in range(3):
            real[i, E_EXPECTED + part] = -reals[at[WEIGHTS] + part] * real[i, expected + part]
        real[i, E_EXPECTED + 3] = reals[at[WEIGHTS] + 3] * (real[i, expected + 4 + d] + real[i, expected + 3])
    whole[i, E_PATIENT] = whole[i, W_PATIENT]
    whole[i, E_KEY] = whole[i, W_KEY]
    whole[i, E_K] = whole[i, W_K]
    whole[i, E_H] = whole[i, W_H]
    whole[i, E_STEP] = whole[i, W_STEP]
    whole[i, E_TESTS] = whole[i, W_TESTS]
    whole[i, E_DECISION] = d if d < at[N_DECISIONS] else -1
    real[i, E_CLOCK] = real[i, R_CLOCK]
    real[i, E_COST] = real[i, R_COST]
    real[i, E_DOSE] = real[i, R_DOSE]
    kept = 3 * at[N_ITEMS] + at[N_OBSERVABLES] + at[N_CONTRAINDICATIONS]
    charged, reported = byte[i][2 * at[N_ITEMS] : 3 * at[N_ITEMS]], byte[i][kept : kept + at[N_ITEMS]]
    for item in range(at[N_ITEMS]):
        reported[item] = charged[item]


@inlined
def _order(i, action, at, ints, reals, cases, whole, real, byte, values, facts, weights):
    """Place the orders of an action; in `at_once` mode move the clock."""
    is_set = ints[at[ACTION_KIND] + action] == 1
    due_at = R_LISTS + 5 * at[N_CONDITIONS]
    longest = 0.0
    for m in range(ints[at[MEMBERS_AT] + action], ints[at[MEMBERS_AT] + action + 1]):
        item = ints[at[MEMBERS] + m]
        if is_set and byte[i, item] != NOT_ORDERED:
            continue
        if _place(i, item, at, ints, reals, cases, whole, real, byte, values, facts, weights):
            turnaround = reals[at[TURNAROUND] + item]
            longest = max(longest, turnaround)
            byte[i, item] = PENDING
            real[i, due_at + item] = real[i, R_CLOCK] + turnaround
            whole[i, W_PENDING] += 1
    if not at[DELAYED]:
        real[i, R_CLOCK] += longest


@inlined
def _move_to_next_result(i, at, whole, real, byte):
    due_at = R_LISTS + 5 * at[N_CONDITIONS]
    due = np.inf
    for item in range(at[N_ITEMS]):
        if byte[i, item] == PENDING:
            due = min(due, real[i, due_at + item])
    real[i, R_CLOCK] = due


@inlined
def _advance(i, action, at, ints, reals, cases, whole, real, byte, values, facts, mask, weights, scratch):
    """Any legal action but a decision."""
    phase, clock = whole[i, W_PHASE], real[i, R_CLOCK]
    waiting = np.int64(action == at[WAIT_ACTION])
    first, last = np.int64(0), at[N_ITEMS]
    if waiting:
        _move_to_next_result(i, at, whole, real, byte)
    else:
        first, last = np.int64(ints[at[MEMBERS_AT] + action]), np.int64(ints[at[MEMBERS_AT] + action + 1])
        _order(i, action, at, ints, reals, cases, whole, real, byte, values, facts, weights)
    due_at = R_LISTS + 5 * at[N_CONDITIONS]
    for m in range(first, last):
        item = m if waiting else np.int64(ints[at[MEMBERS] + m])
        if byte[i, item] == PENDING and (not at[DELAYED] or real[i, due_at + item] <= real[i, R_CLOCK]):
            whole[i, W_PENDING] -= 1
            _report(i, item, waiting, at, ints, reals, cases, whole, real, byte, values, facts, weights, scratch)
            if waiting:
                _refresh_after(i, item, at, ints, reals, whole, real, byte, values, mask)
        elif byte[i, item] == PENDING and not waiting:
            _show_status(i, item, at, ints, reals, whole, byte, facts)
            if at[TRACKED]:
                attempt = np.int64(byte[i, at[N_ITEMS] + item])
                _believe_status(i, i, item, np.int64(3), attempt, at, ints, reals, whole, weights)
    if real[i, R_CLOCK] - real[i, R_LAST_ORDER] >= reals[at[NEW_VISIT]] and real[i, R_CLOCK] > clock:
        whole[i, W_VISIT] += 1
        real[i, R_LAST_ORDER] = real[i, R_CLOCK]
    if at[BUDGETED] or (phase != whole[i, W_PHASE] and whole[i, W_PHASE] == BOTH):
        refresh_mask(i, at, ints, reals, whole, real, byte, values, mask)
        return
    for m in range(ints[at[MEMBERS_AT] + action], ints[at[MEMBERS_AT] + action + 1]):
        _refresh_after(i, np.int64(ints[at[MEMBERS] + m]), at, ints, reals, whole, real, byte, values, mask)
    if not phase & HISTORY or at[DELAYED]:
        _refresh_ways_out(i, at, whole, mask)


@entry
def step_batch(
    at, ints, reals, cases, start_values, start_mask, start_facts, start_words, seed_key, actions, idle,
    whole, real, byte, values, facts, mask, weights, scratch, core,
    out_facts, out_mask, out_reward, out_components, out_flags, final_facts, final_mask,
):  # fmt: skip
    """One step of every journey.

    actions (n,): an action, or `idle` to leave a journey as it is. Outputs: out_facts (n, P), out_mask (n, A),
    out_reward (n,), out_components (n, 4), out_flags (3, n): terminated, truncated, illegal; final_facts
    (n, P), final_mask (n, A): the last observation and mask of journeys that ended, in same-step mode only. Returns bits: ENDED, IMPOSSIBLE.
    """
    starts = start_values, start_mask, start_facts, start_words
    outcome = 0
    n = actions.shape[0]
    for i in range(n):
        action = actions[i]
        _ask_for_row(min(i + AHEAD, n - 1), at, whole, real, byte, values, facts, mask, weights, out_facts)
        cost = harm = delay = utility = 0.0
        terminated = truncated = illegal = False
        begin = False
        if whole[i, W_DONE]:
            begin = at[AUTORESET] == NEXT_STEP
        elif action != idle:
            whole[i, W_STEP] += 1
            decision = -1
            if action < 0 or action >= at[N_ACTIONS] or not mask[i, action]:
                illegal = True
            elif action >= at[FIRST_DECISION]:
                decision = action - at[FIRST_DECISION]
                terminated = True
            else:
                real[i, R_STEP_COST] = 0.0
                real[i, R_STEP_HARM] = 0.0
                _advance(i, action, at, ints, reals, cases, whole, real, byte, values, facts, mask, weights, scratch)
                cost = -reals[at[WEIGHTS]] * real[i, R_STEP_COST]
                harm = -reals[at[WEIGHTS] + 1] * real[i, R_STEP_HARM]
                if at[TRACKED]:
                    summarise(i, i, at, ints, reals, whole, real, byte, values, weights, scratch)
                    write_belief(i, at, ints, reals, real, scratch, facts)
            write_totals(i, at, reals, whole, real, byte, facts)
            if not terminated and whole[i, W_STEP] >= at[MAX_STEPS]:
                truncated = True
                decision = at[N_DECISIONS]
            if decision >= 0:
                _settle(i, decision, at, ints, reals, cases, whole, real, byte, values, weights, scratch)
                end = E_EXPECTED if at[BY_POSTERIOR] else E_TRUTH
                cost += real[i, end]
                harm += real[i, end + 1]
                delay = real[i, end + 2]
                utility = real[i, end + 3]
                whole[i, W_DONE] = 1
                outcome |= ENDED
            if (at[TRACKED] or at[BY_POSTERIOR]) and whole[i, W_IMPOSSIBLE]:
                outcome |= IMPOSSIBLE
            if decision >= 0 and at[AUTORESET] == SAME_STEP:
                begin = True
                for f in range(facts.shape[1]):
                    final_facts[i, f] = facts[i, f]
                for a in range(mask.shape[1]):
                    final_mask[i, a] = mask[i, a]
        if begin:
            patient = whole[i, W_PATIENT] + at[STRIDE]
            start(
                i, patient, seed_key, at, ints, reals, cases, starts, whole, real, byte, values, facts, mask, weights, scratch, core
            )  # fmt: skip
        for f in range(facts.shape[1]):
            out_facts[i, f] = facts[i, f]
        for a in range(mask.shape[1]):
            out_mask[i, a] = mask[i, a]
        out_components[i, 0] = cost + 0.0  # no negative zeros
        out_components[i, 1] = harm + 0.0
        out_components[i, 2] = delay + 0.0
        out_components[i, 3] = utility + 0.0
        out_reward[i] = cost + harm + delay + utility
        out_flags[0, i] = terminated
        out_flags[1, i] = truncated
        out_flags[2, i] = illegal
    return outcome


@entry
def reset_batch(
    at, ints, reals, cases, start_values, start_mask, start_facts, start_words, seed_key, patients,
    whole, real, byte, values, facts, mask, weights, scratch, core,
):  # fmt: skip
    """Begin the journey of patients[i] in slot i; a negative patient leaves its slot as it is."""
    starts = start_values, start_mask, start_facts, start_words
    for i in range(patients.shape[0]):
        if patients[i] >= 0:
            start(
                i, patients[i], seed_key, at, ints, reals, cases, starts, whole, real, byte, values, facts, mask, weights, scratch, core
            )  # fmt: skip


@entry
def fill_start(i, begin, at, ints, reals, whole, real, byte, values, facts, mask, weights, scratch):
    """Mask, observation and posterior at a start whose known values stand in row i (the engine's template)."""
    whole[i, W_K] = begin * at[PER_START]
    for item in range(at[N_ITEMS]):
        _show_status(i, item, at, ints, reals, whole, byte, facts)
    for o in range(at[N_OBSERVABLES]):
        if values[i, o] != UNKNOWN:
            write_fact(i, o, at, ints, values, facts)
            if ints[at[FACT_WORD] + o] >= 0 and values[i, o] >= 0:
                bit = ints[at[FACT_BIT] + o] + np.int64(values[i, o])
                whole[i, at[WORDS_AT] + ints[at[FACT_WORD] + o]] |= np.int64(1) << bit
    write_totals(i, at, reals, whole, real, byte, facts)
    refresh_mask(i, at, ints, reals, whole, real, byte, values, mask)
    _begin_belief(i, i, at, whole, weights)
    summarise(i, i, at, ints, reals, whole, real, byte, values, weights, scratch)
    if at[SHOW_BELIEF]:
        write_belief(i, at, ints, reals, real, scratch, facts)

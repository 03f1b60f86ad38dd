"""What ending now is worth (rules 8 and 9), by the exact posterior."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np

from workup.envs.engine.by_patient import add_by_patient, add_waiting, anything_by_patient
from workup.envs.engine.exposure import exposures
from workup.envs.engine.late import anything_late, expect_late
from workup.envs.engine.locks import best_unlocked
from workup.envs.engine.numba_options import inlined, jit
from workup.envs.engine.showing import write_belief
from workup.envs.engine.state import (
    ACTED,
    BENEFIT,
    BEST_GBP,
    CLOCK_H,
    DELAY,
    IMPOSSIBLE,
    JOINT,
    LATE_COST,
    LATE_HARM,
    N_POSSIBLE,
    OUTCOMES,
    STATUS,
)
from workup.envs.engine.tracking import joint_weights, rescale
from workup.envs.engine.vectors import LANES, all_of, load, one, plus, store, times
from workup.envs.model.codes import RESULT


@jit
def benefit_of(i, c, world, rows):
    """Rule 9: what the acts done bring to one condition."""
    at, reals = world.at, world.reals
    total = 0.0
    if rows.counts[i, ACTED]:
        for act in range(at.n_investigations, at.n_items):
            if rows.marks[i, STATUS + act] == RESULT:
                total += reals[at.benefit + act * at.n_conditions + c]
    return total


@inlined
def group_profiles(i, low, high, world, rows):
    """Unnormalised weights of hidden states within utility classes low..high of the profiles, conditions apart, to
    `at.grouped`; their sums to `at.weighted`."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    wide, alive, joined = at.wide_hidden, rows.counts[i, N_POSSIBLE], rows.counts[i, JOINT]
    if alive > 1:
        for h in range(low * wide, (high + 1) * wide, LANES):
            store(rows.scratch, at.grouped + h, all_of(0.0))
    for a in range(alive):
        k, p = rows.counts[i, at.possible + a], all_of(belief[at.by_profile + a])
        group, prior, given = (
            at.grouped + ints[at.utility_of_k + k] * wide,
            at.prior + k * at.n_hidden,
            at.given + a * wide,
        )
        for h in range(0, wide, LANES):
            w = times(p, load(rows.scratch, given + h) if joined else load(reals, prior + h))
            if alive > 1:
                w = plus(load(rows.scratch, group + h), w)
            store(rows.scratch, group + h, w)
    told = rows.counts[i, at.told]
    for h in range(0, wide, LANES):
        total = all_of(0.0)
        for u in range(low, high + 1):
            w = load(rows.scratch, at.grouped + u * wide + h)
            if told:
                w = times(w, load(belief, at.by_hidden + h))
                store(rows.scratch, at.grouped + u * wide + h, w)
            total = plus(total, w)
        store(rows.scratch, at.weighted + h, total)


@inlined
def by_condition(source, target, factors, scale, world, rows):
    """In scratch, to target: the source of each hidden state times the scaled factor of its condition."""
    at = world.at
    size = at.n_hidden // at.n_conditions
    for c in range(at.n_conditions):
        factor = all_of(factors[c] * scale)
        for h in range(c * size, c * size + size, LANES):
            store(rows.scratch, target + h, times(load(rows.scratch, source + h), factor))


@inlined
def weigh(i, low, high, world, rows):
    """Unnormalised weights into `scratch`: of hidden states from 0, within utility classes low..high of the profiles from
    `at.grouped`, of conditions behind `at.chances`. Returns their sum."""
    at = world.at
    if rows.counts[i, JOINT]:
        joint_weights(i, world, rows)
    group_profiles(i, low, high, world, rows)
    n_conditions, sums = at.n_conditions, at.chances + at.wide_conditions
    by_condition(at.weighted, np.int64(0), rows.weights[i * at.tracked], 1.0, world, rows)
    size = at.n_hidden // n_conditions
    for c in range(0, n_conditions, LANES):  # four side by side: each sum waits for its last term
        p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
        first = c * size
        for h in range(first, first + size):
            p0 += one(rows.scratch, h)
            p1 += one(rows.scratch, h + size)
            p2 += one(rows.scratch, h + 2 * size)
            p3 += one(rows.scratch, h + 3 * size)
        rows.scratch[sums + c], rows.scratch[sums + c + 1] = p0, p1
        rows.scratch[sums + c + 2], rows.scratch[sums + c + 3] = p2, p3
    total = 0.0
    for c in range(n_conditions):
        total += rows.scratch[sums + c]
    return total


@inlined
def weigh_all(i, wanted, world, rows):
    """Unnormalised weights of possible profiles with hidden states, to `at.weighed`: of all conditions, or where not all are
    wanted of those in which waiting differs by patient."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    for a in range(rows.counts[i, N_POSSIBLE]):
        target, p = at.weighed + a * at.wide_hidden, all_of(belief[at.by_profile + a])
        given, prior = at.given + a * at.wide_hidden, at.prior + rows.counts[i, at.possible + a] * at.n_hidden
        size = at.n_hidden // at.n_conditions
        for c in range(at.n_conditions):
            if not (wanted or ints[at.waits_in + c]):
                continue
            factor = all_of(belief[c])
            for h in range(c * size, c * size + size, LANES):
                w = factor
                if rows.counts[i, at.told]:
                    w = times(w, load(belief, at.by_hidden + h))
                w = times(w, p)
                joint = load(rows.scratch, given + h) if rows.counts[i, JOINT] else load(reals, prior + h)
                store(rows.scratch, target + h, times(w, joint))


@jit
def spread_progressed(i, u, scale, world, rows):
    """Weights of classes of hidden states within profile class u to `at.by_class`, where conditions may have progressed."""
    at, ints = world.at, world.ints
    belief = rows.weights[i * at.tracked]
    group, size = at.grouped + u * at.wide_hidden, at.n_hidden // at.n_conditions
    by_class = rows.scratch[at.by_class : at.by_class + at.n_utility_h]
    by_class[:] = 0.0
    h = 0
    for c in range(at.n_conditions):
        chance, p = rows.scratch[at.chances + c], belief[c] * scale
        for _ in range(size):
            w = rows.scratch[group + h] * p
            by_class[ints[at.utility_of_h + h]] += w * (1.0 - chance)
            if chance > 0.0:
                by_class[ints[at.utility_of_h + ints[at.worse_state + h]]] += w * chance
            h += 1


@inlined
def spread(i, u, scale, world, rows):
    """Weights of classes of hidden states within profile class u to `at.by_class`."""
    at, ints = world.at, world.ints
    by_condition(at.grouped + u * at.wide_hidden, at.weighted, rows.weights[i * at.tracked], scale, world, rows)
    none = at.weighted - 1
    rows.scratch[none] = 0.0
    for q in range(at.n_utility_h // LANES):
        w0, w1, w2, w3 = 0.0, 0.0, 0.0, 0.0
        for m in range(ints[at.class_at + q], ints[at.class_at + q + 1]):
            member = at.class_member + m * LANES
            w0 += one(rows.scratch, none + one(ints, member))
            w1 += one(rows.scratch, none + one(ints, member + 1))
            w2 += one(rows.scratch, none + one(ints, member + 2))
            w3 += one(rows.scratch, none + one(ints, member + 3))
        four = at.by_class + q * LANES
        rows.scratch[four], rows.scratch[four + 1] = w0, w1
        rows.scratch[four + 2], rows.scratch[four + 3] = w2, w3


@inlined
def add_utilities(u, world, rows):
    """Add to `at.utilities` those of each decision within profile class u, at the weights of `at.by_class`."""
    at, reals = world.at, world.reals
    n_classes, width = at.n_utility_h, at.wide_decisions
    for d in range(0, width, LANES):
        utility = load(rows.scratch, at.utilities + d)
        for q in range(0, n_classes, LANES):
            w, cell = at.by_class + q, at.utility + (u * n_classes + q) * width + d
            four = times(all_of(rows.scratch[w]), load(reals, cell))
            four = plus(four, times(all_of(rows.scratch[w + 1]), load(reals, cell + width)))
            four = plus(four, times(all_of(rows.scratch[w + 2]), load(reals, cell + 2 * width)))
            four = plus(four, times(all_of(rows.scratch[w + 3]), load(reals, cell + 3 * width)))
            utility = plus(utility, four)
        store(rows.scratch, at.utilities + d, utility)


@inlined
def pass_time(i, scale, world, rows):
    """Posterior of the conditions, DELAY and BENEFIT into the journey's row, chances of progression to `at.chances`.
    Returns whether any is positive."""
    at, ints, reals = world.at, world.ints, world.reals
    acted, progresses = rows.counts[i, ACTED], False
    delay, benefit = 0.0, 0.0
    sums, posterior = at.chances + at.wide_conditions, rows.amounts[i][at.posterior :]
    if not acted and not at.progresses:
        clock, by, terms = all_of(rows.amounts[i, CLOCK_H]), all_of(scale), at.weighted
        for c in range(0, at.n_conditions, LANES):
            p = times(load(rows.scratch, sums + c), by)
            store(rows.scratch, sums + c, p)
            store(rows.scratch, terms + c, times(times(p, load(reals, at.waiting_cost + c)), clock))
        for c in range(at.n_conditions):
            posterior[c] = one(rows.scratch, sums + c)
        for c in range(at.n_conditions):
            delay += one(rows.scratch, terms + c)
        rows.amounts[i, at.expected + DELAY], rows.amounts[i, at.expected + BENEFIT] = delay, 0.0
        return False
    for c in range(at.n_conditions):
        p = rows.scratch[sums + c] * scale
        posterior[c] = p
        waited, progressed = exposures(i, c, world, rows)
        delay += p * reals[at.waiting_cost + c] * waited
        worse, chance = ints[at.progresses_to + c], 0.0
        if worse >= 0:
            chance = 1.0 - math.exp(-reals[at.progression_rate + c] * progressed)
        rows.scratch[at.chances + c] = chance
        progresses |= chance > 0.0
        if acted:
            benefit += p * (1.0 - chance) * benefit_of(i, c, world, rows)
            if chance > 0.0:
                benefit += p * chance * benefit_of(i, worse, world, rows)
    rows.amounts[i, at.expected + DELAY], rows.amounts[i, at.expected + BENEFIT] = delay, benefit
    return progresses


@jit
def summarise(i, world, rows):
    """Posterior expectations of ending now, into the journey's row.

    Into amounts: the posterior of the conditions, the reward of the best decision and, from `at.expected`, LATE_COST,
    LATE_HARM, DELAY, BENEFIT and from OUTCOMES on the utility of each decision and of truncation. Into the observation, if it
    shows the belief, that.
    """
    at, ints, reals = world.at, world.ints, world.reals
    expected = at.expected
    low, high = at.n_utility_k, np.int64(-1)
    for a in range(rows.counts[i, N_POSSIBLE]):
        u = ints[at.utility_of_k + rows.counts[i, at.possible + a]]
        low, high = min(low, u), max(high, u)
    total = 0.0
    for trial in range(2):
        total = weigh(i, low, high, world, rows)
        if not total > 0.0:
            rows.counts[i, IMPOSSIBLE] = 1
            return
        if total >= 1e-30 or trial:
            break
        rescale(i, world, rows)
    scale = 1.0 / total
    for h in range(0, at.wide_hidden, LANES):
        store(rows.scratch, h, times(load(rows.scratch, h), all_of(scale)))
    progresses = pass_time(i, scale, world, rows)
    for d in range(0, at.wide_decisions, LANES):
        store(rows.scratch, at.utilities + d, all_of(0.0))
    for u in range(low, high + 1):
        if progresses:
            spread_progressed(i, u, scale, world, rows)
        else:
            spread(i, u, scale, world, rows)
        add_utilities(u, world, rows)
    utility = rows.amounts[i][expected + OUTCOMES :]
    for d in range(at.n_decisions + 1):
        utility[d] = rows.scratch[at.utilities + d]
    rows.amounts[i, expected + LATE_COST], rows.amounts[i, expected + LATE_HARM] = 0.0, 0.0
    late, by_patient = anything_late(i, world, rows), at.differs and anything_by_patient(i, world, rows)
    if late or by_patient or at.waits:
        weigh_all(i, late or by_patient, world, rows)
    if late:
        cost, harm = expect_late(i, scale, world, rows)
        rows.amounts[i, expected + LATE_COST], rows.amounts[i, expected + LATE_HARM] = cost, harm
    if at.waits:
        add_waiting(i, scale, world, rows)
    if by_patient:
        add_by_patient(i, scale, world, rows)
    best = best_unlocked(i, world, rows)
    rows.scratch[at.utilities + 2 * at.wide_decisions] = best
    rows.amounts[i, BEST_GBP] = (
        reals[at.weights + 3] * (best + rows.amounts[i, expected + BENEFIT])
        - reals[at.weights] * rows.amounts[i, expected + LATE_COST]
        - reals[at.weights + 1] * rows.amounts[i, expected + LATE_HARM]
        - reals[at.weights + 2] * rows.amounts[i, expected + DELAY]
    )
    if at.show_belief:
        write_belief(i, world, rows)

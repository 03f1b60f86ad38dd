"""What ending now is worth (rules 8 and 9), by the exact posterior."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np

from oracle.by_patient import add_by_patient
from oracle.exposure import exposures
from oracle.locks import best_unlocked
from oracle.state import (
    ACTED,
    BENEFIT,
    BEST_GBP,
    DELAY,
    IMPOSSIBLE,
    JOINT,
    LATE_COST,
    LATE_HARM,
    N_POSSIBLE,
    OUTCOMES,
    STATUS,
)
from oracle.tracking import rescale, weight_of
from workup.envs.engine.numba_options import inlined, jit
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
            for h in range(n_hidden):
                w = scale * charged * weight_of(i, a, h, world, rows)
                cost += w * reals[at.late_cost + cell + h]
                harm += w * reals[at.late_harm + cell + h]
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
                w = scale * weight_of(i, a, h, world, rows)
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


@inlined
def weigh(i, low, high, world, rows):
    """Unnormalised weights into `scratch`: of hidden states, and of these within utility classes low..high of the
    profiles; of conditions into the journey's posterior. Returns their sum."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_hidden, n_conditions = at.n_hidden, at.n_conditions
    profiles, joint = at.by_profile, at.by_both
    rows.scratch[(low + 1) * n_hidden : (high + 2) * n_hidden] = 0.0
    for a in range(rows.counts[i, N_POSSIBLE]):
        k, p = rows.counts[i, at.possible + a], belief[profiles + a]
        group = rows.scratch[
            (ints[at.utility_of_k + k] + 1) * n_hidden : (ints[at.utility_of_k + k] + 1) * n_hidden + n_hidden
        ]
        if rows.counts[i, JOINT]:
            given = belief[joint + a * n_hidden : joint + a * n_hidden + n_hidden]
        else:
            given = reals[at.prior + k * n_hidden : at.prior + k * n_hidden + n_hidden]
        for h in range(n_hidden):
            group[h] += p * given[h]
    marginal, by_hidden = rows.scratch[:n_hidden], belief[at.by_hidden : at.by_profile]
    marginal[:] = 0.0
    for u in range(low, high + 1):
        group = rows.scratch[(u + 1) * n_hidden : (u + 1) * n_hidden + n_hidden]
        for h in range(n_hidden):
            group[h] *= by_hidden[h]
            marginal[h] += group[h]
    total = 0.0
    size = n_hidden // n_conditions
    h = 0
    for c in range(n_conditions):
        p = 0.0
        for _ in range(size):
            marginal[h] *= belief[c]
            p += marginal[h]
            h += 1
        rows.amounts[i, at.posterior + c] = p
        total += p
    return total


@inlined
def add_utilities(i, u, scale, chances, world, rows):
    """Add the utility of each decision within profile class u, at the posterior weight of its classes of hidden states
    and progression at its chance. chances: where in scratch these begin."""
    at, ints, reals = world.at, world.ints, world.reals
    belief = rows.weights[i * at.tracked]
    n_hidden, n_conditions, n_classes, width = at.n_hidden, at.n_conditions, at.n_utility_h, at.n_decisions + 1
    size = n_hidden // n_conditions
    group = rows.scratch[(u + 1) * n_hidden : (u + 1) * n_hidden + n_hidden]
    class_of = ints[at.utility_of_h : at.utility_of_h + n_hidden]
    progressed = ints[at.worse_state : at.worse_state + n_hidden]
    by_class = rows.scratch[chances + n_conditions : chances + n_conditions + n_classes]
    by_class[:] = 0.0
    h = 0
    for c in range(n_conditions):
        chance, p = rows.scratch[chances + c], belief[c] * scale
        for _ in range(size):
            by_class[class_of[h]] += group[h] * p * (1.0 - chance)
            if chance > 0.0:
                by_class[class_of[progressed[h]]] += group[h] * p * chance
            h += 1
    utility = rows.amounts[i][at.expected + OUTCOMES : at.expected + OUTCOMES + width]
    for q in range(0, n_classes, 4):  # tables are padded to fours: four classes share one pass over the decisions
        w0, w1, w2, w3 = by_class[q], by_class[q + 1], by_class[q + 2], by_class[q + 3]
        cell = at.utility + (u * n_classes + q) * width
        u0, u1 = reals[cell : cell + width], reals[cell + width : cell + 2 * width]
        u2, u3 = reals[cell + 2 * width : cell + 3 * width], reals[cell + 3 * width : cell + 4 * width]
        for d in range(width):
            utility[d] += w0 * u0[d] + w1 * u1[d] + w2 * u2[d] + w3 * u3[d]


@jit
def summarise(i, world, rows):
    """Posterior expectations of ending now, into the journey's row.

    Into amounts: the posterior of the conditions, the reward of the best decision and, from `at.expected`, LATE_COST,
    LATE_HARM, DELAY, BENEFIT and from OUTCOMES on the utility of each decision and of truncation. Into scratch: first the
    marginal of each hidden state, last the chance of each condition's progression.
    """
    at, ints, reals = world.at, world.ints, world.reals
    n_hidden, expected = at.n_hidden, at.expected
    low, high = at.n_utility_k, np.int64(-1)
    for a in range(rows.counts[i, N_POSSIBLE]):
        u = ints[at.utility_of_k + rows.counts[i, at.possible + a]]
        low, high = min(low, u), max(high, u)
    total = weigh(i, low, high, world, rows)
    if not total > 0.0:
        rows.counts[i, IMPOSSIBLE] = 1
        return
    if total < 1e-30:
        rescale(i, world, rows)
        total = weigh(i, low, high, world, rows)
    scale = 1.0 / total
    rows.amounts[i, expected : expected + OUTCOMES + at.n_decisions + 1] = 0.0
    marginal = rows.scratch[:n_hidden]
    for h in range(n_hidden):
        marginal[h] *= scale
    acted = rows.counts[i, ACTED]
    delay, benefit = 0.0, 0.0
    chances = (at.n_utility_k + 1) * n_hidden
    for c in range(at.n_conditions):
        rows.amounts[i, at.posterior + c] *= scale
        p = rows.amounts[i, at.posterior + c]
        waited, progressed = exposures(i, c, world, rows)
        delay += p * reals[at.waiting_cost + c] * waited
        worse, chance = ints[at.progresses_to + c], 0.0
        if worse >= 0:
            chance = 1.0 - math.exp(-reals[at.progression_rate + c] * progressed)
        rows.scratch[chances + c] = chance
        if acted:
            benefit += p * (1.0 - chance) * benefit_of(i, c, world, rows)
            if chance > 0.0:
                benefit += p * chance * benefit_of(i, worse, world, rows)
    rows.amounts[i, expected + DELAY], rows.amounts[i, expected + BENEFIT] = delay, benefit
    for u in range(low, high + 1):
        add_utilities(i, u, scale, chances, world, rows)
    if anything_late(i, world, rows):
        cost, harm = expect_late(i, scale, world, rows)
        rows.amounts[i, expected + LATE_COST], rows.amounts[i, expected + LATE_HARM] = cost, harm
    if at.differs:
        add_by_patient(i, scale, world, rows)
    best = rows.amounts[i, expected + OUTCOMES]
    for d in range(1, at.n_decisions):
        best = max(best, rows.amounts[i, expected + OUTCOMES + d])
    if at.locked:
        best = best_unlocked(i, world, rows)
    rows.amounts[i, BEST_GBP] = (
        reals[at.weights + 3] * (best + benefit)
        - reals[at.weights] * rows.amounts[i, expected + LATE_COST]
        - reals[at.weights + 1] * rows.amounts[i, expected + LATE_HARM]
        - reals[at.weights + 2] * rows.amounts[i, expected + DELAY]
    )

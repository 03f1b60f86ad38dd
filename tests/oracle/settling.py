"""The end of a journey (rule 9): what it charges, by the patient's own state and by the posterior."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from oracle.by_patient import benefit_by_truth, feared_loss, waiting_rate
from oracle.draws import true_value
from oracle.exposure import exposures, progression_chance_of
from oracle.state import (
    ACTED,
    BENEFIT,
    CLOCK_H,
    COST_GBP,
    DOSE_MSV,
    END_BY_POSTERIOR,
    END_BY_TRUTH,
    HIDDEN,
    KEY,
    LAST_CLOCK_H,
    LAST_COST_GBP,
    LAST_DECISION,
    LAST_DOSE_MSV,
    LAST_HIDDEN,
    LAST_KEY,
    LAST_PATIENT,
    LAST_PROFILE,
    LAST_STEP,
    LAST_TESTS,
    OUTCOMES,
    PATIENT,
    PROFILE,
    STEP,
    TESTS,
)
from oracle.tracking import replay_belief
from oracle.worth import benefit_of, summarise
from workup.envs.engine.numba_options import inlined


@inlined
def settle_truth(i, d, world, rows):
    """Rule 9 by the patient's own state: (4,) late cost, late harm, delay and utility into END_BY_TRUTH, weighted."""
    at, ints, reals = world.at, world.ints, world.reals
    k, h = rows.counts[i, PROFILE], rows.counts[i, HIDDEN]
    c = ints[at.condition_of + h]
    width = at.n_decisions + 1
    waited = exposures(i, c, world, rows)[0]
    chance = 0.0
    if ints[at.progresses_to + c] >= 0:
        chance = progression_chance_of(i, c, world, rows)
    row = at.utility + ints[at.utility_of_k + k] * at.n_utility_h * width + d
    utility = reals[row + ints[at.utility_of_h + h] * width]
    if rows.counts[i, ACTED]:
        utility += benefit_of(i, c, world, rows)
    if chance > 0.0:
        worse = reals[row + ints[at.utility_of_h + ints[at.worse_state + h]] * width]
        worse += benefit_of(i, ints[at.progresses_to + c], world, rows)
        utility = (1.0 - chance) * utility + chance * worse
    cost, harm = 0.0, 0.0
    for late in range(at.n_late):
        charged = rows.marks[i, at.charged + ints[at.late + late]]
        if charged:
            cell = (late * at.n_profiles + k) * at.n_hidden + h
            cost += charged * reals[at.late_cost + cell]
            harm += charged * reals[at.late_harm + cell]
    for x in range(at.n_contraindications):
        count = rows.marks[i, at.feared + x]
        if count:
            o = np.int64(ints[at.contra_observable + x])
            v = true_value(i, o, world, rows)
            if ints[at.contra_bad + x * at.n_values + v]:
                harm += count * reals[at.contra_loss + x]
    if at.differs:
        utility += benefit_by_truth(i, d, k, h, chance, world, rows)
        harm += feared_loss(i, k, h, world, rows)
    rows.amounts[i, END_BY_TRUTH] = -reals[at.weights] * cost
    rows.amounts[i, END_BY_TRUTH + 1] = -reals[at.weights + 1] * harm
    rows.amounts[i, END_BY_TRUTH + 2] = -reals[at.weights + 2] * reals[at.waiting_cost + c] * waited
    if at.differs:
        rows.amounts[i, END_BY_TRUTH + 2] -= reals[at.weights + 2] * waiting_rate(k, h, world) * waited
    rows.amounts[i, END_BY_TRUTH + 3] = reals[at.weights + 3] * utility


@inlined
def settle(i, d, world, rows):
    """Rule 9: charge the end, by truth always and by the posterior where it is wanted."""
    at, reals = world.at, world.reals
    settle_truth(i, d, world, rows)
    if at.tracked or at.by_posterior:
        if not at.tracked:
            replay_belief(i, world, rows)
            summarise(i, world, rows)
        expected = at.expected
        for part in range(3):
            rows.amounts[i, END_BY_POSTERIOR + part] = -reals[at.weights + part] * rows.amounts[i, expected + part]
        rows.amounts[i, END_BY_POSTERIOR + 3] = reals[at.weights + 3] * (
            rows.amounts[i, expected + OUTCOMES + d] + rows.amounts[i, expected + BENEFIT]
        )
    rows.counts[i, LAST_PATIENT] = rows.counts[i, PATIENT]
    rows.counts[i, LAST_KEY] = rows.counts[i, KEY]
    rows.counts[i, LAST_PROFILE] = rows.counts[i, PROFILE]
    rows.counts[i, LAST_HIDDEN] = rows.counts[i, HIDDEN]
    rows.counts[i, LAST_STEP] = rows.counts[i, STEP]
    rows.counts[i, LAST_TESTS] = rows.counts[i, TESTS]
    rows.counts[i, LAST_DECISION] = d if d < at.n_decisions else -1
    rows.amounts[i, LAST_CLOCK_H] = rows.amounts[i, CLOCK_H]
    rows.amounts[i, LAST_COST_GBP] = rows.amounts[i, COST_GBP]
    rows.amounts[i, LAST_DOSE_MSV] = rows.amounts[i, DOSE_MSV]
    kept = at.feared + at.n_contraindications
    charged, reported = rows.marks[i][at.charged : at.treated], rows.marks[i][kept : kept + at.n_items]
    for item in range(at.n_items):
        reported[item] = charged[item]

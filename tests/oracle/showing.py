"""What is shown: facts, statuses, totals and the belief, written into the observation as they change."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np

from oracle.state import (
    CLOCK_H,
    COST_GBP,
    DOSE_MSV,
    N_PENDING,
    OUTCOMES,
    STATUS,
    STEP,
    TESTS,
    VISIT,
)
from workup.envs.engine.numba_options import inlined, jit
from workup.envs.engine.observation import BINARY, LEVEL, REGRET_SCALE_GBP
from workup.envs.model.codes import FAILED, PENDING


@inlined
def write_fact(i, o, world, rows):
    """Show one revealed observable."""
    at, ints = world.at, world.ints
    v = np.int64(rows.values[i, o])
    slot = ints[at.fact_slot + o]
    kind = ints[at.fact_kind + o]
    n = ints[at.values_of + o]
    if kind == BINARY:
        rows.facts[i, slot] = 0.0 if v < 0 else (1.0 if v == n - 1 else -1.0)
    elif kind == LEVEL:
        rows.facts[i, slot] = 0.0 if v < 0 else 1.0
        rows.facts[i, slot + 1] = 0.0 if v < 0 else v / (n - 1.0)
    else:
        for j in range(n):
            rows.facts[i, slot + j] = 1.0 if v == j else 0.0


@inlined
def note_facts(i, item, world, rows):
    """Set the bits of what an item revealed and a rule looks at."""
    at, ints = world.at, world.ints
    n_words = at.n_words
    lists = at.ruled_at + item * n_words
    for word in range(n_words):
        noted = np.int64(0)
        for r in range(ints[lists + word], ints[lists + word + 1]):
            v = np.int64(rows.values[i, ints[at.ruled + r]])
            noted |= np.int64(v >= 0) << (ints[at.ruled_bit + r] + max(v, 0))
        rows.counts[i, at.words + word] |= noted


@inlined
def show_status(i, item, world, rows):
    """Show what became of an order, and set the bit that rules look at."""
    at, ints, reals = world.at, world.ints, world.reals
    status = np.int64(rows.marks[i, STATUS + item])
    if ints[at.status_word + item] >= 0:
        word, bit = at.words + ints[at.status_word + item], ints[at.status_bit + item]
        rows.counts[i, word] = (rows.counts[i, word] & ~(np.int64(31) << bit)) | (np.int64(1) << (bit + status))
    level = reals[at.status_level + status]
    if status == FAILED:
        level *= rows.marks[i, at.failures + item] / ints[at.attempts + item]
    rows.facts[i, ints[at.status_slot + item]] = level


@inlined
def write_totals(i, world, rows):
    """Show clock, spend, dose, tests, visit and step."""
    at, reals = world.at, world.reals
    clock = rows.amounts[i, CLOCK_H]
    wait = 0.0
    if rows.counts[i, N_PENDING] > 0:
        wait = np.inf
        for item in range(at.n_items):
            if rows.marks[i, STATUS + item] == PENDING:
                wait = min(wait, rows.amounts[i, at.due_h + item] - clock)
    totals, scale = rows.facts[i][at.totals_slot : at.totals_slot + 7], reals[at.scale : at.scale + 7]
    cost, dose = rows.amounts[i, COST_GBP], rows.amounts[i, DOSE_MSV]
    tests, earlier, step = rows.counts[i, TESTS], rows.counts[i, VISIT] - 1, rows.counts[i, STEP]
    totals[0] = clock / (clock + scale[0])
    totals[1] = wait / (wait + scale[1]) if wait > 0.0 else 0.0
    totals[2] = cost / (cost + scale[2])
    totals[3] = dose / (dose + scale[3]) if dose > 0.0 else 0.0
    totals[4] = tests / (tests + scale[4]) if tests > 0 else 0.0
    totals[5] = earlier / (earlier + scale[5]) if earlier > 0 else 0.0
    totals[6] = step / (step + scale[6])


@jit
def write_belief(i, world, rows):
    """The belief part of the observation, from what `summarise` left."""
    at, ints, reals = world.at, world.ints, world.reals
    n_decisions, n_hidden, n_conditions = at.n_decisions, at.n_hidden, at.n_conditions
    for c in range(n_conditions):
        rows.facts[i, at.condition_slot + c] = rows.amounts[i, at.posterior + c]
    size, slot, sums = n_hidden // n_conditions, at.marginal_slot, n_hidden
    for j in range(size):  # the other hidden variables alone: the condition varies slowest
        rows.scratch[sums + j] = 0.0
    for c in range(n_conditions):
        for j in range(size):
            rows.scratch[sums + j] += rows.scratch[c * size + j]
    for f in range(at.n_marginals):
        rows.facts[i, slot + f] = 0.0
    for variable in range(at.n_others):
        for j in range(size):
            f = ints[at.marginal_of + variable * n_hidden + j]
            if f >= 0:
                rows.facts[i, slot + f] += rows.scratch[sums + j]
    for f in range(at.n_marginals):
        rows.facts[i, slot + f] = min(rows.facts[i, slot + f], np.float32(1.0))
    utility = at.expected + OUTCOMES
    best = rows.amounts[i, utility]
    for d in range(1, n_decisions):
        best = max(best, rows.amounts[i, utility + d])
    low, span = reals[at.utility_range], reals[at.utility_range + 1]
    unit = 1.0 / math.log1p(span / REGRET_SCALE_GBP)
    for d in range(n_decisions):
        rows.facts[i, at.regret_slot + d] = (
            -math.log(1.0 + (best - rows.amounts[i, utility + d]) / REGRET_SCALE_GBP) * unit
        )
    rows.facts[i, at.regret_slot + n_decisions] = (best - low) / span

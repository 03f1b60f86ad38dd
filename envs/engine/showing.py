"""What is shown: facts, statuses, totals and the belief, written into the observation as they change."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from workup.envs.engine.numba_options import inlined
from workup.envs.engine.observation import BINARY, LEVEL, REGRET_SCALE_GBP
from workup.envs.engine.state import (
    CLOCK_H,
    COST_GBP,
    DOSE_MSV,
    N_PENDING,
    STATUS,
    TESTS,
    VISIT,
)
from workup.envs.engine.vectors import (
    LANES,
    all_of,
    below_two,
    load,
    log_of,
    minus,
    one,
    plus,
    signed_as,
    size_of,
    store,
    times,
)
from workup.envs.model.codes import FAILED, NOT_ORDERED, PENDING, REFUSED, RESULT


@inlined
def write_fact(i, o, world, rows):
    """Show one revealed observable."""
    at, ints = world.at, world.ints
    v, codes = np.int64(rows.values[i, o]), rows.codes[i]
    slot, kind, n = np.uint64(ints[at.fact_slot + o]), ints[at.fact_kind + o], ints[at.values_of + o]
    if kind == BINARY:
        codes[slot] = 0 if v < 0 else (1 if v == n - 1 else -1)
    elif kind == LEVEL:
        codes[slot] = v >= 0
        codes[slot + np.uint64(1)] = max(v, 0)
    else:
        for j in range(n):
            codes[slot + np.uint64(j)] = v == j


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
    """Show what became of an order, and set the bits that rules and legality look at."""
    at, ints = world.at, world.ints
    status, failures = np.int64(rows.marks[i, STATUS + item]), np.int64(rows.marks[i, at.failures + item])
    attempts = ints[at.attempts + item]
    if ints[at.status_word + item] >= 0:
        word, bit = at.words + ints[at.status_word + item], ints[at.status_bit + item]
        rows.counts[i, word] = (rows.counts[i, word] & ~(np.int64(31) << bit)) | (np.int64(1) << (bit + status))
    fresh, again, place = at.fresh + (item >> 6), at.again + (item >> 6), item & 63
    own = np.int64(1) << place
    rows.counts[i, fresh] = (rows.counts[i, fresh] & ~own) | np.int64(status == NOT_ORDERED) << place
    open_again = status == FAILED and failures < attempts
    rows.counts[i, again] = (rows.counts[i, again] & ~own) | np.int64(open_again) << place
    level = np.int64(0)  # of twice the tries: see `observation.STATUS_LEVELS`
    if status == RESULT:
        level = 2 * attempts
    elif status == FAILED:
        level = -failures
    elif status == PENDING:
        level = attempts
    elif status == REFUSED:
        level = -2 * attempts
    rows.codes[i, ints[at.status_slot + item]] = level


@inlined
def write_totals(i, world, rows):
    """Show clock, spend, dose, tests and visit; a step shows its own number."""
    at, reals = world.at, world.reals
    clock, wait = rows.amounts[i, CLOCK_H], 0.0
    if rows.counts[i, N_PENDING] > 0:
        wait = np.inf
        for item in range(at.n_items):
            if rows.marks[i, STATUS + item] == PENDING:
                wait = min(wait, rows.amounts[i, at.due_h + item] - clock)
    totals, scale = rows.scratch[:6], reals[at.scale : at.scale + 6]
    totals[0], totals[1], totals[2], totals[3] = clock, wait, rows.amounts[i, COST_GBP], rows.amounts[i, DOSE_MSV]
    totals[4], totals[5] = rows.counts[i, TESTS], rows.counts[i, VISIT] - 1
    shown = rows.shown[i]
    for total in range(6):
        shown[total] = totals[total] / (totals[total] + scale[total])


@inlined
def hand_out_facts(i, j, world, units, rows, facts, mask):
    """Observation and mask of journey i into row j of facts and mask."""
    at, ints = world.at, world.ints
    codes, to, shown = rows.codes[i], facts[j], rows.shown[i]
    for f in range(units.shape[0]):
        to[f] = np.float32(codes[f]) * units[f]
    for q in range(at.n_odd):
        f = ints[at.odd + q]
        to[f] = np.float32(codes[f] / ints[at.odd_parts + q])
    late = to[at.totals_slot :]
    for f in range(late.shape[0]):
        late[f] = shown[f]
    allowed = mask[j]
    for w in range(at.n_action_words):
        word, some = rows.counts[i, at.legal + w], allowed[64 * w : 64 * w + 64]
        for a in range(some.shape[0]):
            some[a] = word >> a & 1


@inlined
def write_marginals(i, world, rows):
    """Show the marginals of the hidden variables beside the condition, from those of hidden states."""
    at, ints = world.at, world.ints
    size, sums, slot = at.n_hidden // at.n_conditions, at.weighted, at.marginal_slot
    for j in range(0, size, LANES):  # the condition varies slowest; what runs over the end is not read
        of_others = all_of(0.0)
        for c in range(at.n_conditions):
            of_others = plus(of_others, load(rows.scratch, c * size + j))
        store(rows.scratch, sums + j, of_others)
    for f in range(at.n_marginals):
        rows.shown[i, slot + f] = 0.0
    for j in range(size):
        for variable in range(at.n_others):
            f = ints[at.marginal_of + variable * at.n_hidden + j]
            if f >= 0:
                rows.shown[i, slot + f] += rows.scratch[sums + j]
    for f in range(at.n_marginals):
        rows.shown[i, slot + f] = min(rows.shown[i, slot + f], np.float32(1.0))


@inlined
def write_regrets(i, world, rows):
    """Show regrets against the best decision that is not locked: signed, for a locked one may be better."""
    at, reals = world.at, world.reals
    low, span, unit = reals[at.utility_range], reals[at.utility_range + 1], all_of(reals[at.utility_range + 2])
    best, unity, each = rows.scratch[at.utilities + 2 * at.wide_decisions], all_of(1.0), all_of(1.0 / REGRET_SCALE_GBP)
    regrets = at.utilities + at.wide_decisions
    for d in range(0, at.wide_decisions, LANES):
        regret = minus(all_of(best), load(rows.scratch, at.utilities + d))
        x = times(size_of(regret), each)
        y = plus(unity, x)
        log = log_of(y)
        if at.locked:  # log1p: what of a small regret is lost in 1 + x is added
            log = plus(log, below_two(minus(x, minus(y, unity)), y))
        store(rows.scratch, regrets + d, times(signed_as(log, regret), unit))
    shown = rows.shown[i][at.regret_slot :]
    for d in range(at.n_decisions):
        shown[d] = -one(rows.scratch, regrets + d)
    rows.shown[i, at.regret_slot + at.n_decisions] = (best - low) / span


@inlined
def write_belief(i, world, rows):
    """The belief part of the observation, from what `summarise` left."""
    at = world.at
    shown, posterior = rows.shown[i][at.condition_slot :], rows.amounts[i][at.posterior :]
    for c in range(at.n_conditions):
        shown[c] = posterior[c]
    write_marginals(i, world, rows)
    write_regrets(i, world, rows)

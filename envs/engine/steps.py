"""Steps of a batch: one pass takes each of its journeys through one. What Python calls is here, and only here.

The entries take the arrays one by one, because a jitted call costs less so, and tie them in bundles for the parts:
`world` (`workup.envs.engine.tables.Packed`) and `rows` (`workup.envs.engine.state.Rows`). Do not give a local variable
such a name anywhere in the kernel: numba gives one type to all that bears a name.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.draws import draw_patient
from workup.envs.engine.legality import is_legal, refresh_mask
from workup.envs.engine.numba_options import entry, inlined, prefetch
from workup.envs.engine.orders import place_orders, report, take_plain
from workup.envs.engine.places import places_of
from workup.envs.engine.settings import NEXT_STEP, SAME_STEP
from workup.envs.engine.settling import settle
from workup.envs.engine.showing import hand_out_facts, show_status, write_fact, write_totals
from workup.envs.engine.state import (
    ACTED,
    BEST_GBP,
    CLOCK_H,
    DONE,
    END_BY_POSTERIOR,
    END_BY_TRUTH,
    IMPOSSIBLE,
    KEY,
    LAST_CLOCK_H,
    LAST_PATIENT,
    LINE,
    N_AMOUNTS,
    N_COUNTS,
    N_PENDING,
    ORDERED_H,
    OUTCOMES,
    PATIENT,
    PROFILE,
    SEED,
    STATUS,
    STEP,
    STEP_COST_GBP,
    STEP_HARM_GBP,
    STRIDE,
    VISIT,
    Rows,
)
from workup.envs.engine.tables import Packed, Starts
from workup.envs.engine.tracking import begin_belief, believe_status
from workup.envs.engine.worth import summarise
from workup.envs.model.codes import PENDING, UNKNOWN
from workup.envs.model.randomness import patient_key, seed_key

AHEAD = 3
"""How many journeys ahead their rows are asked for."""
NEAR = 128
"""So many rows lie in near caches anyway."""
NOT_NEGATIVE = 0x7FFFFFFFFFFFFFFF
"""All bits but the sign: what the compiler knows to be no place counted from the end takes a tenth off a step."""
SOME_ENDED, SOME_IMPOSSIBLE = 1, 2
"""What `step_batch` tells of a batch, as bits."""


class Out(NamedTuple):
    """Where a step writes what it gives: `workup.envs.engine.types.Results`, row j for the j-th journey stepped."""

    facts: NDArray[np.float32]
    mask: NDArray[np.bool_]
    reward: NDArray[np.float64]
    components: NDArray[np.float64]
    flags: NDArray[np.bool_]
    final_facts: NDArray[np.float32]
    final_mask: NDArray[np.bool_]


@inlined
def ask_for_row(i, j, action, world, rows, out):
    """Have at hand by the time it is its turn what this action may touch of journey i: rows of thousands of journeys fill no near
    cache, and a step that waits for each part of its row in turn takes half as long again."""
    at = world.at
    ends = action >= at.first_decision
    ending, acting = (
        i if ends else np.int64(0),
        np.int64(0) if ends else i,
    )  # row 0 is at hand: no branch to guess wrong
    prefetch(rows.counts, ending, LAST_PATIENT)
    for column in range(LAST_CLOCK_H, N_AMOUNTS, LINE // 8):
        prefetch(rows.amounts, ending, column)
    for column in range(at.due_h, at.posterior, LINE // 8):
        prefetch(rows.amounts, acting, column)
    for column in range(LINE, rows.marks.shape[1], LINE):
        prefetch(rows.marks, i, column)
    prefetch(rows.counts, i, STEP)
    prefetch(rows.counts, i, VISIT)
    for column in range(N_COUNTS, at.possible, LINE // 8):
        prefetch(rows.counts, i, column)
    prefetch(rows.amounts, i, CLOCK_H)
    prefetch(rows.marks, i, STATUS)
    prefetch(rows.values, i, 0)
    prefetch(rows.shown, i, 0)
    for column in range(0, rows.codes.shape[1], LINE // rows.codes.itemsize):
        prefetch(rows.codes, i, column)
    for column in range(0, out.facts.shape[1], LINE // 4):
        prefetch(out.facts, j, column)
    if at.tracked:
        for column in range(at.possible, rows.counts.shape[1], LINE // 8):
            prefetch(rows.counts, i, column)
        for column in range(0, rows.amounts.shape[1], LINE // 8):
            prefetch(rows.amounts, i, column)
        for column in range(0, at.by_hidden, LINE // 8):
            prefetch(rows.weights, i, column)


@inlined
def start_journey(i, patient, starts, world, rows):
    """Rule 1: begin the journey of `patient` of the slot's seed in slot i, as a copy of what its start looks like."""
    at, ints, reals = world.at, world.ints, world.reals
    rows.counts[i, PATIENT] = patient
    rows.counts[i, KEY] = patient_key(seed_key(rows.counts[i, SEED]), patient)
    draw_patient(i, world, rows)
    n_conditions = at.n_conditions
    if rows.counts[i, ACTED]:  # acts left their factors
        for j in range(at.waited_h, at.waiting):
            rows.amounts[i, j] = 0.0
        for j in range(at.waiting, at.expected):
            rows.amounts[i, j] = 1.0
    rows.counts[i][STEP:IMPOSSIBLE] = 0
    rows.counts[i, VISIT] = 1
    rows.amounts[i][:LAST_CLOCK_H] = 0.0
    rows.amounts[i][at.set_up_paid_at_h : at.set_up_paid_at_h + at.n_set_ups] = -1.0
    rows.marks[i][: at.last_charged] = 0
    begin = rows.counts[i, PROFILE] // at.per_start
    values, codes, shown = rows.values[i], rows.codes[i], rows.shown[i]
    start_values, start_codes = starts.values[begin], starts.codes[begin]
    for o in range(start_values.shape[0]):
        values[o] = start_values[o]
    for f in range(start_codes.shape[0]):
        codes[f] = start_codes[f]
    bits = rows.counts[i][at.legal : at.possible]
    words = ints[at.start_words + begin * bits.shape[0] :]
    for j in range(bits.shape[0]):
        bits[j] = words[j]
    facts = reals[at.start_shown + begin * at.n_shown :]
    for f in range(at.n_shown if at.tracked else 7):
        shown[f] = facts[f]
    if at.tracked:
        rows.amounts[i, BEST_GBP] = reals[at.start_best + begin]
        for c in range(n_conditions):
            rows.amounts[i, at.posterior + c] = reals[at.start_posterior + begin * n_conditions + c]
        width = OUTCOMES + 1 + at.n_decisions
        for j in range(width):
            rows.amounts[i, at.expected + j] = reals[at.start_expected + begin * width + j]
        begin_belief(i, world, rows)


@inlined
def move_to_next_result(i, world, rows):
    """Rule 5, delayed: the clock moves to the next due result."""
    at = world.at
    due = np.inf
    for item in range(at.n_items):
        if rows.marks[i, STATUS + item] == PENDING:
            due = min(due, rows.amounts[i, at.due_h + item])
    rows.amounts[i, CLOCK_H] = due


@inlined
def place_and_report(i, action, world, rows):
    """Orders are placed or time passes (rules 4 and 5), and what is due is reported."""
    at, ints = world.at, world.ints
    waiting = np.int64(action == at.wait_action)
    first, last = np.int64(0), at.n_items
    if waiting:
        move_to_next_result(i, world, rows)
    else:
        first, last = np.int64(ints[at.members_at + action]), np.int64(ints[at.members_at + action + 1])
        place_orders(i, action, world, rows)
    for m in range(first, last):
        item = m if waiting else np.int64(ints[at.members + m])
        if rows.marks[i, STATUS + item] != PENDING:
            continue
        if rows.amounts[i, at.due_h + item] <= rows.amounts[i, CLOCK_H]:
            rows.counts[i, N_PENDING] -= 1
            report(i, item, waiting, world, rows)
        elif not waiting:
            show_status(i, item, world, rows)
            if at.tracked:
                attempt = np.int64(rows.marks[i, at.failures + item])
                believe_status(i, item, np.int64(3), attempt, world, rows)


@inlined
def act(i, action, world, rows):
    """Any legal action but a decision: what it does is done, and the mask and the posterior learn of it. Returns cost and harm
    charged at once, weighted."""
    at, ints, reals = world.at, world.ints, world.reals
    clock = rows.amounts[i, CLOCK_H]
    rows.amounts[i, STEP_COST_GBP] = 0.0
    rows.amounts[i, STEP_HARM_GBP] = 0.0
    plain = ints[at.plain_item + action]
    if plain >= 0 and not at.delayed and world.cases.shape[0] == 0:
        take_plain(i, plain, world, rows)
    else:
        place_and_report(i, action, world, rows)
    now = rows.amounts[i, CLOCK_H]
    if now - rows.amounts[i, ORDERED_H] >= reals[at.new_visit] and now > clock:
        rows.counts[i, VISIT] += 1
        rows.amounts[i, ORDERED_H] = now
    refresh_mask(i, world, rows)
    if at.tracked:
        summarise(i, world, rows)
    write_totals(i, world, rows)
    cost = -reals[at.weights] * rows.amounts[i, STEP_COST_GBP]
    harm = -reals[at.weights + 1] * rows.amounts[i, STEP_HARM_GBP]
    return cost, harm


@inlined
def finish(i, j, decision, starts, world, rows, out):
    """Rule 9: settle and close the journey. Returns what the end charges: late cost, late harm, delay and utility."""
    at = world.at
    settle(i, decision, world, rows)
    rows.counts[i, DONE] = 1
    if at.autoreset == SAME_STEP:
        hand_out_facts(i, j, world, starts.units, rows, out.final_facts, out.final_mask)
    end = END_BY_POSTERIOR if at.by_posterior else END_BY_TRUTH
    return rows.amounts[i, end], rows.amounts[i, end + 1], rows.amounts[i, end + 2], rows.amounts[i, end + 3]


@inlined
def hand_out(i, j, cost, harm, delay, utility, starts, world, rows, out):
    """Copy observation, mask and components of journey i to row j of the results."""
    hand_out_facts(i, j, world, starts.units, rows, out.facts, out.mask)
    out.components[j, 0] = cost + 0.0  # no negative zeros
    out.components[j, 1] = harm + 0.0
    out.components[j, 2] = delay + 0.0
    out.components[j, 3] = utility + 0.0
    out.reward[j] = cost + harm + delay + utility


@entry
def step_batch(
    tables, ints, reals, cases, start_values, start_codes, units, slots, actions, idle,
    counts, amounts, marks, values, codes, shown, weights, scratch, notes,
    out_facts, out_mask, out_reward, out_components, out_flags, final_facts, final_mask,
):  # fmt: skip
    """One step of each journey in slots (m,).

    actions (m,): an action, or `idle` to leave a journey as it is. Results by the order of `slots`: out_facts (m, P),
    out_mask (m, A), out_reward (m,), out_components (m, 4), out_flags (3, m): terminated, truncated, illegal;
    final_facts (m, P), final_mask (m, A): the last observation and mask of journeys that ended, in same-step mode only.
    Returns bits: SOME_ENDED, SOME_IMPOSSIBLE.
    """
    world = Packed(places_of(tables), ints, reals, cases)
    rows = Rows(counts, amounts, marks, values, codes, shown, weights, scratch, notes)
    starts = Starts(start_values, start_codes, units)
    out = Out(out_facts, out_mask, out_reward, out_components, out_flags, final_facts, final_mask)
    at, told, m = world.at, 0, slots.shape[0]
    step_scale = reals[at.scale + 6]
    for j in range(m):
        i, action, ahead = slots[j] & NOT_NEGATIVE, actions[j], min(j + AHEAD, m - 1)
        if m > NEAR:
            ask_for_row(slots[ahead] & NOT_NEGATIVE, ahead, actions[ahead], world, rows, out)
        cost = harm = delay = utility = 0.0
        terminated = truncated = illegal = False
        begin = rows.counts[i, DONE] != 0 and at.autoreset == NEXT_STEP
        if not rows.counts[i, DONE] and action != idle:
            step = rows.counts[i, STEP] + 1
            rows.counts[i, STEP] = step
            rows.shown[i, 6] = step / (step + step_scale)
            illegal = action < 0 or action >= at.n_actions or not is_legal(i, action, world, rows)  # rule 3
            terminated = not illegal and action >= at.first_decision
            if not illegal and not terminated:
                cost, harm = act(i, action & NOT_NEGATIVE, world, rows)
            truncated = not terminated and step >= at.max_steps
            if terminated or truncated:
                decision = action - at.first_decision if terminated else at.n_decisions
                late_cost, late_harm, delay, utility = finish(i, j, decision, starts, world, rows, out)
                cost += late_cost
                harm += late_harm
                told |= SOME_ENDED
                begin = at.autoreset == SAME_STEP
            if (at.tracked or at.by_posterior) and rows.counts[i, IMPOSSIBLE]:
                told |= SOME_IMPOSSIBLE
        if begin:
            start_journey(i, rows.counts[i, PATIENT] + rows.counts[i, STRIDE], starts, world, rows)
        hand_out(i, j, cost, harm, delay, utility, starts, world, rows, out)
        out_flags[0, j], out_flags[1, j], out_flags[2, j] = terminated, truncated, illegal
    return told


@entry
def reset_batch(
    tables, ints, reals, cases, start_values, start_codes, units, patients,
    counts, amounts, marks, values, codes, shown, weights, scratch, notes,
):  # fmt: skip
    """Begin the journey of patients[i] in slot i; a negative patient leaves its slot as it is."""
    world = Packed(places_of(tables), ints, reals, cases)
    rows = Rows(counts, amounts, marks, values, codes, shown, weights, scratch, notes)
    starts = Starts(start_values, start_codes, units)
    for i in range(patients.shape[0]):
        if patients[i] >= 0:
            start_journey(i, patients[i], starts, world, rows)


@entry
def read_batch(
    tables, ints, reals, cases, start_values, start_codes, units, slots,
    counts, amounts, marks, values, codes, shown, weights, scratch, notes, out_facts, out_mask,
):  # fmt: skip
    """Observation (m, P) and mask (m, A) of the journeys in slots (m,), as a step hands them out."""
    world = Packed(places_of(tables), ints, reals, cases)
    rows = Rows(counts, amounts, marks, values, codes, shown, weights, scratch, notes)
    for j in range(slots.shape[0]):
        hand_out_facts(slots[j] & NOT_NEGATIVE, j, world, units, rows, out_facts, out_mask)


@entry
def fill_start(
    begin, tables, ints, reals, cases, counts, amounts, marks, values, codes, shown, weights, scratch, notes
):  # fmt: skip
    """Bits, observation and posterior at a start whose known values stand in row 0."""
    world = Packed(places_of(tables), ints, reals, cases)
    rows = Rows(counts, amounts, marks, values, codes, shown, weights, scratch, notes)
    at, i = world.at, np.int64(0)  # a literal would compile every part once more
    rows.counts[i, PROFILE] = begin * at.per_start
    for item in range(at.n_items):
        show_status(i, item, world, rows)
    for o in range(at.n_observables):
        if rows.values[i, o] != UNKNOWN:
            write_fact(i, o, world, rows)
            if ints[at.fact_word + o] >= 0 and rows.values[i, o] >= 0:
                bit = ints[at.fact_bit + o] + np.int64(rows.values[i, o])
                rows.counts[i, at.words + ints[at.fact_word + o]] |= np.int64(1) << bit
    write_totals(i, world, rows)
    refresh_mask(i, world, rows)
    begin_belief(i, world, rows)
    summarise(i, world, rows)

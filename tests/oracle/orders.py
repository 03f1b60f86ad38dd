"""What an order does (rules 4 to 8): it is placed, charged and due; it is reported, or fails; an act takes effect."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from oracle.draws import draw_from, failing_event, happens, said_by_case, true_value
from oracle.exposure import exposures
from oracle.rule_tables import SET
from oracle.showing import note_facts, show_status, write_fact
from oracle.state import (
    ACTED,
    ACTED_H,
    CLOCK_H,
    COST_GBP,
    DOSE_MSV,
    HIDDEN,
    KEY,
    N_PENDING,
    ORDERED_H,
    PATIENT,
    PHASE,
    PROFILE,
    STATUS,
    STEP_COST_GBP,
    STEP_HARM_GBP,
    TESTS,
)
from oracle.tracking import believe_reports, believe_status
from workup.envs.engine.numba_options import inlined, jit
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT, UNKNOWN
from workup.envs.model.randomness import CORRUPTION, uniform


@inlined
def place_orders(i, action, world, rows):
    """Place the orders of an action, each due after its turnaround; `at_once` (rule 5) the clock moves to the last."""
    at, ints, reals = world.at, world.ints, world.reals
    is_set = ints[at.action_kind + action] == SET
    clock = last = rows.amounts[i, CLOCK_H]
    for m in range(ints[at.members_at + action], ints[at.members_at + action + 1]):
        item = ints[at.members + m]
        if is_set and rows.marks[i, STATUS + item] != NOT_ORDERED:
            continue
        if place(i, item, world, rows):
            due = clock + reals[at.turnaround + item]  # nowhere else is a turnaround read
            rows.amounts[i, at.due_h + item] = due
            last = max(last, due)
            rows.marks[i, STATUS + item] = PENDING
            rows.counts[i, N_PENDING] += 1
    if not at.delayed:
        rows.amounts[i, CLOCK_H] = last


@inlined
def place(i, item, world, rows):
    """Rule 4: whether the order stands (a result will come, or a failure that is paid for)."""
    at, ints = world.at, world.ints
    clock = rows.amounts[i, CLOCK_H]
    attempt = np.int64(rows.marks[i, at.failures + item])
    if attempt == 0:
        rows.amounts[i, at.ordered_at_h + item] = clock
    rows.amounts[i, ORDERED_H] = clock
    refusal = ints[at.refusal + item]
    if refusal >= 0 and said_by_case(i, item, world, rows) == UNKNOWN and happens(i, refusal, np.int64(0), world, rows):
        rows.marks[i, STATUS + item] = REFUSED
        show_status(i, item, world, rows)
        if at.tracked:
            believe_status(i, item, np.int64(2), attempt, world, rows)
        return False
    if ints[at.treatable + item]:
        for r in range(at.max_reveals):
            o = ints[at.reveals + item * at.max_reveals + r]
            if o < 0:
                break
            act = ints[at.treatment + o]
            if act >= 0:
                treated = rows.marks[i, STATUS + act] == RESULT
                rows.marks[i, at.treated + o] = treated
                rows.facts[i, ints[at.treated_slot + o]] = 1.0 if treated else 0.0
    failing = failing_event(i, item, world, rows)
    if failing >= 0 and not ints[at.event_charged + failing]:
        fail(i, item, np.int64(1), world, rows)
        return False
    charge(i, item, world, rows)
    return True


@inlined
def charge(i, item, world, rows):
    """Rule 4: charge cost, dose and discomfort, and the shared set-up once per moment of the clock."""
    at, ints, reals = world.at, world.ints, world.reals
    cost, harm = reals[at.cost + item], reals[at.harm + item]
    s = ints[at.set_up + item]
    if s >= 0:
        cell = at.set_up_paid_at_h + s
        moment = rows.amounts[i, CLOCK_H] * reals[at.set_up_repeats + s]
        if rows.amounts[i, cell] != moment:
            rows.amounts[i, cell] = moment
            cost += reals[at.set_up_cost + s]
            harm += reals[at.set_up_harm + s]
    rows.amounts[i, COST_GBP] += cost
    rows.amounts[i, STEP_COST_GBP] += cost
    rows.amounts[i, STEP_HARM_GBP] += harm
    rows.amounts[i, DOSE_MSV] += reals[at.dose + item]
    if item < at.n_investigations and ints[at.opens + item] == 0:
        rows.counts[i, TESTS] += 1
    rows.marks[i, at.charged + item] += 1
    for x in range(ints[at.contra_at + item], ints[at.contra_at + item + 1]):
        if rows.values[i, ints[at.contra_observable + x]] < 0:
            rows.marks[i, at.feared + x] += 1


@inlined
def report(i, item, accepted, world, rows):
    """Rules 5 to 7: the result of an order that stood: values, or a failure. accepted: the belief knows it was not refused."""
    at, ints = world.at, world.ints
    attempt = np.int64(rows.marks[i, at.failures + item])
    if failing_event(i, item, world, rows) >= 0:
        fail(i, item, 1 + 4 * accepted, world, rows)
        return
    rows.marks[i, STATUS + item] = RESULT
    key = rows.counts[i, KEY]
    listed = at.careful_at + item
    if world.cases.shape[0] > 0:
        listed += at.n_items
    else:
        reveal_plain(i, item, world, rows)
    for r in range(ints[listed], ints[listed + 1]):
        o = ints[at.careful + r]
        v = true_value(i, o, world, rows)
        fixed = (
            UNKNOWN if world.cases.shape[0] == 0 else world.cases[rows.counts[i, PATIENT] % world.cases.shape[0], 2 + o]
        )
        if fixed == MISSING:
            v = MISSING
        elif fixed < 0:
            e = ints[at.withheld + o]
            if e >= 0 and happens(i, e, np.int64(0), world, rows):
                v = MISSING
            else:
                e = ints[at.corrupted + o]
                if e >= 0 and happens(i, e, np.int64(0), world, rows):
                    row = ints[at.reported_start + o] + v
                    v = draw_from(key, CORRUPTION + o, at.reported_cumulative, row, ints[at.values_of + o], world)
        rows.values[i, o] = v
        write_fact(i, o, world, rows)
    note_facts(i, item, world, rows)
    rows.counts[i, PHASE] |= ints[at.opens + item]
    if item >= at.n_investigations:
        carry_out(i, item, world, rows)
    show_status(i, item, world, rows)
    if at.tracked:
        believe_reports(i, item, attempt, world, rows)
        believe_status(i, item, 4 * accepted, attempt, world, rows)


@inlined
def reveal_plain(i, item, world, rows):
    """Draw the findings of an item that are always reported as they are, and show them."""
    at, ints, reals = world.at, world.ints, world.reals
    first, two, last = ints[at.drawn_at + item], ints[at.drawn_two + item], ints[at.drawn_at + item + 1]
    key = rows.counts[i, KEY]
    streams = ints[at.drawn_stream + first : at.drawn_stream + last]
    of_k = at.drawn_of_k + rows.counts[i, PROFILE] * at.n_drawn
    of_h = at.drawn_of_h + rows.counts[i, HIDDEN] * at.n_drawn
    by_k, by_h = ints[of_k + first : of_k + last], ints[of_h + first : of_h + last]
    thresholds = reals[at.value_cumulative :]
    for q in range(last - first):  # apart from what follows, so that several are hashed at once
        rows.scratch[q] = uniform(key, streams[q])
    drawn, slots = ints[at.drawn + first : at.drawn + last], ints[at.drawn_slot + first : at.drawn_slot + last]
    row_values, row_facts = rows.values[i], rows.facts[i]
    for q in range(two - first):
        present = rows.scratch[q] >= thresholds[np.uint64(by_k[q] + by_h[q])]
        row_values[np.uint64(drawn[q])] = present
        row_facts[np.uint64(slots[q])] = 1.0 if present else -1.0
    for q in range(two - first, last - first):
        o, v = drawn[q], 0
        cell = by_k[q] + by_h[q]
        for threshold in range(cell, cell + ints[at.values_of + o] - 1):
            v += rows.scratch[q] >= thresholds[np.uint64(threshold)]
        rows.values[i, o] = v
        write_fact(i, o, world, rows)


@jit
def fail(i, item, column, world, rows):
    """Rule 6: the attempt failed. column: what the belief learns by it, as in `status_chance`."""
    at, ints = world.at, world.ints
    attempt = np.int64(rows.marks[i, at.failures + item])
    rows.marks[i, STATUS + item] = FAILED
    rows.marks[i, at.failures + item] += 1
    for r in range(at.max_reveals):
        o = ints[at.reveals + item * at.max_reveals + r]
        if o < 0:
            break
        rows.values[i, o] = MISSING
    show_status(i, item, world, rows)
    if at.tracked:
        believe_status(i, item, column, attempt, world, rows)


@inlined
def carry_out(i, item, world, rows):
    """Rule 8: from now on the act changes what waiting costs and how fast conditions progress."""
    at, reals = world.at, world.reals
    n = at.n_conditions
    for c in range(n):
        waited, progressed = exposures(i, c, world, rows)
        rows.amounts[i, at.waited_h + c] = waited
        rows.amounts[i, at.progressed_h + c] = progressed
        rows.amounts[i, at.waiting + c] *= reals[at.waiting_factor + item * n + c]
        rows.amounts[i, at.progressing + c] *= reals[at.progression_factor + item * n + c]
    rows.amounts[i, ACTED_H] = rows.amounts[i, CLOCK_H]
    rows.counts[i, ACTED] = 1

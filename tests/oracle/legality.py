"""What is legal (rules 2 and 10): the mask is kept up to date, not computed anew at each step."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from oracle.rule_tables import SET
from oracle.state import (
    BOTH,
    CLOCK_H,
    COST_GBP,
    DOSE_MSV,
    HISTORY,
    N_PENDING,
    PHASE,
    STATUS,
    TESTS,
)
from workup.envs.engine.numba_options import inlined, jit
from workup.envs.model.codes import FAILED, NOT_ORDERED


@inlined
def orderable(i, item, world, rows):
    """Rule 2 for one item, budgets apart."""
    at, ints = world.at, world.ints
    status = rows.marks[i, STATUS + item]
    if status != NOT_ORDERED and (status != FAILED or rows.marks[i, at.failures + item] >= ints[at.attempts + item]):
        return False
    if ints[at.opens + item] == 0 and rows.counts[i, PHASE] != BOTH:
        return False
    if ints[at.rules + item] == 0:
        return True
    n_words = at.n_words
    forbidding = at.forbidding + item * n_words
    blocked = np.int64(0)  # no early exit: a wrong guess of the branch costs more than the rest of the look
    for j in range(n_words):
        blocked |= rows.counts[i, at.words + j] & ints[forbidding + j]
    allowed = blocked == 0
    for need in range(ints[at.needs_at + item], ints[at.needs_at + item + 1]):
        met = np.int64(0)
        for j in range(n_words):
            met |= rows.counts[i, at.words + j] & ints[at.needs + need * n_words + j]
        allowed &= met != 0
    return allowed


@jit
def affordable(i, action, world, rows):
    """Rule 10: whether no hard budget would be exceeded by the orders of an action."""
    at, ints, reals = world.at, world.ints, world.reals
    cost, dose, tests = rows.amounts[i, COST_GBP], rows.amounts[i, DOSE_MSV], rows.counts[i, TESTS]
    only_new = ints[at.action_kind + action] == SET
    first, last = ints[at.members_at + action], ints[at.members_at + action + 1]
    for m in range(first, last):
        item = ints[at.members + m]
        if only_new and rows.marks[i, STATUS + item] != NOT_ORDERED:
            continue
        cost += reals[at.cost + item]
        dose += reals[at.dose + item]
        tests += item < at.n_investigations and ints[at.opens + item] == 0
        s = ints[at.set_up + item]
        if (
            s >= 0
            and rows.amounts[i, at.set_up_paid_at_h + s] != rows.amounts[i, CLOCK_H] * reals[at.set_up_repeats + s]
        ):
            shared = False
            for other in range(first, m):
                j = ints[at.members + other]
                shared = shared or (
                    ints[at.set_up + j] == s and not (only_new and rows.marks[i, STATUS + j] != NOT_ORDERED)
                )
            if not shared:
                cost += reals[at.set_up_cost + s]
    slack = 1e-9
    return (
        cost <= reals[at.budget] + slack
        and dose <= reals[at.budget + 1] + slack
        and tests <= reals[at.budget + 2] + slack
    )


@inlined
def refresh_item(i, item, world, rows):
    """Recompute whether an item can be ordered by itself."""
    at, ints = world.at, world.ints
    action = ints[at.action_of_item + item]
    if action < 0:
        return
    legal = orderable(i, item, world, rows)
    if legal and at.budgeted:
        legal = affordable(i, action, world, rows)
    rows.mask[i, action] = legal


@inlined
def refresh_set(i, action, world, rows):
    """Rule 2 for a set: all members not ordered yet are legal, and there are at least two."""
    at, ints = world.at, world.ints
    new, legal = 0, True
    for m in range(ints[at.members_at + action], ints[at.members_at + action + 1]):
        item = ints[at.members + m]
        if rows.marks[i, STATUS + item] == NOT_ORDERED:
            new += 1
            own = ints[at.action_of_item + item]
            if own >= 0:
                legal &= rows.mask[i, own]
            else:
                legal &= orderable(i, item, world, rows)
    legal = legal and new >= 2
    if legal and at.budgeted:
        legal = affordable(i, action, world, rows)
    rows.mask[i, action] = legal


@jit
def refresh_mask(i, world, rows):
    """Recompute everything that is legal for journey i."""
    at, ints = world.at, world.ints
    for item in range(at.n_items):
        refresh_item(i, item, world, rows)
    for action in range(at.wait_action):
        if ints[at.action_kind + action] == SET:
            refresh_set(i, action, world, rows)
    refresh_ways_out(i, world, rows)


@inlined
def refresh_after(i, item, world, rows):
    """Recompute what an order or a result of `item` may have changed."""
    at, ints = world.at, world.ints
    if rows.counts[i, PHASE] == BOTH:
        last, last_set = ints[at.watched_at + item + 1], ints[at.sets_at + item + 1]
    else:
        last, last_set = ints[at.watched_early + item], ints[at.sets_early + item]
    for w in range(ints[at.watched_at + item], last):
        refresh_item(i, ints[at.watched + w], world, rows)
    for s in range(ints[at.sets_at + item], last_set):
        refresh_set(i, ints[at.sets + s], world, rows)


@inlined
def refresh_ways_out(i, world, rows):
    """Rule 2 for `wait` and the decisions."""
    at = world.at
    rows.mask[i, at.wait_action] = rows.counts[i, N_PENDING] > 0
    decide = (rows.counts[i, PHASE] & HISTORY) != 0
    if not decide:  # a journey in which nothing else is left must still be able to end
        stuck = True
        for a in range(at.first_decision):
            stuck = stuck and not rows.mask[i, a]
        decide = stuck
    rows.mask[i][at.first_decision : at.n_actions] = decide

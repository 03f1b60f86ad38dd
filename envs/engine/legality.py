"""What is legal (rules 2 and 10), as bits: of items, of actions, of what has been found.

All of it is worked out anew after every order: it is a few words, and a step that found out what an order may have changed took
longer.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from workup.envs.engine.numba_options import inlined, jit
from workup.envs.engine.rule_tables import SET
from workup.envs.engine.state import BOTH, CLOCK_H, COST_GBP, DOSE_MSV, HISTORY, N_PENDING, PHASE, STATUS, TESTS
from workup.envs.model.codes import NOT_ORDERED


@inlined
def is_legal(i, action, world, rows):
    """Whether an action that there is may be taken."""
    return rows.counts[i, world.at.legal + (action >> 6)] >> (action & 63) & 1 != 0


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


@jit
def keep_affordable(i, orderable, world, rows):
    """Take from orderable (words of items) those that an action of their own orders and no budget allows."""
    at, ints = world.at, world.ints
    for item in range(at.n_items):
        action, bit = ints[at.action_of_item + item], np.int64(1) << (item & 63)
        if action >= 0 and orderable[item >> 6] & bit and not affordable(i, action, world, rows):
            orderable[item >> 6] &= ~bit


@inlined
def look_at_rules(i, closed, world, rows):
    """Into closed, a word after another: the items, and then the actions (decisions), that a rule on facts closes."""
    at, ints, n = world.at, world.ints, world.at.n_rules
    noted = rows.notes[:n]
    noted[:] = 0
    for j in range(at.n_words):
        word = rows.counts[i, at.words + j]
        bits = ints[at.rule_bits + j * n : at.rule_bits + j * n + n]
        for c in range(n):
            noted[c] |= word & bits[c]
    needed, closes = ints[at.rule_needed : at.rule_needed + n], ints[at.rule_closes : at.rule_closes + n]
    first = np.int64(0)
    for w in range(at.n_item_words + at.n_action_words):
        last, some = ints[at.rules_at + w + 1], np.int64(0)
        for c in range(first, last):
            some |= (np.int64(noted[np.uint64(c)] != 0) ^ needed[np.uint64(c)]) << closes[np.uint64(c)]
        closed[w] = some
        first = last


@inlined
def allow_sets(i, orderable, legal, world, rows):
    """Rule 2 for sets: all members not ordered yet are legal, and there are at least two."""
    at, ints = world.at, world.ints
    for s in range(at.n_sets):
        allowed, new = np.int64(1), np.int64(0)
        for w in range(at.n_item_words):
            members = ints[at.set_members + s * at.n_item_words + w] & rows.counts[i, at.fresh + w]
            allowed &= np.int64(members & ~orderable[w] == 0)
            new += np.int64(members != 0) + np.int64(members & (members - 1) != 0)
        action = ints[at.set_action + s]
        allowed &= np.int64(new >= 2)
        if allowed and at.budgeted:
            allowed = np.int64(affordable(i, action, world, rows))
        legal[action >> 6] |= allowed << (action & 63)


@inlined
def refresh_mask(i, world, rows):
    """Recompute everything that is legal for journey i."""
    at, ints = world.at, world.ints
    n, n_items = at.n_rules, at.n_item_words
    closed = rows.notes[n : n + n_items + at.n_action_words]
    orderable = rows.notes[n + n_items + at.n_action_words : n + n_items + at.n_action_words + n_items]
    legal = rows.counts[i][at.legal : at.fresh]
    look_at_rules(i, closed, world, rows)
    both = rows.counts[i, PHASE] == BOTH
    for w in range(n_items):
        left = (rows.counts[i, at.fresh + w] | rows.counts[i, at.again + w]) & ~closed[w]
        orderable[w] = left if both else left & ints[at.openers + w]
    if at.budgeted:
        keep_affordable(i, orderable, world, rows)
    legal[:] = 0
    for r in range(at.run, at.run + 4 * at.n_runs, 4):  # runs of items whose actions follow one another as they do
        bits, by = np.uint64(orderable[ints[r]] & ints[r + 1]), np.uint64(ints[r + 2])
        legal[ints[r + 3]] |= np.int64(bits << by | bits >> (np.uint64(64) - by & np.uint64(63)))
    allow_sets(i, orderable, legal, world, rows)
    legal[at.wait_action >> 6] |= np.int64(rows.counts[i, N_PENDING] > 0) << (at.wait_action & 63)
    decide = rows.counts[i, PHASE] & HISTORY != 0
    if not decide:  # a journey in which nothing else is left must still be able to end
        some = np.int64(0)
        for w in range(at.n_action_words):
            some |= legal[w]
        decide = some == 0
    if decide:
        for w in range(at.n_action_words):
            legal[w] |= ints[at.deciding + w] & ~closed[n_items + w]

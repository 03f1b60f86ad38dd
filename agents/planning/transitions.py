"""Moves between information states: which actions are legal, what they lead to. Compiled, shared by all planners."""

from __future__ import annotations

import numpy as np

from workup.agents.planning.problem import F64, I32, I64, Problem
from workup.envs.model.machine_code import njit

SUM = {"reassoc", "contract", "nsz"}
"""Sums may be reordered, so that they are vectorised; infinities and NaN keep their meaning."""


@njit(cache=True, fastmath=SUM, inline="always")
def dot(a: F64, b: F64) -> float:
    """Inner product of two coordinate vectors."""
    total = 0.0
    for s in range(a.shape[0]):
        total += a[s] * b[s]
    return total


@njit(cache=True)
def digits_of(p: Problem, code: int, digits: I64) -> None:
    """Write the digit of every item of an information state."""
    for i in range(p.radix.shape[0]):
        digits[i] = (code // p.place[i]) % p.radix[i]


@njit(cache=True)
def mode_of(p: Problem, digits: I64) -> int:
    """Which influential acts have been done."""
    mode = p.root_mode
    for i in range(digits.shape[0]):
        mode |= p.digit_mode[p.first_digit[i] + digits[i]]
    return mode


@njit(cache=True, fastmath=SUM)
def free_of(p: Problem, v: F64, digits: I64, mode: int, reading: bool) -> float:
    """The clairvoyant bound of a belief at an information state; `reading`: an order is paid and its results are to come."""
    total = dot(p.free.paid[mode], v) if reading else dot(p.free.still[mode], v)
    for b in range(p.free.benefit.shape[0]):
        if can_come(p, p.free.benefit_action[b], digits):
            total += dot(p.free.benefit[b], v)
    return total


@njit(cache=True)
def can_come(p: Problem, a: int, digits: I64) -> bool:
    """Whether all members of an action can still be ordered, now or later."""
    for m in range(p.member.shape[1]):
        i = p.member[a, m]
        if i < 0:
            break
        if p.free.final[p.first_digit[i] + digits[i]]:
            return False
    return True


@njit(cache=True)
def holds(p: Problem, owner: int, digits: I64) -> bool:
    """Whether every requirement of an item (of deciding: owner = n, of decision d: n + 1 + d) holds."""
    for group in range(p.group_start[owner], p.group_start[owner + 1]):
        met = False
        for q in range(p.clause_start[group], p.clause_start[group + 1]):
            if p.clause_allows[p.clause_offset[q] + digits[p.clause_item[q]]]:
                met = True
                break
        if not met:
            return False
    return True


@njit(cache=True)
def is_legal(p: Problem, a: int, digits: I64, mode: int) -> bool:
    """Whether an atomic action may be taken at this information state."""
    for m in range(p.member.shape[1]):
        i = p.member[a, m]
        if i < 0:
            break
        if digits[i] != p.member_digit[a, m] or p.child_count[p.first_digit[i] + digits[i], mode] == 0:
            return False
    for m in range(p.other.shape[1]):
        i = p.other[a, m]
        if i < 0:
            break
        if digits[i] == 0:
            return False
    for m in range(p.member.shape[1]):
        i = p.member[a, m]
        if i < 0:
            break
        if not holds(p, i, digits):
            return False
    return True


@njit(cache=True)
def best_stop(p: Problem, v: F64, mode: int, digits: I64) -> tuple[float, int]:
    """Value and index of the best decision whose requirements are met, for an unnormalised belief."""
    best, which = -np.inf, -1
    for d in range(p.stop.shape[1]):
        if not holds(p, p.radix.shape[0] + 1 + d, digits):
            continue
        value = dot(p.stop[mode, d], v)
        if value > best:
            best, which = value, d
    return best, which


@njit(cache=True)
def advance(p: Problem, v: F64, action: int, digits_after: I64, mode: int, out: F64) -> int:
    """Belief after an action with a given outcome (the members' digits in `digits_after`); returns the duration."""
    out[:] = v
    duration = 0
    for m in range(p.member.shape[1]):
        i = p.member[action, m]
        if i < 0:
            break
        g = p.first_digit[i] + digits_after[i]
        column = p.column[g]
        for s in range(out.shape[0]):
            out[s] *= column[s]
        duration = max(duration, p.digit_hours[g])
    if p.clocked:
        decay = p.decay[duration, mode]
        for s in range(out.shape[0]):
            out[s] *= decay[s]
    return duration


@njit(cache=True)
def legal_actions(p: Problem, digits: I64, mode: int, out: I32) -> int:
    """Write the legal atomic actions and return how many there are."""
    count = 0
    for a in range(p.member.shape[0]):
        if is_legal(p, a, digits, mode):
            out[count] = a
            count += 1
    return count

"""Exact planning by dynamic programming over information states, held in one array.

W(code) = max(best decision for w, max over legal actions of the sum over outcomes of W(code + outcome) - cost . w),
with w unnormalised, so that W depends on the code alone. Codes only grow, so one sweep from the last is enough.
"""

from __future__ import annotations

import numpy as np

from workup.agents.planning.problem import F64, I64, Problem, size
from workup.agents.planning.transitions import SUM, best_stop, holds, is_legal
from workup.envs.model.machine_code import njit
from workup.errors import PlanningRefused

MAX_STATES = 60_000_000
"""Half a gigabyte of values."""


def exact_values(problem: Problem) -> F64:
    """Optimal value of every information state, in pounds, unnormalised.

    Returns:
        (product of radices,) float64; entry 0 is the value of the problem.

    Raises:
        PlanningRefused: time matters to what comes later (progression), or the states do not fit.
    """
    refuse(problem)
    values = np.empty(int(np.prod(problem.radix)))
    _sweep(problem, reach(problem), values)
    return values


def reach(problem: Problem) -> F64:
    """(G, S) likelihood of an item's standing at a digit, all attempts on the way to it included."""
    likelihood = np.ones_like(problem.column)
    for first, radix in zip(problem.first_digit.tolist(), problem.radix.tolist(), strict=True):
        for g in range(first, first + radix):  # a digit comes after the one it follows
            for start, count in zip(problem.child_start[g].tolist(), problem.child_count[g].tolist(), strict=True):
                after = slice(first + start, first + start + count)
                likelihood[after] = likelihood[g] * problem.column[after]
    return likelihood


def refuse(problem: Problem) -> None:
    """Raise PlanningRefused, with the reason and the size, where the array method does not apply."""
    states = size(problem)
    if problem.clocked:
        raise PlanningRefused(
            "a condition progresses, so the value depends on the clock as well as on the results; "
            f"dynamic programming over {states:,.0f} information states cannot treat that (the bounded planner can)"
        )
    if states > MAX_STATES:
        raise PlanningRefused(f"{states:,.0f} information states; the exact planner holds at most {MAX_STATES:,}")


@njit(cache=True, fastmath=SUM, nogil=True)
def _sweep(p: Problem, column: F64, values: F64) -> None:
    # One fused loop: calls that pass the whole problem cost more than what they would compute.
    n, S, A, D = p.radix.shape[0], p.weights.shape[0], p.member.shape[0], p.stop.shape[1]
    order = np.argsort(-p.place)  # slowest digit first, so that partial products are reused
    partial = np.empty((n + 1, S))
    partial[0] = p.weights
    modes = np.full(n + 1, p.root_mode)
    digits = p.radix - 1
    stop, cost, first_digit, place = p.stop, p.cost, p.first_digit, p.place
    member, member_digit, child_start, child_count = p.member, p.member_digit, p.child_start, p.child_count
    single = np.array([p.member.shape[1] == 1 or p.member[a, 1] < 0 for a in range(A)])
    free_item = p.group_start[1:] == p.group_start[:-1]
    level = 0
    for code in range(values.shape[0] - 1, -1, -1):
        for j in range(level, n):
            g = first_digit[order[j]] + digits[order[j]]
            for s in range(S):
                partial[j + 1, s] = partial[j, s] * column[g, s]
            modes[j + 1] = modes[j] | p.digit_mode[g]
        mode, best = modes[n], -np.inf
        if free_item[n] or holds(p, n, digits):
            for d in range(D):
                if not free_item[n + 1 + d] and not holds(p, n + 1 + d, digits):
                    continue
                total = 0.0
                for s in range(S):
                    total += stop[mode, d, s] * partial[n, s]
                best = max(best, total)
        for a in range(A):
            i = member[a, 0]
            if digits[i] != member_digit[a, 0]:
                continue
            g = first_digit[i] + digits[i]
            if child_count[g, mode] == 0:
                continue
            if not (single[a] and free_item[i]) and not is_legal(p, a, digits, mode):
                continue
            total = 0.0
            for s in range(S):
                total -= cost[a, mode, s] * partial[n, s]
            if single[a]:
                start = code + (child_start[g, mode] - digits[i]) * place[i]
                for c in range(child_count[g, mode]):
                    total += values[start + c * place[i]]
            else:
                total += _set_value(p, values, a, code, digits, mode)
            best = max(best, total)
        values[code] = best_stop(p, partial[n], mode, digits)[0] if best == -np.inf else best
        level = n - 1
        while level >= 0 and digits[order[level]] == 0:
            digits[order[level]] = p.radix[order[level]] - 1
            level -= 1
        if level >= 0:
            digits[order[level]] -= 1


@njit(cache=True)
def _set_value(p: Problem, values: F64, a: int, code: int, digits: I64, mode: int) -> float:
    at = np.zeros(p.member.shape[1], np.int64)
    total = 0.0
    while True:
        child, position = code, 0
        while position < p.member.shape[1] and p.member[a, position] >= 0:
            i = p.member[a, position]
            g = p.first_digit[i] + digits[i]
            child += (p.child_start[g, mode] + at[position] - digits[i]) * p.place[i]
            position += 1
        total += values[child]
        position -= 1
        while position >= 0:
            i = p.member[a, position]
            at[position] += 1
            if at[position] < p.child_count[p.first_digit[i] + digits[i], mode]:
                break
            at[position] = 0
            position -= 1
        if position < 0:
            return total

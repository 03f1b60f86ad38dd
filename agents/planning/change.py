"""What an order changes, from its tables: every joint outcome is walked through. Compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.transitions import SUM
from workup.envs.model.machine_code import njit

F64 = NDArray[np.float64]


@njit(cache=True, fastmath=SUM)
def _best(
    weights: F64,
    unprogressed: F64,
    now: F64,
    difference: F64,
    needs: NDArray[np.int64],
    met: int,
    key_gbp: F64,
    more: F64,
) -> float:
    """more: (D,) what acts that are done by then add to each decision, or (0,) if none do."""
    best = -np.inf
    for d in range(now.shape[0]):
        missing, price = needs[d] & ~met, 0.0
        if missing:
            for g in range(key_gbp.shape[0]):
                if missing >> g & 1:
                    price += key_gbp[g]
            if price == np.inf:
                continue
        value = 0.0
        for s in range(weights.shape[0]):
            value += weights[s] * (now[d, s] + difference[d, s] * unprogressed[s])
        if price > 0.0:
            value -= price * weights.sum()
        if more.shape[0]:
            value += more[d]
        best = max(best, value)
    return best


@njit(cache=True, fastmath=SUM)
def _add_sway(
    weights: F64, unprogressed: F64, sway: F64, done: NDArray[np.int64], start: NDArray[np.int64], at: NDArray[np.int64], out: F64
) -> None:  # fmt: skip
    """(D,) what the acts among the outcomes `at` add to each decision."""
    for d in range(out.shape[0]):
        out[d] = 0.0
        for m in range(sway.shape[0]):
            if done[start[m] + at[m]]:
                for s in range(weights.shape[0]):
                    out[d] += weights[s] * (sway[m, 0, d, s] + sway[m, 1, d, s] * unprogressed[s])


@njit(cache=True, fastmath=SUM)
def change_of(
    weights: F64, unprogressed: F64, cost: F64, likelihood: F64, counts: NDArray[np.int64], hours: F64,
    done: NDArray[np.int64], opens: NDArray[np.int64], credit: F64, sway: F64, now: F64, difference: F64, rate: F64,
    needs: NDArray[np.int64], met: int, now_gbp: F64, then_gbp: F64,
) -> float:  # fmt: skip
    """`OneStep.change` from its tables (`Ordered`, `Deciding`, `Locked`): walks the joint outcomes depth first, the belief of
    each prefix kept."""
    M, S = counts.shape[0], weights.shape[0]
    start = np.zeros(M + 1, np.int64)
    start[1:] = np.cumsum(counts)
    at = np.zeros(M, np.int64)
    belief = np.empty((M + 1, S))
    time = np.zeros(M + 1)
    scale, spent = 0.0, 0.0
    for s in range(S):
        scale += weights[s]
        spent += weights[s] * cost[s]
    belief[0] = weights
    moves = rate.max() > 0.0
    later, later_by, more = unprogressed.copy(), 0.0, np.zeros(sway.shape[2])
    total = -spent - _best(weights, unprogressed, now, difference, needs, met, now_gbp, more)
    level = 0
    while level >= 0:
        if at[level] == counts[level]:
            at[level] = 0
            level -= 1
            if level >= 0:
                at[level] += 1
            continue
        cell = start[level] + at[level]
        mass = 0.0
        for s in range(S):
            belief[level + 1, s] = belief[level, s] * likelihood[cell, s]
            mass += belief[level + 1, s]
        time[level + 1] = max(time[level], hours[cell])
        if mass > 0.0 and level + 1 < M:
            level += 1
            continue
        if mass > 0.0:
            if moves and time[M] != later_by:
                later_by = float(time[M])
                for s in range(S):
                    later[s] = unprogressed[s] * np.exp(-rate[s] * later_by) if rate[s] > 0.0 else unprogressed[s]
            open_ = met
            for m in range(M):
                open_ |= opens[start[m] + at[m]]
            _add_sway(belief[M], later, sway, done, start, at, more)
            total += _best(belief[M], later, now, difference, needs, open_, then_gbp, more)
            for m in range(M):
                if done[start[m] + at[m]]:
                    for s in range(S):
                        total += belief[M, s] * (credit[m, 0, s] + credit[m, 1, s] * later[s])
        at[level] += 1
    return total / scale

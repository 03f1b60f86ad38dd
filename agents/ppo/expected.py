"""What an order changes on average: the expectation over its results of the shaped reward, exactly.

A sampled result is worth thousands of pounds to one patient in seventy and nothing to the others; what it is worth on
average is known, since the posterior is. Rewarding an order by that average leaves the expected return of every policy
as it is, and takes this noise away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, charges
from workup.envs.engine import Engine
from workup.envs.patient_model import NOT_ORDERED, REFUSED, RESULT
from workup.envs.world import World

F64 = NDArray[np.float64]


class _Ordered(NamedTuple):
    """An action at an information state, by coordinate (profile, hidden state): S coordinates, C outcomes of M items."""

    cost: F64
    """(S,) cost, harm and waiting."""
    likelihood: F64
    """(C, S) outcomes of the first item, then of the next."""
    counts: NDArray[np.int64]
    """(M,) outcomes of each item."""
    hours: F64
    """(C,) time that each outcome takes."""
    now: F64
    """(D, S) utility of each decision, once progressed."""
    difference: F64
    """(D, S) what not having progressed adds."""
    rate: F64
    """(S,) of progression an hour."""


class ExpectedChange:
    """Expected reward plus change of potential, for an action in each journey of an engine in belief view."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = OutcomeTables(world)
        self._opens = (world.opens_journey != 0).tolist()
        self._fears = world.contraindication.tolist()
        self._ordered = lru_cache(maxsize=50_000)(self._look_up)

    def of(self, engine: Engine, actions: NDArray[np.int64]) -> F64:
        """(n,) pounds, asked before the actions (n,) are taken.

        0 for history and examination (too many joint results), decisions, waiting and illegal actions.
        """
        view = engine.journey_view()
        weights, profiles = engine.beliefs()
        hidden = self._world.model.prior.shape[1]
        change = np.zeros(len(actions))
        for row, a in enumerate(actions.tolist()):
            action = self._world.actions[a]
            if not action.items or not view.mask[row, a] or self._opens[action.items[0]]:
                continue
            status = view.status[row].tolist()
            possible = tuple(k for k in profiles[row].tolist() if k >= 0)
            items = tuple(i for i in action.items if action.kind != "set" or status[i] == NOT_ORDERED)
            feared = tuple(
                tuple(x for x, (j, o) in enumerate(self._fears) if j == i and view.values[row, o] < 0) for i in items
            )
            acts = tuple(i for i in range(self._world.n_investigations, len(status)) if status[i] == RESULT)
            failures = tuple(int(view.failures[row, i]) for i in items)
            ordered = self._ordered(items, failures, possible, feared, acts)
            exposed = view.progression_h[row][self._tables.condition(possible)]
            change[row] = _change(weights[row, : len(possible) * hidden], exposed, *ordered)
        return change

    def _look_up(
        self,
        items: tuple[int, ...],
        failures: tuple[int, ...],
        profiles: Profiles,
        feared: tuple[tuple[int, ...], ...],
        acts: tuple[int, ...],
    ) -> _Ordered:
        tables, world = self._tables, self._world
        orders = tuple(zip(items, failures, strict=True))
        likelihoods, counts, hours = [], [], []
        for item, failed in orders:
            treated = any(act in acts for act in tables.treated_by(item))
            likelihood, status = tables.distinct(item, profiles, failed, treated)
            timely = np.where(tables.takes_time(item, status), world.turnaround_h[item], 0.0)
            likelihoods.append(likelihood)
            counts.append(len(status))
            hours.append(np.where(status == REFUSED, 0.0, timely))
        return _Ordered(
            np.ascontiguousarray(charges(tables, orders, profiles, feared, acts)),
            np.concatenate(likelihoods),
            np.array(counts),
            np.concatenate(hours),
            *(np.ascontiguousarray(table) for table in tables.progressing_stop(profiles, acts)),
        )


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _best(weights: F64, unprogressed: F64, now: F64, difference: F64) -> float:
    best = -np.inf
    for d in range(now.shape[0]):
        value = 0.0
        for s in range(weights.shape[0]):
            value += weights[s] * (now[d, s] + difference[d, s] * unprogressed[s])
        best = max(best, value)
    return best


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _change(
    weights: F64, exposed: F64, cost: F64, likelihood: F64, counts: NDArray[np.int64], hours: F64, now: F64,
    difference: F64, rate: F64,
) -> float:  # fmt: skip
    """Walk the joint outcomes depth first, the belief of each prefix kept."""
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
    unprogressed = np.exp(-rate * exposed)
    moves = rate.max() > 0.0
    later = unprogressed.copy()
    total = -spent - _best(weights, unprogressed, now, difference)
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
            if moves:
                for s in range(S):
                    later[s] = unprogressed[s] * np.exp(-rate[s] * time[M])
            total += _best(belief[M], later, now, difference)
        at[level] += 1
    return total / scale


def expected_value(
    world: World,
    choose: Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.int64]],
    *,
    patients: int,
    seed: int,
) -> float:
    """Mean value per patient of a policy, decisions scored by their posterior expected utility, pounds.

    Once a journey is open, every order counts as what it changes on average, so the mean is that of the sampled
    value with a fraction of its noise.

    Args:
        world: the scenario, compiled.
        choose: the policy: (n,) actions from observations (n, P) of the belief view and masks (n, A).
        patients: how many.
        seed: of the patients.
    """
    engine, expected = Engine(world, patients, seed=seed, view="belief", score="posterior"), ExpectedChange(world)
    going = np.ones(patients, dtype=np.bool_)
    total = engine.best_expected_utility
    while going.any():
        actions = np.where(going, choose(engine.observation, engine.mask), -1)
        before, change = engine.best_expected_utility, expected.of(engine, actions)
        step = engine.step(actions)
        ended = step.terminated | step.truncated
        sampled = step.reward + np.where(ended, 0.0, engine.best_expected_utility) - before
        total += np.where(going, np.where(ended | (change == 0.0), sampled, change), 0.0)
        going &= ~ended
    return float(total.mean())

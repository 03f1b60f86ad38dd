"""One-step value of information: order what raises the best expected utility most for its cost, else decide."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, JourneyView, choose_first, decision_actions
from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, charges
from workup.agents.planning.transitions import SUM
from workup.agents.simple import opening_actions
from workup.envs.patient_model import NOT_ORDERED, REFUSED, RESULT
from workup.envs.world import World

F64 = NDArray[np.float64]
_ROWS = 256
"""Journeys whose beliefs are held at once."""


class VoiAgent:
    """Looks one step ahead on a knowledge model, which may be noisier than the world it acts in.

    Raises:
        PlanningRefused: an item has too many joint results, or may fail in a way that cannot be priced.
    """

    needs: Literal["raw", "belief"] | None = None

    def __init__(self, world: World, *, name: str = "voi") -> None:
        """`world` is the agent's knowledge; it needs the names of the world it acts in, not its figures."""
        self.name = name
        self._world = world
        self._tables = OutcomeTables(world)
        self._opening = opening_actions(world)

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = choose_first(view.mask, self._opening)
        decisions = decision_actions(self._world)
        able = np.flatnonzero(view.mask[:, decisions].any(axis=1) & ((chosen < 0) | _presented(view)))
        if able.size:
            values = one_step_values(self._tables, view, able)
            chosen[able] = values.argmax(axis=1)
        stuck = chosen < 0
        chosen[stuck] = view.mask[stuck].argmax(axis=1)
        return chosen


def rank_orders(world: World, view: JourneyView) -> F64:
    """What every action promises, looking one step ahead, for the first journey of a view.

    Args:
        world: the knowledge that judges.
        view: revealed facts; its first row is looked at.

    Returns:
        (A,) float64 pounds against the best decision now: an order's value of information net of what it costs, what a
        decision loses; -inf where illegal.
    """
    return np.asarray(one_step_values(OutcomeTables(world), view, np.array([0]))[0])


def one_step_values(tables: OutcomeTables, view: JourneyView, rows: NDArray[np.intp]) -> F64:
    """(m, A) pounds against the best decision now, for the given rows; -inf where illegal."""
    out = np.full((len(rows), len(tables.world.actions)), -np.inf)
    for first in range(0, len(rows), _ROWS):
        chunk = rows[first : first + _ROWS]
        beliefs = tables.world.model.belief(
            view.values[chunk], view.status[chunk], view.failures[chunk], view.treated[chunk]
        )  # fmt: skip
        for j, row in enumerate(chunk):
            out[first + j] = _values_of_row(tables, view, int(row), beliefs[j])
    return out


def _presented(view: JourneyView) -> NDArray[np.bool_]:
    """(n,) whether history and examination both have a result."""
    opens = view.world.opens_journey
    done = view.status == RESULT
    return np.asarray((done & (opens == 1)).any(axis=1) & (done & (opens == 2)).any(axis=1))


def _values_of_row(tables: OutcomeTables, view: JourneyView, row: int, belief: F64) -> F64:
    world = tables.world
    profiles: Profiles = tuple(int(k) for k in np.flatnonzero(belief.any(axis=1)))
    weights = np.ascontiguousarray(belief[list(profiles)].ravel())
    support = np.flatnonzero(weights > 0.0)
    acts = tuple(i for i in range(world.n_investigations, len(world.items)) if view.status[row, i] == RESULT)
    now, difference, rate = tables.progressing_stop(profiles, acts)
    stayed = np.exp(-tables.rate(profiles) * view.progression_h[row][tables.condition(profiles)])
    facts = (weights[support], stayed[support], now[:, support], difference[:, support], rate[support])
    decide = (now[:, support] + difference[:, support] * stayed[support]) @ weights[support]
    best = decide.max()
    values = np.full(len(world.actions), -np.inf)
    for a in np.flatnonzero(view.mask[row]):
        action = world.actions[a]
        if action.kind == "decide":
            values[a] = decide[action.decision] - best
        elif action.kind != "wait":
            fresh = action.kind == "set"
            items = [i for i in action.items if not fresh or view.status[row, i] == NOT_ORDERED]
            values[a] = _net(tables, view, row, items, profiles, acts, support, facts) - best
    return values


def _net(
    tables: OutcomeTables,
    view: JourneyView,
    row: int,
    items: list[int],
    profiles: Profiles,
    acts: tuple[int, ...],
    support: NDArray[np.intp],
    facts: tuple[F64, F64, F64, F64, F64],
) -> float:
    """Expected value of the best decision after these orders, less what they cost."""
    world = tables.world
    orders = [(i, int(view.failures[row, i])) for i in items]
    feared = tuple(
        tuple(x for x, (j, o) in enumerate(world.contraindication.tolist()) if j == i and view.values[row, o] < 0)
        for i in items
    )
    cost = charges(tables, tuple(orders), profiles, feared, acts)[support]
    columns, counts, hours = [], [], []
    for i, failures in orders:
        treated = any(view.status[row, act] == RESULT for act in tables.treated_by(i))
        likelihood, status = tables.distinct(i, profiles, failures, treated)
        columns.append(likelihood[:, support])
        counts.append(len(status))
        hours.append(
            np.where(status == REFUSED, 0.0, np.where(tables.takes_time(i, status), world.turnaround_h[i], 0.0))
        )
    return float(
        _expected(np.concatenate(columns), np.array(counts), np.concatenate(hours), *facts) - cost @ facts[0]
    )  # fmt: skip


@njit(cache=True, fastmath=SUM)
def _expected(
    columns: F64, counts: NDArray[np.int64], hours: F64, weights: F64, stayed: F64, now: F64, difference: F64, rate: F64
) -> float:
    M, S, D = counts.shape[0], weights.shape[0], now.shape[0]
    at = np.zeros(M, np.int64)
    start = np.zeros(M + 1, np.int64)
    start[1:] = np.cumsum(counts)
    partial = np.empty((M + 1, S))
    partial[0] = weights
    time = np.zeros(M + 1)
    moves = rate.max() > 0.0
    total, level = 0.0, 0
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
            partial[level + 1, s] = partial[level, s] * columns[cell, s]
            mass += partial[level + 1, s]
        time[level + 1] = max(time[level], hours[cell])
        if mass > 0.0 and level + 1 < M:
            level += 1
            continue
        if mass > 0.0:
            best = -np.inf
            for d in range(D):
                value = 0.0
                for s in range(S):
                    value += partial[M, s] * now[d, s]
                if moves:
                    for s in range(S):
                        value += partial[M, s] * difference[d, s] * stayed[s] * np.exp(-rate[s] * time[M])
                best = max(best, value)
            total += best
        at[level] += 1
    return total


def _voi(world: World, *, seed: int) -> VoiAgent:
    return VoiAgent(world)


AGENTS: dict[str, AgentFactory] = {"voi": _voi}

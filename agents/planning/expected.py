"""What an order changes on average: the expectation over its results of the shaped reward, exactly.

A sampled result is worth thousands of pounds to one patient in seventy and nothing to the others; what it is worth on
average is known, since the posterior is. Rewarding an order by that average leaves the expected return of every policy
as it is, and takes this noise away.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.one_step import OneStep
from workup.envs.engine.engine import Engine
from workup.envs.model.population import Population
from workup.envs.model.world import World

F64 = NDArray[np.float64]


class ExpectedChange:
    """Expected reward plus change of potential, for an action in each journey of an engine in belief view."""

    def __init__(self, world: World) -> None:
        self._ahead = OneStep(world)
        self._orders = np.array([bool(a.items) and not world.opens_journey[a.items[0]] for a in world.actions])

    def of(self, engine: Engine, actions: NDArray[np.int64]) -> F64:
        """(n,) pounds, asked before the actions (n,) are taken.

        0 for history and examination (too many joint results), decisions, waiting and illegal actions, and for an item
        whose results cannot be priced one step ahead.
        """
        change = np.zeros(len(actions))
        legal = (actions >= 0) & (actions < len(self._orders))
        legal[legal] = self._orders[actions[legal]] & engine.mask[legal, actions[legal]]
        slots = np.flatnonzero(legal)
        if slots.size:
            weights, profiles = engine.beliefs(slots)
            found = self._ahead.changes(engine.journey_view(slots), actions[slots], profiles, weights)
            self._orders[actions[slots[np.isnan(found)]]] = False
            change[slots] = np.nan_to_num(found)
        return change


def expected_value(
    population: Population,
    choose: Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.int64]],
    *,
    patients: int,
    seed: int,
) -> float:
    """Mean value per patient of a policy, decisions scored by their posterior expected utility, pounds.

    Once a journey is open, every order counts as what it changes on average, so the mean is that of the sampled
    value with a fraction of its noise.

    Args:
        population: who is met.
        choose: the policy: (n,) actions from observations (n, P) of the belief view and masks (n, A).
        patients: how many; of recorded patients, all are met once, and what happened to them counts.
        seed: of the patients.
    """
    if not population.law_known:
        return _recorded_value(population, choose)
    world = population.world
    engine, expected = Engine(population, patients, seed=seed, view="belief", score="posterior"), ExpectedChange(world)
    going = np.ones(patients, dtype=np.bool_)
    total = engine.best_expected_utility
    while going.any():
        actions = np.full(patients, -1, dtype=np.int64)
        actions[going] = choose(engine.observation[going], engine.mask[going])
        before, change = engine.best_expected_utility, expected.of(engine, actions)
        step = engine.step(actions)
        ended = step.terminated | step.truncated
        sampled = step.reward + np.where(ended, 0.0, engine.best_expected_utility) - before
        total += np.where(going, np.where(ended | (change == 0.0), sampled, change), 0.0)
        going &= ~ended
    return float(total.mean())


def _recorded_value(
    population: Population, choose: Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.int64]]
) -> float:
    """Mean reward of all recorded patients, decisions scored by what was true of them."""
    engine = Engine(population, len(population), view="belief")
    going = np.ones(engine.num_envs, dtype=np.bool_)
    total = np.zeros(engine.num_envs)
    while going.any():
        actions = np.full(engine.num_envs, -1, dtype=np.int64)
        actions[going] = choose(engine.observation[going], engine.mask[going])
        step = engine.step(actions)
        total += np.where(going, step.reward, 0.0)
        going &= ~(step.terminated | step.truncated)
    return float(total.mean())

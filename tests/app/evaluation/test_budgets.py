"""Hard limits mean the same in training as in evaluation."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from workup.agents.acting import take
from workup.agents.registry import agent_factories
from workup.envs.engine.types import Budget
from workup.envs.model.world import World
from workup.envs.views.env import JourneyEnv
from workup.errors import PlanningRefused
from workup.evaluation.run import run_agents

PATIENTS, SINGLY = 60, 24
BUDGETS = [
    Budget(cost_gbp=150.0),
    Budget(dose_msv=0.05),
    Budget(tests=1),
    Budget(cost_gbp=300.0, dose_msv=5.0, tests=2),
]
AGENTS = sorted(set(agent_factories()) - {"optimum"})


@cache
def agent_of(world: World, name: str) -> Any:
    """Made once: an agent keeps nothing of the patients whom it met."""
    return agent_factories()[name](world, seed=0)


def one_by_one(world: World, agent: Any, budget: Budget) -> dict[int, dict[str, Any]]:
    """The end of each of the first patients in the environment that one trains in, one journey at a time."""
    env, ends = JourneyEnv(world, budget=budget, view="belief", seed=5), {}
    for patient in range(SINGLY):
        env.reset(seed=5, options={"patient": patient})
        over = False
        while not over:
            view = env.engine.journey_view(observation=True)
            action = int(take(agent, view, seed=5, patients=np.array([patient])).action[0])
            *_, terminated, truncated, info = env.step(action)
            assert not info["illegal"]
            over = terminated or truncated
        ends[patient] = info["journey_end"]
    return ends


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
@pytest.mark.parametrize("name", AGENTS)
def test_evaluation_keeps_the_limits_of_training(world: World, name: str, budget: Budget) -> None:
    agent = agent_of(world, name)
    found = run_agents(world, {name: agent}, patients=PATIENTS, seed=5, budget=budget)[name]
    for measure, limit in (("cost_gbp", budget.cost_gbp), ("dose_msv", budget.dose_msv), ("tests", budget.tests)):
        assert limit is None or (getattr(found, measure) <= limit + 1e-9).all()
    ends = one_by_one(world, agent, budget)
    assert found.patient[:SINGLY].tolist() == list(ends)
    for row, patient in enumerate(ends):
        end = ends[patient]
        decision = None if found.decision[row] < 0 else world.decisions[found.decision[row]]
        assert (end["decision"], end["tests"]) == (decision, found.tests[row])
        assert (end["cost_gbp"], end["dose_msv"]) == pytest.approx((found.cost_gbp[row], found.dose_msv[row]))


def test_the_optimum_says_that_it_knows_no_limits(world: World) -> None:
    optimum = agent_factories()["optimum"](world, seed=0)
    with pytest.raises(PlanningRefused, match=r"order .* is not legal here; planners know no hard budget"):
        run_agents(world, {"optimum": optimum}, patients=PATIENTS, seed=5, budget=Budget(tests=0))


def test_limits_bind(world: World) -> None:
    """Without limits the same agents spend more, so that the tests above have something to look at."""
    everything = {"all": agent_factories()["all"](world, seed=0)}
    free = run_agents(world, everything, patients=PATIENTS, seed=5)["all"]
    for budget in BUDGETS:
        bound = run_agents(world, everything, patients=PATIENTS, seed=5, budget=budget)["all"]
        assert bound.cost_gbp.mean() < free.cost_gbp.mean()


@pytest.mark.torch
def test_a_batch_for_stable_baselines_has_the_same_masks(world: World) -> None:
    from workup.envs.views.sb3 import JourneyVecEnv

    budget, n = BUDGETS[-1], 16
    env = JourneyVecEnv(world, n, budget=budget, seed=5)
    singles = [JourneyEnv(world, budget=budget, seed=5) for _ in range(n)]
    env.reset()
    for slot, single in enumerate(singles):
        single.reset(seed=5, options={"patient": slot})
    rng = np.random.default_rng(0)
    running = set(range(n))
    while running:
        masks = env.action_masks()
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        for slot in running:
            np.testing.assert_array_equal(masks[slot], singles[slot].action_masks())
        _, _, dones, _ = env.step(actions)
        for slot in list(running):
            *_, terminated, truncated, _ = singles[slot].step(int(actions[slot]))
            assert (terminated or truncated) == dones[slot]
            if dones[slot]:
                running.discard(slot)

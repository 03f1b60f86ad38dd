"""Agents wait for what they ordered: with delayed results they do what they do with results at once, patient by patient."""

from __future__ import annotations

import numpy as np
import pytest
from support.shipped import SCENARIOS, some, world_of

from workup.agents.registry import make_agent
from workup.envs.model.codes import PENDING
from workup.envs.records.run import run_journeys

SERIAL = ("none", "guideline", "voi", "senior")
"""One order at a time, without a plan for results that are on their way."""
SAME = (
    "decision",
    "value",
    "components",
    "expected_components",
    "cost_gbp",
    "dose_msv",
    "tests",
    "clock_h",
    "values",
    "status",
)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("agent", SERIAL)
def test_results_that_take_their_time_change_nothing(name: str, agent: str) -> None:
    world, patients = world_of(name), np.arange(some(name, 60, 24))
    acting = make_agent(agent, world, seed=1)
    at_once, delayed = (
        run_journeys(world, acting, patients=patients, seed=5, results=results) for results in ("at_once", "delayed")
    )
    for field in SAME:
        np.testing.assert_allclose(getattr(delayed, field), getattr(at_once, field), 1e-12, 1e-9, err_msg=field)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_decides_while_a_result_is_on_its_way(name: str) -> None:
    world = world_of(name)
    decides = np.array([action.kind == "decide" for action in world.actions])
    for agent in (*SERIAL, "all", "random"):
        found = run_journeys(
            world, make_agent(agent, world, seed=1), patients=np.arange(16), seed=6, results="delayed", record=True
        )
        events = found.events
        assert events is not None
        pending = (events.status == PENDING).any(axis=1)
        assert not pending[decides[events.action]].any(), agent
        assert pending.any() or not (world.turnaround_h[world.opens_journey == 0] > 0).any() or agent == "none", agent

"""Every expectation of every vignette is worth having: a policy altered to break it is caught, or the rules forbid it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from workup.agents.guideline import GuidelineAgent
from workup.agents.registry import make_agent
from workup.check import run_vignettes
from workup.envs.cases import vignette_cases
from workup.envs.compile import compile_world
from workup.envs.patient_model import NOT_ORDERED
from workup.envs.world import World
from workup.expectations import judge
from workup.mutation import DRAWS, Mutation, mutate
from workup.reachable import reach
from workup.scenarios.library import list_scenarios, load_scenario


@cache
def world_of(name: str) -> World:
    return compile_world(load_scenario(name))


@cache
def mutations_of(name: str) -> tuple[Mutation, ...]:
    world = world_of(name)
    return mutate(world, GuidelineAgent(world))


@pytest.fixture(params=list_scenarios())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_broken_expectation_is_caught_or_nobody_can_break_it(name: str) -> None:
    found = mutations_of(name)
    assert [(m.vignette, m.expectation, m.change) for m in found if m.outcome == "missed"] == []
    assert [m for m in found if m.outcome == "protected" and not m.reason] == []


def test_no_expectation_decision_or_ceiling_is_left_out(name: str) -> None:
    world = world_of(name)
    broken = {(m.vignette, m.expectation) for m in mutations_of(name)}
    journeys = run_vignettes(world, GuidelineAgent(world), draws=DRAWS)
    judged = {
        (vignette, verdict.text)
        for vignette, done in journeys.items()
        for verdict in judge(world.scenario.vignettes[vignette], done)
    }
    assert broken == judged


def test_every_vignette_can_be_failed_in_some_way(name: str) -> None:
    caught = {m.vignette for m in mutations_of(name) if m.outcome == "caught"}
    assert caught == set(world_of(name).scenario.vignettes)


@pytest.mark.parametrize("agent", ["all", "random"])
def test_what_is_said_to_be_impossible_never_happens(name: str, agent: str) -> None:
    """The proof behind `protected`, against agents that order what they can."""
    world = world_of(name)
    journeys = run_vignettes(world, make_agent(agent, world, seed=3), draws=60)
    for vignette, done in journeys.items():
        cases = vignette_cases(world, vignette, draws=60)
        allowed: dict[tuple[int, int], np.ndarray] = {}
        for row, (k, h) in enumerate(zip(cases.profile.tolist(), cases.hidden.tolist(), strict=True)):
            if (k, h) not in allowed:
                orders = reach(world, k, h, cases.values[row]).orders
                allowed[k, h] = np.isin(np.arange(len(world.items)), list(orders))
            ordered = done.status[row] != NOT_ORDERED
            assert not (ordered & ~allowed[k, h]).any(), (
                vignette,
                row,
                np.array(world.items)[ordered & ~allowed[k, h]],
            )

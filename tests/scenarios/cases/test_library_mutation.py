"""Every expectation of every vignette is worth having: a policy altered to break it is caught, or the rules forbid it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from support.shipped import SCENARIOS, world_of

from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.registry import make_agent
from workup.envs.engine.cases import vignette_cases
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.world import World
from workup.vignettes.check import run_vignettes
from workup.vignettes.expectations import judge
from workup.vignettes.mutation.mutate import DRAWS, Mutation, mutate
from workup.vignettes.mutation.reachable import Reach, reach
from workup.vignettes.mutation.ways import ways_to_break


@cache
def mutations_of(name: str) -> tuple[Mutation, ...]:
    world = world_of(name)
    return mutate(world, GuidelineAgent(world))


@pytest.fixture(params=SCENARIOS)
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
    world, draws = world_of(name), 15
    journeys = run_vignettes(world, make_agent(agent, world, seed=3), draws=draws)
    for vignette, done in journeys.items():
        stated, reached = world.scenario.vignettes[vignette], reach_of(world, vignette, draws)
        for row, patient in enumerate(reached):
            ordered = set(np.flatnonzero(done.status[row] != NOT_ORDERED).tolist())
            assert ordered <= patient.orders, (vignette, row, [world.items[i] for i in ordered - patient.orders])
        verdicts = judge(stated, done)
        for way in ways_to_break(world, stated):
            able = {patient: way.possible(patient) for patient in set(reached)}
            impossible = np.array([not able[patient] for patient in reached])
            if way.still is None and impossible.any():
                part = stated if way.part is None else stated.model_copy(update={"expect": (way.part,)})
                verdict = verdicts[way.index] if way.part is None else judge(part, done)[0]
                assert not (verdict.fails & impossible).any(), (vignette, way.change)


def reach_of(world: World, vignette: str, draws: int) -> list[Reach]:
    """What the rules allow for each draw; the same object for patients who are alike."""
    cases = vignette_cases(world, vignette, draws=draws)
    who = list(zip(cases.profile.tolist(), cases.hidden.tolist(), strict=True))
    known = {(k, h): reach(world, k, h, cases.values[0]) for k, h in set(who)}
    return [known[each] for each in who]

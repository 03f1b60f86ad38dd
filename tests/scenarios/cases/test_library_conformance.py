"""Every scenario that comes with workup, found by its folder: sound, sourced, and with vignettes that can be met.

What the environments of each have to keep to is in `tests/envs/testing/test_conformance.py`, that sampled frequencies are the exact
ones in `tests/envs/engine/test_frequencies.py`, both environment checkers in `tests/envs/views/test_env.py`, and that every
expectation can be failed in `test_library_mutation.py`.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from support.shipped import IN_FULL, SCENARIOS, scenario_of, some, world_of

from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.compile.faults import lint_compiled
from workup.envs.engine.cases import stated_facts, vignette_cases
from workup.envs.model.codes import UNKNOWN
from workup.scenarios.language.library import find_scenario
from workup.scenarios.language.reading.signatures import standing_of
from workup.vignettes.check import check_agent, run_vignettes

DRAWS = 60


@pytest.fixture(params=SCENARIOS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_lints_clean(name: str) -> None:
    assert lint_compiled(find_scenario(name)) == ()


def test_is_a_draft_as_long_as_nobody_has_signed_it(name: str) -> None:
    scenario = scenario_of(name)
    assert scenario.id == name
    assert {standing_of(scenario).status, scenario.who.status} == {"draft"} or scenario.reviews


def test_every_reward_compiles_and_both_are_there(name: str) -> None:
    scenario = scenario_of(name)
    assert set(scenario.rewards) == {"complex_decision", "triage"}
    worth = [compile_world(scenario, preset=preset).utility_gbp for preset in scenario.rewards]
    assert not np.allclose(worth[0], worth[1])


def test_every_target_says_where_it_is_from(name: str) -> None:
    """That each is met is part of a clean lint."""
    scenario = scenario_of(name)
    for target in scenario.targets:
        (figure,) = [f for f in scenario.figures if f.path == f"targets.{target}.value"]
        assert figure.status == "assumed" or figure.source or figure.note, target


def test_every_source_stands_behind_a_figure(name: str) -> None:
    scenario = scenario_of(name)
    used = {source for figure in scenario.figures for source in (figure.source or "").split(", ")}
    cited = " ".join(figure.note or "" for figure in scenario.figures)
    assert {source for source in scenario.sources if source not in used and not _names(source, cited)} == set()


def _names(source: str, text: str) -> bool:
    """Whether a text names a source: S1 is not in S12."""
    return re.search(rf"\b{re.escape(source)}\b", text) is not None


def test_seen_and_recalled_figures_say_where_they_are_from(name: str) -> None:
    scenario = scenario_of(name)
    bare = [f.path for f in scenario.figures if f.status in ("seen", "recalled") and not (f.source or f.note)]
    assert bare == []
    unread = [
        f.path
        for f in scenario.figures
        if f.status == "seen" and not any(scenario.sources[s].seen for s in (f.source or "").split(", ") if s)
    ]
    assert unread == []


# ---------------------------------------------------------------- the vignettes


def test_has_vignettes_that_the_guideline_passes(name: str) -> None:
    world = world_of(name)
    assert world.scenario.vignettes
    found = check_agent(world, GuidelineAgent(world))
    assert {each.id: [f.expectation for f in each.failures] for each in found.vignettes if not each.passed} == {}


def test_every_vignette_is_possible_and_its_draws_are_that_patient(name: str) -> None:
    world = world_of(name)
    conditions = list(world.model.conditions)
    for vignette, stated in world.scenario.vignettes.items():
        cases = vignette_cases(world, vignette, draws=DRAWS)  # refuses what the model calls impossible
        drawn = cases.profile, cases.hidden
        assert (world.model.prior[drawn] > 0).all()
        for fact in stated_facts(world, stated):
            assert (fact.likelihood[drawn] > 0).all(), (vignette, fact.words)
            if fact.observable >= 0:
                assert (cases.values[:, fact.observable] == fact.code).all(), (vignette, fact.words)
        causes = {conditions[c] for c in world.model.condition_of[cases.hidden]}
        assert causes == {stated.condition}


def test_what_is_revealed_of_a_vignette_is_what_it_states(name: str) -> None:
    world, told = world_of(name), 0
    journeys = run_vignettes(world, make_agent("all", world), draws=some(name, DRAWS, 20))
    for vignette, done in journeys.items():
        for fact in stated_facts(world, world.scenario.vignettes[vignette]):
            if fact.observable >= 0:
                revealed = done.values[:, fact.observable]
                assert np.isin(revealed, (fact.code, UNKNOWN)).all(), (vignette, fact.words)
                told += int((revealed == fact.code).any())
    assert told >= len(journeys)


def test_the_scenarios_tested_in_full_are_there() -> None:
    assert set(IN_FULL) <= set(SCENARIOS)

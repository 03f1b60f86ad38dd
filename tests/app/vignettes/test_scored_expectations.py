"""An expectation from the moment that a score is reached: broken where it can be, protected where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.scored import scenario_with

from workup.agents.baselines.guideline import GuidelineAgent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.scenarios.language.schema import Vignette
from workup.vignettes.check import check_agent
from workup.vignettes.mutation.mutate import mutate


@pytest.fixture(scope="module")
def febrile(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Fever and crackles, never smoked, no blood: 3 points, known after the examination."""
    scenario = scenario_with(tmp_path_factory.mktemp("scored"))
    expect: tuple[dict[str, Any], ...] = (
        {"must": ["chest_film"], "when": {"chest": {"at_least": 3}}},
        {"must_not": ["ct"], "when": {"chest": "likely"}},
        {"must_not": ["kidney_test"], "when": {"chest": {"below": 0}}},
    )
    before = scenario.vignettes["febrile"].model_dump()
    vignette = Vignette.model_validate({**before, "expect": expect, "ceilings": {}})
    return compile_world(scenario.model_copy(update={"vignettes": {"febrile": vignette}}))


def test_it_counts_from_the_moment_on(febrile: World) -> None:
    result = check_agent(febrile, GuidelineAgent(febrile)).vignettes[0]
    assert result.failures == ()
    (never,) = result.never_counted
    assert "must not do Kidney function, once Chest score for pneumonia is below 0" in never


def test_what_can_be_broken_is_and_what_the_score_rules_out_is_told(febrile: World, tmp_path: Path) -> None:
    outcomes = {m.change: m for m in mutate(febrile, GuidelineAgent(febrile), draws=20)}
    assert outcomes["left out: Chest film"].outcome == "caught"
    assert outcomes["ordered: CT of the chest with contrast"].outcome == "caught"
    kidney = outcomes["ordered: Kidney function"]
    assert (kidney.outcome, kidney.reason) == (
        "protected",
        "the rules never allow it for this patient once its condition holds",
    )

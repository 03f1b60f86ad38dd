"""Clinical scenarios beside weight loss: each meets its published figures, and shows the mechanism it was written for."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pytest

from workup.agents.guideline import GuidelineAgent
from workup.check import check_agent
from workup.envs.compile import compile_world
from workup.envs.journeys import run_journeys
from workup.envs.scenario_faults import check_scenario
from workup.envs.world import World
from workup.scenarios.library import load_scenario

VIGNETTES = {
    "breathlessness": [
        "3a_lagger",
        "3b_joiner_who_smokes",
        "3c_fluid",
        "3d_washed_overalls",
        "3e_scan_every_year",
    ],
    "meningitis": ["4a_student", "4b_focal", "4c_vaccinated", "4d_purpura", "4e_part_treated", "4f_migraine"],
    "unknown_primary": ["2a_axilla", "2b_emphysema", "2c_midline", "2d_wants_home", "2e_no_details"],
}


@cache
def world_of(name: str) -> World:
    return compile_world(load_scenario(name))


@pytest.fixture(params=VIGNETTES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_has_the_vignettes_of_the_draft_and_waits_for_a_clinician(name: str) -> None:
    scenario = load_scenario(name)
    assert list(scenario.vignettes) == VIGNETTES[name]
    assert (scenario.who.status, scenario.who.reviewers) == ("draft", ())
    assert set(scenario.rewards) == {"complex_decision", "triage"}


def test_meets_every_published_operating_point(name: str) -> None:
    scenario = load_scenario(name)
    assert check_scenario(scenario) == ()
    assert len(scenario.targets) >= 5


def test_the_guideline_passes_every_vignette(name: str) -> None:
    world = world_of(name)
    found = check_agent(world, GuidelineAgent(world))
    assert [vignette.id for vignette in found.vignettes if not vignette.passed] == []


@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_the_guideline_takes_every_patient_to_a_decision_by_legal_steps(
    name: str, results: Literal["at_once", "delayed"]
) -> None:
    world = world_of(name)
    agent = GuidelineAgent(world)
    done = run_journeys(world, agent.act, agent=agent.name, patients=np.arange(1000), seed=1, results=results)
    assert (done.decision >= 0).all()
    assert np.isfinite(done.value).all()


def test_every_source_stands_behind_a_figure(name: str) -> None:
    scenario = load_scenario(name)
    used = {source for figure in scenario.figures for source in (figure.source or "").split(", ")}
    words = " ".join(figure.note or "" for figure in scenario.figures)
    assert {source for source in scenario.sources if source not in used and source not in words} == set()


def test_seen_and_recalled_figures_say_where(name: str) -> None:
    bare = [
        f.path for f in load_scenario(name).figures if f.status in ("seen", "recalled") and not (f.source or f.note)
    ]
    assert bare == []


def odds(world: World, condition: str, facts: dict[str, str]) -> float:
    p = float(world.model.network.posterior("condition", facts)[condition])
    return p / (1.0 - p)


def test_hib_vaccine_lowers_type_b_and_says_nothing_on_other_types() -> None:
    world = world_of("meningitis")
    young = {"age": "born_since_1988"}
    ratio = {
        condition: odds(world, condition, {**young, "hib_vaccine": "yes"})
        / odds(world, condition, {**young, "hib_vaccine": "no"})
        for condition in ("hib", "hi_other", "pneumococcal")
    }
    assert ratio["hib"] == pytest.approx(0.06, rel=0.01)
    assert ratio["hi_other"] == pytest.approx(1.0, abs=0.01)
    assert ratio["pneumococcal"] == pytest.approx(1.0, abs=0.01)


def test_a_normal_lactate_says_much_less_after_antibiotics() -> None:
    world = world_of("meningitis")
    normal = {"csf_lactate": "under_3_9"}
    before, after = (odds(world, "meningococcal", {"earlier_antibiotics": given, **normal}) for given in ("no", "yes"))
    assert after > 5 * before

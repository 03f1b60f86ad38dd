"""The weight-loss scenario: what the case must hold, and that the whole model meets the published figures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from workup.authoring.qalys import FITNESS, Fitness, by_band, qalys_lost
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.tables import Tables

TIERS = {"history", "examination", "bedside", "bloods", "imaging", "invasive", "molecular"}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("weight_loss")


@pytest.fixture(scope="module")
def world(scenario: Scenario) -> World:
    return compile_world(scenario)


def test_is_as_large_as_the_flagship_should_be(scenario: Scenario) -> None:
    assert len(scenario.conditions) >= 10
    assert len(scenario.investigations) >= 14
    assert len(scenario.findings) >= 40
    assert {investigation.tier for investigation in scenario.investigations.values()} == TIERS


def test_is_a_draft_until_a_clinician_signs(scenario: Scenario) -> None:
    assert scenario.who.status == "draft"
    assert scenario.who.reviewers == ()


def test_both_reward_presets_compile(scenario: Scenario) -> None:
    assert set(scenario.rewards) == {"complex_decision", "triage"}
    utilities = [compile_world(scenario, preset=preset).utility_gbp for preset in scenario.rewards]
    assert not np.allclose(utilities[0], utilities[1])


def test_stays_small_enough_for_exact_inference_and_planning(world: World) -> None:
    profiles, hidden = world.model.prior.shape
    assert profiles <= 200
    assert hidden <= 250


def test_every_set_of_bloods_has_few_joint_results(scenario: Scenario) -> None:
    axes = Tables(scenario).axes
    for order_set in scenario.order_sets.values():
        values = [
            len(axes[name].values) for item in order_set.members for name in scenario.investigations[item].reveals
        ]
        assert np.prod(values) <= 300


def test_a_figure_without_a_source_or_note_is_called_assumed(scenario: Scenario) -> None:
    bare = [f.path for f in scenario.figures if f.status in ("seen", "recalled") and not (f.source or f.note)]
    assert bare == []
    assert set(Counter(f.status for f in scenario.figures)) == {"seen", "recalled", "derived", "assumed"}


def test_every_source_is_used(scenario: Scenario) -> None:
    used = {name for figure in scenario.figures for name in (figure.source or "").split(", ")}
    notes = " ".join(figure.note or "" for figure in scenario.figures)
    idle = {name for name in scenario.sources if name not in used and name not in notes}
    assert idle <= {"NSSFILTER"}, "access rules carry no figure; every other source must stand behind one"


@pytest.mark.parametrize("name", sorted(load_scenario("weight_loss").targets))
def test_targets_name_a_source_or_say_that_they_are_assumed(scenario: Scenario, name: str) -> None:
    target = scenario.targets[name]
    records = [figure for figure in scenario.figures if figure.path == f"targets.{name}.value"]
    assert [record.value for record in records] == [pytest.approx(target.value)]
    assert records[0].status == "assumed" or records[0].source or records[0].note


def test_five_abnormal_markers_do_not_multiply(world: World) -> None:
    network = world.model.network
    markers = {"albumin": "low", "platelets": "high", "calcium": "high", "white_cells": "high", "crp": "raised"}
    cancers = world.scenario.groups["cancer"]
    before, after = network.posterior("condition", {}), network.posterior("condition", markers)
    p, q = (sum(odds[name] for name in cancers) for odds in (before, after))
    ratio = (q / (1 - q)) / (p / (1 - p))
    assert 4.0 < ratio < 8.1


@pytest.mark.parametrize(
    ("sex", "from_which"), [("male", "50_to_54"), ("female", "60_to_79")], ids=["men from 50", "women from 60"]
)
def test_the_risk_passes_three_per_cent_from_the_published_age(world: World, sex: str, from_which: str) -> None:
    ages = list(world.scenario.context["age"].bands or ())
    posterior = world.model.network.posterior
    risk = [
        sum(posterior("condition", {"age": a, "sex": sex})[c] for c in world.scenario.groups["cancer"]) for a in ages
    ]
    above = [age for age, chance in zip(ages, risk, strict=True) if chance > 0.03]
    assert above == ages[ages.index(from_which) :]


TEAMS = {
    "refer_lung": "lung_cancer",
    "refer_colorectal": "colorectal_cancer",
    "refer_pancreatic": "pancreatic_cancer",
    "refer_upper_gi": "upper_gi_cancer",
    "refer_haematology": "blood_cancer",
    "refer_other_cancer": "other_cancer",
}


def test_one_comparator_for_teams_clinic_and_waiting(scenario: Scenario) -> None:
    clinic: Any = scenario.decisions["refer_rdc"].utility
    for team, cancer in TEAMS.items():
        worth: Any = scenario.decisions[team].utility
        waiting: Any = scenario.conditions[cancer].waiting_cost_gbp_per_day
        for frailty, gained in worth[cancer].items():
            assert waiting.gbp[frailty] * 80 == pytest.approx(gained), "back after 80 days"
            assert clinic[cancer][frailty] == pytest.approx(74 / 80 * gained), "found six days later"


def test_a_team_is_worth_the_deaths_that_eighty_days_cost(scenario: Scenario) -> None:
    lost = [by_band()[decade] for decade in ((60, 69), (70, 79))]
    qalys = {"fit": np.mean([each["average"] for each in lost]), "mild": np.mean([each["frail"] for each in lost])}
    later = np.exp(np.log(1.06) * 80 / 28)
    died = {"refer_colorectal": 653 / 11_266 * 80 / 61, "refer_other_cancer": 4_755 / 94_912 * 80 / 91}
    alive = {"refer_lung": 0.1575, "refer_pancreatic": 0.073, "refer_haematology": 0.567}
    died |= {team: share - share**later for team, share in alive.items()}
    for team, deaths in died.items():
        worth: Any = scenario.decisions[team].utility
        for frailty, each in qalys.items():
            assert worth[TEAMS[team]][frailty] == pytest.approx(deaths * each * 20_000, rel=0.02)


def test_treating_the_thyroid_is_worth_the_mortality_of_eighty_days(scenario: Scenario, monkeypatch: Any) -> None:
    monkeypatch.setitem(FITNESS, "low TSH for 80 days", Fitness(1.11 ** (80 / 182.6), 1.0))
    lost = qalys_lost(50) - qalys_lost(50, fitness="low TSH for 80 days")
    worth: Any = scenario.decisions["treat_hyperthyroidism"].utility
    assert worth["hyperthyroidism"] == pytest.approx(lost * 20_000, abs=50)


def test_a_needless_referral_costs_a_published_work_up_near_a_threshold_of_three_per_cent(scenario: Scenario) -> None:
    pays_from = []
    for team, cancer in TEAMS.items():
        worth: Any = scenario.decisions[team].utility
        assert worth["otherwise"]["fit"] == -round(713_948 / 1_950)
        pays_from.append(366 / (366 + worth[cancer]["fit"]))
    assert min(pays_from) < 0.03 < np.median(pays_from) < 0.05

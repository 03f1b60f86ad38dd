"""The breathlessness scenario: its patients, and what the model must say of dates, of film and scan, and of the AP view."""

from __future__ import annotations

import numpy as np
import pytest
from support.clinical import chance, failed, odds

from workup.agents.baselines.guideline import GuidelineAgent
from workup.envs.compile.targets import evaluate_targets
from workup.envs.model.codes import FAILED, RESULT
from workup.envs.model.world import World
from workup.envs.records.run import run_journeys

SCENARIO = "breathlessness"

JOINER = {"sex": "male", "age": "60_to_79", "trade": "building", "pack_years": "under_20"}


def test_meets_the_published_operating_points(world: World) -> None:
    results = evaluate_targets(world)
    assert len(results) >= 30
    assert [target.name for target in results if not target.ok] == []


@pytest.mark.parametrize(
    ("condition", "earliest"), [("asbestosis", "20_to_29"), ("mesothelioma", "30_plus"), ("pleural_benign", "under_20")]
)
def test_each_disease_waits_its_own_time_after_first_exposure(world: World, condition: str, earliest: str) -> None:
    """Latency: benign effusion within 20 years, asbestosis from about 20, mesothelioma from 30."""
    bands = ("under_20", "20_to_29", "30_plus")
    p = [chance(world, "condition", condition, {**JOINER, "first_exposure": band}) for band in bands]
    assert p == sorted(p)
    common = [band for band, value in zip(bands, p, strict=True) if value > p[-1] / 2]
    assert common[0] == earliest


def test_how_long_the_job_lasted_says_nothing_once_its_date_is_known(world: World) -> None:
    """Time since first exposure and dose predict plaques and asbestosis, duration does not (S62)."""
    for variable, value in (("plaques", "yes"), ("early_change", "yes"), ("condition", "asbestosis")):
        p = [
            chance(world, variable, value, {**JOINER, "first_exposure": "30_plus", "exposure_years": years})
            for years in ("under_5", "5_to_14", "15_plus")
        ]
        assert np.ptp(p) == pytest.approx(0.0, abs=1e-12)


def test_duration_looks_informative_only_while_the_date_is_not_asked(world: World) -> None:
    short, long = (chance(world, "plaques", "yes", {**JOINER, "exposure_years": y}) for y in ("under_5", "15_plus"))
    assert long > short + 0.005


def test_plaques_grow_with_time_and_with_dose(world: World) -> None:
    unfit = {"condition": "unfit", "sex": "male"}
    by_time = [
        chance(world, "plaques", "yes", {**unfit, "trade": "building", "first_exposure": band})
        for band in ("under_20", "20_to_29", "30_plus")
    ]
    by_dose = [
        chance(world, "plaques", "yes", {**unfit, "trade": trade, "first_exposure": "30_plus"})
        for trade in ("household", "building", "heavy")
    ]
    assert by_time == sorted(by_time)
    assert by_dose == sorted(by_dose)


def test_a_clear_film_leaves_most_early_change_and_a_clear_scan_does_not(world: World) -> None:
    who = {**JOINER, "trade": "heavy", "first_exposure": "30_plus", "condition": "copd"}
    before = odds(world, "early_change", "yes", who)
    film = odds(world, "early_change", "yes", {**who, "film_lungs": "clear"}) / before
    scan = odds(world, "early_change", "yes", {**who, "hrct_lungs": "no_fibrosis"}) / before
    assert scan < 0.65 < 0.8 < film < 1.0


def test_a_normal_scan_does_not_wholly_exclude_asbestosis(world: World) -> None:
    lagger = {**JOINER, "trade": "heavy", "first_exposure": "30_plus", "crackles": "yes"}
    before = chance(world, "condition", "asbestosis", lagger)
    after = chance(world, "condition", "asbestosis", {**lagger, "hrct_lungs": "no_fibrosis"})
    assert 0.03 < after < before / 2


def test_the_ap_film_is_a_mark_of_sickness_that_vanishes_once_frailty_is_known(world: World) -> None:
    sick = ("hf_reduced", "hf_preserved", "mesothelioma", "lung_cancer")
    age = {"age": "60_to_79"}
    ratio = odds(world, "condition", sick, {**age, "film_view": "sitting_ap"}) / odds(world, "condition", sick, age)
    assert ratio > 2.0
    frail = {**age, "frail": "yes"}
    with_view = chance(world, "condition", sick, {**frail, "film_view": "sitting_ap"})
    assert with_view == pytest.approx(chance(world, "condition", sick, frail), abs=1e-12)


def test_a_large_heart_says_less_on_an_ap_film(world: World) -> None:
    heart = ("hf_reduced", "hf_preserved")
    ratio = {}
    for view in ("standing_pa", "sitting_ap"):
        before, after = (
            odds(world, "condition", heart, facts)
            for facts in ({"film_view": view}, {"film_view": view, "film_heart": "enlarged"})
        )
        ratio[view] = after / before
    assert ratio["standing_pa"] == pytest.approx(0.625 / 0.235, rel=1e-6)
    assert ratio["sitting_ap"] == pytest.approx(0.61 / 0.34, rel=1e-6)


def test_spirometry_is_missing_in_the_frail(world: World) -> None:
    agent = GuidelineAgent(world)
    done = run_journeys(world, agent, name=agent.name, patients=np.arange(2000), seed=3)
    status = done.status[:, world.item("spirometry")]
    looks_frail = done.values[:, world.model.observables.index("looks_frail")] == 1
    failed = looks_frail[status == FAILED]
    assert len(failed) > 50
    assert failed.mean() > 3 * looks_frail[status == RESULT].mean()


def test_the_guideline_passes_all_vignettes(world: World) -> None:
    assert failed(world) == []

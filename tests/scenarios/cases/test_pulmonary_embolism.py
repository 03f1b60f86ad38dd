"""The embolism scenario: its patients, and what the model must say of PERC, pregnancy and age."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.clinical import failed

from workup.envs.compile.targets import evaluate_targets
from workup.envs.model.facts import when_holds
from workup.envs.model.world import World
from workup.scenarios.language.tables import Tables
from workup.scenarios.language.worth import worth_gbp

SCENARIO = "pulmonary_embolism"


def test_meets_the_published_operating_points(world: World) -> None:
    assert [target.name for target in evaluate_targets(world) if not target.ok] == []


def test_a_normal_d_dimer_says_nothing_in_pregnancy_and_much_otherwise(world: World) -> None:
    """DiPEP: sensitivity 0.884, specificity 0.088, so that a normal one is found a little more often with embolism."""
    ratio = {}
    for pregnant in ("no", "yes"):
        who = {"age": "under_50", "pregnant": pregnant}
        before, after = (
            sum(world.model.network.posterior("condition", facts)[name] for name in world.scenario.groups["clot"])
            for facts in (who, {**who, "d_dimer": "under_500"})
        )
        ratio[pregnant] = (after / (1 - after)) / (before / (1 - before))
    assert ratio["no"] < 0.05
    assert ratio["yes"] == pytest.approx((1 - 0.884) / 0.088, rel=0.05)


def test_the_cut_off_by_age_spares_scans_only_to_the_old(world: World) -> None:
    spared = {
        age: world.model.network.posterior("d_dimer", {"age": age, "condition": "chest_wall"})["under_ten_times_age"]
        for age in ("under_50", "50_to_60", "over_80")
    }
    assert spared["under_50"] == 0
    assert 0 < spared["50_to_60"] < spared["over_80"]


WELLS = {
    "leg_signs": 3,
    "embolism_most_likely": 3,
    "heart_rate": 1.5,
    "immobility": 1.5,
    "prior_vte": 1.5,
    "haemoptysis": 1,
    "cancer": 1,
}
PERC = ("age", "heart_rate", "low_oxygen", "haemoptysis", "oestrogen", "prior_vte", "immobility", "leg_signs")


@pytest.mark.parametrize(("word", "names"), [({"wells": "likely"}, tuple(WELLS)), ({"perc": "negative"}, PERC)])
def test_a_score_holds_once_what_is_known_settles_it(
    world: World, word: dict[str, str], names: tuple[str, ...]
) -> None:
    """Each part absent, present or not known, in every way: Wells above 4 by what is present, PERC by all eight absent."""
    ways = np.array(list(itertools.product((-1, 0, 1), repeat=len(names))))
    values = np.full((len(ways), len(world.model.observables)), -1, np.int16)
    for column, name in zip(ways.T, names, strict=True):
        values[:, world.model.observables.index(name)] = column
    found = when_holds(world, word, values, np.zeros((len(ways), len(world.items)), np.uint8))
    expected = (ways == 0).all(axis=1) if "perc" in word else (ways == 1) @ np.array(list(WELLS.values())) > 4
    assert (found == expected).all()
    assert 0 < expected.sum() < len(ways)


def test_a_false_anticoagulation_costs_what_bleeding_drug_and_clinic_do(world: World) -> None:
    """0.006 bleed, and lose one QALY and 5,000 pounds; six months of drug at 57 pounds and two visits at 154."""
    worth = worth_gbp(Tables(world.scenario), "anticoagulate")
    assert worth.parents == ("condition", "leg_clot")
    clot, other = (
        list(world.model.network.variable("condition").values).index(name) for name in ("embolism", "anxiety")
    )
    lost = 0.006 * (20_000 + 5_000) + 6 * 57 + 2 * 154
    assert worth.values[other, 0] == pytest.approx(-lost)
    assert worth.values[clot] == pytest.approx(20_000 - lost)
    assert worth.values[other, 1] == pytest.approx(3_000)


def test_the_guideline_passes_all_vignettes(world: World) -> None:
    assert failed(world) == []

"""The embolism scenario: its patients, and what the model must say of PERC, pregnancy and age."""

from __future__ import annotations

from support.clinical import failed

from workup.envs.compile.targets import evaluate_targets
from workup.envs.model.world import World

SCENARIO = "pulmonary_embolism"


def test_meets_the_published_operating_points(world: World) -> None:
    assert [target.name for target in evaluate_targets(world) if not target.ok] == []


def test_a_d_dimer_says_little_in_pregnancy_and_much_otherwise(world: World) -> None:
    ratio = {}
    for pregnant in ("no", "yes"):
        who = {"age": "under_50", "pregnant": pregnant}
        before, after = (
            sum(world.model.network.posterior("condition", facts)[name] for name in world.scenario.groups["clot"])
            for facts in (who, {**who, "d_dimer": "under_500"})
        )
        ratio[pregnant] = (after / (1 - after)) / (before / (1 - before))
    assert ratio["no"] < 0.05 < 0.4 < ratio["yes"] < 1


def test_the_cut_off_by_age_spares_scans_only_to_the_old(world: World) -> None:
    spared = {
        age: world.model.network.posterior("d_dimer", {"age": age, "condition": "chest_wall"})["under_ten_times_age"]
        for age in ("under_50", "50_to_60", "over_80")
    }
    assert spared["under_50"] == 0
    assert 0 < spared["50_to_60"] < spared["over_80"]


def test_the_guideline_passes_all_vignettes(world: World) -> None:
    assert failed(world) == []

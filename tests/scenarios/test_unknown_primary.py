"""The unknown primary: what radiology passes on, which lesion is safe, and when to stop."""

from __future__ import annotations

import shutil
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from workup.agents.guideline import AGENTS
from workup.check import check_agent
from workup.envs.compile import compile_world
from workup.envs.compile_network import after_name
from workup.envs.targets import evaluate_targets
from workup.envs.world import World
from workup.scenarios.library import load_scenario
from workup.scenarios.reader import read

FOLDER = Path(str(files("workup.scenarios").joinpath("unknown_primary")))
VIGNETTES = {
    "2a_axilla": "breast",
    "2b_emphysema": "lung",
    "2c_midline": "germ_cell",
    "2d_wants_home": "pancreatobiliary",
    "2e_no_details": "ovary",
}
WOMAN = {"sex": "female", "age": "40_to_69"}
TOLD = after_name("ihc_pattern", "send_context")


@pytest.fixture(scope="module")
def world() -> World:
    return compile_world(load_scenario("unknown_primary"))


def failed_by_guideline(world: World) -> list[str]:
    result = check_agent(world, AGENTS["guideline"](world, seed=0))
    return [vignette.id for vignette in result.vignettes if not vignette.passed]


def failed_without(rule: str, folder: Path) -> list[str]:
    """The vignettes that fail once the guideline's lines that start with `rule` are taken out."""
    copy = folder / "unknown_primary"
    shutil.copytree(FOLDER, copy)
    lines = (copy / "scenario.yaml").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(rule)]
    assert len(kept) < len(lines)
    (copy / "scenario.yaml").write_text("".join(kept))
    return failed_by_guideline(compile_world(load_scenario(copy)))


def test_vignettes_are_those_of_the_draft(world: World) -> None:
    assert {name: vignette.condition for name, vignette in world.scenario.vignettes.items()} == VIGNETTES


def test_meets_the_published_operating_points(world: World) -> None:
    assert [target.name for target in evaluate_targets(world) if not target.ok] == []


def test_two_findings_mean_little_apart_and_much_together(world: World) -> None:
    def ovary(facts: dict[str, str]) -> float:
        return float(world.model.network.posterior("condition", {**WOMAN, **facts})["ovary"])

    assert ovary({"ct_pattern": "pelvis"}) < 0.5
    assert ovary({"ihc_pattern": "pax8"}) < 0.5
    assert ovary({"ct_pattern": "pelvis", TOLD: "pax8"}) > 0.95


def test_the_stain_that_settles_it_is_only_done_if_radiology_is_passed_on(world: World) -> None:
    woman = {**WOMAN, "condition": "ovary", "ct_pattern": "pelvis"}
    chance = {report: world.model.network.posterior(report, woman)["pax8"] for report in ("ihc_pattern", TOLD)}
    assert chance["ihc_pattern"] < 0.1 < 0.85 < chance[TOLD]


@pytest.mark.parametrize(("report", "told", "right"), [("ihc_pattern", (), 0.66), (TOLD, ("sex", "ct_pattern"), 0.80)])
def test_the_best_guess_is_right_as_often_as_the_draft_says(
    world: World, report: str, told: tuple[str, ...], right: float
) -> None:
    names = ("condition", report, *told)
    joint = _joint(world, names)
    best: dict[tuple[str, ...], float] = {}
    total = 0.0
    for (condition, *seen), p in joint.items():
        if condition != "true_cup":
            total += p
            best[tuple(seen)] = max(best.get(tuple(seen), 0.0), p)
    assert sum(best.values()) / total == pytest.approx(right, abs=0.025)


def _joint(world: World, names: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    """(values of `names`) -> probability."""
    values = [world.model.network.variable(name).values for name in names]
    return {
        row: float(world.model.network.probability({n: frozenset({v}) for n, v in zip(names, row, strict=True)}))
        for row in product(*values)
    }


def test_pneumothorax_has_the_published_rate_and_odds_ratio(world: World) -> None:
    chance = read(FOLDER).tree.data["investigations"]["lung_biopsy"]["complications"]["pneumothorax"]["chance"]
    share = world.model.network.posterior("emphysema", {})
    odds = {lungs: p / (1 - p) for lungs, p in chance.items()}
    assert sum(share[lungs] * chance[lungs] for lungs in chance) == pytest.approx(0.259, abs=0.002)
    assert odds["yes"] / odds["no"] == pytest.approx(3.33, abs=0.03)


def test_the_guideline_passes_all_vignettes(world: World) -> None:
    assert failed_by_guideline(world) == []


@pytest.mark.parametrize(
    ("rule", "caught"),
    [
        ("  - {do: supportive, when:", ["2d_wants_home"]),
        ("  - {do: send_context", ["2a_axilla", "2b_emphysema", "2e_no_details"]),
    ],
)
def test_without_the_stop_rule_or_the_context_the_vignettes_fail(rule: str, caught: list[str], tmp_path: Path) -> None:
    assert failed_without(rule, tmp_path) == caught

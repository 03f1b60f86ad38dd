"""A rate and a perspective on the command line: asked for, told, kept apart, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import run
from support.parts import in_full

from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.reading.viewed import viewed
from workup.sensitivity.perturbation import candidates


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    made = tmp_path / "parts"
    made.mkdir()
    (made / "scenario.yaml").write_text(json.dumps(in_full()) + "\n...\n", encoding="utf-8")
    return made


def test_evaluate_at_another_rate(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values, digests = {}, set()
    for rate in (10000, 30000):
        told = tmp_path / "told.json"
        asked = ("evaluate", folder, "--agents", "none", "--patients", 40, "--gbp-per-qaly", rate, "--json", told)
        status, out, err = run(capsys, *asked)
        assert status == 0, err
        assert f"One QALY counts £{rate:,}; as the NHS sees it" in out
        found = json.loads(told.read_text())
        digests.add(found["digest"])
        values[rate] = found["agents"]["none"]["value"]["mean"]
    assert len(digests) == 2
    assert values[30000] < values[10000]


def test_simulate_and_report_take_both(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = ("--gbp-per-qaly", 30000, "--perspective", "patient")
    status, _, err = run(
        capsys, "simulate", folder, "--agent", "none", "--patients", 5, "--out", tmp_path / "j.json", *view
    )
    assert status == 0, err
    assert {component["cost"] for component in _components(tmp_path / "j.json")} == {0.0}
    page = tmp_path / "r.html"
    status, _, err = run(capsys, "report", folder, "--agents", "none", "--patients", 20, "--out", page, *view)
    assert status == 0, err
    text = page.read_text(encoding="utf-8")
    assert "One QALY counts £30,000; as the patient sees it" in text
    assert "--gbp-per-qaly 30000 --perspective patient" in text


def _components(file: Path) -> list[dict[str, float]]:
    return [journey["components_gbp"] for journey in json.loads(file.read_text())["journeys"]]


ASKING = {
    "train": ("--out", "x"),
    "evaluate": ("--agents", "none"),
    "check": ("--agent", "none"),
    "simulate": ("--agent", "none", "--out", "x.json"),
    "report": ("--agents", "none", "--out", "x.html"),
    "solve": (),
    "sensitivity": (),
    "play": (),
}


@pytest.mark.parametrize("command", ASKING)
def test_every_command_that_plays_or_plans_asks_for_them(
    command: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def population_of(scenario: object, **settings: object) -> None:
        asked.append(settings)
        raise WorkupError("enough was seen")

    monkeypatch.chdir(tmp_path)
    for module in ("workup.envs.compile.recorded", "workup.evaluation.policies"):
        monkeypatch.setattr(f"{module}.population_of", population_of)
    status, _, err = run(capsys, command, folder, *ASKING[command], "--gbp-per-qaly", 30000, "--perspective", "patient")
    assert status != 0
    assert "enough was seen" in err
    assert asked == [{"gbp_per_qaly": 30000, "perspective": "patient"}]


def test_figures_of_parts_can_be_moved_unless_they_do_not_count(folder: Path) -> None:
    scenario = load_scenario(folder)
    found, unmoved = candidates(scenario)
    moved_paths = {candidate.path for candidate in found}
    treat, reasons = "decisions.treat.worth", {each.path: each.reason for each in unmoved}
    assert {
        f"{treat}.qaly.lung_cancer",
        f"{treat}.cost_gbp.otherwise",
        f"{treat}.bed_days.pneumonia.yes",
    } <= moved_paths
    assert {
        f"{treat}.complications.fall.chance.ever",
        f"{treat}.complications.fall.loss_gbp",
        "utility.bed_day_gbp",
    } <= moved_paths
    assert "utility.gbp_per_qaly" in moved_paths
    assert reasons[f"{treat}.own_cost_gbp"] == "of no weight in the perspective nhs"
    patient = viewed(scenario, gbp_per_qaly=30000, perspective="patient")
    found, unmoved = candidates(patient)
    assert {f"{treat}.own_cost_gbp", f"{treat}.transfer_gbp.otherwise"} <= {candidate.path for candidate in found}
    reasons = {each.path: each.reason for each in unmoved}
    assert reasons["investigations.ct.cost_gbp"] == "of no weight in the perspective patient"
    assert reasons["utility.bed_day_gbp"] == "of no weight in the perspective patient"
    assert "utility.gbp_per_qaly" not in {candidate.path for candidate in found}, (
        "who asks for a rate does not want it moved"
    )


@pytest.mark.parametrize(("asked", "told"), [
    (("--gbp-per-qaly", "0"), "gbp_per_qaly is 0; expected pounds above 0"),
    (("--gbp-per-qaly", "nan"), "gbp_per_qaly is nan"),
    (("--perspective", "societal"), "no scenario has figures for work lost"),
    (("--perspective", "me"), "expected nhs or patient"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], asked: tuple[str, str], told: str
) -> None:
    status, _, err = run(capsys, "evaluate", folder, "--agents", "none", "--patients", 2, *asked)
    assert status != 0
    assert told in err.replace("\n", " ")


def test_a_scenario_without_qalys_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "evaluate", "control", "--agents", "none", "--patients", 2, "--gbp-per-qaly", 30000)
    assert status != 0
    assert "nothing in control is written in QALYs" in err.replace("\n", " ")

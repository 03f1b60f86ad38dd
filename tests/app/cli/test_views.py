"""A rate and a perspective on the command line: asked for, told, kept apart, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import run
from support.parts import in_full


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    made = tmp_path / "parts"
    made.mkdir()
    (made / "scenario.yaml").write_text(json.dumps(in_full()) + "\n...\n", encoding="utf-8")
    return made


def test_evaluate_and_solve_at_another_rate(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    asked = ("solve", folder, "--patients", 4, "--gbp-per-qaly", 30000, "--perspective", "patient")
    status, out, err = run(capsys, *asked)
    assert status == 0, err
    assert "One QALY counts £30,000; as the patient sees it" in out


def test_check_simulate_and_report_take_both(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = ("--gbp-per-qaly", 30000, "--perspective", "patient")
    status, out, _ = run(capsys, "check", folder, "--agent", "guideline", *view)
    assert "as the patient sees it" in out
    assert status in (0, 1)
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


def test_sensitivity_at_30000_moves_the_parts(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "s.json"
    asked = (
        "sensitivity",
        folder,
        "--patients",
        2,
        "--top",
        1,
        "--planner",
        "one-step",
        "--gbp-per-qaly",
        30000,
        "--json",
        told,
    )
    status, out, err = run(capsys, *asked)
    assert status == 0, err
    assert "One QALY counts £30,000" in out
    found = json.dumps(json.loads(told.read_text()))
    for path in (
        "worth.qaly.lung_cancer",
        "worth.bed_days.pneumonia.yes",
        "worth.complications.fall.loss_gbp",
        "utility.bed_day_gbp",
    ):
        assert path in found, path
    assert "of no weight in the perspective nhs" in found
    assert "utility.gbp_per_qaly" not in found, "who asks for a rate does not want it moved"


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

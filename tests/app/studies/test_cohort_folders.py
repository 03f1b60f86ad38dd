"""Cohorts in folders: resumable, whole, the same however divided, and refused where they are not what was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from support.command import run as command
from typer.testing import CliRunner

import workup
from workup.cli.main import app
from workup.errors import FileFormatError, UnknownNameError, WorkupError
from workup.scenarios.language.library import find_scenario
from workup.studies import cohorts
from workup.studies.bias.supports import effective_size, supported
from workup.studies.cohorts import TABLES, read_card, write_cohort


def _write(out: Path, **changes: object) -> Path:
    asked: dict[str, Any] = {
        "scenario": "two_by_two",
        "policy": "suspicion:ill:1",
        "patients": 250,
        "seed": 3,
    } | changes
    return write_cohort(asked.pop("scenario"), asked.pop("policy"), out=out, **asked)


def _frames(folder: Path) -> list[pl.DataFrame]:
    return [pl.read_parquet(folder / name) for name in TABLES.values()]


def test_it_is_what_is_made_in_memory_and_typed(tmp_path: Path) -> None:
    _write(tmp_path / "c")
    records, steps, truth = _frames(tmp_path / "c")
    met = workup.cohort("two_by_two", "suspicion:ill:1", patients=250, seed=3)
    assert records.equals(met.to_frame())
    assert steps.equals(met.steps_frame())
    assert truth.equals(met.truth_frame())
    assert isinstance(records["test"].dtype, pl.Enum)
    assert records["biopsy ordered_h"].dtype == pl.Float32
    card = read_card(tmp_path / "c")
    assert card["kept"] == card["met"] == 250
    assert card["recorded"]["reference"][0] == int((met.values[:, 1] >= 0).sum())
    assert card["ordered"]["biopsy"] == records["biopsy ordered_h"].is_not_null().sum()
    told = (tmp_path / "c" / "card.md").read_text(encoding="utf-8")
    assert "nothing is medical advice" in told
    assert "| reference |" in told


def test_it_does_not_depend_on_parts_or_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "whole")
    monkeypatch.setattr(cohorts, "PART", 60)
    _write(tmp_path / "parts")
    for a, b in zip(_frames(tmp_path / "whole"), _frames(tmp_path / "parts"), strict=True):
        assert a.equals(b)
    assert read_card(tmp_path / "whole") == read_card(tmp_path / "parts")


def test_a_killed_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohorts, "PART", 60)
    made: list[int] = []
    real = cohorts._part

    def dies(scenario, plan, parts, first):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(first)
        return real(scenario, plan, parts, first)

    monkeypatch.setattr(cohorts, "_part", dies)
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "c")
    assert not (tmp_path / "c" / "card.json").exists()
    with pytest.raises(FileFormatError, match="no card"):
        read_card(tmp_path / "c")
    told: list[int] = []
    again: list[int] = []

    def counts(scenario, plan, parts, first):
        again.append(first)
        return real(scenario, plan, parts, first)

    monkeypatch.setattr(cohorts, "_part", counts)
    _write(tmp_path / "c", progress=lambda met, of: told.append(met))
    assert again == [120, 180, 240]
    assert told == [120, 180, 240, 250]
    monkeypatch.setattr(cohorts, "_part", real)
    monkeypatch.setattr(cohorts, "PART", 65_536)
    _write(tmp_path / "whole")
    for a, b in zip(_frames(tmp_path / "c"), _frames(tmp_path / "whole"), strict=True):
        assert a.equals(b)


def test_folders_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(WorkupError, match="holds no cohort"):
        _write(tmp_path / "mine")
    _write(tmp_path / "c")
    with pytest.raises(WorkupError, match=r"another cohort \(it differs in seed\)"):
        _write(tmp_path / "c", seed=4)
    _write(tmp_path / "c")  # the same again is made again
    (tmp_path / "c" / "card.json").write_text("{")
    with pytest.raises(WorkupError, match=r"card\.json cannot be read"):
        _write(tmp_path / "c")


def test_only_those_asked_for_are_kept(tmp_path: Path) -> None:
    _write(tmp_path / "c", include="biopsy: done", csv=True)
    records, steps, truth = _frames(tmp_path / "c")
    assert records["biopsy ordered_h"].is_not_null().all()
    assert set(steps["patient"]) == set(records["patient"]) == set(truth["patient"])
    assert 0 < len(records) < 250
    assert read_card(tmp_path / "c")["kept"] == len(records)
    assert len(pl.read_csv(tmp_path / "c" / "records.csv")) == len(records)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"scenario": "two_by_too"}, UnknownNameError, "two_by_two"),
        ({"policy": "gideline"}, UnknownNameError, "gideline"),
        ({"include": "biopsi: done"}, UnknownNameError, "biopsy"),
        ({"include": "{biopsy: [done"}, WorkupError, "cannot be read"),
        ({"include": "!!python/object/apply:os.system [ls]"}, WorkupError, "include"),
        ({"patients": 0}, WorkupError, "expected 1 or more"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        _write(tmp_path / "c", **changes)


def test_a_policy_that_draws_supports_what_a_rule_does_not(tmp_path: Path) -> None:
    _write(tmp_path / "draws", patients=20_000)
    _write(tmp_path / "rule", patients=2_000, policy="guideline")
    good = supported(tmp_path / "draws", "prevalence disease", verified="biopsy: done", by=("test",))
    assert good.verdict == "identified"
    assert {s.words for s in good.strata} == {"test negative", "test positive"}
    met = workup.cohort("two_by_two", "suspicion:ill:1", patients=20_000, seed=3)
    for code, stratum in ((0, good.strata[0]), (1, good.strata[1])):
        rows = (met.values[:, 0] == code) & (met.status[:, 2] == 2)
        assert stratum.verified == rows.sum()
        assert stratum.effective == pytest.approx(effective_size(1.0 / met.path_chance[rows]), rel=1e-6)
        assert stratum.smallest_propensity == pytest.approx(met.path_chance[rows].min(), rel=1e-5)
    bad = supported(tmp_path / "rule", "prevalence disease", verified="biopsy: done", by=("test",))
    assert bad.verdict == "not identified"
    assert bad.bounds is not None
    assert bad.bounds[0] < 0.2 < bad.bounds[1]
    assert "test negative" in bad.why
    few = supported(tmp_path / "draws", "model disease test", verified="biopsy: done")
    assert few.verdict == "identified"
    _write(tmp_path / "small", patients=300)
    assert supported(tmp_path / "small", "prevalence ill", verified="biopsy: done").verdict == "weakly identified"


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        ("prevalance disease", WorkupError, "prevalence"),
        ("prevalence diseas", UnknownNameError, "did you mean 'disease'"),
        ("sensitivity test disease", WorkupError, "FINDING=VALUE"),
        ("sensitivity test=positiv disease", UnknownNameError, "positive"),
        ("model disease tset", UnknownNameError, "test"),
        ("", WorkupError, "expected one that begins with"),
    ],
)
def test_questions_that_are_none(tmp_path: Path, question: str, error: type[Exception], says: str) -> None:
    _write(tmp_path / "c")
    with pytest.raises(error, match=says):
        supported(tmp_path / "c", question, verified="biopsy: done")


def test_tables_that_are_damaged_or_of_another_cohort_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "c")
    workup_gates = tmp_path / "gates"
    write_cohort("gates", "gestalt:ill:1", patients=60, seed=0, out=workup_gates)

    def asked() -> None:
        supported(tmp_path / "c", "prevalence disease", verified="biopsy: done")

    table = tmp_path / "c" / "records.parquet"
    whole = table.read_bytes()
    for content, says in (
        ((workup_gates / "records.parquet").read_bytes(), r"records\.parquet has no column"),
        (whole[: len(whole) // 2], r"records\.parquet cannot be read"),
        (pl.read_parquet(table).head(3), r"steps of patients who are not in records\.parquet"),
        (None, r"records\.parquet cannot be read"),
    ):
        if content is None:
            table.unlink()
        elif isinstance(content, bytes):
            table.write_bytes(content)
        else:
            content.write_parquet(table)
        with pytest.raises(FileFormatError, match=says):
            asked()
    with pytest.raises(
        UnknownNameError, match=r"impression is seen and not written down .*the records have first_look"
    ):
        supported(workup_gates, "prevalence ill", verified="biopsy: done", by=("impression",))
    with pytest.raises(UnknownNameError, match="impression is seen and not written down"):
        supported(workup_gates, "prevalence ill", verified="impression: worried")


def test_a_command_that_is_nearly_one_and_a_file_for_a_folder_are_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, _, said = command(capsys, "cohort", "supprts", tmp_path, "prevalence ill", "--verified", "biopsy: done")
    assert (status, "did you mean 'supports'" in said) == (2, True)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(WorkupError, match="file is a file; expected an empty folder"):
        _write(tmp_path / "file")
    with pytest.raises(UnknownNameError, match="Did you mean 'suspicion'"):
        _write(tmp_path / "c", policy="suspiscion:ill:1")


def test_a_cohort_of_ones_own_scenario_names_its_file(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    told = (
        (find_scenario("two_by_two") / "scenario.yaml")
        .read_text(encoding="utf-8")
        .replace("id: two_by_two", "id: mine")
    )
    own.write_text(told, encoding="utf-8")
    _write(tmp_path / "c", scenario=str(own))
    with pytest.raises(
        UnknownNameError, match="of 'mine', which is no scenario of the library; name its file with --scenario"
    ):
        supported(tmp_path / "c", "prevalence disease", verified="biopsy: done")
    found = supported(tmp_path / "c", "prevalence disease", verified="biopsy: done", scenario=own)
    assert found.verdict == "weakly identified"
    own.write_text(told.replace("chance: {well: 0.15", "chance: {well: 0.16"), encoding="utf-8")
    with pytest.raises(WorkupError, match="with digest"):
        supported(tmp_path / "c", "prevalence disease", verified="biopsy: done", scenario=own)


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner().invoke
    out, answer = str(tmp_path / "c"), tmp_path / "a.json"
    made = run(
        app,
        ["cohort", "two_by_two", "--policy", "suspicion:ill:1", "--patients", "300", "--out", out, "--workers", "1"],
    )
    assert made.exit_code == 0
    assert "300 of 300 patients" in made.output
    told = run(
        app,
        [
            "cohort",
            "supports",
            out,
            "prevalence disease",
            "--verified",
            "biopsy: done",
            "--by",
            "test",
            "--json",
            str(answer),
        ],
    )
    assert told.exit_code == 0
    assert "identified" in told.output
    assert json.loads(answer.read_text())["strata"][0]["patients"] > 0
    assert np.isfinite(json.loads(answer.read_text())["strata"][0]["effective"])

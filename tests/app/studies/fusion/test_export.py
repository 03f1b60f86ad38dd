"""A task as a folder: the same bytes every time, whole or not at all, and nothing in it that a record does not hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")

from workup.errors import UnknownNameError, WorkupError
from workup.studies.fusion import export
from workup.studies.fusion.export import write_data

pytestmark = pytest.mark.torch

SPLITS = ["reader", "test", "test_flipped", "test_random", "train", "validation"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "shortcut"
    write_data("shortcut", patients=60, seed=2, out=out)
    return out


def test_the_same_plan_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    write_data("shortcut", patients=60, seed=2, out=tmp_path / "again")
    one, two = (
        {p.relative_to(where).as_posix(): p.read_bytes() for p in where.rglob("*") if p.is_file()}
        for where in (folder, tmp_path / "again")
    )
    assert one == two
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == SPLITS
    write_data("shortcut", patients=60, seed=3, out=tmp_path / "other")
    assert (tmp_path / "other" / "test" / "R.npy").read_bytes() != one["test/R.npy"]


def test_every_file_is_hashed(folder: Path) -> None:
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS"
    }
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("split", SPLITS)
def test_arrays_hold_what_the_table_says_and_nothing_else(folder: Path, split: str) -> None:
    table, hidden = (pl.read_parquet(folder / split / f"{name}.parquet") for name in ("patients", "hidden"))
    for name in ("R", "P"):
        block = np.load(folder / split / f"{name}.npy", allow_pickle=False)
        assert (~np.isnan(block).any(axis=1)).tolist() == table[f"has_{name}"].to_list()
    came = table.select(pl.concat_str("came_1", "came_2")).to_series().to_list()
    assert set(came) <= {"R", "RP"}
    assert [each == "RP" for each in came] == table["has_P"].to_list()
    assert {"R.graded", "exact.joint", "exact.joint_with_mask"} <= set(hidden.columns)
    assert not {"R.graded", "exact.joint"} & set(table.columns)


def test_the_shifted_tests_are_the_same_patients(folder: Path) -> None:
    tables = [pl.read_parquet(folder / split / "patients.parquet") for split in ("test", "test_flipped")]
    assert tables[0]["label"].equals(tables[1]["label"])
    assert (tables[0]["has_P"] != tables[1]["has_P"]).all()


def test_ceilings_and_metadata_fit_the_files(folder: Path) -> None:
    ceilings = json.loads((folder / "ceilings.json").read_text())["auroc_and_log_loss"]
    assert ceilings["joint_with_mask"]["flipped"]["auroc"] == pytest.approx(0.545, abs=0.002)
    told = json.loads((folder / "croissant.json").read_text())
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    files = {each["@id"]: each["sha256"] for each in told["distribution"]}
    assert files["train/R.npy"] == hashlib.sha256((folder / "train" / "R.npy").read_bytes()).hexdigest()
    for records in told["recordSet"]:
        columns = pl.read_parquet_schema(folder / records["@id"] / "patients.parquet")
        assert [each["name"] for each in records["field"]] == list(columns)
        assert {each["source"]["fileObject"]["@id"] for each in records["field"]} <= set(files)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WorkupError, match="is not empty"):
        write_data("shortcut", patients=8, seed=0, out=tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean 'shortcut'"):
        write_data("shortcat", patients=8, seed=0, out=tmp_path / "new")
    with pytest.raises(WorkupError, match="expected 4 or more"):
        write_data("shortcut", patients=3, seed=0, out=tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(export, "croissant", fails)
    with pytest.raises(OSError, match="full"):
        write_data("shortcut", patients=8, seed=0, out=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_history_and_prices_are_told(tmp_path: Path) -> None:
    card = write_data("branch", patients=8, seed=0, out=tmp_path / "b")
    assert card["blocks"] == ["A", "B", "history"]
    known = json.loads((tmp_path / "b" / "ceilings.json").read_text())["benefits_gbp"]
    assert round(max(known.values())) == 794
    assert "£794 a patient" in (tmp_path / "b" / "card.md").read_text()

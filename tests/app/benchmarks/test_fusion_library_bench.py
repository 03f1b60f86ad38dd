"""Fusion on the library: what is measured, that it is kept, and the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
pytest.importorskip("sklearn", reason="needs workup[fusion]")

from workup.benchmarks.fusion_library import Asked, bench_fusion_library, cells_of, markdown
from workup.benchmarks.fusion_page import LIBRARY, write_tables
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.library import shipped_scenarios

pytestmark = pytest.mark.torch

SMALL = Asked(("headroom",), ("control",), complete_patients=60, counted_patients=200)


def test_every_scenario_has_its_headroom_and_two_have_methods_that_pay() -> None:
    cells = cells_of(Asked(seeds=2, patients=(100,), methods=("personal", "concat")))
    assert {cell.scenario for cell in cells if cell.agent == "headroom"} == set(shipped_scenarios())
    of_fever = [cell.id for cell in cells if cell.scenario == "fever" and cell.agent != "headroom"]
    assert of_fever == [
        f"fever/{who}/seed{seed}" for seed in (0, 1) for who in ("exact", "personal/n100", "concat/n100")
    ]
    assert len({cell.file_name for cell in cells}) == len(cells)


def test_what_is_there_is_not_measured_again_and_makes_a_table(tmp_path: Path) -> None:
    first = bench_fusion_library(SMALL, runs=tmp_path)
    (kept,) = tmp_path.glob("*.json")
    before = kept.stat().st_mtime_ns
    assert bench_fusion_library(SMALL, runs=tmp_path) == first
    assert kept.stat().st_mtime_ns == before
    write_tables(tmp_path / "page.md", markdown(first), LIBRARY)
    assert "| control |" in (tmp_path / "page.md").read_text()


def test_wrong_names_are_told() -> None:
    for asked, says in (
        (Asked(("headrom",)), "no part 'headrom'; did you mean 'headroom'"),
        (Asked(scenarios=("fevr",)), "did you mean 'fever'"),
        (Asked(methods=("persnal",)), "did you mean 'personal'"),
    ):
        with pytest.raises(UnknownNameError, match=says):
            cells_of(asked)
    with pytest.raises(WorkupError, match="no cell is left"):
        cells_of(Asked(("acquisition",), ("tutorial",)))

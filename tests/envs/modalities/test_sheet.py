"""Contact sheets: one a kind, small, and beside each what it should show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.places import ROOT

from workup.envs.modalities import sheet
from workup.envs.modalities.registry import KINDS

PAGE = (ROOT / "docs" / "modalities.md").read_text(encoding="utf-8")
FOLDER = ROOT / "docs" / "figures" / "modalities"


def test_every_kind_has_a_small_sheet_on_the_page() -> None:
    assert {file.stem for file in FOLDER.glob("*.png")} == set(KINDS)
    for kind in KINDS:
        assert (FOLDER / f"{kind}.png").stat().st_size <= 200_000
        assert f"(figures/modalities/{kind}.png)" in PAGE
    assert sheet.DRAFT in PAGE


@pytest.mark.parametrize("titles", [sheet.FILMS, sheet.SLIDES, sheet.TRACINGS, sheet.NOTES, sheet.TABLES])
def test_the_page_says_what_each_picture_should_show(titles: dict[str, object]) -> None:
    assert [title for title in titles if title not in PAGE] == []


def test_the_sheets_are_made_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "sheets", lambda: {"note": sheet._notes()})
    (file,) = sheet.write(tmp_path / "there")
    with Image.open(file) as made, Image.open(FOLDER / "note.png") as committed:
        assert made.size == committed.size
        shades = np.asarray(made.convert("L"))
        assert shades.min() < 20 < 240 < shades.max()

"""docs/authoring.md works as written, from the empty file to the signature."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.pages import BLOCK, commands, run_blocks
from support.places import ROOT

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.reading.signatures import standing_of

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")


def test_every_block_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    assert run_blocks(PAGE, capsys, monkeypatch) == len(re.findall(r"^```\w", PAGE, re.MULTILINE))
    made = load_scenario("sore_throat")
    assert standing_of(made).status == "reviewed"
    assert len(made.vignettes) == 3


def test_the_page_goes_from_an_empty_file_through_every_command_of_an_author() -> None:
    first = next(body for _, _, where, body in BLOCK.findall(PAGE) if where == "sore_throat/scenario.yaml")
    assert all(line.startswith("#") for line in first.splitlines())
    used = {
        command[1] for kind, _, _, body in BLOCK.findall(PAGE) if kind == "console" for command, _ in commands(body)
    }
    assert used >= {"new", "lint", "explain", "check", "sign"}

"""docs/inputs.md works as written: its files, commands and Python blocks, section by section, each in a fresh folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.pages import BLOCK, run_blocks
from support.places import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w[^\n]*)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_block_works_as_written(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    assert run_blocks(SECTIONS[section], capsys, monkeypatch) > 2


def test_the_page_shows_something_of_each_kind() -> None:
    assert "Networks" in SECTIONS
    assert {"text", "python", "console"} <= {kind for kind, *_ in BLOCK.findall(SECTIONS["Networks"])}
    assert len(re.findall(r"^```\w", PAGE, re.MULTILINE)) == len(BLOCK.findall(PAGE))

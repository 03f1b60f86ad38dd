"""docs/inputs.md works as written: its files, commands and Python blocks, section by section, each in a fresh folder."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workup.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w[^\n]*)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CAN_TRAIN = importlib.util.find_spec("sb3_contrib") is not None


def commands(block: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command's arguments, and the lines that it is said to answer."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *answers = part.strip().splitlines()
        yield shlex.split(command), answers


@pytest.mark.parametrize("section", SECTIONS)
def test_every_block_works_as_written(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    names: dict[str, Any] = {}
    run = 0
    for kind, title, body in BLOCK.findall(SECTIONS[section]):
        if title:
            Path(title).write_text(body, encoding="utf-8")
        elif kind == "python":
            exec(compile(body, f"{section}, block {run}", "exec"), names)
        elif kind == "console":
            for command, answers in commands(body):
                check_command(command, answers, capsys)
        run += 1
    assert run > 2


def check_command(command: list[str], answers: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command[0] == "workup"
    if command[1] == "train" and not CAN_TRAIN:
        return
    try:
        main(command[1:])
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert (status != 0) == any(answer.startswith("error:") for answer in answers), (command, said)
    for answer in answers:
        assert answer in said, (command, answer, said)


def test_the_page_shows_something_of_each_kind() -> None:
    assert "Networks" in SECTIONS
    assert {"text", "python", "console"} <= {kind for kind, _, _ in BLOCK.findall(SECTIONS["Networks"])}
    assert len(re.findall(r"^```\w", PAGE, re.MULTILINE)) == len(BLOCK.findall(PAGE))

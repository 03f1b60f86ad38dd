"""Pages of documentation that work as written: their files, commands and Python blocks, in order.

A block may say on its first line what becomes of it: `title="FILE"` writes it to a file, `add="FILE"` puts it at the end of
one, `instead="TEXT"` puts it in place of the one line with that text in the files named so far.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.optional import CAN_TRAIN

from workup.cli.main import main

BLOCK = re.compile(r"^```(\w+)(?: (title|add|instead)=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FAILS = re.compile(r"error:|failed  |\d+ faults?$")
"""How an answer begins of a command that does not end well."""


def run_blocks(page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Do what the blocks say, in the working folder; how many there were."""
    names: dict[str, Any] = {}
    files: list[Path] = []
    run = 0
    for kind, what, where, body in BLOCK.findall(page):
        if what == "instead":
            replace_line(files, where, body)
        elif what:
            files += [Path(where)] * (Path(where) not in files)
            write(Path(where), body, add=what == "add")
        elif kind == "python":
            exec(compile(body, f"block {run}", "exec"), names)
        elif kind == "console":
            for command, answers in commands(body):
                check_command(command, answers, capsys, monkeypatch)
        run += 1
    return run


def write(file: Path, body: str, *, add: bool) -> None:
    """Write a block into a file, or at its end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") if add else ""
    file.write_text(before + body, encoding="utf-8")


def replace_line(files: list[Path], text: str, body: str) -> None:
    """Put a block in place of the one line of these files that has the text."""
    lines = [(file, line) for file in files for line in file.read_text("utf-8").splitlines(True) if text in line]
    assert len(lines) == 1, (text, lines)
    ((file, line),) = lines
    file.write_text(file.read_text(encoding="utf-8").replace(line, body), encoding="utf-8")


def commands(block: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command's arguments, and the lines that it is said to answer."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *answers = part.strip().splitlines()
        yield shlex.split(command), answers


def check_command(
    command: list[str], answers: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command, `< FILE` included, answers what it is said to, and fails only where the page shows that it does."""
    assert command[0] == "workup"
    if command[1] == "train" and not CAN_TRAIN:
        return
    if "<" in command:
        monkeypatch.setattr("sys.stdin", io.StringIO(Path(command[-1]).read_text(encoding="utf-8")))
        command = command[: command.index("<")]
    try:
        main(command[1:])
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert (status != 0) == any(FAILS.match(answer) for answer in answers), (command, said)
    for answer in answers:
        assert answer in said, (command, answer, said)

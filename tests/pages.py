"""Pages of documentation that work as written: their files, commands and Python blocks, in order.

A block may say on its first line what becomes of it: `title="FILE"` writes it to a file, `add="FILE"` puts it at the end of
one, `instead="TEXT"` puts it in place of the line with that text in the file last named.
"""

from __future__ import annotations

import importlib.util
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workup.cli import main

BLOCK = re.compile(r"^```(\w+)(?: (title|add|instead)=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CAN_TRAIN = importlib.util.find_spec("sb3_contrib") is not None
FAILS = re.compile(r"error:|failed  |\d+ faults?$")
"""How an answer begins of a command that does not end well."""


def run_blocks(page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Do what the blocks say, in the working folder; how many there were."""
    names: dict[str, Any] = {}
    last, run = Path(), 0
    for kind, what, where, body in BLOCK.findall(page):
        if what:
            last = last if what == "instead" else Path(where)
            put(last, what, where, body)
        elif kind == "python":
            exec(compile(body, f"block {run}", "exec"), names)
        elif kind == "console":
            for command, answers in commands(body):
                check_command(command, answers, capsys, monkeypatch)
        run += 1
    return run


def put(file: Path, what: str, where: str, body: str) -> None:
    """Write a block into a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if what == "title":
        file.write_text(body, encoding="utf-8")
        return
    before = file.read_text(encoding="utf-8")
    if what == "instead":
        (line,) = (line for line in before.splitlines(keepends=True) if where in line)
        file.write_text(before.replace(line, body), encoding="utf-8")
    else:
        file.write_text(before + body, encoding="utf-8")


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

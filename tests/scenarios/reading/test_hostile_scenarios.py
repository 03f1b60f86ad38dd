"""Whatever is given as a scenario, the answer comes soon, is short, names a line, and commands no terminal."""

from __future__ import annotations

import json
import os
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from workup.errors import Fault, ScenarioError, WorkupError
from workup.scenarios.language.lint.lint import faults_of, lint
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import MAX_BYTES, MAX_FAULTS, parse

TEXT = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")
TITLE = next(i for i, line in enumerate(TEXT.splitlines(), 1) if line.startswith("title: "))


def linted(tmp_path: Path, text: str) -> tuple[Fault, ...]:
    file = tmp_path / "case.yaml"
    file.write_text(text, encoding="utf-8")
    return lint(file)


def titled(title: str) -> str:
    return TEXT.replace(TEXT.splitlines()[TITLE - 1], f"title: {title}")


@pytest.mark.parametrize(
    "escaped", ["\\ud800\\udc00", "\\0", "\\e[31m", "\\e]0;owned\\a", "\\b", "\\r", "\\x7f", "\\x9b", "\\u202e"]
)
def test_what_nobody_can_see_is_a_fault(escaped: str, tmp_path: Path) -> None:
    (fault,) = linted(tmp_path, titled(f'"Cough {escaped}"'))
    assert fault.line == TITLE
    assert fault.message.startswith("title: holds the character U+")
    assert str(fault).isprintable()


def test_a_key_that_nobody_can_see_is_a_fault(tmp_path: Path) -> None:
    (fault,) = linted(tmp_path, f'"\\e[31mid": x\n{TEXT}')
    assert (fault.line, str(fault).isprintable()) == (1, True)


def test_line_breaks_tabs_and_letters_of_any_language_may_stand(tmp_path: Path) -> None:
    assert linted(tmp_path, titled('"Husten, \\u00fcber 3 Wochen\\tκαι \\n咳 \\U0001f637"')) == ()


def test_a_table_over_too_many_variables_is_a_fault_on_its_line(tmp_path: Path) -> None:
    old = "given: [condition]\n    chance: {viral: 0.3"
    assert TEXT.count(old) == 1
    faults = linted(tmp_path, TEXT.replace(old, old.replace("condition", ", ".join(["condition"] * 60))))
    line = TEXT[: TEXT.index(old)].count("\n") + 1
    assert line in [fault.line for fault in faults]
    assert any("named twice" in fault.message for fault in faults)


def test_a_table_too_large_for_memory_is_a_fault() -> None:
    data = parse(TEXT.encode(), "case.yaml").data
    names = [f"sign_{i}" for i in range(25)]
    for name in names:
        data["latent"][name] = {"label": name, "chance": 0.5}
    data["findings"]["fever"] = {"label": "Fever", "given": names, "chance": 0.5}
    tree = parse(json.dumps(data).encode(), "case.yaml")
    found = [fault.message for fault in faults_of(interpret(tree))]
    assert any(message.startswith("findings.fever") and "depend on fewer" in message for message in found)


def test_bands_below_a_value_are_read(tmp_path: Path) -> None:
    old = "    bands: {"
    start = TEXT.index(old)
    line = TEXT[start : TEXT.index("\n", start)]
    written = line.removeprefix("    bands: ")
    assert linted(tmp_path, TEXT.replace(line, f"    bands: {{value: {written}, status: assumed}}", 1)) == ()


LONG: dict[str, str] = {
    "tag": "!" * 900_000,
    "tag of letters": "a: !" + "b" * 900_000,
    "full tag": "a: !<" + "b" * 900_000 + ">",
    "tags": "a: !x " * 100_000,
    "alias": "*" * 900_000,
    "anchor": "a: &" + "b" * 900_000,
    "number": "1" * 900_000,
    "word": "a" * 900_000,
    "key": "a" * 900_000 + ": 1",
    "key twice": ("a" * 400_000 + ": 1\n") * 2,
    "keys twice": "a: 1\n" * 190_000,
    "quote": "'" * 900_000,
    "escapes": 'a: "' + "\\x41" * 200_000 + '"',
    "folds": 'a: "' + "x\n\n " * 200_000 + '"',
    "brackets": "[" * 900_000,
    "dashes": "- " * 400_000,
    "questions": "? " * 400_000,
    "blanks": " " * 900_000,
    "documents": "---\n" * 200_000,
    "directives": "%TAG ! x\n" * 90_000,
}


@pytest.mark.parametrize("name", LONG)
def test_an_answer_comes_soon_and_is_short(name: str, tmp_path: Path) -> None:
    before = time.process_time()
    faults = linted(tmp_path, LONG[name])
    assert time.process_time() - before < 2.0
    assert 0 < len(faults) <= MAX_FAULTS + 1
    assert all(len(fault.message) < 1_100 for fault in faults)


def test_a_message_of_any_error_is_bounded_and_commands_no_terminal() -> None:
    said = str(WorkupError("\x1b[31m" + "x" * 1_000_000 + "\x9b"))
    assert len(said) < 5_000
    assert said.isprintable()
    assert str(WorkupError("one\ntwo")) == "one\ntwo"


def _sparse(file: Path) -> None:
    file.touch()
    os.truncate(file, 8 << 30)


UNREADABLE: dict[str, Any] = {
    "sparse": (_sparse, f"may have {MAX_BYTES:,}"),
    "endless": (lambda file: file.symlink_to("/dev/zero"), "a device or a pipe"),
    "pipe": (os.mkfifo, "a device or a pipe"),
    "folder": (lambda file: file.mkdir(), "is a folder"),
    "nowhere": (lambda file: file.symlink_to("nowhere"), "cannot be read"),
}


@pytest.mark.parametrize("name", ["scenario.yaml", "vignettes.yaml", "sources.yaml", "reviews.yaml"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_ordinary_file_is_refused_unread(kind: str, name: str, tmp_path: Path) -> None:
    make, message = UNREADABLE[kind]
    if name != "scenario.yaml":
        (tmp_path / "scenario.yaml").write_text(TEXT, encoding="utf-8")
    make(tmp_path / name)
    (fault,) = lint(tmp_path)
    assert (fault.path, message in fault.message) == (str(tmp_path / name), True)
    with pytest.raises(ScenarioError):
        parse(b"a" * (MAX_BYTES + 1), "large.yaml")

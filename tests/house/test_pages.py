"""README and docs do what they say: every block is run, or says why not; every command and option they name exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from support.blocks import Block, blocks, pages
from support.optional import CAN_TRAIN, NEEDS
from support.pages import check_command, commands, write
from support.places import ROOT

from workup.cli.main import app

OF_THEIR_OWN = {
    "docs/authoring.md": "tests/app/authoring/test_authoring_doc.py",
    "docs/inputs.md": "tests/app/importers/test_inputs_doc.py",
    "docs/language.md": "tests/scenarios/reading/test_scenario_docs.py",
}
"""Pages whose blocks another test runs."""

NOT_RUN = {
    ("README.md", "sh"): 2,
    ("README.md", "text"): 1,
    ("docs/agents.md", "sh"): 1,
    ("docs/agents.md", "toml"): 1,
}
"""(page, kind of block) -> how many are not run; each says above itself why."""

PAGES = {page.relative_to(ROOT).as_posix(): list(blocks(page)) for page in pages()}
TRAINS = {
    name for name, found in PAGES.items() if any("import torch" in each.body or "sb3" in each.body for each in found)
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            name, marks=[pytest.mark.torch, pytest.mark.skipif(not CAN_TRAIN, reason=NEEDS)] * (name in TRAINS)
        )
        for name, found in PAGES.items()
        if found and name not in OF_THEIR_OWN
    ],
)
def test_every_block_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # what is known hangs on the page alone
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for number, block in enumerate(PAGES[page]):
        if block.skipped is None:
            kind, _, where = block.kind.partition(" ")
            if where.startswith("title="):
                write(Path(where.split('"')[1]), block.body, add=False)
            elif kind == "python":
                exec(compile(block.quick, f"{page}, block {number + 1}", "exec"), names)
                printed = capsys.readouterr().out
            elif kind == "text":
                assert [line for line in block.body.splitlines() if line.strip() not in printed] == [], printed
            else:
                for command, answers in _commands(block):
                    check_command(command, answers, capsys, monkeypatch)


def _commands(block: Block) -> list[tuple[list[str], list[str]]]:
    if block.kind == "console":
        return list(commands(block.quick))
    assert block.kind == "sh", f"{block.page}: a block of kind {block.kind!r} is of no use to the tests"
    lines = block.quick.replace("\\\n", " ").splitlines()
    return [(shlex.split(line, comments=True), []) for line in lines if line.strip() and not line.startswith("#")]


def test_what_is_not_run_is_listed_here() -> None:
    skipped = [(block.page, block.kind) for found in PAGES.values() for block in found if block.skipped is not None]
    assert {each: skipped.count(each) for each in skipped} == NOT_RUN


def test_the_tests_of_pages_of_their_own_are_there() -> None:
    for page, test in OF_THEIR_OWN.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")
        assert not any(block.skipped or block.changes for block in PAGES[page]), f"{test} knows no comments for tests"


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in pages() if path.name != "CHANGELOG.md"])
def test_every_command_and_option_that_a_page_names_exists(page: str) -> None:
    text, known = (ROOT / page).read_text(encoding="utf-8"), _options()
    inline = re.findall(r"`(workup [^`\n]+)`|^    (workup [^\n]+)", text, re.MULTILINE)
    fenced = [re.findall(r"^(?:\$ )?(workup [^\n]+)", block.body, re.MULTILINE) for block in PAGES[page]]
    for said in ["".join(each) for each in inline] + [command for each in fenced for command in each]:
        words = said.partition("#")[0].split()[1:]
        two = words[0] == "bench" or " ".join(words[:2]) in known
        name = " ".join(words[:2] if two and words[1:] else words[:1])
        if re.fullmatch(r"[a-z-]+( [a-z-]+)?", name) and not words[0].startswith("-"):
            assert name in known, f"{page}: there is no command `workup {name}`"
            asked = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
            assert asked <= known[name], f"{page}: `workup {name}` has no {', '.join(sorted(asked - known[name]))}"


def _options() -> dict[str, set[str]]:
    """Command -> its options."""
    top = typer.main.get_group(app)
    every = dict(top.commands)
    for group in ("bench", "cohort"):
        every |= {f"{group} {name}": of for name, of in every[group].commands.items()}  # type: ignore[attr-defined]
    every["bench"], every["cohort"] = top, every["cohort make"]  # `workup cohort ID` makes one
    return {
        name: {"--help", *(opt for p in of.params for opt in (*p.opts, *p.secondary_opts))}
        for name, of in every.items()
    }

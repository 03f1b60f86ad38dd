"""The command line as its users meet it, on the tutorial."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workup.cli import main

SLOW = ("torch", "numba", "matplotlib", "stable_baselines3", "scipy", "polars", "gymnasium")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    try:
        main([str(argument) for argument in arguments])
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def read(path: Path) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_help_imports_nothing_slow():
    code = f"""
import atexit, sys
atexit.register(lambda: print([name for name in {SLOW} if name in sys.modules]))
import workup.cli
workup.cli.main(["--help"])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
    for command in ("demo", "scenarios", "lint", "explain", "solve", "train", "evaluate", "check", "simulate", "play"):
        assert f" {command} " in said.stdout


def test_unknown_scenario_is_a_message_with_a_suggestion(capsys: pytest.CaptureFixture[str]):
    status, out, err = run(capsys, "explain", "tutorail")
    assert (status, out) == (2, "")
    assert "tutorail" in err
    assert "tutorial" in err
    assert "Traceback" not in err


def test_lint_passes_the_tutorial_and_fails_a_broken_copy_with_every_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    assert run(capsys, "lint", "tutorial")[0] == 0
    broken, listed = tmp_path / "scenario.yaml", tmp_path / "faults.json"
    broken.write_text("id: broken\ntitle: Broken\nno_such_key: 1\nmax_steps: many\n")
    status, out, _ = run(capsys, "lint", broken, "--json", listed)
    faults = read(listed)
    assert (status, faults["passed"]) == (1, False)
    assert any("no_such_key" in fault["message"] for fault in faults["faults"])
    assert all(fault["line"] >= 1 for fault in faults["faults"])
    assert f"{broken}:3: " in out


def test_a_file_that_cannot_be_read_is_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    garbage = tmp_path / "scenario.yaml"
    garbage.write_bytes(b"\xff\xfe\x00: [")
    for command in ("lint", "explain", "solve"):
        status, out, err = run(capsys, command, garbage)
        assert status in (1, 2)
        assert str(garbage) in out + err
        assert "Traceback" not in err

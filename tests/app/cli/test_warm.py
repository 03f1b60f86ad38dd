"""`workup warm` compiles what the main commands need: after it, they find nothing else to be compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workup.cli.warm import KERNELS

pytestmark = pytest.mark.slow

SCRIPT = """
import builtins, sys
from pathlib import Path
from numba.core.registry import CPUDispatcher
from workup.agents.registry import agent_factories
from workup.benchmarks.imports import write_large_table
from workup.cli.main import main

def compiled():
    return {
        (name, kernel.py_func.__name__, str(signature))
        for name, module in list(sys.modules.items()) if name.startswith("workup")
        for kernel in list(vars(module).values()) if isinstance(kernel, CPUDispatcher)
        for signature in kernel.signatures
    }

def run(*arguments):
    try:
        main(list(arguments))
    except SystemExit as end:
        assert end.code in (0, 1), arguments
    print("NEW", sorted(compiled() - known), flush=True)

known = set()
if "warm" in sys.argv:
    run("warm")
    known = compiled()
else:
    run("evaluate", "tutorial", "--agents", "none", "--patients", "20")
    sys.exit()
builtins.input = lambda _: "1"
drawn = ",".join(name for name in agent_factories() if name not in ("tree", "informative"))
run("evaluate", "tutorial", "--agents", drawn, "--patients", "20")
run("evaluate", "weight_loss", "--agents", "guideline,voi", "--patients", "20")
run("check", "tutorial", "--agent", "optimum")
run("solve", "tutorial", "--vignettes")
run("simulate", "fever", "--agent", "random", "--patients", "20", "--out", "journeys.parquet")
run("play", "tutorial")
table, costs = write_large_table(Path(), rows=100, columns=4)
run("import-table", str(table), "--target", "ill", "--costs", str(costs), "--out", "recorded")
run("evaluate", "recorded", "--agents", "all,fixed,voi,tree,informative", "--patients", "20")
"""


def told(tmp_path: Path, *arguments: str) -> list[str]:
    """What a process says that runs the commands, and after each what it had to load or compile."""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


def news(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("NEW")]


@pytest.fixture(scope="module")
def warmed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return told(tmp_path_factory.mktemp("warmed"), "warm")


def test_the_main_commands_find_everything_compiled(warmed: list[str]) -> None:
    first, *others = news(warmed)
    assert "step_batch" in first
    assert others == ["NEW []"] * 8


def test_this_test_would_notice(tmp_path: Path) -> None:
    (first,) = news(told(tmp_path))
    assert "step_batch" in first


def test_it_says_what_is_compiled_and_how_long_it_took(warmed: list[str]) -> None:
    lines = warmed[: warmed.index(news(warmed)[0])]
    assert len(lines) == len(KERNELS) + 1
    for number, (line, what) in enumerate(zip(lines, KERNELS, strict=False), start=1):
        assert line.startswith(f"{number} of {len(KERNELS)}: {what} ... ")
        assert line.endswith(" s")
    assert lines[-1].startswith("compiled in ")

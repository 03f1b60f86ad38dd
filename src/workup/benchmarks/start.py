"""How soon one can begin: CPU seconds of starting, opening an environment and comparing agents, kernels compiled before.

Seconds, not ratios: a person waits for them. The best of several runs, since what else the machine does only adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypedDict

from workup.agents.registry import make_agent
from workup.envs.compile.recorded import population_of
from workup.envs.views.registration import environment_id
from workup.errors import WorkupError
from workup.evaluation.run import run_agents
from workup.evaluation.score import score

_OPEN = (
    "import sys, time\nimport gymnasium, numba, workup\nbegun = time.process_time()\n"
    "gymnasium.make(sys.argv[1]).reset(seed=0)\nprint(time.process_time() - begun)"
)
STARTS = {
    "import workup": ("-c", "import workup"),
    "workup --help": ("-c", "from workup.cli.main import main; main(['--help'])"),
    "workup scenarios": ("-c", "from workup.cli.main import main; main(['scenarios'])"),
}
"""What is started -> arguments of Python."""
BASELINES, LOOKING_AHEAD = ("none", "all", "random", "guideline"), ("voi",)


class Opening(TypedDict):
    """Opening the environment of a scenario in a process of its own."""

    make_and_reset_s: float
    """After gymnasium, numba and workup are imported."""
    process_s: float


class Comparing(TypedDict):
    """Taking patients through journeys under agents, and scoring these, without an optimum."""

    baselines_s: float
    """Of BASELINES together, loading and compiling the scenario included."""
    voi_s: float


class StartBench(TypedDict):
    """What `workup bench start --json` writes; CPU seconds, the best of `repeats`."""

    repeats: int
    patients: int
    started_s: dict[str, float]
    opened: dict[str, Opening]
    compared: dict[str, Comparing]


def bench_start(
    scenarios: Sequence[str],
    *,
    repeats: int = 5,
    patients: int = 1000,
    progress: Callable[[str], None] = lambda _: None,
) -> StartBench:
    """All of it.

    Args:
        scenarios: ids of scenarios that come with workup.
        repeats: of each process; agents are compared once.
        patients: that each agent meets.
        progress: told what is measured.

    Raises:
        WorkupError: a process that fails.
    """
    compare("tutorial", patients=20)  # loads what was compiled
    started, opened, compared = {}, {}, {}
    for what, arguments in STARTS.items():
        progress(what)
        started[what] = min(_process(arguments)[0] for _ in range(repeats))
    for name in scenarios:
        progress(f"opening {name}")
        runs = [_process(("-c", _OPEN, environment_id(name))) for _ in range(repeats)]
        opened[name] = Opening(
            make_and_reset_s=min(float(said) for _, said in runs), process_s=min(spent for spent, _ in runs)
        )
        progress(f"comparing agents on {name}")
        compared[name] = compare(name, patients=patients)
    return StartBench(repeats=repeats, patients=patients, started_s=started, opened=opened, compared=compared)


def compare(scenario: str, *, patients: int) -> Comparing:
    """CPU seconds of comparing agents on the first patients of seed 0."""
    spent = []
    for names in (BASELINES, LOOKING_AHEAD):
        begun = time.process_time()
        population = population_of(scenario)
        agents = {name: make_agent(name, population) for name in names}
        score(run_agents(population, agents, patients=patients, seed=0), None)
        spent.append(time.process_time() - begun)
    return Comparing(baselines_s=spent[0], voi_s=spent[1])


def _process(arguments: Sequence[str]) -> tuple[float, str]:
    """CPU seconds of a Python process, and what it said."""
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read() if process.stdout is not None else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise WorkupError(f"python {' '.join(arguments)} ended with status {process.returncode}; expected 0")
    return usage.ru_utime + usage.ru_stime, said

"""What agents do on imported tables: money and accuracy on test rows that none of them was fitted or trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.agents.registry import load_agent, make_agent
from workup.benchmarks.runner import Cell, Done, Progress, Result, Tell, run
from workup.envs.compile.recorded import Recorded, load_recorded
from workup.envs.records.journeys import Journeys
from workup.errors import WorkupError
from workup.evaluation.run import run_agents
from workup.statistics import IntervalJson, normal_interval

AGENTS = ("none", "all", "voi", "informative", "fixed", "tree")
"""References first, then what is fitted to the training rows."""
PPO = "ppo"
_MEASURES = ("value", "cost", "tests", "accuracy")


class Scores(TypedDict):
    """Over test patients, with 95% intervals; PPO's are means over seeds of each patient."""

    value: IntervalJson
    """Minus money: tests and wrong decisions."""
    cost: IntervalJson
    """Of tests."""
    tests: IntervalJson
    accuracy: IntervalJson
    seeds: list[float]
    """The value of each run."""


class TableBench(TypedDict):
    """One table."""

    train: int
    test: int
    """Patients."""
    commonest: float
    """Accuracy of the commonest class."""
    agents: dict[str, Scores]


def bench_tables(
    folders: Sequence[Path],
    *,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2),
    seconds: float = 60.0,
    agents: Sequence[str] = AGENTS,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> dict[str, TableBench]:
    """Every agent, and masked PPO with every seed, on the test rows of each table.

    Args:
        folders: what `workup import-table` wrote.
        out: where cells and, in `TABLE/ppo_SEED`, the policies are kept: called again, what is finished is not done again.
        seeds: of the training runs; none: no training.
        seconds: wall-clock training time of each run.
        agents: names.
        workers: processes.
        progress: of the cells.

    Returns:
        By the folders' names.
    """
    named = {folder.name: folder for folder in folders}
    if len(named) != len(folders):
        raise WorkupError(
            f"two of {', '.join(map(str, folders))} have the same name; rename one, or compare them apart"
        )
    cells = [cell for name, folder in named.items() for cell in _cells(name, folder, agents, seeds, seconds)]
    done = run(cells, partial(_measure, folders=named, out=out), folder=out, workers=workers, progress=progress)
    return {
        name: _table(folder, agents, [each for each in done if each.cell.scenario == name])
        for name, folder in named.items()
    }


def _cells(name: str, folder: Path, agents: Sequence[str], seeds: Sequence[int], seconds: float) -> list[Cell]:
    make = partial(Cell, name, _digest(load_recorded(folder)))
    return [*(make(agent) for agent in agents), *(make(PPO, {"seconds": seconds}, seed) for seed in seeds)]


def _digest(recorded: Recorded) -> str:
    """Of the scenario and the rows."""
    facts = f"{recorded.world.scenario.digest} {recorded.about['patients_sha256']}"
    return hashlib.sha256(facts.encode()).hexdigest()


def _measure(cell: Cell, tell: Tell, *, folders: Mapping[str, Path], out: Path) -> dict[str, list[float]]:
    """Each of `_MEASURES`, one a test patient."""
    folder = folders[cell.scenario]
    recorded = load_recorded(folder)
    if _digest(recorded) != cell.digest:
        raise WorkupError(f"{folder} was changed while it was measured; run the command again")
    fresh = cell.seed is None
    agent = make_agent(cell.agent, recorded.train, seed=0) if fresh else _trained(cell, recorded, out, tell)
    journeys = run_agents(recorded.test, {cell.agent: agent}, patients=len(recorded.test), seed=0)[cell.agent]
    measured = (journeys.value, journeys.cost_gbp, journeys.tests, _right(journeys))
    return {name: np.asarray(of, np.float64).tolist() for name, of in zip(_MEASURES, measured, strict=True)}


def _trained(cell: Cell, recorded: Recorded, out: Path, tell: Tell) -> Agent:
    from workup.agents.learned.ppo.training import train

    place, seed = out / cell.scenario / f"ppo_{cell.seed}", cell.seed or 0
    train(
        recorded.train,
        out=place,
        preset="belief",
        seed=seed,
        seconds=cell.settings["seconds"],
        progress=lambda share, _: tell(f"training, {share:.0%}"),
    )
    return load_agent(place, recorded.world)


def _right(journeys: Journeys) -> NDArray[np.bool_]:
    """(n,) whether the decision is right for the true condition; none is never."""
    right = np.vstack([journeys.world.right_for, np.zeros(journeys.world.right_for.shape[1], bool)])
    return right[journeys.decision, journeys.condition]


def _table(folder: Path, agents: Sequence[str], done: Sequence[Done]) -> TableBench:
    recorded = load_recorded(folder)
    train, test = recorded.train.condition, recorded.test.condition
    runs = {name: [each.result for each in done if each.cell.agent == name] for name in (*agents, PPO)}
    return {
        "train": len(train),
        "test": len(test),
        "commonest": float((test == np.bincount(train).argmax()).mean()),
        "agents": {name: _scores(each) for name, each in runs.items() if each},
    }


def _scores(runs: Sequence[Result]) -> Scores:
    def mean(name: str) -> IntervalJson:
        return normal_interval(np.mean([run[name] for run in runs], axis=0)).as_json()

    return {
        "value": mean("value"),
        "cost": mean("cost"),
        "tests": mean("tests"),
        "accuracy": mean("accuracy"),
        "seeds": [float(np.mean(run["value"])) for run in runs],
    }

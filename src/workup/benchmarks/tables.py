"""What agents do on imported tables: money and accuracy on test rows that none of them was fitted or trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workup.agents.base import Agent
from workup.agents.registry import load_agent, make_agent
from workup.envs.compile.recorded import conditions_of, load_recorded, rows_of
from workup.envs.records.journeys import Journeys
from workup.evaluation.run import run_agents
from workup.statistics import IntervalJson, normal_interval

AGENTS = ("none", "all", "voi", "informative", "fixed", "tree")
"""References first, then what is fitted to the training rows."""


def bench_tables(
    folders: Sequence[Path],
    *,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2),
    seconds: float = 60.0,
    agents: Sequence[str] = AGENTS,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Every agent, and masked PPO with every seed, on the test rows of each table.

    Args:
        folders: what `workup import-table` wrote.
        out: where the trained policies are kept; called again, finished runs are not repeated.
        seeds: of the training runs; none: no training.
        seconds: wall-clock training time of each run.
        agents: names.
        progress: told what begins.

    Returns:
        {folder's name: {train, test, commonest (accuracy of the commonest class), agents: {name: scores}}}, where scores are
        value (minus money: tests and wrong decisions), cost (tests), tests and accuracy with 95% intervals over patients.
        PPO's are means over seeds of each patient; `seeds` lists the value of each run.
    """
    return {folder.name: _table(folder, out, seeds, seconds, agents, progress or _silent) for folder in folders}


def _silent(_: str) -> None:
    pass


def _table(
    folder: Path, out: Path, seeds: Sequence[int], seconds: float, names: Sequence[str], progress: Callable[[str], None]
) -> dict[str, Any]:
    train, test = (load_recorded(folder, split=split).world for split in ("train", "test"))
    counts = np.bincount(conditions_of(train))
    made: dict[str, Agent] = {}
    for name in names:
        progress(f"{folder.name}: {name}")
        made[name] = make_agent(name, train, seed=0)
    runs = {}
    for seed in seeds:
        from workup.agents.learned.ppo.training import train as train_ppo

        progress(f"{folder.name}: ppo, seed {seed}")
        place = out / folder.name / f"ppo_{seed}"
        train_ppo(train, out=place, preset="belief", seed=seed, seconds=seconds)
        runs[f"ppo {seed}"] = load_agent(place, train)
    patients = len(rows_of(test).hidden)
    found = run_agents(test, made | runs, patients=patients, seed=0)
    scores = {name: _scores([found[name]]) for name in made}
    if runs:
        scores["ppo"] = _scores([found[name] for name in runs])
    return {
        "train": len(rows_of(train).hidden),
        "test": patients,
        "commonest": float((conditions_of(test) == counts.argmax()).mean()),
        "agents": scores,
    }


def _scores(runs: Sequence[Journeys]) -> dict[str, Any]:
    def mean(of: Callable[[Journeys], Any]) -> IntervalJson:
        return normal_interval(np.mean([np.asarray(of(run), np.float64) for run in runs], axis=0)).as_json()

    return {
        "value": mean(lambda run: run.value),
        "cost": mean(lambda run: run.cost_gbp),
        "tests": mean(lambda run: run.tests),
        "accuracy": mean(_right),
        "seeds": [float(run.value.mean()) for run in runs],
    }


def _right(run: Journeys) -> Any:
    right = np.vstack([run.world.right_for, np.zeros(run.world.right_for.shape[1], bool)])
    return right[run.decision, run.condition]

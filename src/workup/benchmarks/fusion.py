"""The fusion benchmark: every method on every task, each run a cell, and what they show together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workup.benchmarks.fusion_code import digest, named_model
from workup.benchmarks.fusion_grid import Grid, Run, grid, plan, tracks
from workup.benchmarks.runner import Cell, Done, Progress, Tell, run
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.compare import Compared, Contrast, Floats, compare, contrasts
from workup.studies.fusion.needed import need_packages

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Task

EXACT: Final = ("exact_joint", "exact_joint_with_mask", "exact_late", "exact_mean")
"""Exact scores that stand in the grid as if they were methods."""
FIGURE: Final = ("early", "late_poe", "late_report", "concat", "gradual", "personal", "sequential", *EXACT)
"""Methods of the figure: those of the article, and what it takes to say where they stand."""
SIZES: Final = ("findings", "read", "few", "many", "many_read", "raw")
"""Tracks that differ in how many patients there are to learn from, or in what is seen of them."""
CONTRASTED: Final = "n2000"
"""The size of training at which contrasts are judged."""


@dataclass(frozen=True)
class Asked:
    """What of the benchmark is run; empty lists mean all."""

    quick: bool = True
    seeds: int = 5
    tasks: Sequence[str] = ()
    methods: Sequence[str] = ()
    views: Sequence[str] = ()
    tracks: Sequence[str] = ()
    models: Sequence[str] = ()
    """`my.py:build`, each beside ours, in every track."""
    patients: int | None = None
    """To learn from, and twice as many of each test; as the tracks say if None."""

    def of_figure(self) -> Asked:
        """What the figure needs of it."""
        return replace(self, quick=True, methods=FIGURE, tracks=("findings",), views=("findings",))

    def of_curves(self) -> Asked:
        """What learning curves need of it."""
        from workup.studies.fusion.figures.curves import METHODS, TASKS

        return replace(self, quick=False, tasks=TASKS, methods=METHODS, tracks=SIZES)


def method_names() -> list[str]:
    """Every method, and the exact scores. Raises WorkupError, with the remedy, where torch or scikit-learn is not installed."""
    need_packages()
    from workup.agents.fusion.registry import fusions

    return [*sorted(fusions()), *EXACT]


def cells_of(asked: Asked) -> tuple[Grid, list[tuple[Run, Cell]]]:
    """The runs that are asked for, each with its cell.

    Raises:
        UnknownNameError: a task, method, view, track or model that there is not; names the nearest.
        WorkupError: no run is left.
    """
    from workup.studies.fusion.tasks import TASKS
    from workup.studies.fusion.views import VIEWS

    names, found = method_names(), tracks(list(TASKS), quick=asked.quick)
    known = {"task": TASKS, "method": names, "view": VIEWS, "track": [track.name for track in found]}
    given = {"task": asked.tasks, "method": asked.methods, "view": asked.views, "track": asked.tracks}
    for what, chosen in given.items():
        for name in chosen:
            if name not in known[what]:
                raise UnknownNameError(f"the benchmark has no {what} {name!r}{suggestion(name, known[what])}")
    for model in asked.models:
        named_model(model)
    found = [
        replace(track, methods=(*track.methods, *asked.models)) if track.methods else track
        for track in found
        if not asked.tracks or track.name in asked.tracks
    ]
    if asked.patients is not None:
        found = [replace(track, patients=(asked.patients,), test_patients=2 * asked.patients) for track in found]
    complete = [name for name, task in TASKS.items() if task.patients(500, seed=0).present.all()]
    laid = grid(
        found,
        [*(asked.methods or names), *asked.models],
        seeds=asked.seeds,
        only=asked.tasks,
        views=asked.views,
        complete=complete,
    )
    if not laid.runs:
        raise WorkupError(
            "no run is left of what was asked for; take fewer of --tasks, --methods, --views and --tracks together"
        )
    return laid, [(each, each.cell(digest(each.task, each.method, each.view))) for each in laid.runs]


def planned(asked: Asked, *, runs: Path, workers: int) -> dict[str, Any]:
    """Grid and cost, nothing run: see `fusion_grid.plan`."""
    laid, cells = cells_of(asked)
    return plan(cells, laid, runs, workers=workers)


def bench_fusion(asked: Asked, *, runs: Path, workers: int = 1, progress: Progress = lambda _: None) -> list[Done]:
    """Run what is asked for and not yet there.

    Args:
        asked: which part.
        runs: where cells are kept.
        workers: processes.
        progress: of the cells.

    Returns:
        Every cell, in the order of the grid.
    """
    _, cells = cells_of(asked)
    return run(
        [cell for _, cell in cells], measure, folder=runs, workers=workers, together=of_same_patients, progress=progress
    )


def of_same_patients(cell: Cell) -> Hashable:
    """What runs on the same patients share: one process draws these, and trains members that methods have in common, once."""
    _, size, record = cell.agent.rsplit("/", 2)
    return cell.scenario, size, record, cell.seed


def measure(cell: Cell, tell: Tell) -> dict[str, Any]:
    """One run: see `studies.fusion.evaluation.run_once`."""
    from workup.studies.fusion.evaluation import run_once

    task, method, how = _asked_of(cell)
    return run_once(named_model(method) if ":" in method else method, task, **how)


def _asked_of(cell: Cell) -> tuple[Task, str, dict[str, Any]]:
    """Task, method, and what else the cell says of its run."""
    import torch

    from workup.studies.fusion.drawing import task_of

    torch.set_num_threads(1)
    _, task, view = cell.scenario.split("/")
    method, size, record = cell.agent.rsplit("/", 2)
    patients = int(size.removeprefix("n"))
    sizes = (patients, max(patients // 4, 100), int(cell.settings["test_patients"]))
    return task_of(task), method, {"view": view, "seed": cell.seed or 0, "record": record, "sizes": sizes}


def compared(done: Sequence[Done]) -> list[Compared]:
    """Every contrast of `contrasts.yaml` whose runs are there, Holm's correction over these."""
    return compare(pair for each in contrasts() if (pair := _pair(each, done)) is not None)


def _pair(
    of: Contrast, done: Sequence[Done]
) -> tuple[Contrast, Mapping[int, Floats], Mapping[int, Floats], Mapping[int, float]] | None:
    """Its replicates and differences by seed, of the seeds in which both ended well; None if there are none."""
    left, right = (_tests(of, method, done) for method in (of.left, of.right))
    seeds = sorted(set(left) & set(right))
    if not seeds:
        return None
    of_left, of_right = (
        {seed: np.asarray(side[seed]["replicates"][of.measure]) for seed in seeds} for side in (left, right)
    )
    found = {seed: float(left[seed][of.measure]) - float(right[seed][of.measure]) for seed in seeds}
    return of, of_left, of_right, found


def _tests(of: Contrast, method: str, done: Sequence[Done]) -> dict[int, Mapping[str, Any]]:
    found = {}
    for each in done:
        same = (
            each.cell.scenario == f"fusion/{of.task}/{of.view}"
            and each.cell.agent == f"{method}/{CONTRASTED}/{of.record}"
        )
        test = each.result["tests"].get(of.test) if same and each.result["status"] == "ok" else None
        if test is not None and of.measure in test["replicates"]:
            found[each.cell.seed or 0] = test
    return found

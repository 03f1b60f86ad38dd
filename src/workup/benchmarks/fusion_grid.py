"""What the fusion benchmark runs: tracks of tasks, views, methods, sizes, records and seeds; and what they cost."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from workup.benchmarks.runner import Cell, read
from workup.studies.fusion.conditions import MECHANISMS

CORE: Final = (
    "early", "late_mean", "late_poe", "late_stack", "concat", "concat_balanced", "attention", "concat_dropout", "sequential",
)  # fmt: skip
"""Methods of the tracks in which not all are run."""
LOST: Final = ("late_poe", "concat", "concat_balanced", "concat_dropout", "sequential")
"""Methods of the sweep of missing data."""
READ: Final = ("additive", "interaction", "shortcut_interaction")
SHIFTED: Final = ("shortcut", "shortcut_interaction")
SWEPT: Final = ("interaction", "shortcut_interaction")
COSTS: Final = Path(__file__).with_name("fusion_costs.json")


@dataclass(frozen=True, order=True)
class Run:
    """One training of one method, tested on everything that its records are compared with."""

    task: str
    view: str
    seed: int
    record: str
    patients: int
    method: str
    test_patients: int

    def cell(self, digest: str) -> Cell:
        """Its cell: `fusion/interaction/findings/concat/n2000/same/seed3`."""
        return Cell(
            f"fusion/{self.task}/{self.view}", digest, f"{self.method}/n{self.patients}/{self.record}",
            {"test_patients": self.test_patients}, self.seed,
        )  # fmt: skip


@dataclass(frozen=True)
class Track:
    """Runs that answer one question."""

    name: str
    tasks: Sequence[str]
    methods: Sequence[str] = ()
    """All if empty."""
    view: str = "findings"
    patients: Sequence[int] = (2_000,)
    records: Sequence[str] = ("same",)
    test_patients: int = 4_000


def tracks(tasks: Sequence[str], *, quick: bool) -> list[Track]:
    """The tracks of the quick or the full benchmark, in the order in which they are run."""
    every = tuple(f"{mechanism}{percent}" for percent in (20, 40, 60, 80) for mechanism in MECHANISMS)
    lost = ("mcar40", "mcar80", "outcome40", "journeys40") if quick else every
    found = [
        Track("findings", tasks),
        Track("read", READ, CORE, view="read", test_patients=2_000),
        Track("shift", SHIFTED, CORE, records=("random",)),
        Track("missing", SWEPT, LOST, records=lost),
        Track("no_history", ("branch",), ("late_poe", "concat", "sequential", "gradual", "personal"), records=("without_history",)),
        Track("no_context", ("one_biopsy", "reading_context"), ("late_poe", "concat", "exact_joint"), records=("without_context",)),
        Track("unrecorded", ("interaction",), (*LOST, "exact_joint", "exact_joint_with_mask"), records=("mar40", "mar40_without_history")),
    ]  # fmt: skip
    if not quick:
        found += [
            Track("many_read", ("additive", "interaction"), ("late_poe", "concat"), view="read", patients=(20_000,), test_patients=10_000),
            Track("few", tasks, CORE, patients=(300,)),
            Track("many", tasks, CORE, patients=(20_000,), test_patients=40_000),
            Track("raw", ("interaction",), ("late_poe", "concat", "sequential"), view="raw", patients=(2_000, 8_000), test_patients=2_000),
        ]  # fmt: skip
    return found


@dataclass(frozen=True)
class Grid:
    """Every run that was asked for, each once."""

    runs: Sequence[Run]
    by_track: Mapping[str, int] = field(default_factory=dict)
    """Track -> runs, each run counted in the first track that has it."""


def grid(
    found: Sequence[Track],
    methods: Sequence[str],
    *,
    seeds: int,
    only: Sequence[str] = (),
    views: Sequence[str] = (),
    complete: Collection[str] = (),
) -> Grid:
    """The runs of tracks.

    Args:
        found: see `tracks`.
        methods: those that there are; of a track's own list the others are left out.
        seeds: of each run.
        only: tasks; all if empty.
        views: views; all if empty.
        complete: tasks whose records hold everything: balanced methods are left out there, for every weight would be 1 and the
            run that of the plain method.
    """
    runs: dict[Run, str] = {}
    for track in found:
        if views and track.view not in views:
            continue
        for task, record, method in product(track.tasks, track.records, track.methods or methods):
            twice = method.endswith("_balanced") and task in complete and record == "same"
            if method in methods and (not only or task in only) and not twice:
                for n, seed in product(track.patients, range(seeds)):
                    run = Run(task, track.view, seed, record, n, method, track.test_patients)
                    runs.setdefault(run, track.name)
    counts = {track.name: sum(name == track.name for name in runs.values()) for track in found}
    # Runs that share patients stand together, so that a process draws these once.
    return Grid(sorted(runs), {name: count for name, count in counts.items() if count})


def left_of(cells: Sequence[tuple[Run, Cell]], folder: Path) -> list[Run]:
    """Runs whose file is not there."""
    return [run for run, cell in cells if not (folder / cell.file_name).is_file()]


def cost_of(run: Run, costs: Mapping[str, float]) -> float:
    """CPU seconds of a run by what such runs took: by its method and view at 2,000 patients, in proportion to the steps of training."""
    known = costs.get(f"{run.view}/{run.method}")
    if known is None:
        of_view = [value for name, value in costs.items() if name.startswith(f"{run.view}/")]
        known = median(of_view or costs.values() or [1.0])
    return known * steps_of(run.patients, run.view) / steps_of(2_000, run.view)


def steps_of(patients: int, view: str) -> int:
    """Most steps that a training on so many patients takes."""
    from workup.agents.fusion.trainer import PIXELS, Settings

    return (PIXELS if view == "raw" else Settings()).most_steps(patients)


def measured_costs(cells: Sequence[tuple[Run, Cell]], folder: Path) -> dict[str, float]:
    """`view/method` -> CPU seconds of a run at 2,000 patients: what comes with workup, and over it what was measured here."""
    costs: dict[str, float] = json.loads(COSTS.read_text(encoding="utf-8"))["cpu_s"] if COSTS.is_file() else {}
    here: dict[str, list[float]] = {}
    for run, cell in cells:
        done = read(cell, folder) if run.patients == 2_000 and (folder / cell.file_name).is_file() else None
        if done is not None and done.result.get("spent_s") is not None:
            here.setdefault(f"{run.view}/{run.method}", []).append(float(done.result["spent_s"]))
    return costs | {name: fmean(values) for name, values in here.items()}


def plan(cells: Sequence[tuple[Run, Cell]], found: Grid, folder: Path, *, workers: int) -> dict[str, Any]:
    """Grid and cost: runs by track, those that are left, CPU seconds by view, and minutes for so many processes."""
    left, costs = left_of(cells, folder), measured_costs(cells, folder)
    views: dict[str, float] = {}
    for run in left:
        views[run.view] = views.get(run.view, 0.0) + cost_of(run, costs)
    total = sum(views.values())
    return {
        "runs": len(found.runs), "left": len(left), "tracks": dict(found.by_track), "cpu_s": views,
        "minutes": total / workers / 60, "workers": workers, "unmeasured": sorted({f"{r.view}/{r.method}" for r in left} - set(costs)),
    }  # fmt: skip

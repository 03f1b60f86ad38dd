"""Learning curves: what each strategy reaches by how many patients it learnt from, and whether strategies cross.

Drawn from runs of the benchmark in several sizes; see `workup.benchmarks.fusion_page.curves_of`. Synthetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from workup.errors import WorkupError
from workup.studies.fusion.ceilings.closed import ceilings
from workup.studies.fusion.figures.seeds import SMALL, WIDTH, foot, plain
from workup.studies.fusion.picture import COLOURS, MARKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Mapping[tuple[str, str, str], Mapping[int, Sequence[float]]]
"""(task, view, method) -> patients learnt from -> AUROC of each seed."""
METHODS: Final = ("early", "late_poe", "concat", "attention", "sequential")
TASKS: Final = ("interaction", "one_biopsy", "reading_context", "shortcut", "question")
VIEWS: Final = ("findings", "read", "raw")
_MESSAGES: Final = {"joint": "-", "late": "--"}


def draw(curves: Curves) -> Figure:
    """A panel a task in the view findings, and one with `interaction` in every view.

    Raises:
        WorkupError: no task was run in two sizes or more.
    """
    from matplotlib.figure import Figure

    tasks = [task for task in TASKS if any(key[:2] == (task, "findings") for key in curves)]
    if not tasks:
        raise WorkupError(
            "no task was run in several sizes; expected runs of the whole benchmark: --figure curves without --quick runs them"
        )
    rows = (len(tasks) + 2) // 2
    height = 2.9 * rows + 1.6
    figure = Figure(figsize=(WIDTH, height))
    grid = figure.add_gridspec(
        rows, 2, left=0.09, right=0.98, top=1 - 0.25 / height, bottom=1.85 / height, hspace=0.42, wspace=0.2
    )
    for number, task in enumerate(tasks):
        axes = figure.add_subplot(grid[number // 2, number % 2])
        _panel(axes, task, [(method, curves.get((task, "findings", method), {})) for method in METHODS])
    last = figure.add_subplot(grid[len(tasks) // 2, len(tasks) % 2])
    _views(last, curves)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="lower center", ncols=4, fontsize=SMALL, frameon=False, bbox_to_anchor=(0.5, 0.75 / height)
    )
    foot(
        figure,
        "AUROC on records of the same policy; bars: worst and best of the trainings. Lines: best possible with all values, and with opinions.",
    )
    return figure


def _panel(axes: Axes, task: str, of: Sequence[tuple[str, Mapping[int, Sequence[float]]]]) -> None:
    for number, (name, reached) in enumerate(of):
        if reached:
            _curve(axes, name, reached, COLOURS[number], MARKS[number], (number - 2) * 0.03)
    for message, look in _MESSAGES.items():
        axes.axhline(
            ceilings(task)[message]["same"]["auroc"],
            color="#777777",
            linestyle=look,
            linewidth=1,
            label=f"best: {'values' if message == 'joint' else 'opinions'}",
        )
    _dress(axes, task)


def _views(axes: Axes, curves: Curves) -> None:
    for number, view in enumerate(VIEWS):
        for method, look in (("concat", "-"), ("late_poe", ":")):
            if reached := curves.get(("interaction", view, method)):
                _curve(axes, f"{view}, {method}", reached, COLOURS[number], MARKS[number], (number - 1) * 0.03, look)
    seen = [view for view in VIEWS if any(key[:2] == ("interaction", view) for key in curves)]
    _dress(axes, f"interaction: {', '.join(seen)}")
    axes.legend(fontsize=7.5, frameon=False, loc="best")


def _curve(
    axes: Axes, name: str, reached: Mapping[int, Sequence[float]], colour: str, mark: str, aside: float, look: str = "-"
) -> None:
    sizes = np.array(list(reached)) * np.exp(aside)
    mean = np.array([np.mean(values) for values in reached.values()])
    reach = [mean - [min(values) for values in reached.values()], [max(values) for values in reached.values()] - mean]
    axes.errorbar(
        sizes,
        mean,
        reach,
        color=colour,
        marker=mark,
        markersize=4.5,
        linewidth=1.2,
        linestyle=look,
        capsize=2,
        label=name,
    )


def _dress(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.set_xticks([300, 2_000, 20_000], ["300", "2,000", "20,000"])
    axes.minorticks_off()
    axes.set_xlabel("patients learnt from", fontsize=SMALL)
    plain(axes, title)

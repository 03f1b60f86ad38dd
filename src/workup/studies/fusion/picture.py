"""The article's figure 2 on one page: how the clinic reads each strategy, beside what was measured on every task."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workup.studies.fusion.ceilings.closed import benefits_gbp
from workup.studies.fusion.looks import SHOWN, pictures, shown
from workup.studies.fusion.splits import keys_of
from workup.studies.fusion.strategies import STRATEGIES
from workup.studies.fusion.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workup.studies.fusion.tasks.base import Task

Found = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]
"""Task -> method -> a result for each seed."""
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222")
MARKS: Final = ("o", "s", "^", "D", "*")
_EXACT: Final = {"exact_joint": ("-", "all that the values hold"), "exact_late": ("--", "opinions alone")}
_SHIFT: Final = "flipped"


def picture(found: Found) -> Figure:
    """Of the results of `Asked.of_figure`: tasks that were not run are left out."""
    from matplotlib.figure import Figure

    tasks = [name for name in TASKS if name in found]
    half = (len(tasks) + 1) // 2
    figure = Figure(figsize=(16.5, 11.7))
    outer = figure.add_gridspec(
        1, 3, width_ratios=(0.8, 1, 1), left=0.02, right=0.99, top=0.93, bottom=0.07, wspace=0.1
    )
    _readings(figure.add_subplot(outer[0, 0]), found)
    for column, names in enumerate((tasks[:half], tasks[half:])):
        inner = outer[0, column + 1].subgridspec(
            max(half, 1), 4, width_ratios=(0.5, 0.5, 0.45, 2.0), hspace=0.75, wspace=0.08
        )
        for row, name in enumerate(names):
            _drawn(figure, inner, row, TASKS[name])
            _dots(figure.add_subplot(inner[row, 3]), TASKS[name], found[name])
    figure.suptitle(
        "Fusion of modalities: the clinical reading, and what was measured where the best possible is known",
        fontsize=14,
    )
    figure.text(
        0.02, 0.02,
        "Dots: mean of the seeds, bars: least and most of them. Filled: records of the same policy; hollow: orders turned round. Full line: the "
        "exact score of all values; dashed: of opinions alone, on the same patients.\n"
        "In pounds: the best ordering for each patient, and the best single order with stopping. Synthetic patients; nothing here is medical advice.",
        fontsize=8,
    )  # fmt: skip
    return figure


def _readings(axes: Axes, found: Found) -> None:
    axes.axis("off")
    for number, each in enumerate(STRATEGIES):
        top = 1.0 - number / len(STRATEGIES)
        axes.plot([0.02], [top - 0.015], MARKS[number], color=COLOURS[number], transform=axes.transAxes, clip_on=False)
        axes.text(0.06, top - 0.015, f"{each.name}  (`{each.method}`)", fontsize=11, weight="bold", va="center")
        told = textwrap.fill(f"In the clinic: {each.clinic}", 62) + f"\nPassed on: {each.passes}."
        axes.text(
            0.06,
            top - 0.035,
            f"{told}\n{textwrap.fill(measured_words(each.method, found), 62)}",
            fontsize=8.5,
            va="top",
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def measured_words(method: str, found: Found) -> str:
    """Where a method loses most against the exact joint score on the same patients, and where least, in AUROC."""
    lost = {}
    for task, methods in found.items():
        runs = [run for run in methods.get(method, ()) if run["status"] == "ok"]
        if runs:
            lost[task] = float(
                np.mean([r["tests"]["same"]["exact"]["joint"]["auroc"] - r["tests"]["same"]["auroc"] for r in runs])
            )
    if not lost:
        return "Measured: nothing yet."
    most, least = max(lost, key=lambda task: lost[task]), min(lost, key=lambda task: lost[task])
    return (
        f"Measured, AUROC less that of all values: {-lost[most]:+.3f} on {most}, {-lost[least]:+.3f} on {least}; "
        f"mean of {len(lost)} tasks {-np.mean(list(lost.values())):+.3f}."
    )


def _drawn(figure: Figure, inner: Any, row: int, task: Task) -> None:
    """A film and a slide where the task is shown so; else its first findings, a dot a patient."""
    met = task.patients(150, seed=0)
    if task.name in SHOWN:
        keys = keys_of("figure", 0, 150)
        for place, (name, each) in enumerate(shown(task).items()):
            axes = figure.add_subplot(inner[row, place])
            image = pictures(each, met.findings[name][:1], keys[:1])[0]
            axes.imshow(np.moveaxis(image, 0, -1) if image.ndim == 3 else image, cmap="gray", vmin=0, vmax=255)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlabel(name, fontsize=7)
        return
    axes = figure.add_subplot(inner[row, :2])
    one, two = (met.findings[name][:, 0] for name in task.modalities)
    for label, colour, mark in ((0, "#0072B2", "o"), (1, "#D55E00", "x")):
        of = met.label == label
        axes.scatter(one[of], two[of], s=7, c=colour, marker=mark, linewidths=0.7)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(task.modalities[0], fontsize=7, labelpad=1)
    axes.set_ylabel(task.modalities[1], fontsize=7, labelpad=1)


def _dots(axes: Axes, task: Task, methods: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    measure = "benefit_gbp" if task.right_gbp else "auroc"
    for number, each in enumerate(STRATEGIES):
        for test, filled in (("same", True), (_SHIFT, False)):
            values = _values(methods.get(each.method, ()), test, measure)
            if values:
                mean = float(np.mean(values))
                axes.errorbar(
                    mean, number, xerr=[[mean - min(values)], [max(values) - mean]], fmt=MARKS[number], color=COLOURS[number],
                    markerfacecolor=COLOURS[number] if filled else "white", markersize=6, capsize=2, linewidth=0.8,
                )  # fmt: skip
    if measure == "benefit_gbp":
        known = benefits_gbp(task.name)
        for name, dashes in (("personal", "-"), ("order", "--")):
            axes.axvline(known[name], color="#777777", linestyle=dashes, linewidth=0.9)
    else:
        for method, (dashes, _) in _EXACT.items():
            values = _values(methods.get(method, ()), "same", measure)
            if values:
                axes.axvline(float(np.mean(values)), color="#777777", linestyle=dashes, linewidth=0.9)
    axes.set_yticks(range(len(STRATEGIES)), [each.name for each in STRATEGIES], fontsize=7)
    axes.invert_yaxis()
    axes.tick_params(axis="x", labelsize=7)
    axes.set_title(textwrap.fill(f"{task.name}: {task.title}", 46), fontsize=8, loc="left")
    axes.set_xlabel("£ a patient" if measure == "benefit_gbp" else "AUROC", fontsize=7, labelpad=1)
    axes.spines[["top", "right"]].set_visible(False)


def _values(runs: Sequence[Mapping[str, Any]], test: str, measure: str) -> list[float]:
    return [
        run["tests"][test][measure] for run in runs if run["status"] == "ok" and measure in run["tests"].get(test, {})
    ]

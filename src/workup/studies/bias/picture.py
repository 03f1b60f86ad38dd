"""The demonstration in one picture: who is expected too often, whether order is kept, and what the loop does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from workup.studies.bias.demonstration import ALL, SLOPES, TRAINED
from workup.studies.bias.loop import ARMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = {"everything": "#0072B2", "linked": "#D55E00"}
MARKS: Final = {"everything": "s", "linked": "o"}
WORDS: Final = {"everything": "with the history", "linked": "without the history"}
LINES: Final = {
    "naive": ("#D55E00", "o", "-"),
    "weighted": ("#0072B2", "s", "--"),
    "audited": ("#009E73", "^", "-."),
    "threshold": ("#222222", "D", ":"),
    "threshold, audited": ("#E69F00", "v", "--"),
    "threshold, history": ("#CC79A7", "P", "-"),
}
"""Colour, mark and dashes: no line is told by its colour alone."""


def row_of(found: Mapping[str, Any], **asked: object) -> dict[str, Any]:
    """The one row of the result with these fields. Raises StopIteration if there is none."""
    return next(row for row in found["models"] if all(row[name] == value for name, value in asked.items()))


def picture(found: Mapping[str, Any]) -> Figure:
    """Of a result of `demonstrate`: observed/expected and AUC by what was learnt from, and the loop's generations."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 7.6), layout="constrained")
    (one, two), (three, four) = figure.subplots(2, 2)
    _rows(one, found, "observed_over_expected", ALL)
    _rows(two, found, "auc", ALL)
    one.axvline(1.0, color="#777777", linewidth=0.8)
    one.set_xscale("log")
    _ratios(one, "x", (0.4, 0.5, 0.6, 0.8, 1.0, 1.2))
    one.set_title("Calibration breaks: observed / expected", loc="left")
    two.set_title("Order is kept: area under the ROC curve", loc="left")
    two.set_xlim(0.8, 0.95)
    one.legend(frameon=False, fontsize=8, loc="lower left")
    _loop(three, found, lambda row: _interval(row["all"] and row["all"]["observed_over_expected"]), tuple(ARMS))
    three.axhline(1.0, color="#777777", linewidth=0.8)
    three.set_yscale("log")
    _ratios(three, "y", (0.4, 0.5, 0.6, 0.8, 1.0, 1.2))
    three.set_title("The loop: observed / expected by generation", loc="left")
    _loop(four, found, lambda row: _interval(row["found_normal"]), tuple(ARMS))
    four.set_ylim(bottom=0.0)
    four.set_title("Cancers with normal bloods: share tested", loc="left")
    handles, labels = three.get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=8, ncols=6, loc="outside lower center")
    figure.suptitle(
        f"{found['scenario']}: {found['seeds']} seeds of {found['patients']:,} patients; bars: 95% over seeds and tested patients, the wider",
        fontsize=9,
    )
    return figure


def _rows(axes: Axes, found: Mapping[str, Any], measure: str, who: str) -> None:
    """A row for each thing learnt from, tested on whom the rules allow the film; the control below."""
    names = [*((SLOPES[0], trained) for trained in TRAINED), (SLOPES[1], TRAINED[0])]
    for features, shift in (("everything", -0.13), ("linked", 0.13)):
        for at, (slope, trained) in enumerate(names):
            row = row_of(
                found, slope=slope, features=features, model="logistic", trained=trained, tested="testable", who=who
            )
            if row["measured"] is None:
                continue
            value, low, high = _interval(row["measured"][measure])
            axes.errorbar(
                value,
                at + shift,
                xerr=[[value - low], [high - value]],
                fmt=MARKS[features],
                color=COLOURS[features],
                capsize=2,
                label=WORDS[features] if at == 0 else None,
            )
    words = [f"{trained}\n(no suspicion)" if slope == SLOPES[1] else trained for slope, trained in names]
    axes.set_yticks(range(len(names)), words)
    axes.invert_yaxis()
    _bare(axes)


def _loop(axes: Axes, found: Mapping[str, Any], of: Any, arms: tuple[str, ...]) -> None:
    for number, arm in enumerate(arms):
        colour, mark, dashes = LINES[arm]
        rows = found["loop"]["arms"][arm]["generations"]
        at = [row["generation"] + 0.06 * (number - len(arms) / 2) for row in rows]
        values, lows, highs = zip(*(of(row) for row in rows), strict=True)
        spread = [
            [v - low for v, low in zip(values, lows, strict=True)],
            [h - v for v, h in zip(values, highs, strict=True)],
        ]
        axes.errorbar(
            at,
            values,
            yerr=spread,
            color=colour,
            marker=mark,
            linestyle=dashes,
            capsize=2,
            linewidth=1,
            markersize=5,
            label=arm,
        )
    axes.set_xlabel("generation (0: the doctors' records)")
    _bare(axes)


def _interval(told: Mapping[str, Any] | None) -> tuple[float, float, float]:
    """Value, low, high: of both intervals the wider."""
    if told is None:
        return (float("nan"),) * 3
    known = [each for each in (told["seeds"], told["patients"]) if each is not None] or [[told["value"]] * 2]
    low, high = max(known, key=lambda each: each[1] - each[0])
    return told["value"], max(low, 0.0), high


def _ratios(axes: Axes, side: str, at: tuple[float, ...]) -> None:
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_ticks(list(at), [f"{value:g}" for value in at])
    axis.set_ticks([], minor=True)


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)

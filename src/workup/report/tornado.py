"""The tornado figure of a sensitivity analysis: what each figure moves when it is lower and when it is higher."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workup.report.drawing import FAINT, INK, MUTED, PALETTE, STYLE
from workup.sensitivity.prose import stated
from workup.sensitivity.replanning import Replanned
from workup.sensitivity.study import Sensitivity

LOWER, HIGHER = PALETTE[1], PALETTE[0]


@dataclass(frozen=True)
class Bar:
    """One figure moved down and up."""

    label: str
    changed: tuple[float, float]
    """Share of presentations whose first order changes, moved down and up."""
    lost_gbp: tuple[float, float]
    """Pounds a patient that keeping to the old plan loses."""
    lost_intervals: tuple[tuple[float, float], tuple[float, float]]
    remark: str
    """Beside the bars, such as vignettes whose outcome changes."""


def bars_of(found: Sensitivity) -> list[Bar]:
    """A bar for each figure that was planned anew, in their order."""
    return [
        Bar(
            stated(found.candidates[path]),
            (down.changed, up.changed),
            (down.lost_gbp, up.lost_gbp),
            ((down.lost_low, down.lost_high), (up.lost_low, up.lost_high)),
            _remark(down, up),
        )
        for path, (down, up) in found.planned.items()
    ]


def _remark(down: Replanned, up: Replanned) -> str:
    """A line for each direction: 'lower: “6e” fails', 'higher: “6b” passes'."""
    parts = []
    for way, one in (("lower", down), ("higher", up)):
        outcomes = [f"“{name}” fails" for name in one.now_fails]
        outcomes += [f"“{name}” passes" for name in one.now_passes]
        parts += [f"{way}: {', '.join(outcomes)}"] if outcomes else []
    return "\n".join(parts)


def tornado_figure(title: str, bars: Sequence[Bar]) -> Figure:
    """Two panels with a row for each figure: moved down to the left, moved up to the right.

    Args:
        title: of the whole.
        bars: heaviest first.
    """
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        remarks = any(bar.remark for bar in bars)
        labels = [textwrap.wrap(bar.label, 52) for bar in bars]
        beside = [[part for line in bar.remark.splitlines() for part in textwrap.wrap(line, 34)] for bar in bars]
        lines = max([2, *map(len, labels), *map(len, beside)])
        height = 1.5 + (0.16 + 0.15 * lines) * max(len(bars), 1)
        figure = Figure(figsize=(12.0 if remarks else 10.0, height))
        share, lost = figure.subplots(1, 2, sharey=True, gridspec_kw={"wspace": 0.1})
        _panel(share, bars, [(100 * low, 100 * high) for low, high in (bar.changed for bar in bars)], None)
        _panel(lost, bars, [bar.lost_gbp for bar in bars], [bar.lost_intervals for bar in bars])
        share.set_xlabel("another first order (% of presentations)")
        lost.set_xlabel("keeping to the old plan loses (£ a patient)")
        share.set_yticks(range(len(bars)), ["\n".join(label) for label in labels], color=INK)
        share.set_ylim(len(bars) - 0.4, -0.6)
        for row, remark in enumerate(map("\n".join, beside)):
            lost.text(1.02, row, remark, transform=lost.get_yaxis_transform(), va="center", color=MUTED, fontsize=7.5)
        figure.subplots_adjust(
            left=0.36 if remarks else 0.42, right=0.82 if remarks else 0.98, top=1 - 0.75 / height, bottom=0.6 / height
        )
        figure.text(0.01, 1 - 0.25 / height, title, fontsize=10, fontweight="bold", va="center")
    return figure


def _panel(
    axes: Axes,
    bars: Sequence[Bar],
    widths: Sequence[tuple[float, float]],
    intervals: Sequence[tuple[tuple[float, float], tuple[float, float]]] | None,
) -> None:
    """Bars to the left for what a lower figure does, to the right for a higher one, on one scale."""
    ends = [value for pair in widths for value in pair]
    if intervals is not None:
        ends += [high for pair in intervals for _, high in pair if np.isfinite(high)]
    reach = max([*ends, 1e-9]) * 1.12
    for row, (down, up) in enumerate(widths):
        axes.barh(row, -max(down, 0.0), height=0.62, color=LOWER)
        axes.barh(row, max(up, 0.0), height=0.62, color=HIGHER)
    if intervals is not None:
        for row, pair in enumerate(intervals):
            for sign, (low, high) in zip((-1, 1), pair, strict=True):
                if high > 0.0:  # each on its own side: below nothing lies only chance
                    axes.plot([sign * max(low, 0.0), sign * high], [row, row], color=INK, lw=0.9)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.4g}")
    axes.tick_params(axis="y", left=False)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, lw=0.4)
    axes.set_axisbelow(True)
    for side, words, colour in ((0.25, "figure lower", LOWER), (0.75, "figure higher", HIGHER)):
        axes.text(side, 1.0, words, transform=axes.transAxes, ha="center", va="bottom", color=colour, fontweight="bold")

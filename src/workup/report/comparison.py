"""The pictures of agents beside each other: gain against cost, and gain against experience.

Every series is labelled where it ends instead of in a legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from workup.report.drawing import FAINT, INK, MUTED, PALETTE, PAPER, STYLE, spread
from workup.report.inputs import LearningCurve
from workup.wording import CERTIFIED, percent, pounds

if TYPE_CHECKING:
    from workup.evaluation.score import AgentScore, Evaluation

_GREEN = PALETTE[2]
_DASHED = (0, (4, 2))
_NOTHING_GBP = 0.005
"""Gains that are nothing but rounding."""
_BEHIND = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
"""What keeps lines from striking through a label."""


@dataclass(frozen=True)
class Point:
    """An agent on the cost-benefit plane."""

    agent: str
    cost_gbp: float
    gain: float
    low: float
    high: float


def frontier_figure(points: Sequence[Point], lower: float, upper: float, *, exact: bool) -> Figure:
    """Mean gain per patient against mean cost, with the optimum's bracket as a band.

    Where a few bad agents would press the good ones together, a second panel looks closer.

    Args:
        points: one per agent.
        lower: certified gain of the optimum (pounds per patient); NaN if unknown.
        upper: what no policy can exceed.
        exact: whether the optimum was found exactly.
    """
    close = _crowd(points)
    apart = [point for point in points if point not in close]
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(10.4 if close else 8.0, 4.4))
        if close:
            whole, near = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.35], "wspace": 0.2})
            _plane(near, close, close, (lower, upper), exact)
            near.set_title("those that gain, enlarged", loc="left", color=MUTED, fontsize=8.5)
            whole.set_title("all agents", loc="left", color=MUTED, fontsize=8.5)
        else:
            whole = figure.subplots()
        _plane(whole, points, apart, (lower, upper), exact)
        if close:
            _frame(whole, near)
        whole.set_ylabel("mean gain per patient (£)")
        figure.subplots_adjust(left=0.1 if close else 0.12, right=0.98, top=0.86, bottom=0.12)
        _key(figure, lower, upper, exact)
    return figure


def _frame(whole: Axes, near: Axes) -> None:
    """Where the enlarged part lies, with its name beneath it where there is room, else above it."""
    x, y = near.get_xlim(), near.get_ylim()
    whole.add_patch(Rectangle((x[0], y[0]), x[1] - x[0], y[1] - y[0], fill=False, ec=MUTED, lw=0.8, ls=(0, (2, 2))))
    low, high = whole.get_ylim()
    beneath = y[0] - low > high - y[1]
    whole.annotate(
        "enlarged at the right", (x[0], y[0] if beneath else y[1]), (2, -4 if beneath else 4), textcoords="offset points",
        va="top" if beneath else "bottom", color=MUTED, fontsize=8, bbox=_BEHIND,
    )  # fmt: skip


def in_words(evaluation: Evaluation) -> str:
    """What the picture shows, in a sentence or two."""
    ranked = sorted(evaluation.agents, key=lambda name: -evaluation.agents[name].gain.mean)
    best = evaluation.agents[ranked[0]]
    if not np.isfinite(best.gain.mean):
        return f"{ranked[0]} spends {pounds(best.cost_gbp.mean)} per patient; what it gains is not known."
    if best.gain.mean < _NOTHING_GBP:
        return f"None of these gains over deciding straight after history and examination; {ranked[0]} loses least: {_worth(best)}."
    said = f"Most is gained by {ranked[0]}: {_worth(best)}"
    if np.isfinite(best.captured.mean) and ranked[0] != "optimum":
        said += f", {percent(best.captured.mean)} of what the best plan found gains, {CERTIFIED}"
    if len(ranked) == 1:
        return f"{said}."
    second = evaluation.agents[ranked[1]]
    return f"{said}. After it comes {ranked[1]}: {_worth(second)}."


def _worth(score: AgentScore) -> str:
    return f"{pounds(score.gain.mean)} per patient for {pounds(score.cost_gbp.mean)} spent"


def _crowd(points: Sequence[Point]) -> list[Point]:
    """The agents that gain, if they are several and the others stand so far off that they are hard to tell apart."""
    well = [point for point in points if point.gain > -_NOTHING_GBP]
    if not 3 <= len(well) < len(points):
        return []
    gains, costs = [p.gain for p in points], [p.cost_gbp for p in points]
    far = np.ptp(gains) > 2.5 * np.ptp([p.gain for p in well]) or np.ptp(costs) > 2.5 * np.ptp(
        [p.cost_gbp for p in well]
    )
    return well if far else []


def _plane(
    axes: Axes,
    points: Sequence[Point],
    labelled: Sequence[Point],
    bracket: tuple[float, float],
    exact: bool,
) -> None:
    _optimum_band(axes, *bracket, exact)
    for point in points:
        if np.isfinite([point.low, point.high]).all():
            axes.plot([point.cost_gbp] * 2, [point.low, point.high], color=MUTED, lw=1.2, zorder=2)
        axes.plot(point.cost_gbp, point.gain, "o", ms=6.5, color=agent_colour(point.agent), zorder=3)
    heights = [v for p in points for v in (p.gain, p.low, p.high)] + list(bracket)
    heights = [v for v in heights if np.isfinite(v)]
    costs = [point.cost_gbp for point in points]
    reach, breadth = max(heights) - min(heights) or 1.0, max(costs) - min(costs) or 1.0
    axes.set_ylim(min(heights) - 0.1 * reach, max(heights) + 0.12 * reach)
    room = _label_width(axes, labelled)
    axes.set_xlim(max(0.0, min(costs) - 0.1 * breadth), max(costs) + breadth * (0.08 + room / (1 - room)))
    if axes.get_ylim()[0] < 0 < axes.get_ylim()[1]:
        axes.axhline(0, color=MUTED, lw=0.8, ls=(0, (1, 2)))
    _name_points(axes, labelled)
    axes.set_xlabel("mean cost per patient (£)")


def _label_width(axes: Axes, points: Sequence[Point]) -> float:
    """Share of the width of the axes that the longest name takes, at most half."""
    inches = axes.get_position().width * axes.figure.get_figwidth()  # type: ignore[union-attr]
    return min(0.5, max((0.075 * len(point.agent) for point in points), default=0.0) / inches + 0.05)


def _name_points(axes: Axes, points: Sequence[Point]) -> None:
    """Label each point to its right; labels that would collide are pushed apart and tied to their point."""
    width, (low, high) = np.ptp(axes.get_xlim()), axes.get_ylim()
    columns: list[list[Point]] = []
    for point in sorted(points, key=lambda each: each.cost_gbp):
        if columns and point.cost_gbp - columns[-1][-1].cost_gbp < (0.02 + _label_width(axes, columns[-1])) * width:
            columns[-1].append(point)
        else:
            columns.append([point])
    for column in columns:
        right = max(point.cost_gbp for point in column) + 0.035 * width
        places = spread([point.gain for point in column], 0.055 * (high - low))
        edge = low + 0.03 * (high - low)
        places += max(0.0, edge - places.min()) - max(0.0, places.max() - (low + high - edge))
        for point, place in zip(column, places, strict=True):
            axes.annotate(
                point.agent,
                (point.cost_gbp, point.gain),
                (right, place),
                va="center",
                color=agent_colour(point.agent),
                fontweight="bold" if _is_learner(point.agent) else "normal",
                bbox=_BEHIND,
                arrowprops={
                    "arrowstyle": "-",
                    "color": FAINT,
                    "lw": 0.8,
                    "shrinkA": 1,
                    "shrinkB": 4,
                    "relpos": (0, 0.5),
                },
            )


def _optimum_band(axes: Axes, lower: float, upper: float, exact: bool) -> None:
    if not np.isfinite(lower):
        return
    axes.axhline(lower, color=_GREEN, lw=1.2, zorder=1)
    if not exact and np.isfinite(upper):
        axes.axhspan(lower, upper, color=_GREEN, alpha=0.14, lw=0, zorder=0)
        axes.axhline(upper, color=_GREEN, lw=0.8, ls=_DASHED, zorder=1)


def _key(figure: Figure, lower: float, upper: float, exact: bool) -> None:
    """What the lines mean, above the picture, where no name of an agent can be."""
    if not np.isfinite(lower):
        return
    lines = {f"{'the optimum' if exact else 'the best plan found'}, {CERTIFIED}": Line2D([], [], color=_GREEN, lw=1.2)}
    if not exact and np.isfinite(upper):
        lines["no policy can be above"] = Line2D([], [], color=_GREEN, lw=0.8, ls=_DASHED)
    figure.legend(
        lines.values(), lines.keys(), loc="upper right", ncols=2, frameon=False, fontsize=8, borderaxespad=0.2
    )  # fmt: skip


def _is_learner(agent: str) -> bool:
    return "ppo" in agent.lower()


def agent_colour(agent: str) -> str:
    """Learners and the optimum stand out."""
    if _is_learner(agent):
        return PALETTE[0]
    return PALETTE[2] if agent == "optimum" else INK


def learning_figure(curves: Sequence[LearningCurve], lower: float, upper: float, *, exact: bool) -> Figure:
    """Gain on held-out patients against experience, a line for each run, with the optimum's bracket.

    Args:
        curves: all runs of all agents.
        lower: certified gain of the optimum (pounds per patient); NaN if unknown.
        upper: what no policy can exceed.
        exact: whether the optimum was found exactly.
    """
    agents = list(dict.fromkeys(curve.agent for curve in curves))
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(8.6, 3.8))
        axes = figure.subplots()
        _optimum_band(axes, lower, upper, exact)
        _key(figure, lower, upper, exact)
        ends = []
        for curve in curves:
            colour = PALETTE[agents.index(curve.agent) % 2]
            axes.plot(curve.steps, curve.gain, color=colour, lw=1.4, alpha=0.85)
            ends.append((f"{curve.agent}, seed {curve.seed}", float(curve.steps[-1]), float(curve.gain[-1]), colour))
        finite = np.concatenate([curve.gain for curve in curves] + [np.array([lower, upper])])
        finite = finite[np.isfinite(finite)]
        last = [float(curve.gain[-1]) for curve in curves]
        # the first evaluations of an untrained policy may be thousands below; show where the learning happens
        floor = max(finite.min(), min(last) - 3 * (finite.max() - min(last) + 1))
        reach = finite.max() - floor or 1.0
        axes.set_ylim(floor - 0.05 * reach, finite.max() + 0.12 * reach)
        places = spread([end[2] for end in ends], 0.055 * 1.17 * reach)
        far = max(end[1] for end in ends)
        for (words, x, y, colour), place in zip(ends, places, strict=True):
            axes.annotate(
                words, (x, y), (far * 1.015, place), va="center", color=colour, annotation_clip=False, fontsize=8
            )
        axes.set_xlim(0, far)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:,.4g}k" if value else "0")
        axes.set_xlabel("environment steps of training")
        axes.set_ylabel("mean gain per patient (£)")
        figure.subplots_adjust(left=0.11, right=0.84, top=0.91, bottom=0.13)
    return figure

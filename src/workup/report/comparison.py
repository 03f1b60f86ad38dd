"""The pictures of agents beside each other: gain against cost, and gain against experience.

Every series is labelled where it ends instead of in a legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from workup.report.drawing import FAINT, INK, MUTED, PALETTE, STYLE, spread
from workup.report.inputs import LearningCurve


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
            near.set_title("closer", loc="left", color=MUTED, fontsize=8.5)
            whole.set_title("all agents", loc="left", color=MUTED, fontsize=8.5)
            x, y = near.get_xlim(), near.get_ylim()
            frame = Rectangle((x[0], y[0]), x[1] - x[0], y[1] - y[0], fill=False, ec=MUTED, lw=0.8, ls=(0, (2, 2)))
            whole.add_patch(frame)
        else:
            whole = figure.subplots()
        _plane(whole, points, apart, (lower, upper), exact, named=not close)
        whole.set_ylabel("mean gain per patient (£)\nover deciding after history and examination")
        figure.subplots_adjust(left=0.1, right=0.98, top=0.92, bottom=0.12)
    return figure


def _crowd(points: Sequence[Point]) -> list[Point]:
    """The agents that do well, if they are several and the others stand so far off that they are hard to tell apart."""
    best = max(point.gain for point in points)
    well = [point for point in points if point.gain > best / 4]
    if len(well) < 3:
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
    *,
    named: bool = True,
) -> None:
    _optimum_band(axes, *bracket, exact, named=named)
    for point in points:
        if np.isfinite([point.low, point.high]).all():
            axes.plot([point.cost_gbp] * 2, [point.low, point.high], color=MUTED, lw=1.2, zorder=2)
        axes.plot(point.cost_gbp, point.gain, "o", ms=6.5, color=_agent_colour(point.agent), zorder=3)
    heights = [v for p in points for v in (p.gain, p.low, p.high)] + list(bracket)
    heights = [v for v in heights if np.isfinite(v)]
    costs = [point.cost_gbp for point in points]
    reach, breadth = max(heights) - min(heights) or 1.0, max(costs) - min(costs) or 1.0
    axes.set_ylim(min(heights) - 0.1 * reach, max(heights) + 0.12 * reach)
    axes.set_xlim(max(0.0, min(costs) - 0.1 * breadth), max(costs) + 0.42 * breadth)
    if axes.get_ylim()[0] < 0 < axes.get_ylim()[1]:
        axes.axhline(0, color=MUTED, lw=0.8, ls=(0, (1, 2)))
    _name_points(axes, labelled)
    axes.set_xlabel("mean cost of tests per patient (£)")


def _name_points(axes: Axes, points: Sequence[Point]) -> None:
    """Label each point to its right; labels that would collide are pushed apart and tied to their point."""
    width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    columns: list[list[Point]] = []
    for point in sorted(points, key=lambda each: each.cost_gbp):
        if columns and point.cost_gbp - columns[-1][-1].cost_gbp < 0.16 * width:
            columns[-1].append(point)
        else:
            columns.append([point])
    for column in columns:
        right = max(point.cost_gbp for point in column) + 0.035 * width
        places = spread([point.gain for point in column], 0.052 * height)
        for point, place in zip(column, places, strict=True):
            axes.annotate(
                point.agent,
                (point.cost_gbp, point.gain),
                (right, place),
                va="center",
                color=_agent_colour(point.agent),
                fontweight="bold" if _is_learner(point.agent) else "normal",
                arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.8, "shrinkA": 1, "shrinkB": 4},
            )


def _optimum_band(axes: Axes, lower: float, upper: float, exact: bool, *, named: bool = True) -> None:
    if not np.isfinite(lower):
        return
    green, right = PALETTE[2], axes.get_yaxis_transform()
    bracketed = not exact and np.isfinite(upper)
    axes.axhline(lower, color=green, lw=1.2)
    if bracketed:
        axes.axhspan(lower, upper, color=green, alpha=0.14, lw=0)
        axes.axhline(upper, color=green, lw=0.8, ls=(0, (4, 2)))
    if not named:
        return
    said: dict[str, Any] = {"transform": right, "ha": "right", "color": green, "fontsize": 8}
    if not bracketed:
        axes.text(0.995, lower, "the optimum (exact)" if exact else "the best plan found", va="bottom", **said)
        return
    axes.text(0.995, upper, "no policy can be above", va="bottom", **said)
    axes.text(0.995, lower, "certified: the best plan found", va="top", **said)


def _is_learner(agent: str) -> bool:
    return "ppo" in agent.lower()


def _agent_colour(agent: str) -> str:
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
        axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:,.0f}k" if value else "0")
        axes.set_xlabel("environment steps of training")
        axes.set_ylabel("mean gain per patient (£)\nover deciding after history and examination")
        figure.subplots_adjust(left=0.11, right=0.84, top=0.96, bottom=0.13)
    return figure

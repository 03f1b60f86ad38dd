"""The pictures of the report, drawn with matplotlib without pyplot, so that no global state or screen is touched.

Every series is labelled where it ends instead of in a legend. Colours are those of Okabe and Ito, which
colour-blind readers can tell apart.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from workup.report.inputs import LearningCurve
from workup.report.story import Story
from workup.scenarios.language.schema import TIERS
from workup.wording import moment, percent, pounds, without_brackets

INK, MUTED, FAINT, PAPER = "#1d2430", "#667085", "#c9ced6", "#fefefe"
PALETTE = ("#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#B8A400")
OTHER = "#b9bec7"
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib; wide, so that a reader's font takes no more room
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "svg.fonttype": "none",
    "svg.hashsalt": "workup",
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "text.parse_math": False,  # a "$" in a scenario is a dollar
}


def svg(figure: Figure) -> str:
    """The figure as an `<svg>` element, text kept as text; ink follows the page's colours, light or dark."""
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    inks = {INK: "--ink", MUTED: "--muted", FAINT: "--faint", PAPER: "--paper"}
    for colour, name in inks.items():
        text = text.replace(colour, f"var({name})")
    return text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, Arial, sans-serif")


@dataclass(frozen=True)
class Colours:
    """Which conditions are shown by name, and in which colour; the same on a whole page."""

    named: tuple[int, ...]
    """Condition indices, in the order they are stacked from the bottom."""

    def of(self, condition: int) -> str:
        """Colour of a condition."""
        return PALETTE[self.named.index(condition)] if condition in self.named else OTHER


def colours(stories: Sequence[Story]) -> Colours:
    """Names the true causes and the conditions that weigh most at some step of these journeys."""
    peak = np.max([story.posterior.max(axis=0) for story in stories], axis=0)
    for story in stories:
        peak[story.truth] = 1 + peak[story.truth]
    return Colours(tuple(int(c) for c in np.argsort(-peak, kind="stable")[: len(PALETTE)]))


@dataclass(frozen=True)
class Scale:
    """Axes that journeys shown beside each other share, so that they can be compared at a glance."""

    steps: int
    spent_gbp: float
    tiers: tuple[str, ...]

    @classmethod
    def of(cls, stories: Sequence[Story]) -> Scale:
        """Long enough for the longest, high enough for the dearest, with the tiers that any of them visits."""
        used = {tier for story in stories for step in story.steps for tier in step.tiers}
        return cls(
            steps=max(len(story.steps) for story in stories),
            spent_gbp=max(story.spent_gbp for story in stories),
            tiers=tuple(tier for tier in TIERS if tier in used),
        )


def journey_figure(story: Story, palette: Colours, scale: Scale, *, width: float = 6.0) -> Figure:
    """One journey: tests by tier, money spent and the posterior, against the steps taken.

    Args:
        story: the journey.
        palette: of all journeys shown beside it.
        scale: of the same.
        width: inches.
    """
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, 4.6))
        lanes, spend, belief = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [1.9, 0.75, 2.0], "hspace": 0.16}
        )
        _lanes(lanes, story, scale.tiers)
        _spend(spend, story, scale.spent_gbp)
        _belief(belief, story, palette, scale.steps)
        belief.set_xlim(-0.15, scale.steps + 0.25)
        figure.subplots_adjust(left=0.15, right=0.69, top=0.97, bottom=0.1)
    return figure


def _lanes(axes: Axes, story: Story, tiers: Sequence[str]) -> None:
    for lane, tier in enumerate(tiers):
        used = [step.number for step in story.steps if tier in step.tiers]
        axes.axhline(lane, color=FAINT, lw=0.5, zorder=0)
        axes.plot(used, [lane] * len(used), "o", ms=10.5, color=INK if used else FAINT, zorder=2)
        for number in used:
            axes.text(number, lane, str(number), color=PAPER, ha="center", va="center", fontsize=6.5, zorder=3)
    for step in story.steps:
        if step.decides:
            axes.axvline(step.number, color=INK, lw=1, ls=(0, (2, 2)), zorder=1)
            axes.text(step.number + 0.15, 0, "decides", va="center", color=INK)
    axes.set_yticks(range(len(tiers)), tiers)
    axes.set_ylim(len(tiers) - 0.4, -0.6)
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)


def _spend(axes: Axes, story: Story, most: float) -> None:
    spent = np.array([0.0, *(step.spent_gbp for step in story.steps)])
    axes.fill_between(np.arange(len(spent)), spent, step="post", color=FAINT, lw=0)
    axes.step(np.arange(len(spent)), spent, where="post", color=INK, lw=1.2)
    axes.text(len(spent) - 1 + 0.12, spent[-1], f"{pounds(spent[-1])} spent", va="bottom", color=INK)
    axes.set_ylim(0, max(most, 1) * 1.25)
    axes.set_yticks([])
    axes.set_ylabel("spent", rotation=0, ha="right", va="center")
    axes.tick_params(bottom=False, labelbottom=False)
    axes.spines["left"].set_visible(False)


def _belief(axes: Axes, story: Story, palette: Colours, last: int) -> None:
    posterior = story.posterior
    rest = [c for c in range(posterior.shape[1]) if c not in palette.named]
    bands = [posterior[:, c] for c in palette.named] + [posterior[:, rest].sum(axis=1)]
    names = [without_brackets(story.labels[c]) for c in palette.named] + ["all others"]
    shades = [palette.of(c) for c in palette.named] + [OTHER]
    x = np.arange(len(posterior))
    below = np.zeros(len(posterior))
    middles = []
    for band, shade in zip(bands, shades, strict=True):
        axes.fill_between(x, below, below + band, step="post", color=shade, lw=0.4, edgecolor=PAPER)
        middles.append(below[-1] + band[-1] / 2)
        below = below + band
    shown = [i for i, band in enumerate(bands) if band[-1] >= 0.02]
    true = [i < len(palette.named) and palette.named[i] == story.truth for i in shown]
    said = [
        "\n".join(textwrap.wrap(f"{percent(bands[i][-1])} {names[i]}{' (true)' if is_true else ''}", 27, max_lines=2))
        for i, is_true in zip(shown, true, strict=True)
    ]
    places = spread([middles[i] for i in shown], [0.085 * (1 + text.count("\n")) + 0.01 for text in said])
    places -= max(0.0, places.max(initial=0.0) - 0.98)  # not into the panel above
    for i, place, text, is_true in zip(shown, places, said, true, strict=True):
        axes.annotate(
            text,
            (x[-1], middles[i]),
            (x[-1] + 0.03 * (last + 0.4), place),
            va="center",
            color=INK,
            fontweight="bold" if is_true else "normal",
            annotation_clip=False,
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": shades[i], "lw": 1.4, "shrinkA": 1, "shrinkB": 0},
        )
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "50%", "100%"])
    axes.set_ylabel("probability of\neach cause")
    axes.set_xticks(*_moments(story, last))
    axes.set_xlabel("steps (numbers), at the time shown", fontsize=7.5)


def _moments(story: Story, last: int) -> tuple[list[int], list[str]]:
    """Where the clock has moved to another word, so that a crowd of simultaneous steps has one tick."""
    after = [0.0, *(step.clock_after_h for step in story.steps)]
    ticks, said = [0], [moment(0.0)]
    apart = max(1.0, last / 5)
    for position, hours in enumerate(after):
        if moment(hours) != said[-1] and position - ticks[-1] >= apart:
            ticks.append(position)
            said.append(moment(hours))
    return ticks, said


def spread(places: Sequence[float], heights: Sequence[float] | float) -> NDArray[np.float64]:
    """Positions as near as possible to `places` (least squares, same order) at which labels do not overlap.

    Args:
        places: wanted middles, in any order.
        heights: of each label, or of all.
    """
    order = np.argsort(places, kind="stable")
    height = np.broadcast_to(np.asarray(heights, dtype=np.float64), len(places))[order]
    apart = np.concatenate([[0.0], np.cumsum((height[:-1] + height[1:]) / 2)])[: len(places)]
    blocks: list[tuple[float, int]] = []
    for place in np.asarray(places, dtype=np.float64)[order] - apart:  # pool adjacent violators
        blocks.append((float(place), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, n), (other, m) = blocks.pop(), blocks.pop()
            blocks.append(((one * n + other * m) / (n + m), n + m))
    out = np.empty(len(places))
    out[order] = np.repeat([value for value, _ in blocks], [n for _, n in blocks]) + apart
    return out


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

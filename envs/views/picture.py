"""A journey as one picture: the notes on the left, as a clinician would read them, and on the right what it could be."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import FAILED, PENDING, REFUSED, RESULT
from workup.envs.views.story import (
    STATUS_WORDS,
    Moment,
    Order,
    Story,
    about,
    attempted,
    findings,
    item_label,
    title,
    totals,
)
from workup.scenarios.language.words.phrases import Phrases
from workup.wording import chance_in_words, time_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _QUIET = "#222222", "#8a8a8a"
_COLOURS = {RESULT: "#1b6e8c", PENDING: "#777777", FAILED: "#d08a1d", REFUSED: "#a33a3a"}
_PALETTE = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf",
    "#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#dbdb8d", "#9edae5",
)  # fmt: skip
_LINES = 38
"""Lines of notes that fit."""
_WIDTH = 80
"""Characters of a line."""
_FEW = 6
"""An investigation with more results than these tells only the unusual ones."""
_SHOWN = 7
"""Causes that are shown by name; the others are summed."""


@dataclass(frozen=True)
class Line:
    """One line of the notes."""

    text: str
    when: str = ""
    colour: str | None = None
    """Of the mark before it; None for a line that goes on with the one above."""
    marker: str = "o"
    ink: str = _INK
    bold: bool = False
    cost: str = ""


def as_picture(story: Story) -> NDArray[np.uint8]:
    """The journey so far.

    Returns:
        (700, 1200, 3) uint8.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.text(0.02, 0.965, title(story), fontsize=11, weight="bold", color=_INK, va="center")
    figure.text(
        0.02, 0.93, textwrap.shorten("; ".join(map(str, story.known)), 170, placeholder=" …"), fontsize=9.5, va="center"
    )
    _draw_notes(figure.add_axes((0.02, 0.08, 0.6, 0.83)), story)
    if story.prior is None:
        _draw_spend(figure.add_axes((0.71, 0.42, 0.27, 0.44)), story)
    else:
        _draw_causes(figure.add_axes((0.66, 0.42, 0.32, 0.49)), story, story.prior)
        _draw_course(figure.add_axes((0.71, 0.14, 0.27, 0.2)), story, story.prior)
    _draw_foot(figure, story)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def _draw_foot(figure: Figure, story: Story) -> None:
    figure.text(0.02, 0.045, totals(story), fontsize=9.5, va="center")
    figure.text(0.02, 0.018, story.end, fontsize=9.5, weight="bold", va="center")


# ---------------------------------------------------------------- the notes


def _draw_notes(axes: Axes, story: Story) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(_LINES + 1.5, 0)
    for x, text, side in (
        (0.085, "time", "right"),
        (0.125, "asked, done and found", "left"),
        (1, "cost", "right"),
    ):
        axes.text(x, 0.5, text, fontsize=8.5, color=_QUIET, style="italic", ha=side, va="center")
    for y, line in enumerate(notes(story), start=2):
        axes.text(0.085, y, line.when, fontsize=8.5, color=_QUIET, ha="right", va="center")
        axes.text(1, y, line.cost, fontsize=8.5, color=_QUIET, ha="right", va="center")
        if line.colour is not None:
            axes.plot(0.105, y, marker=line.marker, color=line.colour, markersize=6, clip_on=False)
        weight = "bold" if line.bold else "normal"
        axes.text(0.125, y, line.text, fontsize=8.5, color=line.ink, weight=weight, va="center")


def notes(story: Story) -> list[Line]:
    """All that fits: the oldest steps give up their results first, then their place."""
    steps = [_step_lines(story, moment) for moment in story.moments]
    if not steps:
        return [Line("Nothing has been asked or done yet.", ink=_QUIET)]
    for at in range(len(steps) - 1):
        if sum(map(len, steps)) > _LINES:
            steps[at] = [line for line in steps[at] if line.colour is not None]
    lines = [line for step in steps for line in step]
    if len(lines) > _LINES:
        cut = len(lines) - _LINES + 1
        return [Line(f"… after {_count(cut, 'earlier line')}", ink=_QUIET), *lines[cut:]]
    return lines


def _step_lines(story: Story, moment: Moment) -> list[Line]:
    when = time_in_words(moment.after_h, digits=2)
    if moment.illegal:
        return _marked(Line(f"{attempted(story, moment.action)}: not possible", when, _QUIET, "x", _QUIET))
    decided = moment.action.startswith("decide")
    if not moment.orders:
        return _marked(Line(about(story, moment.action), when, _INK, "s", bold=decided))
    lines = [line for order in moment.orders for line in _order_lines(story, order)]
    cost = f"£{moment.cost_gbp:,.0f}" if moment.cost_gbp else ""
    return [replace(lines[0], when=when, cost=cost), *lines[1:]]


def _order_lines(story: Story, order: Order) -> list[Line]:
    label, colour = item_label(story.world, order.item), _COLOURS[order.status]
    if order.status != RESULT:
        return _marked(Line(f"{label}: {STATUS_WORDS[order.status]}", colour=colour, ink=colour))
    told = list(zip(order.results, findings(story, order), strict=True))
    unusual = [words for fact, words in told if not fact.usual]
    usual = [words for fact, words in told if fact.usual]
    if len(usual) > _FEW:
        usual = [_count(len(usual), "other result") if unusual else _count(len(usual), "result")]
        usual[0] += " as in most patients"
    return [*_marked(Line(label, colour=colour, bold=True)), *_wrapped(unusual, _INK), *_wrapped(usual, _QUIET)]


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _wrapped(parts: list[str], ink: str) -> list[Line]:
    return [Line(text, ink=ink) for text in textwrap.wrap("; ".join(parts), _WIDTH + 8, break_on_hyphens=False)]


def _marked(line: Line) -> list[Line]:
    """The line wrapped: the first part keeps the time and the mark."""
    first, *rest = textwrap.wrap(line.text, _WIDTH)
    return [replace(line, text=first), *(Line(text, ink=line.ink, bold=line.bold) for text in rest)]


# ---------------------------------------------------------------- what it could be


def _leading(story: Story, prior: NDArray[np.float64]) -> list[int]:
    """Causes to show, the likeliest now first."""
    return [int(c) for c in np.argsort(-_now(story, prior), kind="stable")[:_SHOWN]]


def _now(story: Story, prior: NDArray[np.float64]) -> NDArray[np.float64]:
    last = story.moments[-1].posterior if story.moments else None
    return prior if last is None else last


def _draw_causes(axes: Axes, story: Story, prior: NDArray[np.float64]) -> None:
    """A bar for each cause, with a tick where it stood at the start."""
    now, shown = _now(story, prior), _leading(story, prior)
    label = Phrases(story.world.scenario).label
    rows = [(label(story.world.model.conditions[c]), float(now[c]), float(prior[c])) for c in shown]
    if len(now) > _SHOWN:
        rows.append(("all other causes", max(1 - sum(p for _, p, _ in rows), 0), max(1 - float(prior[shown].sum()), 0)))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(_SHOWN + 1, -0.7)
    axes.text(0, -0.45, "What it could be (dark mark: at the start)", fontsize=9.5, weight="bold", va="center")
    for y, (name, p, before) in enumerate(rows):
        colour = _cause_colour(shown[y]) if y < len(shown) else _QUIET
        axes.text(0, y + 0.2, textwrap.shorten(name, 52, placeholder=" …"), fontsize=8.5, va="center")
        axes.barh(y + 0.62, 0.85, height=0.32, left=0, color="#f0f0f0")
        axes.barh(y + 0.62, 0.85 * p, height=0.32, left=0, color=colour)
        axes.plot([0.85 * before] * 2, [y + 0.42, y + 0.82], color="#555555", linewidth=1.5)
        axes.text(1, y + 0.62, chance_in_words(p), fontsize=8.5, va="center", ha="right")


def _cause_colour(c: int) -> str:
    """A cause keeps its colour while its rank moves."""
    return _PALETTE[c % len(_PALETTE)]


def _draw_course(axes: Axes, story: Story, prior: NDArray[np.float64]) -> None:
    """How these probabilities moved, step by step."""
    track = np.array([prior, *(moment.posterior for moment in story.moments)], dtype=np.float64)
    for c in _leading(story, prior):
        axes.plot(track[:, c], color=_cause_colour(c), marker="o", markersize=3, linewidth=1.3)
    axes.set_title("How that moved, step by step", fontsize=9.5, weight="bold", loc="left")
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"], fontsize=8)
    _finish(axes, story)


def _draw_spend(axes: Axes, story: Story) -> None:
    """Cost and harm in pounds, up to what is charged at the end."""
    before_the_end = story.moments[:-1] if story.end else story.moments
    spent = np.cumsum([0.0, *(-moment.reward for moment in before_the_end)])
    axes.step(range(len(spent)), spent, where="post", color=_COLOURS[RESULT])
    axes.plot(range(len(spent)), spent, "o", markersize=3, color=_COLOURS[RESULT])
    axes.set_title(f"Cost and harm so far: £{spent[-1]:,.0f}", fontsize=9.5, weight="bold", loc="left")
    axes.set_ylim(0, max(spent[-1] * 1.1, 10))
    axes.yaxis.set_major_formatter(lambda pounds, _: f"£{pounds:,.0f}")
    axes.tick_params(axis="y", labelsize=8)
    _finish(axes, story)


def _finish(axes: Axes, story: Story) -> None:
    """Steps along the axis, of which as many are numbered as can be read."""
    n = len(story.moments)
    steps = range(0, n + 1, 1 + n // 12)
    axes.set_xlim(-0.3, max(n, 4) + 0.3)
    axes.set_xticks(steps, ["start", *(str(step) for step in steps[1:])], fontsize=8)
    axes.set_xlabel("step", fontsize=8)
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)

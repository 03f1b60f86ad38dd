"""The pictures of one journey: tests by tier, money spent and the posterior, step by step.

Every series is labelled where it ends instead of in a legend.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workup.report.drawing import FAINT, INK, OTHER, PALETTE, PAPER, STYLE, spread
from workup.report.story import Story
from workup.scenarios.language.schema import TIERS
from workup.wording import moment, percent, pounds, without_brackets

_MOST_NAMES = 6
"""Causes that are named beside the picture of a belief: as many as have room."""


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
        figure = Figure(figsize=(width, 5.1))
        lanes, spend, belief = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [1.9, 0.75, 2.6], "hspace": 0.16}
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
            axes.text(
                step.number + 0.15, 0, "decides", va="center", color=INK, bbox={"fc": PAPER, "ec": "none", "pad": 1}
            )
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
    shown = sorted(sorted(range(len(bands)), key=lambda i: -bands[i][-1])[:_MOST_NAMES])
    shown = [i for i in shown if bands[i][-1] >= 0.02]
    true = [i < len(palette.named) and palette.named[i] == story.truth for i in shown]
    said = [
        "\n".join(textwrap.wrap(f"{percent(bands[i][-1])} {names[i]}{' (true)' if is_true else ''}", 27, max_lines=2))
        for i, is_true in zip(shown, true, strict=True)
    ]
    places = spread([middles[i] for i in shown], [0.068 * (1 + text.count("\n")) + 0.02 for text in said])
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
            arrowprops={
                "arrowstyle": "-",
                "color": shades[i],
                "lw": 1.4,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
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

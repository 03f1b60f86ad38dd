"""Net benefit at other rates of pounds for a QALY: a line for each agent, in words, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from workup.evaluation.rates import RATES_GBP, NetBenefit
from workup.report.comparison import agent_colour
from workup.report.drawing import FAINT, MUTED, STYLE, spread
from workup.report.page import picture
from workup.report.tables import Cell, Table, interval_cell
from workup.wording import listed, pounds

_SHOWN_GBP = (20_000.0, 25_000.0, 30_000.0, 35_000.0)
_FAR = 3.0
"""An agent further below the best than this many times what lies between the best and the median is left out of the picture."""


def by_rate(found: NetBenefit) -> dict[str, Any]:
    """What the section shows."""
    ranked = sorted(found.lines, key=lambda name: -found.lines[name].value)
    drawn = _drawn(found, ranked)
    says, left_out = in_words(found, ranked), [name for name in ranked if name not in drawn]
    about = f"Lines of {listed(drawn)}. {says}"
    return {
        "picture": picture(rates_figure(found, drawn), "Value at other rates for a QALY", about),
        "says": says + (f" Far below and not drawn: {listed(left_out)}." if left_out else ""),
        "table": _table(found, ranked),
        "stated": pounds(found.lines[ranked[0]].stated_gbp),
    }


def in_words(found: NetBenefit, ranked: Sequence[str]) -> str:
    """Whether and where the order of the agents changes."""
    low, high = map(pounds, RATES_GBP)
    if len(ranked) < 2:
        return f"From {low} to {high} for a QALY, {ranked[0]} is worth {_between(found, ranked[0])} per patient."
    changes = found.crossings()
    if not changes:
        return f"From {low} to {high} for a QALY the order of the agents stays: {', '.join(_order(found))}."
    said = (f"above {pounds(round(rate, -2))} {one} is worth more than {other}" for rate, one, other in changes)
    return f"Between {low} and {high} for a QALY the order of the agents changes: {listed(said)}."


def _between(found: NetBenefit, name: str) -> str:
    return " to ".join(pounds(found.lines[name].at(rate)) for rate in RATES_GBP)


def _order(found: NetBenefit) -> list[str]:
    return sorted(found.lines, key=lambda name: -found.lines[name].at(RATES_GBP[0]))


def _drawn(found: NetBenefit, ranked: Sequence[str]) -> list[str]:
    ends = {name: max(found.lines[name].at(rate) for rate in RATES_GBP) for name in ranked}
    best, middle = max(ends.values()), float(np.median(list(ends.values())))
    return [name for name in ranked if best - ends[name] <= _FAR * (best - middle) + 1.0]


def rates_figure(found: NetBenefit, names: Sequence[str]) -> Figure:
    """Mean value per patient from £20,000 to £35,000 for a QALY, a line for each agent, named at its end."""
    low, high = RATES_GBP
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(8.0, 4.0))
        axes = figure.subplots()
        lines = {name: [found.lines[name].at(rate) for rate in RATES_GBP] for name in names}
        for name, ends in lines.items():
            axes.plot(RATES_GBP, ends, color=agent_colour(name), lw=1.4)
        values = [value for ends in lines.values() for value in ends]
        reach = max(values) - min(values) or 1.0
        axes.set_ylim(min(values) - 0.06 * reach, max(values) + 0.06 * reach)
        axes.set_xlim(low, high)
        places = spread([ends[1] for ends in lines.values()], 0.055 * 1.12 * reach)
        for (name, ends), place in zip(lines.items(), places, strict=True):
            axes.annotate(
                name, (high, ends[1]), (high + 0.02 * (high - low), place), va="center", color=agent_colour(name),
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.8, "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)},
            )  # fmt: skip
        stated = found.lines[names[0]].stated_gbp
        if low <= stated <= high:
            axes.axvline(stated, color=MUTED, lw=0.8, ls=(0, (1, 2)))
        axes.xaxis.set_major_formatter(lambda value, _: pounds(value))
        axes.set_xlabel("pounds for a QALY")
        axes.set_ylabel("mean value per patient (£)")
        figure.subplots_adjust(left=0.12, right=0.86, top=0.97, bottom=0.13)
    return figure


def _table(found: NetBenefit, ranked: Sequence[str]) -> Table:
    rows = tuple(
        (
            Cell(name),
            interval_cell(found.lines[name].qalys, lambda qalys: f"{qalys:,.4f}".replace("-", "−")),
            *(Cell(pounds(found.lines[name].at(rate))) for rate in _SHOWN_GBP),
        )
        for name in ranked
    )
    header = ("Agent", "QALYs per patient", *(f"at {pounds(rate)}" for rate in _SHOWN_GBP))
    return Table("Value at other rates", "", header, rows)

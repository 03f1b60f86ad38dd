"""Pictures of a journey so far that a clinician would recognise: text, and an image."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.patient_model import FAILED, PENDING, REFUSED, RESULT
from workup.envs.story import STATUS_WORDS, Moment, Order, Story, item_label
from workup.scenarios.phrases import Phrases, percent, time_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Story", "as_picture", "as_text"]

TIERS = ("history", "examination", "bedside", "bloods", "imaging", "invasive", "molecular", "act")
_TEXT_PIXELS = 800
_CHARACTER_PIXELS = 4.4
_COLOURS = {RESULT: "#1b6e8c", PENDING: "#c8c8c8", FAILED: "#d08a1d", REFUSED: "#a33a3a"}
_BAR = 24
_SHOWN = 6
"""Conditions of the posterior that are shown; the others are summed."""


def as_text(story: Story) -> str:
    """The journey as a time line: when, what was asked or done, what was found; totals; posterior if observed."""
    lines = [_title(story), "", *_wrapped("start", ["; ".join(story.known) or "nothing is known yet"])]
    for moment in story.moments:
        lines += _moment_lines(story, moment)
    lines += ["", _totals(story)]
    posterior = story.moments[-1].posterior if story.moments else story.prior
    if posterior is not None:
        lines += ["", *_bars(story, posterior)]
    if story.end:
        lines += ["", story.end]
    return "\n".join(lines) + "\n"


def _title(story: Story) -> str:
    return f"{story.world.scenario.title}: patient {story.patient} of seed {story.seed} (synthetic)"


def _totals(story: Story) -> str:
    view = story.view
    tests = int(view.tests[0])
    return (
        f"Spent £{view.cost_gbp[0]:,.0f} and {view.dose_msv[0]:.3g} mSv on {tests} test{'' if tests == 1 else 's'} "
        f"in {time_in_words(float(view.clock_h[0]))}, {int(view.visit[0])} visit{'' if view.visit[0] == 1 else 's'}"
    )


def _wrapped(when: str, parts: list[str]) -> list[str]:
    text = textwrap.wrap(" ".join(parts), 96, initial_indent=f"{when:>10}  ", subsequent_indent=" " * 12)
    return text or [when]


def _moment_lines(story: Story, moment: Moment) -> list[str]:
    when = time_in_words(moment.before_h)
    if moment.illegal:
        return _wrapped(when, [f"{moment.action}: not possible, nothing happened"])
    if not moment.orders:
        return _wrapped(when, [_plain(story, moment.action)])
    took = moment.after_h - moment.before_h
    head = [_wrapped(when if n == 0 else "", [_order_text(story, order)]) for n, order in enumerate(moment.orders)]
    lines = [line for block in head for line in block]
    if took > 0:
        lines[-1] += f"  [{time_in_words(took)} later]"
    return lines


def _order_text(story: Story, order: Order) -> str:
    label = item_label(story.world, order.item)
    if order.status == RESULT:
        return f"{label}: {'; '.join(order.results)}" if order.results else f"{label}: done"
    return f"{label}: {STATUS_WORDS[order.status]}"


def _plain(story: Story, action: str) -> str:
    kind, _, name = action.partition(" ")
    label = Phrases(story.world.scenario).label(name) if name else ""
    return {"wait": "waited, nothing came", "decide": f"DECIDED: {label}"}.get(kind, f"{kind} {label}")


def _ranked(story: Story, posterior: NDArray[np.float64]) -> list[tuple[str, float]]:
    order = np.argsort(-posterior, kind="stable")[:_SHOWN]
    label = Phrases(story.world.scenario).label
    shown = [(label(story.world.model.conditions[c]), float(posterior[c])) for c in order]
    rest = max(1.0 - sum(p for _, p in shown), 0.0)
    return [*shown, ("all others", rest)] if len(posterior) > _SHOWN else shown


def _bars(story: Story, posterior: NDArray[np.float64]) -> list[str]:
    ranked = [(textwrap.shorten(name, 40, placeholder="…"), p) for name, p in _ranked(story, posterior)]
    width = max(len(name) for name, _ in ranked)
    return [f"{name:>{width}}  {'█' * round(_BAR * p):{_BAR}}  {percent(p)}" for name, p in ranked]


def as_picture(story: Story) -> NDArray[np.uint8]:
    """The same as an image: orders by tier along the journey with their results, and the posterior (or the spend).

    Returns:
        (700, 1200, 3) uint8.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    line, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_orders(line, story)
    if story.prior is not None:
        _draw_posterior(below, story)
    else:
        _draw_spend(below, story)
    times = [0.0, *(moment.after_h for moment in story.moments)]
    below.set_xticks(range(len(times)), ["start", *(time_in_words(hours) for hours in times[1:])], fontsize=8)
    below.set_xlabel("clock after each step")
    below.set_xlim(-0.6, max(len(times), 4) - 0.2)
    figure.suptitle("\n".join(textwrap.wrap(_title(story) + ". " + "; ".join(story.known), 130)), fontsize=11)
    figure.supxlabel("\n".join(textwrap.wrap(f"{_totals(story)}. {story.end}", 150)), fontsize=9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def _draw_orders(axes: Axes, story: Story) -> None:
    tiers = [tier for tier in TIERS if tier in story.world.tier]
    rows = [tier if tier != "act" else "treatment, act" for tier in tiers] + ["decision"]
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=0)
    for spine in ("top", "right", "bottom"):
        axes.spines[spine].set_visible(False)
    width = max(int(_TEXT_PIXELS / (len(story.moments) + 1) / _CHARACTER_PIXELS), 16)
    for x, moment in enumerate(story.moments, start=1):
        by_row: dict[int, list[Order]] = {}
        for order in moment.orders:
            by_row.setdefault(tiers.index(story.world.tier[order.item]), []).append(order)
        for y, orders in by_row.items():
            heights = np.linspace(y - 0.3, y + 0.3, len(orders) + 2)[1:-1]
            axes.scatter([x] * len(orders), heights, c=[_COLOURS[order.status] for order in orders], s=28)
            _write(axes, x, y, _caption(story, orders, width))
        if not moment.orders:
            note = f"{moment.action}: not possible" if moment.illegal else _plain(story, moment.action)
            axes.scatter([x], [len(tiers)], c="#222222", marker="s", s=28)
            _write(axes, x, len(tiers), textwrap.fill(note, width))
    _legend_of_statuses(axes, story)


def _write(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=6.5, va="top")


def _legend_of_statuses(axes: Axes, story: Story) -> None:
    statuses = {order.status for moment in story.moments for order in moment.orders}
    for status in (RESULT, PENDING, FAILED, REFUSED):
        if status in statuses:
            axes.scatter([], [], c=_COLOURS[status], label=STATUS_WORDS[status])
    if statuses:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)


def _caption(story: Story, orders: list[Order], width: int) -> str:
    """Items and what was unusual about them; with one result to an item, that result."""
    lines: list[str] = []
    for order in orders:
        lines.append(textwrap.shorten(item_label(story.world, order.item), width, placeholder="…"))
        told = order.results if len(order.results) == 1 else order.unusual
        lines += [f"  {_shortened(result, width)}" for result in told]
        if len(order.results) > max(len(told), 1):
            lines.append(f"  {len(order.results) - len(told)} as in most")
    return "\n".join(lines if len(lines) <= 9 else [*lines[:8], f"  and {len(lines) - 8} more"])


def _shortened(result: str, width: int) -> str:
    """The label gives way, what was found stays."""
    label, _, found = result.partition(": ")
    return f"{textwrap.shorten(label, max(width - len(found) - 2, 8), placeholder='…')}: {found}"


def _draw_posterior(axes: Axes, story: Story) -> None:
    rows = [story.prior, *(moment.posterior for moment in story.moments)]
    track: NDArray[np.float64] = np.array(rows, dtype=np.float64)
    label = Phrases(story.world.scenario).label
    leading = np.argsort(-track.max(axis=0), kind="stable")[:_SHOWN]
    for c in leading:
        name = textwrap.shorten(label(story.world.model.conditions[c]), 38, placeholder="…")
        axes.plot(track[:, c], marker="o", markersize=4, label=f"{name}: {percent(float(track[-1, c]))}")
    axes.set_ylim(0, 1)
    _finish(axes, "probability of the cause")


def _draw_spend(axes: Axes, story: Story) -> None:
    spent: Any = np.cumsum([0.0, *(-moment.reward for moment in story.moments if not _ends(story, moment))])
    axes.step(range(len(spent)), spent, where="post", label=f"cost and harm so far: £{spent[-1]:,.0f}")
    axes.set_ylim(bottom=0)
    _finish(axes, "pounds")


def _ends(story: Story, moment: Moment) -> bool:
    return bool(story.end) and moment is story.moments[-1]


def _finish(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)

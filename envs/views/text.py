"""A journey so far as text that a clinician would recognise; `picture` draws it."""

from __future__ import annotations

import textwrap

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import RESULT
from workup.envs.views.picture import as_picture
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

__all__ = ["Story", "as_picture", "as_text"]

_BAR = 24
_FEW = 3
"""More denied findings than these are listed together."""
_SHOWN = 6
"""Conditions of the posterior that are shown; the others are summed."""


def as_text(story: Story) -> str:
    """The journey as a time line: when, what was asked or done, what was found; totals; posterior if observed."""
    lines = [title(story), "", *_wrapped("start", "; ".join(map(str, story.known)) or "nothing is known yet")]
    for moment in story.moments:
        lines += _moment_lines(story, moment)
    lines += ["", totals(story)]
    if story.prior is not None:
        lines += ["", *_bars(story, story.prior)]
    if story.end:
        lines += ["", story.end]
    return "\n".join(lines) + "\n"


def _wrapped(when: str, text: str, indent: str = "") -> list[str]:
    margin = " " * 12 + indent
    return textwrap.wrap(
        text, 100, initial_indent=f"{when:>10}  {indent}", subsequent_indent=margin, break_on_hyphens=False
    )


def _moment_lines(story: Story, moment: Moment) -> list[str]:
    waited = moment.action == "wait"  # its results are told when they came
    when = time_in_words(moment.after_h if waited else moment.before_h)
    if moment.illegal:
        return _wrapped(when, f"{attempted(story, moment.action)}: not possible, nothing happened")
    if not moment.orders:
        return _wrapped(when, about(story, moment.action))
    took = moment.after_h - moment.before_h
    price = [f"£{moment.cost_gbp:,.0f}"] if moment.cost_gbp else []
    price += [f"{time_in_words(took)} later"] if took > 0 and not waited else []
    lines = []
    for n, order in enumerate(moment.orders):
        note = f"  [{', '.join(price)}]" if n == 0 and price else ""
        lines += _order_lines(story, order, when if n == 0 else "", note)
    return lines


def _order_lines(story: Story, order: Order, when: str, note: str) -> list[str]:
    told = findings(story, order) if order.status == RESULT else [STATUS_WORDS[order.status]]
    label = item_label(story.world, order.item)
    if len(told) <= 1:
        return _wrapped(when, ": ".join([label, *(told or ["done"])]) + note)
    absent = [fact.label for fact in order.results if fact.value == "no"]
    if len(absent) > _FEW:
        told = [words for fact, words in zip(order.results, told, strict=True) if fact.value != "no"]
        told.append(f"no to: {', '.join(absent)}")
    return [*_wrapped(when, label + note), *_wrapped("", "; ".join(told), "  ")]


def _bars(story: Story, prior: NDArray[np.float64]) -> list[str]:
    """The likeliest causes now, with what each was at the start."""
    last = story.moments[-1].posterior if story.moments else None
    now = prior if last is None else last
    shown = np.argsort(-now, kind="stable")[:_SHOWN]
    label = Phrases(story.world.scenario).label
    rows = [(label(story.world.model.conditions[c]), float(now[c]), float(prior[c])) for c in shown]
    if len(now) > _SHOWN:
        rows.append(("all others", max(1.0 - float(now[shown].sum()), 0.0), max(1.0 - float(prior[shown].sum()), 0.0)))
    names = [textwrap.shorten(name, 40, placeholder="…") for name, _, _ in rows]
    width = max(map(len, names))
    return [f"{'':{width}}  {'':{_BAR}}  {'now':>7} {'at first':>9}"] + [
        f"{name:>{width}}  {'█' * round(_BAR * p):{_BAR}}  {chance_in_words(p):>7} {chance_in_words(before):>9}"
        for name, (_, p, before) in zip(names, rows, strict=True)
    ]

"""What must be known or done before what, as a picture: by tier from the top, history and examination first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workup.report.diagrams.boxes import Box, Line, Point, Style, arrow, box, canvas, draw_box, ports, write
from workup.report.diagrams.layered import DOWN, Placed, place
from workup.report.drawing import FAINT, INK, MUTED, PALETTE
from workup.report.prerequisites import Kind, Link, comes_first, layers, links
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.phrases import Phrases
from workup.wording import pounds_exact, time_in_words

COLOURS: dict[Kind, str] = {
    "must": INK, "one of several": PALETTE[1], "rules out": PALETTE[0], "not after": PALETTE[4]
}  # fmt: skip
STYLES: dict[Kind, Style] = {
    "must": "solid", "one of several": "dashed", "rules out": "dotted", "not after": "dashed"
}  # fmt: skip
_WIDTH, _MARGIN, _LEFT = 152.0, 10.0, 74.0
_TOLD = 3
"""Alternatives that are told in a box; more are counted."""


def prerequisite_figure(scenario: Scenario) -> Figure:
    """The picture: an arrow leads from what comes first to what waits for it."""
    rows, found, sets = layers(scenario), links(scenario), _sets(scenario)
    boxes = {name: _item_box(scenario, name, sets) for _, row in rows for name in row}
    placed = place([row for _, row in rows], boxes, [(link.before, link.after) for link in found], _LEFT)
    width = max(placed.width, _LEFT + 2 * _WIDTH) + _MARGIN
    key = _key(scenario, found, sets, width)
    figure, axes = canvas(width, placed.height + sum(line.height + 3 for line, _ in key) + 3 * _MARGIN)
    axes.set_ylim(axes.get_ylim()[0] - _MARGIN, -_MARGIN)
    _draw_rows(axes, rows, placed.boxes, width)
    for each in placed.boxes.values():
        draw_box(axes, each)
    _draw_links(axes, found, placed)
    _draw_key(axes, key, placed.height + _MARGIN)
    return figure


def _sets(s: Scenario) -> dict[str, tuple[str, tuple[str, ...]]]:
    """A letter for each order set, with its members."""
    return {chr(ord("A") + i): (of.label, of.members) for i, of in enumerate(s.order_sets.values())}


def _item_box(s: Scenario, name: str, sets: Mapping[str, tuple[str, tuple[str, ...]]]) -> Box:
    of, phrases = {**s.investigations, **s.acts}[name], Phrases(s)
    takes = [
        pounds_exact(of.cost_gbp) if of.cost_gbp else "",
        time_in_words(of.turnaround) if of.turnaround else "at once",
    ]
    takes += [f"{of.dose_msv:g} mSv"] if of.dose_msv else []
    lines = [Line(of.label, 7.5, True), Line(", ".join(filter(None, takes)), 6.8, colour=MUTED)]
    lines += [Line(_needs(group, phrases), 6.8) for group in of.requires]
    lines += [Line(f"✕ not if {phrases.when(c.when)}", 6.8, colour=PALETTE[0]) for c in of.contraindicated]
    member = [letter for letter, (_, members) in sets.items() if name in members]
    lines += [Line(f"in order set {', '.join(member)}", 6.8, True, PALETTE[2])] if member else []
    colour = PALETTE[3] if name in s.acts else INK if comes_first(of) else MUTED
    return box(name, lines, _WIDTH, colour)


def _needs(group: Mapping[str, Any], phrases: Phrases) -> str:
    if len(group) > _TOLD:
        return f"• any of {len(group)} things found or done"
    return f"• {phrases.when(dict(group), 'or')}"


def _draw_rows(axes: Axes, rows: Sequence[tuple[str, list[str]]], placed: Mapping[str, Box], width: float) -> None:
    for i, (heading, row) in enumerate(rows):
        top = placed[row[0]].y
        if heading:
            words = heading.split() if len(heading) > 12 else [heading]
            for j, word in enumerate(words):
                write(axes, (_MARGIN, top + 10 + 11 * j), Line(word, 8.5, True, MUTED))
        if heading and i:
            axes.plot([_MARGIN, width - _MARGIN], [top - DOWN / 2] * 2, color=FAINT, lw=0.6, ls=(0, (2, 3)), zorder=0)


def _draw_links(axes: Axes, found: Sequence[Link], placed: Placed) -> None:
    """Arrows leave and arrive at places of their own along the edges of the boxes, in the order of where they lead."""
    at: dict[tuple[str, bool], list[tuple[float, Link]]] = {}
    for link in found:
        a, b, way = placed.boxes[link.before], placed.boxes[link.after], placed.ways[link.before, link.after]
        at.setdefault((link.before, a.y <= b.y), []).append((way[0][0] if way else b.middle[0], link))
        at.setdefault((link.after, a.y >= b.y), []).append((way[-1][0] if way else a.middle[0], link))
    ends = _along(at, placed.boxes)
    for link in found:
        start, end = ends[link.before, link], ends[link.after, link]
        way = placed.ways[link.before, link.after]
        if placed.boxes[link.before].y == placed.boxes[link.after].y:
            way = [((start[0] + end[0]) / 2, max(start[1], end[1]) + DOWN / 3)]
        arrow(axes, [start, *way, end], COLOURS[link.kind], STYLES[link.kind], upright=True)


def _along(
    at: Mapping[tuple[str, bool], list[tuple[float, Link]]], placed: Mapping[str, Box]
) -> dict[tuple[str, Link], Point]:
    """Where each arrow touches each of its two boxes, on the lower or the upper edge."""
    out = {}
    for (name, lower), those in at.items():
        of = placed[name]
        places = ports(len(those), of.x + 0.05 * of.width, of.x + 0.95 * of.width)
        for x, (_, link) in zip(places, sorted(those, key=lambda each: each[0]), strict=True):
            out[name, link] = (x, of.y + of.height * lower)
    return out


def _key(
    s: Scenario, found: Sequence[Link], sets: Mapping[str, tuple[str, tuple[str, ...]]], width: float
) -> list[tuple[Line, Kind | None]]:
    """What the arrows and letters mean, as far as they occur."""
    words: dict[Kind, str] = {
        "must": "comes first",
        "one of several": "what it shows is one of several ways to be allowed",
        "rules out": "what it shows may forbid",
        "not after": "only before that, no longer once it is done",
    }
    used = {link.kind for link in found}
    key: list[tuple[Line, Kind | None]] = [(Line(text, 7.2), kind) for kind, text in words.items() if kind in used]
    labels = Phrases(s).labels_of
    first = "History and examination come before everything. What else has to be known or done stands in each box (•)."
    key.insert(0, (Line(first, 7.2), None))
    key += [(Line(f"Order set {a}, {label}: {labels(members)}", 7.2), None) for a, (label, members) in sets.items()]
    return [(part, kind if i == 0 else None) for line, kind in key for i, part in enumerate(_fitted(line, width))]


def _fitted(line: Line, width: float) -> list[Line]:
    return list(box("", [line], width - _LEFT - _MARGIN).lines)


def _draw_key(axes: Axes, key: Sequence[tuple[Line, Kind | None]], y: float) -> None:
    for line, kind in key:
        y += line.height + 3
        if kind is not None:
            arrow(axes, [(_MARGIN, y), (_LEFT - 12, y)], COLOURS[kind], STYLES[kind], upright=False)
        write(axes, (_LEFT + line.indent, y), replace(line, indent=0))

"""What must be known or done before what: the tests and acts of a scenario by tier, history and examination first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workup.report.boxes import Box, Line, Point, Style, arrow, box, canvas, draw_box, ports, write
from workup.report.figures import FAINT, INK, MUTED, PALETTE, spread
from workup.scenarios.phrases import Phrases, time_in_words
from workup.scenarios.schema import Investigation, Orderable, Scenario, Tier

Kind = Literal["must", "one of several", "rules out", "not after"]
COLOURS: dict[Kind, str] = {
    "must": INK, "one of several": PALETTE[1], "rules out": PALETTE[0], "not after": PALETTE[4]
}  # fmt: skip
STYLES: dict[Kind, Style] = {
    "must": "solid", "one of several": "dashed", "rules out": "dotted", "not after": "dashed"
}  # fmt: skip
_FIRST = ("history", "examination")
_WIDTH, _ACROSS, _DOWN, _MARGIN, _LEFT, _LANE = 152.0, 16.0, 40.0, 10.0, 74.0, 7.0
_MOST = 5
"""Boxes side by side."""
_TOLD = 3
"""Alternatives that are told in a box; more are counted."""
_SWEEPS = 24


@dataclass(frozen=True)
class Link:
    """One thing that bears on whether another may be ordered."""

    before: str
    after: str
    kind: Kind
    """'must': it comes first; 'one of several': what it shows is one way to be allowed; 'rules out': what it shows may
    forbid; 'not after': no longer possible once that is done (the arrow points to what must not come first)."""


def links(scenario: Scenario) -> tuple[Link, ...]:
    """What bears on what beyond history and examination, which come before everything."""
    items = {**scenario.investigations, **scenario.acts}
    shows = {name: item for item, of in items.items() for name in of.reveals}
    found: dict[tuple[str, str], Kind] = {}
    for after, of in items.items():
        for before, after_it, kind in _links_of(after, of, items, shows):
            if before != after_it and not _comes_first(items[before]):
                found.setdefault((before, after_it), kind)
                if kind == "must":
                    found[before, after_it] = kind
    return tuple(Link(before, after, kind) for (before, after), kind in found.items())


def _links_of(
    after: str, of: Orderable, items: Mapping[str, Orderable], shows: Mapping[str, str]
) -> Iterator[tuple[str, str, Kind]]:
    for group in of.requires:
        kind: Kind = "must" if len(group) == 1 else "one of several"
        for name, clause in group.items():
            if name in items and clause == "not_done":
                yield after, name, "not after"
            elif name in items or name in shows:
                yield (name if name in items else shows[name]), after, kind
    for contraindication in of.contraindicated:
        for name in contraindication.when:
            if name in items or name in shows:
                yield (name if name in items else shows[name]), after, "rules out"


def _comes_first(of: Orderable) -> bool:
    return isinstance(of, Investigation) and of.tier in _FIRST


def layers(scenario: Scenario) -> list[tuple[str, list[str]]]:
    """Rows of the picture from the top: the heading of each (empty where a tier goes on) and its items.

    History and examination, then acts that tests wait for, the other tiers, and all other acts; a tier takes several
    rows where its items bear on each other.
    """
    s, found = scenario, links(scenario)
    waits: dict[str, set[str]] = {name: set() for name in {**s.investigations, **s.acts}}
    comes_after = {name: {link.before for link in found if link.after == name} for name in waits}
    for link in found:
        if link.kind in ("must", "one of several"):
            waits[link.after].add(link.before)
    early = [a for a in s.acts if not waits[a] and any(a in waits[test] for test in s.investigations)]
    first = [name for name, of in s.investigations.items() if _comes_first(of)]
    rows = [("First of all", first)] if first else []
    rows += _rows("Acts before tests", early, comes_after)
    for tier in (tier for tier in get_args(Tier) if tier not in _FIRST):
        rows += _rows(tier.capitalize(), [n for n, of in s.investigations.items() if of.tier == tier], comes_after)
    return rows + _rows("Acts", [name for name in s.acts if name not in early], comes_after)


def _rows(heading: str, names: Sequence[str], comes_after: Mapping[str, set[str]]) -> list[tuple[str, list[str]]]:
    """Items of one tier in rows, those that come after others of the tier beneath them."""
    left, rows = list(names), []
    while left:
        ready = [name for name in left if not comes_after[name] & set(left) - {name}] or left
        rows += [ready[i : i + _MOST] for i in range(0, len(ready), _MOST)]
        left = [name for name in left if name not in ready]
    return [(heading if i == 0 else "", row) for i, row in enumerate(rows)]


# ---------------------------------------------------------------- the picture


def prerequisite_figure(scenario: Scenario) -> Figure:
    """The picture: an arrow leads from what comes first to what waits for it."""
    rows, found, sets = layers(scenario), links(scenario), _sets(scenario)
    boxes = {name: _item_box(scenario, name, sets) for _, row in rows for name in row}
    placed, tracks, (width, height) = _laid_out(rows, boxes, found)
    key = _key(scenario, found, sets, width)
    figure, axes = canvas(width, height + sum(line.height + 3 for line, _ in key) + _MARGIN)
    _draw_rows(axes, rows, placed, width)
    for each in placed.values():
        draw_box(axes, each)
    _draw_links(axes, found, placed, tracks)
    _draw_key(axes, key, height)
    return figure


def _sets(s: Scenario) -> dict[str, tuple[str, tuple[str, ...]]]:
    """A letter for each order set, with its members."""
    return {chr(ord("A") + i): (of.label, of.members) for i, of in enumerate(s.order_sets.values())}


def _item_box(s: Scenario, name: str, sets: Mapping[str, tuple[str, tuple[str, ...]]]) -> Box:
    of, phrases = {**s.investigations, **s.acts}[name], Phrases(s)
    takes = [f"£{of.cost_gbp:,g}" if of.cost_gbp else "", time_in_words(of.turnaround) if of.turnaround else "at once"]
    takes += [f"{of.dose_msv:g} mSv"] if of.dose_msv else []
    lines = [Line(of.label, 7.5, True), Line(", ".join(filter(None, takes)), 6.8, colour=MUTED)]
    lines += [Line(_needs(group, phrases), 6.8) for group in of.requires]
    lines += [Line(f"✕ not if {phrases.when(c.when)}", 6.8, colour=PALETTE[0]) for c in of.contraindicated]
    member = [letter for letter, (_, members) in sets.items() if name in members]
    lines += [Line(f"in order set {', '.join(member)}", 6.8, True, PALETTE[2])] if member else []
    colour = PALETTE[3] if name in s.acts else INK if _comes_first(of) else MUTED
    return box(name, lines, _WIDTH, colour)


def _needs(group: Mapping[str, Any], phrases: Phrases) -> str:
    if len(group) > _TOLD:
        return f"• any of {len(group)} things found or done"
    return f"• {phrases.when(dict(group), 'or')}"


Track = dict[tuple[str, str], list[Point]]


def _laid_out(
    rows: Sequence[tuple[str, list[str]]], boxes: Mapping[str, Box], found: Sequence[Link]
) -> tuple[dict[str, Box], Track, tuple[float, float]]:
    """Boxes in rows, each near what it is linked with; arrows that pass a row have a lane of their own in it."""
    level = {name: i for i, (_, row) in enumerate(rows) for name in row}
    members: list[list[str]] = [list(row) for _, row in rows]
    chains: dict[tuple[str, str], list[str]] = {}
    for link in found:
        low, high = sorted((level[link.before], level[link.after]))
        lanes = [f"{link.before}>{link.after}@{i}" for i in range(low + 1, high)]
        for i, lane in zip(range(low + 1, high), lanes, strict=True):
            members[i].append(lane)
        upwards = level[link.before] > level[link.after]
        chains[link.before, link.after] = [link.before, *(lanes[::-1] if upwards else lanes), link.after]
    widths = {name: boxes[name].width + _ACROSS if name in boxes else _LANE for row in members for name in row}
    centres = _centres(members, widths, chains.values())
    left = min(x - widths[name] / 2 for name, x in centres.items())
    middle = (left + max(x + widths[name] / 2 for name, x in centres.items())) / 2
    linked = {name for chain in chains.values() for name in chain}
    for row in members:
        if not linked & set(row):
            off = middle - sum(centres[name] for name in row) / len(row)
            centres |= {name: centres[name] + off for name in row}
    centres = {name: x - left + _LEFT for name, x in centres.items()}
    placed, lanes_at, y = {}, {}, _MARGIN
    for row in members:
        height = max(boxes[name].height for name in row if name in boxes)
        placed |= {name: boxes[name].at(centres[name] - boxes[name].width / 2, y) for name in row if name in boxes}
        lanes_at |= {
            name: ((centres[name], y - 4), (centres[name], y + height + 4)) for name in row if name not in boxes
        }
        y += height + _DOWN
    tracks = {}
    for ends, chain in chains.items():
        upwards = level[ends[0]] > level[ends[1]]
        tracks[ends] = [at for lane in chain[1:-1] for at in lanes_at[lane][:: -1 if upwards else 1]]
    width = max(each.side(True) for each in placed.values()) + _MARGIN
    width = max(width, *(lane[0][0] + _LANE + _MARGIN for lane in lanes_at.values()), _LEFT + 2 * _WIDTH)
    return placed, tracks, (width, y - _DOWN + _MARGIN)


def _centres(members: Sequence[Sequence[str]], widths: Mapping[str, float], chains: Any) -> dict[str, float]:
    """The x of every box and lane: near its neighbours above and below, without overlap."""
    beside: dict[str, list[str]] = {name: [] for row in members for name in row}
    for chain in chains:
        for a, b in pairwise(chain):
            beside[a].append(b)
            beside[b].append(a)
    centres: dict[str, float] = {}
    for row in members:
        total, x = sum(widths[name] for name in row), 0.0
        for name in row:
            centres[name] = x + widths[name] / 2 - total / 2
            x += widths[name]
    for _ in range(_SWEEPS):
        for row in [*members, *members[::-1]]:
            wanted = [_mean([centres[other] for other in beside[name]], centres[name]) for name in row]
            centres |= dict(zip(row, spread(wanted, [widths[name] for name in row]).tolist(), strict=True))
    return centres


def _mean(values: Sequence[float], otherwise: float) -> float:
    """Half way to the mean of the neighbours; boxes without any drift to the middle."""
    return 0.3 * otherwise + 0.7 * sum(values) / len(values) if values else 0.9 * otherwise


def _draw_rows(axes: Axes, rows: Sequence[tuple[str, list[str]]], placed: Mapping[str, Box], width: float) -> None:
    for i, (heading, row) in enumerate(rows):
        top = placed[row[0]].y
        if heading:
            words = heading.split() if len(heading) > 12 else [heading]
            for j, word in enumerate(words):
                write(axes, (_MARGIN, top + 10 + 11 * j), Line(word, 8.5, True, MUTED))
        if heading and i:
            axes.plot([_MARGIN, width - _MARGIN], [top - _DOWN / 2] * 2, color=FAINT, lw=0.6, ls=(0, (2, 3)), zorder=0)


def _draw_links(axes: Axes, found: Sequence[Link], placed: Mapping[str, Box], tracks: Track) -> None:
    """Arrows leave and arrive at places of their own along the edges of the boxes, in the order of where they lead."""
    at: dict[tuple[str, bool], list[tuple[float, Link]]] = {}
    for link in found:
        a, b, way = placed[link.before], placed[link.after], tracks[link.before, link.after]
        at.setdefault((link.before, a.y <= b.y), []).append((way[0][0] if way else b.middle[0], link))
        at.setdefault((link.after, a.y >= b.y), []).append((way[-1][0] if way else a.middle[0], link))
    ends = _along(at, placed)
    for link in found:
        start, end = ends[link.before, link], ends[link.after, link]
        way = tracks[link.before, link.after]
        if placed[link.before].y == placed[link.after].y:
            way = [((start[0] + end[0]) / 2, max(start[1], end[1]) + _DOWN / 3)]
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

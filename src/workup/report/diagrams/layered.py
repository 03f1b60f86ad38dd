"""Boxes in rows, each near what it is linked with, and the ways of the arrows between them past the rows in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workup.report.diagrams.boxes import Box, Point
from workup.report.drawing import spread

ACROSS, DOWN, _LANE = 16.0, 40.0, 7.0
"""Points between boxes side by side, between rows, and for an arrow that passes a row."""
_SWEEPS = 24

Ends = tuple[str, str]


@dataclass(frozen=True)
class Placed:
    """Where everything stands, in points."""

    boxes: dict[str, Box]
    ways: dict[Ends, list[Point]]
    """Points that the arrow of each link passes between its two boxes."""
    width: float
    height: float


def place(rows: Sequence[Sequence[str]], boxes: Mapping[str, Box], links: Iterable[Ends], left: float) -> Placed:
    """Boxes of the rows from the top, none over another; an arrow that passes a row has a lane of its own in it.

    Args:
        rows: names of boxes, each once.
        boxes: by name; where they stand does not matter.
        links: (from, to), each once.
        left: room kept free at the left.
    """
    level = {name: i for i, row in enumerate(rows) for name in row}
    members, chains = _with_lanes(rows, level, links)
    widths = {name: boxes[name].width + ACROSS if name in boxes else _LANE for row in members for name in row}
    centres = _middled(_centres(members, widths, list(chains.values())), members, widths, chains)
    leftmost = min(x - widths[name] / 2 for name, x in centres.items())
    placed: dict[str, Box] = {}
    lanes: dict[str, tuple[Point, Point]] = {}
    y = 0.0
    for row in members:
        height = max(boxes[name].height for name in row if name in boxes)
        for name in row:
            x = centres[name] - leftmost + left
            if name in boxes:
                placed[name] = boxes[name].at(x - boxes[name].width / 2, y)
            else:
                lanes[name] = ((x, y - 4), (x, y + height + 4))
        y += height + DOWN
    ways = {
        ends: [at for lane in chain[1:-1] for at in lanes[lane][:: -1 if level[ends[0]] > level[ends[1]] else 1]]
        for ends, chain in chains.items()
    }
    width = max(*(each.side(True) for each in placed.values()), *(lane[0][0] + _LANE for lane in lanes.values()), left)
    return Placed(placed, ways, width, y - DOWN)


def _with_lanes(
    rows: Sequence[Sequence[str]], level: Mapping[str, int], links: Iterable[Ends]
) -> tuple[list[list[str]], dict[Ends, list[str]]]:
    """The rows with a lane for each arrow that passes them, and for each link its boxes and lanes in order."""
    members, chains = [list(row) for row in rows], {}
    for before, after in links:
        low, high = sorted((level[before], level[after]))
        passed = {i: f"{before}>{after}@{i}" for i in range(low + 1, high)}
        for i, lane in passed.items():
            members[i].append(lane)
        lanes = list(passed.values())
        chains[before, after] = [before, *(lanes[::-1] if level[before] > level[after] else lanes), after]
    return members, chains


def _middled(
    centres: dict[str, float],
    members: Sequence[Sequence[str]],
    widths: Mapping[str, float],
    chains: Mapping[Ends, list[str]],
) -> dict[str, float]:
    """Rows that nothing is linked with stand in the middle."""
    ends = [x + side * widths[name] / 2 for name, x in centres.items() for side in (-1, 1)]
    middle = (min(ends) + max(ends)) / 2
    linked = {name for chain in chains.values() for name in chain}
    for row in members:
        if not linked & set(row):
            off = middle - sum(centres[name] for name in row) / len(row)
            centres = centres | {name: centres[name] + off for name in row}
    return centres


def _centres(
    members: Sequence[Sequence[str]], widths: Mapping[str, float], chains: Sequence[Sequence[str]]
) -> dict[str, float]:
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

"""The common routes of a policy as a drawn tree: from left to right, thicker where more patients go."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from workup.report.diagrams.boxes import Box, Line, Point, box, canvas, draw_box
from workup.report.drawing import FAINT, INK, MUTED, PAPER
from workup.report.routes import Endings, Stretch
from workup.wording import percent

_PAGE, _NARROWEST, _WIDEST = 835.0, 150.0, 236.0
"""Points that the picture takes if it can, and that a box takes at least and at most."""
_ACROSS, _GAP, _MARGIN = 36.0, 9.0, 5.0
_THICK = 15.0
"""Points of a line that all patients go along."""
_THEN = " → "
OTHER_WAYS = "other ways"
_MOST_ENDS = 3
"""Decisions that are named in a box."""


@dataclass
class _Node:
    """What is done on one stretch, in one box or two, and what follows it."""

    boxes: list[Box]
    share: float
    follows: list[_Node] = field(default_factory=list)

    @property
    def own(self) -> float:
        return sum(each.height for each in self.boxes)

    @property
    def height(self) -> float:
        """Points that it takes with all that follows."""
        return max(self.own, sum(each.height for each in self.follows) + _GAP * (len(self.follows) - 1))

    @property
    def middle(self) -> float:
        return self.boxes[0].y + self.own / 2


def tree_figure(tree: Stretch) -> Figure:
    """The picture of a tree."""
    depth = tree.depth
    across = min(max((_PAGE - (depth - 1) * _ACROSS) / depth, _NARROWEST), _WIDEST)
    root = _node(tree, across)
    width = max(depth * across + (depth - 1) * _ACROSS, 2 * across) + 2 * _MARGIN
    figure, axes = canvas(width, root.height + 2 * _MARGIN)
    _place(root, _MARGIN, _MARGIN)
    _draw(axes, root)
    return figure


def _node(of: Stretch, across: float) -> _Node:
    """What is done, beneath it, dark, what those are decided for who go no further, and who leaves the tree."""
    lines = [Line("Every patient" if of.share == 1 else f"{percent(of.share)} of patients", 6.8, colour=MUTED)]
    lines += [Line(_THEN.join(of.actions), 7.5, True)] if of.actions else []
    lines += [Line(of.why, 6.8)] if of.why else []
    boxes = [box("", lines, across)]
    if of.decided:
        boxes.append(
            replace(box("", [Line(each, 7.0, colour=PAPER) for each in _ends(of.decided)], across, INK), fill=INK)
        )
    if of.others:
        rest = Line(f"{OTHER_WAYS} {percent(sum(share for _, share in of.others))}", 6.8, colour=MUTED)
        boxes.append(box("", [rest], across, FAINT))
    return _Node(boxes, of.share, [_node(each, across) for each in of.follows])


def _ends(decided: Endings) -> list[str]:
    said = [f"{words} {percent(share)}" for words, share in decided[:_MOST_ENDS]]
    rest = sum(share for _, share in decided[_MOST_ENDS:])
    return [*said, *([f"other decisions {percent(rest)}"] if rest else [])]


def _place(node: _Node, x: float, y: float) -> None:
    """Put it in the middle of the height that it takes, and what follows it one column to the right."""
    top = y + (node.height - node.own) / 2
    for i, part in enumerate(node.boxes):
        node.boxes[i] = part.at(x, top)
        top += part.height
    below = y + (node.height - sum(each.height for each in node.follows) - _GAP * (len(node.follows) - 1)) / 2
    for each in node.follows:
        _place(each, x + node.boxes[0].width + _ACROSS, below)
        below += each.height + _GAP


def _draw(axes: Axes, node: _Node) -> None:
    for part in node.boxes:
        draw_box(axes, part)
    start: Point = (node.boxes[0].side(True), node.middle)
    for each in node.follows:
        end: Point = (each.boxes[0].x, each.middle)
        bend = _ACROSS / 2
        points = [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end]
        line = Path(points, [Path.MOVETO, *[Path.CURVE4] * 3])
        width = max(0.8, _THICK * each.share)
        axes.add_patch(PathPatch(line, fc="none", ec=FAINT, lw=width, capstyle="butt", zorder=1))
        _draw(axes, each)

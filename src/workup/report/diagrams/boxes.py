"""Boxes of text and arrows between them: what the diagrams of a scenario are made of.

Lengths are in points, with the origin at the top left and y downwards, so that text is measured in the unit in which
boxes are laid out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from workup.report.drawing import INK, MUTED, PAPER, STYLE

PADDING = 6.0
_LEADING = 1.32
"""Height of a line, in sizes of its text."""
_HEAD = 6.0
_ROOM = 0.93
"""Share of the width that text is given: a browser's letters are a little wider than measured."""

Point = tuple[float, float]
Style = Literal["solid", "dashed", "dotted"]
_DASHES = {"solid": "-", "dashed": (0, (4, 2.5)), "dotted": (0, (1, 1.8))}


@dataclass(frozen=True)
class Line:
    """A line of text."""

    text: str
    size: float = 7.5
    bold: bool = False
    colour: str = INK
    indent: float = 0.0
    """Points from the left edge of the text."""

    @property
    def height(self) -> float:
        """Points from this line to the next."""
        return _LEADING * self.size


@dataclass(frozen=True)
class Box:
    """A frame with lines of text; `x` and `y` are its top left corner."""

    name: str
    lines: tuple[Line, ...]
    width: float
    colour: str = MUTED
    x: float = 0.0
    y: float = 0.0
    fill: str = PAPER

    @property
    def height(self) -> float:
        """Points, padding included."""
        return sum(line.height for line in self.lines) + 2 * PADDING

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def at(self, x: float, y: float) -> Box:
        """The same box elsewhere."""
        return replace(self, x=x, y=y)

    def side(self, right: bool) -> float:
        """The x of its right or left edge."""
        return self.x + self.width * right


@lru_cache(maxsize=10_000)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Points that a line of text takes in the font of the figures."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))
    font.set_size(size, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64


def wrapped(line: Line, width: float, hang: float = 0.0) -> list[Line]:
    """A line as several, none wider than `width` points unless a single word is; what follows the first hangs."""
    out: list[str] = []
    for word in line.text.split():
        room = (
            width - line.indent - (hang if len(out) > 1 or (out and not _fits(line, f"{out[-1]} {word}", width)) else 0)
        )
        if out and _fits(line, f"{out[-1]} {word}", room + line.indent):
            out[-1] = f"{out[-1]} {word}"
        else:
            out.append(word)
    return [replace(line, text=text, indent=line.indent + hang * (i > 0)) for i, text in enumerate(out)]


def _fits(line: Line, text: str, width: float) -> bool:
    return text_width(text, line.size, line.bold) <= width - line.indent


def box(name: str, lines: Sequence[Line], width: float, colour: str = MUTED) -> Box:
    """A box of that width, its text wrapped to fit."""
    inner = _ROOM * (width - 2 * PADDING)
    return Box(name, tuple(part for line in lines for part in wrapped(line, inner, hang=5.0)), width, colour)


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of that many points, and axes whose unit is the point."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width / 72, height / 72))
        axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure, axes


def draw_box(axes: Axes, of: Box) -> None:
    """The frame, opaque so that arrows pass behind it, and its text."""
    frame = FancyBboxPatch(
        (of.x, of.y), of.width, of.height, boxstyle="round,pad=0,rounding_size=3", fc=of.fill, ec=of.colour, lw=1.0, zorder=3
    )  # fmt: skip
    axes.add_patch(frame)
    y = of.y + PADDING
    for line in of.lines:
        write(axes, (of.x + PADDING + line.indent, y + line.height / 2), line)
        y += line.height


def write(axes: Axes, at: Point, line: Line, align: Literal["left", "center", "right"] = "left") -> None:
    """A line of text, its middle at that height."""
    weight = "bold" if line.bold else "normal"
    style: dict[str, Any] = {"fontsize": line.size, "fontweight": weight, "color": line.colour}
    style |= {"fontfamily": "DejaVu Sans"}
    axes.text(*at, line.text, va="center_baseline", ha=align, zorder=4, parse_math=False, **style)


def arrow(axes: Axes, points: Sequence[Point], colour: str, style: Style = "solid", *, upright: bool) -> None:
    """A smooth line through the points, with a head at its end.

    Args:
        axes: of `canvas`.
        points: at least two.
        colour: of line and head.
        style: how the line is drawn.
        upright: whether it leaves and arrives vertically; else horizontally.
    """
    vertices, codes = [points[0]], [Path.MOVETO]
    for a, b in pairwise(points):
        vertices += [*_controls(a, b, upright), b]
        codes += [Path.CURVE4] * 3
    _draw(axes, Path(vertices, codes), colour, style)


def bow(axes: Axes, start: Point, end: Point, by: float, colour: str, style: Style = "solid") -> None:
    """An arrow between two edges on the same side of a column, bulging `by` points to the right (left if negative)."""
    controls = [(start[0] + by, start[1]), (end[0] + by, end[1])]
    _draw(axes, Path([start, *controls, end], [Path.MOVETO, *[Path.CURVE4] * 3]), colour, style)


def _controls(a: Point, b: Point, upright: bool) -> list[Point]:
    if upright:
        bend = 0.5 * (b[1] - a[1])
        return [(a[0], a[1] + bend), (b[0], b[1] - bend)]
    bend = 0.55 * (b[0] - a[0])
    return [(a[0] + bend, a[1]), (b[0] - bend, b[1])]


def _draw(axes: Axes, path: Path, colour: str, style: Style) -> None:
    head = f"-|>,head_length={_HEAD / 10},head_width={_HEAD / 24}"
    line = FancyArrowPatch(
        path=path, arrowstyle=head, mutation_scale=9, color=colour, lw=0.9, ls=_DASHES[style], alpha=0.85, zorder=2,
        capstyle="butt", joinstyle="miter",
    )  # fmt: skip
    axes.add_patch(line)


def ports(count: int, low: float, high: float) -> list[float]:
    """Places for so many arrows along an edge, apart from its corners and from each other."""
    return [low + (high - low) * (i + 1) / (count + 1) for i in range(count)]

"""The network of a scenario as a picture: who the patient is and what is wrong in the middle, what is found around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workup.report.diagrams.boxes import PADDING, Box, Line, arrow, bow, box, canvas, draw_box, ports, text_width, write
from workup.report.drawing import FAINT, INK, MUTED, PALETTE
from workup.scenarios.language.schema import Scenario, Variable
from workup.scenarios.language.tables import effective_parents
from workup.scenarios.language.words.phrases import Phrases, word_of
from workup.wording import brief, listed

CONTEXT, CONDITION, COMORBIDITY, LATENT, ACT = PALETTE[1], PALETTE[0], PALETTE[2], PALETTE[4], PALETTE[3]
_WING, _CENTRE, _GUTTER, _MARGIN, _GAP = 232.0, 236.0, 92.0, 8.0, 12.0
_NEVER = "Not revealed by any test"


@dataclass(frozen=True)
class Group:
    """Findings of one test that depend on the same variables."""

    parents: tuple[str, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What one test reveals."""

    tier: str
    item: str
    """Label of the test or act that reveals it."""
    groups: tuple[Group, ...]
    """Those that depend on the condition alone first."""

    @property
    def findings(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(name for group in self.groups for name in group.findings)

    @property
    def drawn(self) -> tuple[str, ...]:
        """What they depend on beside the condition, from each of which an arrow is drawn."""
        return tuple(dict.fromkeys(p for group in self.groups for p in group.parents if p != "condition"))


@dataclass(frozen=True)
class Network:
    """What the picture shows."""

    centre: dict[str, tuple[str, ...]]
    """Names by role, in the order drawn: context, condition, comorbidities, latent, acts."""
    found: tuple[Found, ...]
    inner: tuple[tuple[str, str], ...]
    """(parent, child) among the variables of the centre."""


def network(scenario: Scenario) -> Network:
    """Every variable and every dependence of the scenario, findings grouped by the test that reveals them."""
    s = scenario
    acts = {name for of in s.findings.values() for name in effective_parents(of) if name in s.acts}
    centre = {
        "context": tuple(s.context),
        "condition": ("condition",),
        "comorbidities": tuple(s.comorbidities),
        "latent": tuple(s.latent),
        "acts": tuple(name for name in s.acts if name in acts),
    }
    inner = [(parent, "condition") for parent in effective_parents(s.prior)]
    for name, of in {**s.context, **s.comorbidities, **s.latent}.items():
        inner += [(parent, name) for parent in effective_parents(of)]
    return Network({role: names for role, names in centre.items() if names}, tuple(_found(s)), tuple(inner))


def _found(s: Scenario) -> Iterator[Found]:
    tiers = dict.fromkeys(of.tier for of in s.investigations.values())
    order = [*((tier, n, of) for tier in tiers for n, of in s.investigations.items() if of.tier == tier)]
    revealed: set[str] = set()
    for tier, of in [*((tier, of) for tier, _, of in order), *(("acts", of) for of in s.acts.values())]:
        names = [name for name in of.reveals if name in s.findings]
        revealed.update(names)
        by_parents: dict[tuple[str, ...], list[str]] = {}
        for name in names:
            by_parents.setdefault(effective_parents(s.findings[name]), []).append(name)
        groups = [Group(parents, tuple(group)) for parents, group in by_parents.items()]
        if groups:
            yield Found(tier, of.label, tuple(sorted(groups, key=lambda group: group.parents != ("condition",))))
    hidden = [name for name in s.findings if name not in revealed]
    for name in hidden:
        yield Found(_NEVER, s.findings[name].label, (Group(effective_parents(s.findings[name]), (name,)),))


@dataclass
class _Row:
    """Where arrows leave and reach a variable of the centre: beside its name, or the title of the conditions."""

    name: str
    frame: Box
    top: float
    """Of its text, from the top of the frame."""
    height: float

    @property
    def y(self) -> float:
        return self.frame.y + self.top + self.height / 2


@dataclass
class _Layout:
    width: float = 2 * (_MARGIN + _WING + _GUTTER) + _CENTRE
    height: float = 0.0
    rows: dict[str, _Row] = field(default_factory=dict)
    frames: list[Box] = field(default_factory=list)
    wings: list[tuple[Found, Box, bool]] = field(default_factory=list)
    """What is found, its box, and whether it stands on the right."""
    headings: list[tuple[float, float, str]] = field(default_factory=list)


def network_figure(scenario: Scenario) -> Figure:
    """The picture: an arrow says that the chances at its head depend on what is at its tail, beside the condition."""
    parts = network(scenario)
    layout = _laid_out(scenario, parts)
    figure, axes = canvas(layout.width, layout.height)
    for frame in [*layout.frames, *(each for _, each, _ in layout.wings)]:
        draw_box(axes, frame)
    for x, y, text in layout.headings:
        write(axes, (x, y), Line(text, 8.5, True, MUTED))
    colours = _colours(scenario)
    _draw_inner(axes, layout, parts, colours)
    _draw_outer(axes, layout, colours)
    return figure


# ---------------------------------------------------------------- where everything stands


def _laid_out(s: Scenario, parts: Network) -> _Layout:
    layout, phrases = _Layout(), Phrases(s)
    frames = list(_centre(s, parts))
    boxes = [(found, _found_box(s, found, phrases)) for found in parts.found]
    cut = _balanced(boxes)
    heights = [_stack(layout, side, right) for right, side in enumerate((boxes[:cut], boxes[cut:]))]
    inner = sum(frame.height for frame, _ in frames)
    layout.height = max(*heights, inner + 34.0 * (len(frames) + 1)) + _MARGIN
    gap = (layout.height - inner) / (len(frames) + 1)
    y = gap
    for frame, rows in frames:
        placed = frame.at((layout.width - _CENTRE) / 2, y)
        layout.frames.append(placed)
        layout.rows |= {name: _Row(name, placed, top, height) for name, top, height in rows}
        y += frame.height + gap
    return layout


def _balanced(boxes: Sequence[tuple[Found, Box]]) -> int:
    """How many boxes stand on the left, so that both sides are about as high; a test is not torn apart."""
    heights = [each.height + _GAP for _, each in boxes]
    starts = [i for i in range(1, len(boxes) + 1) if i == len(boxes) or boxes[i][0].item != boxes[i - 1][0].item]
    return min(starts, key=lambda cut: abs(sum(heights[:cut]) - sum(heights[cut:])), default=0)


def _stack(layout: _Layout, boxes: Sequence[tuple[Found, Box]], right: int) -> float:
    """Place boxes beneath each other under the names of their tiers; returns the y beneath the last."""
    x = layout.width - _MARGIN - _WING if right else _MARGIN
    y = _MARGIN
    for tier, group in groupby(boxes, key=lambda each: each[0].tier):
        layout.headings.append((x, y + 8, _heading(tier)))
        y += 20
        for found, each in group:
            layout.wings.append((found, each.at(x, y), bool(right)))
            y += each.height + _GAP
    return y


def _heading(tier: str) -> str:
    return "After an act" if tier == "acts" else tier.capitalize()


def _found_box(s: Scenario, found: Found, phrases: Phrases) -> Box:
    distorted = {name for of in s.availability.values() for name in of.affects}
    lines = [Line(found.item, 7.5, True)]
    alone = len(found.findings) == 1
    for group in found.groups:
        if not alone and group.parents != ("condition",):
            lines.append(Line(f"{_depends(group, phrases)}:", 6.8, colour=MUTED))
        for name in group.findings:
            label = s.findings[name].label
            if not alone or label != found.item or name in distorted:
                lines.append(Line(f"– {label}{' *' if name in distorted else ''}", 7.5))
        if alone and group.parents != ("condition",):
            lines.append(Line(_depends(group, phrases), 6.8, colour=MUTED))
    return box(found.item, lines, _WING, INK if found.drawn else FAINT)


def _depends(group: Group, phrases: Phrases) -> str:
    """On what besides the condition, which everything is taken to depend on unless it is said."""
    rest = [name for name in group.parents if name != "condition"]
    if "condition" in group.parents:
        return f"also depends on {phrases.labels_of(rest)}"
    return f"depends not on the cause, only on {phrases.labels_of(rest)}" if rest else "depends on nothing here"


def _centre(s: Scenario, parts: Network) -> Iterator[tuple[Box, list[tuple[str, float, float]]]]:
    """Frames of the centre with their rows: name, top and height of its text."""
    titles = {
        "context": ("Who the patient is", CONTEXT),
        "condition": ("What is wrong: one principal cause", CONDITION),
        "comorbidities": ("What else the patient has", COMORBIDITY),
        "latent": ("Hidden: what several tests see", LATENT),
        "acts": ("What is done, and changes what is found", ACT),
    }
    asked = {name: of.label for of in {**s.investigations, **s.acts}.values() for name in of.reveals}
    for role, names in parts.centre.items():
        title, colour = titles[role]
        lines, rows = [Line(title, 8.5, True, colour)], []
        for name in names:
            text = _row_text(s, name, asked)
            top = PADDING if name == "condition" else box(role, lines, _CENTRE).height - PADDING
            rows.append((name, top, lines[0].height if name == "condition" else text[0].height))
            lines += text
        yield box(role, lines, _CENTRE, colour), rows


def _row_text(s: Scenario, name: str, asked: dict[str, str]) -> list[Line]:
    if name == "condition":
        return [Line(f"– {of.label}", 7.5) for of in s.conditions.values()]
    if name in s.acts:
        return [Line(s.acts[name].label, 7.5)]
    of = {**s.context, **s.comorbidities, **s.latent}[name]
    known = "known at the start" if name in s.context and s.context[name].known == "at_start" else ""
    known = known or (f"told by: {brief(asked[name])}" if name in asked else "")
    return [Line(of.label, 7.5), *([Line(known, 6.8, colour=MUTED, indent=8)] if known else []), *_values(of)]


def _values(of: Variable) -> list[Line]:
    words = [word_of(of, value) for value in of.bands or of.values or ()]
    return [Line(listed(words, "or"), 6.8, colour=MUTED, indent=8)] if words else []


# ---------------------------------------------------------------- the arrows


def _colours(s: Scenario) -> dict[str, str]:
    roles: Iterable[tuple[Iterable[str], str]] = (
        (s.context, CONTEXT), (("condition",), CONDITION), (s.comorbidities, COMORBIDITY), (s.latent, LATENT),
        (s.acts, ACT), (s.findings, INK),
    )  # fmt: skip
    return {name: colour for names, colour in roles for name in names}


def _draw_inner(axes: Axes, layout: _Layout, parts: Network, colours: dict[str, str]) -> None:
    """Bows beside the middle column: towards hidden findings on the right, everything else on the left."""
    for parent, child in parts.inner:
        start, end = layout.rows[parent], layout.rows[child]
        right = child in parts.centre.get("latent", ())
        x = start.frame.side(right)
        reach = min(14 + 0.16 * abs(end.y - start.y), 0.8 * _GUTTER)
        bow(axes, (x, start.y), (x, end.y), reach if right else -reach, colours[parent])


def _draw_outer(axes: Axes, layout: _Layout, colours: dict[str, str]) -> None:
    for right in (False, True):
        side = [(found, each) for found, each, on_right in layout.wings if on_right == right]
        leaving = [(p, each.middle[1]) for found, each in side for p in found.drawn if p in layout.rows]
        starts = {name: _fan(layout.rows[name], sorted(y for p, y in leaving if p == name)) for name, _ in leaving}
        for found, each in side:
            known = sorted((p for p in found.drawn if p in layout.rows), key=lambda name: layout.rows[name].y)
            for parent, y in zip(known, ports(len(known), each.y + 3, each.y + each.height - 3), strict=True):
                start = (layout.rows[parent].frame.side(right), starts[parent].pop(0))
                arrow(axes, [start, (each.side(not right), y)], colours[parent], upright=False)
            _draw_from_findings(axes, layout, found, each, right)


def _fan(row: _Row, targets: list[float]) -> list[float]:
    """Where arrows leave a row, the highest target first."""
    return ports(len(targets), row.y - row.height / 2 - 1, row.y + row.height / 2 + 1)


def _draw_from_findings(axes: Axes, layout: _Layout, found: Found, each: Box, right: bool) -> None:
    """A finding that depends on another: from the box of the one to the box of the other."""
    for parent in found.drawn:
        source = next(((one, on) for f, one, on in layout.wings if parent in f.findings), None)
        if source is None or source[0] is each:
            continue
        one, on_right = source
        if on_right == right:
            x = one.side(not right)
            bow(axes, (x, one.middle[1]), (x, each.middle[1]), -36.0 if right else 36.0, INK)
        else:
            start, end = (one.side(not on_right), one.middle[1]), (each.side(not right), each.middle[1])
            middle = _between(layout.frames, (start[1] + end[1]) / 2)
            through = [(layout.frames[0].side(on_right), middle), (layout.frames[0].side(right), middle)]
            arrow(axes, [start, *through, end], INK, "dashed", upright=False)


def _between(frames: Sequence[Box], wanted: float) -> float:
    """The height nearest to `wanted` at which an arrow can pass between the frames of the centre."""
    ends = [0.0, *(y for frame in frames for y in (frame.y, frame.y + frame.height))]
    gaps = [(low + high) / 2 for low, high in zip(ends[::2], ends[1::2], strict=False)]
    return min(gaps, key=lambda gap: abs(gap - wanted))


def widest_line(layout_boxes: Iterable[Box]) -> float:
    """How far the widest line of any box reaches beyond its frame, in points; negative if all fit."""
    return max(
        line.indent + text_width(line.text, line.size, line.bold) + 2 * PADDING - each.width
        for each in layout_boxes
        for line in each.lines
    )

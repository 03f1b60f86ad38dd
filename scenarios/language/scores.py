"""What a score comes to: its points over all that may have been found, and where it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.errors import suggestion
from workup.scenarios.language.nesting import FloatArray, at_key, chosen_keys
from workup.scenarios.language.points import Score, ScorePart
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.vocabulary import CLAUSE_WORDS, Axis, LanguageError, SubPath, allowed_values

Span = tuple[float, float]
"""Totals from the first, the second excluded; infinite where there is no such end."""
MAX_JOINT = 200_000
"""Combinations of values, not known included, over variables whose points hang together."""
REVEALABLE = frozenset({"context", "comorbidity", "finding"})
SLACK = 1e-9
"""How far a total may be from a cut-off by rounding."""


@dataclass(frozen=True, eq=False)
class Component:
    """Variables whose points hang together; no part of the score looks at variables of two components."""

    names: tuple[str, ...]
    points: FloatArray
    """(values of each name in turn...,)"""

    def open_range(self) -> tuple[FloatArray, FloatArray]:
        """Least and greatest points, (values + 1 of each name...,): the last place of an axis stands for a value not known."""
        least = greatest = self.points
        for axis in range(self.points.ndim):
            least = np.concatenate([least, least.min(axis=axis, keepdims=True)], axis=axis)
            greatest = np.concatenate([greatest, greatest.max(axis=axis, keepdims=True)], axis=axis)
        return least, greatest


@dataclass(frozen=True, eq=False)
class Tally:
    """A score over the values of its variables. Its components add up."""

    name: str
    components: tuple[Component, ...]
    words: Mapping[str, Span]
    """Of the total, from the lowest; empty where the score has no cut-offs."""

    @property
    def least(self) -> float:
        """The lowest total that anybody can have."""
        return float(sum(part.points.min() for part in self.components))

    @property
    def greatest(self) -> float:
        """The highest total that anybody can have."""
        return float(sum(part.points.max() for part in self.components))

    @property
    def variables(self) -> tuple[str, ...]:
        """All that it looks at."""
        return tuple(name for part in self.components for name in part.names)


def tallies(scores: Mapping[str, Score], axes: Mapping[str, Axis]) -> dict[str, Tally]:
    """Every score of a scenario by name. Raises LanguageError as `tally`."""
    return {name: tally(name, score, axes) for name, score in scores.items()}


def tally(name: str, score: Score, axes: Mapping[str, Axis]) -> Tally:
    """The points of a score over the values of its variables.

    Args:
        name: of the score.
        score: as written.
        axes: every variable by name.

    Raises:
        LanguageError: parts that say nothing or look at what is never revealed, too many values at once, cut-offs that leave
            a gap or that no total reaches; all of them, by place inside the score.
    """
    faults: list[tuple[SubPath, str]] = []
    parts: list[Component] = []
    for i, part in enumerate(score.points):
        try:
            parts.append(_part(part, axes))
        except LanguageError as error:
            faults += [(("points", i, *path), text) for path, text in error.faults]
    if not score.points:
        faults.append((("points",), "a score of no points; write a part, such as {when: {fever: yes}, points: 1}"))
    if faults:
        raise LanguageError(faults)
    components = tuple(_joined(group, axes) for group in _hanging_together(parts))
    found = Tally(name, components, {})
    return Tally(name, components, _words(score, found))


def variables_of(part: ScorePart) -> tuple[str, ...]:
    """All that a part of a score looks at, in the order in which it is named."""
    if part.of is not None:
        return (part.of,)
    ways = (part.when,) if isinstance(part.when, dict) else part.when or ()
    return tuple(dict.fromkeys(name for way in ways for name in way))


def _part(part: ScorePart, axes: Mapping[str, Axis]) -> Component:
    if (part.when is None) == (part.of is None):
        raise LanguageError(
            [((), "a part has either `when`, or `of` and the points of each value; write one of the two")]
        )
    made = _table(part, axes) if part.of is not None else _clauses(part, axes)
    if np.ptp(made.points) <= SLACK:
        raise LanguageError([(("points",), "gives everybody the same points, so it says nothing; remove it")])
    return made


def _table(part: ScorePart, axes: Mapping[str, Axis]) -> Component:
    name = str(part.of)
    axis, points = _axis(name, axes, ("of",)), part.points
    if not isinstance(points, dict):
        text = f"found {points:g}; with `of`, expected the points of each value: {', '.join(axis.values[:12])}"
        raise LanguageError([(("points",), text)])
    return Component((name,), at_key("points", lambda: np.array([points[key] for key in chosen_keys(points, axis)])))


def _clauses(part: ScorePart, axes: Mapping[str, Axis]) -> Component:
    ways = (part.when,) if isinstance(part.when, dict) else part.when or ()
    if isinstance(part.points, dict):
        raise LanguageError([(("points",), "found points by value; with `when`, expected one number")])
    if not ways or not all(ways):
        raise LanguageError([(("when",), "is empty; name the facts that these points are for")])
    names = variables_of(part)
    sizes = [len(_axis(name, axes, ("when", name)).values) for name in names]
    _refuse_too_many(names, sizes)
    held = np.zeros(sizes, np.bool_)
    for i, way in enumerate(ways):
        every = np.ones(sizes, np.bool_)
        for name, clause in way.items():
            path: SubPath = ("when", name) if isinstance(part.when, dict) else ("when", i, name)
            flags = _flags(axes[name], clause, path)
            every &= flags.reshape([-1 if other == name else 1 for other in names])
        held |= every
    return Component(names, np.where(held, np.float64(part.points), 0.0))


def _axis(name: str, axes: Mapping[str, Axis], path: SubPath) -> Axis:
    if name not in axes or axes[name].kind not in REVEALABLE:
        known = [other for other, axis in axes.items() if axis.kind in REVEALABLE]
        text = f"{name!r} is no fact that can be revealed; points are for what was found, not for what was done or is never told"
        text += suggestion(name, known)
        raise LanguageError([(path, text)])
    return axes[name]


def _flags(axis: Axis, clause: Any, path: SubPath) -> NDArray[np.bool_]:
    try:
        allowed = allowed_values(axis, clause)
    except LanguageError as error:
        raise LanguageError([((*path, *inner), text) for inner, text in error.faults]) from None
    if allowed.unknown:
        text = "`unknown` gives no points: what is not known leaves the total open; name the values that count"
        raise LanguageError([(path, text)])
    return np.array(allowed.values)


def _refuse_too_many(names: tuple[str, ...], sizes: list[int]) -> None:
    if math.prod(size + 1 for size in sizes) > MAX_JOINT:
        text = f"looks at {', '.join(names)} together, which makes more than {MAX_JOINT:,} combinations; look at fewer at once"
        raise LanguageError([((), text)])


def _hanging_together(parts: list[Component]) -> list[list[Component]]:
    """Parts in groups that share no variable."""
    groups: list[list[Component]] = []
    for part in parts:
        sharing = [group for group in groups if any(set(part.names) & set(other.names) for other in group)]
        groups = [group for group in groups if group not in sharing]
        groups.append([*(other for group in sharing for other in group), part])
    return groups


def _joined(group: list[Component], axes: Mapping[str, Axis]) -> Component:
    names = tuple(dict.fromkeys(name for part in group for name in part.names))
    sizes = [len(axes[name].values) for name in names]
    try:
        _refuse_too_many(names, sizes)
    except LanguageError as error:
        raise LanguageError([(("points",), text) for _, text in error.faults]) from None
    total = np.zeros(sizes)
    for part in group:
        order = sorted(range(len(part.names)), key=lambda i: names.index(part.names[i]))
        shape = [size if name in part.names else 1 for name, size in zip(names, sizes, strict=True)]
        total += part.points.transpose(order).reshape(shape)
    return Component(names, total)


def _words(score: Score, found: Tally) -> dict[str, Span]:
    faults: list[tuple[SubPath, str]] = []
    words: dict[str, Span] = {}
    reached, last = -math.inf, len(score.cut_offs) - 1
    for i, (word, ends) in enumerate(score.cut_offs.items()):
        path = ("cut_offs", word)
        span = ends.get("at_least", -math.inf), ends.get("below", math.inf)
        if word in CLAUSE_WORDS or "," in word or not word.strip() or word.strip() != word:
            faults.append((path, f"{word!r} cannot be a word for a range; choose another"))
        if span[0] != reached:
            begin = f"`at_least: {reached:g}`" if i else "no `at_least`"
            faults.append((path, f"ranges ascend without gaps from the lowest total; write {begin} here"))
        elif (span[1] == math.inf) != (i == last):
            end = "no `below`" if i == last else "`below`"
            faults.append((path, f"ranges ascend without gaps to the highest total; write {end} here"))
        elif i and not found.least < span[0] <= found.greatest:
            faults.append(((*path, "at_least"), out_of_reach(found)))
        words[word], reached = span, span[1]
    if last == 0:
        faults.append((("cut_offs",), "one word for every total says nothing; write at least two"))
    if faults:
        raise LanguageError(faults)
    return words


def out_of_reach(found: Tally) -> str:
    """What is wrong with a cut-off that everybody or nobody reaches."""
    return (
        f"totals run from {found.least:g} to {found.greatest:g}, so that this cut-off parts nobody from anybody; "
        f"expected more than {found.least:g} and at most {found.greatest:g}"
    )


def uses(scenario: Scenario, score: str) -> tuple[SubPath, ...]:
    """Where a score is used: places of rules, expectations, and items and decisions that require it, in the order of the file."""
    conditions: dict[SubPath, Any] = {
        ("investigations", name): of.requires for name, of in scenario.investigations.items()
    }
    conditions |= {("acts", name): of.requires for name, of in scenario.acts.items()}
    conditions |= {("decisions", name): of.requires for name, of in scenario.decisions.items()}
    conditions |= {("guideline", i): rule.when for i, rule in enumerate(scenario.guideline)}
    for name, version in scenario.guideline_versions.items():
        conditions |= {("guideline_versions", name, "rules", i): rule.when for i, rule in enumerate(version.rules)}
    for name, vignette in scenario.vignettes.items():
        conditions |= {("vignettes", name, "expect", i): each.when for i, each in enumerate(vignette.expect)}
    return tuple(
        path
        for path, when in conditions.items()
        if any(score in way for way in ((when,) if isinstance(when, dict) else when or ()))
    )

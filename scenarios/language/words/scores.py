"""Scores in words: for what there are points, what totals are called, and what looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workup.scenarios.language.nesting import OTHERWISE
from workup.scenarios.language.scores import tallies, uses
from workup.scenarios.language.vocabulary import axes
from workup.scenarios.language.words.phrases import Phrases
from workup.wording import listed


def scores(phrases: Phrases) -> Iterator[str]:
    """Every score with its points, its cut-offs and the rules that use it, as Markdown."""
    s = phrases.scenario
    if s.scores:
        yield from ("## Scores", "", "Only what has been found counts; what is not known leaves the total open.", "")
    for name, score in s.scores.items():
        yield f"- **{score.label}** ({span(phrases, name)}; {used_by(phrases, name)})"
        for part in score.points:
            yield from (
                f"  - {points_in_words(points)} if {what}" for what, points in part_rows(part.model_dump(), phrases)
            )
        yield from (
            f"  - “{phrases.value(word, name)}” if the total is {which}" for word, which in cut_off_rows(phrases, name)
        )
    if s.scores:
        yield ""


def part_rows(part: Mapping[str, Any], phrases: Phrases) -> list[tuple[str, float]]:
    """What one part gives points for, and how many; of a variable, one row for each group of its values."""
    points = part["points"]
    if part.get("of") is None:
        return [(phrases.when(_as_written(part["when"])), points)]
    name = part["of"]
    return [(f"{phrases.brief(name)} is {_key(key, name, phrases)}", each) for key, each in points.items()]


def _as_written(when: Any) -> Any:
    return when if isinstance(when, dict) else tuple(when)


def _key(key: str, name: str, phrases: Phrases) -> str:
    if key == OTHERWISE:
        return "anything else"
    return listed((phrases.value(word.strip(), name) for word in key.split(",")), "or")


def cut_off_rows(phrases: Phrases, name: str) -> list[tuple[str, str]]:
    """The words of a score, and the totals that they mean: 'at least 2 and below 6'."""
    return [(word, phrases.bounds(ends)) for word, ends in phrases.scenario.scores[name].cut_offs.items()]


def points_in_words(points: float) -> str:
    """'1 point', '−1.5 points'."""
    return f"{points:g} point{'' if abs(points) == 1 else 's'}".replace("-", "−")


def span(phrases: Phrases, name: str) -> str:
    """The lowest and the highest total: 'from 0 to 12.5'."""
    found = tallies(phrases.scenario.scores, axes(phrases.scenario))[name]
    return f"from {found.least:g} to {found.greatest:g}".replace("-", "−")


def used_by(phrases: Phrases, name: str) -> str:
    """What looks at a score: 'used by rules 2 and 5 of the guideline; required for CT'."""
    rules: dict[str, list[str]] = {}
    others: list[str] = []
    required: list[str] = []
    for path in uses(phrases.scenario, name):
        match path:
            case ["guideline", int(i)]:
                rules.setdefault("of the guideline", []).append(str(i + 1))
            case ["guideline_versions", str(version), _, int(i)]:
                rules.setdefault(f"of its version {version}", []).append(str(i + 1))
            case ["vignettes", str(vignette), *_]:
                others.append(f"what is expected of “{phrases.scenario.vignettes[vignette].title}”")
            case [_, str(owner)]:
                required.append(phrases.brief(owner))
    told = [f"rule{'s' if len(of) > 1 else ''} {listed(of)} {book}" for book, of in rules.items()]
    told += dict.fromkeys(others)
    said = [f"used by {listed(told)}"] * bool(told) + [f"required for {listed(required)}"] * bool(required)
    return "; ".join(said) or "used nowhere"

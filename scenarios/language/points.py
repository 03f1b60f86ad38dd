"""A clinical score as it is written: points for what has been found, and words for ranges of their total."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workup.scenarios.language.model import Model


class ScorePart(Model):
    """One line of a score: either `when` with its points (none where it does not hold), or `of` a variable with the points of
    each of its values."""

    when: dict[str, Any] | tuple[dict[str, Any], ...] | None = None
    of: str | None = None
    points: float | dict[str, float]


class Score(Model):
    """Points that are added up over what has been revealed, e.g. `{when: {pulse: {at_least: 100}}, points: 1.5}`."""

    label: str
    points: tuple[ScorePart, ...]
    cut_offs: dict[str, dict[Literal["at_least", "below"], float]] = Field(default_factory=dict)
    """Words for ranges of the total, from the lowest: `{unlikely: {below: 4.5}, likely: {at_least: 4.5}}`."""

"""Who wrote a scenario, what they cite, who signed it, and how far each of its figures may be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workup.scenarios.language.model import Model

Status = Literal["seen", "recalled", "derived", "assumed"]
FIGURE_KEYS = ("status", "source", "note", "searched", "formula")
"""What a block of figures may say of where they come from; a formula is of one figure."""


class Source(Model):
    cite: str
    url: str | None = None
    seen: bool = False
    """Whether the authors of the scenario read it (at least its abstract)."""


class Reviewer(Model):
    name: str
    role: str
    date: str


class Guideline(Model):
    name: str
    version: str


class Who(Model):
    authors: tuple[str, ...]
    reviewers: tuple[Reviewer, ...] = ()
    status: Literal["draft", "reviewed"] = "draft"
    guideline: Guideline
    setting: str
    currency: Literal["GBP"] = "GBP"
    price_year: int


class Searched(Model):
    """A search for a figure that found nothing to put in its place."""

    words: str
    """What was searched for."""
    places: tuple[str, ...]
    """Where."""
    on: str
    """The day, YYYY-MM-DD."""
    found: str
    """What there was, and why it could not be used; or nothing."""

    @property
    def in_words(self) -> str:
        """'“fever influenza” in PubMed, NICE on 2026-11-30: nothing'."""
        return f"“{self.words}” in {', '.join(self.places)} on {self.on}: {self.found}"


@dataclass(frozen=True, slots=True)
class FigureRecord:
    """Where one number of the file stands, and how far it may be trusted."""

    path: str
    line: int
    value: float
    status: Status
    source: str | None = None
    note: str | None = None
    formula: str | None = None
    """What it is computed by, if it is derived and says so; see `workup.scenarios.language.formulas`."""
    searched: Searched | None = None
    copies: tuple[str, ...] = ()
    """Paths of the entries written `as` the one with this figure, where it stands as well. It counts once."""


class Review(Model):
    """A signature, as `workup sign` records it; read and judged by `workup.scenarios.language.reading.signatures`."""

    name: str
    role: str
    date: str
    """The day of the review, YYYY-MM-DD."""
    version: str
    signed: str
    """SHA-256 of what was written in the scenario then, 64 hex digits."""

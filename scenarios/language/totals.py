"""What a clause on a score means: the totals that it allows.

Only what has been revealed counts. What is not yet known leaves a range open, from the least total that it still allows to
the greatest; a clause holds where that whole range lies within what the clause names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.errors import in_words, number_hint, suggestion
from workup.scenarios.language.nesting import FloatArray
from workup.scenarios.language.scores import SLACK, Span, Tally, out_of_reach
from workup.scenarios.language.vocabulary import UNKNOWN_WORD, LanguageError, SubPath


@dataclass(frozen=True)
class Totals:
    """The totals that a clause allows."""

    spans: tuple[Span, ...]
    """Apart from each other, from the lowest."""
    words: tuple[Span, ...] = ()
    """With `unknown` only: the ranges of the score's words; it also holds where the total lies wholly within none of them."""

    def holds(self, least: FloatArray, greatest: FloatArray) -> NDArray[np.bool_]:
        """(n,) whether the clause holds where the total is known to lie from `least` (n,) to `greatest` (n,)."""
        held = _within(self.spans, least, greatest)
        return held | ~_within(self.words, least, greatest) if self.words else held

    def may_hold(self, most: float, fewest: float) -> bool:
        """Whether it may hold where the least total is at most `most` and the greatest at least `fewest`."""
        return bool(self.words) or any(most >= low - SLACK and fewest < high - SLACK for low, high in self.spans)


def _within(spans: tuple[Span, ...], least: FloatArray, greatest: FloatArray) -> NDArray[np.bool_]:
    inside = np.zeros(np.shape(least), np.bool_)
    for low, high in spans:
        inside |= (least >= low - SLACK) & (greatest < high - SLACK)
    return inside


def allowed_totals(found: Tally, clause: Any) -> Totals:
    """What a clause on a score allows.

    Args:
        found: the score.
        clause: a word of its cut-offs, a list of them, `unknown` (none of the words holds yet) alone or among them;
            `{at_least: x}`, `{below: y}` or both; or `{not: ...}` of any without `unknown`.

    Raises:
        LanguageError: a word that it has not, no number, or a clause that always or never holds.
    """
    totals = _allowed(found, clause)
    inside = [span for span in totals.spans if span[0] <= found.greatest and span[1] > found.least]
    if not totals.words and not inside:
        raise LanguageError(
            [((), f"can never hold: totals of {found.name} run from {found.least:g} to {found.greatest:g}")]
        )
    if any(low <= found.least and high > found.greatest for low, high in totals.spans):
        raise LanguageError([((), f"holds for every total of {found.name}, so it says nothing; name some of them")])
    return totals


def _allowed(found: Tally, clause: Any) -> Totals:
    if isinstance(clause, dict) and clause.keys() == {"not"}:
        inner = _allowed(found, clause["not"])
        if inner.words:
            raise LanguageError([(("not",), "`unknown` cannot be ruled out here; name the words that may hold")])
        return Totals(tuple(_gaps(inner.spans)))
    if isinstance(clause, dict):
        return Totals((_between(found, clause),))
    words = clause if isinstance(clause, list | tuple) else [clause]
    known = ", ".join(found.words) or "none: it has no `cut_offs`"
    faults: list[tuple[SubPath, str]] = []
    for word in words:
        if word == UNKNOWN_WORD and not found.words:
            faults.append(((), f"{found.name} has no `cut_offs`, so there is no word to be unknown; add them"))
        elif not isinstance(word, str) or (word != UNKNOWN_WORD and word not in found.words):
            near = suggestion(word, found.words) if isinstance(word, str) and found.words else ""
            expected = f"a word of its cut-offs ({known}), or {{at_least: ...}}, {{below: ...}}"
            faults.append(((), f"found {in_words(word)} for the score {found.name}; expected {expected}{near}"))
    if faults or not words:
        raise LanguageError(faults or [((), f"an empty list of words of {found.name} can never hold; name some")])
    spans = _merged([found.words[word] for word in words if word != UNKNOWN_WORD])
    return Totals(spans, tuple(found.words.values()) if UNKNOWN_WORD in words else ())


def _between(found: Tally, clause: dict[str, Any]) -> Span:
    if not clause or not clause.keys() <= {"at_least", "below"}:
        given = ", ".join(map(str, clause)) or "nothing"
        raise LanguageError([((), f"found {given}; expected `not`, or `at_least` and `below` with a number of points")])
    faults: list[tuple[SubPath, str]] = []
    for key, number in clause.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            faults.append(((key,), f"found {in_words(number)}; expected a number of points{number_hint(number)}"))
        elif not found.least < number <= found.greatest:
            faults.append(((key,), out_of_reach(found)))
    if faults:
        raise LanguageError(faults)
    low, high = clause.get("at_least", -math.inf), clause.get("below", math.inf)
    if low >= high:
        raise LanguageError([((), f"no total is at least {low:g} and below {high:g}; write the lower number first")])
    return low, high


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """The same totals, spans that meet made one, from the lowest."""
    out: list[Span] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], high)
        else:
            out.append((low, high))
    return tuple(out)


def _gaps(spans: tuple[Span, ...]) -> Iterator[Span]:
    """All totals that lie in none of the spans."""
    begin = -math.inf
    for low, high in spans:
        if low > begin:
            yield begin, low
        begin = high
    if begin < math.inf:
        yield begin, math.inf

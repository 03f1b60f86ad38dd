"""Requirements on scores, written out as what must have been found: the same requirement, in the grammar of plain facts.

A total reaches a cut-off if and only if, for every way of falling short of it that leaves nothing to spare, some part of the
score is higher than in that way. Each such way is one requirement of plain facts: one of these parts must have been found.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from workup.scenarios.language.nesting import FloatArray
from workup.scenarios.language.scores import SLACK, Tally
from workup.scenarios.language.totals import allowed_totals
from workup.scenarios.language.vocabulary import STATUS_WORDS, Axis, LanguageError, allowed_statuses, allowed_values

MAX_WRITTEN_OUT = 62
"""Requirements of plain facts that one requirement on scores may come to."""
_MOST_LEVELS, _MOST_WAYS = 65_536, 500
"""Combinations of points, and of requirements before those that say the same are left out."""
_REMEDY = "use a score of fewer parts, or require what has to be found"

Options = dict[str, frozenset[int]]
"""Facts of which one must hold: by variable the indices of its values, by item those of its statuses."""


def written_out(
    group: Mapping[str, Any], tallies: Mapping[str, Tally], axes: Mapping[str, Axis]
) -> tuple[dict[str, Any], ...]:
    """What one requirement, an 'or' of clauses, comes to in plain facts: requirements that must all hold.

    Args:
        group: the clauses by name; those on variables and items stay what they are.
        tallies: the scores by name.
        axes: every variable by name.

    Raises:
        LanguageError: a clause on a score that means nothing, is `unknown`, looks at several facts together or cannot be
            written out in so few requirements; by the name of the score.
    """
    if not any(name in tallies for name in group):
        return (dict(group),)
    choices = [_choices(name, clause, tallies, axes) for name, clause in group.items()]
    _refuse_more(choices)
    joined = [_either(parts) for parts in itertools.product(*choices)]
    kept = [
        one
        for i, one in enumerate(joined)
        if not any(_says_more(o, one, j < i) for j, o in enumerate(joined) if j != i)
    ]
    if len(kept) > MAX_WRITTEN_OUT:
        found = f"comes to {len(kept)} requirements of plain facts, at most {MAX_WRITTEN_OUT} can be treated"
        raise LanguageError([((), f"{found}; {_REMEDY}")])
    return tuple(_in_words(one, axes) for one in kept)


def _choices(name: str, clause: Any, tallies: Mapping[str, Tally], axes: Mapping[str, Axis]) -> list[Options]:
    """A clause as requirements that must all hold."""
    if name in tallies:
        try:
            return list(_of_score(tallies[name], clause))
        except LanguageError as error:
            raise LanguageError([((name, *path), text) for path, text in error.faults]) from None
    try:
        flags, unknown = _flags(name, clause, axes)
    except LanguageError as error:
        raise LanguageError([((name, *path), text) for path, text in error.faults]) from None
    if unknown:
        raise LanguageError(
            [((), f"`unknown` cannot stand beside a score, as for {name}; require what has been found")]
        )
    return [{name: frozenset(np.flatnonzero(flags).tolist())}]


def _flags(name: str, clause: Any, axes: Mapping[str, Axis]) -> tuple[tuple[bool, ...], bool]:
    if name not in axes or axes[name].kind == "act":
        return allowed_statuses(clause), False
    allowed = allowed_values(axes[name], clause)
    return allowed.values, allowed.unknown


def _of_score(found: Tally, clause: Any) -> Iterator[Options]:
    totals = allowed_totals(found, clause)
    if totals.words:
        raise LanguageError([((), "`unknown` may hold and then no longer; require a word, or a number of points")])
    together = next((part.names for part in found.components if len(part.names) > 1), ())
    if together:
        text = f"{found.name} looks at {' and '.join(together)} together, which a requirement cannot; "
        raise LanguageError([((), f"{text}{_REMEDY}")])
    spans = [[*_reaching(found, low), *_staying_under(found, high)] for low, high in totals.spans]
    _refuse_more(spans)
    for parts in itertools.product(*spans):
        yield _either(parts)


def _refuse_more(choices: list[list[Options]]) -> None:
    if math.prod(len(ways) for ways in choices) > _MOST_WAYS:
        raise LanguageError([((), f"comes to more than {_MOST_WAYS:,} requirements of plain facts; {_REMEDY}")])


def _reaching(found: Tally, least: float) -> Iterator[Options]:
    """That the least total is at least so high."""
    if least > -math.inf:
        raised = {part.names[0]: part.points - part.points.min() for part in found.components}
        yield from _more_than(raised, least - found.least - SLACK, or_as_much=True)


def _staying_under(found: Tally, greatest: float) -> Iterator[Options]:
    """That the greatest total is below this."""
    if greatest < math.inf:
        spared = {part.names[0]: part.points.max() - part.points for part in found.components}
        yield from _more_than(spared, found.greatest - greatest + SLACK, or_as_much=False)


def _more_than(amounts: Mapping[str, FloatArray], bound: float, *, or_as_much: bool) -> Iterator[Options]:
    """That known values come to more than `bound` (or as much); what is not known counts 0.

    Args:
        amounts: by variable, of each value; 0 is the least.
        bound: of their sum.
        or_as_much: whether the bound itself will do.
    """
    amounts = {name: amount for name, amount in amounts.items() if amount.max() > SLACK}
    levels = [np.unique(amount.round(9)) for amount in amounts.values()]
    if math.prod(len(level) for level in levels) > _MOST_LEVELS:
        raise LanguageError([((), f"has too many parts to be required; {_REMEDY}")])
    total = sum(np.ix_(*levels), start=np.zeros(1))
    short = total < bound if or_as_much else total <= bound
    barely = short.copy()  # falls short, and no longer does with any part one step higher
    for axis in range(short.ndim):
        higher = np.moveaxis(short, axis, 0)
        np.moveaxis(barely, axis, 0)[:-1] &= ~higher[1:]
    for way in np.argwhere(barely):
        above = (
            (name, np.flatnonzero(amount > level[i] + SLACK))
            for (name, amount), level, i in zip(amounts.items(), levels, way, strict=True)
        )
        yield {name: frozenset(values.tolist()) for name, values in above if len(values)}


def _either(parts: tuple[Options, ...]) -> Options:
    joined: Options = {}
    for part in parts:
        for name, options in part.items():
            joined[name] = joined.get(name, frozenset()) | options
    return joined


def _says_more(one: Options, other: Options, first: bool) -> bool:
    """Whether `other` follows from `one`; of two that are the same, whether `one` comes first."""
    follows = all(options <= other.get(name, frozenset()) for name, options in one.items())
    return follows and (first or one != other)


def _in_words(options: Options, axes: Mapping[str, Axis]) -> dict[str, Any]:
    return {
        name: [
            (axes[name].values if name in axes and axes[name].kind != "act" else STATUS_WORDS)[i] for i in sorted(of)
        ]
        for name, of in options.items()
    }

"""Lint rules on the values a variable can have: words, bands, and the cells of a number."""

from __future__ import annotations

import itertools
import math

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.schema import Variable
from workup.scenarios.language.vocabulary import CLAUSE_WORDS, SubPath, number_cells


def check_values(book: Book, path: SubPath, variable: Variable) -> bool:
    """Whether the values of a variable are well formed."""
    before = len(book.faults)
    is_number = variable.evidence == "number"
    if variable.values is not None and (variable.bands is not None or is_number):
        book.add((*path, "values"), "a number has `bands`, not `values`; keep one of the two")
    if variable.values is not None:
        if len(set(variable.values)) != len(variable.values) or len(variable.values) < 2:
            book.add((*path, "values"), "expected at least two different values")
        for i, value in enumerate(variable.values):
            if "," in value or value in CLAUSE_WORDS or value.strip() != value:
                book.add((*path, "values", i), f"{value!r} cannot be the name of a value; choose another word")
    if variable.bands is None and not is_number:
        for key in ("range", "step", "unit"):
            if getattr(variable, key) is not None:
                book.add((*path, key), f"`{key}` belongs to a number; add `bands`, or remove it")
        if getattr(variable, "date", False):
            book.add((*path, "date"), "an exposure with a date needs `bands` of years before the consultation")
    elif variable.unit is None:
        book.add(path, "a number needs its `unit` (write '' where there is none)")
    if (variable.law is not None) != is_number:
        book.add(path, "`law` and `evidence: number` belong together; a band as evidence takes `table`")
    if variable.bands is not None:
        _check_bands(book, path, variable)
    if is_number:
        _check_cells(book, path, variable)
    elif variable.bands is not None:
        for key in ("range", "step"):
            if getattr(variable, key) is not None:
                book.add((*path, key), f"`{key}` is for `evidence: number`; here the bands are the evidence")
    return len(book.faults) == before


def _check_bands(book: Book, path: SubPath, variable: Variable) -> None:
    here: SubPath = (*path, "bands")
    spans = list((variable.bands or {}).items())
    for i, (word, span) in enumerate(spans):
        if word in CLAUSE_WORDS - {"at_least", "below"} or "," in word:
            book.add((*here, word), f"{word!r} cannot be the name of a band; choose another word")
        if span is None and (i > 0 or variable.evidence == "number"):
            book.add((*here, word), "only the first band may be without a number, and only if the band is the evidence")
        elif span is not None and not span[0] < span[1]:
            book.add((*here, word), f"found [{span[0]:g}, {span[1]:g}]; a band ascends: [from, to) with from < to")
    if len(spans) < 2:
        book.add(here, "expected at least two bands")
    numbered = [(word, span) for word, span in spans if span is not None]
    for (before, low), (word, high) in itertools.pairwise(numbered):
        if low[1] != high[0]:
            what = "leaves a gap after" if high[0] > low[1] else "overlaps"
            message = f"{what} {before}, which ends at {low[1]:g}; start it at {low[1]:g} (bands ascend without gaps)"
            book.add((*here, word), message)
    if variable.within == "log_uniform" and numbered and numbered[0][1][0] <= 0:
        book.add((*here, numbered[0][0]), "a log-uniform law needs bands that start above 0")


def _check_cells(book: Book, path: SubPath, variable: Variable) -> None:
    if variable.range is None or variable.step is None:
        book.add(path, "`evidence: number` needs `range: [from, to]` and `step`")
        return
    cells = number_cells(variable)
    low, high = variable.range
    if not cells:
        what = f"a range of {low:g} to {high:g} does not hold 1 to 400 whole steps of {variable.step:g}"
        book.add((*path, "step"), f"{what}; change one of them")
        return
    edges = [cells[0][0], *(end for _, end in cells)]
    spans = [(word, span) for word, span in (variable.bands or {}).items() if span is not None]
    for word, span in spans:
        for end in span:
            if not any(math.isclose(end, edge, abs_tol=1e-9) for edge in edges):
                message = f"{end:g} lies inside a step of {variable.step:g} from {low:g}; move it to a whole step"
                book.add((*path, "bands", word), message)
    if spans and (spans[0][1][0] > low or spans[-1][1][1] < high):
        found = f"bands run from {spans[0][1][0]:g} to {spans[-1][1][1]:g}, the range from {low:g} to {high:g}"
        book.add((*path, "bands"), f"{found}; make them meet")

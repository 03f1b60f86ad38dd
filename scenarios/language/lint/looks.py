"""Lint rules on how results are shown: `shown` of an investigation, `look` of a finding."""

from __future__ import annotations

from typing import Any

from workup.errors import in_words, suggestion
from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.looks import ITSELF, LOOKS, Look
from workup.scenarios.language.nesting import chosen_keys
from workup.scenarios.language.schema import Investigation
from workup.scenarios.language.vocabulary import Axis, LanguageError, SubPath


def check_looks(book: Book) -> None:
    """What is shown is of a kind that can be drawn, and every value of a finding has a look that the kind knows."""
    for name, investigation in book.scenario.investigations.items():
        if investigation.shown is not None and investigation.shown not in LOOKS:
            here: SubPath = ("investigations", name, "shown")
            _add(book, here, f"nothing is shown as {investigation.shown!r}{suggestion(investigation.shown, LOOKS)}")
        elif investigation.shown is not None:
            _check_one_each(book, investigation)
    for name, finding in book.scenario.findings.items():
        item = book.scenario.investigations.get(book.revealed_by.get(name, ""))
        path: SubPath = ("findings", name, "look")
        if finding.look is None:
            continue
        if item is None or item.shown is None:
            by = book.revealed_by.get(name, "the investigation that reveals it")
            _add(book, path, f"it is not shown: say how in {by}, such as `shown: film`, or remove `look`")
        elif item.shown in LOOKS:
            for look, by_value in finding.look.items():
                _check_look(book, (*path, look), item.shown, look, by_value)


def _add(book: Book, path: SubPath, message: str) -> None:
    book.exact.add(path)
    book.add(path, message)


def _check_one_each(book: Book, investigation: Investigation) -> None:
    first: dict[str, str] = {}
    for name in investigation.reveals:
        finding = book.scenario.findings.get(name)
        for look in (finding.look or {}) if finding is not None else ():
            if first.setdefault(look, name) != name:
                _add(book, ("findings", name, "look", look), f"{first[look]} has this look of the same picture already")


def _check_look(book: Book, path: SubPath, kind: str, look: str, by_value: Any) -> None:
    name, known = str(path[1]), LOOKS[kind]
    if look not in known:
        _add(book, path, f"a {kind} has no look {look!r}{suggestion(look, known)}")
        return
    axis = book.axes.get(name)
    if isinstance(by_value, str):
        if by_value != ITSELF:
            _add(book, path, f"found {by_value!r}; expected the look of each value, or `{ITSELF}` for a number's own")
        elif not known[look].graded or axis is None or axis.cells is None:
            _add(
                book,
                path,
                f"`{ITSELF}` is for a number that is shown by a look which is one too; name the look of each value",
            )
        return
    if axis is not None:
        _check_values(book, path, axis, by_value)
    for value, shown in by_value.items():
        _check_value(book, (*path, value), known[look], shown)


def _check_values(book: Book, path: SubPath, axis: Axis, by_value: dict[str, Any]) -> None:
    try:
        chosen_keys(by_value, axis)
    except LanguageError as error:
        for inner, message in error.faults:
            _add(book, (*path, *inner), message)


def _check_value(book: Book, path: SubPath, look: Look, shown: Any) -> None:
    if look.graded:
        if isinstance(shown, str) or not look.low <= shown <= look.high:
            _add(
                book,
                path,
                f"found {in_words(shown)}; expected a number from {look.low:g} to {look.high:g}: {look.what}",
            )
    elif shown not in look.values:
        word = shown if isinstance(shown, str) else f"{shown:g}"
        _add(book, path, f"there is no {word!r} of {look.what}{suggestion(word, look.values)}")

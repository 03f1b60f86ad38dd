"""Lint rules on scores: their points mean something, and what is required of them can be found in history and examination."""

from __future__ import annotations

from typing import Any

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.schema import OPENING
from workup.scenarios.language.score_requirements import written_out
from workup.scenarios.language.scores import tally, variables_of
from workup.scenarios.language.vocabulary import LanguageError, SubPath


def check_scores(book: Book) -> None:
    """Points are for facts that can be revealed, cut-offs part them, and a score that is required is known early."""
    for name, score in book.scenario.scores.items():
        path: SubPath = ("scores", name)
        if name not in book.tallies:
            book.attempt(path, tally, name, score, book.axes)
            continue
        for i, part in enumerate(score.points):
            for variable in variables_of(part):
                if variable not in book.revealed_by and variable not in book.known_at_start:
                    text = f"nothing reveals {variable}, so the total stays open; add it to the `reveals` of an item"
                    book.add((*path, "points", i), text)
    for item, of in book.items.items():
        _check_requirements(book, (*book.item_path(item), "requires"), of.requires)
    for name, decision in book.scenario.decisions.items():
        _check_requirements(book, ("decisions", name, "requires"), decision.requires)


def _check_requirements(book: Book, path: SubPath, requires: tuple[dict[str, Any], ...]) -> None:
    """What is required of a score stays so once it is met, and can be written out as what was found."""
    early = {name for name, of in book.scenario.investigations.items() if of.tier in OPENING}
    for i, group in enumerate(requires):
        for score in (name for name in group if name in book.tallies):
            late = [
                name
                for name in book.tallies[score].variables
                if name not in book.known_at_start and book.revealed_by.get(name) not in early
            ]
            if late:
                found = f"{score} counts {', '.join(late)}, which history and examination do not reveal"
                book.add((*path, i, score), f"{found}; use it in `when`, or require what has to be found")
                return
        try:
            written_out(group, book.tallies, book.axes)
        except LanguageError as error:  # what is wrong with other clauses is told where they are checked
            book.faults += [((*path, i, *at), text) for at, text in error.faults if not at or at[0] in book.tallies]

"""Lint rules on what decisions require: it can be met, stays met, and nobody is left without an end."""

from __future__ import annotations

from typing import Any

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.lint.journey import can_hold, reachable_items
from workup.scenarios.language.lint.vignettes import stated_value
from workup.scenarios.language.schema import Vignette
from workup.scenarios.language.vocabulary import (
    MAX_DECISION_GROUPS,
    STATUS_WORDS,
    LanguageError,
    SubPath,
    allowed_statuses,
    allowed_values,
)


def check_decisions(book: Book) -> None:
    """What a decision requires is something found or tried, for good; one decision requires nothing."""
    s, sound = book.scenario, len(book.faults)
    for name, decision in s.decisions.items():
        for i, group in enumerate(decision.requires):
            path = ("decisions", name, "requires", i)
            if not group:
                book.add(path, "is empty; name at least one alternative, or remove it")
            book.clauses(path, group)
    if len(book.faults) > sound:
        return
    for name, decision in s.decisions.items():
        for i, group in enumerate(decision.requires):
            _check_lasting(book, ("decisions", name, "requires", i), group)
    groups = sum(len(book.plain(group)) for decision in s.decisions.values() for group in decision.requires)
    if groups > MAX_DECISION_GROUPS:
        book.add(("decisions",), f"{groups} requirements in all; at most {MAX_DECISION_GROUPS}: join some by 'or'")
    if s.decisions and all(decision.requires for decision in s.decisions.values()):
        free = "so that nobody is stuck when a test fails, is refused or cannot be afforded"
        book.add(("decisions",), f"every decision requires something; let one require nothing, {free}")
    if len(book.faults) == sound:
        _check_met(book)


def _check_lasting(book: Book, path: SubPath, group: dict[str, Any]) -> None:
    """No clause that may hold and then no longer."""
    for name, clause in group.items():
        here = (*path, name)
        if name in book.scenario.scores:
            continue  # what a score may require lasts; told by `lint.scores`
        if name not in book.items:
            if allowed_values(book.axes[name], clause).unknown:
                book.add(here, "`unknown` may hold and then no longer; a decision requires what has been found")
            continue
        statuses = dict(zip(STATUS_WORDS, allowed_statuses(clause), strict=True))
        for word in ("not_done", "pending"):
            if statuses[word]:
                book.add(here, f"`{word}` may hold and then no longer; a decision requires what has been done or tried")
        if statuses["failed"] and not statuses["done"] and book.items[name].attempts > 1:
            tries = book.items[name].attempts
            book.add(
                here,
                f"{name} may be tried {tries} times, so that `failed` need not last; write [done, failed], or attempts: 1",
            )


def _check_met(book: Book) -> None:
    s, reachable = book.scenario, reachable_items(book)
    for name, decision in s.decisions.items():
        for i, group in enumerate(decision.requires):
            if not can_hold(book, group, reachable):
                path = ("decisions", name, "requires", i)
                book.add(path, f"can never be met: nobody can have {' or '.join(group)}; change it")
    for name, vignette in s.vignettes.items():
        for i, wanted in enumerate(vignette.decide):
            if wanted in s.decisions:
                for group in s.decisions[wanted].requires:
                    plain = book.plain(group)
                    if not all(any(_may_be_met(book, vignette, *clause) for clause in one.items()) for one in plain):
                        path = ("vignettes", name, "decide", i)
                        found = " or ".join(group)
                        book.add(path, f"{wanted} requires {found}, which what is stated here rules out; change either")


def _may_be_met(book: Book, vignette: Vignette, name: str, clause: Any) -> bool:
    """Whether what a vignette states leaves room for a clause."""
    stated = vignette.findings | vignette.context
    if name in book.items or name not in stated:
        return True
    try:
        return allowed_values(book.axes[name], clause).values[stated_value(book.axes[name], stated[name])]
    except LanguageError:
        return True  # told where it is stated

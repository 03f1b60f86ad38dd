"""Lint rules on what decisions are worth: one figure or parts, and parts that can be added up."""

from __future__ import annotations

from workup.scenarios.language.endings import Worth, WorthComplication
from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.lint.tables import check_parents
from workup.scenarios.language.nesting import check_size
from workup.scenarios.language.vocabulary import SubPath
from workup.scenarios.language.worth import has_beds, leaves, not_in_parts, parents_of

_CORE = ("context", "condition", "comorbidity", "latent")
_NESTED = ("qaly", "cost_gbp", "bed_days", "own_cost_gbp", "transfer_gbp")
_NOT_NEGATIVE = ("cost_gbp", "bed_days", "own_cost_gbp")
_TAKEN = ("loss_gbp", "loss_qaly", "cost_gbp", "bed_days")
"""What a complication takes."""


def check_worths(book: Book) -> None:
    """Each decision says `utility` or `worth`, not both; parts hang on core variables and have the sign they should."""
    s = book.scenario
    for name, decision in s.decisions.items():
        path: SubPath = ("decisions", name)
        if decision.utility is not None and decision.worth is not None:
            book.add(
                (*path, "worth"), "what it is worth is said twice, as `utility` and as `worth`; remove one of the two"
            )
        elif decision.utility is None and decision.worth is None:
            book.add(path, "nothing says what it is worth; write `utility`, one figure for all, or `worth`, in parts")
        if decision.worth is None:
            if decision.utility is not None and check_parents(book, (*path, "given"), decision.given, _CORE):
                book.attempt((*path, "utility"), book.tables.nested, decision.given, decision.utility)
            continue
        if "given" in decision.model_fields_set and decision.utility is None:
            book.add((*path, "given"), "belongs to `utility`; of a worth in parts, write `given` inside `worth`")
        sound = len(book.faults)
        _check_parts(book, (*path, "worth"), decision.worth)
        if len(book.faults) == sound:
            together = [book.axes[parent] for parent in parents_of(decision)]
            book.attempt((*path, "worth"), check_size, together)
        if s.utility.bed_day_gbp is None and has_beds(decision.worth):
            book.add(
                (*path, "worth"),
                "takes bed days, but nothing says what one costs; write `bed_day_gbp` under `utility`, with its source",
            )
    if (s.utility.bed_day_gbp or 0.0) < 0:
        book.add(
            ("utility", "bed_day_gbp"),
            f"found {s.utility.bed_day_gbp:g}; expected 0 or more (a cost, written as positive)",
        )
    if s.utility.perspective != "nhs" and (whole := not_in_parts(s)):
        book.add(
            ("utility", "perspective"),
            f"needs what decisions are worth in parts, for in one figure health and what the NHS pays cannot be told apart; "
            f"{', '.join(whole)} say `utility`: write `worth` there",
        )


def _check_parts(book: Book, path: SubPath, worth: Worth) -> None:
    if check_parents(book, (*path, "given"), worth.given, _CORE):
        for part in _NESTED:
            book.attempt((*path, part), book.tables.nested, worth.given, getattr(worth, part))
    for part in _NOT_NEGATIVE:
        low = min(leaves(getattr(worth, part)), default=0.0)
        if low < 0:
            book.add((*path, part), f"found {low:g}; expected 0 or more (costs and bed days are written as positive)")
    for name, complication in worth.complications.items():
        _check_complication(book, (*path, "complications", name), complication)


def _check_complication(book: Book, path: SubPath, of: WorthComplication) -> None:
    if check_parents(book, (*path, "given"), of.given, _CORE):
        book.attempt(path, book.tables.expected, of)
    for part in _TAKEN:
        if getattr(of, part) < 0:
            book.add(
                (*path, part), f"found {getattr(of, part):g}; expected 0 or more (what it takes is written as positive)"
            )
    if of.loss_gbp and of.loss_qaly:
        book.add((*path, "loss_gbp"), "its harm is said in pounds and in QALYs; write one of the two")
    if not any(getattr(of, part) for part in _TAKEN):
        book.add(path, f"takes nothing; write {', '.join(_TAKEN[:-1])} or {_TAKEN[-1]}, or remove it")

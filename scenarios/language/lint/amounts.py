"""Lint rules on amounts that differ by patient, on benefits of acts, and on what a contraindication may cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workup.scenarios.language.amounts import Amount
from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.lint.tables import check_parents
from workup.scenarios.language.tables import amounts
from workup.scenarios.language.vocabulary import CORE_KINDS, SubPath

_MEND = "let it depend on context, the condition, comorbidities or latent findings"


def check_amounts(book: Book) -> None:
    """Every amount is whole, in one unit, and depends on what is true of the patient; only benefits may be negative."""
    for path, amount in amounts(book.scenario):
        _check_amount(book, path, amount)
        if path[-1] != "benefit":
            for inner, number in _numbers(getattr(amount, unit_of(amount)), (*path, unit_of(amount))):
                if number < 0:
                    book.add(inner, f"found {number:g}; expected 0 or more (costs and losses are written as positive)")
    for name, act in book.scenario.acts.items():
        if act.benefit is not None:
            _check_benefit(book, name)
    _check_forbidding(book)


def unit_of(amount: Amount) -> str:
    """'gbp' or 'qaly'."""
    return "gbp" if amount.gbp is not None else "qaly"


def _check_amount(book: Book, path: SubPath, amount: Amount) -> None:
    said = [unit for unit in ("gbp", "qaly") if getattr(amount, unit) is not None]
    if len(said) != 1:
        found = " and ".join(said) or "neither"
        book.add(path, f"found {found}; expected exactly one of `gbp` (pounds) and `qaly`, with numbers under `given`")
        return
    findings = [name for name in amount.given if name in book.scenario.findings or name in book.scenario.acts]
    for name in findings:
        kind = "a finding, which may be wrong or missing" if name in book.scenario.findings else "an act"
        book.add((*path, "given"), f"{name} is {kind}; an amount hangs on what is true of the patient: {_MEND}")
    if path[-1] == "waiting_cost_gbp_per_day" and "condition" in amount.given:
        book.add((*path, "given"), "`condition`: a waiting cost stands under its condition already; leave it out here")
    elif not findings and check_parents(book, (*path, "given"), amount.given, tuple(CORE_KINDS)):
        book.attempt(path, book.tables.amount, amount)


def _numbers(nested: Any, path: SubPath) -> Iterator[tuple[SubPath, float]]:
    if isinstance(nested, dict):
        for key, inner in nested.items():
            yield from _numbers(inner, (*path, key))
    elif isinstance(nested, int | float) and not isinstance(nested, bool):
        yield path, nested


def _check_benefit(book: Book, name: str) -> None:
    act, path = book.scenario.acts[name], ("acts", name)
    if act.benefit is None:
        return
    if act.benefit_gbp:
        book.add(
            (*path, "benefit"), "`benefit_gbp` says what it is worth already; write all of it here, or all of it there"
        )
    wanted, here = act.benefit.when_decided, (*path, "benefit", "when_decided")
    if not wanted and "when_decided" in act.benefit.model_fields_set:
        book.add(here, "names no decision, so that it would never be paid; name some, or leave it out for any decision")
    for i, decision in enumerate(wanted):
        book.known((*here, i), decision, book.scenario.decisions, "decision")
    if len(set(wanted)) != len(wanted):
        book.add(here, "a decision is named twice; name it once")


def _check_forbidding(book: Book) -> None:
    """What follows from a finding follows from what is behind it: the finding itself only forbids."""
    for item, of in book.items.items():
        for i, against in enumerate(of.contraindicated):
            named = [name for name in against.when if name in book.scenario.findings]
            if named and against.loss_gbp != 0.0:
                found = "an amount" if isinstance(against.loss_gbp, Amount) else f"{against.loss_gbp:g}"
                book.add(
                    (*book.item_path(item), "contraindicated", i, "loss_gbp"),
                    f"found {found}; {named[0]} is a finding, which shows what is wrong and harms nobody, so it only forbids: write "
                    "0, and let what is behind it (a comorbidity, the condition) contraindicate or raise a complication",
                )

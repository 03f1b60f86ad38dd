"""Lint rules on vignettes and calibration targets: what can be seen to be impossible without inference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.schema import OPENING, Ceilings, Expectation, Target, Vignette
from workup.scenarios.language.vocabulary import Axis, LanguageError, SubPath

_KINDS = ("must", "must_not", "one_of", "before", "within")
_TARGET_NEEDS = {
    "sensitivity": ("of", "among"),
    "specificity": ("of", "against"),
    "likelihood_ratio": ("of", "among", "against"),
    "predictive_value": ("of", "among"),
    "prevalence": ("among",),
}


def stated_value(axis: Axis, stated: Any) -> int:
    """Index of the value that a vignette states, as a word or as a number.

    Raises:
        LanguageError: it is neither a value of the variable nor a number in its range.
    """
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return axis.cell_of(stated)
    if not isinstance(stated, str):
        raise LanguageError(
            [((), f"found {stated!r}; expected one value of {axis.name}: {', '.join(axis.values[:12])}")]
        )
    meant = axis.meant_by(stated)
    if len(meant) != 1:
        raise LanguageError([((), f"{stated!r} covers several values of {axis.name}; state the number")])
    return meant[0]


def check_vignettes(book: Book) -> None:
    """Facts can be revealed, expectations name items, and none contradicts another or a ceiling."""
    s = book.scenario
    for name, vignette in s.vignettes.items():
        path: SubPath = ("vignettes", name)
        book.known((*path, "condition"), vignette.condition, s.conditions, "condition")
        _check_facts(book, (*path, "context"), vignette.context, [*s.context, *s.comorbidities])
        _check_facts(book, (*path, "findings"), vignette.findings, s.findings)
        if not vignette.decide:
            book.add((*path, "decide"), "names no acceptable decision; name at least one")
        for i, decision in enumerate(vignette.decide):
            book.known((*path, "decide", i), decision, s.decisions, "decision")
        for i, expectation in enumerate(vignette.expect):
            _check_expectation(book, (*path, "expect", i), expectation)
        complications = {complication for of in book.items.values() for complication in of.complications}
        for complication, risk in vignette.ceilings.risk.items():
            here = (*path, "ceilings", "risk", complication)
            book.known(here, complication, complications, "complication")
            if not 0 <= risk <= 1:
                book.add(here, f"found {risk:g}; expected a probability in [0, 1]")
        _check_possible(book, path, vignette)


def _check_facts(book: Book, path: SubPath, facts: Mapping[str, Any], known: Iterable[str]) -> None:
    names = list(known)
    for name, stated in facts.items():
        here = (*path, name)
        if book.known(here, name, names, f"variable that `{path[-1]}` may state"):
            book.attempt(here, stated_value, book.axes[name], stated)
            if name not in book.revealed_by and name not in book.known_at_start:
                book.add(here, "stated, but nothing reveals it, so no clinician could act on it; remove it")


def _check_expectation(book: Book, path: SubPath, expectation: Expectation) -> None:
    kinds = [kind for kind in _KINDS if getattr(expectation, kind) is not None]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none"
        book.add(path, f"found {found}; an expectation is exactly one of: {', '.join(_KINDS)}")
    for kind in kinds:
        names = getattr(expectation, kind)
        if not names:
            book.add((*path, kind), "is empty; name at least one item")
        for i, name in enumerate(names):
            here = (*path, kind, name if kind == "within" else i)
            book.known(here, name, book.items, "investigation or act")
    if expectation.before is not None and expectation.before[0] == expectation.before[1]:
        book.add((*path, "before"), "an item cannot come before itself; name two items")
    if expectation.when is not None:
        book.clauses((*path, "when"), expectation.when)
    if expectation.at is not None and expectation.at < 1:
        book.add((*path, "at"), f"found visit {expectation.at}; the first visit is 1")


def _check_possible(book: Book, path: SubPath, vignette: Vignette) -> None:
    """What must always be done is neither forbidden nor above a ceiling by its price alone."""
    always = [e for e in vignette.expect if e.when is None and e.at is None]
    must = list(dict.fromkeys(name for e in always for name in e.must or () if name in book.items))
    for i, expectation in enumerate(vignette.expect):
        if expectation.at is not None or expectation.when is not None:
            continue
        for name in expectation.must_not or ():
            if name in must:
                book.add((*path, "expect", i, "must_not"), f"{name} must and must not be done; keep one of the two")
    for key, (needed, unit) in _least(book, must).items():
        ceiling = getattr(vignette.ceilings, key)
        if ceiling is not None and needed > ceiling + 1e-9:
            message = f"{', '.join(must)} alone come to {needed:g} {unit}, above the ceiling of {ceiling:g}; raise it"
            book.add((*path, "ceilings", key), f"{message}, or expect less")
    _check_ceilings(book, (*path, "ceilings"), vignette.ceilings)


def _least(book: Book, must: list[str]) -> dict[str, tuple[float, str]]:
    set_ups = {book.items[name].set_up for name in must}
    shared = sum(of.cost_gbp for name, of in book.scenario.set_ups.items() if name in set_ups)
    tests = [
        name
        for name in must
        if name in book.scenario.investigations and book.scenario.investigations[name].tier not in OPENING
    ]
    return {
        "cost_gbp": (sum(book.items[name].cost_gbp for name in must) + shared, "pounds"),
        "dose_msv": (sum(book.items[name].dose_msv for name in must), "mSv"),
        "tests": (len(tests), "tests"),
    }


def _check_ceilings(book: Book, path: SubPath, ceilings: Ceilings) -> None:
    for key in ("cost_gbp", "dose_msv", "harm_gbp", "tests"):
        ceiling = getattr(ceilings, key)
        if ceiling is not None and ceiling < 0:
            book.add((*path, key), f"found {ceiling:g}; a ceiling is 0 or more")


def check_targets(book: Book) -> None:
    """Each has the groups its measure needs, on variables that exist."""
    for name, target in book.scenario.targets.items():
        path: SubPath = ("targets", name)
        _check_groups(book, path, target)
        if target.tolerance <= 0:
            book.add((*path, "tolerance"), f"found {target.tolerance:g}; expected more than 0")
        if target.measure == "likelihood_ratio":
            if target.value <= 0:
                book.add((*path, "value"), f"found {target.value:g}; a likelihood ratio is above 0")
        elif not 0 <= target.value <= 1:
            book.add((*path, "value"), f"found {target.value:g}; a {target.measure} is a probability in [0, 1]")


def _check_groups(book: Book, path: SubPath, target: Target) -> None:
    needs = _TARGET_NEEDS[target.measure]
    kinds = ("context", "condition", "comorbidity", "latent", "finding")
    for key in ("of", "among", "against"):
        when = getattr(target, key)
        if key in needs and not when:
            book.add(path, f"a {target.measure} needs `{key}`: {', '.join(needs)}")
        if when and key not in needs and not (target.measure == "prevalence" and key == "against"):
            book.add((*path, key), f"a {target.measure} does not use `{key}`; remove it")
        alternatives = [((*path, key), when)]
        if not isinstance(when, dict):
            alternatives = [((*path, key, i), alternative) for i, alternative in enumerate(when)]
        for here, alternative in alternatives:
            book.truths(here, alternative, kinds)

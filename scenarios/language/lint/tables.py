"""Lint rules on laws: who depends on whom, and that every number stands where it belongs."""

from __future__ import annotations

import json

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.lint.values import check_values
from workup.scenarios.language.schema import Distribution, Refusal, Variable
from workup.scenarios.language.vocabulary import SubPath

_CORE = ("context", "condition", "comorbidity", "latent")
_PARENTS = {
    "context": ("context",),
    "comorbidities": ("context", "condition", "comorbidity"),
    "latent": _CORE,
    "findings": (*_CORE, "finding", "act"),
}
_LAW_KEYS = ("mean", "sd", "median", "sigma")


def check_variables(book: Book) -> None:
    """Values, bands and laws of every variable, and the prior."""
    for name, (section, variable) in book.variables.items():
        path: SubPath = (section, name)
        sound = check_values(book, path, variable)
        if _check_distribution(book, path, variable, _PARENTS[section]) and sound:
            book.attempt(path, book.tables.variable, name)
    if _check_distribution(book, ("prior",), book.scenario.prior, ("context", "comorbidity")):
        book.attempt(("prior",), book.tables.variable, "condition")
    _check_cycles(book)
    _check_children(book)


def check_chances(book: Book) -> None:
    """Complications, incidental findings, refusals and mechanisms."""
    t = book.tables
    for item, of in book.items.items():
        path = book.item_path(item)
        for name, complication in of.complications.items():
            here = (*path, "complications", name)
            if _check_distribution(book, here, complication, _CORE):
                book.attempt(here, t.complication, item, name)
        if of.incidental is not None and _check_distribution(book, (*path, "incidental"), of.incidental, _CORE):
            book.attempt((*path, "incidental"), t.incidental, item)
        if of.refusable is not None:
            _check_refusal(book, item, of.refusable)
    for name, mechanism in book.scenario.availability.items():
        here = ("availability", name)
        if _check_distribution(book, here, mechanism, (*_CORE, "finding")):
            book.attempt(here, t.mechanism, name)
        for affected in mechanism.affects if mechanism.reported is not None else ():
            if affected in book.scenario.findings and mechanism.kind == "corrupted":
                book.attempt((*here, "reported"), t.reported, name, affected)


def _check_refusal(book: Book, item: str, refusal: Refusal) -> None:
    path = (*book.item_path(item), "refusable")
    if (refusal.when is None) == (refusal.chance is None):
        book.add(path, "who refuses? give either `when` (all for whom it holds) or `chance`")
    elif refusal.when is not None:
        if not refusal.when:
            book.add((*path, "when"), "is empty, so that everybody refuses; name a preference, or remove the item")
        book.truths((*path, "when"), refusal.when, _CORE)
    elif _check_distribution(book, path, refusal, _CORE):
        book.attempt(path, book.tables.refusal, item)


def _check_distribution(book: Book, path: SubPath, of: Distribution, kinds: tuple[str, ...]) -> bool:
    """Form of a law and its parents; whether it is sound enough to be expanded."""
    before = len(book.faults)
    laws = [key for key in ("chance", "table", "law") if getattr(of, key) is not None]
    is_variable = isinstance(of, Variable)
    if len(laws) != 1:
        found = " and ".join(laws) or "none"
        expected = "`chance`, `table` or `law`" if is_variable else "`chance`"
        if not is_variable and path == ("prior",):
            expected = "`table`"
        book.add(path, f"found {found}; expected exactly one of {expected}")
    elif not is_variable and laws[0] != ("table" if path == ("prior",) else "chance"):
        book.add((*path, laws[0]), f"found {laws[0]}; expected `{'table' if path == ('prior',) else 'chance'}` here")
    if "law" not in laws:
        for key in _LAW_KEYS:
            if getattr(of, key) is not None:
                book.add(
                    (*path, key), f"`{key}` belongs to a `law`; add `law: normal` or `law: lognormal`, or remove it"
                )
    elif of.modifiers:
        book.add((*path, "modifiers"), "a `law` cannot be modified by odds; write its parameters under `given`")
    check_parents(book, (*path, "given"), of.given, kinds)
    for i, modifier in enumerate(of.modifiers):
        here: SubPath = (*path, "modifiers", i)
        if not modifier.when:
            book.add((*here, "when"), "is empty; a modifier that always holds belongs into the table itself")
        if modifier.odds == {}:
            book.add((*here, "odds"), "is empty; name a value and its factor, or remove the modifier")
        same = [
            m
            for m in of.modifiers[:i]
            if json.dumps(m.when, sort_keys=True) == json.dumps(modifier.when, sort_keys=True)
        ]
        if same:
            book.add((*here, "when"), "the same patients are modified twice; write one modifier for them")
        book.truths((*here, "when"), modifier.when, [kind for kind in kinds if kind != "act"])
    return len(book.faults) == before


def check_parents(book: Book, path: SubPath, given: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
    """Whether what a table depends on may be depended on: variables of these kinds, each once."""
    allowed = [name for name, axis in book.axes.items() if axis.kind in kinds]
    found = [book.known((*path, i), name, allowed, "variable on which this may depend") for i, name in enumerate(given)]
    if len(set(given)) != len(given):
        book.add(path, "a variable is named twice; name it once")
    acts = [name for name in given if name in book.scenario.acts]
    if len(acts) > 1:
        book.add(path, f"depends on {', '.join(acts)}; a finding may depend on one act at most")
    return all(found)


def _parents(book: Book, name: str) -> list[str]:
    of: Distribution = book.scenario.prior if name == "condition" else book.variables[name][1]
    return [parent for parent in book.tables.parents(of) if parent == "condition" or parent in book.variables]


def _check_cycles(book: Book) -> None:
    done: set[str] = set()
    for start in ("condition", *book.variables):
        _visit(book, start, [], done)


def _visit(book: Book, name: str, trail: list[str], done: set[str]) -> None:
    """Follow the parents of `name`; coming back to the trail is a cycle."""
    if name in trail:
        cycle = trail[trail.index(name) :]
        path: SubPath = ("prior",) if name == "condition" else (book.variables[name][0], name)
        book.add(path, f"depends on itself: {' <- '.join([*cycle, name])}; remove one of these from `given`")
    elif name not in done:
        for parent in _parents(book, name):
            _visit(book, parent, [*trail, name], done)
        done.add(name)


def _check_children(book: Book) -> None:
    """A number as evidence, or a finding that an act changes, must be a leaf."""
    for name, (section, variable) in book.variables.items():
        for parent in book.tables.parents(variable):
            if parent not in book.variables:
                continue
            of = book.variables[parent][1]
            path: SubPath = (section, name, "given")
            if of.evidence == "number":
                book.add(
                    path, f"{parent} is a number as evidence, which nothing may depend on; use `evidence: band` there"
                )
            elif any(act in book.scenario.acts for act in of.given):
                book.add(
                    path, f"{parent} changes with an act, so nothing may depend on it; depend on its causes instead"
                )

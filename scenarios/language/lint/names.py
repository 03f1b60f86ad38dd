"""Lint rules on names: one meaning each, and every reference finds what it names."""

from __future__ import annotations

import re

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.schema import OPENING, Mechanism, Orderable
from workup.scenarios.language.vocabulary import RESERVED, SubPath

_NAME = re.compile(r"[A-Za-z0-9_]+")
_VARIABLES = ("context", "conditions", "groups", "comorbidities", "latent", "findings")
_SHARED = (*_VARIABLES, "scores", "investigations", "acts", "order_sets", "decisions")
_OWN = ("set_ups", "resources", "availability", "rewards", "guideline_versions", "vignettes", "targets")


def check_names(book: Book) -> None:
    """Names are well formed, not reserved, and mean one thing."""
    if not _NAME.fullmatch(book.scenario.id):
        book.add(("id",), "an id has letters, digits and underscores only")
    first: dict[str, str] = {}
    for section in (*_SHARED, *_OWN):
        for name in getattr(book.scenario, section):
            if not _NAME.fullmatch(name):
                book.add((section, name), "a name has letters, digits and underscores only")
            if name in RESERVED:
                book.add((section, name), f"{name!r} is a word of the language; choose another name")
            if section in _SHARED and first.setdefault(name, section) != section:
                book.add((section, name), f"also the name of an entry in {first[name]}; give one of them another name")


def check_who(book: Book) -> None:
    """Nothing is called reviewed without a reviewer: one who is named, or one who signed."""
    who = book.scenario.who
    if who.status == "reviewed" and not who.reviewers and not book.scenario.reviews:
        book.add(("who", "status"), "reviewed by whom? say draft, and let the reviewer run `workup sign`")
    if not who.authors:
        book.add(("who", "authors"), "names nobody; a scenario has at least one author")


def check_references(book: Book) -> None:
    """Groups, sets, decisions, progression and factors name things that exist."""
    s = book.scenario
    for name, members in s.groups.items():
        for i, member in enumerate(members):
            book.known(("groups", name, i), member, s.conditions, "condition")
        if len(set(members)) != len(members) or not members:
            book.add(("groups", name), "a group names at least one condition, each once")
    for name, condition in s.conditions.items():
        if condition.progression is not None:
            path = ("conditions", name, "progression", "to")
            if (
                book.known(path, condition.progression.to, s.conditions, "condition")
                and condition.progression.to == name
            ):
                book.add(path, "a condition cannot progress to itself; name the worse condition")
    for name, decision in s.decisions.items():
        if not decision.right_for:
            book.add(
                ("decisions", name, "right_for"), "names nothing; name the conditions or groups that it is right for"
            )
        for i, word in enumerate(decision.right_for):
            book.known(("decisions", name, "right_for", i), word, book.conditions_and_groups(), "condition or group")
    for act, of in s.acts.items():
        for key in ("waiting_factor", "progression_factor", "benefit_gbp"):
            numbers = getattr(of, key)
            if numbers:
                book.attempt(("acts", act, key), book.tables.by_condition, numbers, 0.0)
    _check_right_decisions(book)


def _check_right_decisions(book: Book) -> None:
    s = book.scenario
    right = {word for decision in s.decisions.values() for word in decision.right_for}
    right |= {member for word in right for member in s.groups.get(word, ())}
    for name in s.conditions:
        if name not in right:
            book.add(("conditions", name), "no decision is `right_for` this condition; add it to one")


def check_items(book: Book) -> None:
    """Investigations, acts and order sets refer to things that exist and can be revealed."""
    for item, of in book.items.items():
        path = book.item_path(item)
        _check_reveals(book, item, of)
        if of.set_up is not None:
            book.known((*path, "set_up"), of.set_up, book.scenario.set_ups, "entry of set_ups")
        if of.uses is not None:
            book.known((*path, "uses"), of.uses, book.scenario.resources, "entry of resources")
    for item, of in book.scenario.investigations.items():
        if not of.reveals and of.tier not in OPENING:
            book.add(("investigations", item), "reveals nothing; name its findings under `reveals`, or make it an act")
    for tier in OPENING:
        if all(of.tier != tier for of in book.scenario.investigations.values()):
            book.add(("investigations",), f"no investigation has the tier {tier}; a journey starts with one")
    _check_sets(book)


def _check_reveals(book: Book, item: str, of: Orderable) -> None:
    path = (*book.item_path(item), "reveals")
    for i, name in enumerate(of.reveals):
        here = (*path, i)
        if name in book.scenario.latent:
            book.add(here, f"{name} is latent and never revealed; reveal a finding given it")
        elif book.known(here, name, book.observables(), "variable that can be revealed"):
            if name in book.known_at_start:
                book.add(here, f"{name} is known at the start already; remove it here or there")
            if book.revealed_by[name] != item or of.reveals.index(name) != i:
                book.add(here, f"{name} is also revealed by {book.revealed_by[name]}; one item reveals a variable")


def _check_sets(book: Book) -> None:
    s = book.scenario
    for name, order_set in s.order_sets.items():
        path: SubPath = ("order_sets", name, "members")
        for i, member in enumerate(order_set.members):
            if member in s.acts:
                book.add((*path, i), f"{member} is an act; a set orders investigations")
            else:
                book.known((*path, i), member, s.investigations, "investigation")
        if len(set(order_set.members)) != len(order_set.members) or len(order_set.members) < 2:
            book.add(path, "a set has at least two different members; for one, order it alone")


def check_revealed(book: Book) -> None:
    """Whatever a clinician could learn is revealed by something."""
    for section in ("context", "findings"):
        for name in getattr(book.scenario, section):
            if name not in book.revealed_by and name not in book.known_at_start:
                mend = "add it to the `reveals` of an investigation or act, or make it latent"
                book.add((section, name), f"nothing reveals it, so nobody can ever learn it; {mend}")


def check_mechanisms(book: Book) -> None:
    """Availability mechanisms strike what their kind can strike."""
    for name, mechanism in book.scenario.availability.items():
        path: SubPath = ("availability", name)
        on_items = mechanism.kind in ("fails", "unobtainable")
        known = book.scenario.investigations if on_items else book.scenario.findings
        if not mechanism.affects:
            book.add((*path, "affects"), "affects nothing; name at least one")
        for i, affected in enumerate(mechanism.affects):
            kind = "investigation" if on_items else "finding"
            book.known((*path, "affects", i), affected, known, f"{kind} (what {mechanism.kind} affects)")
        _check_own_finding(book, path, mechanism)
        if (mechanism.kind == "corrupted") != (mechanism.reported is not None):
            mend = "is needed for" if mechanism.reported is None else "is only for"
            book.add(
                (*path, "reported"), f"`reported` {mend} kind corrupted: {{true value: {{reported value: chance}}}}"
            )
    _check_one_mechanism_each(book)


def _check_own_finding(book: Book, path: SubPath, mechanism: Mechanism) -> None:
    own = own_findings(book, mechanism)
    for name in book.tables.parents(mechanism):
        if name in book.scenario.findings and name not in own:
            message = f"{name} is not the finding affected; a mechanism may depend on context, condition, "
            book.add(
                (*path, "given"), message + f"comorbidities, latent findings and its own finding ({', '.join(own)})"
            )
    named = [name for name in book.tables.parents(mechanism) if name in own]
    if len(named) > 1 or (named and mechanism.given[-1:] != (named[0],)):
        book.add((*path, "given"), "the affected finding stands once, last in `given`")


def own_findings(book: Book, mechanism: Mechanism) -> list[str]:
    """Findings that every affected item reveals, or the one finding affected."""
    if mechanism.kind in ("withheld", "corrupted"):
        return list(mechanism.affects) if len(mechanism.affects) == 1 else []
    affected = [book.items[name].reveals for name in mechanism.affects if name in book.items]
    return [name for name in book.scenario.findings if affected and all(name in reveals for reveals in affected)]


def _check_one_mechanism_each(book: Book) -> None:
    struck: dict[tuple[str, str], str] = {}
    for name, mechanism in book.scenario.availability.items():
        if mechanism.kind in ("withheld", "corrupted"):
            for affected in mechanism.affects:
                other = struck.setdefault((mechanism.kind, affected), name)
                if other != name:
                    message = f"{affected} is {mechanism.kind} by {other} already; write one mechanism for both reasons"
                    book.add(("availability", name, "affects"), message)

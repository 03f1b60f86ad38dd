"""Lint rules on a finding that says how another has changed: `change_of` and `after`."""

from __future__ import annotations

from typing import Any

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.schema import Finding, Orderable
from workup.scenarios.language.vocabulary import LanguageError, SubPath, allowed_statuses, allowed_values
from workup.wording import time_in_words


def check_changes(book: Book) -> None:
    """A change is of something seen before, is categorical, hangs on causes alone, and takes its time."""
    for name, of in book.scenario.findings.items():
        path: SubPath = ("findings", name)
        if of.change_of is None or of.after is None:
            for here, other in (("change_of", "after"), ("after", "change_of")):
                if getattr(of, here) is not None:
                    book.add((*path, here), f"`{here}` needs `{other}`: what changed, and after how long")
            continue
        if of.after <= 0:
            book.add((*path, "after"), "found no time; write after how long it is looked at again, for example '48 h'")
        if of.bands is not None or of.evidence == "number":
            message = "a change is said in words, not as a number; give `values`, such as [fell, same, rose]"
            book.add((*path, "bands" if of.bands is not None else "evidence"), message)
        _check_causes(book, name, of)
        if _check_first(book, name, of.change_of) and name in book.revealed_by:
            _check_second(book, name, of, book.revealed_by[name])


def _check_first(book: Book, name: str, first: str) -> bool:
    """Whether what changed is something that has an order and is revealed."""
    path: SubPath = ("findings", name, "change_of")
    others = [other for other in book.scenario.findings if other != name]
    if not book.known(path, first, others, "other finding"):
        return False
    of = book.scenario.findings[first]
    if of.change_of is not None:
        book.add(path, f"{first} is itself a change; name the finding that was seen first, {of.change_of}")
    elif of.bands is None and of.evidence == "band" and not of.ordinal:
        message = (
            f"{first} has no order, so nothing in it can fall or rise; say `ordinal: true` there, or name a number"
        )
        book.add(path, message)
    return first in book.revealed_by


def _check_causes(book: Book, name: str, of: Finding) -> None:
    """Given its causes a change is independent of every finding, so that no finding need be kept as a hidden state."""
    named = [parent for parent in book.tables.parents(of) if parent in book.scenario.findings]
    if named:
        why = "a value that mattered would be a hidden state of its own, and multiply all others"
        mend = "name what is behind both, such as `condition`, a latent finding or an act"
        book.add(("findings", name, "given"), f"a change does not depend on a finding, here {named[0]}: {why}; {mend}")


def _check_second(book: Book, name: str, of: Finding, item: str) -> None:
    """The item that reveals a change comes after the first, and takes all of the time between."""
    path, first = book.item_path(item), book.revealed_by[str(of.change_of)]
    second, label = book.items[item], book.items[first].label
    if item == first:
        book.add(
            (*path, "reveals"),
            f"shows {of.change_of} and how it changed; a change needs an item of its own, ordered later",
        )
        return
    if not any(_is_after(book, group, first) for group in second.requires):
        message = f"shows how {of.change_of} changed, so {label} comes first; write `requires: [{{{first}: done}}]`"
        book.add((*path, "requires") if second.requires else path, message)
    if second.turnaround != of.after:
        found, wanted = time_in_words(second.turnaround) or "no time", time_in_words(float(of.after or 0))
        message = (
            f"found {found}; {name} is seen after {wanted}, all of which the item takes: write that, or leave it out"
        )
        book.add((*path, "turnaround"), message)
    if second.attempts > 1:
        book.add(
            (*path, "attempts"), f"tried again it would be later than `after`, and {name} another change; leave it at 1"
        )


def _is_after(book: Book, group: dict[str, Any], first: str) -> bool:
    """Whether a requirement can only be met once an item has shown something."""
    return bool(group) and all(_says_done(book, clause, of, first) for clause, of in group.items())


def _says_done(book: Book, name: str, clause: Any, first: str) -> bool:
    revealed: Orderable = book.items[first]
    try:
        if name == first:
            return allowed_statuses(clause) == allowed_statuses("done")
        return name in revealed.reveals and not allowed_values(book.axes[name], clause).unknown
    except LanguageError:
        return True  # told where it stands

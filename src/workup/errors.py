"""The one tree of errors: where, what was found, what was expected, how to mend it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST_FAULT, _LONGEST_ERROR = 1_000, 4_000
"""Characters of a message that are shown, whatever a hostile or broken file holds."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def unprintable(text: str) -> str | None:
    """The first character that a terminal would act on rather than show, or that no file can hold; None if there is none."""
    found = _UNPRINTABLE.search(text)
    return found[0] if found else None


def shown(text: str, most: int = _LONGEST_ERROR) -> str:
    """A text that is safe to show: cut in its middle to about `most` characters, unprintable ones written as escapes."""
    if len(text) > most:
        text = f"{text[: most * 2 // 3]} ... ({len(text):,} characters) ... {text[-most // 3 :]}"
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


class WorkupError(Exception):
    """Base of every error that workup raises on purpose. What it says is bounded, and safe on a terminal.

    It says where, what was found, what was expected and how to mend it. Kinds of it are in `workup.errors`.

    Examples:
        >>> import workup
        >>> workup.load_scenario("tutorail")
        Traceback (most recent call last):
        workup.errors.UnknownNameError: no scenario and no path 'tutorail'; did you mean 'tutorial'?
    """

    def __str__(self) -> str:
        return shown(super().__str__())


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a file, at `path:line`, or `path:line:column` where the column is told."""

    path: str
    line: int
    message: str
    """What was found, what was expected and how to mend it; bounded, and safe on a terminal."""
    column: int | None = None
    """From 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", shown(self.message, _LONGEST_FAULT))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{'' if self.column is None else f'{self.column}:'} {self.message}"


class ScenarioError(WorkupError):
    """Every fault of a scenario, together."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))

    def __str__(self) -> str:
        return str(self.args[0])


class FileFormatError(WorkupError):
    """A file (network, policy, records) that is not what it should be."""


class UnknownNameError(WorkupError):
    """A name that does not exist where it was looked up; the message lists what does."""


class PlanningRefused(WorkupError):  # noqa: N818
    """A planner was asked for what it cannot treat exactly; the message gives reason and size."""


class ImpossibleEvidence(WorkupError):  # noqa: N818
    """Evidence that has probability zero under the model."""


class InternalError(WorkupError):
    """A fault of workup itself: something that cannot happen did. Please report it, with the command that led to it."""


class WorkupWarning(UserWarning):
    """Something was accepted that the user should know of, such as rows normalised within a stated tolerance."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for the nearest known name, or a list of what there is."""
    names = [entry for entry in known if entry]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; expected one of: {listed or '(none are defined)'}"


def in_words(found: Any) -> str:
    """What was written, in so many words: `nothing`, `yes` in place of True, a text in quotes, cut if it is long."""
    if found is None:
        return "nothing"
    shown = str(found).lower() if isinstance(found, bool) else repr(found)
    return shown if len(shown) < 60 else shown[:57] + "..."


def number_hint(found: Any) -> str:
    """How a text that was meant as a number is written."""
    if not isinstance(found, str):
        return ""
    bare = found.strip().replace(",", ".")
    if re.fullmatch(r"[0-9.]+\s*%", bare):
        share = bare.rstrip("% ")
        return f"; write {float(share) / 100:g} for {share}%" if share.count(".") < 2 else ""
    inner = re.sub(r"^£\s*|\s*[A-Za-z£/]+$", "", bare)
    if re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+", inner):
        return f"; write {inner}, the number alone, without quotes, sign or unit"
    return ""

"""Answers that are not a scenario yet, kept in its folder from the first one on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workup.authoring.dialogue import Given, Key
from workup.errors import WorkupError
from workup.files import UnreadableError, bytes_of, write_whole

FORMAT = 1
"""Grows when questions are no longer called as they were."""
DRAFT, SET_ASIDE = "answers.json", "answers-before.json"
_MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class Draft:
    """An interview as far as it has come."""

    year: int
    """Of the prices, unless another is answered; kept, so that an interview over New Year is one."""
    given: Given = field(default_factory=dict)
    earlier: Given = field(default_factory=dict)
    """Answers that were taken back, and are offered again."""


def write_draft(folder: Path, draft: Draft) -> None:
    """Write the answers so far: the old file or the new one is there, whatever happens.

    Raises:
        UnwritableError: it cannot be written there.
    """
    content = {
        "workup new": FORMAT,
        "year": draft.year,
        "answers": [[*key, answer] for key, answer in draft.given.items()],
        "taken back": [[*key, answer] for key, answer in draft.earlier.items() if key not in draft.given],
    }
    write_whole(folder / DRAFT, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def read_draft(folder: Path) -> Draft | None:
    """The answers kept in a folder; None if there are none.

    Raises:
        WorkupError: they cannot be read, or another version of workup wrote them; says what to do.
    """
    file = folder / DRAFT
    if not file.exists():
        return None
    remedy = f"`workup new {folder} --start-over` begins anew and keeps the file as {SET_ASIDE}"
    try:
        content = json.loads(bytes_of(file, _MOST_BYTES).decode("utf-8"))
    except UnreadableError as error:
        raise WorkupError(f"{error}; mend that, or {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise WorkupError(f"{file} is damaged ({error}); bring back a copy of it, or {remedy}") from None
    written = content.get("workup new") if isinstance(content, dict) else None
    if written != FORMAT and isinstance(written, int):
        raise WorkupError(
            f"{file} was written by another version of workup (format {written}; this one reads {FORMAT}); go on with "
            f"that version, or {remedy}"
        )
    try:
        return Draft(_year(content["year"]), _answers(content["answers"]), _answers(content["taken back"]))
    except (LookupError, TypeError, ValueError) as problem:
        raise WorkupError(
            f"{file} does not hold what `workup new` writes ({type(problem).__name__}: {problem}); bring back a copy of "
            f"it, or {remedy}"
        ) from None


def set_aside(folder: Path) -> bool:
    """Move the answers out of the way, over any that were moved before; whether there were any."""
    if not (folder / DRAFT).exists():
        return False
    (folder / DRAFT).replace(folder / SET_ASIDE)
    return True


def _year(found: Any) -> int:
    if not isinstance(found, int) or not 1900 <= found < 2100:
        raise ValueError(f"{found!r} is no year")
    return found


def _answers(rows: Any) -> dict[Key, str]:
    if not isinstance(rows, list):
        raise ValueError("answers are a list")
    for row in rows:
        if not isinstance(row, list) or len(row) < 3 or not all(isinstance(word, str) for word in row):
            raise ValueError(f"{row!r} is no answer with its question")
    return {tuple(row[:-1]): row[-1] for row in rows}

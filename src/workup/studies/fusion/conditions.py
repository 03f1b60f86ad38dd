"""Whose records a method learns from and is tested on, by a word: a policy of the task, or what is lost and how much of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from workup.errors import UnknownNameError, WorkupError, suggestion

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Task
    from workup.studies.fusion.tasks.records import Mechanism, Missing

MECHANISMS: Final = ("mcar", "mar", "outcome", "journeys")
MOST_PERCENT: Final = 80
SWAPPED: Final = "swapped_"
CORRUPTED: Final = ("interaction", "shortcut_interaction")
"""Tasks on which a method that learnt from sound records is tested where one modality is another patient's, and nothing says so."""
_LOST = re.compile(r"([a-z]+)(\d+)")


def condition(word: str, task: Task) -> tuple[str, Missing | None]:
    """A policy and what is lost besides.

    Args:
        word: `same`, `random`, `flipped`, ... or `mcar40`: 40% of the modalities lost under the policy `same`.
        task: whose policies they are.

    Raises:
        UnknownNameError: neither; names the nearest.
        WorkupError: more lost than 80%.
    """
    if word in task.policies:
        return word, None
    found = _LOST.fullmatch(word)
    if found is None or found[1] not in MECHANISMS:
        known = (*task.policies, *(f"{each}40" for each in MECHANISMS))
        raise UnknownNameError(f"{task.name} has no records {word!r}{suggestion(word, known)}")
    if not 0 < int(found[2]) <= MOST_PERCENT:
        raise WorkupError(f"records {word!r}: {found[2]}% lost; expected 1 to {MOST_PERCENT}")
    return "same", _missing(found[1], int(found[2]))


def judged_on(record: str, task: Task) -> dict[str, tuple[str, Missing | None]]:
    """By name, what a method that learnt from a record is tested on.

    Every policy of the task with as much lost and in the same way; where it was lost by outcome or by the journey, `mcar` too: as much
    lost by chance. (mar is another task: the history that it depends on is recorded.)
    """
    _, lost = condition(record, task)
    tests = {policy: (policy, lost) for policy in task.policies}
    if lost is not None and lost.mechanism in ("outcome", "journeys"):
        tests["mcar"] = "same", _missing("mcar", round(100 * lost.rate))
    return tests


def _missing(mechanism: str, percent: int) -> Missing:
    from workup.studies.fusion.tasks.records import Missing

    return Missing(rate=percent / 100, mechanism=cast("Mechanism", mechanism), keep_one=True)

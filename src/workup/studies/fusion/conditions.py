"""Whose records a method learns from and is tested on, by a word: a policy of the task, what is lost and how much of it, or what is left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from workup.errors import UnknownNameError, WorkupError, suggestion

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Task
    from workup.studies.fusion.tasks.records import Mechanism, Missing

MECHANISMS: Final = ("mcar", "mar", "outcome", "journeys")
MOST_PERCENT: Final = 80
SWAPPED: Final = "swapped_"
REVERSED: Final = "reversed"
CORRUPTED: Final = ("interaction", "shortcut_interaction")
"""Tasks on which a method that learnt from sound records is tested where one modality is another patient's, and nothing says so;
and where what came last comes first."""
_WORD = re.compile(r"(?:([a-z]+)(\d+))?(?:(?:^|_)without_([a-z]+))?")


class Records(NamedTuple):
    """What records hold."""

    policy: str
    """Who ordered."""
    missing: Missing | None = None
    """What is lost by chance besides."""
    left_out: str | None = None
    """What no record holds: see `left_out`."""


def condition(word: str, task: Task) -> Records:
    """What a word means.

    Args:
        word: `same`, `random`, `flipped`, ...; `mcar40`: 40% of the modalities lost under the policy `same`; `without_history`,
            `without_context`: no record holds it; `mar40_without_history`: nor the history by which modalities were lost.
        task: whose policies they are.

    Raises:
        UnknownNameError: neither; names the nearest.
        WorkupError: more lost than 80%, or nothing of the kind that could be left out.
    """
    if word in task.policies:
        return Records(word)
    found = _WORD.fullmatch(word)
    if found is None or not any(found.groups()) or found[1] not in (None, *MECHANISMS):
        known = (*task.policies, *(f"{each}40" for each in MECHANISMS), "without_history", "without_context")
        raise UnknownNameError(f"{task.name} has no records {word!r}{suggestion(word, known)}")
    lost, out = None, found[3]
    if found[1] is not None:
        if not 0 < int(found[2]) <= MOST_PERCENT:
            raise WorkupError(f"records {word!r}: {found[2]}% lost; expected 1 to {MOST_PERCENT}")
        unrecorded = found[1] == "mar" and out == "history"
        lost, out = _missing(found[1], int(found[2]), recorded=not unrecorded), None if unrecorded else out
    if out is not None:
        from workup.studies.fusion.left_out import without

        without(task, out)  # says what is wrong with it
    return Records("same", lost, out)


def judged_on(record: str, task: Task) -> dict[str, Records]:
    """By name, what a method that learnt from a record is tested on.

    Every policy of the task with as much lost or left out and in the same way; where it was lost by outcome or by the journey, `mcar`
    too: as much lost by chance. (mar is another task: the history that it depends on is recorded.)
    """
    of = condition(record, task)
    tests = {policy: of._replace(policy=policy) for policy in task.policies}
    if of.missing is not None and of.missing.mechanism in ("outcome", "journeys"):
        tests["mcar"] = Records("same", _missing("mcar", round(100 * of.missing.rate)))
    return tests


def _missing(mechanism: str, percent: int, *, recorded: bool = True) -> Missing:
    from workup.studies.fusion.tasks.records import Missing

    return Missing(rate=percent / 100, mechanism=cast("Mechanism", mechanism), keep_one=True, recorded=recorded)

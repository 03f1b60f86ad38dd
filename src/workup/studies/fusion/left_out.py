"""The same patients and orders, but something that tells how to read the rest is in no record."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.tasks.base import Bools, Drawn, Draws, Evidence, Task

LEFT_OUT: Final = ("history", "context")
"""history: what was known before any test. context: how something was taken, such as a film's projection or a core's site."""


def without(task: Task, what: str) -> Task:
    """The task with something left out of every record, and the exact scores of who does not know it.

    Raises:
        UnknownNameError: neither history nor context.
        WorkupError: the task has no such thing.
    """
    if what not in LEFT_OUT:
        raise UnknownNameError(f"nothing called {what!r} can be left out{suggestion(what, LEFT_OUT)}")
    has_history = task.draw(Draws(task.name, 0, 1), task.policies[0]).history is not None
    if not (has_history if what == "history" else task.context):
        raise WorkupError(f"{task.name} has no {what} that could be left out; expected a task such as {_SUCH[what]}")

    def ordered(draws: Draws, drawn: Drawn, policy: str) -> Bools:
        # Whoever ordered knew it.
        return task.ordered(draws, task.draw(draws, policy), policy)

    def draw(draws: Draws, policy: str) -> Drawn:
        drawn = task.draw(draws, policy)
        return replace(drawn, history=None) if what == "history" else replace(drawn, findings=_blank(task, drawn))

    def evidence(drawn: Drawn) -> Evidence:
        found = task.evidence(drawn)
        if what == "history":
            return found
        one, two = task.modalities
        return Evidence(found.alone, found.alone[one] + found.alone[two])

    return replace(task, draw=draw, ordered=ordered, evidence=evidence)


_SUCH: Final = {"history": "branch", "context": "reading_context or one_biopsy"}


def _blank(task: Task, drawn: Drawn) -> dict[str, np.ndarray]:
    """Findings with the column that tells the context at one half for everybody."""
    findings = dict(drawn.findings)
    for name, column in task.context.items():
        findings[name] = findings[name].copy()
        findings[name][:, column] = 0.5
    return findings

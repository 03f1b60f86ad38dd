"""The one tree of errors: where, what was found, what was expected, how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class WorkupError(Exception):
    """Base of every error that workup raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a file, at `path:line`."""

    path: str
    line: int
    message: str
    """What was found, what was expected and how to mend it."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class ScenarioError(WorkupError):
    """Every fault of a scenario, together."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class FileFormatError(WorkupError):
    """A file (network, policy, records) that is not what it should be."""


class UnknownNameError(WorkupError):
    """A name that does not exist where it was looked up; the message lists what does."""


class PlanningRefused(WorkupError):  # noqa: N818
    """A planner was asked for what it cannot treat exactly; the message gives reason and size."""


class ImpossibleEvidence(WorkupError):  # noqa: N818
    """Evidence that has probability zero under the model."""


class WorkupWarning(UserWarning):
    """Something was accepted that the user should know of, such as rows normalised within a stated tolerance."""

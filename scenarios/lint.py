"""Everything wrong with a scenario, all at once."""

from __future__ import annotations

from pathlib import Path

from workup.scenarios.errors import Fault, ScenarioError
from workup.scenarios.reader import Reading, read


def lint(path: Path) -> tuple[Fault, ...]:
    """Every fault of the scenario at `path`, in the order of its lines; empty if it is clean."""
    try:
        return check(path)[1]
    except ScenarioError as error:
        return error.faults


def check(path: Path) -> tuple[Reading, tuple[Fault, ...]]:
    """The reading and all its faults.

    Raises:
        ScenarioError: the file could not be read as YAML at all.
    """
    reading = read(path)
    faults = list(reading.faults)
    return reading, tuple(sorted(faults, key=lambda fault: (fault.path, fault.line)))

"""Journeys and conditions in the words a clinician uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.journeys import Journeys
from workup.envs.patient_model import FAILED, MISSING, PENDING, REFUSED, UNKNOWN
from workup.envs.world import World
from workup.scenarios.errors import UnknownNameError
from workup.scenarios.schema import Scenario, Variable, When


def duration(hours: float) -> str:
    """Hours as people say them: '20 min', '3 h', '5 days', '6 weeks'."""
    for unit, size, last in (
        ("min", 1 / 60, 1.0),
        ("h", 1.0, 48.0),
        ("days", 24.0, 24.0 * 21),
        ("weeks", 168.0, np.inf),
    ):
        if hours < last:
            return f"{hours / size:.3g} {unit}" if hours else "0 h"
    raise ValueError(f"{hours} hours is not a duration")


def label(scenario: Scenario, name: str) -> str:
    """What a clinician calls an investigation, act, order set or decision."""
    found = (
        scenario.investigations.get(name)
        or scenario.acts.get(name)
        or scenario.order_sets.get(name)
        or scenario.decisions.get(name)
    )
    if found is None:
        raise UnknownNameError(f"{name!r} is no investigation, act, order set or decision of {scenario.id}")
    return found.label


def variable(scenario: Scenario, name: str) -> Variable | None:
    """The variable of that name, wherever the scenario declares it; None for the condition itself."""
    for kind in (scenario.context, scenario.comorbidities, scenario.latent, scenario.findings):
        if name in kind:
            return kind[name]
    return None


def words(name: str) -> str:
    """A name of the file as words."""
    return name.replace("_", " ")


def action_label(world: World, action: int) -> str:
    """One action in words."""
    kind, _, name = world.actions[action].name.partition(" ")
    verb = {"order": "order", "set": "order", "act": "", "wait": "wait for results", "decide": "decide:"}[kind]
    return f"{verb} {label(world.scenario, name) if name else ''}".strip()


def when_in_words(scenario: Scenario, when: When) -> str:
    """A condition on revealed facts as a phrase."""
    if not isinstance(when, dict):
        return " or ".join(when_in_words(scenario, each) for each in when)
    return " and ".join(_clause(scenario, key, value) for key, value in when.items()) or "always"


def _clause(scenario: Scenario, key: str, value: Any) -> str:
    if key in scenario.investigations or key in scenario.acts:
        return f"{label(scenario, key)} is {_one_of(value)}"
    found = variable(scenario, key)
    name = words(key) if found is None else found.label.lower()
    unit = f" {found.unit}" if found is not None and found.unit else ""
    if isinstance(value, dict):
        parts = [f"{words(key)} {limit}{unit}" for key, limit in value.items() if key != "not"]
        return f"{name} is " + " and ".join(parts or [f"not {_one_of(value['not'])}"])
    return f"{name} is {_one_of(value)}"


def _one_of(value: Any) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    return " or ".join(words(str(each)) for each in values)


def result_in_words(world: World, observable: int, value: int, number: float) -> str:
    """A revealed value with its label, number and unit."""
    name = world.model.observables[observable]
    found = variable(world.scenario, name)
    text = words(name) if found is None else found.label
    if value == MISSING:
        return f"{text}: not reported"
    word = words(world.model.network.variable(name).values[value])
    if np.isnan(number) or found is None:
        return f"{text}: {word}"
    return f"{text}: {number:.3g} {found.unit or ''} ({word})"


def revealed_in_words(
    world: World, before: NDArray[np.int16], after: NDArray[np.int16], numbers: NDArray[np.float32]
) -> list[str]:
    """Everything in one journey that became known between two rows (O,) of revealed values."""
    new = np.flatnonzero((before == UNKNOWN) & (after != UNKNOWN))
    return [result_in_words(world, int(o), int(after[o]), float(numbers[o])) for o in new]


def journey_in_words(journeys: Journeys, row: int) -> tuple[str, ...]:
    """One recorded journey, a line for what is known at the start and one for each step."""
    world, events = journeys.world, journeys.events
    assert events is not None, "run the journeys with record=True"
    steps = np.flatnonzero(events.journey == row)
    known = world.model.n_known_at_start
    nothing = np.full(len(world.model.observables), UNKNOWN, np.int16)
    start = np.where(np.arange(len(nothing)) < known, events.values[steps[0]], UNKNOWN).astype(np.int16)
    lines = ["start: " + "; ".join(revealed_in_words(world, nothing, start, events.numbers[steps[0]]))]
    before, before_status = start, np.zeros(len(world.items), np.uint8)
    for number, step in enumerate(steps, start=1):
        after, status = events.values[step], events.status[step]
        facts = revealed_in_words(world, before, after, events.numbers[step])
        facts += _mishaps(world, before_status, status)
        when = duration(float(events.clock_h[step]))
        lines.append(
            f"{number}. at {when}: {action_label(world, int(events.action[step]))}"
            + (f" → {'; '.join(facts)}" if facts else "")
        )
        before, before_status = after, status
    return tuple(lines)


def _mishaps(world: World, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> list[str]:
    said = {FAILED: "no result", REFUSED: "refused", PENDING: "pending"}
    changed = np.flatnonzero(before != after)
    return [f"{label(world.scenario, world.items[i])}: {said[after[i]]}" for i in changed if after[i] in said]

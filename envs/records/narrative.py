"""Journeys in the words a clinician uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import FAILED, MISSING, PENDING, REFUSED, UNKNOWN
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.scenarios.language.schema import Finding, Scenario, Variable
from workup.scenarios.language.words.phrases import Phrases
from workup.wording import plain, time_in_words


def variable(scenario: Scenario, name: str) -> Variable | None:
    """The variable of that name, wherever the scenario declares it; None for the condition itself."""
    for kind in (scenario.context, scenario.comorbidities, scenario.latent, scenario.findings):
        if name in kind:
            return kind[name]
    return None


def action_label(world: World, action: int) -> str:
    """One action in words."""
    kind, _, name = world.actions[action].name.partition(" ")
    verb = {"order": "order", "set": "order", "act": "", "wait": "wait for results", "decide": "decide:"}[kind]
    return f"{verb} {Phrases(world.scenario).label(name) if name else ''}".strip()


def _word(world: World, observable: int, value: int) -> str:
    return plain(world.model.network.variable(world.model.observables[observable]).values[value])


def result_in_words(world: World, observable: int, value: int, number: float) -> str:
    """A revealed value with its label, number and unit."""
    name = world.model.observables[observable]
    found = variable(world.scenario, name)
    text = Phrases(world.scenario).label(name)
    if value == MISSING:
        return f"{text}: not reported"
    word = _word(world, observable, value)
    if isinstance(found, Finding) and found.change_of is not None and found.after is not None:
        first = Phrases(world.scenario).brief(found.change_of)
        return f"{text}: {word} ({first} after {time_in_words(found.after)})"
    if np.isnan(number) or found is None:
        return f"{text}: {word}"
    return f"{text}: {number:.3g} {found.unit or ''} ({word})"


def revealed_in_words(
    world: World, before: NDArray[np.int16], after: NDArray[np.int16], numbers: NDArray[np.float32]
) -> list[str]:
    """Everything in one journey that became known between two rows (O,) of revealed values."""
    new = np.flatnonzero((before == UNKNOWN) & (after != UNKNOWN))
    negative = [int(o) for o in new if after[o] >= 0 and _word(world, int(o), int(after[o])) == "no"]
    rest = [int(o) for o in new if int(o) not in negative] if len(negative) > 3 else [int(o) for o in new]
    told = [result_in_words(world, o, int(after[o]), float(numbers[o])) for o in rest]
    if len(negative) > 3:
        labels = Phrases(world.scenario)
        told.append(f"no to: {', '.join(labels.label(world.model.observables[o]) for o in negative)}")
    return told


def journey_in_words(journeys: Journeys, row: int) -> tuple[str, ...]:
    """One recorded journey, a line for what is known at the start and one for each step.

    Raises:
        WorkupError: the journeys were run without record=True.
    """
    world, events = journeys.world, journeys.recorded()
    steps = np.flatnonzero(events.journey == row)
    known = world.model.n_known_at_start
    nothing = np.full(len(world.model.observables), UNKNOWN, np.int16)
    start = np.where(np.arange(len(nothing)) < known, events.values[steps[0]], UNKNOWN).astype(np.int16)
    at_start = "; ".join(revealed_in_words(world, nothing, start, events.numbers[steps[0]]))
    lines = [f"start: {at_start or 'nothing is known'}"]
    before, before_status = start, np.zeros(len(world.items), np.uint8)
    for number, step in enumerate(steps, start=1):
        after, status = events.values[step], events.status[step]
        facts = revealed_in_words(world, before, after, events.numbers[step])
        facts += mishaps_in_words(world, before_status, status)
        when = time_in_words(float(events.clock_h[step]))
        lines.append(
            f"{number}. at {when}: {action_label(world, int(events.action[step]))}"
            + (f" → {'; '.join(facts)}" if facts else "")
        )
        before, before_status = after, status
    return tuple(lines)


def mishaps_in_words(world: World, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> list[str]:
    """Items of one journey that failed, were refused or are pending since the status (I,) before."""
    said = {FAILED: "no result", REFUSED: "refused", PENDING: "pending"}
    changed = np.flatnonzero(before != after)
    return [f"{Phrases(world.scenario).label(world.items[i])}: {said[after[i]]}" for i in changed if after[i] in said]


def action(world: World, index: int) -> str:
    """What an action is called: the label of the test, set, act or decision."""
    chosen, scenario = world.actions[index], world.scenario
    if chosen.kind == "wait":
        return "Wait for results"
    if chosen.kind == "decide":
        return scenario.decisions[world.decisions[chosen.decision]].label
    if chosen.kind == "set":
        return scenario.order_sets[chosen.name.partition(" ")[2]].label
    return item(world, chosen.items[0])


def item(world: World, index: int) -> str:
    """What an investigation or act is called."""
    return {**world.scenario.investigations, **world.scenario.acts}[world.items[index]].label


def condition(world: World, index: int) -> str:
    """What a condition is called."""
    return world.scenario.conditions[world.model.conditions[index]].label

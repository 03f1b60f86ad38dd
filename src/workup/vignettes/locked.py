"""Rules of a guideline that came to their turn and could not decide, for what their decision requires was not met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.guideline import action_named, rules_of
from workup.agents.planning.locks import Locks
from workup.envs.model.facts import compile_when, vocabulary
from workup.envs.records.journeys import Journeys
from workup.scenarios.language.words.phrases import Phrases


@dataclass(frozen=True)
class LockedRule:
    """A rule whose `when` held before any rule that could act, in some draws of a vignette."""

    number: int
    """Of the rule, 1 for the first that is tried."""
    decision: str
    vignette: str
    reached: int
    """Draws in which that happened."""
    draws: int
    requires: str
    """All that the decision requires, in words."""


def locked_rules(journeys: Mapping[str, Journeys], version: str | None = None) -> tuple[LockedRule, ...]:
    """The rules that were barred in the recorded journeys of the guideline (or of one of its versions), by vignette."""
    return tuple(found for name, each in journeys.items() for found in _of_vignette(name, each, version))


def _of_vignette(name: str, journeys: Journeys, version: str | None) -> Iterator[LockedRule]:
    world, locks, phrases = journeys.world, Locks(journeys.world), Phrases(journeys.world.scenario)
    if not locks.groups:
        return
    journey, action, values, status = _befores(journeys)
    met, words = locks.met(values, status), vocabulary(world)
    waiting = np.ones(len(journey), np.bool_)  # no rule has acted yet
    for number, rule in enumerate(rules_of(world.scenario, version=version), start=1):
        does, holds = action_named(world, rule.do), compile_when(rule.when, words).holds(values, status)
        decision = world.actions[does].decision
        if decision >= 0:
            barred = waiting & holds & ((locks.needs[decision] & ~met) != 0)
            if barred.any():
                requires = world.scenario.decisions[rule.do].requires
                told = "; ".join(phrases.when(group, "or") for group in requires)
                reached = len(np.unique(journey[barred]))
                yield LockedRule(number, rule.do, name, reached, len(journeys.patient), told)
        waiting &= ~(holds & (action == does))


def _befores(
    journeys: Journeys,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int16], NDArray[np.uint8]]:
    """Every step but the first of each journey: whose, what was done, and what had been revealed before it."""
    events = journeys.recorded()
    later = np.flatnonzero(events.journey[1:] == events.journey[:-1]) + 1
    return events.journey[later], events.action[later], events.values[later - 1], events.status[later - 1]

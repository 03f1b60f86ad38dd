"""One recorded journey, told step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import FAILED, NOT_ORDERED, REFUSED, UNKNOWN
from workup.envs.records import narrative
from workup.envs.records.journeys import Events, Journeys
from workup.envs.records.narrative import revealed_in_words


@dataclass(frozen=True, eq=False)
class Step:
    """One action and what came of it."""

    number: int
    what: str
    tiers: tuple[str, ...]
    """Of the items ordered, each once; empty for waiting and deciding."""
    results: tuple[str, ...]
    clock_h: float
    """When it was chosen."""
    clock_after_h: float
    cost_gbp: float
    spent_gbp: float
    posterior: NDArray[np.float64]
    """(conditions,) after it."""
    decides: bool


@dataclass(frozen=True, eq=False)
class Story:
    """A journey as a reader follows it."""

    agent: str
    steps: tuple[Step, ...]
    before: NDArray[np.float64]
    """(conditions,) given only what is known at the start."""
    conditions: tuple[str, ...]
    """Names; labels are in the scenario."""
    labels: tuple[str, ...]
    truth: int
    decision: str
    tests: int
    dose_msv: float
    days: float
    spent_gbp: float
    same_route: int
    """How many of `draws` journeys took exactly this sequence of actions."""
    draws: int

    @property
    def posterior(self) -> NDArray[np.float64]:
        """(steps + 1, conditions): before the first step, then after each."""
        return np.vstack([self.before, *(step.posterior for step in self.steps)])


def tell(journeys: Journeys, row: int | None = None, *, stated: Mapping[str, Any] | None = None) -> Story:
    """One journey, told.

    Args:
        journeys: run with record=True.
        row: which; None: the first one that takes the commonest sequence of actions.
        stated: numbers that a vignette gives for findings. The model knows only their bands, and draws another number
            inside; the story shows the one that was stated.

    Raises:
        WorkupError: the journeys were run without record=True.
    """
    events = _as_stated(journeys, stated or {})
    routes = _routes(events, len(journeys.patient))
    counts = Counter(routes)
    if row is None:
        row = routes.index(counts.most_common(1)[0][0])
    world, chosen = journeys.world, np.flatnonzero(events.journey == row)
    decision = journeys.decision[row]
    return Story(
        agent=journeys.agent,
        steps=_steps(journeys, events, chosen),
        before=_at_start(journeys, row),
        conditions=world.model.conditions,
        labels=tuple(narrative.condition(world, c) for c in range(len(world.model.conditions))),
        truth=int(journeys.condition[row]),
        decision=world.scenario.decisions[world.decisions[decision]].label if decision >= 0 else "no decision in time",
        tests=int(journeys.tests[row]),
        dose_msv=float(journeys.dose_msv[row]),
        days=float(journeys.clock_h[row]) / 24,
        spent_gbp=float(journeys.cost_gbp[row]),
        same_route=counts[routes[row]],
        draws=len(routes),
    )


def _as_stated(journeys: Journeys, stated: Mapping[str, Any]) -> Events:
    events, observables = journeys.recorded(), journeys.world.model.observables
    numbers = events.numbers.copy()
    for name, number in stated.items():
        if name in observables and isinstance(number, int | float) and not isinstance(number, bool):
            column = numbers[:, observables.index(name)]
            column[np.isfinite(column)] = number
    return replace(events, numbers=numbers)


def _routes(events: Events, n: int) -> list[tuple[int, ...]]:
    bounds = np.searchsorted(events.journey, np.arange(n + 1))
    return [tuple(events.action[a:b].tolist()) for a, b in pairwise(bounds)]


def _at_start(journeys: Journeys, row: int) -> NDArray[np.float64]:
    model = journeys.world.model
    known = np.arange(len(model.observables)) < model.n_known_at_start
    values = np.where(known, journeys.values[row], UNKNOWN).astype(np.int16)[None]
    items = len(journeys.world.items)
    nothing = np.zeros((1, items), dtype=np.uint8)
    weights = posterior_weights(model, values, nothing, nothing, np.zeros_like(values, dtype=bool))[0].sum(axis=0)
    at_start: NDArray[np.float64] = weights @ np.eye(len(model.conditions))[model.condition_of]
    return at_start


def _steps(journeys: Journeys, events: Events, rows: NDArray[np.intp]) -> tuple[Step, ...]:
    world = journeys.world
    values = np.full(len(world.model.observables), UNKNOWN, dtype=np.int16)
    values[: world.model.n_known_at_start] = events.values[rows[0], : world.model.n_known_at_start]
    status = np.full(len(world.items), NOT_ORDERED, dtype=np.uint8)
    weight, spent, steps = world.weights[0] or 1.0, 0.0, []
    for number, row in enumerate(rows, start=1):
        action = world.actions[events.action[row]]
        cost = -float(events.components[row, 0]) / weight
        spent += cost
        steps.append(
            Step(
                number=number,
                what=narrative.action(world, int(events.action[row])),
                tiers=tuple(dict.fromkeys(world.tier[i] for i in action.items)),
                results=_results(journeys, events, int(row), values, status),
                clock_h=float(events.clock_h[row]),
                clock_after_h=float(events.clock_after_h[row]),
                cost_gbp=cost,
                spent_gbp=spent,
                posterior=events.condition_posterior[row],
                decides=action.kind == "decide",
            )
        )
        values, status = events.values[row], events.status[row]
    return tuple(steps)


def _results(
    journeys: Journeys, events: Events, row: int, before: NDArray[np.int16], status_before: NDArray[np.uint8]
) -> tuple[str, ...]:
    world, status = journeys.world, events.status[row]
    said = {FAILED: "no result, the test failed", REFUSED: "declined by the patient"}
    ended = np.flatnonzero((status != status_before) & np.isin(status, tuple(said)))
    found = revealed_in_words(world, before, events.values[row], events.numbers[row])
    return (*found, *(f"{narrative.item(world, int(i))}: {said[int(status[i])]}" for i in ended))

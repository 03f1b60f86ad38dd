"""The flat observation: which number stands where, by name, and how it is scaled.

Everything lies in [-1, 1]. A yes/no fact is one number (-1 first value, 0 unknown or missing, 1 last value); an ordered
fact is a known flag and its level in [0, 1]; a nominal fact is one-hot; an item's status is one number. Totals are
squashed as x / (x + scale). The `belief` view appends the exact posterior to the same raw part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World

BINARY, LEVEL, ONE_HOT = range(3)

CLOCK, WAIT, COST, DOSE, TESTS, VISIT, STEP = range(7)
TOTALS = ("clock", "next_result_in", "cost", "dose", "tests", "visit", "step")
SCALES = np.array([168.0, 24.0, 500.0, 10.0, 5.0, 3.0, 20.0])
"""Half-way points of the totals: hours, hours, pounds, mSv, orders, visits, steps."""

STATUS_LEVELS = np.array([0.0, 0.5, 1.0, -0.5, -1.0])
"""Not ordered, pending, result, failed (times the share of its tries used), refused."""

REGRET_SCALE_GBP = 50.0
"""Regrets are shown as -log(1 + regret / scale), so that pounds count near a tie and thousands do not drown them. Against
the best decision that may be taken: one that is still locked and better shows as +log(1 + what it is better by / scale)."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each fact stands in the observation. O observables, I items, F hidden variables' values."""

    names: tuple[str, ...]
    """(P,) of the whole belief view; the raw view is its first `raw_size` entries."""
    raw_size: int
    kind: NDArray[np.int32]
    """(O,) BINARY, LEVEL or ONE_HOT."""
    slot: NDArray[np.int32]
    """(O,)"""
    status_slot: NDArray[np.int32]
    """(I,)"""
    treated_slot: NDArray[np.int32]
    """(O,) or -1 where no act changes the finding."""
    totals_slot: int
    condition_slot: int
    marginal_of: NDArray[np.int32]
    """(variables, H) feature of each other hidden variable's value, or -1 for its first value."""
    marginal_slot: int
    n_marginals: int
    regret_slot: int
    """Regrets of the decisions, then the scaled utility of the best."""


def layout_of(world: World) -> Layout:
    """The layout of a world's observations, the same whatever the view."""
    model = world.model
    names: list[str] = []
    kind, slot = _facts(world, names)
    status_slot = np.arange(len(world.items), dtype=np.int32) + len(names)
    names += [f"{item}: status" for item in world.items]
    treated = [int(o) for o in np.flatnonzero(model.treatment >= 0)]
    treated_slot = np.full(len(model.observables), -1, np.int32)
    for o in treated:
        treated_slot[o] = len(names)
        names.append(f"{model.observables[o]}: after {world.items[model.treatment[o]]}")
    totals_slot = len(names)
    names += TOTALS
    raw_size = condition_slot = len(names)
    names += [f"P(condition = {name})" for name in model.conditions]
    marginal_slot = len(names)
    marginal_of, labels = _marginals(world)
    names += labels
    regret_slot = len(names)
    names += [f"regret of {name}" for name in world.decisions] + ["utility of the best decision"]
    return Layout(
        names=tuple(names),
        raw_size=raw_size,
        kind=kind,
        slot=slot,
        status_slot=status_slot,
        treated_slot=treated_slot,
        totals_slot=totals_slot,
        condition_slot=condition_slot,
        marginal_of=marginal_of,
        marginal_slot=marginal_slot,
        n_marginals=len(labels),
        regret_slot=regret_slot,
    )


def parts_of_one(world: World, layout: Layout) -> NDArray[np.int64]:
    """(totals_slot,) what each number of the observation up to the totals is a fraction of: levels of their highest, statuses of
    twice their tries (`STATUS_LEVELS`)."""
    parts = np.ones(layout.totals_slot, np.int64)
    level = layout.kind == LEVEL
    parts[layout.slot[level] + 1] = world.model.n_values[level] - 1
    parts[layout.status_slot] = 2 * world.attempts
    return parts


def _facts(world: World, names: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    model = world.model
    kind = np.zeros(len(model.observables), np.int32)
    slot = np.zeros(len(model.observables), np.int32)
    for o, name in enumerate(model.observables):
        slot[o] = len(names)
        words = model.network.variable(name).values
        if model.n_values[o] <= 2:
            names.append(f"{name} = {words[-1]}")
        elif _ordered(world, name):
            kind[o] = LEVEL
            names += [f"{name}: known", f"{name}: level"]
        else:
            kind[o] = ONE_HOT
            names += [f"{name} = {word}" for word in words]
    return kind, slot


def _ordered(world: World, name: str) -> bool:
    scenario = world.scenario
    for group in (scenario.findings, scenario.context, scenario.latent, scenario.comorbidities):
        if name in group:
            variable = group[name]
            return variable.ordinal or variable.unit is not None or variable.bands is not None
    return False


def _marginals(world: World) -> tuple[NDArray[np.int32], list[str]]:
    """Features of the hidden variables other than the condition, which stands first and varies slowest."""
    model = world.model
    others = model.hidden_variables[1:]
    n_hidden = model.prior.shape[1]
    table = np.full((len(others), n_hidden), -1, np.int32)
    labels: list[str] = []
    for row, name in enumerate(others):
        position = model.core.index(name)
        stride, size = int(model.core_hidden_stride[position]), int(model.core_size[position])
        digit = np.arange(n_hidden) // stride % size
        table[row] = np.where(digit > 0, len(labels) + digit - 1, -1)
        labels += [f"P({name} = {word})" for word in model.network.variable(name).values[1:]]
    return table, labels

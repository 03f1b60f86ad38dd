"""The rules of legality and the layout of the observation, restated in the plainest way from what was revealed.

They share no code with the engine: the conformance suite holds one against the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.types import Budget, JourneyView
from workup.envs.model.codes import FAILED, NOT_ORDERED, PENDING, REFUSED, RESULT
from workup.envs.model.world import World
from workup.scenarios.language.schema import OPENING


def legal_actions(world: World, view: JourneyView, budget: Budget | None = None) -> NDArray[np.bool_]:
    """(A,) what may be done next in the one journey of `view`."""
    heard, examined = (
        any(view.status[0, i] == RESULT and world.tier[i] == tier for i in range(len(world.items))) for tier in OPENING
    )
    legal = np.zeros(len(world.actions), bool)
    for a, action in enumerate(world.actions):
        if action.kind in ("order", "act", "set"):
            new = [i for i in action.items if action.kind != "set" or view.status[0, i] == NOT_ORDERED]
            legal[a] = all(_may_order(world, view, i, heard and examined) for i in new)
            legal[a] &= action.kind != "set" or len(new) >= 2
            legal[a] &= budget is None or _within(world, view, new, budget)
        elif action.kind == "wait":
            legal[a] = (view.status[0] == PENDING).any()
    for a, action in enumerate(world.actions):
        if action.kind == "decide":
            legal[a] = heard or not legal[: len(world.actions) - len(world.decisions)].any()
            legal[a] &= meets_requirements(world, view, action.decision)
    return legal


def meets_requirements(world: World, view: JourneyView, decision: int) -> bool:
    """Whether all that a decision requires has been found or tried in the one journey of `view`."""
    return _met(view, decision, world.decision_clauses, world.decision_clause_values)


def _may_order(world: World, view: JourneyView, item: int, presented: bool) -> bool:
    status, values = view.status[0], view.values[0]
    retry = status[item] == FAILED and view.failures[0, item] < world.attempts[item]
    if status[item] != NOT_ORDERED and not retry:
        return False
    if not presented and world.tier[item] not in OPENING:
        return False
    for rows, allowed in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (owner, o), bad in zip(rows, allowed, strict=True):
            if owner == item and values[o] >= 0 and bad[values[o]]:
                return False
    return _met(view, item, world.clauses, world.clause_values)


def _met(view: JourneyView, wanted: int, clauses: NDArray[np.int32], values: NDArray[np.bool_]) -> bool:
    """Whether every requirement of an item or a decision holds."""
    groups: dict[int, bool] = {}
    for (owner, group, kind, target), allowed in zip(clauses, values, strict=True):
        if owner == wanted:
            code = view.values[0, target] if kind == 0 else view.status[0, target]
            groups[group] = groups.get(group, False) or (code >= 0 and bool(allowed[code]))
    return all(groups.values())


def _within(world: World, view: JourneyView, new: list[int], budget: Budget) -> bool:
    tests = [i for i in new if i < world.n_investigations and world.tier[i] not in OPENING]
    cost = float(view.cost_gbp[0] + world.cost_gbp[new].sum())
    for set_up in {int(world.set_up[i]) for i in new} - {-1}:
        carried_out = np.isin(view.status[0], (RESULT, PENDING)) & (world.set_up == set_up)
        now = (view.ordered_at_h[0] == np.float32(view.clock_h[0])) & carried_out
        cost += 0.0 if now.any() else float(world.set_up_cost_gbp[set_up])
    return (
        cost <= (np.inf if budget.cost_gbp is None else budget.cost_gbp) + 1e-9
        and view.dose_msv[0] + world.dose_msv[new].sum()
        <= (np.inf if budget.dose_msv is None else budget.dose_msv) + 1e-9
        and view.tests[0] + len(tests) <= (np.inf if budget.tests is None else budget.tests)
    )


def named_facts(world: World, view: JourneyView) -> dict[str, float]:
    """The raw part of the observation of the one journey of `view`, by name."""
    model, values, status = world.model, view.values[0], view.status[0]
    facts: dict[str, float] = {}
    for o, name in enumerate(model.observables):
        words, v = model.network.variable(name).values, int(values[o])
        if len(words) <= 2:
            facts[f"{name} = {words[-1]}"] = 0.0 if v < 0 else (1.0 if v == len(words) - 1 else -1.0)
        elif _ordered(world, name):
            facts[f"{name}: known"] = float(v >= 0)
            facts[f"{name}: level"] = max(v, 0) / (len(words) - 1)
        else:
            facts |= {f"{name} = {word}": float(v == j) for j, word in enumerate(words)}
        if model.treatment[o] >= 0:
            facts[f"{name}: after {world.items[model.treatment[o]]}"] = float(view.treated[0, o])
    for i, item in enumerate(world.items):
        failed = -0.5 * view.failures[0, i] / world.attempts[i]
        facts[f"{item}: status"] = {NOT_ORDERED: 0.0, PENDING: 0.5, RESULT: 1.0, FAILED: failed, REFUSED: -1.0}[
            status[i]
        ]
    pending = np.flatnonzero(status == PENDING)
    due, clock = (
        [float(view.ordered_at_h[0, i]) + float(world.turnaround_h[i]) for i in pending],
        float(view.clock_h[0]),
    )
    totals = {
        "clock": (clock, 168.0),
        "cost": (float(view.cost_gbp[0]), 500.0),
        "dose": (float(view.dose_msv[0]), 10.0),
        "tests": (float(view.tests[0]), 5.0),
        "visit": (float(view.visit[0]) - 1.0, 3.0),
        "step": (float(view.step[0]), 20.0),
    }
    if not view.failures[0, pending].any():  # `ordered_at_h` is of the first attempt
        totals["next_result_in"] = (min(due) - clock if due else 0.0, 24.0)
    return facts | {name: x / (x + scale) for name, (x, scale) in totals.items()}


def _ordered(world: World, name: str) -> bool:
    """Whether the scenario gives a variable's values an order."""
    scenario = world.scenario
    everything: dict[str, Any] = {**scenario.context, **scenario.comorbidities, **scenario.latent, **scenario.findings}
    variable = everything.get(name)
    return variable is not None and (variable.ordinal or variable.unit is not None or variable.bands is not None)


def plain_charges(world: World, view: JourneyView) -> NDArray[np.float64] | None:
    """(2,) cost and harm of everything carried out; None where failed attempts make the charge ambiguous."""
    done = np.isin(view.status[0], (RESULT, PENDING))
    if view.failures[0].any():
        return None
    cost, harm = float(world.cost_gbp[done].sum()), float(world.harm_gbp[done].sum())
    moments = {
        (int(world.set_up[i]), float(view.ordered_at_h[0, i])) for i in np.flatnonzero(done & (world.set_up >= 0))
    }
    for set_up, _ in moments:
        cost += world.set_up_cost_gbp[set_up]
        harm += world.set_up_harm_gbp[set_up]
    return np.array([cost, harm])

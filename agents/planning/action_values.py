"""What every action is worth at one moment, by the optimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.bounded import bound
from workup.agents.planning.presentation import Presenter, State
from workup.agents.planning.transitions import is_legal
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World

F64 = NDArray[np.float64]
GAP_GBP = 0.1


@dataclass(frozen=True, eq=False)
class ActionBounds:
    """Certified bounds on what each action is worth, followed by the best; pounds from now on, -inf where illegal."""

    lower: F64
    """(A,)"""
    upper: F64
    """(A,)"""


def action_values(world: World, view: JourneyView, *, expansions: int = 5_000) -> F64:
    """(A,) what each action is certainly worth for the first journey of a view (the lower bounds).

    Raises:
        PlanningRefused: something the planner cannot treat.
    """
    return bound_actions(world, view, expansions=expansions).lower


def bound_actions(world: World, view: JourneyView, *, row: int = 0, expansions: int = 5_000) -> ActionBounds:
    """Bounds on every legal action of one journey of a view; each action gets the same effort.

    Raises:
        PlanningRefused: something the planner cannot treat.
    """
    presented = Presenter(world).present(State.of(view, row))
    problem, actions = presented.problem, world.actions
    lower, upper = np.full(len(actions), -np.inf), np.full(len(actions), -np.inf)
    decide = (problem.stop[problem.root_mode] @ problem.weights).tolist()
    for a in np.flatnonzero(view.mask[row]).tolist():
        if actions[a].kind == "decide":
            lower[a] = upper[a] = decide[actions[a].decision]
    root = np.zeros(len(problem.radix), np.int64)
    for atomic, a in enumerate(problem.action.tolist()):
        if view.mask[row, a] and is_legal(problem, atomic, root, problem.root_mode):
            found = bound(problem, first=atomic, gap=GAP_GBP, expansions=expansions)
            lower[a], upper[a] = found.lower, found.upper
    return ActionBounds(lower, upper)

"""Exact and bounded planning over information states."""

from workup.agents.planning.action_values import ActionBounds, action_values, bound_actions
from workup.agents.planning.effort import SearchEffort
from workup.agents.planning.optimum import AGENTS, Optimum
from workup.agents.planning.policy_cache import PolicyCache
from workup.agents.planning.presentation import State
from workup.agents.planning.solution import PresentationBounds, Solution, presentation_bounds, presentations, solve

__all__ = [
    "AGENTS",
    "ActionBounds",
    "Optimum",
    "PolicyCache",
    "PresentationBounds",
    "SearchEffort",
    "Solution",
    "State",
    "action_values",
    "bound_actions",
    "presentation_bounds",
    "presentations",
    "solve",
]

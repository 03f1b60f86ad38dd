"""Where journeys stand when something is to be chosen: after history and examination, and at every later step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import distribution
from workup.agents.base import Agent, StochasticAgent
from workup.agents.opening import journey_is_open
from workup.envs.engine.cases import vignette_cases
from workup.envs.engine.types import JourneyView
from workup.envs.model.cases import Cases
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.run import run_journeys

F64 = NDArray[np.float64]

_DECIDES = ("values", "status", "failures", "treated", "progression_h")
"""What tells one situation from another: all that an agent's posterior and a planner's state depend on."""


@dataclass(frozen=True, eq=False)
class Situations:
    """m different situations, each met by some of the patients."""

    view: JourneyView
    weight: Mapping[str, F64]
    """Group of patients -> (m,) how often one of its patients is there, all steps of a journey counted."""
    first: NDArray[np.bool_]
    """(m,) right after history and examination, with nothing else ordered."""

    @property
    def firsts(self) -> F64:
        """(m,) share of the sampled patients who present like this; 0 for later situations."""
        met = np.where(self.first, self.weight[SAMPLED], 0.0)
        return met / met.sum()


SAMPLED = "patients"
"""The group of patients drawn from the model; every other group is a vignette."""


class _Noted(StochasticAgent):
    """An agent that notes what it is shown once decisions can be made."""

    def __init__(self, agent: Agent) -> None:
        self.name, self.needs, self._agent = agent.name, agent.needs, agent
        self.seen: list[JourneyView] = []

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        self.seen.append(rows_of(view, np.flatnonzero(journey_is_open(view))))
        return distribution(self._agent, view)


def met_by(
    world: World, agents: Sequence[Agent], *, patients: int, seed: int, vignettes: Sequence[str] = (), draws: int = 20
) -> Situations:
    """The situations that patients meet under some agents, each agent counted alike.

    Args:
        world: the scenario.
        agents: who leads the journeys.
        patients: sampled.
        seed: of the patients and of the draws.
        vignettes: ids, each a group of its own.
        draws: of each vignette.
    """
    groups: dict[str, tuple[int, Cases | None]] = {SAMPLED: (patients, None)}
    groups |= {name: (draws, vignette_cases(world, name, draws=draws, seed=seed)) for name in vignettes}
    views, sizes = [], []
    for n, cases in groups.values():
        parts = [part for agent in agents for part in _open_views(world, agent, n, seed, cases)]
        views += parts
        sizes.append(sum(len(part.step) for part in parts))
    view = _joined(views)
    _, one, of = np.unique(_keys(view), axis=0, return_index=True, return_inverse=True)
    ends = np.cumsum([0, *sizes])
    weight = {
        name: np.bincount(of.ravel()[a:b], minlength=len(one)) / (n * len(agents))
        for (name, (n, _)), a, b in zip(groups.items(), ends[:-1], ends[1:], strict=True)
    }
    view = rows_of(view, one)
    later = view.status[:, world.opens_journey == 0] != NOT_ORDERED
    return Situations(view, weight, ~later.any(axis=1))


def rows_of(view: JourneyView, rows: NDArray[np.intp]) -> JourneyView:
    """The same for some of the journeys of a view."""
    parts: dict[str, Any] = {name: getattr(view, name)[rows] for name in _arrays(view)}
    return replace(view, **parts, observation=None, condition_posterior=None)


def _open_views(world: World, agent: Agent, n: int, seed: int, cases: Cases | None) -> list[JourneyView]:
    noted = _Noted(agent)
    run_journeys(Population(world, cases), noted, patients=np.arange(n), seed=seed)
    return noted.seen


def _joined(views: Sequence[JourneyView]) -> JourneyView:
    parts: dict[str, Any] = {
        name: np.concatenate([getattr(view, name) for view in views]) for name in _arrays(views[0])
    }
    return replace(views[0], **parts, observation=None, condition_posterior=None)


def _keys(view: JourneyView) -> NDArray[np.uint8]:
    """(m, bytes) equal where the situations are."""
    n = len(view.step)
    columns = [np.ascontiguousarray(getattr(view, name).reshape(n, -1)) for name in _DECIDES]
    return np.hstack([column.view(np.uint8).reshape(n, -1) for column in columns])


def _arrays(view: JourneyView) -> list[str]:
    return [field.name for field in fields(view) if field.name not in ("world", "observation", "condition_posterior")]

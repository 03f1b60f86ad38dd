"""Policies whose reasons are known exactly: suspicion, which drives ordering by the posterior; gestalt, which also listens to what
nobody writes down; and lapses, which give any policy a chance of doing something else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import distribution
from workup.agents.base import Agent, AgentMaker, Needs, StochasticAgent
from workup.agents.opening import finish, journey_is_open, opening_actions, opening_choices, wait_first
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import NOT_ORDERED, UNKNOWN
from workup.envs.model.world import World
from workup.errors import UnknownNameError, WorkupError, suggestion

STAGES: Final = (("bedside", "bloods"), ("imaging",), ("invasive", "molecular"))
"""What is thought about together, one after the other: bloods with what is done at the bedside, imaging, invasive tests with
what is made of their tissue."""
STAGE_NAMES: Final = ("bloods", "imaging", "invasive")
MEAN: Final = 0.3
"""Chance of each stage at a slope of 0, whoever the patient is."""
LOGIT_LIMIT: Final = 30.0
"""Log-odds of a posterior lie within this of 0: beyond, certainty is certainty (1e-13)."""


class Suspicion(StochasticAgent):
    """Orders each stage by chance, the likelier the more it suspects.

    After history and examination: bloods, imaging, invasive, each once. A stage is all of its items that are legal, ordered one
    after the other; it is ordered with probability expit(a + s * (L - L0)): L the log-odds of the posterior of a group of
    conditions, L0 those of the population, a = logit(`mean`). After the last stage it takes the decision of best posterior
    utility. Acts are never done. What is on its way is waited for before the next stage.
    """

    needs: Needs = "posterior"

    def __init__(
        self,
        world: World,
        group: str,
        *,
        slope: float = 1.0,
        mean: float = MEAN,
        reads_unrecorded: bool = False,
        name: str = "suspicion",
    ) -> None:
        """
        Args:
            world: where it acts, and what it knows.
            group: one of the scenario's groups, or a condition.
            slope: s, 0 or more; 0 is chance alone.
            mean: chance of a stage at slope 0, in (0, 1).
            reads_unrecorded: whether it listens to findings with `recorded: false`.
            name: what it is called.

        Raises:
            UnknownNameError: no such group; names the nearest.
            WorkupError: a slope or mean outside its range, or nothing unrecorded to listen to.
        """
        if not (math.isfinite(slope) and slope >= 0.0) or not 0.0 < mean < 1.0:
            raise WorkupError(f"slope {slope:g} and mean {mean:g}; expected a slope of 0 or more and a mean in (0, 1)")
        self._unrecorded = unrecorded(world)
        if reads_unrecorded and not self._unrecorded.any():
            raise WorkupError(
                f"{world.scenario.id} has no finding with `recorded: false`, so there is nothing for {name} to listen to beyond "
                "the record; use suspicion, or mark a finding"
            )
        self.name, self.group, self.slope, self.mean = name, group, slope, mean
        self._world, self._of = world, members(world, group)
        self._asks_model = self._unrecorded.any() and not reads_unrecorded
        self._opening = opening_actions(world)
        single = {a.items[0]: index for index, a in enumerate(world.actions) if a.kind == "order"}
        self._stages = [
            np.array([single[i] for i in stage if i in single], np.int64)
            for stage in ([i for i, tier in enumerate(world.tier) if tier in tiers] for tiers in STAGES)
        ]
        self._items = [np.array([world.actions[a].items[0] for a in stage], np.int64) for stage in self._stages]
        self._base = math.log(mean / (1.0 - mean))
        prevalence = world.model.prior.sum(axis=0)[self._of[world.model.condition_of]].sum()
        self._population = float(_logit(np.array([prevalence]))[0])

    def suspicion(self, view: JourneyView) -> NDArray[np.float64]:
        """(n,) log-odds of the group less those of the population, from what it listens to."""
        if self._asks_model or view.condition_posterior is None:
            model = self._world.model
            values = np.where(self._unrecorded & self._asks_model, np.int16(UNKNOWN), view.values)
            weights = posterior_weights(model, values, view.status, view.failures, view.treated)
            chance = weights.sum(axis=1) @ self._of[model.condition_of].astype(np.float64)
        else:
            chance = view.condition_posterior[:, self._of].sum(axis=1)
        return np.asarray(_logit(chance) - self._population)

    def stage_chance(self, view: JourneyView) -> NDArray[np.float64]:
        """(n,) with which probability it would order a stage on what is known."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self._base + self.slope * self.suspicion(view)))))

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        n = len(view.step)
        chances = np.zeros(view.mask.shape)
        first = np.stack([_first(view.mask, stage) for stage in self._stages])
        begun = np.stack([(view.status[:, items] != NOT_ORDERED).any(axis=1) for items in self._items])
        current = np.where(begun.any(axis=0), len(STAGES) - 1 - begun[::-1].argmax(axis=0), -1)
        rows = np.arange(n)
        chosen = np.where(current >= 0, first[np.maximum(current, 0), rows], -1)
        chosen = np.where(journey_is_open(view), chosen, opening_choices(view, self._opening))
        chosen = np.where(chosen < 0, wait_first(view, chosen), chosen)
        asked = np.flatnonzero((chosen < 0) & journey_is_open(view))
        sure = np.setdiff1d(rows, asked)
        chances[sure, finish(self._world, view, chosen)[sure]] = 1.0
        if not asked.size:
            return chances
        p, left = self.stage_chance(view)[asked], np.ones(asked.size)
        for stage in range(len(STAGES)):
            able = (current[asked] < stage) & (first[stage, asked] >= 0)
            ordered = np.where(able, left * p, 0.0)
            chances[asked, np.maximum(first[stage, asked], 0)] += ordered
            left -= ordered
        chances[asked, finish(self._world, view, np.full(n, -1, np.int64))[asked]] += left
        return chances


class Lapsing(StochasticAgent):
    """A policy that with probability `chance` orders something else that is legal, any with equal chance; it never decides or
    waits by mistake, and does no act. Where there is nothing else to order it does as it is."""

    def __init__(self, agent: Agent, world: World, chance: float) -> None:
        """Raises WorkupError for a chance outside [0, 1]."""
        if not 0.0 <= chance <= 1.0:
            raise WorkupError(f"a lapse of probability {chance:g}; expected 0 to 1")
        self.name, self.needs = f"lapse:{chance:g}:{agent.name}", agent.needs
        self._agent, self._chance = agent, chance
        self._orders = np.array(
            [a.kind != "act" and bool(a.items) and max(a.items) < world.n_investigations for a in world.actions]
        )

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        own = distribution(self._agent, view)
        legal = view.mask & self._orders
        n_legal = legal.sum(axis=1, keepdims=True)
        ordering = np.where(legal, own, 0.0)
        orders, others = (
            ordering.sum(axis=1, keepdims=True),
            np.where(self._orders, 0.0, own).sum(axis=1, keepdims=True),
        )
        instead = np.where(n_legal > 0, others / np.maximum(n_legal, 1), 0.0)
        instead = instead + np.where(n_legal > 1, (orders - ordering) / np.maximum(n_legal - 1, 1), 0.0)
        lapsed = np.where(legal, instead, 0.0)
        # What has nothing to be mistaken for stays: other actions where no order is legal, an order that is the only one.
        stays = np.where(n_legal == 0, own, 0.0) + np.where(n_legal == 1, ordering, 0.0)
        return np.asarray((1.0 - self._chance) * own + self._chance * (lapsed + stays))


def unrecorded(world: World) -> NDArray[np.bool_]:
    """(O,) whether an observable is a finding that nobody writes down (`recorded: false`)."""
    findings = world.scenario.findings
    return np.array([name in findings and not findings[name].recorded for name in world.model.observables], np.bool_)


def members(world: World, group: str) -> NDArray[np.bool_]:
    """(conditions,) who belongs to a group or is the condition of that name.

    Raises:
        UnknownNameError: neither.
    """
    groups, names = world.scenario.groups, world.model.conditions
    if group not in groups and group not in names:
        hint = suggestion(group, (*groups, *names))
        raise UnknownNameError(f"{world.scenario.id} has no group and no condition {group!r}{hint}")
    wanted = groups.get(group, (group,))
    return np.array([name in wanted for name in names], np.bool_)


def _first(mask: NDArray[np.bool_], actions: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the first of the actions that is legal, or -1."""
    if not actions.size:
        return np.full(len(mask), -1, np.int64)
    legal = mask[:, actions]
    return np.where(legal.any(axis=1), actions[legal.argmax(axis=1)], -1)


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        chance = np.clip(p, 0.0, 1.0)  # a sum of chances may round beyond 1
        return np.asarray(np.clip(np.log(chance) - np.log1p(-chance), -LOGIT_LIMIT, LOGIT_LIMIT))


def _suspicion(world: World, asked: str, *, seed: int, make: Callable[[str], Agent]) -> Suspicion:
    return _named(world, asked, "suspicion", False)


def _gestalt(world: World, asked: str, *, seed: int, make: Callable[[str], Agent]) -> Suspicion:
    return _named(world, asked, "gestalt", True)


def _named(world: World, asked: str, kind: str, reads_unrecorded: bool) -> Suspicion:
    """Of `[GROUP[:SLOPE]]`."""
    group, _, slope = asked.partition(":")
    groups = tuple(world.scenario.groups)
    if not group and len(groups) != 1:
        raise WorkupError(
            f"{kind} of what? {world.scenario.id} has {len(groups)} groups; expected {kind}:GROUP or {kind}:GROUP:SLOPE with one of "
            f"{', '.join(groups) or ', '.join(world.model.conditions)}"
        )
    try:
        steepness = float(slope) if slope else 1.0
    except ValueError:
        raise WorkupError(
            f"{kind}:{asked}: {slope!r} is no number; expected {kind}:GROUP:SLOPE, as {kind}:GROUP:0.5"
        ) from None
    name = f"{kind}:{asked}" if asked else kind
    return Suspicion(world, group or groups[0], slope=steepness, reads_unrecorded=reads_unrecorded, name=name)


def _lapse(world: World, asked: str, *, seed: int, make: Callable[[str], Agent]) -> Lapsing:
    chance, _, policy = asked.partition(":")
    try:
        p = float(chance)
    except ValueError:
        p = math.nan
    if not policy or not 0.0 <= p <= 1.0:
        raise WorkupError(f"lapse:{asked}; expected lapse:EPS:POLICY, as lapse:0.05:guideline, with EPS from 0 to 1")
    return Lapsing(make(policy), world, p)


MADE_OF: dict[str, AgentMaker] = {"suspicion": _suspicion, "gestalt": _gestalt, "lapse": _lapse}

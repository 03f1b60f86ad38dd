"""The best policy of a world with one figure moved: what it orders first, what it gains, which vignettes it passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import take
from workup.agents.base import Agent
from workup.agents.baselines.voi import VoiAgent
from workup.agents.planning import Optimum, SearchEffort
from workup.envs.compile.targets import evaluate_targets
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.evaluation.run import run_agents
from workup.files import WorkingNotes
from workup.scenarios.language.vocabulary import LanguageError
from workup.sensitivity.perturbation import Candidate, moved_value
from workup.sensitivity.screening import Move, Swap, most_frequent_swap, moved_world
from workup.sensitivity.situations import Situations, rows_of
from workup.statistics import normal_interval
from workup.vignettes.check import check_agent

PlannerName = Literal["optimum", "quick", "one-step"]
"""`optimum`: as `workup solve` plans; `quick`: the same search, stopped at a tenth of the gain; `one-step`: no search."""

QUICK = SearchEffort(gap=0.1, gap_gbp=2.5, expansions=20_000, most=20_000, target=0.0)


@dataclass(frozen=True)
class Replanned:
    """What the best policy does differently once a figure has moved."""

    move: Move
    changed: float
    """Share of presentations whose first action is another."""
    swap: Swap | None
    lost_gbp: float
    """Per patient, by keeping to the policy of the figures as they were; with its 95% interval."""
    lost_low: float
    lost_high: float
    now_fails: tuple[str, ...]
    """Vignettes that passed and no longer do."""
    now_passes: tuple[str, ...]
    targets_missed: tuple[str, ...]
    """Published figures that the model met and no longer does."""
    fault: str | None = None
    """Why it could not be planned."""


class Replanner:
    """Plans for worlds that differ from one in a figure, and compares.

    Raises:
        PlanningRefused: something the planner cannot treat.
    """

    def __init__(
        self,
        world: World,
        met: Situations,
        *,
        planner: PlannerName,
        patients: int,
        seed: int,
        vignettes: tuple[str, ...],
    ) -> None:
        """`met`: the presentations to compare first actions at; `patients` of `seed`: to compare values on."""
        self._world, self._planner = world, planner
        self._patients, self._seed, self._vignettes = patients, seed, vignettes
        self._old = plan(world, planner)
        firsts = np.flatnonzero(met.first)
        self._presented, self._share = rows_of(met.view, firsts), met.firsts[firsts]
        self._chosen = self._first_actions(self._old)

    @cached_property
    def passing(self) -> tuple[str, ...]:
        """The vignettes, of those asked for, that the policy passes on the figures as they are."""
        return self._passed(self._world, self._old)

    @cached_property
    def _met_targets(self) -> frozenset[str]:
        return frozenset(target.name for target in evaluate_targets(self._world) if target.ok)

    def of(self, world: World, move: Move) -> Replanned:
        """What changes if the world is this one."""
        new = plan(world, self._planner)
        chosen = self._first_actions(new)
        lost = normal_interval(self._lost(world, new))
        passing = self._passed(world, new) if self._vignettes else ()
        missed = [t.name for t in evaluate_targets(world) if not t.ok and t.name in self._met_targets]
        return Replanned(
            move,
            changed=float(self._share @ (chosen != self._chosen)),
            swap=most_frequent_swap(self._world, self._chosen, chosen, self._share * (chosen != self._chosen)),
            lost_gbp=lost.mean,
            lost_low=lost.low,
            lost_high=lost.high,
            now_fails=tuple(v for v in self.passing if v not in passing) if self._vignettes else (),
            now_passes=tuple(v for v in passing if v not in self.passing),
            targets_missed=tuple(missed),
        )

    def _first_actions(self, agent: Agent) -> NDArray[np.int64]:
        """(p,) what it does at each presentation; an agent that draws draws there the same whatever the world."""
        return take(agent, self._presented, seed=self._seed, patients=np.arange(len(self._share))).action

    def _lost(self, world: World, new: Agent) -> NDArray[np.float64]:
        """(n,) pounds, patient by patient: the new policy's value in this world less the old one's."""
        agents = {"new": new, "old": self._old}
        journeys = run_agents(world, agents, patients=self._patients, seed=self._seed)
        value = {name: each.expected_components.sum(axis=1) for name, each in journeys.items()}
        luck = {name: each.luck if each.luck is not None else 0.0 * value[name] for name, each in journeys.items()}
        return without_luck(value["new"] - value["old"], luck["new"] - luck["old"])

    def _passed(self, world: World, agent: Agent) -> tuple[str, ...]:
        if not self._vignettes:
            return ()
        result = check_agent(world, agent, only=self._vignettes)
        return tuple(vignette.id for vignette in result.vignettes if vignette.passed)


def without_luck(difference: NDArray[np.float64], luck: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the difference with as much of the luck taken off as it shares with it.

    Luck is zero on average, so any share of it may be taken off. All of it is too much where two plans learn the same
    in another order: the results are then the same, and what each of them was worth by luck is not.

    Args:
        difference: (n,) pounds, patient by patient.
        luck: (n,) pounds, zero on average.

    Source: Owen, Monte Carlo theory, methods and examples (2013), chapter 8.9 (control variates).
    """
    spread = float(luck.var())
    share = float(np.mean((difference - difference.mean()) * (luck - luck.mean()))) / spread if spread > 0.0 else 0.0
    return difference - share * luck


def plan(world: World, planner: PlannerName) -> Agent:
    """A policy made for this world, by its own figures."""
    if planner == "one-step":
        return VoiAgent(world)
    return Optimum(world, effort=QUICK if planner == "quick" else None)


def replan(
    world: World, candidate: Candidate, replanner: Replanner, *, factor: float, notes: WorkingNotes
) -> tuple[Replanned, Replanned]:
    """A candidate moved down and up.

    Args:
        world: as it is.
        candidate: the figure.
        replanner: of this world.
        factor: as in `moved`.
        notes: what is in them is not done again.
    """
    down, up = (_replan_one(world, candidate, up, replanner, factor, notes) for up in (False, True))
    return down, up


def _replan_one(
    world: World, candidate: Candidate, up: bool, replanner: Replanner, factor: float, notes: WorkingNotes
) -> Replanned:
    def work() -> dict[str, Any]:
        move = Move(candidate.path, up, moved_value(world.scenario, candidate, up=up, factor=factor))
        try:
            return asdict(replanner.of(moved_world(world, candidate, up=up, factor=factor), move))
        except (WorkupError, LanguageError) as fault:
            return asdict(Replanned(move, 0.0, None, 0.0, 0.0, 0.0, (), (), (), fault=str(fault)))

    return replanned_from(notes.once(f"plan {candidate.path} {'up' if up else 'down'}", work))


def replanned_from(record: Mapping[str, Any]) -> Replanned:
    """What `asdict` made of a `Replanned`, taken back."""
    swap = None if record["swap"] is None else Swap(**record["swap"])
    lists = {name: tuple(record[name]) for name in ("now_fails", "now_passes", "targets_missed")}
    return Replanned(**{**record, **lists, "move": Move(**record["move"]), "swap": swap})

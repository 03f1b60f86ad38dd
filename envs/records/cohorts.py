"""Cohorts: what a clinic's database would keep of journeys, and beside it what was true and how likely every order was.

Patients are met a few thousand at a time and only what the tables hold is kept, so a million of them need no more memory than
one part (`PART` patients).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import take
from workup.agents.base import Agent
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget, JourneyView
from workup.envs.model.codes import NO_SUCH_ACTION, UNKNOWN
from workup.envs.model.facts import Condition
from workup.envs.model.population import Population
from workup.envs.model.truth import truth_of
from workup.envs.model.world import World
from workup.envs.records.absence import REASONS, absences
from workup.envs.records.run import view_for
from workup.errors import WorkupError
from workup.scenarios.language.schema import OPENING, TIERS

if TYPE_CHECKING:
    import polars as pl

PART: Final = 65_536
"""Patients that are written together."""
_BATCH: Final = 4_096
STAGES: Final = tuple(tier for tier in TIERS if tier not in OPENING)
"""Tiers whose chance of being ordered is kept with every step; sets count as the highest of their members."""
_ROWS: Final = (
    "patient", "values", "absent", "status", "ordered_at_h", "decision", "decided_at_h", "profile", "hidden", "true_values"
)  # fmt: skip
"""Arrays of a cohort with a row a patient."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Records of n patients, and what they leave out. Arrays are in the order of `patient`.

    Examples:
        >>> import workup
        >>> cohort = workup.cohort("two_by_two", "suspicion:ill:1", patients=1_000, seed=0)
        >>> frame = cohort.to_frame()
        >>> frame["reference absent"].value_counts(sort=True).row(0)
        ('not ordered', 737)
    """

    world: World
    policy: str
    seed: int
    patient: NDArray[np.int64]
    """(n,) ids of the seed's patients."""
    values: NDArray[np.int16]
    """(n, O) what was reported at the end, negative where there is nothing, findings that nobody writes down too."""
    absent: NDArray[np.uint8]
    """(n, O) codes of `REASONS`: why there is nothing."""
    status: NDArray[np.uint8]
    """(n, I)"""
    ordered_at_h: NDArray[np.float32]
    """(n, I) hours from the start, NaN if never."""
    decision: NDArray[np.int16]
    """(n,) index into world.decisions, -1 if truncated."""
    decided_at_h: NDArray[np.float32]
    """(n,)"""
    steps: Steps
    profile: NDArray[np.int64]
    hidden: NDArray[np.int64]
    """(n,) what is true; with `true_values` never in the records."""
    true_values: NDArray[np.int16]
    """(n, O) every finding as it truly is, seen or not."""

    @property
    def condition(self) -> NDArray[np.int64]:
        """(n,) the true principal cause, an index into world.model.conditions."""
        return self.world.model.condition_of[self.hidden].astype(np.int64)

    @property
    def path_chance(self) -> NDArray[np.float64]:
        """(n,) with which probability the policy went the way it went, given what it found: the product of its propensities."""
        chance = np.ones(len(self.patient))
        np.multiply.at(chance, self.steps.journey, self.steps.propensity.astype(np.float64))
        return chance

    def to_frame(self) -> pl.DataFrame:
        """A row a patient: `patient`, `decision`, `decided_h`; for each finding that is written down its value in words and
        `<finding> absent`, the reason where there is none; `<item> ordered_h`."""
        import polars as pl

        kept = written_down(self.world)
        frame: dict[str, Any] = {
            "patient": self.patient,
            "decision": _enum(self.decision, self.world.decisions),
            "decided_h": self.decided_at_h,
        }
        for o in np.flatnonzero(kept):
            name = self.world.model.observables[o]
            frame[name] = _enum(self.values[:, o], self.world.model.network.variable(name).values)
            if self.world.model.item_of[o] >= 0:
                frame[f"{name} absent"] = _enum(self.absent[:, o].astype(np.int16) - 1, REASONS[1:])
        for i, name in enumerate(self.world.items):
            frame[f"{name} ordered_h"] = pl.Series(self.ordered_at_h[:, i]).fill_nan(None)
        return pl.DataFrame(frame)

    def steps_frame(self) -> pl.DataFrame:
        """A row an action taken: `patient`, `step`, `action`, `propensity`, `clock_h`, and `P(<tier>)`, with which probability
        the policy ordered something of that tier in this step: not ordering is an action too."""
        import polars as pl

        steps = self.steps
        frame: dict[str, Any] = {
            "patient": self.patient[steps.journey],
            "step": steps.step,
            "action": _enum(steps.action, [action.name for action in self.world.actions]),
            "propensity": steps.propensity,
            "clock_h": steps.clock_h,
        }
        present = {self.world.tier[i] for i in range(len(self.world.items))}
        frame |= {f"P({tier})": steps.stage_chance[:, t] for t, tier in enumerate(STAGES) if tier in present}
        return pl.DataFrame(frame)

    def truth_frame(self) -> pl.DataFrame:
        """A row a patient, hidden from whoever made the records: `patient`, `condition`, indices of profile and hidden state,
        and every finding as it truly is, before any act."""
        import polars as pl

        model = self.world.model
        frame: dict[str, Any] = {
            "patient": self.patient,
            "condition": _enum(self.condition, model.conditions),
            "profile": self.profile.astype(np.int32),
            "hidden": self.hidden.astype(np.int32),
        }
        for o, name in enumerate(model.observables):
            frame[f"true {name}"] = _enum(self.true_values[:, o], model.network.variable(name).values)
        return pl.DataFrame(frame)

    def where(self, chosen: NDArray[np.bool_]) -> Cohort:
        """The patients (n,) chosen."""
        rank = np.cumsum(chosen) - 1
        of = chosen[self.steps.journey]
        steps = Steps(*(column[of] for column in (rank[self.steps.journey], *self.steps.columns[1:])))
        return Cohort(
            world=self.world,
            policy=self.policy,
            seed=self.seed,
            steps=steps,
            **{row: getattr(self, row)[chosen] for row in _ROWS},
        )


@dataclass(frozen=True, eq=False)
class Steps:
    """Every action taken, by journey and step. m steps."""

    journey: NDArray[np.int64]
    """(m,) row of the cohort."""
    step: NDArray[np.int16]
    action: NDArray[np.int16]
    """(m,) index into world.actions."""
    propensity: NDArray[np.float32]
    """(m,) in (0, 1]."""
    clock_h: NDArray[np.float32]
    """(m,) hours from the start, before it."""
    stage_chance: NDArray[np.float32]
    """(m, tiers of STAGES) with which probability something of the tier was ordered in this step."""

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """All of them."""
        return self.journey, self.step, self.action, self.propensity, self.clock_h, self.stage_chance


def run_cohort(
    who: World | Population,
    agent: Agent,
    *,
    patients: NDArray[np.int64],
    seed: int,
    policy: str | None = None,
    delayed: bool = False,
    budget: Budget | None = None,
    include: Condition | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Cohort:
    """Take patients through their journeys and keep what a database would, and what it would not.

    Args:
        who: a world whose law draws the patients.
        agent: who decides; one that offers `probabilities` is drawn from, and its propensities are kept.
        patients: (n,) ids of the seed's patients.
        seed: of the patients and of what the agent draws.
        policy: what the agent is called, by default its own name.
        delayed: whether orders stay pending until somebody waits.
        budget: hard limits.
        include: only patients of whom this holds on what was revealed are kept.
        progress: told how many have been met.

    Raises:
        WorkupError: recorded patients, whose truth nobody knows.
    """
    population = Population.of(who)
    if not population.law_known or population.cases is not None:
        raise WorkupError(
            "a cohort needs patients whom the world's law draws; these are fixed or recorded, expected a scenario"
        )
    patients = np.asarray(patients, np.int64)
    size = max(1, min(_BATCH, patients.size))
    engine = Engine(
        population, size, seed=seed, view="belief", results="delayed" if delayed else "at_once", budget=budget
    )
    met: list[Cohort] = []
    for first in range(0, patients.size, size):
        batch = _Batch(engine, agent, patients[first : first + size], seed)
        cohort = batch.run(policy or agent.name)
        met.append(cohort if include is None else cohort.where(include.holds(cohort.values, cohort.status)))
        progress(min(first + size, patients.size))
    return together(met)


def together(parts: list[Cohort]) -> Cohort:
    """One cohort of several of the same world, policy and seed, in their order."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0] + [len(part.patient) for part in parts])
    journeys = [part.steps.journey + start for part, start in zip(parts, starts, strict=False)]
    others = [np.concatenate(column) for column in zip(*(part.steps.columns[1:] for part in parts), strict=True)]
    return Cohort(
        world=parts[0].world,
        policy=parts[0].policy,
        seed=parts[0].seed,
        steps=Steps(np.concatenate(journeys), *others),
        **{row: np.concatenate([getattr(part, row) for part in parts]) for row in _ROWS},
    )


def written_down(world: World) -> NDArray[np.bool_]:
    """(O,) whether a database keeps an observable: all but findings with `recorded: false`."""
    findings = world.scenario.findings
    return np.array([name not in findings or findings[name].recorded for name in world.model.observables], np.bool_)


class _Batch:
    """Journeys side by side in one engine, from their beginning to their end."""

    def __init__(self, engine: Engine, agent: Agent, patients: NDArray[np.int64], seed: int) -> None:
        self.engine, self.agent, self.patients, self.seed = engine, agent, patients, seed
        self.world, n = engine.world, len(patients)
        tiers = [self.world.tier[max(a.items)] if a.items else "" for a in self.world.actions]
        self.stage_of = np.array([[tier == stage for stage in STAGES] for tier in tiers], np.float64)
        self.ever = np.zeros((n, len(self.world.actions)), np.bool_)
        self.steps: list[tuple[NDArray[Any], ...]] = []
        slots = np.full(engine.num_envs, -1, np.int64)
        slots[:n] = patients
        engine.reset(patients=slots)

    def run(self, policy: str) -> Cohort:
        """The cohort of this batch."""
        active = np.arange(len(self.patients))
        while active.size:
            view = view_for(self.agent, self.engine, active)
            self.ever[active] |= view.mask
            active = active[~self._step(active, view)]
        slots = np.arange(len(self.patients))
        facts, view = self.engine.ended(slots), self.engine.journey_view(slots)
        truth = truth_of(self.world.model, self.patients, self.seed)
        single = {a.items[0]: index for index, a in enumerate(self.world.actions) if len(a.items) == 1}
        ever = np.stack([self._ever_legal(i, single) for i in range(len(self.world.items))], axis=1)
        return Cohort(
            world=self.world,
            policy=policy,
            seed=self.seed,
            patient=self.patients,
            values=np.where(view.values == UNKNOWN, np.int16(UNKNOWN), view.values),
            absent=absences(self.world, view.values, view.status, ever),
            status=view.status,
            ordered_at_h=view.ordered_at_h,
            decision=facts["decision"].astype(np.int16),
            decided_at_h=facts["clock_h"].astype(np.float32),
            steps=self._sorted(),
            profile=truth.profile,
            hidden=truth.hidden,
            true_values=truth.values,
        )

    def _step(self, active: NDArray[np.int64], view: JourneyView) -> NDArray[np.bool_]:
        taken = take(self.agent, view, seed=self.seed, patients=self.patients[active])
        chosen = np.where(taken.action < 0, NO_SUCH_ACTION, taken.action)
        step = self.engine.step(chosen, rows=active)
        known = (chosen >= 0) & (chosen < len(self.stage_of))
        stages = (
            np.where(known[:, None], self.stage_of[np.where(known, chosen, 0)], 0.0)
            if taken.chances is None
            else taken.chances @ self.stage_of
        )
        self.steps.append(
            (
                active,
                view.step.astype(np.int16),
                chosen.astype(np.int16),
                taken.propensity.astype(np.float32),
                view.clock_h.astype(np.float32),
                stages.astype(np.float32),
            )
        )
        return np.asarray(step.terminated | step.truncated)

    def _ever_legal(self, item: int, single: dict[int, int]) -> NDArray[np.bool_]:
        """(n,) whether the item could have been ordered, by itself or, where it cannot, in a set."""
        if item in single:
            return self.ever[:, single[item]]
        sets = [index for index, action in enumerate(self.world.actions) if item in action.items]
        return np.asarray(self.ever[:, sets].any(axis=1))

    def _sorted(self) -> Steps:
        columns = [np.concatenate(column) for column in zip(*self.steps, strict=True)]
        order = np.lexsort((columns[1], columns[0]))
        return Steps(*(column[order] for column in columns))


def _enum(codes: NDArray[Any], words: Any) -> pl.Series:
    """Codes as words of a closed list; negative is null."""
    import polars as pl

    of = pl.Series([*words, None], dtype=pl.Enum(list(words)))
    return of.gather(np.where(codes < 0, len(words), codes).astype(np.uint32))

"""Patients taken through their journeys under a policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import Taken, take
from workup.agents.base import Agent
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget, JourneyView
from workup.envs.model.codes import NO_SUCH_ACTION
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Events, Journeys
from workup.errors import WorkupError

Act = Callable[[JourneyView], NDArray[np.int64]]


@dataclass(frozen=True)
class FunctionAgent:
    """A plain function as an agent."""

    name: str
    act: Act
    needs: Literal["raw", "belief"] | None = None


Expectation = Callable[[Engine, NDArray[np.int64]], NDArray[np.float64]]
"""(n,) pounds by which the reward so far and the best decision are expected to change together, given actions (n,) that are
about to be taken; 0 where that is not known."""


def run_journeys(
    who: World | Population,
    agent: Agent,
    *,
    patients: NDArray[np.int64],
    seed: int,
    name: str | None = None,
    results: Literal["at_once", "delayed"] = "at_once",
    budget: Budget | None = None,
    record: bool = False,
    batch: int = 1024,
    progress: Callable[[int], None] | None = None,
    expectation: Expectation | None = None,
) -> Journeys:
    """Take each of `patients` through one journey under an agent and return what happened.

    Every patient is seen to the end, so short journeys are not favoured.

    Args:
        who: a population, or a world, which stands for everybody whom its law draws.
        agent: chooses actions for a batch, or says how likely each is (`StochasticAgent`); a plain function by `FunctionAgent`.
        patients: (n,) ids of the seed's patients (of cases: id p is case p modulo their number).
        seed: of the patients, and of what an agent with probabilities draws for them.
        name: the agent's, for the record, where it is not the one that it gives itself.
        results: whether results come at once or orders stay pending.
        budget: hard limits.
        record: keep every step in `events`.
        batch: how many journeys run side by side; it changes no result.
        progress: called with the number of journeys finished so far.
        expectation: of what orders change, to note `luck`; for patients drawn from the model, not for those of a vignette.

    Raises:
        WorkupError: no patients, actions of the wrong shape, or probabilities that are none.
        ImpossibleEvidence: a case whose facts the model gives probability zero.

    Examples:
        >>> import numpy as np, workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> agent = workup.make_agent("none", world)
        >>> journeys = workup.run_journeys(world, agent, patients=np.arange(5), seed=0, record=True)
        >>> [world.actions[a].name for a in journeys.recorded().action[:3]]
        ['order history', 'order examination', 'decide reassure']
    """
    patients = np.asarray(patients, np.int64)
    if patients.ndim != 1 or patients.size == 0 or patients.min() < 0:
        raise WorkupError("patients must be a list of one or more ids, each 0 or more; pass e.g. np.arange(100)")
    population = Population.of(who)
    engine = Engine(population, min(batch, patients.size), seed=seed, view="belief", results=results, budget=budget)
    chunks = []
    for first in range(0, patients.size, engine.num_envs):
        chunk = _Chunk(engine, patients[first : first + engine.num_envs], seed, first, agent, record, expectation)
        chunk.run(progress)
        chunks.append(chunk)
    return _gather(population, name or agent.name, seed, patients, chunks)


def view_for(agent: Agent, engine: Engine, rows: NDArray[np.int64]) -> JourneyView:
    """What an agent is shown of the journeys in some slots of an engine with the belief view: as it `needs`."""
    view = engine.journey_view(rows, observation=agent.needs is not None)
    if agent.needs == "raw" and view.observation is not None:
        view = replace(view, observation=np.ascontiguousarray(view.observation[:, : engine.layout.raw_size]))
    if agent.needs == "posterior":
        view = replace(view, condition_posterior=engine.condition_posterior[rows])
    return view


class _Chunk:
    """The journeys that run side by side in one engine."""

    def __init__(
        self,
        engine: Engine,
        patients: NDArray[np.int64],
        seed: int,
        first: int,
        agent: Agent,
        record: bool,
        expectation: Expectation | None,
    ) -> None:
        self.engine, self.n, self.first, self.agent = engine, len(patients), first, agent
        self.patients, self.seed = patients, seed
        self.expectation = expectation
        self.luck = np.zeros(self.n)
        self.components = np.zeros((self.n, 4))
        self.v0, self.v0_open = np.full((2, self.n), np.nan)
        self.best_at_end = np.zeros(self.n)
        self.steps: list[dict[str, NDArray[Any]]] | None = [] if record else None
        slots = np.full(engine.num_envs, -1, np.int64)
        slots[: self.n] = patients
        engine.reset(patients=slots)

    def run(self, progress: Callable[[int], None] | None) -> None:
        """Step until every journey has ended, then keep how it stands."""
        active = np.arange(self.n)
        while active.size:
            ended = self._step(active)
            if progress is not None and ended.any():
                progress(self.first + self.n - int((~ended).sum()))
            active = active[~ended]
        slots = np.arange(self.n)
        self.facts = self.engine.ended(slots)
        at_end = self.facts["components_at_end"]
        self.expected = self.components - at_end[:, 0] + at_end[:, 1]
        self.posterior = self.engine.condition_posterior[slots]
        self.view = self.engine.journey_view(slots)

    def _step(self, active: NDArray[np.int64]) -> NDArray[np.bool_]:
        before = view_for(self.agent, self.engine, active)
        taken = take(self.agent, before, seed=self.seed, patients=self.patients[active])
        chosen = taken.action
        actions = np.full(self.engine.num_envs, -1, np.int64)
        actions[active] = np.where(chosen < 0, NO_SUCH_ACTION, chosen)  # -1 would leave the journey for ever
        expected = None if self.expectation is None else self.expectation(self.engine, actions)[active]
        promised = self.engine.best_expected_utility[active]
        self.best_at_end[active] = self.components[active].sum(axis=1) + promised
        step = self.engine.step(actions)
        self.components[active] += step.components[active]
        ended = (step.terminated | step.truncated)[active]
        if expected is not None:
            change = step.reward[active] + self.engine.best_expected_utility[active] - promised
            self.luck[active] += np.where(ended | (expected == 0.0), 0.0, change - expected)
        fresh = active[np.isnan(self.v0[active]) & self.engine.presented[active] & ~ended]
        paid = self.components[fresh].sum(axis=1)
        self.v0[fresh] = paid + self.engine.best_expected_utility[fresh]
        self.v0_open[fresh] = paid + self.engine.best_open_utility[fresh]
        if self.steps is not None:
            self.steps.append(self._row(active, before, taken, step.components[active]))
        return ended

    def _row(
        self, active: NDArray[np.int64], before: JourneyView, taken: Taken, components: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        after = self.engine.journey_view(active)
        return {
            "journey": (self.first + active).astype(np.int32),
            "step": before.step,
            "action": taken.action.astype(np.int32),
            "propensity": taken.propensity,
            "visit": before.visit,
            "clock_h": before.clock_h,
            "clock_after_h": after.clock_h,
            "components": components,
            "condition_posterior": self.engine.condition_posterior[active],
            "values": after.values,
            "numbers": after.numbers,
            "status": after.status,
        }


def _gather(
    population: Population, agent: str, seed: int, patients: NDArray[np.int64], chunks: list[_Chunk]
) -> Journeys:
    def fact(name: str, dtype: type) -> NDArray[Any]:
        return np.concatenate([chunk.facts[name] for chunk in chunks]).astype(dtype)

    components = np.concatenate([chunk.components for chunk in chunks])
    return Journeys(
        world=population.world,
        agent=agent,
        seed=seed,
        patient=patients,
        decision=fact("decision", np.int32),
        condition=fact("condition", np.int32),
        profile=fact("profile", np.int32),
        hidden=fact("hidden", np.int32),
        value=components.sum(axis=1),
        components=components,
        expected_components=np.concatenate([chunk.expected for chunk in chunks]),
        condition_posterior=np.concatenate([chunk.posterior for chunk in chunks]),
        cost_gbp=fact("cost_gbp", np.float64),
        dose_msv=fact("dose_msv", np.float64),
        tests=fact("tests", np.int32),
        clock_h=fact("clock_h", np.float64),
        values=np.concatenate([chunk.view.values for chunk in chunks]),
        status=np.concatenate([chunk.view.status for chunk in chunks]),
        v0=np.concatenate([chunk.v0 for chunk in chunks]),
        v0_open=np.concatenate([chunk.v0_open for chunk in chunks]),
        best_at_end=np.concatenate([chunk.best_at_end for chunk in chunks]),
        events=_events([row for chunk in chunks for row in chunk.steps or []]),
        law_known=population.law_known,
        luck=None if chunks[0].expectation is None else np.concatenate([chunk.luck for chunk in chunks]),
    )


def _events(rows: list[dict[str, NDArray[Any]]]) -> Events | None:
    if not rows:
        return None
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    order = np.lexsort((columns["step"], columns["journey"]))
    return Events(**{name: column[order] for name, column in columns.items()})

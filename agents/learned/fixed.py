"""A fixed order of investigations with an optional stop: the strongest plan that ignores results but for stopping.

The order and the stop are tuned on training patients: greedy forward selection, then removals and exchanges, each
candidate scored at its best stopping threshold. A patient stops when knowing everything would be worth less than
the threshold, so the order is fixed but its length is the patient's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from workup.agents.base import Effort, Learner, Progress, choose_first, decision_actions
from workup.agents.deciding import at_stake
from workup.agents.opening import finish, journey_is_open, open_journeys, opening_actions, opening_choices, wait_first
from workup.agents.saved import SavedPolicy, Strict, faults_of, read_policy, write_policy
from workup.envs.engine.engine import Engine
from workup.envs.engine.observation import layout_of
from workup.envs.engine.types import JourneyView
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupError
from workup.wording import pounds

F64 = NDArray[np.float64]

TUNING_SEED = 9_000_000
"""Far from the seeds of evaluations, so that it is tuned on patients that they do not draw."""


class Tuning(Strict):
    """How an order was found."""

    patients: int
    seed: int
    value_gbp: float
    """Mean value on the training patients."""
    without_stopping_gbp: float
    """The same order taken to its end by everyone."""
    candidates: int
    """Orders tried, each with every threshold."""
    history: list[str]
    """What each improvement was, with its value."""


class FixedOrder(Strict):
    """A tuned order, and when to stop it."""

    order: list[str]
    """Names of actions after history and examination."""
    stop_below_gbp: float | None
    """Stop when perfect knowledge of the condition would be worth less than this; None: never before the end."""
    tuning: Tuning


class FixedAgent:
    """Takes a fixed order, leaving out what is illegal, until it ends or the stop is met; decides by the posterior."""

    name = "fixed"
    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, world: World, plan: FixedOrder) -> None:
        """Raises FileFormatError if the order names an action that the world does not have."""
        self.plan = plan
        self._world = world
        self._stakes, self._observed = at_stake(world), len(layout_of(world).names)
        self._opening = opening_actions(world)
        names = [action.name for action in world.actions]
        unknown = [name for name in plan.order if name not in names]
        if unknown:
            raise FileFormatError(f"a fixed order names {unknown}, which {world.scenario.id} does not have")
        self._order = [names.index(name) for name in plan.order]

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`.

        Raises:
            WorkupError: the view has no observation with the posterior.
        """
        if view.observation is None or view.observation.shape[1] < self._observed:
            raise WorkupError(
                "a fixed order with a stop reads the posterior; ask for journey_view(observation=True), belief view"
            )
        opened = journey_is_open(view)
        chosen = np.where(opened, choose_first(view.mask, self._order), opening_choices(view, self._opening))
        if self.plan.stop_below_gbp is not None:
            chosen[opened & (self._stakes(view.observation) < self.plan.stop_below_gbp)] = -1
        return finish(self._world, view, wait_first(view, chosen))

    def save(self, directory: Path) -> None:
        """Write `policy.json`, tuning record included."""
        write_policy(directory, SavedPolicy("fixed", self.plan.model_dump()), self._world)

    @classmethod
    def load(cls, directory: Path, world: World) -> FixedAgent:
        """The agent that `save` wrote. Raises FileFormatError for anything else."""
        saved = read_policy(directory, world, kind="fixed")
        try:
            plan = FixedOrder.model_validate(saved.spec)
        except ValidationError as error:
            raise FileFormatError(f"{directory / 'policy.json'}: spec: {faults_of(error)}. Tune it again") from error
        try:
            return cls(world, plan)
        except FileFormatError as error:
            raise FileFormatError(f"{directory / 'policy.json'}: {error}. Tune it again") from error


@dataclass(frozen=True)
class _Scored:
    order: tuple[int, ...]
    stop: float | None
    value: float
    without_stopping: float


class _Trainer:
    """Scores orders on one set of training patients, each with its best stop."""

    def __init__(self, population: Population, patients: int, seed: int) -> None:
        world = population.world
        self._world, self._stakes = world, at_stake(world)
        rows = None if population.law_known else population.fixed
        patients = patients if rows is None else len(population)
        self._truth = None if rows is None else world.utility_gbp[:, rows.profile, rows.hidden]
        self._engine = Engine(population, patients, seed=seed, view="belief", score="posterior")
        self._decisions = decision_actions(world)
        self._first = np.arange(patients)
        self.scored: dict[tuple[int, ...], _Scored] = {}

    def score(self, order: tuple[int, ...]) -> _Scored:
        """The order at its best threshold: value of stopping after each step, then the best first crossing."""
        if order not in self.scored:
            self.scored[order] = _best_stop(order, *self._trajectories(order))
        return self.scored[order]

    def _trajectories(self, order: tuple[int, ...]) -> tuple[F64, F64]:
        """(n, steps) what stopping after each step is worth, and what is at stake then; 0 at the end of the order."""
        engine = self._engine
        engine.reset(patients=self._first)
        spent, worth, stakes = open_journeys(engine), [], []
        while True:
            chosen = choose_first(engine.mask, order)
            worth.append(spent + self._stopping_now())
            stakes.append(np.where(chosen < 0, 0.0, self._stakes(engine.observation)))
            if (chosen < 0).all():
                return np.stack(worth, axis=1), np.stack(stakes, axis=1)
            spent = spent + engine.step(chosen).reward

    def _stopping_now(self) -> F64:
        """(n,) what the best decision now is worth: to the model, or to recorded patients themselves."""
        if self._truth is None:
            return self._engine.best_expected_utility
        layout = self._engine.layout
        regrets = slice(layout.regret_slot, layout.regret_slot + len(self._truth))
        shown = self._engine.observation[:, regrets]
        chosen = np.where(shown > 0.0, -np.inf, shown).argmax(axis=1)  # above 0: better, but locked
        return self._truth[chosen, self._first] * self._world.weights[3]


def _best_stop(order: tuple[int, ...], worth: F64, stakes: F64) -> _Scored:
    everyone = float(worth[:, -1].mean())
    best = _Scored(order, None, everyone, everyone)
    for threshold in np.unique(np.quantile(stakes[stakes > 0], np.linspace(0.02, 1.0, 50))) if stakes.any() else ():
        at = (stakes < threshold).argmax(axis=1)  # the last column is 0, so everyone stops somewhere
        value = float(worth[np.arange(len(worth)), at].mean())
        if value > best.value:
            best = _Scored(order, float(threshold), value, everyone)
    return best


def tune_fixed(
    who: World | Population,
    *,
    patients: int = 2048,
    seed: int = 0,
    rounds: int = 2,
    progress: Callable[[str], None] | None = None,
) -> FixedAgent:
    """Find a good fixed order: greedy forward selection, then removals and exchanges until none helps.

    Args:
        who: the training population; of a world, patients whom its law draws.
        patients: training patients, drawn from a seed that evaluations do not use.
        seed: which training patients.
        rounds: most rounds of removals and exchanges.
        progress: told of every improvement.
    """
    population = Population.of(who)
    world = population.world
    trainer = _Trainer(population, patients, TUNING_SEED + seed)
    opening = set(opening_actions(world))
    pool = [a for a, action in enumerate(world.actions) if action.items and a not in opening]
    best, history = trainer.score(()), []

    def improve(label: str, candidates: Sequence[tuple[int, ...]]) -> bool:
        nonlocal best
        found = max((trainer.score(order) for order in candidates), key=lambda s: s.value, default=best)
        if found.value <= best.value + 1e-9:
            return False
        best = found
        names = ", ".join(world.actions[a].name for a in best.order)
        history.append(f"{label}: {best.value:.2f} with [{names}]")
        if progress is not None:
            progress(history[-1])
        return True

    while improve("longer", [(*best.order, a) for a in pool if a not in best.order]):
        pass
    for _ in range(rounds):
        shorter = improve("shorter", [best.order[:i] + best.order[i + 1 :] for i in range(len(best.order))])
        inserted = improve("inserted", [_inserted(best.order, i, a) for a in pool for i in range(len(best.order))])
        exchanged = improve(
            "exchanged", [_exchanged(best.order, i, j) for i in range(len(best.order)) for j in range(i)]
        )
        if not (shorter or inserted or exchanged):
            break
    tuning = Tuning(
        patients=patients,
        seed=TUNING_SEED + seed,
        value_gbp=best.value,
        without_stopping_gbp=best.without_stopping,
        candidates=len(trainer.scored),
        history=history,
    )
    names = [world.actions[a].name for a in best.order]
    return FixedAgent(world, FixedOrder(order=names, stop_below_gbp=best.stop, tuning=tuning))


def _inserted(order: tuple[int, ...], position: int, action: int) -> tuple[int, ...]:
    """The order with an action put (or moved) to a position."""
    rest = tuple(a for a in order if a != action)
    return (*rest[:position], action, *rest[position:])


def _exchanged(order: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    changed = list(order)
    changed[i], changed[j] = changed[j], changed[i]
    return tuple(changed)


class FixedLearner:
    """Greedy search for a fixed order; it ends by itself."""

    name, extra, ends_by_itself, needs_rows = "fixed", None, True, False

    def fit(self, population: Population, *, out: Path, seed: int, effort: Effort, progress: Progress) -> FixedAgent:
        """See `Learner.fit`."""
        agent = tune_fixed(population, seed=seed, progress=lambda line: progress(0.0, line))
        agent.save(out)
        tuning = agent.plan.tuning
        progress(1.0, f"{pounds(tuning.value_gbp)} per training patient, the best of {tuning.candidates:,} orders")
        return agent

    def load(self, directory: Path, world: World) -> FixedAgent:
        """See `Learner.load`."""
        return FixedAgent.load(directory, world)


LEARNERS: dict[str, Learner] = {"fixed": FixedLearner()}

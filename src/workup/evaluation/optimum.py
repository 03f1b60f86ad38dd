"""The optimum for the patients of a comparison, with what was worked out before kept on disk.

Bounds are kept by a hash of all that could change them (the scenario's figures, preset, weights, mechanisms),
in `$XDG_CACHE_HOME/workup` (`~/.cache/workup`), on top of those that come with a scenario.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.agents.planning import (
    Optimum,
    PolicyCache,
    PresentationBounds,
    SearchEffort,
    Solution,
    State,
    presentation_bounds,
    presentations,
    solve,
)
from workup.agents.planning.optimum import Planner, shipped_cache
from workup.agents.planning.policy_cache import Known, state_key
from workup.agents.referenced import by_own_name
from workup.agents.registry import make_agent
from workup.envs.engine.cases import vignette_cases
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import FileFormatError, PlanningRefused, WorkupWarning
from workup.evaluation.run import run_agents
from workup.files import cache_folder

SAVE_EVERY_S = 15.0
_BATCH = 256

RECORDED = "the patients of {} are recorded, so the law that they come from, and with it the optimum, is unknown"

NOT_ASKED = "not asked for (add optimum to --agents, or --optimum)"

Progress = Callable[[int], None]
"""Called with the number of presentations newly solved."""


class Bookkeeper:
    """Known answers of the planner for one world, saved to disk as they come in."""

    def __init__(self, who: World | Population) -> None:
        self._population = Population.of(who)
        world = self._world = self._population.world
        self.cache = shipped_cache(world, SearchEffort())
        self.path = cache_folder() / f"{world.scenario.id}-{self.cache.key}.json"
        kept = _load(self.path, self.cache.key)
        self.cache.bounds |= kept.bounds
        self.cache.actions |= kept.actions
        self._kept = self._size()
        self._saved_at = time.monotonic()
        self._said = False

    def agents(self, names: Iterable[str | Path], *, seed: int, progress: Progress | None = None) -> dict[str, Agent]:
        """Agents by what tables call them; the optimum shares the known answers."""
        return by_own_name({str(name): self.agent(name, seed=seed, progress=progress) for name in names})

    def agent(self, name: str | Path, *, seed: int, progress: Progress | None = None) -> Agent:
        """One of them, by name, directory or reference: see `make_agent`."""
        if str(name) == Optimum.name:
            return self.optimum(progress=progress)
        return make_agent(name, self._population, seed=seed)

    def optimum(self, *, progress: Progress | None = None) -> Optimum:
        """The optimum, sharing the known answers. Raises PlanningRefused."""
        return Optimum(self._world, cache=self.cache, progress=self._saving(progress))

    def bounds(
        self, *, patients: int, seed: int, progress: Progress | None = None
    ) -> tuple[PresentationBounds | None, str | None]:
        """Bounds for the first `patients` patients of a seed, or None and why the planner refuses."""
        if not self._population.law_known:
            return None, RECORDED.format(self._world.scenario.id)
        ids = np.arange(patients, dtype=np.int64)
        try:
            found = presentation_bounds(self._world, ids, seed=seed, cache=self.cache, progress=self._saving(progress))
        except PlanningRefused as refusal:
            return None, str(refusal)
        self.save()
        return found, None

    def possible(
        self, *, patients: int, seed: int, asked: bool, progress: Progress | None = None
    ) -> tuple[PresentationBounds | None, str | None, Journeys | None]:
        """What `score` wants to know of the first `patients` patients of a seed: bounds, or why there are none, and the
        journeys under the plan behind them. Unless `asked`, nothing is planned."""
        if not asked:
            bounds, refusal = self.known(patients=patients, seed=seed)
            plan = None if bounds is None else self._plan(patients=patients, seed=seed, known_only=True)
            return bounds, refusal, plan
        # The plan first: in taking it, its bounds are found.
        plan = self._plan(patients=patients, seed=seed, progress=progress) if self._population.law_known else None
        return *self.bounds(patients=patients, seed=seed, progress=progress), plan

    def _plan(
        self, *, patients: int, seed: int, known_only: bool = False, progress: Progress | None = None
    ) -> Journeys | None:
        """Patients under the plan that attains the lower bounds; None where the planner refuses."""
        saving = self._saving(progress)
        plan = Optimum(self._world, cache=self.cache, progress=saving, presented=True, known_only=known_only)
        try:
            found = run_agents(self._world, {plan.name: plan}, patients=patients, seed=seed)[plan.name]
        except PlanningRefused:
            return None
        self.save()
        return found

    def known(self, *, patients: int, seed: int) -> tuple[PresentationBounds | None, str | None]:
        """As `bounds`, but plans nothing: None if one of these patients has not been planned for."""
        if not self._population.law_known:
            return None, RECORDED.format(self._world.scenario.id)
        found: list[tuple[float, float, float]] = []
        if not self.cache.bounds:
            return None, NOT_ASKED
        for v0, states in self._presented(patients, seed):
            for row, value in enumerate(v0):
                state = states.get(row)
                bounds = Known(0.0, 0.0, 0.0, 0) if state is None else self.cache.bounds.get(state_key(state))
                if bounds is None:
                    return None, NOT_ASKED
                stop, low, high, _ = bounds
                found.append((value, value + (low - stop), value + (high - stop)))  # as bounds adds them, to the bit
        v0, lower, upper = np.array(found).T
        return PresentationBounds(v0, lower, upper, bool((upper - lower < 1e-6).all())), None

    def to_plan(self, *, patients: int, seed: int, acting: bool = False) -> int:
        """How many presentations of these patients have not been planned for, so that `bounds` will; where the optimum is
        `acting`, also those whose plan was not kept."""
        if not self._population.law_known:
            return 0
        keys = {state_key(state) for _, states in self._presented(patients, seed) for state in states.values()}
        known = self.cache.bounds.keys() & self.cache.actions.keys() if acting else self.cache.bounds.keys()
        return len(keys - known)

    def _presented(self, patients: int, seed: int) -> Iterator[tuple[NDArray[np.float64], dict[int, State]]]:
        """V0 and states of `presentations`, some patients at a time, so that the first that is unknown ends the search."""
        for first in range(0, patients, _BATCH):
            yield presentations(self._world, np.arange(first, min(first + _BATCH, patients), dtype=np.int64), seed)

    def check_law(self) -> None:
        """Raises PlanningRefused where the patients' law, and with it the best policy, is unknown."""
        if not self._population.law_known:
            raise PlanningRefused(RECORDED.format(self._world.scenario.id))

    def solve(
        self, *, patients: int, seed: int, planner: Planner | None = None, progress: Progress | None = None
    ) -> Solution:
        """The value of the best policy, over sampled patients where the whole is too large; what `planner` has solved is
        not solved again. Raises PlanningRefused."""
        self.check_law()
        found = solve(
            self._world,
            patients=patients,
            seed=seed,
            cache=self.cache,
            planner=planner,
            progress=self._saving(progress),
        )
        self.save()
        return found

    def of_vignettes(self, *, draws: int, seed: int, progress: Progress | None = None) -> dict[str, PresentationBounds]:
        """Bounds for draws of each vignette's patient, from history and examination on. Raises PlanningRefused."""
        found = {
            name: presentation_bounds(
                self._world,
                np.arange(draws, dtype=np.int64),
                seed=seed,
                cases=vignette_cases(self._world, name, draws=draws, seed=seed),
                cache=self.cache,
                progress=self._saving(progress),
            )
            for name in self._world.scenario.vignettes
        }
        self.save()
        return found

    def save(self) -> None:
        """Keep what is new."""
        if self._size() > self._kept:
            # A copy, since planning threads may be adding to the original.
            try:
                PolicyCache(self.cache.key, dict(self.cache.bounds), dict(self.cache.actions)).save(self.path)
            except OSError as error:
                self._say_once(error)
            self._kept = self._size()
        self._saved_at = time.monotonic()

    def _say_once(self, error: OSError) -> None:
        if not self._said:
            message = f"what the planner works out is not kept for the next time: {error}. Set XDG_CACHE_HOME to another place"
            warnings.warn(message, WorkupWarning, stacklevel=3)
        self._said = True

    def _size(self) -> int:
        return len(self.cache.bounds) + len(self.cache.actions)

    def _saving(self, progress: Progress | None) -> Progress:
        def solved(count: int) -> None:
            if progress is not None:
                progress(count)
            if time.monotonic() - self._saved_at > SAVE_EVERY_S:
                self.save()

        return solved


def _load(path: Path, key: str) -> PolicyCache:
    """What was kept; a damaged file is as good as none, since all of it can be worked out again, but it is said."""
    try:
        return PolicyCache.load(path, key) or PolicyCache(key)
    except FileFormatError as damage:
        warnings.warn(f"{damage}. It is worked out anew.", stacklevel=2)
        return PolicyCache(key)
    except OSError as error:
        message = f"what the planner worked out before cannot be read: {error}. It is worked out anew."
        warnings.warn(message, WorkupWarning, stacklevel=2)
        return PolicyCache(key)

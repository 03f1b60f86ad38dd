"""What the best policy is worth: exactly, or between certified bounds for sampled patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.opening import open_journeys
from workup.agents.planning.effort import SearchEffort
from workup.agents.planning.optimum import Planner, blank_state, shipped_cache, solve_together
from workup.agents.planning.policy_cache import PolicyCache, state_key
from workup.agents.planning.presentation import State
from workup.envs.engine.engine import Engine
from workup.envs.model.cases import Cases
from workup.envs.model.population import Population
from workup.envs.model.world import World

F64 = NDArray[np.float64]
_BATCH = 512


@dataclass(frozen=True, eq=False)
class PresentationBounds:
    """What the optimum is worth to each of n patients as they presented, in pounds, everything before paid for."""

    v0: F64
    """(n,) value of the best decision after history and examination; NaN if a journey ended before both."""
    lower: F64
    """(n,) certified: the value of a policy that exists."""
    upper: F64
    """(n,) no policy that takes history and examination first is worth more."""
    exact: bool


@dataclass(frozen=True, eq=False)
class Solution:
    """The value of the best policy per patient, in pounds.

    Exact: over the whole journey and every patient; `patients` is 0 and the intervals are the value itself.
    Otherwise: means over sampled patients of what was certified from their presentation on, assuming that
    history and examination are both taken first; intervals are 95% over patients, for sampling alone.
    """

    value: float
    """Certified: the lower bound."""
    lower: float
    upper: float
    exact: bool
    v0: float
    """Value of the best decision after history and examination (exact: of the best decision there, per patient)."""
    patients: int
    lower_interval: tuple[float, float]
    upper_interval: tuple[float, float]
    each: PresentationBounds | None
    """By sampled patient; None if exact."""

    @property
    def gain(self) -> float:
        """Certified gain over V0."""
        return self.lower - self.v0


def solve(
    world: World,
    *,
    patients: int = 200,
    seed: int = 0,
    effort: SearchEffort | None = None,
    cache: PolicyCache | None = None,
    planner: Planner | None = None,
    progress: Callable[[int], None] | None = None,
) -> Solution:
    """The value of the best policy.

    Args:
        world: the scenario.
        patients: sampled where the whole journey cannot be searched.
        seed: of those patients.
        effort: for all of them together.
        cache: known answers, added to.
        planner: of this world and effort, which knows what it has solved.
        progress: called with 1 for each presentation solved.

    Raises:
        PlanningRefused: the scenario has something that planners cannot treat; with the reason and the size.

    Examples:
        >>> import workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> found = workup.solve(world)  # pounds a patient, exactly: the whole journey could be searched
        >>> found.exact, round(found.value), found.lower == found.upper
        (True, -183, True)
    """
    planner = planner or Planner(world, effort)
    if planner.whole:
        return _solve_exactly(planner)
    each = presentation_bounds(world, np.arange(patients), seed=seed, effort=effort, cache=cache, progress=progress)
    lower, upper, v0 = (float(part.mean()) for part in (each.lower, each.upper, each.v0))
    return Solution(
        value=lower, lower=lower, upper=upper, exact=False, v0=v0, patients=patients,
        lower_interval=_interval(each.lower), upper_interval=_interval(each.upper), each=each,
    )  # fmt: skip


def presentation_bounds(
    world: World,
    patients: NDArray[np.int64],
    *,
    seed: int = 0,
    cases: Cases | None = None,
    effort: SearchEffort | None = None,
    cache: PolicyCache | None = None,
    progress: Callable[[int], None] | None = None,
) -> PresentationBounds:
    """Certified bounds for given patients, each after history and examination.

    Args:
        world: the scenario.
        patients: (n,) ids of the seed's patients, or of `cases`.
        seed: of the patients.
        cases: fixed patients, such as a vignette's.
        effort: for all of them together.
        cache: known answers, added to; by default those that come with the scenario.
        progress: called with 1 for each presentation solved.

    Raises:
        PlanningRefused: as `solve`.
    """
    planner = Planner(world, effort)
    known = cache if cache is not None else shipped_cache(world, planner.effort)
    v0, states = presentations(world, np.asarray(patients, np.int64), seed, cases)
    patients_of = Counter(state_key(state) for state in states.values())
    fresh = {state_key(state): state for state in states.values() if state_key(state) not in known.bounds}
    solve_together(planner, fresh, known, patients=patients_of, progress=progress)
    lower, upper = v0.copy(), v0.copy()
    for row, state in states.items():
        stop, low, high, _ = known.bounds[state_key(state)]
        lower[row] += low - stop
        upper[row] += high - stop
    return PresentationBounds(v0, lower, upper, bool((upper - lower < 1e-6).all()))


def presentations(
    world: World, patients: NDArray[np.int64], seed: int, cases: Cases | None = None
) -> tuple[F64, dict[int, State]]:
    """(n,) V0 of every patient, and by row what was revealed of those who got through history and examination."""
    v0, states = np.empty(len(patients)), {}
    for first in range(0, len(patients), _BATCH):
        rows = np.arange(first, min(first + _BATCH, len(patients)))
        engine = Engine(Population(world, cases), len(rows), seed=seed, view="belief")
        engine.reset(patients=patients[rows])
        v0[rows] = open_journeys(engine) + engine.best_expected_utility
        view = engine.journey_view()
        states.update({int(rows[j]): State.of(view, int(j)) for j in np.flatnonzero(engine.presented)})
    return v0, states


def _solve_exactly(planner: Planner) -> Solution:
    world, model = planner.world, planner.world.model
    value = 0.0
    for start in range(model.n_starts):
        share = float(model.prior[start * model.profiles_per_start :][: model.profiles_per_start].sum())
        if share > 0.0:
            solved = planner.solve(blank_state(world, start))
            value += share * solved.lower
    return Solution(
        value=value, lower=value, upper=value, exact=True, v0=float("nan"), patients=0,
        lower_interval=(value, value), upper_interval=(value, value), each=None,
    )  # fmt: skip


def _interval(values: F64) -> tuple[float, float]:
    half = 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return float(values.mean()) - half, float(values.mean()) + half

"""The optimum as an agent: exact where the whole journey can be searched, else certified from each presentation on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, choose_first
from workup.agents.opening import opening_actions, opening_choices
from workup.agents.planning.bounded import Bounds, bound
from workup.agents.planning.policy import Policy, extract
from workup.agents.planning.policy_cache import PolicyCache, cache_key, state_key
from workup.agents.planning.presentation import Presented, Presenter, State
from workup.agents.planning.problem import size
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED, RESULT, UNKNOWN
from workup.envs.model.world import World
from workup.errors import InternalError, PlanningRefused

EXACT_STATES = 5_000_000
"""Information states up to which a whole journey is searched to the end."""
MAX_KEPT = 512
"""Solved states that a planner remembers."""


@dataclass(frozen=True)
class SearchEffort:
    """How hard to look at one presentation."""

    gap: float = 0.02
    """Stop when upper - lower is at most this share of the certified gain, ..."""
    gap_gbp: float = 0.5
    """... or at most this many pounds."""
    expansions: int = 800_000
    """Orders looked at before giving up on the gap."""

    def settings(self) -> dict[str, float]:
        """For the key of a cache."""
        return {"gap": self.gap, "gap_gbp": self.gap_gbp, "expansions": self.expansions}


@dataclass(frozen=True, eq=False)
class Solved:
    """A presentation (or a whole journey) with what was certified about it, pounds from there on."""

    policy: Policy
    stop: float
    lower: float
    upper: float
    met: bool


class Planner:
    """Solves information states of one world and remembers the latest."""

    def __init__(self, world: World, effort: SearchEffort | None = None) -> None:
        self.world, self.effort = world, effort or SearchEffort()
        self.presenter = Presenter(world)
        self.kept: OrderedDict[str, Solved] = OrderedDict()
        """By `state_key`, the latest last."""
        self.whole = self._whole_journey()

    def start(self, state: State) -> State:
        """Where planning for a journey begins: at its start if the whole journey can be searched, else presented."""
        known = set(range(self.world.model.n_known_at_start)) | (set() if self.whole else set(self._opening_facts()))
        values = np.array([v if o in known else UNKNOWN for o, v in enumerate(state.values)], np.int16)
        kept = np.zeros(len(state.status), bool) if self.whole else self.opening_items()
        hours = 0.0 if self.whole else float(self.world.turnaround_h[kept & (state.status == RESULT)].sum())
        return State(
            values=values,
            status=np.where(kept, state.status, NOT_ORDERED).astype(np.uint8),
            failures=np.where(kept, state.failures, 0).astype(np.uint8),
            treated=np.zeros_like(state.treated),
            progression_h=np.full_like(state.progression_h, hours),
        )

    def solve(self, state: State) -> Solved:
        """What can be certified from this state on, and the plan that attains the lower bound.

        Raises:
            PlanningRefused: something the planner cannot treat.
        """
        key = state_key(state)
        if key not in self.kept:
            self.kept[key] = self.solve_problem(self.presenter.present(state))
            if len(self.kept) > MAX_KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return self.kept[key]

    def solve_problem(self, presented: Presented) -> Solved:
        """Search one problem with the planner's effort; a whole journey to the end."""
        if self.whole:
            found = bound(presented.problem, expansions=10**9)
        else:
            found = self._bounded(presented)
        return Solved(extract(presented, found.graph), found.stop, found.lower, found.upper, found.met)

    def _bounded(self, presented: Presented) -> Bounds:
        effort = self.effort
        return bound(
            presented.problem,
            gap=effort.gap_gbp,
            share_of_gain=effort.gap,
            expansions=effort.expansions,
        )  # fmt: skip

    def _whole_journey(self) -> bool:
        """Whether every start of the scenario is small enough to be searched to the end."""
        model, world = self.world.model, self.world
        try:
            for start in range(model.n_starts):
                if model.prior[start * model.profiles_per_start :][: model.profiles_per_start].any():
                    presented = self.presenter.present(blank_state(world, start))
                    if size(presented.problem) > EXACT_STATES:
                        return False
        except PlanningRefused:
            return False
        return True

    def opening_items(self) -> NDArray[np.bool_]:
        """(I,) the first history and the first examination: what makes a presentation."""
        opens = self.world.opens_journey
        kept = np.zeros(len(opens), bool)
        kept[[int(np.flatnonzero(opens == kind)[0]) for kind in (1, 2) if (opens == kind).any()]] = True
        return kept

    def _opening_facts(self) -> list[int]:
        rows = self.world.reveals[self.opening_items()]
        return [int(o) for o in rows.ravel() if o >= 0]


def blank_state(world: World, start: int) -> State:
    """Nothing known but what every patient of a start tells."""
    model = world.model
    values = np.full(len(model.observables), UNKNOWN, np.int16)
    values[: model.n_known_at_start] = start_values(world, start)
    items = len(world.items)
    return State(
        values,
        np.zeros(items, np.uint8),
        np.zeros(items, np.uint8),
        np.zeros(len(values), bool),
        np.zeros(len(model.conditions)),
    )


def start_values(world: World, start: int) -> NDArray[np.int16]:
    """(n_known_at_start,) the values that define a start."""
    model = world.model
    k = start * model.profiles_per_start
    rows = model.value_rows
    found = [
        int(model.value_table[rows.start[o] + rows.of_profile[o, k] + rows.of_hidden[o, 0]].argmax())
        for o in range(model.n_known_at_start)
    ]
    return np.array(found, np.int16)


class Optimum:
    """Follows the plan that attains the certified lower bound."""

    name = "optimum"
    needs: Literal["raw", "belief"] | None = None

    def __init__(
        self,
        world: World,
        *,
        effort: SearchEffort | None = None,
        cache: PolicyCache | None = None,
        workers: int = 2,
        progress: Callable[[int], None] | None = None,
        presented: bool = False,
        known_only: bool = False,
    ) -> None:
        """The agent.

        Args:
            world: the scenario.
            effort: by presentation.
            cache: known answers, added to; by default those that come with the scenario, if they fit its figures.
            workers: threads that plan.
            progress: called with 1 for each presentation solved.
            presented: begin with history and examination as `presentations` does, even where the best plan of a whole journey
                would not; what follows is then worth the certified lower bound on average, presentation by presentation.
            known_only: plan nothing: refuse where the cache has no answer.
        """
        self.planner = Planner(world, effort)
        self.cache = cache if cache is not None else shipped_cache(world, self.planner.effort)
        self._opening = [
            a for a in opening_actions(world) if self.planner.opening_items()[world.actions[a].items[0]]
        ]  # fmt: skip
        self._decisions = frozenset(range(len(world.actions) - len(world.decisions), len(world.actions)))
        self._workers, self._progress = workers, progress
        self._first = opening_actions(world) if presented else None
        self._known_only = known_only

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`.

        Raises:
            PlanningRefused: results are pending, a budget forbids what was planned, something else that the planner
                cannot treat, or, where only what is known is wanted, a state that is new.
            InternalError: the plan does not cover a state that it led to.
        """
        chosen = self._open(view)
        open_rows = [int(row) for row in np.flatnonzero(chosen < 0)]
        states = {row: State.of(view, row) for row in open_rows}
        self._prepare([states[row] for row in open_rows])
        for row in open_rows:
            chosen[row] = self._action(states[row], view.mask[row])
        return chosen

    def _open(self, view: JourneyView) -> NDArray[np.int64]:
        """(n,) history and examination; -1 where the plan says what comes next."""
        if self._first is not None:
            return opening_choices(view, self._first)
        return np.full(len(view.mask), -1) if self.planner.whole else choose_first(view.mask, self._opening)

    def _prepare(self, states: Sequence[State]) -> None:
        """Solve the starts of these journeys that no one has asked about yet, side by side."""
        starts = {}
        for state in states:
            if state_key(state) not in self.cache.actions:
                if self._known_only:
                    raise PlanningRefused("a state that these patients came to has not been planned for")
                start = self.planner.start(state)
                starts[state_key(start)] = start
        fresh = [s for k, s in starts.items() if k not in self.planner.kept]
        solve_side_by_side(self.planner, fresh[:MAX_KEPT], self.cache, workers=self._workers, progress=self._progress)

    def _action(self, state: State, mask: NDArray[np.bool_]) -> int:
        key = state_key(state)
        action = self.cache.actions.get(key)
        if action is None or action >= len(mask) or not mask[action]:
            action = self.planner.solve(self.planner.start(state)).policy.next_action(state)
            if action is None or (action in self._decisions and not self.planner.whole):
                # Not a state of the plan, or one where the search may have stopped looking: plan again from here. The
                # new plan is worth no less than deciding now, so the certified bound still holds.
                action = self.planner.solve(state).policy.next_action(state)
            if action is None:
                raise InternalError("the plan has no action for a state that it led to; this is a fault of workup")
            if not mask[action]:
                name = self.planner.world.actions[action].name
                raise PlanningRefused(
                    f"the plan's next action, {name}, is not legal here; planners know no hard budget, and where none is "
                    "set this is a fault of workup. Evaluate the optimum without a budget"
                )
            self.cache.actions[key] = action
        return action


def solve_side_by_side(
    planner: Planner,
    states: Sequence[State],
    cache: PolicyCache,
    *,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Solve states in threads (the search holds no interpreter lock) and note their bounds in the cache."""

    def one(state: State) -> None:
        solved = planner.solve(state)
        if np.isfinite(solved.stop):  # else nothing can be decided yet: no presentation, but the start of a journey
            # As a file keeps them, so that what is said does not depend on whether it was known before.
            cache.bounds[state_key(state)] = (round(solved.stop, 4), round(solved.lower, 4), round(solved.upper, 4))
        if progress is not None:
            progress(1)

    if len(states) < 2 or workers < 2:
        for state in states:
            one(state)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(one, states):
            pass


def shipped_cache(world: World, effort: SearchEffort) -> PolicyCache:
    """The answers that come with a scenario, if they were worked out for these very figures; else an empty cache."""
    key = cache_key(world, effort.settings())
    with as_file(files("workup.scenarios").joinpath(world.scenario.id, "bounds.json")) as path:
        return PolicyCache.load(path, key) or PolicyCache(key)


def _optimum(world: World, *, seed: int) -> Optimum:
    return Optimum(world)


AGENTS: dict[str, AgentFactory] = {"optimum": _optimum}

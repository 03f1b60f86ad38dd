"""The optimum as an agent: exact where the whole journey can be searched, else certified from each presentation on."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import as_file, files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import AgentFactory, choose_first
from workup.agents.opening import opening_actions, opening_choices
from workup.agents.planning.batch import Sought, search_batch
from workup.agents.planning.bounded import Search, bound
from workup.agents.planning.effort import SearchEffort
from workup.agents.planning.policy import Policy, extract
from workup.agents.planning.policy_cache import Known, PolicyCache, cache_key, state_key
from workup.agents.planning.presentation import Presented, Presenter, State
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED, RESULT, UNKNOWN
from workup.envs.model.world import World
from workup.errors import InternalError, PlanningRefused
from workup.files import WorkingNotes

EXACT_STATES = 5_000_000
"""Information states up to which a whole journey is searched to the end."""
MAX_KEPT = 2048
"""Solved states that a planner remembers."""
AGAIN, AGAIN_GBP = 5_000, 0.5
"""Where a plan says decide it is looked at again, until so many expansions or pounds: mostly there is nothing to be found."""


@dataclass(frozen=True, eq=False)
class Solved:
    """A presentation (or a whole journey) with what was certified about it, pounds from there on."""

    policy: Policy
    stop: float
    lower: float
    upper: float
    expansions: int


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

    def solve(self, state: State, expansions: int | None = None) -> Solved:
        """What can be certified from this state on, and the plan that attains the lower bound.

        Args:
            state: at most `MAX_KEPT` are remembered.
            expansions: after which its bounds were found before; else it is looked at briefly, on its own.

        Raises:
            PlanningRefused: something the planner cannot treat.
        """
        key = state_key(state)
        if key not in self.kept:
            self.keep(key, self._solve(self.presenter.present(state), expansions))
        self.kept.move_to_end(key)
        return self.kept[key]

    def keep(self, key: str, solved: Solved) -> None:
        """Remember a state, the longest unused forgotten for it."""
        self.kept[key] = solved
        if len(self.kept) > MAX_KEPT:
            self.kept.popitem(last=False)

    def _solve(self, presented: Presented, expansions: int | None) -> Solved:
        effort = self.effort
        if self.whole:
            found = bound(presented.problem, expansions=10**9)
        elif expansions is not None:
            search = Search(presented.problem, worthwhile=1e-5 * effort.gap_gbp)
            found = search.run(expansions=expansions, gap=effort.gap_gbp, share_of_gain=effort.gap)
        else:
            gap = max(AGAIN_GBP, effort.gap_gbp)
            found = bound(
                presented.problem, gap=gap, share_of_gain=effort.gap, expansions=min(AGAIN, effort.expansions)
            )  # fmt: skip
        return Solved(extract(presented, found.graph), found.stop, found.lower, found.upper, found.expanded)

    def _whole_journey(self) -> bool:
        """Whether every start of the scenario is small enough to be searched to the end."""
        model, world = self.world.model, self.world
        blanks = [
            blank_state(world, start)
            for start in range(model.n_starts)
            if model.prior[start * model.profiles_per_start :][: model.profiles_per_start].any()
        ]
        try:
            if any(self.presenter.states(blank) > EXACT_STATES for blank in blanks):
                return False
            for blank in blanks:
                self.presenter.present(blank)  # or it refuses
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
        notes: WorkingNotes | None = None,
    ) -> None:
        """The agent.

        Args:
            world: the scenario.
            effort: for presentations that are met together.
            cache: known answers, added to; by default those that come with the scenario, if they fit its figures.
            workers: threads that plan.
            progress: called with 1 for each presentation solved.
            presented: begin with history and examination as `presentations` does, even where the best plan of a whole journey
                would not; what follows is then worth the certified lower bound on average, presentation by presentation.
            known_only: plan nothing: refuse where the cache has no answer.
            notes: of an interrupted call for the same patients, for `search_batch`.
        """
        self.planner = Planner(world, effort)
        self.cache = cache if cache is not None else shipped_cache(world, self.planner.effort)
        self._opening = [
            a for a in opening_actions(world) if self.planner.opening_items()[world.actions[a].items[0]]
        ]  # fmt: skip
        self._decisions = frozenset(range(len(world.actions) - len(world.decisions), len(world.actions)))
        self._workers, self._progress = workers, progress
        self._first = opening_actions(world) if presented else None
        self._known_only, self._notes = known_only, notes

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
        starts: dict[str, State] = {}
        patients: Counter[str] = Counter()
        for state in states:
            if state_key(state) not in self.cache.actions:
                if self._known_only:
                    raise PlanningRefused("a state that these patients came to has not been planned for")
                start = self.planner.start(state)
                key = state_key(start)
                starts[key] = start
                patients[key] += 1
        fresh = {k: s for k, s in starts.items() if k not in self.planner.kept and k not in self.cache.bounds}
        if fresh:
            solve_together(
                self.planner, fresh, self.cache, patients=patients, workers=self._workers, progress=self._progress,
                notes=self._notes,
            )  # fmt: skip

    def _action(self, state: State, mask: NDArray[np.bool_]) -> int:
        key = state_key(state)
        action = self.cache.actions.get(key)
        if action is None or action >= len(mask) or not mask[action]:
            start = self.planner.start(state)
            known = self.cache.bounds.get(state_key(start))
            action = self.planner.solve(start, known and known.expansions).policy.next_action(state)
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


def solve_together(
    planner: Planner,
    states: Mapping[str, State],
    cache: PolicyCache,
    *,
    patients: Mapping[str, int],
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    notes: WorkingNotes | None = None,
) -> None:
    """Solve states with the planner's effort for all of them and note their bounds in the cache.

    Args:
        planner: remembers the plans.
        states: by `state_key`.
        cache: added to.
        patients: how many are in each state.
        workers: threads.
        progress: called with 1 for each state solved.
        notes: see `search_batch`.
    """
    told = set[str]()

    def known(key: str, solved: Solved) -> None:
        planner.keep(key, solved)
        if np.isfinite(solved.stop):  # else nothing can be decided yet: no presentation, but the start of a journey
            # As a file keeps them, so that what is said does not depend on whether it was known before.
            stop, lower, upper = (round(x, 4) for x in (solved.stop, solved.lower, solved.upper))
            cache.bounds[key] = Known(stop, lower, upper, solved.expansions)
        if progress is not None and key not in told:
            told.add(key)
            progress(1)

    if planner.whole:
        for key, state in states.items():
            known(key, planner.solve(state))
        return

    def report(each: Sought) -> None:
        curve, policy = each.curve, each.policy
        assert curve is not None
        assert policy is not None
        known(each.key, Solved(policy, curve.stop, curve.lower, curve.upper, curve.expansions))

    sought = [Sought(key, partial(planner.presenter.present, state), patients[key]) for key, state in states.items()]
    search_batch(sought, planner.effort, workers=workers, report=report, notes=notes)


def shipped_cache(world: World, effort: SearchEffort) -> PolicyCache:
    """The answers that come with a scenario, if they were worked out for these very figures; else an empty cache, as for any
    effort but the usual one."""
    key = cache_key(world)
    if effort != SearchEffort():
        return PolicyCache(key)
    with as_file(files("workup.scenarios").joinpath(world.scenario.id, "bounds.json")) as path:
        return PolicyCache.load(path, key) or PolicyCache(key)


def _optimum(world: World, *, seed: int) -> Optimum:
    return Optimum(world)


AGENTS: dict[str, AgentFactory] = {"optimum": _optimum}

"""The one engine: a batch of journeys, advanced by the fused kernel. Every environment is a view of it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.copying import LastJourney, beliefs_of, ended_of, view_of
from workup.envs.engine.draws import numbers_of
from workup.envs.engine.preparing import packed_cases, shared_tables, tables_for
from workup.envs.engine.settings import Settings
from workup.envs.engine.state import (
    BEST_GBP,
    BOTH,
    IMPOSSIBLE,
    KEPT,
    KEY,
    OUTCOMES,
    PATIENT,
    PHASE,
    SEED,
    STRIDE,
    EngineState,
    allocate,
)
from workup.envs.engine.steps import SOME_ENDED, SOME_IMPOSSIBLE, read_batch, reset_batch, step_batch
from workup.envs.engine.types import Autoreset, Budget, JourneyView, Results, Step
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence, WorkupError

_POSITIVE = 0x7FFFFFFFFFFFFFFF
"""The bits of a seed that count."""


class Engine:
    """n journeys side by side, each in a slot.

    Slot i's episode k is patient `first_patient + i + k * num_envs` of the seed; where each slot was given a seed of its own,
    patient `first_patient + k` of that. Observations are float32 in [-1, 1];
    `observation_names` says what stands where.

    Raises:
        WorkupError: a batch of no journeys, a negative patient, or an unknown view, mode or score.
    """

    def __init__(
        self,
        who: World | Population,
        num_envs: int,
        *,
        seed: int = 0,
        first_patient: int = 0,
        view: Literal["raw", "belief"] = "raw",
        results: Literal["at_once", "delayed"] = "at_once",
        score: Literal["truth", "posterior"] = "truth",
        budget: Budget | None = None,
        autoreset: Autoreset = "none",
        max_steps: int | None = None,
    ) -> None:
        self.settings = Settings(num_envs, first_patient, view, results, score, budget, autoreset, max_steps)
        self.population = Population.of(who)
        world, cases = self.population.world, self.population.cases
        self.world, self.num_envs, self.view = world, num_envs, view
        self.first_patient, self.tracked = first_patient, self.settings.tracked
        self.layout, _ = shared_tables(world)
        self.observation_names = self.layout.names if view == "belief" else self.layout.names[: self.layout.raw_size]
        self.action_names = tuple(action.name for action in world.actions)
        self._numbers = None if cases is None else cases.numbers
        self._cases = packed_cases(cases)
        self._tables, self._columns = tables_for(world, self.settings)
        belief_rows = num_envs if self.tracked else int(self.settings.follows_posterior)
        totals_slot = self.layout.totals_slot
        n_features = totals_slot, len(self.observation_names) - totals_slot
        self._rows = allocate(world, self._columns, num_envs, n_features, belief_rows, self._tables.notes())
        self._last = LastJourney(world, self._columns, self._rows)
        self._all = np.arange(num_envs)
        self._no_finals = np.empty((0, 0), np.float32), np.empty((0, 0), np.bool_)
        self._tie()
        self.reset(seed=seed)

    def _tie(self) -> None:
        tables = self._tables
        self._fixed = (tables.at, tables.ints, tables.reals, self._cases, *tables.starts)

    def __getstate__(self) -> dict[str, Any]:
        """All but the tuple of arrays that the kernel is handed: it is put together again, of tables that copies share."""
        return {name: value for name, value in vars(self).items() if name != "_fixed"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._tie()

    def reset(self, *, seed: int | NDArray[Any] | None = None, patients: NDArray[np.int64] | None = None) -> None:
        """Begin new journeys.

        Args:
            seed: of all slots that begin; or (n,) one each, and then a slot's next patient is the next of its own seed.
            patients: (n,) ids, by default `first_patient + slot`, or `first_patient` of seeds of their own; a negative
                id skips its slot.
        """
        seeds = None if seed is None else np.asarray(seed)
        own = seeds is not None and seeds.ndim > 0
        if patients is None:
            patients = self.first_patient + (np.zeros_like(self._all) if own else self._all)
        patients = np.ascontiguousarray(patients, np.int64)
        if patients.shape != (self.num_envs,):
            raise WorkupError(f"patients has shape {patients.shape}; expected one id per slot, ({self.num_envs},)")
        if seeds is not None:
            if own and seeds.shape != patients.shape:
                raise WorkupError(f"seed has shape {seeds.shape}; expected one for all slots, or ({self.num_envs},)")
            begun = patients >= 0
            self._rows.counts[begun, SEED] = (seeds[begun] if own else seeds) & _POSITIVE
            self._rows.counts[begun, STRIDE] = 1 if own else self.num_envs
        reset_batch(*self._fixed, patients, *self._rows)

    def get_state(self) -> EngineState:
        """A copy of where every journey stands, for `set_state` of this engine or of one made with the same settings."""
        kept = tuple(array.copy() for array in self._rows[:KEPT])
        return EngineState(self.world.scenario.digest, self.settings, kept)

    def set_state(self, state: EngineState) -> None:
        """Every journey goes on from there.

        Raises:
            WorkupError: a state of another scenario, or of an engine with other settings.
        """
        if state.digest != self.world.scenario.digest or state.settings != self.settings:
            raise WorkupError(
                "the state is of another scenario, or of an engine with other settings; expected one that get_state() of "
                f"{self.world.scenario.id} gave, with {self.settings}"
            )
        held: tuple[NDArray[Any], ...] = self._rows[:KEPT]
        if any(kept.shape != array.shape for kept, array in zip(state.arrays, held, strict=True)):
            raise WorkupError("the state is of a world that was compiled otherwise; expected one of this world")
        for kept, array in zip(state.arrays, held, strict=True):
            array[:] = kept

    def step(self, actions: NDArray[np.int64], *, idle: int = -1, rows: NDArray[np.int64] | None = None) -> Step:
        """Take every journey, or those in the slots rows (m,), through one step.

        actions (n,) or (m,): the action `idle` leaves a journey as it is. The step's arrays are in the order of rows.

        Raises:
            ImpossibleEvidence: what was revealed has probability zero under the model (only a `Cases` can do that).
            WorkupError: actions of another shape, or rows that are not different slots.
        """
        if rows is not None:
            rows = self._slots(rows)
        size = self.num_envs if rows is None else len(rows)
        actions = np.ascontiguousarray(actions, np.int64)
        if actions.shape != (size,):
            raise WorkupError(f"actions has shape {actions.shape}; expected one per slot, ({size},)")
        results = self.results(size)
        return results.step(self.advance(actions, results, idle, rows))

    def _slots(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        slots = np.ascontiguousarray(rows, np.int64)
        inside = slots.ndim == 1 and ((slots >= 0) & (slots < self.num_envs)).all()
        if not inside or len(np.unique(slots)) < len(slots):
            raise WorkupError(
                f"rows is {np.asarray(rows).tolist()}; expected different slots of 0 to {self.num_envs - 1}"
            )
        return slots

    def results(self, size: int | None = None) -> Results:
        """New arrays for what a step of all journeys, or of `size`, gives."""
        n = self.num_envs if size is None else size
        facts, mask = (n, len(self.observation_names)), (n, len(self.action_names))
        finals = self._no_finals
        if self.settings.autoreset == "same_step":
            finals = np.empty(facts, np.float32), np.zeros(mask, np.bool_)
        return Results(
            np.empty(facts, np.float32),
            np.empty(mask, np.bool_),
            np.empty(n),
            np.empty((n, 4)),
            np.empty((3, n), np.bool_),
            *finals,
        )

    def advance(
        self, actions: NDArray[np.int64], results: Results, idle: int = -1, rows: NDArray[np.int64] | None = None
    ) -> bool:
        """`step` without its checks, into arrays of the caller's. Returns whether any journey ended."""
        slots = self._all if rows is None else rows
        told = step_batch(*self._fixed, slots, actions, idle, *self._rows, *results)
        if told & SOME_IMPOSSIBLE:
            self._refuse_impossible()
        return bool(told & SOME_ENDED)

    def _refuse_impossible(self) -> None:
        impossible = np.flatnonzero(self._rows.counts[:, IMPOSSIBLE])
        if impossible.size:
            patient = int(self._rows.counts[impossible[0], PATIENT])
            raise ImpossibleEvidence(
                f"patient {patient}: the revealed facts have probability zero under the model; expected facts that the "
                "scenario allows together. Mend the case (or the vignette) whose fixed findings contradict each other"
            )

    @property
    def observation(self) -> NDArray[np.float32]:
        """(n, P) a copy of the current observations."""
        return self.shown()[0]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(n, A) a copy of the current masks."""
        return self.shown()[1]

    def shown(self, rows: NDArray[np.int64] | None = None) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(n, P) observations and (n, A) masks of the journeys in all slots, or in the given ones, copied."""
        slots = self._all if rows is None else np.arange(self.num_envs)[rows]
        observation = np.empty((len(slots), len(self.observation_names)), np.float32)
        mask = np.empty((len(slots), len(self.world.actions)), np.bool_)
        read_batch(*self._fixed, slots, *self._rows, observation, mask)
        return observation, mask

    @property
    def patient(self) -> NDArray[np.int64]:
        """(n,) ids of the patients in the slots."""
        return self._rows.counts[:, PATIENT].copy()

    @property
    def next_patient(self) -> NDArray[np.int64]:
        """(n,) ids of the patients who come after them in the slots."""
        return self._rows.counts[:, PATIENT] + self._rows.counts[:, STRIDE]

    @property
    def seeds(self) -> NDArray[np.int64]:
        """(n,) whose patients the slots meet."""
        return self._rows.counts[:, SEED].copy()

    @property
    def common_seed(self) -> NDArray[np.bool_]:
        """(n,) whether a slot shares the patients of its seed with others: they go on by `num_envs`, not by one."""
        return np.asarray(self._rows.counts[:, STRIDE] > 1)

    @property
    def max_steps(self) -> int:
        """Steps to truncation."""
        return int(self._tables.at["max_steps"][0])

    @property
    def presented(self) -> NDArray[np.bool_]:
        """(n,) whether both history and examination have a result."""
        return np.asarray(self._rows.counts[:, PHASE] == BOTH)

    @property
    def best_expected_utility(self) -> NDArray[np.float64]:
        """(n,) reward still to come if one took the best decision now, by the exact posterior (belief view only):
        its utility with benefits of acts, less the delay, late cost and late harm incurred so far. Only decisions whose
        requirements are met count, whether or not a history has been taken yet."""
        return self._rows.amounts[:, BEST_GBP].copy()

    @property
    def best_open_utility(self) -> NDArray[np.float64]:
        """(n,) the same if no decision required anything; meant for journeys in which a decision is legal."""
        first = self._columns.at["expected"] + OUTCOMES
        utility = self._rows.amounts[:, first : first + len(self.world.decisions)]
        legal = self.mask[:, len(self.world.actions) - len(self.world.decisions) :]
        allowed = np.where(legal, utility, -np.inf).max(axis=1)
        gained = np.where(np.isfinite(allowed), utility.max(axis=1) - allowed, 0.0)
        return np.asarray(self.best_expected_utility + self.world.weights[3] * gained)

    @property
    def condition_posterior(self) -> NDArray[np.float64]:
        """(n, conditions) exact posterior of the principal cause, rows sum to 1 (belief view only)."""
        at = self._columns.at
        return self._rows.amounts[:, at["posterior"] : at["waited_h"]].copy()

    def beliefs(self, slots: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Exact posterior weights of m slots by the profiles still possible (belief view only), copied.

        Returns:
            weights (m, P * H) float64, not normalised, profile by profile, 0 beyond those possible; and their
            profiles (m, P) int64, -1 beyond. P is how many are possible where most are. Undefined before a journey's
            first step.
        """
        return beliefs_of(self.world, self._columns, self._rows, slots)

    def ended(self, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Facts of the journeys that ended last in these slots, hidden ones included.

        patient, profile, hidden, condition, decision (-1 if truncated), right (bool), steps, tests, clock_h,
        cost_gbp, dose_msv; components_at_end (m, 2, 4): what the end charged by the patient's own state and by the
        posterior (NaN if it is not followed); complications (m, Z) bool.
        """
        return ended_of(self.world, self._columns, self._rows, slots, self.settings.follows_posterior)

    def ended_one(self, slot: int) -> dict[str, Any]:
        """`ended` of one slot as plain numbers, without the components: patient, condition (index), decision, right,
        complications (names), steps, tests, clock_h, cost_gbp, dose_msv."""
        return self._last.of(slot)

    def journey_view(self, rows: NDArray[np.int64] | None = None, *, observation: bool = False) -> JourneyView:
        """What has been revealed so far in the given slots (all by default), copied."""
        chosen: Any = slice(None) if rows is None else rows
        values = self._rows.values[chosen, : len(self.world.model.observables)].astype(np.int16)
        shown, mask = self.shown(rows)
        numbers = self._numbers_of(chosen, values)
        return view_of(
            self.world, self._columns, self._rows, chosen, values, numbers, shown if observation else None, mask
        )

    def _numbers_of(self, chosen: Any, values: NDArray[np.int16]) -> NDArray[np.float32]:
        """(n, O) numbers of revealed numeric findings: recorded ones where there are any, else drawn."""
        counts = self._rows.counts[chosen]
        if self._numbers is None:
            return numbers_of(self.world.model, values, counts[:, KEY])
        recorded = self._numbers[counts[:, PATIENT] % len(self._numbers)]
        return np.where(values >= 0, recorded, np.float32(np.nan))

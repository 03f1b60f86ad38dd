"""The one engine: a batch of journeys, advanced by the fused kernel. Every environment is a view of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine import kernel, tables
from workup.envs.engine.draws import complications_of, numbers_of
from workup.envs.engine.observation import Layout, layout_of
from workup.envs.engine.tables import Starts, Tables, pack
from workup.envs.engine.types import Autoreset, Budget, JourneyView, Results, Step
from workup.envs.model.cases import Cases
from workup.envs.model.codes import NOT_ORDERED, UNKNOWN
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.population import Population
from workup.envs.model.randomness import seed_key
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence, WorkupError

_AUTORESET: dict[str, int] = {"none": kernel.FROZEN, "next_step": kernel.NEXT_STEP, "same_step": kernel.SAME_STEP}


class Engine:
    """n journeys side by side, each in a slot.

    Slot i's episode k is patient `first_patient + i + k * num_envs` of the seed. Observations are float32 in [-1, 1];
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
        _check(num_envs, first_patient, view, results, score, autoreset)
        self.population = Population.of(who)
        self.world, self.num_envs, self.view = self.population.world, num_envs, view
        world, cases = self.population.world, self.population.cases
        self.first_patient = first_patient
        self.layout, shared = _shared_tables(world)
        self.observation_names = self.layout.names if view == "belief" else self.layout.names[: self.layout.raw_size]
        self.action_names = tuple(action.name for action in world.actions)
        self.tracked = view == "belief"
        self._follows_posterior = self.tracked or score == "posterior"
        self._autoreset = autoreset
        self._tables = self._packed(shared, results == "delayed", score == "posterior", budget, _AUTORESET[autoreset])
        self._tables.at[tables.MAX_STEPS] = world.max_steps if max_steps is None else max_steps
        self._numbers = None if cases is None else cases.numbers
        self._cases = _packed_cases(cases)
        self._allocate()
        self._condition_of = world.model.condition_of.tolist()
        self._right_for = world.right_for.tolist()
        self._complicated = sorted(set(world.complication_item.tolist()))
        self._set_seed(seed)
        self.reset()

    def _packed(
        self, shared: Tables, delayed: bool, by_posterior: bool, budget: Budget | None, autoreset: int
    ) -> Tables:
        packed = replace(shared, at=shared.at.copy())
        at = packed.at
        at[tables.DELAYED], at[tables.BY_POSTERIOR], at[tables.TRACKED] = delayed, by_posterior, self.tracked
        at[tables.AUTORESET], at[tables.STRIDE], at[tables.SHOW_BELIEF] = autoreset, self.num_envs, self.tracked
        if budget is not None:
            starts = Starts(*[cast(Any, table.copy()) for table in shared.starts])
            packed = replace(packed, ints=shared.ints.copy(), reals=shared.reals.copy(), starts=starts)
            at[tables.BUDGETED] = 1
            limits = (budget.cost_gbp, budget.dose_msv, budget.tests)
            packed.real(tables.BUDGET, 3)[:] = [np.inf if limit is None else limit for limit in limits]
            _fill_starts(self.world, packed, len(self.layout.names))
            # Writable arrays are another type to numba: left so, a budget would compile the whole kernel anew.
            packed.ints.flags.writeable = packed.reals.flags.writeable = False
        at[tables.N_FEATURES] = len(self.observation_names)
        at[tables.WORDS_AT] = kernel.W_LISTED + (self.world.model.profiles_per_start if self._follows_posterior else 0)
        return packed

    def _allocate(self) -> None:
        n_words = int(self._tables.at[tables.N_WORDS])
        self._state = _State.of(
            self.world, self.num_envs, len(self.observation_names), n_words, self._follows_posterior
        )
        model = self.world.model
        rows = self.num_envs if self.tracked else 1
        self._weights = np.empty((rows, _belief_width(model) if self._follows_posterior else 1))
        self._scratch = _scratch(self._tables)
        core = np.zeros(len(model.core), np.int64)
        self._no_finals = np.empty((0, 0), np.float32), np.empty((0, 0), np.bool_)
        state = self._state
        self._moving = (
            state.whole, state.real, state.byte, state.values, state.facts, state.mask, self._weights, self._scratch, core,
        )  # fmt: skip

    def _set_seed(self, seed: int) -> None:
        self.seed = seed
        packed = self._tables
        key = seed_key(seed & 0x7FFFFFFFFFFFFFFF)
        self._fixed = (packed.at, packed.ints, packed.reals, self._cases, *packed.starts, key)

    def reset(self, *, seed: int | None = None, patients: NDArray[np.int64] | None = None) -> None:
        """Begin new journeys: patients (n,) ids, by default `first_patient + slot`; a negative id skips its slot."""
        if seed is not None:
            self._set_seed(seed)
        if patients is None:
            patients = self.first_patient + np.arange(self.num_envs)
        patients = np.ascontiguousarray(patients, np.int64)
        if patients.shape != (self.num_envs,):
            raise WorkupError(f"patients has shape {patients.shape}; expected one id per slot, ({self.num_envs},)")
        kernel.reset_batch(*self._fixed, patients, *self._moving)

    def step(self, actions: NDArray[np.int64], *, idle: int = -1) -> Step:
        """Take every journey through one step; the action `idle` leaves a journey as it is.

        Raises:
            ImpossibleEvidence: what was revealed has probability zero under the model (only a `Cases` can do that).
        """
        actions = np.ascontiguousarray(actions, np.int64)
        if actions.shape != (self.num_envs,):
            raise WorkupError(f"actions has shape {actions.shape}; expected one per slot, ({self.num_envs},)")
        results = self.results()
        ended = self.advance(actions, results, idle)
        return results.step(ended)

    def results(self) -> Results:
        """New arrays for what a step gives."""
        n, facts = self.num_envs, self._state.facts.shape
        finals = self._no_finals
        if self._autoreset == "same_step":
            finals = np.empty(facts, np.float32), np.zeros(self._state.mask.shape, np.bool_)
        return Results(
            np.empty(facts, np.float32),
            np.empty(self._state.mask.shape, np.bool_),
            np.empty(n),
            np.empty((n, 4)),
            np.empty((3, n), np.bool_),
            *finals,
        )

    def advance(self, actions: NDArray[np.int64], results: Results, idle: int = -1) -> bool:
        """`step` without its checks, into arrays of the caller's. Returns whether any journey ended."""
        outcome = kernel.step_batch(*self._fixed, actions, idle, *self._moving, *results)
        if outcome & kernel.IMPOSSIBLE:
            self._refuse_impossible()
        return bool(outcome & kernel.ENDED)

    def _refuse_impossible(self) -> None:
        impossible = np.flatnonzero(self._state.whole[:, kernel.W_IMPOSSIBLE])
        if impossible.size:
            patient = int(self._state.whole[impossible[0], kernel.W_PATIENT])
            raise ImpossibleEvidence(
                f"patient {patient}: the revealed facts have probability zero under the model; expected facts that the "
                "scenario allows together. Mend the case (or the vignette) whose fixed findings contradict each other"
            )

    @property
    def observation(self) -> NDArray[np.float32]:
        """(n, P) a copy of the current observations."""
        return self._state.facts.copy()

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(n, A) a copy of the current masks."""
        return self._state.mask.copy()

    @property
    def patient(self) -> NDArray[np.int64]:
        """(n,) ids of the patients in the slots."""
        return self._state.whole[:, kernel.W_PATIENT].copy()

    @property
    def presented(self) -> NDArray[np.bool_]:
        """(n,) whether both history and examination have a result."""
        return np.asarray(self._state.whole[:, kernel.W_PHASE] == kernel.BOTH)

    @property
    def best_expected_utility(self) -> NDArray[np.float64]:
        """(n,) reward still to come if one took the best decision now, by the exact posterior (belief view only):
        its utility with benefits of acts, less the delay, late cost and late harm incurred so far."""
        return self._state.real[:, kernel.R_BEST].copy()

    @property
    def condition_posterior(self) -> NDArray[np.float64]:
        """(n, conditions) exact posterior of the principal cause, rows sum to 1 (belief view only)."""
        first = kernel.R_LISTS
        return self._state.real[:, first : first + len(self.world.model.conditions)].copy()

    def beliefs(self, slots: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Exact posterior weights of m slots by the profiles still possible (belief view only), copied.

        Returns:
            weights (m, P * H) float64, not normalised, profile by profile, 0 beyond those possible; and their
            profiles (m, P) int64, -1 beyond. P is how many are possible where most are. Undefined before a journey's
            first step.
        """
        whole, model = self._state.whole[slots], self.world.model
        alive = whole[:, kernel.W_ALIVE, None]
        most = max(int(alive.max(initial=1)), 1)
        listed = whole[:, kernel.W_LISTED : kernel.W_LISTED + most]
        possible = np.arange(most) < alive
        listed[~possible] = -1
        n_hidden, conditions, n_profiles = model.prior.shape[1], len(model.conditions), model.profiles_per_start
        ends = np.cumsum([conditions, n_hidden, n_profiles])
        held = self._weights[:, : ends[2] + most * n_hidden][slots]
        by_condition, by_hidden, by_profile, joint = np.split(held, ends, axis=1)
        known = whole[:, kernel.W_JOINT, None, None] > 0
        joint = joint.reshape(-1, most, n_hidden)
        weights = joint if known.all() else np.where(known, joint, model.prior[listed])
        weights = weights * by_profile[:, :most, None] * (by_hidden * by_condition[:, model.condition_of])[:, None, :]
        weights = np.where(possible[:, :, None], weights, 0.0)
        return weights.reshape(len(slots), -1), listed

    def ended(self, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Facts of the journeys that ended last in these slots, hidden ones included.

        patient, profile, hidden, condition, decision (-1 if truncated), right (bool), steps, tests, clock_h,
        cost_gbp, dose_msv; components_at_end (m, 2, 4): what the end charged by the patient's own state and by the
        posterior (NaN if it is not followed); complications (m, Z) bool.
        """
        world, whole, real = self.world, self._state.whole[slots], self._state.real[slots]
        hidden, decision = whole[:, kernel.E_H], whole[:, kernel.E_DECISION]
        condition = world.model.condition_of[hidden]
        at_end = real[:, kernel.E_TRUTH : kernel.R_LISTS].reshape(-1, 2, 4)
        if not self._follows_posterior:
            at_end[:, 1] = np.nan
        charged = self._state.byte[slots, -len(world.items) :]
        return {
            "patient": whole[:, kernel.E_PATIENT],
            "profile": whole[:, kernel.E_K],
            "hidden": hidden,
            "condition": condition,
            "decision": decision,
            "right": world.right_for[decision, condition] & (decision >= 0),
            "steps": whole[:, kernel.E_STEP],
            "tests": whole[:, kernel.E_TESTS],
            "clock_h": real[:, kernel.E_CLOCK],
            "cost_gbp": real[:, kernel.E_COST],
            "dose_msv": real[:, kernel.E_DOSE],
            "components_at_end": at_end,
            "complications": complications_of(world, whole[:, kernel.E_KEY], whole[:, kernel.E_K], hidden, charged),
        }

    def ended_one(self, slot: int) -> dict[str, Any]:
        """`ended` of one slot as plain numbers, without the components: patient, condition (index), decision, right,
        complications (names), steps, tests, clock_h, cost_gbp, dose_msv."""
        world = self.world
        whole = self._state.whole[slot, kernel.E_PATIENT : kernel.E_DECISION + 1].tolist()
        patient, key, profile, hidden, steps, tests, decision = whole
        clock, cost, dose = self._state.real[slot, kernel.E_CLOCK : kernel.E_DOSE + 1].tolist()
        condition = self._condition_of[hidden]
        charged = self._state.byte[slot, -len(world.items) :]
        names: list[str] = []
        counts = charged.tolist()
        if any(counts[item] for item in self._complicated):
            who = np.array([[key], [profile], [hidden]])
            happened = complications_of(world, who[0], who[1], who[2], charged[None])
            names = [world.complication_names[z] for z in np.flatnonzero(happened[0])]
        return {
            "patient": patient,
            "condition": condition,
            "decision": decision,
            "right": decision >= 0 and self._right_for[decision][condition],
            "complications": names,
            "steps": steps,
            "tests": tests,
            "clock_h": clock,
            "cost_gbp": cost,
            "dose_msv": dose,
        }

    def journey_view(self, rows: NDArray[np.int64] | None = None, *, observation: bool = False) -> JourneyView:
        """What has been revealed so far in the given slots (all by default), copied."""
        chosen: Any = slice(None) if rows is None else rows
        world, state = self.world, self._state
        whole, real, byte = state.whole[chosen], state.real[chosen], state.byte[chosen]
        items, conditions = len(world.items), len(world.model.conditions)
        values = state.values[chosen].copy()
        status = byte[:, :items].copy()
        ordered_at = kernel.R_LISTS + 5 * conditions + items
        when = np.where(status != NOT_ORDERED, real[:, ordered_at : ordered_at + items], np.nan)
        waiting, progression = _exposures(real, conditions)
        return JourneyView(
            world=world,
            values=values,
            numbers=self._numbers_of(values, whole),
            status=status,
            failures=byte[:, items : 2 * items].copy(),
            treated=byte[:, 3 * items : 3 * items + values.shape[1]].astype(bool),
            ordered_at_h=when.astype(np.float32),
            clock_h=real[:, kernel.R_CLOCK].copy(),
            visit=whole[:, kernel.W_VISIT].astype(np.int32),
            step=whole[:, kernel.W_STEP].astype(np.int32),
            cost_gbp=real[:, kernel.R_COST].copy(),
            dose_msv=real[:, kernel.R_DOSE].copy(),
            tests=whole[:, kernel.W_TESTS].astype(np.int32),
            waiting_h=waiting,
            progression_h=progression,
            mask=state.mask[chosen].copy(),
            observation=state.facts[chosen].copy() if observation else None,
        )

    def _numbers_of(self, values: NDArray[np.int16], whole: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, O) numbers of revealed numeric findings: recorded ones where there are any, else drawn."""
        if self._numbers is None:
            return numbers_of(self.world.model, values, whole[:, kernel.W_KEY])
        recorded = self._numbers[whole[:, kernel.W_PATIENT] % len(self._numbers)]
        return np.where(values >= 0, recorded, np.float32(np.nan))


@dataclass(frozen=True, eq=False)
class _State:
    """One row a slot; columns are numbered in `kernel`."""

    whole: NDArray[np.int64]
    real: NDArray[np.float64]
    byte: NDArray[np.uint8]
    values: NDArray[np.int16]
    facts: NDArray[np.float32]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, world: World, n: int, n_features: int, n_words: int, with_posterior: bool) -> _State:
        items, observables = len(world.items), len(world.model.observables)
        listed = world.model.profiles_per_start if with_posterior else 0
        expected = 5 + len(world.decisions) if with_posterior else 0
        real = np.zeros((n, _expected_at(world) + expected))
        factors = kernel.R_LISTS + 3 * len(world.model.conditions)
        real[:, factors : factors + 2 * len(world.model.conditions)] = 1.0
        return cls(
            whole=np.zeros((n, kernel.W_LISTED + listed + n_words), np.int64),
            real=real,
            byte=np.zeros((n, 4 * items + observables + len(world.contraindication)), np.uint8),
            values=np.full((n, observables), UNKNOWN, np.int16),
            facts=np.zeros((n, n_features), np.float32),
            mask=np.zeros((n, len(world.actions)), np.bool_),
        )


def _expected_at(world: World) -> int:
    """The column of `real` where posterior expectations begin."""
    return kernel.R_LISTS + 5 * len(world.model.conditions) + 2 * len(world.items) + len(world.set_up_cost_gbp)


_LAYOUTS: WeakKeyDictionary[World, tuple[Layout, Tables]] = WeakKeyDictionary()


def _shared_tables(world: World) -> tuple[Layout, Tables]:
    """Layout and packed tables of a world, kept as long as it lives: engines of one world share them."""
    if world not in _LAYOUTS:
        layout = layout_of(world)
        packed = pack(world, layout)
        packed.at[tables.SHOW_BELIEF] = 1
        packed.at[tables.N_FEATURES] = len(layout.names)
        packed.at[tables.WORDS_AT] = kernel.W_LISTED + world.model.profiles_per_start
        packed.at[tables.EXPECTED_AT] = _expected_at(world)
        _fill_starts(world, packed, len(layout.names))
        packed.ints.flags.writeable = packed.reals.flags.writeable = False
        _LAYOUTS[world] = layout, packed
    return _LAYOUTS[world]


def _fill_starts(world: World, packed: Tables, n_names: int) -> None:
    """Facts, mask, observation and posterior at each start, so that a new journey is a copy of a row."""
    model = world.model
    values, masks, features, words = packed.starts
    best = packed.real(tables.START_BEST, model.n_starts)
    posterior = packed.real(tables.START_POSTERIOR, model.n_starts, len(model.conditions))
    known = np.arange(model.n_known_at_start)
    expected = packed.real(tables.START_EXPECTED, model.n_starts, 5 + len(world.decisions))
    weights, scratch = np.empty((1, _belief_width(model))), _scratch(packed)
    for begin in range(model.n_starts):
        profile = begin * model.profiles_per_start
        state = _State.of(world, 1, n_names, int(packed.at[tables.N_WORDS]), True)
        rows = model.value_rows.start[known] + model.value_rows.of_profile[known, profile]
        state.values[0, known] = model.value_table[rows].argmax(axis=1)
        state.whole[0, kernel.W_VISIT] = 1
        if not model.prior[profile : profile + model.profiles_per_start].any():
            continue  # nobody starts there
        kernel.fill_start(
            0, begin, packed.at, packed.ints, packed.reals, state.whole, state.real, state.byte, state.values,
            state.facts, state.mask, weights, scratch,
        )  # fmt: skip
        values[begin], masks[begin], features[begin] = state.values[0], state.mask[0], state.facts[0]
        words[begin] = state.whole[0, packed.at[tables.WORDS_AT] :]
        best[begin] = state.real[0, kernel.R_BEST]
        posterior[begin] = state.real[0, kernel.R_LISTS : kernel.R_LISTS + len(model.conditions)]
        expected[begin] = state.real[0, packed.at[tables.EXPECTED_AT] :]


def _belief_width(model: PatientModel) -> int:
    """Numbers in one journey's belief: a factor for each condition, hidden state and profile, and joint weights."""
    n_hidden = model.prior.shape[1]
    return len(model.conditions) + n_hidden + model.profiles_per_start * (1 + n_hidden)


def _scratch(packed: Tables) -> NDArray[np.float64]:
    at = packed.at
    size = (at[tables.N_UTILITY_K] + 1) * at[tables.N_HIDDEN] + at[tables.N_CONDITIONS] + at[tables.N_UTILITY_H]
    return np.empty(max(int(n) for n in (size, 2 * at[tables.N_HIDDEN], at[tables.N_DRAWN], at[tables.N_CORE])))


def _packed_cases(cases: Cases | None) -> NDArray[np.int32]:
    if cases is None:
        return np.zeros((0, 2), np.int32)
    return np.column_stack([cases.profile, cases.hidden, cases.values]).astype(np.int32)


def _exposures(real: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    since = (real[:, kernel.R_CLOCK] - real[:, kernel.R_SINCE])[:, None]
    _, waited, progressed, slower, calmer = np.split(real[:, kernel.R_LISTS : kernel.R_LISTS + 5 * n], 5, axis=1)
    return waited + since * slower, progressed + since * calmer


def _check(num_envs: int, first_patient: int, view: str, results: str, score: str, autoreset: str) -> None:
    faults = []
    if num_envs < 1:
        faults.append(f"num_envs is {num_envs}; expected at least 1")
    if first_patient < 0:
        faults.append(f"first_patient is {first_patient}; expected 0 or more")
    for name, found, choices in (
        ("view", view, ("raw", "belief")),
        ("results", results, ("at_once", "delayed")),
        ("score", score, ("truth", "posterior")),
        ("autoreset", autoreset, tuple(_AUTORESET)),
    ):
        if found not in choices:
            faults.append(f"{name} is {found!r}; expected one of {', '.join(choices)}")
    if faults:
        raise WorkupError("\n".join(faults))

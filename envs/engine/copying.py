"""What is copied out of the state: a view of journeys, beliefs, and facts of journeys that ended."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.draws import complications_of
from workup.envs.engine.state import (
    ACTED_H,
    CLOCK_H,
    COST_GBP,
    DOSE_MSV,
    END_BY_TRUTH,
    JOINT,
    LAST_CLOCK_H,
    LAST_COST_GBP,
    LAST_DECISION,
    LAST_DOSE_MSV,
    LAST_HIDDEN,
    LAST_KEY,
    LAST_PATIENT,
    LAST_PROFILE,
    LAST_STEP,
    LAST_TESTS,
    N_AMOUNTS,
    N_POSSIBLE,
    STEP,
    TESTS,
    VISIT,
    Columns,
    Rows,
)
from workup.envs.engine.tracking import PLACES_OF_ITEM
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.world import World

Slots = NDArray[np.int64]


def view_of(
    world: World,
    columns: Columns,
    rows: Rows,
    chosen: Any,
    values: NDArray[np.int16],
    numbers: NDArray[np.float32],
    observation: NDArray[np.float32] | None,
    mask: NDArray[np.bool_],
) -> JourneyView:
    """What has been revealed in the chosen slots: values, numbers of findings, observation and mask, and all else."""
    at = columns.at
    counts, amounts, marks = rows.counts[chosen], rows.amounts[chosen], rows.marks[chosen]
    status = marks[:, : at["failures"]].copy()
    ordered_at = amounts[:, at["ordered_at_h"] : at["set_up_paid_at_h"]]
    since = (amounts[:, CLOCK_H] - amounts[:, ACTED_H])[:, None]
    ends = [at[name] for name in ("posterior", "waited_h", "progressed_h", "waiting", "progressing", "expected")]
    _, waited, progressed, waiting, progressing = np.split(amounts[:, ends[0] : ends[-1]], 5, axis=1)
    return JourneyView(
        world=world,
        values=values,
        numbers=numbers,
        status=status,
        failures=marks[:, at["failures"] : at["charged"]].copy(),
        treated=marks[:, at["treated"] : at["feared"]].astype(bool),
        ordered_at_h=np.where(status != NOT_ORDERED, ordered_at, np.nan).astype(np.float32),
        clock_h=amounts[:, CLOCK_H].copy(),
        visit=counts[:, VISIT].astype(np.int32),
        step=counts[:, STEP].astype(np.int32),
        cost_gbp=amounts[:, COST_GBP].copy(),
        dose_msv=amounts[:, DOSE_MSV].copy(),
        tests=counts[:, TESTS].astype(np.int32),
        waiting_h=waited + since * waiting,
        progression_h=progressed + since * progressing,
        mask=mask,
        observation=observation,
    )


def beliefs_of(
    world: World, columns: Columns, rows: Rows, slots: Slots
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Posterior weights of some slots: see `Engine.beliefs`."""
    counts, model, at = rows.counts[slots], world.model, columns.at
    alive = counts[:, N_POSSIBLE, None]
    most = max(int(alive.max(initial=1)), 1)
    listed = counts[:, at["possible"] : at["possible"] + most]
    possible = np.arange(most) < alive
    listed[~possible] = -1
    n_hidden = model.prior.shape[1]
    held = rows.weights[slots]
    by_profile = held[:, at["by_profile"] : at["by_profile"] + most]
    by_hidden = held[:, at["by_hidden"] : at["by_hidden"] + n_hidden]
    by_hidden = np.where(counts[:, at["told"], None] > 0, by_hidden, 1.0) * held[:, model.condition_of]
    weights = _joint(world, columns, counts, held, listed) * by_profile[:, :, None] * by_hidden[:, None, :]
    weights = np.where(possible[:, :, None], weights, 0.0)
    return weights.reshape(len(slots), -1), listed


def _joint(
    world: World, columns: Columns, counts: Slots, held: NDArray[np.float64], listed: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(m, P, H) the prior of the listed profiles, times what reports said of profile and hidden state together: what the
    kernel's `joint_weights` multiplies, report by report."""
    model, at = world.model, columns.at
    weights, n_observables = model.prior[listed], len(model.observables)
    for r in range(int(counts[:, JOINT].max(initial=0))):
        notes = np.where(counts[:, JOINT] > r, counts[:, at["joined"] + r], 0)
        for note in np.unique(notes[counts[:, JOINT] > r]).tolist():
            of = (notes == note) & (counts[:, JOINT] > r)
            if note < 0:
                weights[of] /= held[of, at["divided"] - note - 1][:, None, None]
                continue
            o, first = note & ((1 << PLACES_OF_ITEM) - 1), note >> PLACES_OF_ITEM
            laws = model.evidence_rows if o < n_observables else model.status_rows
            row = o if o < n_observables else o - n_observables
            place = laws.of_profile[row, listed[of]][:, :, None].astype(np.int64) + laws.of_hidden[row]
            if o < n_observables:
                base, column = divmod(first, model.evidence_table.shape[1])
                weights[of] *= model.evidence_table[base + place, column]
                continue
            base, column = divmod(first, 8)
            chance = model.status_table[base + place]
            stands = chance[..., 3]
            told = np.divide(chance[..., column - 4], stands, out=np.zeros_like(stands), where=stands > 0)
            weights[of] *= chance[..., column] if column < 4 else told
    return weights


def ended_of(
    world: World, columns: Columns, rows: Rows, slots: Slots, follows_posterior: bool
) -> dict[str, NDArray[Any]]:
    """Facts of the journeys that ended last in some slots: see `Engine.ended`."""
    counts, amounts = rows.counts[slots], rows.amounts[slots]
    hidden, decision = counts[:, LAST_HIDDEN], counts[:, LAST_DECISION]
    condition = world.model.condition_of[hidden]
    at_end = amounts[:, END_BY_TRUTH:N_AMOUNTS].reshape(-1, 2, 4)
    if not follows_posterior:
        at_end[:, 1] = np.nan
    charged = rows.marks[slots, columns.at["last_charged"] : columns.at["last_charged"] + len(world.items)]
    return {
        "patient": counts[:, LAST_PATIENT],
        "profile": counts[:, LAST_PROFILE],
        "hidden": hidden,
        "condition": condition,
        "decision": decision,
        "right": world.right_for[decision, condition] & (decision >= 0),
        "steps": counts[:, LAST_STEP],
        "tests": counts[:, LAST_TESTS],
        "clock_h": amounts[:, LAST_CLOCK_H],
        "cost_gbp": amounts[:, LAST_COST_GBP],
        "dose_msv": amounts[:, LAST_DOSE_MSV],
        "components_at_end": at_end,
        "complications": complications_of(world, counts[:, LAST_KEY], counts[:, LAST_PROFILE], hidden, charged),
    }


class LastJourney:
    """Facts of the journey that ended last in one slot as plain numbers, quick enough to be asked for at every end."""

    def __init__(self, world: World, columns: Columns, rows: Rows) -> None:
        self._world, self._rows = world, rows
        self._charged = slice(columns.at["last_charged"], columns.at["last_charged"] + len(world.items))
        self._condition_of = world.model.condition_of.tolist()
        self._right_for = world.right_for.tolist()
        self._complicated = sorted(set(world.complication_item.tolist()))

    def of(self, slot: int) -> dict[str, Any]:
        """See `Engine.ended_one`."""
        counts = self._rows.counts[slot, LAST_PATIENT : LAST_DECISION + 1].tolist()
        patient, key, profile, hidden, steps, tests, decision = counts
        clock, cost, dose = self._rows.amounts[slot, LAST_CLOCK_H : LAST_DOSE_MSV + 1].tolist()
        condition = self._condition_of[hidden]
        return {
            "patient": patient,
            "condition": condition,
            "decision": decision,
            "right": decision >= 0 and self._right_for[decision][condition],
            "complications": self._complications(slot, key, profile, hidden),
            "steps": steps,
            "tests": tests,
            "clock_h": clock,
            "cost_gbp": cost,
            "dose_msv": dose,
        }

    def _complications(self, slot: int, key: int, profile: int, hidden: int) -> list[str]:
        charged = self._rows.marks[slot, self._charged]
        times = charged.tolist()
        if not any(times[item] for item in self._complicated):
            return []
        who = np.array([[key], [profile], [hidden]])
        happened = complications_of(self._world, who[0], who[1], who[2], charged[None])
        return [self._world.complication_names[z] for z in np.flatnonzero(happened[0])]

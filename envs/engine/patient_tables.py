"""Tables of the patients: laws of what is true, of events, and of what reports say about it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.parts import Part
from workup.envs.engine.vectors import padded
from workup.envs.model.codes import Rows
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.truth import cumulative
from workup.envs.model.world import World

ON_NOTHING, ON_CONDITION, ON_HIDDEN, ON_PROFILE, ON_BOTH = range(5)
"""What a report's likelihood depends on."""


def patient_tables(world: World) -> Part:
    """Laws of patients, orders and reports."""
    model = world.model
    parents_at, parent, stride = _parents(model.core_stride)
    cells, thresholds = value_cells(model)
    likelihood_at, likelihood = _likelihoods(world)
    core = cumulative(np.diff(model.core_table, axis=1, prepend=0.0))
    ints: dict[str, NDArray[Any]] = {
        "core_cut": cuts(core),
        "value_cut": cuts(thresholds),
        "core_row": model.core_start,
        "core_size": model.core_size,
        "parents_at": parents_at,
        "parent": parent,
        "parent_stride": stride,
        "core_k": model.core_profile_stride,
        "core_h": model.core_hidden_stride,
        "value_start": cells.start,
        "value_of_k": cells.of_profile.T,
        "value_of_h": cells.of_hidden.T,
        "values_of": model.n_values,
        "treatment": model.treatment,
        "treatment_stride": model.treatment_stride,
        "treatment_cells": model.treatment_stride * (model.n_values - 1),
        **_rows(model.event_rows, "event"),
        "event_pivot": model.event_pivot,
        "event_pivot_stride": model.event_pivot_stride,
        "event_charged": model.event_charged,
        "refusal": model.item_refusal,
        "failure_events": model.item_failures,
        "withheld": model.withheld,
        "corrupted": model.corrupted,
        "reported_start": model.reported_start,
        **_rows(model.evidence_rows, "evidence"),
        "attempt_stride": model.attempt_stride,
        **likelihood_at,
        **_rows(model.status_rows, "status"),
        "status_stride": model.status_attempt_stride,
        "status_on": np.where(silent(model), ON_NOTHING, depends_on(model, model.status_rows)),
    }
    reals: dict[str, NDArray[Any]] = {
        "value_cumulative": thresholds,
        "event_chance": model.event_table,
        "reported_cumulative": cumulative(model.reported_table) if model.reported_table.size else np.zeros(1),
        "evidence": model.evidence_table,
        "likelihood": likelihood,
        "status_chance": model.status_table,
        "prior": model.prior,
    }
    return Part({"n_core": len(model.core), "max_failures": model.item_failures.shape[1]}, ints, reals)


def silent(model: PatientModel) -> NDArray[np.bool_]:
    """(I,) whether the status of an item says nothing: it is never refused and never fails."""
    return np.asarray((model.item_refusal < 0) & (model.item_failures < 0).all(axis=1))


def depends_on(model: PatientModel, rows: Rows) -> NDArray[np.int64]:
    """(n,) whether the rows depend on the condition, more of the hidden state, the profile, or both."""
    by_profile = (rows.of_profile != rows.of_profile[:, :1]).any(axis=1)
    by_hidden = (rows.of_hidden != rows.of_hidden[:, :1]).any(axis=1)
    blocks = rows.of_hidden.reshape(len(rows.of_hidden), len(model.conditions), -1)
    within = (blocks != blocks[..., :1]).any(axis=(1, 2))
    choices = [by_profile & by_hidden, by_profile | ~by_hidden, within]
    return np.select(choices, [ON_BOTH, ON_PROFILE, ON_HIDDEN], ON_CONDITION)


def _likelihoods(world: World) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Likelihoods of the observables that no profile changes, one padded vector over conditions (or hidden states)
    for each report: attempt by attempt, untreated then treated, the values and last that it was withheld."""
    model, rows = world.model, world.model.evidence_rows
    on = depends_on(model, rows)
    start, per_attempt, per_treated = np.zeros((3, len(on)), np.int64)
    vectors, offset = [], 0
    for o in np.flatnonzero((on == ON_CONDITION) | (on == ON_HIDDEN)):
        step = model.prior.shape[1] // len(model.conditions) if on[o] == ON_CONDITION else 1
        attempts = int(world.attempts[model.item_of[o]]) if model.attempt_stride[o] else 1
        treated = 2 if model.treatment_stride[o] else 1
        base = int(rows.start[o] + rows.of_profile[o, 0]) + rows.of_hidden[o, ::step]
        tables = [
            model.evidence_table[base + attempt * model.attempt_stride[o] + after * model.treatment_stride[o]].T
            for attempt in range(attempts)
            for after in range(treated)
        ]
        wide = ((0, 0), (0, padded(base.size) - base.size))
        reports = [
            np.pad(np.vstack([table[: model.n_values[o]], table[-1:]]), wide, constant_values=1.0) for table in tables
        ]
        start[o], per_treated[o] = offset, reports[0].size if treated > 1 else 0
        per_attempt[o] = treated * reports[0].size if attempts > 1 else 0
        vectors.append(np.concatenate(reports).ravel())
        offset += vectors[-1].size
    where: dict[str, NDArray[Any]] = {
        "likelihood_on": on,
        "likelihood_start": start,
        "likelihood_attempt": per_attempt,
        "likelihood_treated": per_treated,
    }
    return where, np.concatenate([*vectors, np.zeros(1)])


def value_cells(model: PatientModel) -> tuple[Rows, NDArray[np.float64]]:
    """Laws of true values without padding: the n - 1 thresholds of each row, one observable after another.

    Padded rows would not fit the fastest cache, and every finding of every patient is drawn from here.
    """
    rows, thresholds = model.value_rows, model.n_values - 1
    ends = np.append(np.unique(rows.start)[1:], len(model.value_table))
    start = np.zeros(len(thresholds), np.int64)
    cells, offset = [], 0
    for o in np.argsort(rows.start, kind="stable"):
        last = int(ends[ends > rows.start[o]].min())
        law = cumulative(model.value_table[rows.start[o] : last])[:, : thresholds[o]]
        start[o] = offset
        cells.append(law.ravel())
        offset += law.size
    scale = thresholds[:, None]
    return Rows(start.astype(np.int32), rows.of_profile * scale, rows.of_hidden * scale), np.concatenate(cells)


def cuts(thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Thresholds of the 53 bits that `randomness.bits` draws: at or above them exactly where `uniform` is at or above these."""
    return np.ceil(np.minimum(thresholds, 2.0) * 2.0**53).astype(np.int64)


def _rows(rows: Rows, name: str) -> dict[str, NDArray[Any]]:
    return {f"{name}_start": rows.start, f"{name}_of_k": rows.of_profile, f"{name}_of_h": rows.of_hidden}


def _parents(stride: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    child, parent = np.nonzero(stride)
    return np.searchsorted(child, np.arange(len(stride) + 1)), parent, stride[child, parent].astype(np.int64)

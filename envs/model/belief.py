"""Exact posterior weights of a batch: one product per fact, each distinct fact looked up once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING, PENDING, REFUSED, RESULT, Rows
from workup.envs.model.patient_model import PatientModel
from workup.errors import ImpossibleEvidence

Floats = NDArray[np.float64]
_RESCALE_EVERY = 8


def posterior_weights(
    model: PatientModel,
    values: NDArray[np.int16],
    status: NDArray[np.uint8],
    failures: NDArray[np.uint8],
    treated: NDArray[np.bool_],
    *,
    values_only: bool = False,
) -> Floats:
    """Exact posterior weights of every (profile, hidden state), normalised.

    Args:
        model: who the patients are.
        values: (n, O) revealed value of each observable, UNKNOWN or MISSING.
        status: (n, I) status of each item; PENDING says that the order stands (see `PatientModel.status_table`).
        failures: (n, I) failed attempts of each item so far.
        treated: (n, O) whether the act a finding depends on was done when it was ordered.
        values_only: ignore which results are missing.

    Returns:
        (n, K, H) float64, each [K, H] slice sums to 1.

    Raises:
        ImpossibleEvidence: a row has probability zero, naming the first such row.
    """
    weights: Floats = np.repeat(model.prior[None], len(values), axis=0)
    for o in range(len(model.observables)):
        _multiply_reports(model, weights, o, values[:, o], status, failures, treated[:, o], values_only)
        if o % _RESCALE_EVERY == _RESCALE_EVERY - 1:
            _normalise(weights)
    if not values_only:
        for item in range(len(model.item_refusal)):
            _multiply_statuses(model, weights, item, status[:, item], failures[:, item])
    _normalise(weights)
    return weights


def _multiply_reports(
    model: PatientModel,
    weights: Floats,
    o: int,
    value: NDArray[np.int16],
    status: NDArray[np.uint8],
    failures: NDArray[np.uint8],
    treated: NDArray[np.bool_],
    values_only: bool,
) -> None:
    """Multiply in what observable `o` was reported to be, or that it was not reported with its item's result."""

    item, width = int(model.item_of[o]), model.evidence_table.shape[1]
    missing = np.zeros(len(value), bool)
    if item >= 0 and not values_only:
        missing = (value == MISSING) & (status[:, item] == RESULT)
    column = np.where(missing, width - 1, value).astype(np.int64)
    offset = treated * int(model.treatment_stride[o])
    if item >= 0:
        offset = offset + failures[:, item] * int(model.attempt_stride[o])
    table = model.values_only_table if values_only else model.evidence_table
    for row, col in {pair for pair in zip(offset.tolist(), column.tolist(), strict=True) if pair[1] >= 0}:
        hit = (column == col) & (offset == row)
        weights[hit] *= likelihood(model.evidence_rows, o, table[:, col], row)


def _multiply_statuses(
    model: PatientModel, weights: Floats, item: int, status: NDArray[np.uint8], failures: NDArray[np.uint8]
) -> None:
    """Multiply in that attempts failed, gave a result, were refused or (pending) stand."""

    if model.item_refusal[item] < 0 and model.item_failures[item, 0] < 0:
        return
    stride = int(model.status_attempt_stride[item])
    result, failed, refused, stands = model.status_table.T
    last = {RESULT: result, REFUSED: refused, PENDING: stands}
    for kind, before in set(zip(status.tolist(), failures.tolist(), strict=True)):
        hit = (status == kind) & (failures == before)
        for attempt in range(before):
            weights[hit] *= likelihood(model.status_rows, item, failed, attempt * stride)
        if kind in last:
            weights[hit] *= likelihood(model.status_rows, item, last[kind], before * stride)


def likelihood(rows: Rows, entry: int, column: Floats, offset: int = 0) -> Floats:
    """(K, H) one column of a table at the rows of an entry, `offset` rows further down."""
    start = int(rows.start[entry]) + offset
    return np.asarray(column[start + rows.of_profile[entry][:, None] + rows.of_hidden[entry][None, :]])


def _normalise(weights: Floats) -> None:
    total = weights.sum(axis=(1, 2), keepdims=True)
    if not (total > 0.0).all():
        row = int(np.argmin(total.ravel() > 0.0))
        raise ImpossibleEvidence(f"what is revealed in row {row} has probability zero under this patient model")
    weights /= total

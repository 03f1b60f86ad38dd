"""Exact posterior weights of a batch: one product per fact.

Journeys are weighed a few at a time, so that their weights stay in the cache, and profiles that a fact rules out are not
looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING, PENDING, REFUSED, RESULT, Rows
from workup.envs.model.machine_code import njit
from workup.envs.model.patient_model import PatientModel
from workup.errors import ImpossibleEvidence

Floats = NDArray[np.float64]
_RESCALE_EVERY = 8
_BLOCK_CELLS = 1 << 17
"""Weights that are worked on together, 1 MB."""


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
    weights: Floats = np.empty((len(values), *model.prior.shape))
    told = _facts(model, values, status, failures, treated, values_only)
    for rows in _blocks(model, len(values)):
        _weigh(model, told, rows, weights[rows], values_only)
    return weights


def possible_weights(
    model: PatientModel,
    values: NDArray[np.int16],
    status: NDArray[np.uint8],
    failures: NDArray[np.uint8],
    treated: NDArray[np.bool_],
) -> Iterator[tuple[tuple[int, ...], Floats]]:
    """For each row the profiles that are possible and (their number * H,) `posterior_weights` of these, one after another.

    Arguments and errors are those of `posterior_weights`; no more than a few rows are held at once.
    """
    told = _facts(model, values, status, failures, treated, False)
    for rows in _blocks(model, len(values)):
        weights: Floats = np.empty((rows.stop - rows.start, *model.prior.shape))
        alive, n_alive = _weigh(model, told, rows, weights, False)
        for row, (listed, n) in enumerate(zip(alive.tolist(), n_alive.tolist(), strict=True)):
            yield tuple(listed[:n]), weights[row, alive[row, :n]].ravel()


class _Facts(NamedTuple):
    """What multiplies the weights of n journeys, by row of a table (relative to its entry's) and column."""

    column: NDArray[np.int64]
    """(n, O) of the evidence table, negative where nothing is known."""
    offset: NDArray[np.int64]
    """(n, O)"""
    status: NDArray[np.int64]
    """(n, I) column of the status table of an item's last attempt, -1 where there is nothing to say."""
    failures: NDArray[np.int64]
    """(n, I) failed attempts, each a factor."""


def _facts(
    model: PatientModel,
    values: NDArray[np.int16],
    status: NDArray[np.uint8],
    failures: NDArray[np.uint8],
    treated: NDArray[np.bool_],
    values_only: bool,
) -> _Facts:
    of_item = model.item_of >= 0
    column = values.astype(np.int64)
    offset = treated.astype(np.int64) * model.treatment_stride
    offset[:, of_item] += failures[:, model.item_of[of_item]] * model.attempt_stride[of_item].astype(np.int64)
    if values_only:
        return _Facts(column, offset, np.empty((len(values), 0), np.int64), np.empty((len(values), 0), np.int64))
    reported = np.zeros(column.shape, np.bool_)
    reported[:, of_item] = status[:, model.item_of[of_item]] == RESULT
    column[(column == MISSING) & reported] = model.evidence_table.shape[1] - 1
    tells = (model.item_refusal >= 0) | (model.item_failures[:, 0] >= 0)
    last = np.full(5, -1, np.int64)
    last[[RESULT, REFUSED, PENDING]] = 0, 2, 3
    return _Facts(column, offset, np.where(tells, last[status], -1), np.where(tells, failures, 0).astype(np.int64))


def _blocks(model: PatientModel, n: int) -> Iterator[slice]:
    per_block = max(1, _BLOCK_CELLS // model.prior.size)
    return (slice(first, min(first + per_block, n)) for first in range(0, n, per_block))


def _weigh(
    model: PatientModel, told: _Facts, rows: slice, weights: Floats, values_only: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fill the weights (m, K, H) of some rows; returns their possible profiles (m, K), and (m,) how many these are."""
    weights[:] = model.prior
    first = np.flatnonzero(model.prior.any(axis=1))
    alive = np.tile(first, (len(weights), 1))
    n_alive = np.full(len(weights), len(first))
    table = model.values_only_table if values_only else model.evidence_table
    column, offset, of = told.column[rows], told.offset[rows], model.evidence_rows
    for o in range(0, column.shape[1], _RESCALE_EVERY):
        some = slice(o, o + _RESCALE_EVERY)
        _multiply_reports(
            weights, alive, n_alive, column[:, some], offset[:, some],
            table, of.start[some], of.of_profile[some], of.of_hidden[some],
        )  # fmt: skip
        if o + _RESCALE_EVERY <= column.shape[1]:
            _normalise(weights, rows.start)
    if not values_only:
        of = model.status_rows
        _multiply_statuses(
            weights, alive, n_alive, told.status[rows], told.failures[rows], model.status_attempt_stride,
            model.status_table, of.start, of.of_profile, of.of_hidden,
        )  # fmt: skip
    _normalise(weights, rows.start)
    return alive, n_alive


@njit(cache=True, nogil=True)
def _multiply(
    weights: Floats, alive: NDArray[np.int64], n: int, table: Floats, column: int, first: int,
    of_profile: NDArray[np.int32], of_hidden: NDArray[np.int32],
) -> int:  # fmt: skip
    """Multiply one factor into a journey's weights (K, H), and keep those of its n profiles that are still possible."""
    kept = 0
    for a in range(n):
        k = alive[a]
        row, possible = first + of_profile[k], False
        for h in range(weights.shape[1]):
            weight = weights[k, h] * table[row + of_hidden[h], column]
            weights[k, h] = weight
            possible |= weight > 0.0
        if possible:
            alive[kept] = k
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _multiply_reports(
    weights: Floats, alive: NDArray[np.int64], n_alive: NDArray[np.int64], column: NDArray[np.int64],
    offset: NDArray[np.int64], table: Floats, start: NDArray[np.int32], of_profile: NDArray[np.int32],
    of_hidden: NDArray[np.int32],
) -> None:  # fmt: skip
    """What each observable was reported to be, or that it was not reported with its item's result."""
    for i in range(weights.shape[0]):
        for o in range(column.shape[1]):
            if column[i, o] >= 0:
                n_alive[i] = _multiply(
                    weights[i], alive[i], n_alive[i], table, column[i, o], start[o] + offset[i, o],
                    of_profile[o], of_hidden[o],
                )  # fmt: skip


@njit(cache=True, nogil=True)
def _multiply_statuses(
    weights: Floats, alive: NDArray[np.int64], n_alive: NDArray[np.int64], status: NDArray[np.int64],
    failures: NDArray[np.int64], stride: NDArray[np.int32], table: Floats, start: NDArray[np.int32],
    of_profile: NDArray[np.int32], of_hidden: NDArray[np.int32],
) -> None:  # fmt: skip
    """That attempts failed, gave a result, were refused or (pending) stand."""
    for i in range(weights.shape[0]):
        for item in range(status.shape[1]):
            for attempt in range(failures[i, item] + (status[i, item] >= 0)):
                column = 1 if attempt < failures[i, item] else status[i, item]
                n_alive[i] = _multiply(
                    weights[i], alive[i], n_alive[i], table, column, start[item] + attempt * stride[item],
                    of_profile[item], of_hidden[item],
                )  # fmt: skip


def likelihood(rows: Rows, entry: int, column: Floats, offset: int = 0) -> Floats:
    """(K, H) one column of a table at the rows of an entry, `offset` rows further down."""
    start = int(rows.start[entry]) + offset
    return np.asarray(column[start + rows.of_profile[entry][:, None] + rows.of_hidden[entry][None, :]])


def _normalise(weights: Floats, first_row: int) -> None:
    total = weights.sum(axis=(1, 2), keepdims=True)
    if not (total > 0.0).all():
        row = first_row + int(np.argmin(total.ravel() > 0.0))
        raise ImpossibleEvidence(f"what is revealed in row {row} has probability zero under this patient model")
    weights /= total

"""Exact posteriors of many journeys by the profiles that are still possible, in one compiled call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.parts import part, summing
from workup.agents.planning.source import SOURCE, Source
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import FAILED, MISSING, PENDING, REFUSED, RESULT, Rows
from workup.envs.model.machine_code import njit
from workup.envs.model.patient_model import PatientModel
from workup.errors import ImpossibleEvidence

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_RESCALE_EVERY = 8
"""Facts multiplied before weights are normalised."""


class Listed(NamedTuple):
    """Beliefs of n journeys, one after another; H hidden states."""

    first: I64
    """(n + 1,) where each journey's profiles begin in `profiles`; its weights begin H times as far in `weights`."""
    profiles: I64
    """Those possible, ascending."""
    weights: F64
    """By profile, then hidden state; each journey's sum to 1."""


class _Evidence(NamedTuple):
    """What of a patient model says how likely facts are; symbols as in `PatientModel`."""

    prior: F64
    profiles: I64
    """Those with a prior."""
    start: NDArray[np.int32]
    of_profile: NDArray[np.int32]
    of_hidden: NDArray[np.int32]
    table: F64
    treatment_stride: NDArray[np.int32]
    attempt_stride: NDArray[np.int32]
    item_of: NDArray[np.int32]
    by_profile: NDArray[np.bool_]
    """(O,) whether the profile alone says how likely a report is."""
    status_start: NDArray[np.int32]
    status_of_profile: NDArray[np.int32]
    status_of_hidden: NDArray[np.int32]
    status_table: F64
    status_stride: NDArray[np.int32]
    tells: NDArray[np.bool_]
    """(I,) whether the status of an item says anything."""
    source: Source = SOURCE
    """See `workup.agents.planning.source`."""


class ListedBeliefs:
    """Posteriors under one patient model."""

    def __init__(self, model: PatientModel) -> None:
        reports, statuses = model.evidence_rows, model.status_rows
        self._evidence = _Evidence(
            model.prior,
            np.flatnonzero(model.prior.any(axis=1)),
            *_whole(reports),
            model.evidence_table,
            model.treatment_stride,
            model.attempt_stride,
            model.item_of,
            np.asarray(~reports.of_hidden.any(axis=1)),
            *_whole(statuses),
            model.status_table,
            model.status_attempt_stride,
            (model.item_refusal >= 0) | (model.item_failures[:, 0] >= 0),
        )
        self.width = model.prior.shape[1]
        """H"""

    def of(self, view: JourneyView, rows: NDArray[np.intp]) -> Listed:
        """The beliefs of some journeys of a view.

        Raises:
            ImpossibleEvidence: what is revealed in one of them has probability zero; names the first.
        """
        facts = (view.values[rows], view.status[rows], view.failures[rows], view.treated[rows])
        first, profiles = _possible(self._evidence, *facts)
        weights, impossible = _weights(self._evidence, first, profiles, *facts)
        if impossible >= 0:
            raise ImpossibleEvidence(
                f"what is revealed in row {rows[impossible]} has probability zero under this patient model"
            )
        return Listed(first, profiles, weights)


def _whole(rows: Rows) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    return rows.start, np.ascontiguousarray(rows.of_profile), np.ascontiguousarray(rows.of_hidden)


@part
def _column(e: _Evidence, o: int, value: int, status: NDArray[np.uint8]) -> int:
    """Of the evidence table; negative where nothing is known."""
    if value == MISSING and e.item_of[o] >= 0 and status[e.item_of[o]] == RESULT:
        return e.table.shape[1] - 1
    return value


@part
def _row(e: _Evidence, o: int, failures: NDArray[np.uint8], treated: NDArray[np.bool_]) -> int:
    """Of the evidence table, for profile and hidden state 0."""
    row = e.start[o] + treated[o] * e.treatment_stride[o]
    if e.item_of[o] >= 0:
        row += failures[e.item_of[o]] * e.attempt_stride[o]
    return row


@njit(cache=True, nogil=True)
def _possible(
    e: _Evidence, values: NDArray[np.int16], status: NDArray[np.uint8], failures: NDArray[np.uint8],
    treated: NDArray[np.bool_],
) -> tuple[I64, I64]:  # fmt: skip
    """Profiles that no fact rules out which depends on the profile alone; as in `Listed`."""
    n, K = values.shape[0], e.profiles.shape[0]
    first, found, alive = np.zeros(n + 1, np.int64), np.empty(max(n, 1) * 4, np.int64), np.empty(K, np.int64)
    for i in range(n):
        for a in range(K):
            alive[a] = e.profiles[a]
        left = K
        for o in range(values.shape[1]):
            column = _column(e, o, values[i, o], status[i])
            if column < 0 or not e.by_profile[o]:
                continue
            row, kept = _row(e, o, failures[i], treated[i]), 0
            for a in range(left):
                if e.table[row + e.of_profile[o, alive[a]], column] > 0.0:
                    alive[kept] = alive[a]
                    kept += 1
            left = kept
        at = first[i]
        if at + left > found.shape[0]:
            longer = np.empty(2 * (at + left), np.int64)
            for a in range(at):
                longer[a] = found[a]
            found = longer
        for a in range(left):
            found[at + a] = alive[a]
        first[i + 1] = at + left
    return first, found[: first[n]]


@summing
def _normalise(weights: F64) -> float:
    """Returns the sum before."""
    total = 0.0
    for w in range(weights.shape[0]):
        total += weights[w]
    if total > 0.0:
        for w in range(weights.shape[0]):
            weights[w] /= total
    return total


@part
def _multiply_statuses(e: _Evidence, profiles: I64, status: int, failed: int, item: int, weights: F64) -> None:
    """That attempts at an item failed, gave a result, were refused or (pending) stand."""
    H, last = e.prior.shape[1], -1
    if status == RESULT:
        last = 0
    elif status == REFUSED:
        last = 2
    elif status == PENDING:
        last = 3
    for attempt in range(failed + (last >= 0)):
        column = 1 if attempt < failed else last
        row = e.status_start[item] + attempt * e.status_stride[item]
        for a in range(profiles.shape[0]):
            at = row + e.status_of_profile[item, profiles[a]]
            for h in range(H):
                weights[a * H + h] *= e.status_table[at + e.status_of_hidden[item, h], column]


@njit(cache=True, nogil=True)
def _weights(
    e: _Evidence, first: I64, profiles: I64, values: NDArray[np.int16], status: NDArray[np.uint8],
    failures: NDArray[np.uint8], treated: NDArray[np.bool_],
) -> tuple[F64, int]:  # fmt: skip
    """Weights as in `Listed`; profiles that turn out to be impossible leave `first` and `profiles`. And the first journey
    that cannot be, or -1."""
    n, H = values.shape[0], e.prior.shape[1]
    out, filled, begin = np.empty(profiles.shape[0] * H), 0, 0
    for i in range(n):
        mine = profiles[begin : first[i + 1]]
        begin = first[i + 1]
        weights = out[filled * H : (filled + mine.shape[0]) * H]
        for a in range(mine.shape[0]):
            for h in range(H):
                weights[a * H + h] = e.prior[mine[a], h]
        for o in range(values.shape[1]):
            column = _column(e, o, values[i, o], status[i])
            if column >= 0:
                row = _row(e, o, failures[i], treated[i])
                for a in range(mine.shape[0]):
                    at = row + e.of_profile[o, mine[a]]
                    for h in range(H):
                        weights[a * H + h] *= e.table[at + e.of_hidden[o, h], column]
            if o % _RESCALE_EVERY == _RESCALE_EVERY - 1:
                _normalise(weights)
        for item in range(status.shape[1]):
            if e.tells[item] and (failures[i, item] > 0 or status[i, item] not in (0, FAILED)):
                _multiply_statuses(e, mine, status[i, item], failures[i, item], item, weights)
        if not _normalise(weights) > 0.0:
            return out, i
        first[i] = filled
        for a in range(mine.shape[0]):
            possible = False
            for h in range(H):
                out[filled * H + h] = weights[a * H + h]
                possible |= weights[a * H + h] > 0.0
            if possible:
                profiles[filled] = mine[a]
                filled += 1
    first[n] = filled
    return out, -1

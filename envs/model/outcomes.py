"""What one order can lead to: every joint outcome of an item and its likelihood, for planners."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import FAILED, MISSING, REFUSED, RESULT, UNKNOWN, Rows
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.world import World
from workup.errors import PlanningRefused

MAX_OUTCOMES = 100_000


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The joint outcomes of ordering an item, impossible ones left out."""

    observables: NDArray[np.int32]
    """(R,) what the item reveals."""
    values: NDArray[np.int16]
    """(cells, R) value code of each observable: MISSING where withheld or the item failed, UNKNOWN if refused."""
    status: NDArray[np.uint8]
    """(cells,) RESULT, FAILED or REFUSED."""
    likelihood: NDArray[np.float64]
    """(cells, H) P(outcome | profile, hidden state, failures before); sums to 1 over cells for every hidden state."""


def item_outcomes(world: World, item: int, k: int, *, failures: int = 0, treated: bool = False) -> Outcomes:
    """Every outcome of the next attempt at an item for a patient with profile `k`.

    Args:
        world: the (knowledge) model.
        item: index of the investigation or act.
        k: the profile.
        failures: failed attempts before.
        treated: whether the acts that its findings depend on were done.

    Raises:
        PlanningRefused: more than 100,000 outcomes; the message gives the number.
    """
    model = world.model
    observables = world.reveals[item][world.reveals[item] >= 0]
    tables = [_reports(model, int(o), k, failures, treated) for o in observables]
    possible = [np.flatnonzero((table > 0.0).any(axis=1)) for table in tables]
    size = prod(len(kept) for kept in possible)
    if size > MAX_OUTCOMES:
        raise PlanningRefused(
            f"{world.items[item]} has {size:,} joint results ({len(observables)} findings); at most {MAX_OUTCOMES:,} "
            "are listed. Plan from the presentation after it, or split it into several investigations"
        )
    result, failed, refused = _statuses(model, item, k, failures)
    values: NDArray[np.int16] = np.empty((size + 2, len(observables)), np.int16)
    values[size], values[size + 1] = MISSING, UNKNOWN
    status = np.full(size + 2, RESULT, np.uint8)
    status[size:] = FAILED, REFUSED
    likelihood, faster = result[None, :], size
    for column, (table, kept) in enumerate(zip(tables, possible, strict=True)):
        codes = np.where(kept == len(table) - 1, MISSING, kept)
        faster //= len(kept)
        values[:size, column].reshape(-1, len(kept), faster)[:] = codes[:, None]
        likelihood = (likelihood[:, None, :] * table[kept][None, :, :]).reshape(-1, likelihood.shape[-1])
    likelihood = np.concatenate([likelihood, failed[None, :], refused[None, :]])
    happens = (likelihood > 0.0).any(axis=1)
    return Outcomes(observables, values[happens], status[happens], likelihood[happens])


def _reports(model: PatientModel, o: int, k: int, failures: int, treated: bool) -> NDArray[np.float64]:
    """(V_o + 1, H) likelihood of each value of an observable, and of its being withheld."""
    offset = treated * int(model.treatment_stride[o]) + failures * int(model.attempt_stride[o])
    rows = model.evidence_table[_rows(model.evidence_rows, o, k) + offset]
    return np.concatenate([rows[:, : model.n_values[o]], rows[:, -1:]], axis=1).T


def _statuses(model: PatientModel, item: int, k: int, failures: int) -> NDArray[np.float64]:
    """(3, H) chance of a result, a failure and a refusal."""
    rows = _rows(model.status_rows, item, k) + failures * int(model.status_attempt_stride[item])
    return model.status_table[rows, :3].T


def _rows(rows: Rows, entry: int, k: int) -> NDArray[np.int32]:
    return np.asarray(rows.start[entry] + rows.of_profile[entry, k] + rows.of_hidden[entry])

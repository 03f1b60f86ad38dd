"""What is true of patients, all findings included, whether or not anybody looks: the engine's draws, made again in NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.patient_model import PatientModel
from workup.envs.model.randomness import CORE, GOLDEN, VALUE, mix_array, seed_key


class Truth(NamedTuple):
    """Of n patients."""

    profile: NDArray[np.int64]
    """(n,)"""
    hidden: NDArray[np.int64]
    """(n,)"""
    values: NDArray[np.int16]
    """(n, O) the true value of every observable, no act done; reports may differ (withheld, corrupted)."""


def truth_of(model: PatientModel, patients: NDArray[np.int64], seed: int) -> Truth:
    """What is true of the patients (n,) int64 of a seed, who are drawn from the model."""
    keys, core = _keys(patients, seed), cumulative(np.diff(model.core_table, axis=1, prepend=0.0))
    profile, hidden = np.zeros((2, len(patients)), np.int64)
    drawn: list[NDArray[np.int64]] = []
    for c, size in enumerate(model.core_size):
        row = np.full(len(patients), model.core_start[c], np.int64)
        for j, values in enumerate(drawn):
            row += values * int(model.core_stride[c, j])
        drawn.append((_uniform(keys, CORE + c)[:, None] >= core[row, : size - 1]).sum(axis=1))
        profile += drawn[c] * int(model.core_profile_stride[c])
        hidden += drawn[c] * int(model.core_hidden_stride[c])
    return Truth(profile, hidden, _values(model, keys, profile, hidden))


def cumulative(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative rows whose last possible value ends beyond 1, so that rounding never draws an impossible value."""
    total = np.cumsum(table, axis=1)
    positive = table > 0
    last = table.shape[1] - 1 - np.argmax(positive[:, ::-1], axis=1)
    total[np.arange(table.shape[1]) >= last[:, None]] = 2.0
    return total


def _values(
    model: PatientModel, keys: NDArray[np.uint64], profile: NDArray[np.int64], hidden: NDArray[np.int64]
) -> NDArray[np.int16]:
    rows, values = model.value_rows, np.empty((len(keys), len(model.observables)), np.int16)
    laws = cumulative(model.value_table)
    for o, size in enumerate(model.n_values):
        row = rows.start[o] + rows.of_profile[o][profile] + rows.of_hidden[o][hidden]
        values[:, o] = (_uniform(keys, VALUE + o)[:, None] >= laws[row, : size - 1]).sum(axis=1)
    return values


def _keys(patients: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    of_seed = np.int64(seed_key(seed & 0x7FFFFFFFFFFFFFFF)).view(np.uint64)
    return mix_array(of_seed ^ mix_array(np.asarray(patients, np.int64).view(np.uint64) + GOLDEN))


def _uniform(keys: NDArray[np.uint64], stream: int) -> NDArray[np.float64]:
    """(n,) uniform in [0, 1), as `randomness.uniform` has it."""
    return np.asarray(
        (mix_array(keys + np.array([stream], np.uint64) * GOLDEN) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    )

"""Draws that no reward depends on, made when a record asks for them: numbers inside bands, complications."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from workup.envs.model.patient_model import PatientModel
from workup.envs.model.randomness import ATTEMPTS, COMPLICATION, NUMBER, uniform
from workup.envs.model.world import World


def numbers_of(model: PatientModel, values: NDArray[np.int16], keys: NDArray[np.int64]) -> NDArray[np.float32]:
    """The number of each revealed numeric finding.

    Args:
        model: the patient model.
        values: (n, O) revealed values.
        keys: (n,) keys of the patients.

    Returns:
        (n, O) float32, NaN where nothing numeric is revealed.
    """
    numbers = np.full(values.shape, np.nan, np.float32)
    numeric = np.flatnonzero(~np.isnan(model.numeric_range[:, :, 0]).all(axis=1))
    _fill_numbers(numeric, model.numeric_range, model.log_uniform, values, np.ascontiguousarray(keys), numbers)
    return numbers


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _fill_numbers(numeric, ranges, log_uniform, values, keys, numbers):
    for i in range(values.shape[0]):
        for o in numeric:
            v = values[i, o]
            if v >= 0:
                low, high = ranges[o, v, 0], ranges[o, v, 1]
                u = uniform(keys[i], NUMBER + o)
                if log_uniform[o] and low > 0.0:
                    numbers[i, o] = low * math.exp(u * math.log(high / low))
                else:
                    numbers[i, o] = low + u * (high - low)


def complications_of(
    world: World,
    keys: NDArray[np.int64],
    profile: NDArray[np.int64],
    hidden: NDArray[np.int64],
    charged: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Which complications and incidental findings happened.

    Args:
        world: the world.
        keys: (n,) keys of the patients.
        profile: (n,) index of the profile.
        hidden: (n,) index of the hidden state.
        charged: (n, I) how often each item was carried out.

    Returns:
        (n, Z) bool, in the order of `world.complication_names`.
    """
    happened = np.zeros((len(keys), len(world.complication_names)), np.bool_)
    _fill_complications(world.complication_item, world.complication_chance, keys, profile, hidden, charged, happened)
    return happened


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _fill_complications(item, chance, keys, profile, hidden, charged, happened):
    for i in range(happened.shape[0]):
        for z in range(happened.shape[1]):
            for attempt in range(charged[i, item[z]]):
                if uniform(keys[i], COMPLICATION + z * ATTEMPTS + attempt) < chance[z, profile[i], hidden[i]]:
                    happened[i, z] = True

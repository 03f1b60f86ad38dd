"""Counter-based randomness: every draw is a hash of (seed, patient, stream) and nothing is consumed.

A draw therefore never depends on policy, order, batch or process. The key is hashed before streams are added to it:
adding unhashed patient and stream numbers would give patients shifted copies of one sequence.

Source: the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.machine_code import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2 ** -53

# Streams are numbered by purpose; below each there is room for 2 ** 24 draws.
CORE, VALUE, NUMBER, EVENT, CORRUPTION, COMPLICATION, PROGRESSION = (purpose << 24 for purpose in range(7))
RENDER, BEHAVIOUR = 7 << 24, 8 << 24
# BEHAVIOUR + step: which of the actions it might take an agent takes. RENDER + a hash of the name of what is shown: the key of a
# picture. Reserved, and drawn by nothing yet: PROGRESSION.
ATTEMPTS = 16
"""Streams kept for each chance event: event * ATTEMPTS + attempt."""


@njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
def mix(x: np.uint64) -> np.uint64:
    """Bijective hash of 64 bits."""
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


def mix_array(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`mix` of every number, in NumPy; the same bits."""
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
def seed_key(seed: int) -> np.int64:
    """Hash of a seed, as the bits of an int64."""
    return np.int64(mix(np.uint64(seed) + GOLDEN))


@njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
def patient_key(key_of_seed: np.int64, patient: np.int64) -> np.int64:
    """Key of one patient of a seed, as the bits of an int64."""
    return np.int64(mix(np.uint64(key_of_seed) ^ mix(np.uint64(patient) + GOLDEN)))


@njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
def bits(key: np.int64, stream: int) -> np.int64:
    """The 53 bits of `uniform`, as a whole number."""
    return np.int64(mix(np.uint64(key) + np.uint64(stream) * GOLDEN) >> np.uint64(11))


@njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
def uniform(key: np.int64, stream: int) -> float:
    """The draw numbered `stream` of a patient, uniform in [0, 1)."""
    bits = mix(np.uint64(key) + np.uint64(stream) * GOLDEN)
    return np.float64(bits >> np.uint64(11)) * _TO_UNIT

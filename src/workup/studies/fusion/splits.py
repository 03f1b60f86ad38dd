"""Four sets of patients that share none: whom readers learn from, and whom a method learns from, stops by and is tested on."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import UnknownNameError, WorkupError, suggestion

SPLITS: Final = ("reader", "train", "validation", "test")


def seed_of(split: str, seed: int) -> int:
    """The seed of a task's patients in a split of a run's seed; no two (split, seed) share one.

    Raises:
        UnknownNameError: no such split.
        WorkupError: a negative seed.
    """
    if split not in SPLITS:
        raise UnknownNameError(f"no split {split!r}{suggestion(split, SPLITS)}")
    if seed < 0:
        raise WorkupError(f"seed {seed}; expected 0 or more")
    return len(SPLITS) * seed + SPLITS.index(split)


def keys_of(law: str, seed: int, patients: int) -> NDArray[np.uint64]:
    """(patients,) what tells a patient from every other; the first of them are the same for any number.

    Args:
        law: of whom the patients are drawn: a task's name.
        seed: of the task's patients (`seed_of`).
        patients: how many.
    """
    stem = np.frombuffer(hashlib.sha256(f"{law} {seed}".encode()).digest()[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=stem)).integers(0, 2**64, patients, dtype=np.uint64)


def stream(*of: object) -> np.random.Generator:
    """A generator of its own for a purpose in words and numbers, the same in every process."""
    stem = np.frombuffer(hashlib.sha256(" ".join(map(str, of)).encode()).digest()[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=stem))

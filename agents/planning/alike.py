"""Columns of a table that are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.machine_code import njit

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xFF51AFD7ED558CCD)


def alike(table: NDArray[np.float64]) -> tuple[I32, I64]:
    """Which columns are the same, bit by bit.

    Args:
        table: (R, S) float64.

    Returns:
        (S,) the class of each column, numbered as they appear; (U,) the first column of each class.
    """
    class_of, first = _alike(np.ascontiguousarray(table).view(np.uint64))
    return class_of, first


@njit(cache=True, nogil=True)
def _alike(bits: NDArray[np.uint64]) -> tuple[I32, I64]:
    """Columns whose sums of hashes are the same are taken for the same, then looked at bit by bit; if any two of them should
    differ, all are kept apart."""
    R, S = bits.shape
    sums = np.zeros(S, np.uint64)
    for r in range(R):
        salt = np.uint64(r + 1) * _GOLDEN
        for s in range(S):
            mixed = (bits[r, s] ^ salt) * _MIX
            sums[s] += (mixed ^ (mixed >> np.uint64(32))) * _GOLDEN
    size = 2
    while size < 2 * S:
        size *= 2
    slot, last = np.full(size, -1, np.int64), np.uint64(size - 1)
    class_of, first, n = np.empty(S, np.int32), np.empty(S, np.int64), 0
    for s in range(S):
        at = np.int64((sums[s] ^ (sums[s] >> np.uint64(29))) & last)
        while slot[at] >= 0 and sums[first[slot[at]]] != sums[s]:
            at = (at + 1) & (size - 1)
        if slot[at] < 0:
            slot[at] = n
            first[n] = s
            n += 1
        class_of[s] = slot[at]
    for r in range(R):
        for s in range(S):
            if bits[r, s] != bits[r, first[class_of[s]]]:
                return np.arange(S).astype(np.int32), np.arange(S)
    return class_of, first[:n].copy()

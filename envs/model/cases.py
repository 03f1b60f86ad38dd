"""Patients fixed in advance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Cases:
    """Patients fixed in advance (vignettes, recorded patients) instead of drawn from the prior.

    Patient id p is case p: profile (n,) int32, hidden (n,) int32, values (n, O) int16 with UNKNOWN where the
    model draws; a fixed value is reported as it stands, without refusal, failure or corruption of its item. MISSING is
    told as missing, and an item all of whose findings are MISSING fails by its first mechanism. Where numbers
    (n, O) float32 are given, they are shown instead of drawn ones.
    """

    profile: NDArray[np.int32]
    hidden: NDArray[np.int32]
    values: NDArray[np.int16]
    numbers: NDArray[np.float32] | None = None

    def __deepcopy__(self, memo: dict[int, object]) -> Cases:
        """Itself: it is never written to."""
        return self

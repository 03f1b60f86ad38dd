"""Codes of the arrays: values, statuses, reward components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN, MISSING = -1, -2
"""Codes in arrays of revealed values: not revealed; asked for and not reported."""


NOT_ORDERED, PENDING, RESULT, FAILED, REFUSED = range(5)
"""Status of an item for one patient."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Where a table's row is found for a patient: `start + of_profile[k] + of_hidden[h] (+ extra)`.

    start: (n,) int32, first row of each entry; of_profile: (n, K) int32; of_hidden: (n, H) int32.
    """

    start: NDArray[np.int32]
    of_profile: NDArray[np.int32]
    of_hidden: NDArray[np.int32]


STATUS_NAMES = ("not ordered", "pending", "result", "failed", "refused")


COMPONENTS = ("cost", "harm", "delay", "utility")


NO_SUCH_ACTION = -2
"""To the engine -1 means to leave a journey as it is; from an agent it is no action, and so becomes this."""

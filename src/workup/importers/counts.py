"""From counts of training patients to the figures of a scenario."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PSEUDO = 0.5
"""Added to every count, so that what no training row shows is rare and not impossible (Krichevsky and Trofimov)."""
WEIGHTS = {"cost": 1, "harm": 1, "delay": 1, "utility": 1}


def law_row(words: Sequence[str], shares: NDArray[np.float64]) -> dict[str, float]:
    """Probabilities in eight decimals that sum to 1."""
    row = [round(float(share), 8) for share in shares]
    largest = int(np.argmax(row))
    row[largest] = round(1.0 - sum(row[:largest]) - sum(row[largest + 1 :]), 8)
    return dict(zip(words, row, strict=True))

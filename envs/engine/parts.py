"""What a world's tables are made of: each subject packs one part."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Part(NamedTuple):
    """Sizes, and tables of integers and of reals, by the names declared in `workup.envs.engine.tables`."""

    sizes: dict[str, int]
    ints: dict[str, NDArray[Any]]
    reals: dict[str, NDArray[Any]]


def offsets(lists: list[list[int]]) -> NDArray[np.int64]:
    """(n + 1,) where each list begins in `flat`, and where the last ends."""
    return np.cumsum([0] + [len(row) for row in lists])


def flat(lists: list[list[int]]) -> NDArray[np.int64]:
    """The lists one after another."""
    return np.array([entry for row in lists for entry in row], dtype=np.int64)

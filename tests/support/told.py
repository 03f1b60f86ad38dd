"""Whether two vector environments told the same, as deep as it goes."""

from __future__ import annotations

from typing import Any

import numpy as np


def same_told(mine: Any, theirs: Any, where: str = "") -> None:
    """The same names, dtypes and values."""
    if isinstance(theirs, dict):
        assert isinstance(mine, dict), where
        assert set(mine) == set(theirs), where
        for name in theirs:
            same_told(mine[name], theirs[name], f"{where} {name}")
    elif isinstance(theirs, np.ndarray) and theirs.dtype == object:
        assert mine.dtype == object, where
        same_told(mine.tolist(), theirs.tolist(), where)
    elif isinstance(theirs, np.ndarray):
        assert mine.dtype == theirs.dtype, where
        np.testing.assert_array_equal(mine, theirs, err_msg=where)
    elif isinstance(theirs, list | tuple):
        assert len(mine) == len(theirs), where
        for i, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            same_told(one, other, f"{where} {i}")
    else:
        assert type(mine) is type(theirs), where
        assert mine == theirs, where

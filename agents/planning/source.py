"""Keeps machine code on disk in step with all files of the planners.

Numba looks only at the file of the function that is called to tell whether code that it keeps is stale. What is compiled
here calls across files, so arguments carry an empty array whose type is named by a hash of all of them.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Source = NDArray[Any]


def source_of(folder: Path) -> Source:
    """An empty array whose dtype names the Python files of a folder: another byte, another type."""
    found = sha256()
    for path in sorted(folder.glob("*.py")):
        text = path.read_bytes()
        found.update(f"{path.name} {len(text)}\n".encode() + text)
    return np.empty(0, np.dtype([(f"source_{found.hexdigest()[:16]}", np.int8)]))


SOURCE = source_of(Path(__file__).parent)

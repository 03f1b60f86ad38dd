"""Which source the machine code was compiled from.

Numba keeps machine code on disk and looks only at the file of the function that Python calls. An edit of any other file
would leave it running what was compiled before, with silently wrong rewards. So the hash of all that is compiled in is
the name of a field of a record that such a function is handed: it is part of its signature, and with it of the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from workup.envs.model import codes, randomness


def compiled_in() -> list[Path]:
    """The files whose functions or constants end up in the machine code."""
    return [*sorted(Path(__file__).parent.glob("*.py")), Path(codes.__file__), Path(randomness.__file__)]


def source_name(files: Iterable[Path]) -> str:
    """`source_` and eight hexadecimal digits of the SHA-256 of these files: another one when any byte differs."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return f"source_{digest.hexdigest()[:8]}"


SOURCE = source_name(compiled_in())
SOURCE_RECORD = np.zeros(1, np.dtype([(SOURCE, np.int64)]))
"""For what is compiled and takes no tables."""

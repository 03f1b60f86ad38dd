"""How functions become machine code, and that they do where nothing can be kept on disk."""

from __future__ import annotations

import warnings
from typing import Any

import numba

from workup.errors import WorkupWarning


def _kept() -> bool:
    """Whether Numba finds a place on disk for what it compiles; it refuses to decorate a function where there is none."""
    try:
        numba.njit(cache=True)(_kept)
    except RuntimeError:
        message = (
            "neither the folder of workup nor ~/.cache can be written, so that its kernels are compiled anew in each process, "
            "which takes a minute; set NUMBA_CACHE_DIR to a folder that can"
        )
        warnings.warn(message, WorkupWarning, stacklevel=2)
        return False
    return True


_KEPT = _kept()


def njit(*, cache: bool = False, **options: Any) -> Any:
    """`numba.njit`, that keeps machine code on disk (`cache`) only where there is a place for it."""
    return numba.njit(cache=cache and _KEPT, **options)

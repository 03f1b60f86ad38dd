"""How parts of compiled functions are compiled: only other compiled code calls them."""

from __future__ import annotations

from workup.agents.planning.transitions import SUM
from workup.envs.model.machine_code import njit

# Wrappers that let Python call a function cost more to compile than the function, and so does counting who holds an array,
# which is of no use where nothing is allocated.
part = njit(nogil=True, _nrt=False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
summing = njit(
    nogil=True, _nrt=False, error_model="numpy", fastmath=SUM, no_cpython_wrapper=True, no_cfunc_wrapper=True
)
allocating = njit(nogil=True, error_model="numpy", fastmath=SUM, no_cpython_wrapper=True, no_cfunc_wrapper=True)

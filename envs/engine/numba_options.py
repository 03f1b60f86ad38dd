"""How the kernel is compiled, and how it asks for memory ahead."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from workup.envs.model.machine_code import njit

# No reference counts (`_nrt`): nothing in the kernel allocates, and counting every array at every call took most of a
# step. What Python calls is kept on disk, under its signature: see `workup.envs.engine.source`.
entry = njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
# Wrappers that let Python call a function cost more to compile than the function; parts are only called from here.
jit = njit(nogil=True, _nrt=False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
# Loops over a slice become vector instructions; those over computed places do not (they may count from the end).
# A call hands over some ninety words (nine for each array), so what is called for every finding is inlined.
inlined = njit(
    nogil=True, _nrt=False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
)

LINE = 64
"""Bytes that memory hands over at a time."""


@intrinsic
def prefetch(typing_context, array, row, column):
    """Ask for the part of memory where array[row, column] lies, without waiting for it."""

    def build(context, builder, signature, arguments):
        table, i, j = arguments
        held = context.make_array(signature.args[0])(context, builder, table)
        strides = cgutils.unpack_tuple(builder, held.strides, 2)
        offset = builder.add(builder.mul(i, strides[0]), builder.mul(j, strides[1]))
        place = cgutils.pointer_add(builder, held.data, offset, return_type=cgutils.voidptr_t)
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [place, i32(1), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), build

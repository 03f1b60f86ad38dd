"""How the kernel is compiled, and how it asks for memory ahead."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any

from __future__ import annotations

from types import SimpleNamespace

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.typed_passes import NoPythonSupportedFeatureValidation
from numba.extending import intrinsic

from workup.envs.model.machine_code import njit


class _Part(JITCodeLibrary):
    """A part of the kernel, left as it was put down: linked into what Python calls, and made into machine code there.

    Numba would link into each function all that it calls, and optimise and assemble the whole, at every level of calls anew.
    """

    def finalize(self):
        self._raise_if_finalized()
        self._finalized = True

    def get_pointer_to_function(self, name):
        return 0  # there is no machine code to point at, as where a function has no wrapper

    @property
    def codegen(self):
        return SimpleNamespace(set_env=lambda name, environment: None)  # nor a place for what Python knows of it


class _Whole(JITCodeLibrary):
    """What Python calls, with all parts that it calls, and these call."""

    def add_linking_library(self, library):
        if library not in self._linking_libraries:
            super().add_linking_library(library)
            if isinstance(library, _Part):
                for inner in library._linking_libraries:
                    self.add_linking_library(inner)

    def _optimize_final_module(self):
        # Most loops are short: what several turns side by side and unrolled would gain, the way in and out of them costs.
        options = binding.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization, options.loop_interleaving, options.loop_unrolling = True, False, False
        builder = binding.create_pass_builder(self._codegen._tm, options)
        builder.getModulePassManager().run(self._final_module, builder)


def _compiler_into(library_class):
    """Numba's own compiler, but for the library that its machine code goes into."""

    @register_pass(mutates_CFG=False, analysis_only=True)
    class IntoLibrary(FunctionPass):
        _name = f"into{library_class.__name__}"

        def __init__(self):
            super().__init__()

        def run_pass(self, state):
            state.library = library_class(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
            return False

    class Compiler(CompilerBase):
        def define_pipelines(self):
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.add_pass_after(IntoLibrary, NoPythonSupportedFeatureValidation)
            passes.finalize()
            return [passes]

    return Compiler


_options = {"nogil": True, "_nrt": False, "error_model": "numpy"}
_unwrapped = {**_options, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": _compiler_into(_Part)}
# No reference counts (`_nrt`): nothing in the kernel allocates, and counting every array at every call took most of a
# step. What Python calls is kept on disk, under its signature: see `workup.envs.engine.source`.
entry = njit(cache=True, pipeline_class=_compiler_into(_Whole), **_options)
# Wrappers that let Python call a function cost more to compile than the function; parts are only called from here.
jit = njit(**_unwrapped)
# Loops over a slice become vector instructions; those over computed places do not (they may count from the end).
# A call hands over some ninety words (nine for each array), so what is called for every finding is inlined.
inlined = njit(**_unwrapped, forceinline=True)


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

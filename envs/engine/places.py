"""The record that says where everything lies, as the kernel reads it: `at.opens`."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, models, register_model

_INT64 = ir.IntType(64)
LARGEST = 1 << 40
"""Fields lie in [0, LARGEST): the compiler builds on it."""


class Places(types.Type):
    """A record of int64 that nobody writes to while the kernel runs: its fields are attributes.

    Of a plain record the compiler reads a field anew after every store, for it might have changed; and it does not know
    that none is negative, so that every index made of one is tested for counting from the end.
    """

    def __init__(self, record: types.Record) -> None:
        self.record = record
        super().__init__(name=f"Places({record.dtype.names[-1]})")


@register_model(Places)
class _PlacesModel(models.PrimitiveModel):
    def __init__(self, manager, places):
        super().__init__(manager, places, _INT64.as_pointer())


@infer_getattr
class _PlacesFields(AttributeTemplate):
    key = Places

    def generic_resolve(self, places, name):
        return types.int64 if name in places.record.fields else None


@lower_getattr_generic(Places)
def _read_field(context, builder, places, pointer, name):
    index = places.record.offset(name) // 8
    field = builder.load(builder.gep(pointer, [ir.Constant(_INT64, index)]))
    field.set_metadata("invariant.load", builder.module.add_metadata([]))
    bounds = [ir.Constant(_INT64, bound) for bound in (0, LARGEST)]
    field.set_metadata("range", builder.module.add_metadata(bounds))
    return field


@intrinsic
def places_of(typing_context, records):
    """The only record of an array (1,) as Places."""

    def build(context, builder, signature, arguments):
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.bitcast(held.data, _INT64.as_pointer())

    return Places(records.dtype)(records), build

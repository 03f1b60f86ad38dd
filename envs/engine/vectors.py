"""Four doubles at a time, as the kernel says it: the compiler makes vectors of a plain loop only behind tests for overlap and
with a rest that goes one by one, which takes longer than a row of sixteen conditions does.

Rows that are read so are padded to a multiple of LANES. Nothing is reordered: each lane is what a plain loop would give.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 4

_DOUBLE, _INT64 = ir.DoubleType(), ir.IntType(64)
_VECTOR, _BITS = ir.VectorType(_DOUBLE, LANES), ir.VectorType(_INT64, LANES)


class Four(types.Type):
    """LANES doubles side by side."""

    def __init__(self) -> None:
        super().__init__(name="Four")


FOUR = Four()


@register_model(Four)
class _FourModel(models.PrimitiveModel):
    def __init__(self, manager, four):
        super().__init__(manager, four, _VECTOR)


def padded(size: int) -> int:
    """The least multiple of LANES that is not below size."""
    return -(-size // LANES) * LANES


def _pointer(context, builder, array_type, array, place):
    held = context.make_array(array_type)(context, builder, array)
    return builder.bitcast(builder.gep(held.data, [place]), _VECTOR.as_pointer())


def _all(builder, number):
    empty = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, empty, lanes)


def _constant(number):
    return ir.Constant(_VECTOR, [number] * LANES)


@intrinsic
def load(typing_context, array, place):
    """array[place : place + LANES] of a row of doubles."""

    def build(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=8)

    return FOUR(array, types.int64), build


@intrinsic
def store(typing_context, array, place, four):
    """array[place : place + LANES] = four"""

    def build(context, builder, signature, arguments):
        builder.store(arguments[2], _pointer(context, builder, signature.args[0], *arguments[:2]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.int64, FOUR), build


@intrinsic
def one(typing_context, array, place):
    """array[place] of a row, place not below 0: the compiler need not ask whether it counts from the end."""

    def build(context, builder, signature, arguments):
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load(builder.gep(held.data, [arguments[1]]))

    return array.dtype(array, types.int64), build


@intrinsic
def all_of(typing_context, number):
    """The number in each lane."""
    return FOUR(types.float64), lambda context, builder, signature, arguments: _all(builder, arguments[0])


@intrinsic
def times(typing_context, a, b):
    """a * b"""
    return FOUR(FOUR, FOUR), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@intrinsic
def plus(typing_context, a, b):
    """a + b"""
    return FOUR(FOUR, FOUR), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@intrinsic
def minus(typing_context, a, b):
    """a - b"""
    return FOUR(FOUR, FOUR), lambda context, builder, signature, arguments: builder.fsub(*arguments)


@intrinsic
def size_of(typing_context, a):
    """|a|"""

    def build(context, builder, signature, arguments):
        return builder.bitcast(builder.and_(builder.bitcast(arguments[0], _BITS), _bits(0x7FFFFFFFFFFFFFFF)), _VECTOR)

    return FOUR(FOUR), build


@intrinsic
def signed_as(typing_context, size, a):
    """size >= 0 with the sign of a."""

    def build(context, builder, signature, arguments):
        size, a = (builder.bitcast(argument, _BITS) for argument in arguments)
        return builder.bitcast(builder.or_(size, builder.and_(a, _bits(-0x8000000000000000))), _VECTOR)

    return FOUR(FOUR, FOUR), build


@intrinsic
def below_two(typing_context, a, b):
    """a where b (from 1 on) is below 2, else 0."""

    def build(context, builder, signature, arguments):
        small = builder.icmp_signed("<", builder.bitcast(arguments[1], _BITS), _bits(0x4000000000000000))
        return builder.select(small, arguments[0], _constant(0.0))

    return FOUR(FOUR, FOUR), build


@intrinsic
def log_of(typing_context, a):
    """The natural logarithm of finite numbers from 1 on, to within a bit of the last place.

    Source: fdlibm's `e_log.c`: 2^k (1 + f) with 1 + f between the roots of 1/2 and 2, and a polynomial of f / (2 + f).
    """

    def build(context, builder, signature, arguments):
        return _log(builder, arguments[0])

    return FOUR(FOUR), build


def _bits(number):
    return ir.Constant(_BITS, [number] * LANES)


_ROOT_OF_HALF = 0x3FE6A09E667F3BCD
_TWO_TO_52 = 0x4330000000000000
_TERMS = (
    1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
    2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01,
)  # fmt: skip
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


def _log(b, number):
    bits = b.bitcast(number, _BITS)
    power = b.lshr(b.sub(bits, _bits(_ROOT_OF_HALF)), _bits(52))
    k = b.fsub(b.bitcast(b.or_(power, _bits(_TWO_TO_52)), _VECTOR), _constant(2.0**52))
    f = b.fsub(b.bitcast(b.sub(bits, b.shl(power, _bits(52))), _VECTOR), _constant(1.0))
    s = b.fdiv(f, b.fadd(f, _constant(2.0)))
    square = b.fmul(s, s)
    series = _constant(_TERMS[0])
    for term in _TERMS[1:]:
        series = b.fadd(b.fmul(series, square), _constant(term))
    half = b.fmul(_constant(0.5), b.fmul(f, f))
    rest = b.fadd(b.fmul(s, b.fadd(half, b.fmul(series, square))), b.fmul(k, _constant(_LN2_LOW)))
    return b.fsub(b.fmul(k, _constant(_LN2_HIGH)), b.fsub(b.fsub(half, rest), f))

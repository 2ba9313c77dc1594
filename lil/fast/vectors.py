"""Sixteen float32 at once in compiled functions, where the compiler's own vectors are not enough.

A vector is a local value that stays in a register: sums over one loop can then be many, and inner loops need no memory for
them. Processors with shorter registers take several.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

LANES = 16

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_FLOATS = ir.VectorType(_FLOAT, LANES)
_ANY = ir.Constant(_FLOATS, ir.Undefined)


class Vector(types.Type):
    """Of compiled functions alone: vectors with one another have +, −, · and /."""

    def __init__(self) -> None:
        super().__init__("Vector")


vector = Vector()


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, of_type):
        super().__init__(manager, of_type, _FLOATS)


def _arithmetic(symbol, instruction):
    @type_callable(symbol)
    def type_of(context):
        def typer(a, b):
            return vector if a == b == vector else None

        return typer

    @lower_builtin(symbol, vector, vector)
    def code(context, builder, signature, arguments):
        return getattr(builder, instruction)(*arguments)


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_symbol, _instruction)


@intrinsic
def load(context, array, at):
    """Sixteen numbers of ``array``, float32 and of one or two dimensions, in a row from the position ``at`` on, unchecked."""

    def code(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, signature, arguments, _FLOATS), align=4)

    return vector(array, at), code


@intrinsic
def store(context, array, at, x):
    """The vector ``x`` to where :func:`load` finds it."""

    def code(context, builder, signature, arguments):
        builder.store(arguments[2], _pointer(context, builder, signature, arguments, _FLOATS), align=4)
        return context.get_dummy_value()

    return types.void(array, at, vector), code


@intrinsic
def repeat(context, array, at):
    """One number of ``array``, sixteen times."""

    def code(context, builder, signature, arguments):
        return _repeated(builder, builder.load(_pointer(context, builder, signature, arguments, _FLOAT), align=4))

    return vector(array, at), code


@intrinsic
def constant(context, number):
    """A float32, sixteen times."""

    def code(context, builder, signature, arguments):
        return _repeated(builder, arguments[0])

    return vector(types.float32), code


@intrinsic
def root(context, x):
    """√x. One over it is an estimate of the processor's and a step of Newton's."""

    def code(context, builder, signature, arguments):
        function = ir.FunctionType(_FLOATS, [_FLOATS])
        return builder.call(
            cgutils.get_or_insert_function(builder.module, function, f"llvm.sqrt.v{LANES}f32"), arguments
        )

    return vector(vector), code


@intrinsic
def where_above(context, x, bound, y):
    """y where x > bound, 0 elsewhere."""

    def code(context, builder, signature, arguments):
        x, bound, y = arguments
        return builder.select(builder.fcmp_ordered(">", x, bound), y, ir.Constant(_FLOATS, [_FLOAT(0)] * LANES))

    return vector(vector, vector, vector), code


@intrinsic
def totals(context, a, b, c, d):
    """The sums of four vectors, for a third of the instructions that four sums take."""

    def code(context, builder, signature, arguments):
        first, second = (
            _folded(builder, *arguments[:2], (0, 16, 1, 17), 2),
            _folded(builder, *arguments[2:], (0, 16, 1, 17), 2),
        )
        sums = _folded(builder, first, second, (0, 1, 16, 17), 2)
        for half in (8, 4):  # a quarter has a part of each sum
            low, high = ([*range(start, start + half)] for start in (0, half))
            sums = builder.fadd(*(builder.shuffle_vector(sums, sums, _places(part)) for part in (low, high)))
        each = [builder.extract_element(sums, _INT(lane)) for lane in range(4)]
        return context.make_tuple(builder, signature.return_type, each)

    return types.UniTuple(types.float32, 4)(vector, vector, vector, vector), code


def _folded(builder, a, b, pattern, apart):
    """In each quarter the sum of what ``pattern`` takes of it and of what it takes ``apart`` lanes on; 16 and more is of b."""
    low = [quarter + lane for quarter in range(0, LANES, 4) for lane in pattern]
    return builder.fadd(*(builder.shuffle_vector(a, b, _places([lane + on for lane in low])) for on in (0, apart)))


def _places(lanes):
    return ir.Constant(ir.VectorType(_INT, len(lanes)), lanes)


def _repeated(builder, number):
    return builder.shuffle_vector(builder.insert_element(_ANY, number, _INT(0)), _ANY, _places([0] * LANES))


def _pointer(context, builder, signature, arguments, to):
    of, at = signature.args[:2]
    array = context.make_array(of)(context, builder, arguments[0])
    places, of_places = (
        (cgutils.unpack_tuple(builder, arguments[1]), at.types)
        if isinstance(at, types.BaseTuple)
        else ([arguments[1]], [at])
    )
    indices = [
        context.cast(builder, place, of_place, types.intp) for place, of_place in zip(places, of_places, strict=True)
    ]
    return builder.bitcast(cgutils.get_item_pointer(context, builder, of, array, indices), to.as_pointer())

"""real and double precision: arithmetic, rounding, and casts to and from integers (float.c).

Operands and results are stored values: a float, or the text 'NaN'. Adding such a text raises TypeError, which is how the fast path
notices it. A finite operation whose result is infinite, or zero where it cannot be, is 22003. Operations of real are done in double
precision and rounded once, which gives what single precision arithmetic gives.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.integer import BIGINT, INTEGER, SMALLINT, division_by_zero, out_of_range
from translator.functions.registry import function, template
from translator.types.floating import NAN, load, single, store

if TYPE_CHECKING:
    from collections.abc import Callable

Value = float | str
_INFINITY = math.inf


def overflow() -> SqlError:
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")


def underflow() -> SqlError:
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")


def input_out_of_range() -> SqlError:
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")


def _special(result: float, left: float, right: float) -> Value:
    """A result that is not finite: NaN, or infinity that must come from an infinite operand."""
    if math.isinf(result) and not math.isinf(left) and not math.isinf(right):
        raise overflow()
    return store(result)


@function("float8pl", "float48pl", "float84pl")
def float8pl(left: Value, right: Value) -> Value:
    try:
        result: float = left + right - 0.0  # type: ignore[operator]  # the subtraction refuses 'NaN' + 'NaN'
    except TypeError:
        return NAN
    if -_INFINITY < result < _INFINITY:
        return result
    return _special(result, left, right)  # type: ignore[arg-type]


@function("float8mi", "float48mi", "float84mi")
def float8mi(left: Value, right: Value) -> Value:
    try:
        result: float = left - right  # type: ignore[operator]
    except TypeError:
        return NAN
    if -_INFINITY < result < _INFINITY:
        return result
    return _special(result, left, right)  # type: ignore[arg-type]


@function("float8mul", "float48mul", "float84mul")
def float8mul(left: Value, right: Value) -> Value:
    if NAN in (left, right):
        return NAN
    result: float = float(left) * right  # type: ignore[operator]
    if -_INFINITY < result < _INFINITY:
        if result == 0 and left != 0 and right != 0:
            raise underflow()
        return result
    return _special(result, left, right)  # type: ignore[arg-type]


@function("float8div", "float48div", "float84div")
def float8div(left: Value, right: Value) -> Value:
    try:
        result: float = left / right  # type: ignore[operator]
    except TypeError:
        if right == 0 and left != NAN:
            raise division_by_zero() from None
        return NAN
    except ZeroDivisionError:
        raise division_by_zero() from None
    if -_INFINITY < result < _INFINITY:
        if result == 0 and left != 0 and not math.isinf(right):  # type: ignore[arg-type]
            raise underflow()
        return result
    return _special(result, left, left)  # type: ignore[arg-type]


def _rounded(operation: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """The operation of real: checked for overflow and underflow again when the result is rounded."""

    def rounded(left: Value, right: Value) -> Value:
        return to_single(operation(left, right))

    return rounded


def to_single(value: Value) -> Value:
    """The cast, dtof."""
    if value == NAN:
        return NAN
    number = float(value)
    result = single(number)
    if math.isinf(result) and not math.isinf(number):
        raise overflow()
    if result == 0 and number != 0:
        raise underflow()
    return result


function("float4pl")(_rounded(float8pl))
function("float4mi")(_rounded(float8mi))
function("float4mul")(_rounded(float8mul))
function("float4div")(_rounded(float8div))
function("dtof")(to_single)

for _name in ("float4up", "float8up", "ftod"):
    template(_name, "$1")


@function("float4um", "float8um")
def float8um(value: Value) -> Value:
    return NAN if value == NAN else -float(value)


@function("float4abs", "float8abs")
def float8abs(value: Value) -> Value:
    return NAN if value == NAN else abs(float(value))


def _round_half_even(value: float) -> float:
    return float(round(value))  # rint


_ROUNDING: dict[str, Callable[[float], float]] = {
    "dround": _round_half_even,
    "dceil": math.ceil,
    "dfloor": math.floor,
    "dtrunc": math.trunc,
}


def _declare_rounding(name: str, rounding: Callable[[float], float]) -> None:
    def rounded(value: Value) -> Value:
        number = load(value)
        if not math.isfinite(number) or abs(number) >= 2**53:
            return value
        return math.copysign(rounding(number), number)

    function(name)(rounded)


for _name, _rounding in _ROUNDING.items():
    _declare_rounding(_name, _rounding)


@function("dsign")
def dsign(value: Value) -> Value:
    number = load(value)
    return float((number > 0) - (number < 0))  # 0 for NaN


# Casts from integers. SQLite converts an integer to the nearest double as C does.
for _name in ("i2tod", "i4tod", "i8tod", "i2tof"):
    template(_name, "CAST($1 AS REAL)")


@function("i4tof", "i8tof")
def i8tof(value: int) -> float:
    if abs(value) >> 53:
        # Rounding to a double first could round twice: keep 53 bits at most, the last of them saying whether others were set.
        value = value >> 11 << 11 | bool(value & 0x7FF) << 11
    return single(float(value))


def _to_integer(value: Value, bits: int, words: str) -> int:
    """dtoi2, dtoi4, dtoi8: rint, then the range."""
    number = load(value)
    if math.isfinite(number):
        result = round(number)
        if -(1 << bits - 1) <= result < 1 << bits - 1:
            return result
    raise out_of_range(words)


@function("dtoi2", "ftoi2")
def dtoi2(value: Value) -> int:
    return _to_integer(value, 16, SMALLINT)


@function("dtoi4", "ftoi4")
def dtoi4(value: Value) -> int:
    return _to_integer(value, 32, INTEGER)


@function("dtoi8", "ftoi8")
def dtoi8(value: Value) -> int:
    return _to_integer(value, 64, BIGINT)


@function("width_bucket_float8")
def width_bucket_float8(operand: Value, low: Value, high: Value, count: int) -> int:
    if count <= 0:
        raise bucket_error("count must be greater than zero")
    number, bound1, bound2 = load(operand), load(low), load(high)
    if math.isnan(number) or math.isnan(bound1) or math.isnan(bound2):
        raise bucket_error("operand, lower bound, and upper bound cannot be NaN")
    if math.isinf(bound1) or math.isinf(bound2):
        raise bucket_error("lower and upper bounds must be finite")
    if bound1 == bound2:
        raise bucket_error("lower bound cannot equal upper bound")
    if bound1 < bound2:
        if number < bound1:
            return 0
        place = count if number >= bound2 else _bucket(number - bound1, bound2 - bound1, number, bound1, bound2, count)
        outside = number >= bound2
    else:
        if number > bound1:
            return 0
        place = count if number <= bound2 else _bucket(bound1 - number, bound1 - bound2, number, bound1, bound2, count)
        outside = number <= bound2
    if outside:
        if count == 2**31 - 1:
            raise out_of_range(INTEGER)
        return count + 1
    return min(place, count - 1) + 1  # rounding may give the bucket behind the last one


def _bucket(distance: float, width: float, number: float, bound1: float, bound2: float, count: int) -> int:
    if math.isinf(width):  # half of everything cannot overflow
        return int(count * ((number / 2 - bound1 / 2) / (bound2 / 2 - bound1 / 2)))
    return int(count * (distance / width))


def bucket_error(message: str) -> SqlError:
    return SqlError(sqlstate.INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, message)


@function("in_range_float8_float8", "in_range_float4_float8")
def in_range_float8(value: Value, base: Value, offset: Value, subtract: int, less: int) -> bool:
    """Whether a row lies in a RANGE frame; NaN is greater than everything and equal to itself."""
    distance = load(offset)
    if math.isnan(distance) or distance < 0:
        raise SqlError(sqlstate.INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function")
    if NAN in (value, base):
        return value == base or (not less if value == NAN else bool(less))
    number, origin = load(value), load(base)
    if math.isinf(distance) and math.isinf(origin) and (origin > 0 if subtract else origin < 0):
        return True
    bound = origin - distance if subtract else origin + distance
    return number <= bound if less else number >= bound

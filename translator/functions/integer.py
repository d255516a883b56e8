"""smallint, integer and bigint: comparison, arithmetic with overflow, bits, casts among them (int.c, int8.c).

Arithmetic runs in SQLite and a guard checks the range: SQLite counts in 64 bits, and gives REAL where those do not suffice.
The guards take NULL themselves: that is cheaper than a wrapper around them. Division and modulo are functions, because what is
divided by zero must not be NULL for an error: `sum(a) / count(a)` is NULL where there are no rows.
"""

from __future__ import annotations

import math

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function, template

COMPARISONS = (("eq", "="), ("ne", "<>"), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))

SMALLINT, INTEGER, BIGINT = "smallint", "integer", "bigint"


def out_of_range(words: str) -> SqlError:
    """The result of an operation does not fit its type."""
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, f"{words} out of range")


def division_by_zero() -> SqlError:
    return SqlError(sqlstate.DIVISION_BY_ZERO, "division by zero")


@function("guard_int2", strict=False)
def guard_int2(value: int | None) -> int | None:
    if value is None or -32768 <= value <= 32767:
        return value
    raise out_of_range(SMALLINT)


@function("guard_int4", strict=False)
def guard_int4(value: int | None) -> int | None:
    if value is None or -2147483648 <= value <= 2147483647:
        return value
    raise out_of_range(INTEGER)


@function("guard_int8", strict=False)
def guard_int8(value: float | None) -> int | None:
    """SQLite's sum, difference or product of two integers is REAL when it does not fit."""
    if type(value) is float:
        raise out_of_range(BIGINT)
    return value  # type: ignore[return-value]


def _declare_comparisons(prefix: str) -> None:
    for suffix, operator in COMPARISONS:
        template(prefix + suffix, f"$1 {operator} $2")


# Digits of the name: sizes of left and right operand; the guard is that of the larger one.
_PAIRS = {
    "2": "int2",
    "4": "int4",
    "8": "int8",
    "24": "int4",
    "42": "int4",
    "28": "int8",
    "82": "int8",
    "48": "int8",
    "84": "int8",
}

for _pair, _size in _PAIRS.items():
    _prefix = f"int{_pair}"
    _declare_comparisons(_prefix)
    template(f"bt{_prefix}cmp", "$1 - $2" if _pair == "2" else "($1 > $2) - ($1 < $2)")
    for _suffix, _operator in (("pl", "+"), ("mi", "-"), ("mul", "*")):
        template(_prefix + _suffix, f"pg_guard_{_size}($1 {_operator} $2)")

for _size in ("int2", "int4", "int8"):
    template(f"{_size}and", "$1 & $2")
    template(f"{_size}or", "$1 | $2")
    template(f"{_size}not", "~$1")
    template(f"{_size}up", "$1")
    template(f"{_size}um", f"pg_guard_{_size}(-$1)")
    template(f"{_size}larger", "max($1, $2)")
    template(f"{_size}smaller", "min($1, $2)")

template("int8inc", "pg_guard_int8($1 + 1)")
template("int8dec", "pg_guard_int8($1 - 1)")
template("int4inc", "pg_guard_int4($1 + 1)")

# Casts: widening changes nothing.
for _name in ("i2toi4", "int28", "int48"):
    template(_name, "$1")
template("i4toi2", "pg_guard_int2($1)")
template("int82", "pg_guard_int2($1)")
template("int84", "pg_guard_int4($1)")
template("bool_int4", "$1")
template("int4_bool", "$1 <> 0")


def _quotient(dividend: int, divisor: int, limit: int, words: str) -> int:
    """Division that truncates. Only the lowest value divided by -1 does not fit."""
    if divisor == 0:
        raise division_by_zero()
    result = dividend // divisor
    if result < 0 and result * divisor != dividend:
        result += 1
    if result >= limit:
        raise out_of_range(words)
    return result


@function("int2div")
def int2div(dividend: int, divisor: int) -> int:
    return _quotient(dividend, divisor, 2**15, SMALLINT)


@function("int4div", "int24div", "int42div")
def int4div(dividend: int, divisor: int) -> int:
    return _quotient(dividend, divisor, 2**31, INTEGER)


@function("int8div", "int28div", "int82div", "int48div", "int84div")
def int8div(dividend: int, divisor: int) -> int:
    return _quotient(dividend, divisor, 2**63, BIGINT)


@function("int2mod", "int4mod", "int8mod")
def modulo(dividend: int, divisor: int) -> int:
    """The remainder has the sign of the dividend."""
    if divisor == 0:
        raise division_by_zero()
    result = dividend % divisor
    return result - divisor if result and (dividend < 0) != (divisor < 0) else result


def _absolute(value: int, bits: int, words: str) -> int:
    if value == -(1 << bits - 1):
        raise out_of_range(words)
    return abs(value)


@function("int2abs")
def int2abs(value: int) -> int:
    return _absolute(value, 16, SMALLINT)


@function("int4abs")
def int4abs(value: int) -> int:
    return _absolute(value, 32, INTEGER)


@function("int8abs")
def int8abs(value: int) -> int:
    return _absolute(value, 64, BIGINT)


@function("int2xor", "int4xor", "int8xor")
def exclusive_or(left: int, right: int) -> int:
    return left ^ right


def wrap(value: int, bits: int) -> int:
    """The value as a two's complement number of `bits` bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


# C shifts of an int take the count modulo 32, of an int64 modulo 64, as the processors do.
@function("int2shl")
def int2shl(value: int, count: int) -> int:
    return wrap(value << (count & 31), 16)


@function("int4shl")
def int4shl(value: int, count: int) -> int:
    return wrap(value << (count & 31), 32)


template("int8shl", "$1 << ($2 & 63)")
template("int2shr", "$1 >> ($2 & 31)")
template("int4shr", "$1 >> ($2 & 31)")
template("int8shr", "$1 >> ($2 & 63)")


def _gcd(left: int, right: int, bits: int, words: str) -> int:
    result = math.gcd(left, right)
    if result >> bits - 1:
        raise out_of_range(words)
    return result


def _lcm(left: int, right: int, bits: int, words: str) -> int:
    result = math.lcm(left, right)
    if result >> bits - 1:
        raise out_of_range(words)
    return result


@function("int4gcd")
def int4gcd(left: int, right: int) -> int:
    return _gcd(left, right, 32, INTEGER)


@function("int8gcd")
def int8gcd(left: int, right: int) -> int:
    return _gcd(left, right, 64, BIGINT)


@function("int4lcm")
def int4lcm(left: int, right: int) -> int:
    return _lcm(left, right, 32, INTEGER)


@function("int8lcm")
def int8lcm(left: int, right: int) -> int:
    return _lcm(left, right, 64, BIGINT)


def _in_range(value: int, base: int, offset: int, subtract: int, less: int) -> bool:
    """in_range of the integer types: whether a row lies in a RANGE frame. Python's integers cannot overflow."""
    if offset < 0:
        raise SqlError(sqlstate.INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function")
    bound = base - offset if subtract else base + offset
    return value <= bound if less else value >= bound


function(
    "in_range_int2_int2", "in_range_int2_int4", "in_range_int2_int8", "in_range_int4_int2", "in_range_int4_int4",
    "in_range_int4_int8", "in_range_int8_int8",
)(_in_range)  # fmt: skip


def _base_text(value: int, form: str, bits: int) -> str:
    return format(value & (1 << bits) - 1, form)


@function("to_hex32")
def to_hex32(value: int) -> str:
    return _base_text(value, "x", 32)


@function("to_hex64")
def to_hex64(value: int) -> str:
    return _base_text(value, "x", 64)


@function("to_oct32")
def to_oct32(value: int) -> str:
    return _base_text(value, "o", 32)


@function("to_oct64")
def to_oct64(value: int) -> str:
    return _base_text(value, "o", 64)


@function("to_bin32")
def to_bin32(value: int) -> str:
    return _base_text(value, "b", 32)


@function("to_bin64")
def to_bin64(value: int) -> str:
    return _base_text(value, "b", 64)

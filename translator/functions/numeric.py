"""numeric: comparison through a sort key, arithmetic, rounding, casts (numeric.c).

The key is text that SQLite compares as PostgreSQL compares numbers, whatever their scales: a letter for the sign, four hexadecimal
digits for the place of the first digit, then the digits without trailing zeros. Negative values have all of it complemented.
Where lowering meets a column in storage form on both sides it compares natively and needs no key.
"""

from __future__ import annotations

import decimal
import math
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions import numeric_arithmetic as arithmetic
from translator.functions.floating import bucket_error
from translator.functions.integer import BIGINT, COMPARISONS, INTEGER, SMALLINT, out_of_range
from translator.functions.registry import function, rows, template
from translator.settings import runtime
from translator.types.floating import FLOAT4, FLOAT8, NAN, load
from translator.types.numeric import (
    EXACT,
    MAX_WHOLE_DIGITS,
    apply_typmod,
    overflow,
    rescale,
    rescale_widely,
    scale_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_INFINITIES = ("Infinity", "-Infinity")
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_KEYS = {"NaN": "t", "Infinity": "s", "-Infinity": "a"}


@function("numeric_sortkey")
def numeric_sortkey(text: str) -> str:
    """'a' for -Infinity, 'b' negative, 'c' zero, 'd' positive, 's' Infinity, 't' NaN.

    The exponent counts from 0x6000, more than numbers have digits behind the point. Complemented digits end with ':', which
    is greater than any digit, so that of two values with a common beginning the longer one, -1.25, comes before -1.2.
    """
    if text[0] == "-":
        whole, _, fraction = text[1:].partition(".")
        if whole == "Infinity":
            return "a"
        digits = (whole + fraction).strip("0")
        place = len(whole) if whole != "0" else len(fraction.lstrip("0")) - len(fraction)
        return f"b{0x4A000 - place:05x}{digits.translate(_COMPLEMENT)}:"
    whole, _, fraction = text.partition(".")
    if whole[0] > "9":
        return _KEYS[whole]
    digits = (whole + fraction).strip("0")
    if not digits:
        return "c"
    place = len(whole) if whole != "0" else len(fraction.lstrip("0")) - len(fraction)
    return f"d{0x6000 + place:05x}{digits}"


for _suffix, _operator in COMPARISONS:
    template(f"numeric_{_suffix}", f"pg_numeric_sortkey($1) {_operator} pg_numeric_sortkey($2)")


@function("numeric_cmp")
def numeric_cmp(left: str, right: str) -> int:
    key1, key2 = numeric_sortkey(left), numeric_sortkey(right)
    return (key1 > key2) - (key1 < key2)


@function("numeric_larger")
def numeric_larger(left: str, right: str) -> str:
    return left if numeric_sortkey(left) > numeric_sortkey(right) else right


@function("numeric_smaller")
def numeric_smaller(left: str, right: str) -> str:
    return left if numeric_sortkey(left) < numeric_sortkey(right) else right


for _name in ("numeric_add", "numeric_sub", "numeric_mul", "numeric_div", "numeric_mod"):
    function(_name)(getattr(arithmetic, _name))

template("numeric_uplus", "$1")


@function("numeric_div_trunc")
def numeric_div_trunc(left: str, right: str) -> str:
    return text_of(arithmetic.truncated_quotient(Decimal(left), Decimal(right)))


@function("numeric_uminus")
def numeric_uminus(value: str) -> str:
    return text_of(Decimal(value).copy_negate()) if value != NAN else NAN


@function("numeric_abs")
def numeric_abs(value: str) -> str:
    return value[1:] if value[0] == "-" else value


@function("numeric_sign")
def numeric_sign(value: str) -> str:
    if value[0] == "-":
        return "-1"
    if value == NAN:
        return NAN
    return "1" if Decimal(value) else "0"


@function("numeric_inc")
def numeric_inc(value: str) -> str:
    return arithmetic.numeric_add(value, "1")


# Rounding. The two-argument forms take a scale that may be negative; it is limited to what numeric can have.
def _to_scale(value: str, scale: int, rounding: str) -> str:
    if value[-1] > "9":
        return value
    scale = min(max(scale, -(131072 + 16)), 16383)
    if scale == scale_of(value):
        return value
    number = Decimal(value)
    beyond = scale <= -MAX_WHOLE_DIGITS  # a digit so far left is more than the format holds
    result = (rescale_widely if beyond else rescale)(number, scale, rounding)
    if result and result.adjusted() >= MAX_WHOLE_DIGITS:
        raise overflow()
    return text_of(rescale(result, 0) if scale < 0 else result)


@function("numeric_round")
def numeric_round(value: str, scale: int) -> str:
    return _to_scale(value, scale, decimal.ROUND_HALF_UP)


@function("numeric_trunc")
def numeric_trunc(value: str, scale: int) -> str:
    return _to_scale(value, scale, ROUND_DOWN)


@function("numeric_ceil")
def numeric_ceil(value: str) -> str:
    return _to_scale(value, 0, ROUND_CEILING)


@function("numeric_floor")
def numeric_floor(value: str) -> str:
    return _to_scale(value, 0, ROUND_FLOOR)


@function("numeric")
def numeric(value: str, typmod: int) -> str:
    """The length coercion."""
    return apply_typmod(value, typmod)


@function("numeric_scale")
def numeric_scale(value: str) -> int | None:
    return None if value[-1] > "9" else scale_of(value)


@function("numeric_min_scale")
def numeric_min_scale(value: str) -> int | None:
    return None if value[-1] > "9" else len(value.partition(".")[2].rstrip("0"))


@function("numeric_trim_scale")
def numeric_trim_scale(value: str) -> str:
    return value.rstrip("0").rstrip(".") if "." in value else value


def _whole(value: str) -> int:
    """The units of the last place, as an integer of any size."""
    units: int = int(EXACT.scaleb(Decimal(value), scale_of(value)))
    return units


def _from_units(units: int, scale: int) -> str:
    return text_of(EXACT.scaleb(EXACT.create_decimal(units), -scale))


@function("numeric_gcd")
def numeric_gcd(left: str, right: str) -> str:
    if left[-1] > "9" or right[-1] > "9":
        return NAN
    scale = max(scale_of(left), scale_of(right))
    common = math.gcd(_units(left, scale), _units(right, scale))
    return _from_units(common, scale)


@function("numeric_lcm")
def numeric_lcm(left: str, right: str) -> str:
    if left[-1] > "9" or right[-1] > "9":
        return NAN
    scale = max(scale_of(left), scale_of(right))
    return _from_units(math.lcm(_units(left, scale), _units(right, scale)), scale)


def _units(value: str, scale: int) -> int:
    factor: int = 10 ** (scale - scale_of(value))
    return _whole(value) * factor


@function("numeric_fac")
def numeric_fac(value: int) -> str:
    if value < 0:
        raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined")
    if value > 32177:
        raise overflow()
    return text_of(EXACT.create_decimal(math.factorial(value)))


@function("width_bucket_numeric")
def width_bucket_numeric(operand: str, low: str, high: str, count: int) -> int:
    if count <= 0:
        raise bucket_error("count must be greater than zero")
    if NAN in (operand, low, high):
        raise bucket_error("operand, lower bound, and upper bound cannot be NaN")
    if low in _INFINITIES or high in _INFINITIES:
        raise bucket_error("lower and upper bounds must be finite")
    bound1, bound2, value = Decimal(low), Decimal(high), Decimal(operand)
    if bound1 == bound2:
        raise bucket_error("lower bound cannot equal upper bound")
    ascending = bound1 < bound2
    if value < bound1 if ascending else value > bound1:
        return 0
    if value >= bound2 if ascending else value <= bound2:
        if count == 2**31 - 1:
            raise out_of_range(INTEGER)
        return count + 1
    distance = EXACT.multiply(EXACT.subtract(value, bound1), Decimal(count))
    return int(EXACT.divide_int(distance, EXACT.subtract(bound2, bound1))) + 1


@function("in_range_numeric_numeric")
def in_range_numeric(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    if offset == NAN or offset[0] == "-":
        raise SqlError(sqlstate.INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function")
    if NAN in (value, base):
        return value == base or (not less if value == NAN else bool(less))
    if offset == "Infinity" and base == ("Infinity" if subtract else "-Infinity"):
        return True
    bound = EXACT.subtract(Decimal(base), Decimal(offset)) if subtract else EXACT.add(Decimal(base), Decimal(offset))
    return Decimal(value) <= bound if less else Decimal(value) >= bound


# Casts from integers: their text is the value form.
for _name in ("int2_numeric", "int4_numeric", "int8_numeric"):
    template(_name, "CAST($1 AS TEXT)")


def _to_integer(value: str, bits: int, words: str) -> int:
    if value[-1] > "9":
        what = "NaN" if value == NAN else "infinity"
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"cannot convert {what} to {words}")
    if len(value) > 40 and Decimal(value).adjusted() > 20:
        raise out_of_range(words)
    result = int(rescale(Decimal(value), 0))
    if -(1 << bits - 1) <= result < 1 << bits - 1:
        return result
    raise out_of_range(words)


@function("numeric_int2")
def numeric_int2(value: str) -> int:
    return _to_integer(value, 16, SMALLINT)


@function("numeric_int4")
def numeric_int4(value: str) -> int:
    return _to_integer(value, 32, INTEGER)


@function("numeric_int8")
def numeric_int8(value: str) -> int:
    return _to_integer(value, 64, BIGINT)


@function("numeric_float8")
def numeric_float8(value: str) -> float | str:
    """Through the text, as PostgreSQL does, so that what is too large is reported by float8in."""
    number = float(value)
    if math.isfinite(number) and (number or not value.strip("-0.")):
        return number
    return FLOAT8.input(value, runtime.settings)  # type: ignore[return-value]


@function("numeric_float4")
def numeric_float4(value: str) -> float | str:
    return FLOAT4.input(value, runtime.settings)  # type: ignore[return-value]


def _from_float(value: float | str, digits: int) -> str:
    """float8_numeric: as many digits as the float type can be trusted with, DBL_DIG or FLT_DIG."""
    number = load(value)
    if not math.isfinite(number):
        return NAN if number != number else "Infinity" if number > 0 else "-Infinity"  # noqa: PLR0124
    decimal_value = Decimal(f"{number:.{digits}g}")
    exponent = decimal_value.as_tuple().exponent
    return text_of(rescale(decimal_value, 0) if isinstance(exponent, int) and exponent > 0 else decimal_value)


@function("float8_numeric")
def float8_numeric(value: float | str) -> str:
    return _from_float(value, 15)


@function("float4_numeric")
def float4_numeric(value: float | str) -> str:
    return _from_float(value, 6)


def _check_series(value: str, what: str) -> None:
    if value[-1] > "9":
        kind = "NaN" if value == NAN else "infinity"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"{what} cannot be {kind}")


@rows("generate_series_numeric", "generate_series_step_numeric")
def generate_series_numeric(start: str, stop: str, step: str = "1") -> Iterator[str]:
    """All values have the largest scale of start and step."""
    _check_series(start, "start value")
    _check_series(stop, "stop value")
    _check_series(step, "step size")
    current, last, increment = Decimal(start), Decimal(stop), Decimal(step)
    if not increment:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "step size cannot equal zero")
    while current <= last if increment > 0 else current >= last:
        yield text_of(current)
        current = EXACT.add(current, increment)

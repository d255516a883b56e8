"""sqrt, exp, ln, log and power of numeric, with PostgreSQL's result scales (numeric.c).

PostgreSQL estimates the place of the result's first digit and then gives at least 16 significant digits, and no fewer places than
the arguments have. The digits themselves come from `decimal`, computed with digits to spare and rounded half up.
"""

from __future__ import annotations

import decimal
import math
from decimal import Decimal

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.float_math import check_logarithm
from translator.functions.numeric_arithmetic import (
    MAX_DISPLAY_SCALE,
    MIN_SIGNIFICANT_DIGITS,
    divide_to,
    division_by_zero,
    working,
)
from translator.functions.registry import function
from translator.types.numeric import EXACT, MAX_WHOLE_DIGITS, overflow, quantum, rescale, scale_of, text_of

_LOG10_E = 0.434294481903252
_MAX_RESULT_SCALE = 2000  # NUMERIC_MAX_RESULT_SCALE
_GUARD_DIGITS = 8
_NEAR_ONE = (Decimal("0.9"), Decimal("1.1"))


def _result_scale(weight: int, *scales: int) -> int:
    """The number of places for a result whose first digit stands at 10**weight."""
    return min(max(MIN_SIGNIFICANT_DIGITS - weight, 0, *scales), MAX_DISPLAY_SCALE)


def _context(digits: int) -> decimal.Context:
    return working(-(-max(digits + _GUARD_DIGITS, 16) // 32) * 32)


def _rounded(value: Decimal, scale: int) -> Decimal:
    if value and value.adjusted() >= MAX_WHOLE_DIGITS:
        raise overflow()
    return rescale(value, scale)


def _power_error(message: str) -> SqlError:
    return SqlError(sqlstate.INVALID_ARGUMENT_FOR_POWER_FUNCTION, message)


@function("numeric_sqrt")
def numeric_sqrt(text: str) -> str:
    if text == "NaN":
        return text
    value = Decimal(text)
    if value < 0:
        raise _power_error("cannot take square root of a negative number")
    if value.is_infinite():
        return text
    weight = value.adjusted() // 4 if value else 0
    # Half the digits before the point; counted in groups of four.
    places = weight * 2 + 1 if weight >= 0 else 1 - (1 - weight * 4) // 2
    scale = _result_scale(places, scale_of(text))
    root = _context(value.adjusted() // 2 + scale + 2).sqrt(value)
    result = _rounded(root, scale)
    half = Decimal((0, (5,), -scale - 1))
    if result and _exceeds(result, half, value):  # rounded twice: the root's last digits were rounded up to a half
        result = EXACT.subtract(result, quantum(scale))
    return text_of(result)


def _exceeds(result: Decimal, half: Decimal, value: Decimal) -> bool:
    """Whether the result was rounded up although its half unit is more than the root."""
    lower = EXACT.subtract(result, half)
    return EXACT.multiply(lower, lower) > value


@function("numeric_exp")
def numeric_exp(text: str) -> str:
    if text[-1] > "9":
        return "0" if text == "-Infinity" else text
    weight = max(min(float(text) * _LOG10_E, _MAX_RESULT_SCALE), -_MAX_RESULT_SCALE)
    scale = _result_scale(int(weight), scale_of(text))
    return text_of(_exponential(Decimal(text), scale))


def _exponential(value: Decimal, scale: int) -> Decimal:
    """exp_var."""
    if abs(value) >= 3 * _MAX_RESULT_SCALE:
        if value > 0:
            raise overflow()
        return rescale(Decimal(0), scale)
    digits = int(float(value) * _LOG10_E) + scale + 2
    return rescale(_context(digits).exp(value), scale) if digits > 0 else rescale(Decimal(0), scale)


def _logarithm_weight(value: Decimal) -> int:
    """estimate_ln_dweight: the decimal place of the first digit of ln(value)."""
    if value <= 0:
        return 0
    if _NEAR_ONE[0] <= value <= _NEAR_ONE[1]:
        distance = EXACT.subtract(value, Decimal(1))
        return distance.adjusted() if distance else 0
    # The first two base-10000 digits, as many as there are.
    place = value.adjusted() // 4 * 4
    leading = value.scaleb(-place, EXACT)
    if leading != leading.to_integral_value():
        place -= 4
        leading = value.scaleb(-place, EXACT)
    return int(math.log10(abs(math.log(int(leading)) + place * 2.302585092994046)))


def _natural_logarithm(value: Decimal, scale: int) -> Decimal:
    """ln_var; the first digit of the result stands at most at 10**6."""
    check_logarithm((value > 0) - (value < 0))
    return rescale(_context(scale + 8).ln(value), scale)


@function("numeric_ln")
def numeric_ln(text: str) -> str:
    if text[-1] > "9":
        if text[0] == "-":
            check_logarithm(-1)
        return text
    value = Decimal(text)
    return text_of(_natural_logarithm(value, _result_scale(_logarithm_weight(value), scale_of(text))))


@function("numeric_log")
def numeric_log(base_text: str, text: str) -> str:
    """log(base, value): a quotient of natural logarithms."""
    if base_text[-1] > "9" or text[-1] > "9":
        return _special_logarithm(base_text, text)
    base, value = Decimal(base_text), Decimal(text)
    base_weight = _logarithm_weight(base)
    weight = _logarithm_weight(value) - base_weight
    scale = _result_scale(weight, scale_of(base_text), scale_of(text))
    denominator = _natural_logarithm(base, max(scale + weight - base_weight + _GUARD_DIGITS, 0))
    numerator = _natural_logarithm(value, max(scale - base_weight + _GUARD_DIGITS, 0))
    if not denominator:
        raise division_by_zero()
    return text_of(divide_to(numerator, denominator, scale))


def _special_logarithm(base: str, value: str) -> str:
    if "NaN" in (base, value):
        return "NaN"
    for argument in (base, value):
        number = Decimal(argument)
        check_logarithm((number > 0) - (number < 0))
    if base == "Infinity":
        return "NaN" if value == "Infinity" else "0"
    return "Infinity"


@function("numeric_power")
def numeric_power(base_text: str, exponent_text: str) -> str:
    if base_text[-1] > "9" or exponent_text[-1] > "9":
        return _special_power(base_text, exponent_text)
    base, exponent = Decimal(base_text), Decimal(exponent_text)
    whole = exponent == exponent.to_integral_value()
    if not base and exponent < 0:
        raise _power_error("zero raised to a negative power is undefined")
    if base < 0 and not whole:
        raise _power_error("a negative number raised to a non-integer power yields a complex result")
    scales = (scale_of(base_text), scale_of(exponent_text))
    if whole and -(2**31) <= exponent < 2**31:
        return text_of(_whole_power(base, int(exponent), scales))
    return text_of(_power(base, exponent, scales))


def _special_power(base_text: str, exponent_text: str) -> str:
    """NaN and infinities: x^0 = 1 and 1^x = 1 whatever x is, the rest as POSIX's pow."""
    base, exponent = float(base_text), float(exponent_text)
    if math.isnan(base) or math.isnan(exponent):
        return "1" if Decimal(base_text) == 1 or Decimal(exponent_text).is_zero() else "NaN"
    if base_text == "0" or not Decimal(base_text):
        if exponent < 0:
            raise _power_error("zero raised to a negative power is undefined")
        return "0"
    if exponent == 0 or Decimal(base_text) == 1:
        return "1"
    if math.isinf(exponent):
        magnitude = abs(Decimal(base_text))
        if magnitude == 1:
            return "1"
        return "Infinity" if (magnitude > 1) == (exponent > 0) else "0"
    power = Decimal(exponent_text)
    if base < 0 and power != power.to_integral_value():
        raise _power_error("a negative number raised to a non-integer power yields a complex result")
    if exponent < 0:
        return "0"
    return "-Infinity" if base < 0 and EXACT.remainder(power, Decimal(2)) else "Infinity"


def _whole_power(base: Decimal, exponent: int, scales: tuple[int, int]) -> Decimal:
    """power_var_int."""
    weight = 0.0
    if base:
        # log10 of the base from its first 16 digits, of which PostgreSQL takes whole groups of four.
        place = base.adjusted() // 4 * 4 - 12
        weight = exponent * (math.log10(abs(int(base.scaleb(-place, EXACT)))) + place)
    if weight > MAX_WHOLE_DIGITS:
        raise overflow()
    if weight + 1 < -MAX_DISPLAY_SCALE:
        return rescale(Decimal(0), MAX_DISPLAY_SCALE)
    scale = _result_scale(int(weight), *scales)
    if not base:
        return rescale(Decimal(1 if exponent == 0 else 0), scale)
    digits = int(weight) + scale + 2
    context = _context(max(digits, 1) + int(math.log(abs(exponent) or 1)))
    return _rounded(context.power(base, exponent), scale)


def _power(base: Decimal, exponent: Decimal, scales: tuple[int, int]) -> Decimal:
    """power_var: e to the power exponent * ln(base)."""
    if not base:
        return rescale(Decimal(0), MIN_SIGNIFICANT_DIGITS)
    negative = base < 0 and bool(EXACT.remainder(exponent, Decimal(2)))
    base = abs(base)
    # As rough as PostgreSQL's own estimate, because where it stands decides about the scale.
    rough_scale = max(8 - _logarithm_weight(base), 0)
    rough = float(rescale(EXACT.multiply(_natural_logarithm(base, rough_scale), exponent), rough_scale))
    if abs(rough) > _MAX_RESULT_SCALE * 3.01:
        if rough > 0:
            raise overflow()
        return rescale(Decimal(0), MAX_DISPLAY_SCALE)
    weight = int(rough * _LOG10_E)
    scale = _result_scale(weight, *scales)
    context = _context(max(scale + weight, 0) + 12)
    power = context.multiply(context.ln(base), exponent)
    result = _exponential(power, scale)
    return result.copy_negate() if negative else result

"""money: arithmetic over INTEGER cents, casts, and the amount in words (cash.c). Comparison is in comparison.py."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.floating import float8div, float8mul
from translator.functions.integer import BIGINT, division_by_zero, out_of_range
from translator.functions.registry import function
from translator.types.floating import load
from translator.types.numeric import EXACT, rescale

_MAX = 2**63 - 1


def _in_range(cents: int) -> int:
    if -_MAX - 1 <= cents <= _MAX:
        return cents
    raise out_of_range("money")


@function("cash_pl")
def cash_pl(left: int, right: int) -> int:
    return _in_range(left + right)


@function("cash_mi")
def cash_mi(left: int, right: int) -> int:
    return _in_range(left - right)


@function("cash_mul_int2", "cash_mul_int4", "cash_mul_int8", "int2_mul_cash", "int4_mul_cash", "int8_mul_cash")
def cash_mul(left: int, right: int) -> int:
    return _in_range(left * right)


@function("cash_div_int2", "cash_div_int4", "cash_div_int8")
def cash_div_int(cents: int, divisor: int) -> int:
    if divisor == 0:
        raise division_by_zero()
    quotient = abs(cents) // abs(divisor)
    return _in_range(-quotient if (cents < 0) != (divisor < 0) else quotient)


def _rounded(value: float) -> int:
    if not math.isfinite(value):
        raise out_of_range("money")
    return _in_range(round(value))


@function("cash_mul_flt4", "cash_mul_flt8")
def cash_mul_flt(cents: int, factor: float | str) -> int:
    return _rounded(load(float8mul(float(cents), factor)))


@function("flt4_mul_cash", "flt8_mul_cash")
def flt_mul_cash(factor: float | str, cents: int) -> int:
    return _rounded(load(float8mul(factor, float(cents))))


@function("cash_div_flt4", "cash_div_flt8")
def cash_div_flt(cents: int, divisor: float | str) -> int:
    return _rounded(load(float8div(float(cents), divisor)))


@function("cash_div_cash")
def cash_div_cash(left: int, right: int) -> float:
    if right == 0:
        raise division_by_zero()
    return float(left) / float(right)


@function("int4_cash", "int8_cash")
def int8_cash(value: int) -> int:
    cents = value * 100
    if -_MAX - 1 <= cents <= _MAX:
        return cents
    raise out_of_range(BIGINT)


@function("numeric_cash")
def numeric_cash(value: str) -> int:
    if value[-1] > "9":
        what = "NaN" if value == "NaN" else "infinity"
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"cannot convert {what} to {BIGINT}")
    cents = int(rescale(EXACT.multiply(Decimal(value), Decimal(100)), 0, decimal.ROUND_HALF_UP))
    if -_MAX - 1 <= cents <= _MAX:
        return cents
    raise out_of_range(BIGINT)


@function("cash_numeric")
def cash_numeric(cents: int) -> str:
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = ("quadrillion", "trillion", "billion", "million", "thousand")


def _below_hundred(value: int) -> str:
    if value < 20:
        return _SMALL[value]
    tens, units = divmod(value, 10)
    return f"{_TENS[tens]} {_SMALL[units]}" if units else _TENS[tens]


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return _below_hundred(rest)
    if not rest:
        return f"{_SMALL[hundreds]} hundred"
    # "and" stands only before a number that has no tens of its own.
    link = " and " if (rest < 20 and rest != 10 and rest % 10) or rest == 10 else " "
    return f"{_SMALL[hundreds]} hundred{link}{_below_hundred(rest)}"


@function("cash_words")
def cash_words(amount: int) -> str:
    whole, cents = divmod(abs(amount), 100)
    words = "minus " if amount < 0 else ""
    for place, name in enumerate(_THOUSANDS):
        group = whole // 1000 ** (5 - place) % 1000
        if group:
            words += f"{_below_thousand(group)} {name} "
    if whole % 1000:
        words += _below_thousand(whole % 1000)
    if not whole:
        words += "zero"
    words += f" dollar{'' if whole == 1 else 's'} and {_below_thousand(cents)} cent{'' if cents == 1 else 's'}"
    return words[0].upper() + words[1:]

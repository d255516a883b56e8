"""Arithmetic of intervals: sums, products, normal forms, and the casts from and to interval (timestamp.c).

An interval's months, days and microseconds are computed with apart; only a product carries fractions downwards.
"""

from __future__ import annotations

import math

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function
from translator.types.calendar import DAY, HOUR, MINUTE, truncated_divmod
from translator.types.datetime_stored import time_of, time_stored
from translator.types.interval import (
    INFINITY,
    MINUS_INFINITY,
    Interval,
    adjust_interval,
    check_interval,
    interval_of,
    interval_span,
    interval_stored,
    is_infinite,
)  # fmt: skip

_INT32 = 2**31
_INT64 = 2**63


def out_of_range() -> SqlError:
    """The error of all interval arithmetic."""
    return SqlError(codes.DATETIME_FIELD_OVERFLOW, "interval out of range")


def negate(value: Interval) -> Interval:
    """interval_um_internal."""
    if value == INFINITY:
        return MINUS_INFINITY
    if value == MINUS_INFINITY:
        return INFINITY
    return check_interval(-value[0], -value[1], -value[2])


def add(left: Interval, right: Interval) -> Interval:
    """interval_pl: the sum; infinities of different sign have none."""
    if is_infinite(left) or is_infinite(right):
        if is_infinite(left) and is_infinite(right) and left != right:
            raise out_of_range()
        return left if is_infinite(left) else right
    return check_interval(left[0] + right[0], left[1] + right[1], left[2] + right[2])


def sign(value: Interval) -> int:
    """interval_sign."""
    span = interval_span(value)
    return (span > 0) - (span < 0)


@function("interval_pl")
def interval_pl(left: str, right: str) -> str:
    return interval_stored(add(interval_of(left), interval_of(right)))


@function("interval_mi")
def interval_mi(left: str, right: str) -> str:
    first, second = interval_of(left), interval_of(right)
    if is_infinite(second):
        if first == second:
            raise out_of_range()
        return interval_stored(first if is_infinite(first) else negate(second))
    if is_infinite(first):
        return left
    return interval_stored(check_interval(first[0] - second[0], first[1] - second[1], first[2] - second[2]))


@function("interval_um")
def interval_um(value: str) -> str:
    return interval_stored(negate(interval_of(value)))


def _int32(value: float) -> int:
    if math.isnan(value) or not -_INT32 <= value < _INT32:
        raise out_of_range()
    return int(value)


def _float(value: float | str) -> float:
    return float(value)  # NaN is stored as text


def _microsecond(value: float) -> float:
    """TSROUND: drop what floating point added beyond a microsecond."""
    return round(value * 1_000_000) / 1_000_000


def _distribute(months: float, days: float, time: float) -> Interval:
    """interval_mul and interval_div: fractional months become days of 30 a month, fractional days become time."""
    whole_months, whole_days = _int32(months), _int32(days)
    month_days = _microsecond((months - whole_months) * 30)
    seconds = _microsecond((days - whole_days + month_days - int(month_days)) * 86400)
    if abs(seconds) >= 86400:  # rounding may have made a whole day
        more_days = int(seconds / 86400)
        whole_days += more_days
        seconds -= more_days * 86400
    microseconds = time + seconds * 1_000_000
    if math.isnan(microseconds) or math.isinf(microseconds):
        raise out_of_range()
    return check_interval(whole_months, whole_days + int(month_days), round(microseconds))


def multiply(value: Interval, factor: float) -> Interval:
    """interval_mul."""
    if math.isnan(factor):
        raise out_of_range()
    if is_infinite(value) or math.isinf(factor):
        positive = sign(value) * factor
        if positive == 0 or math.isnan(positive):
            raise out_of_range()
        return INFINITY if positive > 0 else MINUS_INFINITY
    return _distribute(value[0] * factor, value[1] * factor, value[2] * factor)


def divide(value: Interval, divisor: float) -> Interval:
    """interval_div."""
    if divisor == 0:
        raise SqlError(codes.DIVISION_BY_ZERO, "division by zero")
    if math.isnan(divisor):
        raise out_of_range()
    if is_infinite(value):
        if math.isinf(divisor):
            raise out_of_range()
        return negate(value) if divisor < 0 else value
    return _distribute(value[0] / divisor, value[1] / divisor, value[2] / divisor)


@function("interval_mul")
def interval_mul(value: str, factor: float | str) -> str:
    return interval_stored(multiply(interval_of(value), _float(factor)))


@function("mul_d_interval")
def mul_d_interval(factor: float | str, value: str) -> str:
    return interval_mul(value, factor)


@function("interval_div")
def interval_div(value: str, divisor: float | str) -> str:
    return interval_stored(divide(interval_of(value), _float(divisor)))


def justify_hours(value: Interval) -> Interval:
    """interval_justify_hours: 24 hours become a day, and both get the same sign."""
    if is_infinite(value):
        return value
    months, days, time = value
    more, time = truncated_divmod(time, DAY)
    days += more
    if days > 0 > time:
        days, time = days - 1, time + DAY
    elif days < 0 < time:
        days, time = days + 1, time - DAY
    return check_interval(months, days, time)


@function("interval_justify_hours")
def interval_justify_hours(value: str) -> str:
    return interval_stored(justify_hours(interval_of(value)))


@function("interval_justify_days")
def interval_justify_days(value: str) -> str:
    """30 days become a month, and both get the same sign."""
    parts = interval_of(value)
    if is_infinite(parts):
        return value
    months, days, time = parts
    more, days = truncated_divmod(days, 30)
    months += more
    if months > 0 > days:
        months, days = months - 1, days + 30
    elif months < 0 < days:
        months, days = months + 1, days - 30
    return interval_stored(check_interval(months, days, time))


@function("interval_justify_interval")
def interval_justify_interval(value: str) -> str:
    """Both of the above, and the same sign for all three parts."""
    parts = interval_of(value)
    if is_infinite(parts):
        return value
    months, days, time = parts
    more, time = truncated_divmod(time, DAY)
    days += more
    more, days = truncated_divmod(days, 30)
    months += more
    if months > 0 and (days < 0 or (days == 0 and time < 0)):
        months, days = months - 1, days + 30
    elif months < 0 and (days > 0 or (days == 0 and time > 0)):
        months, days = months + 1, days - 30
    if days > 0 > time:
        days, time = days - 1, time + DAY
    elif days < 0 < time:
        days, time = days + 1, time - DAY
    return interval_stored(check_interval(months, days, time))


@function("interval_scale")
def interval_scale(value: str, typmod: int) -> str:
    """The length coercion of interval(p) and of interval's fields."""
    return interval_stored(adjust_interval(interval_of(value), typmod))


@function("time_interval")
def time_interval(value: str) -> str:
    return interval_stored((0, 0, time_of(value)))


@function("interval_time")
def interval_time(value: str) -> str:
    """The time of day that an interval leads to from midnight; months and days do not count."""
    parts = interval_of(value)
    if is_infinite(parts):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "cannot convert infinite interval to time")
    return time_stored(parts[2] % DAY)


@function("make_interval")
def make_interval(years: int, months: int, weeks: int, days: int, hours: int, minutes: int, seconds: float | str) -> str:
    number = _float(seconds)
    if math.isnan(number) or math.isinf(number) or abs(number) > 1e13:
        raise out_of_range()
    time = hours * HOUR + minutes * MINUTE + round(number * 1_000_000)
    return interval_stored(check_interval(years * 12 + months, weeks * 7 + days, time))

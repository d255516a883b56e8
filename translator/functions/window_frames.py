"""RANGE frames with an offset: numbers that lie as far apart as the values they stand for (the in_range functions).

SQLite subtracts and adds the offset itself, and only to numbers. So lowering sorts such a window by `frame_key_…` of its
column, and gives the offset as `frame_offset_…`, which also raises PostgreSQL's errors. An infinite key is the greatest finite
number and an infinite offset is infinite, so that nothing lies outside of it. NaN stays text: it has only itself beside it.

Months and, in a zone with daylight-saving time, days have no such number, since their length depends on where they are
counted from: for them lowering computes the frame with the in_range functions themselves (lower/computed_frames.py).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.functions.datetime_arithmetic import (
    date_timestamp,
    timestamp_mi_interval,
    timestamp_pl_interval,
    timestamptz_mi_interval,
    timestamptz_pl_interval,
)
from translator.functions.interval import interval_mi, interval_pl
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.base import Stored
from translator.types.calendar import DAY
from translator.types.datetime_stored import DATE_INFINITY, DATE_MINUS_INFINITY, day_of, microseconds_of, time_of
from translator.types.datetime_stored import INFINITY as END_OF_TIME
from translator.types.datetime_stored import MINUS_INFINITY as BEGIN_OF_TIME
from translator.types.interval import INFINITY, Interval, interval_of, interval_span, is_infinite
from translator.types.time import KEY_OFFSETS, timetz_key
from translator.types.timezones import zone_of

GREATEST = 1.7976931348623157e308
_SCALE = 9  # decimal places of numeric keys
_INT64 = 2**63


# ------------------------------------------------------------------ keys


@function("frame_key_float")
def frame_key_float(value: float | str) -> float | str:
    return max(-GREATEST, min(GREATEST, value)) if not isinstance(value, str) else value


@function("frame_key_numeric")
def frame_key_numeric(value: str) -> float | str:
    if value == "NaN":
        return value
    return _scaled(Decimal(value), GREATEST)


@function("frame_key_date")
def frame_key_date(value: str) -> int:
    day = day_of(value)
    if day in (DATE_INFINITY, DATE_MINUS_INFINITY):
        return END_OF_TIME if day == DATE_INFINITY else BEGIN_OF_TIME
    return day * DAY


@function("frame_key_timestamp")
def frame_key_timestamp(value: str) -> int:
    return microseconds_of(value)


@function("frame_key_time")
def frame_key_time(value: str) -> int:
    return time_of(value)


@function("frame_key_timetz")
def frame_key_timetz(value: str) -> int:
    return timetz_key(value)


@function("frame_key_interval")
def frame_key_interval(value: str) -> float:
    interval = interval_of(value)
    if is_infinite(interval):
        return GREATEST if interval == INFINITY else -GREATEST
    return _number(interval_span(interval))


def _scaled(value: Decimal, infinite: float) -> float:
    if value.is_infinite():
        return infinite if value > 0 else -infinite
    scaled = value.scaleb(_SCALE)
    if scaled != scaled.to_integral_value() or abs(scaled) >= _INT64:
        raise unsupported(f"RANGE with offset over numeric values beyond {18 - _SCALE} digits and {_SCALE} decimal places")
    return int(scaled)


def _number(value: int) -> float:
    return value if -_INT64 <= value < _INT64 else float(value)


# ------------------------------------------------------------------ offsets


@function("frame_offset_rows", strict=False)
def frame_offset_rows(side: str, value: int | None) -> int:
    """Of a ROWS or GROUPS frame: a number of rows or groups (calculate_frame_offsets)."""
    _check_null(side, value)
    assert value is not None
    if value < 0:
        message = f"frame {side} offset must not be negative"
        raise SqlError(codes.INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
    return value


@function("frame_offset_given", strict=False)
def frame_offset_given(side: str, value: Stored | None) -> Stored | None:
    """The offset of a frame that is computed by in_range functions, which check the rest."""
    _check_null(side, value)
    return value


@function("frame_offset_integer", strict=False)
def frame_offset_integer(side: str, value: int | None) -> int:
    _check_null(side, value)
    assert value is not None
    return value if value >= 0 else _refuse()


@function("frame_offset_float", strict=False)
def frame_offset_float(side: str, value: float | str | None) -> float:
    _check_null(side, value)
    return value if isinstance(value, int | float) and value >= 0 else _refuse()


@function("frame_offset_numeric", strict=False)
def frame_offset_numeric(side: str, value: str | None) -> float:
    _check_null(side, value)
    number = Decimal(str(value))
    return _scaled(number, float("inf")) if not number.is_nan() and number >= 0 else _refuse()


@function("frame_offset_date", "frame_offset_timestamp", "frame_offset_timestamptz", strict=False)
def frame_offset_timestamp(side: str, value: str | None) -> float:
    interval = _interval(side, value)
    return float("inf") if is_infinite(interval) else _number(interval_span(interval))


def depends_on_calendar(family: str, offset: str) -> bool:
    """Whether an interval's length depends on where it is counted from."""
    if family not in ("date", "timestamp", "timestamptz"):
        return False
    interval = interval_of(offset)
    if is_infinite(interval):
        return False
    fixed_days = family != "timestamptz" or zone_of(runtime.settings).fixed is not None
    return bool(interval[0]) or (bool(interval[1]) and not fixed_days)


@function("frame_offset_interval", strict=False)
def frame_offset_interval(side: str, value: str | None) -> float:
    interval = _interval(side, value)
    return float("inf") if is_infinite(interval) else _number(interval_span(interval))


@function("frame_offset_time", strict=False)
def frame_offset_time(side: str, value: str | None) -> int:
    """Months and days of the offset count for nothing, as in time + interval."""
    _check_null(side, value)
    microseconds = interval_of(str(value))[2]
    return microseconds if microseconds >= 0 else _refuse()


@function("frame_offset_timetz", strict=False)
def frame_offset_timetz(side: str, value: str | None) -> int:
    return frame_offset_time(side, value) * KEY_OFFSETS


def _interval(side: str, value: str | None) -> Interval:
    _check_null(side, value)
    interval = interval_of(str(value))
    return interval if interval_span(interval) >= 0 else _refuse()


def _check_null(side: str, value: object) -> None:
    if value is None:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, f"frame {side} offset must not be null")


def _refuse() -> Any:
    raise SqlError(codes.INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function")


# ------------------------------------------------------------------ in_range


@function("in_range_timestamp_interval")
def in_range_timestamp(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    return _timestamp_in_range(value, base, offset, subtract, less, (timestamp_pl_interval, timestamp_mi_interval))


@function("in_range_timestamptz_interval", deterministic=False)
def in_range_timestamptz(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    return _timestamp_in_range(value, base, offset, subtract, less, (timestamptz_pl_interval, timestamptz_mi_interval))


@function("in_range_date_interval")
def in_range_date(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    return in_range_timestamp(date_timestamp(value), date_timestamp(base), offset, subtract, less)


@function("in_range_interval_interval")
def in_range_interval(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    distance = _interval("", offset)
    origin = interval_of(base)
    if is_infinite(distance) and is_infinite(origin) and (origin == INFINITY) == bool(subtract):
        return True
    bound = interval_span(interval_of(interval_mi(base, offset) if subtract else interval_pl(base, offset)))
    return _compare(interval_span(interval_of(value)), bound, less)


@function("in_range_time_interval")
def in_range_time(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    distance = frame_offset_time("", offset)
    return _compare(time_of(value), time_of(base) + (-distance if subtract else distance), less)


@function("in_range_timetz_interval")
def in_range_timetz(value: str, base: str, offset: str, subtract: int, less: int) -> bool:
    distance = frame_offset_timetz("", offset)
    return _compare(timetz_key(value), timetz_key(base) + (-distance if subtract else distance), less)


def _timestamp_in_range(
    value: str, base: str, offset: str, subtract: int, less: int, moves: tuple[Callable[[str, str], str], ...]
) -> bool:
    distance = _interval("", offset)
    origin = microseconds_of(base)
    if is_infinite(distance) and origin == (END_OF_TIME if subtract else BEGIN_OF_TIME):
        return True
    bound = moves[1 if subtract else 0](base, offset)
    return _compare(microseconds_of(value), microseconds_of(bound), less)


def _compare(value: int, bound: int, less: int) -> bool:
    return value <= bound if less else value >= bound

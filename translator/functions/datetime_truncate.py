"""date_trunc, date_bin and generate_series over timestamps (timestamp.c)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import add_interval, session_zone
from translator.functions.datetime_extract import downcase, unit_error
from translator.functions.interval import out_of_range, sign
from translator.functions.registry import function, rows
from translator.settings import runtime
from translator.types.calendar import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    UNIX_EPOCH_SECONDS,
    date_of_day,
    day_number,
    truncated_division,
    weekday,
)  # fmt: skip
from translator.types.datetime_stored import INFINITY, MINUS_INFINITY, is_finite, microseconds_of, timestamp_stored
from translator.types.datetime_words import Word, unit_word
from translator.types.interval import interval_of, interval_stored, is_infinite
from translator.types.timestamp import check_timestamp, instant_of
from translator.types.timezone_names import resolve_zone
from translator.types.timezones import UTC_ZONE, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

_INT64 = 2**63
_TIME_UNITS = {"microsecond": 1, "millisecond": 1000, "second": SECOND, "minute": MINUTE, "hour": HOUR}
_YEAR_UNITS = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
_UNITS = frozenset({*_TIME_UNITS, *_YEAR_UNITS, "day", "week", "month", "quarter"})


@lru_cache(maxsize=256)
def _resolve_unit(name: str, type_name: str) -> str:
    word = downcase(name)
    kind, value = unit_word(word) or (None, "")
    if kind is not Word.UNIT or value not in _UNITS:
        raise unit_error(word, type_name, kind is Word.UNIT)
    return str(value)


def _first_day(unit: str, day: int) -> int:
    """The day that begins the unit which a day lies in."""
    if unit == "day":
        return day
    if unit == "week":
        return day - (weekday(day) - 1) % 7
    year, month, _ = date_of_day(day)
    match unit:
        case "month":
            pass
        case "quarter":
            month = (month - 1) // 3 * 3 + 1
        case "decade":  # decades begin with years that end in 0, centuries and millennia with a 1
            year, month = year // 10 * 10, 1
        case _:
            size = _YEAR_UNITS[unit]
            year, month = (year - 1) // size * size + 1, 1
    return day_number(year, month, 1)


def truncate(unit: str, number: int, zone: Zone) -> int:
    """timestamp_trunc, timestamptz_trunc_internal: times keep their offset, days and more look it up anew."""
    offset = zone.at(number // SECOND + UNIX_EPOCH_SECONDS).offset * SECOND
    local = number + offset
    size = _TIME_UNITS.get(unit)
    if size is not None:
        day, time = divmod(local, DAY)
        return check_timestamp(day * DAY + time // size * size - offset)
    return check_timestamp(instant_of(_first_day(unit, local // DAY) * DAY, zone))


# The stored text of years 1 to 9999 is truncated as text: so many characters stay, and what replaces the others.
_TEXT_UNITS = {
    "year": (4, "-01-01 00:00:00"),
    "month": (7, "-01 00:00:00"),
    "day": (10, " 00:00:00"),
    "hour": (13, ":00:00"),
    "minute": (16, ":00"),
    "second": (19, ""),
}


def _truncate_stored(unit: str, value: str, zone: Zone) -> str:
    if zone is UTC_ZONE and unit in _TEXT_UNITS and "/" < value[0] < ":":
        length, rest = _TEXT_UNITS[unit]
        return value[:length] + rest
    return value if not is_finite(value) else timestamp_stored(truncate(unit, microseconds_of(value), zone))


@function("timestamp_trunc")
def timestamp_trunc(unit: str, value: str) -> str:
    return _truncate_stored(_resolve_unit(unit, "timestamp without time zone"), value, UTC_ZONE)


@function("timestamptz_trunc")
def timestamptz_trunc(unit: str, value: str) -> str:
    return _truncate_stored(_resolve_unit(unit, "timestamp with time zone"), value, session_zone())


@function("timestamptz_trunc_zone")
def timestamptz_trunc_zone(unit: str, value: str, zone: str) -> str:
    resolved_zone = resolve_zone(zone, runtime.settings)
    return _truncate_stored(_resolve_unit(unit, "timestamp with time zone"), value, resolved_zone)


@function("interval_trunc")
def interval_trunc(unit: str, value: str) -> str:
    """Units that are larger than a day cut months; a week is refused, as it does not divide them."""
    word = downcase(unit)
    kind, resolved = unit_word(word) or (None, "")
    if kind is not Word.UNIT or resolved not in _UNITS - {"week"}:
        error = unit_error(word, "interval", kind is Word.UNIT)
        if resolved == "week":
            error.detail = "Months usually have fractional weeks."
        raise error
    months, days, time = parts = interval_of(value)
    if is_infinite(parts):
        return value
    size = _TIME_UNITS.get(str(resolved))
    if size is not None:
        return interval_stored((months, days, truncated_division(time, size) * size))
    if resolved == "day":
        return interval_stored((months, days, 0))
    size = {"month": 1, "quarter": 3}.get(str(resolved)) or _YEAR_UNITS[str(resolved)] * 12
    return interval_stored((truncated_division(months, size) * size, 0, 0))


@function("timestamp_bin", "timestamptz_bin")
def timestamp_bin(stride: str, value: str, origin: str) -> str:
    """The beginning of the interval of length `stride`, counted from `origin`, that a timestamp lies in."""
    if not is_finite(value):
        return value
    if not is_finite(origin):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "origin out of range")
    months, days, time = parts = interval_of(stride)
    if is_infinite(parts):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "timestamps cannot be binned into infinite intervals")
    if months:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "timestamps cannot be binned into intervals containing months or years")
    size = days * DAY + time
    if not -_INT64 <= size < _INT64:
        raise out_of_range()
    if size <= 0:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "stride must be greater than zero")
    start = microseconds_of(origin)
    distance = microseconds_of(value) - start
    if not -_INT64 <= distance < _INT64:
        raise out_of_range()
    return timestamp_stored(check_timestamp(start + distance // size * size))


def _series(start: str, stop: str, step: str, zone: Zone) -> Iterator[str]:
    parts = interval_of(step)
    direction = sign(parts)
    if direction == 0:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "step size cannot equal zero")
    if is_infinite(parts):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "step size cannot be infinite")
    current, last = microseconds_of(start), microseconds_of(stop)
    while (current <= last) if direction > 0 else (current >= last):
        yield timestamp_stored(current)
        if current in {INFINITY, MINUS_INFINITY}:
            continue  # PostgreSQL, too, goes on for ever
        current = add_interval(current, parts, zone)


@rows("generate_series_timestamp")
def generate_series_timestamp(start: str, stop: str, step: str) -> Iterator[str]:
    return _series(start, stop, step, UTC_ZONE)


@rows("generate_series_timestamptz")
def generate_series_timestamptz(start: str, stop: str, step: str) -> Iterator[str]:
    return _series(start, stop, step, session_zone())


@rows("generate_series_timestamptz_at_zone")
def generate_series_timestamptz_at_zone(start: str, stop: str, step: str, zone: str) -> Iterator[str]:
    return _series(start, stop, step, resolve_zone(zone, runtime.settings))

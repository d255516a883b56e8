"""Arithmetic of dates, times and timestamps, and the casts between them (date.c, timestamp.c).

Timestamps and intervals add part by part: months first (a day that the month lacks becomes its last), then days, then the
time. For timestamptz months and days are added to the local time of the session's zone.
"""

from __future__ import annotations

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.interval import justify_hours, negate, out_of_range
from translator.functions.registry import function
from translator.settings import runtime
from translator.types import interval as intervals
from translator.types.calendar import (
    DAY,
    SECOND,
    UNIX_EPOCH_JULIAN,
    date_of_day,
    day_number,
    days_in_month,
    is_valid_julian,
)
from translator.types.date import check_date
from translator.types.datetime_parse import current_local
from translator.types.datetime_stored import (
    DATE_INFINITY,
    DATE_MINUS_INFINITY,
    FIRST_DATE,
    FIRST_TIMESTAMP,
    INFINITY,
    MINUS_INFINITY,
    TIMESTAMP_END,
    date_stored,
    day_of,
    is_finite,
    microseconds_of,
    time_of,
    time_stored,
    timestamp_stored,
)  # fmt: skip
from translator.types.interval import Interval, interval_of, interval_stored, is_infinite
from translator.types.time import round_time, timetz_of, timetz_stored
from translator.types.timestamp import check_timestamp, instant_of, local_of, round_timestamp
from translator.types.timezones import UTC_ZONE, Zone, zone_of

_INT64 = 2**63


def session_zone() -> Zone:
    """The zone of the running statement's session."""
    return zone_of(runtime.settings)


# date


@function("date_pli")
def date_pli(value: str, days: int) -> str:
    return value if not is_finite(value) else date_stored(check_date(day_of(value) + days))


@function("date_mii")
def date_mii(value: str, days: int) -> str:
    return value if not is_finite(value) else date_stored(check_date(day_of(value) - days))


@function("date_mi")
def date_mi(left: str, right: str) -> int:
    if not (is_finite(left) and is_finite(right)):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "cannot subtract infinite dates")
    return day_of(left) - day_of(right)


def _date_error() -> SqlError:
    return SqlError(codes.DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")


def _midnight(value: str) -> int:
    """date2timestamp: the microseconds of a date's midnight, or infinity."""
    number = day_of(value)
    if number == DATE_INFINITY:
        return INFINITY
    if number == DATE_MINUS_INFINITY:
        return MINUS_INFINITY
    if number * DAY >= TIMESTAMP_END:
        raise _date_error()
    return number * DAY


@function("date_timestamp")
def date_timestamp(value: str) -> str:
    return timestamp_stored(_midnight(value))


@function("date_timestamptz")
def date_timestamptz(value: str) -> str:
    number = _midnight(value)
    if is_finite(value):
        number = instant_of(number, session_zone())
        if not FIRST_TIMESTAMP <= number < TIMESTAMP_END:
            raise _date_error()
    return timestamp_stored(number)


@function("datetime_timestamp")
def datetime_timestamp(date: str, time: str) -> str:
    number = _midnight(date)
    return timestamp_stored(check_timestamp(number + time_of(time)) if is_finite(date) else number)


@function("datetimetz_timestamptz")
def datetimetz_timestamptz(date: str, time: str) -> str:
    number = _midnight(date)
    if is_finite(date):
        clock, offset = timetz_of(time)
        number += clock - offset * SECOND
        if not FIRST_TIMESTAMP <= number < TIMESTAMP_END:
            raise _date_error()
    return timestamp_stored(number)


@function("timestamp_date")
def timestamp_date(value: str) -> str:
    return value.partition(" ")[0]


@function("timestamptz_date")
def timestamptz_date(value: str) -> str:
    zone = session_zone()
    if zone is UTC_ZONE or not is_finite(value):
        return value.partition(" ")[0]
    return date_stored(local_of(microseconds_of(value), zone) // DAY)


# timestamp and interval


def add_months(number: int, months: int) -> int:
    """Move a local timestamp by months; a day that the month lacks becomes its last."""
    day, rest = divmod(number, DAY)
    year, month, day_of_month = date_of_day(day)
    years, month = divmod(month - 1 + months, 12)
    year, month = year + years, month + 1
    if not is_valid_julian(year, month):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "timestamp out of range")
    return day_number(year, month, min(day_of_month, days_in_month(year, month))) * DAY + rest


def add_interval(number: int, value: Interval, zone: Zone) -> int:
    """timestamp_pl_interval and timestamptz_pl_interval_internal; UTC for timestamp."""
    if is_infinite(value):
        result = INFINITY if value == intervals.INFINITY else MINUS_INFINITY
        if number in {INFINITY, MINUS_INFINITY} and number != result:
            raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "timestamp out of range")
        return result
    if number in {INFINITY, MINUS_INFINITY}:
        return number
    months, days, time = value
    if months:
        number = check_timestamp(instant_of(add_months(local_of(number, zone), months), zone))
    if days:
        local = local_of(number, zone) + days * DAY
        if local // DAY < FIRST_DATE:
            raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "timestamp out of range")
        number = check_timestamp(instant_of(local, zone))
    return check_timestamp(number + time)


@function("timestamp_pl_interval")
def timestamp_pl_interval(value: str, interval: str) -> str:
    return timestamp_stored(add_interval(microseconds_of(value), interval_of(interval), UTC_ZONE))


@function("timestamp_mi_interval")
def timestamp_mi_interval(value: str, interval: str) -> str:
    return timestamp_stored(add_interval(microseconds_of(value), negate(interval_of(interval)), UTC_ZONE))


@function("timestamptz_pl_interval")
def timestamptz_pl_interval(value: str, interval: str) -> str:
    return timestamp_stored(add_interval(microseconds_of(value), interval_of(interval), session_zone()))


@function("timestamptz_mi_interval")
def timestamptz_mi_interval(value: str, interval: str) -> str:
    return timestamp_stored(add_interval(microseconds_of(value), negate(interval_of(interval)), session_zone()))


@function("date_pl_interval")
def date_pl_interval(value: str, interval: str) -> str:
    return timestamp_stored(add_interval(_midnight(value), interval_of(interval), UTC_ZONE))


@function("date_mi_interval")
def date_mi_interval(value: str, interval: str) -> str:
    return timestamp_stored(add_interval(_midnight(value), negate(interval_of(interval)), UTC_ZONE))


@function("timestamp_mi")
def timestamp_mi(left: str, right: str) -> str:
    return interval_stored(subtract(microseconds_of(left), microseconds_of(right)))


def subtract(left: int, right: int) -> Interval:
    """timestamp_mi: days and the time between two timestamps."""
    if left in {INFINITY, MINUS_INFINITY} or right in {INFINITY, MINUS_INFINITY}:
        if left == right:
            raise out_of_range()
        # The greater of the two decides, since one of them is infinite.
        return intervals.INFINITY if left > right else intervals.MINUS_INFINITY
    difference = left - right
    if not -_INT64 <= difference < _INT64:
        raise out_of_range()
    return justify_hours((0, 0, difference))


@function("timestamp_age")
def timestamp_age(left: str, right: str) -> str:
    return interval_stored(_age(microseconds_of(left), microseconds_of(right), UTC_ZONE))


@function("timestamptz_age")
def timestamptz_age(left: str, right: str) -> str:
    return interval_stored(_age(microseconds_of(left), microseconds_of(right), session_zone()))


def _age(left: int, right: int, zone: Zone) -> Interval:
    """timestamp_age: the difference field by field. Days are borrowed from the month of the earlier one."""
    if left in {INFINITY, MINUS_INFINITY} or right in {INFINITY, MINUS_INFINITY}:
        return subtract(left, right)
    negative = left < right
    # Unlike the fields, the comparison is one of instants.
    late, early = (right, left) if negative else (left, right)
    late_day, late_time = divmod(local_of(late, zone), DAY)
    early_day, early_time = divmod(local_of(early, zone), DAY)
    late_date, early_date = date_of_day(late_day), date_of_day(early_day)
    months = (late_date[0] - early_date[0]) * 12 + late_date[1] - early_date[1]
    days = late_date[2] - early_date[2]
    time = late_time - early_time
    if time < 0:
        time += DAY
        days -= 1
    while days < 0:
        days += days_in_month(early_date[0], early_date[1])
        months -= 1
    return (-months, -days, -time) if negative else (months, days, time)


@function("timestamp_timestamptz", "timestamp_at_local")
def timestamp_timestamptz(value: str) -> str:
    if not is_finite(value):
        return value
    return timestamp_stored(check_timestamp(instant_of(microseconds_of(value), session_zone())))


@function("timestamptz_timestamp", "timestamptz_at_local")
def timestamptz_timestamp(value: str) -> str:
    zone = session_zone()
    if zone is UTC_ZONE or not is_finite(value):
        return value
    return timestamp_stored(check_timestamp(local_of(microseconds_of(value), zone)))


@function("timestamp_scale", "timestamptz_scale")
def timestamp_scale(value: str, typmod: int) -> str:
    """The length coercion of timestamp(p) and timestamptz(p)."""
    if typmod < 0 or (len(value) <= 20 + typmod and value[0] < ":"):
        return value
    number = microseconds_of(value)
    return timestamp_stored(round_timestamp(number, typmod))


# time and timetz


def _add_time(time: int, interval: str, verb: str, factor: int) -> int:
    parts = interval_of(interval)
    if is_infinite(parts):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, f"cannot {verb} time")
    return (time + factor * parts[2]) % DAY


@function("time_pl_interval")
def time_pl_interval(value: str, interval: str) -> str:
    return time_stored(_add_time(time_of(value), interval, "add infinite interval to", 1))


@function("time_mi_interval")
def time_mi_interval(value: str, interval: str) -> str:
    return time_stored(_add_time(time_of(value), interval, "subtract infinite interval from", -1))


@function("timetz_pl_interval")
def timetz_pl_interval(value: str, interval: str) -> str:
    time, offset = timetz_of(value)
    return timetz_stored(_add_time(time, interval, "add infinite interval to", 1), offset)


@function("timetz_mi_interval")
def timetz_mi_interval(value: str, interval: str) -> str:
    time, offset = timetz_of(value)
    return timetz_stored(_add_time(time, interval, "subtract infinite interval from", -1), offset)


@function("time_mi_time")
def time_mi_time(left: str, right: str) -> str:
    return interval_stored((0, 0, time_of(left) - time_of(right)))


@function("time_scale")
def time_scale(value: str, typmod: int) -> str:
    return time_stored(round_time(time_of(value), typmod))


@function("timetz_scale")
def timetz_scale(value: str, typmod: int) -> str:
    time, offset = timetz_of(value)
    return timetz_stored(round_time(time, typmod), offset)


@function("time_timetz")
def time_timetz(value: str) -> str:
    """A time with the offset that the session's zone has today at that time."""
    julian, _time, _offset = current_local(runtime.settings)
    time = time_of(value)
    seconds = (julian - UNIX_EPOCH_JULIAN) * 86400 + time // SECOND
    return timetz_stored(time, session_zone().local_type(seconds)[0].offset)


@function("timetz_time")
def timetz_time(value: str) -> str:
    return time_stored(timetz_of(value)[0])


@function("timestamp_time")
def timestamp_time(value: str) -> str | None:
    return value.partition(" ")[2] or None  # infinity has no time: NULL


@function("timestamptz_time")
def timestamptz_time(value: str) -> str | None:
    return None if not is_finite(value) else time_stored(local_of(microseconds_of(value), session_zone()) % DAY)


@function("timestamptz_timetz")
def timestamptz_timetz(value: str) -> str | None:
    if not is_finite(value):
        return None
    number = microseconds_of(value)
    local = local_of(number, session_zone())
    return timetz_stored(local % DAY, (local - number) // SECOND)


# Distances of range types (rangetypes.c).


@function("daterange_subdiff")
def daterange_subdiff(left: str, right: str) -> float:
    return float(day_of(left) - day_of(right))


@function("tsrange_subdiff", "tstzrange_subdiff")
def tsrange_subdiff(left: str, right: str) -> float:
    return (float(microseconds_of(left)) - float(microseconds_of(right))) / 1e6

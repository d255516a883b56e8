"""The current time, and dates and times made of numbers.

now() and what the grammar calls SQLValueFunction (CURRENT_DATE, LOCALTIME(2) …) give the transaction's time; those are
registered as sqlvalue_current_date and so on, with the precision as an optional argument.
"""

from __future__ import annotations

import math
import time as clock

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import session_zone
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.calendar import (
    DAY,
    HOUR,
    MINUTE,
    MONTHS,
    SECOND,
    UNIX_EPOCH_SECONDS,
    WEEKDAYS,
    date_of_day,
    day_number,
    days_in_month,
    is_valid_julian,
    weekday,
)  # fmt: skip
from translator.types.date import check_date
from translator.types.datetime_fields import decode_zone
from translator.types.datetime_stored import date_stored, time_stored, timestamp_stored
from translator.types.datetime_words import BadInput
from translator.types.time import round_time, timetz_stored
from translator.types.timestamp import check_timestamp, instant_of, local_of, round_timestamp
from translator.types.timezone_names import local_abbreviation_type, resolve_zone_name
from translator.types.timezones import Zone

_UNIX_EPOCH = UNIX_EPOCH_SECONDS * SECOND


def _transaction_time() -> int:
    """Microseconds since 2000-01-01 UTC."""
    return runtime.transaction_timestamp - _UNIX_EPOCH


@function("now", deterministic=False)
def now() -> str:
    return timestamp_stored(_transaction_time())


@function("statement_timestamp", deterministic=False)
def statement_timestamp() -> str:
    return timestamp_stored(runtime.statement_timestamp - _UNIX_EPOCH)


@function("clock_timestamp", deterministic=False)
def clock_timestamp() -> str:
    return timestamp_stored(clock.time_ns() // 1000 - _UNIX_EPOCH)


@function("timeofday", deterministic=False)
def timeofday() -> str:
    number = clock.time_ns() // 1000 - _UNIX_EPOCH
    type = session_zone().at(number // SECOND + UNIX_EPOCH_SECONDS)
    day, time = divmod(number + type.offset * SECOND, DAY)
    year, month, day_of_month = date_of_day(day)
    second, fraction = divmod(time, SECOND)
    return (
        f"{WEEKDAYS[weekday(day)][:3]} {MONTHS[month - 1][:3]} {day_of_month:02d} "
        f"{time_stored(second * SECOND)}.{fraction:06d} {year} {type.abbreviation}"
    )


def _local_now() -> tuple[int, int]:
    """The transaction's local time, and the offset in seconds east."""
    number = _transaction_time()
    local = local_of(number, session_zone())
    return local, (local - number) // SECOND


@function("sqlvalue_current_date", deterministic=False)
def current_date() -> str:
    return date_stored(_local_now()[0] // DAY)


@function("sqlvalue_current_time", deterministic=False)
def current_time(precision: int = -1) -> str:
    local, offset = _local_now()
    return timetz_stored(round_time(local % DAY, precision), offset)


@function("sqlvalue_current_timestamp", deterministic=False)
def current_timestamp(precision: int = -1) -> str:
    return timestamp_stored(round_timestamp(_transaction_time(), precision))


@function("sqlvalue_localtime", deterministic=False)
def localtime(precision: int = -1) -> str:
    return time_stored(round_time(_local_now()[0] % DAY, precision))


@function("sqlvalue_localtimestamp", deterministic=False)
def localtimestamp(precision: int = -1) -> str:
    return timestamp_stored(round_timestamp(_local_now()[0], precision))


# Made of numbers


def _day(year: int, month: int, day: int, shown_year: int) -> int:
    """A day number; negative years are BC. `shown_year` is the year of the error's text."""
    astronomical = year + 1 if year < 0 else year
    text = f"{shown_year}-{month:02d}-{day:02d}"
    valid = year not in {0, -(2**31)} and 1 <= month <= 12 and 1 <= day <= days_in_month(astronomical, month)
    if not valid:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, f"date field value out of range: {text}")
    if not is_valid_julian(astronomical, month):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, f"date out of range: {text}")
    return day_number(astronomical, month, day)


@function("make_date")
def make_date(year: int, month: int, day: int) -> str:
    shown_year = year + 1 if -(2**31) < year < 0 else year  # PostgreSQL has changed it by then
    number = _day(year, month, day, shown_year)
    return date_stored(check_date(number, f"date out of range: {shown_year}-{month:02d}-{day:02d}"))


def _time(hour: int, minute: int, seconds: float | str) -> int:
    """Microseconds since midnight, if hour, minute and seconds are a time of day (float_time_overflows)."""
    number = float(seconds)
    if 0 <= hour <= 24 and 0 <= minute <= 59 and not math.isnan(number):
        rounded = round(number * 1_000_000) if math.isfinite(number) else -1
        time = hour * HOUR + minute * MINUTE + rounded
        if 0 <= rounded <= 60 * SECOND and time <= DAY:
            return time
    raise SqlError(codes.DATETIME_FIELD_OVERFLOW, f"time field value out of range: {hour}:{minute:02d}:{_seconds_text(number)}")


def _seconds_text(seconds: float) -> str:
    """%02g of PostgreSQL's snprintf."""
    if math.isfinite(seconds):
        return f"{seconds:02g}"
    return "NaN" if math.isnan(seconds) else "Infinity" if seconds > 0 else "-Infinity"


@function("make_time")
def make_time(hour: int, minute: int, seconds: float | str) -> str:
    return time_stored(_time(hour, minute, seconds))


def _timestamp(year: int, month: int, day: int, hour: int, minute: int, seconds: float | str) -> int:
    """make_timestamp_internal."""
    number = _day(year, month, day, year)
    message = f"timestamp out of range: {year}-{month:02d}-{day:02d} {hour}:{minute:02d}:{_seconds_text(float(seconds))}"
    return check_timestamp(number * DAY + _time(hour, minute, seconds), message)


@function("make_timestamp")
def make_timestamp(year: int, month: int, day: int, hour: int, minute: int, seconds: float | str) -> str:
    return timestamp_stored(_timestamp(year, month, day, hour, minute, seconds))


@function("make_timestamptz")
def make_timestamptz(year: int, month: int, day: int, hour: int, minute: int, seconds: float | str) -> str:
    local = _timestamp(year, month, day, hour, minute, seconds)
    return timestamp_stored(check_timestamp(instant_of(local, session_zone())))


@function("make_timestamptz_at_timezone")
def make_timestamptz_at_timezone(
    year: int, month: int, day: int, hour: int, minute: int, seconds: float | str, zone: str
) -> str:
    local = _timestamp(year, month, day, hour, minute, seconds)
    offset = _parse_sane_timezone(zone, local // SECOND + UNIX_EPOCH_SECONDS)
    return timestamp_stored(check_timestamp(local - offset * SECOND))


def _parse_sane_timezone(zone: str, local: int) -> int:
    """The offset of a zone by name or by number; a number needs its sign, since POSIX means the opposite by it."""
    if zone[:1].isdigit():
        raise SqlError(
            codes.INVALID_PARAMETER_VALUE,
            f'invalid input syntax for type numeric time zone: "{zone}"',
            hint='Numeric time zones must have "-" or "+" as first character.',
        )
    try:
        return decode_zone(zone)
    except BadInput as error:
        if error.args[0] == BadInput.ZONE_OVERFLOW:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, f'numeric time zone "{zone}" out of range') from None
    found = resolve_zone_name(zone, runtime.settings)
    if isinstance(found, Zone):
        return found.local_offset(local)
    return found.offset if found.zone is None else local_abbreviation_type(found.zone, zone, local).offset


@function("float8_timestamptz")
def float8_timestamptz(seconds: float | str) -> str:
    """to_timestamp(double precision): seconds since 1970."""
    number = float(seconds)
    if math.isnan(number):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "timestamp cannot be NaN")
    if math.isinf(number):
        return "infinity" if number > 0 else "-infinity"
    message = f'timestamp out of range: "{number:g}"'
    if not -210866803200.0 <= number < 9224318016000.0:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
    return timestamp_stored(check_timestamp(round((number - UNIX_EPOCH_SECONDS) * 1e6), message))

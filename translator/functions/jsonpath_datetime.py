"""Dates and times in SQL/JSON paths: .datetime(), .date(), .time(), .time_tz(), .timestamp(), .timestamp_tz().

A `Moment` is an item of a path that is no JSON value (jbvDatetime): its type, its value as PostgreSQL counts it, and for
the two types with a zone the offset that it was written with, in which it is printed. It becomes an ISO 8601 string where
it leaves the path. What depends on the session's time zone is allowed in the _tz functions only.

jsonpath_exec.c: executeDateTimeMethod, compareDatetime. Templates are read in SQL's standard mode (parse_datetime).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import session_zone, time_timetz
from translator.functions.datetime_from_char import convert_standard, local_microseconds
from translator.functions.datetime_pattern import parse_standard_pattern, pattern_fields
from translator.types.calendar import DAY, SECOND
from translator.types.datetime_print import date_text, offset_text, timestamp_text
from translator.types.datetime_stored import date_stored, day_of, microseconds_of, time_of, time_stored, timestamp_stored
from translator.types.time import round_time, timetz_of, timetz_stored
from translator.types.timestamp import check_timestamp, instant_of, local_of, round_timestamp

DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ = "date", "time", "timetz", "timestamp", "timestamptz"
_TYPE_NAMES = {
    DATE: "date",
    TIME: "time without time zone",
    TIMETZ: "time with time zone",
    TIMESTAMP: "timestamp without time zone",
    TIMESTAMPTZ: "timestamp with time zone",
}
OIDS = {DATE: 1082, TIME: 1083, TIMETZ: 1266, TIMESTAMP: 1114, TIMESTAMPTZ: 1184}
# What a method makes, and of what; the others are not recognized.
TARGETS = {
    "date": (DATE, {DATE, TIMESTAMP, TIMESTAMPTZ}),
    "time": (TIME, {TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ}),
    "time_tz": (TIMETZ, {TIME, TIMETZ, TIMESTAMPTZ}),
    "timestamp": (TIMESTAMP, {DATE, TIMESTAMP, TIMESTAMPTZ}),
    "timestamp_tz": (TIMESTAMPTZ, {DATE, TIMESTAMP, TIMESTAMPTZ}),
}
_TIMES = ("HH24:MI:SS.US", "HH24:MI:SS")
_DATES = ("yyyy-mm-dd ", 'yyyy-mm-dd"T"')
# The templates that are tried where none is given, in PostgreSQL's order.
_TEMPLATES = (
    "yyyy-mm-dd",
    *(f"{time}TZ" for time in _TIMES),
    *_TIMES,
    *(f"{date}{time}TZ" for date in _DATES for time in _TIMES),
    *(f"{date}{time}" for date in _DATES for time in _TIMES),
)
_MAX_PRECISION = 6
_INT_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Moment:
    """`value`: a date in days, a time, timestamp or timestamptz in microseconds; `offset` in seconds east."""

    kind: str
    value: int
    offset: int = 0

    @property
    def type_name(self) -> str:
        return _TYPE_NAMES[self.kind]

    def stored(self) -> tuple[int, str]:
        """The type's OID and the stored value."""
        match self.kind:
            case "date":
                return OIDS[DATE], date_stored(self.value)
            case "time":
                return OIDS[TIME], time_stored(self.value)
            case "timetz":
                return OIDS[TIMETZ], timetz_stored(self.value, self.offset)
        return OIDS[self.kind], timestamp_stored(self.value)

    def text(self) -> str:
        """JsonEncodeDateTime."""
        match self.kind:
            case "date":
                return date_text(self.value, "ISO", "MDY")
            case "time":
                return time_stored(self.value)
            case "timetz":
                return time_stored(self.value) + offset_text(self.offset, "XSD")
            case "timestamp":
                return timestamp_text(self.value, "ISO", "MDY", separator="T")
        local = self.value + self.offset * SECOND
        return timestamp_text(local, "ISO", "MDY", offset_text(self.offset, "XSD"), separator="T")


def moment_of(oid: int, stored: str) -> Moment | None:
    """A stored date or time as an item; None for other types."""
    if oid == OIDS[DATE]:
        return Moment(DATE, day_of(stored))
    if oid == OIDS[TIME]:
        return Moment(TIME, time_of(stored))
    if oid == OIDS[TIMETZ]:
        return Moment(TIMETZ, *timetz_of(stored))
    if oid == OIDS[TIMESTAMP]:
        return Moment(TIMESTAMP, microseconds_of(stored))
    if oid != OIDS[TIMESTAMPTZ]:
        return None
    number = microseconds_of(stored)
    return Moment(TIMESTAMPTZ, number, (local_of(number, session_zone()) - number) // SECOND)


def moment(method: str, text: str, arguments: tuple[Any, ...], *, zoned: bool) -> Moment:
    """What a method makes of a string. `zoned`: conversions may use the session's time zone."""
    if method == "datetime" and arguments:
        return parse_datetime(text, str(arguments[0]))
    precision = _precision(method, arguments)
    found = _recognized(text)
    if found is None or (method != "datetime" and found.kind not in TARGETS[method][1]):
        hint = "Use a datetime template argument to specify the input data format." if method == "datetime" else None
        message = f'{method} format is not recognized: "{text}"'
        raise SqlError(codes.INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION, message, hint=hint)
    if method == "datetime":
        return found
    made = _cast(found, TARGETS[method][0], zoned=zoned)
    if made.kind in {TIMESTAMP, TIMESTAMPTZ}:
        check_timestamp(made.value, "date out of range for timestamp")
    return _rounded(made, precision)


def _precision(method: str, arguments: tuple[Any, ...]) -> int:
    if not arguments:
        return -1
    if not -_INT_LIMIT <= arguments[0] < _INT_LIMIT:
        raise SqlError(
            codes.INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
            f"time precision of jsonpath item method .{method}() is out of range for type integer",
        )
    return min(int(arguments[0]), _MAX_PRECISION)


def _rounded(found: Moment, precision: int) -> Moment:
    if precision < 0 or found.kind == DATE:
        return found
    if found.kind in {TIME, TIMETZ}:
        return replace(found, value=round_time(found.value, precision))
    return replace(found, value=round_timestamp(found.value, precision))


@lru_cache(maxsize=256)
def _recognized(text: str) -> Moment | None:
    for template in _TEMPLATES:
        try:
            return parse_datetime(text, template)
        except SqlError:
            continue
    return None


def parse_datetime(text: str, template: str) -> Moment:
    """What a text is by a template in standard mode; which keywords are in the template decides the type."""
    dated, timed, zoned = pattern_fields(parse_standard_pattern(template))
    fields, found = convert_standard(text, template)
    precision = found.precision or -1
    if not timed:
        if not dated:
            raise SqlError(codes.INVALID_DATETIME_FORMAT, "datetime format is not dated and not timed")
        if zoned:
            raise SqlError(codes.INVALID_DATETIME_FORMAT, "datetime format is zoned but not timed")
        return Moment(DATE, local_microseconds(fields, f'date out of range: "{text}"') // DAY)
    if not dated:
        value = round_time(fields.microseconds(), precision)
        return Moment(TIMETZ, value, found.offset) if zoned else Moment(TIME, value)
    name = TIMESTAMPTZ if zoned else TIMESTAMP
    number = local_microseconds(fields, f"{name} out of range") - (found.offset * SECOND if zoned else 0)
    number = round_timestamp(check_timestamp(number, f"{name} out of range"), precision)
    return Moment(name, number, found.offset if zoned else 0)


def _cast(found: Moment, target: str, *, zoned: bool) -> Moment:
    """The value as one of another type."""
    kind, value = found.kind, found.value
    if kind == target:
        return found
    if (target in {TIMETZ, TIMESTAMPTZ}) != (kind in {TIMETZ, TIMESTAMPTZ}):
        require_zone(kind, target, zoned=zoned)
    zone = session_zone()
    if kind == TIMESTAMPTZ:
        offset = (local_of(value, zone) - value) // SECOND
        value += offset * SECOND
    elif kind == DATE:
        value *= DAY
    match target:
        case "date":
            return Moment(DATE, value // DAY)
        case "time":
            return Moment(TIME, value % DAY if kind in {TIMESTAMP, TIMESTAMPTZ} else value)
        case "timetz" if kind == TIMESTAMPTZ:
            return Moment(TIMETZ, value % DAY, offset)
        case "timetz":
            return Moment(TIMETZ, *timetz_of(time_timetz(time_stored(value))))
        case "timestamp":
            return Moment(TIMESTAMP, value)
    instant = instant_of(value, zone)
    return Moment(TIMESTAMPTZ, instant, (value - instant) // SECOND)


def require_zone(source: str, target: str, *, zoned: bool) -> None:
    """checkTimezoneIsUsedForCast: this error is never suppressed."""
    if not zoned:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            f"cannot convert value from {source} to {target} without time zone usage",
            hint="Use *_tz() function for time zone support.",
        )


def compare_moments(left: Moment, right: Moment, *, zoned: bool) -> int | None:
    """Less than 0, 0 or more, as left is to right; None if the types cannot be compared."""
    dates = {DATE, TIMESTAMP, TIMESTAMPTZ}
    if (left.kind in dates) != (right.kind in dates):
        return None
    if left.kind != right.kind:
        ranks = [TIME, TIMETZ, DATE, TIMESTAMP, TIMESTAMPTZ]
        target = max(left.kind, right.kind, key=ranks.index)
        left, right = (_cast(side, target, zoned=zoned) for side in (left, right))
    if left.kind == TIMETZ:  # by the instant, then by the zone (timetz_cmp_internal)
        keys = [(side.value - side.offset * SECOND, -side.offset) for side in (left, right)]
        return (keys[0] > keys[1]) - (keys[0] < keys[1])
    return (left.value > right.value) - (left.value < right.value)

"""interval: months, days and microseconds, stored as PostgreSQL prints it with IntervalStyle postgres.

The text is canonical (equal parts give equal text), so a cache of the last few thousand texts makes reading it a look-up.
Equality and order are those of the span, with months of 30 days and days of 24 hours: '1 day' = '24:00:00'. `interval_key`
gives it as text of fixed width, since a span may exceed 64 bits.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.settings import Settings
from translator.types.base import Stored, Type
from translator.types.calendar import DAY, HOUR, MINUTE, SECOND, truncated_division
from translator.types.date import unpack
from translator.types.datetime_words import BadInput
from translator.types.interval_parse import (
    FULL_RANGE,
    MASK_DAY,
    MASK_HOUR,
    MASK_MINUTE,
    MASK_MONTH,
    MASK_SECOND,
    MASK_YEAR,
    parse_interval,
)  # fmt: skip
from translator.types.interval_print import interval_text
from translator.types.registry import register

Interval = tuple[int, int, int]  # months, days, microseconds

INFINITY: Interval = (2**31 - 1, 2**31 - 1, 2**63 - 1)
MINUS_INFINITY: Interval = (-(2**31), -(2**31), -(2**63))

_FULL_PRECISION = 0xFFFF
_INT32 = 2**31
_INT64 = 2**63
_BINARY = struct.Struct(">qii")
_KEY_BIAS = 1 << 79  # beyond the longest span, which is below 2**73
_STORED = re.compile(
    r"(?:([+-]?\d+) years?)? ?(?:([+-]?\d+) mons?)? ?(?:([+-]?\d+) days?)? ?(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?"
)

_RANGE_NAMES = {
    MASK_YEAR: " year",
    MASK_MONTH: " month",
    MASK_DAY: " day",
    MASK_HOUR: " hour",
    MASK_MINUTE: " minute",
    MASK_SECOND: " second",
    MASK_YEAR | MASK_MONTH: " year to month",
    MASK_DAY | MASK_HOUR: " day to hour",
    MASK_DAY | MASK_HOUR | MASK_MINUTE: " day to minute",
    MASK_DAY | MASK_HOUR | MASK_MINUTE | MASK_SECOND: " day to second",
    MASK_HOUR | MASK_MINUTE: " hour to minute",
    MASK_HOUR | MASK_MINUTE | MASK_SECOND: " hour to second",
    MASK_MINUTE | MASK_SECOND: " minute to second",
    FULL_RANGE: "",
}


@lru_cache(maxsize=8192)
def interval_of(stored: str) -> Interval:
    """The parts of a stored interval."""
    if stored == "infinity":
        return INFINITY
    if stored == "-infinity":
        return MINUS_INFINITY
    match = _STORED.fullmatch(stored)
    assert match is not None, stored
    years, months, days, sign, hours, minutes, seconds, fraction = match.groups()
    time = 0
    if hours is not None:
        time = int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND + int((fraction or "").ljust(6, "0"))
    return int(years or 0) * 12 + int(months or 0), int(days or 0), -time if sign == "-" else time


@lru_cache(maxsize=8192)
def _stored(months: int, days: int, microseconds: int) -> str:
    return interval_text(months, days, microseconds, "postgres")


def interval_stored(value: Interval) -> str:
    """The stored form of months, days and microseconds."""
    if value == INFINITY:
        return "infinity"
    if value == MINUS_INFINITY:
        return "-infinity"
    return _stored(*value)


def is_infinite(value: Interval) -> bool:
    """Whether an interval is infinity or -infinity."""
    return value in {INFINITY, MINUS_INFINITY}


def check_interval(months: int, days: int, microseconds: int) -> Interval:
    """The interval if its parts fit and do not happen to be an infinity; SqlError 22008 otherwise."""
    value = (months, days, microseconds)
    fits = -_INT32 <= months < _INT32 and -_INT32 <= days < _INT32 and -_INT64 <= microseconds < _INT64
    if not fits or is_infinite(value):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "interval out of range")
    return value


def interval_span(value: Interval) -> int:
    """interval_cmp_value: microseconds, with months of 30 days of 24 hours."""
    return (value[0] * 30 + value[1]) * DAY + value[2]


@lru_cache(maxsize=8192)
def interval_key(stored: str) -> str:
    """Text that sorts, and is equal, as PostgreSQL's intervals are."""
    return f"{interval_span(interval_of(stored)) + _KEY_BIAS:020x}"


def adjust_interval(value: Interval, typmod: int) -> Interval:
    """AdjustIntervalForTypmod: cut off what is right of the range's last field, round the fraction of the seconds."""
    if typmod < 0 or is_infinite(value):
        return value
    months, days, time = value
    match typmod >> 16 & FULL_RANGE:
        case 4:  # year
            return truncated_division(months, 12) * 12, 0, 0
        case 2 | 6:  # month, year to month
            return months, 0, 0
        case 8:  # day
            return months, days, 0
        case 0x400 | 0x408:  # [day to] hour
            return months, days, truncated_division(time, HOUR) * HOUR
        case 0x800 | 0xC00 | 0xC08:  # [[day to] hour to] minute
            return months, days, truncated_division(time, MINUTE) * MINUTE
    precision = typmod & _FULL_PRECISION
    if precision >= 6:
        return value
    return months, days, _round_time(time, 10 ** (6 - precision))


def _round_time(time: int, scale: int) -> int:
    moved = time + scale // 2 if time >= 0 else time - scale // 2
    if not -_INT64 <= moved < _INT64:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "interval out of range")
    return truncated_division(moved, scale) * scale


class IntervalType(Type):
    oid = 1186
    name = "interval"
    sqlite_type: ClassVar[str] = "TEXT"
    key: ClassVar[str | None] = "interval_key"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        fields_range = typmod >> 16 & FULL_RANGE if typmod >= 0 else FULL_RANGE
        return _input(text, settings.interval_style == "sql_standard", fields_range, typmod)

    def output(self, value: Stored, settings: Settings) -> str:
        assert isinstance(value, str)
        if settings.interval_style == "postgres" or value in {"infinity", "-infinity"}:
            return value
        return interval_text(*interval_of(value), settings.interval_style)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        time, days, months = unpack(_BINARY, data)
        return interval_stored(adjust_interval((months, days, time), typmod))

    def send(self, value: Stored, settings: Settings) -> bytes:
        assert isinstance(value, str)
        months, days, time = interval_of(value)
        return _BINARY.pack(time, days, months)

    def typmod_in(self, modifiers: list[str]) -> int:
        """intervaltypmodin: the range of fields (an INTERVAL_MASK), and a precision. The range is the high half."""
        values = [int(modifier) for modifier in modifiers]
        if not 1 <= len(values) <= 2:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier")
        if values[0] not in _RANGE_NAMES:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier")
        if len(values) == 1:
            return -1 if values[0] == FULL_RANGE else values[0] << 16 | _FULL_PRECISION
        if values[1] < 0:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, f"INTERVAL({values[1]}) precision must not be negative")
        return values[0] << 16 | min(values[1], 6)

    def typmod_out(self, typmod: int) -> str:
        if typmod < 0:
            return ""
        precision = typmod & _FULL_PRECISION
        fields = _RANGE_NAMES[typmod >> 16 & FULL_RANGE]
        return fields if precision == _FULL_PRECISION else f"{fields}({precision})"


@lru_cache(maxsize=1024)
def _input(text: str, sql_standard: bool, fields_range: int, typmod: int) -> str:
    """Intervals of a statement's text recur, and nothing else of the settings matters to them."""
    settings = Settings(interval_style="sql_standard" if sql_standard else "postgres")
    try:
        parsed = parse_interval(text, settings, fields_range)
    except BadInput as error:
        kind = BadInput.INTERVAL_OVERFLOW if error.args[0] == BadInput.OVERFLOW else error.args[0]
        raise BadInput(kind).report(text, "interval") from None
    if isinstance(parsed, str):
        return parsed
    return interval_stored(adjust_interval(parsed, typmod))


register(IntervalType())

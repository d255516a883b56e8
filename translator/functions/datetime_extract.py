"""extract and date_part: one field of a date, time, timestamp or interval.

Both know the same fields; extract gives numeric with a scale that the field fixes (seconds have six digits), date_part
float8. An infinite value gives infinity for fields that only grow (year, epoch …) and NULL for those that cycle
(NonFiniteTimestampTzPart in timestamp.c).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import session_zone
from translator.functions.numeric_arithmetic import numeric_add, numeric_div
from translator.functions.registry import function
from translator.types.calendar import (
    DAY,
    EPOCH_JULIAN,
    HOUR,
    MINUTE,
    SECOND,
    UNIX_EPOCH_SECONDS,
    date_of_day,
    day_number,
    iso_week_date,
    truncated_division,
    weekday,
)  # fmt: skip
from translator.types.datetime_stored import day_of, is_finite, microseconds_of, time_of
from translator.types.datetime_words import Word, date_word, unit_word
from translator.types.interval import interval_of
from translator.types.interval_print import break_down
from translator.types.time import timetz_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Rounded(NamedTuple):
    """What float8 does not have exactly: numeric text, and the sum that date_part makes in floating point."""

    exact: str
    approximate: float


Field = int | tuple[int, int] | str | Rounded  # a whole number; a number and its scale; numeric text

_GROWING = frozenset({"year", "decade", "century", "millennium", "julian", "isoyear", "epoch"})
_DATE_FIELDS = frozenset(
    {"day", "month", "quarter", "week", "year", "decade", "century", "millennium", "julian", "isoyear", "dow", "isodow", "doy"}
)
_TIME_FIELDS = frozenset({"microsecond", "millisecond", "second", "minute", "hour"})
_ZONE_FIELDS = frozenset({"timezone", "timezone_hour", "timezone_minute"})
_INTERVAL_FIELDS = _TIME_FIELDS | {"day", "week", "month", "quarter", "year", "decade", "century", "millennium", "epoch"}
_INTERVAL_GROWING = frozenset({"hour", "day", "year", "decade", "century", "millennium", "epoch"})

_DATE, _TIME, _TIMETZ = "date", "time without time zone", "time with time zone"
_TIMESTAMP, _TIMESTAMPTZ = "timestamp without time zone", "timestamp with time zone"

_ALLOWED = {
    _DATE: _DATE_FIELDS | {"epoch"},
    _TIME: _TIME_FIELDS | {"epoch"},
    _TIMETZ: _TIME_FIELDS | _ZONE_FIELDS | {"epoch"},
    _TIMESTAMP: _DATE_FIELDS | _TIME_FIELDS | {"epoch"},
    _TIMESTAMPTZ: _DATE_FIELDS | _TIME_FIELDS | _ZONE_FIELDS | {"epoch"},
    "interval": _INTERVAL_FIELDS,
}


def downcase(word: str) -> str:
    """downcase_truncate_identifier, as far as it matters for words of this kind."""
    return "".join(character.lower() if character.isascii() else character for character in word)


def unit_error(word: str, type_name: str, known: bool) -> SqlError:
    """What is said of a unit that a type lacks, or that nobody knows."""
    if known:
        return SqlError(codes.FEATURE_NOT_SUPPORTED, f'unit "{word}" not supported for type {type_name}')
    return SqlError(codes.INVALID_PARAMETER_VALUE, f'unit "{word}" not recognized for type {type_name}')


@lru_cache(maxsize=256)
def _resolve_field(name: str, type_name: str, finite: bool = True) -> str:
    """The field that a name stands for, checked to be one of the type's."""
    word = downcase(name)
    kind, value = unit_word(word) or date_word(word) or (None, "")
    field = str(value)
    if field in _ALLOWED[type_name] and (kind is Word.UNIT or field == "epoch"):
        return field
    # Words such as "now" are units that a date lacks in the eyes of date.c and timestamp.c; a time does not know them.
    reserved = kind is Word.RESERVED and (type_name in {_DATE, _TIMESTAMP, _TIMESTAMPTZ} or not finite)
    raise unit_error(word, type_name, kind is Word.UNIT or reserved)


def _time_field(field: str, time: int) -> Field:
    """A field of microseconds since midnight (or of an interval's time)."""
    match field:
        case "hour":
            return truncated_division(time, HOUR)
        case "minute":
            return truncated_division(time, MINUTE) - truncated_division(time, HOUR) * 60
    in_minute = time - truncated_division(time, MINUTE) * MINUTE
    match field:
        case "microsecond":
            return in_minute
        case "millisecond":
            return Rounded(_decimal(in_minute, 3), _seconds(in_minute) * 1000.0 + _fraction(in_minute) / 1000.0)
    return Rounded(_decimal(in_minute, 6), _seconds(in_minute) + _fraction(in_minute) / 1000000.0)


def _seconds(in_minute: int) -> int:
    return truncated_division(in_minute, SECOND)


def _fraction(in_minute: int) -> int:
    return in_minute - truncated_division(in_minute, SECOND) * SECOND


def _year_field(field: str, year: int) -> Field:
    """Years before 1 count backwards, and there is no year, century or millennium 0."""
    match field:
        case "year":
            return year if year > 0 else year - 1
        case "decade":
            return year // 10
        case "century":
            return (year + 99) // 100 if year > 0 else -((99 - (year - 1)) // 100)
    return (year + 999) // 1000 if year > 0 else -((999 - (year - 1)) // 1000)


def _date_field(field: str, day: int) -> Field:
    """A field of a day number."""
    match field:
        case "julian":
            return day + EPOCH_JULIAN
        case "dow":
            return weekday(day)
        case "isodow":
            return weekday(day) or 7
    year, month, day_of_month = date_of_day(day)
    match field:
        case "day":
            return day_of_month
        case "month":
            return month
        case "quarter":
            return (month - 1) // 3 + 1
        case "doy":
            return day - day_number(year, 1, 1) + 1
        case "week":
            return iso_week_date(year, month, day_of_month)[1]
        case "isoyear":
            iso_year = iso_week_date(year, month, day_of_month)[0]
            return iso_year if iso_year > 0 else iso_year - 1
    return _year_field(field, year)


def _zone_field(field: str, offset: int) -> Field:
    match field:
        case "timezone_hour":
            return truncated_division(offset, 3600)
        case "timezone_minute":
            return truncated_division(offset, 60) - truncated_division(offset, 3600) * 60
    return offset


def _infinity(field: str, value: str, growing: frozenset[str]) -> str | None:
    if field not in growing:
        return None
    return "-Infinity" if value[0] == "-" else "Infinity"


def _date_part(name: str, value: str) -> Field | None:
    field = _resolve_field(name, _DATE)
    if not is_finite(value):
        return _infinity(field, value, _GROWING)
    day = day_of(value)
    return day * 86400 + UNIX_EPOCH_SECONDS if field == "epoch" else _date_field(field, day)


def _timestamp_field(field: str, local: int, instant: int) -> Field:
    if field in _TIME_FIELDS:
        return _time_field(field, local % DAY)
    if field == "epoch":
        return instant + UNIX_EPOCH_SECONDS * SECOND, 6
    day, time = divmod(local, DAY)
    if field == "julian":
        exact = numeric_add(str(day + EPOCH_JULIAN), numeric_div(str(time), str(DAY)))
        return Rounded(exact, day + EPOCH_JULIAN + (time // SECOND + time % SECOND / 1e6) / 86400)
    return _date_field(field, day)


# Where the field stands in the stored text of years 1 to 9999.
_PLACES = {"year": slice(4), "month": slice(5, 7), "day": slice(8, 10), "hour": slice(11, 13), "minute": slice(14, 16)}


def _timestamp_part(name: str, value: str) -> Field | None:
    if not is_finite(value):  # which may be asked for its time zone, too
        word = unit_word(downcase(name)) or (None, "")
        return None if word[1] in _ZONE_FIELDS else _infinity(_resolve_field(name, _TIMESTAMP), value, _GROWING)
    field = _resolve_field(name, _TIMESTAMP)
    if field in _PLACES and "/" < value[0] < ":":
        return int(value[_PLACES[field]])
    number = microseconds_of(value)
    return _timestamp_field(field, number, number)


def _timestamptz_part(name: str, value: str) -> Field | None:
    field = _resolve_field(name, _TIMESTAMPTZ)
    if not is_finite(value):
        return _infinity(field, value, _GROWING)
    number = microseconds_of(value)
    offset = session_zone().at(number // SECOND + UNIX_EPOCH_SECONDS).offset
    if field in _ZONE_FIELDS:
        return _zone_field(field, offset)
    return _timestamp_field(field, number + offset * SECOND, number)


def _time_part(name: str, value: str) -> Field | None:
    field = _resolve_field(name, _TIME)
    time = time_of(value)
    return (time, 6) if field == "epoch" else _time_field(field, time)


def _timetz_part(name: str, value: str) -> Field | None:
    field = _resolve_field(name, _TIMETZ)
    time, offset = timetz_of(value)
    if field == "epoch":
        return Rounded(_decimal(time - offset * SECOND, 6), time / 1e6 - offset)
    return _zone_field(field, offset) if field in _ZONE_FIELDS else _time_field(field, time)


def _interval_part(name: str, value: str) -> Field | None:
    finite = is_finite(value)
    field = _resolve_field(name, "interval", finite)
    if not finite:
        return _infinity(field, value, _INTERVAL_GROWING)
    months, days, time = interval_of(value)
    if field in _TIME_FIELDS:
        return _time_field(field, time)
    parts = break_down(months, days, time)
    match field:
        case "epoch":
            quarters_of_day = 1461 * parts.years + 120 * parts.months + 4 * days  # a year is 365.25 days
            approximate = time / 1e6 + 365.25 * 86400 * parts.years + 30.0 * 86400 * parts.months + 86400.0 * days
            return Rounded(_decimal(time + quarters_of_day * 21600 * SECOND, 6), approximate)
        case "day":
            return days
        case "week":
            return truncated_division(days, 7)
        case "month":
            return parts.months
        case "quarter":  # of a negative interval: the negative of the positive one's
            return parts.months // 3 + 1 if months >= 0 else -(-months % 12 // 3 + 1)
    return truncated_division(parts.years, {"year": 1, "decade": 10, "century": 100, "millennium": 1000}[field])


def _decimal(number: int, scale: int) -> str:
    """A number of 10**-scale as numeric text."""
    whole, fraction = divmod(abs(number), 10**scale)
    return f"{'-' if number < 0 else ''}{whole}.{fraction:0{scale}d}"


def _numeric(value: Field | None) -> str | None:
    """The field as numeric."""
    match value:
        case None:
            return None
        case Rounded():
            return value.exact
        case (number, scale):
            return _decimal(number, scale)
    return str(value)


def _float(value: Field | None) -> float | None:
    """The field as float8."""
    match value:
        case None:
            return None
        case Rounded():
            return value.approximate
        case (number, scale):
            return float(number) / 10.0**scale
    return float(value)


def _declare(extract: str, date_part: str | None, part: Callable[[str, str], Field | None]) -> None:
    function(extract)(lambda name, value: _numeric(part(name, value)))
    if date_part is not None:  # date_part(text, date) is an SQL function over timestamp's
        function(date_part)(lambda name, value: _float(part(name, value)))


_declare("extract_date", None, _date_part)
_declare("extract_time", "time_part", _time_part)
_declare("extract_timetz", "timetz_part", _timetz_part)
_declare("extract_timestamp", "timestamp_part", _timestamp_part)
_declare("extract_timestamptz", "timestamptz_part", _timestamptz_part)
_declare("extract_interval", "interval_part", _interval_part)

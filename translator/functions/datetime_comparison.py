"""Comparison of dates, times, timestamps and intervals.

Dates, times and timestamps compare as text (types/datetime_stored). A date is compared with a timestamp by appending its
midnight, which works for every date, also those that no timestamp reaches. What involves timestamptz and another type
goes through the session's time zone. timetz and interval compare by their keys.
"""

from __future__ import annotations

from typing import Any

from translator.functions.registry import function, template
from translator.settings import runtime
from translator.types.calendar import DAY
from translator.types.datetime_stored import day_of, is_finite, microseconds_of, timestamp_stored
from translator.types.interval import interval_key
from translator.types.time import timetz_key
from translator.types.timestamp import instant_of
from translator.types.timezones import zone_of

_OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

# 'infinity' has no midnight.
_MIDNIGHT = "replace({} || ' 00:00:00', 'infinity 00:00:00', 'infinity')"


@function("timestamp_as_timestamptz")
def timestamp_as_timestamptz(value: str) -> str:
    """A timestamp as the session reads it; unlike the cast it does not mind a result that is out of range."""
    if not is_finite(value):
        return value
    return timestamp_stored(instant_of(microseconds_of(value), zone_of(runtime.settings)))


@function("date_as_timestamptz")
def date_as_timestamptz(value: str) -> str:
    """The midnight of a date as the session reads it, whether or not there is such a timestamptz."""
    if not is_finite(value):
        return value
    return timestamp_stored(instant_of(day_of(value) * DAY, zone_of(runtime.settings)))


function("timetz_key")(timetz_key)
function("interval_key")(interval_key)

# Function name: prefix, then eq … ge or cmp, then suffix. The forms are what is compared.
_FORMS = (
    ("date_", "", "$1", "$2"),
    ("time_", "", "$1", "$2"),
    ("timestamp_", "", "$1", "$2"),  # of timestamptz, too
    ("timetz_", "", "pg_timetz_key($1)", "pg_timetz_key($2)"),
    ("interval_", "", "pg_interval_key($1)", "pg_interval_key($2)"),
    ("date_", "_timestamp", _MIDNIGHT.format("$1"), "$2"),
    ("timestamp_", "_date", "$1", _MIDNIGHT.format("$2")),
    ("date_", "_timestamptz", "pg_date_as_timestamptz($1)", "$2"),
    ("timestamptz_", "_date", "$1", "pg_date_as_timestamptz($2)"),
    ("timestamp_", "_timestamptz", "pg_timestamp_as_timestamptz($1)", "$2"),
    ("timestamptz_", "_timestamp", "$1", "pg_timestamp_as_timestamptz($2)"),
)

for _prefix, _suffix, _left, _right in _FORMS:
    for _name, _operator in _OPERATORS.items():
        template(f"{_prefix}{_name}{_suffix}", f"{_left} {_operator} {_right}")
    template(f"{_prefix}cmp{_suffix}", f"({_left} > {_right}) - ({_left} < {_right})")

for _type in ("date", "time", "timestamp"):
    template(f"{_type}_larger", "max($1, $2)")
    template(f"{_type}_smaller", "min($1, $2)")


@function("timetz_larger")
def timetz_larger(left: str, right: str) -> str:
    return left if timetz_key(left) > timetz_key(right) else right


@function("timetz_smaller")
def timetz_smaller(left: str, right: str) -> str:
    return left if timetz_key(left) < timetz_key(right) else right


@function("interval_larger")
def interval_larger(left: str, right: str) -> str:
    return left if interval_key(left) > interval_key(right) else right


@function("interval_smaller")
def interval_smaller(left: str, right: str) -> str:
    return left if interval_key(left) < interval_key(right) else right


template("date_finite", "$1 NOT IN ('infinity', '-infinity')")
template("timestamp_finite", "$1 NOT IN ('infinity', '-infinity')")
template("interval_finite", "$1 NOT IN ('infinity', '-infinity')")


@function("overlaps_timestamp", "overlaps_time", strict=False)
def overlaps(start1: str | None, end1: str | None, start2: str | None, end2: str | None) -> bool | None:
    """OVERLAPS over values that compare as they are stored."""
    return _overlaps(start1, end1, start2, end2)


@function("overlaps_timetz", strict=False)
def overlaps_timetz(start1: str | None, end1: str | None, start2: str | None, end2: str | None) -> bool | None:
    keys = [None if value is None else timetz_key(value) for value in (start1, end1, start2, end2)]
    return _overlaps(*keys)


def _overlaps(start1: Any, end1: Any, start2: Any, end2: Any) -> bool | None:
    """overlaps_timestamp: the end points of a period come in any order, and one of them may be unknown."""
    first, second = _period(start1, end1), _period(start2, end2)
    if first is None or second is None:
        return None
    if first[0] < second[0]:
        first, second = second, first
    elif first[0] == second[0]:
        return None if first[1] is None or second[1] is None else True
    # `first` begins later: they overlap if the other one has not ended by then.
    if second[1] is None:
        return None
    if first[0] < second[1]:
        return True
    return None if first[1] is None else False


def _period(start: Any, end: Any) -> tuple[Any, Any] | None:
    if start is None:
        return None if end is None else (end, None)
    if end is not None and start > end:
        return end, start
    return start, end

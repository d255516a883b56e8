"""SET timezone: the zone that a setting's text stands for (check_timezone in PostgreSQL's variable.c).

The text is a name, a POSIX specification, a number of hours east of Greenwich, or INTERVAL '…' as SET TIME ZONE INTERVAL
becomes in the parser. LOCAL and DEFAULT are for SET to resolve.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types import floating
from translator.types.calendar import SECOND, UNIX_EPOCH_SECONDS
from translator.types.datetime_words import BadInput
from translator.types.interval_parse import FULL_RANGE, parse_interval
from translator.types.timezones import Zone, find_zone, fixed_zone

if TYPE_CHECKING:
    from translator.settings import Settings

_LONGEST_OFFSET = 168 * 3600  # getsecs in localtime.c takes 167 hours
_INTERVAL = re.compile(r"interval\s*'(.*)'\s*", re.IGNORECASE | re.DOTALL)


def zone_of_setting(text: str, settings: Settings) -> Zone:
    """The zone; its `name` is what SHOW timezone prints. Raises 22023."""
    if text[:8].lower() == "interval":
        match = _INTERVAL.fullmatch(text)
        if match is None:
            raise _invalid(text)
        return _offset_zone(text, _interval_seconds(text, match[1], settings))
    hours = _hours(text)
    if hours is None:
        return _named_zone(text)
    return _offset_zone(text, int(hours * 3600) if abs(hours) < _LONGEST_OFFSET else _LONGEST_OFFSET)


def _hours(text: str) -> float | None:
    """What strtod makes of the text; None unless it takes all of it."""
    if text != text.rstrip():
        return None
    try:
        return floating.load(floating.parse(text, "double precision"))
    except SqlError:
        return None


def _invalid(text: str, detail: str | None = None) -> SqlError:
    return SqlError(codes.INVALID_PARAMETER_VALUE, f'invalid value for parameter "TimeZone": "{text}"', detail=detail)


def _named_zone(text: str) -> Zone:
    zone = find_zone(text)
    if zone is None:
        raise _invalid(text)
    if zone.at(UNIX_EPOCH_SECONDS).offset % 60:  # pg_tz_acceptable, which means zone files with leap seconds by it
        raise SqlError(
            codes.INVALID_PARAMETER_VALUE,
            f'time zone "{text}" appears to use leap seconds',
            detail="PostgreSQL does not support leap seconds.",
        )
    return zone


def _offset_zone(text: str, seconds: int) -> Zone:
    if abs(seconds) >= _LONGEST_OFFSET:
        raise _invalid(text, "UTC timezone offset is out of range.")
    return fixed_zone(seconds)


def _interval_seconds(text: str, interval: str, settings: Settings) -> int:
    try:
        parsed = parse_interval(interval, settings, FULL_RANGE)
    except BadInput as error:
        raise error.report(interval, "interval") from None
    if isinstance(parsed, str):
        raise _invalid(text, "Cannot specify months in time zone interval.")  # of which infinity is full
    months, days, time = parsed
    if months:
        raise _invalid(text, "Cannot specify months in time zone interval.")
    if days:
        raise _invalid(text, "Cannot specify days in time zone interval.")
    return int(time / SECOND)

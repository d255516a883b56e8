"""AT TIME ZONE, arithmetic in a named zone, and the views of time zones.

A zone is given by name, abbreviation or interval. An abbreviation whose meaning has changed is asked for the moment in
question (manual, "Time Zones").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import add_interval, session_zone
from translator.functions.interval import negate
from translator.functions.registry import function, rows
from translator.settings import runtime
from translator.types.calendar import DAY, SECOND, UNIX_EPOCH_SECONDS, truncated_division
from translator.types.datetime_stored import is_finite, microseconds_of, timestamp_stored
from translator.types.interval import interval_of, interval_stored, is_infinite
from translator.types.time import timetz_of, timetz_stored
from translator.types.timestamp import check_timestamp
from translator.types.timezone_abbreviations import DYNAMIC_ZONES, STANDARD_OFFSETS, SUMMER_OFFSETS
from translator.types.timezone_names import dynamic_zone, local_abbreviation_type, resolve_zone, resolve_zone_name
from translator.types.timezone_posix import TimeType
from translator.types.timezones import Zone, find_zone, zone_names

if TYPE_CHECKING:
    from collections.abc import Iterator


def _offset_at(zone: str, instant: int) -> int:
    """The offset in seconds east that a zone has at an instant (seconds since 1970)."""
    found = resolve_zone_name(zone, runtime.settings)
    if isinstance(found, Zone):
        return found.at(instant).offset
    if found.zone is None:
        return found.offset
    return _abbreviation_type(found.zone, zone, instant).offset


def _abbreviation_type(zone: Zone, abbreviation: str, instant: int) -> TimeType:
    """DetermineTimeZoneAbbrevOffsetTS."""
    return zone.abbreviation_at(abbreviation.upper(), instant) or zone.at(instant)


def _offset_of_local(zone: str, local: int) -> int:
    """The offset in seconds east that a zone has at a local time (seconds since 1970)."""
    found = resolve_zone_name(zone, runtime.settings)
    if isinstance(found, Zone):
        return found.local_offset(local)
    return found.offset if found.zone is None else local_abbreviation_type(found.zone, zone, local).offset


def _interval_offset(interval: str) -> int:
    parts = interval_of(interval)
    if is_infinite(parts):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f'interval time zone "{interval}" must be finite')
    months, days, time = parts
    if months or days:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f'interval time zone "{interval}" must not include months or days')
    offset = truncated_division(time, SECOND)
    return (offset + 2**31) % 2**32 - 2**31  # it is an int in C, and nobody looks for overflow


def _moved(number: int, offset: int) -> str:
    return timestamp_stored(check_timestamp(number + offset * SECOND))


@function("timestamp_zone")
def timestamp_zone(zone: str, value: str) -> str:
    """AT TIME ZONE of timestamp: the instant of a local time."""
    if not is_finite(value):
        return value
    number = microseconds_of(value)
    return _moved(number, -_offset_of_local(zone, number // SECOND + UNIX_EPOCH_SECONDS))


@function("timestamp_izone")
def timestamp_izone(zone: str, value: str) -> str:
    return value if not is_finite(value) else _moved(microseconds_of(value), -_interval_offset(zone))


@function("timestamptz_zone")
def timestamptz_zone(zone: str, value: str) -> str:
    """AT TIME ZONE of timestamptz: the local time of an instant."""
    if not is_finite(value):
        return value
    number = microseconds_of(value)
    return _moved(number, _offset_at(zone, number // SECOND + UNIX_EPOCH_SECONDS))


@function("timestamptz_izone")
def timestamptz_izone(zone: str, value: str) -> str:
    return value if not is_finite(value) else _moved(microseconds_of(value), _interval_offset(zone))


def _timetz_in(value: str, offset: int) -> str:
    time, old_offset = timetz_of(value)
    return timetz_stored((time + (offset - old_offset) * SECOND) % DAY, offset)


@function("timetz_zone")
def timetz_zone(zone: str, value: str) -> str:
    """AT TIME ZONE of timetz: with the offset that the zone has at the transaction's time."""
    return _timetz_in(value, _offset_at(zone, _transaction_seconds()))


@function("timetz_izone")
def timetz_izone(zone: str, value: str) -> str:
    return _timetz_in(value, _interval_offset(zone))


@function("timetz_at_local")
def timetz_at_local(value: str) -> str:
    return _timetz_in(value, session_zone().at(_transaction_seconds()).offset)


@function("timestamptz_pl_interval_at_zone")
def timestamptz_pl_interval_at_zone(value: str, interval: str, zone: str) -> str:
    resolved = resolve_zone(zone, runtime.settings)
    return timestamp_stored(add_interval(microseconds_of(value), interval_of(interval), resolved))


@function("timestamptz_mi_interval_at_zone")
def timestamptz_mi_interval_at_zone(value: str, interval: str, zone: str) -> str:
    resolved = resolve_zone(zone, runtime.settings)
    return timestamp_stored(add_interval(microseconds_of(value), negate(interval_of(interval)), resolved))


def _transaction_seconds() -> int:
    return runtime.transaction_timestamp // 1_000_000


def _interval_of_offset(offset: int) -> str:
    return interval_stored((0, 0, offset * SECOND))


@rows("pg_timezone_names", deterministic=False)
def pg_timezone_names() -> Iterator[tuple[str, str, str, bool]]:
    """Columns name, abbrev, utc_offset, is_dst."""
    now = _transaction_seconds()
    for name in zone_names().values():
        zone = find_zone(name)
        if zone is not None:
            type = zone.at(now)
            yield name, type.abbreviation, _interval_of_offset(type.offset), type.is_dst


@rows("pg_timezone_abbrevs_zone", deterministic=False)
def pg_timezone_abbrevs_zone() -> Iterator[tuple[str, str, bool]]:
    """Columns abbrev, utc_offset, is_dst: the abbreviations of the session's zone, with what they mean now."""
    zone, now = session_zone(), _transaction_seconds()
    for abbreviation in dict.fromkeys(type.abbreviation for type in zone.types()):
        type = zone.abbreviation_at(abbreviation, now)
        if type is not None and re.fullmatch("[A-Z]+", abbreviation):
            yield abbreviation, _interval_of_offset(type.offset), type.is_dst


@rows("pg_timezone_abbrevs_abbrevs", deterministic=False)
def pg_timezone_abbrevs_abbrevs() -> Iterator[tuple[str, str, bool]]:
    """Columns abbrev, utc_offset, is_dst: what timezone_abbreviations holds."""
    now = _transaction_seconds()
    meanings = {word: TimeType(offset, False, word) for word, offset in STANDARD_OFFSETS.items()}
    meanings |= {word: TimeType(offset, True, word) for word, offset in SUMMER_OFFSETS.items()}
    meanings |= {word: _abbreviation_type(dynamic_zone(word), word, now) for word in DYNAMIC_ZONES}
    for abbreviation, type in sorted(meanings.items()):
        yield abbreviation, _interval_of_offset(type.offset), type.is_dst

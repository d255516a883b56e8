"""What a name or an abbreviation of a time zone means to a session.

The order is PostgreSQL 18's (DecodeTimezoneAbbrev, DecodeTimezoneName): the abbreviations of the session's own zone, those
of timezone_abbreviations, then zone names and POSIX specifications.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.timezone_abbreviations import DYNAMIC_ZONES, STANDARD_OFFSETS, SUMMER_OFFSETS
from translator.types.timezones import Zone, find_zone, fixed_zone, zone_of

if TYPE_CHECKING:
    from translator.settings import Settings
    from translator.types.timezone_posix import TimeType

_LONGEST = 10  # TOKMAXLEN: words are compared by their first ten characters


class Abbreviation(NamedTuple):
    """A meaning: a fixed offset (seconds east), or one that `zone` knows for each moment."""

    offset: int
    is_dst: bool
    zone: Zone | None = None


def find_abbreviation(word: str, settings: Settings) -> Abbreviation | None:
    """What an abbreviation means, in any case of letters."""
    return _find_abbreviation(word.upper(), zone_of(settings))


@lru_cache(maxsize=1024)
def _find_abbreviation(upper: str, zone: Zone) -> Abbreviation | None:
    types = [type for type in zone.types() if type.abbreviation == upper]
    if types:
        first = types[0]
        fixed = all(type[:2] == first[:2] for type in types)
        return Abbreviation(first.offset, first.is_dst, None if fixed else zone)
    short = upper[:_LONGEST]
    if short in STANDARD_OFFSETS:
        return Abbreviation(STANDARD_OFFSETS[short], False)
    if short in SUMMER_OFFSETS:
        return Abbreviation(SUMMER_OFFSETS[short], True)
    if short in DYNAMIC_ZONES:
        return Abbreviation(0, False, dynamic_zone(short))
    return None


def find_abbreviation_prefix(text: str, settings: Settings) -> tuple[int, Abbreviation] | None:
    """DecodeTimezoneAbbrevPrefix: the longest abbreviation that text begins with, and its length."""
    length = 0
    while length < min(len(text), _LONGEST) and text[length].isascii() and text[length].isalpha():
        length += 1
    for cut in range(length, 0, -1):
        found = find_abbreviation(text[:cut], settings)
        if found is not None:
            return cut, found
    return None


def dynamic_zone(abbreviation: str) -> Zone:
    """The zone that explains an abbreviation of DYNAMIC_ZONES."""
    name = DYNAMIC_ZONES[abbreviation]
    zone = find_zone(name)
    if zone is None:
        raise SqlError(
            codes.CONFIG_FILE_ERROR,
            f'time zone "{name}" not recognized',
            detail="This time zone name appears in the configuration file for time zone abbreviation "
            f'"{abbreviation.lower()}".',
        )
    return zone


def local_abbreviation_type(zone: Zone, word: str, local: int) -> TimeType:
    """DetermineTimeZoneAbbrevOffset: what a dynamic abbreviation means at a local time (seconds as if UTC)."""
    type, instant = zone.local_type(local)
    return zone.abbreviation_at(word.upper(), instant) or type


def resolve_zone_name(name: str, settings: Settings) -> Abbreviation | Zone:
    """DecodeTimezoneName: of AT TIME ZONE and its kin. An abbreviation is taken before a zone of the same name."""
    found = find_abbreviation(name, settings)
    if found is not None:
        return found
    zone = find_zone(name)
    if zone is None:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f'time zone "{name}" not recognized')
    return zone


def resolve_zone(name: str, settings: Settings) -> Zone:
    """DecodeTimezoneNameToTz: a zone in any case; an abbreviation gives one of its fixed offset, or its own."""
    found = resolve_zone_name(name, settings)
    if isinstance(found, Zone):
        return found
    return found.zone or fixed_zone(found.offset)

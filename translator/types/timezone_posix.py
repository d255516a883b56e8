"""POSIX time zone specifications: EST5EDT,M3.2.0,M11.1.0.

They are zones in their own right (SET timezone = 'FOO+5', AT TIME ZONE '<+03>-3'), and the last line of a time zone file is
one, which holds for all times after the file's last transition. The grammar is PostgreSQL's tzparse (localtime.c): a name
may be empty, offsets count west of Greenwich and go to 167 hours, and a summer time without rules follows those of the USA.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from translator.types.calendar import UNIX_EPOCH_JULIAN, days_in_month, is_leap, julian_day

DEFAULT_RULES = ",M3.2.0,M11.1.0"  # TZDEFRULESTRING

_NAME = r"(<[^>]*>|[^0-9,+\-]*)"
_OFFSET = r"([+-]?[0-9]+(?::[0-9]+(?::[0-9]+)?)?)"
_SPECIFICATION = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?(,.*)?)?")
_RULE = re.compile(rf",(J[0-9]+|[0-9]+|M[0-9]+\.[0-9]+\.[0-9]+)(?:/{_OFFSET})?")


class TimeType(NamedTuple):
    """What holds between two transitions. `offset` is in seconds, positive east of Greenwich."""

    offset: int
    is_dst: bool
    abbreviation: str


@dataclass(frozen=True)
class Rule:
    """When a transition happens in a year: `kind` is J (day without the 29th of February), D (day from 0) or M."""

    kind: str
    day: int  # for M the weekday, 0 for Sunday
    week: int
    month: int
    seconds: int  # of local time

    def instant(self, year: int) -> int:
        """Seconds since 1970 of local time."""
        january = julian_day(year, 1, 1)
        if self.kind == "J":
            day = january + self.day - (0 if is_leap(year) and self.day >= 60 else 1)
        elif self.kind == "D":
            day = january + self.day
        else:
            first = julian_day(year, self.month, 1)
            offset = (self.day - (first + 1) % 7) % 7 + 7 * (self.week - 1)
            if offset >= days_in_month(year, self.month):  # week 5 is the last one
                offset -= 7
            day = first + offset
        return (day - UNIX_EPOCH_JULIAN) * 86400 + self.seconds


@dataclass(frozen=True)
class PosixZone:
    """A parsed specification; `dst`, `start` and `end` are None together."""

    standard: TimeType
    dst: TimeType | None = None
    start: Rule | None = None
    end: Rule | None = None

    @cached_property
    def _years(self) -> dict[int, list[tuple[int, TimeType]]]:
        return {}

    def transitions(self, year: int) -> list[tuple[int, TimeType]]:
        """The instants (seconds since 1970, UTC) of a year at which the time changes, and to what; ordered."""
        if self.dst is None or self.start is None or self.end is None:
            return []
        found = self._years.get(year)
        if found is None:
            start = (self.start.instant(year) - self.standard.offset, self.dst)
            end = (self.end.instant(year) - self.dst.offset, self.standard)
            if len(self._years) > 1000:
                self._years.clear()
            found = self._years[year] = sorted((start, end), key=lambda transition: transition[0])
        return found


def _offset_seconds(text: str) -> int | None:
    sign = -1 if text[0] == "-" else 1
    hours, minutes, seconds = ([int(part) for part in text.lstrip("+-").split(":")] + [0, 0])[:3]
    if hours >= 168 or minutes >= 60 or seconds > 60:
        return None
    return sign * (hours * 3600 + minutes * 60 + seconds)


def _parse_rule(text: str, position: int) -> tuple[Rule, int] | None:
    match = _RULE.match(text, position)
    if match is None:
        return None
    seconds = _offset_seconds(match[2]) if match[2] else 7200
    if seconds is None:
        return None
    form = match[1]
    if form[0] == "J":
        rule = Rule("J", int(form[1:]), 0, 0, seconds)
        valid = 1 <= rule.day <= 365
    elif form[0] == "M":
        month, week, day = map(int, form[1:].split("."))
        rule = Rule("M", day, week, month, seconds)
        valid = 1 <= month <= 12 and 1 <= week <= 5 and day <= 6
    else:
        rule = Rule("D", int(form), 0, 0, seconds)
        valid = rule.day <= 365
    return (rule, match.end()) if valid else None


@lru_cache(maxsize=256)
def parse_posix(text: str) -> PosixZone | None:
    """The zone that a specification stands for; None if it is not one."""
    match = _SPECIFICATION.fullmatch(text)
    if match is None:
        return None
    name, offset, dst_name, dst_offset, rules = match.groups()
    west = _offset_seconds(offset)
    if west is None:
        return None
    standard = TimeType(-west, False, name.strip("<>"))
    if not dst_name:
        return PosixZone(standard) if not rules and not dst_offset else None
    dst_west = west - 3600 if dst_offset is None else _offset_seconds(dst_offset)
    if dst_west is None:
        return None
    rules = rules or DEFAULT_RULES
    first = _parse_rule(rules, 0)
    second = first and _parse_rule(rules, first[1])
    if first is None or second is None or second[1] != len(rules):
        return None
    return PosixZone(standard, TimeType(-dst_west, True, dst_name.strip("<>")), first[0], second[0])

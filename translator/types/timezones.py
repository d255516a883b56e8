"""Time zones: what local time is at an instant, and which instant a local time is.

A `Zone` is what `Settings.timezone` holds. It reads the IANA data itself, since the standard library's zoneinfo knows only
the years 1 to 9999 and not PostgreSQL's answers: a local time that does not exist is read with the offset before the gap, an
ambiguous one with the offset after the change (DetermineTimeZoneOffset in datetime.c), and historical offsets have seconds.

Names are looked for as PostgreSQL's pg_tzset does: in the time zone data, ignoring case, then as a POSIX specification.
The data are those of the tzdata package, so that answers do not depend on the machine.

Instants are seconds since 1970-01-01 UTC, as in the data. Not here: abbreviations (timezone_names).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from translator.types.calendar import UNIX_EPOCH_JULIAN, date_of_julian
from translator.types.timezone_posix import PosixZone, TimeType, parse_posix

if TYPE_CHECKING:
    from translator.settings import Settings

_CACHED_DAYS = 20_000


class Zone(tzinfo):
    """A time zone. `name` is what SHOW timezone prints."""

    def __init__(self, name: str, times: list[int], types: list[TimeType], first: TimeType, rules: PosixZone | None) -> None:
        """Take the transitions' instants, the type that each begins, the type before all, and the rules after all."""
        self.name = name
        self._times = times
        self._types = types
        self._first = first
        self._rules = rules
        self.fixed = first if not times and (rules is None or rules.dst is None) else None
        if self.fixed is not None and rules is not None:
            self.fixed = self._first = rules.standard
        self._days: dict[int, TimeType | None] = {}
        self._local_days: dict[int, int | None] = {}
        self.local_texts: dict[str, tuple[str, str] | None] = {}  # a cache of timestamptz's output …
        last = types[-1] if types else self._first
        self.text_width = 13 if last.offset % 3600 == 0 else 16  # … by stored hour, or minute: "2024-02-29 12[:34]"

    def __repr__(self) -> str:
        return f"Zone({self.name!r})"

    def at(self, instant: int) -> TimeType:
        """What holds at an instant. Days on which nothing changes are remembered."""
        if self.fixed is not None:
            return self.fixed
        try:
            found = self._days[instant // 86400]
        except KeyError:
            found = self._remember_day(instant // 86400)
        return self._at(instant) if found is None else found

    def _remember_day(self, day: int) -> TimeType | None:
        """What holds on a whole day of UTC; None if that changes."""
        start = day * 86400
        following = self.next_transition(start)
        found = None if following is not None and following[0] < start + 86400 else self._at(start)
        if len(self._days) >= _CACHED_DAYS:
            self._days.clear()
        self._days[day] = found
        return found

    def _at(self, instant: int) -> TimeType:
        times = self._times
        if times and instant < times[-1]:
            index = bisect_right(times, instant)
            return self._types[index - 1] if index else self._first
        rules = self._rules
        if rules is None or rules.dst is None:
            return self._types[-1] if times else self._first
        year = _year_of(instant)
        found = rules.transitions(year - 1)[-1][1]
        for time, type in rules.transitions(year):
            if time <= instant:
                found = type
        return found

    def next_transition(self, instant: int) -> tuple[int, TimeType] | None:
        """The first change after an instant and what it begins (pg_next_dst_boundary)."""
        times = self._times
        index = bisect_right(times, instant)
        if index < len(times):
            return times[index], self._types[index]
        if self._rules is not None:
            year = _year_of(instant)
            for candidate in (year - 1, year, year + 1):
                for time, type in self._rules.transitions(candidate):
                    if time > instant and (not times or time > times[-1]):
                        return time, type
        return None

    def local_type(self, local: int) -> tuple[TimeType, int]:
        """DetermineTimeZoneOffset: what a local time (seconds as if it were UTC) is read as, and its instant."""
        if self.fixed is not None:
            return self.fixed, local - self.fixed.offset
        # No offset exceeds a day and no two changes are closer than two, so the change of interest is the next one.
        before = self._at(local - 86400)
        following = self.next_transition(local - 86400)
        before_instant = local - before.offset
        if following is None:
            return before, before_instant
        boundary, after = following
        after_instant = local - after.offset
        if before_instant < boundary and after_instant < boundary:
            return before, before_instant
        if before_instant > boundary and after_instant >= boundary:
            return after, after_instant
        return (before, before_instant) if before_instant > after_instant else (after, after_instant)

    def local_offset(self, local: int) -> int:
        """The offset of a local time. Days on which nothing changes are remembered."""
        if self.fixed is not None:
            return self.fixed.offset
        day = local // 86400
        try:
            offset = self._local_days[day]
        except KeyError:
            if len(self._local_days) >= _CACHED_DAYS:
                self._local_days.clear()
            offset = self._local_days[day] = self._offset_of_day(day)
        return self.local_type(local)[0].offset if offset is None else offset

    def _offset_of_day(self, day: int) -> int | None:
        """The one offset of a local day; None if a change may fall into it."""
        start = day * 86400
        following = self.next_transition(start - 86400)
        if following is None or following[0] > start + 2 * 86400:
            return self.at(start).offset
        return None

    def types(self) -> list[TimeType]:
        """All types of the zone, oldest first, without repetition."""
        types = [self._first, *self._types]
        if self._rules is not None:
            types += [type for type in (self._rules.standard, self._rules.dst) if type is not None]
        return list(dict.fromkeys(types))

    def abbreviation_at(self, abbreviation: str, instant: int) -> TimeType | None:
        """What an abbreviation of this zone meant at an instant, or last, or next (pg_interpret_timezone_abbrev)."""
        types = self._types
        cutoff = bisect_right(self._times, instant)
        if cutoff == len(types) and self._rules is not None and self._rules.dst is not None:
            for type in (self._rules.standard, self._rules.dst):
                if type.abbreviation == abbreviation:
                    return type
        for type in (*reversed(types[:cutoff]), self._first, *types[cutoff:]):
            if type.abbreviation == abbreviation:
                return type
        return None

    # tzinfo's methods, so that a Zone serves wherever Python wants one.

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return None if when is None else timedelta(seconds=self._of_datetime(when).offset)

    def dst(self, when: datetime | None) -> timedelta | None:
        return None if when is None else timedelta(hours=1 if self._of_datetime(when).is_dst else 0)

    def tzname(self, when: datetime | None) -> str | None:
        return None if when is None else self._of_datetime(when).abbreviation

    def _of_datetime(self, when: datetime) -> TimeType:
        return self.local_type(int(when.replace(tzinfo=UTC).timestamp()))[0]


def _year_of(instant: int) -> int:
    return date_of_julian(instant // 86400 + UNIX_EPOCH_JULIAN)[0]


UTC_ZONE = Zone("UTC", [], [], TimeType(0, False, "UTC"), None)


def zone_of(settings: Settings) -> Zone:
    """The session's zone; settings may hold any tzinfo."""
    zone = settings.timezone
    return zone if isinstance(zone, Zone) else _adopted(zone, settings.timezone_name)


@lru_cache(maxsize=64)
def _adopted(zone: tzinfo, name: str) -> Zone:
    if zone is UTC:
        return UTC_ZONE
    key = getattr(zone, "key", None) or name
    found = find_zone(key)
    if found is not None:
        return found
    offset = zone.utcoffset(None)
    return fixed_zone(int(offset.total_seconds()) if offset else 0)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> Zone | None:
    """pg_tzset: the zone of a name or of a POSIX specification, in any case of letters; None if there is none."""
    plain = name.removeprefix(":")
    canonical = zone_names().get(plain.upper())
    if canonical is not None:
        return _load(canonical)
    rules = parse_posix(name.upper())
    return None if rules is None else Zone(name.upper(), [], [], rules.standard, rules)


@lru_cache(maxsize=1024)
def fixed_zone(offset: int) -> Zone:
    """pg_tzset_offset: the zone of SET TIME ZONE 5.5 or INTERVAL, in seconds east of Greenwich."""
    hours, rest = divmod(abs(offset), 3600)
    text = f"{hours:02d}"
    if rest:
        text += f":{rest // 60:02d}"
    if rest % 60:
        text += f":{rest % 60:02d}"
    name = f"<+{text}>-{text}" if offset >= 0 else f"<-{text}>+{text}"
    return Zone(name, [], [], TimeType(offset, False, name[1 : name.index(">")]), None)


@cache
def zone_names() -> dict[str, str]:
    """The names of the time zone data by their upper case."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    names = {name.upper(): name for name in text.split()}
    names.pop("LOCALTIME", None)
    return names


def _load(name: str) -> Zone:
    if name == "UTC":
        return UTC_ZONE
    data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    return _parse_file(name, data)


def _parse_file(name: str, data: bytes) -> Zone:
    """Read a TZif file (RFC 8536), the second of its two blocks."""
    header = struct.Struct(">4s1s15x6l")
    _magic, _version, isutc, isstd, leaps, times, types, characters = header.unpack_from(data)
    start = header.size + times * 5 + types * 6 + characters + leaps * 8 + isstd + isutc
    _magic, _version, isutc, isstd, leaps, times, types, characters = header.unpack_from(data, start)
    position = start + header.size
    instants = list(struct.unpack_from(f">{times}q", data, position))
    position += times * 8
    indexes = data[position : position + times]
    position += times
    records = [struct.unpack_from(">lBB", data, position + number * 6) for number in range(types)]
    position += types * 6
    texts = data[position : position + characters]
    position += characters + leaps * 12 + isstd + isutc
    footer = data[position:].strip(b"\n").decode("ascii")
    all_types = [
        TimeType(offset, bool(dst), texts[index : texts.index(b"\0", index)].decode("ascii")) for offset, dst, index in records
    ]
    # A "big bang" transition of fat files begins the first type, which holds before all others anyway.
    return Zone(name, instants, [all_types[index] for index in indexes], all_types[0], parse_posix(footer) if footer else None)

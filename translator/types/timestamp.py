"""timestamp and timestamptz, stored as ISO text; timestamptz in UTC (see datetime_stored).

Fast paths: ISO text is checked by one regular expression and three table look-ups and is stored as it came, or moved by its
offset. Output is the stored text; for timestamptz in another zone, the stored hour is replaced by the local one, which is
remembered for each hour that occurs (each minute, where offsets are not whole hours).
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.calendar import DAY, SECOND, UNIX_EPOCH_SECONDS, day_number, is_valid_julian
from translator.types.date import unpack
from translator.types.datetime_parse import parse_datetime
from translator.types.datetime_print import offset_text, timestamp_text
from translator.types.datetime_stored import (
    DAY_NUMBERS,
    FIRST_TIMESTAMP,
    INFINITY,
    MINUS_INFINITY,
    MINUTE_NUMBERS,
    SECOND_NUMBERS,
    TIMESTAMP_END,
    is_finite,
    microseconds_of,
    timestamp_stored,
)  # fmt: skip
from translator.types.datetime_words import BadInput, split_fields
from translator.types.registry import register
from translator.types.timezones import UTC_ZONE, Zone, zone_of

if TYPE_CHECKING:
    from translator.settings import Settings
    from translator.types.datetime_fields import Fields

_WORK_SPACE = 153  # MAXDATELEN + MAXDATEFIELDS
_CACHED_HOURS = 20_000
_HOUR_WIDTH = 13  # of "2024-02-29 12"
_BINARY = struct.Struct(">q")
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2})(\.[0-9]{1,6})?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def is_plain(text: str) -> bool:
    """Whether text is a stored timestamp of the years 1 to 9999."""
    try:
        DAY_NUMBERS[text[:10]], MINUTE_NUMBERS[text[11:16]], SECOND_NUMBERS[text[16:19]]  # KeyError is the answer
    except KeyError:
        return False
    if text[10] != " ":
        return False
    tail = text[19:]
    return not tail or (tail[0] == "." and len(tail) <= 7 and tail[-1] != "0" and tail[1:].isdigit() and tail.isascii())


def check_timestamp(number: int, message: str = "timestamp out of range") -> int:
    """The microseconds if PostgreSQL has such a timestamp."""
    if not FIRST_TIMESTAMP <= number < TIMESTAMP_END:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
    return number


def round_timestamp(number: int, typmod: int) -> int:
    """AdjustTimestampForTypmod: round to a precision, halves away from zero."""
    if typmod < 0 or typmod >= 6 or number in {INFINITY, MINUS_INFINITY}:
        return number
    scale: int = 10 ** (6 - typmod)
    rounded = (abs(number) + scale // 2) // scale * scale
    return rounded if number >= 0 else -rounded


def local_of(number: int, zone: Zone) -> int:
    """An instant (microseconds since 2000 UTC) as local microseconds."""
    return number + zone.at(number // SECOND + UNIX_EPOCH_SECONDS).offset * SECOND


def instant_of(local: int, zone: Zone) -> int:
    """Local microseconds as an instant; a gap and an ambiguity are resolved as PostgreSQL does."""
    return local - zone.local_offset(local // SECOND + UNIX_EPOCH_SECONDS) * SECOND


class Timestamp(Type):
    oid = 1114
    name = "timestamp"
    sqlite_type: ClassVar[str] = "TEXT"
    _suffix: ClassVar[str] = " without time zone"
    _word: ClassVar[str] = "TIMESTAMP"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        if is_plain(text) and (typmod < 0 or len(text) - 20 <= typmod):
            return text
        match = _ISO.fullmatch(text)
        if match is not None:
            date, minute, second, fraction, zone = match.groups()  # a zone is read and ignored
            valid = _is_date(date) and minute in MINUTE_NUMBERS and second in SECOND_NUMBERS
            if valid and (not zone or _OFFSETS[zone] is not None):
                plain = f"{date} {minute}{second}"
                if fraction is None:
                    return plain
                if typmod < 0 or len(fraction) - 1 <= typmod:
                    return (plain + fraction).rstrip("0").rstrip(".")
        return timestamp_stored(self._parse(text, settings, typmod))

    def output(self, value: Stored, settings: Settings) -> str:
        assert isinstance(value, str)
        if settings.date_style == "ISO" and "/" < value[0] < ":":
            return value
        if not is_finite(value):
            return value
        return timestamp_text(microseconds_of(value), settings.date_style, settings.date_order)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        (number,) = unpack(_BINARY, data)
        if number not in {INFINITY, MINUS_INFINITY}:
            number = round_timestamp(check_timestamp(number), typmod)
        return timestamp_stored(number)

    def send(self, value: Stored, settings: Settings) -> bytes:
        assert isinstance(value, str)
        return _BINARY.pack(microseconds_of(value))

    def typmod_in(self, modifiers: list[str]) -> int:
        return precision_typmod(modifiers, self._word, "" if self.oid == 1114 else " WITH TIME ZONE")

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod}){self._suffix}" if typmod >= 0 else ""

    def _parse(self, text: str, settings: Settings, typmod: int) -> int:
        try:
            fields, special, offset = parse_datetime(split_fields(text, _WORK_SPACE), settings)
        except BadInput as error:
            raise error.report(text, self._type_name()) from None
        if fields is None:
            return _SPECIAL[special]
        number = self._instant(fields, offset)
        message = f'timestamp out of range: "{text}"'
        if not is_valid_julian(fields.year, fields.month):
            raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
        return round_timestamp(check_timestamp(number, message), typmod)

    def _type_name(self) -> str:
        return "timestamp"

    def _instant(self, fields: Fields, offset: int) -> int:
        return day_number(fields.year, fields.month, fields.day) * DAY + fields.microseconds()


class TimestampTz(Timestamp):
    oid = 1184
    name = "timestamptz"
    _suffix: ClassVar[str] = " with time zone"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        # What drivers send most: UTC, as +00.
        if text[-3:] == "+00" and is_plain(text[:-3]) and (typmod < 0 or len(text) - 23 <= typmod):
            return text[:-3]
        match = _ISO.fullmatch(text)
        if match is None:
            return timestamp_stored(self._parse(text, settings, typmod))
        date, minute, second, fraction, zone = match.groups()
        digits = len(fraction) - 1 if fraction else 0
        known = _is_date(date) and minute in MINUTE_NUMBERS and second in SECOND_NUMBERS
        offset = _OFFSETS[zone] if zone else None
        if not known or (zone and offset is None) or (0 <= typmod < digits):
            return timestamp_stored(self._parse(text, settings, typmod))
        local = settings.timezone
        if offset == 0 or (not zone and local is UTC_ZONE):
            plain = f"{date} {minute}{second}"
            return plain if fraction is None else (plain + fraction).rstrip("0").rstrip(".")
        number = DAY_NUMBERS[date] + MINUTE_NUMBERS[minute] + SECOND_NUMBERS[second]
        if offset is None:
            offset = zone_of(settings).local_offset(number // SECOND + UNIX_EPOCH_SECONDS)
        if fraction:
            number += int(fraction[1:].ljust(6, "0"))
        return timestamp_stored(number - offset * SECOND)

    def output(self, value: Stored, settings: Settings) -> str:
        assert isinstance(value, str)
        zone = settings.timezone
        if zone.__class__ is not Zone:
            zone = zone_of(settings)
        assert isinstance(zone, Zone)
        if settings.date_style == "ISO" and "/" < value[0] < ":":
            if zone is UTC_ZONE:
                return value + "+00"
            width = zone.text_width
            try:
                local = zone.local_texts[value[:width]]
            except KeyError:
                local = _remember(zone, value[:width])
            if local is not None:
                return f"{local[0]}{value[width:]}{local[1]}"
        if not is_finite(value):
            return value
        number = microseconds_of(value)
        type = zone.at(number // SECOND + UNIX_EPOCH_SECONDS)
        suffix = offset_text(type.offset) if settings.date_style == "ISO" else type.abbreviation
        return timestamp_text(number + type.offset * SECOND, settings.date_style, settings.date_order, suffix)

    def _type_name(self) -> str:
        return "timestamp with time zone"

    def _instant(self, fields: Fields, offset: int) -> int:
        return super()._instant(fields, offset) - offset * SECOND


_SPECIAL = {"epoch": -UNIX_EPOCH_SECONDS * SECOND, "infinity": INFINITY, "-infinity": MINUS_INFINITY}


class _Offsets(dict[str, int | None]):
    """The text of an offset, as _ISO matches it -> seconds east; None for what is out of range."""

    def __missing__(self, text: str) -> int | None:
        hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
        seconds = hours * 3600 + minutes * 60
        offset = None if hours > 15 or minutes > 59 else -seconds if text[0] == "-" else seconds
        self[text] = offset
        return offset


_OFFSETS = _Offsets({"Z": 0, "+00": 0})


def _is_date(text: str) -> bool:
    try:
        DAY_NUMBERS[text]
    except KeyError:
        return False
    return True


def _remember(zone: Zone, start: str) -> tuple[str, str] | None:
    """The local form of a stored hour or minute, and the offset; None if it takes more than replacing the start."""
    hourly = zone.text_width == _HOUR_WIDTH
    instant = microseconds_of(start + (":00:00" if hourly else ":00")) // SECOND + UNIX_EPOCH_SECONDS
    type = zone.at(instant)
    following = zone.next_transition(instant)
    unit = 3600 if hourly else 60
    found = None
    if type.offset % unit == 0 and (following is None or following[0] >= instant + unit):
        local = timestamp_stored((instant + type.offset - UNIX_EPOCH_SECONDS) * SECOND)
        if "/" < local[0] < ":":
            found = (local[: zone.text_width], offset_text(type.offset))
    if len(zone.local_texts) >= _CACHED_HOURS:
        zone.local_texts.clear()
    zone.local_texts[start] = found
    return found


def precision_typmod(modifiers: list[str], word: str, suffix: str) -> int:
    """anytimestamp_typmodin, anytime_typmodin: a precision, at most 6 (PostgreSQL warns about more, and takes 6)."""
    if len(modifiers) != 1:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "invalid type modifier")
    precision = int(modifiers[0])
    if precision < 0:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"{word}({precision}){suffix} precision must not be negative")
    return min(precision, 6)


register(Timestamp())
register(TimestampTz())

"""time and timetz.

time is stored as its ISO text, 00:00:00 to 24:00:00, and sorts as text. timetz is stored as PostgreSQL prints it,
"12:34:56.5+02"; it sorts by the instant, then by the offset (timetz_cmp_internal), which `timetz_key` makes one integer.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.calendar import DAY, SECOND
from translator.types.date import unpack
from translator.types.datetime_parse import parse_time
from translator.types.datetime_print import offset_text
from translator.types.datetime_stored import MINUTE_NUMBERS, SECOND_NUMBERS, time_of, time_stored
from translator.types.datetime_words import BadInput, split_fields
from translator.types.registry import register
from translator.types.timestamp import precision_typmod

if TYPE_CHECKING:
    from translator.settings import Settings
    from translator.types.datetime_fields import Fields

_WORK_SPACE = 129  # MAXDATELEN + 1
_TIME = struct.Struct(">q")
_TIMETZ = struct.Struct(">qi")
_OFFSET_END = 16 * 3600  # TZDISP_LIMIT
KEY_OFFSETS = 2**18


def round_time(number: int, typmod: int) -> int:
    """AdjustTimeForTypmod: round to a precision, halves up; 23:59:59.9999999 becomes 24:00:00."""
    if typmod < 0 or typmod >= 6:
        return number
    scale: int = 10 ** (6 - typmod)
    return (number + scale // 2) // scale * scale


@lru_cache(maxsize=4096)
def timetz_of(stored: str) -> tuple[int, int]:
    """A stored timetz as microseconds since midnight and seconds east."""
    position = max(stored.find("+", 8), stored.find("-", 8))
    hour, minute, second = ([int(part) for part in stored[position + 1 :].split(":")] + [0, 0])[:3]
    offset = hour * 3600 + minute * 60 + second
    return time_of(stored[:position]), -offset if stored[position] == "-" else offset


def timetz_stored(number: int, offset: int) -> str:
    """The stored form of microseconds since midnight and seconds east."""
    return time_stored(number) + offset_text(offset)


def timetz_key(stored: str) -> int:
    """A number that sorts as PostgreSQL sorts timetz: by the instant in UTC, then the more western zone is greater."""
    number, offset = timetz_of(stored)
    return (number - offset * SECOND) * KEY_OFFSETS - offset


class Time(Type):
    oid = 1083
    name = "time"
    sqlite_type: ClassVar[str] = "TEXT"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        if len(text) == 8 and text[:5] in MINUTE_NUMBERS and text[5:] in SECOND_NUMBERS:
            return text
        fields, _offset = _parse(text, settings, "time")
        return time_stored(round_time(fields.microseconds(), typmod))

    def output(self, value: Stored, settings: Settings) -> str:
        assert isinstance(value, str)
        return value

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        (number,) = unpack(_TIME, data)
        return time_stored(round_time(_check_time(number), typmod))

    def send(self, value: Stored, settings: Settings) -> bytes:
        assert isinstance(value, str)
        return _TIME.pack(time_of(value))

    def typmod_in(self, modifiers: list[str]) -> int:
        return precision_typmod(modifiers, "TIME", "")

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod}) without time zone" if typmod >= 0 else ""


class TimeTz(Type):
    oid = 1266
    name = "timetz"
    sqlite_type: ClassVar[str] = "TEXT"
    key: ClassVar[str | None] = "timetz_key"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        fields, offset = _parse(text, settings, "time with time zone")
        return timetz_stored(round_time(fields.microseconds(), typmod), offset)

    def output(self, value: Stored, settings: Settings) -> str:
        assert isinstance(value, str)
        return value

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        number, west = unpack(_TIMETZ, data)
        _check_time(number)
        if not -_OFFSET_END < west < _OFFSET_END:
            raise SqlError(codes.INVALID_TIME_ZONE_DISPLACEMENT_VALUE, "time zone displacement out of range")
        return timetz_stored(round_time(number, typmod), -west)

    def send(self, value: Stored, settings: Settings) -> bytes:
        assert isinstance(value, str)
        number, offset = timetz_of(value)
        return _TIMETZ.pack(number, -offset)

    def typmod_in(self, modifiers: list[str]) -> int:
        return precision_typmod(modifiers, "TIME", " WITH TIME ZONE")

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod}) with time zone" if typmod >= 0 else ""


def _check_time(number: int) -> int:
    if not 0 <= number <= DAY:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "time out of range")
    return number


def _parse(text: str, settings: Settings, type_name: str) -> tuple[Fields, int]:
    try:
        return parse_time(split_fields(text, _WORK_SPACE), settings)
    except BadInput as error:
        raise error.report(text, type_name) from None


register(Time())
register(TimeTz())

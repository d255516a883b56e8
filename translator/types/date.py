"""date: a day, stored as ISO text (see datetime_stored)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.calendar import day_number, is_valid_julian
from translator.types.datetime_parse import parse_datetime
from translator.types.datetime_print import date_text
from translator.types.datetime_stored import (
    DATE_END,
    DATE_INFINITY,
    DATE_MINUS_INFINITY,
    DAY_NUMBERS,
    FIRST_DATE,
    date_stored,
    day_of,
    is_finite,
)  # fmt: skip
from translator.types.datetime_words import BadInput, split_fields
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_WORK_SPACE = 129  # MAXDATELEN + 1
_BINARY = struct.Struct(">i")


def check_date(day: int, message: str = "date out of range") -> int:
    """The day number if PostgreSQL has such a date."""
    if not FIRST_DATE <= day < DATE_END:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
    return day


class Date(Type):
    oid = 1082
    name = "date"
    sqlite_type: ClassVar[str] = "TEXT"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        try:
            DAY_NUMBERS[text]  # "2024-02-29" is stored as it is; the table knows real dates only
        except KeyError:
            return _parse(text, settings)
        return text

    def output(self, value: Stored, settings: Settings) -> str:
        assert isinstance(value, str)
        if settings.date_style == "ISO" and "/" < value[0] < ":":
            return value
        if not is_finite(value):
            return value
        return date_text(day_of(value), settings.date_style, settings.date_order)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        (day,) = unpack(_BINARY, data)
        if day in {DATE_INFINITY, DATE_MINUS_INFINITY}:
            return date_stored(day)
        return date_stored(check_date(day))

    def send(self, value: Stored, settings: Settings) -> bytes:
        assert isinstance(value, str)
        return _BINARY.pack(day_of(value))


def unpack(form: struct.Struct, data: bytes) -> tuple[int, ...]:
    """The fields of a binary value, in pq_copymsgbytes's words if there are too few or too many bytes."""
    if len(data) < form.size:
        raise SqlError(codes.PROTOCOL_VIOLATION, "insufficient data left in message")
    if len(data) > form.size:
        raise SqlError(codes.INVALID_BINARY_REPRESENTATION, "incorrect binary data format")
    return form.unpack(data)


def _parse(text: str, settings: Settings) -> str:
    try:
        fields, special, _offset = parse_datetime(split_fields(text, _WORK_SPACE), settings)
    except BadInput as error:
        raise error.report(text, "date") from None
    if fields is None:
        return "1970-01-01" if special == "epoch" else special
    message = f'date out of range: "{text}"'
    if not is_valid_julian(fields.year, fields.month):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
    return date_stored(check_date(day_number(fields.year, fields.month, fields.day), message))


register(Date())

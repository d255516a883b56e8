"""Composite types and anonymous records.

A value of a named composite type is stored as PostgreSQL's text of it, `(1,"a b",)`, with the fields written under the
default settings, so that other SQLite tools can read it. A value of `record` has no type that could be looked up, so it is
stored as JSON: an array of [type OID, stored value] or [type OID, stored value, name] for each field, with the same
representation of values as in arrays (base.py).

Grammar and checks: record_in, record_out, record_recv, record_send of PostgreSQL's rowtypes.c.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.settings import Settings
from translator.types.array import (
    Array,
    bytes_from_json,
    bytes_to_json,
    decode_json,
    encode_json,
    float_from_json,
    float_to_json,
)
from translator.types.base import Stored, Type
from translator.types.binary import short_message
from translator.types.domain import underlying
from translator.types.names import sql_name
from translator.types.registry import register, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SPACE = " \t\n\r\v\f"
_NEEDS_QUOTES = re.compile(r'["\\(), \t\n\r\v\f]')
_DOUBLED = re.compile(r'(["\\])')
_INT = struct.Struct("!i")
_FIELD = struct.Struct("!Ii")
_SHOWING_SETTINGS = {
    "bytea", "date", "float4", "float8", "interval", "money", "timestamp", "timestamptz", "timetz",
    "daterange", "tsrange", "tstzrange", "datemultirange", "tsmultirange", "tstzmultirange",
}  # fmt: skip
_CANONICAL = Settings()  # what stored text is written under


class Attribute:
    """One column of a composite type."""

    __slots__ = ("name", "type", "typmod")

    def __init__(self, name: str, type: Type, typmod: int = -1) -> None:
        self.name = name
        self.type = type
        self.typmod = typmod


Item = tuple[Attribute, Stored | None]


class Composite(Type):
    """One named composite type; `attributes` are looked up when first needed, since a type may contain itself in an array."""

    key = "key_record"

    def __init__(self, oid: int, name: str, columns: Sequence[tuple[str, int, int]], resolve: Callable[[int], Type]) -> None:
        self.oid = oid
        self.name = name
        self._columns = columns
        self._resolve = resolve
        self._attributes: list[Attribute] | None = None

    @property
    def attributes(self) -> list[Attribute]:
        if self._attributes is None:
            self._attributes = [
                Attribute(name, self._resolve(oid).for_typmod(typmod), typmod) for name, oid, typmod in self._columns
            ]
        return self._attributes

    def items(self, value: Stored) -> list[Item]:
        """The attributes with their stored values."""
        return list(zip(self.attributes, self.decode(value), strict=True))

    def decode(self, value: Stored) -> list[Stored | None]:
        """The stored values of the fields; attributes that the type got after the value was stored are NULL."""
        return self._values(str(value), _CANONICAL, stored=True)

    def encode(self, values: Sequence[Stored | None]) -> str:
        """The stored value that has these stored values as its fields."""
        return self._text(values, _CANONICAL)

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return self.encode(self._values(text, settings))

    def output(self, value: Stored, settings: Settings) -> str:
        if is_canonical(settings) or not any(shows_settings(attribute.type) for attribute in self.attributes):
            return str(value)
        return self._text(self.decode(value), settings)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) < 4:
            raise short_message()
        (count,) = _INT.unpack_from(data)
        if count != len(self.attributes):
            raise SqlError(codes.DATATYPE_MISMATCH, f"wrong number of columns: {count}, expected {len(self.attributes)}")
        values: list[Stored | None] = []
        place = 4
        for number, attribute in enumerate(self.attributes, 1):
            if place + 8 > len(data):
                raise short_message()
            oid, length = _FIELD.unpack_from(data, place)
            place += 8
            if oid != attribute.type.oid:
                raise SqlError(
                    codes.DATATYPE_MISMATCH,
                    f"binary data has type {oid} ({sql_name(oid)}) instead of expected {attribute.type.oid}"
                    f" ({sql_name(attribute.type.oid)}) in record column {number}",
                )
            if length == -1:
                values.append(None)
                continue
            if length < 0 or place + length > len(data):
                raise SqlError(codes.INVALID_BINARY_REPRESENTATION, "insufficient data left in message")
            values.append(attribute.type.receive(data[place : place + length], settings, attribute.typmod))
            place += length
        return self.encode(values)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return send_items(self.items(value), settings)

    def _values(self, text: str, settings: Settings, *, stored: bool = False) -> list[Stored | None]:
        texts = read_fields(text, len(self.attributes), padded=stored)
        return [
            None if part is None else attribute.type.input(part, settings, attribute.typmod)
            for attribute, part in zip(self.attributes, texts, strict=True)
        ]

    def _text(self, values: Sequence[Stored | None], settings: Settings) -> str:
        return write_items(list(zip(self.attributes, values, strict=True)), settings)


class Record(Type):
    """The type of ROW(…) and of queries' rows: each value brings its own field types."""

    oid = 2249
    name = "record"
    key = "key_record"

    def items(self, value: Stored) -> list[Item]:
        """The fields, named as they were named or f1, f2, …, with their stored values."""
        items: list[Item] = []
        for number, (oid, field, *name) in enumerate(decode_json(str(value)), 1):
            type = type_of(oid)
            items.append((Attribute(name[0] if name else f"f{number}", type), value_from_json(type, field)))
        return items

    def encode(self, fields: Sequence[tuple[int, Stored | None] | tuple[int, Stored | None, str]]) -> str:
        """The stored value of a row of (type OID, stored value[, name])."""
        return encode_json([[oid, value_to_json(field), *name] for oid, field, *name in fields])

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented")

    def output(self, value: Stored, settings: Settings) -> str:
        return write_items(self.items(value), settings)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented")

    def send(self, value: Stored, settings: Settings) -> bytes:
        return send_items(self.items(value), settings)


def is_canonical(settings: Settings) -> bool:
    """Whether values are written as they are stored, as far as run-time parameters decide."""
    return (
        settings.date_style == "ISO"
        and settings.timezone_name == "UTC"
        and settings.interval_style == "postgres"
        and settings.bytea_output == "hex"
        and settings.extra_float_digits == 1
    )


def shows_settings(type: Type) -> bool:
    """Whether the output of a type depends on run-time parameters."""
    type = underlying(type)
    if isinstance(type, Array):
        return shows_settings(type.element)
    if isinstance(type, Composite):
        return any(shows_settings(attribute.type) for attribute in type.attributes)
    return type.name in _SHOWING_SETTINGS or isinstance(type, Record)


def row_items(type: Type, value: Stored) -> list[Item]:
    """The fields of a composite or record value. `type` is one of the two classes above."""
    assert isinstance(type, Composite | Record)
    return type.items(value)


def value_to_json(value: Stored | None) -> Any:
    """A stored value as it stands in JSON (base.py)."""
    if value.__class__ is float:
        return float_to_json(value)
    return bytes_to_json(value) if isinstance(value, bytes) else value


def value_from_json(type: Type, value: Any) -> Stored | None:
    """The stored value of a type, from JSON."""
    if value is None:
        return None
    match type.sqlite_type:
        case "BLOB":
            stored: Stored = bytes_from_json(value)
            return stored
        case "REAL":
            number: Stored = float_from_json(value)
            return number
    same: Stored = value
    return same


def write_items(items: Sequence[Item], settings: Settings) -> str:
    """record_out."""
    parts = []
    for attribute, value in items:
        if value is None:
            parts.append("")
            continue
        text = attribute.type.output(value, settings)
        if not text or _NEEDS_QUOTES.search(text):
            text = '"' + _DOUBLED.sub(r"\1\1", text) + '"'
        parts.append(text)
    return "(" + ",".join(parts) + ")"


def send_items(items: Sequence[Item], settings: Settings) -> bytes:
    """record_send."""
    parts = [_INT.pack(len(items))]
    for attribute, value in items:
        if value is None:
            parts.append(_FIELD.pack(attribute.type.oid, -1))
        else:
            body = attribute.type.send(value, settings)
            parts.append(_FIELD.pack(attribute.type.oid, len(body)) + body)
    return b"".join(parts)


def read_fields(text: str, count: int, *, padded: bool = False) -> Iterator[str | None]:
    """The texts of the fields of a record literal that must have `count` of them (the scan of record_in).

    `padded`: missing ones at the end are NULL.

    A field is given before the next one is read, because PostgreSQL reports whichever error comes first.
    """

    def malformed(detail: str) -> NoReturn:
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'malformed record literal: "{text}"', detail=detail)

    place = len(text) - len(text.lstrip(_SPACE))
    if text[place : place + 1] != "(":
        malformed("Missing left parenthesis.")
    place += 1
    for number in range(count):
        if number:
            if padded and text[place : place + 1] == ")":
                yield None
                continue
            if text[place : place + 1] != ",":
                malformed("Too few columns.")
            place += 1
        field, place = _read_field(text, place, malformed)
        yield field
    if text[place : place + 1] != ")":
        malformed("Too many columns.")
    if text[place + 1 :].strip(_SPACE):
        malformed("Junk after right parenthesis.")


def _read_field(text: str, place: int, malformed: Callable[[str], NoReturn]) -> tuple[str | None, int]:
    if text[place : place + 1] in {",", ")"}:
        return None, place
    chars: list[str] = []
    quoted = False
    while True:
        char = text[place : place + 1]
        if not quoted and char in {",", ")"}:
            return "".join(chars), place
        place += 1
        if char == "":
            malformed("Unexpected end of input.")
        elif char == "\\":
            if place >= len(text):
                malformed("Unexpected end of input.")
            chars.append(text[place])
            place += 1
        elif char == '"':
            if quoted and text[place : place + 1] == '"':
                chars.append('"')
                place += 1
            else:
                quoted = not quoted
        else:
            chars.append(char)


register(Record())

"""text, varchar(n), char(n), name and "char": stored as TEXT, in memcmp order (collation C.UTF-8).

char(n) is stored without its trailing blanks, which mean nothing in comparisons (manual, "Character Types"); output puts them back
where it knows n: `for_typmod`. A "char" is one byte: stored as the character of that number (so order is kept), 0 as the empty
text. name is cut to 63 bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import left_over, short_message, text_of
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

MAX_LENGTH = 10_485_760  # MaxAttrSize
NAME_BYTES = 63  # NAMEDATALEN - 1
_VARHDRSZ = 4


def length_of(typmod: int) -> int | None:
    """The n of varchar(n) and char(n)."""
    return typmod - _VARHDRSZ if typmod >= _VARHDRSZ else None


def _length_typmod(modifiers: list[str], name: str) -> int:
    """anychar_typmodin; `name` is the type's in messages."""
    if len(modifiers) != 1:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "invalid type modifier")
    if not re.fullmatch("[+-]?[0-9]+", modifiers[0]):
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type integer: "{modifiers[0]}"')
    length = int(modifiers[0])
    if length < 1:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"length for type {name} must be at least 1")
    if length > MAX_LENGTH:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"length for type {name} cannot exceed {MAX_LENGTH}")
    return length + _VARHDRSZ


class Text(Type):
    oid = 25
    name = "text"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return text

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return self.input(text_of(data), settings, typmod)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return self.output(value, settings).encode()


class Varchar(Text):
    oid = 1043
    name = "varchar"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        length = length_of(typmod)
        if length is None or len(text) <= length:
            return text
        if text[length:].strip(" "):  # blanks in excess are cut off, as the standard demands
            message = f"value too long for type character varying({length})"
            raise SqlError(sqlstate.STRING_DATA_RIGHT_TRUNCATION, message)
        return text[:length]

    def typmod_in(self, modifiers: list[str]) -> int:
        return _length_typmod(modifiers, "varchar")

    def typmod_out(self, typmod: int) -> str:
        length = length_of(typmod)
        return "" if length is None else f"({length})"


class Bpchar(Text):
    """char(n). `length` is set on the instance that a column's output uses."""

    oid = 1042
    name = "bpchar"

    def __init__(self, length: int = 0) -> None:
        self.length = length

    def for_typmod(self, typmod: int) -> Type:
        length = length_of(typmod)
        return self if length is None else _padded(length)

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        length = length_of(typmod)
        if length is not None and len(text) > length and text[length:].strip(" "):
            raise SqlError(sqlstate.STRING_DATA_RIGHT_TRUNCATION, f"value too long for type character({length})")
        return text.rstrip(" ")

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value).ljust(self.length)

    def typmod_in(self, modifiers: list[str]) -> int:
        return _length_typmod(modifiers, "char")

    def typmod_out(self, typmod: int) -> str:
        length = length_of(typmod)
        return "" if length is None else f"({length})"


@lru_cache(maxsize=256)
def _padded(length: int) -> Bpchar:
    return Bpchar(length)


def truncate_name(text: str) -> str:
    """pg_mbcliplen to NAMEDATALEN - 1 bytes: whole characters only."""
    if len(text) * 4 <= NAME_BYTES:
        return text
    return text.encode()[:NAME_BYTES].decode(errors="ignore")


class Name(Text):
    oid = 19
    name = "name"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return truncate_name(text)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) > NAME_BYTES:
            detail = f"Identifier must be less than {NAME_BYTES + 1} characters."
            raise SqlError(sqlstate.NAME_TOO_LONG, "identifier too long", detail=detail)
        return text_of(data)


_OCTAL = re.compile(r"\\[0-7]{3}\Z")


class Char(Type):
    r"""The one-byte "char": other than ASCII it reads and writes \ooo."""

    oid = 18
    name = "char"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        number = int(text[1:], 8) & 0xFF if _OCTAL.match(text) else text[:1].encode()[:1]
        byte = number if isinstance(number, int) else number[0] if number else 0
        return chr(byte) if byte else ""

    def output(self, value: Stored, settings: Settings) -> str:
        text = str(value)
        return text if text.isascii() else f"\\{ord(text):03o}"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) != 1:
            raise left_over() if data else short_message()
        return "" if data == b"\0" else data.decode("latin-1")

    def send(self, value: Stored, settings: Settings) -> bytes:
        return str(value).encode("latin-1") or b"\0"


TEXT, VARCHAR, BPCHAR, NAME, CHAR = Text(), Varchar(), Bpchar(), Name(), Char()
for _type in (TEXT, VARCHAR, BPCHAR, NAME, CHAR):
    register(_type)

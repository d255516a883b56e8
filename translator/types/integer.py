"""smallint, integer, bigint: stored as INTEGER, the range checked whenever a value is made."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import unpack
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

# What Python's int() takes and pg_strtoint32_safe does not: spaces and digits beyond ASCII, and four separators of ASCII.
_FOREIGN = re.compile(r"[^\0-\x1b\x20-\x7f]")

# A leading integer of any of the bases, and what follows it (manual, "Numeric Constants").
_INTEGER = re.compile(
    r"[ \t\n\v\f\r]*([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[oO]((?:_?[0-7])+)|0[bB]((?:_?[01])+)|([0-9](?:_?[0-9])*))(.*)",
    re.DOTALL,
)
_BASES = (16, 8, 2, 10)


def _parse(text: str) -> tuple[int, str] | None:
    """The number that `text` begins with and what follows it; None where it begins with none."""
    match = _INTEGER.match(text)
    if match is None:
        return None
    sign, *digits, rest = match.groups()
    # More digits than any of the types has: the value is out of range, and how far is all the same.
    value = next(
        int(group.replace("_", "")[:5000].lstrip("0")[:70] or "0", base)
        for group, base in zip(digits, _BASES, strict=True)
        if group
    )
    return -value if sign == "-" else value, rest


class Integer(Type):
    """What the three sizes share; `words` is PostgreSQL's name in messages."""

    sqlite_type: ClassVar[str] = "INTEGER"
    words: ClassVar[str]
    low: ClassVar[int]
    high: ClassVar[int]
    form: ClassVar[struct.Struct]

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        try:
            value = int(text)
        except ValueError:
            return self._input_other(text)
        if not self.low <= value <= self.high or _FOREIGN.search(text):
            return self._input_other(text)
        return value

    def _input_other(self, text: str) -> int:
        """Other bases, and whatever is wrong. Digits are read before what follows them, so out of range is found first."""
        parsed = _parse(text)
        if parsed is not None:
            value, rest = parsed
            if not self.low <= value <= self.high:
                message = f'value "{text}" is out of range for type {self.words}'
                raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, message)
            if not rest.strip(" \t\n\v\f\r"):
                return value
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {self.words}: "{text}"')

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return unpack(self.form, data)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return self.form.pack(value)


class Int2(Integer):
    oid = 21
    name = "int2"
    words = "smallint"
    low, high = -(2**15), 2**15 - 1
    form = struct.Struct("!h")


class Int4(Integer):
    oid = 23
    name = "int4"
    words = "integer"
    low, high = -(2**31), 2**31 - 1
    form = struct.Struct("!i")


class Int8(Integer):
    oid = 20
    name = "int8"
    words = "bigint"
    low, high = -(2**63), 2**63 - 1
    form = struct.Struct("!q")


INT2, INT4, INT8 = Int2(), Int4(), Int8()
for _type in (INT2, INT4, INT8):
    register(_type)

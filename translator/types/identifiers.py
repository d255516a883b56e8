"""oid, xid, cid, xid8, tid and pg_lsn: identifiers that the server hands out.

oid, xid and cid are stored as INTEGER 0 … 2**32 - 1. A tid is one INTEGER, block * 65536 + offset: that sorts as PostgreSQL
does, and a rowid can serve as ctid. xid8 is INTEGER as far as SQLite's reach, and from 2**63 on ":" and 20 digits, text, which
sorts behind all integers. A pg_lsn is TEXT of both halves in 8 hexadecimal digits.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import left_over, short_message, unpack
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_UINT4 = struct.Struct("!I")
_UINT8 = struct.Struct("!Q")
_TID = struct.Struct("!IH")

# strtoul with base 0: C's notations, so a leading zero means octal.
_UNSIGNED = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))[ \t\n\v\f\r]*\Z")
_TID_TEXT = re.compile(r"[^(,)]*[(,][ \t\n\v\f\r]*([+-]?[0-9]+|),[ \t\n\v\f\r]*(\+?[0-9]+|-0+|)\)")
_LSN_TEXT = re.compile(r"([0-9a-fA-F]{1,8})/([0-9a-fA-F]{1,8})\Z")


def _syntax_error(name: str, text: str) -> SqlError:
    return SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {name}: "{text}"')


def parse_unsigned(text: str, name: str, bits: int) -> int:
    """uint32in_subr and uint64in_subr. A negative number stands for its two's complement, in 32 bits only as far as an int."""
    match = _UNSIGNED.match(text)
    if match is None:
        raise _syntax_error(name, text)
    sign, hexadecimal, octal, decimal = match.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal[:40])
    lowest = -(2**31) if bits == 32 else -(2**64) + 1
    if sign == "-":
        value = -value
    if not lowest <= value < 2**bits:
        raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, f'value "{text}" is out of range for type {name}')
    return value & (1 << bits) - 1


class Oid(Type):
    """oid; xid and cid are the same under other names."""

    oid = 26
    name = "oid"
    sqlite_type: ClassVar[str] = "INTEGER"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return parse_unsigned(text, self.name, 32)

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return unpack(_UINT4, data)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _UINT4.pack(value)


class Xid(Oid):
    oid = 28
    name = "xid"


class Cid(Oid):
    oid = 29
    name = "cid"


def store_xid8(value: int) -> int | str:
    """The stored form of a 64-bit transaction number."""
    return value if value < 2**63 else f":{value:020d}"


def load_xid8(value: Stored) -> int:
    """The transaction number of a stored form."""
    return int(value[1:]) if isinstance(value, str) else int(value)


class Xid8(Type):
    oid = 5069
    name = "xid8"
    sqlite_type: ClassVar[str] = "INTEGER"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return store_xid8(parse_unsigned(text, self.name, 64))

    def output(self, value: Stored, settings: Settings) -> str:
        return str(load_xid8(value))

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return store_xid8(unpack(_UINT8, data))

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _UINT8.pack(load_xid8(value))


class Tid(Type):
    """tid: tidin, tidout. What stands outside the parentheses is ignored, as PostgreSQL does."""

    oid = 27
    name = "tid"
    sqlite_type: ClassVar[str] = "INTEGER"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        match = _TID_TEXT.match(text)
        if match is None:
            raise _syntax_error(self.name, text)
        block, offset = int(match[1][:30] or "0"), int(match[2][:30] or "0")
        if not -(2**31) <= block < 2**32 or offset > 0xFFFF:
            raise _syntax_error(self.name, text)
        return (block % 2**32) << 16 | offset

    def output(self, value: Stored, settings: Settings) -> str:
        number = int(value)
        return f"({number >> 16},{number & 0xFFFF})"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) != _TID.size:
            raise short_message() if len(data) < _TID.size else left_over()
        block, offset = _TID.unpack(data)
        return int(block << 16 | offset)

    def send(self, value: Stored, settings: Settings) -> bytes:
        number = int(value)
        return _TID.pack(number >> 16 & 0xFFFFFFFF, number & 0xFFFF)


def store_lsn(value: int) -> str:
    """The stored form of a position in the write-ahead log."""
    return f"{value >> 32:08X}/{value & 0xFFFFFFFF:08X}"


def load_lsn(value: Stored) -> int:
    """The position of a stored form."""
    high, _, low = str(value).partition("/")
    return int(high, 16) << 32 | int(low, 16)


class PgLsn(Type):
    oid = 3220
    name = "pg_lsn"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        match = _LSN_TEXT.match(text)
        if match is None:
            raise _syntax_error(self.name, text)
        return store_lsn(int(match[1], 16) << 32 | int(match[2], 16))

    def output(self, value: Stored, settings: Settings) -> str:
        number = load_lsn(value)
        return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return store_lsn(unpack(_UINT8, data))

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _UINT8.pack(load_lsn(value))


OID, XID, CID, XID8, TID, PG_LSN = Oid(), Xid(), Cid(), Xid8(), Tid(), PgLsn()
for _type in (OID, XID, CID, XID8, TID, PG_LSN):
    register(_type)

"""Reading values of PostgreSQL's binary form (manual, "Formats and Format Codes").

`Reader` is what a type with a structured binary form reads with, `unpack` serves the types of one fixed size. A value that
is too short is 08P01, as pq_getmsg… reports it; bytes left over are 22P03, as the caller of a receive function reports.
"""

from __future__ import annotations

import struct

from translator import sqlstate
from translator.errors import SqlError

_INT2 = struct.Struct("!h")
_INT4 = struct.Struct("!i")


def short_message() -> SqlError:
    """A value that ends before its form does (pq_copymsgbytes)."""
    return SqlError(sqlstate.PROTOCOL_VIOLATION, "insufficient data left in message")


def left_over() -> SqlError:
    """A value that goes on behind its form. The session, which counts parameters, words it with the number."""
    return SqlError(sqlstate.INVALID_BINARY_REPRESENTATION, "incorrect binary data format")


def unpack(form: struct.Struct, data: bytes) -> int:
    """The number that fills `data`; float forms give their float."""
    if len(data) != form.size:
        raise short_message() if len(data) < form.size else left_over()
    value: int = form.unpack(data)[0]
    return value


class Reader:
    """A binary value and how far it has been read."""

    __slots__ = ("data", "place")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, count: int) -> bytes:
        end = self.place + count
        if count < 0 or end > len(self.data):
            raise short_message()
        taken = self.data[self.place : end]
        self.place = end
        return taken

    def int2(self) -> int:
        value: int = _INT2.unpack(self.take(2))[0]
        return value

    def int4(self) -> int:
        value: int = _INT4.unpack(self.take(4))[0]
        return value

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.place)

    def end(self) -> None:
        """Nothing may follow."""
        if self.place != len(self.data):
            raise left_over()


def text_of(data: bytes) -> str:
    """Client text as a string (pg_verify_mbstr; the client encoding is UTF-8, others are converted by the session)."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise invalid_utf8(data, error) from None
    if "\0" in text:
        raise SqlError(sqlstate.CHARACTER_NOT_IN_REPERTOIRE, 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


def invalid_utf8(data: bytes, error: UnicodeDecodeError) -> SqlError:
    """report_invalid_encoding: the bytes of the character that the first bad byte announces, as far as they are there."""
    first = data[error.start]
    length = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4 if first < 0xF8 else 1
    shown = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.start + length])
    return SqlError(sqlstate.CHARACTER_NOT_IN_REPERTOIRE, f'invalid byte sequence for encoding "UTF8": {shown}')

"""Reading and writing the primitive parts of a message: Int16, Int32, String, bytes.

A `Reader` checks every step against the end of the payload and reports an overrun as pqformat.c does, text for text.
Counts are checked before anything of that size is built, so a message cannot ask for more memory than it brought.
Writing needs no class: parts are bytes, `frame` puts type and length before them.

Strings are UTF-8. Only what PostgreSQL passes on unchecked (startup parameters, passwords) is decoded with
`surrogateescape`; `cstring` writes such text back as the bytes it came from.
"""

from collections.abc import Iterable
from struct import Struct, unpack_from
from typing import Final

INT16: Final = Struct("!h")
UINT16: Final = Struct("!H")
INT32: Final = Struct("!i")
UINT32: Final = Struct("!I")
_HEADER: Final = Struct("!ci")
_NULL: Final = b"\xff\xff\xff\xff"

INSUFFICIENT_DATA: Final = "insufficient data left in message"
INVALID_FORMAT: Final = "invalid message format"
INVALID_STRING: Final = "invalid string in message"


class DecodeError(Exception):
    """A payload does not have the form that its message type requires."""

    def __init__(self, message: str, sqlstate: str = "08P01", where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
        self.where = where


class Reader:
    """A cursor over one payload."""

    __slots__ = ("_payload", "_position")

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._position = 0

    def byte(self) -> int:
        if self._position >= len(self._payload):
            raise DecodeError("no data left in message")
        value = self._payload[self._position]
        self._position += 1
        return value

    def int16(self) -> int:
        return self._number(INT16)

    def uint16(self) -> int:
        return self._number(UINT16)

    def int32(self) -> int:
        return self._number(INT32)

    def uint32(self) -> int:
        return self._number(UINT32)

    def int16s(self) -> tuple[int, ...]:
        """A count and that many Int16: format codes. PostgreSQL reads the count as unsigned."""
        return self._numbers("h", 2, self.uint16())

    def uint32s(self, count: int) -> tuple[int, ...]:
        return self._numbers("I", 4, count)

    def cstring(self) -> str:
        """A String: UTF-8 up to a zero byte."""
        raw = self.raw_cstring()
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise DecodeError(invalid_utf8(raw, error.start), "22021") from None

    def raw_cstring(self) -> bytes:
        start = self._position
        end = self._payload.find(b"\0", start)
        if end < 0:
            raise DecodeError(INVALID_STRING)
        self._position = end + 1
        return self._payload[start:end]

    def take(self, size: int) -> bytes:
        start = self._position
        if not 0 <= size <= len(self._payload) - start:
            raise DecodeError(INSUFFICIENT_DATA)
        self._position = start + size
        return self._payload[start : start + size]

    def value(self) -> bytes | None:
        """A length and that many bytes; the length -1 is NULL."""
        size = self.int32()
        return None if size == -1 else self.take(size)

    def rest(self) -> bytes:
        start, self._position = self._position, len(self._payload)
        return self._payload[start:]

    def end(self) -> None:
        """Nothing may follow (pq_getmsgend)."""
        if self._position != len(self._payload):
            raise DecodeError(INVALID_FORMAT)

    def _number(self, form: Struct) -> int:
        start = self._position
        end = start + form.size
        if end > len(self._payload):
            raise DecodeError(INSUFFICIENT_DATA)
        self._position = end
        (number,) = form.unpack_from(self._payload, start)
        return int(number)

    def _numbers(self, code: str, width: int, count: int) -> tuple[int, ...]:
        start = self._position
        end = start + width * count
        if end > len(self._payload):
            raise DecodeError(INSUFFICIENT_DATA)
        self._position = end
        return unpack_from(f"!{count}{code}", self._payload, start)


def invalid_utf8(raw: bytes, start: int) -> str:
    """PostgreSQL's text for bytes that are not UTF-8 from `start` on (report_invalid_encoding in mbutils.c).

    It names as many bytes as the first one announces, whether or not it is they that are wrong.
    """
    lead = raw[start]
    if lead & 0xE0 == 0xC0:
        size = 2
    elif lead & 0xF0 == 0xE0:
        size = 3
    elif lead & 0xF8 == 0xF0:
        size = 4
    else:
        size = 1
    shown = " ".join(f"0x{byte:02x}" for byte in raw[start : start + size])
    return f'invalid byte sequence for encoding "UTF8": {shown}'


def frame(type_byte: bytes, payload: bytes) -> bytes:
    """A whole message: type, length of itself and the payload, payload."""
    return _HEADER.pack(type_byte, len(payload) + 4) + payload


def cstring(text: str) -> bytes:
    """A String. A zero byte inside would end it early and shift everything behind it, so it is the caller's mistake."""
    raw = text.encode("utf-8", "surrogateescape")
    if b"\0" in raw:
        raise ValueError("a string in a message cannot contain a zero byte")
    return raw + b"\0"


def int16s(numbers: Iterable[int]) -> bytes:
    """A count and that many Int16: format codes."""
    numbers = tuple(numbers)
    return UINT16.pack(len(numbers)) + b"".join(map(INT16.pack, numbers))


def uint32s(numbers: Iterable[int]) -> bytes:
    return b"".join(map(UINT32.pack, numbers))


def value(content: bytes | None) -> bytes:
    """A length and that many bytes; the length -1 is NULL."""
    return _NULL if content is None else INT32.pack(len(content)) + content


def values(contents: Iterable[bytes | None]) -> bytes:
    """A count and that many values: parameters, columns, arguments."""
    contents = tuple(contents)
    return UINT16.pack(len(contents)) + b"".join(map(value, contents))

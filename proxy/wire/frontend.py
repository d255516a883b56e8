"""The messages that a client sends: one plain class a message, in the order of a connection's life.

A startup packet has no type byte; its payload is what follows the length: a code, then the rest. CopyData and CopyDone
are in `message`, for both sides send them. Where PostgreSQL is lenient or strict with a body, so is the decoder here,
and with the same text.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from proxy.wire.buffer import (
    INSUFFICIENT_DATA,
    INT16,
    INT32,
    INVALID_FORMAT,
    INVALID_STRING,
    UINT16,
    UINT32,
    DecodeError,
    Reader,
    cstring,
    frame,
    int16s,
    invalid_utf8,
    uint32s,
    value,
    values,
)
from proxy.wire.message import CopyData, CopyDone, Message

PROTOCOL_3_0: Final = 3 << 16
PROTOCOL_3_2: Final = 3 << 16 | 2
CANCEL_REQUEST_CODE: Final = 80877102
SSL_REQUEST_CODE: Final = 80877103
GSSENC_REQUEST_CODE: Final = 80877104
MAX_CANCEL_KEY_LENGTH: Final = 256  # MAX_CANCEL_KEY_LENGTH in pqcomm.h


# Startup packets.


@dataclass(slots=True)
class StartupMessage(Message):
    """Asks for a session; `protocol_version` is major << 16 | minor."""

    protocol_version: int = PROTOCOL_3_0
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        strings = payload[4:].split(b"\0")
        # The list ends with an empty name; behind its zero byte nothing follows, so the split ends in two empty parts.
        names, contents = strings[:-2:2], strings[1:-2:2]
        if strings[-2:] != [b"", b""] or len(names) != len(contents) or b"" in names:
            raise DecodeError("invalid startup packet layout: expected terminator as last byte")
        parameters = {
            name.decode("utf-8", "surrogateescape"): content.decode("utf-8", "surrogateescape")
            for name, content in zip(names, contents, strict=True)
        }
        return cls(int.from_bytes(payload[:4]), parameters)

    def encode(self) -> bytes:
        strings = b"".join(cstring(name) + cstring(content) for name, content in self.parameters.items())
        return _startup_packet(self.protocol_version, strings + b"\0")


@dataclass(slots=True)
class SSLRequest(Message):
    """Asks whether TLS may start; answered by an EncryptionResponse."""

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls()  # PostgreSQL does not look behind the code

    def encode(self) -> bytes:
        return _startup_packet(SSL_REQUEST_CODE, b"")


@dataclass(slots=True)
class GSSENCRequest(Message):
    """Asks whether GSSAPI encryption may start; answered by an EncryptionResponse."""

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls()  # as SSLRequest

    def encode(self) -> bytes:
        return _startup_packet(GSSENC_REQUEST_CODE, b"")


@dataclass(slots=True)
class CancelRequest(Message):
    """Asks to cancel what the session with this key is doing. The key has 4 bytes in 3.0, up to 256 since 3.2."""

    process_id: int
    secret_key: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """PostgreSQL takes a key of any length from 1 on, and compares (ProcessCancelRequestPacket)."""
        if len(payload) < 8:
            raise DecodeError("invalid length of query cancel packet")
        if not 1 <= len(payload) - 8 <= MAX_CANCEL_KEY_LENGTH:
            raise DecodeError("invalid length of query cancel key")
        return cls(INT32.unpack_from(payload, 4)[0], payload[8:])

    def encode(self) -> bytes:
        return _startup_packet(CANCEL_REQUEST_CODE, INT32.pack(self.process_id) + self.secret_key)


def _startup_packet(code: int, rest: bytes) -> bytes:
    return INT32.pack(len(rest) + 8) + UINT32.pack(code) + rest


# Answers to an authentication request. They share the type byte 'p'; the request decides which of them it is.


@dataclass(slots=True)
class PasswordMessage(Message):
    TYPE: ClassVar[bytes] = b"p"
    password: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        if not payload or payload.find(b"\0") != len(payload) - 1:
            raise DecodeError("invalid password packet size")
        return cls(payload[:-1].decode("utf-8", "surrogateescape"))

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.password))


@dataclass(slots=True)
class SASLInitialResponse(Message):
    TYPE: ClassVar[bytes] = b"p"
    mechanism: str
    data: bytes | None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        mechanism = reader.raw_cstring().decode("utf-8", "surrogateescape")
        data = reader.value()
        reader.end()
        return cls(mechanism, data)

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.mechanism) + value(self.data))


@dataclass(slots=True)
class SASLResponse(Message):
    TYPE: ClassVar[bytes] = b"p"
    data: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(payload)

    def encode(self) -> bytes:
        return frame(self.TYPE, self.data)


@dataclass(slots=True)
class GSSResponse(Message):
    TYPE: ClassVar[bytes] = b"p"
    data: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(payload)

    def encode(self) -> bytes:
        return frame(self.TYPE, self.data)


# Simple query and function call.


@dataclass(slots=True)
class Query(Message):
    TYPE: ClassVar[bytes] = b"Q"
    query: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        query = reader.cstring()
        reader.end()
        return cls(query)

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.query))


@dataclass(slots=True)
class FunctionCall(Message):
    TYPE: ClassVar[bytes] = b"F"
    function_oid: int
    argument_formats: tuple[int, ...]
    arguments: list[bytes | None]
    result_format: int

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        function_oid = reader.uint32()
        argument_formats = reader.int16s()
        arguments = [_argument(reader) for _ in range(reader.uint16())]
        result_format = reader.int16()
        reader.end()
        return cls(function_oid, argument_formats, arguments, result_format)

    def encode(self) -> bytes:
        head = UINT32.pack(self.function_oid) + int16s(self.argument_formats)
        return frame(self.TYPE, head + values(self.arguments) + INT16.pack(self.result_format))


def _argument(reader: Reader) -> bytes | None:
    """An argument of FunctionCall, which has a text of its own for a bad length (parse_fcall_arguments)."""
    size = reader.int32()
    if size == -1:
        return None
    if size < -1:
        raise DecodeError(f"invalid argument size {size} in function call message")
    return reader.take(size)


# Extended query.


@dataclass(slots=True)
class Parse(Message):
    TYPE: ClassVar[bytes] = b"P"
    statement: str
    query: str
    parameter_types: tuple[int, ...] = ()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        statement = reader.cstring()
        query = reader.cstring()
        parameter_types = reader.uint32s(reader.uint16())
        reader.end()
        return cls(statement, query, parameter_types)

    def encode(self) -> bytes:
        types = UINT16.pack(len(self.parameter_types)) + uint32s(self.parameter_types)
        return frame(self.TYPE, cstring(self.statement) + cstring(self.query) + types)


@dataclass(slots=True)
class Bind(Message):
    """`parameters` holds each value as it came, NULL as None; how to read it is said by `parameter_formats`."""

    TYPE: ClassVar[bytes] = b"B"
    portal: str
    statement: str
    parameter_formats: tuple[int, ...] = ()
    parameters: list[bytes | None] = field(default_factory=list)
    result_formats: tuple[int, ...] = ()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Decode without a Reader: this runs for every query, and the method calls would cost more than the work."""
        portal_end = payload.find(b"\0")
        statement_end = payload.find(b"\0", portal_end + 1)
        if portal_end < 0 or statement_end < 0:
            raise DecodeError(INVALID_STRING)
        try:
            portal = payload[:portal_end].decode()
            statement = payload[portal_end + 1 : statement_end].decode()
        except UnicodeDecodeError as error:
            raise DecodeError(invalid_utf8(error.object, error.start), "22021") from None
        parameter_formats, position = _format_codes(payload, statement_end + 1)
        parameters, position = _parameters(payload, position, portal)
        result_formats, position = _format_codes(payload, position)
        if position != len(payload):
            raise DecodeError(INVALID_FORMAT)
        return cls(portal, statement, parameter_formats, parameters, result_formats)

    def encode(self) -> bytes:
        names = cstring(self.portal) + cstring(self.statement)
        parameters = int16s(self.parameter_formats) + values(self.parameters)
        return frame(self.TYPE, names + parameters + int16s(self.result_formats))


def _format_codes(payload: bytes, position: int) -> tuple[tuple[int, ...], int]:
    """The codes and where they end. Nearly every list has no element or one."""
    count = payload[position : position + 2]
    if count == b"\0\0":
        return (), position + 2
    if count == b"\0\1" and len(payload) >= position + 4:
        return INT16.unpack_from(payload, position + 2), position + 4
    codes = Reader(payload[position:]).int16s()
    return codes, position + 2 + 2 * len(codes)


def _parameters(payload: bytes, position: int, portal: str) -> tuple[list[bytes | None], int]:
    """The values and where they end."""
    size_at = INT32.unpack_from
    end = len(payload)
    if position + 2 > end:
        raise DecodeError(INSUFFICIENT_DATA)
    (count,) = UINT16.unpack_from(payload, position)
    position += 2
    if count * 4 > end - position:
        raise DecodeError(INSUFFICIENT_DATA)
    parameters: list[bytes | None] = []
    for _ in range(count):
        start = position + 4
        if start > end:
            raise DecodeError(INSUFFICIENT_DATA)
        (size,) = size_at(payload, position)
        if size == -1:
            parameters.append(None)
            position = start
            continue
        position = start + size
        if size < 0 or position > end:
            raise DecodeError(INSUFFICIENT_DATA, where=_parameter_context(portal, len(parameters)))
        parameters.append(payload[start:position])
    return parameters, position


def _parameter_context(portal: str, index: int) -> str:
    """As bind_param_error_callback names a parameter."""
    name = f'portal "{portal}"' if portal else "unnamed portal"
    return f"{name} parameter ${index + 1}"


@dataclass(slots=True)
class _Named(Message):
    """Describe and Close: `kind` is 'S' for a prepared statement, 'P' for a portal."""

    kind: str
    name: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        if payload == b"P\0":  # the unnamed portal: what drivers send
            return cls("P", "")
        reader = Reader(payload)
        kind = reader.byte()
        name = reader.cstring()
        reader.end()
        if kind not in b"SP":
            raise DecodeError(f"invalid {cls.__name__.upper()} message subtype {kind}")
        return cls(chr(kind), name)

    def encode(self) -> bytes:
        return frame(self.TYPE, self.kind.encode() + cstring(self.name))


class Describe(_Named):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"D"


class Close(_Named):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"C"


@dataclass(slots=True)
class Execute(Message):
    """`max_rows` is the largest number of rows to return; nought, and in PostgreSQL a negative number too, is no limit."""

    TYPE: ClassVar[bytes] = b"E"
    portal: str
    max_rows: int = 0

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        if payload == b"\0\0\0\0\0":  # the unnamed portal, all rows: what drivers send
            return cls("", 0)
        reader = Reader(payload)
        portal = reader.cstring()
        max_rows = reader.int32()
        reader.end()
        return cls(portal, max_rows)

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.portal) + INT32.pack(self.max_rows))


@dataclass(slots=True)
class Flush(Message):
    TYPE: ClassVar[bytes] = b"H"


@dataclass(slots=True)
class Sync(Message):
    TYPE: ClassVar[bytes] = b"S"


# COPY and the end.


@dataclass(slots=True)
class CopyFail(Message):
    TYPE: ClassVar[bytes] = b"f"
    message: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(Reader(payload).cstring())  # PostgreSQL does not look behind the string (CopyGetData)

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.message))


@dataclass(slots=True)
class Terminate(Message):
    TYPE: ClassVar[bytes] = b"X"

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls()  # nobody looks at the body


# What may arrive once the session is authenticated. The two requests before that, startup packet and answer to an
# authentication request, are told apart by the phase of the connection, not by a byte.
BY_TYPE: Final[dict[int, type[Message]]] = {
    kind.TYPE[0]: kind
    for kind in (
        *(Query, FunctionCall, Parse, Bind, Describe, Close, Execute, Flush, Sync),
        *(CopyData, CopyDone, CopyFail, Terminate),
    )
}

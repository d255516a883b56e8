"""The messages that a server sends: one plain class a message, in the order of a connection's life.

CopyData and CopyDone are in `message`, for both sides send them; the authentication requests, which share the type
byte 'R', are in `authentication`. Messages that never differ stand at the end, already encoded.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from proxy.wire.authentication import AuthenticationRequest
from proxy.wire.buffer import (
    INT16,
    INT32,
    INVALID_FORMAT,
    UINT16,
    UINT32,
    DecodeError,
    Reader,
    cstring,
    frame,
    int16s,
    uint32s,
    value,
    values,
)
from proxy.wire.message import CopyData, CopyDone, Message


@dataclass(slots=True)
class EncryptionResponse(Message):
    """The one byte that answers SSLRequest and GSSENCRequest: 'S' or 'G' for yes, 'N' for no. It has no frame."""

    answer: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        if payload not in (b"S", b"G", b"N"):
            raise DecodeError("received invalid response to SSL or GSSAPI negotiation")
        return cls(payload.decode())

    def encode(self) -> bytes:
        return self.answer.encode()


@dataclass(slots=True)
class NegotiateProtocolVersion(Message):
    """The newest version that the server speaks, and the protocol options (`_pq_.`) that it does not know.

    The manual says "newest minor protocol version"; PostgreSQL sends major << 16 | minor.
    """

    TYPE: ClassVar[bytes] = b"v"
    protocol_version: int
    unrecognized_options: list[str] = field(default_factory=list)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        protocol_version = reader.uint32()
        unrecognized_options = [reader.cstring() for _ in range(reader.uint32())]
        reader.end()
        return cls(protocol_version, unrecognized_options)

    def encode(self) -> bytes:
        head = UINT32.pack(self.protocol_version) + UINT32.pack(len(self.unrecognized_options))
        return frame(self.TYPE, head + b"".join(map(cstring, self.unrecognized_options)))


@dataclass(slots=True)
class BackendKeyData(Message):
    """What CancelRequest needs. The key has 4 bytes in protocol 3.0, up to 256 since 3.2."""

    TYPE: ClassVar[bytes] = b"K"
    process_id: int
    secret_key: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        return cls(reader.int32(), reader.rest())

    def encode(self) -> bytes:
        return frame(self.TYPE, INT32.pack(self.process_id) + self.secret_key)


@dataclass(slots=True)
class ParameterStatus(Message):
    TYPE: ClassVar[bytes] = b"S"
    name: str
    value: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        name = reader.cstring()
        content = reader.cstring()
        reader.end()
        return cls(name, content)

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.name) + cstring(self.value))


@dataclass(slots=True)
class ReadyForQuery(Message):
    """`status` is the transaction status: 'I' idle, 'T' in a block, 'E' in a failed block."""

    TYPE: ClassVar[bytes] = b"Z"
    status: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        if payload not in (b"I", b"T", b"E"):
            raise DecodeError(INVALID_FORMAT)
        return cls(payload.decode())

    def encode(self) -> bytes:
        return frame(self.TYPE, self.status.encode())


# Reports.

REPORT_FIELDS: Final = {
    "S": "severity",
    "V": "severity_nonlocalized",
    "C": "code",
    "M": "message",
    "D": "detail",
    "H": "hint",
    "W": "where",
    "s": "schema_name",
    "t": "table_name",
    "c": "column_name",
    "d": "data_type_name",
    "n": "constraint_name",
    "P": "position",
    "p": "internal_position",
    "q": "internal_query",
    "F": "file",
    "L": "line",
    "R": "routine",
}
"""Field type to attribute, in the order in which PostgreSQL sends them (send_message_to_frontend in elog.c)."""


@dataclass(slots=True, kw_only=True)
class _Report(Message):
    """ErrorResponse and NoticeResponse. A field that is None is left out, `severity_nonlocalized` follows `severity`.

    Numbers (`position`, `internal_position`, `line`) are text here as they are on the wire.
    """

    severity: str
    severity_nonlocalized: str | None = None
    code: str
    message: str
    detail: str | None = None
    hint: str | None = None
    position: str | None = None
    internal_position: str | None = None
    internal_query: str | None = None
    where: str | None = None
    schema_name: str | None = None
    table_name: str | None = None
    column_name: str | None = None
    data_type_name: str | None = None
    constraint_name: str | None = None
    file: str | None = None
    line: str | None = None
    routine: str | None = None

    def __post_init__(self) -> None:
        if self.severity_nonlocalized is None:
            self.severity_nonlocalized = self.severity

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Decode as libpq does: fields of unknown type are passed over (manual, "Error and Notice Message Fields")."""
        reader = Reader(payload)
        fields = {"severity": "", "code": "", "message": ""}
        while (code := reader.byte()) != 0:
            content = reader.raw_cstring().decode("utf-8", "replace")  # sent before client_encoding is settled, too
            if (name := REPORT_FIELDS.get(chr(code))) is not None:
                fields[name] = content
        reader.end()
        return cls(**fields)

    def encode(self) -> bytes:
        parts = []
        for code, name in REPORT_FIELDS.items():
            if (text := getattr(self, name)) is not None:
                # A report must reach the client whatever it quotes: bad characters are shown, a zero byte is dropped.
                raw = text.encode("utf-8", "backslashreplace").replace(b"\0", b"")
                parts.append(code.encode() + raw + b"\0")
        return frame(self.TYPE, b"".join(parts) + b"\0")


class ErrorResponse(_Report):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"E"


class NoticeResponse(_Report):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"N"


@dataclass(slots=True)
class NotificationResponse(Message):
    TYPE: ClassVar[bytes] = b"A"
    process_id: int
    channel: str
    payload: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        process_id = reader.int32()
        channel = reader.cstring()
        content = reader.cstring()
        reader.end()
        return cls(process_id, channel, content)

    def encode(self) -> bytes:
        return frame(self.TYPE, INT32.pack(self.process_id) + cstring(self.channel) + cstring(self.payload))


# Results.


@dataclass(slots=True)
class Field:
    """One column of a RowDescription. `table_oid` and `attnum` are 0 for what is no table column."""

    name: str
    table_oid: int = 0
    attnum: int = 0
    type_oid: int = 25
    typlen: int = -1
    typmod: int = -1
    format: int = 0


@dataclass(slots=True)
class RowDescription(Message):
    TYPE: ClassVar[bytes] = b"T"
    fields: list[Field]

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        fields = [_read_field(reader) for _ in range(reader.uint16())]
        reader.end()
        return cls(fields)

    def encode(self) -> bytes:
        parts = [UINT16.pack(len(self.fields))]
        for column in self.fields:
            parts += (
                cstring(column.name),
                UINT32.pack(column.table_oid),
                INT16.pack(column.attnum),
                UINT32.pack(column.type_oid),
                INT16.pack(column.typlen),
                INT32.pack(column.typmod),
                INT16.pack(column.format),
            )
        return frame(self.TYPE, b"".join(parts))


def _read_field(reader: Reader) -> Field:
    return Field(
        name=reader.cstring(),
        table_oid=reader.uint32(),
        attnum=reader.int16(),
        type_oid=reader.uint32(),
        typlen=reader.int16(),
        typmod=reader.int32(),
        format=reader.int16(),
    )


@dataclass(slots=True)
class DataRow(Message):
    TYPE: ClassVar[bytes] = b"D"
    values: list[bytes | None]

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        columns: list[bytes | None] = [reader.value() for _ in range(reader.uint16())]
        reader.end()
        return cls(columns)

    def encode(self) -> bytes:
        return frame(self.TYPE, values(self.values))


@dataclass(slots=True)
class CommandComplete(Message):
    TYPE: ClassVar[bytes] = b"C"
    tag: str

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        tag = reader.cstring()
        reader.end()
        return cls(tag)

    def encode(self) -> bytes:
        return frame(self.TYPE, cstring(self.tag))


@dataclass(slots=True)
class EmptyQueryResponse(Message):
    TYPE: ClassVar[bytes] = b"I"


@dataclass(slots=True)
class ParseComplete(Message):
    TYPE: ClassVar[bytes] = b"1"


@dataclass(slots=True)
class BindComplete(Message):
    TYPE: ClassVar[bytes] = b"2"


@dataclass(slots=True)
class CloseComplete(Message):
    TYPE: ClassVar[bytes] = b"3"


@dataclass(slots=True)
class NoData(Message):
    TYPE: ClassVar[bytes] = b"n"


@dataclass(slots=True)
class PortalSuspended(Message):
    TYPE: ClassVar[bytes] = b"s"


@dataclass(slots=True)
class ParameterDescription(Message):
    TYPE: ClassVar[bytes] = b"t"
    parameter_types: tuple[int, ...] = ()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        parameter_types = reader.uint32s(reader.uint16())
        reader.end()
        return cls(parameter_types)

    def encode(self) -> bytes:
        return frame(self.TYPE, UINT16.pack(len(self.parameter_types)) + uint32s(self.parameter_types))


@dataclass(slots=True)
class FunctionCallResponse(Message):
    TYPE: ClassVar[bytes] = b"V"
    result: bytes | None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        result = reader.value()
        reader.end()
        return cls(result)

    def encode(self) -> bytes:
        return frame(self.TYPE, value(self.result))


@dataclass(slots=True)
class _CopyResponse(Message):
    """CopyInResponse, CopyOutResponse, CopyBothResponse: the overall format, then one format code a column."""

    format: int
    column_formats: tuple[int, ...]

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        overall = reader.byte()
        column_formats = reader.int16s()
        reader.end()
        return cls(overall, column_formats)

    def encode(self) -> bytes:
        return frame(self.TYPE, bytes((self.format,)) + int16s(self.column_formats))


class CopyInResponse(_CopyResponse):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"G"


class CopyOutResponse(_CopyResponse):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"H"


class CopyBothResponse(_CopyResponse):
    __slots__ = ()
    TYPE: ClassVar[bytes] = b"W"


# What a client may receive before AuthenticationOk, and after it.
BEFORE_AUTHENTICATION: Final[dict[int, type[Message]]] = {
    kind.TYPE[0]: kind for kind in (AuthenticationRequest, ErrorResponse, NegotiateProtocolVersion)
}
BY_TYPE: Final[dict[int, type[Message]]] = {
    kind.TYPE[0]: kind
    for kind in (
        *(BackendKeyData, ParameterStatus, ReadyForQuery),
        *(ErrorResponse, NoticeResponse, NotificationResponse),
        *(RowDescription, DataRow, CommandComplete, EmptyQueryResponse, FunctionCallResponse),
        *(ParseComplete, BindComplete, CloseComplete, NoData, PortalSuspended, ParameterDescription),
        *(CopyInResponse, CopyOutResponse, CopyBothResponse, CopyData, CopyDone),
    )
}

PARSE_COMPLETE: Final = ParseComplete().encode()
BIND_COMPLETE: Final = BindComplete().encode()
CLOSE_COMPLETE: Final = CloseComplete().encode()
NO_DATA: Final = NoData().encode()
PORTAL_SUSPENDED: Final = PortalSuspended().encode()
EMPTY_QUERY_RESPONSE: Final = EmptyQueryResponse().encode()
COPY_DONE: Final = CopyDone().encode()
READY_FOR_QUERY: Final = {status: ReadyForQuery(status).encode() for status in "ITE"}

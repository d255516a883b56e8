"""A message as a line of text, in the regress form of libpq's PQtrace.

    F	24	Parse	 "s" "select $1::int4" 0
    B	4	ParseComplete

Sender, length (as the message says it, so without the type byte), name, fields. The regress form hides what differs
from run to run: OIDs and process ids are NNNN, COPY data, keys and authentication data 'BBBB', file, line and routine
of a report "SSSS", and the length of a report is NN. Case files hold such lines, for both ends write them alike.

Two departures from libpq: control characters in strings are escaped, so that a message is always one line, and
AuthenticationOk, the salt of an MD5 request and GSSAPI's messages are shown, over which libpq stumbles.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final

from proxy.wire import authentication as auth
from proxy.wire import backend, frontend
from proxy.wire.message import CopyData, Message

_NUMBER: Final = "NNNN"
_BYTES: Final = "'BBBB'"
_SOURCE: Final = '"SSSS"'


class Sender(Enum):
    FRONTEND = "F"
    BACKEND = "B"


def trace(sender: Sender, message: Message) -> str:
    """The line for one message, without its end."""
    name = _NAMES.get(type(message), type(message).__name__)
    describe = _FIELDS.get(type(message))
    if describe is None:
        return f"{sender.value}\t{_length(message)}\t{name}"
    return f"{sender.value}\t{_length(message)}\t{name}\t {' '.join(describe(message))}"


def _length(message: Message) -> str:
    if isinstance(message, backend.ErrorResponse | backend.NoticeResponse):
        return "NN"
    return str(len(message.encode()) - len(message.TYPE))


def _quoted(text: str) -> str:
    shown = "".join(
        char if char.isprintable() else "".join(map(_hex, char.encode("utf-8", "surrogateescape"))) for char in text
    )
    return f'"{shown}"'


def _value(value: bytes | None) -> Iterable[str]:
    """A length, and the bytes if there are any."""
    if value is None:
        return ("-1",)
    shown = "".join(chr(byte) if 0x20 <= byte <= 0x7E else _hex(byte) for byte in value)
    return (str(len(value)), f"'{shown}'")


def _hex(byte: int) -> str:
    return f"\\x{byte:02x}"


def _values(values: Iterable[bytes | None]) -> Iterable[str]:
    """A count, and the values."""
    values = tuple(values)
    yield str(len(values))
    for value in values:
        yield from _value(value)


def _int16(number: int) -> str:
    """An Int16 as libpq reads it, without a sign: the typlen -1 is 65535."""
    return str(number & 0xFFFF)


def _int16s(numbers: Iterable[int]) -> Iterable[str]:
    numbers = tuple(numbers)
    return (str(len(numbers)), *map(_int16, numbers))


def _oids(oids: Iterable[int]) -> Iterable[str]:
    hidden = [_NUMBER for _ in oids]
    return (str(len(hidden)), *hidden)


def _row_description(message: backend.RowDescription) -> Iterable[str]:
    yield str(len(message.fields))
    for field in message.fields:
        yield from (_quoted(field.name), _NUMBER, _int16(field.attnum), _NUMBER)
        yield from (_int16(field.typlen), str(field.typmod), _int16(field.format))


def _report(message: backend.ErrorResponse | backend.NoticeResponse) -> Iterable[str]:
    for code, name in backend.REPORT_FIELDS.items():
        if (text := getattr(message, name)) is not None:
            yield f"{code} {_SOURCE if code in 'FLR' else _quoted(text)}"
    yield "\\x00"


def _startup_message(message: frontend.StartupMessage) -> Iterable[str]:
    yield from _code(message.protocol_version)
    for name, value in message.parameters.items():
        yield from (_quoted(name), _quoted(value))


def _code(code: int) -> Iterable[str]:
    return (str(code >> 16), str(code & 0xFFFF))


def _copy_response(message: Any) -> Iterable[str]:
    return (_hex(message.format), *_int16s(message.column_formats))


def _kind_and_name(message: Any) -> Iterable[str]:
    return (message.kind, _quoted(message.name))


def _hidden_bytes(message: Message) -> Iterable[str]:
    return (_BYTES,)


_NAMES: Final[dict[type[Message], str]] = {backend.EncryptionResponse: "SSLResponse"}

_FIELDS: Final[dict[type[Message], Callable[[Any], Iterable[str]]]] = {
    frontend.StartupMessage: _startup_message,
    frontend.SSLRequest: lambda _: _code(frontend.SSL_REQUEST_CODE),
    frontend.GSSENCRequest: lambda _: _code(frontend.GSSENC_REQUEST_CODE),
    frontend.CancelRequest: lambda _: (*_code(frontend.CANCEL_REQUEST_CODE), _NUMBER, _BYTES),
    frontend.PasswordMessage: lambda m: (_quoted(m.password),),
    frontend.SASLInitialResponse: lambda m: (
        _quoted(m.mechanism),
        *(("-1",) if m.data is None else (str(len(m.data)), _BYTES)),
    ),
    frontend.SASLResponse: _hidden_bytes,
    frontend.GSSResponse: _hidden_bytes,
    frontend.Query: lambda m: (_quoted(m.query),),
    frontend.FunctionCall: lambda m: (
        *(_NUMBER, *_int16s(m.argument_formats)),
        *(*_values(m.arguments), _int16(m.result_format)),
    ),
    frontend.Parse: lambda m: (_quoted(m.statement), _quoted(m.query), *_oids(m.parameter_types)),
    frontend.Bind: lambda m: (
        *(_quoted(m.portal), _quoted(m.statement)),
        *(*_int16s(m.parameter_formats), *_values(m.parameters), *_int16s(m.result_formats)),
    ),
    frontend.Describe: _kind_and_name,
    frontend.Close: _kind_and_name,
    frontend.Execute: lambda m: (_quoted(m.portal), str(m.max_rows)),
    frontend.CopyFail: lambda m: (_quoted(m.message),),
    CopyData: _hidden_bytes,
    auth.AuthenticationMD5Password: _hidden_bytes,
    auth.AuthenticationSASL: lambda m: (*map(_quoted, m.mechanisms), '""'),
    auth.AuthenticationSASLContinue: _hidden_bytes,
    auth.AuthenticationSASLFinal: _hidden_bytes,
    auth.AuthenticationGSSContinue: _hidden_bytes,
    backend.EncryptionResponse: lambda m: (m.answer,),
    backend.NegotiateProtocolVersion: lambda m: (
        *(str(m.protocol_version), str(len(m.unrecognized_options))),
        *map(_quoted, m.unrecognized_options),
    ),
    backend.BackendKeyData: lambda _: (_NUMBER, _BYTES),
    backend.ParameterStatus: lambda m: (_quoted(m.name), _quoted(m.value)),
    backend.ReadyForQuery: lambda m: (m.status,),
    backend.ErrorResponse: _report,
    backend.NoticeResponse: _report,
    backend.NotificationResponse: lambda m: (_NUMBER, _quoted(m.channel), _quoted(m.payload)),
    backend.RowDescription: _row_description,
    backend.DataRow: lambda m: _values(m.values),
    backend.CommandComplete: lambda m: (_quoted(m.tag),),
    backend.ParameterDescription: lambda m: _oids(m.parameter_types),
    backend.FunctionCallResponse: lambda m: _value(m.result),
    backend.CopyInResponse: _copy_response,
    backend.CopyOutResponse: _copy_response,
    backend.CopyBothResponse: _copy_response,
}

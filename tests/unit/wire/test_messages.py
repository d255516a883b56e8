"""One table of all messages: the object, its bytes, its line in a trace. Every test below runs over the whole table."""

from __future__ import annotations

import inspect
from struct import pack
from typing import Final

import pytest

from proxy.wire import authentication as auth
from proxy.wire import backend, frontend, message
from proxy.wire.errors import MalformedMessage, ProtocolError
from proxy.wire.message import Message
from proxy.wire.protocol import Protocol, Role
from proxy.wire.trace import Sender, trace

FIELD = backend.Field("id", 16384, 1, 23, 4, -1, 0)
REPORT = {"severity": "ERROR", "code": "23505", "message": "no"}
ALL_FIELDS = {name: f"<{code}>" for code, name in backend.REPORT_FIELDS.items()}

# message, payload (what follows type and length), fields of the trace line
FRONTEND: Final[list[tuple[Message, bytes, str]]] = [
    (
        frontend.StartupMessage(196608, {"user": "a", "database": ""}),
        b"\0\3\0\0user\0a\0database\0\0\0",
        '3 0 "user" "a" "database" ""',
    ),
    (frontend.StartupMessage(196610, {}), b"\0\3\0\2\0", "3 2"),
    (frontend.StartupMessage(196608, {"user": "\udcff"}), b"\0\3\0\0user\0\xff\0\0", r'3 0 "user" "\xff"'),
    (frontend.SSLRequest(), b"\4\xd2\x16\x2f", "1234 5679"),
    (frontend.GSSENCRequest(), b"\4\xd2\x16\x30", "1234 5680"),
    (frontend.CancelRequest(7, b"keys"), b"\4\xd2\x16\x2e\0\0\0\7keys", "1234 5678 NNNN 'BBBB'"),
    (frontend.CancelRequest(-7, b"k" * 256), b"\4\xd2\x16\x2e\xff\xff\xff\xf9" + b"k" * 256, "1234 5678 NNNN 'BBBB'"),
    (frontend.PasswordMessage("pässword"), "pässword\0".encode(), '"pässword"'),
    (frontend.PasswordMessage("\udcff"), b"\xff\0", r'"\xff"'),
    (frontend.SASLInitialResponse("SCRAM-SHA-256", b"n,,"), b"SCRAM-SHA-256\0\0\0\0\3n,,", "\"SCRAM-SHA-256\" 3 'BBBB'"),
    (frontend.SASLInitialResponse("X", None), b"X\0\xff\xff\xff\xff", '"X" -1'),
    (frontend.SASLResponse(b"c=biws"), b"c=biws", "'BBBB'"),
    (frontend.GSSResponse(b"\0\1"), b"\0\1", "'BBBB'"),
    (frontend.Query("select 'é'\n"), "select 'é'\n\0".encode(), "\"select 'é'\\x0a\""),
    (frontend.Query(""), b"\0", '""'),
    (
        frontend.FunctionCall(177, (0, 1), [b"1", None], 1),
        b"\0\0\0\xb1\0\2\0\0\0\1\0\2\0\0\0\x011\xff\xff\xff\xff\0\1",
        "NNNN 2 0 1 2 1 '1' -1 1",
    ),
    (frontend.Parse("s", "select $1"), b"s\0select $1\0\0\0", '"s" "select $1" 0'),
    (frontend.Parse("", "é", (23, 4294967295)), b"\0\xc3\xa9\0\0\2\0\0\0\x17\xff\xff\xff\xff", '"" "é" 2 NNNN NNNN'),
    (frontend.Bind("", "s"), b"\0s\0\0\0\0\0\0\0", '"" "s" 0 0 0'),
    (
        frontend.Bind("p", "", (1,), [b"\0\xff'", None, b""], (1,)),
        b"p\0\0\0\1\0\1\0\3\0\0\0\3\0\xff'\xff\xff\xff\xff\0\0\0\0\0\1\0\1",
        "\"p\" \"\" 1 1 3 3 '\\x00\\xff'' -1 0 '' 1 1",
    ),
    (
        frontend.Bind("", "", (0, 1), [b"a", b"b"], (0, -1)),
        b"\0\0\0\2\0\0\0\1\0\2\0\0\0\1a\0\0\0\1b\0\2\0\0\xff\xff",
        "\"\" \"\" 2 0 1 2 1 'a' 1 'b' 2 0 65535",
    ),
    (frontend.Describe("S", "s"), b"Ss\0", 'S "s"'),
    (frontend.Close("P", ""), b"P\0", 'P ""'),
    (frontend.Execute(""), b"\0\0\0\0\0", '"" 0'),
    (frontend.Execute("p", -1), b"p\0\xff\xff\xff\xff", '"p" -1'),
    (frontend.Flush(), b"", ""),
    (frontend.Sync(), b"", ""),
    (frontend.CopyFail("why"), b"why\0", '"why"'),
    (frontend.Terminate(), b"", ""),
    (message.CopyData(b"1\tx\n"), b"1\tx\n", "'BBBB'"),
    (message.CopyDone(), b"", ""),
]

BACKEND: Final[list[tuple[Message, bytes, str]]] = [
    (backend.EncryptionResponse("N"), b"N", "N"),
    (auth.AuthenticationOk(), b"\0\0\0\0", ""),
    (auth.AuthenticationKerberosV5(), b"\0\0\0\2", ""),
    (auth.AuthenticationCleartextPassword(), b"\0\0\0\3", ""),
    (auth.AuthenticationMD5Password(b"salt"), b"\0\0\0\5salt", "'BBBB'"),
    (auth.AuthenticationGSS(), b"\0\0\0\7", ""),
    (auth.AuthenticationGSSContinue(b"token"), b"\0\0\0\x08token", "'BBBB'"),
    (auth.AuthenticationSSPI(), b"\0\0\0\x09", ""),
    (auth.AuthenticationSASL(["SCRAM-SHA-256"]), b"\0\0\0\x0aSCRAM-SHA-256\0\0", '"SCRAM-SHA-256" ""'),
    (auth.AuthenticationSASLContinue(b"r=x"), b"\0\0\0\x0br=x", "'BBBB'"),
    (auth.AuthenticationSASLFinal(b"v=x"), b"\0\0\0\x0cv=x", "'BBBB'"),
    (backend.NegotiateProtocolVersion(196610, ["_pq_.a"]), b"\0\3\0\2\0\0\0\1_pq_.a\0", '196610 1 "_pq_.a"'),
    (backend.BackendKeyData(1, b"k" * 32), b"\0\0\0\1" + b"k" * 32, "NNNN 'BBBB'"),
    (backend.ParameterStatus("TimeZone", "UTC"), b"TimeZone\0UTC\0", '"TimeZone" "UTC"'),
    (backend.ReadyForQuery("T"), b"T", "T"),
    (
        backend.ErrorResponse(**REPORT, position="1"),
        b"SERROR\0VERROR\0C23505\0Mno\0P1\0\0",
        'S "ERROR" V "ERROR" C "23505" M "no" P "1" \\x00',
    ),
    (
        backend.ErrorResponse(**ALL_FIELDS),
        b"".join(f"{code}<{code}>\0".encode() for code in "SVCMDHWstcdnPpqFLR") + b"\0",
        " ".join(f'{code} "<{code}>"' for code in "SVCMDHWstcdnPpq") + ' F "SSSS" L "SSSS" R "SSSS" \\x00',
    ),
    (
        backend.NoticeResponse(severity="NOTIZ", severity_nonlocalized="NOTICE", code="00000", message=""),
        b"SNOTIZ\0VNOTICE\0C00000\0M\0\0",
        'S "NOTIZ" V "NOTICE" C "00000" M "" \\x00',
    ),
    (backend.NotificationResponse(9, "c", "p"), b"\0\0\0\x09c\0p\0", 'NNNN "c" "p"'),
    (
        backend.RowDescription([FIELD, backend.Field("?column?")]),
        b"\0\2id\0\0\0\x40\0\0\1\0\0\0\x17\0\4\xff\xff\xff\xff\0\0?column?\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0",
        '2 "id" NNNN 1 NNNN 4 -1 0 "?column?" NNNN 0 NNNN 65535 -1 0',
    ),
    (backend.DataRow([b"1", None, b""]), b"\0\3\0\0\0\x011\xff\xff\xff\xff\0\0\0\0", "3 1 '1' -1 0 ''"),
    (backend.CommandComplete("INSERT 0 1"), b"INSERT 0 1\0", '"INSERT 0 1"'),
    (backend.EmptyQueryResponse(), b"", ""),
    (backend.ParseComplete(), b"", ""),
    (backend.BindComplete(), b"", ""),
    (backend.CloseComplete(), b"", ""),
    (backend.NoData(), b"", ""),
    (backend.PortalSuspended(), b"", ""),
    (backend.ParameterDescription((23, 25)), b"\0\2\0\0\0\x17\0\0\0\x19", "2 NNNN NNNN"),
    (backend.FunctionCallResponse(b"12"), b"\0\0\0\x0212", "2 '12'"),
    (backend.FunctionCallResponse(None), b"\xff\xff\xff\xff", "-1"),
    (backend.CopyInResponse(0, (0, 0)), b"\0\0\2\0\0\0\0", r"\x00 2 0 0"),
    (backend.CopyOutResponse(1, (1,)), b"\1\0\1\0\1", r"\x01 1 1"),
    (backend.CopyBothResponse(0, ()), b"\0\0\0", r"\x00 0"),
    (message.CopyData(b""), b"", "'BBBB'"),
    (message.CopyDone(), b"", ""),
]

STARTUP_PACKETS = (frontend.StartupMessage, frontend.SSLRequest, frontend.GSSENCRequest, frontend.CancelRequest)
PASSWORDS: Final[dict[type[Message], Message]] = {
    frontend.PasswordMessage: auth.AuthenticationMD5Password(b"salt"),
    frontend.SASLInitialResponse: auth.AuthenticationSASL(["SCRAM-SHA-256"]),
    frontend.SASLResponse: auth.AuthenticationSASLContinue(b""),
    frontend.GSSResponse: auth.AuthenticationGSS(),
}
ROWS = [(Sender.FRONTEND, *row) for row in FRONTEND] + [(Sender.BACKEND, *row) for row in BACKEND]
IDS = [f"{type(row[1]).__name__}-{index}" for index, row in enumerate(ROWS)]
every_row = pytest.mark.parametrize(("sender", "expected", "payload", "fields"), ROWS, ids=IDS)


def frame(of: Message, payload: bytes) -> bytes:
    """The whole message as the manual describes it, built without the code under test."""
    if isinstance(of, backend.EncryptionResponse):
        return payload
    return of.TYPE + pack("!i", len(payload) + 4) + payload


def server(request: Message | None = None) -> Protocol:
    """A server that has read a startup message and sent `request`."""
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(frontend.StartupMessage(parameters={"user": "u"}).encode())
    assert isinstance(protocol.next_message(), frontend.StartupMessage)
    protocol.send(request or auth.AuthenticationOk())
    return protocol


def client() -> Protocol:
    """A client whose login succeeded."""
    protocol = Protocol(Role.CLIENT)
    protocol.send(frontend.StartupMessage())
    protocol.receive_data(auth.AuthenticationOk().encode())
    assert protocol.next_message() == auth.AuthenticationOk()
    return protocol


def awaiting(sender: Sender, expected: Message) -> Protocol:
    """A peer in the phase in which `expected` may come."""
    if isinstance(expected, STARTUP_PACKETS):
        return Protocol(Role.SERVER)
    if sender is Sender.FRONTEND:
        return server(PASSWORDS.get(type(expected)))
    if isinstance(expected, backend.EncryptionResponse):
        protocol = Protocol(Role.CLIENT)
        protocol.send(frontend.SSLRequest())
        return protocol
    if isinstance(expected, auth.AuthenticationRequest | backend.NegotiateProtocolVersion):
        protocol = Protocol(Role.CLIENT)
        protocol.send(frontend.StartupMessage())
        return protocol
    return client()


@every_row
def test_encode_and_decode(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    assert expected.encode() == frame(expected, payload)
    decoded = type(expected).decode(payload)
    assert decoded == expected
    assert type(decoded) is type(expected)


@every_row
def test_received_whole(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    protocol = awaiting(sender, expected)
    protocol.receive_data(expected.encode())
    assert protocol.next_message() == expected
    assert protocol.next_message() is None


@every_row
def test_received_byte_by_byte(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    protocol = awaiting(sender, expected)
    raw = expected.encode()
    for byte in raw[:-1]:
        protocol.receive_data(bytes((byte,)))
        assert protocol.next_message() is None
    protocol.receive_data(raw[-1:])
    assert protocol.next_message() == expected


@every_row
def test_received_in_two_pieces_with_the_next_behind(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    raw = expected.encode()
    ends_its_phase = isinstance(expected, backend.EncryptionResponse | auth.AuthenticationOk)
    behind = b"" if ends_its_phase else raw
    for cut in range(1, len(raw)):
        protocol = awaiting(sender, expected)
        protocol.receive_data(raw[:cut])
        assert protocol.next_message() is None
        protocol.receive_data(raw[cut:] + behind)
        assert protocol.next_message() == expected
        if behind and protocol._established:
            assert protocol.next_message() == expected
            assert protocol.next_message() is None


@every_row
def test_body_cut_at_every_length(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    """A shorter body in a correct frame is a message or one error, and after a MalformedMessage life goes on."""
    for cut in range(len(payload)):
        protocol = awaiting(sender, expected)
        protocol.receive_data(frame(expected, payload[:cut]))
        item = protocol.next_message()
        match item:
            case MalformedMessage():
                assert item.type == expected.TYPE
                assert item.sqlstate in ("08P01", "22021")
                protocol.receive_data(frontend.Sync().encode())
                assert protocol.next_message() == frontend.Sync()
            case ProtocolError():
                assert protocol.next_message() is None
            case _:
                # A body of free form, or a startup packet that is too short to be any.
                assert item is None or hasattr(item, "data") or hasattr(item, "secret_key")


@every_row
def test_body_with_a_byte_too_many(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    protocol = awaiting(sender, expected)
    protocol.receive_data(frame(expected, payload + b"x"))
    item = protocol.next_message()
    if isinstance(item, MalformedMessage | ProtocolError):
        return
    assert item is not None
    lenient = (frontend.SSLRequest, frontend.GSSENCRequest, frontend.CopyFail, frontend.Terminate, message.CopyDone)
    assert isinstance(item, lenient) or item.encode() == frame(expected, payload + b"x")


@every_row
def test_trace(sender: Sender, expected: Message, payload: bytes, fields: str) -> None:
    start, length, rest = trace(sender, expected).split("\t", 2)
    assert start == sender.value
    report = isinstance(expected, backend.ErrorResponse | backend.NoticeResponse)
    assert length == ("NN" if report else str(len(expected.encode()) - len(expected.TYPE)))
    name = "SSLResponse" if isinstance(expected, backend.EncryptionResponse) else type(expected).__name__
    assert rest == (f"{name}\t {fields}" if fields else name)


def test_every_message_has_a_row() -> None:
    kinds = {
        kind
        for module in (message, frontend, backend, auth)
        for name, kind in vars(module).items()
        if inspect.isclass(kind) and issubclass(kind, Message) and not name.startswith("_")
    }
    abstract = {Message, auth.AuthenticationRequest}
    assert kinds - abstract == {type(row[1]) for row in ROWS}


def test_a_message_without_a_type_byte_or_in_one_direction_only_is_not_accepted_from_the_other() -> None:
    assert set(frontend.BY_TYPE.values()) & set(backend.BY_TYPE.values()) == {message.CopyData, message.CopyDone}
    assert len({kind.TYPE for kind in frontend.BY_TYPE.values()}) == len(frontend.BY_TYPE)


def test_constants_are_the_messages() -> None:
    assert backend.PARSE_COMPLETE == b"1\0\0\0\4"
    assert backend.BIND_COMPLETE == b"2\0\0\0\4"
    assert backend.CLOSE_COMPLETE == b"3\0\0\0\4"
    assert backend.NO_DATA == b"n\0\0\0\4"
    assert backend.PORTAL_SUSPENDED == b"s\0\0\0\4"
    assert backend.EMPTY_QUERY_RESPONSE == b"I\0\0\0\4"
    assert backend.COPY_DONE == b"c\0\0\0\4"
    assert {status: b"Z\0\0\0\5" + status.encode() for status in "ITE"} == backend.READY_FOR_QUERY


def test_unknown_fields_of_a_report_are_passed_over() -> None:
    report = backend.ErrorResponse.decode(b"SERROR\0C42601\0Mm\xff\0z?\0\0")
    assert report == backend.ErrorResponse(severity="ERROR", code="42601", message="m\ufffd")


def test_a_report_reaches_the_client_whatever_it_quotes() -> None:
    report = backend.ErrorResponse(severity="ERROR", code="42601", message="a\0b\udcffc\ud800")
    assert report.encode()[5:] == b"SERROR\0VERROR\0C42601\0Mab\\udcffc\\ud800\0\0"


def test_a_string_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        frontend.Query("a\0b").encode()

"""The phases of a connection, from both ends; what ends it, and with what words. Recorded from PostgreSQL 18."""

from __future__ import annotations

from struct import pack

import pytest

from proxy.wire import authentication as auth
from proxy.wire import backend, frontend
from proxy.wire.errors import Answer, MalformedMessage, ProtocolError
from proxy.wire.message import CopyData, Message
from proxy.wire.protocol import Protocol, Role

STARTUP = frontend.StartupMessage(parameters={"user": "someone"})
LAYOUT = ProtocolError("invalid startup packet layout: expected terminator as last byte")
STARTUP_LENGTH = ProtocolError("invalid length of startup packet", answer=Answer.NONE)
LENGTH = ProtocolError("invalid message length", answer=Answer.NONE)
DETAIL = "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack."


def server(request: Message | None = None) -> Protocol:
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(STARTUP.encode())
    assert protocol.next_message() == STARTUP
    protocol.send(request or auth.AuthenticationOk())
    protocol.data_to_send()
    return protocol


def client() -> Protocol:
    protocol = Protocol(Role.CLIENT)
    protocol.send(STARTUP)
    protocol.receive_data(auth.AuthenticationOk().encode())
    assert protocol.next_message() == auth.AuthenticationOk()
    protocol.data_to_send()
    return protocol


def end(protocol: Protocol, data: bytes) -> object:
    """What `data` gives, having checked that nothing comes after it."""
    protocol.receive_data(data)
    item = protocol.next_message()
    assert protocol.next_message() is None
    protocol.receive_data(STARTUP.encode() + frontend.Sync().encode())
    assert protocol.next_message() is None
    return item


def packet(code: int, rest: bytes = b"", length: int | None = None) -> bytes:
    return pack("!iI", len(rest) + 8 if length is None else length, code) + rest


# Startup packets


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        packet(196608, length=4),
        packet(196608, length=7),
        packet(196608, length=0),
        packet(196608, length=-1),
        packet(196608, length=10005),
    ],
)
def test_a_first_packet_of_impossible_length_is_not_answered(data: bytes) -> None:
    assert end(Protocol(Role.SERVER), data) == STARTUP_LENGTH
    assert STARTUP_LENGTH.encode() == b""


@pytest.mark.parametrize(
    "rest",
    [b"", b"user\0a\0", b"user\0a\0\0abc", b"user\0", b"user\0\0", b"\0\0\0", b"\0x\0\0", b"a" * 9996, b"user\0a\0\0\0"],
)
def test_a_startup_message_that_does_not_end_as_it_should(rest: bytes) -> None:
    assert end(Protocol(Role.SERVER), packet(196608, rest)) == LAYOUT


@pytest.mark.parametrize(
    ("code", "version", "answer"),
    [
        (0, "0.0", Answer.ERROR_RESPONSE),
        (5, "0.5", Answer.LEGACY),
        (0x10005, "1.5", Answer.LEGACY),
        (0x2FFFF, "2.65535", Answer.LEGACY),
        (0x40000, "4.0", Answer.ERROR_RESPONSE),
        (0x4D20000, "1234.0", Answer.ERROR_RESPONSE),
        (0xFFFFFFFF, "65535.65535", Answer.ERROR_RESPONSE),
    ],
)
def test_other_major_versions(code: int, version: str, answer: Answer) -> None:
    text = f"unsupported frontend protocol {version}: server supports 3.0 to 3.2"
    assert end(Protocol(Role.SERVER), packet(code, b"\0")) == ProtocolError(text, "0A000", answer=answer)


@pytest.mark.parametrize("minor", [0, 1, 2, 3, 9999, 65535])
def test_all_minor_versions_are_taken(minor: int) -> None:
    """Which one is spoken is the session's to negotiate."""
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(packet(3 << 16 | minor, b"user\0a\0\0"))
    assert protocol.next_message() == frontend.StartupMessage(3 << 16 | minor, {"user": "a"})


def test_what_is_sent_before_the_connection_ends() -> None:
    error = ProtocolError("no", detail="d")
    assert error.encode() == b"E\0\0\0\x21SFATAL\0VFATAL\0C08P01\0Mno\0Dd\0\0"
    assert ProtocolError("no", answer=Answer.LEGACY).encode() == b"EFATAL:  no\n\0"
    protocol = server()
    protocol.send(error)
    assert protocol.data_to_send() == error.encode()


def test_encryption_is_asked_for_at_most_once_each() -> None:
    protocol = Protocol(Role.SERVER)
    for request in (frontend.GSSENCRequest(), frontend.SSLRequest()):
        protocol.receive_data(request.encode())
        assert protocol.next_message() == request
        assert protocol.next_message() is None
        protocol.send(backend.EncryptionResponse("N"))
        assert protocol.data_to_send() == b"N"
    text = "unsupported frontend protocol 1234.5680: server supports 3.0 to 3.2"
    assert end(protocol, frontend.GSSENCRequest().encode()) == ProtocolError(text, "0A000")


@pytest.mark.parametrize(
    ("request_", "name"), [(frontend.SSLRequest(), "SSL"), (frontend.GSSENCRequest(), "GSSAPI encryption")]
)
@pytest.mark.parametrize("together", [True, False])
def test_nothing_may_follow_an_encryption_request_unasked(request_: Message, name: str, together: bool) -> None:
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(request_.encode() + STARTUP.encode() * together)
    assert protocol.next_message() == request_
    protocol.receive_data(STARTUP.encode() * (not together))
    assert protocol.next_message() is None
    protocol.send(backend.EncryptionResponse("S"))
    error = ProtocolError(f"received unencrypted data after {name} request", detail=DETAIL)
    assert end(protocol, b"") == error


def test_a_startup_message_after_a_refused_encryption_request() -> None:
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(frontend.SSLRequest().encode())
    assert protocol.next_message() == frontend.SSLRequest()
    protocol.send(backend.EncryptionResponse("N"))
    protocol.receive_data(STARTUP.encode())
    assert protocol.next_message() == STARTUP


@pytest.mark.parametrize("size", [1, 4, 32, 256])
def test_cancel_keys_of_any_length(size: int) -> None:
    request = frontend.CancelRequest(1, b"k" * size)
    assert end(Protocol(Role.SERVER), request.encode() + b"ignored") == request


@pytest.mark.parametrize(
    ("rest", "what"), [(b"", "packet"), (b"abc", "packet"), (b"\0\0\0\1", "key"), (b"\0\0\0\1" + b"k" * 257, "key")]
)
def test_a_bad_cancel_request_is_not_answered(rest: bytes, what: str) -> None:
    error = ProtocolError(f"invalid length of query cancel {what}", answer=Answer.NONE)
    assert end(Protocol(Role.SERVER), packet(80877102, rest)) == error


# Authentication


def test_what_comes_before_the_server_has_spoken_waits() -> None:
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(STARTUP.encode() + frontend.Query("a").encode())
    assert protocol.next_message() == STARTUP
    assert protocol.next_message() is None
    protocol.receive_data(frontend.Query("b").encode())
    assert protocol.next_message() is None
    protocol.send(backend.NegotiateProtocolVersion(196610))
    assert protocol.next_message() is None
    protocol.send(auth.AuthenticationOk())
    assert [protocol.next_message() for _ in range(3)] == [frontend.Query("a"), frontend.Query("b"), None]


@pytest.mark.parametrize(
    ("request_", "name", "limit"),
    [
        (auth.AuthenticationCleartextPassword(), "password", 65535),
        (auth.AuthenticationMD5Password(b"salt"), "password", 65535),
        (auth.AuthenticationGSS(), "GSS", 65535),
        (auth.AuthenticationSSPI(), "GSS", 65535),
        (auth.AuthenticationGSSContinue(b""), "GSS", 65535),
        (auth.AuthenticationSASL(["SCRAM-SHA-256"]), "SASL", 1024),
        (auth.AuthenticationSASLContinue(b""), "SASL", 1024),
    ],
)
def test_an_answer_to_an_authentication_request(request_: Message, name: str, limit: int) -> None:
    for data in (frontend.Query("x").encode(), b"Q"):
        error = ProtocolError(f"expected {name} response, got message type 81")
        assert end(server(request_), data) == error
    too_long = ProtocolError('password authentication failed for user "someone"', "28P01") if name == "SASL" else LENGTH
    assert end(server(request_), b"p" + pack("!i", limit + 1)) == too_long
    assert end(server(request_), b"p" + pack("!i", 3)) == too_long
    protocol = server(request_)
    protocol.receive_data(b"p" + pack("!i", limit))
    assert protocol.next_message() is None


@pytest.mark.parametrize("body", [b"", b"pencil", b"pencil\0x", b"pen\0cil\0"])
def test_a_malformed_password_ends_the_connection(body: bytes) -> None:
    data = b"p" + pack("!i", len(body) + 4) + body
    assert end(server(auth.AuthenticationCleartextPassword()), data) == ProtocolError("invalid password packet size")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "invalid string in message"),
        (b"X\0", "insufficient data left in message"),
        (b"X\0\xff\xff\xff\xffn,,", "invalid message format"),
        (b"X\0\0\0\1\0n", "insufficient data left in message"),
        (b"X\0\xff\xff\xff\xfe", "insufficient data left in message"),
    ],
)
def test_a_malformed_sasl_initial_response(body: bytes, text: str) -> None:
    data = b"p" + pack("!i", len(body) + 4) + body
    assert end(server(auth.AuthenticationSASL(["X"])), data) == ProtocolError(text)


def test_one_answer_for_one_request() -> None:
    protocol = server(auth.AuthenticationSASL(["SCRAM-SHA-256"]))
    first, second = frontend.SASLInitialResponse("SCRAM-SHA-256", b"n,,"), frontend.SASLResponse(b"c=biws")
    protocol.receive_data(first.encode() + second.encode())
    assert protocol.next_message() == first
    assert protocol.next_message() is None
    protocol.send(auth.AuthenticationSASLContinue(b""))
    assert protocol.next_message() == second
    protocol.send(auth.AuthenticationSASLFinal(b""))
    assert protocol.next_message() is None
    protocol.send(auth.AuthenticationOk())
    protocol.receive_data(frontend.Sync().encode())
    assert protocol.next_message() == frontend.Sync()


# The established session


@pytest.mark.parametrize("data", [b"z", b"z\0\0\0\4", b"\0", b"T\0\0\0\7abc", b"p\0\0\0\6x\0", b"p\0\0\0\3"])
def test_an_unknown_type_byte_is_refused_at_once(data: bytes) -> None:
    assert end(server(), data) == ProtocolError(f"invalid frontend message type {data[0]}")


@pytest.mark.parametrize("kind", b"QPBDECSHFXdcf")
def test_lengths(kind: int) -> None:
    large = kind in b"QPBFd"
    for length in (3, 0, -1, 0x3FFFFFFF):
        assert end(server(), bytes((kind,)) + pack("!i", length)) == LENGTH
    for length, accepted in ((10000, True), (10001, large), (0x3FFFFFFE, large)):
        protocol = server()
        protocol.receive_data(bytes((kind,)) + pack("!i", length))
        assert protocol.next_message() == (None if accepted else LENGTH)


def test_a_smaller_limit() -> None:
    protocol = Protocol(Role.SERVER, max_message_length=20_000)
    protocol.receive_data(STARTUP.encode())
    assert protocol.next_message() == STARTUP
    protocol.send(auth.AuthenticationOk())
    fits = CopyData(b"x" * 19_996)
    protocol.receive_data(fits.encode())
    assert protocol.next_message() == fits
    assert end(protocol, CopyData(b"x" * 19_997).encode()) == LENGTH


def test_a_whole_pipeline_at_once_and_cut_anywhere() -> None:
    pipeline = [
        *(frontend.Parse("s", "select $1"), frontend.Bind("", "s", (), [b"x" * 50], (1,)), frontend.Execute("")),
        *(frontend.Sync(), frontend.Query("select 1"), CopyData(b"")),
    ]
    raw = b"".join(message.encode() for message in pipeline)
    for size in range(1, len(raw) + 1):
        protocol, received = server(), []
        for start in range(0, len(raw), size):
            protocol.receive_data(raw[start : start + size])
            while (item := protocol.next_message()) is not None:
                received.append(item)
        assert received == pipeline


def test_a_malformed_message_leaves_the_next_ones_readable() -> None:
    protocol = server()
    protocol.receive_data(b"Q\0\0\0\5x" + frontend.Sync().encode())
    assert protocol.next_message() == MalformedMessage(b"Q", "08P01", "invalid string in message")
    assert protocol.next_message() == frontend.Sync()


def test_what_is_kept_of_a_large_message_is_what_came() -> None:
    protocol = server()
    protocol.receive_data(b"d" + pack("!i", 1_000_004))
    for _ in range(100):
        assert protocol.next_message() is None
        assert len(protocol._partial) + len(protocol._buffer) <= 1_000_005
        protocol.receive_data(b"x" * 10_000)
    assert protocol.next_message() == CopyData(b"x" * 1_000_000)
    assert not protocol._partial


def test_messages_are_sent_in_order_however_they_were_given() -> None:
    protocol = server()
    protocol.send_bytes(backend.PARSE_COMPLETE)
    protocol.send(backend.CommandComplete("SELECT 1"))
    protocol.send_bytes(backend.READY_FOR_QUERY["I"])
    assert protocol.data_to_send() == b"1\0\0\0\4C\0\0\0\x0dSELECT 1\0Z\0\0\0\5I"
    assert protocol.data_to_send() == b""


# The client's end


@pytest.mark.parametrize("answer", ["S", "G", "N"])
def test_a_client_reads_the_answer_to_its_encryption_request(answer: str) -> None:
    protocol = Protocol(Role.CLIENT)
    assert protocol.next_message() is None
    protocol.send(frontend.SSLRequest())
    assert protocol.data_to_send() == frontend.SSLRequest().encode()
    assert protocol.next_message() is None
    protocol.receive_data(answer.encode())
    assert protocol.next_message() == backend.EncryptionResponse(answer)
    protocol.send(STARTUP)
    protocol.receive_data(auth.AuthenticationCleartextPassword().encode())
    assert protocol.next_message() == auth.AuthenticationCleartextPassword()
    protocol.send(frontend.PasswordMessage("x"))
    protocol.receive_data(auth.AuthenticationOk().encode() + backend.READY_FOR_QUERY["I"])
    assert protocol.next_message() == auth.AuthenticationOk()
    assert protocol.next_message() == backend.ReadyForQuery("I")


def test_a_server_may_answer_an_encryption_request_with_an_error() -> None:
    protocol = Protocol(Role.CLIENT)
    protocol.send(frontend.GSSENCRequest())
    error = backend.ErrorResponse(severity="FATAL", code="53300", message="sorry, too many clients already")
    protocol.receive_data(error.encode())
    assert protocol.next_message() == error


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"X", "received invalid response to SSL or GSSAPI negotiation"),
        (b"SX", "received unencrypted data after encryption response"),
    ],
)
def test_a_bad_answer_to_an_encryption_request(data: bytes, text: str) -> None:
    protocol = Protocol(Role.CLIENT)
    protocol.send(frontend.SSLRequest())
    assert end(protocol, data) == ProtocolError(text, answer=Answer.NONE)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"HTTP/1.1 400", "expected authentication request from server, but received H"),
        (b"R\0\0\0\3", "received invalid authentication request"),
        (b"R\0\0\x75\x31", "received invalid authentication request"),
        (b"R\0\0\0\x08\0\0\0\6", "authentication method 6 not supported"),
        (b"R\0\0\0\x09\0\0\0\0x", "invalid message format"),
        (b"R\0\0\0\x0a\0\0\0\5ab", "insufficient data left in message"),
        (b"R\0\0\0\x0a\0\0\0\x0aab", "invalid string in message"),
    ],
)
def test_a_client_refuses_what_is_no_login(data: bytes, text: str) -> None:
    protocol = Protocol(Role.CLIENT)
    protocol.send(STARTUP)
    assert end(protocol, data) == ProtocolError(text, answer=Answer.NONE)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Q", 'unexpected response from server; first received character was "Q"'),
        (b"R\0\0\0\x08\0\0\0\0", 'unexpected response from server; first received character was "R"'),
        (b"Z\0\0\x75\x31", 'lost synchronization with server: got message type "Z", length 30001'),
        (b"D\0\0\0\3", 'lost synchronization with server: got message type "D", length 3'),
        (b"Z\0\0\0\5X", "invalid message format"),
        (b"D\0\0\0\6\0\1", "insufficient data left in message"),
        (b"E\0\0\0\7SX\0", "no data left in message"),
    ],
)
def test_a_client_gives_up_when_the_server_cannot_be_understood(data: bytes, text: str) -> None:
    assert end(client(), data) == ProtocolError(text, answer=Answer.NONE)


@pytest.mark.parametrize("kind", b"TDdVENAt")
def test_messages_of_a_server_that_may_be_long(kind: int) -> None:
    protocol = client()
    protocol.receive_data(bytes((kind,)) + pack("!i", 1_000_000))
    assert protocol.next_message() is None

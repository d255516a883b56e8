"""Bodies that PostgreSQL 18 refuses, with the text that it gives, recorded from the real server byte for byte."""

from __future__ import annotations

from struct import pack

import pytest

from proxy.wire import authentication as auth
from proxy.wire import frontend
from proxy.wire.errors import MalformedMessage
from proxy.wire.message import CopyDone
from proxy.wire.protocol import Protocol, Role

STRING = "invalid string in message"
SHORT = "insufficient data left in message"
FORMAT = "invalid message format"
NOTHING = "no data left in message"

CASES = [
    (b"Q", b"", STRING),
    (b"Q", b"select 1", STRING),
    (b"Q", b"select 1\0x", FORMAT),
    (b"P", b"", STRING),
    (b"P", b"\0", STRING),
    (b"P", b"\0select 1\0", SHORT),
    (b"P", b"\0select 1\0\0\1", SHORT),
    (b"P", b"\0select 1\0\xff\xff", SHORT),
    (b"P", b"\0select 1\0\0\0x", FORMAT),
    (b"B", b"", STRING),
    (b"B", b"\0", STRING),
    (b"B", b"\0\0", SHORT),
    (b"B", b"\0\0\0\1", SHORT),
    (b"B", b"\0\0\0\0", SHORT),
    (b"B", b"\0\0\xff\xff\0\1\0\0\0\x011\0\0", SHORT),
    (b"B", b"\0\0\0\0\0\1\0", SHORT),
    (b"B", b"\0\0\0\0\0\1\0\0\0\x041234", SHORT),
    (b"B", b"\0\0\0\0\0\1\0\0\0\x011\xff\xff", SHORT),
    (b"B", b"\0\0\0\0\0\1\0\0\0\x011\0\1", SHORT),
    (b"B", b"\0\0\0\0\0\1\0\0\0\x011\0\0x", FORMAT),
    (b"D", b"", NOTHING),
    (b"D", b"S", STRING),
    (b"D", b"S\0x", FORMAT),
    (b"D", b"X\0", "invalid DESCRIBE message subtype 88"),
    (b"D", b"\xff\0", "invalid DESCRIBE message subtype 255"),
    (b"D", b"\0\0", "invalid DESCRIBE message subtype 0"),
    (b"C", b"", NOTHING),
    (b"C", b"X\0", "invalid CLOSE message subtype 88"),
    (b"C", b"S\0x", FORMAT),
    (b"E", b"", STRING),
    (b"E", b"\0abc", SHORT),
    (b"E", b"\0\0\0\0\0x", FORMAT),
    (b"S", b"x", FORMAT),
    (b"H", b"x", FORMAT),
    (b"F", b"", SHORT),
    (b"F", b"\0\0\0\xb1\0\0\0\2", SHORT),
    (b"F", b"\0\0\0\xb1\0\0\0\2\0\0\0\4", SHORT),
    (b"F", b"\0\0\0\xb1\0\0\0\2\xff\xff\xff\xfe", "invalid argument size -2 in function call message"),
    (b"F", b"\0\0\0\xb1\0\0\0\2\0\0\0\x011\0\0\0\x012\0\0x", FORMAT),
    (b"F", b"\0\0\0\xb1\xff\xff\0\2\xff\xff\xff\xff\xff\xff\xff\xff\0\0", SHORT),
    (b"f", b"abc", STRING),
]

NOT_UTF8 = [
    (b"select '\xff'", "0xff"),
    (b"select '\xe4\xb8'", "0xe4 0xb8 0x27"),
    (b"select '\xed\xa0\x80'", "0xed 0xa0 0x80"),
    (b"select '\xc0\x80'", "0xc0 0x80"),
    (b"select '\xf4\x90\x80\x80'", "0xf4 0x90 0x80 0x80"),
    (b"select '\xf8\x88\x80\x80\x80'", "0xf8"),
    (b"select \xe4\xb8", "0xe4 0xb8"),
    (b"select \xe4", "0xe4"),
    (b"select \x80\x80abc", "0x80"),
    (b"select \xe4ABC", "0xe4 0x41 0x42"),
]


def established() -> Protocol:
    protocol = Protocol(Role.SERVER)
    protocol.receive_data(frontend.StartupMessage().encode())
    assert protocol.next_message() == frontend.StartupMessage()
    protocol.send(auth.AuthenticationOk())
    return protocol


def receive(type_byte: bytes, payload: bytes) -> object:
    """What comes of a message, when a good one follows it: that one is always found."""
    protocol = established()
    protocol.receive_data(type_byte + pack("!i", len(payload) + 4) + payload + frontend.Sync().encode())
    item = protocol.next_message()
    assert protocol.next_message() == frontend.Sync()
    return item


@pytest.mark.parametrize(("type_byte", "payload", "text"), CASES)
def test_bad_body(type_byte: bytes, payload: bytes, text: str) -> None:
    assert receive(type_byte, payload) == MalformedMessage(type_byte, "08P01", text)


@pytest.mark.parametrize(("size", "portal"), [(-2, ""), (-5, "p"), (50, "p")])
def test_bad_parameter_length_names_the_parameter(size: int, portal: str) -> None:
    payload = portal.encode() + b"\0\0\0\0\0\2\0\0\0\x01a" + pack("!i", size) + b"b\0\0"
    where = 'portal "p" parameter $2' if portal else "unnamed portal parameter $2"
    assert receive(b"B", payload) == MalformedMessage(b"B", "08P01", SHORT, where)


@pytest.mark.parametrize(("query", "shown"), NOT_UTF8)
@pytest.mark.parametrize(("type_byte", "before", "after"), [(b"Q", b"", b""), (b"P", b"s\0", b"\0\0"), (b"P", b"", b"\0\0\0")])
def test_bytes_that_are_not_utf8(query: bytes, shown: str, type_byte: bytes, before: bytes, after: bytes) -> None:
    error = MalformedMessage(type_byte, "22021", f'invalid byte sequence for encoding "UTF8": {shown}')
    assert receive(type_byte, before + query + b"\0" + after) == error


@pytest.mark.parametrize(
    ("type_byte", "payload"),
    [
        (b"B", b"\xff\0\0\0\0\0\0\0\0"),
        (b"B", b"\0\xff\0\0\0\0\0\0\0"),
        (b"D", b"S\xff\0"),
        (b"C", b"P\xff\0"),
        (b"E", b"\xff\0\0\0\0\0"),
        (b"f", b"\xff\0"),
    ],
)
def test_names_that_are_not_utf8(type_byte: bytes, payload: bytes) -> None:
    error = MalformedMessage(type_byte, "22021", 'invalid byte sequence for encoding "UTF8": 0xff')
    assert receive(type_byte, payload) == error


def test_which_errors_skip_to_sync() -> None:
    skipping = {kind for kind in "QPBDECSHFXdcf" if MalformedMessage(kind.encode(), "08P01", "").skips_to_sync}
    assert skipping == set("PBDECH")


@pytest.mark.parametrize(("type_byte", "payload"), [(b"c", b"x"), (b"X", b"x"), (b"f", b"why\0x")])
def test_what_postgresql_does_not_look_at(type_byte: bytes, payload: bytes) -> None:
    assert isinstance(receive(type_byte, payload), CopyDone | frontend.Terminate | frontend.CopyFail)


def test_a_parameter_that_leaves_nothing_for_the_next() -> None:
    assert receive(b"B", b"\0\0\0\0\0\2\0\0\0\x04abcd") == MalformedMessage(b"B", "08P01", SHORT)


def test_a_count_allocates_nothing_before_it_is_checked() -> None:
    """65,535 parameters, columns or format codes in a message of a few bytes."""
    assert receive(b"B", b"\0\0\0\0\xff\xff\0\0") == MalformedMessage(b"B", "08P01", SHORT)
    assert receive(b"P", b"\0\0\xff\xff\0\0") == MalformedMessage(b"P", "08P01", SHORT)

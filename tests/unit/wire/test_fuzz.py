"""Any bytes, in any pieces, give messages, malformed ones, or one ProtocolError; never an exception, never more memory."""

from __future__ import annotations

import contextlib
from struct import pack
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire import authentication as auth
from proxy.wire import backend, frontend
from proxy.wire.errors import MalformedMessage, ProtocolError
from proxy.wire.protocol import Protocol, Role
from proxy.wire.scram import ClientExchange, ScramError, ServerExchange, Verifier
from proxy.wire.trace import Sender, trace

if TYPE_CHECKING:
    from proxy.wire.message import Message

VERIFIER = Verifier.build("pencil", b"salt", 1)
LIMIT = 100_000

pieces = st.lists(st.binary(max_size=40), max_size=20)
framed_frontend = st.builds(
    lambda kind, body: bytes((kind,)) + pack("!i", len(body) + 4) + body,
    st.sampled_from(sorted(frontend.BY_TYPE)),
    st.binary(max_size=60),
)
framed_backend = st.builds(
    lambda kind, body: bytes((kind,)) + pack("!i", len(body) + 4) + body,
    st.sampled_from([*sorted(backend.BY_TYPE), ord("R")]),
    st.binary(max_size=60),
)


def server(*requests: Message) -> Protocol:
    protocol = Protocol(Role.SERVER, LIMIT)
    if requests:
        protocol.receive_data(frontend.StartupMessage().encode())
        protocol.next_message()
    for request in requests:
        protocol.send(request)
    return protocol


def client(request: Message, *answers: Message) -> Protocol:
    protocol = Protocol(Role.CLIENT, LIMIT)
    protocol.send(request)
    for answer in answers:
        protocol.receive_data(answer.encode())
        protocol.next_message()
    return protocol


protocols = st.sampled_from(
    [
        server,
        lambda: server(auth.AuthenticationCleartextPassword()),
        lambda: server(auth.AuthenticationSASL(["X"])),
        lambda: server(auth.AuthenticationOk()),
        lambda: client(frontend.SSLRequest()),
        lambda: client(frontend.StartupMessage()),
        lambda: client(frontend.StartupMessage(), auth.AuthenticationOk()),
    ]
)


def drain(protocol: Protocol, data: list[bytes]) -> None:
    closed = False
    for piece in data:
        protocol.receive_data(piece)
        while (item := protocol.next_message()) is not None:
            assert not closed, "nothing comes after a ProtocolError"
            match item:
                case ProtocolError():
                    closed = True
                    item.encode()
                case MalformedMessage():
                    assert item.sqlstate in ("08P01", "22021")
                case _:
                    assert type(item).decode is not None
                    trace(Sender.FRONTEND, item)
        assert len(protocol._buffer) + len(protocol._partial) <= sum(map(len, data)) + len(piece)


@settings(max_examples=300, deadline=None)
@given(protocols, pieces)
def test_random_bytes(protocol: object, data: list[bytes]) -> None:
    drain(protocol(), data)  # type: ignore[operator]  # a strategy's value is declared as object


@settings(max_examples=300, deadline=None)
@given(st.lists(framed_frontend, max_size=6))
def test_random_bodies_from_a_client(data: list[bytes]) -> None:
    drain(server(auth.AuthenticationOk()), data)


@settings(max_examples=300, deadline=None)
@given(st.lists(framed_backend, max_size=6))
def test_random_bodies_from_a_server(data: list[bytes]) -> None:
    drain(client(frontend.StartupMessage(), auth.AuthenticationOk()), data)


@settings(max_examples=100, deadline=None)
@given(
    *(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8) for _ in range(2)),
    st.lists(st.integers(-32768, 32767), max_size=4).map(tuple),
    st.lists(st.none() | st.binary(max_size=9), max_size=5),
    st.lists(st.integers(-32768, 32767), max_size=4).map(tuple),
)
def test_any_bind_survives_the_way(
    portal: str, statement: str, formats: tuple[int, ...], values: list[bytes | None], results: tuple[int, ...]
) -> None:
    bind = frontend.Bind(portal, statement, formats, values, results)
    assert frontend.Bind.decode(bind.encode()[5:]) == bind
    call = frontend.FunctionCall(1, formats, values, 0)
    assert frontend.FunctionCall.decode(call.encode()[5:]) == call
    row = backend.DataRow(values)
    assert backend.DataRow.decode(row.encode()[5:]) == row


@settings(max_examples=300, deadline=None)
@given(st.text("nyp,=racmx1\0 +é", max_size=20).map(str.encode), st.text("cr=,biwspabN1!", max_size=30).map(str.encode))
def test_random_scram_messages(first: bytes, final: bytes) -> None:
    """Only ScramError may come of them."""
    for exchange, message in ((ServerExchange(VERIFIER), first), (ClientExchange("x", nonce=b""), final)):
        with contextlib.suppress(ScramError):
            exchange.begin(message) if isinstance(exchange, ServerExchange) else exchange.respond(message)
    server_exchange = ServerExchange(VERIFIER, b"N")
    server_exchange.begin(b"n,,n=,r=ab")
    try:
        assert server_exchange.finish(final) is None
    except ScramError as error:
        assert error.sqlstate == "08P01"

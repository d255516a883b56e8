"""The codec against the real ends of the protocol: PostgreSQL 18 as the server, libpq as the client."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from struct import pack
from typing import TYPE_CHECKING

import psycopg
import pytest

from proxy.wire import authentication as auth
from proxy.wire import backend, frontend
from proxy.wire.errors import ProtocolError
from proxy.wire.message import CopyData, CopyDone, Message
from proxy.wire.protocol import Protocol, Role
from proxy.wire.scram import MECHANISM, ClientExchange, ServerExchange, Verifier
from tests.unit.wire.test_malformed import CASES, NOT_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.client import Address

LIMIT = 20.0


class Peer:
    """A blocking socket around a Protocol: all the I/O that there is."""

    def __init__(self, connection: socket.socket, role: Role) -> None:
        self.socket = connection
        self.socket.settimeout(LIMIT)
        self.protocol = Protocol(role)

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.protocol.send(message)
        self.socket.sendall(self.protocol.data_to_send())

    def receive(self) -> object:
        while (item := self.protocol.next_message()) is None:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.protocol.receive_data(data)
        return item

    def receive_until(self, kind: type[Message]) -> list[object]:
        received = [self.receive()]
        while not isinstance(received[-1], kind):
            assert received[-1] is not None, received
            received.append(self.receive())
        return received

    def ask(self, *messages: Message) -> list[object]:
        self.send(*messages)
        return self.receive_until(backend.ReadyForQuery)


@pytest.fixture
def postgres(oracle: Address) -> Iterator[Peer]:
    """PostgreSQL 18 after a login with protocol 3.2."""
    with closing(socket.create_connection((oracle.host, oracle.port))) as connection:
        peer = Peer(connection, Role.CLIENT)
        peer.send(frontend.SSLRequest())
        assert peer.receive() == backend.EncryptionResponse("N")
        parameters = {"user": oracle.user, "database": oracle.database, "client_encoding": "UTF8"}
        start = peer.ask(frontend.StartupMessage(frontend.PROTOCOL_3_2, parameters))
        assert start[0] == auth.AuthenticationOk()
        assert backend.ParameterStatus("client_encoding", "UTF8") in start
        (key,) = (message for message in start if isinstance(message, backend.BackendKeyData))
        assert len(key.secret_key) == 32
        yield peer
        peer.send(frontend.Terminate())
        assert peer.receive() is None


@pytest.mark.oracle
def test_queries(postgres: Peer) -> None:
    column = backend.Field("n", 0, 0, 23, 4, -1, 0)
    assert postgres.ask(frontend.Query("select 1 as n")) == [
        *(backend.RowDescription([column]), backend.DataRow([b"1"])),
        *(backend.CommandComplete("SELECT 1"), backend.ReadyForQuery("I")),
    ]
    assert postgres.ask(
        frontend.Parse("s", "select $1::int4 as n, $2::text"),
        frontend.Describe("S", "s"),
        frontend.Bind("p", "s", (1, 0), [b"\0\0\0\7", None], (1,)),
        frontend.Execute("p", 1),
        frontend.Close("S", "s"),
        frontend.Sync(),
    ) == [
        backend.ParseComplete(),
        backend.ParameterDescription((23, 25)),
        backend.RowDescription([column, backend.Field("text", 0, 0, 25, -1, -1, 0)]),
        *(backend.BindComplete(), backend.DataRow([b"\0\0\0\7", None]), backend.PortalSuspended()),
        *(backend.CloseComplete(), backend.ReadyForQuery("I")),
    ]
    assert postgres.ask(frontend.Query("")) == [backend.EmptyQueryResponse(), backend.ReadyForQuery("I")]
    call = frontend.FunctionCall(177, (1,), [b"\0\0\0\2", b"\0\0\0\3"], 1)
    assert postgres.ask(call) == [backend.FunctionCallResponse(b"\0\0\0\5"), backend.ReadyForQuery("I")]


@pytest.mark.oracle
def test_copy_and_notifications(postgres: Peer) -> None:
    postgres.ask(frontend.Query("create temporary table t(a int, b text); listen c"))
    postgres.send(frontend.Query("copy t from stdin"))
    assert postgres.receive() == backend.CopyInResponse(0, (0, 0))
    done = postgres.ask(CopyData(b"1\tx\n"), CopyData(b"2\t\\N\n"), CopyDone())
    assert done == [backend.CommandComplete("COPY 2"), backend.ReadyForQuery("I")]
    assert postgres.ask(frontend.Query("copy t to stdout")) == [
        *(backend.CopyOutResponse(0, (0, 0)), CopyData(b"1\tx\n"), CopyData(b"2\t\\N\n"), CopyDone()),
        *(backend.CommandComplete("COPY 2"), backend.ReadyForQuery("I")),
    ]
    postgres.send(frontend.Query("copy t from stdin"))
    assert isinstance(postgres.receive(), backend.CopyInResponse)
    error, ready = postgres.ask(frontend.CopyFail("why"))
    assert isinstance(error, backend.ErrorResponse)
    assert (error.code, error.message, error.where) == ("57014", "COPY from stdin failed: why", "COPY t, line 1")
    assert ready == backend.ReadyForQuery("I")
    notified = postgres.ask(frontend.Query("notify c, 'hello'"))
    (notification,) = (item for item in notified if isinstance(item, backend.NotificationResponse))
    assert (notification.channel, notification.payload) == ("c", "hello")


@pytest.mark.oracle
def test_all_fields_of_a_report(postgres: Peer) -> None:
    body = "raise notice 'm' using detail='d', hint='h', schema='s', table='t', column='c', datatype='y', constraint='n'"
    notice, *_ = postgres.ask(frontend.Query(f"do $$begin {body}; end$$"))
    assert isinstance(notice, backend.NoticeResponse)
    assert notice.encode() == backend.NoticeResponse.decode(notice.encode()[5:]).encode()
    assert (notice.severity, notice.code, notice.message, notice.detail, notice.hint) == ("NOTICE", "00000", "m", "d", "h")
    named = (notice.schema_name, notice.table_name, notice.column_name, notice.data_type_name, notice.constraint_name)
    assert named == ("s", "t", "c", "y", "n")
    error, _ = postgres.ask(frontend.Query("selec"))
    assert isinstance(error, backend.ErrorResponse)
    assert (error.code, error.position, error.routine) == ("42601", "1", "scanner_yyerror")


@pytest.mark.oracle
def test_the_texts_of_malformed_messages_are_postgresql_s(postgres: Peer) -> None:
    bad_texts = [(b"Q", query + b"\0", 'invalid byte sequence for encoding "UTF8": ' + shown) for query, shown in NOT_UTF8]
    for type_byte, payload, text in [*CASES, *bad_texts]:
        if type_byte == b"f":
            continue  # ignored outside COPY
        prefix = frontend.Parse("", "select $1::int").encode() if type_byte == b"B" else b""
        postgres.protocol.send_bytes(prefix + type_byte + pack("!i", len(payload) + 4) + payload)
        answer = postgres.ask(frontend.Sync())
        (error,) = (item for item in answer if isinstance(item, backend.ErrorResponse))
        assert (error.severity, error.message) == ("ERROR", text), (type_byte, payload)
        if type_byte in b"QFS":
            postgres.receive_until(backend.ReadyForQuery)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", [b"z", b"p", b"T"])
def test_the_end_of_a_connection_is_postgresql_s(oracle: Address, kind: bytes) -> None:
    """The same bytes to PostgreSQL and to our server's end: the same report."""
    startup = frontend.StartupMessage(parameters={"user": oracle.user, "database": oracle.database})
    ours = Protocol(Role.SERVER)
    ours.receive_data(startup.encode())
    assert ours.next_message() == startup
    ours.send(auth.AuthenticationOk())
    ours.receive_data(kind + b"\0\0\0\4")
    error = ours.next_message()
    assert isinstance(error, ProtocolError)
    with closing(socket.create_connection((oracle.host, oracle.port))) as connection:
        peer = Peer(connection, Role.CLIENT)
        peer.ask(startup)
        peer.protocol.send_bytes(kind + b"\0\0\0\4")
        peer.send()
        report = peer.receive()
        assert isinstance(report, backend.ErrorResponse)
        assert (report.severity, report.code, report.message) == ("FATAL", error.sqlstate, error.message)
        assert peer.receive() is None


@pytest.mark.oracle
def test_scram_with_postgresql_s_verifier(postgres: Peer) -> None:
    """PostgreSQL derives the same keys as we do, also where SASLprep has work to do."""
    for password in ("pencil", "I\u00adX", "\u2168é", "\u0627\u0031"):
        postgres.ask(frontend.Query("begin; create role scram_test"))
        postgres.ask(frontend.Query(f"alter role scram_test password '{password}'"))
        _, row, *_ = postgres.ask(frontend.Query("select rolpassword from pg_authid where rolname = 'scram_test'"))
        postgres.ask(frontend.Query("rollback"))
        assert isinstance(row, backend.DataRow)
        assert row.values[0] is not None
        verifier = Verifier.parse(row.values[0].decode())
        assert verifier is not None
        assert verifier == Verifier.build(password, verifier.salt, verifier.iterations)
        server, client = ServerExchange(verifier), ClientExchange(password)
        final = server.finish(client.respond(server.begin(client.first())))
        assert final is not None
        client.verify(final)


def _serve_one_login(listener: socket.socket, verifier: Verifier, seen: list[object]) -> None:
    with closing(listener.accept()[0]) as connection:
        peer = Peer(connection, Role.SERVER)
        seen.append(peer.receive())
        peer.send(auth.AuthenticationSASL([MECHANISM]))
        first = peer.receive()
        assert isinstance(first, frontend.SASLInitialResponse)
        exchange = ServerExchange(verifier)
        peer.send(auth.AuthenticationSASLContinue(exchange.begin(first.data or b"")))
        final = peer.receive()
        assert isinstance(final, frontend.SASLResponse)
        signature = exchange.finish(final.data)
        if signature is None:
            peer.send(backend.ErrorResponse(severity="FATAL", code="28P01", message="wrong password"))
            return
        peer.send(auth.AuthenticationSASLFinal(signature), auth.AuthenticationOk(), backend.ReadyForQuery("I"))
        seen.append(peer.receive())


@pytest.mark.parametrize(("password", "accepted"), [("pässword\u00ad", True), ("wrong", False)])
def test_libpq_logs_in_with_scram(password: str, accepted: bool) -> None:
    verifier = Verifier.build("pässword", iterations=100)
    seen: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve_one_login, args=(listener, verifier, seen))
        thread.start()
        target = f"host=127.0.0.1 port={listener.getsockname()[1]} user=u dbname=d"
        settings = "sslmode=disable gssencmode=disable connect_timeout=10"
        try:
            psycopg.connect(f"{target} {settings}", password=password).close()
        except psycopg.OperationalError as error:
            assert not accepted
            assert "wrong password" in str(error)
        thread.join(LIMIT)
    assert not thread.is_alive()
    assert isinstance(seen[0], frontend.StartupMessage)
    assert seen[1:] == ([frontend.Terminate()] if accepted else [])

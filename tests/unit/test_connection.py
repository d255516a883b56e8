"""The connection with a fake transport: pieces, pauses, back-pressure, and clients that go away in the middle."""

import asyncio

from proxy.wire import backend, frontend
from proxy.wire.backend import EncryptionResponse, ErrorResponse, ReadyForQuery
from tests.harness.conversation import Conversation, brief


def test_bytes_in_any_pieces(talk):
    session = talk()
    data = frontend.Query("SELECT 1").encode() + frontend.Query("SELECT 2").encode()
    for byte in data:
        session.feed(bytes((byte,)))
    session.settle()
    assert brief(session.answers()) == ["RowDescription", "(1)", "SELECT 1", "I", "RowDescription", "(2)", "SELECT 1", "I"]


def test_one_write_for_a_batch(talk):
    session = talk()
    before = session.transport.writes
    messages = [
        frontend.Parse("", "SELECT $1::int", ()),
        frontend.Bind("", "", (), [b"1"], ()),
        frontend.Execute("", 0),
        frontend.Sync(),
    ]
    assert len(session.send(*messages * 5)) == 25
    assert session.transport.writes == before + 1


def test_messages_wait_for_the_one_before(talk):
    writer, other = talk(), talk()
    writer.query("CREATE TABLE t (a int)")
    writer.query("BEGIN; INSERT INTO t VALUES (1)")
    other.feed(frontend.Query("INSERT INTO t VALUES (2)").encode() + frontend.Query("SELECT a FROM t").encode())
    assert other.answers() == []
    writer.query("COMMIT")
    other.settle()
    assert brief(other.answers()) == ["INSERT 0 1", "I", "RowDescription", "(1)", "(2)", "SELECT 2", "I"]


def test_reading_pauses_while_a_message_waits(talk):
    writer, other = talk(), talk()
    writer.query("CREATE TABLE t (a text)")
    writer.query("BEGIN; INSERT INTO t VALUES ('x')")
    other.feed(frontend.Query("INSERT INTO t VALUES ('y')").encode())
    big = frontend.Query(f"SELECT length('{'z' * 1_200_000}')").encode()
    other.feed(big)
    assert not other.transport.reading
    writer.query("COMMIT")
    other.settle()
    assert other.transport.reading
    assert brief(other.answers())[-4:] == ["RowDescription", "(1200000)", "SELECT 1", "I"]


def test_a_slow_client_stops_the_rows(talk):
    session = talk()
    session.on_loop(session.transport.pause)
    session.feed(frontend.Query("SELECT repeat('x', 1000) FROM generate_series(1, 5000)").encode())
    session.wait_for(lambda: len(session.transport.written) > 0)
    for _ in range(20):
        session.loop.run_until_complete(asyncio.sleep(0.001))
    held = len(session.transport.written)
    assert held < 1_000_000
    session.on_loop(session.transport.resume)
    session.settle()
    answers = session.answers()
    assert brief(answers)[-2:] == ["SELECT 5000", "I"]


def test_a_client_gone_in_a_block_leaves_nothing(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    first.query("BEGIN; INSERT INTO t VALUES (1)")
    first.disconnect()
    assert brief(second.query("INSERT INTO t VALUES (2)")) == ["INSERT 0 1", "I"]
    assert brief(second.query("SELECT a FROM t"))[1:] == ["(2)", "SELECT 1", "I"]


def test_a_client_gone_while_it_waits(talk):
    first, second, third = talk(), talk(), talk()
    first.query("CREATE TABLE t (a int)")
    first.query("BEGIN; INSERT INTO t VALUES (1)")
    second.feed(frontend.Query("INSERT INTO t VALUES (2)").encode())
    second.disconnect()
    first.query("COMMIT")
    assert brief(third.query("SELECT a FROM t"))[1:] == ["(1)", "SELECT 1", "I"]


def test_a_client_gone_while_its_statement_runs(talk, instance):
    session = talk()
    session.feed(frontend.Query("SELECT pg_sleep(60)").encode())
    session.disconnect()
    session.wait_for(lambda: not instance.sessions)


def test_encryption_is_declined(loop, instance):
    client = Conversation(loop, instance)
    assert client.send(frontend.SSLRequest()) == [EncryptionResponse("N")]
    assert client.send(frontend.GSSENCRequest()) == [EncryptionResponse("N")]
    assert isinstance(client.start()[-1], ReadyForQuery)
    client.disconnect()


def test_http_is_hung_up(loop, instance):
    client = Conversation(loop, instance)
    client.feed(b"GET / HTTP/1.1\r\n\r\n")
    assert client.transport.closing
    assert client.answers() == []


def test_an_unknown_message_is_fatal(talk):
    session = talk()
    session.feed(b"y\0\0\0\4")
    assert session.transport.closing
    [error] = session.answers()
    assert isinstance(error, ErrorResponse)
    assert (error.severity, error.code, error.message) == ("FATAL", "08P01", "invalid frontend message type 121")


def test_terminate(talk):
    session = talk()
    assert session.send(frontend.Terminate()) == []
    assert session.transport.closing


def test_cancel_request(talk, loop, instance):
    session = Conversation(loop, instance)
    [key] = [message for message in session.start() if isinstance(message, backend.BackendKeyData)]
    session.feed(frontend.Query("SELECT pg_sleep(60)").encode())
    for secret in (b"\0\0\0\0", key.secret_key):
        Conversation(loop, instance).send(frontend.CancelRequest(key.process_id, secret))
    session.settle()
    answers = session.answers()
    assert brief(answers)[-2:] == ["ERROR 57014", "I"]
    [error] = [message for message in answers if isinstance(message, backend.ErrorResponse)]
    assert error.message == "canceling statement due to user request"
    session.disconnect()

"""Sessions of code in the server's own process: any client's, without a socket."""

import asyncio

import pytest

from proxy.in_process import pipe
from proxy.server import Server
from proxy.session.instance import open_instance
from proxy.wire import backend, frontend
from tests.harness.conversation import decode

_LIMIT = 20.0


@pytest.fixture
def server(tmp_path, loop):
    server = Server(open_instance(tmp_path / "data", password="secret"))
    yield server
    loop.run_until_complete(asyncio.wait_for(server.close(), _LIMIT))


async def answer(reader: asyncio.StreamReader) -> list:
    """Everything up to the next ReadyForQuery."""
    messages: list = []
    while not messages or not isinstance(messages[-1], backend.ReadyForQuery):
        head = await asyncio.wait_for(reader.readexactly(5), _LIMIT)
        messages += decode(head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4))
    return messages


async def start(server: Server, name: str = "inside"):
    reader, writer = server.open_streams()
    writer.write(frontend.StartupMessage(parameters={"user": "postgres", "application_name": name}).encode())
    messages = await answer(reader)
    assert not any(isinstance(message, backend.ErrorResponse) for message in messages)
    return reader, writer


async def query(streams, sql: str) -> list:
    reader, writer = streams
    writer.write(frontend.Query(sql).encode())
    return [
        [value and value.decode() for value in each.values]
        for each in await answer(reader)
        if isinstance(each, backend.DataRow)
    ]


def test_it_is_a_session_like_any_other(server, loop):
    """It has no password to give, shows in pg_stat_activity, has transactions, and is told what it listens to."""

    async def scenario() -> None:
        one, two = await start(server), await start(server, "other")
        seen = await query(one, "SELECT application_name, state, client_addr FROM pg_stat_activity ORDER BY pid")
        assert seen == [["inside", "active", None], ["other", "idle", None]]
        await query(one, "CREATE TABLE t (a int)")
        await query(one, "BEGIN; INSERT INTO t VALUES (1); LISTEN c")
        assert await query(two, "SELECT count(*) FROM t") == [["0"]]
        await query(one, "COMMIT")
        assert await query(two, "SELECT count(*) FROM t") == [["1"]]
        await query(two, "NOTIFY c, 'hello'")
        kind = await asyncio.wait_for(one[0].readexactly(1), _LIMIT)
        assert kind == backend.NotificationResponse.TYPE
        one[1].close()
        await one[1].wait_closed()
        await asyncio.sleep(0)
        assert await query(two, "SELECT application_name FROM pg_stat_activity") == [["other"]]
        two[1].close()

    loop.run_until_complete(scenario())


def test_a_large_result_waits_for_its_reader(server, loop):
    async def scenario() -> None:
        reader, writer = await start(server)
        writer.write(frontend.Query("SELECT repeat('x', 1000) FROM generate_series(1, 20000)").encode())
        await asyncio.sleep(0.2)
        (session,) = server.instance.sessions.values()
        assert session.is_busy
        assert writer.transport.get_extra_info("peername") is None
        rows = [each for each in await answer(reader) if isinstance(each, backend.DataRow)]
        assert len(rows) == 20_000
        writer.close()

    loop.run_until_complete(scenario())


def test_the_server_ends_it(tmp_path, loop):
    async def scenario() -> None:
        server = Server(open_instance(tmp_path / "data"))
        reader, writer = await start(server)
        await asyncio.wait_for(server.close(), _LIMIT)
        (error,) = decode(await asyncio.wait_for(reader.read(), _LIMIT))
        assert isinstance(error, backend.ErrorResponse)
        assert (error.severity, error.code) == ("FATAL", "57P01")
        assert writer.is_closing()

    loop.run_until_complete(scenario())


class End(asyncio.Protocol):
    def __init__(self) -> None:
        self.seen: list[str | bytes] = []

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.seen.append(data)

    def eof_received(self):
        self.seen.append("eof")

    def connection_lost(self, exc):
        self.seen.append("lost")

    def pause_writing(self):
        self.seen.append("pause")

    def resume_writing(self):
        self.seen.append("resume")


def test_a_pipe_carries_bytes_both_ways_and_tells_when_to_wait(loop):
    async def scenario() -> None:
        server, client = End(), End()
        pipe(server, client)
        client.transport.write(b"a")
        client.transport.write(b"b")
        server.transport.write(b"c")
        assert (server.seen, client.seen) == ([], [])
        await asyncio.sleep(0)
        assert (server.seen, client.seen) == ([b"ab"], [b"c"])
        client.transport.pause_reading()
        server.transport.set_write_buffer_limits(10)
        server.transport.write(b"x" * 11)
        await asyncio.sleep(0)
        assert server.transport.get_write_buffer_size() == 11
        assert (server.seen[1:], client.seen[1:]) == (["pause"], [])
        client.transport.resume_reading()
        await asyncio.sleep(0)
        assert (server.seen[1:], client.seen[1:]) == (["pause", "resume"], [b"x" * 11])

    loop.run_until_complete(scenario())


@pytest.mark.parametrize("how", ["close", "abort"])
def test_a_pipe_ends_at_both_ends(loop, how):
    async def scenario() -> None:
        server, client = End(), End()
        pipe(server, client)
        server.transport.write(b"last words")
        getattr(server.transport, how)()
        server.transport.write(b"too late")
        for _ in range(3):
            await asyncio.sleep(0)
        assert server.seen == ["lost"]
        assert client.seen == ([b"last words"] if how == "close" else []) + ["eof", "lost"]
        assert server.transport.is_closing()
        assert client.transport.is_closing()

    loop.run_until_complete(scenario())

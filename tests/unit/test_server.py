"""The server: its socket, its end, and that a cluster has one server."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.server import Server
from proxy.session.instance import open_instance
from proxy.wire import backend, frontend
from tests.harness.conversation import decode

ROOT = Path(__file__).parents[2]
_LIMIT = 20.0


async def until(reader: asyncio.StreamReader, kind: type) -> list:
    data = b""
    while True:
        data += await asyncio.wait_for(reader.read(1 << 16), _LIMIT)
        try:
            messages = decode(data)
        except (KeyError, IndexError, ValueError):
            continue
        if any(isinstance(message, kind) for message in messages):
            return messages


def test_shutdown_tells_every_client(tmp_path, loop):
    async def scenario() -> None:
        server = Server(open_instance(tmp_path / "data"))
        await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(frontend.StartupMessage(parameters={"user": "postgres"}).encode())
        await until(reader, backend.ReadyForQuery)
        writer.write(frontend.Query("SELECT pg_sleep(60)").encode())
        await until(reader, backend.RowDescription)
        server.stop()
        await asyncio.wait_for(server.run(), _LIMIT)
        [*_, error] = await until(reader, backend.ErrorResponse)
        assert (error.severity, error.code) == ("FATAL", "57P01")
        assert await asyncio.wait_for(reader.read(), _LIMIT) == b""
        writer.close()
        await writer.wait_closed()

    loop.run_until_complete(scenario())


@pytest.mark.slow
def test_it_ends_when_nobody_has_been_connected_for_a_while(tmp_path, loop):
    async def scenario() -> None:
        server = Server(open_instance(tmp_path / "data"), idle_exit=0.05)
        await server.start("127.0.0.1", 0)
        server.end_when_idle()
        running = asyncio.ensure_future(server.run())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.sleep(0.2)
        assert not running.done()
        writer.close()
        await asyncio.wait_for(running, _LIMIT)
        assert await reader.read() == b""

    loop.run_until_complete(scenario())


def serve(*options):
    """What the command says when it cannot start."""
    command = [sys.executable, "-m", "proxy", "serve", *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_LIMIT, check=False)
    assert done.returncode == 1
    return done.stderr


def test_what_keeps_it_from_starting_and_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = serve("--data", tmp_path / "data", "--port", port)
    assert said == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\nTry --port {port + 1}, or end who listens there.\n"
    )
    (tmp_path / "file").write_text("")
    said = serve("--data", tmp_path / "file" / "data", "--port", 0)
    assert said == f"Error: cannot open {tmp_path}/file/data: Not a directory\nTry --data with another directory.\n"


def test_the_command(tmp_path):
    """It says that it is ready, refuses a second server on the same data, and ends cleanly."""
    command = [sys.executable, "-m", "proxy", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("litephant is ready: postgres://127.0.0.1:")
        assert line.endswith(f"/postgres, data in {tmp_path / 'data'}\n")
        second = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_LIMIT, check=False)
        assert second.returncode == 1
        assert f"is in use by process {server.pid}" in second.stderr
        server.send_signal(signal.SIGTERM)
        assert server.wait(_LIMIT) == 0
    assert not list((tmp_path / "data").glob("*-wal"))

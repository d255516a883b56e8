"""The protocols of systemd, without systemd."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from proxy import systemd
from proxy.wire import frontend

ROOT = Path(__file__).parents[2]
_LIMIT = 20.0


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A socket such as the service manager's."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as received:
        received.bind(path)
        received.settimeout(_LIMIT)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield received


def test_a_notification_is_one_datagram(manager):
    systemd.notify("READY=1\nSTATUS=here")
    assert manager.recv(1000) == b"READY=1\nSTATUS=here"


def test_an_abstract_address(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as received:
        received.bind(f"\0litephant-test-{os.getpid()}")
        received.settimeout(_LIMIT)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@litephant-test-{os.getpid()}")
        systemd.notify("READY=1")
        assert received.recv(1000) == b"READY=1"


def test_without_a_manager_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent")
    systemd.notify("READY=1")


def test_a_service_is_ready_alive_and_stopping(manager, monkeypatch, loop):
    monkeypatch.setenv("WATCHDOG_USEC", "40000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)

    manager.setblocking(False)

    async def told() -> bytes:
        return await asyncio.wait_for(loop.sock_recv(manager, 1000), _LIMIT)

    async def scenario() -> None:
        async with systemd.service("at work"):
            assert [await told() for _ in range(3)] == [b"READY=1\nSTATUS=at work", b"WATCHDOG=1", b"WATCHDOG=1"]
        while (last := await told()) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1\nSTATUS=shutting down"

    loop.run_until_complete(scenario())


@pytest.mark.parametrize(("usec", "pid", "interval"), [("3000000", None, 1.5), ("", None, None), ("3000000", "1", None)])
def test_the_watchdog_asks_for_signs_of_life(monkeypatch, usec, pid, interval):
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    assert systemd.watchdog_interval() == interval


def test_sockets_for_another_process_are_not_ours(monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    assert systemd.inherited_sockets() == []
    assert "LISTEN_FDS" not in os.environ


def _activate(tmp_path, sockets: dict[str, socket.socket]) -> subprocess.Popen:
    """Start the server as systemd does: the sockets are descriptors 3 and up, and LISTEN_PID names the process."""
    command = [sys.executable, "-m", "proxy", "serve", "--data", str(tmp_path / "data")]
    start = (
        "import os, sys\n"
        "for target, source in enumerate(map(int, sys.argv[1].split(',')), 100): os.dup2(source, target)\n"
        "for number in range(len(sys.argv[1].split(','))): os.dup2(100 + number, 3 + number, inheritable=True)\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n"
    )
    descriptors = [each.fileno() for each in sockets.values()]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "LISTEN_FDS": str(len(sockets)),
        "LISTEN_FDNAMES": ":".join(sockets),
    }
    return subprocess.Popen(
        [sys.executable, "-c", start, ",".join(map(str, descriptors)), *command],
        env=environment,
        pass_fds=descriptors,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_the_server_takes_inherited_sockets(tmp_path, manager):
    """TCP, the file system's, and HTTP; clients that came before it ran are served too."""
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / ".s.PGSQL.5432"))
    unix.listen()
    sockets = {
        "postgres": socket.create_server(("127.0.0.1", 0)),
        "socket": unix,
        "http": socket.create_server(("127.0.0.1", 0)),
    }
    early = [socket.create_connection(sockets[name].getsockname()) for name in ("postgres", "http")]
    path = socket.socket(socket.AF_UNIX)
    path.connect(str(tmp_path / ".s.PGSQL.5432"))
    process = _activate(tmp_path, sockets)
    try:
        for client in (early[0], path):
            client.settimeout(_LIMIT)
            client.sendall(frontend.StartupMessage(parameters={"user": "postgres"}).encode())
            assert client.recv(1) == b"R"
        early[1].settimeout(_LIMIT)
        early[1].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert early[1].recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert manager.recv(1000).startswith(b"READY=1\nSTATUS=postgres://")
    finally:
        for each in (*sockets.values(), *early, path):
            each.close()
        process.terminate()
        assert process.wait(_LIMIT) == 0
        assert process.stdout is not None
        process.stdout.close()
    assert manager.recv(1000) == b"STOPPING=1\nSTATUS=shutting down"

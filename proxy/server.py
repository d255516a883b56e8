"""The server: listening sockets, the connections that came in by them, and an orderly end.

Sessions, their limit and their cancel keys are the instance's. On SIGTERM and SIGINT the server stops listening, tells every client
57P01, waits a moment for what they were doing to be undone, and closes the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING, Final

from proxy.connection import Connection
from proxy.in_process import Streams, open_streams
from proxy.monitoring import health, metrics
from proxy.session.instance import Instance, open_instance
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

_log = logging.getLogger("litephant.server")

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 45432
_BACKLOG: Final = 1024
_GRACE: Final = 5.0  # seconds for sessions to end


class ListenError(OSError):
    """The address is not there, not ours, or taken."""


class Server:
    """A listening instance."""

    def __init__(self, instance: Instance, *, idle_exit: float | None = None) -> None:
        """`idle_exit`: seconds without a connection after which the server ends; None: never."""
        self.instance = instance
        self._idle_exit = idle_exit
        self._idle: asyncio.TimerHandle | None = None
        self.port = 0
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._stopping = asyncio.Event()
        self._empty = asyncio.Event()

    async def start(self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
        """Listen; port 0 takes a free one, which `port` then tells."""
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(self._connect, host, port, backlog=_BACKLOG))
        self._listens_at(host, self._servers[0].sockets[0].getsockname()[1])

    async def start_on(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on sockets that somebody else opened, of TCP or in the file system."""
        loop = asyncio.get_running_loop()
        for each in sockets:
            if each.family == socket.AF_UNIX:
                self._servers.append(await loop.create_unix_server(self._connect, sock=each, backlog=_BACKLOG))
            else:
                self._servers.append(await loop.create_server(self._connect, sock=each, backlog=_BACKLOG))
                self._listens_at(*each.getsockname()[:2])

    def end_when_idle(self) -> None:
        """Begin to wait for connections, for as long as `idle_exit` says; it is done again whenever the last one ends."""
        if self._idle_exit:
            self._idle = asyncio.get_running_loop().call_later(self._idle_exit, self._end_idle)

    def _end_idle(self) -> None:
        _log.info("nobody has been connected for %g seconds", self._idle_exit)
        self.stop()

    def _listens_at(self, host: str, port: int) -> None:
        self.port = port
        self.instance.defaults["port"] = port
        self.instance.defaults["listen_addresses"] = host
        self.instance.cluster.announce(host, self.port)

    def stop(self) -> None:
        """Ask the server to end; `run` does it."""
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until somebody has called `stop`."""
        await self._stopping.wait()

    async def run(self) -> None:
        """Serve until `stop`, then close everything."""
        await self.stopped()
        await self.close()

    async def close(self) -> None:
        """Stop listening, end the sessions, close the cluster."""
        self.instance.accepts = False
        self._idle_exit = None
        if self._idle is not None:
            self._idle.cancel()
        for server in self._servers:
            server.close()
        for session in list(self.instance.sessions.values()):
            session.terminate(SqlError(codes.ADMIN_SHUTDOWN, "terminating connection due to administrator command"))
        for connection in list(self._connections):
            if connection.session is None:
                connection.close()
        if self._connections:
            try:
                await asyncio.wait_for(self._empty.wait(), _GRACE)
            except TimeoutError:
                _log.warning("%d connections did not end in time", len(self._connections))
        self.instance.close()

    def open_streams(self) -> Streams:
        """A connection for code in this process: a client's, without a socket and without a password (in_process.py)."""
        return open_streams(self._connect(trusted=True))

    async def check_health(self) -> list[health.Check]:
        """Whether it can do its work (monitoring.health)."""
        return await health.check(self.instance)

    def measure(self) -> list[metrics.Metric]:
        """What it counts (monitoring.metrics)."""
        return metrics.measure(self.instance)

    def _connect(self, *, trusted: bool = False) -> Connection:
        connection = Connection(self.instance, self._disconnected, trusted=trusted)
        self._connections.add(connection)
        self._empty.clear()
        if self._idle is not None:
            self._idle.cancel()
        return connection

    def _disconnected(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
            self.end_when_idle()


async def serve(
    path: Path,
    address: tuple[str, int] | Sequence[socket.socket],
    password: str | None,
    running: Callable[[Server], AbstractAsyncContextManager[None]],
    *,
    idle_exit: float | None = None,
) -> None:
    """Open the cluster and serve it until a signal comes; `running` is entered for as long.

    `address` is where to listen, or the sockets that listen already. It ends, too, when nobody has been connected for `idle_exit`
    seconds. Raises ClusterInUse when another process has the cluster, OSError when it cannot be opened, and ListenError.
    """
    server = Server(open_instance(path, password), idle_exit=idle_exit)
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, server.stop)
    try:
        try:
            if isinstance(address, tuple):
                await server.start(*address)
            else:
                await server.start_on(address)
        except OSError as error:
            raise ListenError(error.errno, os.strerror(error.errno) if error.errno else str(error)) from error
        server.end_when_idle()
        async with running(server):
            await server.stopped()
    finally:
        await server.close()

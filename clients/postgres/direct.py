"""A stream to a session in this process, which opens the files itself: for when no server runs.

The one module of the clients that imports the server. It is loaded late, because the server's code takes most of a second to
import, and a client that reaches a server does not need it. The same translator, sessions and storage answer as in the server;
a server that runs beside it sees what is committed (Cluster.join).
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from clients.postgres.errors import ConnectionFailed
from proxy.server import Server
from proxy.session.instance import join_instance

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

_CHUNK: Final = 1 << 16

# What goes wrong the session reports; a program that wants the server's log, too, configures logging.
logging.getLogger("litephant").addHandler(logging.NullHandler())


class DirectStream:
    """See the module. Raises ConnectionFailed when the files cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._server = _join(path)
        self._loop = asyncio.new_event_loop()
        self._reader, self._writer = self._run(self._open())

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return self._server.open_streams()

    def write(self, data: bytes) -> None:
        """See Stream."""
        self._writer.write(data)

    def read(self, timeout: float | None = None) -> bytes:
        """See Stream."""
        return self._run(asyncio.wait_for(self._reader.read(_CHUNK), timeout))

    def close(self) -> None:
        """End the session, and give back the files."""
        if not self._loop.is_closed():
            self._writer.close()
            self._run(self._server.close())
            self._loop.close()

    def _run(self, coroutine: Coroutine[None, None, T]) -> T:
        return self._loop.run_until_complete(coroutine)


class DirectServer:
    """The same for programs that run an event loop, on which this is made: any number of sessions, as streams."""

    def __init__(self, path: Path) -> None:
        """Raises ConnectionFailed when the files cannot be opened."""
        self._server = _join(path)

    def open_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A session."""
        return self._server.open_streams()

    async def close(self) -> None:
        """End the sessions, and give back the files."""
        await self._server.close()


def _join(path: Path) -> Server:
    try:
        return Server(join_instance(path))
    except OSError as error:
        raise ConnectionFailed(f"cannot open {path}: {error.strerror or error}") from error

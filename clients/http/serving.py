"""Serving the application on the event loop that runs already."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp

_BACKLOG: Final = 128
_GRACE: Final = 2  # seconds for open requests, of which event streams never end by themselves


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the server's whose guest it is."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


@asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serve while the block runs."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    up = asyncio.create_task(server.is_up.wait())
    await asyncio.wait((running, up), return_when=asyncio.FIRST_COMPLETED)
    up.cancel()
    try:
        if server.should_exit or running.done():
            raise RuntimeError("the HTTP application did not start")
        yield
    finally:
        server.should_exit = True
        await running

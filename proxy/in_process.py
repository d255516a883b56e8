"""A connection without a socket: for code in the server's own process that wants a session like any client's.

`pipe` links two protocol objects of asyncio by two transports in memory. The server's end is an ordinary `Connection`, so limits,
transactions, LISTEN, pg_stat_activity, cancel keys and back-pressure are those of every client; the other end is a pair of
asyncio streams, as `asyncio.open_connection` gives it.

Bytes that one end writes arrive at the other in a later turn of the event loop, never within `write`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_HIGH_WATER: Final = 1 << 16  # as asyncio's sockets


def open_streams(server_end: asyncio.Protocol) -> Streams:
    """Connect to a server's protocol object; the client's end as streams."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    return reader, asyncio.StreamWriter(pipe(server_end, protocol), protocol, reader, loop)


def pipe(server_end: asyncio.Protocol, client_end: asyncio.Protocol) -> asyncio.Transport:
    """Link two protocol objects; the transport of the second one."""
    server, client = _End(server_end), _End(client_end)
    server.peer, client.peer = client, server
    server_end.connection_made(server)
    client_end.connection_made(client)
    return client


class _End(asyncio.Transport):
    """One end. What the peer writes collects in `_inbox` until this end reads it."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.peer: _End
        self._loop = asyncio.get_running_loop()
        self._protocol: asyncio.BaseProtocol = protocol
        self._inbox: list[bytes] = []
        self._waiting = 0  # bytes in the inbox
        self._high, self._low = _HIGH_WATER, _HIGH_WATER // 4
        self._is_reading = True
        self._is_due = False  # a delivery
        self._is_closing = False
        self._must_wait = False  # the protocol was told to pause writing

    # Writing

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._is_closing or not data:
            return
        self.peer._take(bytes(data))
        if not self._must_wait and self.peer._waiting > self._high:
            self._must_wait = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = _HIGH_WATER if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        return self.peer._waiting

    def can_write_eof(self) -> bool:
        return False

    # Reading

    def is_reading(self) -> bool:
        return self._is_reading

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        self._deliver_soon()

    # The end

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """What was written is still delivered, then the peer sees the end."""
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)
            self.peer._deliver_soon()

    def abort(self) -> None:
        """What was written and not read is lost."""
        self.peer._inbox.clear()
        self.peer._waiting = 0
        self.close()

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    # Between the ends

    def _take(self, data: bytes) -> None:
        self._inbox.append(data)
        self._waiting += len(data)
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        if self._is_reading and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._is_due = False
        if self._is_closing or not self._is_reading:
            return
        assert isinstance(self._protocol, asyncio.Protocol)
        data = b"".join(self._inbox)
        self._inbox.clear()
        self._waiting = 0
        if data:
            self._protocol.data_received(data)
            self.peer._read()
        if self.peer._is_closing and not self._inbox:
            self._protocol.eof_received()
            self.close()

    def _read(self) -> None:
        """The peer has read what was written."""
        if self._must_wait and self.peer._waiting <= self._low:
            self._must_wait = False
            self._protocol.resume_writing()

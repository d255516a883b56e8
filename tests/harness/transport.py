"""A transport without a socket, for testing a protocol object of asyncio: what was written, paused, closed."""

from __future__ import annotations

import asyncio
from typing import Any


class FakeTransport(asyncio.Transport):
    """Collects what is written. `pause` and `resume` play the full and the drained socket; `disconnect` the lost peer."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("127.0.0.1", 54321), "sockname": ("127.0.0.1", 45432)})
        self.protocol = protocol
        self.written = bytearray()
        self.writes = 0
        self.reading = True
        self.closing = False
        protocol.connection_made(self)

    def take(self) -> bytes:
        """What was written since the last call."""
        taken = bytes(self.written)
        self.written.clear()
        return taken

    # What the test does

    def receive(self, data: bytes) -> None:
        assert self.reading, "the protocol had paused reading"
        self.protocol.data_received(data)

    def pause(self) -> None:
        self.protocol.pause_writing()

    def resume(self) -> None:
        self.protocol.resume_writing()

    def disconnect(self, error: Exception | None = None) -> None:
        self.closing = True
        self.protocol.connection_lost(error)

    # What the protocol does

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += data
        self.writes += 1

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The test says when the buffer is full."""

    def get_write_buffer_size(self) -> int:
        return 0

"""One client's socket: bytes to messages to the session, and back. The asyncio edge of the server.

A thin shell: `wire.Protocol` knows bytes, `Session` knows meaning. A message is handled within `data_received`; when the session
returns a future, no further message is taken from the protocol until it is done, and reading pauses when much has come in
meanwhile. What the session sends is written once a batch of messages, and whenever it asks to flush.

Back-pressure outwards: above the transport's high-water mark `flush` gives a future, so a result is fetched no faster than the
client reads it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from proxy.session.startup import Startup
from proxy.wire.errors import ProtocolError
from proxy.wire.protocol import Item, Protocol, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.session.instance import Instance
    from proxy.session.session import Session
    from proxy.wire.message import Message

_log = logging.getLogger("litephant.connection")

_HIGH_WATER: Final = 1 << 18  # bytes that wait in the transport before the session is told to wait
_BATCH: Final = 64  # messages that are handled before their answers are written
_MOST_UNREAD: Final = 1 << 18  # bytes that wait while the session is busy before reading pauses


class Connection(asyncio.Protocol):
    """See the module. `ended` is called when the socket is closed; no password is asked of a `trusted` client."""

    def __init__(self, instance: Instance, ended: Callable[[Connection], None], *, trusted: bool = False) -> None:
        self.session: Session | None = None
        self._instance = instance
        self._ended = ended
        self._verifier = None if trusted else instance.verifier
        self._protocol = Protocol(Role.SERVER)
        self.send_bytes = self._protocol.send_bytes  # no method of its own: it is called several times a message
        self._startup: Startup | None = None
        self._transport: asyncio.Transport
        self._waiting = False  # for the session to be done with a message
        self._reading_paused = False
        self._drained: asyncio.Future[None] | None = None
        self._closing = False

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._transport = transport
        transport.set_write_buffer_limits(_HIGH_WATER)
        self._startup = Startup(self._instance, self, self._open, self._verifier)
        peer = transport.get_extra_info("peername")
        local = transport.get_extra_info("sockname")
        if isinstance(peer, tuple) and isinstance(local, tuple):
            self._startup.address, self._startup.server_address = peer[:2], local[:2]

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        if self._waiting:
            if not self._reading_paused and self._protocol.unread > _MOST_UNREAD:
                self._reading_paused = True
                self._transport.pause_reading()
            return
        self._take_messages()

    def eof_received(self) -> bool:
        return False  # close: a client that shuts down its side is gone (PostgreSQL: "unexpected EOF")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self.session is not None:
            self.session.close()
        self._ended(self)

    def pause_writing(self) -> None:
        if self._drained is None or self._drained.done():
            self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # Messages in

    def _open(self, session: Session) -> None:
        self.session = session
        self._startup = None

    def _take_messages(self) -> None:
        """Handle messages until there is none, or one has to wait; then write what they were answered."""
        next_message = self._protocol.next_message
        handled = 0
        while not self._closing:
            message = next_message()
            if message is None:
                break
            session = self.session
            if session is None or isinstance(message, ProtocolError):
                if self._receive_at_an_end(message):
                    continue
                return
            waiting = session.receive(message)
            handled += 1
            if waiting is None and handled % _BATCH == 0:
                waiting = self.flush()
            if waiting is not None:
                self._waiting = True
                waiting.add_done_callback(self._go_on)
                break
        self._write()

    def _receive_at_an_end(self, message: Item) -> bool:
        """A message of the start-up, or the end of the protocol. False: there are no more."""
        if isinstance(message, ProtocolError):
            self._protocol.send(message)
            self.close()
            return False
        assert self._startup is not None
        self._startup.receive(message)
        return True

    def _go_on(self, done: asyncio.Future[None]) -> None:
        """The session has finished a message."""
        self._waiting = False
        if error := done.exception():
            _log.error("the session failed", exc_info=error)
            self._transport.abort()
            return
        self._take_messages()
        if self._reading_paused and not self._closing and not (self._waiting and self._protocol.unread > _MOST_UNREAD):
            self._reading_paused = False
            self._transport.resume_reading()

    # The session's client

    def send(self, message: Message) -> None:
        self._protocol.send(message)

    def flush(self) -> asyncio.Future[None] | None:
        """Write what is queued; a future when the client does not keep up."""
        self._write()
        drained = self._drained
        return None if drained is None or drained.done() else drained

    def close(self) -> None:
        """Write what is queued, then hang up."""
        if not self._closing:
            self._write()
            self._closing = True
            self._transport.close()

    def abort(self) -> None:
        """Hang up on a client that does not read."""
        self._closing = True
        self._transport.abort()

    def _write(self) -> None:
        if self._closing:
            self._protocol.data_to_send()
            return
        data = self._protocol.data_to_send()
        if data:
            self._transport.write(data)

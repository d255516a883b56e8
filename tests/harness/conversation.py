"""A conversation with a server's connection through a fake transport, in messages."""

import asyncio
from collections.abc import Callable

from proxy.connection import Connection
from proxy.session.instance import Instance
from proxy.wire import backend, frontend
from proxy.wire.message import Message
from tests.harness.transport import FakeTransport

_LIMIT = 10.0  # seconds that anything may take


class Conversation:
    """A client's side: sends messages, and gives what the server answered as messages."""

    def __init__(self, loop: asyncio.AbstractEventLoop, instance: Instance) -> None:
        self.loop = loop
        self.ended = False
        self.connection = Connection(instance, self._end)
        self.transport: FakeTransport
        self.on_loop(self._connect)

    def start(self, version: int = frontend.PROTOCOL_3_0, /, **parameters: str) -> list[Message]:
        """The start-up of a session as user postgres."""
        return self.send(frontend.StartupMessage(version, {"user": "postgres", **parameters}))

    def send(self, *messages: Message) -> list[Message]:
        """Send messages in one piece, wait until the server is done with them, and give its answers."""
        self.feed(b"".join(message.encode() for message in messages))
        self.settle()
        return self.answers()

    def query(self, sql: str) -> list[Message]:
        return self.send(frontend.Query(sql))

    def feed(self, data: bytes) -> None:
        """Let bytes arrive, without waiting for what becomes of them."""
        self.on_loop(lambda: self.connection.data_received(data))

    def settle(self) -> None:
        """Wait until no message is being worked on."""

        async def wait() -> None:
            while self.connection._waiting and not self.ended:  # noqa: ASYNC110  (nothing tells when)
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), _LIMIT))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not condition():  # noqa: ASYNC110  (any condition)
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), _LIMIT))

    def answers(self) -> list[Message]:
        """What the server has written since the last call."""
        return decode(self.transport.take())

    def disconnect(self) -> None:
        self.on_loop(self.transport.disconnect)

    def _connect(self) -> None:
        self.transport = FakeTransport(self.connection)

    def _end(self, connection: Connection) -> None:
        self.ended = True

    def on_loop(self, function: Callable[[], None]) -> None:
        """Call a function as the event loop would."""

        async def call() -> None:
            function()

        self.loop.run_until_complete(call())


def decode(data: bytes) -> list[Message]:
    """The messages of a server."""
    found: list[Message] = []
    kinds = {**backend.BEFORE_AUTHENTICATION, **backend.BY_TYPE}
    position = 0
    while position < len(data):
        if data[position : position + 1] == b"N" and data[position + 1 : position + 2] != b"\0":
            found.append(backend.EncryptionResponse("N"))
            position += 1
            continue
        length = int.from_bytes(data[position + 1 : position + 5], "big")
        kind = kinds[data[position]]
        found.append(kind.decode(data[position + 5 : position + 1 + length]))
        position += 1 + length
    return found


def brief(messages: list[Message]) -> list[str]:
    """Messages in few words, for comparison: tags, statuses, SQLSTATEs, rows."""
    found = []
    for message in messages:
        match message:
            case backend.CommandComplete():
                found.append(message.tag)
            case backend.ReadyForQuery():
                found.append(message.status)
            case backend.ErrorResponse() | backend.NoticeResponse():
                found.append(f"{message.severity} {message.code}")
            case backend.DataRow():
                found.append("(" + ",".join("" if value is None else value.decode() for value in message.values) + ")")
            case _:
                found.append(type(message).__name__)
    return found

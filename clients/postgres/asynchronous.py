"""A session with a database, for programs that run an event loop: `Connection`'s twin.

One statement at a time: whoever shares a connection between tasks keeps them apart. The MCP server gives each of its sessions
a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from clients.postgres.conversation import Bounds, Conversation, Result
from clients.postgres.errors import ConnectionFailed

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Sequence

    from clients.postgres.operation import Operation

T = TypeVar("T")

_CHUNK: Final = 1 << 16


class AsyncConnection:
    """See the module."""

    def __init__(self, streams: tuple[StreamReader, StreamWriter], conversation: Conversation) -> None:
        self.conversation = conversation
        self._reader, self._writer = streams
        self._broken = False

    @classmethod
    async def open(
        cls,
        streams: tuple[StreamReader, StreamWriter],
        *,
        user: str,
        database: str,
        password: str | None = None,
        **parameters: str,
    ) -> Self:
        """Log in. `streams`: as asyncio.open_connection gives them. Raises ConnectionFailed and DatabaseError."""
        connection = cls(streams, Conversation(user=user, database=database, password=password, **parameters))
        try:
            await connection._converse()
            connection.conversation.take_results()
        except BaseException:
            connection._writer.close()
            raise
        return connection

    async def execute(self, sql: str, *parameters: Any) -> Result:
        """Run one statement. Raises DatabaseError."""
        self.conversation.ask(sql, parameters)
        await self._converse()
        return self.conversation.take_result()

    async def execute_bounded(self, sql: str, parameters: Sequence[Any], bounds: Bounds, *, max_rows: int = 0) -> Result:
        """As `execute`, keeping no more of the result than `bounds` allows. Raises DatabaseError."""
        self.conversation.ask(sql, parameters, bounds, max_rows=max_rows)
        await self._converse()
        return self.conversation.take_result()

    async def execute_script(self, sql: str) -> list[Result]:
        """Run any number of statements, without parameters. Raises DatabaseError, and then nothing after it was run."""
        self.conversation.ask_script(sql)
        await self._converse()
        return self.conversation.take_results()

    async def run(self, operation: Operation[T]) -> T:
        """Perform an operation; if it writes, all of it or nothing."""
        while operation.advance(self.conversation):
            await self._converse()
        return operation.value

    async def notification(self) -> tuple[str, str]:
        """Channel and payload of the next notification for a session that listens."""
        while not self.conversation.notifications:
            self.conversation.receive(await self._reader.read(_CHUNK))
        return self.conversation.notifications.pop(0)

    def close(self) -> None:
        """End the session."""
        if not self._broken:
            self.conversation.end()
            self._writer.write(self.conversation.data_to_send())
        self._writer.close()

    async def _converse(self) -> None:
        """Send what is to be sent, and take what comes, until it is our turn again."""
        conversation = self.conversation
        try:
            self._writer.write(conversation.data_to_send())
            while not conversation.receive(await self._reader.read(_CHUNK)):
                if answer := conversation.data_to_send():
                    self._writer.write(answer)
        except OSError as error:
            self._broken = True
            raise ConnectionFailed(f"the connection broke: {error.strerror or error}") from error
        except BaseException:
            self._broken = True
            raise

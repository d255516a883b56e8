"""A session with a database, for programs that wait.

A `Stream` moves bytes; `Conversation` says which. One statement at a time; an operation (clients.tasks) is a generator of
statements, which `run` performs in one transaction.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from clients.postgres.conversation import Conversation, Result
from clients.postgres.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from clients.postgres.operation import Operation

T = TypeVar("T")


class Stream(Protocol):
    """Bytes to a session and from it."""

    def write(self, data: bytes) -> None: ...

    def read(self, timeout: float | None = None) -> bytes:
        """Some bytes; none at all when the other side has closed. Raises TimeoutError after `timeout` seconds."""

    def close(self) -> None: ...


class Connection:
    """See the module."""

    def __init__(self, stream: Stream, conversation: Conversation) -> None:
        self.conversation = conversation
        self._stream = stream
        self._broken = False

    @classmethod
    def open(cls, stream: Stream, *, user: str, database: str, password: str | None = None, **parameters: str) -> Self:
        """Log in. Raises ConnectionFailed and DatabaseError; the stream is closed then."""
        connection = cls(stream, Conversation(user=user, database=database, password=password, **parameters))
        try:
            connection._converse()
            connection.conversation.take_results()
        except BaseException:
            stream.close()
            raise
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def execute(self, sql: str, *parameters: Any) -> Result:
        """Run one statement. Raises DatabaseError."""
        self.conversation.ask(sql, parameters)
        self._converse()
        return self.conversation.take_result()

    def execute_script(self, sql: str) -> list[Result]:
        """Run any number of statements, without parameters. Raises DatabaseError, and then nothing after it was run."""
        self.conversation.ask_script(sql)
        self._converse()
        return self.conversation.take_results()

    def run(self, operation: Operation[T]) -> T:
        """Perform an operation; if it writes, all of it or nothing."""
        while operation.advance(self.conversation):
            self._converse()
        return operation.value

    def notifications(self, timeout: float | None = None) -> Iterator[tuple[str, str]]:
        """Channel and payload of what comes while this session listens; ends when none comes for `timeout` seconds."""
        found = self.conversation.notifications
        while True:
            while found:
                yield found.pop(0)
            try:
                self.conversation.receive(self._stream.read(timeout))
            except TimeoutError:
                return

    def close(self) -> None:
        """End the session."""
        if not self._broken:
            self.conversation.end()
            with contextlib.suppress(OSError):
                self._stream.write(self.conversation.data_to_send())
        self._stream.close()

    def _converse(self) -> None:
        """Send what is to be sent, and take what comes, until it is our turn again."""
        conversation, stream = self.conversation, self._stream
        try:
            stream.write(conversation.data_to_send())
            while not conversation.receive(stream.read()):
                if answer := conversation.data_to_send():
                    stream.write(answer)
        except TimeoutError as error:
            self._broken = True
            raise ConnectionFailed("the server does not answer", timed_out=True) from error
        except OSError as error:
            self._broken = True
            raise ConnectionFailed(f"the connection broke: {error.strerror or error}") from error
        except BaseException:
            self._broken = True
            raise

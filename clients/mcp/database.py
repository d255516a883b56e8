"""Sessions for tool calls: one a call, closed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clients.postgres.asynchronous import AsyncConnection
from clients.postgres.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from clients.postgres.errors import DatabaseError

Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

APPLICATION: Final = "mcp"


@dataclass(frozen=True, slots=True)
class Database:
    """Where a server's sessions come from, and whose they are."""

    dial: Dial
    name: str
    user: str = "postgres"
    password: str | None = None

    @asynccontextmanager
    async def session(self, application: str = APPLICATION, **parameters: str) -> AsyncIterator[AsyncConnection]:
        """A session, with these run-time parameters from its start. Raises ConnectionFailed and DatabaseError."""
        connection = await AsyncConnection.open(
            await self._dial(),
            user=self.user,
            database=self.name,
            password=self.password,
            application_name=application,
            **parameters,
        )
        try:
            yield connection
        finally:
            connection.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await self.dial()
        except OSError as error:
            raise ConnectionFailed(f"the server does not answer: {error.strerror or error}") from error


def describe(error: DatabaseError) -> str:
    """An error of the database in one text, as psql prints it: what an agent needs to mend its statement."""
    parts = [f"{error.severity} {error.sqlstate}: {error.message}"]
    for name, text in (("DETAIL", error.detail), ("HINT", error.hint), ("CONTEXT", error.where)):
        if text:
            parts.append(f"{name}: {text}")
    if error.position:
        parts.append(f"POSITION: character {error.position}")
    return "\n".join(parts)

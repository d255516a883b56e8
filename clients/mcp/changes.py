"""Changes of tasks, told to agents that listen (subscriptions/listen) instead of being asked for.

The service layer notifies the channel `astro` with the number of a change at each commit. As long as some agent listens, one session
waits for those notifications and says which resources are not what they were: the board, and the tasks that changed.
A lost connection is made again, and then what was missed is read from the log.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated

from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.tasks import history

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.subscriptions import ServerEvent

    from clients.mcp.database import Database
    from clients.postgres.asynchronous import AsyncConnection

BOARD: Final = "astro://board"
TASK: Final = "astro://task/{id}"

_PAUSE: Final = 1.0  # seconds before a lost connection is made again

_log = logging.getLogger("litephant.mcp")


class ChangeBus(InMemorySubscriptionBus):
    """The events of one database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._listening: asyncio.Task[None] | None = None
        self._listener_count = 0
        self._last: int | None = None  # the last change that was told

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Register a listener; the first one starts the session that waits, the last one ends it."""
        unsubscribe = super().subscribe(listener)
        self._listener_count += 1
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        gone = False

        def leave() -> None:
            nonlocal gone
            unsubscribe()
            if not gone:
                gone = True
                self._left()

        return leave

    def _left(self) -> None:
        self._listener_count -= 1
        if self._listener_count == 0 and self._listening is not None:
            self._listening.cancel()
            self._listening = self._last = None

    async def _listen(self) -> None:
        told = ""
        while True:
            try:
                async with self._database.session("mcp changes") as connection:
                    await connection.execute("LISTEN astro")
                    await self._tell(connection)
            except (ConnectionFailed, DatabaseError) as error:
                if str(error) != told:  # once, not every second
                    told = str(error)
                    _log.warning("no notifications of changes: %s", told)
            await asyncio.sleep(_PAUSE)

    async def _tell(self, connection: AsyncConnection) -> None:
        """Tell of what comes, beginning with what came while there was no session."""
        if self._last is None:
            newest = await connection.run(history.log(limit=1))
            self._last = newest[0].id if newest else 0
        while True:
            changes = await connection.run(history.since(self._last))
            for task_id in dict.fromkeys(change.task_id for change in changes):
                await self.publish(ResourceUpdated(uri=TASK.format(id=task_id)))
            if changes:
                self._last = changes[-1].id
                await self.publish(ResourceUpdated(uri=BOARD))
            await connection.notification()

"""Notifications of other processes: by a table in the database file.

A process that has joined the cluster beside its owner (Cluster.join) writes what a transaction sends into the table, in the transaction
itself: so it is there when that is committed, and in the order of commits. Whoever has listeners looks for rows that are new to it,
ten times a second, and before it sends something itself. After a minute a row is old, and whoever writes the next one deletes it.

The owner writes nothing: its notifications stay in its memory, and processes that joined do not hear them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Final

from proxy.storage.connection import SQLiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.storage.database import Database

_log = logging.getLogger("litephant.notify")

Sent = tuple[int, str, str]  # process id, channel, payload

_TABLE: Final = '"litephant.notification"'
_CREATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (id INTEGER PRIMARY KEY NOT NULL, at REAL NOT NULL, process_id INTEGER NOT NULL,"
    " channel TEXT NOT NULL, payload TEXT NOT NULL)"
)
_EXISTS: Final = "SELECT 1 FROM sqlite_schema WHERE name = 'litephant.notification'"
_PAUSE: Final = 0.1  # seconds between two looks
_KEPT: Final = 60.0  # seconds


def leave(connection: Any, queued: Iterable[tuple[str, str]]) -> None:
    """Write channels and payloads for other processes, in the connection's write transaction."""
    now = time.time()
    connection.execute(_CREATE)
    for channel, payload in queued:
        connection.execute(
            f"INSERT INTO {_TABLE} (at, process_id, channel, payload) VALUES (?, ?, ?, ?)", (now, os.getpid(), channel, payload)
        )
    # The newest stays, so that no id comes twice.
    connection.execute(f"DELETE FROM {_TABLE} WHERE at < ? AND id < (SELECT max(id) FROM {_TABLE})", (now - _KEPT,))


class ForeignNotifications:
    """What other processes send to the listeners of one database; given to `send` when it is found."""

    def __init__(self, database: Database, send: Callable[[list[Sent]], None]) -> None:
        self._database = database
        self._send = send
        self._last = 0  # the id of the last row that is known
        self._timer: asyncio.TimerHandle | None = None
        self._failed = False

    def open(self) -> None:
        """There is a listener: from now on rows count."""
        rows = self._read("SELECT max(id) FROM {} HAVING max(id) IS NOT NULL")
        self._last = rows[0][0] if rows else 0
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._look_again)

    def close(self) -> None:
        """There is no listener any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Send what is new."""
        if self._timer is None:
            return
        rows = self._read("SELECT id, process_id, channel, payload FROM {} WHERE id > ? ORDER BY id", self._last)
        if rows:
            self._last = rows[-1][0]
            self._send(
                [(process_id, channel, payload) for _, process_id, channel, payload in rows if process_id != os.getpid()]
            )

    def _look_again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._look_again)
        self.look()

    def _read(self, sql: str, *values: int) -> list[tuple[Any, ...]]:
        reader = self._database.take_reader()
        try:
            found = reader.execute(_EXISTS).fetchall() and reader.execute(sql.format(_TABLE), values).fetchall()
        except SQLiteError as error:
            if not self._failed:  # once, not ten times a second
                _log.warning("notifications of other processes cannot be read: %s", error)
            self._failed = True
            return []
        finally:
            self._database.give_reader(reader)
        self._failed = False
        return found

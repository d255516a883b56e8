"""Moves committed pages from the -wal file into the database file, outside of every client's COMMIT.

Usually a PASSIVE checkpoint in a reader thread is enough: it disturbs nobody, and when it has copied everything and no reader
looks at the WAL, the next writer starts the WAL from its beginning again. Under constant writing it never catches up; so
when the WAL has grown over a limit, the checkpointer takes its turn in the writer's queue and truncates it
with nobody writing. An old snapshot (REPEATABLE READ, a forgotten cursor) can prevent even that: it is logged, and tried
again when the WAL has doubled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import apsw

from proxy.storage.connection import Connection
from proxy.storage.statistics import Statistics
from proxy.storage.writer import WriterLease

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

T = TypeVar("T")
Lease = Callable[[object, Connection], "WriterLease | asyncio.Future[WriterLease]"]
Run = Callable[[Connection, Callable[[], T]], "asyncio.Future[T]"]

PASSIVE_PAGES = 1_000  # as SQLite's wal_autocheckpoint
TRUNCATE_PAGES = 16_384  # 64 MB
_TRUNCATE_ATTEMPTS = 12  # to get readers out of the WAL while writers wait: a tenth of a second

_log = logging.getLogger("litephant.storage")


class Checkpointer:
    """The checkpoints of one database; lives on the event loop. `lease`, `release`, `run`: the database's."""

    def __init__(self, path: Path, lease: Lease, release: Callable[[WriterLease], None], run: Run[tuple[int, int]]) -> None:
        self._path = path
        self._lease = lease
        self._release = release
        self._run = run
        self._connection: Connection | None = None
        self._running = False
        self._began = 0.0  # the running checkpoint; time.monotonic()
        self.statistics = Statistics()
        self._next_passive = PASSIVE_PAGES
        self._next_truncate = TRUNCATE_PAGES

    def wal_grew(self, pages: int) -> None:
        """A commit left this many pages in the WAL."""
        if pages < PASSIVE_PAGES:
            self._next_passive, self._next_truncate = PASSIVE_PAGES, TRUNCATE_PAGES
        elif pages >= self._next_passive and not self._running:
            self._running = True
            self._next_passive = pages + PASSIVE_PAGES
            self._passive(pages)

    def close(self) -> None:
        """Leave no WAL behind if nobody else reads the file."""
        connection = self._connection or Connection(self._path, writable=True)
        try:
            connection.sqlite.set_busy_handler(None)
            connection.sqlite.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            _log.info("no checkpoint of %s while closing: %s", self._path, error)
        finally:
            connection.close()

    def _passive(self, pages: int) -> None:
        if self._connection is None:
            self._connection = Connection(self._path, writable=True)
        sqlite = self._connection.sqlite
        self._began = time.monotonic()
        done = self._run(self._connection, lambda: sqlite.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE))
        done.add_done_callback(lambda done: self._after_passive(done, pages))

    def _after_passive(self, done: asyncio.Future[tuple[int, int]], pages: int) -> None:
        self._count()
        if error := done.exception():
            _log.error("checkpoint of %s failed: %s", self._path, error)
        if pages < self._next_truncate or self._connection is None or error:
            self._running = False
            return
        self._next_truncate = 2 * pages
        lease = self._lease("checkpointer", self._connection)
        if isinstance(lease, WriterLease):
            self._truncate(lease)
        else:
            lease.add_done_callback(self._leased)

    def _leased(self, future: asyncio.Future[WriterLease]) -> None:
        if future.cancelled() or future.exception():
            self._running = False
        else:
            self._truncate(future.result())

    def _truncate(self, lease: WriterLease) -> None:
        """The queue's turn is ours; SQLite's own lock is the checkpoint's to take."""
        connection = lease.connection
        connection.rollback()
        self._began = time.monotonic()

        def truncate() -> tuple[int, int]:
            connection.attempts = _TRUNCATE_ATTEMPTS
            return connection.sqlite.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_TRUNCATE)

        self._run(connection, truncate).add_done_callback(lambda done: self._after_truncate(done, lease))

    def _after_truncate(self, done: asyncio.Future[tuple[int, int]], lease: WriterLease) -> None:
        self._running = False
        self._count()
        self._release(lease)
        if isinstance(done.exception(), apsw.BusyError):
            _log.warning("the WAL of %s cannot be truncated: an old snapshot is still being read", self._path)
        elif error := done.exception():
            _log.error("checkpoint of %s failed: %s", self._path, error)

    def _count(self) -> None:
        self.statistics.checkpoints += 1
        self.statistics.checkpoint_seconds += time.monotonic() - self._began

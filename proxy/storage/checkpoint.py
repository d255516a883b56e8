"""Moves committed pages from the -wal file into the database file, outside of every client's COMMIT.

Usually a PASSIVE checkpoint in a reader thread is enough: it disturbs nobody, and when it has copied everything and no reader
looks at the WAL, the next writer starts the WAL from its beginning again. Under constant writing it never catches up; so
when the WAL has grown over a limit, the checkpointer takes its turn in the writer's queue and truncates it
with nobody writing. An old snapshot (REPEATABLE READ, a forgotten cursor) can prevent even that: then the log says whose it
is, and the next attempt is made when the WAL has doubled.

A checkpoint that fails (a full disk) leaves everything in the WAL and is tried again. One that could not sync a file is a
panic (flusher.py): after it nothing is moved any more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import apsw

from proxy.storage.connection import Connection
from proxy.storage.errors import translate
from proxy.storage.statistics import Statistics
from proxy.storage.writer import WriterLease
from translator import sqlstate

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from translator.errors import SqlError

T = TypeVar("T")
Lease = Callable[[object, Connection], "WriterLease | asyncio.Future[WriterLease]"]
Run = Callable[[Connection, Callable[[], T]], "asyncio.Future[T]"]

PASSIVE_PAGES = 1_000  # as SQLite's wal_autocheckpoint
TRUNCATE_PAGES = 16_384  # 64 MB
_TRUNCATE_ATTEMPTS = 12  # to get readers out of the WAL while writers wait: a tenth of a second

_log = logging.getLogger("litephant.storage")


class Checkpointer:
    """The checkpoints of one database; lives on the event loop. `lease`, `release`, `run`: the database's.

    `connect` opens a connection of the checkpointer's own; `snapshots` words who reads an old snapshot.
    """

    def __init__(
        self,
        path: Path,
        connect: Callable[[], Connection],
        lease: Lease,
        release: Callable[[WriterLease], None],
        run: Run[tuple[int, int]],
        snapshots: Callable[[], tuple[str, ...]],
    ) -> None:
        self.statistics = Statistics()
        self._path = path
        self._connect = connect
        self._lease = lease
        self._release = release
        self._run = run
        self._snapshots = snapshots
        self._connection: Connection | None = None
        self._running = False
        self._stopped = False
        self._began = 0.0  # the running checkpoint; time.monotonic()
        self._next_passive = PASSIVE_PAGES
        self._next_truncate = TRUNCATE_PAGES

    def wal_grew(self, pages: int) -> None:
        """A commit left this many pages in the WAL."""
        if pages < PASSIVE_PAGES:
            self._next_passive, self._next_truncate = PASSIVE_PAGES, TRUNCATE_PAGES
        elif pages >= self._next_passive and not self._running and not self._stopped:
            self._running = True
            self._next_passive = pages + PASSIVE_PAGES
            self._passive(pages)

    def stop(self) -> None:
        """Begin no more checkpoints: what is in the WAL may not be on disk."""
        self._stopped = True

    def close(self) -> None:
        """Leave no WAL behind if nobody else reads the file; all its other connections are closed."""
        if self._stopped:
            if self._connection is not None:
                self._connection.close_without_checkpoint()
            return
        connection = self._connection or self._connect()
        try:
            connection.sqlite.set_busy_handler(None)
            connection.checkpoint()
        except apsw.Error as error:
            _log.info("no checkpoint of %s while closing: %s", self._path, error)
        finally:
            connection.close()

    def _passive(self, pages: int) -> None:
        if self._connection is None:
            self._connection = self._connect()
        sqlite = self._connection.sqlite
        self._began = time.monotonic()
        done = self._run(self._connection, lambda: sqlite.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE))
        done.add_done_callback(lambda done: self._after_passive(done, pages))

    def _after_passive(self, done: asyncio.Future[tuple[int, int]], pages: int) -> None:
        error = self._note(done)
        if pages < self._next_truncate or self._connection is None or self._stopped or error is not None:
            self._running = False
            return
        self._next_truncate = 2 * pages
        lease = self._lease(None, self._connection)
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
            return connection.checkpoint()

        self._run(connection, truncate).add_done_callback(lambda done: self._after_truncate(done, lease))

    def _after_truncate(self, done: asyncio.Future[tuple[int, int]], lease: WriterLease) -> None:
        self._running = False
        self._release(lease)
        self._note(done)
        if isinstance(done.exception(), apsw.BusyError):
            readers = "; ".join(self._snapshots()) or "another process"
            message = "the WAL of %s (%d pages) cannot be truncated, because an old snapshot is still read by %s"
            _log.warning(message, self._path, self.statistics.wal_pages, readers)

    def _note(self, done: asyncio.Future[tuple[int, int]]) -> SqlError | None:
        """Count a checkpoint; gives the report of one that failed."""
        self.statistics.checkpoints += 1
        self.statistics.checkpoint_seconds += time.monotonic() - self._began
        error = done.exception()
        if error is None:
            return None
        assert isinstance(error, Exception)
        assert self._connection is not None
        report = translate(error, self._connection)
        # Busy: another process checkpoints, or somebody reads. The end of the server cancels what runs.
        if not isinstance(error, apsw.BusyError) and report.sqlstate != sqlstate.ADMIN_SHUTDOWN:
            _log.error("checkpoint of %s failed: %s", self._path, report.message)
        return report

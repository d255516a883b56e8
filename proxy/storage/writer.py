"""Who may write to one database now, and who waits for it: a fair queue on the event loop.

SQLite has one writer a file. Sessions take turns in the order in which they asked; a lease lasts for a write transaction.
A lease is handed over directly to the first in the queue, so nobody who comes later gets in between, and SQLite's own lock is
taken with it: a statement under a lease never meets a lock. Another process may hold that lock; then the head of
the queue waits for it in a thread.

Whoever brings no connection of his own gets the shared one when his turn comes, and not the one that was shared when he asked:
that may have become a session's own meanwhile (`Database.keep_connection`).

Whoever is given a Future may cancel it, or end it with an error; a connection of a session's own may then still be in the hands
of the thread for a moment (`starting`). A session that goes away calls `forget`, which covers both a wait and a lease that
it had no time to notice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from proxy.storage.connection import Connection, FileBusy
from translator import sqlstate
from translator.errors import SqlError

Start = Callable[[Connection], None]
StartInThread = Callable[[Connection], "asyncio.Future[None]"]


class WriterLease:
    """The right to write, held by `owner` since `since` (time.time()); `connection` is inside a write transaction."""

    __slots__ = ("catalog_version", "connection", "ended", "owner", "since", "threaded")

    def __init__(self, owner: Any, connection: Connection, catalog_version: int) -> None:
        self.owner = owner
        self.connection = connection
        self.since = time.time()
        self.catalog_version = catalog_version  # of the transaction; Database.catalog_changed moves it, commit publishes it
        self.threaded = False  # a step ran in a thread: then the COMMIT is likely to be heavy too
        self.ended = False


class Waiting:
    """A place in the queue."""

    __slots__ = ("connection", "future", "owner", "since", "timer")

    def __init__(self, owner: Any, connection: Connection | None, future: asyncio.Future[WriterLease]) -> None:
        self.owner = owner
        self.connection = connection  # None: the shared one
        self.future = future
        self.since = time.time()
        self.timer: asyncio.TimerHandle | None = None


class WriterQueue:
    """`start` begins a write transaction; `start_in_thread` does so in the writer's thread, waiting for the lock as long as it takes.

    `shared`: the connection for those who bring none.
    """

    def __init__(
        self,
        start: Start,
        start_in_thread: StartInThread,
        shared: Callable[[], Connection],
        catalog_version: Callable[[], int],
    ) -> None:
        self.holder: WriterLease | None = None
        self.starting: tuple[Connection, asyncio.Future[None]] | None = None  # a thread waits for another process's lock
        self._waiting: deque[Waiting] = deque()
        self._start = start
        self._start_in_thread = start_in_thread
        self._shared = shared
        self._catalog_version = catalog_version

    @property
    def waiting(self) -> list[Waiting]:
        """Who waits, first come first. For pg_locks and pg_stat_activity."""
        return [entry for entry in self._waiting if not entry.future.done()]

    def lease(
        self, owner: Any, connection: Connection | None, timeout: float | None
    ) -> WriterLease | asyncio.Future[WriterLease]:
        if self.holder is not None or self._waiting:
            entry = self._enqueue(owner, connection, timeout)
            self._waiting.append(entry)
            return entry.future
        self.holder = lease = WriterLease(owner, connection or self._shared(), self._catalog_version())
        try:
            self._start(lease.connection)
        except FileBusy:
            entry = self._enqueue(owner, connection, timeout)
            self._waiting.appendleft(entry)
            self._wait_for_file(lease, entry)
            return entry.future
        except BaseException:
            self.holder = None
            raise
        return lease

    def release(self, lease: WriterLease) -> None:
        """End the lease; its transaction is over. The next in the queue gets it."""
        assert lease is self.holder, "a lease ends once"
        lease.ended = True
        self.holder = None
        while self._waiting and self.holder is None:
            self._grant(self._waiting[0])

    def drop_waits(self, owner: Any, error: SqlError) -> None:
        """End this owner's waits with an error."""
        for entry in self.waiting:
            if entry.owner is owner:
                entry.future.set_exception(error)

    def _enqueue(self, owner: Any, connection: Connection | None, timeout: float | None) -> Waiting:
        loop = asyncio.get_running_loop()
        entry = Waiting(owner, connection, loop.create_future())
        if timeout is not None:
            entry.timer = loop.call_later(timeout, _time_out, entry.future)
        entry.future.add_done_callback(lambda _: self._leave(entry))
        return entry

    def _leave(self, entry: Waiting) -> None:
        """The wait is over, one way or another."""
        if entry.timer is not None:
            entry.timer.cancel()
        if entry in self._waiting:
            self._waiting.remove(entry)

    def _grant(self, entry: Waiting) -> None:
        """Give the lease to the head of the queue, or take it out of the queue."""
        if entry.future.done():
            self._waiting.popleft()
            return
        self.holder = lease = WriterLease(entry.owner, entry.connection or self._shared(), self._catalog_version())
        try:
            self._start(lease.connection)
        except FileBusy:
            self._wait_for_file(lease, entry)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the waiting session's answer)
            self._waiting.popleft()
            self.holder = None
            entry.future.set_exception(error)
        else:
            self._waiting.popleft()
            entry.future.set_result(lease)

    def _wait_for_file(self, lease: WriterLease, entry: Waiting) -> None:
        """Wait in a thread for another process's lock; the entry stays at the head of the queue meanwhile."""
        started = self._start_in_thread(lease.connection)
        self.starting = lease.connection, started

        def give_up(future: asyncio.Future[WriterLease]) -> None:
            if future.cancelled() or future.exception():
                lease.connection.cancel(SqlError(sqlstate.QUERY_CANCELED, "canceling statement due to user request"))

        entry.future.add_done_callback(give_up)

        def finish(started: asyncio.Future[None]) -> None:
            self.starting = None
            error = started.exception()
            if entry.future.done():
                if error is None:
                    lease.connection.rollback()
                self.release(lease)
            elif error is not None:
                entry.future.set_exception(error)
                self.release(lease)
            else:
                lease.since = time.time()
                lease.catalog_version = self._catalog_version()
                entry.future.set_result(lease)

        started.add_done_callback(finish)


def _time_out(future: asyncio.Future[WriterLease]) -> None:
    if not future.done():
        future.set_exception(SqlError(sqlstate.LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout"))

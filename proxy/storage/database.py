"""One database: a SQLite file with its readers, its one writer, its threads and the moment when a commit is durable.

All methods are called on the event loop and return at once; what takes time returns a Future. Reading never waits for
writing (WAL). READ COMMITTED takes a reader for a statement; REPEATABLE READ keeps a private connection from its first
statement on; the first write of a transaction takes a WriterLease (writer.py); a session with temporary objects keeps a
private connection, on which all its statements run and which it brings to its leases.

A portal that is left half read holds a snapshot: keep its reader until the portal is closed, so that nobody else reads the past.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

import apsw

from proxy.storage import disk
from proxy.storage.checkpoint import Checkpointer
from proxy.storage.connection import Connection, FileBusy, SystemCatalog
from proxy.storage.errors import access_error
from proxy.storage.flusher import Flusher
from proxy.storage.statistics import Statistics
from proxy.storage.threads import Threads
from proxy.storage.writer import Waiting, WriterLease, WriterQueue
from translator import sqlstate
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from proxy.storage.locks import Tag

T = TypeVar("T")

_log = logging.getLogger("litephant.storage")
_OPEN_ATTEMPTS = 400  # at another process's lock: ten seconds
_FLUSH_DELAY = 0.2  # seconds until a commit with synchronous_commit = off is on disk; PostgreSQL's wal_writer_delay
_IDLE_CONNECTIONS = 16  # of each kind, kept open between uses

# Never repeats in a process, so a version that a rolled-back transaction had cannot come back with another meaning.
_versions = itertools.count(1)


class Database:
    """See the module. `sessions`: whoever is connected, kept by the session layer (CREATE and DROP DATABASE count them)."""

    def __init__(self, name: str, path: Path, threads: ThreadPoolExecutor, system: SystemCatalog | None = None) -> None:
        """Open the file (create it when it is missing) and run `system.bootstrap` on it."""
        self.name = name
        self.path = path
        self.sessions: set[Any] = set()
        self.catalog_version = next(_versions)
        self.panic: SqlError | None = None
        self.commits = 0  # transactions that wrote, since the file was opened
        self.statistics = Statistics()
        self.tracks_rows = False  # row locks are used, so the rows that writers change are tracked
        self.row_watches: list[set[Tag]] = []  # of queries that lock rows: what commits have changed since they began
        self._system = system or SystemCatalog()
        self._threads = Threads(threads)
        self._idle_readers: list[Connection] = []
        self._idle_private: list[Connection] = []
        self._open: set[Connection] = set()
        self._flusher: Flusher | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._writer = self._connect(writable=True)
        self._queue = WriterQueue(self._start, self._start_in_thread, lambda: self._writer, lambda: self.catalog_version)
        self._checkpointer = Checkpointer(
            path,
            lambda: Connection(path, writable=True, panic=self._panicked),
            self.lease_writer,
            self.release,
            self.run_in_thread,
            self._old_snapshots,
        )
        self._checkpointer.statistics = self.statistics
        self._schema_version = self._bootstrap_patiently()
        # SQLite syncs the directory for a new -wal only if the connection that made the file is the first to write to it.
        disk.sync_directory(path.parent)

    # Reading

    def take_reader(self) -> Connection:
        """A read-only connection, without a budget, for a statement, or for as long as its cursor is kept."""
        if self._idle_readers:
            reader = self._idle_readers.pop()
            reader.no_budget()
            return reader
        return self._connect(writable=False)

    def give_reader(self, connection: Connection) -> None:
        """Give it back, with every cursor read to its end or closed."""
        connection.rollback()
        if len(self._idle_readers) < _IDLE_CONNECTIONS:
            self._idle_readers.append(connection)
        else:
            self._disconnect(connection)

    def take_private(self) -> Connection:
        """A connection of a session's own that can read and, under a lease, write: temporary objects, REPEATABLE READ.

        REPEATABLE READ: `begin()`, statements, and `lease_writer(owner, connection)` before the first write, which raises
        40001 when somebody else has committed since the snapshot was taken.
        """
        if self._idle_private:
            return self._idle_private.pop()
        return self._connect(writable=True)

    def give_private(self, connection: Connection, *, reusable: bool = True) -> None:
        """Give it back. `reusable=False` when temporary objects were made on it: then it is closed, and they are gone."""
        connection.rollback()
        if reusable and len(self._idle_private) < _IDLE_CONNECTIONS:
            self._idle_private.append(connection)
        else:
            self._disconnect(connection)

    # Writing

    def lease_writer(
        self, owner: Any, connection: Connection | None = None, *, timeout: float | None = None
    ) -> WriterLease | asyncio.Future[WriterLease]:
        """The right to write and a write transaction on `connection` (the shared writer when None).

        At once when nobody writes, else a Future; cancel it to leave the queue. After `timeout` seconds (lock_timeout) it
        fails with 55P03. Raises 40001 (see `take_private`) and, after a panic, its error (58030, 53100).
        """
        self._refuse_after_panic()
        leased = self._queue.lease(owner, connection, timeout)
        if isinstance(leased, asyncio.Future):
            began = time.monotonic()
            leased.add_done_callback(lambda _: self._count_wait(began))
        return leased

    def still_starting(self, connection: Connection) -> asyncio.Future[None] | None:
        """After a wait for the writer was given up: done when no thread tries any more to get SQLite's lock for the connection."""
        starting = self._queue.starting
        return starting[1] if starting is not None and starting[0] is connection else None

    def keep_connection(self, lease: WriterLease) -> Connection:
        """Make the lease's connection the session's own, as `take_private` does, because its transaction made temporary objects."""
        connection = lease.connection
        if connection is self._writer:
            self._writer = self._connect(writable=True)
        return connection

    def commit(self, lease: WriterLease, *, synchronous: bool = True) -> asyncio.Future[None] | None:
        """COMMIT and end the lease: the next writer begins at once, before the disk has the commit.

        The Future is done when the client may be answered; None: answer now (nothing was written, or `synchronous` is
        False: synchronous_commit = off). When COMMIT itself fails (a deferred constraint), that error is raised, or set on
        the Future, and the lease still holds its open transaction: translate, then `release`.
        """
        self._refuse_after_panic()
        connection = lease.connection
        if lease.threaded:
            return self._commit_in_thread(lease, synchronous)
        schema_version = self._new_schema_version(lease)
        connection.commit()
        return self._committed(lease, schema_version, synchronous)

    def release(self, lease: WriterLease) -> None:
        """End the lease without committing: whatever its transaction did is rolled back."""
        if not lease.ended:
            lease.connection.rollback()
            self._queue.release(lease)

    def forget(self, owner: Any, error: SqlError | None = None) -> None:
        """The session is gone: end its wait for the writer with `error`, and roll back its lease.

        A statement that still runs in a thread is canceled; its Future fails, and the lease is then the session's to release.
        """
        self._queue.drop_waits(owner, error or shutdown())
        holder = self._queue.holder
        if holder is None or holder.owner is not owner:
            return
        if holder.connection.in_thread:
            holder.connection.cancel(error or shutdown())
        else:
            self.release(holder)

    @property
    def writer_holder(self) -> WriterLease | None:
        """Who writes now."""
        return self._queue.holder

    @property
    def writer_waiting(self) -> list[Waiting]:
        """Who waits for the writer, first come first."""
        return self._queue.waiting

    # Threads

    def run_in_thread(self, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run `function`, which uses `connection`, in a thread: the writer's own for the lease's connection, else a reader's.

        The session's runtime (settings, timestamps) goes along. Nobody else may touch the connection before the Future is done.
        Do not cancel the Future: call `connection.cancel(error)`, and it fails with that error.
        """
        holder = self._queue.holder
        if holder is not None and holder.connection is connection:
            holder.threaded = True
            return self._threads.write(connection, function)
        return self._threads.read(connection, function)

    def run_waiting(self, pool: ThreadPoolExecutor, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        """As `run_in_thread`, but in the caller's pool: for functions that wait for other sessions (advisory locks)."""
        return self._threads.run_in(pool, connection, function)

    # Catalog version

    def catalog_changed(self, lease: WriterLease) -> None:
        """The transaction changed the catalog, or rolled such a change back to a savepoint. Others see it after its commit."""
        lease.catalog_version = next(_versions)

    def refresh(self) -> bool:
        """Look whether another process changed the schema; if so, give the catalog a new version. True when it did.

        Cheap enough for the start of a session (2 µs).
        """
        if self._queue.holder is not None:  # our own uncommitted DDL must not be mistaken for it
            return False
        version = self._writer.schema_version
        if version == self._schema_version:
            return False
        try:
            self._schema_version = self._bootstrap()
        except FileBusy:  # it is not done yet
            return False
        self.catalog_version = next(_versions)
        return True

    def close(self) -> None:
        """End what runs in threads, wait for the disk, checkpoint, close every connection. Sessions must be gone.

        After a panic the WAL stays as it is: copying from it would trust what may not be on disk.
        """
        self._threads.close(shutdown())
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        if self._flusher is not None:
            self._flusher.close()
        for connection in self._open:
            if self.panic is None:
                connection.close()
            else:
                connection.close_without_checkpoint()
        self._open.clear()
        self._checkpointer.close()

    # Inside

    def _connect(self, *, writable: bool) -> Connection:
        try:
            connection = Connection(self.path, writable=writable, system=self._system, panic=self._panicked)
        except apsw.Error as error:
            raise access_error(error, self.path) from error
        self._open.add(connection)
        return connection

    def _disconnect(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.close()

    def _bootstrap_patiently(self) -> int:
        """At the opening, another process may hold a lock for some time."""
        self._writer.enter_thread()
        self._writer.attempts = _OPEN_ATTEMPTS
        try:
            return self._bootstrap()
        except BaseException:
            self._disconnect(self._writer)
            raise
        finally:
            self._writer.leave_thread()

    def _bootstrap(self) -> int:
        """Let the system catalog make or refresh its tables, in a transaction. Returns SQLite's schema version after it."""
        self._writer.begin_immediate()
        try:
            self._system.bootstrap(self._writer)
        except BaseException:
            self._writer.rollback()
            raise
        self._writer.commit()
        return self._writer.schema_version

    def _count_wait(self, began: float) -> None:
        self.statistics.writer_waits += 1
        self.statistics.writer_wait_seconds += time.monotonic() - began

    def _start(self, connection: Connection) -> None:
        """Begin a write transaction. When that fails, none is open that was not open before."""
        self._refuse_after_panic()
        was_open = connection.in_transaction
        try:
            if self.tracks_rows:  # from the first change on
                connection.track_rows()
            connection.start_writing()
            connection.use_indexes(self.catalog_version)
        except BaseException:
            if not was_open:
                connection.rollback()
            raise

    def _start_in_thread(self, connection: Connection) -> asyncio.Future[None]:
        return self._threads.write(connection, lambda: self._start(connection))

    def _new_schema_version(self, lease: WriterLease) -> int:
        """SQLite's schema version after the lease's transaction; read only when it changed the catalog."""
        return self._schema_version if lease.catalog_version == self.catalog_version else lease.connection.schema_version

    def _commit_in_thread(self, lease: WriterLease, synchronous: bool) -> asyncio.Future[None]:
        connection = lease.connection
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def commit() -> int:
            schema_version = self._new_schema_version(lease)
            connection.commit()
            return schema_version

        def finish(done: asyncio.Future[int]) -> None:
            if error := done.exception():
                _settle(answered, error)
                return
            flushed = self._committed(lease, done.result(), synchronous)
            if flushed is None:
                _settle(answered, None)
            else:
                flushed.add_done_callback(lambda flushed: _settle(answered, flushed.exception()))

        self._threads.write(connection, commit).add_done_callback(finish)
        return answered

    def _committed(self, lease: WriterLease, schema_version: int, synchronous: bool) -> asyncio.Future[None] | None:
        """After COMMIT: publish the catalog version, let the next writer begin, see to the disk."""
        self.commits += 1
        self._schema_version = schema_version
        self.catalog_version = lease.catalog_version
        pages = lease.connection.wal_pages
        self._queue.release(lease)
        if not pages:
            return None
        self.statistics.wal_grew(pages)
        self._checkpointer.wal_grew(pages)
        if self._flusher is None:
            self._flusher = Flusher(self.path, self._panicked)
            self._flusher.statistics = self.statistics
        if synchronous:
            return self._flusher.after_commit()
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(_FLUSH_DELAY, self._flush, self._flusher)
        return None

    def _flush(self, flusher: Flusher) -> None:
        """For commits that nobody waits for. `_panicked` hears of a failure."""
        self._flush_timer = None
        flusher.after_commit().add_done_callback(lambda flushed: flushed.exception())

    def _panicked(self, error: SqlError) -> None:
        """Nothing is known any more about what is on disk: acknowledge nothing, say so, and keep saying so. In any thread."""
        if self.panic is None:
            _log.critical("PANIC: %s; database %s takes no more writes", error.message, self.name)
            self.panic = error
            self._checkpointer.stop()

    def _refuse_after_panic(self) -> None:
        """Whoever was waiting for the disk got the PANIC itself; whoever comes later gets an error, and can go on reading."""
        if self.panic is not None:
            hint = "The database takes no more writes until the server has been started again."
            raise SqlError(self.panic.sqlstate, self.panic.message, hint=hint)

    def _old_snapshots(self) -> tuple[str, ...]:
        """Whose reading keeps the WAL from starting again, in words for the log, the oldest first."""
        return tuple(words for _, words in sorted(filter(None, (session.snapshot() for session in self.sessions))))


def shutdown() -> SqlError:
    """What PostgreSQL tells a client whose server goes away."""
    return SqlError(sqlstate.ADMIN_SHUTDOWN, "terminating connection due to administrator command", severity="FATAL")


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)

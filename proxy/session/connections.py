"""Which SQLite connections a session uses, and what its transaction does with them (design, "Transactions, writes, durability").

* READ COMMITTED, nothing written yet: any reader, one snapshot a statement.
* after the first write: the connection of the writer's lease, up to the end of the transaction. FOR UPDATE is no write.
* REPEATABLE READ and SERIALIZABLE: a private connection with a snapshot; writing upgrades it (40001 after foreign commits).
  The catalog is part of the snapshot, since rows can only be read as the tables were that they are in.
* a session with temporary objects: its private connection, always.

Savepoints that were set before the lease are set in SQLite when it begins. Rolling back to one of them gives the lease up.

Not here: how statements run (execute.py), and what else ends with a transaction (actions.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from proxy.session.access import Access
from proxy.storage.connection import FileBusy, SQLiteError
from proxy.storage.redo import RedoLog, replay
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.session.transaction import Savepoint
    from proxy.storage.connection import Connection
    from proxy.storage.database import Database
    from proxy.storage.writer import WriterLease


class Connections:
    """The connections of one session."""

    def __init__(self, session: Session, database: Database) -> None:
        self.database = database
        self.lease: WriterLease | None = None
        self.private: Connection | None = None
        self.waiting: asyncio.Future[Any] | None = None  # for the writer
        self.written = False  # since the lease began
        self.has_temporary = False  # objects, on the private connection
        self.snapshot = 0  # how many commits there had been when the transaction's snapshot was taken
        self._snapshot_version: int | None = None  # of the catalog in that snapshot
        self._session = session
        self._lease_level = 0  # savepoints that were set when the lease began
        self._lost = False  # SQLite rolled the transaction back although savepoints were to be kept

    @property
    def uses_readers(self) -> bool:
        """Whether any reader will do for the next statement that reads."""
        return self.lease is None and self.private is None and not self._session.transaction.modes.keeps_snapshot

    @property
    def catalog_version(self) -> int:
        """The version of the catalog that this transaction sees; below 0: an old one, which only its snapshot has."""
        if self.lease is not None:
            return self.lease.catalog_version
        newest = self.database.catalog_version
        version = self._snapshot_version
        return newest if version is None or version == newest else -version

    @property
    def catalog_connection(self) -> Connection | None:
        """The connection that alone sees this session's catalog: it has uncommitted changes, temporary objects or an old snapshot."""
        if self.lease is not None and self.changed_catalog:
            return self.lease.connection
        return self.private if self.has_temporary or self.catalog_version < 0 else None

    @property
    def changed_catalog(self) -> bool:
        return self.lease is not None and self.lease.catalog_version != self.database.catalog_version

    # Reading

    def take(self) -> Connection:
        if self.lease is not None:
            return self.lease.connection
        if self._session.transaction.modes.keeps_snapshot:
            if self.private is None:
                self.private = self.database.take_private()
            if not self.private.in_transaction:
                self.private.begin()
                self.snapshot = self.database.commits
                self._snapshot_version = self.database.catalog_version
        return self.private or self.database.take_reader()

    def give_back(self, connection: Connection) -> None:
        """Give a reader back, unless the connection is kept for the transaction or the session."""
        if connection is not self.private and (self.lease is None or connection is not self.lease.connection):
            self.database.give_reader(connection)

    @property
    def hold_snapshot(self) -> bool:
        """Whether the session keeps the WAL from starting again: by its transaction, a cursor, or what it runs."""
        held = {self.private, self._session.executor.running, *(portal.connection for portal in self._session.portals)}
        return any(connection is not None and connection.holds_snapshot for connection in held)

    # Writing

    async def lease_writer(self) -> WriterLease:
        """The lease of this transaction's writer; waits for its turn."""
        if self.lease is not None:
            return self.lease
        return self._begin_lease(await self._take_turn(self.private))

    async def lease_apart(self) -> WriterLease:
        """A lease for what is to be committed whatever becomes of this transaction, which has none; waits for its turn."""
        return await self._take_turn(None)

    async def _take_turn(self, connection: Connection | None) -> WriterLease:
        session = self._session
        if session.access is Access.READ_ONLY:  # no statement gets this far; if one does, here is the end of it
            raise SqlError(codes.READ_ONLY_SQL_TRANSACTION, "cannot write in a read-only session")
        leased = self.database.lease_writer(session, connection, timeout=session.locks.lock_timeout())
        if isinstance(leased, asyncio.Future):
            self.waiting = leased
            session.instance.idle_writers.watch(self.database)
            timer = session.locks.watch_writer_wait(leased)
            try:
                return await leased
            except BaseException:
                await self._get_private_back()
                raise
            finally:
                self.waiting = None
                if timer is not None:
                    timer.cancel()
        return leased

    async def _get_private_back(self) -> None:
        """A wait was given up in which a thread used the session's own connection: until it has let go of it."""
        if self.private is None or (starting := self.database.still_starting(self.private)) is None:
            return
        with contextlib.suppress(SQLiteError, SqlError):
            await starting
            self._lost = True  # it got the lock after all and was rolled back, and the snapshot with it

    async def step_aside(self) -> RedoLog | None:
        """Let others write while this transaction waits for a lock. A log: `resume` with it when the wait is over.

        One that keeps its snapshot could not go on after others' commits, so it keeps the writer. So does one that has done
        what its log does not tell.
        """
        lease = self.lease
        session = self._session
        if lease is None or self.changed_catalog or self.has_temporary or session.transaction.modes.keeps_snapshot:
            return None
        log = None
        if self.written:
            changed = lease.connection.changed
            modes = session.constraint_modes
            if changed is None or not changed.redo.complete or modes.outstanding or modes.matter(session.compilation.section()):
                return None  # deferrable keys are no unique indexes, so a replay would not meet what others have written
            if lease.connection.deferred_violations:
                return None
            log = changed.redo
            changed.redo = RedoLog()
        await session.executor.spool_portals(lease.connection)
        self._end_lease(lease)
        session.sequences.step_aside()
        return log

    async def resume(self, log: RedoLog) -> None:
        """Write again what the transaction had written when it stepped aside. Raises 40P01 when it no longer can."""
        level = self._lease_level
        lease = await self._take_turn(None)
        try:
            replay(lease.connection, log)
            self._session.sequences.resume(lease.connection)
        except BaseException:
            self.database.release(lease)
            raise
        self.lease, self.written, self._lease_level = lease, True, level

    def forget(self) -> None:
        """What the transaction had written when it stepped aside is lost, and its savepoints with it."""
        self._lost = bool(self._session.transaction.savepoints)

    def _begin_lease(self, lease: WriterLease) -> WriterLease:
        self.lease = lease
        self.written = False
        self.restore_savepoints()
        return lease

    def _end_lease(self, lease: WriterLease) -> None:
        """Roll back what was written under the lease, and let others write."""
        self.database.release(lease)
        self.lease = None

    def restore_savepoints(self) -> None:
        """Set the transaction's savepoints in SQLite; nothing was written before, so they are all at the same place."""
        assert self.lease is not None
        savepoints = self._session.transaction.savepoints
        self._lease_level = len(savepoints)
        for savepoint in savepoints:
            self.lease.connection.savepoint(_name(savepoint))

    def keep_connection(self) -> None:
        """The transaction makes temporary objects: its connection becomes the session's own."""
        assert self.lease is not None
        if self.lease.connection is not self.private:
            self.private = self.database.keep_connection(self.lease)
        self.has_temporary = True

    # The end of a transaction, or of a part of it

    def commit(self, *, synchronous: bool) -> asyncio.Future[None] | None:
        """COMMIT what was written. When it fails, at once or by the future, the lease goes on: `abort` then ends it."""
        return None if self.lease is None else self.database.commit(self.lease, synchronous=synchronous)

    def committed(self) -> None:
        """COMMIT is done."""
        self.lease = None
        self._end()

    def abort(self) -> None:
        """ROLLBACK: undo everything."""
        if self.lease is not None:
            self._end_lease(self.lease)
        self._end()

    def savepoint(self, savepoint: Savepoint) -> None:
        if self.lease is not None:
            self.lease.connection.savepoint(_name(savepoint))

    def release(self, savepoint: Savepoint) -> None:
        if self.lease is not None:
            self.lease.connection.release(_name(savepoint))
        self._lease_level = min(self._lease_level, savepoint.level - 1)

    def check_savepoints(self) -> None:
        """Refuse ROLLBACK TO when SQLite has rolled everything back, as it does when it interrupts a write."""
        if self._lost:
            message = "savepoints are gone because the transaction was rolled back when a statement was canceled"
            raise SqlError(codes.TRANSACTION_ROLLBACK, message)

    def rollback_to(self, savepoint: Savepoint) -> None:
        """Undo what was written since the savepoint, which stays."""
        lease = self.lease
        if lease is None:
            return
        if savepoint.level <= self._lease_level and not self._session.transaction.modes.keeps_snapshot:
            # Everything that was written came later: give the writer to somebody else.
            self._end_lease(lease)
            return
        connection = lease.connection
        if not connection.in_transaction and not self._write_again(connection, savepoint):
            self._lost = True
            self._end_lease(lease)
            return
        connection.rollback_to(_name(savepoint))
        if self.changed_catalog:
            self.database.catalog_changed(lease)

    def _write_again(self, connection: Connection, savepoint: Savepoint) -> bool:
        """Bring back what SQLite rolled back when it interrupted a write, up to a savepoint. False: there is no log of it."""
        changed = connection.changed
        if changed is None or self.changed_catalog or self.has_temporary or self._session.constraint_modes.outstanding:
            return False
        log = changed.redo
        log.rollback_to(_name(savepoint))
        if not log.complete:
            return False
        changed.redo = RedoLog()
        try:
            connection.start_writing()
            replay(connection, log)
        except (FileBusy, SqlError):  # another process has written meanwhile
            connection.rollback()
            return False
        return True

    def _end(self) -> None:
        """The transaction is over."""
        self.written = self._lost = False
        self._lease_level = 0
        self._snapshot_version = None
        if self.private is None:
            return
        if self.has_temporary:
            self.private.rollback()
        else:
            self.database.give_private(self.private)
            self.private = None

    def drop_temporary(self) -> None:
        """DISCARD TEMP, and the end of the session: with the connection go its temporary objects."""
        if self.private is not None:
            self.database.give_private(self.private, reusable=not self.has_temporary)
            self.private = None
        self.has_temporary = False


def _name(savepoint: Savepoint) -> str:
    return f"s{savepoint.level}"

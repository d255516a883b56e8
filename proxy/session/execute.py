"""Carrying out one session's queries and transaction actions on storage: which connection, when to wait, when a thread.

Where a statement runs (design, "Transactions, writes, durability"):

* READ COMMITTED, nothing written yet: any reader, one snapshot a statement.
* after the first write, or with FOR UPDATE: the connection of the writer's lease, up to the end of the transaction.
* REPEATABLE READ and SERIALIZABLE: a private connection with a snapshot; writing upgrades it (40001 after foreign commits).
* a session with temporary objects: its private connection, always.

How it runs: on the event loop with a budget of VM steps. A read that exceeds it is run again in a thread. A write that exceeds it
can be run again only if nothing was written before, because SQLite rolls the whole transaction back when it interrupts a
write; later writes of a block run without a budget when they are known to be quick, else in a thread at once.

Cursors: an open SELECT of a connection sees the connection's later writes, so portals that read from it are spooled first.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from proxy.pg_catalog.relations import FIRST_TEMPORARY_OID
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from proxy.session.transaction import Savepoint, State
from proxy.storage.connection import BudgetExceeded, Connection, InterruptError, MustWait, SQLiteError
from proxy.storage.database import Database
from proxy.storage.errors import Failed, translate
from proxy.storage.writer import WriterLease
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import QueryPlan
from translator.settings import runtime
from translator.types.registry import type_of

if TYPE_CHECKING:
    from proxy.session.session import Session

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

BUDGET: Final = 40_000  # VM steps on the event loop: about a millisecond
CHUNK: Final = 256  # rows that are fetched and encoded at once
_UNLIMITED: Final = 1 << 62


class Executor:
    """The connections that a session uses, and what runs on them."""

    def __init__(self, session: Session, database: Database) -> None:
        self.database = database
        self.lease: WriterLease | None = None
        self.private: Connection | None = None
        self.running: Connection | None = None  # a thread works with it
        self.waiting: asyncio.Future[Any] | None = None  # for the writer
        self.canceled: SqlError | None = None  # why the running statement is to end
        self._session = session
        self._has_temporary = False
        self._written = False  # since the lease began
        self._lease_level = 0  # savepoints that were set when the lease began
        self._lost = False  # SQLite rolled the transaction back although savepoints were to be kept

    @property
    def catalog_version(self) -> int:
        """The version of the catalog that this transaction sees."""
        return self.database.catalog_version if self.lease is None else self.lease.catalog_version

    @property
    def catalog_connection(self) -> Connection | None:
        """The connection that alone sees this session's catalog: it has uncommitted changes or temporary objects."""
        if self.lease is not None and self.changed_catalog:
            return self.lease.connection
        return self.private if self._has_temporary else None

    @property
    def changed_catalog(self) -> bool:
        return self.lease is not None and self.lease.catalog_version != self.database.catalog_version

    # Reading

    def read_now(self, portal: Portal) -> bool:
        """Start a plain read on a shared reader, without waiting. False: it must be done by `run`, nothing has happened."""
        if self.lease is not None or self.private is not None or self._session.transaction.modes.keeps_snapshot:
            return False
        compiled = portal.compiled
        if compiled.slow:
            return False
        reader = self.database.take_reader()
        try:
            portal.started = True
            self._open_on(reader, portal, BUDGET)
        except MustWait as signal:
            compiled.slow = isinstance(signal, BudgetExceeded)
            portal.started = False
            self.database.give_reader(reader)
            return False
        except (SQLiteError, SqlError) as error:
            report = self.translated(error, reader, compiled)
            self.database.give_reader(reader)
            raise report from error
        except BaseException:
            self.database.give_reader(reader)
            raise
        if portal.cursor is None:
            self.database.give_reader(reader)
        else:
            portal.connection = reader
        return True

    async def run(self, portal: Portal) -> None:
        """Start a query: afterwards its rows can be fetched, or its count is known."""
        compiled = portal.compiled
        plan = compiled.plan
        assert isinstance(plan, QueryPlan)
        portal.started = True
        self._session.transaction.queried = True
        if plan.writes or plan.row_marks:
            await self._write(portal, plan)
        elif not (compiled.plain_read and self.read_now(portal)):
            portal.started = True
            await self._read(portal, plan)

    async def fetch(self, portal: Portal, count: int) -> Rows:
        """The next rows of a started portal; fewer than `count` means that there are no more."""
        if portal.spool is not None:
            taken = portal.spool[portal.position : portal.position + count]
            portal.position += len(taken)
            return taken
        taken = list(portal.buffered[:count])
        portal.buffered = portal.buffered[count:]
        while len(taken) < count and portal.cursor is not None:
            taken += await self._fetch_more(portal, count - len(taken))
        return taken

    async def _fetch_more(self, portal: Portal, count: int) -> Rows:
        """Fetch from an open cursor in a thread: who knows how long the next row takes."""
        cursor, connection = portal.cursor, portal.connection
        assert cursor is not None
        assert connection is not None
        self.enter(portal.compiled)
        try:
            rows = await self.in_thread(connection, lambda: list(islice(cursor, count)))
        except BaseException:
            self.close_portal(portal)
            raise
        if len(rows) < count:
            self.close_portal(portal)
        return rows

    async def _read(self, portal: Portal, plan: QueryPlan) -> None:
        compiled = portal.compiled
        connection = self._reading_connection()
        try:
            if not self._must_use_thread(compiled, plan):
                try:
                    self._open_on(connection, portal, _UNLIMITED if plan.volatile else BUDGET)
                except MustWait as signal:
                    compiled.slow = isinstance(signal, BudgetExceeded)
                else:
                    return
            self.enter(compiled)
            self._prepare(connection, compiled)
            work = functools.partial(self._open, connection, portal)
            await self.in_thread(connection, work, compiled, waits=compiled.blocking)
        except (SQLiteError, SqlError) as error:
            raise self.translated(error, connection, compiled) from error
        finally:
            if portal.cursor is not None:
                portal.connection = connection
            else:
                self._give_back(connection)

    def _must_use_thread(self, compiled: CompiledPlan, plan: QueryPlan) -> bool:
        # A volatile function must not be called twice, so such a statement gets no budget: only one without FROM is sure to be short.
        return compiled.slow or compiled.blocking or (plan.volatile and " FROM " in plan.steps[-1].sql)

    def _open_on(self, connection: Connection, portal: Portal, budget: int) -> None:
        """Open the portal's cursor on the event loop."""
        compiled = portal.compiled
        self.enter(compiled)
        self._prepare(connection, compiled)
        connection.budget(budget)
        self._open(connection, portal)

    def _open(self, connection: Connection, portal: Portal) -> None:
        """Execute a plan that reads, and fetch its first rows."""
        plan = portal.compiled.plan
        assert isinstance(plan, QueryPlan)
        binds = portal.binds
        if len(plan.steps) == 1:
            cursor = connection.execute(plan.steps[0].sql, binds)
            rows = list(islice(cursor, CHUNK))
            if len(rows) < CHUNK:
                portal.spool = rows
            else:
                portal.buffered, portal.cursor = rows, cursor
            return
        portal.spool, _ = _run_steps(connection, plan, binds)

    def _reading_connection(self) -> Connection:
        if self.lease is not None:
            return self.lease.connection
        if self._session.transaction.modes.keeps_snapshot:
            if self.private is None:
                self.private = self.database.take_private()
            if not self.private.in_transaction:
                self.private.begin()
        return self.private or self.database.take_reader()

    def _give_back(self, connection: Connection) -> None:
        """Give a reader back, unless the connection is kept for the transaction or the session."""
        if connection is not self.private and (self.lease is None or connection is not self.lease.connection):
            self.database.give_reader(connection)

    # Writing

    async def lease_writer(self) -> WriterLease:
        """The lease of this transaction's writer; waits for its turn."""
        if self.lease is not None:
            return self.lease
        session = self._session
        timeout = session.parameters.value("lock_timeout")
        seconds = int(timeout) / 1000 if timeout else None
        leased = self.database.lease_writer(session, self.private, timeout=seconds)
        if isinstance(leased, asyncio.Future):
            self.waiting = leased
            try:
                leased = await leased
            finally:
                self.waiting = None
        return self._begin_lease(leased)

    def try_lease_writer(self) -> bool:
        """Lease the writer if nobody has it (NOWAIT)."""
        if self.lease is not None:
            return True
        if self.database.writer_holder is not None:
            return False
        leased = self.database.lease_writer(self._session, self.private)
        if isinstance(leased, asyncio.Future):
            leased.cancel()
            return False
        self._begin_lease(leased)
        return True

    def _begin_lease(self, lease: WriterLease) -> WriterLease:
        self.lease = lease
        self._written = False
        self._restore_savepoints()
        return lease

    def _restore_savepoints(self) -> None:
        """Set the transaction's savepoints in SQLite; nothing was written before, so they are all at the same place."""
        assert self.lease is not None
        savepoints = self._session.transaction.savepoints
        self._lease_level = len(savepoints)
        for savepoint in savepoints:
            self.lease.connection.savepoint(_name(savepoint))

    async def _write(self, portal: Portal, plan: QueryPlan) -> None:
        compiled = portal.compiled
        self.check_writable(plan)
        lease = await self._lease_for(plan)
        connection = lease.connection
        await self.spool_portals(connection)
        self.enter(compiled)
        self._prepare(connection, compiled)
        try:
            rows, count = await self._run_write(connection, compiled, plan, portal.binds)
        except (SQLiteError, SqlError) as error:
            raise self.translated(error, connection, compiled, portal.binds) from error
        self._written = self._written or plan.writes
        portal.count = count if any(step.counts for step in plan.steps) else None
        portal.spool = rows

    async def _run_write(
        self, connection: Connection, compiled: CompiledPlan, plan: QueryPlan, binds: tuple[Any, ...]
    ) -> tuple[Rows, int]:
        first = not self._written and not self._session.transaction.modes.keeps_snapshot and not self._has_temporary
        on_loop = not (compiled.slow or compiled.blocking) and (first or compiled.quick or _inserts_values(plan))
        if on_loop:
            connection.budget(BUDGET if first else _UNLIMITED)
            try:
                result = _run_steps(connection, plan, binds)
            except MustWait as signal:
                compiled.slow = isinstance(signal, BudgetExceeded)
            else:
                compiled.quick = True
                return result
        loop = asyncio.get_running_loop()
        started = loop.time()
        if connection.in_transaction:
            work: Callable[[], tuple[Rows, int]] = functools.partial(_run_steps, connection, plan, binds)
        else:
            work = functools.partial(self._begin_again, connection, plan, binds)
        result = await self.in_thread(connection, work, compiled, waits=compiled.blocking)
        compiled.quick = loop.time() - started < 0.001
        return result

    def _begin_again(self, connection: Connection, plan: QueryPlan, binds: tuple[Any, ...]) -> tuple[Rows, int]:
        """The interrupted write took the transaction, which held nothing else, with it."""
        connection.start_writing()
        self._restore_savepoints()
        return _run_steps(connection, plan, binds)

    async def _lease_for(self, plan: QueryPlan) -> WriterLease:
        """The writer's lease, without waiting where FOR UPDATE NOWAIT says so.

        All writers take turns, so whoever holds the lease holds every row lock there is.
        """
        if any(_wait_policy(mark) == "nowait" for mark in plan.row_marks) and not self.try_lease_writer():
            name = self._session.relation_name(plan.relations[0][0]) if plan.relations else "?"
            raise SqlError(codes.LOCK_NOT_AVAILABLE, f'could not obtain lock on row in relation "{name}"')
        return await self.lease_writer()

    def insert_row(self, connection: Connection, compiled: CompiledPlan, binds: tuple[Any, ...]) -> int:
        """Execute a plan that COPY made, on the spot; the number of rows it inserted. Raises SQLiteError, SqlError."""
        plan = compiled.plan
        assert isinstance(plan, QueryPlan)
        self._prepare(connection, compiled)
        if plan.hidden:
            binds = (*binds, *map(self._session.hidden_value, plan.hidden))
        return _run_steps(connection, plan, binds)[1]

    def wrote(self) -> None:
        """Something was written by another way than `run`."""
        self._written = True

    async def evaluate(self, sql: str, functions: frozenset[str]) -> tuple[Any, ...]:
        """The one row of a SELECT without FROM."""
        connection = self._reading_connection()
        self.enter(None)
        try:
            connection.require(functions)
            connection.budget(_UNLIMITED)
            return tuple(connection.execute(sql).fetchone() or ())
        except SQLiteError as error:
            raise self.translated(error, connection, None) from error
        finally:
            self._give_back(connection)

    async def explain(self, compiled: CompiledPlan, sql: str, binds: int) -> Rows:
        """SQLite's plan of a statement; its parameters do not matter."""
        connection = self._reading_connection()
        self.enter(compiled)
        try:
            self._prepare(connection, compiled)
            connection.budget(_UNLIMITED)
            return list(connection.execute(sql, (None,) * binds))
        except SQLiteError as error:
            raise self.translated(error, connection, None) from error
        finally:
            self._give_back(connection)

    def check_writable(self, plan: QueryPlan) -> None:
        """Refuse writes in a read-only transaction, but not to temporary tables (ExecCheckXactReadOnly in execMain.c)."""
        if not self._session.transaction.modes.read_only:
            return
        if plan.row_marks and not plan.writes:
            raise read_only("SELECT FOR UPDATE")
        if any(kind == "w" and oid < FIRST_TEMPORARY_OID for oid, kind in plan.relations):
            raise read_only(plan.tag.split()[0])

    def keep_connection(self) -> None:
        """The transaction makes temporary objects: its connection becomes the session's own."""
        assert self.lease is not None
        if self.lease.connection is not self.private:
            self.private = self.database.keep_connection(self.lease)
        self._has_temporary = True

    # Threads

    async def in_thread(
        self, connection: Connection, function: Callable[[], T], compiled: CompiledPlan | None = None, *, waits: bool = False
    ) -> T:
        """Run a function that uses the connection in a thread. `waits`: it may wait for other sessions."""
        self.running = connection
        try:
            if waits:
                return await self._session.run_waiting(connection, function)
            return await self.database.run_in_thread(connection, function)
        except SQLiteError as error:
            raise self.translated(error, connection, compiled) from error
        finally:
            self.running = None

    def cancel(self, error: SqlError) -> None:
        """End what is running or waiting with this error; without effect when nothing is."""
        self.canceled = error
        if self.running is not None:
            self.running.cancel(error)
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(error)

    # Portals

    async def spool_portals(self, connection: Connection) -> None:
        """Read the portals of this connection to their ends, because it is about to write or to end its transaction."""
        for portal in self._session.portals:
            if portal.connection is connection and portal.cursor is not None:
                await self.spool(portal)

    async def spool(self, portal: Portal) -> None:
        """Fetch all the rows that a portal still has."""
        if portal.spool is not None:
            return
        rows = list(portal.buffered)
        cursor, connection = portal.cursor, portal.connection
        if cursor is not None and connection is not None:
            self.enter(portal.compiled)
            rows += await self.in_thread(connection, lambda: list(cursor))
            self.close_portal(portal)
        sent = portal.history or []
        portal.spool, portal.position = [*sent, *rows], len(sent) + portal.at_end
        portal.buffered, portal.history = (), None

    def close_portal(self, portal: Portal) -> None:
        """Close the cursor and give its connection back."""
        connection = portal.connection
        if portal.cursor is not None:
            portal.cursor.close(True)  # force: an interrupted statement would raise its error again
            portal.cursor = None
        portal.connection = None
        if connection is not None:
            self._give_back(connection)

    # Transactions

    async def commit(self) -> None:
        """COMMIT. When it fails, the transaction is rolled back and the reason raised."""
        session = self._session
        for portal in session.portals:
            if portal.hold and portal.started and portal.transaction == session.transaction.number:
                await self.spool(portal)
        session.portals.clear(keep_held=True)
        lease = self.lease
        if lease is not None:
            try:
                flushed = self.database.commit(lease, synchronous=session.parameters.value("synchronous_commit") != "off")
                if flushed is not None:
                    await flushed
            except (SQLiteError, SqlError) as error:
                report = self.translated(error, lease.connection, None)
                self.abort()
                raise report from error
            self.lease = None
        self._end()

    def abort(self) -> None:
        """ROLLBACK: undo everything."""
        self._session.portals.clear(keep_held=True)
        if self.lease is not None:
            if not self.lease.ended:
                self.database.release(self.lease)
            self.lease = None
        self._end()

    def abort_statement(self) -> None:
        """A statement of a block has failed: undo the innermost savepoint's work, or all of it."""
        savepoints = self._session.transaction.savepoints
        if not savepoints:
            self.abort()
            return
        self._undo(savepoints[-1])

    def savepoint(self, savepoint: Savepoint) -> None:
        if self.lease is not None:
            self.lease.connection.savepoint(_name(savepoint))

    def release(self, savepoint: Savepoint) -> None:
        if self.lease is not None:
            self.lease.connection.release(_name(savepoint))
        self._lease_level = min(self._lease_level, savepoint.level - 1)

    async def rollback_to(self, savepoint: Savepoint) -> None:
        """ROLLBACK TO: the savepoint stays."""
        if self._lost:
            message = "savepoints are gone because the transaction was rolled back when a statement was canceled"
            raise SqlError(codes.TRANSACTION_ROLLBACK, message)
        if self.lease is not None:
            await self.spool_portals(self.lease.connection)
        self._undo(savepoint)

    def _undo(self, savepoint: Savepoint) -> None:
        lease = self.lease
        if lease is None:
            return
        session = self._session
        session.portals.clear(keep_held=True, above_level=savepoint.level)
        if savepoint.level <= self._lease_level and not session.transaction.modes.keeps_snapshot:
            # Everything that was written came later: give the writer to somebody else.
            if not lease.ended:
                self.database.release(lease)
            self.lease = None
            return
        connection = lease.connection
        if not connection.in_transaction:
            self._lost = True
            self.database.release(lease)
            self.lease = None
            return
        connection.rollback_to(_name(savepoint))
        if self.changed_catalog:
            self.database.catalog_changed(lease)

    def _end(self) -> None:
        """The transaction is over."""
        self._written = self._lost = False
        self._lease_level = 0
        if self.private is None:
            return
        if self._has_temporary:
            self.private.rollback()
        else:
            self.database.give_private(self.private)
            self.private = None

    def drop_temporary(self) -> None:
        """DISCARD TEMP, and the end of the session: with the connection go its temporary objects."""
        if self.private is not None:
            self.database.give_private(self.private, reusable=not self._has_temporary)
            self.private = None
        self._has_temporary = False

    # Details

    def enter(self, compiled: CompiledPlan | None) -> None:
        """Make this session the one that functions answer for."""
        session = self._session
        runtime.settings = session.parameters.settings
        runtime.session = session
        runtime.statement_timestamp = session.statement_timestamp
        transaction = session.transaction
        idle = transaction.state is State.IDLE
        runtime.transaction_timestamp = session.statement_timestamp if idle else transaction.timestamp
        if compiled is not None:
            runtime.catalog = compiled.catalog

    def _prepare(self, connection: Connection, compiled: CompiledPlan) -> None:
        plan = compiled.plan
        assert isinstance(plan, QueryPlan)
        if plan.functions:
            connection.require(plan.functions)
        if compiled.needs_catalog:
            connection.use_catalog()

    def translated(
        self, error: BaseException, connection: Connection, compiled: CompiledPlan | None, binds: tuple[Any, ...] = ()
    ) -> SqlError:
        """The report for what SQLite raised, made while the transaction is still open."""
        if isinstance(error, SqlError):
            return error
        if isinstance(error, InterruptError) and self.canceled is not None:
            return self.canceled
        session = self._session
        plan = None if compiled is None else compiled.plan
        catalog = session.section().catalog
        settings = session.parameters.settings
        failed = Failed(
            sql=_failing_sql(plan) if isinstance(plan, QueryPlan) else "",
            binds=binds,
            target=plan.diagnose if isinstance(plan, QueryPlan) else 0,
            relations=session,
            output=lambda oid, value: type_of(oid, catalog).output(value, settings),
        )
        return translate(error, connection, failed)


def _run_steps(connection: Connection, plan: QueryPlan, binds: tuple[Any, ...]) -> tuple[Rows, int]:
    """Execute all steps; the plan's rows and the number of rows it changed. Several steps are undone together."""
    if len(plan.steps) == 1:
        step = plan.steps[0]
        rows = connection.execute(step.sql, binds[: step.binds]).fetchall()
        return rows if step.result else [], connection.changes() if step.counts else 0
    result: Rows = []
    count = 0
    connection.savepoint("plan")
    try:
        for step in plan.steps:
            rows = connection.execute(step.sql, binds[: step.binds]).fetchall()
            if step.result:
                result = rows
            if step.counts:
                count += connection.changes()
    except BaseException:
        if connection.in_transaction:
            connection.rollback_to("plan")
            connection.release("plan")
        raise
    connection.release("plan")
    return result, count


def _failing_sql(plan: QueryPlan) -> str:
    return next((step.sql for step in plan.steps if step.counts), plan.steps[-1].sql)


def _inserts_values(plan: QueryPlan) -> bool:
    return len(plan.steps) == 1 and plan.tag.startswith("INSERT") and "VALUES" in plan.steps[0].sql[:2000]


def _wait_policy(mark: Any) -> str:
    """How a FOR UPDATE clause waits: nowait, skip or block (LockWaitPolicy)."""
    policy = mark.get("waitPolicy", "") if isinstance(mark, dict) else getattr(mark, "wait_policy", "")
    return {"LockWaitError": "nowait", "LockWaitSkip": "skip"}.get(policy, policy or "block")


def _name(savepoint: Savepoint) -> str:
    return f"s{savepoint.level}"


def read_only(command: str) -> SqlError:
    """What a write in a read-only transaction gets (PreventCommandIfReadOnly in utility.c)."""
    return SqlError(codes.READ_ONLY_SQL_TRANSACTION, f"cannot execute {command} in a read-only transaction")


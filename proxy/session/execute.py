"""Running one session's queries on storage: on the event loop or in a thread, and the portals that read from cursors.

On the event loop a statement has a budget of VM steps. A read that exceeds it is run again in a thread. A write that exceeds it can be
run again only if nothing was written before, because SQLite rolls the whole transaction back when it interrupts a write;
later writes of a block run without a budget when they are known to be quick, else in a thread at once.

An open SELECT of a connection sees the connection's later writes, so portals that read from it are spooled first.

Which connection a statement runs on is decided in connections.py.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from proxy.session import kernel
from proxy.session.plan_steps import WRITING, Explain, Rows, run_steps
from proxy.session.read_only import check_writable
from proxy.session.row_locks import GuardedWrite, check_unchanged, context_of, may_have_changed, start_tracking
from proxy.session.transaction import IDLE
from proxy.storage.connection import BudgetExceeded, Connection, InterruptError, MustWait, SQLiteError, packed
from proxy.storage.errors import Failed, translate
from proxy.storage.locks import RowIsLocked
from translator.errors import SqlError
from translator.plan import MOST_BINDS, QueryPlan, Step
from translator.settings import runtime

if TYPE_CHECKING:
    from proxy.session.connections import Connections
    from proxy.session.plans import CompiledPlan
    from proxy.session.prepared import Portal
    from proxy.session.session import Session
    from proxy.storage.locks import Tag

T = TypeVar("T")

BUDGET: Final = 40_000  # VM steps on the event loop: about a millisecond
CHUNK: Final = 256  # rows that are fetched at first
STREAMED: Final = (
    1024 if kernel.AVAILABLE else 256
)  # rows of a larger result that are fetched and encoded at once: a millisecond
_UNLIMITED: Final = 1 << 62

_ROWS_ON_LOOP: Final = 1_000  # that an INSERT of many may have there, without a budget: some milliseconds


class Executor:
    """What a session runs."""

    def __init__(self, session: Session, connections: Connections) -> None:
        self.running: Connection | None = None  # a thread works with it
        self.canceled: SqlError | None = None  # why the running statement is to end
        self._for_sequences: Connection | None = None  # where the running statement writes their values, if not with the rest
        self._session = session
        self._connections = connections
        self._database = connections.database
        self._locks = session.locks

    # Reading

    def read_now(self, portal: Portal) -> bool:
        """Start a plain read on a shared reader, without waiting. False: it must be done by `run`, nothing has happened."""
        compiled = portal.compiled
        if compiled.slow or not self._connections.uses_readers:
            return False
        if self._must_lock(compiled):
            return False
        reader = self._database.take_reader()
        try:
            portal.started = True
            if compiled.self_contained is not None:
                reader.budget(BUDGET)
                self._open_step(reader, portal, compiled.self_contained)
            else:
                self._open_on(reader, portal, BUDGET)
        except MustWait as signal:
            compiled.slow = isinstance(signal, BudgetExceeded)
            portal.started = False
            self._database.give_reader(reader)
            return False
        except (SQLiteError, SqlError) as error:
            report = self.translated(error, reader, compiled)
            self._database.give_reader(reader)
            raise report from error
        except BaseException:
            self._database.give_reader(reader)
            raise
        if portal.cursor is None:
            self._database.give_reader(reader)
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
        if plan.failure is not None:
            raise plan.failure.anew()
        if plan.row_marks:
            await self._lock_rows(portal, plan)
        elif plan.writes:
            await self._write(portal, plan)
        elif not plan.functions.isdisjoint(WRITING):
            await self._move_sequences(portal, plan)
        elif not (compiled.plain_read and self.read_now(portal)):
            portal.started = True
            await self._read(portal, plan)

    async def fetch(self, portal: Portal, count: int) -> Rows:
        """The next rows of a started portal; fewer than `count` means that there are no more.

        A cancel request that came while the client was waited for takes effect here.
        """
        if self.canceled is not None:
            raise self.canceled
        if portal.spool is not None:
            taken = portal.spool[portal.position : portal.position + count]
            portal.position += len(taken) + (len(taken) < count)
        else:
            taken = list(portal.buffered[:count])
            portal.buffered = portal.buffered[count:]
            while len(taken) < count and portal.cursor is not None:
                taken += await self._fetch_more(portal, count - len(taken))
        portal.passed += len(taken)
        portal.at_end = len(taken) < count
        return taken

    async def _fetch_more(self, portal: Portal, count: int) -> Rows:
        """Fetch from an open cursor in a thread: who knows how long the next row takes."""
        cursor, connection = portal.cursor, portal.connection
        assert cursor is not None
        assert connection is not None
        self.enter(portal.compiled, connection)
        try:
            rows = await self.in_thread(connection, lambda: list(islice(cursor, count)))
        except BaseException:
            self.close_portal(portal)
            raise
        if len(rows) < count:
            self.close_portal(portal)
        return rows

    def _must_lock(self, compiled: CompiledPlan) -> bool:
        """Whether a plain read may have to wait for a relation lock. In a block, its locks are noted; outside they end at once."""
        if self._session.transaction.state is IDLE:
            return self._locks.table.strong > 0
        return self._locks.note(compiled)

    async def _lock_rows(self, portal: Portal, plan: QueryPlan) -> None:
        """Run a query with FOR UPDATE or its kin to its end. It is run again after waiting for a row.

        It is run again, too, when a commit changed rows that it locked after it had read them, in a thread.
        """
        check_writable(self._session, plan)
        if not self._database.tracks_rows:
            start_tracking(self._session)
        if plan.writes or not plan.functions.isdisjoint(WRITING):
            await self._write(portal, plan)
            return
        log = self._locks.owner.log
        first = len(log)
        watches = self._database.row_watches
        while True:
            before = len(log)
            changed: set[Tag] = set()
            watches.append(changed)
            try:
                await self._read(portal, plan)
                await self.spool(portal)
            except RowIsLocked as blocked:
                await self._wait_for_row(blocked, plan)
            else:
                if self._connections.lease is not None:
                    return
                if self._session.transaction.modes.keeps_snapshot:
                    if self._database.commits != self._connections.snapshot:
                        check_unchanged(self._session, log[first:])
                    return
                if not may_have_changed(log[before:], changed):
                    return
            finally:
                watches[:] = [watch for watch in watches if watch is not changed]
            portal.spool, portal.position = None, 0

    async def _wait_for_row(self, blocked: RowIsLocked, plan: QueryPlan) -> None:
        """Wait for a row lock, without keeping others from writing."""
        if not blocked.skip:
            await self._locks.acquire(blocked.tag, blocked.mode, context_of(self._session, blocked, plan.tag))

    async def _read(self, portal: Portal, plan: QueryPlan) -> None:
        compiled = portal.compiled
        connection = self._connections.take()
        try:
            if not self._must_use_thread(compiled, plan):
                try:
                    self._open_on(connection, portal, _UNLIMITED if plan.volatile else BUDGET)
                except MustWait as signal:
                    compiled.slow = isinstance(signal, BudgetExceeded)
                else:
                    return
            self.enter(compiled, connection)
            self.prepare(connection, compiled)
            work = functools.partial(self._open, connection, portal)
            await self.in_thread(connection, work, compiled, waits=compiled.blocking)
        except (SQLiteError, SqlError) as error:
            raise self.translated(error, connection, compiled) from error
        finally:
            if portal.cursor is not None:
                portal.connection = connection
            else:
                self._connections.give_back(connection)

    def _must_use_thread(self, compiled: CompiledPlan, plan: QueryPlan) -> bool:
        # A volatile function must not be called twice, so such a statement gets no budget: only one without FROM is sure to be short.
        return compiled.slow or compiled.blocking or (plan.volatile and " FROM " in plan.steps[-1].sql)

    def _open_on(self, connection: Connection, portal: Portal, budget: int) -> None:
        """Open the portal's cursor on the event loop."""
        compiled = portal.compiled
        self.enter(compiled, connection)
        self.prepare(connection, compiled)
        connection.budget(budget)
        self._open(connection, portal)

    def _open(self, connection: Connection, portal: Portal) -> None:
        """Execute a plan that reads, and fetch its first rows."""
        plan = portal.compiled.plan
        assert isinstance(plan, QueryPlan)
        if len(plan.steps) == 1:
            self._open_step(connection, portal, plan.steps[0])
            return
        portal.spool, _ = run_steps(connection, plan, portal.binds, self.explainer(connection, portal.compiled))

    def _open_step(self, connection: Connection, portal: Portal, step: Step) -> None:
        binds = portal.binds
        if step.binds != len(binds):
            binds = binds[: step.binds]
        if step.binds > MOST_BINDS:
            binds = packed(binds)
        cursor = connection.execute(step.sql, binds)
        rows: Rows = []
        try:
            rows.extend(islice(cursor, CHUNK))
        except (SQLiteError, SqlError):
            portal.cut_short = rows
            raise
        if len(rows) < CHUNK:
            portal.spool = rows
        else:
            portal.buffered, portal.cursor = rows, cursor

    # Writing

    async def _write(self, portal: Portal, plan: QueryPlan) -> None:
        compiled = portal.compiled
        check_writable(self._session, plan)
        while True:
            lease = await self._connections.lease_writer()
            connection = lease.connection
            await self.spool_portals(connection)
            self.enter(compiled, connection)
            self.prepare(connection, compiled)
            modes = self._session.constraint_modes
            matter = modes.matter(compiled.section)
            if matter:
                modes.begin_statement(connection, compiled.section)
            try:
                rows, count = await self._run_write(connection, compiled, plan, portal.binds)
                if matter:
                    modes.check(connection)
                break
            except (SQLiteError, SqlError) as error:
                raise self.translated(error, connection, compiled) from error
            except RowIsLocked as blocked:
                await self._wait_for_row(blocked, plan)
        self._connections.written = self._connections.written or plan.writes
        portal.count = count if any(step.counts for step in plan.steps) else None
        portal.spool = rows

    async def _move_sequences(self, portal: Portal, plan: QueryPlan) -> None:
        """Run a query that writes nothing but the values of sequences, which are no part of the transaction.

        So they are committed at once, by a lease of their own: nobody has to wait for the end of this transaction, and a snapshot
        that is kept does not matter. Sequences of a transaction that writes anyway, or that are temporary, are written with it.
        """
        connections = self._connections
        if connections.lease is not None or connections.has_temporary:
            await self._write(portal, plan)
            return
        sequences = self._session.sequences
        lease = await connections.lease_apart()
        self._for_sequences = lease.connection
        lease.connection.no_budget()
        try:
            await self._read(portal, plan)
            await self.spool(portal)
            durable = self._database.commit(lease)
        except BaseException:
            sequences.rolled_back()
            self._database.release(lease)
            raise
        finally:
            self._for_sequences = None
        sequences.committed()
        if durable is not None:
            await durable

    async def _run_write(
        self, connection: Connection, compiled: CompiledPlan, plan: QueryPlan, binds: tuple[Any, ...]
    ) -> tuple[Rows, int]:
        first = (
            not self._connections.written
            and not self._connections.changed_catalog
            and not self._session.transaction.modes.keeps_snapshot
            and not self._connections.has_temporary
        )
        short = not (compiled.slow or compiled.blocking) and plan.rows <= _ROWS_ON_LOOP
        on_loop = short and (first or compiled.quick or _inserts_values(plan))
        steps = functools.partial(run_steps, connection, plan, binds, self.explainer(connection, compiled))
        guard = GuardedWrite(self._session, connection, compiled) if self._database.tracks_rows else None
        if on_loop:
            connection.budget(BUDGET if first and not plan.rows else _UNLIMITED)
            try:
                result = steps() if guard is None else guard.run(steps, threaded=False)
            except MustWait as signal:
                compiled.slow = isinstance(signal, BudgetExceeded)
                if connection.changed is not None:
                    connection.changed.redo.give_up()  # it has what the statement did until now
            else:
                compiled.quick = True
                return result
        loop = asyncio.get_running_loop()
        started = loop.time()
        work: Callable[[], tuple[Rows, int]] = steps if guard is None else functools.partial(guard.run, steps, threaded=True)
        if not connection.in_transaction:
            work = functools.partial(self._begin_again, work)
        result = await self.in_thread(connection, work, compiled, waits=compiled.blocking)
        compiled.quick = loop.time() - started < 0.001
        return result

    def _begin_again(self, work: Callable[[], T]) -> T:
        """Do a write over: when it was interrupted, the transaction, which held nothing else, went with it."""
        assert self._connections.lease is not None
        self._connections.lease.connection.start_writing()
        self._connections.restore_savepoints()
        return work()

    async def evaluate(self, sql: str, functions: frozenset[str]) -> tuple[Any, ...]:
        """The one row of a SELECT without FROM."""
        connection = self._connections.take()
        self.enter(None)
        try:
            connection.require(functions)
            connection.budget(_UNLIMITED)
            return tuple(connection.execute(sql).fetchone() or ())
        except SQLiteError as error:
            raise self.translated(error, connection) from error
        finally:
            self._connections.give_back(connection)

    async def explain(self, compiled: CompiledPlan, sql: str, binds: int) -> Rows:
        """SQLite's plan of a statement; its parameters do not matter."""
        connection = self._connections.take()
        self.enter(compiled)
        try:
            self.prepare(connection, compiled)
            connection.budget(_UNLIMITED)
            return list(connection.execute(sql, (None,) * binds))
        except SQLiteError as error:
            raise self.translated(error, connection) from error
        finally:
            self._connections.give_back(connection)

    # Threads

    async def in_thread(
        self, connection: Connection, function: Callable[[], T], compiled: CompiledPlan | None = None, *, waits: bool = False
    ) -> T:
        """Run a function that uses the connection in a thread. `waits`: it may wait for other sessions."""
        self.running = connection
        try:
            if waits:
                pool = self._session.instance.waiting_threads
                return await self._database.run_waiting(pool, connection, function)
            return await self._database.run_in_thread(connection, function)
        except SQLiteError as error:
            raise self.translated(error, connection, compiled) from error
        finally:
            self.running = None

    def cancel(self, error: SqlError) -> None:
        """End what is running or waiting with this error; without effect when nothing is."""
        self.canceled = error
        if self.running is not None:
            self.running.cancel(error)
        waiting = self._connections.waiting
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        self._locks.cancel(error)

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
            self.enter(portal.compiled, connection)
            try:
                rows += await self.in_thread(connection, lambda: list(cursor))
            finally:
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
            self._connections.give_back(connection)

    # Details

    def enter(self, compiled: CompiledPlan | None, connection: Connection | None = None) -> None:
        """Make this session the one that functions answer for, on a connection."""
        session = self._session
        session.sequences.connection = self._for_sequences or connection
        runtime.settings = session.parameters.settings
        runtime.session = session
        runtime.statement_timestamp = session.statement_timestamp
        transaction = session.transaction
        idle = transaction.state is IDLE
        runtime.transaction_timestamp = session.statement_timestamp if idle else transaction.timestamp
        if compiled is not None:
            runtime.catalog = compiled.catalog

    def prepare(self, connection: Connection, compiled: CompiledPlan) -> None:
        """Give a connection the functions and catalog tables that a plan needs."""
        plan = compiled.plan
        assert isinstance(plan, QueryPlan)
        if plan.functions:
            connection.require(plan.functions)
        if compiled.needs_catalog:
            connection.use_catalog()

    def explainer(self, connection: Connection, compiled: CompiledPlan) -> Explain:
        """What makes a report of an error of a plan's step. It may be called in the thread that runs the step."""
        plan = compiled.plan
        target = plan.diagnose if isinstance(plan, QueryPlan) else 0
        return lambda error, step, binds: self.translated(error, connection, compiled, step.sql, binds, step.relation or target)

    def translated(
        self,
        error: Exception,
        connection: Connection,
        compiled: CompiledPlan | None = None,
        sql: str = "",
        binds: tuple[Any, ...] = (),
        target: int = 0,
    ) -> SqlError:
        """The report for what SQLite raised; to be made while the transaction is still open."""
        if isinstance(error, SqlError):
            return error
        if isinstance(error, InterruptError) and self.canceled is not None:
            return self.canceled
        self.enter(compiled, connection)
        return translate(error, connection, Failed(sql, binds, target, self._session.compilation))


def _inserts_values(plan: QueryPlan) -> bool:
    return len(plan.steps) == 1 and plan.tag.startswith("INSERT") and "VALUES" in plan.steps[0].sql[:2000]

"""The locks of one session: taking them, waiting for them, and how a wait ends (lock.c, proc.c, lmgr.c).

A wait ends when the lock is granted, or with lock_timeout (55P03), statement_timeout or a cancel (57014), a deadlock (40P01) or
the client's end. Statements wait on the event loop, functions that SQL calls (advisory locks) in one of the waiting threads.

Which relation locks a statement takes is in relation_locks.py, rows are locked in row_locks.py.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from typing import TYPE_CHECKING, Any

from proxy.pg_catalog.classes import PG_DATABASE
from proxy.session.relation_locks import locks_of_definition, locks_of_query, locks_of_utility
from proxy.storage import deadlock
from proxy.storage.lock_modes import CONFLICTS, NAMES, WEAK
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import DefinePlan, QueryPlan, UtilityPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.session.plans import CompiledPlan
    from proxy.session.prepared import Portal
    from proxy.session.session import Session
    from proxy.storage.deadlock import Edge
    from proxy.storage.locks import LockOwner, LockTable, Tag, Wait
    from proxy.storage.redo import RedoLog


class SessionLocks:
    """See the module."""

    def __init__(self, session: Session) -> None:
        self.table: LockTable = session.instance.locks
        self.owner = self.table.add(session)
        self._session = session

    # Relations

    def note(self, compiled: CompiledPlan) -> bool:
        """Hold the relation locks of a statement. True: a strong lock is about, and they have to be taken by `lock_statement`."""
        locks = compiled.relation_locks
        if locks is None:
            locks = self._relation_locks(compiled)
        owner = self.owner
        held = owner.held
        if self.table.strong:
            return any(not held.get(tag, 0) >> mode & 1 for tag, mode in locks)
        for tag, mode in locks:
            if not held.get(tag, 0) >> mode & 1:
                if not WEAK >> mode & 1:
                    return True
                owner.note(tag, mode)
        return False

    async def lock_statement(self, portal: Portal, *, free: bool) -> None:
        """Take the relation locks of a statement; it is compiled again if the catalog has changed meanwhile.

        `free`: its columns were not described yet, so they may be others then.
        """
        session = self._session
        while True:
            compiled = portal.compiled
            for tag, mode in compiled.relation_locks or self._relation_locks(compiled):
                await self.acquire(tag, mode)
            section = session.compilation.section()
            if section is compiled.section or compiled.is_momentary:
                return
            renewed = session.compilation.compile(compiled.statement, compiled.plan.parameters)
            if not free and renewed.plan.fields != compiled.plan.fields:
                raise SqlError(codes.FEATURE_NOT_SUPPORTED, "cached plan must not change result type")
            portal.compiled = renewed
            if free:
                portal.formats = renewed.formats(portal.formats[:1])
            if not self.note(renewed):
                return

    def _relation_locks(self, compiled: CompiledPlan) -> tuple[tuple[Tag, int], ...]:
        plan = compiled.plan
        match plan:
            case QueryPlan():
                found: Iterable[tuple[int, int]] = locks_of_query(plan)
            case UtilityPlan():
                found = locks_of_utility(self._session, plan)
            case DefinePlan():
                found = locks_of_definition(self._session, plan)
            case _:
                found = ()
        name = self._session.database.name
        locks = tuple((("relation", name, oid), mode) for oid, mode in found)
        if not isinstance(plan, DefinePlan):
            compiled.relation_locks = locks
        return locks

    # Waiting

    async def acquire(self, tag: Tag, mode: int, where: str | None = None) -> None:
        """Take a lock of the transaction. `where`: the context of an error that ends the wait."""
        wait = self.table.request(self.owner, tag, mode)
        if wait is None:
            return
        connections = self._session.connections
        try:
            log = await connections.step_aside()
        except SqlError as error:
            self.table.fail(wait, error)
            raise
        try:
            await self._wait(wait, where)
        except BaseException:
            if log is not None:
                await self._resume_after_failure(log)
            raise
        if log is not None:
            await connections.resume(log)

    async def _resume_after_failure(self, log: RedoLog) -> None:
        """The wait for a lock has failed: savepoints may bring back what the transaction did before."""
        connections = self._session.connections
        if self._session.closed or not self._session.transaction.savepoints:
            return
        try:
            await connections.resume(log)
        except SqlError:
            connections.forget()

    async def _wait(self, wait: Wait, where: str | None) -> None:
        """Wait until a lock is granted."""
        loop = asyncio.get_running_loop()
        timers = [loop.call_later(self._deadlock_timeout(), self._check_deadlock, wait)]
        timeout = self.lock_timeout()
        if timeout is not None:
            timers.append(loop.call_later(timeout, self.table.fail, wait, lock_timed_out()))
        try:
            await asyncio.wrap_future(wait.future)
        except SqlError as error:
            error.where = error.where or where
            raise
        finally:
            for timer in timers:
                timer.cancel()

    def acquire_in_thread(self, tag: Tag, mode: int, *, of_session: bool) -> None:
        """Take an advisory lock from a function of a statement that runs in a waiting thread."""
        wait = self.table.request(self.owner, tag, mode, of_session=of_session)
        if wait is None:
            return
        timeout = self.lock_timeout()
        end = None if timeout is None else time.monotonic() + timeout
        canceled = self._session.executor.canceled
        if canceled is not None:  # before there was anything to cancel
            self.table.fail(wait, canceled)
        for look, pause in ((True, self._deadlock_timeout()), (False, None)):
            left = None if end is None else max(end - time.monotonic(), 0)
            least = pause if left is None else left if pause is None else min(left, pause)
            try:
                wait.future.result(least)
                return
            except concurrent.futures.TimeoutError:
                if end is not None and time.monotonic() >= end:
                    self.table.fail(wait, lock_timed_out())
                elif look:
                    self._check_deadlock(wait)
        wait.future.result()

    def cancel(self, error: SqlError) -> None:
        """End the wait, if there is one."""
        wait = self.owner.wait
        if wait is not None:
            self.table.fail(wait, error)

    def watch_writer_wait(self, future: asyncio.Future[Any]) -> asyncio.TimerHandle | None:
        """Look for a deadlock when a wait for the writer has lasted; it cannot be part of one unless somebody waits for a lock."""
        if not self.table.waits:
            return None
        return asyncio.get_running_loop().call_later(self._deadlock_timeout(), self._check_writer_deadlock, future)

    def _deadlock_timeout(self) -> float:
        return int(self._session.parameters.value("deadlock_timeout")) / 1000

    def lock_timeout(self) -> float | None:
        """The setting in seconds; None: no limit."""
        timeout = int(self._session.parameters.value("lock_timeout"))
        return timeout / 1000 if timeout else None

    # Deadlocks

    def _check_deadlock(self, wait: Wait) -> None:
        if not wait.future.done() and (cycle := deadlock.find_cycle(self.table, self.owner, writer_blockers)):
            self.table.fail(wait, self._deadlock(cycle))

    def _check_writer_deadlock(self, future: asyncio.Future[Any]) -> None:
        if not future.done() and (cycle := deadlock.find_cycle(self.table, self.owner, writer_blockers)):
            future.set_exception(self._deadlock(cycle))

    def _deadlock(self, cycle: list[Edge]) -> SqlError:
        """The report, a line for each who waits (DeadLockReport)."""
        self._session.statistics.deadlocks += 1
        lines = [
            f"Process {edge.waiter.session.process_id} waits for {self._awaited(edge)}; "
            f"blocked by process {edge.blocker.session.process_id}."
            for edge in cycle
        ]
        hint = "See server log for query details."
        return SqlError(codes.DEADLOCK_DETECTED, "deadlock detected", detail="\n".join(lines), hint=hint)

    def _awaited(self, edge: Edge) -> str:
        """The lock that is waited for (DescribeLockTag)."""
        wait = edge.waiter.wait
        database = self._session.instance.database_oid(edge.waiter.session.database.name)
        if wait is None:
            return f"ExclusiveLock on object {database} of class {PG_DATABASE} of database 0"
        kind, _, *numbers = wait.tag
        mode = NAMES[wait.mode]
        match kind:
            case "relation":
                return f"{mode} on relation {numbers[0]} of database {database}"
            case "tuple" if is_holder(edge.blocker, wait):
                return f"ShareLock on transaction {edge.blocker.session.transaction_id()}"
            case "tuple":
                return f"{mode} on tuple (0,{numbers[1]}) of relation {numbers[0]} of database {database}"
            case _:
                return f"{mode} on advisory lock [{database},{','.join(map(str, numbers))}]"

    # The ends of transaction, subtransaction and session

    def end_transaction(self, *, committed: bool) -> None:
        if not self.owner.log:
            return
        if committed:
            for watch in self._session.database.row_watches:
                watch.update(tag for tag, _ in self.owner.log if tag[0] in {"tuple", "rows"})
        self.table.end_transaction(self.owner)

    def close(self) -> None:
        self.end_transaction(committed=False)
        self.table.release_kept(self.owner)
        self.table.remove(self.owner)


def is_holder(owner: LockOwner, wait: Wait) -> bool:
    """Whether an owner holds what another waits for, or merely queues before it."""
    return bool(owner.modes(wait.tag) & CONFLICTS[wait.mode] or owner.held.get(("rows", *wait.tag[1:3])))


def writer_blockers(owner: LockOwner) -> list[LockOwner]:
    """Whom a session waits for that waits for the writer: who writes, and who asked before it."""
    session: Session = owner.session
    if session.connections.waiting is None:
        return []
    database = session.database
    holder = database.writer_holder
    found = [] if holder is None or holder.owner is None else [holder.owner]
    for entry in database.writer_waiting:
        if entry.owner is session:
            break
        found.append(entry.owner)
    return [other.locks.owner for other in found if other is not None]


def lock_timed_out() -> SqlError:
    return SqlError(codes.LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")

"""What the transaction table asks for, carried out: storage, run-time parameters, notifications, warnings.

`TransactionActions.apply` takes an event to the table (transaction.py) and performs the action that it names. Nothing else
begins or ends a transaction.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from proxy.ddl import temporary
from proxy.ddl.execution import Execution
from proxy.session import foreign_notifications
from proxy.session.access import Access
from proxy.session.transaction import NOTHING, Action, Event, Modes, Savepoint, State
from proxy.storage.connection import SQLiteError
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.session.notify import Place
    from proxy.session.session import Session
    from proxy.storage.writer import WriterLease


# What a session that may only roll back does in the place of committing.
_UNDOING: Final = {
    Action.COMMIT: Action.ROLLBACK,
    Action.COMMIT_AND_CHAIN: Action.ROLLBACK_AND_CHAIN,
    Action.COMMIT_WITH_WARNING: Action.ROLLBACK_WITH_WARNING,
}


class TransactionActions:
    """The transaction of one session, from the side of what it does."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._modes = Modes()  # by default, as of these changes of the parameters:
        self._changes = -1

    async def apply(self, event: Event, command: str = "", name: str = "") -> str:
        """Take an event to the table and do what it says; gives the command tag. `name`: of a savepoint."""
        transaction = self._session.transaction
        savepoint = self._named(event, name)
        action = transaction.apply(event, command)
        if action is NOTHING:
            return command
        if action in _UNDOING and self._session.access is Access.ROLLBACK_ONLY:
            action = _UNDOING[action]
        match action:
            case Action.START:
                self._start(self._default_modes())
            case Action.ADOPT:
                # BEGIN after other statements of the query string: they belong to the block, and so do their modes.
                pass
            case Action.COMMIT:
                await self._commit()
            case Action.COMMIT_AND_CHAIN:
                chained = transaction.modes
                await self._commit()
                self._start(chained)
            case Action.ROLLBACK:
                self._rollback()
                return "ROLLBACK"
            case Action.ROLLBACK_AND_CHAIN:
                chained = transaction.modes
                self._rollback()
                self._start(chained)
                return "ROLLBACK"
            case Action.COMMIT_WITH_WARNING:
                self._warn(codes.NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")
                await self._commit()
            case Action.ROLLBACK_WITH_WARNING:
                self._warn(codes.NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")
                self._rollback()
                return "ROLLBACK"
            case Action.WARN_NO_BLOCK:
                self._warn(codes.NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")
            case Action.WARN_IN_BLOCK:
                self._warn(codes.ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress")
            case Action.SAVEPOINT:
                self._define(name)
            case Action.RELEASE:
                assert savepoint is not None
                self._release(savepoint)
            case Action.ROLLBACK_TO:
                assert savepoint is not None
                await self._rollback_to(savepoint)
                return "ROLLBACK"
        return command

    def begin_implicit(self) -> None:
        """A statement begins outside a block. As `apply(Event.STATEMENT)`, where nothing has to be waited for."""
        if self._session.transaction.apply(Event.STATEMENT) is Action.START:
            self._start(self._default_modes())

    def fail(self) -> None:
        """The error event: undo what has to be undone. It does not wait."""
        session = self._session
        action = session.transaction.apply(Event.ERROR)
        if action is Action.ROLLBACK:
            self._rollback()
        elif action is Action.ABORT:
            if not session.transaction.savepoints:
                session.portals.fail(session.transaction.number)
                self._abort()
            else:
                savepoint = session.transaction.savepoints[-1]
                session.portals.fail(session.transaction.number, savepoint.level)
                self._undo(savepoint)

    def abandon(self) -> None:
        """The session ends: roll back whatever is open."""
        if self._session.transaction.state is State.IDLE:
            self._abort()  # nothing to count, but locks to give up
        else:
            self._rollback()

    def _named(self, event: Event, name: str) -> Savepoint | None:
        """The savepoint that RELEASE or ROLLBACK TO means; one that does not exist is an error before the state moves."""
        transaction = self._session.transaction
        if not name or event not in {Event.RELEASE, Event.ROLLBACK_TO} or not transaction.in_block:
            return None
        if event is Event.RELEASE and transaction.status == b"E":
            return None  # refused by the table
        return transaction.find(name)

    def _default_modes(self) -> Modes:
        parameters = self._session.parameters
        if self._changes != parameters.changes:
            value = parameters.value
            isolation = str(value("default_transaction_isolation"))
            self._modes = Modes(isolation, parameters.next_is_read_only(), bool(value("default_transaction_deferrable")))
            self._changes = parameters.changes
        return self._modes

    def _start(self, modes: Modes) -> None:
        session = self._session
        session.transaction.start(Modes(modes.isolation, modes.read_only, modes.deferrable), session.statement_timestamp)
        session.parameters.begin()
        session.limits.transaction_started()

    async def _commit(self) -> None:
        session = self._session
        channels = session.instance.channels(session.database) if session.notifications.pending else None
        place: Place | None = None
        try:
            if channels is not None:
                if session.instance.cluster.is_joined:
                    await self._notify_other_processes()
                place = channels.take_place()
            await self._commit_storage()
        except BaseException:
            if channels is not None and place is not None:
                channels.send(place, [])
            self._rollback()
            raise
        session.connections.committed()
        session.parameters.commit()
        if channels is not None and place is not None:
            session.notifications.commit(channels, place, session, session.process_id)
        session.transaction.savepoints.clear()
        session.transaction_ended(committed=True)

    async def _notify_other_processes(self) -> None:
        """Send what the transaction sends to the cluster's owner, too: with the transaction, or, if it writes nothing, by itself."""
        session = self._session
        if not (queued := session.notifications.queued):
            return
        own = session.connections.lease
        lease = own or await session.connections.lease_apart()
        try:
            foreign_notifications.leave(lease.connection, queued)
            durable = None if own is not None else session.database.commit(lease)
            if durable is not None:
                await durable
        except SQLiteError as error:
            raise session.executor.translated(error, lease.connection) from error
        finally:
            if own is None:
                session.database.release(lease)

    async def _commit_storage(self) -> None:
        """Keep the rows of WITH HOLD cursors, close the other portals, COMMIT, and wait for the disk."""
        session = self._session
        for portal in session.portals:
            if portal.hold and portal.started and portal.transaction == session.transaction.number:
                await session.executor.spool(portal)
        session.portals.end_transaction(session.transaction.number, committed=True)
        lease = session.connections.lease
        if lease is None:
            return
        if session.on_commit:
            await self._run_on_commit(lease)
        try:
            session.constraint_modes.check_deferred()
            durable = session.connections.commit(synchronous=session.parameters.value("synchronous_commit") != "off")
            if not lease.threaded:
                session.sequences.committed()  # before the disk has it: the next writer looks at the marks
            if durable is not None:
                await durable
        except SQLiteError as error:
            raise session.executor.translated(error, lease.connection) from error

    async def _run_on_commit(self, lease: WriterLease) -> None:
        """ON COMMIT DROP and DELETE ROWS."""
        session = self._session
        connection = lease.connection
        execution = Execution(connection, session.parameters.settings, text="", session=session)
        session.executor.enter(None, connection)
        connection.use_catalog()
        work = partial(temporary.before_commit, execution, session.on_commit)
        for oid in await session.executor.in_thread(connection, work):
            del session.on_commit[oid]

    def _rollback(self) -> None:
        session = self._session
        session.statistics.rollbacks += 1
        session.portals.end_transaction(session.transaction.number, committed=False)
        self._abort()

    def _abort(self) -> None:
        session = self._session
        session.connections.abort()
        session.parameters.abort()
        session.notifications.abort()
        session.transaction.savepoints.clear()
        session.transaction_ended(committed=False)

    def _define(self, name: str) -> None:
        session = self._session
        savepoint = session.transaction.define(name)
        session.connections.savepoint(savepoint)
        session.constraint_modes.savepoint()
        session.parameters.savepoint()
        session.notifications.savepoint()
        session.locks.table.set_savepoint(session.locks.owner, savepoint.level)

    def _release(self, savepoint: Savepoint) -> None:
        session = self._session
        session.connections.release(savepoint)
        session.constraint_modes.release(savepoint.level)
        session.parameters.release(savepoint.level)
        session.notifications.release(savepoint.level)
        session.transaction.forget_after(savepoint, inclusive=True)

    async def _rollback_to(self, savepoint: Savepoint) -> None:
        session = self._session
        session.connections.check_savepoints()
        if session.connections.lease is not None:
            await session.executor.spool_portals(session.connections.lease.connection)
        session.portals.end_transaction(session.transaction.number, committed=False, level=savepoint.level)
        self._undo(savepoint)
        session.transaction.forget_after(savepoint, inclusive=False)
        session.transaction.modes.read_only = savepoint.read_only

    def _undo(self, savepoint: Savepoint) -> None:
        """Take back what was done since a savepoint."""
        session = self._session
        session.connections.rollback_to(savepoint)
        session.constraint_modes.rollback_to(savepoint.level)
        session.parameters.rollback_to(savepoint.level)
        session.notifications.rollback_to(savepoint.level)
        session.sequences.rolled_back()
        session.locks.table.rollback_to(session.locks.owner, savepoint.level)

    def _warn(self, code: str, message: str) -> None:
        self._session.notice(SqlError(code, message, severity="WARNING"))

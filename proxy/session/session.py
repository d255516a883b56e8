"""One client's session: it takes frontend messages and answers with backend messages.

`receive` handles one message, on the spot if nothing has to be waited for; otherwise it returns a future, and must not be called
again before that is done. The client is an object that takes messages and bytes (`Client`); this file knows no socket.

Rule 1: an error is turned into an ErrorResponse in one place, `_fail`, which also moves the transaction table.
Rule 2: after an error in the extended protocol, everything up to Sync is skipped (manual, "Extended Query").

What the messages mean is in simple_query.py and extended_query.py, start-up in startup.py, utility commands in utility.py.
"""

from __future__ import annotations

import datetime as dt
import decimal
import logging
import secrets
import time
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from proxy.ddl.sequence_values import SessionSequences, database_sequences
from proxy.pg_catalog.object_names import role_oid
from proxy.session import access, extended_query, function_call, running, simple_query, steps
from proxy.session.access import Access
from proxy.session.actions import TransactionActions
from proxy.session.compilation import Compilation
from proxy.session.connections import Connections
from proxy.session.constraint_modes import ConstraintModes
from proxy.session.execute import Executor
from proxy.session.limits import Limits
from proxy.session.locks import SessionLocks
from proxy.session.notify import Notifications
from proxy.session.prepared import Portal, Portals, Statements
from proxy.session.reports import error_response, is_wanted, notice_response
from proxy.session.settings import RunTimeParameters
from proxy.session.transaction import IDLE, Event, State, Transaction
from proxy.storage.connection import SQLiteError
from proxy.storage.errors import access_error
from proxy.wire import backend, frontend
from proxy.wire.errors import MalformedMessage
from proxy.wire.message import CopyData, CopyDone, Message
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import QueryPlan
from translator.types import numeric

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from proxy.session.copy import CopyIn
    from proxy.session.instance import Instance
    from proxy.session.plans import CompiledPlan
    from proxy.storage.database import Database

Answer = Coroutine[Any, Any, None] | None

_log = logging.getLogger("litephant.session")

_EXTENDED: Final = (frontend.Parse, frontend.Bind, frontend.Describe, frontend.Execute, frontend.Close, frontend.Flush)
_READY: Final = {state: backend.READY_FOR_QUERY[chr(state.value[0])] for state in State}


class Client(Protocol):
    """Whoever is at the other end: a connection, or an in-process client."""

    def send(self, message: Message) -> None: ...
    def send_bytes(self, raw: bytes) -> None: ...

    def flush(self) -> asyncio.Future[None] | None:
        """Send what is queued; a future when the client does not keep up, done when it does again."""

    def close(self) -> None:
        """Send what is queued, then hang up."""

    def abort(self) -> None:
        """Hang up on a client that does not read."""


class Session:
    """See the module. `open` comes before anything else."""

    def __init__(self, instance: Instance, client: Client) -> None:
        self.instance = instance
        self.client = client
        self.process_id = 0
        self.secret_key = secrets.token_bytes(4)
        self.address: tuple[str, int] | None = None  # the client's, None for an in-process one
        self.server_address: tuple[str, int] | None = None
        self.transaction = Transaction()
        self.parameters = RunTimeParameters(self.transaction, instance.defaults)
        self.access = Access.READ_WRITE
        self.statements = Statements()
        self.notifications = Notifications()
        self.limits = Limits(self)
        self.started_at = self.statement_timestamp = now()
        self.counted_from = self.started_at  # when the running statement began, which need not be the first of its query string
        self.idle_since = 0.0  # time.monotonic(), in a transaction: since when it waits for the client's next message
        self.query = ""  # text of the running or last statement
        self.on_commit: dict[int, str] = {}  # what COMMIT does to temporary tables (ddl/temporary.py)
        self.copy: CopyIn | None = None  # a COPY FROM STDIN that waits for data
        self.executed = 0  # statements since the last Sync
        self.alone = True  # the running statement is the only one of its query string, the first one of its pipeline
        self.assigned_transaction_id: int | None = None
        self.is_busy = False  # something waits
        self.closed = False
        self._skipping = False
        self._steps: steps.Steps | None = None  # what is left of the running message
        self._fatal: SqlError | None = None
        self._is_behind = False  # the client does not keep up, and the session waits for it
        self._undelivered: list[
            tuple[str, bytes]
        ] = []  # notifications that came while a transaction was open, with their channels

    def open(self, database: Database, process_id: int) -> None:
        """Start-up is over: the session belongs to a database."""
        self.database = database
        self.statistics = database.statistics
        self.process_id = process_id
        self.locks = SessionLocks(self)
        self.connections = Connections(self, database)
        self.executor = Executor(self, self.connections)
        self.portals = Portals(self.executor.close_portal)
        self.actions = TransactionActions(self)
        self.compilation = Compilation(self)
        self.parameters.is_role = lambda name: role_oid(self.compilation.section().connection, name) is not None
        self.constraint_modes = ConstraintModes(self)
        self.sequences = SessionSequences(database_sequences(database.path))
        self.sequences.read_only = lambda: bool(self.transaction.modes.read_only)
        self.sequences.refuse = partial(access.refuse, self)
        database.sessions.add(self)
        self.statistics.sessions += 1
        database.refresh()

    # Receiving

    def receive(self, message: Message | MalformedMessage) -> asyncio.Future[None] | None:
        """Handle one message. A future: it is not done yet, and the next message has to wait."""
        kind = type(message)
        if self._skipping and kind is not frontend.Sync and kind is not frontend.Terminate:
            return None
        if self.copy is not None:
            return self._receive_during_copy(self.copy, message)
        try:
            answer = _RECEIVERS[kind](self, message)
        except Exception as error:  # noqa: BLE001  (the one place where errors become reports)
            self._fail(error, message)
            return None
        return None if answer is None else self._run(answer, message)

    def _run(self, answer: Coroutine[Any, Any, None], message: Message | MalformedMessage) -> asyncio.Future[None] | None:
        """Run what may have to wait."""
        self.is_busy = True
        self._steps = None
        self._steps = left = steps.start(self._guard(answer, message))
        if left is None:
            return None
        self.limits.waiting()
        return None if self.copy is not None else left.done

    async def _guard(self, answer: Coroutine[Any, Any, None], message: Message | MalformedMessage) -> None:
        try:
            await answer
        except Exception as error:  # noqa: BLE001  (the one place where errors become reports)
            self._fail(error, message)
        finally:
            self.is_busy = False
            self.idle_since = time.monotonic()  # ReadyForQuery may be far: a pipeline holds what it has until Sync
            self.limits.waited()
        if self._fatal is not None:
            self._hang_up(self._fatal)
        if self.closed:
            self._release()

    def begin_copy(self, copy: CopyIn) -> None:
        """COPY FROM STDIN waits too, but for the client's next messages: they must not wait for it."""
        self.copy = copy
        if self._steps is not None:  # it has waited for something else before
            self._steps.let_go()

    def _receive_during_copy(self, copy: CopyIn, message: Message | MalformedMessage) -> asyncio.Future[None] | None:
        """COPY FROM STDIN takes data, its end, and nothing else but Flush and Sync, which it ignores (CopyGetData)."""
        match message:
            case frontend.Flush() | frontend.Sync():
                return None
            case frontend.Terminate():
                self.client.close()
                return None
            case CopyData():
                waiting = copy.receive(message)
                return self._ended if copy.done.done() else waiting
            case CopyDone() | frontend.CopyFail():
                copy.receive(message)
                return self._ended
            case _:
                kind = message.type if isinstance(message, MalformedMessage) else message.TYPE
                text = f"unexpected message type 0x{kind[0]:02X} during COPY from stdin"
                copy.refuse(SqlError(codes.PROTOCOL_VIOLATION, text))
                lost = "terminating connection because protocol synchronization was lost"
                self._fatal = SqlError(codes.PROTOCOL_VIOLATION, lost, severity="FATAL")
        return self._ended if copy.done.done() else None

    @property
    def _ended(self) -> asyncio.Future[None] | None:
        """Done when the running message is."""
        return None if self._steps is None else self._steps.done

    def _receive_sync(self, message: frontend.Sync) -> Answer:
        self._skipping = False
        self.executed = 0
        if self.transaction.state is State.IMPLICIT:
            return self.end_query()
        self.ready()
        return None

    def _receive_flush(self, message: frontend.Flush) -> Answer:
        self.client.flush()
        return None

    def _receive_rest_of_copy(self, message: Message) -> Answer:
        """CopyData, CopyDone and CopyFail when no COPY goes on: the rest of one that failed (manual, "COPY Operations")."""
        return None

    def _receive_terminate(self, message: frontend.Terminate) -> Answer:
        self.client.close()
        return None

    def _receive_malformed(self, message: MalformedMessage) -> Answer:
        raise SqlError(message.sqlstate, message.message, where=message.where)

    # Between commands

    def begin_command(self, text: str) -> None:
        """A message arrives that belongs to a statement."""
        self.query = text
        self.executor.canceled = None
        self.statement_timestamp = self.counted_from = time.time_ns() // 1000

    async def end_query(self) -> None:
        """The end of a query string, or Sync: an implicit transaction ends."""
        await self.actions.apply(Event.SYNC)
        self.ready()

    def ready(self) -> None:
        """ReadyForQuery, after what has changed meanwhile."""
        client = self.client
        state = self.transaction.state
        if state is IDLE:
            self.statistics.transactions += 1
            if self.portals.exist:
                self.portals.end_implicit()
        if self.parameters.unreported:
            for name, value in self.parameters.reports():
                client.send(backend.ParameterStatus(name, value))
        if self._undelivered and state is IDLE:
            heard = self.notifications.channels  # the transaction may have stopped listening
            client.send_bytes(b"".join(raw for channel, raw in self._undelivered if channel in heard))
            self._undelivered.clear()
        client.send_bytes(_READY[state])
        if state is not IDLE:
            self.idle_since = time.monotonic()
        self.limits.ready()

    def _fail(self, error: Exception, message: Message | MalformedMessage) -> None:
        """Report an error, undo what it stopped, and say how the conversation goes on."""
        if isinstance(error, SqlError):
            report = error
        elif isinstance(error, decimal.Overflow):  # arithmetic of numeric that has too many digits before the point
            report = numeric.overflow()
        elif isinstance(error, SQLiteError):  # while a statement was compiled
            report = access_error(error, self.database.path)
        else:
            _log.error("internal error in %s", type(message).__name__, exc_info=error)
            report = SqlError(codes.INTERNAL_ERROR, f"internal error: {type(error).__name__}")
        self.copy = None
        self.client.send(error_response(report, self.query))
        self.actions.fail()
        if report.severity in {"FATAL", "PANIC"}:
            self.client.close()
        elif self._fatal is not None:
            pass  # `_guard` ends the session
        elif message.skips_to_sync if isinstance(message, MalformedMessage) else isinstance(message, _EXTENDED):
            self._skipping = True
        else:
            self.ready()

    def count(self, compiled: CompiledPlan, rows: int) -> None:
        """An execution of a statement is over."""
        counts = compiled.counts
        if counts is None:
            user = self.parameters.settings.user
            counts = self.instance.statement_statistics.entry(self.database, user, compiled.source)
            compiled.counts = counts
        counts.add(time.time_ns() // 1000 - self.counted_from, rows)

    # What statements ask of the session

    async def start_portal(self, portal: Portal) -> None:
        """Run a portal as far as it has rows: for FETCH, which the commands that a portal may run include."""
        await running.start_portal(self, portal)

    def bind_hidden(self, portal: Portal) -> None:
        """Add the values that belong to session and transaction behind the client's."""
        plan = portal.compiled.plan
        if isinstance(plan, QueryPlan) and plan.hidden:
            portal.binds = (*portal.binds, *self.hidden_values(plan.hidden))

    def hidden_values(self, names: tuple[str, ...]) -> list[Any]:
        """The values of a plan's hidden parameters."""
        known = {
            "transaction_timestamp": self.transaction.timestamp,
            "statement_timestamp": self.statement_timestamp,
            "current_user": self.parameters.settings.user,
            "session_user": self.parameters.settings.session_user,
            "database": self.parameters.settings.database,
        }
        return [known[name] for name in names]

    def snapshot(self) -> tuple[int, str] | None:
        """For storage's log: if the session reads an old snapshot, since when (microseconds) and who it is."""
        if not self.connections.hold_snapshot:
            return None
        since = self.statement_timestamp if self.transaction.state is IDLE else self.transaction.timestamp
        moment = dt.datetime.fromtimestamp(since / 1e6, dt.UTC).isoformat(" ", "seconds")
        name = self.parameters.value("application_name")
        return since, f"process {self.process_id}{f' ({name})' if name else ''} since {moment}"

    def transaction_id(self) -> int:
        """The id of the running transaction; it gets one when it is first asked for."""
        if self.assigned_transaction_id is None:
            self.assigned_transaction_id = next(self.instance.transactions)
        return self.assigned_transaction_id

    def transaction_ended(self, *, committed: bool) -> None:
        """Give up what belonged to the transaction."""
        self.assigned_transaction_id = None
        self.limits.transaction_ended()
        self.compilation.transaction_ended()
        self.constraint_modes.end()
        if committed:
            self.sequences.committed()
        else:
            self.sequences.rolled_back()
        self.locks.end_transaction(committed=committed)

    def notice(self, report: SqlError) -> None:
        """Send a NOTICE, WARNING or the like, if the client wants to hear it."""
        if is_wanted(report.severity, str(self.parameters.value("client_min_messages"))):
            self.client.send(notice_response(report, self.query))

    def notified(self, process_id: int, channel: str, payload: str) -> None:
        """A notification has come: it is passed on when no transaction is open (ProcessClientReadInterrupt)."""
        raw = backend.NotificationResponse(process_id, channel, payload).encode()
        if self.is_busy or self.transaction.state is not State.IDLE:
            self._undelivered.append((channel, raw))
            return
        self.client.send_bytes(raw)
        self.client.flush()

    async def wait_for_client(self, drained: asyncio.Future[None]) -> None:
        """Until the client has read what was sent. Only the session's end interrupts that (ProcessClientWriteInterrupt)."""
        if self.executor.canceled is not None:  # since the last rows were asked for
            raise self.executor.canceled
        self._is_behind = True
        try:
            await drained
        finally:
            self._is_behind = False

    # Ends

    def cancel(self, error: SqlError) -> None:
        """End the running statement with this error; without effect when nothing runs."""
        if self.is_busy:
            self.executor.cancel(error)
            if self.copy is not None:
                self.copy.refuse(error)

    def terminate(self, error: SqlError) -> None:
        """End the session with a FATAL report: at once, or when the running statement has been stopped."""
        error.severity = "FATAL"
        if self.is_busy:
            self._fatal = error
            self.cancel(error)
            if self._is_behind:
                self.client.abort()
        else:
            self._hang_up(error)

    def _hang_up(self, error: SqlError) -> None:
        self._fatal = None
        if not self.closed:
            self.client.send(error_response(error, ""))
            self.client.close()
            self.close()  # now: the client may be slow to take its leave, and others wait for what it holds

    def close(self) -> None:
        """The client is gone: stop what runs, roll back, give everything back."""
        if self.closed:
            return
        self.closed = True
        if self.is_busy:
            self.cancel(SqlError(codes.CONNECTION_FAILURE, "connection to client lost"))
        else:
            self._release()

    def _release(self) -> None:
        self.limits.close()
        if not self.process_id:
            return
        self.actions.abandon()
        self.portals.clear()
        self.connections.drop_temporary()
        self.locks.close()
        self.notifications.close(self.instance.channels(self.database), self)
        self.database.sessions.discard(self)
        self.instance.remove(self)
        self.process_id = 0


def now() -> int:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1000


_RECEIVERS: Final[dict[type, Callable[[Session, Any], Answer]]] = {
    frontend.Query: simple_query.receive_query,
    frontend.Parse: extended_query.receive_parse,
    frontend.Bind: extended_query.receive_bind,
    frontend.Describe: extended_query.receive_describe,
    frontend.Execute: extended_query.receive_execute,
    frontend.Close: extended_query.receive_close,
    frontend.Flush: Session._receive_flush,
    frontend.Sync: Session._receive_sync,
    frontend.FunctionCall: function_call.receive_function_call,
    frontend.Terminate: Session._receive_terminate,
    frontend.CopyFail: Session._receive_rest_of_copy,
    CopyData: Session._receive_rest_of_copy,
    CopyDone: Session._receive_rest_of_copy,
    MalformedMessage: Session._receive_malformed,
}

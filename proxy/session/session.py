"""One client's session: it takes frontend messages and answers with backend messages.

`receive` handles one message, on the spot if nothing has to be waited for; otherwise it returns a future, and must not be called
again before that is done. The client is an object that takes messages and bytes (`Client`); this file knows no socket.

Rule 1: an error is turned into an ErrorResponse in one place, `_fail`, which also moves the transaction table.
Rule 2: after an error in the extended protocol, everything up to Sync is skipped (manual, "Extended Query").

Start-up is startup.py's; what a utility command does, utility.py's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from proxy.session import steps, utility
from proxy.session.actions import TransactionActions
from proxy.session.cursors import fetches_binary
from proxy.session.execute import CHUNK, Executor
from proxy.session.instance import Instance
from proxy.session.notify import Notifications
from proxy.session.plans import CompiledPlan, Section, ends_transaction, settings_key
from proxy.session.prepared import Portal, Portals, PreparedStatement, Statements, spread_checked
from proxy.session.reports import error_response, is_wanted, notice_response
from proxy.session.rows import read_parameters
from proxy.session.settings import RunTimeParameters
from proxy.session.transaction import Event, State, Transaction
from proxy.storage.connection import Connection
from proxy.storage.database import Database
from proxy.wire import backend, frontend
from proxy.wire.errors import MalformedMessage
from proxy.wire.message import CopyData, CopyDone, Message
from translator import compiler
from translator import sqlstate as codes
from translator.catalog import Relation
from translator.compiler import Statement
from translator.errors import SqlError, unsupported
from translator.plan import DefinePlan, EmptyPlan, QueryPlan, UtilityPlan

T = TypeVar("T")
Answer = Coroutine[Any, Any, None] | None

_log = logging.getLogger("litephant.session")

_EXTENDED: Final = (frontend.Parse, frontend.Bind, frontend.Describe, frontend.Execute, frontend.Close, frontend.Flush)
_SELECT_TAGS: Final = tuple(backend.CommandComplete(f"SELECT {count}").encode() for count in range(CHUNK))
_READY: Final = {status.encode(): raw for status, raw in backend.READY_FOR_QUERY.items()}


class Client(Protocol):
    """Whoever is at the other end: a connection, or an in-process client."""

    def send(self, message: Message) -> None: ...
    def send_bytes(self, raw: bytes) -> None: ...

    def flush(self) -> asyncio.Future[None] | None:
        """Send what is queued; a future when the client does not keep up, done when it does again."""

    def close(self) -> None:
        """Send what is queued, then hang up."""


class Session:
    """See the module."""

    def __init__(self, instance: Instance, client: Client) -> None:
        self.instance = instance
        self.client = client
        self.process_id = 0
        self.secret_key = secrets.token_bytes(4)
        self.transaction = Transaction()
        self.parameters = RunTimeParameters(self.transaction, instance.defaults)
        self.statements = Statements()
        self.notifications = Notifications()
        self.started_at = self.statement_timestamp = _now()
        self.database: Database
        self.executor: Executor
        self.portals: Portals
        self.actions: TransactionActions
        self.query = ""  # text of the running or last statement
        self.copy: Any = None  # a COPY FROM STDIN that waits for data (copy.py)
        self.address: tuple[str, int] | None = None  # the client's, None for an in-process one
        self.server_address: tuple[str, int] | None = None
        self.alone = True  # the running statement is the only one of its query string, the first one of its pipeline
        self._executed = 0  # statements since the last Sync
        self._skipping = False
        self._busy = False
        self._waiting: asyncio.Future[None] | None = None
        self._fatal: SqlError | None = None
        self._undelivered: list[bytes] = []  # notifications that came while a block was open
        self._section: Section
        self._section_state: tuple[int, int] = (0, -1)
        self._section_is_private = False
        self._timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._limits_state = -1
        self._limits: tuple[int, int, int] = (0, 0, 0)
        self.closed = False

    def open(self, database: Database, process_id: int) -> None:
        """Start-up is over: the session belongs to a database."""
        self.database = database
        self.process_id = process_id
        self.executor = Executor(self, database)
        self.portals = Portals(self.executor.close_portal)
        self.actions = TransactionActions(self)
        database.sessions.add(self)
        database.refresh()

    # Receiving

    def receive(self, message: Message | MalformedMessage) -> asyncio.Future[None] | None:
        """Handle one message. A future: it is not done yet, and the next message has to wait."""
        kind = type(message)
        if self._skipping and kind is not frontend.Sync and kind is not frontend.Terminate:
            return None
        if self.copy is not None:
            return self._receive_during_copy(message)
        try:
            answer = _RECEIVERS[kind](self, message)
        except Exception as error:  # noqa: BLE001  (the one place where errors become reports)
            self._fail(error, message)
            return None
        return None if answer is None else self._run(answer, message)

    def _run(self, answer: Coroutine[Any, Any, None], message: Message | MalformedMessage) -> asyncio.Future[None] | None:
        """Run what may have to wait."""
        self._busy = True
        self._waiting = waiting = steps.start(self._guard(answer, message))
        if waiting is not None:
            self._start_timer()
        # A COPY FROM STDIN waits too, but for the client's next messages.
        return None if self.copy is not None else waiting

    def _receive_during_copy(self, message: Message | MalformedMessage) -> asyncio.Future[None] | None:
        """COPY FROM STDIN takes data, its end, and nothing else but Flush and Sync, which it ignores (CopyGetData)."""
        if isinstance(message, frontend.Flush | frontend.Sync):
            return None
        if isinstance(message, frontend.Terminate):
            self.client.close()
            return None
        if isinstance(message, CopyData | CopyDone | frontend.CopyFail):
            self.copy.receive(message)
        else:
            kind = message.type if isinstance(message, MalformedMessage) else message.TYPE
            text = f"unexpected message type 0x{kind[0]:02X} during COPY from stdin"
            self.copy.refuse(SqlError(codes.PROTOCOL_VIOLATION, text))
            lost = "terminating connection because protocol synchronization was lost"
            self._fatal = SqlError(codes.PROTOCOL_VIOLATION, lost, severity="FATAL")
        return self._waiting if self.copy.done.done() else None

    async def _guard(self, answer: Coroutine[Any, Any, None], message: Message | MalformedMessage) -> None:
        try:
            await answer
        except Exception as error:  # noqa: BLE001  (as in `receive`)
            self._fail(error, message)
        finally:
            self._busy = False
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if self._fatal is not None:
            self._hang_up(self._fatal)
        if self.closed:
            self._release()

    # Simple query

    def _receive_query(self, message: frontend.Query) -> Answer:
        self._begin_command(message.query)
        self.statements.drop("")
        self.portals.drop("")
        self._executed = 0
        section = self.section()
        found = section.find(message.query)
        if found is None:
            statements = compiler.parse(message.query)
            if len(statements) == 1 and statements[0].node:
                # Failing here is failing in the statement, so the block's state comes first.
                self._check_not_failed(statements[0])
                found = self._compile(statements[0])
                if found.section is self.section():
                    found.section.keep(message.query, found, len(message.query))
            else:
                found = [statement for statement in statements if statement.node]
        if isinstance(found, list):
            return self._run_statements(found)
        portal = Portal("", found, (), found.formats(()))
        if found.plain_read and self.transaction.state is not State.FAILED and self.executor.read_now(portal):
            self.transaction.queried = True
            rows = portal.spool
            self.client.send_bytes(portal.describe())
            if rows is not None:
                if rows:
                    self.client.send_bytes(portal.encode(rows, self.parameters.settings))
                self.client.send_bytes(_SELECT_TAGS[len(rows)])
                self._ready()
                return None
            return self._finish_query(portal)
        return self._run_statements([found.statement])

    async def _run_statements(self, statements: list[Statement]) -> None:
        """The statements of a query string: one implicit transaction unless they say otherwise."""
        if not statements:
            self.client.send_bytes(backend.EMPTY_QUERY_RESPONSE)
        self.alone = len(statements) == 1
        for number, statement in enumerate(statements, 1):
            self._check_not_failed(statement)
            self.executor.canceled = None
            compiled = self._compile(statement)
            if compiled.plan.parameters:
                raise _no_parameter(statement)
            portal = Portal("", compiled, (), compiled.formats(()))
            if compiled.returns_rows:
                if fetches_binary(self, compiled.plan):
                    portal.formats = compiled.formats((1,))
                self.client.send_bytes(portal.describe())
            await self._execute_portal(portal, 0, last=number == len(statements))
        await self._end_query()

    async def _finish_query(self, portal: Portal) -> None:
        """The rest of a large result."""
        self._begin_statement()
        await self._send_rows(portal, 0, last=True)
        await self._end_query()

    async def _end_query(self) -> None:
        await self.actions.apply(Event.SYNC)
        self._ready()

    # Extended query

    def _receive_parse(self, message: frontend.Parse) -> Answer:
        self._begin_command(message.query)
        if not message.statement:
            self.statements.drop("")
        key = (message.query, message.parameter_types)
        section = self.section()
        compiled = section.find(key)
        if not isinstance(compiled, CompiledPlan):
            statements = [statement for statement in compiler.parse(message.query) if statement.node]
            if len(statements) > 1:
                raise SqlError(codes.SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement")
            statement = statements[0] if statements else Statement("", 0, "", None)
            self._check_not_failed(statement)
            compiled = self._compile(statement, message.parameter_types)
            section.keep(key, compiled, len(message.query))
        elif self.transaction.state is State.FAILED and not compiled.ends_transaction:
            raise _failed_block()
        self.statements.check_new(message.statement)
        self.statements.put(PreparedStatement(message.statement, message.query, compiled, prepared_at=self.statement_timestamp))
        self.client.send_bytes(backend.PARSE_COMPLETE)
        return None

    def _receive_bind(self, message: frontend.Bind) -> Answer:
        statement = self.statements.get(message.statement)
        self._begin_command(statement.text)
        compiled = statement.compiled
        if compiled.section is not self.section():
            compiled = statement.renew(self._section, self.parameters.settings)
        types = compiled.plan.parameters
        values = message.parameters
        given = message.parameter_formats
        if len(given) > 1 and len(given) != len(values):
            text = f"bind message has {len(given)} parameter formats but {len(values)} parameters"
            raise SqlError(codes.PROTOCOL_VIOLATION, text)
        if len(values) != len(types):
            raise SqlError(
                codes.PROTOCOL_VIOLATION,
                f"bind message supplies {len(values)} parameters, "
                f'but prepared statement "{message.statement}" requires {len(types)}',
            )
        if self.transaction.state is State.FAILED and not compiled.ends_transaction:
            raise _failed_block()
        binds: tuple[Any, ...] = ()
        if types:
            formats = spread_checked(given, len(types), "")
            readers = compiled.readers(formats)
            binds = read_parameters(readers, values, self.parameters.settings, message.portal, formats)
        columns = compiled.plan.fields
        formats = ()
        if columns is not None:
            text = f"bind message has {len(message.result_formats)} result formats but query has {len(columns)} columns"
            formats = spread_checked(message.result_formats, len(columns), text)
        portal = Portal(message.portal, compiled, binds, formats)
        self.portals.put(portal)
        if message.portal:
            portal.created_at = self.statement_timestamp
            portal.level = len(self.transaction.savepoints)
        self.client.send_bytes(backend.BIND_COMPLETE)
        return None

    def _receive_describe(self, message: frontend.Describe) -> Answer:
        failed = self.transaction.state is State.FAILED
        if message.kind == "P":
            portal = self.portals.require(message.name)
            if failed and portal.compiled.returns_rows:
                raise _failed_block()
            self.client.send_bytes(portal.describe())
            return None
        statement = self.statements.get(message.name)
        if failed and statement.compiled.returns_rows:
            raise _failed_block()
        self.query = statement.text
        compiled = statement.compiled if failed else statement.renew(self.section(), self.parameters.settings)
        self.client.send(backend.ParameterDescription(compiled.plan.parameters))
        self.client.send_bytes(compiled.description(compiled.formats(())))
        return None

    def _receive_execute(self, message: frontend.Execute) -> Answer:
        portal = self.portals.require(message.portal)
        state = self.transaction.state
        compiled = portal.compiled
        self.statement_timestamp = _now()
        self.query = compiled.statement.text
        self.executor.canceled = None
        self.alone = self._executed == 0
        self._executed += 1
        if (
            compiled.plain_read
            and not portal.started
            and not message.max_rows
            and state is not State.FAILED
            and self.executor.read_now(portal)
        ):
            self.transaction.queried = True
            rows = portal.spool
            if rows is not None:
                portal.position = len(rows)
                if rows:
                    self.client.send_bytes(portal.encode(rows, self.parameters.settings))
                self.client.send_bytes(_SELECT_TAGS[len(rows)])
                return None
        if state is State.FAILED and not compiled.ends_transaction:
            raise _failed_block()
        return self._execute_portal(portal, max(message.max_rows, 0))

    def _receive_close(self, message: frontend.Close) -> Answer:
        if message.kind == "S":
            self.statements.drop(message.name)
        else:
            self.portals.drop(message.name)
        self.client.send_bytes(backend.CLOSE_COMPLETE)
        return None

    def _receive_flush(self, message: frontend.Flush) -> Answer:
        self.client.flush()
        return None

    def _receive_sync(self, message: frontend.Sync) -> Answer:
        self._skipping = False
        self._executed = 0
        if self.transaction.state is State.IMPLICIT:
            return self._end_query()
        self._ready()
        return None

    # Other messages

    def _receive_function_call(self, message: frontend.FunctionCall) -> Answer:
        self._check_not_failed(None)
        raise unsupported("the function call protocol")

    def _receive_copy(self, message: Message) -> Answer:
        """CopyData, CopyDone and CopyFail when no COPY goes on: the rest of one that failed (manual, "COPY Operations")."""
        return None

    def _receive_terminate(self, message: frontend.Terminate) -> Answer:
        self.client.close()
        return None

    def _receive_malformed(self, message: MalformedMessage) -> Answer:
        raise SqlError(message.sqlstate, message.message, where=message.where)

    # Executing

    async def _execute_portal(self, portal: Portal, limit: int, *, last: bool = False) -> None:
        """Execute, up to a number of rows; then CommandComplete or PortalSuspended. `last`: the query string ends here."""
        plan = portal.compiled.plan
        if not portal.started:
            match plan:
                case QueryPlan():
                    await self.actions.apply(Event.STATEMENT)
                    self.bind_hidden(portal)
                    await self.executor.run(portal)
                case UtilityPlan():
                    await utility.run(self, plan, portal)
                case DefinePlan():
                    await utility.define(self, plan, portal)
                case EmptyPlan():
                    self.client.send_bytes(backend.EMPTY_QUERY_RESPONSE)
                    return
            portal.started = True
        elif portal.spool is None and portal.cursor is None and not portal.buffered:
            raise SqlError(codes.OBJECT_NOT_IN_PREREQUISITE_STATE, f'portal "{portal.name}" cannot be run')
        await self._send_rows(portal, limit, last=last)

    async def _send_rows(self, portal: Portal, limit: int, *, last: bool = False) -> None:
        """Stream rows, no faster than the client takes them."""
        sent = 0
        if portal.compiled.returns_rows or portal.compiled.plan.fields is not None:
            while True:
                count = CHUNK if not limit else min(CHUNK, limit - sent)
                rows = await self.executor.fetch(portal, count)
                if rows:
                    self.client.send_bytes(portal.encode(rows, self.parameters.settings))
                    sent += len(rows)
                if len(rows) < count:
                    break
                if sent == limit:
                    self.client.send_bytes(backend.PORTAL_SUSPENDED)
                    return
                if (waiting := self.client.flush()) is not None:
                    await waiting
        elif portal.spool is not None:
            portal.spool = None
        if last:
            await self.actions.apply(Event.SYNC)
        self._complete(portal, sent)

    def _complete(self, portal: Portal, sent: int) -> None:
        tag = portal.tag
        if not tag:
            plan = portal.compiled.plan
            count = sent if portal.count is None else portal.count
            tag = f"{plan.tag} {count}" if isinstance(plan, QueryPlan) else plan.tag
        self.client.send(backend.CommandComplete(tag))

    def bind_hidden(self, portal: Portal) -> None:
        """Add the values that belong to session and transaction behind the client's."""
        plan = portal.compiled.plan
        if isinstance(plan, QueryPlan) and plan.hidden:
            portal.binds = (*portal.binds, *(self.hidden_value(name) for name in plan.hidden))

    def hidden_value(self, name: str) -> Any:
        """The value of a plan's hidden parameter."""
        settings = self.parameters.settings
        match name:
            case "transaction_timestamp":
                return self.transaction.timestamp
            case "statement_timestamp":
                return self.statement_timestamp
            case "user" | "current_user":
                return settings.user
            case "session_user":
                return settings.session_user
            case "database":
                return settings.database
        raise AssertionError(f"no hidden value {name}")

    # What statements are compiled against

    def section(self) -> Section:
        """The plans for the catalog and the settings as they are now."""
        state = (self.executor.catalog_version, self.parameters.generation)
        if state != self._section_state:
            self._section_state = state
            connection = self.executor.catalog_connection
            self._section_is_private = connection is not None
            if connection is not None:
                self._section = Section(connection)
            else:
                plans = self.instance.plans(self.database)
                self._section = plans.section(state[0], settings_key(self.parameters.settings))
        return self._section

    def forget_section(self) -> None:
        """The transaction is over, and with it a catalog that only it could see."""
        if self._section_is_private:
            self._section_state = (0, -1)

    def _compile(self, statement: Statement, types: tuple[int, ...] = ()) -> CompiledPlan:
        if not statement.node:
            return CompiledPlan(EmptyPlan(""), statement, self.section())
        self.executor.enter(None)
        return utility.resolve(self, self.section().compile(statement, self.parameters.settings, types))

    def relation_by_oid(self, oid: int) -> Relation | None:
        return self.section().catalog.relation_by_oid(oid)

    def relation_by_storage(self, storage: str) -> Relation | None:
        """The table that SQLite calls so."""
        catalog = self.section().catalog
        schema, dot, name = storage.partition(".")
        for namespace_name, relation_name in ((schema, name),) if dot else (("public", storage), ("pg_temp", storage)):
            namespace = catalog.namespace(namespace_name)
            if namespace is not None and (found := catalog.relation(namespace, relation_name)) is not None:
                return found
        return None

    def relation_name(self, oid: int) -> str:
        found = self.relation_by_oid(oid)
        return str(oid) if found is None else found.name

    def run_waiting(self, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run what may wait for other sessions, in a thread that nobody else needs."""
        return self.database.run_waiting(self.instance.waiting_threads, connection, function)

    # Reports

    def notice(self, report: SqlError) -> None:
        """Send a NOTICE, WARNING or the like, if the client wants to hear it."""
        if is_wanted(report.severity, str(self.parameters.value("client_min_messages"))):
            self.client.send(notice_response(report, self.query))

    def notified(self, process_id: int, channel: str, payload: str) -> None:
        """A notification has come: it is passed on when no transaction is open (ProcessClientReadInterrupt)."""
        raw = backend.NotificationResponse(process_id, channel, payload).encode()
        if self._busy or self.transaction.state is not State.IDLE:
            self._undelivered.append(raw)
            return
        self.client.send_bytes(raw)
        self.client.flush()

    def _fail(self, error: Exception, message: Message | MalformedMessage) -> None:
        """Report an error, undo what it stopped, and say how the conversation goes on."""
        if isinstance(error, SqlError):
            report = error
        else:
            _log.error("internal error in %s", type(message).__name__, exc_info=error)
            report = SqlError(codes.INTERNAL_ERROR, f"internal error: {type(error).__name__}")
        self.copy = None
        self.client.send(error_response(report, self.query))
        self.actions.fail()
        if report.severity in {"FATAL", "PANIC"}:
            self.client.close()
            return
        extended = message.skips_to_sync if isinstance(message, MalformedMessage) else isinstance(message, _EXTENDED)
        if extended:
            self._skipping = True
        else:
            self._ready()

    # Between commands

    def _begin_command(self, text: str) -> None:
        self.query = text
        self.executor.canceled = None
        self.statement_timestamp = _now()

    def _begin_statement(self) -> None:
        if self.transaction.state is State.IDLE:
            self.actions.begin_implicit()

    def _ready(self) -> None:
        """ReadyForQuery, after what has changed meanwhile."""
        client = self.client
        for name, value in self.parameters.reports():
            client.send(backend.ParameterStatus(name, value))
        if self._undelivered and self.transaction.state is State.IDLE:
            client.send_bytes(b"".join(self._undelivered))
            self._undelivered.clear()
        client.send_bytes(_READY[self.transaction.status])
        if self._limits_state != self.parameters.changes:
            self._limits_state = self.parameters.changes
            names = ("idle_in_transaction_session_timeout", "idle_session_timeout", "statement_timeout")
            idle_in_block, idle, statement = (int(self.parameters.value(name)) for name in names)
            self._limits = (idle_in_block, idle, statement)
        if self._limits[0] or self._limits[1]:
            self._start_idle_timer()

    def start_ready(self) -> None:
        """The first ReadyForQuery."""
        self._ready()

    def _check_not_failed(self, statement: Statement | None) -> None:
        """Refuse all but the end of the block in a failed one. Decided by the parse tree, before analysis."""
        if self.transaction.state is State.FAILED and not (statement is not None and ends_transaction(statement)):
            raise _failed_block()

    # Limits and ends

    def cancel(self, error: SqlError) -> None:
        """End the running statement with this error; without effect when nothing runs."""
        if self._busy:
            self.executor.cancel(error)
            if self.copy is not None:
                self.copy.refuse(error)

    def terminate(self, error: SqlError) -> None:
        """End the session with a FATAL report: at once, or when the running statement has been stopped."""
        error.severity = "FATAL"
        if self._busy:
            self._fatal = error
            self.cancel(error)
        else:
            self._hang_up(error)

    def _hang_up(self, error: SqlError) -> None:
        self._fatal = None
        if not self.closed:
            self.client.send(error_response(error, ""))
            self.client.close()

    def close(self) -> None:
        """The client is gone: stop what runs, roll back, give everything back."""
        if self.closed:
            return
        self.closed = True
        if self._busy:
            gone = SqlError(codes.ADMIN_SHUTDOWN, "terminating connection because the client is gone")
            self.executor.cancel(gone)
            if self.copy is not None:
                self.copy.refuse(gone)
        else:
            self._release()

    def _release(self) -> None:
        for timer in (self._timer, self._idle_timer):
            if timer is not None:
                timer.cancel()
        if self.process_id:
            self.actions.abandon()
            self.portals.clear()
            self.executor.drop_temporary()
            self.notifications.close(self.instance.channels(self.database), self)
            self.database.sessions.discard(self)
            self.instance.remove(self)
            self.process_id = 0

    def _start_timer(self) -> None:
        """statement_timeout: only what waits can run into it, for on the loop a budget is shorter."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        milliseconds = int(self.parameters.value("statement_timeout"))
        if milliseconds:
            timed_out = SqlError(codes.QUERY_CANCELED, "canceling statement due to statement timeout")
            self._timer = asyncio.get_running_loop().call_later(milliseconds / 1000, self.cancel, timed_out)

    def _start_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        in_block = self.transaction.in_block
        milliseconds = self._limits[0] if in_block else self._limits[1]
        if not milliseconds:
            return
        code, what = ("25P03", "idle-in-transaction") if in_block else ("57P05", "idle-session")
        error = SqlError(code, f"terminating connection due to {what} timeout", severity="FATAL")
        loop = asyncio.get_running_loop()
        since = self.statement_timestamp
        self._idle_timer = loop.call_later(milliseconds / 1000, self._end_idle, error, since)

    def _end_idle(self, error: SqlError, since: int) -> None:
        if not self._busy and self.statement_timestamp == since:
            self.terminate(error)


def _now() -> int:
    return time.time_ns() // 1000


def _failed_block() -> SqlError:
    return SqlError(
        codes.IN_FAILED_SQL_TRANSACTION,
        "current transaction is aborted, commands ignored until end of transaction block",
    )


def _no_parameter(statement: Statement) -> SqlError:
    return SqlError(codes.UNDEFINED_PARAMETER, "there is no parameter $1", location=statement.location)


_RECEIVERS: Final[dict[type, Callable[[Session, Any], Answer]]] = {
    frontend.Query: Session._receive_query,
    frontend.Parse: Session._receive_parse,
    frontend.Bind: Session._receive_bind,
    frontend.Describe: Session._receive_describe,
    frontend.Execute: Session._receive_execute,
    frontend.Close: Session._receive_close,
    frontend.Flush: Session._receive_flush,
    frontend.Sync: Session._receive_sync,
    frontend.FunctionCall: Session._receive_function_call,
    frontend.Terminate: Session._receive_terminate,
    frontend.CopyFail: Session._receive_copy,
    CopyData: Session._receive_copy,
    CopyDone: Session._receive_copy,
    MalformedMessage: Session._receive_malformed,
}

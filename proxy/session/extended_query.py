"""The extended query protocol: Parse, Bind, Describe, Execute, Close (manual, "Extended Query"; exec_…_message in postgres.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.session import utility
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal, PreparedStatement
from proxy.session.rows import read_parameters, spread
from proxy.session.running import SELECT_TAGS, execute_portal, failed_block, send_cut_short
from proxy.session.simple_query import check_not_failed
from proxy.session.transaction import FAILED
from proxy.session.values_lists import insert_parameters
from proxy.wire import backend
from translator import compiler
from translator import sqlstate as codes
from translator.compiler import Statement
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.session.session import Answer, Session
    from proxy.wire import frontend


def receive_parse(session: Session, message: frontend.Parse) -> Answer:
    session.begin_command(message.query)
    if not message.statement:
        session.statements.drop("")
    compiled = _compile(session, message)
    session.statements.check_new(message.statement)
    now = session.statement_timestamp
    session.statements.put(PreparedStatement(message.statement, message.query, compiled, prepared_at=now))
    session.client.send_bytes(backend.PARSE_COMPLETE)
    return None


def _compile(session: Session, message: frontend.Parse) -> CompiledPlan:
    key = (message.query, message.parameter_types)
    section = session.compilation.section()
    found = section.find(key)
    if found is not None:
        session.statistics.plan_hits += 1
        check_not_failed(session, found.statement)
        return utility.resolve(session, found)
    if session.transaction.state is not FAILED:
        many = insert_parameters(session, section, message.query, message.parameter_types)
        if many is not None:
            section.keep(key, many)
            return many
    statements = compiler.parse(message.query)
    if len(statements) > 1:
        raise SqlError(codes.SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement")
    statement = statements[0] if statements else Statement("", 0, "", None)
    check_not_failed(session, statement)
    compiled = session.compilation.compile(statement, message.parameter_types)
    section.keep(key, compiled)
    return compiled


def receive_bind(session: Session, message: frontend.Bind) -> Answer:
    statement = session.statements.get(message.statement)
    session.begin_command(statement.text)
    compiled = statement.compiled
    section = session.compilation.section()
    if compiled.section is not section:
        compiled = statement.renew(session.compilation)
    types = compiled.plan.parameters
    values = message.parameters
    formats = message.parameter_formats
    if len(values) != len(types) or (len(formats) > 1 and len(formats) != len(values)):
        raise _wrong_count(message, len(types))
    if session.transaction.state is FAILED and not (compiled.ends_transaction and compiled.statement.node):
        raise failed_block()
    binds: tuple[Any, ...] = ()
    if types:
        formats = spread(formats, len(types))
        readers = compiled.readers(formats)
        if not compiled.plain_parameters:
            session.executor.enter(compiled)  # 'now' is read for this session's transaction
        binds = read_parameters(readers, values, session.parameters.settings, message.portal, formats)
    if compiled.failure is not None:
        raise compiled.failure.anew()  # PostgreSQL plans here, and so computes constants
    result_formats = message.result_formats
    fields = compiled.plan.fields
    if fields is not None and len(result_formats) != len(fields):
        if len(result_formats) > 1:
            text = f"bind message has {len(result_formats)} result formats but query has {len(fields)} columns"
            raise SqlError(codes.PROTOCOL_VIOLATION, text)
        result_formats = spread(result_formats, len(fields))
    portal = Portal(message.portal, compiled, binds, result_formats)
    session.portals.put(portal)
    if message.portal:
        portal.created_at = session.statement_timestamp
        portal.level = len(session.transaction.savepoints)
    session.client.send_bytes(backend.BIND_COMPLETE)
    return None


def _wrong_count(message: frontend.Bind, count: int) -> SqlError:
    given, formats = len(message.parameters), len(message.parameter_formats)
    if formats > 1 and formats != given:
        text = f"bind message has {formats} parameter formats but {given} parameters"
    else:
        text = f'bind message supplies {given} parameters, but prepared statement "{message.statement}" requires {count}'
    return SqlError(codes.PROTOCOL_VIOLATION, text)


def receive_describe(session: Session, message: frontend.Describe) -> Answer:
    failed = session.transaction.state is FAILED
    if message.kind == "P":
        portal = session.portals.require(message.name)
        if failed and portal.compiled.returns_rows:
            raise failed_block()
        session.client.send_bytes(portal.describe())
        return None
    statement = session.statements.get(message.name)
    if failed and statement.compiled.returns_rows:
        raise failed_block()
    session.query = statement.text
    session.client.send(backend.ParameterDescription(statement.parameters))
    compiled = statement.compiled
    if not failed:
        compiled = statement.renew(session.compilation)
    session.client.send_bytes(compiled.description(compiled.formats(())))
    return None


def receive_execute(session: Session, message: frontend.Execute) -> Answer:
    portal = session.portals.require(message.portal)
    compiled = portal.compiled
    session.begin_command(compiled.statement.text)
    session.alone = session.executed == 0
    session.executed += 1
    if session.transaction.state is FAILED and (not compiled.ends_transaction or (portal.failed and compiled.statement.node)):
        raise failed_block()
    if compiled.plain_read and not portal.started and message.max_rows <= 0 and _read_now(session, portal):
        session.transaction.queried = True
        rows = portal.spool
        if rows is not None:
            portal.position = portal.passed = len(rows)
            portal.at_end = True
            if rows:
                session.client.send_bytes(portal.encode(rows, session.parameters.settings))
            session.client.send_bytes(SELECT_TAGS[len(rows)])
            session.count(compiled, len(rows))
            return None
    return execute_portal(session, portal, max(message.max_rows, 0))


def _read_now(session: Session, portal: Portal) -> bool:
    try:
        return session.executor.read_now(portal)
    except SqlError:
        send_cut_short(session, portal)
        raise


def receive_close(session: Session, message: frontend.Close) -> Answer:
    if message.kind == "S":
        session.statements.drop(message.name)
    else:
        session.portals.drop(message.name)
    session.client.send_bytes(backend.CLOSE_COMPLETE)
    return None

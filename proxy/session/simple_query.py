"""The simple query protocol: a string of statements, all of them one implicit transaction unless they say otherwise
(manual, "Multiple Statements in a Simple Query").
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from proxy.ddl.expressions import walk
from proxy.session.cursors import fetches_binary
from proxy.session.lifting import cut, lift, shape_of
from proxy.session.plans import ends_transaction
from proxy.session.prepared import Portal
from proxy.session.running import SELECT_TAGS, execute_portal, failed_block, send_cut_short, send_rows
from proxy.session.transaction import FAILED
from proxy.session.values_lists import insert_literals
from proxy.wire import backend
from translator import compiler
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.session.plans import CompiledPlan, Section
    from proxy.session.session import Answer, Session
    from proxy.wire import frontend
    from translator.compiler import Statement


def receive_query(session: Session, message: frontend.Query) -> Answer:
    text = message.query
    session.begin_command(text)
    session.statements.drop("")
    session.executed = 0
    section = session.compilation.section()
    found = section.find(text)
    binds: tuple[Any, ...] = ()
    if found is None:
        lifted = None if session.transaction.state is FAILED else _lift(session, section, text)
        if lifted is not None:
            found, binds = lifted
        else:
            prepared = _prepare(session, text)
            if isinstance(prepared, list):
                return _run(session, prepared)
            found = prepared
    else:
        session.statistics.plan_hits += 1
    if session.transaction.state is FAILED:
        return _run(session, [found.statement])
    session.portals.drop("")
    portal = Portal("", found, binds, _formats(session, found))
    try:
        if not (found.plain_read and session.executor.read_now(portal)):
            return _run_portal(session, portal)
    except SqlError:
        session.client.send_bytes(portal.describe())  # it ran, and failed
        send_cut_short(session, portal)
        raise
    session.transaction.queried = True
    session.client.send_bytes(portal.describe())
    rows = portal.spool
    if rows is None:
        return _finish(session, portal)
    if rows:
        session.client.send_bytes(portal.encode(rows, session.parameters.settings))
    session.client.send_bytes(SELECT_TAGS[len(rows)])
    session.count(found, len(rows))
    session.ready()
    return None


def _lift(session: Session, section: Section, text: str) -> tuple[CompiledPlan, tuple[Any, ...]] | None:
    """The plan of the text without its literals, and their values (lifting.py); None: compile it as it is."""
    known = section.find_lifted(text)
    if known is not None:
        session.statistics.plan_hits += 1
        return known
    pieces = cut(text)
    if pieces is None:
        return insert_literals(session, section, text)
    skeleton, literals = pieces
    shape = section.find_shape(skeleton)
    if shape is not None and (found := shape.find(literals)) is not None:
        try:
            session.statistics.plan_hits += 1
            return found[0], _bind_lifted(session, *found)
        except SqlError:
            return None
    return insert_literals(session, section, text) or _lift_anew(session, section, text, skeleton, literals)


def _lift_anew(
    session: Session, section: Section, text: str, skeleton: str, literals: list[str]
) -> tuple[CompiledPlan, tuple[Any, ...]] | None:
    lifted = lift(text)
    if lifted is None:
        return None
    lifted_text, types, values = lifted
    key = (lifted_text, types)
    if section.is_unliftable(key):
        return None
    try:
        compiled = section.find(key)
        if compiled is None:
            (statement,) = compiler.parse(lifted_text)
            compiled = session.compilation.compile(statement, types)
            compiled.source = text
            section.keep(key, compiled)
        if len(compiled.plan.parameters) != len(values):
            return None
        binds = _bind_lifted(session, compiled, values)
    except SqlError:
        if section.find(key) is None:
            section.keep_unliftable(key)
        return None
    shape = section.find_shape(skeleton) or shape_of(text, lifted_text)
    if shape is not None:
        shape.keep(literals, compiled)
        section.keep_shape(skeleton, shape)
    if binds == tuple(values):  # not 'now' and its like, which are another value each time
        section.keep_lifted(text, compiled, binds)
    return compiled, binds


def _bind_lifted(session: Session, compiled: CompiledPlan, values: list[int | str]) -> tuple[Any, ...]:
    """The stored values of lifted literals."""
    if not compiled.plain_parameters:
        session.executor.enter(compiled)  # 'now' and enum labels are read for this session and catalog
    settings = session.parameters.settings
    return tuple(
        [
            value if isinstance(value, int) else type_of(oid, compiled.catalog).input(value, settings)
            for value, oid in zip(values, compiled.plan.parameters, strict=True)
        ]
    )


def _prepare(session: Session, text: str) -> CompiledPlan | list[Statement]:
    """The plan of a string with one statement, or the statements of one with more or none."""
    statements = compiler.parse(text)
    if len(statements) != 1:
        return statements
    (statement,) = statements
    check_not_failed(session, statement)
    compiled = _compile(session, statement)
    compiled.section.keep(text, compiled)
    return compiled


def _compile(session: Session, statement: Statement) -> CompiledPlan:
    """The plan of a statement, which has no parameters (transformParamRef without a hook)."""
    try:
        compiled = session.compilation.compile(statement)
    except SqlError as error:
        if error.sqlstate == codes.INDETERMINATE_DATATYPE and next(_parameter_references(statement.tree), None):
            raise _no_parameter(statement) from error
        raise
    if compiled.plan.parameters:
        raise _no_parameter(statement)
    return compiled


async def _run(session: Session, statements: list[Statement]) -> None:
    if not statements:
        session.client.send_bytes(backend.EMPTY_QUERY_RESPONSE)
    session.alone = len(statements) == 1
    for number, statement in enumerate(statements, 1):
        check_not_failed(session, statement)
        session.executor.canceled = None
        if number > 1:
            session.counted_from = time.time_ns() // 1000
        compiled = _compile(session, statement)
        session.portals.drop("")
        portal = Portal("", compiled, (), _formats(session, compiled))
        await execute_portal(session, portal, 0, last=number == len(statements), describe=True)
    await session.end_query()


def _formats(session: Session, compiled: CompiledPlan) -> tuple[int, ...]:
    return compiled.formats((1,) if compiled.is_momentary and fetches_binary(session, compiled.plan) else ())


async def _run_portal(session: Session, portal: Portal) -> None:
    """A string of one statement whose plan is known."""
    session.alone = True
    await execute_portal(session, portal, 0, last=True, describe=True)
    await session.end_query()


async def _finish(session: Session, portal: Portal) -> None:
    """The rest of a large result."""
    session.actions.begin_implicit()
    try:
        await send_rows(session, portal, 0, last=True)
    finally:
        session.executor.close_portal(portal)
    await session.end_query()


def check_not_failed(session: Session, statement: Statement) -> None:
    """Refuse all but the end of the block in a failed one. The parse tree decides, before analysis."""
    if session.transaction.state is FAILED and not ends_transaction(statement):
        raise failed_block()


def _no_parameter(statement: Statement) -> SqlError:
    number, location = next(_parameter_references(statement.tree), (1, None))
    return SqlError(codes.UNDEFINED_PARAMETER, f"there is no parameter ${number}", location=location)


def _parameter_references(tree: Any) -> Iterator[tuple[int, int | None]]:
    return ((node.get("number", 0), node.get("location")) for name, node in walk(tree) if name == "ParamRef")

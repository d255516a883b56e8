"""Executing a portal, and the messages that tell the client of it: rows, PortalSuspended, CommandComplete.

Both sub-protocols end here. The fast path, a read that is done before anything could wait, is in simple_query.py and
extended_query.py; it sends the same messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.session import utility
from proxy.session.execute import CHUNK, STREAMED
from proxy.session.transaction import Event
from proxy.wire import backend
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import DefinePlan, EmptyPlan, QueryPlan, UtilityPlan

if TYPE_CHECKING:
    from proxy.session.prepared import Portal
    from proxy.session.session import Session

SELECT_TAGS: Final = tuple(backend.CommandComplete(f"SELECT {count}").encode() for count in range(CHUNK))


def failed_block() -> SqlError:
    """The refusal of everything but the end of a failed block."""
    message = "current transaction is aborted, commands ignored until end of transaction block"
    return SqlError(codes.IN_FAILED_SQL_TRANSACTION, message)


async def execute_portal(session: Session, portal: Portal, limit: int, *, last: bool = False, describe: bool = False) -> None:
    """Execute, up to a number of rows (0: all).

    `last`: the query string ends here. `describe`: a RowDescription goes before the rows (simple query).
    """
    if not portal.started:
        await start_portal(session, portal, describe=describe, streams=not limit)
        if isinstance(portal.compiled.plan, EmptyPlan):
            return
    elif not portal.compiled.returns_rows and portal.spool is None:
        raise SqlError(codes.OBJECT_NOT_IN_PREREQUISITE_STATE, f'portal "{portal.name}" cannot be run')
    elif portal.scroll is not False:
        await session.executor.spool(portal)  # FETCH may have to go back over what is sent here
    await send_rows(session, portal, limit, last=last)


def send_cut_short(session: Session, portal: Portal) -> None:
    """Send the rows before an error, as PostgreSQL has by then (ExecutePlan sends each row when it has it)."""
    if portal.cut_short:
        session.client.send_bytes(portal.encode(portal.cut_short, session.parameters.settings))


async def start_portal(session: Session, portal: Portal, *, describe: bool = False, streams: bool = False) -> None:
    """Run the plan as far as rows or a tag are there. `streams`: an error does not take back the rows before it."""
    plan = portal.compiled.plan
    describes = describe and portal.compiled.returns_rows
    match plan:
        case QueryPlan():
            await session.actions.apply(Event.STATEMENT)
            if session.locks.note(portal.compiled):
                await session.locks.lock_statement(portal, free=describe)
                describes = describe and portal.compiled.returns_rows
            # A write is run to its end before anything is sent of it (PORTAL_ONE_RETURNING), planning and locks may be refused.
            at_once = not (plan.writes or plan.row_marks or plan.failure)
            if describes and at_once:
                session.client.send_bytes(portal.describe())
            session.bind_hidden(portal)
            try:
                await session.executor.run(portal)
            except SqlError:
                if at_once and streams:
                    send_cut_short(session, portal)
                raise
            if describes and not at_once:
                session.client.send_bytes(portal.describe())
        case UtilityPlan():
            await utility.run(session, plan, portal)
            if describes:
                session.client.send_bytes(portal.describe())
        case DefinePlan():
            await utility.define(session, plan, portal)
        case EmptyPlan():
            session.client.send_bytes(backend.EMPTY_QUERY_RESPONSE)
    portal.started = True


async def send_rows(session: Session, portal: Portal, limit: int, *, last: bool = False) -> None:
    """Stream rows, no faster than the client takes them, and end the command."""
    client = session.client
    sent = 0
    if portal.compiled.returns_rows:
        while True:
            chunk = STREAMED if sent else CHUNK
            count = chunk if not limit else min(chunk, limit - sent)
            rows = await session.executor.fetch(portal, count)
            if rows:
                client.send_bytes(portal.encode(rows, session.parameters.settings))
                sent += len(rows)
            if len(rows) < count:
                break
            if sent == limit:
                client.send_bytes(backend.PORTAL_SUSPENDED)
                return
            if (drained := client.flush()) is not None:
                await session.wait_for_client(drained)
    else:
        portal.spool = None
    if last:
        await session.actions.apply(Event.SYNC)
    client.send(backend.CommandComplete(_tag(portal, sent)))
    session.count(portal.compiled, sent or portal.count or 0)


def _tag(portal: Portal, sent: int) -> str:
    plan = portal.compiled.plan
    if isinstance(plan, QueryPlan) and plan.tag != "CALL":
        # The rows of this Execute are counted, even if they are those of RETURNING (PortalRun).
        return f"{plan.tag} {sent if portal.count is None or portal.compiled.returns_rows else portal.count}"
    if plan.tag == "FETCH":
        return f"FETCH {sent}"
    return portal.tag or plan.tag

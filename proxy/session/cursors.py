"""DECLARE, FETCH, MOVE and CLOSE (manual, "DECLARE"; portalcmds.c and DoPortalRunFetch in pquery.c).

A cursor that only moves forward streams from its portal. Going back, or to an absolute position, reads it to its end first and
moves in the spooled rows; so does WITH HOLD at commit. Where PostgreSQL decides by the plan whether a cursor without SCROLL
may go back, here it may as long as not more than some thousand rows lie behind it.

A position is the number of the current row: 0 before the first row, n + 1 after the last of n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import Field, Plan, QueryPlan, UtilityPlan

if TYPE_CHECKING:
    from proxy.session.session import Session

# CURSOR_OPT_… in parsenodes.h
_BINARY: Final = 0x0001
_SCROLL: Final = 0x0002
_NO_SCROLL: Final = 0x0004
_HOLD: Final = 0x0020
_ALL: Final = 0x7FFFFFFFFFFFFFFF  # FETCH_ALL

_HISTORY: Final = 10_000  # rows that are kept for going back, without SCROLL

Rows = list[tuple[Any, ...]]


async def declare(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """DECLARE c CURSOR FOR query."""
    tree = plan.tree
    options = tree.get("options", 0)
    hold = bool(options & _HOLD)
    if not hold:
        session.transaction.require_block("DECLARE CURSOR", alone=session.alone)
    query = plan.query
    assert isinstance(query, QueryPlan)
    _check_query(query, hold=hold)
    compiled = CompiledPlan(query, portal.compiled.statement, portal.compiled.section)
    binary = bool(options & _BINARY)
    cursor = Portal(tree["portalname"], compiled, portal.binds, compiled.formats(()))
    cursor.is_cursor = True
    cursor.hold = hold
    cursor.binary = binary
    cursor.scroll = True if options & _SCROLL else False if options & _NO_SCROLL else None
    cursor.created_at = session.statement_timestamp
    cursor.level = len(session.transaction.savepoints)
    cursor.transaction = session.transaction.number
    session.portals.put(cursor)
    try:
        session.bind_hidden(cursor)
        await session.executor.run(cursor)
        if hold and not session.transaction.in_block:
            await session.executor.spool(cursor)
    except BaseException:
        session.portals.drop(cursor.name)
        raise
    portal.tag = "DECLARE CURSOR"


def _check_query(query: QueryPlan, *, hold: bool) -> None:
    """What a cursor cannot be declared for (transformDeclareCursorStmt in analyze.c)."""
    if query.writes:
        text = "DECLARE CURSOR must not contain data-modifying statements in WITH"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, text)
    if hold and query.row_marks:
        text = "DECLARE CURSOR WITH HOLD ... FOR UPDATE is not supported"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, text, detail="Holdable cursors must be READ ONLY.")


async def fetch(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """FETCH, and MOVE, which only counts."""
    tree = plan.tree
    cursor = session.portals.cursor(tree["portalname"])
    if not cursor.compiled.returns_rows:
        raise SqlError(codes.INTERNAL_ERROR, "unsupported portal strategy")
    if not cursor.started:
        await session.start_portal(cursor)
    rows = await _move(session, cursor, tree["direction"], int(tree.get("howMany", 0)), counts=bool(tree.get("ismove")))
    if tree.get("ismove"):
        portal.tag = f"MOVE {len(rows)}"
        return
    portal.spool = rows


def columns(session: Session, plan: UtilityPlan) -> tuple[Field, ...] | None:
    """The cursor's columns; a cursor that does not exist is reported when FETCH runs."""
    cursor = session.portals.get(plan.tree["portalname"])
    return None if cursor is None or plan.tree.get("ismove") else cursor.compiled.plan.fields


def fetches_binary(session: Session, plan: Plan) -> bool:
    """Whether a simple query's FETCH is from a cursor that gives binary values (exec_simple_query)."""
    if not isinstance(plan, UtilityPlan) or plan.node != "FetchStmt":
        return False
    cursor = session.portals.get(plan.tree["portalname"])
    return cursor is not None and cursor.binary


async def _move(session: Session, cursor: Portal, direction: str, count: int, *, counts: bool) -> Rows:
    if direction == "FETCH_BACKWARD":
        direction, count = "FETCH_FORWARD", -count
    if cursor.scroll is False or (cursor.spool is None and cursor.passed > _HISTORY and cursor.history is None):
        return await _move_forward(session, cursor, direction, count, counts=counts)
    if direction == "FETCH_FORWARD" and count > 0 and cursor.spool is None:
        taken = await session.executor.fetch(cursor, count)
        _remember(cursor, taken)
        return taken
    await session.executor.spool(cursor)
    rows = cursor.spool
    assert rows is not None
    match direction:
        case "FETCH_FORWARD":
            return _forward(cursor, rows, count) if count > 0 else _backward(cursor, rows, -count)
        case "FETCH_ABSOLUTE":
            target = count if count >= 0 else len(rows) + 1 + count
        case _:
            target = cursor.position + count
    cursor.position = min(max(target, 0), len(rows) + 1)
    return _current(cursor, rows)


async def _move_forward(session: Session, cursor: Portal, direction: str, count: int, *, counts: bool) -> Rows:
    """What a cursor that cannot go back answers. `counts`: MOVE, which tells without going back that it stands on a row."""
    on_row = cursor.passed > 0 and not cursor.at_end
    if direction == "FETCH_ABSOLUTE":
        return await _move_forward_to(session, cursor, count)
    if count == 0 and not on_row:
        return []
    if count == 0 and counts:
        return [()]
    if count <= 0:
        raise _forward_only()
    taken = await session.executor.fetch(cursor, count)
    if direction == "FETCH_RELATIVE":
        return taken[-1:] if len(taken) == count else []
    return taken


async def _move_forward_to(session: Session, cursor: Portal, target: int) -> Rows:
    """The row with that number. PostgreSQL goes back to the start when that is nearer, even for the next row."""
    at_start = cursor.passed == 0 and not cursor.at_end
    if target < 0 or (target - 1 <= cursor.passed // 2 and not at_start):
        raise _forward_only()
    if target == 0:
        return []
    distance = target - cursor.passed - cursor.at_end
    if distance <= 0:
        raise _forward_only()
    taken = await session.executor.fetch(cursor, distance)
    return taken[-1:] if len(taken) == distance else []


def _forward_only() -> SqlError:
    return SqlError(
        codes.OBJECT_NOT_IN_PREREQUISITE_STATE,
        "cursor can only scan forward",
        hint="Declare it with SCROLL option to enable backward scan.",
    )


def _remember(cursor: Portal, rows: Rows) -> None:
    """Keep what a cursor may have to go back to."""
    cursor.history = [*(cursor.history or ()), *rows]
    if cursor.scroll is None and len(cursor.history) > _HISTORY:
        cursor.history = None


def _forward(cursor: Portal, rows: Rows, count: int) -> Rows:
    start = cursor.position
    taken = rows[start : start + count]
    cursor.position = min(start + count, len(rows) + 1) if count != _ALL else len(rows) + 1
    return taken


def _backward(cursor: Portal, rows: Rows, count: int) -> Rows:
    if count == 0:
        return _current(cursor, rows)
    end = max(cursor.position - 1, 0)
    start = max(end - count, 0)
    taken = rows[start:end][::-1]
    cursor.position = max(cursor.position - count, 0)
    return taken


def _current(cursor: Portal, rows: Rows) -> Rows:
    """The row at the position, if there is one."""
    return rows[cursor.position - 1 : cursor.position] if 0 < cursor.position <= len(rows) else []


async def close(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """CLOSE c, CLOSE ALL."""
    name = plan.tree.get("portalname")
    if name is None:
        for each in session.portals:
            if each is not portal:
                session.portals.drop(each.name)
        portal.tag = "CLOSE CURSOR ALL"
        return
    session.portals.cursor(name)
    session.portals.drop(name)
    portal.tag = "CLOSE CURSOR"

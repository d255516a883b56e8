"""The change log: who changed what, what came since, and taking it back.

An undo is an operation like any other: logged, and itself undone by an undo of its batch. It refuses when a row is no longer as the
undone operation left it; then nothing of it is undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clients.postgres.operation import Statement, Steps, reads
from clients.tasks import claims
from clients.tasks.errors import TaskRefused, UndoConflict
from clients.tasks.journal import RELATIONS, Journal, Row, changes, locked
from clients.tasks.model import Change

if TYPE_CHECKING:
    from clients.tasks.model import Actor

_COLUMNS: Final = ", ".join(Change._fields)


class Undone(NamedTuple):
    """What an undo took back."""

    batch: int
    operation: str
    task_ids: list[str]


@reads
def log(
    *, task_id: str | None = None, agent: str | None = None, seconds: float | None = None, limit: int | None = None
) -> Steps[list[Change]]:
    """The last changes, the newest first: of a task, by an agent, of the last `seconds`."""
    conditions: list[str] = []
    parameters: list[Any] = []
    wanted = (
        ("task_id = ${}", task_id),
        ("agent = ${}", agent),
        ("at >= now() - ${}::interval", None if seconds is None else f"{seconds} seconds"),
    )
    for condition, value in wanted:
        if value is not None:
            parameters.append(value)
            conditions.append(condition.format(len(parameters)))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = "" if limit is None else f" LIMIT {limit:d}"
    found = yield Statement(f"SELECT {_COLUMNS} FROM astro.changes{where} ORDER BY id DESC{rows}", tuple(parameters))
    return [Change(*row) for row in found.rows]


@reads
def since(number: int) -> Steps[list[Change]]:
    """The changes after that one, the oldest first. Numbers follow the commits: none appears later with a smaller one."""
    found = yield Statement(f"SELECT {_COLUMNS} FROM astro.changes WHERE id > $1 ORDER BY id", (number,))
    return [Change(*row) for row in found.rows]


@reads
def last() -> Steps[int]:
    """The number of the last change."""
    found = yield Statement("SELECT value FROM astro.counters WHERE name = 'change'")
    return int(found.rows[0][0])


@changes
def undo(actor: Actor, *, batch: int | None = None, agent: str | None = None) -> Steps[Undone]:
    """Take back one batch: the last one (of an agent) that is not undone, or the one with that number.

    Raises UndoConflict, and TaskRefused when there is nothing to undo.
    """
    changes = yield from _batch(batch, agent)
    journal = Journal(actor, "undo")
    for change in reversed(changes):
        yield from _take_back(journal, change)
    if changes[0].operation == "claim":
        yield from claims.end([change.task_id for change in changes])
    number = yield from journal.write()
    yield Statement("UPDATE astro.changes SET undone_by = $1 WHERE batch = $2", (number, changes[0].batch))
    return Undone(changes[0].batch, changes[0].operation, list(dict.fromkeys(change.task_id for change in changes)))


def _batch(batch: int | None, agent: str | None) -> Steps[list[Change]]:
    if batch is None:
        newest = "SELECT max(batch) FROM astro.changes WHERE undone_by IS NULL AND operation <> 'undo'"
        by_agent = Statement(f"{newest} AND agent = $1", (agent,))
        found = yield Statement(newest) if agent is None else by_agent
        batch = found.rows[0][0]
    if batch is None:
        raise TaskRefused("there is nothing to undo")
    found = yield Statement(f"SELECT {_COLUMNS} FROM astro.changes WHERE batch = $1 ORDER BY id", (batch,))
    changes = [Change(*row) for row in found.rows]
    if not changes:
        raise TaskRefused(f"there is no batch {batch}")
    if changes[0].undone_by is not None:
        raise TaskRefused(f"batch {batch} was undone by {changes[0].undone_by}")
    return changes


def _take_back(journal: Journal, change: Change) -> Steps[None]:
    """Make one row what it was before."""
    row = change.after or change.before
    assert row is not None
    current = yield from _current(change.relation, row)
    if change.after is None:
        if current is not None:
            raise UndoConflict(f"{change.relation} {change.row_id} is there again")
        yield from journal.insert(change.relation, row)
        return
    if current is None:
        raise UndoConflict(f"{change.relation} {change.row_id} is gone")
    if any(current[name] != new for name, (_, new) in change.fields.items()):
        raise UndoConflict(f"{change.relation} {change.row_id} has been changed since by somebody else")
    if change.before is None:
        yield from _refuse_with_children(change)
        yield from journal.delete(change.relation, current)
    else:
        yield from journal.update(change.relation, current, {name: old for name, (old, _) in change.fields.items()})


def _current(relation: str, row: Row) -> Steps[Row | None]:
    columns = RELATIONS[relation].key
    condition = " AND ".join(f"r.{column} = ${number}" for number, column in enumerate(columns, 1))
    found = yield from locked(relation, condition, *(row[column] for column in columns))
    return found[0] if found else None


def _refuse_with_children(change: Change) -> Steps[None]:
    """An added task goes only while nothing was put below it."""
    if change.relation == "tasks":
        found = yield Statement("SELECT id FROM public.tasks WHERE parent_id = $1 ORDER BY id", (change.row_id,))
        if found.rows:
            raise UndoConflict(f"{change.row_id} has tasks below it: {', '.join(row[0] for row in found.rows)}")

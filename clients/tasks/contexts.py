"""Notes: Astrotask's context slices, on a task or on none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.postgres.operation import Statement, Steps, reads
from clients.tasks import listing
from clients.tasks.errors import TaskRefused
from clients.tasks.journal import Journal, Row, changes
from clients.tasks.model import ContextSlice

if TYPE_CHECKING:
    from clients.tasks.model import Actor

_COLUMNS = ", ".join(ContextSlice._fields)


@changes
def add(
    actor: Actor, task_id: str | None, title: str, description: str | None = None, context_type: str = "general"
) -> Steps[ContextSlice]:
    """Add a note. Raises TaskNotFound, TaskRefused."""
    task = None if task_id is None else (yield from listing.one(task_id)).id
    journal = Journal(actor, "context")
    added = yield from journal.insert("context_slices", row(task, title, description, context_type))
    yield from journal.write()
    found = yield Statement(f"SELECT {_COLUMNS} FROM public.context_slices WHERE id = $1", (added["id"],))
    return ContextSlice(*found.rows[0])


@reads
def notes(task_id: str | None = None) -> Steps[list[ContextSlice]]:
    """The notes on a task, or all there are. Raises TaskNotFound."""
    if task_id is None:
        found = yield Statement(f"SELECT {_COLUMNS} FROM public.context_slices ORDER BY created_at, id")
    else:
        task = yield from listing.one(task_id)
        sql = f"SELECT {_COLUMNS} FROM public.context_slices WHERE task_id = $1 ORDER BY created_at, id"
        found = yield Statement(sql, (task.id,))
    return [ContextSlice(*row) for row in found.rows]


def row(task_id: str | None, title: str, description: str | None, context_type: str) -> Row:
    """A note as a row that is not there yet. Raises TaskRefused."""
    from uuid import uuid4  # Astrotask's ids of notes

    if not title.strip():
        raise TaskRefused("a note needs a title")
    return {"id": str(uuid4()), "title": title, "description": description, "context_type": context_type, "task_id": task_id}

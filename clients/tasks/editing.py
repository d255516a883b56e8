"""Adding, changing and deleting tasks.

Nobody changes the status of a task that another agent holds, finishes one that waits for others, or deletes one with others
below it, unless `force` (or `cascade`, for what is below) says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.postgres.operation import Statement, Steps
from clients.tasks import claims, contexts, dependencies, listing
from clients.tasks.errors import TaskBlocked, TaskRefused
from clients.tasks.journal import Journal, changes, locked
from clients.tasks.model import DEFAULT_PREFIX, OPEN, ROOT, STATUSES, Actor, NewTask, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIELDS: Final = ("title", "description", "priority_score", "prd", "parent_id", "context_digest")
_FINISHED: Final = ("done", "cancelled", "archived")

_BELOW: Final = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM public.tasks WHERE parent_id = $1 UNION SELECT t.id FROM public.tasks t JOIN below b ON t.parent_id = b.id
)
SELECT t.id, t.status FROM below b JOIN public.tasks t ON t.id = b.id ORDER BY t.id"""


@changes
def add(actor: Actor, tasks: Sequence[NewTask], *, prefix: str = DEFAULT_PREFIX) -> Steps[list[Task]]:
    """Add tasks, all or none; ids are PREFIX-1, PREFIX-2 … unless given. Raises TaskNotFound, TaskRefused."""
    journal = Journal(actor, "add")
    ids: list[str] = []
    given = {new.id for new in tasks}
    for new in tasks:
        yield from listing.several([other for other in new.depends_on if isinstance(other, str) and other not in given])
    for new in tasks:
        ids.append((yield from _insert(journal, new, ids, prefix)))
    for task_id, new in zip(ids, tasks, strict=True):
        for other in new.depends_on:
            yield from dependencies.connect(journal, task_id, (yield from _resolve(other, ids)))
    yield from journal.write()
    return (yield from listing.several(ids))


@changes
def update(
    actor: Actor,
    task_id: str,
    fields: Mapping[str, Any],
    *,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
) -> Steps[Task]:
    """Set some of FIELDS, and tags. Raises TaskNotFound, TaskRefused."""
    if unknown := set(fields) - set(FIELDS):
        raise TaskRefused(f"a task has no {', '.join(sorted(unknown))} to set")
    task = yield from listing.one(task_id)
    journal = Journal(actor, "update")
    wanted = {**fields}
    if "title" in wanted:
        wanted["title"] = _title(wanted["title"])
    if "parent_id" in wanted:
        wanted["parent_id"] = yield from _parent(task.id, wanted["parent_id"])
    [row] = yield from locked("tasks", "r.id = $1", task.id)
    yield from journal.update("tasks", row, wanted)
    yield from _retag(journal, task, add_tags, remove_tags)
    yield from journal.write()
    return (yield from listing.one(task.id))


@changes
def set_status(
    actor: Actor, task_ids: Sequence[str], status: str, *, cascade: bool = False, force: bool = False, token: int | None = None
) -> Steps[list[Task]]:
    """Give tasks a status; with `cascade` those below them too. Raises TaskNotFound, TaskBlocked, ClaimedByAnother, ClaimLost."""
    if status not in STATUSES:
        raise TaskRefused(f"there is no status {status}: {', '.join(STATUSES)}")
    tasks = yield from listing.several(task_ids)
    journal = Journal(actor, status)
    if not force:
        yield from claims.check(actor, tasks, token)
    ids: dict[str, None] = {}
    for task in tasks:
        below = yield Statement(_BELOW, (task.id,))
        still_open = [child for child, state in below.rows if state in OPEN]
        if not force:
            _check_status(task, status, [] if cascade else still_open)
        ids |= dict.fromkeys([task.id, *(still_open if cascade else ())])
    for task_id in ids:
        [row] = yield from locked("tasks", "r.id = $1", task_id)
        yield from journal.update("tasks", row, {"status": status})
    if status != "in-progress":
        yield from claims.end(tuple(ids))
    yield from journal.write()
    return (yield from listing.several(tuple(ids)))


@changes
def delete(actor: Actor, task_ids: Sequence[str], *, cascade: bool = False, force: bool = False) -> Steps[list[str]]:
    """Delete tasks with their dependencies, tags and notes; the ids that are gone. Raises as set_status."""
    tasks = yield from listing.several(task_ids)
    if not force:
        yield from claims.check(actor, tasks)
    journal = Journal(actor, "delete")
    ids: dict[str, None] = {}
    for task in tasks:
        below = yield Statement(_BELOW, (task.id,))
        children = [child for child, _ in below.rows]
        if children and not cascade:
            raise TaskBlocked(task.id, children, below=True)
        ids |= dict.fromkeys([task.id, *children])
    for task_id in ids:
        yield from _delete_around(journal, task_id)
    yield from _delete_from_below(journal, list(ids))
    yield from journal.write()
    return list(ids)


# ------------------------------------------------------------------ adding


def _insert(journal: Journal, new: NewTask, earlier: Sequence[str], prefix: str) -> Steps[str]:
    """One task without its dependencies; its id."""
    if new.status not in STATUSES:
        raise TaskRefused(f"there is no status {new.status}: {', '.join(STATUSES)}")
    parent = ROOT if new.parent is None else (yield from _resolve(new.parent, earlier))
    task_id = (yield from _free_id(prefix)) if new.id is None else new.id
    row = {
        "id": task_id,
        "parent_id": parent,
        "title": _title(new.title),
        "description": new.description,
        "status": new.status,
        "priority_score": new.priority,
        "prd": new.prd,
    }
    yield from journal.insert("tasks", row)
    for tag in dict.fromkeys(new.tags):
        yield from journal.insert("tags", {"task_id": task_id, "tag": tag})
    for note in new.notes:
        yield from journal.insert("context_slices", contexts.row(task_id, *note))
    return task_id


def _free_id(prefix: str) -> Steps[str]:
    """The next id with that prefix that no task has."""
    while True:
        numbered = yield Statement(
            "INSERT INTO astro.counters AS c (name, value) VALUES ($1, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = c.value + 1 RETURNING value",
            (f"id:{prefix}",),
        )
        task_id = f"{prefix}-{numbered.rows[0][0]}"
        found = yield Statement("SELECT FROM public.tasks WHERE id = $1", (task_id,))
        if not found.rows:
            return task_id


def _resolve(reference: str | int, ids: Sequence[str]) -> Steps[str]:
    """The id of a task that is there, or of one that this call adds."""
    if isinstance(reference, str):
        return reference if reference in ids else (yield from listing.one(reference)).id
    if not 0 <= reference < len(ids):
        raise TaskRefused(f"there is no task number {reference} before this one")
    return ids[reference]


# ------------------------------------------------------------------ changing


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not title:
        raise TaskRefused("a task needs a title")
    return title


def _parent(task_id: str, parent: str | None) -> Steps[str]:
    """The new parent's id, which is not the task itself or below it."""
    if parent is None or parent == ROOT:
        return ROOT
    above = yield from listing.one(parent)
    below = yield Statement(_BELOW, (task_id,))
    if above.id == task_id or above.id in {row[0] for row in below.rows}:
        raise TaskRefused(f"{above.id} is {task_id} itself or below it")
    return above.id


def _retag(journal: Journal, task: Task, add_tags: Sequence[str], remove_tags: Sequence[str]) -> Steps[None]:
    for tag in dict.fromkeys(add_tags):
        if tag not in task.tags:
            yield from journal.insert("tags", {"task_id": task.id, "tag": tag})
    for tag in dict.fromkeys(remove_tags):
        for row in (yield from locked("tags", "r.task_id = $1 AND r.tag = $2", task.id, tag)):
            yield from journal.delete("tags", row)


def _check_status(task: Task, status: str, open_below: Sequence[str]) -> None:
    if task.status == "archived" and status != "archived":
        raise TaskRefused(f"{task.id} is archived")
    if status in {"in-progress", "done"} and task.blocked_by:
        raise TaskBlocked(task.id, task.blocked_by)
    if status in _FINISHED and open_below:
        raise TaskBlocked(task.id, open_below, below=True)


# ------------------------------------------------------------------ deleting


def _delete_around(journal: Journal, task_id: str) -> Steps[None]:
    """What refers to a task; the database would delete some of it unlogged, and refuse for the rest."""
    around = (
        ("task_dependencies", "$1 IN (r.dependent_task_id, r.dependency_task_id)"),
        ("tags", "r.task_id = $1"),
        ("context_slices", "r.task_id = $1"),
    )
    for relation, condition in around:
        for row in (yield from locked(relation, condition, task_id)):
            yield from journal.delete(relation, row)


def _delete_from_below(journal: Journal, ids: list[str]) -> Steps[None]:
    """Children before their parents."""
    rows = {}
    for task_id in ids:
        [rows[task_id]] = yield from locked("tasks", "r.id = $1", task_id)
    while rows:
        parents = {row["parent_id"] for row in rows.values()}
        for task_id in [task_id for task_id in rows if task_id not in parents]:
            yield from journal.delete("tasks", rows.pop(task_id))

"""What the task tools answer: tasks as JSON, by Astrotask's names, with what is around them.

Operations of the service layer, put together to what one call asks for, so that a call is one session and few statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.postgres.operation import Statement, Steps, reads
from clients.tasks import listing
from clients.tasks.model import OPEN, ROOT, STATUSES, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.tasks.model import Claim, ContextSlice

Json = dict[str, Any]

_BELOW: Final = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM public.tasks WHERE parent_id = $1 UNION SELECT t.id FROM public.tasks t JOIN below b ON t.parent_id = b.id
)
SELECT id FROM below"""
_MOST_AVAILABLE: Final = 20  # of getNextTask's other tasks: an agent works on one


@reads
def next_task(parent: str | None, status: str | None, least_priority: float) -> Steps[Json]:
    """The most important task that can be begun, its surroundings, and the next ones after it."""
    if status in {None, "pending"}:
        found = yield from listing.ready(parent=parent).steps
        found = [task for task in found if status is None or task.status == status]
    else:
        found = yield from listing.list_tasks(statuses=(str(status),), parent=parent).steps
        found = [task for task in found if not task.blocked_by]
    found = [task for task in found if task.priority_score >= least_priority]
    if not found:
        return {"task": None, "availableTasks": [], "message": "No available tasks found"}
    return {
        "task": task_json(found[0]),
        "availableTasks": [task_json(task) for task in found[:_MOST_AVAILABLE]],
        "total": len(found),
        "message": f"Recommended task: {found[0].title}",
        "context": (yield from _surroundings(found[0].id)),
    }


@reads
def one_task(task_id: str) -> Steps[Json]:
    """A task and its surroundings. Raises TaskNotFound."""
    task = yield from listing.one(task_id)
    context = yield from _surroundings(task.id)
    return {"task": task_json(task), "message": f"Found task: {task.title}", "context": context}


@reads
def tasks(statuses: Sequence[str], parent: str | None, *, with_root: bool) -> Steps[Json]:
    """Tasks by status and parent, with Astrotask's root among them on demand."""
    found = [task_json(task) for task in (yield from listing.list_tasks(statuses=tuple(statuses), parent=parent).steps)]
    if with_root:
        root = yield Statement(
            "SELECT id, parent_id, title, description, status, priority_score FROM public.tasks WHERE id = $1", (ROOT,)
        )
        names = ("id", "parentId", "title", "description", "status", "priorityScore")
        found[:0] = [dict(zip(names, row, strict=True)) for row in root.rows]
    return {"tasks": found, "total": len(found), "message": f"Found {len(found)} tasks"}


@reads
def board() -> Steps[Json]:
    """What is to be done and being done, by status, and how many tasks there are of each."""
    found = yield from listing.list_tasks().steps
    counts = {status: sum(task.status == status for task in found) for status in STATUSES}
    columns = {status: [task_json(task) for task in found if task.status == status] for status in OPEN}
    return {"counts": counts, **columns}


def _surroundings(task_id: str) -> Steps[Json]:
    """Astrotask's `context` of a task."""
    detail = yield from listing.detail(task_id).steps
    ancestors: list[Task] = []
    above = detail.task.parent_id
    while above is not None and above not in {task.id for task in ancestors}:
        ancestors.insert(0, (yield from listing.one(above)))
        above = ancestors[0].parent_id
    below = yield Statement(_BELOW, (detail.task.id,))
    descendants = yield from listing.several([row[0] for row in below.rows])
    blocking = [task for task in detail.depends_on if task.id in detail.task.blocked_by]
    return {
        "ancestors": [task_json(task) for task in ancestors],
        "descendants": [task_json(task) for task in descendants],
        "root": task_json(ancestors[0] if ancestors else detail.task),
        "dependencies": [task_json(task) for task in detail.depends_on],
        "dependents": [task_json(task) for task in detail.dependents],
        "isBlocked": bool(blocking),
        "blockedBy": [task_json(task) for task in blocking],
        "contextSlices": [context_json(each) for each in detail.context],
    }


def task_json(task: Task) -> Json:
    """A task by Astrotask's names, and by ours what Astrotask has not."""
    found: Json = {
        "id": task.id,
        "parentId": task.parent_id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priorityScore": task.priority_score,
        "prd": task.prd,
        "contextDigest": task.context_digest,
        "createdAt": task.created_at.isoformat(),
        "updatedAt": task.updated_at.isoformat(),
        "tags": task.tags,
        "blockedBy": task.blocked_by,
    }
    if task.agent is not None and task.expires_at is not None:
        found["claim"] = {"agent": task.agent, "expiresAt": task.expires_at.isoformat()}
    return found


def context_json(slice: ContextSlice) -> Json:
    """A note."""
    return {
        "id": slice.id,
        "taskId": slice.task_id,
        "title": slice.title,
        "description": slice.description,
        "contextType": slice.context_type,
        "createdAt": slice.created_at.isoformat(),
    }


def claim_json(claim: Claim) -> Json:
    """A claim; its token is for releaseTask."""
    return {"taskId": claim.id, "token": claim.token, "agent": claim.agent, "expiresAt": claim.expires_at.isoformat()}

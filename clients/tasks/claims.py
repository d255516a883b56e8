"""Claims: one agent works on a task, for as long as its lease lasts.

The rules are the database's (astro.claim, claim_next, heartbeat, release), so that psql and any ORM follow them too; here is only
who is told what when they refuse. A claim's token grows with each claim of the task: work that comes with an old one is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from clients.postgres.operation import Statement, Steps, writes
from clients.tasks import listing
from clients.tasks.errors import ClaimedByAnother, ClaimLost, TaskBlocked, TaskRefused
from clients.tasks.model import DEFAULT_LEASE, Actor, Claim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.tasks.model import Task


@writes
def claim(actor: Actor, task_id: str, *, lease: float = DEFAULT_LEASE, force: bool = False) -> Steps[Claim]:
    """Claim a task for `lease` seconds; `force` ends the claim of another agent.

    Raises TaskNotFound, TaskBlocked, ClaimedByAnother, TaskRefused.
    """
    task = yield from listing.one(task_id)
    if force:
        yield from end([task.id])
    sql = "SELECT id, title, token, expires_at FROM astro.claim($1, $2, $3, $4)"
    found = yield Statement(sql, (task.id, actor.agent, f"{lease} seconds", actor.session))
    if found.rows:
        return Claim._make((*found.rows[0], actor.agent))
    task = yield from listing.one(task.id)
    if task.agent is not None and task.expires_at is not None:
        raise ClaimedByAnother(task.id, task.agent, task.expires_at)
    raise (yield from _reason(task))


@writes
def claim_next(actor: Actor, *, lease: float = DEFAULT_LEASE) -> Steps[Claim | None]:
    """Claim the most important task that is ready, None when there is none."""
    sql = "SELECT id, title, token, expires_at FROM astro.claim_next($1, $2, $3)"
    found = yield Statement(sql, (actor.agent, f"{lease} seconds", actor.session))
    return Claim._make((*found.rows[0], actor.agent)) if found.rows else None


@writes
def heartbeat(task_id: str, token: int, *, lease: float = DEFAULT_LEASE) -> Steps[datetime]:
    """Keep a claim for another `lease` seconds; the new end. Raises ClaimLost."""
    found = yield Statement("SELECT expires_at FROM astro.heartbeat($1, $2, $3)", (task_id, token, f"{lease} seconds"))
    if not found.rows:
        raise ClaimLost(task_id, token)
    end: datetime = found.rows[0][0]
    return end


@writes
def release(task_id: str, token: int) -> Steps[None]:
    """Give a claim back, and the task to whoever comes next, if it is not finished. Raises ClaimLost."""
    found = yield Statement("SELECT id FROM astro.release($1, $2)", (task_id, token))
    if not found.rows:
        raise ClaimLost(task_id, token)


def check(actor: Actor, tasks: Sequence[Task], token: int | None = None) -> Steps[None]:
    """Refuse what another agent holds; with a token, what that token no longer holds. No statement is needed for it."""
    for task in tasks:
        if task.agent is not None and task.agent != actor.agent and task.expires_at is not None:
            raise ClaimedByAnother(task.id, task.agent, task.expires_at)
        if token is not None and task.token != token:
            raise ClaimLost(task.id, token)
    yield from ()


def end(task_ids: Sequence[str]) -> Steps[None]:
    """End the claims of these tasks: they are finished, or put aside."""
    for task_id in task_ids:
        yield Statement("UPDATE astro.claims SET released_at = now() WHERE task_id = $1 AND released_at IS NULL", (task_id,))


def _reason(task: Task) -> Steps[Exception]:
    """Why a task that nobody holds cannot be claimed."""
    if task.status not in {"pending", "in-progress"}:
        return TaskRefused(f"{task.id} is {task.status}")
    if task.blocked_by:
        return TaskBlocked(task.id, task.blocked_by)
    found = yield Statement(
        "WITH RECURSIVE above (id) AS (SELECT parent_id FROM public.tasks WHERE id = $1"
        " UNION SELECT t.parent_id FROM public.tasks t JOIN above a ON a.id = t.id)"
        " SELECT a.id FROM above a JOIN astro.held h ON h.id = a.id",
        (task.id,),
    )
    return TaskBlocked(task.id, [row[0] for row in found.rows])

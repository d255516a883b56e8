"""What waits for what: a task depends on others that must be done first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clients.postgres.operation import Statement, Steps, reads
from clients.tasks import listing
from clients.tasks.errors import DependencyCycle, TaskRefused
from clients.tasks.journal import Journal, changes, locked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.tasks.model import Actor

_PATH: Final = """
WITH RECURSIVE path (id) AS (
    SELECT $1 UNION SELECT d.dependency_task_id FROM public.task_dependencies d JOIN path p ON d.dependent_task_id = p.id
)
SELECT FROM path WHERE id = $2"""


class Dependency(NamedTuple):
    """`task_id` waits for `depends_on`."""

    task_id: str
    depends_on: str


@changes
def add(actor: Actor, task_id: str, others: Sequence[str]) -> Steps[list[Dependency]]:
    """Let a task wait for others. Raises TaskNotFound, TaskRefused (a cycle)."""
    task = yield from listing.one(task_id)
    journal = Journal(actor, "depend")
    added = []
    for other in (yield from listing.several(others)):
        yield from connect(journal, task.id, other.id)
        added.append(Dependency(task.id, other.id))
    yield from journal.write()
    return added


@changes
def remove(actor: Actor, task_id: str, others: Sequence[str]) -> Steps[list[Dependency]]:
    """Let a task wait no more. Raises TaskNotFound, TaskRefused (it did not)."""
    task = yield from listing.one(task_id)
    journal = Journal(actor, "undepend")
    removed = []
    for other in (yield from listing.several(others)):
        condition = "r.dependent_task_id = $1 AND r.dependency_task_id = $2"
        rows = yield from locked("task_dependencies", condition, task.id, other.id)
        if not rows:
            raise TaskRefused(f"{task.id} does not wait for {other.id}")
        yield from journal.delete("task_dependencies", rows[0])
        removed.append(Dependency(task.id, other.id))
    yield from journal.write()
    return removed


@reads
def every() -> Steps[list[Dependency]]:
    """All dependencies."""
    found = yield Statement(
        "SELECT dependent_task_id, dependency_task_id FROM public.task_dependencies ORDER BY 1, 2",
    )
    return [Dependency(*row) for row in found.rows]


@reads
def cycles() -> Steps[list[list[str]]]:
    """Tasks that wait for themselves, each cycle once. astro makes none; another program may have."""
    found = yield Statement("SELECT dependent_task_id, dependency_task_id FROM public.task_dependencies ORDER BY 1, 2")
    waits: dict[str, list[str]] = {}
    for task_id, other in found.rows:
        waits.setdefault(task_id, []).append(other)
    return _cycles(waits)


def connect(journal: Journal, task_id: str, other: str) -> Steps[None]:
    """One dependency, unless it is there."""
    if task_id == other:
        raise TaskRefused(f"{task_id} cannot wait for itself")
    back = yield Statement(_PATH, (other, task_id))
    if back.rows:
        raise DependencyCycle(task_id, other)
    condition = "r.dependent_task_id = $1 AND r.dependency_task_id = $2"
    if not (yield from locked("task_dependencies", condition, task_id, other)):
        from uuid import uuid4  # Astrotask's ids of dependencies

        row = {"id": str(uuid4()), "dependent_task_id": task_id, "dependency_task_id": other}
        yield from journal.insert("task_dependencies", row)


def _cycles(waits: dict[str, list[str]]) -> list[list[str]]:
    """Depth first; a cycle is closed when the path comes back to a task on it."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in waits:
        path: list[str] = []
        stack = [(start, iter(waits.get(start, ())))]
        while stack and start not in done:
            task_id, others = stack[-1]
            if not path or path[-1] != task_id:
                path.append(task_id)
            other = next(others, None)
            if other is None:
                done.add(path.pop())
                stack.pop()
            elif other in path:
                found.append(path[path.index(other) :])
            elif other not in done:
                stack.append((other, iter(waits.get(other, ()))))
    return found

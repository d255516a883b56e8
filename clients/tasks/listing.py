"""Reading tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.postgres.operation import Statement, Steps, reads
from clients.tasks.errors import TaskNotFound
from clients.tasks.model import ContextSlice, Detail, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

_SELECT: Final = f"SELECT {', '.join('t.' + name for name in Task._fields)} FROM astro.tasks t"
_ORDER: Final = " ORDER BY t.priority_score DESC, t.created_at, t.id"
_CONTEXT: Final = f"SELECT {', '.join(ContextSlice._fields)} FROM public.context_slices"


@reads
def list_tasks(
    *, statuses: Sequence[str] = (), parent: str | None = None, tag: str | None = None, limit: int | None = None
) -> Steps[list[Task]]:
    """Tasks with one of these statuses (all, when none is given), below a parent, with a tag; the most important first."""
    conditions, parameters = _conditions(statuses, parent, tag)
    return (yield from _tasks(conditions, parameters, limit))


@reads
def ready(*, parent: str | None = None, tag: str | None = None, limit: int | None = None) -> Steps[list[Task]]:
    """What can be begun now, in the order in which claim_next takes it."""
    conditions, parameters = _conditions((), parent, tag)
    return (yield from _tasks(["t.id IN (SELECT r.id FROM astro.ready r)", *conditions], parameters, limit))


@reads
def search(text: str, *, limit: int | None = None) -> Steps[list[Task]]:
    """Tasks in whose id, title, description, tags or notes all words of the text occur, in any case."""
    conditions, parameters = [], []
    for number, word in enumerate(text.split(), 1):
        parameters.append("%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%")
        conditions.append(
            f"(t.id ILIKE ${number} OR t.title ILIKE ${number} OR t.description ILIKE ${number} OR t.prd ILIKE ${number}"
            f" OR EXISTS (SELECT FROM astro.tags g WHERE g.task_id = t.id AND g.tag ILIKE ${number})"
            " OR EXISTS (SELECT FROM public.context_slices s WHERE s.task_id = t.id"
            f" AND (s.title ILIKE ${number} OR s.description ILIKE ${number})))"
        )
    return (yield from _tasks(conditions, parameters, limit))


@reads
def get(task_id: str) -> Steps[Task]:
    """One task. Raises TaskNotFound."""
    return (yield from one(task_id))


@reads
def detail(task_id: str) -> Steps[Detail]:
    """One task and what is around it. Raises TaskNotFound."""
    task = yield from one(task_id)
    children = yield from _tasks(["t.parent_id = $1"], [task.id])
    below = "t.id IN (SELECT dependency_task_id FROM public.task_dependencies WHERE dependent_task_id = $1)"
    above = "t.id IN (SELECT dependent_task_id FROM public.task_dependencies WHERE dependency_task_id = $1)"
    depends_on = yield from _tasks([below], [task.id])
    dependents = yield from _tasks([above], [task.id])
    context = yield Statement(f"{_CONTEXT} WHERE task_id = $1 ORDER BY created_at, id", (task.id,))
    return Detail(task, children, depends_on, dependents, [ContextSlice(*row) for row in context.rows])


def one(task_id: str) -> Steps[Task]:
    """The steps of `get`, for other operations. An id is found in any case of its letters."""
    found = yield Statement(f"{_SELECT} WHERE t.id = $1", (task_id,))
    if not found.rows and task_id != task_id.upper():
        found = yield Statement(f"{_SELECT} WHERE t.id = $1", (task_id.upper(),))
    if found.rows:
        return Task(*found.rows[0])
    known = yield Statement("SELECT id FROM astro.tasks")
    import difflib

    raise TaskNotFound(task_id, difflib.get_close_matches(task_id.upper(), [row[0] for row in known.rows], 3))


def several(task_ids: Sequence[str]) -> Steps[list[Task]]:
    """Those tasks, in that order. Raises TaskNotFound."""
    tasks = []
    for task_id in task_ids:
        tasks.append((yield from one(task_id)))  # noqa: PERF401  (a comprehension cannot yield)
    return tasks


def _tasks(conditions: Sequence[str], parameters: Sequence[Any], limit: int | None = None) -> Steps[list[Task]]:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = "" if limit is None else f" LIMIT {limit:d}"
    found = yield Statement(f"{_SELECT}{where}{_ORDER}{rows}", tuple(parameters))
    return [Task(*row) for row in found.rows]


def _conditions(statuses: Sequence[str], parent: str | None, tag: str | None) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    parameters: list[Any] = []
    if statuses:
        numbers = ", ".join(f"${number}" for number in range(1, len(statuses) + 1))
        conditions.append(f"t.status IN ({numbers})")
        parameters += statuses
    if parent is not None:
        parameters.append(parent)
        conditions.append(f"t.parent_id = ${len(parameters)}")
    if tag is not None:
        parameters.append(tag)
        conditions.append(f"EXISTS (SELECT FROM astro.tags g WHERE g.task_id = t.id AND g.tag = ${len(parameters)})")
    return conditions, parameters

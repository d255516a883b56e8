"""Files with tasks: what can be read, and what is written besides JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, Final

from clients.tasks.model import DEFAULT_PRIORITY, ROOT, NewTask, priority_score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from clients.tasks.model import Task

_ITEM: Final = re.compile(r"^(?P<indent>\s*)(?:[-*+]|\d+[.)])\s+(?:\[(?P<mark>[ xX/-])\]\s+)?(?P<title>.+?)\s*$")
_MARKS: Final = {"x": "done", "X": "done", "/": "in-progress", "-": "cancelled"}
_BOXES: Final = {"done": "x", "in-progress": "/", "cancelled": "-"}


def read_astrotask(file: Path) -> list[NewTask]:
    """Astrotask's own SQLite file. Raises ValueError."""
    import sqlite3

    with sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True) as source:
        source.row_factory = sqlite3.Row
        try:
            tasks = [dict(row) for row in source.execute("SELECT * FROM tasks")]
            edges = source.execute("SELECT dependent_task_id, dependency_task_id FROM task_dependencies").fetchall()
            notes = source.execute("SELECT task_id, title, description, context_type FROM context_slices").fetchall()
        except sqlite3.DatabaseError as error:
            raise ValueError(f"it has not Astrotask's tables ({error})") from error
    source.close()
    return _linked(tasks, [tuple(edge) for edge in edges], [dict(note) for note in notes])


def read_json(file: Path) -> list[NewTask]:
    """What `astro export` and `astro list --json` write, or a list of objects with a title. Raises ValueError."""
    content: Any = json.loads(file.read_text(encoding="utf-8"))
    data: Any = content.get("data", content.get("tasks", content)) if isinstance(content, dict) else content
    if isinstance(data, list):
        data = {"tasks": data}
    edges = [(edge["task_id"], edge["depends_on"]) for edge in data.get("dependencies", ())]
    return _linked(data["tasks"], edges, data.get("context", ()))


def read_csv(file: Path) -> list[NewTask]:
    """A table whose first line names its columns: title, and any of id, parent_id, description, status, priority, tags, prd."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = [{name: value for name, value in row.items() if value} for row in csv.DictReader(lines)]
    return _linked(rows, [], [])


def read_markdown(file: Path) -> list[NewTask]:
    """A list: deeper items are below the one before; `[x]` is done. Other lines are passed over."""
    tasks: list[NewTask] = []
    above: list[tuple[int, int]] = []  # indentation and number of the items that may get another below
    for line in file.read_text(encoding="utf-8").splitlines():
        if (item := _ITEM.match(line)) is None:
            continue
        indent = len(item["indent"].expandtabs(4))
        while above and above[-1][0] >= indent:
            above.pop()
        parent = above[-1][1] if above else None
        above.append((indent, len(tasks)))
        tasks.append(NewTask(item["title"], parent=parent, status=_MARKS.get(item["mark"] or "", "pending")))
    return tasks


def write_csv(tasks: Sequence[Task]) -> str:
    """As `read_csv` reads it."""
    names = ("id", "parent_id", "title", "description", "status", "priority", "tags", "prd")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for task in tasks:
        row = (
            task.id,
            task.parent_id,
            task.title,
            task.description,
            task.status,
            f"{task.priority_score:g}",
            " ".join(task.tags),
        )
        writer.writerow((*row, task.prd))
    return text.getvalue()


def write_markdown(tasks: Sequence[Task]) -> str:
    """As `read_markdown` reads it."""
    children: dict[str | None, list[Task]] = {}
    for task in tasks:
        children.setdefault(task.parent_id, []).append(task)

    def lines(parent: str | None, indent: str) -> Iterable[str]:
        for task in children.get(parent, ()):
            yield f"{indent}- [{_BOXES.get(task.status, ' ')}] {task.title}\n"
            yield from lines(task.id, indent + "  ")

    return "".join(lines(None, ""))


def _linked(
    tasks: Sequence[Mapping[str, Any]], edges: Sequence[tuple[str, str]], notes: Sequence[Mapping[str, Any]]
) -> list[NewTask]:
    """Rows as tasks to add, parents before their children."""
    rows = {str(row.get("id") or f"#{number}"): row for number, row in enumerate(tasks) if row.get("id") != ROOT}
    order: dict[str, int] = {}

    def place(name: str, path: frozenset[str] = frozenset()) -> None:
        parent = rows[name].get("parent_id")
        if parent in rows and name not in path:
            place(parent, path | {name})
        order.setdefault(name, len(order))

    for name in rows:
        place(name)
    return [_task(name, rows[name], order, edges, notes) for name in order]


def _task(
    name: str,
    row: Mapping[str, Any],
    order: Mapping[str, int],
    edges: Sequence[tuple[str, str]],
    notes: Sequence[Mapping[str, Any]],
) -> NewTask:
    parent = row.get("parent_id")
    priority = row.get("priority_score", row.get("priority"))
    tags = row.get("tags") or ()
    return NewTask(
        str(row["title"]),
        row.get("description"),
        order.get(parent, parent) if parent and parent != ROOT else None,
        row.get("status") or "pending",
        DEFAULT_PRIORITY if priority is None else priority_score(str(priority)),
        row.get("prd"),
        tuple(tags.split()) if isinstance(tags, str) else tuple(tags),
        tuple(order.get(other, other) for task_id, other in edges if task_id == name),
        None if name.startswith("#") else name,
        tuple(
            (note["title"], note.get("description"), note.get("context_type") or "general")
            for note in notes
            if note.get("task_id") == name
        ),
    )


READERS: Final[dict[str, Callable[[Path], list[NewTask]]]] = {
    "astrotask": read_astrotask,
    "json": read_json,
    "csv": read_csv,
    "markdown": read_markdown,
}
WRITERS: Final[dict[str, Callable[[Sequence[Task]], str]]] = {"csv": write_csv, "markdown": write_markdown}

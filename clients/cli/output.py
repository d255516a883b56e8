"""What a command prints: on a terminal a table, into a pipe lines with tabs, with --json an envelope.

The envelope is {"schema_version": 1, "data": …}; a change that breaks its readers raises the number.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from clients.cli.invocation import color_is_wanted
from clients.cli.problems import USAGE, Problem
from clients.tasks.model import priority_word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from clients.cli.invocation import Invocation
    from clients.cli.problems import Problem as ShownProblem
    from clients.tasks.model import ContextSlice, Task

SCHEMA_VERSION: Final = 1

_GLYPHS: Final = {"pending": "○", "in-progress": "◐", "blocked": "⛔", "done": "●", "cancelled": "✗", "archived": "▪"}
_ASCII: Final = {"pending": "( )", "in-progress": "(>)", "blocked": "(!)", "done": "(x)", "cancelled": "(-)", "archived": "(a)"}
_COLORS: Final = {"pending": "white", "in-progress": "cyan", "blocked": "red", "done": "green", "cancelled": "bright_black"}

_LONG: Final = {"title", "what"}  # columns that take as many lines as they need

TASK_COLUMNS: Final[dict[str, Callable[[Task], str]]] = {
    "id": lambda task: task.id,
    "status": lambda task: task.status,
    "priority": lambda task: priority_word(task.priority_score),
    "title": lambda task: task.title,
    "agent": lambda task: task.agent or "",
    "waits for": lambda task: ", ".join(task.blocked_by),
    "tags": lambda task: ", ".join(task.tags),
}


def print_json(invocation: Invocation, data: Any) -> None:
    """The envelope, with the fields that were asked for."""
    if invocation.fields:
        data = (
            [_selected(row, invocation.fields) for row in data]
            if isinstance(data, list)
            else _selected(data, invocation.fields)
        )
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, "data": data}, ensure_ascii=False))


def _selected(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if unknown := [name for name in names if name not in row]:
        raise Problem(f"there is no field {', '.join(unknown)}", status=USAGE, why=f"There are: {', '.join(row)}.")
    return {name: row[name] for name in names}


def task_data(task: Task) -> dict[str, Any]:
    """A task in JSON."""
    return {
        "id": task.id,
        "parent_id": task.parent_id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority_score,
        "prd": task.prd,
        "tags": task.tags,
        "blocked_by": task.blocked_by,
        "agent": task.agent,
        "lease_expires_at": when(task.expires_at),
        "created_at": when(task.created_at),
        "updated_at": when(task.updated_at),
    }


def slice_data(note: ContextSlice) -> dict[str, Any]:
    """A note in JSON."""
    return {**note._asdict(), "created_at": when(note.created_at)}


def when(moment: datetime | None) -> str | None:
    """A moment in JSON."""
    return None if moment is None else moment.isoformat()


def print_tasks(invocation: Invocation, tasks: Sequence[Task], nothing: str = "no tasks") -> None:
    """A list of tasks."""
    if invocation.json:
        print_json(invocation, [task_data(task) for task in tasks])
    elif invocation.quiet:
        for task in tasks:
            click.echo(task.id)
    elif not tasks:
        invocation.say(nothing)
    else:
        _print_task_table(tasks)


def _print_task_table(tasks: Sequence[Task]) -> None:
    """On a terminal without columns that are empty; a program finds each in its place."""
    names = list(TASK_COLUMNS)
    rows = [[read(task) for read in TASK_COLUMNS.values()] for task in tasks]
    if not color_is_wanted():
        print_table(names, rows)
        return
    for row, task in zip(rows, tasks, strict=True):
        row[1] = f"{glyph(task.status)} {task.status}"
    kept = [number for number in range(len(names)) if any(row[number] for row in rows)]
    shown = [[row[number] for number in kept] for row in rows]
    print_table([names[number] for number in kept], shown, [_COLORS.get(task.status, "") for task in tasks])


def print_table(names: Sequence[str], rows: Sequence[Sequence[str]], colors: Sequence[str] = ()) -> None:
    """Rows under their names; into a pipe without them, with tabs between the columns."""
    if not color_is_wanted():
        for row in rows:
            click.echo("\t".join(value.replace("\t", " ").replace("\n", " ") for value in row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold" if name in _LONG else "ellipsis", no_wrap=name not in _LONG)
    for number, row in enumerate(rows):
        style = colors[number] if colors else ""
        table.add_row(*(Text(value, style=style) for value in row))
    Console(force_terminal=True, highlight=False).print(table)


def fits(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table is no wider than the terminal; into a pipe there is room for everything."""
    if not color_is_wanted():
        return True
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    return sum(widths) + 3 * len(names) <= shutil.get_terminal_size().columns


def print_records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A line for each value, as psql's expanded display has it."""
    width = max(map(len, names))
    for number, row in enumerate(rows, 1):
        click.secho(f"─ {number} ".ljust(width + 2, "─"), dim=True)
        for name, value in zip(names, row, strict=True):
            click.echo(f"{name:<{width}}  {value}")


def glyph(status: str) -> str:
    """A sign for a status, in ASCII where the terminal knows no more."""
    encoding = (sys.stdout.encoding or "ascii").lower()
    return (_GLYPHS if encoding.startswith("utf") else _ASCII)[status]


def styled(text: str, status: str) -> str:
    """Text in the colour of a status."""
    return click.style(text, fg=_COLORS.get(status)) if color_is_wanted() else text


def task_line(task: Task) -> str:
    """A task in a line of a tree or a board."""
    line = f"{glyph(task.status)} {task.title} ({task.id}) [{task.status}]"
    return styled(line + (f" @{task.agent}" if task.agent else ""), task.status)


def print_problem(problem: ShownProblem, *, as_json: bool) -> None:
    """What happened, why, what to type."""
    if as_json:
        error = {
            "message": problem.what,
            "why": problem.why,
            "status": problem.status,
            "steps": [step for step, _ in problem.steps],
        }
        click.echo(json.dumps({"schema_version": SCHEMA_VERSION, "error": error}, ensure_ascii=False))
        return
    click.secho(f"error: {problem.what}", fg="red", err=True)
    if problem.why:
        click.echo(f"  {problem.why}", err=True)
    width = max((len(step) for step, _ in problem.steps), default=0)
    for step, effect in problem.steps:
        click.echo(f"  {step:<{width}}  {effect}", err=True)

"""tree, board, graph: all tasks in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clients.cli import output
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.tasks import dependencies, listing
from clients.tasks.model import OPEN, STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.tasks.model import Task

_TEE, _END, _BAR, _BLANK = "├── ", "└── ", "│   ", "    "


@click.command(cls=Command)
@click.argument("root", metavar="[TASK]", required=False)
@pass_invocation
def tree(invocation: Invocation, root: str | None) -> None:
    """Show tasks below their parents."""
    children: dict[str | None, list[Task]] = {}
    tasks = invocation.run(listing.list_tasks())
    for task in tasks:
        children.setdefault(task.parent_id, []).append(task)
    tops = [invocation.run(listing.get(root))] if root else children.get(None, [])
    if invocation.json:
        output.print_json(invocation, [_branch(task, children) for task in tops])
        return
    for top in tops:
        click.echo(output.task_line(top))
        _print_below(top, children, "")


def _branch(task: Task, children: Mapping[str | None, Sequence[Task]]) -> dict[str, Any]:
    return {**output.task_data(task), "children": [_branch(child, children) for child in children.get(task.id, ())]}


def _print_below(task: Task, children: Mapping[str | None, Sequence[Task]], indent: str) -> None:
    below = children.get(task.id, ())
    for child in below:
        last = child is below[-1]
        click.echo(indent + (_END if last else _TEE) + output.task_line(child))
        _print_below(child, children, indent + (_BLANK if last else _BAR))


@click.command(cls=Command)
@pass_invocation
def board(invocation: Invocation) -> None:
    """Show tasks by status."""
    tasks = invocation.run(listing.list_tasks())
    columns = {status: [task for task in tasks if task.status == status] for status in STATUSES}
    if invocation.json:
        output.print_json(invocation, {status: [output.task_data(task) for task in found] for status, found in columns.items()})
        return
    for status, found in columns.items():
        if found or status in OPEN:
            click.echo(output.styled(f"{output.glyph(status)} {status} ({len(found)})", status))
            for task in found:
                click.echo(f"    {task.id}  {task.title}" + (f"  @{task.agent}" if task.agent else ""))


@click.command(cls=Command)
@click.option("--dot", "form", flag_value="dot", help="In Graphviz's language.")
@click.option("--mermaid", "form", flag_value="mermaid", help="In Mermaid's language.")
@pass_invocation
def graph(invocation: Invocation, form: str | None) -> None:
    """Show what waits for what."""
    tasks = {task.id: task for task in invocation.run(listing.list_tasks())}
    edges = invocation.run(dependencies.every())
    if invocation.json:
        output.print_json(invocation, [edge._asdict() for edge in edges])
    elif form == "dot":
        click.echo("digraph tasks {\n  rankdir=LR;\n  node [shape=box];")
        for task in tasks.values():
            click.echo(f'  "{task.id}" [label="{task.id}\\n{_escaped(task.title)}"];')
        for edge in edges:
            click.echo(f'  "{edge.depends_on}" -> "{edge.task_id}";')
        click.echo("}")
    elif form == "mermaid":
        click.echo("graph LR")
        names = {task_id: f"t{number}" for number, task_id in enumerate(tasks)}
        for task in tasks.values():
            label = f"{task.id}: {task.title}".replace('"', "#quot;")
            click.echo(f'  {names[task.id]}["{label}"]')
        for edge in edges:
            click.echo(f"  {names[edge.depends_on]} --> {names[edge.task_id]}")
    else:
        for edge in edges:
            click.echo(f"{output.task_line(tasks[edge.task_id])}  waits for  {output.task_line(tasks[edge.depends_on])}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

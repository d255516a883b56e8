"""list, show, next, search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clients.cli import output
from clients.cli.arguments import task_id
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.tasks import listing
from clients.tasks.model import OPEN, STATUSES, priority_word

if TYPE_CHECKING:
    from clients.tasks.model import Detail


@click.command("list", cls=Command)
@click.option("--all", "-a", "everything", is_flag=True, help="Finished ones, too.")
@click.option("--status", "-s", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only with this status.")
@click.option("--parent", metavar="TASK", help="Only directly below this one.")
@click.option("--tag", "-t", help="Only with this tag.")
@click.option("--limit", "-n", type=click.IntRange(1), help="At most so many.")
@pass_invocation
def list_command(
    invocation: Invocation, everything: bool, statuses: tuple[str, ...], parent: str | None, tag: str | None, limit: int | None
) -> None:
    """List tasks, the most important first: the open ones, unless asked otherwise."""
    wanted = statuses or (STATUSES if everything else OPEN)
    tasks = invocation.run(listing.list_tasks(statuses=wanted, parent=parent, tag=tag, limit=limit))
    output.print_tasks(invocation, tasks, 'no tasks; astro add-task "New feature" adds one')


@click.command("next", cls=Command)
@click.option("--parent", metavar="TASK", help="Only directly below this one.")
@click.option("--tag", "-t", help="Only with this tag.")
@click.option("--limit", "-n", type=click.IntRange(1), help="At most so many.")
@pass_invocation
def ready(invocation: Invocation, parent: str | None, tag: str | None, limit: int | None) -> None:
    """List what can be begun now, in the order in which `astro claim --next` takes it."""
    tasks = invocation.run(listing.ready(parent=parent, tag=tag, limit=limit))
    output.print_tasks(invocation, tasks, "nothing is ready")


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", "-n", type=click.IntRange(1), help="At most so many.")
@pass_invocation
def search(invocation: Invocation, words: tuple[str, ...], limit: int | None) -> None:
    """Find tasks in whose id, title, description, tags or notes all words occur."""
    tasks = invocation.run(listing.search(" ".join(words), limit=limit))
    output.print_tasks(invocation, tasks, "nothing found")


@click.command(cls=Command)
@task_id()
@pass_invocation
def show(invocation: Invocation, task_id: str) -> None:
    """Show a task and what is around it."""
    detail = invocation.run(listing.detail(task_id))
    if invocation.json:
        data = {
            **output.task_data(detail.task),
            "children": [output.task_data(task) for task in detail.children],
            "depends_on": [output.task_data(task) for task in detail.depends_on],
            "dependents": [output.task_data(task) for task in detail.dependents],
            "context": [output.slice_data(note) for note in detail.context],
        }
        output.print_json(invocation, data)
    elif invocation.quiet:
        click.echo(detail.task.id)
    else:
        _print_detail(detail)


def _print_detail(detail: Detail) -> None:
    task = detail.task
    click.echo(output.styled(f"{output.glyph(task.status)} {task.id}  {task.title}", task.status))
    facts = {
        "status": task.status,
        "priority": f"{priority_word(task.priority_score)} ({task.priority_score:g})",
        "parent": task.parent_id or "",
        "tags": ", ".join(task.tags),
        "claimed by": f"{task.agent} until {task.expires_at:%Y-%m-%d %H:%M:%S %Z}" if task.expires_at else "",
        "created": f"{task.created_at:%Y-%m-%d %H:%M:%S %Z}",
        "changed": f"{task.updated_at:%Y-%m-%d %H:%M:%S %Z}",
    }
    for name, value in facts.items():
        if value:
            click.echo(f"  {name:<11} {value}")
    for name, text in (("", task.description), ("PRD", task.prd)):
        if text:
            click.echo("\n" + (f"{name}\n" if name else "") + text)
    for name, tasks in (("waits for", detail.depends_on), ("before", detail.dependents), ("below", detail.children)):
        if tasks:
            click.echo(f"\n{name}")
            for other in tasks:
                click.echo(f"  {output.task_line(other)}")
    for note in detail.context:
        click.echo(f"\nnote: {note.title} [{note.context_type}]" + (f"\n{note.description}" if note.description else ""))

"""add-task, update."""

from __future__ import annotations

from typing import Any

import click

from clients.cli import output
from clients.cli.arguments import Priority, task_id
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import USAGE, Problem
from clients.tasks import editing
from clients.tasks.model import DEFAULT_PRIORITY, ROOT, NewTask, priority_word


@click.command("add-task", cls=Command)
@click.argument("title", nargs=-1, required=True)
@click.option("--description", "-m", help="More about it.")
@click.option("--priority", "-p", type=Priority(), default=DEFAULT_PRIORITY, help="low, medium, high, urgent, or 0 to 100.")
@click.option("--parent", metavar="TASK", help="The task it is a part of.")
@click.option("--after", multiple=True, metavar="TASK", help="A task that must be done first.")
@click.option("--tag", "-t", "tags", multiple=True, help="A tag.")
@click.option("--prd", help="Product requirements.")
@click.option("--id", "given", metavar="ID", help="Its id, instead of the next free one.")
@pass_invocation
def add(
    invocation: Invocation,
    title: tuple[str, ...],
    description: str | None,
    priority: float,
    parent: str | None,
    after: tuple[str, ...],
    tags: tuple[str, ...],
    prd: str | None,
    given: str | None,
) -> None:
    """Add a task. Makes the database, if there is none."""
    new = NewTask(" ".join(title), description, parent, priority=priority, prd=prd, tags=tags, depends_on=after, id=given)
    adding = editing.add(invocation.actor, [new], prefix=invocation.settings["prefix"])
    [task] = invocation.run(adding, create=True)
    if invocation.json:
        output.print_json(invocation, output.task_data(task))
    elif invocation.quiet:
        click.echo(task.id)
    else:
        click.echo(f"added {task.id} - {task.title} ({priority_word(task.priority_score)}: {task.priority_score:g})")


@click.command("update", cls=Command)
@task_id()
@click.option("--title", help="Another title.")
@click.option("--description", "-m", help="More about it; an empty one takes it away.")
@click.option("--priority", "-p", type=Priority(), help="low, medium, high, urgent, or 0 to 100.")
@click.option("--parent", metavar="TASK", help="The task it is a part of; an empty one makes it a part of none.")
@click.option("--prd", help="Product requirements.")
@click.option("--tag", "-t", "tags", multiple=True, help="A tag to add.")
@click.option("--untag", "untags", multiple=True, metavar="TAG", help="A tag to take away.")
@click.option("--editor", "-e", is_flag=True, help="Write the description in $EDITOR.")
@pass_invocation
def update(
    invocation: Invocation, /, task_id: str, tags: tuple[str, ...], untags: tuple[str, ...], editor: bool, **given: Any
) -> None:
    """Change a task."""
    fields = {name: value for name, value in given.items() if value is not None}
    if "priority" in fields:
        fields["priority_score"] = fields.pop("priority")
    if "parent" in fields:
        fields["parent_id"] = fields.pop("parent") or ROOT
    if editor:
        fields["description"] = _edited(invocation, task_id)
    if "description" in fields:
        fields["description"] = fields["description"] or None
    if not fields and not tags and not untags:
        steps = [(f"astro update {task_id} --title …", "sets the title"), ("astro update --help", "shows what else there is")]
        raise Problem("nothing to change was given", status=USAGE, steps=steps)
    changing = editing.update(invocation.actor, task_id, fields, add_tags=tags, remove_tags=untags)
    task = invocation.run(changing)
    if invocation.json:
        output.print_json(invocation, output.task_data(task))
    elif invocation.quiet:
        click.echo(task.id)
    else:
        click.echo(f"changed {task.id} - {task.title}")


def _edited(invocation: Invocation, task_id: str) -> str:
    from clients.tasks import listing

    task = invocation.run(listing.get(task_id))
    text = click.edit(task.description or "")
    return (task.description or "") if text is None else text.strip()

"""context: notes on tasks."""

from __future__ import annotations

import click

from clients.cli import output
from clients.cli.arguments import task_id
from clients.cli.invocation import Group, Invocation, pass_invocation
from clients.tasks import contexts


@click.group(cls=Group)
def context() -> None:
    """Notes on tasks."""


@context.command()
@task_id()
@click.argument("title")
@click.argument("text", required=False)
@click.option("--type", "context_type", default="general", show_default=True, help="What kind of note it is.")
@pass_invocation
def add(invocation: Invocation, task_id: str, title: str, text: str | None, context_type: str) -> None:
    """Add a note to a task."""
    note = invocation.run(contexts.add(invocation.actor, task_id, title, text, context_type))
    if invocation.json:
        output.print_json(invocation, output.slice_data(note))
    else:
        click.echo(note.id if invocation.quiet else f"noted on {note.task_id}: {note.title}")


@context.command("list")
@task_id(required=False)
@pass_invocation
def list_notes(invocation: Invocation, task_id: str | None) -> None:
    """List the notes on a task, or all."""
    found = invocation.run(contexts.notes(task_id))
    if invocation.json:
        output.print_json(invocation, [output.slice_data(note) for note in found])
    elif invocation.quiet:
        for note in found:
            click.echo(note.id)
    elif not found:
        invocation.say("no notes")
    else:
        rows = [[note.task_id or "", note.context_type, note.title, note.description or ""] for note in found]
        output.print_table(["task", "type", "title", "text"], rows)

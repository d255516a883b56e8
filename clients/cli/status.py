"""start, done, block, cancel, reopen, rm: what becomes of tasks."""

from __future__ import annotations

from typing import Final

import click

from clients.cli import output
from clients.cli.arguments import task_ids
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.tasks import contexts, editing

_CASCADE: Final = click.option("--cascade", is_flag=True, help="Those below them, too.")
_TOKEN: Final = click.option("--token", type=int, help="The token of your claim: refuse if it is no longer the last one.")


def _set(invocation: Invocation, ids: tuple[str, ...], status: str, *, cascade: bool = False, token: int | None = None) -> None:
    setting = editing.set_status(invocation.actor, ids, status, cascade=cascade, force=invocation.force, token=token)
    tasks = invocation.run(setting)
    if invocation.json or invocation.quiet:
        output.print_tasks(invocation, tasks)
    else:
        for task in tasks:
            click.echo(f"{task.id} is {task.status} - {task.title}")


@click.command(cls=Command)
@task_ids()
@_TOKEN
@pass_invocation
def start(invocation: Invocation, task_ids: tuple[str, ...], token: int | None) -> None:
    """Begin tasks. Agents claim instead: `astro claim`."""
    _set(invocation, task_ids, "in-progress", token=token)


@click.command(cls=Command)
@task_ids()
@_CASCADE
@_TOKEN
@pass_invocation
def done(invocation: Invocation, task_ids: tuple[str, ...], cascade: bool, token: int | None) -> None:
    """Finish tasks."""
    _set(invocation, task_ids, "done", cascade=cascade, token=token)


@click.command(cls=Command)
@task_ids()
@click.option("--reason", "-m", help="Why; it becomes a note.")
@pass_invocation
def block(invocation: Invocation, task_ids: tuple[str, ...], reason: str | None) -> None:
    """Put tasks aside until something else happens."""
    if reason:
        for task_id in task_ids:
            invocation.run(contexts.add(invocation.actor, task_id, reason, context_type="blocked"))
    _set(invocation, task_ids, "blocked")


@click.command(cls=Command)
@task_ids()
@_CASCADE
@pass_invocation
def cancel(invocation: Invocation, task_ids: tuple[str, ...], cascade: bool) -> None:
    """Give tasks up."""
    _set(invocation, task_ids, "cancelled", cascade=cascade)


@click.command(cls=Command)
@task_ids()
@pass_invocation
def reopen(invocation: Invocation, task_ids: tuple[str, ...]) -> None:
    """Make tasks pending again."""
    _set(invocation, task_ids, "pending")


@click.command("rm", cls=Command)
@task_ids()
@_CASCADE
@pass_invocation
def remove(invocation: Invocation, task_ids: tuple[str, ...], cascade: bool) -> None:
    """Delete tasks, with their notes and dependencies. `astro undo` brings them back."""
    deleting = editing.delete(invocation.actor, task_ids, cascade=cascade, force=invocation.force)
    ids = invocation.run(deleting)
    if invocation.json:
        output.print_json(invocation, [{"id": task_id} for task_id in ids])
    else:
        for task_id in ids:
            click.echo(task_id if invocation.quiet else f"deleted {task_id}")

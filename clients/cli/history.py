"""log, undo, watch: what was changed, by whom."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from clients.cli import output
from clients.cli.arguments import Length, task_id
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.tasks import history
from clients.tasks.journal import CHANNEL

if TYPE_CHECKING:
    from clients.postgres.connection import Connection
    from clients.tasks.model import Change

_POLL: Final = 1.0  # seconds: what a process without the server commits is not notified
_LONGEST_PAUSE: Final = 10.0


@click.command(cls=Command)
@task_id(required=False)
@click.option("--by", metavar="AGENT", help="Only by this agent.")
@click.option("--since", type=Length(), help="Only of the last 10m, 2h, 1d.")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@pass_invocation
def log(invocation: Invocation, task_id: str | None, by: str | None, since: float | None, limit: int) -> None:
    """Show what was changed, the newest first."""
    wanted = None if task_id is None else task_id.upper()
    changes = invocation.run(history.log(task_id=wanted, agent=by, seconds=since, limit=limit))
    if invocation.json:
        output.print_json(invocation, [_data(change) for change in changes])
    elif invocation.quiet:
        for batch in dict.fromkeys(change.batch for change in changes):
            click.echo(batch)
    else:
        rows = [[str(change.batch), f"{change.at:%Y-%m-%d %H:%M:%S}", *_words(change)] for change in changes]
        output.print_table(["batch", "at", "agent", "operation", "task", "what"], rows)


@click.command(cls=Command)
@click.argument("batch", type=int, required=False)
@click.option("--by", metavar="AGENT", help="The last change of this agent.")
@pass_invocation
def undo(invocation: Invocation, batch: int | None, by: str | None) -> None:
    """Take the last change back, or the one with that number (`astro log` shows them)."""
    undone = invocation.run(history.undo(invocation.actor, batch=batch, agent=by))
    if invocation.json:
        output.print_json(invocation, undone._asdict())
    else:
        click.echo(
            undone.batch if invocation.quiet else f"undid {undone.operation} of {', '.join(undone.task_ids)} ({undone.batch})"
        )


@click.command(cls=Command)
@click.option("--count", type=click.IntRange(1), help="End after so many changes.")
@pass_invocation
def watch(invocation: Invocation, count: int | None) -> None:
    """Show changes as they happen; with --json, one a line."""
    connection = invocation.connection()
    last = connection.run(history.last())
    shown = 0
    pause = 0.1
    while count is None or shown < count:
        try:
            changes = _wait(connection, last)
        except (ConnectionFailed, DatabaseError) as error:
            invocation.say(f"{error}; trying again")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            connection = _again(invocation, connection)
            continue
        pause = 0.1
        for change in changes[: None if count is None else count - shown]:
            last, shown = change.id, shown + 1
            _show(invocation, change)


def _wait(connection: Connection, last: int) -> list[Change]:
    """The changes after the last one that was shown: now, when a notification comes, or at the next look."""
    connection.execute(f"LISTEN {CHANNEL}")
    while not (changes := connection.run(history.since(last))):
        next(connection.notifications(_POLL), None)
    return changes


def _again(invocation: Invocation, broken: Connection) -> Connection:
    try:
        return invocation.reconnect()
    except Exception:  # noqa: BLE001  (whatever keeps us from the server now may be over at the next attempt)
        return broken


def _show(invocation: Invocation, change: Change) -> None:
    if invocation.json:
        click.echo(json.dumps(_data(change), ensure_ascii=False))
    else:
        click.echo("\t".join([f"{change.at:%H:%M:%S}", *_words(change)]))


def _words(change: Change) -> list[str]:
    """Agent, operation, task, and what is different."""
    if change.before is None or change.after is None:
        row = change.after or change.before or {}
        name = row.get("title") or row.get("tag") or row.get("dependency_task_id") or change.row_id
        what = f"{'+' if change.before is None else '-'} {change.relation} {name}"
    else:
        what = ", ".join(f"{name}: {old} → {new}" for name, (old, new) in change.fields.items())
    undone = f" (undone by {change.undone_by})" if change.undone_by else ""
    return [change.agent, change.operation, change.task_id, what + undone]


def _data(change: Change) -> dict[str, Any]:
    return {**change._asdict(), "at": output.when(change.at)}

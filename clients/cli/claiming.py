"""claim, heartbeat, release: one agent works on a task."""

from __future__ import annotations

import click

from clients.cli import output
from clients.cli.arguments import Length, task_id
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import CLAIMED, NOT_FOUND, USAGE, Problem
from clients.tasks import claims, listing


@click.command(cls=Command)
@task_id(required=False)
@click.option("--next", "-n", "take_next", is_flag=True, help="The most important task that is ready.")
@click.option("--lease", type=Length(), help="How long the claim lasts without a heartbeat: 90s, 15m, 2h.")
@pass_invocation
def claim(invocation: Invocation, task_id: str | None, take_next: bool, lease: float | None) -> None:
    """Claim a task, so that nobody else works on it."""
    if (task_id is None) == (not take_next):
        steps = [("astro claim TASK-1", "claims that one"), ("astro claim --next", "claims the most important ready one")]
        raise Problem("say which task to claim", status=USAGE, steps=steps)
    actor, length = invocation.actor, invocation.lease if lease is None else lease
    if task_id is not None:
        made = invocation.run(claims.claim(actor, task_id, lease=length, force=invocation.force))
    else:
        found = invocation.run(claims.claim_next(actor, lease=length))
        if found is None:
            raise Problem(
                "nothing is ready", status=NOT_FOUND, steps=[("astro list", "shows what there is, and what it waits for")]
            )
        made = found
    if invocation.json:
        output.print_json(invocation, {**made._asdict(), "expires_at": output.when(made.expires_at)})
    elif invocation.quiet:
        click.echo(f"{made.id} {made.token}")
    else:
        click.echo(f"claimed {made.id} - {made.title} (token {made.token}, until {made.expires_at:%H:%M:%S %Z})")


@click.command(cls=Command)
@task_id()
@click.option("--token", type=int, help="The token of your claim; that of the agent's own claim, if it is left out.")
@click.option("--lease", type=Length(), help="How long it lasts from now on.")
@pass_invocation
def heartbeat(invocation: Invocation, task_id: str, token: int | None, lease: float | None) -> None:
    """Keep a claim."""
    length = invocation.lease if lease is None else lease
    end = invocation.run(claims.heartbeat(task_id, _token(invocation, task_id, token), lease=length))
    if invocation.json:
        output.print_json(invocation, {"id": task_id, "expires_at": output.when(end)})
    else:
        invocation.say(f"{task_id} is yours until {end:%H:%M:%S %Z}")


@click.command(cls=Command)
@task_id()
@click.option("--token", type=int, help="The token of your claim; that of the agent's own claim, if it is left out.")
@pass_invocation
def release(invocation: Invocation, task_id: str, token: int | None) -> None:
    """Give a claim back; an unfinished task is then ready for others."""
    invocation.run(claims.release(task_id, _token(invocation, task_id, token)))
    if invocation.json:
        output.print_json(invocation, {"id": task_id})
    else:
        click.echo(task_id if invocation.quiet else f"released {task_id}")


def _token(invocation: Invocation, task_id: str, token: int | None) -> int:
    if token is not None:
        return token
    task = invocation.run(listing.get(task_id))
    if task.token is None or (task.agent != invocation.actor.agent and not invocation.force):
        who = f"{task.agent} has claimed it" if task.agent else "nobody has claimed it"
        raise Problem(f"{task.id} is not claimed by {invocation.actor.agent}: {who}", status=CLAIMED)
    return task.token

"""deps: what waits for what."""

from __future__ import annotations

import click

from clients.cli import output
from clients.cli.arguments import task_id, task_ids
from clients.cli.invocation import Group, Invocation, pass_invocation
from clients.cli.problems import Problem
from clients.tasks import dependencies
from clients.tasks.dependencies import Dependency


@click.group(cls=Group)
def deps() -> None:
    """What waits for what."""


def _print(invocation: Invocation, found: list[Dependency], words: str) -> None:
    if invocation.json:
        output.print_json(invocation, [each._asdict() for each in found])
    else:
        for each in found:
            click.echo(each.depends_on if invocation.quiet else f"{each.task_id} {words} {each.depends_on}")


@deps.command()
@task_id()
@task_ids("others")
@pass_invocation
def add(invocation: Invocation, task_id: str, others: tuple[str, ...]) -> None:
    """Let TASK wait for the others."""
    _print(invocation, invocation.run(dependencies.add(invocation.actor, task_id, others)), "waits for")


@deps.command()
@task_id()
@task_ids("others")
@pass_invocation
def rm(invocation: Invocation, task_id: str, others: tuple[str, ...]) -> None:
    """Let TASK wait for the others no more."""
    _print(invocation, invocation.run(dependencies.remove(invocation.actor, task_id, others)), "no longer waits for")


@deps.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Look for tasks that wait for themselves."""
    cycles = invocation.run(dependencies.cycles())
    if invocation.json:
        output.print_json(invocation, cycles)
    elif cycles:
        steps = [(f"astro deps rm {cycle[0]} {cycle[1 % len(cycle)]}", "breaks it") for cycle in cycles]
        raise Problem(
            "tasks wait for themselves: " + "; ".join(" → ".join([*cycle, cycle[0]]) for cycle in cycles), steps=steps
        )
    else:
        invocation.say("no task waits for itself")

"""init: the database and its tables."""

from __future__ import annotations

from pathlib import Path

import click

from clients.cli import output
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.settings import FILE
from clients.tasks import migrations


@click.command(cls=Command)
@click.option("--prefix", metavar="WORD", help="What new ids begin with; written to astro.toml here.")
@pass_invocation
def init(invocation: Invocation, prefix: str | None) -> None:
    """Make the database and its tables, unless they are there."""
    connection = invocation.connection(create=True)
    version = connection.run(migrations.version())
    if prefix:
        from clients.cli.configuration import write

        write(Path(FILE), "prefix", prefix)
    where = f"postgres://{invocation.way.served}" if invocation.way.served else str(invocation.way.path())
    if invocation.json:
        data = {"database": invocation.settings["database"], "at": where, "schema": version}
        output.print_json(invocation, data)
    else:
        click.echo(f"{invocation.settings['database']} is ready, schema version {version}")
        invocation.say('astro add-task "New feature" adds the first task')

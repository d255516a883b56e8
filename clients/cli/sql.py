"""sql, psql: the database itself."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clients.cli import output
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import SERVER_REQUIRED, USAGE, Problem

if TYPE_CHECKING:
    from clients.postgres.conversation import Result


@click.command(cls=Command)
@click.argument("text", required=False)
@click.option("--file", "-f", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Run what is in this file.")
@click.option("--csv", "form", flag_value="csv", help="Rows as CSV, with names.")
@click.option("--md", "form", flag_value="md", help="Rows as a Markdown table.")
@pass_invocation
def sql(invocation: Invocation, text: str | None, file: Path | None, form: str | None) -> None:
    """Run SQL: one argument, a file, or standard input for `-`."""
    if file is not None:
        text = file.read_text(encoding="utf-8")
    elif text == "-":
        text = sys.stdin.read()
    if not text:
        steps = [('astro sql "SELECT * FROM astro.ready"', "runs that"), ("astro psql", "opens psql")]
        raise Problem("no SQL was given", status=USAGE, steps=steps)
    results = invocation.connection().execute_script(text)
    if invocation.json:
        rows = [dict(zip(_names(result), map(_plain, row), strict=True)) for result in results for row in result.rows]
        output.print_json(invocation, rows)
        return
    for result in results:
        _print(invocation, result, form)


def _print(invocation: Invocation, result: Result, form: str | None) -> None:
    names, rows = _names(result), [[_text(value) for value in row] for row in result.rows]
    if not names:
        invocation.say(result.tag)
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([names, *rows])
    elif form == "md":
        for cells in (names, ["---"] * len(names), *rows):
            escaped = [cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells]
            click.echo(f"| {' | '.join(escaped)} |")
    elif output.fits(names, rows):
        output.print_table(names, rows)
    else:
        output.print_records(names, rows)


def _names(result: Result) -> list[str]:
    return [name for name, _ in result.columns]


def _plain(value: Any) -> Any:
    return output.when(value) if isinstance(value, datetime) else value


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            import json

            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(_plain(value))


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_invocation
def psql(invocation: Invocation, arguments: tuple[str, ...]) -> None:
    """Open psql on the database; further arguments are psql's."""
    program = shutil.which("psql")
    if program is None:
        steps = [("apt install postgresql-client", "installs it (Debian)"), ('astro sql "…"', "runs SQL without it")]
        raise Problem("psql is not installed", steps=steps)
    settings = invocation.settings
    invocation.connection(create=True).close()
    served = invocation.way.served
    if served is None:
        steps = [("astro up", "starts a server"), ('astro sql "…"', "runs SQL without one")]
        raise Problem("psql needs a server, and none answers", status=SERVER_REQUIRED, steps=steps)
    if settings["password"]:
        os.environ["PGPASSWORD"] = settings["password"]
    os.execv(program, [program, f"postgres://{settings['user']}@{served}/{settings['database']}", *arguments])  # noqa: S606

"""import, export: tasks from files and into files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from clients.cli import formats, output
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import USAGE, Problem
from clients.tasks import contexts, dependencies, editing, listing

if TYPE_CHECKING:
    from clients.tasks.model import NewTask

_SUFFIXES: Final = {
    ".db": "astrotask",
    ".sqlite": "astrotask",
    ".json": "json",
    ".csv": "csv",
    ".md": "markdown",
    ".txt": "markdown",
}


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "form", type=click.Choice(sorted(formats.READERS)), help="What the file is; its name tells, otherwise.")
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@pass_invocation
def import_command(invocation: Invocation, file: Path, form: str | None, dry_run: bool) -> None:
    """Read tasks from a file: Astrotask's SQLite file, JSON (as `astro export` writes it), CSV, a Markdown list.

    Ids in the file are kept. Tasks whose id is there already are passed over. All are added, or none.
    """
    chosen = form or _SUFFIXES.get(file.suffix.lower())
    if chosen is None:
        steps = [(f"astro import {file} --from {name}", "") for name in sorted(formats.READERS)]
        raise Problem(f"{file} does not say by its name what it is", status=USAGE, steps=steps)
    try:
        found = formats.READERS[chosen](file)
    except (ValueError, KeyError) as error:
        raise Problem(f"{file} cannot be read as {chosen}: {error}") from error
    known = {task.id for task in invocation.run(listing.list_tasks(), create=True)}
    new = _without_known(found, known)
    tasks = (
        [] if dry_run or not new else invocation.run(editing.add(invocation.actor, new, prefix=invocation.settings["prefix"]))
    )
    if invocation.json or invocation.quiet:
        output.print_tasks(invocation, tasks)
        return
    word = "would add" if dry_run else "added"
    click.echo(
        f"{word} {len(new)} of {len(found)} tasks" + (f"; {len(found) - len(new)} were there" if len(new) < len(found) else "")
    )


def _without_known(found: list[NewTask], known: set[str]) -> list[NewTask]:
    """Those whose id is free; numbers that mean tasks of the file are moved to their new places."""
    kept = [number for number, task in enumerate(found) if task.id not in known]
    places = {number: place for place, number in enumerate(kept)}

    def moved(reference: str | int) -> str | int:
        if isinstance(reference, str):
            return reference
        return places[reference] if reference in places else str(found[reference].id)

    return [
        found[number]._replace(
            parent=None if found[number].parent is None else moved(found[number].parent or 0),
            depends_on=tuple(moved(other) for other in found[number].depends_on),
        )
        for number in kept
    ]


@click.command(cls=Command)
@click.option("--csv", "form", flag_value="csv", help="As CSV: tasks only.")
@click.option("--md", "form", flag_value="markdown", help="As a Markdown list: titles only.")
@click.option("--output", "-o", "file", type=click.Path(path_type=Path), help="Into this file.")
@pass_invocation
def export(invocation: Invocation, form: str | None, file: Path | None) -> None:
    """Write all tasks, with dependencies and notes, as JSON."""
    tasks = invocation.run(listing.list_tasks())
    if form is None:
        edges = invocation.run(dependencies.every())
        notes = invocation.run(contexts.notes())
        data: dict[str, Any] = {
            "tasks": [output.task_data(task) for task in tasks],
            "dependencies": [edge._asdict() for edge in edges],
            "context": [output.slice_data(note) for note in notes],
        }
        text = json.dumps({"schema_version": output.SCHEMA_VERSION, "data": data}, ensure_ascii=False, indent=2) + "\n"
    else:
        text = formats.WRITERS[form](tasks)
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        invocation.say(f"wrote {len(tasks)} tasks to {file}")

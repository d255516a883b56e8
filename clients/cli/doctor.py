"""doctor: what is wrong, and what mends it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from clients.cli import output
from clients.cli.access import LOCK_FILE, owner
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import ERROR, OK, problem_of
from clients.cli.server import answer
from clients.tasks import dependencies, migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAL_LIMIT: Final = 256 << 20
_DISK_LIMIT: Final = 256 << 20


class Finding(NamedTuple):
    """One look. `mend`: SQL that sets it right."""

    subject: str
    good: bool
    text: str
    mend: str = ""


@click.command(cls=Command)
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
@pass_invocation
def doctor(invocation: Invocation, fix: bool) -> int:
    """Look for what is wrong: server, files, tables, dependencies, claims. Ends with 1 when something is."""
    found = [*_surroundings(invocation), *_database(invocation)]
    if fix:
        for number, finding in enumerate(found):
            if finding.mend:
                invocation.connection().execute_script(finding.mend)
                found[number] = finding._replace(good=True, text=f"mended: {finding.text}")
    if invocation.json:
        output.print_json(invocation, [finding._asdict() for finding in found])
    else:
        for finding in found:
            sign = click.style("ok  ", fg="green") if finding.good else click.style("bad ", fg="red")
            click.echo(
                f"{sign} {finding.subject:<13} {finding.text}" + ("" if finding.good or not finding.mend else " (--fix)")
            )
    return OK if all(finding.good for finding in found) else ERROR


def _surroundings(invocation: Invocation) -> Iterator[Finding]:
    settings, path = invocation.settings, invocation.way.path()
    code = answer(invocation)
    holder = owner(path)
    where = f"{settings['host']}:{settings['port']}"
    yield Finding("server", code == 0 or not holder, f"{where} answers" if code == 0 else f"nothing answers at {where}")
    text = f"process {holder.get('pid')} since {holder.get('started_at')}" if holder else f"nobody ({path / LOCK_FILE})"
    yield Finding("owner", True, text)
    if path.exists():
        free = shutil.disk_usage(path).free
        yield Finding("disk", free > _DISK_LIMIT, f"{free >> 20} MB free at {path}")
        sizes = {file.name: file.stat().st_size for file in path.glob("*-wal")} if path.is_dir() else {}
        large = [name for name, size in sizes.items() if size > _WAL_LIMIT]
        yield Finding("wal", not large, f"{', '.join(large)} is large: a reader holds it" if large else "small")
    origins = {settings.value(name).origin for name in ("host", "port", "database", "data", "mode")}
    yield Finding("configuration", True, "from " + ", ".join(sorted(origins)))


def _database(invocation: Invocation) -> Iterator[Finding]:
    try:
        connection = invocation.connection()
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        yield Finding("database", False, problem.what)
        return
    version = connection.run(migrations.version())
    yield Finding("schema", version == migrations.LATEST, f"version {version}")
    cycles = connection.run(dependencies.cycles())
    yield Finding("dependencies", not cycles, "; ".join(" → ".join(cycle) for cycle in cycles) or "no cycles")
    for subject, good, query, mend in _CHECKS:
        [(count,)] = connection.execute(f"SELECT count(*) FROM {query}").rows
        yield Finding(subject, count == 0, f"{count} {good}" if count else "good", mend if count else "")


_RELEASE: Final = (
    "UPDATE astro.claims SET released_at = now() WHERE released_at IS NULL AND task_id IN"
    " (SELECT id FROM public.tasks WHERE status IN ('done', 'cancelled', 'archived'))"
)

# What is looked for, and the SQL that mends it.
_CHECKS: Final = (
    (
        "orphans",
        "tasks without a parent, which no tree shows",
        "public.tasks WHERE parent_id IS NULL AND id <> '__PROJECT_ROOT__'",
        "UPDATE public.tasks SET parent_id = '__PROJECT_ROOT__' WHERE parent_id IS NULL AND id <> '__PROJECT_ROOT__'",
    ),
    (
        "claims",
        "claims of tasks that are finished",
        "astro.active_claims c JOIN public.tasks t ON t.id = c.task_id WHERE t.status IN ('done', 'cancelled', 'archived')",
        _RELEASE,
    ),
)

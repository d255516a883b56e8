"""The tables, in numbered steps: migrations/NNNN_name.sql, each run once and recorded in astro.migrations.

All that are due run in one transaction. Two programs that come at once do not meet: the second waits for the first one's rows.
A file that was released is never changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clients.postgres.errors import DatabaseError
from clients.postgres.operation import Script, Statement, Steps, reads, writes
from clients.tasks.errors import TaskRefused

LATEST: Final = 2
_FILES: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 6_241_945  # an advisory lock of this program's own
_MISSING: Final = ("42P01", "3F000")  # undefined_table, invalid_schema_name

_RECORDS: Final = """
CREATE SCHEMA IF NOT EXISTS astro;
CREATE TABLE IF NOT EXISTS astro.migrations (
    version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)"""


@reads
def version() -> Steps[int]:
    """The number of the last migration that was run, 0 for a database without our tables."""
    try:
        found = yield Statement("SELECT coalesce(max(version), 0) FROM astro.migrations")
    except DatabaseError as error:
        if error.sqlstate in _MISSING:
            return 0
        raise
    return int(found.rows[0][0])


@writes
def migrate() -> Steps[list[str]]:
    """Run the migrations that are due; their names."""
    yield Statement("SELECT pg_advisory_xact_lock($1)", (_LOCK,))
    yield Script(_RECORDS)
    names = []
    for file in sorted(_FILES.glob("*.sql")):
        number, _, name = file.stem.partition("_")
        # The insert comes first: in a server that runs one write transaction at a time, it waits for whoever migrates now.
        recorded = yield Statement(
            "INSERT INTO astro.migrations (version, name) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING RETURNING version",
            (int(number), name),
        )
        if recorded.rows:
            yield Script(file.read_text(encoding="utf-8"))
            names.append(file.stem)
    yield from refuse_newer()
    return names


def refuse_newer() -> Steps[None]:
    """A database that a newer astro has migrated may hold what this one would damage."""
    found = yield Statement("SELECT max(version) FROM astro.migrations")
    if found.rows[0][0] > LATEST:
        raise TaskRefused(f"the database has schema version {found.rows[0][0]}, this program knows up to {LATEST}")

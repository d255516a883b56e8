"""The extensions whose objects are built in, which CREATE EXTENSION can make (ddl/extension.py)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Extension:
    """What pg_available_extension_versions says of it. One with a schema of its own cannot be created in another."""

    version: str
    comment: str
    trusted: bool = False
    schema: str | None = None


AVAILABLE: Final = {
    "plpgsql": Extension("1.0", "PL/pgSQL procedural language", trusted=True, schema="pg_catalog"),
    "pg_stat_statements": Extension("1.12", "track planning and execution statistics of all SQL statements executed"),
}

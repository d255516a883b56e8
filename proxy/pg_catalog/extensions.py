"""The extensions whose objects are built in, which CREATE EXTENSION can make (ddl/extension.py)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Extension:
    """What pg_available_extensions says of it."""

    version: str
    comment: str


AVAILABLE: Final = {
    "pg_stat_statements": Extension("1.12", "track planning and execution statistics of all SQL statements executed"),
}

"""CREATE EXTENSION: there is nothing to install, except what is built in under the name of an extension."""

from typing import Any

from proxy.ddl.execution import Execution
from translator import sqlstate
from translator.errors import SqlError

_BUILT_IN = frozenset({"plpgsql"})


def create_extension(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE EXTENSION [IF NOT EXISTS] name."""
    name = statement["extname"]
    if name in _BUILT_IN or execution.select("pg_extension", 0, "1", extname=name):
        message = f'extension "{name}" already exists'
        if not statement.get("if_not_exists"):
            raise SqlError(sqlstate.DUPLICATE_OBJECT, message)
        execution.note(f"{message}, skipping", sqlstate.DUPLICATE_OBJECT)
        return "CREATE EXTENSION"
    raise SqlError(
        sqlstate.FEATURE_NOT_SUPPORTED,
        f'extension "{name}" is not available',
        hint="The extension must first be installed on the system where PostgreSQL is running.",
    )

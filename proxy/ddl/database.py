"""CREATE, DROP and ALTER DATABASE: a database is a file of the cluster.

The server makes and removes files outside of transactions, so the session calls the cluster; what is here says which
options are accepted. PostgreSQL refuses these commands in a transaction block (25001), which the session checks.
"""

from typing import Any

from proxy.ddl.execution import Execution
from translator import sqlstate
from translator.errors import SqlError, unsupported

# Options that say what is so anyway; others are refused.
_ACCEPTED = {
    "encoding": ("utf8", "utf-8", "unicode"),
    "lc_collate": ("c", "c.utf-8", "posix", "c.utf8"),
    "lc_ctype": ("c", "c.utf-8", "posix", "c.utf8"),
    "locale": ("c", "c.utf-8", "posix", "c.utf8"),
    "tablespace": ("pg_default",),
    "connection_limit": ("-1",),
    "strategy": ("wal_log", "file_copy"),
}


def create_database(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE DATABASE name [TEMPLATE template]."""
    from proxy.ddl.options import option_text

    name, template = statement["dbname"], None
    for item in statement.get("options", ()):
        element = item["DefElem"]
        key, value = element["defname"], option_text(element.get("arg"))
        if key == "template":
            template = value
        elif key == "owner":
            continue
        elif value.lower() not in _ACCEPTED.get(key, ()):
            raise unsupported(f"CREATE DATABASE option {key} = {value}", element.get("location"))
    cluster = _cluster(execution, "CREATE DATABASE")
    if name in cluster.databases():
        raise SqlError(sqlstate.DUPLICATE_DATABASE, f'database "{name}" already exists')
    cluster.create(name, template)
    return "CREATE DATABASE"


def drop_database(statement: dict[str, Any], execution: Execution) -> str:
    """DROP DATABASE [IF EXISTS] name."""
    name = statement["dbname"]
    cluster = _cluster(execution, "DROP DATABASE")
    if name not in cluster.databases():
        message = f'database "{name}" does not exist'
        if not statement.get("missing_ok"):
            raise SqlError(sqlstate.INVALID_CATALOG_NAME, message)
        execution.note(f"{message}, skipping")
        return "DROP DATABASE"
    if name == execution.settings.database:
        raise SqlError(sqlstate.OBJECT_IN_USE, "cannot drop the currently open database")
    cluster.drop(name)
    return "DROP DATABASE"


def rename_database(execution: Execution, old: str, new: str) -> str:
    """ALTER DATABASE old RENAME TO new."""
    cluster = _cluster(execution, "ALTER DATABASE")
    if old not in cluster.databases():
        raise SqlError(sqlstate.INVALID_CATALOG_NAME, f'database "{old}" does not exist')
    if new in cluster.databases():
        raise SqlError(sqlstate.DUPLICATE_DATABASE, f'database "{new}" already exists')
    if old == execution.settings.database:
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "current database cannot be renamed")
    cluster.rename(old, new)
    return "ALTER DATABASE"


def alter_database(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER DATABASE … WITH option."""
    raise unsupported("ALTER DATABASE")


def alter_database_set(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER DATABASE … SET parameter."""
    raise unsupported("ALTER DATABASE SET")


def _cluster(execution: Execution, command: str) -> Any:
    if execution.cluster is None:
        raise unsupported(f"{command} without a cluster")
    return execution.cluster

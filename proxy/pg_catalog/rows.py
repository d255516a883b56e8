"""Rows of the catalog tables: insert, read, change, delete, with values as Python has them.

A value goes in as litephant stores it: bool as 0 or 1, a list or tuple as JSON text. Columns that are not given get what
PostgreSQL writes for "none": NULL where the column allows it, else 0, false or the empty string.

`temp` objects: an OID tells where its rows are, `schema_of`.
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from proxy.pg_catalog.relations import FIRST_TEMPORARY_OID, Statements, storage_name, user_catalog

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# Columns whose "none" is not NULL, 0 or '': what PostgreSQL writes for an ordinary object.
_USUAL: dict[str, dict[str, Any]] = {
    "pg_attribute": {"atttypmod": -1, "attislocal": 1, "attalign": "i", "attstorage": "p"},
    "pg_class": {
        "relowner": 10,
        "relpersistence": "p",
        "relispopulated": 1,
        "relreplident": "n",
        "relfrozenxid": 0,
        "relminmxid": 0,
    },
    "pg_constraint": {
        "conenforced": 1,
        "convalidated": 1,
        "conislocal": 1,
        "confupdtype": " ",
        "confdeltype": " ",
        "confmatchtype": " ",
    },
    "pg_index": {"indimmediate": 1, "indisvalid": 1, "indisready": 1, "indislive": 1},
    "pg_namespace": {"nspowner": 10},
    "pg_proc": {"proowner": 10, "procost": 100, "prokind": "f", "provolatile": "v", "proparallel": "u"},
    "pg_rewrite": {"ev_enabled": "O", "ev_type": "1", "is_instead": 1, "ev_qual": "<>"},
    "pg_type": {
        "typowner": 10,
        "typisdefined": 1,
        "typdelim": ",",
        "typtypmod": -1,
        "typalign": "i",
        "typstorage": "p",
        "typlen": -1,
        "typtype": "b",
    },
}


def stored(value: Any) -> Any:
    """A Python value as a catalog table keeps it."""
    if isinstance(value, (list, tuple)):
        return _encode(value)
    return int(value) if isinstance(value, bool) else value


def schema_of(oid: int) -> str:
    """The SQLite schema that has the rows of an object."""
    return "temp" if oid >= FIRST_TEMPORARY_OID else "main"


def insert(connection: Statements, catalog: str, /, schema: str = "main", **values: Any) -> None:
    """Write a row."""
    names, usual = _blank_row(catalog)
    row = {**usual, **values}
    sql = f"INSERT INTO {storage_name(catalog, schema)} VALUES ({','.join('?' * len(names))})"
    connection.execute(sql, [stored(row.pop(name)) for name in names])
    assert not row, f"{catalog} has no columns {sorted(row)}"


def select(
    connection: Statements, catalog: str, columns: Iterable[str] = ("*",), /, schema: str = "main", **where: Any
) -> list[tuple[Any, ...]]:
    """The rows whose columns equal the given values, in the order of the primary key."""
    condition, bindings = _condition(where)
    sql = f"SELECT {', '.join(columns)} FROM {storage_name(catalog, schema)}{condition}"
    return list(connection.execute(sql, bindings))


def records(connection: Statements, catalog: str, /, schema: str = "main", **where: Any) -> Iterator[dict[str, Any]]:
    """The same rows, as dictionaries of all columns."""
    names = [column.name for column in user_catalog(catalog).columns]
    for row in select(connection, catalog, schema=schema, **where):
        yield dict(zip(names, row, strict=True))


def update(connection: Statements, catalog: str, changes: dict[str, Any], /, schema: str = "main", **where: Any) -> None:
    """Change the rows whose columns equal the given values."""
    condition, bindings = _condition(where)
    assignments = ", ".join(f'"{name}" = ?' for name in changes)
    values = [stored(value) for value in changes.values()]
    connection.execute(f"UPDATE {storage_name(catalog, schema)} SET {assignments}{condition}", [*values, *bindings])


def delete(connection: Statements, catalog: str, /, schema: str = "main", **where: Any) -> None:
    """Delete the rows whose columns equal the given values."""
    condition, bindings = _condition(where)
    connection.execute(f"DELETE FROM {storage_name(catalog, schema)}{condition}", bindings)


def _condition(where: dict[str, Any]) -> tuple[str, list[Any]]:
    if not where:
        return "", []
    return " WHERE " + " AND ".join(f'"{name}" = ?' for name in where), [stored(value) for value in where.values()]


@cache
def _blank_row(catalog: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    columns = user_catalog(catalog).columns
    blank: dict[str, Any] = {}
    for column in columns:
        if not column.not_null:
            blank[column.name] = None
        else:
            blank[column.name] = "" if column.sqlite_type == "TEXT" else 0
    return tuple(blank), {**blank, **_USUAL.get(catalog, {})}

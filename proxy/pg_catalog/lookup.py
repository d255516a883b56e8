"""Rows of any catalog by OID or key, PostgreSQL's own and the user's, for the catalog functions."""

from functools import cache
from typing import Any

from proxy.pg_catalog import rows
from proxy.pg_catalog.relations import FIRST_NORMAL_OID, FIRST_TEMPORARY_OID, USER_CATALOGS, is_bootstrapped
from translator.data import load


def record(connection: Any, catalog: str, oid: int) -> dict[str, Any] | None:
    """The row with that OID, as a dictionary; None if there is none."""
    if oid < FIRST_NORMAL_OID:
        found = _static_records(catalog).get(oid)
        if found is not None and not _hidden(catalog, oid):
            return found
    if catalog not in USER_CATALOGS:
        return None
    if oid >= FIRST_TEMPORARY_OID and not is_bootstrapped(connection, "temp"):
        return None
    return next(rows.records(connection, catalog, rows.schema_of(oid), oid=oid), None)


def _hidden(catalog: str, oid: int) -> bool:
    """Whether the user's row stands for the static one (relations.STATIC_FILTERS)."""
    return (catalog, oid) in {("pg_namespace", 2200), ("pg_authid", 10)}


@cache
def _static_records(catalog: str) -> dict[int, dict[str, Any]]:
    table = load(catalog)
    names = list(table.types)
    return {row[names.index("oid")]: dict(zip(names, row, strict=True)) for row in table.select()}


def description(connection: Any, classoid: int, objoid: int, objsubid: int = 0) -> str | None:
    """The comment on an object."""
    schema = rows.schema_of(objoid)
    if schema == "main" or is_bootstrapped(connection, "temp"):
        found = rows.select(
            connection, "pg_description", ["description"], schema, objoid=objoid, classoid=classoid, objsubid=objsubid
        )
        if found:
            return str(found[0][0])
    if objoid < FIRST_NORMAL_OID and objoid != 2200:
        return _static_descriptions().get((classoid, objoid, objsubid))
    return None


@cache
def _static_descriptions() -> dict[tuple[int, int, int], str]:
    columns = ("classoid", "objoid", "objsubid", "description")
    return {(classoid, objoid, sub): text for classoid, objoid, sub, text in load("pg_description").select(*columns)}

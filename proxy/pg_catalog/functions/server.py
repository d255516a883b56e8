"""What clients ask of keywords and of features that a database here does not have."""

from collections.abc import Iterator
from typing import Any

from proxy.pg_catalog import current
from proxy.pg_catalog.extensions import AVAILABLE
from proxy.pg_catalog.lookup import record
from translator.analyze import view_target
from translator.data import load
from translator.functions.registry import function
from translator.functions.registry import rows as row_function
from translator.settings import runtime

_ALL_EVENTS = 1 << 2 | 1 << 3 | 1 << 4  # of CmdType: UPDATE, INSERT, DELETE
_DELETE_EVENT = 1 << 4


@row_function("pg_get_keywords")
def pg_get_keywords() -> Iterator[tuple[str, str, bool, str, str]]:
    """The grammar's keywords."""
    yield from load("keywords").select("word", "catcode", "barelabel", "catdesc", "baredesc")


@function("pg_get_partkeydef", "pg_get_partition_constraintdef", deterministic=False)
def pg_get_partkeydef(oid: int) -> None:
    """No table is partitioned."""
    return


@row_function("pg_partition_ancestors", deterministic=False)
def pg_partition_ancestors(oid: int) -> Iterator[int]:
    """A relation that is no partition has no ancestors."""
    return iter(())


@row_function("pg_partition_tree", deterministic=False)
def pg_partition_tree(oid: int) -> Iterator[tuple[int, None, bool, int]]:
    """A relation that is not partitioned has no tree."""
    return iter(())


@function("pg_get_statisticsobjdef", "pg_get_statisticsobjdef_columns", "pg_get_triggerdef", deterministic=False)
def pg_get_statisticsobjdef(oid: int) -> None:
    """There are no extended statistics, rules or triggers of users."""
    return


@function("pg_get_triggerdef_ext", deterministic=False)
def pg_get_triggerdef_ext(oid: int, pretty: int) -> None:
    """The same, laid out."""
    return


@function("pg_relation_is_publishable", deterministic=False)
def pg_relation_is_publishable(oid: int) -> bool | None:
    """Whether a publication could have it (is_publishable_class)."""
    row = record(current.connection(), "pg_class", oid)
    return None if row is None else row["relkind"] in "rp" and oid >= 16384 and row["relpersistence"] == "p"


@function("pg_relation_is_updatable", deterministic=False)
def pg_relation_is_updatable(oid: int, include_triggers: int) -> int:
    """A bit mask of INSERT, UPDATE and DELETE: tables take all, views what they pass on (relation_is_updatable)."""
    row = record(current.connection(), "pg_class", oid)
    if row is None or row["relkind"] not in "rpv":
        return 0
    if row["relkind"] in "rp":
        return _ALL_EVENTS
    columns = _assignable(oid)
    return 0 if columns is None else _ALL_EVENTS if columns else _DELETE_EVENT


def _assignable(oid: int) -> list[int] | None:
    catalog = runtime.catalog
    view = catalog.relation_by_oid(oid)
    return None if view is None else view_target.assignable_columns(catalog, runtime.settings, view)


@function("pg_column_is_updatable", deterministic=False)
def pg_column_is_updatable(oid: int, attnum: int, include_triggers: int) -> bool:
    """Whether UPDATE may set a column."""
    row = record(current.connection(), "pg_class", oid)
    if row is None or attnum <= 0:
        return False
    return row["relkind"] in "rp" or (row["relkind"] == "v" and attnum in (_assignable(oid) or ()))


@function("pg_collation_actual_version", deterministic=False)
def pg_collation_actual_version(oid: int) -> str | None:
    """Collations by code point have no version but 1."""
    row = record(current.connection(), "pg_collation", oid)
    return "1" if row is not None and row["collprovider"] == "b" else None


@function("pg_database_collation_actual_version", deterministic=False)
def pg_database_collation_actual_version(oid: int) -> None:
    """C.UTF-8 of libc has none that PostgreSQL reports."""
    return


@function("pg_tablespace_location", deterministic=False)
def pg_tablespace_location(oid: int) -> str:
    """The tablespaces of the system are where the database is."""
    return ""


@row_function("pg_tablespace_databases", deterministic=False)
def pg_tablespace_databases(oid: int) -> Iterator[int]:
    """The databases in a tablespace."""
    return iter(())


@row_function("pg_available_extensions", deterministic=False)
def pg_available_extensions() -> Iterator[tuple[str, str, str]]:
    """What CREATE EXTENSION can make: name, version, comment."""
    return ((name, each.version, each.comment) for name, each in AVAILABLE.items())


@row_function("pg_available_extension_versions", deterministic=False)
def pg_available_extension_versions() -> Iterator[tuple[Any, ...]]:
    """The same with superuser, trusted, relocatable, schema, requires between version and comment."""
    for name, each in AVAILABLE.items():
        yield name, each.version, True, each.trusted, each.schema is None, each.schema, None, each.comment

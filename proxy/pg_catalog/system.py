"""The relations that every database has: the tables and views of pg_catalog and information_schema, as Relations.

They are the same for all databases and sessions, so they are built once a process, each when it is first asked for. What
they contain is elsewhere: a table's rows in the static file and in the database (`Relation.where`), a view's in its query.
"""

from functools import cache

from proxy.pg_catalog import server_views
from proxy.pg_catalog.relations import LIVE_CATALOGS, USER_CATALOGS, live_name, united_name
from translator.catalog import Column, Relation
from translator.data import load, view_definitions


def system_relation(namespace: int, name: str) -> Relation | None:
    """The relation of that name in a system schema."""
    if namespace == server_views.NAMESPACE:
        return server_views.server_view(name)
    oid = _oids().get((namespace, name))
    return None if oid is None else system_relation_by_oid(oid)


@cache
def system_relation_by_oid(oid: int) -> Relation | None:
    """The relation with that OID."""
    row = _rows().get(oid)
    if row is None:
        return server_views.server_view_by_oid(oid)
    name, namespace, kind, row_type = row
    schema = namespace_names()[namespace]
    qualified = f"{schema}.{name}"
    view = view_definitions()[qualified] if kind == "v" else ""
    return Relation(
        oid,
        name,
        schema,
        namespace,
        kind,
        _columns().get(oid, ()),
        storage="" if view else _storage(name, schema),
        where=_where(name),
        view=view,
        row_type=row_type,
    )


@cache
def namespace_names() -> dict[int, str]:
    """The schemas of every database, and ours, without public, which the user may drop."""
    listed = {oid: name for oid, name in load("pg_namespace").select("oid", "nspname") if name != "public"}
    return {**listed, server_views.NAMESPACE: server_views.SCHEMA}


@cache
def namespaces() -> dict[str, int]:
    """The same by name."""
    return {name: oid for oid, name in namespace_names().items()}


def _storage(name: str, schema: str) -> str:
    """The table in the static file, or the view that unites it with the user's rows (views.py)."""
    if schema != "pg_catalog":
        return f"{schema}.{name}"
    if name in LIVE_CATALOGS:
        return live_name(name)
    return united_name(name) if name in USER_CATALOGS else name


def _where(name: str) -> str:
    if name in LIVE_CATALOGS:
        return "live"
    return "both" if name in USER_CATALOGS else "static"


@cache
def _rows() -> dict[int, tuple[str, int, str, int]]:
    return {
        oid: (name, namespace, kind, row_type)
        for oid, name, namespace, kind, row_type in load("pg_class").select(
            "oid", "relname", "relnamespace", "relkind", "reltype"
        )
    }


@cache
def _oids() -> dict[tuple[int, str], int]:
    return {(namespace, name): oid for oid, (name, namespace, _, _) in _rows().items()}


@cache
def _columns() -> dict[int, tuple[Column, ...]]:
    found: dict[int, list[Column]] = {}
    attributes = load("pg_attribute").select(
        "attrelid", "attnum", "attname", "atttypid", "atttypmod", "attcollation", "attnotnull"
    )
    for relation, attnum, name, type_oid, typmod, collation, not_null in sorted(attributes, key=lambda row: row[:2]):
        if attnum > 0:
            column = Column(name, attnum, type_oid, typmod, collation, not_null, storage_name=name)
            found.setdefault(relation, []).append(column)
    return {relation: tuple(columns) for relation, columns in found.items()}

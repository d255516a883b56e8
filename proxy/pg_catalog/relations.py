"""The catalog tables that describe the user's objects: real tables in each database file, with PostgreSQL's columns.

pg_class is the table `"pg_catalog.pg_class"`, and so on for every catalog in `USER_CATALOGS`; a catalog that is not
listed has no rows but PostgreSQL's own (static.py). DDL writes these rows in the transaction that changes the SQLite
schema, so both appear and vanish together. Rows of temporary objects live in SQLite's temp schema, in
`"pg_temp.pg_class"` and so on, and so vanish with the session's connection.

What PostgreSQL's columns cannot hold is in tables of our own:

    litephant.state       name, value: next_oid, catalog_version
    litephant.relation    oid, storage (the name SQLite has for a table or an index), definition (of a view: its query)
    litephant.attribute   relid, attnum, storage, computed: columns whose SQLite name is not their own, because case clashes,
                          and generated columns that SQLite computes
    litephant.unenforced  oid of a CHECK constraint that SQLite does not carry, because it needs our functions
    litephant.sequence    oid, last_value, is_called: the last value that a crash may not give again (ddl/sequence.py)

Rule: no module but this one and `rows.py` names the columns of a catalog that it does not care for.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol

from proxy.pg_catalog.static import CatalogTable, catalog_tables
from translator.data import load

FIRST_NORMAL_OID = 16384  # access/transam.h, FirstNormalObjectId
FIRST_TEMPORARY_OID = 3_000_000_000  # ours: no temporary object shares an OID with a permanent one
OWNER = 10  # BOOTSTRAP_SUPERUSERID

USER_CATALOGS = (
    "pg_aggregate",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_authid",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_extension",
    "pg_index",
    "pg_inherits",
    "pg_namespace",
    "pg_operator",
    "pg_policy",
    "pg_proc",
    "pg_range",
    "pg_rewrite",
    "pg_sequence",
    "pg_shdescription",
    "pg_trigger",
    "pg_type",
)
LIVE_CATALOGS = frozenset({"pg_database"})

# Static rows that a user may change (schema public, the first role) are copied into the database, and the static ones
# are left out when both are read together: catalog -> the condition that the static rows must meet.
STATIC_FILTERS = {
    "pg_namespace": "oid <> 2200",
    "pg_authid": "oid <> 10",
    "pg_description": "objoid <> 2200",
}

_OURS = """
CREATE TABLE {schema}."litephant.state" (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE {schema}."litephant.relation" (oid INTEGER PRIMARY KEY NOT NULL, storage TEXT, definition TEXT);
CREATE TABLE {schema}."litephant.attribute"
    (relid INTEGER NOT NULL, attnum INTEGER NOT NULL, storage TEXT NOT NULL, computed INTEGER NOT NULL,
     PRIMARY KEY (relid, attnum)) WITHOUT ROWID;
CREATE TABLE {schema}."litephant.unenforced" (oid INTEGER PRIMARY KEY NOT NULL);
CREATE TABLE {schema}."litephant.sequence"
    (oid INTEGER PRIMARY KEY NOT NULL, last_value INTEGER NOT NULL, is_called INTEGER NOT NULL);
"""

# Joins of clients that PostgreSQL serves by a cache or a scan.
_MORE_INDEXES = (("pg_attrdef", "adrelid"), ("pg_depend", "classid"))


class Statements(Protocol):
    """A connection to SQLite, as far as catalogs use it: apsw's own and proxy.storage's have it."""

    def execute(self, sql: str, bindings: Any = ..., /) -> Iterable[Any]: ...


def bootstrap(connection: Statements, schema: str = "main") -> None:
    """Create the catalog tables in a new database file, or in the temp schema of a session's connection."""
    connection.execute("SAVEPOINT bootstrap")
    connection.execute(_bootstrap_script(schema))
    if schema == "main":
        for catalog, condition in STATIC_FILTERS.items():
            _copy_static_rows(connection, catalog, condition)
    first = FIRST_NORMAL_OID if schema == "main" else FIRST_TEMPORARY_OID
    connection.execute(
        f'INSERT INTO {schema}."litephant.state" VALUES (?, ?), (?, ?)', ("next_oid", first, "catalog_version", 1)
    )
    connection.execute("RELEASE bootstrap")


def is_bootstrapped(connection: Statements, schema: str = "main") -> bool:
    """Whether the catalog tables are there."""
    sql = f"SELECT 1 FROM {schema}.sqlite_schema WHERE name = 'litephant.state'"
    return next(iter(connection.execute(sql)), None) is not None


def allocate_oid(connection: Statements, schema: str = "main") -> int:
    """A new OID. The counter is part of the transaction: an OID that was rolled back is given again, nobody has seen it."""
    sql = f'UPDATE {schema}."litephant.state" SET value = value + 1 WHERE name = ? RETURNING value - 1'
    return int(next(iter(connection.execute(sql, ("next_oid",))))[0])


def catalog_version(connection: Statements, schema: str = "main") -> int:
    """A number that every committed DDL statement raises."""
    sql = f'SELECT value FROM {schema}."litephant.state" WHERE name = ?'
    return int(next(iter(connection.execute(sql, ("catalog_version",))))[0])


def bump_catalog_version(connection: Statements, schema: str = "main") -> None:
    """Tell every session that its snapshot of the catalog is old."""
    connection.execute(f'UPDATE {schema}."litephant.state" SET value = value + 1 WHERE name = ?', ("catalog_version",))


def live_name(catalog: str) -> str:
    """The relation whose rows the server computes; the static file has a table of the catalog's own name."""
    return f"pg_catalog.live.{catalog}"


def united_name(catalog: str) -> str:
    """The temp view of all rows, PostgreSQL's and the user's (views.py): no table in any schema has such a name."""
    return f"pg_catalog.all.{catalog}"


@cache
def user_catalog(name: str) -> CatalogTable:
    """The description of a catalog table."""
    return next(table for table in catalog_tables() if table.name == name)


def storage_name(catalog: str, schema: str = "main") -> str:
    """How SQL names a catalog table of the database file (or of the temp schema)."""
    return f'temp."pg_temp.{catalog}"' if schema == "temp" else f'main."pg_catalog.{catalog}"'


@cache
def _bootstrap_script(schema: str) -> str:
    tables = [_create_catalog(user_catalog(name), schema) for name in USER_CATALOGS]
    more = (
        f'CREATE INDEX {schema}."pg_catalog.{catalog}_{column}" ON {_table(catalog, schema)} ("{column}");'
        for catalog, column in _MORE_INDEXES
    )
    return "\n".join((*tables, *more, _OURS.format(schema=schema)))


def _create_catalog(table: CatalogTable, schema: str) -> str:
    columns = [f'"{column.name}" {column.sqlite_type}{" NOT NULL" if column.not_null else ""}' for column in table.columns]
    suffix = ""
    if table.primary_key == ("oid",):
        columns[0] = "oid INTEGER PRIMARY KEY NOT NULL"
    elif table.primary_key:
        columns.append(f"PRIMARY KEY ({_column_list(table.primary_key)})")
        suffix = " WITHOUT ROWID"
    lines = [f"CREATE TABLE {storage_name(table.name, schema)} ({', '.join(columns)}){suffix};"]
    lines.extend(
        f'CREATE {"UNIQUE " if index.unique else ""}INDEX {schema}."pg_catalog.{index.name}" '
        f"ON {_table(table.name, schema)} ({_column_list(index.columns)});"
        for index in table.indexes
    )
    return "\n".join(lines)


def _table(catalog: str, schema: str) -> str:
    return storage_name(catalog, schema).partition(".")[2]


def _column_list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _copy_static_rows(connection: Statements, catalog: str, condition: str) -> None:
    """Copy the rows that `condition` hides (they are few and their shape is `column <> constant`)."""
    column, _, constant = condition.partition(" <> ")
    if not constant:
        return
    rows = load(catalog)
    for values in rows.select():
        row = dict(zip(rows.types, values, strict=True))
        if row[column] == int(constant):
            from proxy.pg_catalog import rows as catalog_rows

            catalog_rows.insert(connection, catalog, **row)

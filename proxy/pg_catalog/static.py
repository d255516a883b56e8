"""The rows every PostgreSQL database has, as one read-only SQLite file that each connection attaches.

The truth is the text in `translator/data/`; this module pours it into tables, once for each version of the text, and
keeps the file in a cache directory: $LITEPHANT_CACHE, else $XDG_CACHE_HOME/litephant, else ~/.cache/litephant, else
(nothing writable) a private temporary directory. Attach it with `path.as_uri() + "?mode=ro&immutable=1"`.

* A table for each table of pg_catalog (`pg_class`) and information_schema (`information_schema.sql_features`), also
  for those that have no rows here, with the columns that pg_attribute lists. Views are not here (`views.sql`).
* A value is stored as litephant stores its type: bool as 0 or 1, oid and reg* as INTEGER, arrays and vectors as JSON
  text, pg_node_tree as the SQL of the expression, everything else as TEXT.
* Indexes are PostgreSQL's own, as pg_index lists them, and a few that joins of clients want (`_MORE_INDEXES`).

Rule: the file's name contains a digest of the text and of this module. So a file is never changed and never stale, two
processes that build it at the same time write the same, and files of other versions may be in use and are left alone.
"""

import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from translator.data import Rows, catalog_digest, load, relation_names

_SCHEMAS = ("pg_catalog", "information_schema")

# PostgreSQL scans these, or has the relation in a cache; a client's join over the whole catalog wants an index.
_MORE_INDEXES = (
    ("pg_class", ("relnamespace",)),
    ("pg_proc", ("pronamespace",)),
    ("pg_type", ("typnamespace",)),
    ("pg_type", ("typrelid",)),
    ("pg_type", ("typelem",)),
)

_INTEGER_TYPES = frozenset({"bool", "int2", "int4", "int8", "oid", "xid"})


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A column of a catalog table: its PostgreSQL type (a domain's base type) and what SQLite is told."""

    name: str
    type_name: str
    sqlite_type: str
    not_null: bool


@dataclass(frozen=True, slots=True)
class CatalogIndex:
    """An index of a catalog table, by column names."""

    name: str
    columns: tuple[str, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A table of pg_catalog or information_schema, with the primary key and the indexes that PostgreSQL gives it."""

    oid: int
    schema: str
    relname: str
    columns: tuple[CatalogColumn, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[CatalogIndex, ...]

    @property
    def name(self) -> str:
        """The name of the table in the file: pg_catalog goes without saying."""
        return self.relname if self.schema == "pg_catalog" else f"{self.schema}.{self.relname}"


def ensure_static_catalog(cache_dir: Path | None = None) -> Path:
    """The absolute path of the file; built first if the cache directory has none of this version (0.1 s)."""
    name = f"catalog-{_file_digest()}.sqlite"
    directory = (cache_dir or _default_cache_directory()).absolute()
    if (directory / name).is_file():
        return directory / name
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _build_into(directory / name)
    except OSError:
        path = _private_directory() / name
        return path if path.is_file() else _build_into(path)


@cache
def catalog_tables() -> tuple[CatalogTable, ...]:
    """Every table of both schemas, in the order of their OIDs."""
    columns, indexes = _columns_by_table(), _indexes_by_table()
    schemas = {oid: name for oid, name in load("pg_namespace").select("oid", "nspname") if name in _SCHEMAS}
    tables = []
    for oid, relname, namespace, relkind in load("pg_class").select("oid", "relname", "relnamespace", "relkind"):
        if relkind == "r" and namespace in schemas:
            primary_key, others = indexes.get(oid, ((), ()))
            tables.append(CatalogTable(oid, schemas[namespace], relname, columns[oid], primary_key, others))
    return tuple(tables)


def _default_cache_directory() -> Path:
    if chosen := os.environ.get("LITEPHANT_CACHE"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "litephant"
    try:
        return Path.home() / ".cache" / "litephant"
    except RuntimeError:  # a user without a home directory
        return _private_directory()


@cache
def _private_directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="litephant-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@cache
def _file_digest() -> str:
    return hashlib.blake2b(catalog_digest().encode() + Path(__file__).read_bytes(), digest_size=8).hexdigest()


def _build_into(path: Path) -> Path:
    """Build beside `path`, and rename only when everything is on the disk: a reader finds a whole file or none."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".tmp")
    temporary = Path(name)
    try:
        with closing(apsw.Connection(name)) as connection:
            _build(connection)
        os.fsync(descriptor)
        temporary.chmod(0o444)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
    finally:
        os.close(descriptor)
    return path


def _build(connection: apsw.Connection) -> None:
    with_rows = frozenset(relation_names())
    connection.pragma("journal_mode", "off")
    connection.pragma("synchronous", "off")
    connection.execute("BEGIN")
    for table in catalog_tables():
        connection.execute(_create_table(table))
        if table.name in with_rows:
            marks = ",".join("?" * len(table.columns))
            connection.executemany(f"INSERT INTO {_quote(table.name)} VALUES ({marks})", _stored(load(table.name)))
        for index in table.indexes:
            connection.execute(_create_index(table, index))
    # ANALYZE, because joins of clients name five catalogs at once, and the planner must begin with the small ones.
    connection.execute("ANALYZE")
    connection.execute("COMMIT")


def _create_table(table: CatalogTable) -> str:
    """With the primary key as the table's own order: rows are looked up by it far more often than they are scanned."""
    parts = [f"{_quote(column.name)} {column.sqlite_type}{' NOT NULL' if column.not_null else ''}" for column in table.columns]
    suffix = ""
    if table.primary_key == ("oid",):
        parts[0] = "oid INTEGER PRIMARY KEY NOT NULL"
    elif table.primary_key:
        parts.append(f"PRIMARY KEY ({', '.join(map(_quote, table.primary_key))})")
        suffix = " WITHOUT ROWID"
    return f"CREATE TABLE {_quote(table.name)} ({', '.join(parts)}){suffix}"


def _create_index(table: CatalogTable, index: CatalogIndex) -> str:
    unique = "UNIQUE " if index.unique else ""
    columns = ", ".join(map(_quote, index.columns))
    return f"CREATE {unique}INDEX {_quote(index.name)} ON {_quote(table.name)} ({columns})"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _stored(rows: Rows) -> Iterator[tuple[Any, ...]]:
    return zip(*(_stored_column(rows, name) for name in rows.types), strict=True)


def _stored_column(rows: Rows, name: str) -> Iterable[Any]:
    values = rows.column(name)
    type_name = rows.types[name]
    if not type_name.endswith(("[]", "vector")):
        return values  # apsw binds True as 1
    as_json: Callable[[Any], str] = cache(json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode)
    return [None if value is None else as_json(value) for value in values]


def _columns_by_table() -> dict[int, tuple[CatalogColumn, ...]]:
    type_names = _stored_type_names()
    attributes = load("pg_attribute").select("attrelid", "attnum", "attname", "atttypid", "attnotnull")
    columns: dict[int, list[CatalogColumn]] = {}
    for relation, _, name, type_oid, is_not_null in sorted(row for row in attributes if row[1] > 0):
        type_name = type_names[type_oid]
        # Our rows leave the query tree of a view's rule out; it is views.sql that says what a view means.
        not_null = is_not_null and type_name != "pg_node_tree"
        column = CatalogColumn(name, type_name, _sqlite_type(type_name), not_null)
        columns.setdefault(relation, []).append(column)
    return {relation: tuple(of_relation) for relation, of_relation in columns.items()}


def _stored_type_names() -> dict[int, str]:
    """The name of each type, and for a domain that of its base type (information_schema's columns are domains)."""
    types = load("pg_type")
    names = dict(types.select("oid", "typname"))
    domains = {oid: names[base] for oid, base, kind in types.select("oid", "typbasetype", "typtype") if kind == "d"}
    return names | domains


def _sqlite_type(type_name: str) -> str:
    if type_name in _INTEGER_TYPES or type_name.startswith("reg"):
        return "INTEGER"
    if type_name in {"float4", "float8"}:
        return "REAL"
    return "BLOB" if type_name == "bytea" else "TEXT"


def _indexes_by_table() -> dict[int, tuple[tuple[str, ...], tuple[CatalogIndex, ...]]]:
    """The primary key's columns and the other indexes of each table that has any."""
    relation_oids = dict(load("pg_class").select("relname", "oid"))
    index_names = dict(load("pg_class").select("oid", "relname"))
    attributes = load("pg_attribute")
    attribute_names = {(row[0], row[1]): row[2] for row in attributes.select("attrelid", "attnum", "attname")}
    primary_keys: dict[int, tuple[str, ...]] = {}
    others: dict[int, list[CatalogIndex]] = {}
    listed = load("pg_index").select("indexrelid", "indrelid", "indkey", "indisprimary", "indisunique")
    for index, table, key, is_primary, is_unique in listed:
        columns = tuple(attribute_names[table, number] for number in key)
        if is_primary:
            primary_keys[table] = columns
        else:
            others.setdefault(table, []).append(CatalogIndex(index_names[index], columns, is_unique))
    for relname, columns in _MORE_INDEXES:
        name = f"{relname}_{'_'.join(columns)}_index"
        others.setdefault(relation_oids[relname], []).append(CatalogIndex(name, columns, unique=False))
    tables = primary_keys.keys() | others.keys()
    return {table: (primary_keys.get(table, ()), tuple(others.get(table, ()))) for table in tables}

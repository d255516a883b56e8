"""Sizes of relations and databases, from SQLite's own page statistics (the dbstat virtual table)."""

from pathlib import Path

from proxy.pg_catalog import current, rows
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.relations import FIRST_NORMAL_OID
from translator.functions.registry import function

_PAGE = 8192  # what PostgreSQL reports for an empty index; also a system catalog's size here


def _size_of(oid: int) -> int | None:
    """The bytes that a relation's b-tree takes; 0 for what has none, None for what does not exist."""
    if oid < FIRST_NORMAL_OID:
        return _PAGE if record(current.connection(), "pg_class", oid) else None
    schema = rows.schema_of(oid)
    connection = current.connection()
    row = connection.execute(f'SELECT storage FROM {schema}."litephant.relation" WHERE oid = ?', (oid,)).fetchone()
    if row is None:
        return None
    if row[0] is None:
        return 0
    sql = f"SELECT sum(pgsize) FROM dbstat('{schema}', 1) WHERE name = ?"
    return int(connection.execute(sql, (row[0],)).fetchone()[0] or 0)


def _indexes(oid: int) -> int:
    schema = rows.schema_of(oid)
    if oid < FIRST_NORMAL_OID:
        return 0
    found = rows.select(current.connection(), "pg_index", ["indexrelid"], schema, indrelid=oid)
    return sum(_size_of(index) or 0 for (index,) in found)


@function("pg_relation_size", deterministic=False)
def pg_relation_size(oid: int, fork: str = "main") -> int | None:
    """The size of the table or index itself; the other forks do not exist."""
    size = _size_of(oid)
    return size if fork == "main" or size is None else 0


@function("pg_table_size", deterministic=False)
def pg_table_size(oid: int) -> int | None:
    """The size of a table without its indexes."""
    return _size_of(oid)


@function("pg_indexes_size", deterministic=False)
def pg_indexes_size(oid: int) -> int | None:
    """The size of a table's indexes."""
    return None if _size_of(oid) is None else _indexes(oid)


@function("pg_total_relation_size", deterministic=False)
def pg_total_relation_size(oid: int) -> int | None:
    """The size of a table and its indexes."""
    size = _size_of(oid)
    return None if size is None else size + _indexes(oid)


@function("pg_database_size_oid", "pg_database_size_name", deterministic=False)
def pg_database_size(database: int | str) -> int:
    """The size of the database's file and its log."""
    path = Path(current.connection().path)
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


@function("pg_tablespace_size_oid", "pg_tablespace_size_name", deterministic=False)
def pg_tablespace_size(tablespace: int | str) -> int:
    """There is one place for files."""
    return pg_database_size(0)


@function("pg_relation_filenode", deterministic=False)
def pg_relation_filenode(oid: int) -> int | None:
    """pg_class.relfilenode, which stands for no file here."""
    row = record(current.connection(), "pg_class", oid)
    return (row["relfilenode"] or row["oid"]) if row and row["relkind"] in "rmitS" else None


@function("pg_relation_filepath", deterministic=False)
def pg_relation_filepath(oid: int) -> str | None:
    """The file that holds the relation: the database's."""
    row = record(current.connection(), "pg_class", oid)
    return Path(current.connection().path).name if row and row["relkind"] in "rmitS" else None

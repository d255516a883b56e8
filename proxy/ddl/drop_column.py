"""Dropping a column: its row stays as a dropped one, the SQLite column goes (RemoveAttributeById, heap.c)."""

from proxy.ddl import rebuild, sqlite_schema
from proxy.ddl.execution import Execution
from proxy.ddl.names import quote
from proxy.pg_catalog.rows import schema_of
from translator.catalog import Relation


def drop_column(execution: Execution, relation: Relation, attnum: int) -> None:
    """Drop a column on which nothing depends any more."""
    column = next(each for each in relation.columns if each.attnum == attnum)
    was_rowid = _is_rowid(execution, relation, column.storage_name)
    execution.update(
        "pg_attribute",
        relation.oid,
        {
            "attname": f"........pg.dropped.{attnum}........",
            "atttypid": 0,
            "attnotnull": False,
            "atthasdef": False,
            "atthasmissing": False,
            "attidentity": "",
            "attgenerated": "",
            "attisdropped": True,
            "attacl": None,
            "attoptions": None,
        },
        attrelid=relation.oid,
        attnum=attnum,
    )
    sql = f'DELETE FROM {schema_of(relation.oid)}."litephant.attribute" WHERE relid = ? AND attnum = ?'
    execution.connection.execute(sql, (relation.oid, attnum))
    execution.changed()
    if relation.kind not in "rm":
        return
    now = execution.relation(relation.oid)
    if was_rowid or not now.columns:
        rebuild.rebuild(execution, now)
        return
    # The text must not name the column in a constraint, or SQLite refuses; the column itself it takes out.
    _forget_constraints(execution, now, column.storage_name)
    table = f"{relation.where}.{quote(relation.storage)}"
    execution.connection.execute(f"ALTER TABLE {table} DROP COLUMN {quote(column.storage_name)}")
    sqlite_schema.rewrite_table(execution, now)


def _forget_constraints(execution: Execution, relation: Relation, storage: str) -> None:
    """Give the table a text without constraints, with its columns in the order in which they are stored."""
    connection = execution.connection
    names = connection.execute(
        f"SELECT name, type FROM pragma_table_xinfo(?, '{relation.where}') ORDER BY cid", (relation.storage,)
    ).fetchall()
    alias = sqlite_schema.rowid_alias(execution, relation)
    columns = ", ".join(
        f"{quote(name)} {'INTEGER PRIMARY KEY' if alias and alias.storage_name == name else kind}" for name, kind in names
    )
    sqlite_schema.write_text(execution, relation, f"CREATE TABLE {quote(relation.storage)} ({columns})")


def _is_rowid(execution: Execution, relation: Relation, storage: str) -> bool:
    rows = execution.connection.execute(
        f"SELECT pk FROM pragma_table_xinfo(?, '{relation.where}') WHERE name = ?", (relation.storage, storage)
    ).fetchall()
    return bool(rows and rows[0][0])

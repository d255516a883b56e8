"""Rebuilding a table: what neither SQLite's ALTER TABLE nor a new schema text can do, because rows are stored otherwise.

A new table is filled from the old one and takes its name, in the transaction, by the steps that SQLite documents
(https://www.sqlite.org/lang_altertable.html). With one difference: foreign keys cannot be switched off inside
a transaction, and dropping a parent would act on its children, so the two tables exchange their names in sqlite_schema
before the old one is dropped under a name that no child refers to.
"""

from proxy.ddl import sqlite_schema
from proxy.ddl.execution import Execution
from proxy.ddl.names import quote
from translator.catalog import Relation

_NEW = "litephant.rebuild"


def synchronize(execution: Execution, relation: Relation) -> None:
    """Make the SQLite table what the catalog says; a rebuild only if its rowid becomes, or no longer is, a column."""
    sql = f"SELECT name FROM pragma_table_xinfo(?, '{relation.where}') WHERE pk"
    row = execution.connection.execute(sql, (relation.storage,)).fetchone()
    alias = sqlite_schema.rowid_alias(execution, relation)
    if (None if row is None else row[0]) == (None if alias is None else alias.storage_name):
        sqlite_schema.rewrite_table(execution, relation)
    else:
        rebuild(execution, relation)


def rebuild(execution: Execution, relation: Relation) -> None:
    """Store the rows of a table as its catalog rows say now. Columns must be those that the SQLite table has."""
    run = execution.connection.execute
    schema, name = relation.where, relation.storage
    run(sqlite_schema.table_sql(execution, relation, f"{schema}.{quote(_NEW)}"))
    known = set(stored_columns(execution, relation, name))
    stored = stored_columns(execution, relation, _NEW)
    values = {each: quote(each) for each in stored if each in known} or dict.fromkeys(stored[:1], "NULL")
    if values:
        run("PRAGMA ignore_check_constraints = ON").fetchall()  # rows may be older than a NOT VALID constraint
        columns = ", ".join(quote(each) for each in values)
        run(f"INSERT INTO {schema}.{quote(_NEW)} ({columns}) SELECT {', '.join(values.values())} FROM {schema}.{quote(name)}")
        run("PRAGMA ignore_check_constraints = OFF").fetchall()
    _exchange(execution, relation)
    run(f"DROP TABLE {schema}.{quote(_NEW)}")
    for index in relation.indexes:
        sqlite_schema.create_index(execution, relation, index.oid)


def stored_columns(execution: Execution, relation: Relation, table: str) -> list[str]:
    """The columns of a SQLite table that can be assigned to (a generated column cannot)."""
    sql = f"SELECT name FROM pragma_table_xinfo(?, '{relation.where}') WHERE hidden = 0"
    return [name for (name,) in execution.connection.execute(sql, (table,))]


def _exchange(execution: Execution, relation: Relation) -> None:
    """Give the new table the old one's name and the other way round; the old one's indexes go with it."""
    run = execution.connection.execute
    schema, name = relation.where, relation.storage
    version = run(f"PRAGMA {schema}.schema_version").fetchone()[0]
    drop = "SELECT name FROM {}.sqlite_schema WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL"
    for (index,) in run(drop.format(schema), (name,)).fetchall():
        run(f"DROP INDEX {schema}.{quote(index)}")
    new_sql = sqlite_schema.table_sql(execution, relation, quote(name))
    (old_sql,) = run(f"SELECT sql FROM {schema}.sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone()
    old_sql = f"CREATE TABLE {quote(_NEW)} {old_sql[old_sql.index('(') :]}" if "(" in old_sql else old_sql
    run("PRAGMA writable_schema = ON").fetchall()
    update = f"UPDATE {schema}.sqlite_schema SET name = ?, tbl_name = ?, sql = ? WHERE type = 'table' AND name = ?"
    run(update, ("litephant.exchange", "litephant.exchange", new_sql, _NEW))
    run(update, (_NEW, _NEW, old_sql, name))
    run(update, (name, name, new_sql, "litephant.exchange"))
    run("PRAGMA writable_schema = RESET").fetchall()
    run(f"PRAGMA {schema}.schema_version = {version + 1}").fetchall()

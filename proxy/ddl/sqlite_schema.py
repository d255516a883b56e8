"""The SQLite side of tables and indexes, printed from the catalog.

A table's CREATE TABLE text in sqlite_schema follows from its catalog rows at any time. So most of ALTER TABLE is: change
the rows, then write the new text into sqlite_schema (`rewrite_table`), which SQLite documents for changes that do not
affect what is stored (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
It costs nothing, whatever the size of the table, and no child's foreign key notices.

Keys are separate unique indexes, except a primary key that is SQLite's rowid: so they come and go without the table.
"""

import json
from typing import Any

from proxy.ddl.execution import Execution
from proxy.ddl.expressions import parse_expression, recompile
from proxy.ddl.names import index_storage, quote
from proxy.pg_catalog.rows import schema_of
from translator import compiler, oids
from translator.catalog import Catalog, Column, Constraint, Relation
from translator.errors import unsupported
from translator.functions.registry import IMPLEMENTATIONS
from translator.types import numeric, registry

_INTEGERS = frozenset({oids.INT2, oids.INT4, oids.INT8})
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_DESC = 1
NO_COLUMN = "litephant.none"

# Access methods whose SQLite index helps; the others are rows of the catalog only.
_INDEXED_METHODS = frozenset({"btree", "hash"})


def create_table(execution: Execution, relation: Relation) -> None:
    """Create the SQLite table of a relation whose rows are written."""
    execution.connection.execute(table_sql(execution, relation, f"{relation.where}.{quote(relation.storage)}"))


def rewrite_table(execution: Execution, relation: Relation) -> None:
    """Give the SQLite table the definition that the catalog has now. What is stored must already agree with it."""
    write_text(execution, relation, table_sql(execution, relation, quote(relation.storage)))


def write_text(execution: Execution, relation: Relation, sql: str) -> None:
    """Write the text of a table into sqlite_schema."""
    run = execution.connection.execute
    schema = relation.where
    version = run(f"PRAGMA {schema}.schema_version").fetchone()[0]
    run("PRAGMA writable_schema = ON").fetchall()
    run(f"UPDATE {schema}.sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (sql, relation.storage))
    # Read the schema again, then mark it as changed, so that other connections and a rollback read it too.
    run("PRAGMA writable_schema = RESET").fetchall()
    run(f"PRAGMA {schema}.schema_version = {version + 1}").fetchall()


def table_sql(execution: Execution, relation: Relation, name: str) -> str:
    """The CREATE TABLE statement."""
    alias = rowid_alias(execution, relation)
    defaults = _set_to_default(execution, relation)
    parts = [_column_sql(execution, relation, column, alias) + defaults.get(column.attnum, "") for column in relation.columns]
    checks = sorted((each for each in relation.constraints if each.kind == "c" and each.enforced), key=lambda each: each.name)
    for check in checks:
        if not check.enforced_by_server:
            compiled = recompile(execution, relation, check.expression, "CHECK constraint")
            parts.append(f"CONSTRAINT {quote(check.name)} CHECK ({compiled.sql})")
    foreign_keys = sorted(
        (each for each in relation.constraints if each.kind == "f" and each.enforced), key=lambda each: each.oid
    )
    parts.extend(_foreign_key_sql(execution, relation, each) for each in foreign_keys)
    # SQLite wants a column; a table without columns has one that no name reaches.
    return f"CREATE TABLE {name} ({', '.join(parts) or quote(NO_COLUMN)})"


def bare_sql(execution: Execution, relation: Relation) -> str:
    """A text of the table with types and without constraints, under which rows can be changed."""
    alias = rowid_alias(execution, relation)
    parts = []
    for column in relation.columns:
        if column.computed:
            parts.append(_column_sql(execution, relation, column, alias))
        else:
            kind = storage_type(execution.catalog, column.type_oid, column.typmod)
            parts.append(f"{quote(column.storage_name)} {'INTEGER PRIMARY KEY' if column is alias else kind}")
    return f"CREATE TABLE {quote(relation.storage)} ({', '.join(parts)})"


def _column_sql(execution: Execution, relation: Relation, column: Column, alias: Column | None) -> str:
    name = quote(column.storage_name)
    if column is alias:
        return f"{name} INTEGER PRIMARY KEY NOT NULL"
    sql = f"{name} {storage_type(execution.catalog, column.type_oid, column.typmod)}"
    if column.computed and column.default is not None:
        compiled = recompile(execution, relation, column.default, "generated column")
        sql += f" GENERATED ALWAYS AS ({compiled.sql}) {'STORED' if column.generated == 's' else 'VIRTUAL'}"
    return f"{sql} NOT NULL" if column.not_null and not column.computed_when_read else sql


def _set_to_default(execution: Execution, relation: Relation) -> dict[int, str]:
    """DEFAULT clauses of columns that a foreign key sets to their default: only there SQLite has to know it."""
    found: dict[int, str] = {}
    for constraint in relation.constraints:
        if constraint.kind != "f" or not constraint.enforced:
            continue
        row = execution.record("pg_constraint", constraint.oid, oid=constraint.oid)
        if "d" not in (row["confupdtype"], row["confdeltype"]):
            continue
        for column in relation.columns:
            text = column.default or execution.catalog.domain_default(column.type_oid)
            if column.attnum not in constraint.columns or text is None:
                continue
            target = (column.type_oid, column.typmod)
            node = parse_expression(text)
            compiled = compiler.compile_expression(node, execution.catalog, execution.settings, target=target)
            if not compiled.constant or compiled.functions:
                raise unsupported(f'SET DEFAULT for column "{column.name}", whose default is no constant')
            found[column.attnum] = f" DEFAULT ({compiled.sql})"
    return found


def rowid_alias(execution: Execution, relation: Relation) -> Column | None:
    """The column that is SQLite's rowid: the single integer of a primary key that has no index of its own."""
    primary = next((each for each in relation.constraints if each.kind == "p"), None)
    if (
        primary is None
        or primary.deferrable
        or len(primary.columns) != 1
        or index_storage(execution, primary.index) is not None
    ):
        return None
    return next(column for column in relation.columns if column.attnum == primary.columns[0])


def may_be_rowid(execution: Execution, relation: Relation, attnums: tuple[int, ...]) -> bool:
    """Whether a primary key over these columns can be the rowid."""
    if len(attnums) != 1 or relation.kind != "r":
        return False
    column = next(column for column in relation.columns if column.attnum == attnums[0])
    return is_integer(column.type_oid)


def is_integer(type_oid: int) -> bool:
    """Whether SQLite's rowid can hold the type's values."""
    return type_oid in _INTEGERS


def storage_type(catalog: Catalog, type_oid: int, typmod: int) -> str:
    """The declared SQLite type of a column. numeric has a storage form that depends on its typmod."""
    type_oid, typmod = catalog.base_type_and_typmod(type_oid, typmod)
    if type_oid == oids.NUMERIC:
        return numeric_storage(typmod)
    return registry.type_of(type_oid, catalog).sqlite_type


def numeric_storage(typmod: int) -> str:
    """INTEGER, REAL or TEXT: what keeps numeric(p, s) exactly."""
    if not numeric.has_storage_form(typmod):
        return "TEXT"
    return "REAL" if numeric.unpack_typmod(typmod)[1] else "INTEGER"


def _foreign_key_sql(execution: Execution, relation: Relation, constraint: Constraint) -> str:
    row = execution.record("pg_constraint", constraint.oid, oid=constraint.oid)
    parent = relation if constraint.referenced == relation.oid else execution.relation(constraint.referenced)
    sql = (
        f"CONSTRAINT {quote(constraint.name)} FOREIGN KEY ({_columns(relation, constraint.columns)}) "
        f"REFERENCES {quote(parent.storage)} ({_columns(parent, constraint.referenced_columns)}) "
        f"ON UPDATE {_ACTIONS[row['confupdtype']]} ON DELETE {_ACTIONS[row['confdeltype']]}"
    )
    if constraint.deferrable:
        sql += f" DEFERRABLE INITIALLY {'DEFERRED' if constraint.deferred else 'IMMEDIATE'}"
    return sql


def _columns(relation: Relation, attnums: tuple[int, ...]) -> str:
    names = {column.attnum: column.storage_name for column in relation.columns}
    return ", ".join(quote(names[attnum]) for attnum in attnums)


# ---------------------------------------------------------------------- indexes


def create_index(execution: Execution, relation: Relation, index: int) -> None:
    """Create the SQLite index of a pg_index row, unless the rowid is it or its access method has no use for one."""
    storage = index_storage(execution, index)
    if storage is None:
        return
    row = execution.record("pg_index", index, indexrelid=index)
    sql, functions = index_sql(execution, relation, row, storage)
    if not all(IMPLEMENTATIONS[name.partition("@")[0]].deterministic for name in functions):
        # SQLite indexes pure functions only, and these read the catalog; queries give the same without the index
        if row["indisunique"]:
            raise unsupported("a unique index over fields of a composite value")
        return
    execution.connection.require(functions)
    execution.connection.execute(sql)


def ensure_index(execution: Execution, relation: Relation, index: int) -> None:
    """Create the SQLite index unless it is there (a rebuild has created it)."""
    storage = index_storage(execution, index)
    sql = f"SELECT 1 FROM {relation.where}.sqlite_schema WHERE type = 'index' AND name = ?"
    if execution.connection.execute(sql, (storage,)).fetchone() is None:
        create_index(execution, relation, index)


def is_physical(method: str) -> bool:
    """Whether an index of that access method becomes a SQLite index."""
    return method in _INDEXED_METHODS


def index_sql(execution: Execution, relation: Relation, row: dict[str, Any], storage: str) -> tuple[str, frozenset[str]]:
    """The CREATE INDEX statement and the functions of ours that it needs."""
    keys, functions = key_expressions(execution, relation, row)
    texts = key_parts(row, keys)
    # The keys of a DEFERRABLE constraint are compared when it is due (session/deferrable_keys.py).
    unique = "UNIQUE " if row["indisunique"] and row["indimmediate"] else ""
    where = ""
    if row["indpred"]:
        predicate = recompile(execution, relation, row["indpred"], "index predicate")
        functions |= predicate.functions
        where = f" WHERE {predicate.sql}"
    target = f"{schema_of(relation.oid)}.{quote(storage)} ON {quote(relation.storage)}"
    return f"CREATE {unique}INDEX {target} ({', '.join(texts)}){where}", functions


def key_parts(row: dict[str, Any], keys: list[tuple[str, bool]]) -> list[str]:
    """The terms of a SQLite index over `key_expressions`: NULLS NOT DISTINCT takes two for a key, neither of them ever NULL."""
    if row["indnullsnotdistinct"]:
        return [part for key, _ in keys for part in (f"({key}) IS NULL", f"ifnull({key}, 0)")]
    return [f"{key}{' DESC' if descending else ''}" for key, descending in keys]


def key_expressions(
    execution: Execution, relation: Relation, row: dict[str, Any]
) -> tuple[list[tuple[str, bool]], frozenset[str]]:
    """(SQLite expression, descending) of every key column, and the functions of ours in them."""
    attnums, options = json.loads(row["indkey"]), json.loads(row["indoption"])
    texts = iter(json.loads(row["indexprs"]) if row["indexprs"] else ())
    by_number = {column.attnum: column for column in relation.columns}
    functions: frozenset[str] = frozenset()
    keys = []
    for attnum, option in zip(attnums[: row["indnkeyatts"]], options, strict=True):
        if attnum:
            column = by_number[attnum]
            sql, type_oid, typmod = quote(column.storage_name), column.type_oid, column.typmod
            key = equality_key(execution.catalog, type_oid, typmod)
        else:
            compiled = recompile(execution, relation, next(texts), "index expression")
            sql, functions = f"({compiled.sql})", functions | compiled.functions
            type_oid = compiled.type_oid
            key = equality_key(execution.catalog, type_oid, -1)
        if key is not None:
            told = f"{execution.catalog.base_type(type_oid)}, " if key in TYPED_KEYS else ""
            sql, functions = f"pg_{key}({told}{sql})", functions | {key}
        keys.append((sql, bool(option & _DESC)))
    return keys, functions


# Keys of types that are made up of others are told the type (translator/lower/lowering.py).
TYPED_KEYS = {"key_array", "key_record", "key_enum"}


def equality_key(catalog: Catalog, type_oid: int, typmod: int) -> str | None:
    """The function whose values are equal where PostgreSQL's are, if the stored values are not enough.

    Enums, arrays and jsonb are stored canonically: equal values are equal texts, and only their order needs a key.
    """
    type_oid, typmod = catalog.base_type_and_typmod(type_oid, typmod)
    row = catalog.type(type_oid)
    if row.kind == "e" or type_oid == oids.JSONB or row.element:
        return None
    if type_oid == oids.NUMERIC and numeric_storage(typmod) != "TEXT":
        return None
    return registry.type_of(type_oid, catalog).key

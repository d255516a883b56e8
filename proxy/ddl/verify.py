"""Whether the rows of a table obey a constraint that it is about to get. Raises what PostgreSQL reports if not.

Each check is one query, so a table that obeys is read once.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from proxy.ddl.execution import Execution
from proxy.ddl.names import quote
from proxy.ddl.sqlite_schema import key_expressions, key_parts
from translator import sqlstate
from translator.catalog import Column, Constraint, Relation
from translator.compiler import Expression
from translator.errors import SqlError
from translator.quoting import quote_identifier
from translator.types import registry


def no_duplicates(execution: Execution, relation: Relation, index: int) -> None:
    """A unique index can be built: 23505 with the key that stands twice."""
    key = duplicate_key(execution, relation, index)
    if key is None:
        return
    name = execution.record("pg_class", index, oid=index)["relname"]
    raise SqlError(
        sqlstate.UNIQUE_VIOLATION,
        f'could not create unique index "{name}"',
        detail=f"{key} is duplicated.",
        schema=relation.schema,
        table=relation.name,
        constraint=name,
    )


def duplicate_key(execution: Execution, relation: Relation, index: int, rows: Collection[int] | None = None) -> str | None:
    """The first key that stands twice, as `Key (a, b)=(1, 2)`: of the whole table, or of the rows with these rowids only."""
    row = execution.record("pg_index", index, indexrelid=index)
    keys, functions = key_expressions(execution, relation, row)
    from proxy.ddl.expressions import recompile

    conditions = [] if row["indnullsnotdistinct"] else [f"{key} IS NOT NULL" for key, _ in keys]
    if row["indpred"]:
        predicate = recompile(execution, relation, row["indpred"], "index predicate")
        functions |= predicate.functions
        conditions.insert(0, f"({predicate.sql})")
    parts = key_parts(row, [(key, False) for key, _ in keys])
    order, binds = "", list[str]()
    if rows is not None:
        touched = f"SELECT {', '.join(parts)} FROM {_from(relation)} WHERE {relation.rowid} IN (SELECT value FROM json_each(?))"
        conditions.append(f"({', '.join(parts)}) IN ({touched})")
        order, binds = f"ORDER BY min({relation.rowid})", [json.dumps(list(rows))]
    execution.connection.require(functions)
    shown, names, kinds = _printed_key(execution, relation, row, [key for key, _ in keys])
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = (
        f"SELECT {', '.join(shown)} FROM {_from(relation)} {where}"
        f" GROUP BY {', '.join(parts)} HAVING count(*) > 1 {order} LIMIT 1"
    )
    found = execution.connection.execute(sql, binds).fetchone()
    return None if found is None else f"Key ({', '.join(names)})=({', '.join(_texts(execution, kinds, found))})"


def _printed_key(
    execution: Execution, relation: Relation, row: dict[str, Any], keys: list[str]
) -> tuple[list[str], list[str], list[int]]:
    """Of every key of an index: what to select, how PostgreSQL prints it, its type (BuildIndexValueDescription)."""
    from proxy.ddl.expressions import recompile

    texts = iter(json.loads(row["indexprs"]) if row["indexprs"] else ())
    by_number = {column.attnum: column for column in relation.columns}
    shown, names, kinds = [], [], []
    for attnum, _ in zip(json.loads(row["indkey"]), keys, strict=False):
        if attnum:
            column = by_number[attnum]
            shown.append(quote(column.storage_name))
            names.append(quote_identifier(column.name))
            kinds.append(column.type_oid)
        else:
            text = next(texts)
            compiled = recompile(execution, relation, text, "index expression")
            shown.append(f"({compiled.sql})")
            names.append(text if re.match(r'[\w."]+\(|\(', text) else f"({text})")
            kinds.append(compiled.type_oid)
    return shown, names, kinds


def no_nulls(execution: Execution, relation: Relation, column: Column) -> None:
    """A column can be NOT NULL: 23502."""
    value = quote(column.storage_name)
    if column.computed_when_read:
        from proxy.ddl.expressions import recompile

        compiled = recompile(execution, relation, column.default or "NULL", "generated column")
        execution.connection.require(compiled.functions)
        value = compiled.sql
    sql = f"SELECT 1 FROM {_from(relation)} WHERE ({value}) IS NULL LIMIT 1"
    if execution.connection.execute(sql).fetchone() is not None:
        message = f'column "{column.name}" of relation "{relation.name}" contains null values'
        error = SqlError(sqlstate.NOT_NULL_VIOLATION, message)
        error.schema, error.table, error.column = relation.schema, relation.name, column.name
        raise error


def check_holds(execution: Execution, relation: Relation, name: str, compiled: Expression) -> None:
    """Every row satisfies a CHECK: 23514."""
    execution.connection.require(compiled.functions)
    sql = f"SELECT 1 FROM {_from(relation)} WHERE NOT ({compiled.sql}) LIMIT 1"
    if execution.connection.execute(sql).fetchone() is not None:
        message = f'check constraint "{name}" of relation "{relation.name}" is violated by some row'
        raise SqlError(sqlstate.CHECK_VIOLATION, message, schema=relation.schema, table=relation.name, constraint=name)


def foreign_key_holds(execution: Execution, relation: Relation, constraint: int) -> None:
    """Every row has its parent: 23503 with the key that is missing."""
    row = next(each for each in relation.constraints if each.oid == constraint)
    found = _without_parent(execution, relation, row)
    if found is not None:
        parent = execution.relation(row.referenced)
        raise SqlError(
            sqlstate.FOREIGN_KEY_VIOLATION,
            f'insert or update on table "{relation.name}" violates foreign key constraint "{row.name}"',
            detail=f'Key {_key_text(execution, _columns(relation, row.columns), found)} is not present in table "{parent.name}".',
            schema=relation.schema,
            table=relation.name,
            constraint=row.name,
        )


def not_in_use(execution: Execution, relation: Relation, command: str) -> None:
    """No deferred check of the table is outstanding: 55006 (CheckTableNotInUse).

    SQLite counts what is violated but does not say what, nor what was and is no longer; so, other than in PostgreSQL, a table
    whose deferred foreign keys hold by now may be changed.
    """
    if not execution.connection.deferred_violations:
        return
    keys = [(relation, each) for each in relation.constraints if each.kind == "f"]
    for oid, child in execution.select("pg_constraint", relation.oid, "oid", "conrelid", confrelid=relation.oid, contype="f"):
        other = execution.relation(child)
        keys += [(other, each) for each in other.constraints if each.oid == oid]
    if any(each.enforced and _without_parent(execution, child, each) is not None for child, each in keys):
        message = f'cannot {command} "{relation.name}" because it has pending trigger events'
        raise SqlError(sqlstate.OBJECT_IN_USE, message)


def _without_parent(execution: Execution, child: Relation, row: Constraint) -> tuple[Any, ...] | None:
    """The key of the first row that references what is not there."""
    parent = execution.relation(row.referenced)
    own, theirs = _columns(child, row.columns), _columns(parent, row.referenced_columns)
    present = " AND ".join(f"c.{quote(column.storage_name)} IS NOT NULL" for column in own)
    same = " AND ".join(
        f"p.{quote(there.storage_name)} = c.{quote(here.storage_name)}" for here, there in zip(own, theirs, strict=True)
    )
    shown = ", ".join(f"c.{quote(column.storage_name)}" for column in own)
    sql = (
        f"SELECT {shown} FROM {_from(child)} AS c WHERE {present} "
        f"AND NOT EXISTS (SELECT 1 FROM {_from(parent)} AS p WHERE {same}) LIMIT 1"
    )
    found = execution.connection.execute(sql).fetchone()
    return None if found is None else tuple(found)


def _from(relation: Relation) -> str:
    return f"{relation.where}.{quote(relation.storage)}"


def _columns(relation: Relation, attnums: Any) -> list[Column]:
    by_number = {column.attnum: column for column in relation.columns}
    return [by_number[attnum] for attnum in attnums]


def _key_text(execution: Execution, columns: list[Column], values: Any) -> str:
    """(a, b)=(1, x)"""
    texts = _texts(execution, [column.type_oid for column in columns], values)
    return f"({', '.join(column.name for column in columns)})=({', '.join(texts)})"


def _texts(execution: Execution, kinds: list[int], values: Any) -> list[str]:
    return [
        "null" if value is None else registry.type_of(type_oid, execution.catalog).output(value, execution.settings)
        for type_oid, value in zip(kinds, values, strict=True)
    ]

"""Names the constraint that a statement violated, and the row or key that did it, in PostgreSQL's words.

SQLite names columns for a UNIQUE, nothing at all for a foreign key (foreign_keys.py), and never the values. The last row that
the second run of the statement recorded (rerun.py) is the one that failed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import apsw

from proxy.storage import foreign_keys
from proxy.storage.connection import extended_code, quote
from proxy.storage.rerun import column_of, position, qualified, run_again, storage_name
from proxy.storage.values import value_text
from translator import sqlstate
from translator.errors import SqlError
from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from proxy.storage.connection import Connection
    from proxy.storage.rerun import Failed, Row
    from translator.catalog import Column, Index, Relation

_UNIQUE = {apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID}
_FIELD_BYTES = 64  # of a value in "Failing row contains" (maxfieldlen in ExecBuildSlotValueDescription)


def describe(error: apsw.ConstraintError, connection: Connection, failed: Failed) -> SqlError | None:
    """The error report; None for a violation of something that is no constraint of PostgreSQL's."""
    code = extended_code(error)
    text = str(error).partition("constraint failed: ")[2]
    connection.no_budget()  # the statement was within its budget once
    if "FOREIGN KEY" in str(error):
        return foreign_keys.violated(connection, failed, restrict=code == apsw.SQLITE_CONSTRAINT_TRIGGER)
    if code in _UNIQUE:
        return _unique(text, connection, failed)
    if code == apsw.SQLITE_CONSTRAINT_NOTNULL:
        return _not_null(text, connection, failed)
    if code == apsw.SQLITE_CONSTRAINT_CHECK:
        return _check(text, connection, failed)
    return None


# UNIQUE, PRIMARY KEY


def _unique(text: str, connection: Connection, failed: Failed) -> SqlError | None:
    terms: list[str] = []
    if text.startswith("index '"):  # one with an expression in it
        relation, index, terms = _index_named(text[len("index '") : -1].replace("''", "'"), connection, failed)
    else:
        relation, columns = _columns_named(text, failed)
        index = _index_over(relation, tuple(column.attnum for column in columns))
    if relation is None or index is None:
        return None
    with run_again(connection, failed) as rerun:
        row = rerun.last(relation)
        older = None
        if row is not None and rerun.changes[-1].old is None:
            older = _violated_earlier(connection, relation, index, row)
    if older is not None:
        index, terms = older, []
    return SqlError(
        sqlstate.UNIQUE_VIOLATION,
        f'duplicate key value violates unique constraint "{index.name}"',
        detail=None if row is None else f"{_index_key(connection, relation, index, terms, row)} already exists.",
        schema=relation.schema,
        table=relation.name,
        constraint=index.name,
    )


def _violated_earlier(connection: Connection, relation: Relation, index: Index, row: Row) -> Index | None:
    """An older index that a new row violates, too: PostgreSQL looks at them by their OIDs, SQLite at the newest first."""
    for other in sorted(relation.indexes, key=lambda each: each.oid):
        if other.oid >= index.oid:
            break
        if not (other.unique and other.immediate) or other.expressions or other.predicate is not None:
            continue
        values = [row[position(relation, attnum)] for attnum in other.columns]
        if None in values:
            continue
        tests = " AND ".join(f"{quote(storage_name(column_of(relation, attnum)))} = ?" for attnum in other.columns)
        sql = f"SELECT 1 FROM {qualified(relation)} WHERE {tests} LIMIT 1"
        if connection.execute(sql, tuple(values)).fetchone() is not None:
            return other
    return None


def _index_named(name: str, connection: Connection, failed: Failed) -> tuple[Relation | None, Index | None, list[str]]:
    """The index that SQLite calls so, its table, and its terms in SQLite's SQL."""
    schema = "SELECT name, tbl_name, sql FROM main.sqlite_schema UNION ALL SELECT name, tbl_name, sql FROM temp.sqlite_schema"
    for table, definition in connection.execute(f"SELECT tbl_name, sql FROM ({schema}) WHERE name = ?", (name,)).fetchall():
        relation = _relation_named(str(table), failed)
        entry = failed.relations.relation_by_storage(name)
        if relation is not None and entry is not None:
            index = next((index for index in relation.indexes if index.oid == entry.oid), None)
            return relation, index, index_terms(str(definition))
    return None, None, []


def _index_over(relation: Relation | None, attnums: tuple[int, ...]) -> Index | None:
    """The unique index on these columns: SQLite does not say which when there are several; PostgreSQL looks at the oldest first.

    Included columns follow the key in `Index.columns`.
    """
    unique = [index for index in relation.indexes if index.unique and index.immediate] if relation is not None else []
    candidates = [index for index in unique if index.columns[: len(attnums)] == attnums]
    return min(candidates, key=lambda index: (len(index.columns), index.oid), default=None)


def _columns_named(text: str, failed: Failed) -> tuple[Relation | None, list[Column]]:
    """The table and columns in `t.a, t.b`, where each name may itself hold dots and commas."""
    for dot in re.finditer(r"\.", text):
        table = text[: dot.start()]
        relation = _relation_named(table, failed)
        if relation is None:
            continue
        names = text[dot.end() :].split(f", {table}.")
        columns = {column.storage_name or column.name: column for column in relation.columns}
        if all(name in columns for name in names):
            return relation, [columns[name] for name in names]
    return None, []


def _relation_named(table: str, failed: Failed) -> Relation | None:
    """The table that SQLite calls so: the statement's own rather than one in another schema, which SQLite does not name."""
    target = failed.relations.relation_by_oid(failed.target)
    return target if target is not None and target.storage == table else failed.relations.relation_by_storage(table)


def _index_key(connection: Connection, relation: Relation, index: Index, terms: list[str], row: Row) -> str:
    """`Key (a, lower(b))=(1, x)`: BuildIndexValueDescription in genam.c."""
    expressions = iter(index.expressions)
    names, values = [], []
    for number, attnum in enumerate(index.columns):
        if attnum:
            column = column_of(relation, attnum)
            names.append(quote_identifier(column.name))
            values.append(value_text(column, row[position(relation, attnum)]))
        else:
            names.append(_as_printed(next(expressions, "")))
            value = _evaluate(connection, relation, terms[number], row) if number < len(terms) else None
            values.append("null" if value is None else str(value))
    return f"Key ({', '.join(names)})=({', '.join(values)})"


def _as_printed(expression: str) -> str:
    """An index expression is printed in parentheses unless it is a function call (pg_get_indexdef_worker)."""
    return expression if re.match(r'[\w."]+\(|\(', expression) else f"({expression})"


def _evaluate(connection: Connection, relation: Relation, term: str, row: Row) -> Any:
    """An index expression over a recorded row."""
    columns = ", ".join(f"?{number} AS {quote(storage_name(column))}" for number, column in enumerate(relation.columns, 1))
    [(value,)] = connection.execute(f"SELECT {term} FROM (SELECT {columns})", row)
    return value


def index_terms(definition: str) -> list[str]:
    """The terms of `CREATE UNIQUE INDEX "name" ON "table" (term, term DESC) WHERE …`."""
    lexemes = re.findall(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|[(),]|[^"'(),]+""", definition)
    terms, depth = [""], 0
    for lexeme in lexemes:
        depth -= lexeme == ")"
        if depth == 0 and lexeme == ")":
            break
        if depth == 1 and lexeme == ",":
            terms.append("")
        elif depth:
            terms[-1] += lexeme
        depth += lexeme == "("
    return [re.sub(r"\s+(ASC|DESC)\s*$", "", term.strip(), flags=re.IGNORECASE) for term in terms]


# NOT NULL, CHECK


def _not_null(text: str, connection: Connection, failed: Failed) -> SqlError | None:
    relation, columns = _columns_named(text, failed)
    if relation is None:
        return None
    with run_again(connection, failed) as rerun:
        row = rerun.last(relation)
    name = columns[0].name
    return SqlError(
        sqlstate.NOT_NULL_VIOLATION,
        f'null value in column "{name}" of relation "{relation.name}" violates not-null constraint',
        detail=_failing_row(relation, row),
        schema=relation.schema,
        table=relation.name,
        column=name,
    )


def _check(name: str, connection: Connection, failed: Failed) -> SqlError | None:
    with run_again(connection, failed) as rerun:
        touched = [change.relation for change in reversed(rerun.changes)]
    target = failed.relations.relation_by_oid(failed.target)
    for relation in [*touched, *([target] if target else [])]:
        if any(constraint.kind == "c" and constraint.name == name for constraint in relation.constraints):
            return SqlError(
                sqlstate.CHECK_VIOLATION,
                f'new row for relation "{relation.name}" violates check constraint "{name}"',
                detail=_failing_row(relation, rerun.last(relation)),
                schema=relation.schema,
                table=relation.name,
                constraint=name,
            )
    return None


def _failing_row(relation: Relation, row: Row | None) -> str | None:
    """ExecBuildSlotValueDescription in execMain.c."""
    if row is None:
        return None
    texts = []
    for column, value in zip(relation.columns, row, strict=True):
        text = "virtual" if column.generated == "v" else value_text(column, value)
        data = text.encode()
        texts.append(text if len(data) <= _FIELD_BYTES else data[:_FIELD_BYTES].decode(errors="ignore") + "...")
    return f"Failing row contains ({', '.join(texts)})."

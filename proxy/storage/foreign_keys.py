"""Which foreign key a statement, or a COMMIT, violates: SQLite does not say.

The statement runs again with foreign keys deferred (rerun.py), and the rows it recorded are compared with the other table in
the order in which PostgreSQL's RI triggers would have fired (ri_triggers.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.storage.connection import quote
from proxy.storage.rerun import column_of, qualified, references, referencing, run_again, storage_name, values_of
from proxy.storage.values import value_text
from translator import sqlstate
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from proxy.storage.connection import Connection
    from proxy.storage.rerun import Failed, ForeignKey, Rerun, Row
    from translator.catalog import Constraint, Relation


def violated(connection: Connection, failed: Failed, *, restrict: bool) -> SqlError | None:
    """The report. `restrict`: SQLite stopped at a RESTRICT, which it does not defer."""
    if not failed.sql:
        return _deferred(connection, failed)
    if restrict:
        with run_again(connection, failed) as rerun:
            pass
        return next(_restricted(connection, failed, rerun), None)
    with run_again(connection, failed, defer=True) as rerun:
        return next(_unsatisfied(connection, failed, rerun), None)


def _unsatisfied(connection: Connection, failed: Failed, rerun: Rerun) -> Iterator[SqlError]:
    """Foreign keys that the statement leaves unsatisfied, in the order of its changes."""
    keys = _keys(connection, failed, rerun)
    for change in rerun.changes:
        pointing, pointed = keys[change.relation.oid]
        if change.old is not None:
            for key in pointed:
                values = values_of(change.relation, key.constraint.referenced_columns, change.old)
                if _dangling(connection, key, values):
                    yield _still_referenced(key, values)
        if change.new is not None:
            for key in pointing:
                values = values_of(change.relation, key.constraint.columns, change.new)
                if _dangling(connection, key, values):
                    yield _not_present(key, values)


def _restricted(connection: Connection, failed: Failed, rerun: Rerun) -> Iterator[SqlError]:
    """Foreign keys with RESTRICT on the row that could not go (ri_ReportViolation, is_restrict)."""
    keys = _keys(connection, failed, rerun)
    for change in reversed(rerun.changes):
        if change.old is None:
            continue
        for key in keys[change.relation.oid][1]:
            values = values_of(key.parent, key.constraint.referenced_columns, change.old)
            if "RESTRICT" in key.constraint.definition and _exists(connection, key.child, key.constraint.columns, values):
                yield _restricts(key, values)


def _keys(connection: Connection, failed: Failed, rerun: Rerun) -> dict[int, tuple[list[ForeignKey], list[ForeignKey]]]:
    """Of every table that the statement may change: the immediate foreign keys it has, and those that point to it."""
    keys = {}
    for relation in rerun.relations:
        pointing, pointed = references(failed, relation), referencing(connection, failed, relation)
        keys[relation.oid] = (
            [key for key in pointing if not key.constraint.deferred],
            [key for key in pointed if not key.constraint.deferred],
        )
    return keys


def _deferred(connection: Connection, failed: Failed) -> SqlError | None:
    """What keeps a transaction from committing: its first dangling row."""
    dangling = (
        row for schema in ("main", "temp") for row in connection.execute(f"PRAGMA {schema}.foreign_key_check").fetchall()
    )
    for child_name, _, parent_name, _ in dangling:
        child = failed.relations.relation_by_storage(str(child_name))
        parent = failed.relations.relation_by_storage(str(parent_name))
        if child is None or parent is None:
            continue
        for key in references(failed, child):
            values = _first_dangling(connection, key) if key.parent.oid == parent.oid else None
            if values is not None:
                return _left_dangling(key, values, failed)
    return None


def outstanding(
    connection: Connection, failed: Failed, tables: Iterable[int], is_checked: Callable[[Constraint], bool]
) -> SqlError | None:
    """What the transaction has left violated so far: the first row of these tables whose foreign key is to be checked now."""
    for oid in tables:
        child = failed.relations.relation_by_oid(oid)
        for key in () if child is None else references(failed, child):
            values = _first_dangling(connection, key) if is_checked(key.constraint) else None
            if values is not None:
                return _left_dangling(key, values, failed)
    return None


def _left_dangling(key: ForeignKey, values: Row, failed: Failed) -> SqlError:
    before = failed.committed
    existed = before is not None and _exists(before, key.child, key.constraint.columns, values)
    return _still_referenced(key, values) if existed else _not_present(key, values)


def _dangling(connection: Connection, key: ForeignKey, values: Row) -> bool:
    """Whether a row with these values is there and what it references is not (MATCH SIMPLE: a NULL references nothing)."""
    if None in values:
        return False
    constraint = key.constraint
    return not _exists(connection, key.parent, constraint.referenced_columns, values) and _exists(
        connection, key.child, constraint.columns, values
    )


def _exists(connection: Connection, relation: Relation, attnums: Sequence[int], values: Row) -> bool:
    conditions = " AND ".join(f"{quote(storage_name(column_of(relation, attnum)))} = ?" for attnum in attnums)
    sql = f"SELECT 1 FROM {qualified(relation)} WHERE {conditions} LIMIT 1"
    return connection.execute(sql, values).fetchone() is not None


def _first_dangling(connection: Connection, key: ForeignKey) -> Row | None:
    columns = [quote(storage_name(column_of(key.child, attnum))) for attnum in key.constraint.columns]
    referenced = [quote(storage_name(column_of(key.parent, attnum))) for attnum in key.constraint.referenced_columns]
    present = " AND ".join(f"c.{column} IS NOT NULL" for column in columns)
    match = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in zip(columns, referenced, strict=True))
    row = connection.execute(
        f"SELECT {', '.join(f'c.{column}' for column in columns)} FROM {qualified(key.child)} AS c WHERE {present} "
        f"AND NOT EXISTS (SELECT 1 FROM {qualified(key.parent)} AS p WHERE {match}) LIMIT 1"
    ).fetchone()
    return None if row is None else tuple(row)


def _not_present(key: ForeignKey, values: Row) -> SqlError:
    message = f'insert or update on table "{key.child.name}" violates foreign key constraint "{key.constraint.name}"'
    detail = f'{_key(key.child, key.constraint.columns, values)} is not present in table "{key.parent.name}".'
    return _report(sqlstate.FOREIGN_KEY_VIOLATION, message, detail, key)


def _still_referenced(key: ForeignKey, values: Row) -> SqlError:
    message = (
        f'update or delete on table "{key.parent.name}" violates foreign key constraint "{key.constraint.name}"'
        f' on table "{key.child.name}"'
    )
    detail = f'{_key(key.parent, key.constraint.referenced_columns, values)} is still referenced from table "{key.child.name}".'
    return _report(sqlstate.FOREIGN_KEY_VIOLATION, message, detail, key)


def _restricts(key: ForeignKey, values: Row) -> SqlError:
    message = (
        f'update or delete on table "{key.parent.name}" violates RESTRICT setting of foreign key constraint'
        f' "{key.constraint.name}" on table "{key.child.name}"'
    )
    detail = f'{_key(key.parent, key.constraint.referenced_columns, values)} is referenced from table "{key.child.name}".'
    return _report(sqlstate.RESTRICT_VIOLATION, message, detail, key)


def _report(code: str, message: str, detail: str, key: ForeignKey) -> SqlError:
    child = key.child
    return SqlError(code, message, detail=detail, schema=child.schema, table=child.name, constraint=key.constraint.name)


def _key(relation: Relation, attnums: Sequence[int], values: Row) -> str:
    """`Key (a, b)=(1, 2)`, names unquoted (ri_ReportViolation in ri_triggers.c)."""
    columns = [column_of(relation, attnum) for attnum in attnums]
    texts = [value_text(column, value) for column, value in zip(columns, values, strict=True)]
    return f"Key ({', '.join(column.name for column in columns)})=({', '.join(texts)})"

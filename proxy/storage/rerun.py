"""The second run of a failed statement: what it was about to do, row by row.

Nothing about it happens when statements succeed. Temporary BEFORE triggers on the table, and on those that its foreign
keys' actions reach, record every row; a savepoint undoes it all.

Volatile functions give the results of the first run again (functions.py), so that it ends as the first did.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import apsw

from proxy.storage.connection import quote
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.storage.connection import Connection
    from translator.catalog import Column, Constraint, Relation

_SAVEPOINT = "litephant.violation"
_CAPTURE = "litephant_capture"
_CHUNK = 200  # columns that one call of it takes

Row = tuple[Any, ...]


class Relations(Protocol):
    """Where relations are found; the session implements it over its Catalog."""

    def relation_by_oid(self, oid: int) -> Relation | None: ...

    def relation_by_storage(self, storage: str) -> Relation | None:
        """The table, or the index (kind 'i'), that SQLite calls so."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The statement that failed, as far as naming a violation needs it.

    `target`: QueryPlan.diagnose, the relation it writes to; 0 for COMMIT (then `sql` is empty). `committed`: a reader, which
    sees the state before the transaction: tells at COMMIT whether a referenced row was deleted or never there.
    Values are printed with `runtime.settings` and `runtime.catalog`.
    """

    sql: str
    binds: Sequence[Any]
    target: int
    relations: Relations
    committed: Connection | None = None


@dataclass(slots=True)
class Change:
    """A row that the statement was about to insert, update or delete, as values in the order of the relation's columns."""

    relation: Relation
    old: Row | None = None
    new: Row | None = None


class Rerun:
    """What the second run recorded, in order. A connection has one, whose `record` SQLite calls."""

    def __init__(self) -> None:
        self.relations: list[Relation] = []
        self.changes: list[Change] = []

    def last(self, relation: Relation) -> Row | None:
        """The row that failed, if it was one of this relation."""
        return next((change.new for change in reversed(self.changes) if change.relation.oid == relation.oid), None)

    def record(self, number: int, what: str, *values: Any) -> None:
        """The SQL function: 'change' starts a change to a row of relation `number`; 'old', 'new' add values to it."""
        if what == "old":
            self.changes[-1].old = (self.changes[-1].old or ()) + values
        elif what == "new":
            self.changes[-1].new = (self.changes[-1].new or ()) + values
        else:
            self.changes.append(Change(self.relations[number]))


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A constraint with both its tables."""

    constraint: Constraint
    child: Relation
    parent: Relation


@contextmanager
def run_again(connection: Connection, failed: Failed, *, defer: bool = False) -> Iterator[Rerun]:
    """Run the statement again; inside the `with`, what it did is there to be looked at, and then it never happened."""
    rerun = _prepared(connection)
    target = failed.relations.relation_by_oid(failed.target)
    if target is None:
        yield rerun
        return
    rerun.relations = _reachable(connection, failed, target)
    with connection.deferred_foreign_keys(defer=defer):
        connection.savepoint(_SAVEPOINT)
        try:
            for number, relation in enumerate(rerun.relations):
                for sql in _triggers(number, relation):
                    connection.execute(sql)
            with connection.volatile.replay(), suppress(apsw.Error, SqlError):  # as expected, unless foreign keys are deferred
                connection.execute(failed.sql, failed.binds).fetchall()
            yield rerun
        finally:
            if connection.in_transaction:  # a full disk ends it
                connection.rollback_to(_SAVEPOINT)
                connection.release(_SAVEPOINT)


def _prepared(connection: Connection) -> Rerun:
    """The connection's Rerun, empty. Its function is registered once: SQLite refuses to replace one that is in use."""
    if connection.rerun is None:
        connection.rerun = Rerun()
        connection.create_function(_CAPTURE, connection.rerun.record)
    connection.rerun.changes = []
    return connection.rerun


def _reachable(connection: Connection, failed: Failed, target: Relation) -> list[Relation]:
    """The table and all that its foreign keys' actions may change."""
    found = {target.oid: target}
    queue = [target]
    while queue:
        for key in referencing(connection, failed, queue.pop()):
            if key.child.oid not in found:
                found[key.child.oid] = key.child
                queue.append(key.child)
    return list(found.values())


def _triggers(number: int, relation: Relation) -> Iterable[str]:
    """Temporary triggers that record each row before it changes."""
    for event, rows in (("INSERT", ("new",)), ("UPDATE", ("old", "new")), ("DELETE", ("old",))):
        calls = [f"{_CAPTURE}({number}, 'change')"]
        for row in rows:
            columns = [f"{row}.{quote(storage_name(column))}" for column in relation.columns]
            chunks = (columns[start : start + _CHUNK] for start in range(0, len(columns), _CHUNK))
            calls += [f"{_CAPTURE}({number}, '{row}', {', '.join(chunk)})" for chunk in chunks]
        body = "; ".join(f"SELECT {call}" for call in calls)
        yield f"CREATE TEMP TRIGGER {quote(f'{_CAPTURE}_{number}_{event}')} BEFORE {event} ON {qualified(relation)} BEGIN {body}; END"


def references(failed: Failed, child: Relation) -> list[ForeignKey]:
    """The foreign keys of a table, in the order in which their triggers fire."""
    keys = []
    for constraint in sorted(child.constraints, key=lambda constraint: constraint.oid):
        parent = (
            failed.relations.relation_by_oid(constraint.referenced) if constraint.kind == "f" and constraint.enforced else None
        )
        if parent is not None:
            keys.append(ForeignKey(constraint, child, parent))
    return keys


def referencing(connection: Connection, failed: Failed, parent: Relation) -> list[ForeignKey]:
    """The foreign keys that point to a table."""
    children = [failed.relations.relation_by_storage(name) for name in _children(connection, parent)]
    keys = [key for child in children if child is not None for key in references(failed, child)]
    return sorted((key for key in keys if key.parent.oid == parent.oid), key=lambda key: key.constraint.oid)


def _children(connection: Connection, parent: Relation) -> list[str]:
    """SQLite's names of the tables that reference this one; a foreign key stays within its schema (main or temp)."""
    where = "temp" if parent.where == "temp" else "main"
    sql = f"""SELECT DISTINCT m.name FROM {where}.sqlite_schema AS m, pragma_foreign_key_list(m.name, '{where}') AS f
              WHERE m.type = 'table' AND f."table" = ? COLLATE NOCASE"""
    return [str(name) for (name,) in connection.execute(sql, (parent.storage,))]


def qualified(relation: Relation) -> str:
    return f"{'temp' if relation.where == 'temp' else 'main'}.{quote(relation.storage)}"


def storage_name(column: Column) -> str:
    return column.storage_name or column.name


def position(relation: Relation, attnum: int) -> int:
    return next(number for number, column in enumerate(relation.columns) if column.attnum == attnum)


def column_of(relation: Relation, attnum: int) -> Column:
    return relation.columns[position(relation, attnum)]


def values_of(relation: Relation, attnums: Sequence[int], row: Row) -> Row:
    return tuple(row[position(relation, attnum)] for attnum in attnums)

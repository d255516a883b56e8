"""A write transaction that steps aside: what it did to rows is undone, so that others may write, and later done again.

PostgreSQL lets a transaction that waits for a lock keep what it has written. Here it would keep the only writer too, and
everybody would wait for it, among them perhaps the one whom it waits for. So it rolls back in SQLite, keeps its locks, and
replays its log when the wait is over. The rows that it has changed are locked in the lock table, so nobody can have
changed them meanwhile.

What others may have done is to insert the keys that it had inserted, or to delete what its rows refer to. In PostgreSQL they would have
waited for it while it waits for them: that is a deadlock, and `replay` reports it as one.

The log serves one more purpose: SQLite rolls back a whole transaction when it interrupts a write, and with the log what came before
a savepoint can be brought back.

The log is made by the preupdate hook (changed_rows.py), so there is one only in databases whose row locks are used. A
transaction with more changes than `MOST_CHANGES`, or with changes that rows do not tell (DDL), does not step aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import apsw

from translator import sqlstate
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.storage.connection import Connection

MOST_CHANGES: Final = 2_000
_SEQUENCES: Final = "litephant.sequence"  # values are kept in the process, see ddl/sequence_values.py
_OURS: Final = ("pg_catalog.", "litephant.", "sqlite_")
_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")

Change = tuple[str, int, int, tuple[Any, ...] | None]
"""Table, rowid before (0: the row is inserted), rowid after, and the row's new values (None: it is deleted)."""


class RedoLog:
    """The changes of the transaction that a connection is in; `complete`: none is missing. Rolling back to a savepoint may mend that."""

    __slots__ = ("changes", "complete", "savepoints")

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.savepoints: list[tuple[str, int, bool]] = []  # with the number of changes, and `complete`, when they were set
        self.complete = False  # until a transaction begins

    def begin(self) -> None:
        """A write transaction begins."""
        self.changes = []
        self.savepoints = []
        self.complete = True

    def record(self, update: apsw.PreUpdate) -> None:
        """A row is about to change."""
        if not self.complete:
            return
        table = update.table_name
        if table == _SEQUENCES:
            return
        if len(self.changes) >= MOST_CHANGES or update.database_name != "main" or table.startswith(_OURS):
            self.give_up()
            return
        operation = update.op
        try:
            values = None if operation == "DELETE" else update.new
        except apsw.RangeError:  # the table has generated columns
            self.give_up()
            return
        self.changes.append((table, 0 if operation == "INSERT" else update.rowid, update.rowid_new, values))

    def give_up(self) -> None:
        """Keep no log of what comes now."""
        self.complete = False

    def savepoint(self, name: str) -> None:
        self.savepoints.append((name, len(self.changes), self.complete))

    def release(self, name: str) -> None:
        place = self._place(name)
        if place is not None:
            del self.savepoints[place:]

    def rollback_to(self, name: str) -> None:
        place = self._place(name)
        if place is not None:
            _, length, self.complete = self.savepoints[place]
            del self.changes[length:]
            del self.savepoints[place + 1 :]

    def _place(self, name: str) -> int | None:
        """Where a savepoint is; None: it is older than the log."""
        return next((place for place in reversed(range(len(self.savepoints))) if self.savepoints[place][0] == name), None)


def replay(connection: Connection, log: RedoLog) -> None:
    """Do the changes of a log again, and set its savepoints, in a transaction that has just begun.

    Raises 40P01 when others have committed what does not go together with them.
    """
    redo = connection.track_rows().redo
    redo.give_up()  # it is made below, when everything is as it was
    tables: dict[str, _Table] = {}
    done: list[Change] = []
    savepoints = iter((*log.savepoints, ("", -1, True)))
    name, place, _ = next(savepoints)
    try:
        connection.execute("PRAGMA defer_foreign_keys = ON")  # row by row, references may be broken for a moment
        for number, change in enumerate(log.changes):
            while place == number:
                connection.savepoint(name)
                name, place, _ = next(savepoints)
            table = tables.get(change[0])
            if table is None:
                table = tables[change[0]] = _table(connection, change[0])
            done.append(table.redo(connection, change))
        while place >= 0:
            connection.savepoint(name)
            name, place, _ = next(savepoints)
        broken = connection.deferred_violations
        connection.execute("PRAGMA defer_foreign_keys = OFF")
    except apsw.ConstraintError:
        broken = True
    if broken:
        raise SqlError(sqlstate.DEADLOCK_DETECTED, "deadlock detected")
    redo.changes, redo.savepoints, redo.complete = done, log.savepoints, True


@dataclass(slots=True)
class _Table:
    """How the rows of one table are written. `moved`: rows whose place others have taken, and where they are now."""

    insert: str
    insert_anywhere: str
    update: str
    delete: str
    rowid_is_column: bool
    moved: dict[int, int]

    def redo(self, connection: Connection, change: Change) -> Change:
        """Do a change again; the change as it is now."""
        name, before, after, values = change
        before, after = self.moved.get(before, before), self.moved.get(after, after)
        if values is None:
            connection.execute(self.delete, (before,))
        elif before:
            connection.execute(self.update, (*values, *(() if self.rowid_is_column else (after,)), before))
        elif self.rowid_is_column:
            connection.execute(self.insert_anywhere, values)
        else:
            after = self._insert(connection, after, values)
        return name, before, after, values

    def _insert(self, connection: Connection, rowid: int, values: tuple[Any, ...]) -> int:
        """Insert a row at its old place, or at another one if that is taken."""
        try:
            connection.execute(self.insert, (*values, rowid))
        except apsw.ConstraintError as error:
            if error.extendedresult != apsw.SQLITE_CONSTRAINT_ROWID:  # type: ignore[attr-defined]  # (apsw's stubs leave it out)
                raise
            connection.execute(self.insert_anywhere, values)
            self.moved[rowid] = connection.sqlite.last_insert_rowid()
        return self.moved.get(rowid, rowid)


def _table(connection: Connection, name: str) -> _Table:
    columns = list(connection.execute(f'PRAGMA main.table_info("{_quoted(name)}")'))
    names = [f'"{_quoted(column[1])}"' for column in columns]
    taken = {column[1].lower() for column in columns}
    rowid = next((each for each in _ROWID_NAMES if each not in taken), None)
    if rowid is None:
        raise SqlError(
            sqlstate.FEATURE_NOT_SUPPORTED, f"waiting for a lock after writing to {name}, whose rowid has no free name"
        )
    keys = [column for column in columns if column[5]]
    rowid_is_column = len(keys) == 1 and keys[0][2].upper() == "INTEGER"
    table = f'main."{_quoted(name)}"'
    marks = ", ".join("?" * len(names))
    assigned = [f"{column} = ?" for column in names]
    if not rowid_is_column:
        assigned.append(f"{rowid} = ?")
    return _Table(
        f"INSERT INTO {table} ({', '.join(names)}, {rowid}) VALUES ({marks}, ?)",
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
        f"UPDATE {table} SET {', '.join(assigned)} WHERE {rowid} = ?",
        f"DELETE FROM {table} WHERE {rowid} = ?",
        rowid_is_column,
        {},
    )


def _quoted(name: str) -> str:
    return name.replace('"', '""')

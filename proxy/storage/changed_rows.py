"""Which rows the statements of a connection update and delete, as SQLite reports them before they change.

Triggers and foreign keys' actions are included; rows that are inserted are not, since nobody else can see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.storage.locks import MOST_ROWS
from proxy.storage.redo import RedoLog

if TYPE_CHECKING:
    import apsw


class ChangedRows:
    """`rows`: by SQLite's table name, the rowids, and whether the row or its rowid is gone. `full`: tables with too many to list.

    `redo`: the log of the whole transaction (redo.py).
    """

    __slots__ = ("full", "redo", "rows")

    def __init__(self) -> None:
        self.redo = RedoLog()
        self.rows: dict[str, dict[int, bool]] = {}
        self.full: set[str] = set()

    def clear(self) -> None:
        """A new statement begins."""
        self.rows = {}
        self.full.clear()

    def record(self, update: apsw.PreUpdate) -> None:
        """SQLite's preupdate hook."""
        self.redo.record(update)
        operation = update.op
        if operation == "INSERT" or update.database_name != "main":
            return
        name = update.table_name
        rows = self.rows.get(name)
        if rows is None:
            rows = self.rows[name] = {}
        elif len(rows) >= MOST_ROWS:
            self.full.add(name)
            return
        rows[update.rowid] = operation == "DELETE" or update.rowid != update.rowid_new


def track(sqlite: apsw.Connection) -> ChangedRows:
    """Have changes reported from now on.

    Statements that are prepared already must be prepared again: without the hook, a DELETE without WHERE is prepared to empty the
    table in one go, and no row is reported (sqlite3DeleteFrom). Changing the authorizer makes SQLite do that.
    """
    changed = ChangedRows()
    sqlite.authorizer = _allow
    sqlite.preupdate_hook(changed.record, id="changed_rows")
    sqlite.authorizer = None
    return changed


def _allow(*_: object) -> int:
    return 0

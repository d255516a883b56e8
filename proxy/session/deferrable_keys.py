"""DEFERRABLE PRIMARY KEY and UNIQUE: keys that may stand twice until the statement or the transaction ends.

SQLite compares the keys of a unique index row by row, so such a constraint has an index that is not unique, and the server
compares: SQLite reports the rows that a statement inserts or updates, foreign keys' actions included, and their keys are looked
up when they are due. That is what PostgreSQL's unique_key_recheck trigger does for the rows that met a conflict.

Only databases that have such a constraint pay for the reports: a third of a microsecond a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.ddl import verify
from proxy.ddl.execution import Execution
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

    from proxy.session.session import Session
    from proxy.storage.connection import Connection
    from translator.catalog import Constraint, Relation

_MOST_ROWS: Final = 100_000
"""Beyond so many, a table is looked at as a whole."""

_Rows = dict[tuple[str, str], dict[int, None]]  # of SQLite's schema and table: rowids in the order of the changes


class DeferrableKeys:
    """What one session's transaction has written to tables with such keys, and has still to be looked at."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection: Connection | None = None  # the one that reports
        self._rows: _Rows = {}  # of this statement
        self._pending: _Rows = {}  # of those before it, for the constraints that are deferred

    def watch(self, connection: Connection) -> None:
        """A statement that writes begins."""
        if connection is not self._connection:
            self._stop()
            self._connection = connection
            connection.sqlite.preupdate_hook(self._record, id=self)

    @property
    def pending(self) -> bool:
        """Whether rows are still to be looked at, by their rowids."""
        return bool(self._pending)

    def check(self, is_checked: Callable[[Constraint], bool]) -> None:
        """It has ended: raise 23505 for a key of its rows that stands twice and is not deferred."""
        changed, self._rows = self._rows, {}
        for table in self._look_at(changed, is_checked):
            self._pending.setdefault(table, {}).update(changed[table])

    def check_pending(self, is_checked: Callable[[Constraint], bool]) -> None:
        """SET CONSTRAINTS … IMMEDIATE, or COMMIT."""
        self._look_at(self._pending, is_checked)

    def end(self) -> None:
        """The transaction is over."""
        self._stop()
        self._rows, self._pending = {}, {}

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.sqlite.preupdate_hook(None, id=self)
            self._connection = None

    def _record(self, update: apsw.PreUpdate) -> None:
        """SQLite's preupdate hook. A row that is gone when its key is looked up does no harm."""
        if update.op == "DELETE":
            return
        rows = self._rows.setdefault((update.database_name, update.table_name), {})
        if len(rows) < _MOST_ROWS:
            rows[update.rowid_new] = None

    def _look_at(self, changed: _Rows, is_checked: Callable[[Constraint], bool]) -> list[tuple[str, str]]:
        """The tables among these that have such keys, once their rows have been looked at."""
        session, connection = self._session, self._connection
        if not changed or connection is None:
            return []
        session.executor.enter(None, connection)
        connection.unlimited()
        connection.use_catalog()
        execution = Execution(connection, session.parameters.settings, text="", session=session)
        found = []
        for oid in session.compilation.section().deferrable_keys:
            relation = execution.relation(oid)
            table = (relation.where, relation.storage)
            if table in changed:
                # A change of the table in this transaction may have given its rows other rowids.
                whole = len(changed[table]) >= _MOST_ROWS or session.connections.changed_catalog or not relation.rowid
                self._check_table(execution, relation, None if whole else changed[table], is_checked)
                found.append(table)
        return found

    def _check_table(
        self, execution: Execution, relation: Relation, rows: dict[int, None] | None, is_checked: Callable[[Constraint], bool]
    ) -> None:
        for constraint in sorted(relation.constraints, key=lambda constraint: constraint.oid):
            if constraint.kind in "pu" and constraint.deferrable and is_checked(constraint):
                key = verify.duplicate_key(execution, relation, constraint.index, rows)
                if key is not None:
                    raise SqlError(
                        codes.UNIQUE_VIOLATION,
                        f'duplicate key value violates unique constraint "{constraint.name}"',
                        detail=f"{key} already exists.",
                        schema=relation.schema,
                        table=relation.name,
                        constraint=constraint.name,
                    )

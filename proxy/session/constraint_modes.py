"""SET CONSTRAINTS: which foreign keys and deferrable keys are checked after each statement, and which at COMMIT.

Of foreign keys: SQLite has one switch for a transaction, `PRAGMA defer_foreign_keys`, and it counts what is violated without saying which
key it was. So once SET CONSTRAINTS was given, SQLite defers everything, and whatever PostgreSQL would not defer is looked
for after each statement that leaves something violated. The switch stays on until the transaction ends: turning it off
makes SQLite forget what it has counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.pg_catalog.relations import united_name
from proxy.session.deferrable_keys import DeferrableKeys
from proxy.storage import foreign_keys
from proxy.storage.errors import Failed
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.session.plans import Section
    from proxy.session.session import Session
    from proxy.storage.connection import Connection
    from translator.catalog import Constraint

Tree = dict[str, Any]
_Modes = tuple[bool | None, dict[int, bool]]  # what ALL says, and what is said of single constraints: deferred?
_DEFAULT: _Modes = (None, {})
_CONSTRAINTS = f'"{united_name("pg_constraint")}"'
_TABLES = f"SELECT conrelid FROM {_CONSTRAINTS} WHERE contype = 'f' GROUP BY conrelid ORDER BY min(oid)"


class ConstraintModes:
    """The modes of one session's transaction."""

    def __init__(self, session: Session) -> None:
        self._given = False  # SET CONSTRAINTS, in this transaction
        self._session = session
        self._keys = DeferrableKeys(session)
        self._modes = _DEFAULT
        self._saved: list[_Modes] = []  # by each savepoint

    def set(self, constraints: Sequence[Tree], *, deferred: bool) -> None:
        """SET CONSTRAINTS: all of them when none is named. What becomes immediate is checked at once."""
        everything, named = self._modes
        if not constraints:
            self._modes = (deferred, {})
        else:
            self._modes = (everything, named | dict.fromkeys(self._find(constraints), deferred))
        self._given = True
        lease = self._session.connections.lease
        if lease is not None and not deferred:
            self._keys.check_pending(self._is_immediate)
            self._check_foreign_keys(lease.connection)

    def matter(self, section: Section) -> bool:
        """Whether a statement that writes needs `begin_statement` and `check`."""
        return self._given or bool(section.deferrable_keys)

    @property
    def outstanding(self) -> bool:
        """Whether COMMIT has to check more than what is in the file tells."""
        return self._given or self._keys.pending

    def begin_statement(self, connection: Connection, section: Section) -> None:
        """Before a statement that writes."""
        if self._given:
            connection.execute("PRAGMA defer_foreign_keys = ON")
        if section.deferrable_keys:
            self._keys.watch(connection)

    def check(self, connection: Connection) -> None:
        """After it: raise 23505 or 23503 for a key or foreign key that is violated and not deferred."""
        self._keys.check(self._is_immediate)
        if self._given:
            self._check_foreign_keys(connection)

    def check_deferred(self) -> None:
        """Before COMMIT: raise 23505 for a key that stands twice. SQLite looks at the foreign keys."""
        self._keys.check_pending(lambda _: True)

    def _check_foreign_keys(self, connection: Connection) -> None:
        if not connection.deferred_violations:
            return
        session = self._session
        session.executor.enter(None, connection)
        connection.unlimited()
        tables = [int(oid) for (oid,) in connection.execute(_TABLES)]
        reader = session.database.take_reader()
        try:
            failed = Failed("", (), 0, session.compilation, reader)
            error = foreign_keys.outstanding(connection, failed, tables, self._is_immediate)
        finally:
            session.database.give_reader(reader)
        if error is not None:
            raise error

    def _is_immediate(self, constraint: Constraint) -> bool:
        everything, named = self._modes
        default = constraint.deferred if everything is None else everything
        return not (constraint.deferrable and named.get(constraint.oid, default))

    def _find(self, constraints: Sequence[Tree]) -> list[int]:
        """The constraints of these names (AfterTriggerSetState): all of a name in the first schema that has it."""
        session = self._session
        connection = session.connections.take()
        try:
            connection.unlimited()
            connection.use_catalog()
            return [oid for item in constraints for oid in self._find_one(connection, item["RangeVar"])]
        finally:
            session.connections.give_back(connection)

    def _find_one(self, connection: Connection, item: Tree) -> list[int]:
        session = self._session
        catalog = session.compilation.section().catalog
        settings = session.parameters.settings
        name, schema = item["relname"], item.get("schemaname")
        if schema is None:
            namespaces = catalog.search_path(settings.search_path, settings.user)
        else:
            namespace = catalog.namespace(schema)
            if namespace is None:
                raise SqlError(codes.INVALID_SCHEMA_NAME, f'schema "{schema}" does not exist')
            namespaces = [namespace]
        sql = f"SELECT oid, condeferrable FROM {_CONSTRAINTS} WHERE conname = ? AND connamespace = ?"
        for namespace in namespaces:
            found = connection.execute(sql, (name, namespace)).fetchall()
            if not all(deferrable for _, deferrable in found):
                raise SqlError(codes.WRONG_OBJECT_TYPE, f'constraint "{name}" is not deferrable')
            if found:
                return [int(str(oid)) for oid, _ in found]
        raise SqlError(codes.UNDEFINED_OBJECT, f'constraint "{name}" does not exist')

    # Transactions

    def savepoint(self) -> None:
        self._saved.append(self._modes)

    def release(self, level: int) -> None:
        """Savepoints from `level` on are over."""
        del self._saved[level - 1 :]

    def rollback_to(self, level: int) -> None:
        """The modes of that savepoint, which stays."""
        self._modes = self._saved[level - 1]
        del self._saved[level:]

    def end(self) -> None:
        self._given = False
        self._keys.end()
        self._modes = _DEFAULT
        self._saved.clear()

"""What a session's statements are compiled against: the catalog and the settings as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session import utility
from proxy.session.plans import CompiledPlan, Section, settings_key

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.storage.connection import Connection
    from translator.catalog import Relation
    from translator.compiler import Statement

_NO_STATE = (0, -1)


class Compilation:
    """The section of the plan cache that a session is in, and lookups in its catalog.

    A transaction that has changed the catalog, or a session with temporary objects, has a section of its own, because only its
    connection sees what it sees.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._section: Section
        self._state: tuple[int, int] = _NO_STATE
        self._private: Connection | None = None  # the one that alone sees the session's catalog

    def section(self) -> Section:
        """The plans for the catalog and the settings as they are now."""
        session = self._session
        state = (session.connections.catalog_version, session.parameters.generation)
        if state != self._state:
            self._private = session.connections.catalog_connection
            if self._private is not None:
                self._private.no_budget()
                self._section = Section(self._private)
            else:
                plans = session.instance.plans(session.database)
                self._section = plans.section(state[0], settings_key(session.parameters.settings))
            self._state = state
        elif self._private is not None:
            self._private.no_budget()  # what the last statement left of its budget is not meant for the catalog
        return self._section

    def transaction_ended(self) -> None:
        """With the transaction goes a catalog that only it could see."""
        if self._private is not None:
            self._state = _NO_STATE

    def compile(self, statement: Statement, types: tuple[int, ...] = ()) -> CompiledPlan:
        """The plan of a client's statement. Raises SqlError."""
        session = self._session
        session.database.refresh()
        section = self.section()
        session.statistics.plans_compiled += 1
        session.executor.enter(None)
        return utility.resolve(session, section.compile(statement, session.parameters.settings, types))

    # storage.rerun.Relations

    def relation_by_oid(self, oid: int) -> Relation | None:
        return self.section().catalog.relation_by_oid(oid)

    def relation_by_storage(self, storage: str) -> Relation | None:
        """The table that SQLite calls so."""
        catalog = self.section().catalog
        schema, dot, name = storage.partition(".")
        for namespace_name, relation_name in ((schema, name),) if dot else (("public", storage), ("pg_temp", storage)):
            namespace = catalog.namespace(namespace_name)
            if namespace is not None and (found := catalog.relation(namespace, relation_name)) is not None:
                return found
        return None

    def relation_name(self, oid: int) -> str:
        found = self.relation_by_oid(oid)
        return str(oid) if found is None else found.name

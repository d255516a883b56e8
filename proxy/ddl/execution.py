"""What one definition is carried out with: the connection, a snapshot of the catalog, and short ways to write rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proxy.pg_catalog import rows
from proxy.pg_catalog.classes import FIRST_UNPINNED_OID, PUBLIC_NAMESPACE
from proxy.pg_catalog.relations import OWNER, allocate_oid
from proxy.pg_catalog.snapshot import CatalogSource
from translator.catalog import Catalog, Relation
from translator.errors import SqlError
from translator.settings import Settings, runtime


def _no_notice(notice: SqlError) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Address:
    """What a row of pg_depend points from or to (ObjectAddress): a catalog, a row, and perhaps a column."""

    catalog: int
    oid: int
    column: int = 0


@dataclass
class Execution:
    """The writer connection (in a write transaction), the session's settings, and the statement's own text.

    `notice` takes NOTICE and WARNING reports. `session` is the session object, for what acts on it (sequences, ON COMMIT
    of temporary tables). `cluster` creates and drops databases. `parameter_types` and `binds`: of the parameters in the
    query of CREATE TABLE AS, the values as stored.
    """

    connection: Any
    settings: Settings
    notice: Callable[[SqlError], None] = _no_notice
    text: str = ""
    session: Any = None
    cluster: Any = None
    parameter_types: tuple[int, ...] = ()
    binds: tuple[Any, ...] = ()
    _catalog: Catalog | None = field(default=None, repr=False)

    @property
    def catalog(self) -> Catalog:
        """The catalog as it is now, once `changed` was called after writing to it."""
        if self._catalog is None:
            self._catalog = Catalog(CatalogSource(self.connection))
        return self._catalog

    def changed(self) -> None:
        """Forget the snapshot, because rows have changed."""
        self._catalog = None

    @property
    def path(self) -> list[int]:
        """The schemas that an unqualified name is looked for in."""
        return self.catalog.search_path(self.settings.search_path, self.settings.user)

    @property
    def owner(self) -> int:
        """The role that new objects belong to."""
        found = rows.select(self.connection, "pg_authid", ["oid"], rolname=self.settings.user)
        return int(found[0][0]) if found else OWNER

    def relation(self, oid: int) -> Relation:
        """A relation that is known to exist."""
        found = self.catalog.relation_by_oid(oid)
        assert found is not None, oid
        return found

    def note(self, message: str, code: str = "00000", *, detail: str | None = None, severity: str = "NOTICE") -> None:
        """Send a notice."""
        self.notice(SqlError(code, message, detail=detail, severity=severity))

    def hidden_values(self, names: tuple[str, ...]) -> list[Any]:
        """The values that a compiled query takes from the session (QueryPlan.hidden)."""
        if not names:
            return []
        if self.session is not None:
            return list(self.session.hidden_values(names))
        return [getattr(runtime, name) for name in names]

    # ------------------------------------------------------------------ rows; `about` is the object that they describe

    def new_oid(self, schema: str = "main") -> int:
        """An OID for a new object."""
        return allocate_oid(self.connection, schema)

    def insert(self, catalog: str, about: int, **values: Any) -> None:
        """Write a catalog row."""
        rows.insert(self.connection, catalog, rows.schema_of(about), **values)

    def update(self, catalog: str, about: int, changes: dict[str, Any], **where: Any) -> None:
        """Change catalog rows."""
        rows.update(self.connection, catalog, changes, rows.schema_of(about), **where)

    def delete(self, catalog: str, about: int, **where: Any) -> None:
        """Delete catalog rows."""
        rows.delete(self.connection, catalog, rows.schema_of(about), **where)

    def select(self, catalog: str, about: int, *columns: str, **where: Any) -> list[tuple[Any, ...]]:
        """Read catalog rows."""
        return rows.select(self.connection, catalog, columns, rows.schema_of(about), **where)

    def record(self, catalog: str, about: int, **where: Any) -> dict[str, Any]:
        """Read one catalog row that is known to exist."""
        return next(rows.records(self.connection, catalog, rows.schema_of(about), **where))

    def depend(self, dependent: Address, referenced: Address, kind: str = "n") -> None:
        """Say that one object needs another (recordDependencyOn); what is part of the system is not recorded."""
        if referenced.oid < FIRST_UNPINNED_OID and referenced.oid != PUBLIC_NAMESPACE:
            return
        self.insert(
            "pg_depend",
            dependent.oid,
            classid=dependent.catalog,
            objid=dependent.oid,
            objsubid=dependent.column,
            refclassid=referenced.catalog,
            refobjid=referenced.oid,
            refobjsubid=referenced.column,
            deptype=kind,
        )

"""What parse analysis asks of the system catalogs: one snapshot of types, functions, operators, casts and relations.

The rows every PostgreSQL has come from translator/data; the user's objects come from a `Source` that proxy/pg_catalog
implements over the database's own catalog tables. A Catalog is one snapshot: it caches what it was asked for and is
replaced, never changed, when `version` moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from translator import builtins
from translator.rows import CastRow, OperatorRow, ProcRow, TypeRow

PG_CATALOG = 11
PG_TOAST = 99
PUBLIC = 2200
INFORMATION_SCHEMA = "information_schema"


@dataclass(frozen=True, slots=True)
class Column:
    """pg_attribute with its default. `storage_name` is the SQLite column's name (names differ only where case clashes).

    `default` is PostgreSQL text, also the expression of a generated column; identity is '', 'a' or 'd'; generated '', 's', 'v'.
    `computed`: a generated column that SQLite computes itself; the server computes the others (stored ones when a row is
    written, virtual ones, of which SQLite's column is NULL, when it is read).
    """

    name: str
    attnum: int
    type_oid: int
    typmod: int = -1
    collation: int = 0
    not_null: bool = False
    default: str | None = None
    identity: str = ""
    generated: str = ""
    storage_name: str = ""
    computed: bool = False

    @property
    def generated_by_server(self) -> bool:
        """Whether a write must bring the value: a stored generated column that SQLite does not compute."""
        return self.generated == "s" and not self.computed

    @property
    def computed_when_read(self) -> bool:
        """Whether SQLite's column is NULL and the server computes the value: a virtual one that SQLite does not compute."""
        return self.generated == "v" and not self.computed


@dataclass(frozen=True, slots=True)
class Constraint:
    """pg_constraint: kind p u f c n x; definition is what pg_get_constraintdef prints."""

    oid: int
    name: str
    kind: str
    columns: tuple[int, ...]
    definition: str = ""
    expression: str = ""  # CHECK: PostgreSQL text
    enforced_by_server: bool = False  # a CHECK that SQLite cannot carry (it needs our functions)
    deferrable: bool = False
    deferred: bool = False
    index: int = 0
    referenced: int = 0
    referenced_columns: tuple[int, ...] = ()
    nulls_not_distinct: bool = False
    enforced: bool = True  # False: NOT ENFORCED


@dataclass(frozen=True, slots=True)
class Index:
    """pg_index with its name. Columns are attnums, 0 for an expression; expressions and predicate are PostgreSQL text."""

    oid: int
    name: str
    unique: bool
    primary: bool
    columns: tuple[int, ...]
    expressions: tuple[str, ...] = ()
    predicate: str | None = None
    immediate: bool = True  # False: of a DEFERRABLE constraint, so two rows may have one key for a while


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view, sequence, … that a query can name.

    `storage`: how SQLite names it: the (schema-less) SQLite table name; for a system catalog its table in the static
    file, for a view ''. `where`: main, temp, static (rows only in the static file), both (static rows and the user's),
    live (a virtual table of the server). `view`: the defining query, PostgreSQL text.
    """

    oid: int
    name: str
    schema: str
    namespace: int
    kind: str  # relkind: r v m S c i p f
    columns: tuple[Column, ...]
    storage: str = ""
    where: str = "main"
    view: str = ""
    persistence: str = "p"
    row_type: int = 0
    primary_key: tuple[int, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    options: tuple[str, ...] = ()  # reloptions of a view, name=value
    rowid: str = "rowid"  # how SQLite's rowid can be named in this table (a user column may hide `rowid`)

    def __deepcopy__(self, memo: object) -> Relation:
        """Trees are copied with what their nodes know; a snapshot's rows are shared."""
        return self


class Source(Protocol):
    """Where a Catalog finds the user's objects (and system relations with their columns)."""

    version: int

    def namespace(self, name: str) -> int | None: ...
    def namespace_name(self, oid: int) -> str | None: ...
    def relation(self, namespace: int, name: str) -> Relation | None: ...
    def relation_by_oid(self, oid: int) -> Relation | None: ...
    def type_by_name(self, namespace: int, name: str) -> TypeRow | None: ...
    def type_by_oid(self, oid: int) -> TypeRow | None: ...
    def procs(self, name: str) -> Iterable[ProcRow]: ...
    def proc(self, oid: int) -> ProcRow: ...
    def operators(self, name: str) -> Iterable[OperatorRow]: ...
    def casts(self) -> Iterable[CastRow]: ...
    def domain_constraints(self, oid: int) -> Iterable[tuple[str, str, str]]: ...
    def domain_default(self, oid: int) -> str | None: ...


class NoSource:
    """A database without user objects: what tests and constant expressions need."""

    version = 0

    def namespace(self, name: str) -> int | None:
        return {"pg_catalog": PG_CATALOG, "public": PUBLIC}.get(name)

    def namespace_name(self, oid: int) -> str | None:
        return {PG_CATALOG: "pg_catalog", PUBLIC: "public"}.get(oid)

    def relation(self, namespace: int, name: str) -> Relation | None:
        return None

    def relation_by_oid(self, oid: int) -> Relation | None:
        return None

    def type_by_name(self, namespace: int, name: str) -> TypeRow | None:
        return None

    def type_by_oid(self, oid: int) -> TypeRow | None:
        return None

    def procs(self, name: str) -> Iterable[ProcRow]:
        return ()

    def proc(self, oid: int) -> ProcRow:
        raise KeyError(oid)

    def operators(self, name: str) -> Iterable[OperatorRow]:
        return ()

    def casts(self) -> Iterable[CastRow]:
        return ()

    def domain_default(self, oid: int) -> str | None:
        return None

    def domain_constraints(self, oid: int) -> Iterable[tuple[str, str, str]]:
        return ()


class Catalog:
    """One snapshot. Lookups that miss give None; whoever asked words the error."""

    def __init__(self, source: Source | None = None) -> None:
        self.source: Source = source or NoSource()
        self.version = self.source.version
        self._casts: dict[tuple[int, int], CastRow] | None = None
        # What overload resolution found out about this snapshot, by call shape; kept because calls repeat.
        self.resolutions: dict[Any, Any] = {}

    # ------------------------------------------------------------------ namespaces

    @property
    def object_names(self) -> Any:
        """What turns names into OIDs and back for regclass and its kin (translator.types.reg.ObjectNames), if there is one."""
        return getattr(self.source, "object_names", None)

    def namespace(self, name: str) -> int | None:
        """The OID of a schema."""
        return PG_CATALOG if name == "pg_catalog" else self.source.namespace(name)

    def namespace_name(self, oid: int) -> str | None:
        """The name of a schema."""
        return "pg_catalog" if oid == PG_CATALOG else self.source.namespace_name(oid)

    def search_path(self, names: Sequence[str], user: str) -> list[int]:
        """The schemas that an unqualified name is looked for in, in order (manual, "The Schema Search Path").

        The session's temporary schema comes first and pg_catalog before the rest, unless the path names them.
        """
        path = []
        for name in names:
            oid = self.namespace(user if name == "$user" else name)
            if oid is not None and oid not in path:
                path.append(oid)
        if PG_CATALOG not in path:
            path.insert(0, PG_CATALOG)
        if "pg_temp" not in names:
            temporary = self.source.namespace("pg_temp")
            if temporary is not None and temporary not in path:
                path.insert(0, temporary)
        return path

    # ------------------------------------------------------------------ relations

    def relation(self, namespace: int, name: str) -> Relation | None:
        """The relation of that name in that schema."""
        return self.source.relation(namespace, name)

    def relation_by_oid(self, oid: int) -> Relation | None:
        """The relation with that OID."""
        return self.source.relation_by_oid(oid)

    # ------------------------------------------------------------------ types

    def type_by_oid(self, oid: int) -> TypeRow | None:
        """The type with that OID."""
        return builtins.types().get(oid) or self.source.type_by_oid(oid)

    def type(self, oid: int) -> TypeRow:
        """The type with that OID, which is known to exist."""
        row = self.type_by_oid(oid)
        if row is None:
            raise KeyError(f"no type {oid}")
        return row

    def type_by_name(self, namespace: int, name: str) -> TypeRow | None:
        """The type of that name in that schema."""
        if namespace == PG_CATALOG:
            found = builtins.types_by_name().get(name)
            if found is not None:
                return found
        return self.source.type_by_name(namespace, name)

    def base_type(self, oid: int) -> int:
        """The type under a domain (getBaseType); any other type itself."""
        row = self.type_by_oid(oid)
        while row is not None and row.kind == "d":
            oid = row.base
            row = self.type_by_oid(oid)
        return oid

    def base_type_and_typmod(self, oid: int, typmod: int = -1) -> tuple[int, int]:
        """The type under a domain and its modifier there (getBaseTypeAndTypmod); any other type as it is."""
        row = self.type_by_oid(oid)
        while row is not None and row.kind == "d":
            oid, typmod = row.base, row.base_typmod
            row = self.type_by_oid(oid)
        return oid, typmod

    def domain_default(self, oid: int) -> str | None:
        """The default of a domain, as PostgreSQL text."""
        return None if oid in builtins.types() else self.source.domain_default(oid)

    def domain_constraints(self, oid: int) -> list[tuple[str, str, str]]:
        """The constraints of a domain as (name, kind n or c, PostgreSQL text of the CHECK), by name."""
        return [] if oid in builtins.types() else list(self.source.domain_constraints(oid))

    def element(self, oid: int) -> int:
        """The element type of an array type (also under a domain), else 0."""
        row = self.type_by_oid(self.base_type(oid))
        return row.element if row is not None else 0

    def range_of(self, oid: int) -> tuple[int, int] | None:
        """(subtype, multirange type) of a range type."""
        return builtins.ranges().get(oid)

    def multirange_of(self, oid: int) -> int | None:
        """The range type of a multirange type."""
        return builtins.multiranges().get(oid)

    # ------------------------------------------------------------------ functions, operators, casts

    def procs(self, name: str) -> list[ProcRow]:
        """All functions of that name, in all schemas."""
        return [*builtins.procs_by_name().get(name, ()), *self.source.procs(name)]

    def proc(self, oid: int) -> ProcRow:
        """A function by OID (what operators and casts refer to)."""
        found = builtins.procs().get(oid)
        return self.source.proc(oid) if found is None else found

    def operators(self, name: str) -> list[OperatorRow]:
        """All operators of that name, in all schemas."""
        return [*builtins.operators_by_name().get(name, ()), *self.source.operators(name)]

    def cast(self, source: int, target: int) -> CastRow | None:
        """The pg_cast row from one type to another."""
        found = builtins.casts().get((source, target))
        if found is None:
            if self._casts is None:
                self._casts = {(row.source, row.target): row for row in self.source.casts()}
            found = self._casts.get((source, target))
        return found

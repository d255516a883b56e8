"""Which `Type` a type OID stands for.

`builtin` answers for the types that every PostgreSQL has, `type_of` also for the user's. Scalar types register themselves
when their family module is imported, which happens once, when the first type is asked for. What is made up of other types
(arrays, domains, enums, composites, ranges) is built from its pg_type row on demand: builtin ones once a process, the
user's once a catalog snapshot.

Rule: this file knows kinds of types, not types; a family adds itself by being a module of this package.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from translator import data, oids, types
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from translator.types.base import Type

_ARRAY_SUBSCRIPT_HANDLER = 6179  # typsubscript of true arrays (pg_type.dat)

_types: dict[int, Type] = {}
_built: dict[int, Type] = {}
_user_types: dict[int, tuple[object, dict[int, Type]]] = {}  # of the catalog snapshots asked lately, by their id()
_SNAPSHOTS = 8


class TypeRow(Protocol):
    """What is read of a pg_type row; translator.catalog.TypeRow has it all."""

    @property
    def oid(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def element(self) -> int: ...
    @property
    def base(self) -> int: ...
    @property
    def base_typmod(self) -> int: ...
    @property
    def relation(self) -> int: ...
    @property
    def delimiter(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


class TypeCatalog(Protocol):
    """What is asked of a catalog: translator.catalog.Catalog."""

    def type_by_oid(self, oid: int, /) -> Any: ...
    def relation_by_oid(self, oid: int, /) -> Any: ...


def register(type: Type) -> None:
    """Make a scalar type known; called by its family module."""
    _types[type.oid] = type


def builtin(oid: int) -> Type:
    """A type that every database has. Raises SqlError for an unknown OID."""
    found = _types.get(oid) or _built.get(oid)
    if found is not None:
        return found
    _load()
    found = _types.get(oid)
    if found is None:
        row = builtin_rows().get(oid)
        if row is None:
            raise SqlError(codes.UNDEFINED_OBJECT, f"type with OID {oid} does not exist")
        found = _built[oid] = _build(row, builtin, _builtin_attributes)
    return found


def type_of(oid: int, catalog: TypeCatalog | None = None) -> Type:
    """A type of the catalog snapshot: of the running statement's if none is given."""
    found = _types.get(oid) or _built.get(oid)
    if found is not None:
        return found
    source: TypeCatalog | None = runtime.catalog if catalog is None else catalog
    if source is None or oid in builtin_rows():
        return builtin(oid)
    owner, user_types = _user_types.get(id(source), (None, {}))
    if owner is not source:
        user_types = {}
        if len(_user_types) >= _SNAPSHOTS:
            _user_types.clear()
        _user_types[id(source)] = (source, user_types)
    found = user_types.get(oid)
    if found is None:
        found = user_types[oid] = _user_type(oid, source)
    return found


@dataclass(frozen=True, slots=True)
class BuiltinRow:
    """pg_type, as far as types are built from it."""

    oid: int
    name: str
    kind: str
    category: str
    element: int
    base: int
    base_typmod: int
    relation: int
    delimiter: str
    labels: tuple[str, ...] = ()


@cache
def builtin_rows() -> dict[int, BuiltinRow]:
    """The pg_type rows of every database, by OID."""
    columns = (
        "oid", "typname", "typtype", "typcategory", "typelem", "typsubscript", "typbasetype", "typtypmod", "typrelid", "typdelim",
    )  # fmt: skip
    return {
        oid: BuiltinRow(
            oid, name, kind, category, element if is_array(subscript) else 0, base, base_typmod, relation, delimiter
        )
        for oid, name, kind, category, element, subscript, base, base_typmod, relation, delimiter in data.load(
            "pg_type"
        ).select(*columns)
    }


@cache
def builtin_ranges() -> dict[int, tuple[int, int, str, str]]:
    """Range types by OID: the subtype, the multirange type, and the names of both types. CREATE TYPE … AS RANGE is not supported."""
    names = {oid: row.name for oid, row in builtin_rows().items()}
    return {
        oid: (subtype, multirange, names[oid], names[multirange])
        for oid, subtype, multirange in data.load("pg_range").select("rngtypid", "rngsubtype", "rngmultitypid")
    }


def is_array(subscript: object) -> bool:
    """Whether typsubscript says that the type is a true array; it is an OID or a name, as the data file has it."""
    return subscript in {_ARRAY_SUBSCRIPT_HANDLER, "array_subscript_handler"}


def _user_type(oid: int, catalog: TypeCatalog) -> Type:
    row = catalog.type_by_oid(oid)
    if row is None:
        raise SqlError(codes.UNDEFINED_OBJECT, f"type with OID {oid} does not exist")

    def attributes(relation: int) -> Sequence[tuple[str, int, int]]:
        found = catalog.relation_by_oid(relation)
        return [(column.name, column.type_oid, column.typmod) for column in found.columns]

    return _build(row, lambda other: type_of(other, catalog), attributes)


def _build(row: Any, resolve: Callable[[int], Type], attributes: Callable[[int], Sequence[tuple[str, int, int]]]) -> Type:
    from translator.types.array import Array, Vector
    from translator.types.composite import Composite
    from translator.types.domain import Domain
    from translator.types.enum import Enum
    from translator.types.pseudo import Pseudo
    from translator.types.range import Multirange, Range

    if row.oid in oids.VECTORS:
        return Vector(row.oid, row.name, resolve(row.element))
    if row.element:
        return Array(row.oid, row.name, resolve(row.element), row.delimiter)
    match row.kind:
        case "d":
            return Domain(row.oid, row.name, resolve(row.base), row.base_typmod)
        case "e":
            return Enum(row.oid, row.name, tuple(row.labels))
        case "c":
            return Composite(row.oid, row.name, attributes(row.relation), resolve)
        case "p":
            return Pseudo(row.oid, row.name)
        case "r" if row.oid in builtin_ranges():
            return Range(row.oid, row.name, resolve(builtin_ranges()[row.oid][0]))
        case "m" if row.oid in (ranges := {multirange: oid for oid, (_, multirange, *_) in builtin_ranges().items()}):
            return Multirange(row.oid, row.name, cast("Range", resolve(ranges[row.oid])))
    raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"type {row.name} is not supported")


def _builtin_attributes(relation: int) -> Sequence[tuple[str, int, int]]:
    rows = data.load("pg_attribute").select("attrelid", "attnum", "attname", "atttypid", "atttypmod")
    return [(name, type, typmod) for owner, number, name, type, typmod in rows if owner == relation and number > 0]


@cache
def _load() -> None:
    """Import every family module of this package, which registers its types."""
    for module in sorted(module.name for module in pkgutil.iter_modules(types.__path__)):
        importlib.import_module(f"translator.types.{module}")

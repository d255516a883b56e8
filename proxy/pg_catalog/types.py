"""Physical facts of types that pg_attribute and pg_index repeat: length, alignment, operator classes."""

from dataclasses import dataclass
from functools import cache

from proxy.pg_catalog import rows
from proxy.pg_catalog.relations import Statements
from translator.catalog import Catalog
from translator.data import load

_BTREE = 403
# Classes that serve every type of a kind (pg_opclass.opcintype is a pseudo-type).
_ANYARRAY, _ANYENUM, _RECORD, _ANYRANGE, _ANYMULTIRANGE = 2277, 3500, 2249, 3831, 4537
_BY_KIND = {"e": _ANYENUM, "c": _RECORD, "r": _ANYRANGE, "m": _ANYMULTIRANGE}
_TEXT, _VARCHAR = 25, 1043


@dataclass(frozen=True, slots=True)
class Physical:
    """How PostgreSQL would lay out a value of the type."""

    length: int
    by_value: bool
    alignment: str
    storage: str


@dataclass(frozen=True, slots=True)
class OperatorClass:
    """A row of pg_opclass."""

    oid: int
    name: str
    method: int
    namespace: int
    family: int
    input_type: int
    default: bool
    key_type: int  # what the index stores, where that is not the column's type


def physical(connection: Statements, type_oid: int) -> Physical:
    """typlen, typbyval, typalign and typstorage of a type."""
    found = _builtin_physical().get(type_oid)
    if found is not None:
        return found
    columns = ("typlen", "typbyval", "typalign", "typstorage")
    length, by_value, alignment, storage = rows.select(connection, "pg_type", columns, rows.schema_of(type_oid), oid=type_oid)[
        0
    ]
    return Physical(length, bool(by_value), alignment, storage)


@cache
def _builtin_physical() -> dict[int, Physical]:
    columns = ("oid", "typlen", "typbyval", "typalign", "typstorage")
    return {oid: Physical(*facts) for oid, *facts in load("pg_type").select(*columns)}


@cache
def operator_classes() -> dict[int, OperatorClass]:
    """pg_opclass by OID."""
    columns = ("oid", "opcname", "opcmethod", "opcnamespace", "opcfamily", "opcintype", "opcdefault", "opckeytype")
    return {row[0]: OperatorClass(*row) for row in load("pg_opclass").select(*columns)}


def default_operator_class(catalog: Catalog, type_oid: int, method: int = _BTREE) -> OperatorClass | None:
    """The default class of a type, or of what it is binary coercible to (GetDefaultOpClass)."""
    base = catalog.base_type(type_oid)
    row = catalog.type(base)
    wanted = [base, _TEXT if base == _VARCHAR else 0, _ANYARRAY if row.element else 0, _BY_KIND.get(row.kind, 0)]
    for candidate in wanted:
        for found in operator_classes().values():
            if candidate and found.default and (found.method, found.input_type) == (method, candidate):
                return found
    # A type that is stored like another one uses its class (cidr that of inet).
    for found in operator_classes().values():
        cast = catalog.cast(base, found.input_type) if found.default and found.method == method else None
        if cast is not None and cast.method == "b" and cast.context == "i":
            return found
    return None


@cache
def _btree_operators() -> dict[tuple[int, int, int, int], int]:
    columns = ("amopfamily", "amoplefttype", "amoprighttype", "amopstrategy", "amopopr")
    return {
        (family, left, right, strategy): operator
        for family, left, right, strategy, operator in load("pg_amop").select(*columns)
    }


def equality_operator(family: int, left: int, right: int) -> int | None:
    """The = of a btree family between two types."""
    return _btree_operators().get((family, left, right, 3))


@cache
def access_methods() -> dict[str, int]:
    """pg_am by name."""
    return {name: oid for oid, name in load("pg_am").select("oid", "amname")}

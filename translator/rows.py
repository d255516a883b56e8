"""Catalog rows as parse analysis reads them: a frozen dataclass a catalog, with PostgreSQL's facts and shorter names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TypeRow:
    """pg_type, as far as analysis reads it, with the enum's labels where it is one."""

    oid: int
    name: str
    namespace: int
    length: int  # typlen
    kind: str  # typtype: b c d e p r m
    category: str
    preferred: bool
    element: int = 0  # typelem of true arrays only (typsubscript = array_subscript_handler)
    array: int = 0  # typarray
    base: int = 0  # typbasetype of a domain
    base_typmod: int = -1
    not_null: bool = False
    relation: int = 0  # typrelid of a composite type
    collation: int = 0
    delimiter: str = ","
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcRow:
    """pg_proc, as far as analysis reads it."""

    oid: int
    name: str
    namespace: int
    kind: str  # f a w p
    strict: bool
    returns_set: bool
    volatility: str  # i s v
    result: int
    arguments: tuple[int, ...]
    variadic: int = 0  # element type of a VARIADIC last argument
    default_count: int = 0  # of the last arguments
    defaults: str = ""  # their PostgreSQL texts, separated by commas, as pg_get_expr prints proargdefaults
    all_types: tuple[int, ...] = ()
    modes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    source: str = ""  # prosrc
    language: int = 12
    body: str = ""  # of LANGUAGE sql

    def __deepcopy__(self, memo: object) -> "ProcRow":
        """Trees are copied with what their nodes know; catalog rows are shared."""
        return self


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """pg_operator, as far as analysis reads it; left is 0 for a prefix operator."""

    oid: int
    name: str
    namespace: int
    left: int
    right: int
    result: int
    code: int  # oprcode as a pg_proc OID
    commutator: int = 0
    negator: int = 0


@dataclass(frozen=True, slots=True)
class CastRow:
    """pg_cast: context i/a/e, method f (function) / b (binary coercible) / i (input-output)."""

    source: int
    target: int
    function: int
    context: str
    method: str

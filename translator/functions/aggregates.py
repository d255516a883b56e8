"""Aggregates that are not arithmetic: count, min and max, any_value, array_agg, string_agg, bool_… and bit_… (chapter 9.21).

Where SQLite's own aggregate does the same, the entry is a template over it: ten times as fast, and a window function too.
The others are classes. A class without `inverse` cannot be used with a moving window frame by SQLite; lowering asks for
`window` (False here, True where there is an inverse) and has the frame recomputed otherwise.

Rule: `step` is given NULLs and decides what they mean; PostgreSQL's strict transition functions skip them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.keys import ordering
from translator.functions.registry import aggregate, template
from translator.types.array import Array, ArrayValue, Elements
from translator.types.registry import builtin, builtin_rows, type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from translator.types.base import Stored

template("count()", "count(*)")
template("count(any)", "count($1)")

template("sum(int2)", "sum($1)")  # of fewer than 2**47 rows: no overflow
template("sum(int4)", "sum($1)")

template("bool_and(bool)", "min($1)")
template("every(bool)", "min($1)")
template("bool_or(bool)", "max($1)")

# SQLite's group_concat skips NULL values, takes a NULL delimiter for an empty one and leaves out the first delimiter.
template("string_agg(text,text)", "group_concat($1, $2)")

# Types whose stored values SQLite orders as PostgreSQL does; a NaN is text in SQLite and thus above all numbers.
_NATIVE_ORDER = (
    "int2", "int4", "int8", "oid", "float4", "float8", "money", "text", "bpchar", "bytea",
    "date", "time", "timestamp", "timestamptz", "pg_lsn", "xid8", "tid",
)  # fmt: skip
_KEYED_ORDER = ("numeric", "interval", "timetz", "inet")

for _name in _NATIVE_ORDER:
    template(f"min({_name})", "min($1)")
    template(f"max({_name})", "max($1)")


class Extreme:
    """min and max of a type with a sort key. Of equal values that look different (1, 1.0) the last one, as numeric_larger has it."""

    window: ClassVar[bool] = False
    type_name: ClassVar[str] = ""  # "" if the type OID comes with each call

    def __init__(self) -> None:
        self.best: Stored | None = None
        self.best_key: Any = None
        self.key: Callable[[Stored], Any] | None = None

    def better(self, key: Any) -> bool:
        raise NotImplementedError

    def step(self, *arguments: Any) -> None:
        value = arguments[-1]
        if value is None:
            return
        if self.key is None:
            self.key = ordering(type_of(arguments[0]) if not self.type_name else builtin(_oid_of(self.type_name)))
        key = self.key(value)
        if self.best is None or self.better(key):
            self.best, self.best_key = value, key

    def final(self) -> Stored | None:
        return self.best


class Min(Extreme):
    def better(self, key: Any) -> bool:
        result: bool = key <= self.best_key
        return result


class Max(Extreme):
    def better(self, key: Any) -> bool:
        result: bool = key >= self.best_key
        return result


for _name in _KEYED_ORDER:
    aggregate(f"min({_name})")(type(f"Min_{_name}", (Min,), {"type_name": _name}))
    aggregate(f"max({_name})")(type(f"Max_{_name}", (Max,), {"type_name": _name}))
aggregate("min(anyarray)", "min(anyenum)", "min(record)", types="arguments")(Min)
aggregate("max(anyarray)", "max(anyenum)", "max(record)", types="arguments")(Max)


def _oid_of(name: str) -> int:
    return next(oid for oid, row in builtin_rows().items() if row.name == name)


@aggregate("any_value(anyelement)")
class AnyValue:
    """The first value that is not NULL (any_value_transfn)."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.found: Stored | None = None

    def step(self, value: Stored | None) -> None:
        if self.found is None:
            self.found = value

    def final(self) -> Stored | None:
        return self.found


@aggregate("string_agg(bytea,bytea)")
class BytesAgg:
    """The bytes, each but the first behind its delimiter (bytea_string_agg_transfn)."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def step(self, value: bytes | None, delimiter: bytes | None) -> None:
        if value is not None:
            if self.parts and delimiter is not None:
                self.parts.append(delimiter)
            self.parts.append(value)

    def final(self) -> bytes | None:
        return b"".join(self.parts) if self.parts else None


@aggregate("array_agg(anynonarray)", types="both")
class ArrayAgg:
    """All values, NULLs included (array_agg_transfn)."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.items: Elements = []
        self.type = 0

    def step(self, _: int, result: int, value: Stored | None) -> None:
        self.type = result
        self.items.append(value)

    def final(self) -> str | None:
        if not self.items:
            return None
        type = type_of(self.type)
        assert isinstance(type, Array)
        return type.encode(ArrayValue(self.items, [1]))


@aggregate("array_agg(anyarray)", types="arguments")
class ArrayOfArraysAgg:
    """Arrays of equal dimensions as one with a dimension more (array_agg_array_transfn)."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.parts: list[ArrayValue] = []
        self.type = 0

    def step(self, oid: int, value: Stored | None) -> None:
        self.type = oid
        if value is None:
            raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays")
        type = type_of(oid)
        assert isinstance(type, Array)
        array = type.decode(value)
        if not array.lower:
            raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays")
        if self.parts and array.dimensions() != self.parts[0].dimensions():
            raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "cannot accumulate arrays of different dimensionality")
        self.parts.append(array)

    def final(self) -> str | None:
        if not self.parts:
            return None
        type = type_of(self.type)
        assert isinstance(type, Array)
        return type.encode(ArrayValue([part.elements for part in self.parts], [1, *self.parts[0].lower]))


class BitAggregate:
    """bit_and, bit_or and bit_xor; bit strings are text of zeros and ones and must have one length."""

    window: ClassVar[bool] = False
    word: ClassVar[str]

    def __init__(self) -> None:
        self.value: Any = None
        self.length: int | None = None

    def combine(self, left: int, right: int) -> int:
        raise NotImplementedError

    def step(self, value: int | str | None) -> None:
        if value is None:
            return
        if isinstance(value, str):
            if self.length is not None and self.length != len(value):
                raise SqlError(codes.STRING_DATA_LENGTH_MISMATCH, f"cannot {self.word} bit strings of different sizes")
            self.length = len(value)
            value = int(value or "0", 2)
        self.value = value if self.value is None else self.combine(self.value, value)

    def final(self) -> int | str | None:
        if self.length is None or self.value is None:
            result: int | None = self.value
            return result
        return f"{self.value:0{self.length}b}" if self.length else ""


@aggregate(*[f"bit_and({name})" for name in ("int2", "int4", "int8", "bit")])
class BitAnd(BitAggregate):
    word = "AND"

    def combine(self, left: int, right: int) -> int:
        return left & right


@aggregate(*[f"bit_or({name})" for name in ("int2", "int4", "int8", "bit")])
class BitOr(BitAggregate):
    word = "OR"

    def combine(self, left: int, right: int) -> int:
        return left | right


@aggregate(*[f"bit_xor({name})" for name in ("int2", "int4", "int8", "bit")])
class BitXor(BitAggregate):
    word = "XOR"

    def combine(self, left: int, right: int) -> int:
        return left ^ right

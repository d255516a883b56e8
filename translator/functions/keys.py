"""Sort keys of types that are made up of others, and the order of any type's stored values.

`sort_bytes` turns a stored value (or another type's key) into bytes that compare as SQLite compares the values, and that
can be followed by further parts: the key of an array or a record is the keys of its parts one after the other, each behind
a byte that says element, NULL or end. `key_array`, `key_record` and `key_enum` are what Type.key names; unlike the keys of
scalar types they have the type's OID as their first argument.

`ordering` is the same for Python code (aggregates, array functions): a function from a stored value to something that
compares, hashes and equals as PostgreSQL's default btree operator class says.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import IMPLEMENTATIONS, function
from translator.types.array import Array
from translator.types.composite import Composite, Record
from translator.types.domain import underlying
from translator.types.enum import Enum
from translator.types.identifiers import load_xid8
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from translator.types.base import Stored, Type

_DOUBLE = struct.Struct("!d")
_LONG = struct.Struct("!Q")
_COUNT = struct.Struct("!I")

_NUMBER, _TEXT, _BLOB = b"\x10", b"\x20", b"\x30"
_END, _PART, _NULL = b"\x00", b"\x01", b"\x02"  # NULLs sort last (array_cmp, record_cmp)


def sort_bytes(value: Stored) -> bytes:
    """Bytes that sort as SQLite sorts the value: numbers, then text, then blobs."""
    if isinstance(value, str):
        # Text has no zero bytes in PostgreSQL, so a zero can end it.
        return _TEXT + value.encode("utf-8", "surrogatepass") + b"\x00"
    if isinstance(value, bytes):
        return _BLOB + value.replace(b"\x00", b"\x00\xff") + b"\x00\x00"
    number = float(value)
    (bits,) = _LONG.unpack(_DOUBLE.pack(number + 0.0))  # -0.0 becomes 0.0
    bits = bits ^ 0xFFFFFFFFFFFFFFFF if bits >> 63 else bits | 0x8000000000000000
    # Integers beyond 2**53 share their nearest double; the difference decides between them.
    rest = value - int(number) if isinstance(value, int) else 0
    return _NUMBER + _LONG.pack(bits) + (0x8000 + rest).to_bytes(2, "big")


@lru_cache(maxsize=256)
def key_function(type: Type) -> Callable[[Stored], Stored]:
    """The function from a stored value to what SQLite orders it by: the identity for native types."""
    type = underlying(type)
    match type:
        case Array():
            return lambda value: _array_key(type, value)
        case Composite() | Record():
            return lambda value: _record_key(type, value)
        case Enum():
            return lambda value: type.places[str(value)]
    if type.key is None:
        return lambda value: value
    key: Callable[[Stored], Stored] | None = IMPLEMENTATIONS[type.key].function
    assert key is not None
    return key


def ordering(type: Type) -> Callable[[Stored], Any]:
    """The function whose results order values of the type in Python."""
    type = underlying(type)
    if type.key is None and type.sqlite_type == "REAL":
        return _float_order
    require_order(type)
    return load_xid8 if type.name == "xid8" else key_function(type)


def _float_order(value: Stored) -> Any:
    return (0, value) if value.__class__ is not str else (1, 0.0)  # NaN is above all


def require_order(type: Type) -> None:
    """Raise PostgreSQL's error if the type has no default btree operator class."""
    if unordered(type):
        raise SqlError(codes.UNDEFINED_FUNCTION, f"could not identify a comparison function for type {type.name}")


def unordered(type: Type) -> bool:
    """Whether the type has no default btree operator class, and no equality that arrays could use."""
    return underlying(type).name in _UNORDERED


_UNORDERED = frozenset({"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "jsonpath", "xid", "cid"})


def part_key(type: Type, value: Stored | None) -> bytes:
    """The bytes of one element or field."""
    return _NULL if value is None else _PART + sort_bytes(key_function(type)(value))


def _array_key(type: Array, stored: Stored) -> bytes:
    """Elements, then their number (by the end mark), then dimensions and lower bounds (array_cmp)."""
    require_order(type.element)
    array = type.decode(stored)
    key = key_function(type.element)
    parts = [_NULL if item is None else _PART + sort_bytes(key(item)) for item in array.flat()]
    parts.append(_END + _COUNT.pack(len(array.lower)))
    parts += [_COUNT.pack(size) for size in array.dimensions()]
    parts += [_COUNT.pack(bound + 0x80000000) for bound in array.lower]
    return b"".join(parts)


def _record_key(type: Type, stored: Stored) -> bytes:
    assert isinstance(type, Composite | Record)
    parts = []
    for attribute, value in type.items(stored):
        require_order(attribute.type)
        parts.append(part_key(attribute.type, value))
    return b"".join(parts) + _END


@function("key_array", "key_record", "key_enum")
def key(oid: int, value: Stored) -> Stored:
    """The key of a value of an array, composite, record or enum type."""
    return key_function(type_of(oid))(value)

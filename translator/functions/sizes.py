"""pg_size_pretty and pg_size_bytes (dbsize.c); pg_column_size (varlena.c).

What pg_column_size gives is PostgreSQL's: the bytes that a value takes there in an expression, without a row's packing and
compression. It is exact for types of fixed length, text, bytea, json, jsonb, numeric and arrays of these.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.jsonpath_layout import document_size, number_size
from translator.functions.numeric import numeric_int8
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.array import Array
from translator.types.domain import underlying
from translator.types.json import read
from translator.types.numeric import EXACT, input_text, rescale, text_of
from translator.types.registry import type_of

if TYPE_CHECKING:
    from translator.types.base import Stored, Type

# Unit, and from what size on the next one is used.
_UNITS = (("bytes", 10 * 1024), ("kB", 20 * 1024 - 1), ("MB", 20 * 1024 - 1), ("GB", 20 * 1024 - 1), ("TB", 20 * 1024 - 1))
_FACTORS = {"bytes": 0, "b": 0, "kb": 10, "mb": 20, "gb": 30, "tb": 40, "pb": 50}


def _halved(size: int) -> int:
    """Half of it, rounded away from zero."""
    return (size + 1) // 2 if size > 0 else -((1 - size) // 2)


def _truncated(size: int, bits: int) -> int:
    return size >> bits if size >= 0 else -(-size >> bits)


@function("pg_size_pretty")
def pg_size_pretty(size: int) -> str:
    """Sizes are kept with one bit more than shown, so that the last step rounds."""
    doubled = False
    for place, (unit, limit) in enumerate(_UNITS):
        if abs(size) < limit:
            return f"{_halved(size) if doubled else size} {unit}"
        # Bytes to half kilobytes are 9 bits, later units 10.
        size = _truncated(size, 9 if place == 0 else 10)
        doubled = True
    return f"{_halved(size)} PB"


@function("pg_size_pretty_numeric")
def pg_size_pretty_numeric(size: str) -> str:
    value = Decimal(size)
    doubled = False
    for place, (unit, limit) in enumerate(_UNITS):
        if abs(value) < limit:
            return f"{text_of(_halved_decimal(value) if doubled else value)} {unit}"
        value = rescale(EXACT.divide_int(value, Decimal(512 if place == 0 else 1024)), 0)
        doubled = True
    return f"{text_of(_halved_decimal(value))} PB"


def _halved_decimal(value: Decimal) -> Decimal:
    one = Decimal(1 if value >= 0 else -1)
    return rescale(EXACT.divide_int(EXACT.add(value, one), Decimal(2)), 0)


_SIZE = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*(.*?)[ \t\n\v\f\r]*\Z", re.DOTALL
)


@function("pg_size_bytes")
def pg_size_bytes(text: str) -> int:
    match = _SIZE.match(text)
    if match is None:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'invalid size: "{text}"')
    number, unit = match.groups()
    factor = _FACTORS.get(unit.lower()) if unit else 0
    if factor is None:
        raise SqlError(
            sqlstate.INVALID_PARAMETER_VALUE,
            f'invalid size: "{text}"',
            detail=f'Invalid size unit: "{unit}".',
            hint='Valid units are "bytes", "B", "kB", "MB", "GB", "TB", and "PB".',
        )
    return numeric_int8(text_of(EXACT.multiply(Decimal(input_text(number)), Decimal(1 << factor))))


_HEADER = 4  # of a value of varying length
_ARRAY_HEADER, _DIMENSION = 16, 8
_NUMERIC, _JSONB = 1700, 3802


@function("pg_column_size", types="arguments")
def pg_column_size(oid: int, value: Stored) -> int:
    return _column_size(underlying(type_of(oid)), value)


def _column_size(type: Type, value: Stored) -> int:
    length = _length(type.oid)
    if length > 0:
        return length
    if length == _CSTRING:
        return len(type.output(value, runtime.settings).encode()) + 1
    if type.oid == _NUMERIC:
        return _HEADER + 2 if str(value)[-1] > "9" else number_size(Decimal(str(value)))
    if type.oid == _JSONB:
        return _HEADER + document_size(read(str(value)))
    if isinstance(type, Array):
        return _array_size(type, value)
    return _HEADER + len(type.send(value, runtime.settings))


_CSTRING = -2  # typlen


def _length(oid: int) -> int:
    row = runtime.catalog.type_by_oid(oid)
    return int(row.length) if row is not None else -1


def _array_size(type: Array, value: Stored) -> int:
    """Elements stand one after the other, those of varying length at multiples of four."""
    array = type.decode(value)
    items = array.flat() if array.lower else []
    size = _ARRAY_HEADER + _DIMENSION * len(array.lower)
    if None in items:
        size += -(-len(items) // 8)
        size += -size % 8
    align = 1 if _length(type.element.oid) == 1 else 2 if _length(type.element.oid) == 2 else 4
    for item in items:
        size += 0 if item is None else -size % align + _column_size(underlying(type.element), item)
    return size + -size % align

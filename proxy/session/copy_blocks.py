"""Blocks of COPY FROM, column by column: a few calls that run in C for all fields of a column instead of some for every field.

A block is some hundred rows, turned round to columns of fields; a converter, built once a column, gives the column's stored values.
Most fields look like what is stored ("2024-02-29 12:34:56+00", "1.50", "t"), which one regular expression says of a whole column.

Rule: nothing is reported from here. Whatever is wrong with a block, the caller reads it again row by row, to find the first
mistake in the order of the data and to say where it is (copy.py).
"""

from __future__ import annotations

import functools
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from proxy.session import rows as wire_rows
from translator.errors import SqlError
from translator.types.datetime_stored import DAY_NUMBERS
from translator.types.numeric import unpack_typmod
from translator.types.registry import type_of

if TYPE_CHECKING:
    from translator.catalog import Catalog, Column
    from translator.settings import Settings
    from translator.types.base import Stored, Type

Fields = Sequence[Any]  # of one column: text (bytes in binary format), None for NULL
Converter = Callable[[Fields], Sequence[Any]]  # of fields that are not NULL
Check = Callable[[str], object]

# What raises when a block is not regular: too few fields in a row, a word where a table has digits, what an input function raises.
IRREGULAR: Final = (SqlError, ValueError, LookupError, struct.error)

_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIMESTAMP: Final = rf"{_DATE} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_FRACTION: Final = r"(?:\.[0-9]{0,5}[1-9])?"
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FLOATS: Final = re.compile(r"[-+0-9.eE]*").fullmatch
_ZEROS: Final = frozenset(("0", "0.0", "-0", "-0.0", "0.00"))
_BOOLEANS: Final = {"t": 1, "f": 0, "true": 1, "false": 0, "1": 1, "0": 0}
_INT_FORMS: Final = {wire_rows.INT2: ("h", 2), wire_rows.INT4: ("i", 4), wire_rows.INT8: ("q", 8)}


def rows_of(columns: Sequence[Fields], converters: Sequence[Converter]) -> list[tuple[Any, ...]]:
    """The stored rows of a block. Raises what is IRREGULAR."""
    converted = [_converted(fields, convert) for fields, convert in zip(columns, converters, strict=True)]
    return list(zip(*converted, strict=True))


def _converted(fields: Fields, convert: Converter) -> Sequence[Any]:
    if None not in fields:
        return convert(fields)
    values = iter(convert([field for field in fields if field is not None]))
    return [None if field is None else next(values) for field in fields]


def converter_of(column: Column, catalog: Catalog | None, settings: Settings, *, binary: bool) -> Converter:
    """The converter of a column."""
    type = type_of(column.type_oid, catalog)
    if binary:
        return _binary_converter(type, column, settings)
    single = functools.partial(_input, type, settings, column.typmod)
    oid, typmod = column.type_oid, column.typmod
    if (limits := wire_rows.INT_RANGES.get(oid)) is not None:
        return functools.partial(_integers, single, *limits)
    match oid:
        case wire_rows.TEXT_OID:
            return _unchanged
        case wire_rows.VARCHAR:
            return _unchanged if typmod < 0 else functools.partial(_short_texts, single, typmod - 4)
        case wire_rows.BOOL:
            return functools.partial(_booleans, single)
        case wire_rows.FLOAT8:
            return functools.partial(_floats, single)
        case wire_rows.NUMERIC:
            return functools.partial(_stored_as_they_are, single, _column_of(_numeric_pattern(typmod)))
        case wire_rows.UUID:
            return functools.partial(_stored_as_they_are, single, _column_of(_UUID))
        case wire_rows.DATE:
            return functools.partial(_dates, single, _column_of(_DATE))
        case wire_rows.TIMESTAMP | wire_rows.TIMESTAMPTZ:
            suffix = "+00" if oid == wire_rows.TIMESTAMPTZ else ""
            fraction = _FRACTION if typmod < 0 else ""
            return functools.partial(_timestamps, single, _column_of(_TIMESTAMP + fraction + re.escape(suffix)), len(suffix))
    return single


def _input(type: Type, settings: Settings, typmod: int, fields: Fields) -> Sequence[Stored]:
    """Any fields of any type."""
    return [type.input(field, settings, typmod) for field in fields]


def _unchanged(fields: Fields) -> Fields:
    return fields


def _short_texts(single: Converter, length: int, fields: Fields) -> Sequence[Any]:
    return fields if max(map(len, fields), default=0) <= length else single(fields)


def _integers(single: Converter, low: int, high: int, fields: Fields) -> Sequence[Any]:
    text = "".join(fields).replace("-", "")
    if text.isascii() and text.isdigit():  # int() takes more than PostgreSQL does: other digits, other spaces
        numbers = list(map(int, fields))
        if low <= min(numbers) and max(numbers) <= high:
            return numbers
    return single(fields)


def _booleans(single: Converter, fields: Fields) -> Sequence[Any]:
    try:
        return list(map(_BOOLEANS.__getitem__, fields))
    except KeyError:
        return single(fields)


def _floats(single: Converter, fields: Fields) -> Sequence[Any]:
    if not _FLOATS("".join(fields)):
        return single(fields)
    numbers = list(map(float, fields))
    if math.inf in numbers or -math.inf in numbers:
        return single(fields)
    if 0.0 in numbers and any(not number and text not in _ZEROS for number, text in zip(numbers, fields, strict=True)):
        return single(fields)  # a number that is too small to be told from nought is an error
    return numbers


def _column_of(pattern: str) -> Check:
    """What tells whether every line of a text has this form. The last one ends like the others."""
    return re.compile(f"(?:{pattern}\n)*").fullmatch


def _lines(fields: Fields) -> str:
    """The fields, one a line; empty when a field is more than one."""
    text = "\n".join(fields) + "\n"
    return text if text.count("\n") == len(fields) else "\0"


def _stored_as_they_are(single: Converter, check: Check, fields: Fields) -> Sequence[Any]:
    return fields if check(_lines(fields)) else single(fields)


def _dates(single: Converter, check: Check, fields: Fields) -> Sequence[Any]:
    return fields if check(_lines(fields)) and _all_days(set(fields)) else single(fields)


def _timestamps(single: Converter, check: Check, suffix: int, fields: Fields) -> Sequence[Any]:
    if not check(_lines(fields)) or not _all_days({field[:10] for field in fields}):
        return single(fields)
    return [field[:-suffix] for field in fields] if suffix else fields


def _all_days(texts: set[str]) -> bool:
    try:
        for text in texts:
            DAY_NUMBERS[text]  # KeyError is the answer
    except KeyError:
        return False
    return True


def _numeric_pattern(typmod: int) -> str:
    """Numbers whose text is the value that a column of this modifier has (numeric.py); those below 1 without a sign."""
    if typmod < 0:
        return r"(?:-?[1-9][0-9]{0,99}|0)(?:\.[0-9]{1,99})?"
    precision, scale = unpack_typmod(typmod)
    digits = precision - scale
    whole = "0" if digits < 1 else f"(?:-?[1-9][0-9]{{0,{digits - 1}}}|0)"
    return whole + (rf"\.[0-9]{{{scale}}}" if scale > 0 else "") if 0 <= scale <= precision else r"(?!)"


# Binary format


def _binary_converter(type: Type, column: Column, settings: Settings) -> Converter:
    typmod = column.typmod

    def single(fields: Fields) -> Sequence[Any]:
        return [type.receive(field, settings, typmod) for field in fields]

    if (form := _INT_FORMS.get(column.type_oid)) is not None:
        return functools.partial(_binary_integers, single, *form)
    return single


def _binary_integers(single: Converter, code: str, size: int, fields: Fields) -> Sequence[Any]:
    if any(len(field) != size for field in fields):
        return single(fields)
    return struct.unpack(f"!{len(fields)}{code}", b"".join(fields))

"""Where the compiled kernel (_kernel.pyx) takes over from Python: what kind of column each type is to it.

It is built by `pip install` where a C compiler is found, and left out otherwise. Without it, or with LITEPHANT_PURE_PYTHON set, rows.py,
copy_lines.py and copy_blocks.py do the same in Python.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from translator import oids
from translator.types.numeric import unpack_typmod
from translator.types.registry import type_of

if TYPE_CHECKING:
    from proxy.session.copy_options import CopyOptions
    from translator.catalog import Catalog, Column
    from translator.settings import Settings
    from translator.types.base import Type

try:
    from proxy.session import _kernel
except ImportError:
    BUILT = False
else:
    BUILT = True
AVAILABLE: Final = BUILT and not os.environ.get("LITEPHANT_PURE_PYTHON")

_STRINGS: Final = (oids.TEXT, oids.VARCHAR, oids.NAME, oids.UNKNOWN, oids.JSON)
_ANY: Final = (-(1 << 63), (1 << 63) - 1)
_INTEGERS: Final = {oids.INT2: (-(1 << 15), (1 << 15) - 1), oids.INT4: (-(1 << 31), (1 << 31) - 1), oids.INT8: _ANY}
_GENERAL_BINARY: Final = -1


def _binary_kinds() -> dict[int, int]:
    kind = _kernel.Kind
    return {
        **dict.fromkeys(_STRINGS, kind.STRING),
        oids.INT2: kind.INT2,
        oids.INT4: kind.INT4,
        oids.INT8: kind.INT8,
        oids.OID: kind.OID,
        oids.BYTEA: kind.BYTES,
        oids.BOOL: kind.BOOL,
        oids.FLOAT8: kind.DOUBLE,
        oids.UUID: kind.UUID,
        oids.DATE: kind.DAY,
        oids.TIMESTAMP: kind.MICROSECONDS,
        oids.TIMESTAMPTZ: kind.MICROSECONDS,
        oids.NUMERIC: kind.DECIMAL,
    }


def _text_kind(oid: int, settings: Settings) -> int:
    kind = _kernel.Kind
    iso = settings.date_style == "ISO"
    if oid in _INTEGERS or oid == oids.OID:
        return kind.INTEGER
    if oid in _STRINGS or oid == oids.NUMERIC:
        return kind.STRING
    if oid == oids.BOOL:
        return kind.BOOLEAN
    if oid == oids.FLOAT8 and settings.extra_float_digits > 0:
        return kind.FLOAT
    if oid == oids.BYTEA and settings.bytea_output == "hex":
        return kind.HEX
    if oid == oids.TIME or (iso and oid in {oids.DATE, oids.TIMESTAMP}):
        return kind.MOMENT
    if oid == oids.TIMESTAMPTZ and iso and settings.timezone_name in {"UTC", "Etc/UTC"}:
        return kind.MOMENT_UTC
    return kind.GENERAL


def row_encoder(
    types: Sequence[Type], formats: Sequence[int], settings: Settings, message: int
) -> Callable[[Sequence[Sequence[Any]], Settings], bytes]:
    """What encodes rows of these types, for these settings, as messages in the form of DataRow."""
    binary = _binary_kinds()
    kinds = [
        binary.get(type.oid, _GENERAL_BINARY) if format else _text_kind(type.oid, settings)
        for type, format in zip(types, formats, strict=True)
    ]
    return _kernel.RowEncoder(kinds, types, message)


def line_encoder(
    options: CopyOptions, names: Sequence[str], types: Sequence[Type], settings: Settings
) -> Callable[[Sequence[Sequence[Any]], Settings], bytes]:
    """What encodes rows as the CopyData messages of COPY TO in text or CSV format."""
    kinds = [_text_kind(type.oid, settings) for type in types]
    delimiter, null = options.delimiter.encode(), options.null.encode()
    if options.format != "csv":
        return _kernel.LineEncoder(kinds, types, delimiter, null)
    forced = [options.forces(name, options.force_quote) for name in names]
    quote, escape = options.quote.encode(), options.escape.encode()
    return _kernel.LineEncoder(kinds, types, delimiter, null, quote=quote, escape=escape, forced=forced)


def line_reader(
    options: CopyOptions, columns: Sequence[Column], catalog: Catalog | None, settings: Settings
) -> Callable[[bytes], list[tuple[Any, ...]]] | None:
    """What reads blocks of lines of COPY FROM as stored rows; None for options that it does not know."""
    csv = options.format == "csv"
    if not columns or options.default is not None or (csv and (options.escape != options.quote or options.force_null)):
        return None
    if csv and options.force_not_null:
        return None
    kinds, limits = zip(*[_read_kind(column) for column in columns], strict=True)
    inputs = [functools.partial(_input, type_of(column.type_oid, catalog), settings, column.typmod) for column in columns]
    quote = options.quote.encode() if csv else b""
    return _kernel.LineReader(kinds, limits, inputs, options.delimiter.encode(), options.null.encode(), quote)


def _input(type: Type, settings: Settings, typmod: int, text: str) -> Any:
    return type.input(text, settings, typmod)


def _read_kind(column: Column) -> tuple[int, tuple[int, int]]:
    """The kind of a column that is read, and the limits of its values (_kernel.LineReader)."""
    kind = _kernel.Kind
    typmod = column.typmod
    match column.type_oid:
        case oid if oid in _INTEGERS:
            return kind.INTEGER, _INTEGERS[oid]
        case oid if oid == oids.TEXT:
            return kind.STRING, (-1, 0)
        case oid if oid == oids.VARCHAR:
            return kind.STRING, (-1 if typmod < 0 else typmod - 4, 0)
        case oid if oid == oids.BOOL:
            return kind.BOOLEAN, _ANY
        case oid if oid == oids.FLOAT8:
            return kind.FLOAT, _ANY
        case oid if oid == oids.DATE:
            return kind.DATE, _ANY
        case oid if oid in {oids.TIMESTAMP, oids.TIMESTAMPTZ}:
            return (kind.TIMESTAMPTZ if oid == oids.TIMESTAMPTZ else kind.TIMESTAMP), (int(typmod < 0), 0)
        case oid if oid == oids.NUMERIC:
            if typmod < 0:
                return kind.NUMERIC, (-1, -1)
            precision, scale = unpack_typmod(typmod)
            if 0 <= scale <= precision:
                return kind.NUMERIC, (precision - scale, scale)
    return kind.GENERAL, _ANY

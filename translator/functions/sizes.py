"""pg_size_pretty and pg_size_bytes (dbsize.c)."""

from __future__ import annotations

import re
from decimal import Decimal

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.numeric import numeric_int8
from translator.functions.registry import function
from translator.types.numeric import EXACT, input_text, rescale, text_of

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

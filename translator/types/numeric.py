"""numeric. Its value form is decimal text with its display scale: '1.50', '-0.001', 'NaN', 'Infinity', '-Infinity'; never '-0'.

`parse` and `text_of` lead from the value form to Decimal and back; arithmetic is in translator/functions/numeric_arithmetic.py.
A column of numeric(p <= 15, s >= 0) has the storage form REAL, or INTEGER where s = 0; `load_template` and `STORE_TEMPLATE` are
the SQLite expressions between both. NaN is the text 'NaN' in such a column too (infinity cannot occur in it).
"""

from __future__ import annotations

import decimal
import re
import struct
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import Reader, left_over
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

MAX_PRECISION = 1000  # NUMERIC_MAX_PRECISION
MAX_SCALE = 16383  # NUMERIC_DSCALE_MAX
MAX_WHOLE_DIGITS = 131072  # (NUMERIC_WEIGHT_MAX + 1) * DEC_DIGITS
STORED_PRECISION = 15  # what a double holds exactly

# Enough for every exact sum, product and quotient's whole part; too many digits before the point are an Overflow. Context's
# methods are used, never its arithmetic operators: those read a thread's context variable. Results do not depend on flags.
EXACT = Context(
    prec=400_000, rounding=ROUND_HALF_UP, Emin=-400_000, Emax=MAX_WHOLE_DIGITS - 1, capitals=1, traps=[decimal.Overflow]
)

_WIDE = Context(prec=400_000, rounding=ROUND_HALF_UP, Emin=-400_000, Emax=400_000, capitals=1, traps=[])

_VARHDRSZ = 4

_DECIMAL = re.compile(r"([+-]?)([0-9](?:_?[0-9])*)?(\.([0-9](?:_?[0-9])*)?)?(?:[eE]([+-]?[0-9](?:_?[0-9])*))?\Z")
_OTHER_BASE = re.compile(r"([+-]?)0(?:[xX]((?:_?[0-9a-fA-F])+)|[oO]((?:_?[0-7])+)|[bB]((?:_?[01])+))\Z")
_SPECIAL = {
    "nan": "NaN",
    "infinity": "Infinity",
    "+infinity": "Infinity",
    "-infinity": "-Infinity",
    "inf": "Infinity",
    "+inf": "Infinity",
    "-inf": "-Infinity",
}  # fmt: skip
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")


def overflow() -> SqlError:
    """make_result: more digits than the format holds."""
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")


def text_of(value: Decimal) -> str:
    """The value form of a Decimal whose exponent is its negated display scale."""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    return text[1:] if text[0] == "-" and not value else text


@lru_cache(maxsize=256)
def quantum(scale: int) -> Decimal:
    """One unit of the last place of a scale."""
    return Decimal((0, (1,), -scale))


def rescale(value: Decimal, scale: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """The finite value with exactly `scale` places (round_var, trunc_var)."""
    return value.quantize(quantum(scale), rounding, EXACT)


def rescale_widely(value: Decimal, scale: int, rounding: str) -> Decimal:
    """The same where the last place, and so the result, may lie beyond what a numeric can hold."""
    return value.quantize(quantum(scale), rounding, _WIDE)


def scale_of(text: str) -> int:
    """The display scale of a finite value."""
    point = text.find(".")
    return 0 if point < 0 else len(text) - point - 1


def input_text(text: str) -> str:
    """numeric_in without its modifier."""
    stripped = text.strip(" \t\n\v\f\r")
    if _PLAIN.match(stripped) and len(stripped) < 1000:
        return "0" + stripped[2:] if stripped.startswith("-0") and not stripped.strip("-0.") else stripped
    special = _SPECIAL.get(stripped.lower())
    if special is not None:
        return special
    match = _DECIMAL.match(stripped)
    if match is not None and (match[2] or match[4]):
        return _decimal_text(match[1] + (match[2] or ""), match[4] or "", match[5] or "0")
    match = _OTHER_BASE.match(stripped)
    if match is not None:
        sign, *digits = match.groups()
        whole = next(int(group.replace("_", ""), base) for group, base in zip(digits, (16, 8, 2), strict=True) if group)
        return text_of(_checked(EXACT.create_decimal(-whole if sign == "-" else whole)))
    raise syntax_error(text)


def syntax_error(text: str) -> SqlError:
    return SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type numeric: "{text}"')


def _decimal_text(whole: str, fraction: str, exponent: str) -> str:
    """set_var_from_str: the exponent moves the point, the display scale is what is then behind it."""
    power = int(exponent.replace("_", "")[:20])
    if not -(2**30) < power < 2**30:  # INT_MAX / 2
        raise overflow()
    fraction = fraction.replace("_", "")
    scale = len(fraction) - power
    coefficient = Decimal(f"{whole}{fraction}".replace("_", ""))
    if scale > MAX_SCALE or (coefficient and coefficient.adjusted() - scale >= MAX_WHOLE_DIGITS):
        raise overflow()
    if not coefficient:
        return text_of(Decimal((0, (0,), -max(scale, 0))))
    value = coefficient.scaleb(-scale, EXACT)
    return text_of(value if scale >= 0 else rescale(value, 0))


def _checked(value: Decimal) -> Decimal:
    if value.is_infinite() or value.adjusted() >= MAX_WHOLE_DIGITS:
        raise overflow()
    return value


def apply_typmod(text: str, typmod: int) -> str:
    """Round a value to numeric(p, s) and check that it fits."""
    if typmod < _VARHDRSZ or text == "NaN":
        return text
    precision, scale = unpack_typmod(typmod)
    if text[-1] == "y":
        raise _field_overflow(precision, scale, "cannot hold an infinite value.")
    whole, _, fraction = text.partition(".")
    if len(fraction) == scale and len(whole) <= precision - scale:
        return text  # as most values are already
    value = rescale(Decimal(text), scale)
    if value and value.adjusted() >= precision - scale:
        limit = f"10^{precision - scale}" if precision != scale else "1"
        raise _field_overflow(precision, scale, f"must round to an absolute value less than {limit}.")
    if scale < 0:
        value = rescale(value, 0)
    return text_of(value)


def _field_overflow(precision: int, scale: int, rest: str) -> SqlError:
    detail = f"A field with precision {precision}, scale {scale} {rest}"
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow", detail=detail)


def pack_typmod(precision: int, scale: int) -> int:
    """make_numeric_typmod: the scale is 11 bits wide and signed."""
    return (precision << 16 | scale & 0x7FF) + _VARHDRSZ


def unpack_typmod(typmod: int) -> tuple[int, int]:
    """Precision and scale."""
    bits = typmod - _VARHDRSZ
    return bits >> 16 & 0xFFFF, (bits & 0x7FF ^ 1024) - 1024


def has_storage_form(typmod: int) -> bool:
    """Whether a column with this modifier is stored as a number: exact in a double, so that it compares natively."""
    if typmod < _VARHDRSZ:
        return False
    precision, scale = unpack_typmod(typmod)
    return precision <= STORED_PRECISION and 0 <= scale <= precision


def load_template(scale: int) -> str:
    """From the storage form of numeric(p, scale) to the value form; $1 is the column.

    Text (NaN) and NULL pass: in SQLite's order every number comes before every text.
    """
    if scale == 0:
        return "CAST($1 AS TEXT)"
    return f"CASE WHEN $1 < '' THEN printf('%.{scale}f', $1) ELSE $1 END"


# From the value form to the storage form, where no column's affinity does it.
STORE_TEMPLATE = "CASE $1 WHEN 'NaN' THEN 'NaN' ELSE CAST($1 AS NUMERIC) END"

_HEADER = struct.Struct("!HhHH")
_SIGNS = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}
_SPECIALS = {sign: text for text, sign in _SIGNS.items()}


_ONE_DIGIT = struct.Struct("!HhHHH").pack
_TWO_DIGITS = struct.Struct("!HhHHHH").pack
_THREE_DIGITS = struct.Struct("!HhHHHHH").pack


class _Fractions(dict[str, tuple[int, int]]):
    """Up to four decimal digits behind the point -> their number, and the base-10000 digit. KeyError for more."""

    def __missing__(self, text: str) -> tuple[int, int]:
        if len(text) > 4:
            raise KeyError(text)
        found = self[text] = len(text), int(text.ljust(4, "0"))
        return found


_FRACTIONS = _Fractions()


def send(text: str) -> bytes:
    """numeric_send: number of base-10000 digits, weight of the first, sign, display scale, the digits."""
    whole, _, fraction = text.partition(".")
    if len(whole) <= 8 and len(fraction) <= 4 and whole.isdigit():  # as amounts of money are
        scale, low = _FRACTIONS[fraction]
        high, middle = divmod(int(whole), 10_000)
        if high:
            if low:
                return _THREE_DIGITS(3, 1, 0, scale, high, middle, low)
            return _TWO_DIGITS(2, 1, 0, scale, high, middle) if middle else _ONE_DIGIT(1, 1, 0, scale, high)
        if middle:
            return _TWO_DIGITS(2, 0, 0, scale, middle, low) if low else _ONE_DIGIT(1, 0, 0, scale, middle)
    return _send_any(text)


def _send_any(text: str) -> bytes:
    if text[-1] > "9":
        # An infinity is sent with the display scale of 32 that its header makes of the sign bits.
        return _HEADER.pack(0, 0, _SIGNS[text], 0x20 if text != "NaN" else 0)
    negative = text[0] == "-"
    whole, _, fraction = text[negative:].partition(".")
    scale = len(fraction)
    whole = whole.lstrip("0")
    digits = whole.zfill(-(-len(whole) // 4) * 4) + fraction.ljust(-(-scale // 4) * 4, "0")
    groups = [int(digits[place : place + 4]) for place in range(0, len(digits), 4)]
    weight = -(-len(whole) // 4) - 1
    first, end = 0, len(groups)
    while end and groups[end - 1] == 0:
        end -= 1
    while first < end and groups[first] == 0:
        first += 1
    if first == end:
        return _HEADER.pack(0, 0, 0, scale)
    header = _HEADER.pack(end - first, weight - first, 0x4000 if negative else 0, scale)
    return header + struct.pack(f"!{end - first}H", *groups[first:end])


def receive(data: bytes) -> str:
    """numeric_recv without its modifier. Digits beyond the display scale are cut off."""
    reader = Reader(data)
    count, weight, sign, scale = _HEADER.unpack(reader.take(_HEADER.size))
    if sign not in (0, 0x4000) and sign not in _SPECIALS:
        raise SqlError(sqlstate.INVALID_BINARY_REPRESENTATION, 'invalid sign in external "numeric" value')
    if scale > MAX_SCALE:
        raise SqlError(sqlstate.INVALID_BINARY_REPRESENTATION, 'invalid scale in external "numeric" value')
    digits = struct.unpack(f"!{count}h", reader.take(2 * count))
    if any(not 0 <= digit < 10000 for digit in digits):
        raise SqlError(sqlstate.INVALID_BINARY_REPRESENTATION, 'invalid digit in external "numeric" value')
    if reader.place != len(data):
        raise left_over()
    if sign in _SPECIALS:
        return _SPECIALS[sign]
    text = "".join([f"{digit:04d}" for digit in digits])
    coefficient = Decimal(text or "0")
    value = coefficient.scaleb(4 * (weight + 1 - count), EXACT) if coefficient else coefficient
    _checked(value)
    value = rescale(value, scale, decimal.ROUND_DOWN)
    return text_of(value.copy_negate() if sign else value)


class Numeric(Type):
    oid = 1700
    name = "numeric"
    key = "numeric_sortkey"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return apply_typmod(input_text(text), typmod)

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return apply_typmod(receive(data), typmod)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return send(str(value))

    def typmod_in(self, modifiers: list[str]) -> int:
        numbers = [
            int(modifier) if re.fullmatch("[+-]?[0-9]+", modifier) else _not_an_integer(modifier) for modifier in modifiers
        ]
        if len(numbers) not in (1, 2):
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier")
        precision, scale = numbers[0], numbers[1] if len(numbers) == 2 else 0
        if not 1 <= precision <= MAX_PRECISION:
            message = f"NUMERIC precision {precision} must be between 1 and {MAX_PRECISION}"
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
        if not -1000 <= scale <= 1000:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"NUMERIC scale {scale} must be between -1000 and 1000")
        return pack_typmod(precision, scale)

    def typmod_out(self, typmod: int) -> str:
        if typmod < _VARHDRSZ:
            return ""
        precision, scale = unpack_typmod(typmod)
        return f"({precision},{scale})"


def _not_an_integer(modifier: str) -> int:
    raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type integer: "{modifier}"')


NUMERIC = Numeric()
register(NUMERIC)

"""real and double precision: stored as REAL.

Two values need care. NaN is the text 'NaN', because SQLite turns a bound NaN into NULL; in SQLite's order text comes behind all
numbers and equals itself, which is PostgreSQL's order. A real is kept rounded to single precision, as a double with the
same value.

Output is the shortest text that reads back as the same value (extra_float_digits > 0). Python's repr is that for doubles, but
for ties: the reader may not round a tie to even in PostgreSQL's variant (d2s.c never accepts the bounds of the interval).
"""

from __future__ import annotations

import math
import re
import struct
from decimal import ROUND_UP, Context, Decimal
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import unpack
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

NAN = "NaN"

_SINGLE = struct.Struct("!f")
_DOUBLE = struct.Struct("!d")

_DECIMAL = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*\Z")
_HEXADECIMAL = re.compile(
    r"[ \t\n\v\f\r]*([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?)[ \t\n\v\f\r]*\Z"
)
_SPECIAL: dict[str, float | str] = {
    "nan": NAN,
    "infinity": math.inf,
    "+infinity": math.inf,
    "-infinity": -math.inf,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
}  # fmt: skip


def single(value: float) -> float:
    """The nearest real, as C converts double to float: what is too large becomes infinite."""
    try:
        rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def store(value: float) -> float | str:
    """The stored form of a float that may be NaN."""
    return value if value == value else NAN  # noqa: PLR0124  (the test for NaN)


def load(value: Stored) -> float:
    """The float of a stored form."""
    return math.nan if value == NAN else float(value)


def parse(text: str, words: str) -> float | str:
    """float8in_internal: the stored double of a text; `words` names the type in errors."""
    match = _DECIMAL.match(text)
    if match is not None:
        value = float(match[1])
        if value == 0 and re.search("[1-9]", match[1].lower().partition("e")[0]):
            raise out_of_range(match[1], words)
    elif (match := _HEXADECIMAL.match(text)) is not None:
        value = float.fromhex(match[1])
    else:
        special = _SPECIAL.get(text.strip(" \t\n\v\f\r").lower())
        if special is None:
            raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {words}: "{text}"')
        return special
    if math.isinf(value):
        raise out_of_range(match[1], words)
    return value


def out_of_range(number: str, words: str) -> SqlError:
    """What strtod's ERANGE becomes."""
    return SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, f'"{number}" is out of range for type {words}')


def double_text(value: float, extra_digits: int = 1) -> str:
    """float8out."""
    if -1e15 < value < 1e15:
        if extra_digits <= 0:
            return f"{value:.{max(15 + extra_digits, 1)}g}"
        text = repr(value)
        return text.removesuffix(".0")
    if value != value:  # noqa: PLR0124  (the test for NaN)
        return NAN
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if extra_digits <= 0:
        return f"{value:.{max(15 + extra_digits, 1)}g}"
    return _large_text(value)


def _large_text(value: float) -> str:
    """The shortest text of a double beyond 1e15, always with an exponent.

    Beyond 2**53 a short decimal may lie exactly between two doubles; it ends there before Ryu's would (see above).
    """
    text = repr(value)
    if "e" not in text:  # below 1e16, a whole number of 16 digits
        digits = text.replace(".", "").rstrip("0")
        point = 2 if digits[0] == "-" else 1
        return f"{digits[:point]}.{digits[point:]}".rstrip(".") + "e+15"
    places = len(text.partition("e")[0].strip("-").replace(".", ""))
    while abs(value) < 1e25 and places < 17 and (float(text) != value or _is_tie(text, value)):
        text = f"{value:.{places}e}"
        places += 1
    return text


def _is_tie(text: str, value: float) -> bool:
    """Whether `text`, a whole number, is halfway between `value` and a neighbour, so that only rounding to even gives `value`."""
    shown, exact = int(Decimal(text)), int(value)
    return 2 * shown == exact + int(math.nextafter(value, math.inf if shown > exact else -math.inf))


def single_text(value: float, extra_digits: int = 1) -> str:
    """float4out: `value` is a double with the value of a real."""
    if extra_digits <= 0 and math.isfinite(value):
        return f"{value:.{max(6 + extra_digits, 1)}g}"
    if value != value:  # noqa: PLR0124  (the test for NaN)
        return NAN
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return repr(value)[:-2]
    # Six digits always survive the way to a real and back, so that fewer need no try; subnormal values have less precision.
    for digits in range(6 if abs(value) > 1.2e-38 else 1, 10):
        text = f"{value:.{digits}g}"
        read = float(text)
        if _nearest_single(text, read) == value and not (abs(value) > 1e6 and _is_tie_of_singles(read, value)):
            break
        if math.frexp(value)[0] in (0.5, -0.5):  # the interval is wider above a power of two, so its end may be shorter
            shorter = Context(prec=digits, rounding=ROUND_UP).create_decimal(Decimal(value))
            if single(float(shorter)) == value:
                value = float(shorter)
                text = f"{value:.{digits}g}"
                break
    if digits == 6 or "e" in text:
        return text
    exponent = math.floor(math.log10(abs(value)))
    return text if exponent < 6 else f"{value:.{digits - 1}e}"


def _is_tie_of_singles(read: float, value: float) -> bool:
    """Whether `read` is halfway between the real `value` and a neighbour; doubles hold all three."""
    return 2 * abs(read) == abs(value) + _neighbour(read, value)


def _neighbour(read: float, value: float) -> float:
    """The size of the real next to `value` on the side of `read`."""
    bits = struct.unpack("!i", _SINGLE.pack(abs(value)))[0] + (1 if abs(read) > abs(value) else -1)
    found: float = _SINGLE.unpack(struct.pack("!i", bits))[0]
    return found


def _nearest_single(text: str, value: float) -> float:
    """The real nearest to a decimal, of which `value` is the nearest double: rounding twice may end on the wrong side (strtof)."""
    rounded = single(value)
    if rounded in (value, 0) or math.isinf(rounded) or not _is_tie_of_singles(value, rounded) or "x" in text.lower():
        return rounded
    exact, middle = abs(Decimal(text.strip(" \t\n\v\f\r"))), Decimal(abs(value))
    nearer = sorted((abs(rounded), _neighbour(value, rounded)))
    return rounded if exact == middle else math.copysign(nearer[exact > middle], value)


class Float8(Type):
    oid = 701
    name = "float8"
    sqlite_type: ClassVar[str] = "REAL"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return parse(text, "double precision")

    def output(self, value: Stored, settings: Settings) -> str:
        return value if isinstance(value, str) else double_text(float(value), settings.extra_float_digits)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return store(unpack(_DOUBLE, data))

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _DOUBLE.pack(load(value))


class Float4(Type):
    oid = 700
    name = "float4"
    sqlite_type: ClassVar[str] = "REAL"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        value = parse(text, "real")
        if isinstance(value, str) or math.isinf(value):
            return value
        rounded = _nearest_single(text, value)
        if math.isinf(rounded) or (rounded == 0 and value != 0):
            raise out_of_range(text.strip(" \t\n\v\f\r"), "real")
        return rounded

    def output(self, value: Stored, settings: Settings) -> str:
        return value if isinstance(value, str) else single_text(float(value), settings.extra_float_digits)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return store(unpack(_SINGLE, data))

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _SINGLE.pack(load(value))


FLOAT4, FLOAT8 = Float4(), Float8()
register(FLOAT4)
register(FLOAT8)

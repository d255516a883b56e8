"""bit(n) and bit varying(n): stored as TEXT of 0 and 1, which sorts as PostgreSQL's bit strings do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import Reader
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

MAX_BITS = 83_886_080  # MaxAttrSize * BITS_PER_BYTE


def check_fixed_length(bits: str, typmod: int) -> str:
    """A bit(n) must have n bits."""
    if typmod > 0 and len(bits) != typmod:
        message = f"bit string length {len(bits)} does not match type bit({typmod})"
        raise SqlError(sqlstate.STRING_DATA_LENGTH_MISMATCH, message)
    return bits


def check_varying_length(bits: str, typmod: int) -> str:
    """A bit varying(n) has at most n."""
    if 0 < typmod < len(bits):
        raise SqlError(sqlstate.STRING_DATA_RIGHT_TRUNCATION, f"bit string too long for type bit varying({typmod})")
    return bits


def _parse(text: str) -> str:
    """bit_in's notations: B'101', X'1F' (both without quotes here) and plain digits."""
    if text[:1] in ("x", "X"):
        digits = text[1:]
        wrong = re.search("[^0-9a-fA-F]", digits)
        if wrong is not None:
            message = f'"{wrong[0]}" is not a valid hexadecimal digit'
            raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, message)
        return "".join([f"{int(digit, 16):04b}" for digit in digits])
    bits = text[1:] if text[:1] in ("b", "B") else text
    wrong = re.search("[^01]", bits)
    if wrong is not None:
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'"{wrong[0]}" is not a valid binary digit')
    return bits


def pack(bits: str) -> bytes:
    """The bits as bytes, padded with zeros at the end."""
    length = -(-len(bits) // 8)
    return int(bits.ljust(8 * length, "0") or "0", 2).to_bytes(length, "big")


class Bit(Type):
    oid = 1560
    name = "bit"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return self.check(_parse(text), typmod)

    def check(self, bits: str, typmod: int) -> str:
        return check_fixed_length(bits, typmod)

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        reader = Reader(data)
        length = reader.int4()
        if not 0 <= length <= 2**31 - 8:
            raise SqlError(sqlstate.INVALID_BINARY_REPRESENTATION, "invalid length in external bit string")
        packed = reader.take(-(-length // 8))
        reader.end()
        return self.check("".join([f"{byte:08b}" for byte in packed])[:length], typmod)

    def send(self, value: Stored, settings: Settings) -> bytes:
        bits = str(value)
        return len(bits).to_bytes(4, "big") + pack(bits)

    def typmod_in(self, modifiers: list[str]) -> int:
        """anybit_typmodin."""
        if len(modifiers) != 1:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "invalid type modifier")
        if not re.fullmatch("[+-]?[0-9]+", modifiers[0]):
            raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type integer: "{modifiers[0]}"')
        length = int(modifiers[0])
        if length < 1:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"length for type {self.name} must be at least 1")
        if length > MAX_BITS:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"length for type {self.name} cannot exceed {MAX_BITS}")
        return length

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod})" if typmod >= 0 else ""


class Varbit(Bit):
    oid = 1562
    name = "varbit"

    def check(self, bits: str, typmod: int) -> str:
        return check_varying_length(bits, typmod)


BIT, VARBIT = Bit(), Varbit()
register(BIT)
register(VARBIT)

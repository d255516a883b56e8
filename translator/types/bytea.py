"""bytea: stored as BLOB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_ESCAPE = re.compile(rb"\\(?:(\\)|([0-3][0-7]{2})|)")
_WHITESPACE = " \n\t\r"


def parse_hexadecimal(text: str) -> bytes:
    """hex_decode: pairs of digits, with blanks between the pairs."""
    try:
        if text.isascii() and not re.search("[\v\f\x1c-\x1f]", text):
            return bytes.fromhex(text)
    except ValueError:
        pass
    digits = iter(text)
    result = bytearray()
    for digit in digits:
        if digit in _WHITESPACE:
            continue
        _check_digit(digit)
        second = next(digits, None)
        if second is None:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits")
        _check_digit(second)
        result.append(int(digit + second, 16))
    return bytes(result)


def _check_digit(digit: str) -> None:
    if digit not in "0123456789abcdefABCDEF":
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'invalid hexadecimal digit: "{digit}"')


def parse_escaped(text: str) -> bytes:
    r"""The older form of byteain: \\ and \ooo are escapes, everything else stands for itself."""

    def replacement(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return b"\\"
        if match[2]:
            return bytes([int(match[2], 8)])
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")

    return _ESCAPE.sub(replacement, text.encode())


def escaped(data: bytes) -> str:
    r"""The output under bytea_output = escape."""
    if b"\\" not in data and data.isascii() and data.decode().isprintable():
        return data.decode()
    return "".join(["\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03o}" for byte in data])


class Bytea(Type):
    oid = 17
    name = "bytea"
    sqlite_type: ClassVar[str] = "BLOB"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return parse_hexadecimal(text[2:]) if text.startswith("\\x") else parse_escaped(text)

    def output(self, value: Stored, settings: Settings) -> str:
        data = _bytes(value)
        return escaped(data) if settings.bytea_output == "escape" else f"\\x{data.hex()}"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return data

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _bytes(value)


def _bytes(value: Stored) -> bytes:
    assert isinstance(value, bytes)
    return value


BYTEA = Bytea()
register(BYTEA)

"""uuid: stored as TEXT, 36 characters in lower case, which sorts as the 16 bytes do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import left_over, short_message
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
# string_to_uuid: a hyphen may stand after every fourth digit, braces around it all.
_ACCEPTED = re.compile(r"(\{)?[0-9a-fA-F]{4}(?:-?[0-9a-fA-F]{4}){7}(?(1)\})\Z")


def hyphenated(digits: str) -> str:
    """The stored form of 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Uuid(Type):
    oid = 2950
    name = "uuid"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        if _CANONICAL.match(text):
            return text
        if not _ACCEPTED.match(text):
            raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type uuid: "{text}"')
        return hyphenated(text.strip("{}").replace("-", "").lower())

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) != 16:
            raise short_message() if len(data) < 16 else left_over()
        return hyphenated(data.hex())

    def send(self, value: Stored, settings: Settings) -> bytes:
        return bytes.fromhex(str(value).replace("-", ""))


UUID = Uuid()
register(UUID)

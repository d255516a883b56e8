"""boolean: stored as INTEGER 0 or 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import left_over, short_message
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_SPACE = " \t\n\v\f\r"


def _spellings() -> dict[str, int]:
    """Every unambiguous beginning of the words, as parse_bool takes them."""
    spellings = {"1": 1, "0": 0, "on": 1, "of": 0, "off": 0}
    for word, value in (("true", 1), ("false", 0), ("yes", 1), ("no", 0)):
        spellings.update({word[:length]: value for length in range(1, len(word) + 1)})
    return spellings


_SPELLINGS = _spellings()


class Bool(Type):
    """boolin, boolout, boolrecv, boolsend."""

    oid = 16
    name = "bool"
    sqlite_type: ClassVar[str] = "INTEGER"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        value = _SPELLINGS.get(text.strip(_SPACE).lower())
        if value is None:
            raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type boolean: "{text}"')
        return value

    def output(self, value: Stored, settings: Settings) -> str:
        return "t" if value else "f"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) != 1:
            raise left_over() if data else short_message()
        return int(data != b"\0")

    def send(self, value: Stored, settings: Settings) -> bytes:
        return b"\1" if value else b"\0"


BOOL = Bool()
register(BOOL)

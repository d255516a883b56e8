"""Enum types: the stored value is the label, the order is that of the labels.

Sorting by `key_enum` (translator/functions/enum.py) is by the label's place; lowering may write the same as a CASE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import text_of

if TYPE_CHECKING:
    from translator.settings import Settings


class Enum(Type):
    """One enum type with its labels, in order."""

    key = "key_enum"

    def __init__(self, oid: int, name: str, labels: tuple[str, ...]) -> None:
        self.oid = oid
        self.name = name
        self.labels = labels
        self.places = {label: place for place, label in enumerate(labels)}

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        if text not in self.places:
            raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid input value for enum {self.name}: "{text}"')
        return text

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return self.input(text_of(data), settings)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return str(value).encode()

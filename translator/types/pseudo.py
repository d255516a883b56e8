"""Pseudo-types: they name what a function takes or gives, and have few values or none.

A value of void is the empty text; unknown and cstring are text. The polymorphic ones (anyelement, …) have no values.
`record` is in composite.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import text_of
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings


class Pseudo(Type):
    """A pseudo-type without values."""

    def __init__(self, oid: int, name: str) -> None:
        self.oid = oid
        self.name = name

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot accept a value of type {self.name}")

    def output(self, value: Stored, settings: Settings) -> str:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot display a value of type {self.name}")

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot accept a value of type {self.name}")

    def send(self, value: Stored, settings: Settings) -> bytes:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot display a value of type {self.name}")


class Void(Pseudo):
    """What functions without a result give. Any text is accepted (void_in)."""

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return ""

    def output(self, value: Stored, settings: Settings) -> str:
        return ""

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return ""

    def send(self, value: Stored, settings: Settings) -> bytes:
        return b""


class PlainText(Type):
    """Types that are text and nothing else: unknown, cstring, refcursor."""

    def __init__(self, oid: int, name: str) -> None:
        self.oid = oid
        self.name = name

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return text

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return text_of(data)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return str(value).encode()


register(Void(2278, "void"))
register(PlainText(705, "unknown"))
register(PlainText(2275, "cstring"))
register(PlainText(1790, "refcursor"))

"""Domains: a value of a domain is a value of its base type.

The base type may have a typmod, which is applied here. NOT NULL and CHECK constraints are not: they are expressions, and
whoever coerces to the domain adds them (CoerceToDomain in PostgreSQL).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.types.base import Stored, Type

if TYPE_CHECKING:
    from translator.settings import Settings


class Domain(Type):
    """One domain over a base type, which may be a domain itself."""

    def __init__(self, oid: int, name: str, base: Type, typmod: int = -1) -> None:
        self.oid = oid
        self.name = name
        self.base = base.for_typmod(typmod)
        self.typmod = typmod
        # What is a class attribute of other types differs from domain to domain.
        vars(self).update(sqlite_type=base.sqlite_type, key=base.key)

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return self.base.input(text, settings, self.typmod)

    def output(self, value: Stored, settings: Settings) -> str:
        return self.base.output(value, settings)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return self.base.receive(data, settings, self.typmod)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return self.base.send(value, settings)


def base_and_typmod(type: Type, typmod: int) -> tuple[Type, int]:
    """What a domain is over in the end, with its modifier there (getBaseTypeAndTypmod); any other type as it is."""
    while isinstance(type, Domain):
        typmod = type.typmod
        type = type.base
    return type, typmod


def underlying(type: Type) -> Type:
    """The type itself, or what a domain is over in the end (getBaseType)."""
    while isinstance(type, Domain):
        type = type.base
    return type

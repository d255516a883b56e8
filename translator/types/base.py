r"""What a data type is: how its values are stored, read and written.

A *stored value* is what SQLite keeps: int, float, str or bytes; NULL is handled by callers and never reaches these
functions. The forms are those of the design's table "Types and storage". A value has one *value form*; only a column of
numeric(p <= 15, s) has a cheaper *storage form* (REAL or INTEGER), which `storage` names and lowering converts.

Array values are JSON text of their elements' stored values: compact separators, non-ASCII kept, NULL as null, bytea
elements as "\\\\x…" hex text, non-finite floats as strings ("NaN", "Infinity"), bool as 0/1, numeric as strings; more
dimensions nest. An array whose lower bounds are not 1 is an object {"lower":[…],"elements":[…]}.
"""

from __future__ import annotations

from typing import ClassVar

from translator.settings import Settings

Stored = int | float | str | bytes


class Type:
    """One PostgreSQL type. Subclasses are stateless except for what makes them up (an element type, enum labels)."""

    oid: int
    name: str  # typname, as in pg_type
    sqlite_type: ClassVar[str] = "TEXT"  # declared type of a column: INTEGER, REAL, TEXT or BLOB affinity
    key: ClassVar[str | None] = None  # keyed types: SQL function (prosrc-style name) whose result sorts as PostgreSQL does

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        """The stored value of PostgreSQL's text form. Raises SqlError 22P02 and kin, in PostgreSQL's words."""
        raise NotImplementedError

    def output(self, value: Stored, settings: Settings) -> str:
        """PostgreSQL's text form of a stored value."""
        raise NotImplementedError

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        """The stored value of PostgreSQL's binary form. Raises SqlError 22P03 (08P01 for a short message)."""
        raise NotImplementedError

    def send(self, value: Stored, settings: Settings) -> bytes:
        """PostgreSQL's binary form of a stored value."""
        raise NotImplementedError

    def typmod_in(self, modifiers: list[str]) -> int:
        """The typmod that `name(modifiers)` stands for. Raises 42601/22023 like typmodin."""
        from translator.errors import SqlError

        raise SqlError("42601", f'type modifier is not allowed for type "{self.name}"')

    def typmod_out(self, typmod: int) -> str:
        """What format_type prints behind the name: "(10,2)"; empty for -1."""
        return ""

    def for_typmod(self, typmod: int) -> Type:
        """The type whose output and send know the column's typmod; differs from this one for char(n) only."""
        return self

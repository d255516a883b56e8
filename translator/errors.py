"""The one exception that a user may see.

`SqlError` is raised where the error is known, with PostgreSQL's SQLSTATE and PostgreSQL's words, and is turned into an
ErrorResponse in one place, the session. Everything else that escapes is a bug of ours and becomes XX000.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from translator import sqlstate as codes


@dataclass(eq=False, slots=True)
class SqlError(Exception):
    """An error report (see the manual, "Error and Notice Message Fields").

    `location` is the zero-based byte offset into the statement text that libpg_query reports; the session turns it
    into the one-based character `position` of the protocol. Notices use the same class with another severity.
    """

    sqlstate: str
    message: str
    detail: str | None = field(default=None, kw_only=True)
    hint: str | None = field(default=None, kw_only=True)
    location: int | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    table: str | None = field(default=None, kw_only=True)
    column: str | None = field(default=None, kw_only=True)
    data_type: str | None = field(default=None, kw_only=True)
    constraint: str | None = field(default=None, kw_only=True)
    where: str | None = field(default=None, kw_only=True)
    routine: str | None = field(default=None, kw_only=True)  # PostgreSQL's C function, where clients tell errors apart by it
    severity: str = field(default="ERROR", kw_only=True)

    def __str__(self) -> str:
        return f"{self.sqlstate}: {self.message}"

    def at(self, location: int | None) -> SqlError:
        """Give the error a location unless it has one; returns itself, for `raise error.at(loc)`."""
        if self.location is None:
            self.location = location
        return self

    def anew(self) -> SqlError:
        """The same report as another exception: one that is kept must not be raised, or it keeps the frames it came through."""
        return replace(self)


def unsupported(feature: str, location: int | None = None) -> SqlError:
    """What PostgreSQL has and litephant lacks: SQLSTATE 0A000 and a message that names it."""
    return SqlError(codes.FEATURE_NOT_SUPPORTED, f"{feature} is not supported", location=location)

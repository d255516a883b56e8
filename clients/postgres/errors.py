"""What can go wrong between a client and a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.wire.backend import ErrorResponse


class DatabaseError(Exception):
    """An ErrorResponse: the server's words, by PostgreSQL's field names. `position` counts characters from 1."""

    def __init__(self, report: ErrorResponse) -> None:
        super().__init__(report.message)
        self.severity = report.severity
        self.sqlstate = report.code
        self.message = report.message
        self.detail = report.detail
        self.hint = report.hint
        self.where = report.where
        self.position = int(report.position) if report.position else None
        self.constraint = report.constraint_name


class ConnectionFailed(Exception):  # noqa: N818  (libpq's word for it)
    """There is no connection, or no more. `timed_out`: something listens, but it does not answer in time."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out

"""SqlError as ErrorResponse and NoticeResponse.

Not here: what is reported when (session.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire.backend import ErrorResponse, NoticeResponse

if TYPE_CHECKING:
    from translator.errors import SqlError

# Severities by weight, as client_min_messages compares them (elog.c): LOG ranks above NOTICE for clients.
_WEIGHT: Final = {
    "debug5": 10,
    "debug4": 11,
    "debug3": 12,
    "debug2": 13,
    "debug1": 14,
    "log": 15,
    "info": 17,
    "notice": 18,
    "warning": 19,
    "error": 21,
}


def error_response(error: SqlError, query: str) -> ErrorResponse:
    """The report of an error in `query`."""
    return ErrorResponse(**_fields(error, query))


def notice_response(report: SqlError, query: str) -> NoticeResponse:
    """The report of a notice or warning."""
    return NoticeResponse(**_fields(report, query))


def is_wanted(severity: str, least: str) -> bool:
    """Whether a report of that severity reaches the client; INFO always does."""
    return severity == "INFO" or _WEIGHT.get(severity.lower(), 18) >= _WEIGHT[least]


def _fields(report: SqlError, query: str) -> dict[str, str]:
    fields = {
        "severity": report.severity,
        "code": report.sqlstate,
        "message": report.message,
        "detail": report.detail,
        "hint": report.hint,
        "position": None if report.location is None or report.location < 0 else str(_position(query, report.location)),
        "where": report.where,
        "schema_name": report.schema,
        "table_name": report.table,
        "column_name": report.column,
        "data_type_name": report.data_type,
        "constraint_name": report.constraint,
        "routine": report.routine,
    }
    return {name: text for name, text in fields.items() if text is not None}


def _position(query: str, location: int) -> int:
    """The one-based character position of a byte offset (errposition counts characters)."""
    if query.isascii():
        return location + 1
    return len(query.encode()[:location].decode(errors="ignore")) + 1

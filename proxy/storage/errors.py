"""From what SQLite raises to the error PostgreSQL would report. SQLite's own text never reaches a client.

A constraint violation is named by running the failed statement again in a savepoint (violations.py), which costs nothing when
statements succeed. What is left over is a bug of ours: XX000, logged with its traceback.
"""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING

import apsw

from proxy.storage import violations
from proxy.storage.connection import BUSY_SNAPSHOT, extended_code, serialization_failure
from proxy.storage.rerun import Failed, Relations
from translator import sqlstate
from translator.errors import SqlError

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.storage.connection import Connection

__all__ = ["Failed", "Relations", "access_error", "file_error", "translate"]

_log = logging.getLogger("litephant.storage")

# SQLITE_ERROR covers everything from a missing table (a bug of the translator) to limits a user can meet.
_MESSAGES = (
    ("integer overflow", sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"),
    ("frame starting offset must", sqlstate.INVALID_PRECEDING_OR_FOLLOWING_SIZE, "frame starting offset must not be negative"),
    ("frame ending offset must", sqlstate.INVALID_PRECEDING_OR_FOLLOWING_SIZE, "frame ending offset must not be negative"),
    ("Expression tree is too large", sqlstate.STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"),
    ("parser stack overflow", sqlstate.STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"),
    ("too many levels of trigger recursion", sqlstate.STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"),
    ("too many terms in compound SELECT", sqlstate.STATEMENT_TOO_COMPLEX, "too many set operations in one statement"),
    ("too many FROM clause terms", sqlstate.STATEMENT_TOO_COMPLEX, "too many range table entries"),
    ("at most 64 tables in a join", sqlstate.STATEMENT_TOO_COMPLEX, "joins can have at most 64 tables"),
    ("LIKE or GLOB pattern too complex", sqlstate.STATEMENT_TOO_COMPLEX, "LIKE pattern is too long"),
    ("too many SQL variables", sqlstate.PROGRAM_LIMIT_EXCEEDED, "number of parameters must be between 0 and 32766"),
    ("too many columns", sqlstate.TOO_MANY_COLUMNS, "target lists can have at most 2000 entries"),
)


# PostgreSQL's words for what SQLite was doing; `file` is the database's, although it may have been its -wal or -shm.
_ACTIONS = {
    apsw.SQLITE_IOERR_READ: "read",
    apsw.SQLITE_IOERR_SHORT_READ: "read",
    apsw.SQLITE_IOERR_WRITE: "write to",
    apsw.SQLITE_IOERR_FSYNC: "fsync",
    apsw.SQLITE_IOERR_DIR_FSYNC: "fsync",
    apsw.SQLITE_IOERR_TRUNCATE: "truncate",
}
# The kernel reports a failed sync once and forgets the pages: what is on disk is not known any more (flusher.py).
_FAILED_SYNCS = {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC}

_FILE_CODES = {
    errno.EPERM: sqlstate.INSUFFICIENT_PRIVILEGE,
    errno.EACCES: sqlstate.INSUFFICIENT_PRIVILEGE,
    errno.EROFS: sqlstate.INSUFFICIENT_PRIVILEGE,
    errno.ENOENT: sqlstate.UNDEFINED_FILE,
    errno.EEXIST: sqlstate.DUPLICATE_FILE,
    errno.ENOSPC: sqlstate.DISK_FULL,
    errno.ENFILE: sqlstate.INSUFFICIENT_RESOURCES,
    errno.EMFILE: sqlstate.INSUFFICIENT_RESOURCES,
    errno.EIO: sqlstate.IO_ERROR,
}


def translate(error: Exception, connection: Connection, failed: Failed | None = None) -> SqlError:
    """The SqlError for what `execute`, a cursor or `Database.commit` raised. Never pass a MustWait.

    Call it before the transaction is rolled back (to a savepoint or at all), on the event loop or in the thread that
    uses the connection. `failed` is needed for constraint violations only.
    """
    match error:
        case SqlError():
            return error
        case apsw.ConstraintError() if failed is not None:
            return violations.describe(error, connection, failed) or _bug(error, failed)
        case apsw.Error():
            report = _condition(error, connection.path, connection.cancelled) or _bug(error, failed)
            if report.severity == "PANIC":
                connection.panic(report)
            return report
        case _:
            return _bug(error, failed)


def access_error(error: apsw.Error, path: Path) -> SqlError:
    """The SqlError for what SQLite cannot do with a file before any statement of a client runs: open it, make it, read its catalogs."""
    report = _condition(error, path, None) or _bug(error, None)
    report.severity = "ERROR"  # nobody relies yet on what could not be synced
    return report


def file_error(error: OSError, action: str, path: Path, *, severity: str = "ERROR") -> SqlError:
    """The SqlError for a system call on a file (errcode_for_file_access in elog.c). `action`: "open", "fsync" and the like."""
    _log.error("could not %s file %s: %s", action, path, error)
    code = _FILE_CODES.get(error.errno or 0, sqlstate.SYSTEM_ERROR)
    return SqlError(code, f'could not {action} file "{path.name}": {error.strerror}', severity=severity)


def _condition(error: apsw.Error, path: Path, cancelled: SqlError | None) -> SqlError | None:
    """An SQLite result code that has a counterpart."""
    file = path.name
    match error:
        case apsw.InterruptError():
            return cancelled or SqlError(sqlstate.QUERY_CANCELED, "canceling statement due to user request")
        case apsw.FullError():
            message = f'could not extend file "{file}": No space left on device'
            return SqlError(sqlstate.DISK_FULL, message, hint="Check free disk space.")
        case apsw.IOError():
            _log.error("%s: %s", path, error)
            code = extended_code(error)
            severity = "PANIC" if code in _FAILED_SYNCS else "ERROR"
            action = _ACTIONS.get(code, "access")
            return SqlError(sqlstate.IO_ERROR, f'could not {action} file "{file}": Input/output error', severity=severity)
        case apsw.CorruptError() | apsw.NotADBError():
            _log.error("%s: %s", path, error)
            return SqlError(sqlstate.DATA_CORRUPTED, f'database file "{file}" is corrupted')
        case apsw.CantOpenError():
            return SqlError(sqlstate.UNDEFINED_FILE, f'could not open file "{file}"')
        case apsw.NoMemError():
            return SqlError(sqlstate.OUT_OF_MEMORY, "out of memory")
        case apsw.TooBigError():
            return SqlError(sqlstate.PROGRAM_LIMIT_EXCEEDED, "value is too big: maximum size is 1000000000 bytes")
        case apsw.BusyError() if extended_code(error) == BUSY_SNAPSHOT:
            return serialization_failure()
        case apsw.BusyError():
            return SqlError(sqlstate.LOCK_NOT_AVAILABLE, f'could not obtain lock on file "{file}"')
        case apsw.LockedError():
            message = "cannot execute the statement because a table is being used by active queries in this session"
            return SqlError(sqlstate.OBJECT_IN_USE, message)
        case apsw.ReadOnlyError():
            return SqlError(sqlstate.READ_ONLY_SQL_TRANSACTION, f'cannot write to file "{file}": it is read-only')
        case apsw.SQLError():
            text = str(error)
            return next((SqlError(code, message) for part, code, message in _MESSAGES if part in text), None)
    return None


def _bug(error: Exception, failed: Failed | None) -> SqlError:
    """Whatever it is, no user did it."""
    _log.error("internal error in: %s", failed.sql if failed else "?", exc_info=error)
    return SqlError(sqlstate.INTERNAL_ERROR, "internal error")

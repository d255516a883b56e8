"""The timeouts of a session: statement_timeout, transaction_timeout, idle_in_transaction_session_timeout, idle_session_timeout.

A timer exists only while its limit is set and its time runs. lock_timeout is not here: it concerns the waits of locks.py and for the writer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.session.session import Session

_NAMES: Final = (
    "statement_timeout",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
)


class Limits:
    """The timers of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changes = -1  # of the parameters, when they were last looked at
        self._statement, self._transaction, self._idle_in_block, self._idle = 0, 0, 0, 0
        self._of_statement: asyncio.TimerHandle | None = None
        self._of_transaction: asyncio.TimerHandle | None = None
        self._of_idleness: asyncio.TimerHandle | None = None

    def waiting(self) -> None:
        """A statement waits. On the loop its budget is shorter than any limit, so only now it can run into one."""
        self._look()
        if self._statement:
            error = SqlError(codes.QUERY_CANCELED, "canceling statement due to statement timeout")
            self._of_statement = _later(self._statement, self._session.cancel, error)

    def waited(self) -> None:
        """The statement is done."""
        if self._of_statement is not None:
            self._of_statement.cancel()
            self._of_statement = None

    def transaction_started(self) -> None:
        self._look()
        if self._transaction:
            error = SqlError(codes.TRANSACTION_TIMEOUT, "terminating connection due to transaction timeout")
            self._of_transaction = _later(self._transaction, self._session.terminate, error)

    def transaction_ended(self) -> None:
        if self._of_transaction is not None:
            self._of_transaction.cancel()
            self._of_transaction = None

    def ready(self) -> None:
        """The session waits for its client."""
        self._look()
        if self._of_idleness is not None:
            self._of_idleness.cancel()
            self._of_idleness = None
        if not (self._idle_in_block or self._idle):
            return
        if self._session.transaction.in_block:
            limit, code, what = self._idle_in_block, codes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT, "idle-in-transaction"
        else:
            limit, code, what = self._idle, codes.IDLE_SESSION_TIMEOUT, "idle-session"
        if limit:
            error = SqlError(code, f"terminating connection due to {what} timeout")
            self._of_idleness = _later(limit, self._end, error, self._session.statement_timestamp)

    def close(self) -> None:
        for timer in (self._of_statement, self._of_transaction, self._of_idleness):
            if timer is not None:
                timer.cancel()

    def _look(self) -> None:
        parameters = self._session.parameters
        if self._changes != parameters.changes:
            self._changes = parameters.changes
            self._statement, self._transaction, self._idle_in_block, self._idle = (
                int(parameters.value(name)) for name in _NAMES
            )

    def _end(self, error: SqlError, since: int) -> None:
        if not self._session.is_busy and self._session.statement_timestamp == since:
            self._session.terminate(error)


def _later(milliseconds: int, call: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(milliseconds / 1000, call, *arguments)

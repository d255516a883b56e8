"""Writers that do nothing while others wait for them: named in the log after a second, ended after litephant.idle_writer_timeout.

A transaction that has written keeps the only writer until it ends, so one that was forgotten would stop all the others.
PostgreSQL has idle_in_transaction_session_timeout for that, which is off by default and hits harmless sessions too; ours hits
only a session that somebody waits for.

A database is looked at while there are sessions in its writer's queue, and never otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.storage.database import Database
    from proxy.storage.writer import WriterLease

_log = logging.getLogger("litephant.session")

PARAMETER: Final = "litephant.idle_writer_timeout"
_LOGGED_AFTER: Final = 1.0  # seconds
_SHORTEST_PAUSE: Final = 0.01


class IdleWriters:
    """The databases whose writers are waited for."""

    def __init__(self) -> None:
        self._looks: dict[Database, asyncio.TimerHandle] = {}
        self._logged: WriterLease | None = None

    def watch(self, database: Database) -> None:
        """Somebody begins to wait for the writer of a database."""
        if database not in self._looks:
            self._look(database)

    def forget(self, database: Database) -> None:
        """The database is closed."""
        look = self._looks.pop(database, None)
        if look is not None:
            look.cancel()

    def _look(self, database: Database) -> None:
        self._looks.pop(database, None)
        lease = database.writer_holder
        if lease is None or not database.writer_waiting:
            return
        pause = self._check(lease)
        self._looks[database] = asyncio.get_running_loop().call_later(pause, self._look, database)

    def _check(self, lease: WriterLease) -> float:
        """Do what is to be done about a writer; when to look again, in seconds."""
        session: Session | None = lease.owner
        if session is None or session.closed:  # a checkpoint; a session that is about to give it up
            return _LOGGED_AFTER
        limit = int(session.parameters.value(PARAMETER)) / 1000
        idle = 0.0 if session.is_busy else time.monotonic() - session.idle_since
        if limit and idle >= limit:
            message = "terminating connection due to idle-writer timeout"
            session.terminate(SqlError(codes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT, message))
            return _LOGGED_AFTER
        if idle >= _LOGGED_AFTER and self._logged is not lease:
            self._logged = lease
            _log.warning(
                "process %d has written, is idle in its transaction, and %d sessions wait for it; its last statement: %s",
                session.process_id,
                len(session.database.writer_waiting),
                session.query,
            )
        left = [end - idle for end in (_LOGGED_AFTER, limit) if end > idle]
        return max(min(left, default=_LOGGED_AFTER), _SHORTEST_PAUSE)

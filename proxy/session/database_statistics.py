"""The functions behind pg_stat_database and pg_stat_wal, as far as there is something to count (storage/statistics.py).

The others say that nothing was counted (pg_catalog/functions/statistics.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session.activity import database_oids
from proxy.session.functions import stored_timestamp
from translator.functions.registry import function, rows
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.session.instance import Instance
    from proxy.session.session import Session
    from proxy.storage.statistics import Statistics


def _instance() -> Instance:
    session: Session = runtime.session
    return session.instance


def _statistics(oid: int) -> Statistics | None:
    """None: nobody has used the database since the server was started."""
    cluster = _instance().cluster
    name = next((name for name, number in database_oids(cluster).items() if number == oid), None)
    return next((database.statistics for database in cluster.opened() if database.name == name), None)


@function("pg_stat_get_db_numbackends", deterministic=False)
def backends(oid: int) -> int:
    """Sessions that are open."""
    own = _statistics(oid)
    if own is None:
        return 0
    return sum(getattr(session, "statistics", None) is own for session in list(_instance().sessions.values()))


@function("pg_stat_get_db_xact_commit", deterministic=False)
def committed(oid: int) -> int:
    """Transactions that ended well."""
    own = _statistics(oid)
    return 0 if own is None else own.transactions - own.rollbacks


@function("pg_stat_get_db_xact_rollback", deterministic=False)
def rolled_back(oid: int) -> int:
    """Transactions that did not."""
    own = _statistics(oid)
    return 0 if own is None else own.rollbacks


@function("pg_stat_get_db_deadlocks", deterministic=False)
def deadlocks(oid: int) -> int:
    """Deadlocks that were found."""
    own = _statistics(oid)
    return 0 if own is None else own.deadlocks


@function("pg_stat_get_db_sessions", deterministic=False)
def sessions(oid: int) -> int:
    """Sessions that were opened."""
    own = _statistics(oid)
    return 0 if own is None else own.sessions


@function("pg_stat_get_db_stat_reset_time", deterministic=False)
def counted_since(oid: int) -> str | None:
    """When counting began."""
    own = _statistics(oid)
    return None if own is None else stored_timestamp(int(own.since * 1_000_000))


@rows("pg_stat_get_wal", deterministic=False)
def wal() -> Iterator[tuple[int, int, str, int, str]]:
    """pg_stat_wal. A record is a commit here; SQLite's WAL has whole pages only."""
    instance = _instance()
    found = [database.statistics for database in instance.cluster.opened()]
    pages = sum(each.wal_pages_written for each in found)
    size = sum(each.wal_bytes_written for each in found)
    yield sum(each.wal_commits for each in found), pages, str(size), 0, stored_timestamp(instance.started_at)

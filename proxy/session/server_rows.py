"""The rows of the relations in schema litephant (pg_catalog/server_views.py). They may be asked for in any thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from proxy.pg_catalog import current
from proxy.pg_catalog.lookup import record
from proxy.session.access import refuse
from proxy.session.activity import database_oids, state_of
from proxy.session.functions import stored_timestamp
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function
from translator.plan import QueryPlan
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.session.instance import Instance
    from proxy.session.session import Session

Row = tuple[Any, ...]


def _instance() -> Instance:
    session: Session = runtime.session
    return session.instance


def writer_queue() -> Iterator[Row]:
    """Who writes to each database, and who waits to, first come first."""
    for database in _instance().cluster.opened():
        holder = database.writer_holder
        queue = [] if holder is None else [(holder.owner, holder.since)]
        queue += [(entry.owner, entry.since) for entry in database.writer_waiting]
        for position, (session, since) in enumerate(queue):
            about = (None, None) if session is None else (session.process_id, state_of(session))
            query = None if session is None else session.query
            yield (database.name, position, *about, stored_timestamp(int(since * 1_000_000)), query)


def plan_cache() -> Iterator[Row]:
    """The plans that are kept, of all databases."""
    for database, version, plan in _instance().cached_plans():
        steps = len(plan.plan.steps) if isinstance(plan.plan, QueryPlan) else 0
        text = plan.statement.text
        current = version == database.catalog_version
        yield (database.name, text, len(plan.plan.parameters), steps, int(plan.slow), int(current))


def checkpoints() -> Iterator[Row]:
    """What the checkpointer of each database has done since it was opened."""
    for database in _instance().cluster.opened():
        own = database.statistics
        yield database.name, own.checkpoints, own.checkpoint_seconds * 1000, own.wal_pages


def statements() -> Iterator[Row]:
    """pg_stat_statements, and percentiles; times are milliseconds."""
    for each in _instance().statement_statistics:
        times = (each.total, each.shortest, each.longest, each.total / each.calls, each.deviation)
        percentiles = (each.percentile(0.5), each.percentile(0.99))
        yield (
            *(each.user, each.database.name, each.query_id, each.query, each.calls),
            *(time / 1000 for time in (*times, *percentiles)),
            *(each.rows, stored_timestamp(each.since)),
        )


def statements_info() -> Iterator[Row]:
    """pg_stat_statements_info."""
    statistics = _instance().statement_statistics
    yield statistics.dropped, stored_timestamp(statistics.since)


@function("pg_stat_statements_reset_1_11", deterministic=False)
def reset_statements(user: int, database: int, query_id: int, minmax_only: int) -> str:
    """Begin to count anew; 0 stands for all users, databases, statements."""
    session: Session = runtime.session
    refuse(session, "pg_stat_statements_reset()")
    if minmax_only:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "pg_stat_statements_reset() of the extremes alone is not supported")
    instance, moment = session.instance, time.time_ns() // 1000
    names = {oid: name for name, oid in database_oids(instance.cluster).items()}
    row = record(current.connection(), "pg_authid", user) if user else None
    if (user and row is None) or (database and database not in names):
        return stored_timestamp(moment)  # nobody has executed anything there
    instance.statement_statistics.reset(row["rolname"] if row else None, names.get(database), query_id)
    return stored_timestamp(moment)


ROWS: Final[dict[str, Callable[[], Iterator[Row]]]] = {
    "writer_queue": writer_queue,
    "plan_cache": plan_cache,
    "checkpoints": checkpoints,
    "statements": statements,
    "statements_info": statements_info,
}

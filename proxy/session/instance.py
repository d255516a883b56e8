"""What the sessions of one server share: the cluster, each other, plan caches, notifications, limits.

A session is made for an instance and registers itself; the server and the in-process clients hold the instance.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from proxy.ddl.sequence_values import database_sequences, forget_database, write_back
from proxy.pg_catalog import functions as catalog_functions  # noqa: F401  (they declare SQL functions)
from proxy.pg_catalog import server_views
from proxy.pg_catalog.relations import bootstrap, is_bootstrapped, live_name
from proxy.pg_catalog.static import ensure_static_catalog
from proxy.pg_catalog.views import install_views
from proxy.session import activity, database_statistics, functions, server_rows  # noqa: F401  (they declare SQL functions)
from proxy.session.idle_writers import IdleWriters
from proxy.session.notify import Channels
from proxy.session.plans import PlanCache
from proxy.session.statement_statistics import StatementStatistics
from proxy.storage.cluster import Cluster
from proxy.storage.connection import Connection, SystemCatalog
from proxy.storage.locks import LockTable
from proxy.storage.scratch import scratch
from proxy.wire.scram import Verifier
from translator import compiler
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from proxy.session.parameters import Value
    from proxy.session.plans import CompiledPlan
    from proxy.session.session import Session
    from proxy.storage.database import Database

_log = logging.getLogger("litephant")

SERVER_VERSION: Final = "18.4"
DEFAULT_DATABASE: Final = "postgres"
_WAITING_THREADS: Final = 1_000

# What initdb and the environment make of PostgreSQL's built-in values, where clients can see it.
_INITIAL: Final[dict[str, Value]] = {
    "TimeZone": "UTC",
    "archive_command": "(disabled)",
    "client_encoding": "UTF8",
    "default_text_search_config": "pg_catalog.english",
    "lc_messages": "C.UTF-8",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "log_timezone": "UTC",
}


class Instance:
    """One running server, or the process of an in-process client."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        max_connections: int = 500,
        password: str | None = None,
        defaults: Mapping[str, Value] | None = None,
    ) -> None:
        """`password`: SCRAM-SHA-256 is asked of clients when there is one, else they are trusted."""
        self.cluster = cluster
        self.max_connections = max_connections
        self.verifier = None if password is None else Verifier.build(password)
        self.sessions: dict[int, Session] = {}
        self.started_at = time.time_ns() // 1000
        self.transactions = itertools.count(1000)  # txid_current
        self.accepts = True
        self.defaults: dict[str, Value] = {
            "server_version": SERVER_VERSION,
            "max_connections": max_connections,
            "data_directory": str(Path(cluster.path).absolute()),
            "ssl": False,
            **_INITIAL,
            **(defaults or {}),
        }
        # For what sleeps or waits for other sessions: it must not use up the threads that those sessions need to get done.
        self.waiting_threads = ThreadPoolExecutor(_WAITING_THREADS, "waiting")
        self.locks = LockTable()
        self.idle_writers = IdleWriters()
        self.statement_statistics = StatementStatistics()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._plans: dict[Database, PlanCache] = {}
        self._channels: dict[Database, Channels] = {}
        self._process_ids = itertools.count(1)
        compiler.compute_with(scratch.evaluate)

    def plans(self, database: Database) -> PlanCache:
        found = self._plans.get(database)
        if found is None:
            found = self._plans[database] = PlanCache(database)
        return found

    def cached_plans(self) -> Iterator[tuple[Database, int, CompiledPlan]]:
        """The plans that are kept, and the version of the catalog that each is for; in any thread."""
        for database, cache in list(self._plans.items()):
            for version, plan in cache:
                yield database, version, plan

    def channels(self, database: Database) -> Channels:
        found = self._channels.get(database)
        if found is None:
            found = self._channels[database] = Channels(database)
        return found

    def forget(self, database: Database) -> None:
        """The database is about to be closed, dropped or renamed: give back what is kept of it."""
        plans = self._plans.pop(database, None)
        if plans is not None:
            plans.clear()
        channels = self._channels.pop(database, None)
        if channels is not None:
            channels.close()
        self.idle_writers.forget(database)
        self.statement_statistics.forget(database)
        forget_database(database.path)

    def database_oid(self, name: str) -> int:
        return activity.database_oids(self.cluster).get(name, 0)

    # Sessions

    def add(self, session: Session) -> int:
        """Register a session and give it a process id. Raises 53300 when there are too many."""
        if not self.accepts:
            raise SqlError("57P03", "the database system is shutting down", severity="FATAL")
        if len(self.sessions) >= self.max_connections:
            raise SqlError("53300", "sorry, too many clients already", severity="FATAL")
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        process_id = next(self._process_ids)
        self.sessions[process_id] = session
        return process_id

    def remove(self, session: Session) -> None:
        self.sessions.pop(session.process_id, None)

    def call_soon(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function on the event loop, after what runs there now; for functions that SQL calls in any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function, *arguments)

    def notice(self, session: Session, report: SqlError) -> None:
        """Send a notice of a function that SQL calls in any thread: now, if that is the event loop's."""
        if threading.get_ident() == self._loop_thread:
            session.notice(report)
        else:
            self.call_soon(session.notice, report)

    def cancel(self, process_id: int, secret_key: bytes) -> None:
        """Carry out a CancelRequest; a wrong key is ignored, without a word to the client (SendCancelRequest)."""
        session = self.sessions.get(process_id)
        if session is None or not secrets.compare_digest(session.secret_key, secret_key):
            _log.info("cancel request for process %d with a wrong key", process_id)
            return
        session.cancel(SqlError("57014", "canceling statement due to user request"))

    def close(self) -> None:
        """Close caches, threads and cluster; sessions must be gone."""
        for database in list(self._plans):
            _write_sequences(database)
            self.forget(database)
        self.waiting_threads.shutdown(wait=False, cancel_futures=True)
        self.cluster.close()


def _write_sequences(database: Database) -> None:
    """Write the values of sequences in the place of the marks that are ahead of them (ddl/sequence_values.py)."""
    sequences = database_sequences(database.path)
    if not sequences.known or database.panic is not None:
        return
    lease = database.lease_writer(None)
    if isinstance(lease, asyncio.Future):  # somebody's write cannot be ended: then the marks stay
        lease.cancel()
        return
    write_back(lease.connection, sequences)
    database.commit(lease, synchronous=False)


def open_instance(path: Path, password: str | None = None) -> Instance:
    """An instance over the cluster at that path. Raises ClusterInUse when another process has it."""
    return Instance(_cluster(Cluster.open, path), password=password)


def join_instance(path: Path) -> Instance:
    """An instance beside the owner of the cluster at that path, for a while (Cluster.join)."""
    return Instance(_cluster(Cluster.join, path))


def _cluster(opening: Callable[[Path, SystemCatalog], Cluster], path: Path) -> Cluster:
    opened: list[Cluster] = []

    def prepare(connection: Connection) -> None:
        if not is_bootstrapped(connection):
            bootstrap(connection)

    def install(connection: Connection) -> None:
        install_views(connection)
        connection.register_live(
            live_name("pg_database"), activity.PG_DATABASE_COLUMNS, lambda: activity.database_rows(opened[0])
        )
        for name, rows in server_rows.ROWS.items():
            connection.register_live(server_views.storage_name(name), server_views.column_names(name), rows)

    opened.append(opening(path, SystemCatalog(ensure_static_catalog(), prepare, install)))
    return opened[0]

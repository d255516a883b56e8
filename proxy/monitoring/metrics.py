"""What the server counts, as metrics of Prometheus: name, kind, help, and samples with labels.

What PostgreSQL has too is named as postgres_exporter names it, so that dashboards made for PostgreSQL work; what only this
server has begins with `litephant_`. This file knows no text format.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxy.monitoring.health import file_bytes, wal_bytes
from proxy.session import parameters
from proxy.session.activity import database_oids
from proxy.session.instance import SERVER_VERSION
from proxy.session.lock_rows import lock_rows
from proxy.session.transaction import State
from proxy.storage.lock_modes import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.session.instance import Instance
    from proxy.session.session import Session
    from proxy.storage.database import Database
    from proxy.storage.statistics import Statistics

Labels = dict[str, str]

_STATES: Final = (
    "active",
    "idle",
    "idle in transaction",
    "idle in transaction (aborted)",
    "fastpath function call",
    "disabled",
)
_IN_BLOCK: Final = {State.IN_BLOCK: _STATES[2], State.FAILED: _STATES[3]}
_UNITS: Final = {
    **{unit: ("bytes", factor) for unit, factor in {"B": 1, "kB": 1 << 10, "8kB": 1 << 13, "MB": 1 << 20}.items()},
    **{unit: ("seconds", factor) for unit, factor in {"ms": 0.001, "s": 1.0, "min": 60.0}.items()},
}


class Metric(NamedTuple):
    """`kind`: gauge, counter, summary or untyped. A summary's samples end in `_sum` and `_count`, the others' names are the metric's.

    postgres_exporter's counters are untyped here, because today's formats want the names of counters to end in `_total`.
    """

    name: str
    kind: str
    help: str
    samples: list[tuple[str, Labels, float]]


def measure(instance: Instance) -> list[Metric]:
    """Everything, as it is now."""
    return [*_server(instance), *_activity(instance), *_locks(instance), *_databases(instance), *_settings(instance)]


def _one(name: str, help: str, value: float, kind: str = "gauge", **labels: str) -> Metric:
    return Metric(name, kind, help, [(name, labels, float(value))])


def _server(instance: Instance) -> Iterator[Metric]:
    version = {"version": f"PostgreSQL {SERVER_VERSION} (litephant)", "short_version": f"{SERVER_VERSION}.0"}
    yield _one("pg_up", "Whether the server answers.", 1)
    yield _one("pg_static", "Version of the server.", 1, **version)
    yield _one("pg_postmaster_start_time_seconds", "When the server was started.", instance.started_at / 1_000_000)
    yield _one("litephant_connections", "Sessions.", len(instance.sessions))
    yield _one("litephant_connections_max", "Sessions that there may be.", instance.max_connections)


def _activity(instance: Instance) -> Iterator[Metric]:
    counts: Counter[tuple[str, str]] = Counter()
    longest: dict[tuple[str, str], float] = {}
    now = time.time()
    for session in list(instance.sessions.values()):
        key = (session.database.name, _state(session))
        counts[key] += 1
        if session.transaction.state is not State.IDLE:
            longest[key] = max(longest.get(key, 0.0), now - session.transaction.timestamp / 1_000_000)
    keys = [(database.name, state) for database in instance.cluster.opened() for state in _STATES]
    yield _grouped("pg_stat_activity_count", "Sessions in a state.", keys, counts)
    yield _grouped("pg_stat_activity_max_tx_duration", "Age of the oldest transaction in seconds.", keys, longest)


def _grouped(name: str, help: str, keys: list[tuple[str, str]], values: Any, label: str = "state") -> Metric:
    return Metric(name, "gauge", help, [(name, {"datname": key[0], label: key[1]}, float(values.get(key, 0))) for key in keys])


def _state(session: Session) -> str:
    return "active" if session.is_busy else _IN_BLOCK.get(session.transaction.state, "idle")


def _locks(instance: Instance) -> Iterator[Metric]:
    oids = database_oids(instance.cluster)
    names = {oid: name for name, oid in oids.items()}
    counts = Counter((names.get(row[1], ""), row[12].lower()) for row in lock_rows(instance, oids))
    modes = [mode.lower() for mode in NAMES if mode]
    keys = [(database.name, mode) for database in instance.cluster.opened() for mode in modes]
    yield _grouped("pg_locks_count", "Locks held or waited for.", keys, counts, "mode")


def _databases(instance: Instance) -> Iterator[Metric]:
    oids = database_oids(instance.cluster)
    databases = instance.cluster.opened()
    for name, kind, help, value in _OF_A_DATABASE:
        yield Metric(name, kind, help, [(name, _labels(name, each, oids), float(value(each))) for each in databases])
    for name, help, total, count in _SUMMARIES:
        samples = []
        for each in databases:
            labels = {"datname": each.name}
            samples.append((f"{name}_sum", labels, float(total(each.statistics))))
            samples.append((f"{name}_count", labels, float(count(each.statistics))))
        yield Metric(name, "summary", help, samples)


def _labels(metric: str, database: Database, oids: dict[str, int]) -> Labels:
    labels = {"datname": database.name}
    if metric.startswith("pg_stat_database_"):
        labels["datid"] = str(oids.get(database.name, 0))
    return labels


def _oldest_wait(database: Database) -> float:
    waiting = database.writer_waiting
    return time.time() - waiting[0].since if waiting else 0.0


def _held(database: Database) -> float:
    holder = database.writer_holder
    return time.time() - holder.since if holder is not None else 0.0


_OF_A_DATABASE: Final[tuple[tuple[str, str, str, Callable[[Database], float]], ...]] = (
    ("pg_stat_database_numbackends", "gauge", "Sessions of a database.", lambda each: len(each.sessions)),
    (
        "pg_stat_database_xact_commit",
        "untyped",
        "Transactions committed.",
        lambda each: each.statistics.transactions - each.statistics.rollbacks,
    ),
    ("pg_stat_database_xact_rollback", "untyped", "Transactions rolled back.", lambda each: each.statistics.rollbacks),
    ("pg_database_size_bytes", "gauge", "Size of the database's files.", file_bytes),
    ("litephant_wal_bytes", "gauge", "Size of the WAL file.", wal_bytes),
    ("litephant_write_transactions_total", "counter", "Transactions that wrote and committed.", lambda each: each.commits),
    ("litephant_writer_queue_depth", "gauge", "Transactions that wait for the writer.", lambda each: len(each.writer_waiting)),
    ("litephant_writer_queue_age_seconds", "gauge", "How long the first of them has waited.", _oldest_wait),
    ("litephant_writer_held_seconds", "gauge", "How long the present writer has been it.", _held),
    ("litephant_plan_cache_hits_total", "counter", "Statements whose plan was known.", lambda each: each.statistics.plan_hits),
    (
        "litephant_plan_cache_misses_total",
        "counter",
        "Statements that were compiled.",
        lambda each: each.statistics.plans_compiled,
    ),
    ("litephant_panicked", "gauge", "Whether writes are refused since a sync failed.", lambda each: each.panic is not None),
)

_SUMMARIES: Final[tuple[tuple[str, str, Callable[[Statistics], float], Callable[[Statistics], float]], ...]] = (
    (
        "litephant_writer_wait_seconds",
        "Waits for the writer; transactions that got it at once are not counted.",
        lambda each: each.writer_wait_seconds,
        lambda each: each.writer_waits,
    ),
    (
        "litephant_group_commit_size",
        "Commits that one flush made durable.",
        lambda each: each.commits_flushed,
        lambda each: each.flushes,
    ),
    (
        "litephant_checkpoint_seconds",
        "Checkpoints.",
        lambda each: each.checkpoint_seconds,
        lambda each: each.checkpoints,
    ),
)


def _settings(instance: Instance) -> Iterator[Metric]:
    """pg_settings_<name>, in bytes and seconds, of all parameters that are numbers or switches."""
    for parameter in parameters.declared().values():
        value = instance.defaults.get(parameter.name, parameter.default)
        if not parameter.listed or isinstance(value, str) or parameter.kind not in {"bool", "integer", "real"}:
            continue
        unit, factor = _UNITS.get(parameter.unit, ("", 1.0))
        number = float(value) * (factor if value != -1 else 1.0)  # -1 means "none", in any unit
        name = "pg_settings_" + parameter.name.replace(".", "_").lower() + (f"_{unit}" if unit else "")
        yield _one(name, parameter.description, number)

"""Live state as rows: pg_settings, pg_prepared_statements, pg_cursors, pg_stat_activity, pg_database; pg_locks is in lock_rows.py.

PostgreSQL's views read set-returning functions, so those functions are all that is needed; pg_database is a table in
PostgreSQL and a live relation here, because what it lists are files.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from proxy.session.functions import stored_timestamp
from proxy.session.lock_rows import lock_rows, wait_event, writing_transaction
from proxy.session.transaction import State
from translator.functions.registry import rows
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.session.session import Session
    from proxy.storage.cluster import Cluster

Row = tuple[Any, ...]

_OWNER: Final = 10
_FIRST_DATABASE_OID: Final = 5  # PostgresDbOid
_STATES: Final = {State.IN_BLOCK: "idle in transaction", State.FAILED: "idle in transaction (aborted)"}

PG_DATABASE_COLUMNS: Final = (
    "oid", "datname", "datdba", "encoding", "datlocprovider", "datistemplate", "datallowconn", "dathasloginevt",
    "datconnlimit", "datfrozenxid", "datminmxid", "dattablespace", "datcollate", "datctype", "datlocale",
    "daticurules", "datcollversion", "datacl",
)  # fmt: skip


def _session() -> Session:
    found: Session = runtime.session
    return found


@rows("show_all_settings", deterministic=False)
def all_settings() -> Iterator[Row]:
    """pg_settings."""
    for parameter, value, reset, source in _session().parameters.rows():
        numeric = parameter.kind in {"integer", "real"}
        yield (
            parameter.name,
            parameter.setting(value),
            parameter.unit or None,
            parameter.category,
            parameter.description,
            parameter.extra_description or None,
            parameter.context,
            parameter.kind,
            source,
            f"{parameter.minimum:.15g}" if numeric else None,
            f"{parameter.maximum:.15g}" if numeric else None,
            json.dumps(parameter.choices, separators=(",", ":")) if parameter.choices else None,
            parameter.setting(parameter.default),
            parameter.setting(reset),
            None,
            None,
            0,
        )


@rows("pg_prepared_statement", deterministic=False)
def prepared_statements() -> Iterator[Row]:
    """pg_prepared_statements."""
    for statement in _session().statements:
        if not statement.name:
            continue
        fields = statement.compiled.plan.fields
        yield (
            statement.name,
            statement.text,
            stored_timestamp(statement.prepared_at),
            json.dumps(statement.parameters, separators=(",", ":")),
            None if fields is None else json.dumps([field.type_oid for field in fields], separators=(",", ":")),
            int(statement.from_sql),
            0,
            statement.executions,
        )


@rows("pg_cursor", deterministic=False)
def cursors() -> Iterator[Row]:
    """pg_cursors."""
    for portal in _session().portals:
        if portal.name or portal.is_cursor:
            yield (
                portal.name,
                portal.compiled.statement.text,
                int(portal.hold),
                int(portal.binary),
                int(portal.scroll is not False),
                stored_timestamp(portal.created_at),
            )


def database_oids(cluster: Cluster) -> dict[str, int]:
    """The OID of every database: by their order of name, the default one first."""
    names = sorted(cluster.databases(), key=lambda name: (name != "postgres", name))
    return {name: _FIRST_DATABASE_OID if name == "postgres" else 16000 + number for number, name in enumerate(names)}


_TEMPLATE_RIGHTS = '["=c/postgres","postgres=CTc/postgres"]'  # nobody makes temporary tables there (make_template0)


def database_rows(cluster: Cluster) -> Iterator[Row]:
    """The rows of pg_database."""
    oids = {"template1": 1, "template0": 4, **database_oids(cluster)}
    for name, oid in oids.items():
        template = name.startswith("template")
        head = (oid, name, _OWNER, 6, "c", int(template), int(name != "template0"), 0)
        yield (*head, -1, 731, 1, 1663, "C.UTF-8", "C.UTF-8", None, None, None, _TEMPLATE_RIGHTS if template else None)


@rows("pg_stat_get_activity", strict=False, deterministic=False)
def activity(process_id: int | None = None) -> Iterator[Row]:
    """pg_stat_activity: one row a session; of what PostgreSQL counts for statistics, nothing."""
    instance = _session().instance
    oids = database_oids(instance.cluster)
    for session in list(instance.sessions.values()):
        if process_id is None or session.process_id == process_id:
            yield _activity(session, oids.get(session.database.name, 0))


def state_of(session: Session) -> str:
    """pg_stat_activity.state."""
    running = session.is_busy or session is runtime.session
    return "active" if running else _STATES.get(session.transaction.state, "idle")


def _activity(session: Session, database: int) -> Row:
    running = session.is_busy or session is runtime.session
    in_transaction = session.transaction.state is not State.IDLE
    waits: tuple[str | None, str | None] = ("Client", "ClientRead")
    if running:
        event = wait_event(session)
        waits = ("Lock", event) if event else (None, None)
    address = session.address or (None, None)
    return (
        database,
        session.process_id,
        _OWNER,
        str(session.parameters.value("application_name")),
        state_of(session),
        session.query,
        *waits,
        stored_timestamp(session.transaction.timestamp) if in_transaction else None,
        stored_timestamp(session.statement_timestamp),
        stored_timestamp(session.started_at),
        stored_timestamp(session.statement_timestamp),
        address[0],
        None,
        address[1],
        writing_transaction(session),
        None,
        "client backend",
        *(0, None, None, None, None, None, None),  # ssl
        *(0, None, 0, 0),  # gss
        None,
        None,
    )


@rows("pg_lock_status", deterministic=False)
def locks() -> Iterator[Row]:
    """pg_locks, see lock_rows.py."""
    instance = _session().instance
    return lock_rows(instance, database_oids(instance.cluster))

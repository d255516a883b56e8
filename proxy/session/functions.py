"""SQL functions that ask or change the session that calls them, under their names in pg_proc (prosrc).

`runtime.session` is that session. Functions may run in a thread: what they change of the session is only looked at between
statements, and what they ask of other sessions is read without waiting.

Not here: sequences (ddl/sequence_values.py), the catalogs (pg_catalog), and relations of live state (activity.py).
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Final

from proxy.session.access import refuse
from proxy.session.locks import writer_blockers
from proxy.storage.deadlock import waits_for
from proxy.storage.lock_modes import EXCLUSIVE, NAMES, SHARE
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function, rows
from translator.settings import runtime
from translator.types.calendar import SECOND, UNIX_EPOCH_SECONDS
from translator.types.datetime_stored import timestamp_stored
from translator.types.identifiers import load_xid8
from translator.types.network import INET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.session.session import Session
    from proxy.storage.locks import Tag
    from translator.types.base import Stored

VERSION: Final = "PostgreSQL 18.4 (litephant 0.1.0 on SQLite)"


def _session() -> Session:
    found: Session = runtime.session
    return found


def stored_timestamp(microseconds: int) -> str:
    """The stored form of microseconds since 1970."""
    return timestamp_stored(microseconds - UNIX_EPOCH_SECONDS * SECOND)


# Who and where


@function("current_user", "sqlvalue_current_user", "sqlvalue_current_role", "sqlvalue_user", deterministic=False)
def current_user() -> str:
    return runtime.settings.user


@function("session_user", "sqlvalue_session_user", deterministic=False)
def session_user() -> str:
    return runtime.settings.session_user


@function("current_database", "sqlvalue_current_catalog", deterministic=False)
def current_database() -> str:
    return runtime.settings.database


def _path(*, implicit: bool) -> list[str]:
    catalog = runtime.catalog
    settings = runtime.settings
    oids = catalog.search_path(settings.search_path, settings.user)
    names = [catalog.namespace_name(oid) for oid in oids]
    if implicit:
        return names
    named = {settings.user if name == "$user" else name for name in settings.search_path}
    return [name for name in names if name in named]


@function("current_schema", "sqlvalue_current_schema", deterministic=False)
def current_schema() -> str | None:
    return next(iter(_path(implicit=False)), None)


@function("current_schemas", deterministic=False)
def current_schemas(implicit: int) -> str:
    return json.dumps(_path(implicit=bool(implicit)), separators=(",", ":"), ensure_ascii=False)


@function("pgsql_version")
def version() -> str:
    return VERSION


@function("pg_backend_pid", deterministic=False)
def backend_pid() -> int:
    return _session().process_id


@function("inet_client_addr", deterministic=False)
def inet_client_addr() -> str | None:
    address = _session().address
    return None if address is None else str(INET.input(address[0], runtime.settings))


@function("inet_client_port", deterministic=False)
def inet_client_port() -> int | None:
    address = _session().address
    return None if address is None else address[1]


@function("inet_server_addr", deterministic=False)
def inet_server_addr() -> str | None:
    address = _session().server_address
    return None if address is None else str(INET.input(address[0], runtime.settings))


@function("inet_server_port", deterministic=False)
def inet_server_port() -> int | None:
    address = _session().server_address
    return None if address is None else address[1]


@function("pg_postmaster_start_time", "pg_conf_load_time", deterministic=False)
def start_time() -> str:
    return stored_timestamp(_session().instance.started_at)


@function("pg_is_in_recovery", "pg_is_wal_replay_paused", deterministic=False)
def is_in_recovery() -> int:
    return 0


@function("pg_trigger_depth", "pg_notification_queue_usage", deterministic=False)
def nought() -> int:
    return 0


@function("pg_reload_conf", deterministic=False)
def reload_conf() -> int:
    return 1


# Run-time parameters


@function("show_config_by_name", deterministic=False)
def current_setting(name: str) -> str:
    return _session().parameters.show(name)


@function("show_config_by_name_missing_ok", deterministic=False)
def current_setting_missing_ok(name: str, missing_ok: int) -> str | None:
    try:
        return _session().parameters.show(name)
    except SqlError as error:
        if missing_ok and error.sqlstate == codes.UNDEFINED_OBJECT:
            return None
        raise


@function("set_config_by_name", strict=False, deterministic=False)
def set_config(name: str | None, value: str | None, is_local: int | None) -> str:
    if name is None:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "SET requires parameter name")
    parameters = _session().parameters
    if value is None:
        parameters.set_default(name, local=bool(is_local))
    else:
        parameters.set(name, value, local=bool(is_local))
    return parameters.show(name) if value is not None or parameters.is_known(name) else ""


@function("pg_settings_get_flags", deterministic=False)
def settings_get_flags(name: str) -> str | None:
    return "[]" if _session().parameters.is_known(name) else None


# Transactions


@function("pg_current_xact_id", deterministic=False)
def current_xact_id() -> int:
    return _session().transaction_id()


@function("pg_current_xact_id_if_assigned", deterministic=False)
def current_xact_id_if_assigned() -> int | None:
    return _session().assigned_transaction_id


@function("pg_current_snapshot", deterministic=False)
def current_snapshot() -> str:
    number = _session().transaction_id()
    return f"{number}:{number}:"


# The transactions that every cluster has: of its bootstrap, and the one that frozen rows are of (transam.h).
_BUILTIN_TRANSACTIONS = (1, 2)


@function("pg_xact_status", deterministic=False)
def xact_status(transaction: Stored) -> str | None:
    """How a transaction ended; NULL, as for one that is too old to know: no log of them is kept."""
    session = _session()
    number = load_xid8(transaction)
    if number in _BUILTIN_TRANSACTIONS:
        return "committed"
    current = session.assigned_transaction_id
    if number == current:
        return "in progress"
    if number > (current or session.transaction_id()):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"transaction ID {number} is in the future")
    return None


# Other sessions


def _signal(process_id: int, act: str, error: SqlError) -> int:
    session = _session()
    refuse(session, f"pg_{act}_backend()")
    other = session.instance.sessions.get(process_id)
    if other is None:
        message = f"PID {process_id} is not a PostgreSQL backend process"
        session.instance.notice(session, SqlError(codes.WARNING, message, severity="WARNING"))
        return 0
    session.instance.call_soon(getattr(other, act), error)
    return 1


@function("pg_cancel_backend", deterministic=False)
def cancel_backend(process_id: int) -> int:
    return _signal(process_id, "cancel", SqlError(codes.QUERY_CANCELED, "canceling statement due to user request"))


@function("pg_terminate_backend", deterministic=False)
def terminate_backend(process_id: int, timeout: int = 0) -> int:
    gone = SqlError(codes.ADMIN_SHUTDOWN, "terminating connection due to administrator command")
    return _signal(process_id, "terminate", gone)


def _blockers(process_id: int) -> list[int]:
    """The processes that a session waits for."""
    instance = _session().instance
    other = instance.sessions.get(process_id)
    if other is None:
        return []
    owners = waits_for(instance.locks, other.locks.owner, writer_blockers)
    return [owner.session.process_id for owner in owners]


@function("pg_blocking_pids", deterministic=False)
def blocking_pids(process_id: int) -> str:
    return json.dumps(_blockers(process_id), separators=(",", ":"))


@function("pg_safe_snapshot_blocking_pids", deterministic=False)
def safe_snapshot_blocking_pids(process_id: int) -> str:
    """Nobody waits for a safe snapshot."""
    return "[]"


@function("pg_isolation_test_session_is_blocked", deterministic=False)
def session_is_blocked(process_id: int, interesting: str) -> int:
    """Whether a session waits for one of the others (waitfuncs.c)."""
    return int(not set(json.loads(interesting)).isdisjoint(_blockers(process_id)))


# Waiting


@function("pg_sleep", deterministic=False)
def sleep(seconds: float | str) -> str:
    """It runs in a waiting thread and looks for cancellation as the other waits do."""
    executor = _session().executor
    end = time.monotonic() + (float(seconds) if seconds != "NaN" else 0)
    pause = threading.Event()
    while (left := end - time.monotonic()) > 0:
        if executor.canceled is not None:
            raise executor.canceled
        pause.wait(min(left, 0.02))
    return ""


def _declare_advisory(scope: str, shared: str) -> None:
    """The functions of one kind of lock: pg_[try_]advisory_[xact_]lock[_shared](bigint | int, int)."""
    mode = SHARE if shared else EXCLUSIVE
    of_session = not scope

    for arguments in ("int8", "int4"):

        def lock(*key: int) -> str:
            session = _session()
            session.locks.acquire_in_thread(_tag(session, *key), mode, of_session=of_session)
            return ""

        def try_lock(*key: int) -> int:
            session = _session()
            locks = session.locks
            return int(locks.table.try_request(locks.owner, _tag(session, *key), mode, of_session=of_session))

        function(f"pg_advisory_{scope}lock{shared}_{arguments}", deterministic=False)(lock)
        function(f"pg_try_advisory_{scope}lock{shared}_{arguments}", deterministic=False)(try_lock)


def _declare_unlock(shared: str) -> None:
    mode = SHARE if shared else EXCLUSIVE

    def unlock(*key: int) -> int:
        session = _session()
        if session.locks.table.release(session.locks.owner, _tag(session, *key), mode):
            return 1
        warning = SqlError(codes.WARNING, f"you don't own a lock of type {NAMES[mode]}", severity="WARNING")
        session.instance.notice(session, warning)
        return 0

    for arguments in ("int8", "int4"):
        function(f"pg_advisory_unlock{shared}_{arguments}", deterministic=False)(unlock)


def _tag(session: Session, *key: int) -> Tag:
    """The key as pg_locks shows it: one bigint in two halves, or two ints (lockfuncs.c, SET_LOCKTAG_INT64)."""
    if len(key) == 2:
        return "advisory", session.database.name, key[0] & 0xFFFFFFFF, key[1] & 0xFFFFFFFF, 2
    return "advisory", session.database.name, key[0] >> 32 & 0xFFFFFFFF, key[0] & 0xFFFFFFFF, 1


for _shared in ("", "_shared"):
    for _scope in ("", "xact_"):
        _declare_advisory(_scope, _shared)
    _declare_unlock(_shared)


@function("pg_advisory_unlock_all", deterministic=False)
def advisory_unlock_all() -> str:
    session = _session()
    session.locks.table.release_kept(session.locks.owner)
    return ""


# Notifications


@function("pg_notify", strict=False, deterministic=False)
def notify(channel: str | None, payload: str | None) -> str:
    refuse(_session(), "pg_notify()")
    _session().notifications.notify(channel or "", payload or "")
    return ""


@rows("pg_listening_channels", deterministic=False)
def listening_channels() -> Iterable[str]:
    return sorted(_session().notifications.channels)

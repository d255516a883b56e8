"""The temporary schema of a session: SQLite's temp schema of its private connection, with catalog tables of its own.

ON COMMIT DROP and DELETE ROWS are remembered by the session, by OID, and carried out before its transactions commit
(PreCommit_on_commit_actions). A table that is gone by then, because it was dropped or never committed, is forgotten.
"""

from typing import Any

from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import quote
from proxy.pg_catalog import classes
from proxy.pg_catalog.relations import bootstrap, is_bootstrapped
from proxy.pg_catalog.views import install_views
from translator import sqlstate
from translator.errors import SqlError, unsupported

_ACTIONS = {"ONCOMMIT_DELETE_ROWS": "delete", "ONCOMMIT_DROP": "drop"}


def temporary_namespace(execution: Execution) -> int:
    """The OID of pg_temp; makes the schema when it is first needed."""
    found = execution.catalog.namespace("pg_temp")
    if found is not None:
        return found
    if not is_bootstrapped(execution.connection, "temp"):
        bootstrap(execution.connection, "temp")
    oid = execution.new_oid("temp")
    execution.insert("pg_namespace", oid, oid=oid, nspname="pg_temp_1", nspowner=execution.owner)
    install_views(execution.connection)
    execution.changed()
    return oid


def on_commit_action(said: str | None, persistence: str) -> str | None:
    """What ON COMMIT asks for: "delete", "drop", or None for what is the rule anyway. Raises 42P16."""
    if said in (None, "ONCOMMIT_NOOP"):
        return None
    if persistence != "t":
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables")
    return _ACTIONS.get(said)


def remember(execution: Execution, oid: int, action: str | None) -> None:
    """Note what happens to a new table when transactions commit."""
    if action is None:
        return
    if execution.session is None:
        raise unsupported("ON COMMIT without a session")
    execution.session.on_commit[oid] = action


def before_commit(execution: Execution, actions: dict[int, str]) -> list[int]:
    """Carry the actions out; gives the OIDs of tables that are no more."""
    from proxy.ddl.dependency import perform_deletion

    gone = []
    for oid, action in list(actions.items()):
        relation: Any = execution.catalog.relation_by_oid(oid)
        if relation is None or action == "drop":
            gone.append(oid)
        if relation is None:
            continue
        if action == "drop":
            perform_deletion(execution, [Address(classes.PG_CLASS, oid)], cascade=True)
            execution.changed()
        else:
            execution.connection.execute(f"DELETE FROM {relation.where}.{quote(relation.storage)}")
    return gone

"""The temporary schema of a session: SQLite's temp schema of its private connection, with catalog tables of its own."""

from proxy.ddl.execution import Execution
from proxy.pg_catalog.relations import bootstrap, is_bootstrapped
from proxy.pg_catalog.views import install_views


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

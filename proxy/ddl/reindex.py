"""REINDEX: SQLite builds the indexes again."""

from typing import Any

from proxy.ddl.execution import Execution
from proxy.ddl.names import index_storage, namespace_oid, open_relation, quote
from proxy.ddl.standalone import is_concurrent
from proxy.pg_catalog.system import namespace_names
from translator import sqlstate
from translator.catalog import Relation
from translator.errors import SqlError


def reindex(statement: dict[str, Any], execution: Execution) -> str:
    """REINDEX INDEX, TABLE, SCHEMA, DATABASE."""
    match statement["kind"]:
        case "REINDEX_OBJECT_INDEX":
            relation = _open(execution, statement)
            if relation.kind != "i":
                raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is not an index')
            _one(execution, relation.oid)
        case "REINDEX_OBJECT_TABLE":
            relation = _open(execution, statement)
            if relation.kind not in "rm":
                raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table or materialized view')
            _table(execution, relation)
        case "REINDEX_OBJECT_SCHEMA":
            namespace = namespace_oid(execution, statement["name"])
            for (oid,) in execution.select("pg_class", namespace, "oid", relnamespace=namespace, relkind="r"):
                _table(execution, execution.relation(oid))
        case kind:
            if kind == "REINDEX_OBJECT_SYSTEM" and is_concurrent(statement):
                raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "cannot reindex system catalogs concurrently")
            if statement.get("name", execution.settings.database) != execution.settings.database:
                raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "can only reindex the currently open database")
            for (oid,) in execution.select("pg_class", 0, "oid", relkind="i"):
                _one(execution, oid)
    return "REINDEX"


def _open(execution: Execution, statement: dict[str, Any]) -> Relation:
    relation = open_relation(execution, statement["relation"])
    if relation.namespace in namespace_names() and is_concurrent(statement):
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "cannot reindex system catalogs concurrently")
    return relation


def _table(execution: Execution, relation: Relation) -> None:
    for index in relation.indexes:
        _one(execution, index.oid)


def _one(execution: Execution, oid: int) -> None:
    storage = index_storage(execution, oid)
    if storage is not None:
        execution.connection.execute(f"REINDEX {quote(storage)}")

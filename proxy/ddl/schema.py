"""CREATE SCHEMA, with the objects that may follow in it, and ALTER SCHEMA."""

from typing import Any

from proxy.ddl import view_text
from proxy.ddl.execution import Execution
from proxy.ddl.initial_rights import initial_rights
from proxy.ddl.names import namespace_oid
from translator import sqlstate
from translator.errors import SqlError


def create_schema(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE SCHEMA [IF NOT EXISTS] name [AUTHORIZATION role] [element …]."""
    from proxy.ddl.privileges import role_name, role_oid

    role = statement.get("authrole")
    spec: dict[str, Any] = {} if role is None else role.get("RoleSpec", role)
    name = statement.get("schemaname") or role_name(execution, spec)
    if name.startswith("pg_"):
        raise SqlError(
            sqlstate.RESERVED_NAME,
            f'unacceptable schema name "{name}"',
            detail='The prefix "pg_" is reserved for system schemas.',
        )
    if execution.catalog.namespace(name) is not None:
        if statement.get("if_not_exists"):
            execution.note(f'schema "{name}" already exists, skipping', sqlstate.DUPLICATE_SCHEMA)
            return "CREATE SCHEMA"
        raise SqlError(sqlstate.DUPLICATE_SCHEMA, f'schema "{name}" already exists')
    owner = execution.owner if role is None else role_oid(execution, spec)
    oid = execution.new_oid()
    rights = initial_rights(execution, "n", 0, owner)
    execution.insert("pg_namespace", oid, oid=oid, nspname=name, nspowner=owner, nspacl=rights)
    execution.changed()
    _create_elements(statement.get("schemaElts", ()), execution, name)
    return "CREATE SCHEMA"


def _create_elements(elements: Any, execution: Execution, schema: str) -> None:
    """The elements are commands of their own, whose names are in the new schema unless they say otherwise."""
    from proxy.ddl.execute import carry_out

    before = execution.settings.search_path
    execution.settings.search_path = (schema, *before)
    try:
        for element in elements:
            node, statement = next(iter(element.items()))
            if node in _ELEMENTS:
                statement = _in_schema(statement, _ELEMENTS[node], schema)
            carry_out(node, statement, execution)
    finally:
        execution.settings.search_path = before


_ELEMENTS = {"CreateStmt": "relation", "ViewStmt": "view", "CreateSeqStmt": "sequence", "IndexStmt": "relation"}


def _in_schema(statement: dict[str, Any], key: str, schema: str) -> dict[str, Any]:
    """The statement with the new schema in its relation's name (setSchemaName)."""
    said = statement[key].get("schemaname")
    if said is not None and said != schema:
        message = f"CREATE specifies a schema ({said}) different from the one being created ({schema})"
        raise SqlError(sqlstate.INVALID_SCHEMA_DEFINITION, message)
    return {**statement, key: {**statement[key], "schemaname": schema}}


def rename_schema(execution: Execution, old: str, new: str) -> None:
    """ALTER SCHEMA old RENAME TO new: the SQLite names of its tables follow."""
    from proxy.ddl.rename import move_storage

    oid = namespace_oid(execution, old)
    if execution.catalog.namespace(new) is not None:
        raise SqlError(sqlstate.DUPLICATE_SCHEMA, f'schema "{new}" already exists')
    if new.startswith("pg_"):
        raise SqlError(
            sqlstate.RESERVED_NAME,
            f'unacceptable schema name "{new}"',
            detail='The prefix "pg_" is reserved for system schemas.',
        )
    with view_text.all_kept(execution, old):
        execution.update("pg_namespace", oid, {"nspname": new}, oid=oid)
    for (relation,) in execution.select("pg_class", oid, "oid", relnamespace=oid):
        found = execution.catalog.relation_by_oid(relation)
        if found is not None and found.kind in "rm":
            move_storage(execution, found)

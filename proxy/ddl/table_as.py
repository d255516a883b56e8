"""CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW: a table with the columns and rows of a query (createas.c)."""

from typing import Any

from proxy.ddl import view
from proxy.ddl.columns import ColumnSpec
from proxy.ddl.execution import Execution
from proxy.ddl.names import quote, strings
from proxy.ddl.sequence import heap_namespace
from proxy.ddl.table import TableSpec, build, exists_already, reloptions
from translator import compiler, oids, sqlstate
from translator.catalog import Relation
from translator.errors import SqlError, unsupported
from translator.plan import QueryPlan


def create_table_as(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE TABLE … AS query, CREATE MATERIALIZED VIEW … AS query."""
    into = statement["into"]
    materialized = statement.get("objtype") == "OBJECT_MATVIEW"
    query = statement["query"]
    if "ExecuteStmt" in query:
        raise unsupported("CREATE TABLE AS EXECUTE")
    tag = "CREATE MATERIALIZED VIEW" if materialized else "CREATE TABLE AS"
    return _create(execution, into, query, tag, if_not_exists=bool(statement.get("if_not_exists")))


def select_into(statement: dict[str, Any], execution: Execution) -> str:
    """SELECT … INTO table."""
    query = {key: value for key, value in statement.items() if key != "intoClause"}
    return _create(execution, statement["intoClause"], {"SelectStmt": query}, "SELECT INTO", if_not_exists=False)


def _create(execution: Execution, into: dict[str, Any], query: Any, tag: str, *, if_not_exists: bool) -> str:
    range_var = into["rel"]
    name = range_var["relname"]
    namespace = heap_namespace(execution, range_var)
    if exists_already(execution, namespace, name, if_not_exists=if_not_exists):
        return tag
    if into.get("onCommit", "ONCOMMIT_NOOP") not in ("ONCOMMIT_NOOP", "ONCOMMIT_PRESERVE_ROWS"):
        raise unsupported("ON COMMIT of a temporary table", range_var.get("location"))
    plan = compiler.compile_query(query, execution.catalog, execution.settings, execution.parameter_types)
    columns = query_columns(execution, plan, strings(into.get("colNames", ())))
    spec = TableSpec(name, namespace, range_var.get("relpersistence", "p"), columns)
    spec.options = reloptions(into.get("options", ()))
    if tag == "CREATE MATERIALIZED VIEW":
        text = view.query_text(execution, query)
        oid = build(execution, spec, "m", text)
        view.insert_rule(execution, oid, query)
        execution.update("pg_class", oid, {"relispopulated": not into.get("skipData"), "relhasrules": True}, oid=oid)
    else:
        oid = build(execution, spec)
    execution.changed()
    if into.get("skipData"):
        return tag
    return f"SELECT {fill(execution, execution.relation(oid), plan)}"


def query_columns(execution: Execution, plan: QueryPlan, names: list[str]) -> list[ColumnSpec]:
    """The columns of a query's result, under the names that the statement gives to the first of them."""
    fields = plan.fields or ()
    if len(names) > len(fields):
        raise SqlError(sqlstate.SYNTAX_ERROR, "too many column names were specified")
    columns = []
    for number, field in enumerate(fields):
        type_oid = oids.TEXT if field.type_oid == oids.UNKNOWN else field.type_oid
        collation = execution.catalog.type(type_oid).collation
        element = execution.catalog.element(type_oid)
        if not collation and element:
            collation = execution.catalog.type(element).collation
        columns.append(ColumnSpec(names[number] if number < len(names) else field.name, type_oid, field.typmod, collation))
    return columns


def fill(execution: Execution, relation: Relation, plan: QueryPlan) -> int:
    """Insert the rows of a compiled query; returns how many."""
    connection = execution.connection
    connection.require(plan.functions)
    binds = (*execution.binds, *execution.hidden_values(plan.hidden))
    target = f"{relation.where}.{quote(relation.storage)}"
    columns = ", ".join(quote(column.storage_name) for column in relation.columns)
    count = 0
    for step in plan.steps:
        sql = f"INSERT INTO {target} ({columns}) {step.sql}" if step.result and columns else step.sql
        connection.execute(sql, binds[: step.binds]).fetchall()
        if step.result:
            count = connection.changes()
    return count

"""CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW: a table with the columns and rows of a query (createas.c)."""

from typing import Any

from proxy.ddl import temporary, view, view_text
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
        query = _prepared(execution, query["ExecuteStmt"])
    tag = "CREATE MATERIALIZED VIEW" if materialized else "CREATE TABLE AS"
    made = _create(execution, into, query, tag, if_not_exists=bool(statement.get("if_not_exists")))
    # ExecuteQuery in prepare.c runs the query, for no rows, and says so
    return "SELECT 0" if "ExecuteStmt" in statement["query"] and into.get("skipData") else made


def _prepared(execution: Execution, execute: dict[str, Any]) -> Any:
    """The query of EXECUTE, with its values in the place of the parameters (ExplainExecuteQuery's sibling)."""
    if execution.session is None:
        raise unsupported("CREATE TABLE AS EXECUTE without a session")
    statement = execution.session.statements.get(execute["name"])
    types = statement.parameters
    values = execute.get("params", [])
    if len(values) != len(types):
        message = f'wrong number of parameters for prepared statement "{execute["name"]}"'
        detail = f"Expected {len(types)} parameters but got {len(values)}."
        raise SqlError(sqlstate.SYNTAX_ERROR, message, detail=detail)
    source = statement.compiled.statement
    if source.node != "SelectStmt":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, "prepared statement is not a SELECT")
    execution.parameter_types, execution.binds = types, _values(execution, values, types)
    return {source.node: source.tree}


def _values(execution: Execution, nodes: list[Any], types: tuple[int, ...]) -> tuple[Any, ...]:
    if not nodes:
        return ()
    made = [
        compiler.compile_expression(node, execution.catalog, execution.settings, target=(oid, -1), clause="EXECUTE parameter")
        for node, oid in zip(nodes, types, strict=True)
    ]
    for each in made:
        execution.connection.require(each.functions)
    return tuple(execution.connection.execute(f"SELECT {', '.join(each.sql for each in made)}").fetchone())


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
    on_commit = temporary.on_commit_action(into.get("onCommit"), range_var.get("relpersistence", "p"))
    plan = compiler.compile_query(query, execution.catalog, execution.settings, execution.parameter_types)
    columns = query_columns(execution, plan, strings(into.get("colNames", ())))
    spec = TableSpec(name, namespace, range_var.get("relpersistence", "p"), columns)
    spec.options = reloptions(into.get("options", ()))
    if tag == "CREATE MATERIALIZED VIEW":
        text = view_text.of_query(execution, query, [column.name for column in columns])
        oid = build(execution, spec, "m", text)
        view.insert_rule(execution, oid, query)
        execution.update("pg_class", oid, {"relispopulated": not into.get("skipData"), "relhasrules": True}, oid=oid)
    else:
        oid = build(execution, spec)
    temporary.remember(execution, oid, on_commit)
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

"""Views and materialized views (view.c, matview.c).

A view is kept as the text of its query, in which names are resolved as they are in PostgreSQL's tree (view_text.py), so that
later changes of the world do not change the view.
"""

from typing import Any

from proxy.ddl import heap, view_text
from proxy.ddl.columns import ColumnSpec, check_columns
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import references, walk
from proxy.ddl.names import find_relation, open_relation, quote, set_storage, stored_definition, strings
from proxy.ddl.options import VIEW, read_options
from proxy.ddl.sequence import heap_namespace
from proxy.pg_catalog import classes
from proxy.pg_catalog.relations import FIRST_NORMAL_OID
from proxy.pg_catalog.rows import schema_of
from translator import compiler, sqlstate
from translator.analyze import typenames, view_target
from translator.catalog import Relation
from translator.errors import SqlError
from translator.plan import QueryPlan


def create_view(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE [OR REPLACE] VIEW."""
    from proxy.ddl.table_as import query_columns

    range_var = dict(statement["view"])
    options = _options(execution, statement)
    query = statement["query"]
    plan = compiler.compile_query(query, execution.catalog, execution.settings)
    names = strings(statement.get("aliases", ()))
    if len(names) > len(plan.fields or ()):
        raise SqlError(sqlstate.SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns")
    columns = query_columns(execution, plan, names)
    _become_temporary(execution, range_var, plan)
    name = range_var["relname"]
    namespace = heap_namespace(execution, range_var)
    existing = execution.catalog.relation(namespace, name)
    if existing is not None:
        if not statement.get("replace"):
            raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{name}" already exists')
        _replace(execution, existing, columns, query)
        execution.update("pg_class", existing.oid, {"reloptions": options}, oid=existing.oid)
        return "CREATE VIEW"
    check_columns(execution, columns, "v")
    oid = heap.create_relation(
        execution,
        name,
        namespace,
        "v",
        columns,
        persistence=range_var.get("relpersistence", "p"),
        definition=view_text.of_query(execution, query, [column.name for column in columns]),
    )
    insert_rule(execution, oid, query)
    if options:
        execution.update("pg_class", oid, {"reloptions": options}, oid=oid)
    return "CREATE VIEW"


_CHECK_OPTIONS = {"LOCAL_CHECK_OPTION": "local", "CASCADED_CHECK_OPTION": "cascaded"}


def _options(execution: Execution, statement: dict[str, Any]) -> list[str] | None:
    """WITH (…) and WITH CHECK OPTION as reloptions keeps them (DefineView)."""
    found = read_options(statement.get("options", ()), VIEW) or []
    check = _CHECK_OPTIONS.get(statement.get("withCheckOption", ""))
    if check is not None:
        found.append(f"check_option={check}")
    for option in found:
        name, _, value = option.partition("=")
        if name == "check_option":
            _check_option(execution, value, statement["query"])
    return found or None


def _check_option(execution: Execution, value: str, query: Any) -> None:
    if value not in _CHECK_OPTIONS.values():
        raise SqlError(
            sqlstate.INVALID_PARAMETER_VALUE,
            f'invalid value for enum option "check_option": {value}',
            detail='Valid values are "local" and "cascaded".',
        )
    hint = view_target.obstacle(execution.catalog, execution.settings, query)
    if hint is not None:
        message = "WITH CHECK OPTION is supported only on automatically updatable views"
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message, hint=hint)


def _become_temporary(execution: Execution, range_var: dict[str, Any], plan: QueryPlan) -> None:
    """A view over temporary relations is temporary itself (isQueryUsingTempRelation)."""
    if range_var.get("relpersistence") == "t":
        return
    relations = [execution.catalog.relation_by_oid(oid) for oid, _ in plan.relations]
    if any(relation is not None and relation.persistence == "t" for relation in relations):
        execution.note(f'view "{range_var["relname"]}" will be a temporary view')
        range_var["relpersistence"] = "t"


def insert_rule(execution: Execution, oid: int, query: Any) -> None:
    """The _RETURN rule, which carries what a view depends on."""
    rule = execution.new_oid(schema_of(oid))
    execution.insert("pg_rewrite", oid, oid=rule, rulename="_RETURN", ev_class=oid)
    address = Address(classes.PG_REWRITE, rule)
    execution.depend(address, Address(classes.PG_CLASS, oid), "i")
    for referenced in sorted(_referenced(execution, query), key=lambda each: (each.oid, each.column)):
        execution.depend(address, referenced)


def _referenced(execution: Execution, query: Any) -> set[Address]:
    """The columns a query reads: those of its relations that it names (or all, where it says `*`)."""
    fields = [inner["fields"] for kind, inner in walk(query) if kind == "ColumnRef"]
    star = any("A_Star" in each[-1] for each in fields)
    names = {each[-1]["String"]["sval"] for each in fields if "String" in each[-1]}
    names |= {name for _, inner in walk(query) for name in strings(inner.get("usingClause", ()))}
    found = references(execution, "", query)
    for relation in _named_relations(execution, query):
        numbers = [column.attnum for column in relation.columns if star or column.name in names]
        found |= {Address(classes.PG_CLASS, relation.oid, number) for number in numbers or (0,)}
    return found


def _named_relations(execution: Execution, query: Any) -> list[Relation]:
    """The relations that a query names itself, and not through a view."""
    ctes = {inner["ctename"] for kind, inner in walk(query) if kind == "CommonTableExpr"}
    found = []
    for kind, inner in walk(query):
        if kind == "RangeVar" and not (inner["relname"] in ctes and "schemaname" not in inner):
            relation = find_relation(execution, inner)
            if relation is not None and relation.oid >= FIRST_NORMAL_OID:
                found.append(relation)
    return found


def _replace(execution: Execution, view: Relation, columns: list[ColumnSpec], query: Any) -> None:
    """Give an existing view another query, which may only add columns (checkViewColumns)."""
    if view.kind != "v":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{view.name}" is not a view')
    if len(columns) < len(view.columns):
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, "cannot drop columns from view")
    for old, new in zip(view.columns, columns, strict=False):
        if old.name != new.name:
            message = f'cannot change name of view column "{old.name}" to "{new.name}"'
            hint = "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."
            raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message, hint=hint)
        if (old.type_oid, old.typmod) != (new.type_oid, new.typmod):
            was = typenames.display(execution.catalog, old.type_oid, old.typmod)
            wanted = typenames.display(execution.catalog, new.type_oid, new.typmod)
            message = f'cannot change data type of view column "{old.name}" from {was} to {wanted}'
            raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
    check_columns(execution, columns, "v")
    for number, column in enumerate(columns[len(view.columns) :], len(view.columns) + 1):
        heap.insert_attribute(execution, view.oid, number, column)
    execution.update("pg_class", view.oid, {"relnatts": len(columns)}, oid=view.oid)
    for (rule,) in execution.select("pg_rewrite", view.oid, "oid", ev_class=view.oid):
        execution.delete("pg_rewrite", view.oid, oid=rule)
        execution.delete("pg_depend", view.oid, classid=classes.PG_REWRITE, objid=rule)
    set_storage(execution, view.oid, None, view_text.of_query(execution, query, [column.name for column in columns]))
    insert_rule(execution, view.oid, query)
    execution.changed()


# ---------------------------------------------------------------------- materialized views


def refresh(statement: dict[str, Any], execution: Execution) -> str:
    """REFRESH MATERIALIZED VIEW."""
    from proxy.ddl.expressions import parse_query
    from proxy.ddl.table_as import fill

    relation = open_relation(execution, statement["relation"])
    if relation.kind != "m":
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f'"{relation.name}" is not a materialized view')
    if statement.get("concurrent"):
        if statement.get("skipData"):
            message = "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together"
            raise SqlError(sqlstate.SYNTAX_ERROR, message)
        if not any(each.unique and each.predicate is None and not each.expressions for each in relation.indexes):
            raise SqlError(
                sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE,
                f'cannot refresh materialized view "{relation.schema}.{relation.name}" concurrently',
                hint="Create a unique index with no WHERE clause on one or more columns of the materialized view.",
            )
    execution.connection.execute(f"DELETE FROM {relation.where}.{quote(relation.storage)}")
    populated = not statement.get("skipData")
    if populated:
        node = parse_query(stored_definition(execution, relation.oid) or "")
        fill(execution, relation, compiler.compile_query(node, execution.catalog, execution.settings))
    execution.update("pg_class", relation.oid, {"relispopulated": populated}, oid=relation.oid)
    return "REFRESH MATERIALIZED VIEW"

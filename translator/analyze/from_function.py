"""Functions in FROM: set-returning or not, WITH ORDINALITY, ROWS FROM, column definition lists (transformRangeFunction).

A function becomes exp.Table over the call; its columns are c1 … cn and `ordinality`, as the table-valued functions that
storage registers have them. Lowering decides how SQLite runs it.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.analysis import Analysis
from translator.analyze.clauses import place_of
from translator.analyze.form import range_form
from translator.analyze.scope import Entry, EntryColumn, Scope
from translator.analyze.target import column_name
from translator.errors import SqlError
from translator.typed import call, column, type_of, typed, typmod_of

Node = dict[str, Any]


def transform(scope: Scope, value: Node) -> tuple[exp.Expr, Entry]:
    """A RangeFunction node."""
    from translator.analyze.from_clause import alias_columns

    functions = [one for item in value["functions"] for one in _split_unnest(item["List"]["items"])]
    alias = value.get("alias")
    calls, columns, names = [], [], []
    for items in functions:
        node, found, name = _one(scope, items, value.get("coldeflist"), alias, len(functions))
        calls.append(node)
        columns.append(found)
        names.append(name)
    visible = alias["aliasname"] if alias else names[0]
    sql_alias = scope.analysis.alias(visible)
    this = calls[0] if len(calls) == 1 else call("set:rows_from", *calls)
    this.meta["widths"] = [len(found) for found in columns]
    tree = exp.Table(this=this, alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)))
    tree.meta["ordinality"] = bool(value.get("ordinality"))
    entry_columns = []
    for position, (name, type_oid, typmod) in enumerate([one for found in columns for one in found], 1):
        node = typed(column(sql_alias, f"c{position}"), type_oid, typmod)
        entry_columns.append(EntryColumn(name, node))
    if value.get("ordinality"):
        entry_columns.append(EntryColumn("ordinality", typed(column(sql_alias, "ordinality"), oids.INT8)))
    scalar = len(functions) == 1 and len(columns[0]) == 1 and not value.get("coldeflist")
    row_type = 0 if scalar and calls[0].meta.get("scalar_result") else oids.RECORD
    entry = Entry(visible, entry_columns, sql_alias, kind="function", row_type=row_type)
    if scope.analysis.keeps_form:
        ordinality = bool(value.get("ordinality"))
        own = {item.entry.sql_alias for item in scope.items}
        lateral = any(part.table in own for each in calls for part in each.find_all(exp.Column))
        entry.form = range_form(entry, value, name=names[0], lateral=lateral, functions=calls, ordinality=ordinality)
    alias_columns(entry, alias)
    return tree, entry


def _split_unnest(items: list[Node]) -> list[list[Node]]:
    """unnest(a, b) in FROM stands for ROWS FROM (unnest(a), unnest(b))."""
    call = items[0].get("FuncCall")
    arguments = call.get("args", []) if call is not None else []
    if (
        call is None
        or len(arguments) < 2
        or call["funcname"][-1]["String"]["sval"] != "unnest"
        or (len(items) > 1 and items[1])
    ):
        return [items]
    return [[{"FuncCall": {**call, "args": [argument]}}] for argument in arguments]


def _one(
    scope: Scope, items: list[Node], definitions: list[Node] | None, alias: Node | None, count: int
) -> tuple[exp.Expr, list[tuple[str, int, int]], str]:
    """One function: its call, its columns as (name, type, typmod), and the name that the function gives."""
    from translator.analyze.expressions import transform_in

    outer = scope.lateral_active
    scope.lateral_active = True
    node = transform_in(scope, items[0], "functions in FROM")
    scope.lateral_active = outer
    _refuse_inner_sets(node)
    name = column_name(items[0])
    own = items[1]["List"]["items"] if len(items) > 1 and items[1] else None
    definitions = own or definitions
    location = node.meta.get("location")
    if definitions:
        redundant = _redundant(scope.analysis, node)
        if redundant is not None:
            message = f"a column definition list is redundant for a function {redundant}"
            raise SqlError(codes.SYNTAX_ERROR, message, location=location)
        if type_of(node) != oids.RECORD:
            raise SqlError(
                codes.SYNTAX_ERROR,
                'a column definition list is only allowed for functions returning "record"',
                location=place_of(definitions),
            )
        defined = _defined(scope.analysis, definitions)
        if isinstance(node, exp.Anonymous) and node.this == "sql:rows":
            _check_definitions(scope.analysis, node, defined)
        node.meta["definitions"] = defined
        return node, defined, name
    columns = _result_columns(scope.analysis, node)
    if columns is None:
        if type_of(node) == oids.RECORD:
            raise SqlError(
                codes.SYNTAX_ERROR,
                'a column definition list is required for functions returning "record"',
                location=location,
            )
        node.meta["scalar_result"] = True
        # a function with one column gives it the alias of the table
        label = alias["aliasname"] if alias and count == 1 else name
        proc = node.meta.get("proc")
        out = [n for n, mode in zip(proc.names, proc.modes, strict=False) if mode in "obt"] if proc is not None else []
        if len(out) == 1 and out[0]:
            label = out[0]
        columns = [(label, type_of(node), typmod_of(node))]
    else:
        node.meta["of_rows"] = True
    return node, columns, name


def _refuse_inner_sets(node: exp.Expr) -> None:
    """A set is a FROM item itself, not the argument of one (the last_srf check of transformRangeFunction)."""
    for part in node.find_all(exp.Anonymous):
        proc = part.meta.get("proc")
        if part is not node and proc is not None and proc.returns_set and part.parent_select is None:
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED,
                "set-returning functions must appear at top level of FROM",
                location=part.meta.get("location"),
            )


def _redundant(analysis: Analysis, node: exp.Expr) -> str | None:
    """Why the columns of a call are known without definitions (addRangeTableEntryForFunction)."""
    if "field_names" in node.meta and "proc" in node.meta:
        return "with OUT parameters"
    row = analysis.catalog.type_by_oid(analysis.catalog.base_type(type_of(node)))
    return "returning a named composite type" if row is not None and row.relation else None


def _defined(analysis: Analysis, definitions: list[Node]) -> list[tuple[str, int, int]]:
    found = []
    for definition in definitions:
        value = definition["ColumnDef"]
        found.append((value["colname"], *analysis.resolve_type(value["typeName"])))
    return found


def _check_definitions(analysis: Analysis, node: exp.Expr, columns: list[tuple[str, int, int]]) -> None:
    """The columns of a SQL function that returns record must be those of its body (check_sql_fn_retval)."""
    made = node.meta["column_types"]
    detail = None
    if len(made) != len(columns):
        detail = f"Final statement returns too {'many' if len(made) > len(columns) else 'few'} columns."
    for number, ((_, given, _), (_, wanted, _)) in enumerate(zip(made, columns, strict=False), 1):
        if detail is None and given != wanted:
            names = analysis.type_name(given), analysis.type_name(wanted)
            detail = f"Final statement returns {names[0]} instead of {names[1]} at column {number}."
    if detail is not None:
        message = "return type mismatch in function declared to return record"
        where = f'SQL function "{node.meta["proc"].name}" statement 1'
        raise SqlError(codes.INVALID_FUNCTION_DEFINITION, message, detail=detail, where=where)


def _result_columns(analysis: Analysis, node: exp.Expr) -> list[tuple[str, int, int]] | None:
    """The columns of a composite result, None for a scalar one."""
    if "field_names" in node.meta:
        names, types = node.meta["field_names"], node.meta["field_types"]
        return [(name or f"column{i}", oid, -1) for i, (name, oid) in enumerate(zip(names, types, strict=True), 1)]
    row = analysis.catalog.type_by_oid(analysis.catalog.base_type(type_of(node)))
    if row is not None and row.relation:
        relation = analysis.catalog.relation_by_oid(row.relation)
        if relation is not None:
            return [(item.name, item.type_oid, item.typmod) for item in relation.columns]
    return None

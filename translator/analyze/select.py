"""SELECT and VALUES: from a SelectStmt to a Query (transformSelectStmt, transformValuesClause).

The clauses are analyzed in PostgreSQL's order: WITH, FROM, the target list, WHERE, HAVING, ORDER BY, GROUP BY, DISTINCT,
LIMIT. ORDER BY, GROUP BY and DISTINCT refer to entries of the target list (`clauses`), adding junk entries where needed.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import clauses, cte, grouping, locking, setops, windows
from translator.analyze.clauses import SortItem
from translator.analyze.coerce import coerce_to_common, select_common_type, select_common_typmod
from translator.analyze.form import QueryForm, RangeForm
from translator.analyze.from_clause import from_and_joins, transform_from
from translator.analyze.query import Query, Target, unique_names
from translator.analyze.scope import Scope
from translator.analyze.target import expand_star, resolve_targets, transform_targets
from translator.errors import SqlError, unsupported
from translator.typed import column, location_of, type_of, typed, typmod_of

Node = dict[str, Any]


def transform_query(scope: Scope, node: Node, *, keep_unknown: bool = False) -> Query:
    """A query node in a fresh scope. `keep_unknown`: leave open literals to the caller (set operations, INSERT)."""
    ((kind, value),) = node.items()
    if kind != "SelectStmt":
        raise unsupported(f"{kind} as a subquery")
    if value.get("intoClause"):
        raise SqlError(codes.SYNTAX_ERROR, "SELECT ... INTO is not allowed here")
    if scope.analysis.keeps_form:
        scope.form = QueryForm()
    withs = cte.transform_with(scope, value.get("withClause"))
    if value.get("valuesLists"):
        query = _values(scope, value)
    elif value.get("op", "SETOP_NONE") != "SETOP_NONE":
        query = setops.transform(scope, value)
    else:
        query = _select(scope, value, keep_unknown=keep_unknown)
    if withs is not None:
        if isinstance(query.tree, exp.Values):
            query = wrap(scope, query)
        query.tree.set("with_", withs)
    if scope.form is not None:
        query.form = scope.form
    return query


def _select(scope: Scope, value: Node, *, keep_unknown: bool) -> Query:
    from translator.analyze.expressions import transform_condition

    for item in value.get("windowClause", ()):
        definition = item["WindowDef"]
        if definition["name"] in scope.windows:
            raise SqlError(
                codes.WINDOWING_ERROR, f'window "{definition["name"]}" is already defined', location=definition.get("location")
            )
        scope.windows[definition["name"]] = definition
    sources = transform_from(scope, value.get("fromClause", []))
    targets = transform_targets(scope, value.get("targetList", []), "SELECT")
    where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE") if value.get("whereClause") else None
    having = transform_condition(scope, value["havingClause"], "HAVING", "HAVING") if value.get("havingClause") else None
    sort = clauses.transform_sort(scope, value.get("sortClause", []), targets)
    group, sets = grouping.transform_group(
        scope, value.get("groupClause", []), targets, distinct=bool(value.get("groupDistinct"))
    )
    distinct = clauses.transform_distinct(scope, value.get("distinctClause"), targets, sort)
    if not keep_unknown:
        resolve_targets(scope, targets)
    grouped = bool(group) or sets is not None or having is not None or scope.has_aggregates
    scope.analysis.grouped = scope.analysis.grouped or grouped or scope.has_windows
    tree = _assemble(sources, where)
    query = Query(tree, [target for target in targets if not target.junk])
    query.columns = unique_names([target.name for target in query.targets])
    tree.set("expressions", aliased(query))
    if group or sets is not None:
        tree.set("group", exp.Group(expressions=[target.node.copy() for target in group]))
        tree.meta["grouping_sets"] = sets
    if having is not None:
        tree.set("having", exp.Having(this=having))
    if distinct is not None:
        tree.set("distinct", distinct)
    attach_sort(scope, query, sort)
    attach_limit(scope, value, query, sort)
    tree.meta["grouped"] = grouped
    tree.meta["level"] = scope.number
    tree.meta["has_sets"] = scope.has_sets
    locking.transform(scope, value.get("lockingClause", []), tree, grouped=grouped)
    if scope.form is not None:
        _note_clauses(scope, scope.form, value, targets, where, having)
        scope.form.group = group
    if grouped:
        if scope.has_aggregates and any(item.entry.self_reference for item in scope.items):
            message = "aggregate functions are not allowed in a recursive query's recursive term"
            raise SqlError(codes.INVALID_RECURSION, message, location=grouping.first_aggregate(scope, targets, having))
        grouping.check(scope, targets, having, [target.node for target in group], sets)
    return query


def _note_clauses(
    scope: Scope, form: QueryForm, value: Node, targets: list[Target], where: exp.Expr | None, having: exp.Expr | None
) -> None:
    form.targets, form.where, form.having = targets, where, having
    form.group_distinct = bool(value.get("groupDistinct"))
    form.windows = [windows.form(scope, item["WindowDef"]) for item in value.get("windowClause", ())]
    form.locks = locking.forms(scope, value.get("lockingClause", []))


def _note_values(scope: Scope, form: QueryForm, columns: list[Target], rows: list[list[exp.Expr]]) -> None:
    """To PostgreSQL, VALUES is a query of all columns of a FROM item."""
    key = scope.analysis.alias("*VALUES*")
    names = [target.name for target in columns]
    form.is_values = True
    form.sources = [RangeForm("values", key, names, names, None, "*VALUES*", rows=[list(row) for row in rows])]
    form.targets = [
        Target(name, typed(column(key, name), type_of(target.node), typmod_of(target.node)))
        for name, target in zip(names, columns, strict=True)
    ]


def aliased(query: Query) -> list[exp.Expr]:
    """The select list: every target under its column name."""
    return [
        exp.Alias(this=target.node, alias=exp.Identifier(this=name, quoted=True))
        for target, name in zip(query.targets, query.columns, strict=True)
    ]


def _assemble(sources: list[exp.Expr], where: exp.Expr | None) -> exp.Select:
    tree = exp.Select(expressions=[])
    if sources:
        first, joins = from_and_joins(sources)
        tree.set("from_", exp.From(this=first))
        tree.set("joins", joins)
    if where is not None:
        tree.set("where", exp.Where(this=where))
    return tree


def attach_sort(scope: Scope, query: Query, sort: list[SortItem]) -> None:
    """ORDER BY; each item knows its position in the select list if it has one."""
    if scope.form is not None:
        scope.form.sort = sort
    if not sort:
        return
    ordered = []
    for item in sort:
        node = exp.Ordered(this=item.target.node.copy(), desc=item.descending, nulls_first=item.nulls_first)
        positions = [index for index, target in enumerate(query.targets) if target is item.target]
        if positions:
            node.meta["position"] = positions[0]
        ordered.append(node)
    query.tree.set("order", exp.Order(expressions=ordered))


def attach_limit(scope: Scope, value: Node, query: Query, sort: list[SortItem]) -> None:
    """LIMIT, OFFSET, FETCH FIRST … WITH TIES (transformLimitClause)."""
    ties = value.get("limitOption") == "LIMIT_OPTION_WITH_TIES"
    if value.get("limitCount"):
        limit = clauses.limit_expression(scope, value["limitCount"], "LIMIT")
        if ties and isinstance(limit, exp.Null):
            raise SqlError(
                codes.INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "row count cannot be null in FETCH FIRST ... WITH TIES clause"
            )
        query.tree.set("limit", exp.Limit(expression=limit))
        if scope.form is not None:
            scope.form.limit, scope.form.ties = limit, ties
    if value.get("limitOffset"):
        offset = clauses.limit_expression(scope, value["limitOffset"], "OFFSET")
        query.tree.set("offset", exp.Offset(expression=offset))
        if scope.form is not None:
            scope.form.offset = offset
    if ties:
        if not sort:
            raise SqlError(codes.SYNTAX_ERROR, "WITH TIES cannot be specified without ORDER BY clause")
        query.tree.meta["with_ties"] = True


def wrap(scope: Scope, query: Query) -> Query:
    """The query as a subquery in FROM of a plain SELECT of all its columns."""
    alias = scope.analysis.alias("wrapped")
    inner = exp.Subquery(this=query.tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    targets = []
    for target, name in zip(query.targets, query.columns, strict=True):
        node = typed(column(alias, name), type_of(target.node), typmod_of(target.node), location_of(target.node))
        targets.append(Target(target.name, node))
    tree = exp.Select(expressions=[])
    tree.set("from_", exp.From(this=inner))
    outer = Query(tree, targets, list(query.columns))
    tree.set("expressions", aliased(outer))
    return outer


def _values(scope: Scope, value: Node) -> Query:
    """VALUES (…), (…): every column gets the common type of its values."""
    rows = values_rows(scope, value["valuesLists"])
    columns = []
    for position in range(len(rows[0])):
        nodes = [row[position] for row in rows]
        common = select_common_type(scope.analysis, nodes, "VALUES")
        typmod = select_common_typmod(nodes, common)
        for row in rows:
            row[position] = coerce_to_common(scope.analysis, row[position], common, "VALUES")
        columns.append(Target(f"column{position + 1}", typed(exp.Null(), common, typmod)))
    tree: Any = exp.Values(expressions=[exp.Tuple(expressions=row) for row in rows])
    query = Query(tree, columns, [target.name for target in columns])
    if scope.form is not None:
        _note_values(scope, scope.form, columns, rows)
    if value.get("lockingClause"):
        strength = locking.STRENGTHS[value["lockingClause"][0]["LockingClause"]["strength"]]
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"{strength} cannot be applied to VALUES")
    if not any(value.get(key) for key in ("sortClause", "limitCount", "limitOffset", "lockingClause")):
        return query
    query = wrap(scope, query)
    sort = clauses.transform_sort(scope, value.get("sortClause", []), query.targets)
    if any(target.junk for target in query.targets):
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "ORDER BY expression over VALUES is not supported")
    attach_sort(scope, query, sort)
    attach_limit(scope, value, query, sort)
    return query


def values_rows(scope: Scope, lists: list[Node], *, allow_default: bool = False) -> list[list[exp.Expr]]:
    """The analyzed rows of a VALUES list, all of one length. Raises 42601."""
    from translator.analyze.expressions import transform_in

    rows: list[list[exp.Expr]] = []
    for item in lists:
        row: list[exp.Expr] = []
        for node in item["List"]["items"]:
            if allow_default and "SetToDefault" in node:
                row.append(typed(exp.Var(this="DEFAULT"), oids.UNKNOWN))
            elif "ColumnRef" in node and "A_Star" in node["ColumnRef"]["fields"][-1]:
                row += [target.node for target in expand_star(scope, node["ColumnRef"])]
            else:
                # INSERT takes one row for a select list
                row.append(transform_in(scope, node, "VALUES" if len(lists) > 1 or not allow_default else "VALUES of one row"))
        if rows and len(row) != len(rows[0]):
            raise SqlError(
                codes.SYNTAX_ERROR,
                "VALUES lists must all be the same length",
                location=location_of(row[0]) if row else None,
            )
        rows.append(row)
    return rows

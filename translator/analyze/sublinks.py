"""Subqueries in expressions: EXISTS, scalar, ARRAY, IN, op ANY, op ALL (transformSubLink)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import rows
from translator.analyze.coerce import coerce_to_boolean
from translator.analyze.query import Query
from translator.analyze.scope import Scope
from translator.analyze.typenames import names_of
from translator.errors import SqlError, unsupported
from translator.typed import N, call, column, expanded, type_of, typed, typmod_of

Node = dict[str, Any]


def _subquery(scope: Scope, node: Node) -> Query:
    from translator.analyze.select import transform_query

    return transform_query(scope.child(), node)


def _noted(node: N, query: Query) -> N:
    """The node with the form of its subquery, if there is one."""
    if query.form is not None:
        node.meta["query"] = query.form
    return node


def transform_sublink(scope: Scope, value: Node) -> exp.Expr:
    """A SubLink node."""
    kind = value["subLinkType"]
    location = value.get("location")
    if scope.columns_only:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot use subquery in {scope.columns_only}", location=location)
    if kind == "EXISTS_SUBLINK":
        query = _subquery(scope, value["subselect"])
        return _noted(typed(exp.Exists(this=query.tree), oids.BOOL, -1, location), query)
    if kind in ("EXPR_SUBLINK", "ARRAY_SUBLINK"):
        return _scalar(scope, value, kind, location)
    if kind in ("ANY_SUBLINK", "ALL_SUBLINK"):
        return _quantified(scope, value, kind, location)
    raise unsupported("multiple-column assignment from this source", location)


def _scalar(scope: Scope, value: Node, kind: str, location: int | None) -> exp.Expr:
    query = _subquery(scope, value["subselect"])
    if len(query.targets) != 1:
        raise SqlError(codes.SYNTAX_ERROR, "subquery must return only one column", location=location)
    node = query.targets[0].node
    subquery = exp.Subquery(this=query.tree)
    if kind == "EXPR_SUBLINK":
        typed(subquery, type_of(node), typmod_of(node), location)
        subquery.meta["scalar"] = True
        return _noted(subquery, query)
    element = type_of(node)
    array_type = element if rows.is_array(scope, element) else scope.analysis.catalog.type(element).array
    if not array_type:
        raise SqlError(
            codes.UNDEFINED_OBJECT,
            f"could not find array type for data type {scope.analysis.type_name(element)}",
            location=location,
        )
    made = call("array:query", subquery)
    made.meta["columns"] = query.columns
    _noted(made, query)
    return typed(made, array_type, typmod_of(node), location)


def _quantified(scope: Scope, value: Node, kind: str, location: int | None) -> exp.Expr:
    """`x op ANY (SELECT …)`: "query:any"/"query:all" of (subquery with an alias, comparison with its columns)."""
    from translator.analyze.expressions import transform

    left = value["testexpr"]
    fields = rows.fields(scope, left["RowExpr"]) if "RowExpr" in left else [transform(scope, left)]
    names = names_of(value["operName"]) if value.get("operName") else ["="]
    query = _subquery(scope, value["subselect"])
    if len(fields) < len(query.targets):
        raise SqlError(codes.SYNTAX_ERROR, "subquery has too many columns", location=location)
    if len(fields) > len(query.targets):
        raise SqlError(codes.SYNTAX_ERROR, "subquery has too few columns", location=location)
    alias = scope.analysis.alias("any")
    right = _columns(query, alias)
    comparison = rows.compare(scope, names, fields, right, location)
    comparison = coerce_to_boolean(scope.analysis, comparison, "ANY/ALL")
    subquery = exp.Subquery(this=query.tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    node = call("query:any" if kind == "ANY_SUBLINK" else "query:all", subquery, comparison)
    node.meta["alias"] = alias
    return _noted(typed(node, oids.BOOL, -1, location), query)


def _columns(query: Query, alias: str) -> list[exp.Expr]:
    return [
        typed(column(alias, name), type_of(target.node), typmod_of(target.node))
        for name, target in zip(query.columns, query.targets, strict=True)
    ]


def row_compare(scope: Scope, names: list[str], left: Node, right: Node, location: int | None) -> exp.Expr:
    """`(a, b) op (SELECT …)`: NULL if the subquery is empty, the comparison with its one row otherwise."""
    query = _subquery(scope, right["subselect"])
    fields = rows.fields(scope, left["RowExpr"])
    if len(fields) != len(query.targets):
        raise SqlError(
            codes.SYNTAX_ERROR,
            f"subquery has too {'many' if len(fields) < len(query.targets) else 'few'} columns",
            location=location,
        )
    alias = scope.analysis.alias("row")
    comparison = rows.compare(scope, names, fields, _columns(query, alias), location)
    inner = exp.Subquery(this=query.tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    select = exp.Select(expressions=[exp.Alias(this=comparison, alias=exp.Identifier(this="result", quoted=True))])
    select.set("from_", exp.From(this=inner))
    subquery = typed(exp.Subquery(this=select), oids.BOOL, -1, location)
    subquery.meta["scalar"] = True
    return expanded(subquery, _noted(call("query:row", comparison), query)) if scope.analysis.keeps_form else subquery

"""TABLESAMPLE (transformRangeTableSample): the rows of a table, filtered."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import coerce_to_specific
from translator.analyze.program import plain_select
from translator.analyze.scope import Entry, EntryColumn, Scope
from translator.errors import SqlError
from translator.typed import call, column, type_of, typed, typmod_of

Node = dict[str, Any]

_METHODS = ("bernoulli", "system")


def transform(scope: Scope, value: Node) -> tuple[exp.Expr, Entry]:
    """A RangeTableSample.

    before: FROM t TABLESAMPLE BERNOULLI (10) REPEATABLE (1)
    after:  FROM (SELECT t.a AS a FROM t WHERE pg_sample_row_repeatably(10.0, t.rowid, 1.0)) AS t
    """
    from translator.analyze.from_clause import range_variable

    tree, entry = range_variable(scope, value["relation"]["RangeVar"])
    relation = entry.relation
    if relation is None or relation.kind not in "rmp":
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            "TABLESAMPLE clause can only be applied to tables and materialized views",
            location=value["relation"]["RangeVar"].get("location"),
        )
    inner = entry.sql_alias
    condition = _condition(scope, value, typed(column(inner, relation.rowid), oids.INT8))
    items: list[exp.Expr] = []
    outer = scope.analysis.alias(entry.name)
    for position, one in enumerate(entry.columns):
        items.append(exp.Alias(this=one.node, alias=exp.Identifier(this=f"c{position}", quoted=True)))
        node = typed(column(outer, f"c{position}"), type_of(one.node), typmod_of(one.node))
        entry.columns[position] = EntryColumn(one.name, node, one.table_oid, one.attnum)
    rowid = exp.Alias(this=column(inner, relation.rowid), alias=exp.Identifier(this=relation.rowid, quoted=True))
    # a limit, though it is none, keeps SQLite from moving a condition that depends on chance into the outer query's join
    limit = exp.Limit(expression=exp.Null())
    query = plain_select([*items, rowid], tree, where=exp.Where(this=condition), limit=limit)
    entry.sql_alias = outer
    if entry.form is not None:
        entry.form.key, entry.form.keys = outer, [each.node.name for each in entry.columns]
        percent, *seed = condition.expressions[::2]
        entry.form.sample = value["method"][-1]["String"]["sval"], percent, seed[0] if seed else None
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=outer, quoted=True))), entry


def _condition(scope: Scope, value: Node, rowid: exp.Expr) -> exp.Anonymous:
    from translator.analyze.expressions import transform_in

    location = value.get("location")
    name = value["method"][-1]["String"]["sval"]
    if name not in _METHODS:
        raise SqlError(codes.UNDEFINED_OBJECT, f"tablesample method {name} does not exist", location=location)
    if len(value["args"]) != 1:
        message = f"tablesample method {name} requires 1 argument, not {len(value['args'])}"
        raise SqlError(codes.INVALID_TABLESAMPLE_ARGUMENT, message, location=location)
    percent = transform_in(scope, value["args"][0], "functions in FROM")
    percent = coerce_to_specific(scope.analysis, percent, oids.FLOAT4, "TABLESAMPLE")
    if "repeatable" not in value:
        return typed(call("sample_row", percent), oids.BOOL)
    seed = transform_in(scope, value["repeatable"], "functions in FROM")
    seed = coerce_to_specific(scope.analysis, seed, oids.FLOAT8, "REPEATABLE")
    return typed(call("sample_row_repeatably", percent, rowid, seed), oids.BOOL)

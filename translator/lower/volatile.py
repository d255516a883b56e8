"""Volatile functions in subqueries: SQLite may merge a subquery into the query around it, and then calls them once a use."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, number, select
from translator.typed import column

# Functions of ours that PostgreSQL's catalog does not know, and that give another value each time.
_OWN = {"identity_nextval"}


def evaluated_once(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Keep a subquery with volatile columns apart, as PostgreSQL does: OFFSET keeps SQLite from merging it.

    before: SELECT s.x, s.x FROM (SELECT random() AS x) AS s
    after:  SELECT s.x, s.x FROM (SELECT random() AS x LIMIT -1 OFFSET 0) AS s

    See "Query Flattening" in SQLite's documentation, restriction 14 of flattenSubquery in select.c.
    """
    if not lowering.analysis.volatile:
        return tree
    for node in list(tree.find_all(exp.Subquery, exp.CTE)):
        if isinstance(node, exp.CTE) or isinstance(node.parent, exp.From | exp.Join):
            _keep_apart(node, lowering)
    return tree


def _keep_apart(node: exp.Expr, lowering: Lowering) -> None:
    query = node.this
    if isinstance(query, exp.Values) and any(_is_volatile(item) for item in query.expressions):
        name = lowering.alias("values")
        columns = [f"column{place}" for place in range(1, len(query.expressions[0].expressions) + 1)]
        query = select([alias(column(name, label), label) for label in columns], derived(query, name))
        node.set("this", query)
    elif not isinstance(query, exp.Select) or not any(_is_volatile(item) for item in query.expressions):
        return
    if query.args.get("offset") is None:
        query.set("offset", exp.Offset(expression=number(0)))
        if query.args.get("limit") is None:
            query.set("limit", exp.Limit(expression=number(-1)))


def _is_volatile(node: exp.Expr) -> bool:
    for part in node.find_all(exp.Anonymous):
        proc = part.meta.get("proc")
        if part.this in _OWN or (proc is not None and proc.volatility == "v"):
            return True
    return False

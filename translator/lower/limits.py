"""LIMIT and OFFSET: NULL means none, negative numbers are errors."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, number
from translator.lower.nest import nest
from translator.typed import call, column


def limits(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Check counts when they are evaluated, and give OFFSET the LIMIT that SQLite wants.

    before: LIMIT $1 OFFSET 5
    after:  LIMIT pg_limit_count(?1) OFFSET 5
    """
    for node in list(tree.find_all(exp.Limit, exp.Offset)):
        kind = "limit_count" if isinstance(node, exp.Limit) else "offset_count"
        value = _literal(node.expression)
        if isinstance(value, exp.Null):
            value = number(-1 if kind == "limit_count" else 0)
        elif not isinstance(value, exp.Literal) or value.this.startswith("-"):
            value = call(kind, value)
        node.set("expression", value)
        if kind == "offset_count" and node.parent is not None and node.parent.args.get("limit") is None:
            node.parent.set("limit", exp.Limit(expression=number(-1)))
    return tree


def correlated_limits(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """SQLite's LIMIT and OFFSET cannot refer to columns of an outer query.

    before: (SELECT a FROM t ORDER BY a LIMIT 1 OFFSET u.n)
    after:  (SELECT n.a FROM (SELECT a, ROW_NUMBER() OVER (ORDER BY a) AS "row" FROM t) AS n
             WHERE n."row" > u.n AND n."row" <= u.n + 1 ORDER BY n.a)
    """
    if not lowering.analysis.correlated_limits:
        return tree
    for clause in list(tree.find_all(exp.Limit, exp.Offset)):
        node = clause.parent
        if not isinstance(node, exp.Select) or clause.expression.find(exp.Column) is None:
            continue
        limit, offset, order = node.args.get("limit"), node.args.get("offset"), node.args.get("order")
        node.set("limit", None)
        node.set("offset", None)
        if node.args.get("distinct") is not None:
            node = nest(lowering, node).outer
            order = node.args.get("order")
        row = exp.Window(this=exp.RowNumber(), order=order.copy() if order is not None else None)
        nested = nest(lowering, node)
        nested.inner.append("expressions", alias(row, "row"))
        start: exp.Expr = call("offset_count", offset.expression) if offset is not None else number(0)
        condition: exp.Expr = exp.GT(this=column(nested.name, "row"), expression=start)
        if limit is not None:
            count = call("limit_count", limit.expression)
            last = exp.Add(this=exp.Paren(this=start.copy()), expression=exp.Paren(this=count))
            within = exp.LTE(this=column(nested.name, "row"), expression=exp.Paren(this=last))
            none = exp.LT(this=exp.Paren(this=count.copy()), expression=number(0))
            either = exp.Or(this=within, expression=none)
            condition = exp.And(this=condition, expression=exp.Paren(this=either))
        nested.outer.set("where", exp.Where(this=condition))
        if node is tree or nested.outer.parent is None:
            tree = nested.outer
    return tree


def _literal(node: exp.Expr) -> exp.Expr:
    """5::bigint is a literal too."""
    while isinstance(node, exp.Anonymous) and node.this in ("int48", "int28") and len(node.expressions) == 1:
        node = node.expressions[0]
    return node

"""FETCH FIRST … WITH TIES: cut by RANK instead of LIMIT."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, number
from translator.lower.nest import nest
from translator.typed import call, column


def with_ties(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Keep also the rows that the last one equals in the query's order.

    before: SELECT a FROM t ORDER BY b FETCH FIRST 2 ROWS WITH TIES
    after:  SELECT n.a FROM (SELECT a, b AS "sort 1", RANK() OVER (ORDER BY b) AS "rank",
            ROW_NUMBER() OVER (ORDER BY b) AS "row" FROM t) AS n WHERE n."row" > 0 AND n."rank" <= 2 ORDER BY n."sort 1"

    A tie's rank is at most offset + count exactly when the first of its rows is inside.
    """
    for node in list(tree.find_all(exp.Select)):
        if not node.meta.get("with_ties"):
            continue
        order = node.args["order"]
        limit, offset = node.args.get("limit"), node.args.get("offset")
        hidden = [
            alias(exp.Window(this=exp.Anonymous(this=name, expressions=[]), order=order.copy()), label)
            for name, label in (("rank", "rank"), ("row_number", "row"))
        ]
        for item in hidden:
            item.this.this.meta["native"] = True
        if node.args.get("distinct") is not None:
            nested = nest(lowering, node)
            node = nested.outer  # noqa: PLW2901  (the outer query takes over)
            order = node.args["order"]
            for item in hidden:
                item.this.set("order", order.copy())
        node.set("limit", None)
        node.set("offset", None)
        nested = nest(lowering, node)
        for item in hidden:
            nested.inner.append("expressions", item)
        nested.outer.meta.pop("with_ties", None)
        start: exp.Expr = call("offset_count", offset.expression) if offset is not None else number(0)
        stop: exp.Expr = call("limit_count", limit.expression) if limit is not None else number(-1)
        last = exp.Add(this=exp.Paren(this=start.copy()), expression=exp.Paren(this=stop))
        condition = exp.And(
            this=exp.GT(this=column(nested.name, "row"), expression=start),
            expression=exp.LTE(this=column(nested.name, "rank"), expression=exp.Paren(this=last)),
        )
        nested.outer.set("where", exp.Where(this=condition))
        if node is tree or nested.outer.parent is None:
            tree = nested.outer
    return tree

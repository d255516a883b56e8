"""DISTINCT ON: the first row of each group, by ROW_NUMBER."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, number
from translator.lower.nest import nest
from translator.typed import column


def distinct_on(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Keep the first row of each group in the query's order.

    before: SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b
    after:  SELECT n.a, n.b FROM (SELECT a, b, ROW_NUMBER() OVER (PARTITION BY a ORDER BY a, b) AS "row" FROM t) AS n
            WHERE n."row" = 1 ORDER BY n.a, n.b

    PostgreSQL finds the groups by sorting, so the rows come sorted by what ORDER BY says, and then by the groups.
    """
    for node in list(tree.find_all(exp.Select)):
        distinct = node.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        if on is None:
            continue
        node.set("distinct", None)
        order = node.args.get("order")
        items = list(order.expressions) if order is not None else []
        sorted_by = [item.this for item in items]
        items += [exp.Ordered(this=key.copy(), nulls_first=False) for key in on.expressions if key not in sorted_by]
        node.set("order", exp.Order(expressions=items))
        window = exp.Window(
            this=exp.RowNumber(),
            partition_by=[item.copy() for item in on.expressions],
            order=node.args["order"].copy(),
        )
        node.append("expressions", alias(window, "row"))
        hidden = node.expressions.pop()
        nested = nest(lowering, node)
        nested.inner.append("expressions", hidden)
        nested.outer.set("where", exp.Where(this=exp.EQ(this=column(nested.name, "row"), expression=number(1))))
        if node is tree:
            tree = nested.outer
    return tree

"""LIMIT and OFFSET: NULL means none, negative numbers are errors."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, number
from translator.typed import call


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


def _literal(node: exp.Expr) -> exp.Expr:
    """5::bigint is a literal too."""
    while isinstance(node, exp.Anonymous) and node.this in ("int48", "int28") and len(node.expressions) == 1:
        node = node.expressions[0]
    return node

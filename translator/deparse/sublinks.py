"""Subqueries in expressions (get_sublink_expr)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator.deparse.constructs import comparison, connected

if TYPE_CHECKING:
    from translator.analyze.form import QueryForm
    from translator.deparse.context import Context


def sublink(context: Context, node: exp.Expr) -> str:
    """EXISTS, a scalar subquery, ARRAY, IN, ANY, ALL, and a row compared with one."""
    from translator.deparse.query import query

    form: QueryForm = node.meta["query"]
    text = query(context.inside(form, titles=None, titled=False), form)
    if isinstance(node, exp.Exists):
        return f"(EXISTS ({text}))"
    if isinstance(node, exp.Subquery):
        return f"({text})"
    if node.this == "array:query":
        return f"ARRAY({text})"
    left, operator = _tested(context, node.expressions[-1])
    match node.this:
        case "query:any":
            word = "IN" if operator == "=" else f"{operator} ANY"
        case "query:all":
            word = f"{operator} ALL"
        case _:
            word = operator
    return f"({left} {word} ({text}))"


def _tested(context: Context, node: exp.Expr) -> tuple[str, str]:
    """What is compared with the subquery's columns, and by which operator."""
    node = comparison(node)
    pairs = [node]
    if isinstance(node, exp.And | exp.Or):
        pairs = [comparison(each) for each in connected(node)]
    elif isinstance(node, exp.Anonymous) and node.this == "row:compare":
        pairs = [comparison(each) for each in node.expressions]
    operator: str = pairs[0].meta["operator"]
    left = context.list_shown([pair.expressions[0] for pair in pairs])
    return (left if pairs == [node] else f"({left})"), operator

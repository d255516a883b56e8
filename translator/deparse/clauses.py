"""What ORDER BY, GROUP BY and DISTINCT ON sort and group by (get_rule_sortgroupclause, get_rule_orderby)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator.deparse import constants
from translator.typed import type_of, typmod_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.deparse.context import Context


def order_by(context: Context, items: Sequence[exp.Expr]) -> str:
    """A list of exp.Ordered, each over an expression of its own."""
    return ", ".join(
        sort_expression(context, item.this, sorting=True)
        + direction(descending=bool(item.args.get("desc")), nulls_first=bool(item.args.get("nulls_first")))
        for item in items
    )


def direction(*, descending: bool, nulls_first: bool) -> str:
    """What is said behind a sorted expression; NULLs are larger than all other values unless said otherwise."""
    if descending:
        return " DESC" if nulls_first else " DESC NULLS LAST"
    return " NULLS FIRST" if nulls_first else ""


def sort_expression(context: Context, node: exp.Expr, *, sorting: bool = False) -> str:
    """An expression where a number would be a column of the result and a call could be CUBE (…) or ROLLUP (…).

    `sorting`: in ORDER BY, where a name is first looked for in the result.
    """
    if constants.is_constant(node) and len(node.meta.get("layers", ())) < 2:
        return constants.constant(context, node, type_of(node), typmod_of(node), labelled=True)
    if is_plain_column(node) or node.meta.get("row_of"):
        outer, context.sorting = context.sorting, sorting
        text = context.shown(node)
        context.sorting = outer
        return text
    text = context.shown(node)
    return f"({text})" if context.pretty or _is_call(node) else text


def is_plain_column(node: exp.Expr) -> bool:
    """Whether the node is a column and nothing else (a Var)."""
    return isinstance(node.meta.get("form", node), exp.Column) and len(node.meta.get("layers", ())) < 2


def _is_call(node: exp.Expr) -> bool:
    form = node.meta.get("form", node)
    if len(node.meta.get("layers", ())) > 1:
        return False
    if isinstance(form, exp.Window | exp.Filter):
        return True
    if not isinstance(form, exp.Anonymous) or "operator" in form.meta:
        return False
    if "cast" in form.meta:
        return not str(form.this).startswith("coerce:")
    return "proc" in form.meta or form.this == "json:written"

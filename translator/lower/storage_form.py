"""Columns of numeric(p <= 15, s): REAL or INTEGER in the file, decimal text as a value.

A column reference is loaded into its value form, except where the storage form does as well: compared with its like or
with a number put on the same grid, sorted, grouped, counted, or taken the minimum or maximum of.
"""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, is_stored_number, raw
from translator.typed import call
from translator.types import numeric

_COMPARISONS = {
    "numeric_eq": "=",
    "numeric_ne": "<>",
    "numeric_lt": "<",
    "numeric_le": "<=",
    "numeric_gt": ">",
    "numeric_ge": ">=",
}
_NODES = {"=": exp.EQ, "<>": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def stored_comparisons(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Compare in the storage form, which an index on the column serves.

    before: price > $1
    after:  price > pg_numeric_bracket(?1)

    `numeric_bracket` gives a double that stands to every number of at most 15 digits as its argument does.
    """
    for node in reversed(list(tree.find_all(exp.Anonymous))):
        operator = _COMPARISONS.get(node.this)
        if operator is None or len(node.expressions) != 2:
            continue
        left, right = node.expressions
        if not (is_stored_number(left) or is_stored_number(right)):
            continue
        sides = [raw(side) if is_stored_number(side) else call("numeric_bracket", side) for side in (left, right)]
        made = _NODES[operator](this=sides[0], expression=exp.Paren(this=sides[1]))
        made.meta["type"] = node.meta["type"]
        wrapped = exp.Paren(this=made)
        wrapped.meta["type"] = node.meta["type"]
        if node is tree:
            tree = wrapped
        else:
            node.replace(wrapped)
    return tree


def loads(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Load what is still in its storage form.

    before: SELECT price FROM t
    after:  SELECT printf('%.2f', price) FROM t
    """
    for node in list(tree.find_all(exp.Column)):
        if not is_stored_number(node) or _needs_no_load(node):
            continue
        _, scale = numeric.unpack_typmod(node.meta["stored"])
        made = call("numeric:load", raw(node.copy()), template=numeric.load_template(scale))
        made.meta.update({key: node.meta[key] for key in ("type", "typmod", "column") if key in node.meta})
        if node is tree:
            tree = made
        else:
            node.replace(made)
    return tree


def _needs_no_load(node: exp.Expr) -> bool:
    """IS NULL and count() look at no value."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.Is):
        return isinstance(parent.expression, exp.Null)
    return isinstance(parent, exp.Anonymous) and parent.this == "count(any)"

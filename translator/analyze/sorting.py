"""ORDER BY items: direction, NULLs, USING, and what can be sorted at all (addTargetToSortList)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.scope import Scope
from translator.errors import SqlError
from translator.typed import location_of, type_of

Node = dict[str, Any]


def sort_expression(scope: Scope, item: Node) -> exp.Ordered:
    """A SortBy over an expression of its own (aggregate or window ORDER BY; a query's goes through its target list)."""
    from translator.analyze.expressions import transform
    from translator.analyze.rows import resolve_unknown

    node = resolve_unknown(scope, transform(scope, item["node"]))
    return ordered(scope, node, item)


def ordered(scope: Scope, node: exp.Expr, item: Node) -> exp.Ordered:
    """The expression with the item's direction. NULLs sort as if larger than everything unless said otherwise."""
    descending = item.get("sortby_dir") == "SORTBY_DESC"
    if item.get("sortby_dir") == "SORTBY_USING":
        descending = _using(scope, node, item)
    nulls = item.get("sortby_nulls")
    nulls_first = descending if nulls in (None, "SORTBY_NULLS_DEFAULT") else nulls == "SORTBY_NULLS_FIRST"
    check_orderable(scope, node)
    return exp.Ordered(this=node, desc=descending, nulls_first=nulls_first)


# Strategy 1 and 5 operators of the btree families that order as the type's default family does here.
_ASCENDING, _DESCENDING = {"<", "~<~", "*<"}, {">", "~>~", "*>"}


def _using(scope: Scope, node: exp.Expr, item: Node) -> bool:
    operator = item["useOp"][-1]["String"]["sval"]
    if operator not in _ASCENDING | _DESCENDING:
        raise SqlError(
            codes.WRONG_OBJECT_TYPE,
            f"operator {operator} is not a valid ordering operator",
            hint='Ordering operators must be "<" or ">" members of btree operator families.',
            location=item.get("location"),
        )
    return operator in _DESCENDING


# Types without a btree operator class.
_UNORDERED = {
    oids.JSON: "json",
    oids.XML: "xml",
    600: "point",
    601: "lseg",
    602: "path",
    603: "box",
    604: "polygon",
    628: "line",
    718: "circle",
    28: "xid",
    29: "cid",
}


def check_orderable(scope: Scope, node: exp.Expr) -> None:
    """Raises 42883 for a type that has no order."""
    catalog = scope.analysis.catalog
    base = catalog.base_type(type_of(node))
    if (catalog.element(base) or base) in _UNORDERED:
        raise SqlError(
            codes.UNDEFINED_FUNCTION,
            f"could not identify an ordering operator for type {scope.analysis.type_name(type_of(node))}",
            hint="Use an explicit ordering operator or modify the query.",
            location=location_of(node),
        )


def check_groupable(scope: Scope, node: exp.Expr) -> None:
    """Raises 42883 for a type that has no equality."""
    catalog = scope.analysis.catalog
    base = catalog.base_type(type_of(node))
    element = catalog.element(base) or base
    if element in _UNORDERED and element not in (28, 29):
        raise SqlError(
            codes.UNDEFINED_FUNCTION,
            f"could not identify an equality operator for type {scope.analysis.type_name(type_of(node))}",
            location=location_of(node),
        )

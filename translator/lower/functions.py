"""Calls of implementations: what polymorphic functions are told of their types, and DISTINCT in aggregates of keyed types."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.analyze.functions import signature
from translator.errors import unsupported
from translator.functions.registry import IMPLEMENTATIONS
from translator.lower.lowering import Lowering, native
from translator.typed import location_of


def calls(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Refuse what is not implemented, and put the types that an implementation asks for into its name.

    before: array_append(a, 1)
    after:  "pg_array_append@1007,23"(a, 1)

    So the types cost nothing a row, and DISTINCT still stands before the only argument of an aggregate.
    """
    for node in tree.find_all(exp.Anonymous):
        if not {"native", "binary", "template"}.isdisjoint(node.meta):
            continue
        implementation = IMPLEMENTATIONS.get(node.this)
        if implementation is None:
            raise _missing(node, lowering)
        if implementation.types:
            types = list(_argument_types(node)) if implementation.types in ("arguments", "both") else []
            if implementation.types in ("result", "both"):
                types.append(node.meta.get("type", oids.UNKNOWN))
            node.meta["types"] = ",".join(str(oid) for oid in types)
    return tree


def _argument_types(node: exp.Anonymous) -> list[int]:
    known = node.meta.get("argument_types")
    if known is not None:
        return list(known)
    return [int(argument.meta.get("type", oids.UNKNOWN)) for argument in node.expressions]


def _missing(node: exp.Anonymous, lowering: Lowering) -> Exception:
    proc = node.meta.get("proc")
    if proc is None:
        return unsupported(node.this, location_of(node))
    name = signature(lowering.analysis, [proc.name], proc.arguments)
    return unsupported(f"{'aggregate' if proc.kind == 'a' else 'function'} {name}", location_of(node))


def distinct_arguments(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """DISTINCT inside an aggregate counts values as SQLite compares them.

    before: count(DISTINCT n)
    after:  count(DISTINCT pg_numeric_sortkey(n))
    """
    for node in list(tree.find_all(exp.Anonymous)):
        if not node.meta.get("aggregate") or not node.expressions:
            continue
        first = node.expressions[0]
        inner = first.this if isinstance(first, exp.Order) else first
        if not isinstance(inner, exp.Distinct):
            continue
        values = inner.expressions
        if len(values) > 1 and node.this == "string_agg(text,text)":
            # SQLite's DISTINCT takes one argument: the pair travels as one
            packed = native("json_array", *values)
            node.set("this", "string_join_distinct")
            ordered = first.expressions if isinstance(first, exp.Order) else [_ascending(value) for value in values]
            node.set("expressions", [exp.Order(this=exp.Distinct(expressions=[packed]), expressions=ordered)])
            continue
        if len(values) > 1:
            raise unsupported("DISTINCT in an aggregate of several arguments", location_of(node))
        if "type" not in values[0].meta:
            continue
        if node.this == "count(any)":
            inner.set("expressions", [lowering.key(values[0])])
        elif inner is first and not node.this.startswith(("sum(", "avg(", "min(", "max(", "bool_", "every(")):
            # PostgreSQL finds duplicates by sorting, which shows in what keeps an order
            node.set("expressions", [exp.Order(this=inner.copy(), expressions=[_ascending(values[0])])])
    return tree


def _ascending(value: exp.Expr) -> exp.Expr:
    return exp.Ordered(this=value.copy(), desc=False, nulls_first=False)

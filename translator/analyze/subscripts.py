"""Subscripts, slices and field selection: `a[1]`, `a[1:2]`, `(row).field` (transformIndirection)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import Context, coerce_to
from translator.analyze.scope import Scope
from translator.errors import SqlError, unsupported
from translator.typed import call, expanded, location_of, type_of, typed, typmod_of

Node = dict[str, Any]


def indirection(scope: Scope, value: Node) -> exp.Expr:
    """Apply each step of the indirection in turn; adjacent subscripts are one access to a multidimensional array."""
    from translator.analyze.expressions import transform

    node = transform(scope, value["arg"])
    pending: list[Node] = []
    for step in value["indirection"]:
        if "A_Indices" in step:
            pending.append(step["A_Indices"])
            continue
        node = _subscript(scope, node, pending) if pending else node
        pending = []
        if "A_Star" in step:
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, 'row expansion via "*" is not supported here')
        node = field(scope, node, step["String"]["sval"], location_of(node))
    return _subscript(scope, node, pending) if pending else node


def field(scope: Scope, node: exp.Expr, name: str, location: int | None) -> exp.Expr:
    """One field of a composite value (ParseComplexProjection). Raises 42703, 42809."""
    catalog = scope.analysis.catalog
    if isinstance(node, exp.Anonymous) and node.this == "row:construct" and name in node.meta.get("names", ()):
        chosen: exp.Expr = node.expressions[node.meta["names"].index(name)]
        return chosen.copy()
    row = catalog.type_by_oid(catalog.base_type(type_of(node)))
    relation = catalog.relation_by_oid(row.relation) if row is not None and row.relation else None
    if relation is None:
        names, types = node.meta.get("field_names", ()), node.meta.get("field_types", ())
        if name in names:
            position = names.index(name)
            return typed(call("row:field", node, exp.Literal.number(position + 1)), types[position], -1, location)
        if type_of(node) == oids.RECORD:
            raise SqlError(codes.UNDEFINED_COLUMN, f'could not identify column "{name}" in record data type', location=location)
        raise SqlError(
            codes.WRONG_OBJECT_TYPE,
            f"column notation .{name} applied to type {scope.analysis.type_name(type_of(node))}, which is not a composite type",
            location=location,
        )
    whole = str(node.meta.get("construct", ""))
    if whole.endswith(".*") and all(column.name != name for column in relation.columns):
        raise SqlError(codes.UNDEFINED_COLUMN, f"column {whole[:-2]}.{name} does not exist", location=location)
    for position, column in enumerate(relation.columns, 1):
        if column.name == name:
            return typed(call("row:field", node, exp.Literal.number(position)), column.type_oid, column.typmod, location)
    raise SqlError(
        codes.UNDEFINED_COLUMN,
        f'column "{name}" not found in data type {scope.analysis.type_name(type_of(node))}',
        location=location,
    )


def _subscript(scope: Scope, node: exp.Expr, steps: list[Node]) -> exp.Expr:
    analysis = scope.analysis
    container, typmod = analysis.catalog.base_type_and_typmod(type_of(node), typmod_of(node))
    if container == oids.JSONB:
        return _jsonb(scope, node, steps)
    element = analysis.catalog.element(container)
    if container == oids.NAME and len(steps) == 1 and not steps[0].get("is_slice"):
        node = call("name:subscript", node, index(scope, steps[0]["uidx"]))
        return typed(node, oids.CHAR, -1, location_of(node))
    if not element:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"cannot subscript type {analysis.type_name(type_of(node))} because it does not support subscripting",
            location=location_of(node),
        )
    if len(steps) > 6:
        raise SqlError(codes.PROGRAM_LIMIT_EXCEEDED, "number of array dimensions (7) exceeds the maximum allowed (6)")
    if not any(step.get("is_slice") for step in steps):
        return typed(call("array:subscript", node, *bounds(scope, steps)), element, typmod, location_of(node))
    return typed(call("array:slice", node, *bounds(scope, steps)), container, typmod, location_of(node))


def bounds(scope: Scope, steps: list[Node]) -> list[exp.Expr]:
    """The subscripts of an element, one a dimension; those of a slice, two a dimension."""
    if not any(step.get("is_slice") for step in steps):
        return [index(scope, step["uidx"]) for step in steps]
    return [bound for step in steps for bound in _slice_bounds(scope, step)]


def _slice_bounds(scope: Scope, step: Node) -> list[exp.Expr]:
    """A plain subscript among slices means 1:n."""
    if not step.get("is_slice"):
        return [typed(exp.Literal.number(1), oids.INT4), index(scope, step["uidx"])]
    # "array:omitted" is an open bound, which a NULL subscript is not
    return [
        index(scope, step[side]) if step.get(side) is not None else typed(call("array:omitted"), oids.INT4)
        for side in ("lidx", "uidx")
    ]


def index(scope: Scope, node: Node) -> exp.Expr:
    """An array subscript."""
    from translator.analyze.expressions import transform

    made = transform(scope, node)
    result = coerce_to(scope.analysis, made, oids.INT4, -1, Context.ASSIGNMENT, location_of(made))
    if result is None:
        raise SqlError(codes.DATATYPE_MISMATCH, "array subscript must have type integer", location=location_of(made))
    return result


def _jsonb(scope: Scope, node: exp.Expr, steps: list[Node]) -> exp.Expr:
    """Jsonb subscripts: each an integer or a text, as `->` takes (jsonb_subscript_transform)."""
    from translator.analyze import operators
    from translator.analyze.expressions import transform

    container, keys = node, []
    for step in steps:
        if step.get("is_slice"):
            raise SqlError(codes.DATATYPE_MISMATCH, "jsonb subscript does not support slices", location=location_of(node))
        key = transform(scope, step["uidx"])
        if type_of(key) not in (oids.INT4, oids.UNKNOWN, oids.TEXT):
            raise unsupported(f"jsonb subscript of type {scope.analysis.type_name(type_of(key))}", location_of(key))
        node = operators.make(scope.analysis, ["->"], [node, key], location_of(node))
        keys.append(node.expressions[1])
    if scope.analysis.keeps_form:
        expanded(node, call("array:subscript", container.copy(), *[key.copy() for key in keys]))
    return node

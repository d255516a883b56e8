"""Row and array constructors, and comparisons of rows (transformArrayExpr, transformRowExpr, make_row_comparison_op)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import operators
from translator.analyze.coerce import Context, coerce_to, coerce_to_boolean, coerce_to_common, select_common_type
from translator.analyze.scope import Scope, find_item, missing_entry, whole_row
from translator.errors import SqlError
from translator.typed import call, expanded, location_of, type_of, typed

Node = dict[str, Any]


def is_row(node: exp.Expr) -> bool:
    """Whether the expression is a row constructor, which compares field by field; rows of tables and of named types do not."""
    if not isinstance(node, exp.Anonymous) or node.this != "row:construct":
        return False
    return type_of(node) == oids.RECORD and "construct" not in node.meta


def fields(scope: Scope, value: Node) -> list[exp.Expr]:
    """The fields of a ROW(…), with `t.*` expanded."""
    from translator.analyze import target
    from translator.analyze.expressions import transform

    found: list[exp.Expr] = []
    for argument in value.get("args", ()):
        if "ColumnRef" in argument and "A_Star" in argument["ColumnRef"]["fields"][-1]:
            found += [item.node for item in target.expand_star(scope, argument["ColumnRef"])]
        else:
            found.append(transform(scope, argument))
    return found


def construct(scope: Scope, value: Node) -> exp.Expr:
    """ROW(a, b): an anonymous record; open literals in it become text."""
    given = fields(scope, value)
    nodes = [resolve_unknown(scope, node) for node in given]
    node = call("row:construct", *nodes)
    if any(type_of(one) == oids.UNKNOWN for one in given):  # a cast to a row type reads the literals as its columns' types
        node.meta["given"] = tuple(given)
    node.meta["names"] = tuple(f"f{number}" for number in range(1, len(nodes) + 1))
    return typed(node, oids.RECORD, -1, value.get("location"))


def resolve_unknown(scope: Scope, node: exp.Expr) -> exp.Expr:
    """A literal or parameter whose type nothing determined is text (resolveTargetListUnknowns)."""
    if type_of(node) != oids.UNKNOWN:
        return node
    return coerce_to(scope.analysis, node, oids.TEXT, -1, Context.IMPLICIT, location_of(node)) or node


def whole_row_star(scope: Scope, names: list[str], location: int | None) -> exp.Expr:
    """`t.*` where an expression is wanted: the whole row."""
    item = find_item(scope, names[-2] if len(names) > 1 else None, names[-1], location)
    if item is None:
        raise missing_entry(scope, names[-1], location)
    return whole_row(item.entry, location)


def is_array(scope: Scope, type_oid: int) -> bool:
    """Whether an array of the type's values is of their type. A domain over an array is a type of its own."""
    catalog = scope.analysis.catalog
    return type_oid not in oids.VECTORS and catalog.type(type_oid).kind != "d" and bool(catalog.element(type_oid))


def array(scope: Scope, value: Node, array_type: int = 0, typmod: int = -1) -> exp.Expr:
    """ARRAY[…], also nested; `array_type` comes from a cast around it (transformArrayExpr)."""
    from translator.analyze.expressions import transform

    analysis = scope.analysis
    catalog = analysis.catalog
    location = value.get("location")
    elements: list[exp.Expr] = []
    nested, cast = False, bool(array_type)
    for item in value.get("elements", ()):
        inner = item.get("A_ArrayExpr")
        node = array(scope, inner, array_type, typmod) if inner is not None else transform(scope, item)
        nested = nested or inner is not None or is_array(scope, type_of(node))
        elements.append(node)
    if array_type:
        element_type = array_type if nested else catalog.element(array_type)
    elif not elements:
        raise SqlError(
            codes.INDETERMINATE_DATATYPE,
            "cannot determine type of empty array",
            hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
            location=location,
        )
    else:
        element_type = select_common_type(analysis, elements, "ARRAY")
        array_type = element_type if is_array(scope, element_type) else catalog.type(element_type).array
        if not array_type:
            raise SqlError(
                codes.UNDEFINED_OBJECT,
                f"could not find array type for data type {analysis.type_name(element_type)}",
                location=location,
            )
    coerced = [_element(scope, node, element_type, typmod, cast=cast) for node in elements]
    name = "array:multi" if is_array(scope, element_type) else "array:construct"
    return typed(call(name, *coerced), array_type, typmod, location)


def _element(scope: Scope, node: exp.Expr, type_oid: int, typmod: int, *, cast: bool) -> exp.Expr:
    analysis = scope.analysis
    if not cast:
        return coerce_to_common(analysis, node, type_oid, "ARRAY")
    result = coerce_to(analysis, node, type_oid, typmod, Context.EXPLICIT, location_of(node))
    if result is None:
        message = f"cannot cast type {analysis.type_name(type_of(node))} to {analysis.type_name(type_oid)}"
        raise SqlError(codes.CANNOT_COERCE, message, location=location_of(node))
    return result


# Operators that compare rows, with how fields that differ decide (B-tree strategies; <> is the negator of =).
# The strict operator that decides before the last field.
_STRICT = {"<": "<", "<=": "<", ">": ">", ">=": ">", "~<~": "~<~", "~<=~": "~<~", "~>~": "~>~", "~>=~": "~>~"}


def compare(
    scope: Scope, names: Sequence[str], left: Sequence[exp.Expr], right: Sequence[exp.Expr], location: int | None
) -> exp.Expr:
    """ROW(a, b) op ROW(c, d) field by field (manual, "Row Constructor Comparison")."""
    from translator.analyze.expressions import connect

    if len(left) != len(right):
        raise SqlError(codes.SYNTAX_ERROR, "unequal number of entries in row expressions", location=location)
    if not left:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length", location=location)
    name = names[-1]

    def pairwise(operator: str, start: int = 0, stop: int | None = None) -> list[exp.Expr]:
        pairs = zip(left[start:stop], right[start:stop], strict=True)
        made = [operators.make(scope.analysis, [operator], [a.copy(), b.copy()], location) for a, b in pairs]
        return [coerce_to_boolean(scope.analysis, node, operator) for node in made]

    if len(left) == 1:
        return pairwise(name)[0]
    if name == "=":
        return connect(exp.And, pairwise("="), location)
    if name == "<>":
        return connect(exp.Or, pairwise("<>"), location)
    if name not in _STRICT:
        pairwise(name)  # an operator that does not exist is the first thing to say
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            f"could not determine interpretation of row comparison operator {'.'.join(names)}",
            hint="Row comparison operators must be associated with btree operator families.",
            location=location,
        )
    # a < c OR (a = c AND b <= d), from the last field outwards
    result = pairwise(name, len(left) - 1)[0]
    for position in reversed(range(len(left) - 1)):
        less = pairwise(_STRICT[name], position, position + 1)[0]
        equal = pairwise("=", position, position + 1)[0]
        result = connect(exp.Or, [less, connect(exp.And, [equal, result], location)], location)
    return expanded(result, call("row:compare", *pairwise(name))) if scope.analysis.keeps_form else result


def contained(scope: Scope, value: Node, *, negated: bool) -> exp.Expr:
    """(a, b) [NOT] IN ((c, d), …): comparisons of rows (transformAExprIn)."""
    from translator.analyze.expressions import connect

    location = value.get("location")
    names = [value["name"][-1]["String"]["sval"]]
    left = fields(scope, value["lexpr"]["RowExpr"])
    items = [fields(scope, item["RowExpr"]) for item in value["rexpr"]["List"]["items"]]
    comparisons = [compare(scope, names, left, item, location) for item in items]
    node = connect(exp.And if negated else exp.Or, comparisons, location)
    if len(items) > 1:
        node.meta["construct"] = "IN"
    return node

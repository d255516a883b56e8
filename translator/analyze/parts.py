"""Assignment to part of a column: `SET a[1] = x`, `SET r.field = x`, `INSERT INTO t (r.field)` (transformAssignmentIndirection).

A part is assigned by making the whole value anew: from what the column holds now, or NULL where a row is inserted. Several
parts of one column are assigned one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import Context, coerce_to
from translator.analyze.scope import Scope
from translator.analyze.subscripts import bounds
from translator.errors import SqlError, unsupported
from translator.typed import call, integer, location_of, type_of, typed

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes: its column's or field's name for messages, its type, and the value that is there now."""

    name: str
    type_oid: int
    typmod: int
    current: exp.Expr
    location: int | None = None  # of the column's name, where errors point


def assign(scope: Scope, place: Place, steps: list[Node], value: exp.Expr) -> exp.Expr:
    """The place's new value when the part that the steps lead to becomes `value`; without steps the value itself."""
    if not steps:
        return _coerced(scope, place, value)
    catalog = scope.analysis.catalog
    base = catalog.base_type(place.type_oid)
    count = next((number for number, step in enumerate(steps) if "A_Indices" not in step), len(steps))
    if base == oids.JSONB and count:
        made = _jsonb(scope, place, steps, value)
    elif count:
        made = _element(scope, place, steps[:count], steps[count:], value)
    else:
        made = _field(scope, place, base, steps, value)
    return coerce_to(scope.analysis, typed(made, base), place.type_oid, -1, Context.ASSIGNMENT, None) or made


def _coerced(scope: Scope, place: Place, value: exp.Expr) -> exp.Expr:
    made = coerce_to(scope.analysis, value, place.type_oid, place.typmod, Context.ASSIGNMENT, location_of(value))
    if made is None:
        name, given = scope.analysis.type_name(place.type_oid), scope.analysis.type_name(type_of(value))
        raise _mismatch(f'subfield "{place.name}" is of type {name} but expression is of type {given}', place)
    return made


def _mismatch(message: str, place: Place) -> SqlError:
    hint = "You will need to rewrite or cast the expression."
    return SqlError(codes.DATATYPE_MISMATCH, message, hint=hint, location=place.location)


def _field(scope: Scope, place: Place, base: int, steps: list[Node], value: exp.Expr) -> exp.Expr:
    catalog = scope.analysis.catalog
    name = steps[0]["String"]["sval"] if "String" in steps[0] else "*"
    relation = catalog.relation_by_oid(catalog.type(base).relation) if catalog.type(base).relation else None
    what = f'cannot assign to field "{name}" of column "{place.name}" because'
    type_name = scope.analysis.type_name(place.type_oid)
    if relation is None:
        raise SqlError(codes.DATATYPE_MISMATCH, f"{what} its type {type_name} is not a composite type", location=place.location)
    number = next((number for number, column in enumerate(relation.columns, 1) if column.name == name), 0)
    if not number:
        message = f"{what} there is no such column in data type {type_name}"
        raise SqlError(codes.UNDEFINED_COLUMN, message, location=place.location)
    column = relation.columns[number - 1]
    now = typed(call("row:field", place.current.copy(), integer(number)), column.type_oid, column.typmod)
    made = assign(scope, Place(name, column.type_oid, column.typmod, now, place.location), steps[1:], value)
    node = call("record_assign", place.current.copy(), integer(number), made)
    node.meta["argument_types"] = (base, oids.INT4, column.type_oid)
    return node


def _element(scope: Scope, place: Place, subscripts: list[Node], rest: list[Node], value: exp.Expr) -> exp.Expr:
    catalog = scope.analysis.catalog
    element = catalog.element(catalog.base_type(place.type_oid))
    if not element:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"cannot subscript type {scope.analysis.type_name(place.type_oid)} because it does not support subscripting",
            location=place.location,
        )
    indices = [step["A_Indices"] for step in subscripts]
    slices = any(one.get("is_slice") for one in indices)
    if rest and slices:
        raise unsupported("assignment to a field of an array slice")
    places = bounds(scope, indices)
    target = catalog.base_type(place.type_oid) if slices else element
    if rest:
        now = typed(call("array:subscript", place.current.copy(), *[one.copy() for one in places]), element, place.typmod)
        made = assign(scope, Place(place.name, element, place.typmod, now, place.location), rest, value)
    else:
        coerced = coerce_to(scope.analysis, value, target, place.typmod, Context.ASSIGNMENT, location_of(value))
        if coerced is None:
            name, given = scope.analysis.type_name(target), scope.analysis.type_name(type_of(value))
            raise _mismatch(
                f'subscripted assignment to "{place.name}" requires type {name} but expression is of type {given}', place
            )
        made = coerced
    name = "array:assign_slice" if slices else "array:assign"
    return typed(call(name, place.current.copy(), made, *places), place.type_oid, place.typmod)


def _jsonb(scope: Scope, place: Place, steps: list[Node], value: exp.Expr) -> exp.Expr:
    """`SET j['a'][0] = x`: the document with that part set (jsonb_subscript_assign)."""
    from translator.analyze.expressions import transform

    coerced = coerce_to(scope.analysis, value, oids.JSONB, -1, Context.ASSIGNMENT, location_of(value))
    if coerced is None:
        given = scope.analysis.type_name(type_of(value))
        raise _mismatch(
            f'subscripted assignment to "{place.name}" requires type jsonb but expression is of type {given}', place
        )
    keys = []
    for step in steps:
        if "A_Indices" not in step:
            raise unsupported("assignment to a field of jsonb")
        if step["A_Indices"].get("is_slice"):
            raise SqlError(codes.DATATYPE_MISMATCH, "jsonb subscript does not support slices")
        keys.append(_jsonb_key(scope, transform(scope, step["A_Indices"]["uidx"])))
    return typed(call("jsonb:assign", place.current.copy(), coerced, *keys), place.type_oid, place.typmod)


def _jsonb_key(scope: Scope, key: exp.Expr) -> exp.Expr:
    wanted = oids.INT4 if type_of(key) == oids.INT4 else oids.TEXT
    made = coerce_to(scope.analysis, key, wanted, -1, Context.IMPLICIT, location_of(key))
    if made is None:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"subscript type {scope.analysis.type_name(type_of(key))} is not supported",
            hint="jsonb subscript must be coercible to either integer or text.",
            location=location_of(key),
        )
    return made

"""OVER: window definitions and frames (transformWindowDefinitions, transformFrameOffset)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import Context, can_coerce, coerce_to_specific
from translator.analyze.form import WindowForm
from translator.analyze.scope import Scope
from translator.errors import SqlError
from translator.typed import location_of, type_of, typed

Node = dict[str, Any]

# FRAMEOPTION_* of parsenodes.h.
_NONDEFAULT, _RANGE, _ROWS, _GROUPS, _BETWEEN = 0x1, 0x2, 0x4, 0x8, 0x10
_START = {0x20: "UNBOUNDED PRECEDING", 0x200: "CURRENT ROW", 0x800: "PRECEDING", 0x2000: "FOLLOWING"}
_END = {0x100: "UNBOUNDED FOLLOWING", 0x400: "CURRENT ROW", 0x1000: "PRECEDING", 0x4000: "FOLLOWING"}
_START_UNBOUNDED_FOLLOWING, _END_UNBOUNDED_PRECEDING = 0x80, 0x40
_EXCLUDE = {0x8000: "CURRENT ROW", 0x10000: "GROUP", 0x20000: "TIES"}
# The sorted types that have in_range functions, and the types of their offsets (pg_amproc, support function 3 of btree).
RANGE_OFFSETS = {
    oids.INT2: (oids.INT2, oids.INT4, oids.INT8),
    oids.INT4: (oids.INT2, oids.INT4, oids.INT8),
    oids.INT8: (oids.INT8,),
    oids.FLOAT4: (oids.FLOAT8,),
    oids.FLOAT8: (oids.FLOAT8,),
    oids.NUMERIC: (oids.NUMERIC,),
    **dict.fromkeys((oids.DATE, oids.TIMESTAMP, oids.TIMESTAMPTZ, oids.TIME, oids.TIMETZ), (oids.INTERVAL,)),
    oids.INTERVAL: (oids.INTERVAL,),
}


def over(scope: Scope, node: exp.Expr, definition: Node, result: int, location: int | None) -> exp.Expr:
    """The call with its OVER clause. Raises 42P20 where no window function may stand."""
    from translator.analyze.calls import check_window_clause

    check_window_clause(scope, location)
    inner = node.find(exp.Window)
    if inner is not None:
        raise SqlError(codes.WINDOWING_ERROR, "window function calls cannot be nested", location=location_of(inner))
    scope.has_windows = True
    partition, order, spec = _definition(scope, definition)
    window = exp.Window(this=node, partition_by=partition, order=order, spec=spec)
    if scope.analysis.keeps_form:
        window.meta["definition"] = form(scope, definition)
    return typed(window, result, -1, location)


def form(scope: Scope, definition: Node) -> WindowForm:
    """A definition as it was written, without what it has from another one; for `OVER w` nothing but the name."""
    name, base = definition.get("name"), definition.get("refname")
    if name is not None and scope.windows.get(name) is not definition:
        return WindowForm(name, None, [], [], None)
    partition, order, frame = _definition(scope, definition)
    own = bool(definition.get("orderClause"))
    between = bool(definition.get("frameOptions", 0) & _BETWEEN)
    return WindowForm(
        name,
        base,
        partition if definition.get("partitionClause") else [],
        list(order.expressions) if order is not None and own else [],
        frame,
        between,
    )


def _definition(scope: Scope, definition: Node) -> tuple[list[exp.Expr], exp.Order | None, exp.WindowSpec | None]:
    """PARTITION BY, ORDER BY and frame, with what a named window supplies."""
    from translator.analyze.expressions import transform_in
    from translator.analyze.sorting import sort_expression

    name = definition.get("refname") or definition.get("name")
    inherited: tuple[list[exp.Expr], exp.Order | None, exp.WindowSpec | None] = ([], None, None)
    if name is not None and scope.windows.get(name) is not definition:
        known = scope.windows.get(name)
        if known is None:
            raise SqlError(codes.UNDEFINED_OBJECT, f'window "{name}" does not exist', location=definition.get("location"))
        inherited = _definition(scope, known)
        if not definition.get("refname"):
            return inherited
        _check_override(definition, inherited, name)
    partition = [
        _text_if_unknown(scope, transform_in(scope, item, "window definitions"))
        for item in definition.get("partitionClause", ())
    ]
    outer, scope.clause = scope.clause, "window definitions"
    items = [sort_expression(scope, item["SortBy"]) for item in definition.get("orderClause", ())]
    scope.clause = outer
    order = exp.Order(expressions=items) if items else inherited[1]
    return partition or inherited[0], order, _frame(scope, definition, order)


def _text_if_unknown(scope: Scope, node: exp.Expr) -> exp.Expr:
    from translator.analyze.rows import resolve_unknown

    return resolve_unknown(scope, node)


def _check_override(definition: Node, inherited: tuple[Any, Any, Any], name: str) -> None:
    location = definition.get("location")
    if definition.get("partitionClause"):
        raise SqlError(codes.WINDOWING_ERROR, f'cannot override PARTITION BY clause of window "{name}"', location=location)
    if definition.get("orderClause") and inherited[1] is not None:
        raise SqlError(codes.WINDOWING_ERROR, f'cannot override ORDER BY clause of window "{name}"', location=location)
    if inherited[2] is not None:
        raise SqlError(codes.WINDOWING_ERROR, f'cannot copy window "{name}" because it has a frame clause', location=location)


def _frame(scope: Scope, definition: Node, order: exp.Order | None) -> exp.WindowSpec | None:
    options = definition.get("frameOptions", 0)
    if not options & _NONDEFAULT:
        return None
    location = definition.get("location")
    kind = "ROWS" if options & _ROWS else "GROUPS" if options & _GROUPS else "RANGE"
    if kind == "GROUPS" and order is None:
        raise SqlError(codes.WINDOWING_ERROR, "GROUPS mode requires an ORDER BY clause", location=location)
    start = next((word for bit, word in _START.items() if options & bit), "UNBOUNDED PRECEDING")
    end = next((word for bit, word in _END.items() if options & bit), "CURRENT ROW")
    exclude = next((word for bit, word in _EXCLUDE.items() if options & bit), None)
    spec = exp.WindowSpec(kind=kind)
    _side(scope, spec, "start", start, definition.get("startOffset"), kind, order, location)
    _side(scope, spec, "end", end, definition.get("endOffset"), kind, order, location)
    if exclude:
        spec.set("exclude", exp.Var(this=exclude))
    return spec


def _side(
    scope: Scope,
    spec: exp.WindowSpec,
    side: str,
    word: str,
    offset: Node | None,
    kind: str,
    order: exp.Order | None,
    location: int | None,
) -> None:
    from translator.analyze.expressions import transform_in

    if offset is None:
        if word == "CURRENT ROW":
            spec.set(side, word)
        else:
            spec.set(side, "UNBOUNDED")
            spec.set(f"{side}_side", word.split()[1])
        return
    value = transform_in(scope, offset, "window RANGE" if kind == "RANGE" else f"window {kind}")
    column = next((one for one in value.find_all(exp.Column) if one.parent_select is None), None)
    if column is not None:
        raise SqlError(
            codes.INVALID_COLUMN_REFERENCE, f"argument of {kind} must not contain variables", location=location_of(column)
        )
    if kind == "RANGE":
        value = _range_offset(scope, value, order, location)
    else:
        value = coerce_to_specific(scope.analysis, value, oids.INT8, kind)
    spec.set(side, value)
    spec.set(f"{side}_side", word)


def _range_offset(scope: Scope, value: exp.Expr, order: exp.Order | None, location: int | None) -> exp.Expr:
    """The offset as a type that the sorted type has an in_range function for; lowering makes numbers of both."""
    if order is None or len(order.expressions) != 1:
        raise SqlError(
            codes.WINDOWING_ERROR,
            "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
            location=location,
        )
    analysis = scope.analysis
    ordered = type_of(order.expressions[0].this)
    given = type_of(value)
    base = analysis.catalog.base_type(ordered)
    allowed = RANGE_OFFSETS.get(base)
    shown = analysis.type_name(oids.TEXT if base == oids.VARCHAR else ordered)  # the type of the operator class
    message = f"RANGE with offset PRECEDING/FOLLOWING is not supported for column type {shown}"
    if allowed is None:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=location_of(value))
    preferred = base if given == oids.UNKNOWN else given
    matches = [oid for oid in allowed if can_coerce(analysis.catalog, [given], [oid], Context.IMPLICIT)]
    if preferred in matches or len(matches) == 1:
        target = preferred if preferred in matches else matches[0]
        return coerce_to_specific(analysis, value, target, "RANGE")
    if matches:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type"
            f" {analysis.type_name(ordered)} and offset type {analysis.type_name(given)}",
            hint="Cast the offset value to the exact intended type.",
            location=location_of(value),
        )
    raise SqlError(
        codes.FEATURE_NOT_SUPPORTED,
        f"{message} and offset type {analysis.type_name(given)}",
        hint="Cast the offset value to an appropriate type.",
        location=location_of(value),
    )

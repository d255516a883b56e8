"""Type coercion: PostgreSQL's parse_coerce.c as an algorithm over pg_type and pg_cast.

`can_coerce` answers, `coerce` builds. A coercion becomes one of: a call of the cast's function; "coerce:io" (output of the
one type, input of the other); "coerce:array" (element by element); or nothing but another type in the node's meta, when
the two are binary coercible. Literals of unknown type go through the type's input function here, so that a bad one is
22P02 at Parse, with its position.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import polymorphic
from translator.analyze.analysis import Analysis
from translator.analyze.constants import constant
from translator.catalog import Catalog
from translator.errors import SqlError
from translator.typed import call, integer, layer, location_of, type_of, typed, typmod_of
from translator.types import registry


class Context(IntEnum):
    """Cast contexts, each allowing what the ones before it allow (pg_cast.castcontext)."""

    IMPLICIT = 0
    ASSIGNMENT = 1
    EXPLICIT = 3


_CONTEXTS = {"i": Context.IMPLICIT, "a": Context.ASSIGNMENT, "e": Context.EXPLICIT}
_CAST_WORDS = {Context.IMPLICIT: "implicit", Context.ASSIGNMENT: "assignment", Context.EXPLICIT: "explicit"}
# How a value gets from one type to another: ("relabel" | "function" | "io" | "array", function OID).
Pathway = tuple[str, int]


def find_pathway(catalog: Catalog, source: int, target: int, context: Context) -> Pathway | None:
    """The way from source to target that the context allows (find_coercion_pathway)."""
    source, target = catalog.base_type(source), catalog.base_type(target)
    if source == target:
        return "relabel", 0
    row = catalog.cast(source, target)
    if row is not None:
        if context < _CONTEXTS[row.context]:
            return None
        return {"f": ("function", row.function), "i": ("io", 0), "b": ("relabel", 0)}[row.method]
    source_element, target_element = catalog.element(source), catalog.element(target)
    if target not in (oids.OIDVECTOR, oids.INT2VECTOR) and source_element and target_element:
        return find_pathway(catalog, source_element, target_element, context) and ("array", 0)
    if context >= Context.ASSIGNMENT and _category(catalog, target) == "S":
        return "io", 0
    if context >= Context.EXPLICIT and _category(catalog, source) == "S":
        return "io", 0
    return None


def _category(catalog: Catalog, oid: int) -> str:
    row = catalog.type_by_oid(oid)
    return row.category if row is not None else "X"


def _is_composite(catalog: Catalog, oid: int) -> bool:
    row = catalog.type_by_oid(catalog.base_type(oid))
    return row is not None and row.kind == "c"


def can_coerce(catalog: Catalog, sources: Sequence[int], targets: Sequence[int], context: Context) -> bool:
    """Whether every source can become its target (can_coerce_type)."""
    generic = False
    for source, target in zip(sources, targets, strict=False):
        if target in oids.POLYMORPHIC:
            generic = True
        elif not _can_coerce_one(catalog, source, target, context):
            return False
    return not generic or polymorphic.consistent(catalog, sources, targets)


def _can_coerce_one(catalog: Catalog, source: int, target: int, context: Context) -> bool:
    if source in (target, oids.UNKNOWN) or target == oids.ANY:
        return True
    if find_pathway(catalog, source, target, context) is not None:
        return True
    if source == oids.RECORD:
        return _is_composite(catalog, target)
    if target == oids.RECORD:
        return _is_composite(catalog, source)
    return target == oids.RECORDARRAY and _is_composite(catalog, catalog.element(source))


def coerce(
    analysis: Analysis, node: exp.Expr, target: int, typmod: int, context: Context, location: int | None = None
) -> exp.Expr:
    """Make the node be of the target type; the caller knows that it can be (coerce_type)."""
    source = type_of(node)
    if target == source or target in (
        oids.ANY,
        oids.ANYELEMENT,
        oids.ANYNONARRAY,
        oids.ANYCOMPATIBLE,
        oids.ANYCOMPATIBLENONARRAY,
    ):
        return node
    if _is_collated(node):
        return _under_collation(analysis, node, coerce(analysis, _without_collation(node), target, typmod, context, location))
    catalog = analysis.catalog
    if target in oids.POLYMORPHIC:
        base = catalog.base_type(source)
        return node if source in (base, oids.UNKNOWN) else _relabel(node, base, -1, context)
    if source == oids.UNKNOWN:
        if "unknown" in node.meta:
            return _input_literal(analysis, node, target, typmod, context)
        if isinstance(node, exp.Parameter):
            return checked_parameter(analysis, analysis.parameters.coerce(node, target, location, catalog), context)
        if isinstance(node, exp.Null):
            null = typed(exp.Null(), catalog.base_type(target), typmod if target == oids.UNKNOWN else -1, location_of(node))
            return _to_domain(analysis, null, target, context)
    pathway = find_pathway(catalog, source, target, context)
    if pathway is not None:
        return _apply(analysis, node, target, typmod, pathway, context, location)
    if source == oids.UNKNOWN:  # an expression, not a literal: its text goes through the input function
        return _io(node, target, typmod, context, location)
    if target == oids.RECORD:  # a function of records is told its arguments' types, and takes composite values as they are
        if context is Context.IMPLICIT:
            return node
        return typed(call("composite_to_record", node), oids.RECORD, -1, location)
    if source == oids.RECORD:
        return _record_to(analysis, node, target, context, location)
    if target == oids.RECORDARRAY and context is Context.IMPLICIT:
        return node
    if target == oids.RECORDARRAY:
        return _array(analysis, node, target, typmod, context, location)
    raise AssertionError(f"no way from {source} to {target}")


def _record_to(analysis: Analysis, node: exp.Expr, target: int, context: Context, location: int | None) -> exp.Expr:
    """ROW(…) as a named composite type (coerce_record_to_complex): field by field."""
    base = analysis.catalog.base_type(target)
    relation = analysis.catalog.relation_by_oid(analysis.catalog.type(base).relation)
    fields = None
    if isinstance(node, exp.Anonymous) and node.this == "row:construct":
        fields = node.meta.get("given", node.expressions)
    columns = relation.columns if relation is not None else ()
    detail = None
    if fields is not None and len(fields) == len(columns):
        coerced = []
        for number, (field, column) in enumerate(zip(fields, columns, strict=True), 1):
            made = coerce_to(analysis, field, column.type_oid, column.typmod, context, location_of(field))
            if made is None:
                names = analysis.type_name(type_of(field)), analysis.type_name(column.type_oid)
                detail = f"Cannot cast type {names[0]} to {names[1]} in column {number}."
                break
            coerced.append(made)
        else:
            row = typed(call("row:construct", *coerced), oids.RECORD, -1, location)
            layer(row, _CAST_WORDS[context], base, -1)
            return _to_domain(analysis, typed(row, base), target, context)
    elif fields is not None:
        detail = f"Input has too {'few' if len(fields) < len(columns) else 'many'} columns."
    raise SqlError(
        codes.CANNOT_COERCE,
        f"cannot cast type record to {analysis.type_name(target)}",
        detail=detail,
        location=location,
    )


def _input_literal(analysis: Analysis, node: exp.Expr, target: int, typmod: int, context: Context) -> exp.Expr:
    """A quoted literal becomes a constant of the target type (the Const branch of coerce_type)."""
    catalog = analysis.catalog
    base = catalog.base_type(target)
    location = location_of(node)
    text = node.meta["unknown"]
    # Only interval needs its modifier to read the text: interval '1' year.
    input_typmod = typmod if base == oids.INTERVAL else -1
    if base in (oids.RECORD, oids.CSTRING) or catalog.type(base).kind == "p":
        return typed(exp.Literal.string(text), target, -1, location)
    try:
        value = registry.type_of(base, catalog).input(text, analysis.settings, input_typmod)
    except SqlError as error:
        raise error.at(location) from None
    if _is_of_domains(catalog, base):
        elements = _checked_elements(analysis, typed(constant(value), base, input_typmod, location), context)
        return _to_domain(analysis, elements, target, context)
    if base != target:
        return _to_domain(analysis, typed(constant(value), base, input_typmod, location), target, context)
    result = typed(constant(value), target, input_typmod, location)
    if base in (oids.DATE, oids.TIMESTAMP, oids.TIMESTAMPTZ, oids.TIME, oids.TIMETZ) and _moves(text):
        # 'now'::timestamp is a constant to PostgreSQL too, but the plan may be cached: read the text at run time
        return typed(call("coerce:input", exp.Literal.string(text), type=target), target, -1, location)
    return result


def checked_parameter(analysis: Analysis, node: exp.Expr, context: Context = Context.IMPLICIT) -> exp.Expr:
    """A parameter's value obeys the constraints of its type, which domain_in checks when it is bound."""
    target = type_of(node)
    base = analysis.catalog.base_type(target)
    if _is_of_domains(analysis.catalog, base):
        node = _checked_elements(analysis, typed(node, base), context)
    return _to_domain(analysis, node, target, context)


def _is_of_domains(catalog: Catalog, array: int) -> bool:
    element = catalog.element(array)
    return bool(element) and catalog.type(element).kind == "d"


def _checked_elements(analysis: Analysis, node: exp.Expr, context: Context) -> exp.Expr:
    """An array of a domain whose elements were only read as values of the base type."""
    element = analysis.catalog.element(type_of(node))
    value = typed(exp.Column(this=exp.Identifier(this="value", quoted=True)), analysis.catalog.base_type(element), -1)
    value.meta["array_element"] = True
    converted = _to_domain(analysis, value, element, context)
    return typed(call("coerce:array", node, converted, cast=_CAST_WORDS[context]), type_of(node), -1, location_of(node))


def _moves(text: str) -> bool:
    """Whether a date/time text stands for another moment each time it is read."""
    return text.strip().lower() in ("now", "today", "tomorrow", "yesterday")


def _apply(
    analysis: Analysis, node: exp.Expr, target: int, typmod: int, pathway: Pathway, context: Context, location: int | None
) -> exp.Expr:
    """Build what the pathway says; a domain's base modifier applies on the way (build_coercion_expression)."""
    catalog = analysis.catalog
    base, base_typmod = catalog.base_type_and_typmod(target, typmod)
    kind, function = pathway
    if kind == "relabel" and (base, type_of(node)) in _SIGN_CHANGES and not _is_positive(node):
        name = _SIGN_CHANGES[base, type_of(node)]
        result: exp.Expr = typed(call(name, node, cast=_CAST_WORDS[context]), base, -1, location_of(node))
    elif kind == "relabel":
        result = _relabel(node, base, typmod_of(node) if base == type_of(node) else -1, context)
    elif kind == "function":
        result = _cast_call(catalog, function, node, base, base_typmod, context, location)
    elif kind == "io":
        result = _io(node, base, base_typmod, context, location)
    else:
        result = _array(analysis, node, base, base_typmod, context, location)
    if base != target and base != type_of(node):
        _hide(result)
    return _to_domain(analysis, result, target, context)


# Binary coercible in PostgreSQL, but an oid is stored without a sign: what lowering calls for (target, source).
_SIGN_CHANGES = {(oids.OID, oids.INT4): "relabel_int4_oid", (oids.INT4, oids.OID): "relabel_oid_int4"}


def _is_positive(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and not node.this.startswith("-") and int(node.this) < 2**31


def _to_domain(analysis: Analysis, node: exp.Expr, target: int, context: Context) -> exp.Expr:
    """Coerce to a domain over the node's type: its length rule and its constraints (coerce_to_domain).

    The result is "coerce:domain" of (value, constraint name, test, …); a NOT NULL has no test.
    """
    from translator.analyze.domains import constraint_tests

    if analysis.catalog.type(target).kind != "d":
        return node
    _, typmod = analysis.catalog.base_type_and_typmod(target)
    if typmod >= 0:
        limited = coerce_typmod(analysis, node, type_of(node), typmod, context)
        if limited is not node:
            _hide(limited)
        node = limited
    tests = constraint_tests(analysis, target, node)
    return typed(call("coerce:domain", node, *tests, cast=_CAST_WORDS[context]), target, -1, location_of(node))


def _relabel(node: exp.Expr, target: int, typmod: int, context: Context) -> exp.Expr:
    result = node.copy()
    if target != type_of(node) or typmod != typmod_of(node):
        layer(result, _CAST_WORDS[context], target, typmod)
    return typed(result, target, typmod)


def _is_collated(node: exp.Expr) -> bool:
    return "layers" in node.meta and node.meta["layers"][-1][0].startswith("COLLATE")


def _without_collation(node: exp.Expr) -> exp.Expr:
    bare = node.copy()
    bare.meta["layers"] = node.meta["layers"][:-1]
    return bare


def _under_collation(analysis: Analysis, node: exp.Expr, coerced: exp.Expr) -> exp.Expr:
    """A coercion goes underneath COLLATE, and replaces it if the new type has no collations (coerce_type)."""
    if analysis.catalog.type(type_of(coerced)).collation:
        layer(coerced, node.meta["layers"][-1][0], type_of(coerced), typmod_of(coerced))
    return coerced


def _hide(node: exp.Expr) -> None:
    """Of two coercions that one cast needs, only the outer is shown in the expression's text (hide_coercion_node)."""
    if "layers" in node.meta:
        _, type_oid, typmod = node.meta["layers"][-1]
        node.meta["layers"] = (*node.meta["layers"][:-1], ("implicit", type_oid, typmod))
    elif "cast" in node.meta:
        node.meta["cast"] = "implicit"


def _cast_call(
    catalog: Catalog, function: int, node: exp.Expr, target: int, typmod: int, context: Context, location: int | None
) -> exp.Expr:
    proc = catalog.proc(function)
    arguments = [node]
    if len(proc.arguments) >= 2:
        arguments.append(typed(integer(typmod), oids.INT4))
    if len(proc.arguments) == 3:
        arguments.append(typed(exp.Boolean(this=context >= Context.EXPLICIT), oids.BOOL))
    result_typmod = typmod if len(proc.arguments) >= 2 else -1
    return typed(call(proc.source, *arguments, proc=proc, cast=_CAST_WORDS[context]), target, result_typmod, location)


def _io(node: exp.Expr, target: int, typmod: int, context: Context, location: int | None) -> exp.Expr:
    result = call("coerce:io", node, cast=_CAST_WORDS[context])
    return typed(result, target, -1, location if location is not None else location_of(node))


def _array(analysis: Analysis, node: exp.Expr, target: int, typmod: int, context: Context, location: int | None) -> exp.Expr:
    """Coerce element by element (ArrayCoerceExpr): the second argument is the coercion of one element."""
    catalog = analysis.catalog
    element = typed(exp.Column(this=exp.Identifier(this="value", quoted=True)), catalog.element(type_of(node)), -1)
    element.meta["array_element"] = True
    converted = coerce(analysis, element, catalog.element(target), typmod, context, location)
    if typmod >= 0:
        converted = coerce_typmod(analysis, converted, type_of(converted), typmod, context)
    if converted is element or "layers" in converted.meta:
        return _relabel(node, target, -1, context)
    return typed(call("coerce:array", node, converted, cast=_CAST_WORDS[context]), target, typmod, location)


def coerce_typmod(analysis: Analysis, node: exp.Expr, target: int, typmod: int, context: Context) -> exp.Expr:
    """Apply the length or precision rule of the type, if it has one (coerce_type_typmod)."""
    if typmod < 0 or typmod == typmod_of(node):
        return node
    catalog = analysis.catalog
    element = catalog.element(target)
    row = catalog.cast(element or target, element or target)
    if row is None or not row.function:
        return typed(node, type_of(node), typmod)
    if not element:
        return _cast_call(catalog, row.function, node, target, typmod, context, location_of(node))
    value = typed(exp.Column(this=exp.Identifier(this="value", quoted=True)), element, -1)
    value.meta["array_element"] = True
    converted = _cast_call(catalog, row.function, value, element, typmod, context, location_of(node))
    return typed(call("coerce:array", node, converted, cast=_CAST_WORDS[context]), target, typmod, location_of(node))


def coerce_to(
    analysis: Analysis, node: exp.Expr, target: int, typmod: int, context: Context, location: int | None
) -> exp.Expr | None:
    """The node as a value of the target type and modifier, or None if there is no way (coerce_to_target_type)."""
    if not can_coerce(analysis.catalog, [type_of(node)], [target], context):
        return None
    if _is_collated(node):
        made = coerce_to(analysis, _without_collation(node), target, typmod, context, location)
        return _under_collation(analysis, node, made) if made is not None else None
    result = coerce(analysis, node, target, typmod, context, location)
    if typmod < 0:
        if typmod_of(result) >= 0 and isinstance(result, exp.Literal):
            return typed(result.copy(), type_of(result), -1)
        if typmod_of(result) >= 0 and context is Context.EXPLICIT:
            layer(result, "explicit", target, -1)
        return result
    if isinstance(result, exp.Literal | exp.Null) and result is node:
        result = result.copy()
    made = coerce_typmod(analysis, result, target, typmod, context)
    if made is not result is not node:
        _hide(result)
    return made


def cannot_cast(analysis: Analysis, source: int, target: int, location: int | None) -> SqlError:
    """The error for a cast that does not exist."""
    names = analysis.type_name(source), analysis.type_name(target)
    return SqlError(codes.CANNOT_COERCE, f"cannot cast type {names[0]} to {names[1]}", location=location)


def coerce_to_boolean(analysis: Analysis, node: exp.Expr, construct: str) -> exp.Expr:
    """An argument of WHERE, AND, … as a boolean. Raises 42804 (coerce_to_boolean)."""
    return coerce_to_specific(analysis, node, oids.BOOL, construct)


def coerce_to_specific(analysis: Analysis, node: exp.Expr, target: int, construct: str) -> exp.Expr:
    """An argument that must be of one type, by assignment at most. Raises 42804 (coerce_to_specific_type)."""
    result = coerce_to(analysis, node, target, -1, Context.ASSIGNMENT, location_of(node))
    if result is None:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"argument of {construct} must be type {analysis.type_name(target)}, not type {analysis.type_name(type_of(node))}",
            location=location_of(node),
        )
    return result


def select_common_type(analysis: Analysis, nodes: Sequence[exp.Expr], construct: str | None) -> int:
    """The type of CASE branches, UNION columns, VALUES, … (select_common_type); 0 if none and no construct is named."""
    catalog = analysis.catalog
    types = [type_of(node) for node in nodes]
    first = types[0]
    if first != oids.UNKNOWN and all(other == first for other in types):
        return first
    chosen = catalog.base_type(first)

    for node, type_oid in zip(nodes[1:], types[1:], strict=True):
        other = catalog.base_type(type_oid)
        if other in (oids.UNKNOWN, chosen):
            continue
        if chosen == oids.UNKNOWN:
            chosen = other
        elif _category(catalog, other) != _category(catalog, chosen):
            if construct is None:
                return 0
            raise SqlError(
                codes.DATATYPE_MISMATCH,
                f"{construct} types {analysis.type_name(chosen)} and {analysis.type_name(other)} cannot be matched",
                location=location_of(node),
            )
        elif (
            not catalog.type(chosen).preferred
            and can_coerce(catalog, [chosen], [other], Context.IMPLICIT)
            and not can_coerce(catalog, [other], [chosen], Context.IMPLICIT)
        ):
            chosen = other
    return oids.TEXT if chosen == oids.UNKNOWN else chosen


def select_common_typmod(nodes: Sequence[exp.Expr], common: int) -> int:
    """The modifier that all nodes share, else -1 (select_common_typmod)."""
    typmods = {typmod_of(node) if type_of(node) == common else -1 for node in nodes}
    return typmods.pop() if len(typmods) == 1 else -1


def coerce_to_common(analysis: Analysis, node: exp.Expr, target: int, construct: str) -> exp.Expr:
    """One of several expressions as their common type. Raises 42846 (coerce_to_common_type)."""
    if type_of(node) == target:
        return node
    if not can_coerce(analysis.catalog, [type_of(node)], [target], Context.IMPLICIT):
        raise SqlError(
            codes.CANNOT_COERCE,
            f"{construct} could not convert type {analysis.type_name(type_of(node))} to {analysis.type_name(target)}",
            location=location_of(node),
        )
    return coerce(analysis, node, target, -1, Context.IMPLICIT, location_of(node))

"""Operators: which pg_operator row an expression means, and the call that carries it out (parse_oper.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import candidates, polymorphic
from translator.analyze.analysis import Analysis
from translator.analyze.coerce import Context, coerce
from translator.errors import SqlError
from translator.rows import OperatorRow
from translator.typed import call, expanded, type_of, typed


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An operator with its operand types as a tuple, for candidate selection."""

    row: OperatorRow
    arguments: tuple[int, ...]


def resolve(analysis: Analysis, names: Sequence[str], actual: Sequence[int], location: int | None) -> OperatorRow:
    """The operator of that (possibly qualified) name for operands of these types. Raises 42883, 42725 (oper, left_oper)."""
    shape = ("operator", tuple(names), tuple(actual), tuple(analysis.path))
    known: OperatorRow | None = analysis.catalog.resolutions.get(shape)
    if known is None:
        known = _resolve(analysis, names, actual, location)
        analysis.catalog.resolutions[shape] = known
    return known


def _resolve(analysis: Analysis, names: Sequence[str], actual: Sequence[int], location: int | None) -> OperatorRow:
    found = _visible(analysis, names, len(actual))
    exact = _exact(analysis, found, actual)
    if exact is not None:
        return exact
    matching = candidates.match(analysis.catalog, actual, found)
    if len(matching) == 1:
        return matching[0].row
    if matching:
        best = candidates.select(analysis.catalog, actual, matching)
        if best is not None:
            return best.row
        raise SqlError(
            codes.AMBIGUOUS_FUNCTION,
            f"operator is not unique: {signature(analysis, names, actual)}",
            hint="Could not choose a best candidate operator. You might need to add explicit type casts.",
            location=location,
        )
    raise SqlError(
        codes.UNDEFINED_FUNCTION,
        f"operator does not exist: {signature(analysis, names, actual)}",
        hint="No operator matches the given name and argument type. You might need to add an explicit type cast."
        if len(actual) == 1
        else "No operator matches the given name and argument types. You might need to add explicit type casts.",
        location=location,
    )


def signature(analysis: Analysis, names: Sequence[str], actual: Sequence[int]) -> str:
    """The operator with its operand types, for messages: "integer + text" (op_signature_string)."""
    types = [analysis.type_name(oid) for oid in actual]
    return " ".join([types[0], ".".join(names), types[1]] if len(types) > 1 else [".".join(names), types[0]])


def _visible(analysis: Analysis, names: Sequence[str], operands: int) -> list[_Candidate]:
    """The operators of that name in the search path, the nearer schema hiding the same signature in a farther one."""
    if len(names) > 1:
        namespace = analysis.catalog.namespace(names[-2])
        path = [] if namespace is None else [namespace]
    else:
        path = analysis.path
    chosen: dict[tuple[int, ...], _Candidate] = {}
    ranked = [row for row in analysis.catalog.operators(names[-1]) if row.namespace in path]
    for row in sorted(ranked, key=lambda row: path.index(row.namespace)):
        if (row.left == 0) == (operands == 1):
            arguments = (row.right,) if operands == 1 else (row.left, row.right)
            chosen.setdefault(arguments, _Candidate(row, arguments))
    return list(chosen.values())


def _exact(analysis: Analysis, found: Sequence[_Candidate], actual: Sequence[int]) -> OperatorRow | None:
    """An exact match; an unknown operand is first taken for the type of the other (binary_oper_exact)."""
    wanted = tuple(actual)
    assumed = False
    if len(wanted) == 2 and (wanted[0] == oids.UNKNOWN) != (wanted[1] == oids.UNKNOWN):
        known = wanted[1] if wanted[0] == oids.UNKNOWN else wanted[0]
        wanted = (known, known)
        assumed = True
    by_types = {candidate.arguments: candidate.row for candidate in found}
    row = by_types.get(wanted)
    if row is None and assumed:
        base = analysis.catalog.base_type(wanted[0])
        if base != wanted[0]:
            row = by_types.get((base, base))
    return row


def make(analysis: Analysis, names: Sequence[str], operands: Sequence[exp.Expr], location: int | None) -> exp.Expr:
    """The call that applies the operator to the operands, with their coercions (make_op)."""
    actual = [type_of(operand) for operand in operands]
    row = resolve(analysis, names, actual, location)
    return apply(analysis, row, operands, location)


def apply(analysis: Analysis, row: OperatorRow, operands: Sequence[exp.Expr], location: int | None) -> exp.Expr:
    """The call of a known operator's function."""
    actual = [type_of(operand) for operand in operands]
    declared = [row.right] if row.left == 0 else [row.left, row.right]
    try:
        concrete, result = polymorphic.enforce(analysis.catalog, actual, declared, row.result)
    except SqlError as error:
        raise error.at(location) from None
    coerced = [
        coerce(analysis, operand, target, -1, Context.IMPLICIT, location)
        for operand, target in zip(operands, concrete, strict=True)
    ]
    proc = analysis.catalog.proc(row.code)
    if proc.language == SQL_LANGUAGE:
        from translator.analyze.sqlfunction import inline

        node = typed(inline(analysis, proc, coerced, result, location), result, -1, location)
        form = call(proc.source, *coerced, proc=proc, operator=row.name) if analysis.keeps_form else None
        return node if form is None else expanded(node, form)
    return typed(call(proc.source, *coerced, proc=proc, operator=row.name), result, -1, location)


# pg_language: LANGUAGE sql.
SQL_LANGUAGE = 14


def make_array_comparison(
    analysis: Analysis, names: Sequence[str], left: exp.Expr, right: exp.Expr, any_: bool, location: int | None
) -> exp.Expr:
    """`left op ANY (array)` or ALL: "array:any"/"array:all" of (array, comparison with one element) (make_scalar_array_op)."""
    catalog = analysis.catalog
    right_type = type_of(right)
    if right_type == oids.UNKNOWN:
        element = oids.UNKNOWN
    else:
        element = catalog.element(right_type)
        if not element:
            raise SqlError(codes.WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires array on right side", location=location)
    left_type = type_of(left)
    row = resolve(analysis, names, [left_type, element], location)
    if row.result != oids.BOOL:
        raise SqlError(codes.WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires operator to yield boolean", location=location)
    concrete, _ = polymorphic.enforce(catalog, [left_type, element], [row.left, row.right], row.result)
    array_type = right_type if concrete[1] in oids.POLYMORPHIC else catalog.type(concrete[1]).array
    if not array_type:
        raise SqlError(
            codes.UNDEFINED_OBJECT,
            f"could not find array type for data type {analysis.type_name(concrete[1])}",
            location=location,
        )
    left = coerce(analysis, left, concrete[0], -1, Context.IMPLICIT, location)
    right = coerce(analysis, right, array_type, -1, Context.IMPLICIT, location)
    item = typed(exp.Column(this=exp.Identifier(this="value", quoted=True)), catalog.element(type_of(right)) or concrete[1], -1)
    item.meta["array_element"] = True
    comparison = apply(analysis, row, [left, item], location)
    return typed(call("array:any" if any_ else "array:all", right, comparison), oids.BOOL, -1, location)

"""Expressions: from the grammar's tree to the typed tree (transformExprRecurse).

One function a node kind, in a table. `scope.clause` says where the expression stands, which decides what it may contain
and words the errors. Calls of functions are `calls`' business, subqueries `sublinks`'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import (
    calls,
    constants,
    json_constructs,
    json_queries,
    operators,
    rows,
    sql_values,
    sublinks,
    subscripts,
)
from translator.analyze.coerce import (
    Context,
    cannot_cast,
    checked_parameter,
    coerce_to,
    coerce_to_boolean,
    coerce_to_common,
    select_common_type,
    select_common_typmod,
)
from translator.analyze.scope import Scope, column_reference
from translator.analyze.typenames import names_of
from translator.errors import SqlError, unsupported
from translator.typed import call, expanded, layer, location_of, type_of, typed, typmod_of

Node = dict[str, Any]


def transform(scope: Scope, node: Node) -> exp.Expr:
    """The typed tree of one expression node. Raises SqlError; 0A000 for a kind of node that is not built yet."""
    ((kind, value),) = node.items()
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise unsupported(_WORDS.get(kind, kind), value.get("location") if isinstance(value, dict) else None)
    return handler(scope, value)


def transform_in(scope: Scope, node: Node, clause: str) -> exp.Expr:
    """The same, for an expression of another clause (transformExpr with an exprKind)."""
    outer = scope.clause
    scope.clause = clause
    try:
        return transform(scope, node)
    finally:
        scope.clause = outer


def transform_condition(scope: Scope, node: Node, clause: str, construct: str) -> exp.Expr:
    """A clause that must be boolean: WHERE, HAVING, ON, FILTER (transformWhereClause)."""
    return coerce_to_boolean(scope.analysis, transform_in(scope, node, clause), construct)


def _constant(scope: Scope, value: Node) -> exp.Expr:
    return constants.from_grammar(value, scope.analysis.settings)


def _column(scope: Scope, value: Node) -> exp.Expr:
    fields = value["fields"]
    if "A_Star" in fields[-1]:
        if len(fields) == 1:
            raise SqlError(codes.SYNTAX_ERROR, "SELECT * with no tables specified is not valid", location=value.get("location"))
        return rows.whole_row_star(scope, names_of(fields[:-1]), value.get("location"))
    return column_reference(scope, names_of(fields), value.get("location"))


def _parameter(scope: Scope, value: Node) -> exp.Expr:
    node = scope.analysis.parameters.reference(value.get("number", 0), value.get("location"))
    if isinstance(node, exp.Parameter) and type_of(node) != oids.UNKNOWN:
        return checked_parameter(scope.analysis, node)
    return node


def _cast(scope: Scope, value: Node) -> exp.Expr:
    """`x::type` and CAST (transformTypeCast); ARRAY[…]::t[] gives its element type to the elements."""
    analysis = scope.analysis
    target, typmod = analysis.resolve_type(value["typeName"])
    argument = value["arg"]
    if "A_ArrayExpr" in argument and analysis.catalog.element(target):
        node = rows.array(scope, argument["A_ArrayExpr"], analysis.catalog.base_type(target), typmod)
    else:
        node = transform(scope, argument)
    location = value.get("location", -1)
    result = coerce_to(analysis, node, target, typmod, Context.EXPLICIT, location if location >= 0 else location_of(node))
    if result is None:
        raise cannot_cast(analysis, type_of(node), target, location if location >= 0 else location_of(node))
    return result


def _boolean(scope: Scope, value: Node) -> exp.Expr:
    word = {"AND_EXPR": "AND", "OR_EXPR": "OR", "NOT_EXPR": "NOT"}[value["boolop"]]
    arguments = [coerce_to_boolean(scope.analysis, transform(scope, argument), word) for argument in value["args"]]
    location = value.get("location")
    if word == "NOT":
        return typed(exp.Not(this=exp.Paren(this=arguments[0])), oids.BOOL, -1, location)
    return connect(exp.And if word == "AND" else exp.Or, arguments, location)


# SQLite refuses expressions deeper than 1000 levels, so long AND/OR chains become balanced trees.
def connect(kind: type[exp.And | exp.Or], arguments: list[exp.Expr], location: int | None = None) -> exp.Expr:
    """AND or OR of several conditions, as a balanced tree."""
    if len(arguments) == 1:
        return arguments[0]
    middle = len(arguments) // 2
    left = connect(kind, arguments[:middle], location)
    right = connect(kind, arguments[middle:], location)
    node = typed(kind(this=exp.Paren(this=left), expression=exp.Paren(this=right)), oids.BOOL, -1, location)
    node.meta["arguments"] = len(arguments)
    return node


def _null_test(scope: Scope, value: Node) -> exp.Expr:
    argument = transform(scope, value["arg"])
    negated = value["nulltesttype"] == "IS_NOT_NULL"
    location = value.get("location")
    if isinstance(argument, exp.Anonymous) and argument.this == "row:construct":
        # a row IS NULL when every field is, IS NOT NULL when every field is not (manual, "Row and Array Comparisons")
        tests = [_is_null(field, negated, location) for field in argument.expressions]
        node = connect(exp.And, tests, location) if tests else typed(exp.Boolean(this=not negated), oids.BOOL)
        return expanded(node, _is_null(argument.copy(), negated, location)) if scope.analysis.keeps_form else node
    if isinstance(argument, exp.Case) and "field_names" in argument.meta and not scope.analysis.keeps_form:
        # a whole row that an outer join may have made up: either way its fields tell
        tests = [_is_null(field, negated, location) for field in argument.args["default"].expressions]
        return connect(exp.And, tests, location)
    row = scope.analysis.catalog.type_by_oid(scope.analysis.catalog.base_type(type_of(argument)))
    if row is not None and (row.kind == "c" or row.oid == oids.RECORD):
        test = typed(call("row:null_test", argument, exp.Boolean(this=negated)), oids.BOOL, -1, location)
        return expanded(test, _is_null(argument.copy(), negated, location)) if scope.analysis.keeps_form else test
    return _is_null(argument, negated, location)


def _is_null(argument: exp.Expr, negated: bool, location: int | None) -> exp.Expr:
    test = typed(exp.Is(this=exp.Paren(this=argument), expression=exp.Null()), oids.BOOL, -1, location)
    node = typed(exp.Not(this=exp.Paren(this=test)), oids.BOOL, -1, location) if negated else test
    node.meta["construct"] = "IS NOT NULL" if negated else "IS NULL"
    return node


# BooleanTest: the SQLite operand of IS, and whether the test is negated.
_BOOLEAN_TESTS: dict[str, tuple[Callable[[], exp.Expr], bool, str]] = {
    "IS_TRUE": (lambda: exp.Boolean(this=True), False, "IS TRUE"),
    "IS_NOT_TRUE": (lambda: exp.Boolean(this=True), True, "IS NOT TRUE"),
    "IS_FALSE": (lambda: exp.Boolean(this=False), False, "IS FALSE"),
    "IS_NOT_FALSE": (lambda: exp.Boolean(this=False), True, "IS NOT FALSE"),
    "IS_UNKNOWN": (exp.Null, False, "IS UNKNOWN"),
    "IS_NOT_UNKNOWN": (exp.Null, True, "IS NOT UNKNOWN"),
}


def _boolean_test(scope: Scope, value: Node) -> exp.Expr:
    operand, negated, word = _BOOLEAN_TESTS[value.get("booltesttype", "IS_TRUE")]
    argument = coerce_to_boolean(scope.analysis, transform(scope, value["arg"]), word)
    location = value.get("location")
    test = typed(exp.Is(this=exp.Paren(this=argument), expression=operand()), oids.BOOL, -1, location)
    node = typed(exp.Not(this=exp.Paren(this=test)), oids.BOOL, -1, location) if negated else test
    node.meta["construct"] = word
    return node


def _case(scope: Scope, value: Node) -> exp.Expr:
    """CASE, also with an operand: `CASE a WHEN b` means `a = b` with the operator's coercions (transformCaseExpr)."""
    analysis = scope.analysis
    last_set = scope.last_set
    operand = transform(scope, value["arg"]) if value.get("arg") else None
    if operand is not None and type_of(operand) == oids.UNKNOWN:
        operand = coerce_to(analysis, operand, oids.TEXT, -1, Context.IMPLICIT, location_of(operand)) or operand
    conditions = []
    results = []
    for when in value["args"]:
        clause = when["CaseWhen"]
        condition = transform(scope, clause["expr"])
        if operand is not None:
            condition = operators.make(analysis, ["="], [operand.copy(), condition], clause.get("location"))
        conditions.append(coerce_to_boolean(analysis, condition, "CASE/WHEN"))
        results.append(transform(scope, clause["result"]))
    default = transform(scope, value["defresult"]) if value.get("defresult") else typed(exp.Null(), oids.UNKNOWN)
    if scope.last_set is not last_set:
        raise calls.set_not_allowed(scope, "set-returning functions are not allowed in CASE")
    # PostgreSQL lets the ELSE branch speak first
    common = select_common_type(analysis, [default, *results], "CASE")
    typmod = select_common_typmod([default, *results], common)
    node = exp.Case(
        ifs=[
            exp.If(this=condition, true=coerce_to_common(analysis, result, common, "CASE/WHEN"))
            for condition, result in zip(conditions, results, strict=True)
        ],
        default=coerce_to_common(analysis, default, common, "CASE/ELSE"),
    )
    node.meta["construct"] = "CASE" if operand is None else "CASE operand"
    return typed(node, common, typmod, value.get("location"))


def _coalesce(scope: Scope, value: Node) -> exp.Expr:
    last_set = scope.last_set
    arguments = [transform(scope, argument) for argument in value["args"]]
    if scope.last_set is not last_set:
        raise calls.set_not_allowed(scope, "set-returning functions are not allowed in COALESCE")
    common = select_common_type(scope.analysis, arguments, "COALESCE")
    typmod = select_common_typmod(arguments, common)
    coerced = [coerce_to_common(scope.analysis, argument, common, "COALESCE") for argument in arguments]
    if len(coerced) == 1:
        return typed(exp.Paren(this=coerced[0]), common, typmod, value.get("location"))
    return typed(exp.Coalesce(this=coerced[0], expressions=coerced[1:]), common, typmod, value.get("location"))


def _greatest(scope: Scope, value: Node) -> exp.Expr:
    word = "LEAST" if value.get("op") == "IS_LEAST" else "GREATEST"
    arguments = [transform(scope, argument) for argument in value["args"]]
    common = select_common_type(scope.analysis, arguments, word)
    typmod = select_common_typmod(arguments, common)
    coerced = [coerce_to_common(scope.analysis, argument, common, word) for argument in arguments]
    return typed(call(f"extreme:{word.lower()}", *coerced), common, typmod, value.get("location"))


def _collate(scope: Scope, value: Node) -> exp.Expr:
    """COLLATE: the collations that order by code point change nothing here; any other one is unknown to this server."""
    names = names_of(value["collname"])
    if names[-1] not in ("default", "C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic", "pg_c_utf8"):
        raise SqlError(
            codes.UNDEFINED_OBJECT,
            f'collation "{".".join(names)}" for encoding "UTF8" does not exist',
            location=value.get("location"),
        )
    argument = transform(scope, value["arg"])
    row = scope.analysis.catalog.type_by_oid(type_of(argument))
    if type_of(argument) != oids.UNKNOWN and (row is None or not row.collation):
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"collations are not supported by type {scope.analysis.type_name(type_of(argument))}",
            location=value.get("location"),
        )
    layer(argument, f"COLLATE {names[-1]}", type_of(argument), typmod_of(argument))
    return argument


def _operator_expression(scope: Scope, value: Node) -> exp.Expr:
    return _A_EXPR[value.get("kind", "AEXPR_OP")](scope, value)


def _plain_operator(scope: Scope, value: Node) -> exp.Expr:
    location = value.get("location")
    names = names_of(value["name"])
    right = value["rexpr"]
    left = value.get("lexpr")
    if left is None:
        return operators.make(scope.analysis, names, [transform(scope, right)], location)
    if "RowExpr" in left and "SubLink" in right and right["SubLink"]["subLinkType"] == "EXPR_SUBLINK":
        return sublinks.row_compare(scope, names, left, right["SubLink"], location)
    return _compare(scope, names, left, right, location)


def _compare(scope: Scope, names: list[str], left: Node, right: Node, location: int | None) -> exp.Expr:
    """An operator between two expressions as they are written: open literals in rows get their types from each other."""
    if "RowExpr" in left and "RowExpr" in right:
        return rows.compare(scope, names, rows.fields(scope, left["RowExpr"]), rows.fields(scope, right["RowExpr"]), location)
    return _binary(scope, names, transform(scope, left), transform(scope, right), location)


def _binary(scope: Scope, names: list[str], left: exp.Expr, right: exp.Expr, location: int | None) -> exp.Expr:
    if rows.is_row(left) and rows.is_row(right):
        return rows.compare(scope, names, left.expressions, right.expressions, location)
    return operators.make(scope.analysis, names, [left, right], location)


def _quantified(scope: Scope, value: Node) -> exp.Expr:
    left = transform(scope, value["lexpr"])
    right = transform(scope, value["rexpr"])
    return operators.make_array_comparison(
        scope.analysis, names_of(value["name"]), left, right, value["kind"] == "AEXPR_OP_ANY", value.get("location")
    )


def _distinct(scope: Scope, value: Node) -> exp.Expr:
    """IS [NOT] DISTINCT FROM: equality of the operator's operands with NULLs compared as values (make_distinct_op)."""
    location = value.get("location")
    for side, other in (("rexpr", "lexpr"), ("lexpr", "rexpr")):
        if value[side].get("A_Const", {}).get("isnull"):  # a NULL test: no operator is looked for
            return _is_null(transform(scope, value[other]), value["kind"] == "AEXPR_DISTINCT", location)
    if "RowExpr" in value["lexpr"] and "RowExpr" in value["rexpr"]:
        lefts = rows.fields(scope, value["lexpr"]["RowExpr"])
        rights = rows.fields(scope, value["rexpr"]["RowExpr"])
        if len(lefts) != len(rights):
            raise SqlError(codes.SYNTAX_ERROR, "unequal number of entries in row expressions", location=location)
        parts = [_distinct_one(scope, a, b, location) for a, b in zip(lefts, rights, strict=True)]
        node = connect(exp.Or, parts, location) if parts else typed(exp.Boolean(this=False), oids.BOOL)
    else:
        node = _distinct_one(scope, transform(scope, value["lexpr"]), transform(scope, value["rexpr"]), location)
    if value["kind"] == "AEXPR_NOT_DISTINCT":
        return typed(exp.Not(this=exp.Paren(this=node)), oids.BOOL, -1, location)
    return node


def _distinct_one(scope: Scope, left: exp.Expr, right: exp.Expr, location: int | None) -> exp.Expr:
    equal = operators.make(scope.analysis, ["="], [left, right], location)
    if type_of(equal) != oids.BOOL:
        raise SqlError(codes.DATATYPE_MISMATCH, "IS DISTINCT FROM requires = operator to yield boolean", location=location)
    if not isinstance(equal, exp.Anonymous) or len(equal.expressions) != 2:
        raise unsupported("IS DISTINCT FROM for this operator", location)
    return typed(call("distinct:from", equal), oids.BOOL, -1, location)


def _nullif(scope: Scope, value: Node) -> exp.Expr:
    """NULLIF(a, b): NULL if a = b, else a, of a's type after the operator's coercion."""
    location = value.get("location")
    left = transform(scope, value["lexpr"])
    right = transform(scope, value["rexpr"])
    equal = operators.make(scope.analysis, ["="], [left, right], location)
    if type_of(equal) != oids.BOOL:
        raise SqlError(codes.DATATYPE_MISMATCH, "NULLIF requires = operator to yield boolean", location=location)
    first = equal.expressions[0]
    case = exp.Case(ifs=[exp.If(this=equal, true=typed(exp.Null(), type_of(first)))], default=first.copy())
    case.meta["construct"] = "NULLIF"
    return typed(case, type_of(first), typmod_of(first), location)


def _in(scope: Scope, value: Node) -> exp.Expr:
    """IN (list): `= ANY (ARRAY[…])` where the items have a common type, OR of comparisons otherwise (transformAExprIn)."""
    location = value.get("location")
    negated = value["name"][-1]["String"]["sval"] == "<>"
    names = names_of(value["name"])
    given = value["rexpr"]["List"]["items"]
    if "RowExpr" in value["lexpr"] and all("RowExpr" in item for item in given):
        return rows.contained(scope, value, negated=negated)
    left = transform(scope, value["lexpr"])
    items = [transform(scope, item) for item in given]
    node = _in_list(scope, left, [item for item in items if item.find(exp.Column) is None], location)
    parts = []
    if node is not None:
        items = [item for item in items if item.find(exp.Column) is not None]
        parts = [typed(exp.Not(this=exp.Paren(this=node)), oids.BOOL, -1, location) if negated else node]
        parts[0].meta["construct"] = "NOT IN" if negated else "IN"
    others = [_binary(scope, names, left.copy(), item, location) for item in items]
    parts += [coerce_to_boolean(scope.analysis, part, "IN") for part in others]
    node = connect(exp.And if negated else exp.Or, parts, location)
    if len(parts) > 1:
        node.meta["construct"] = "IN"
    return node


def _in_list(scope: Scope, left: exp.Expr, items: list[exp.Expr], location: int | None) -> exp.Expr | None:
    """The list as one "in:list" of (left, items…) compared by one operator, or None where that is not possible."""
    analysis = scope.analysis
    if rows.is_row(left) or len(items) < 2:
        return None
    common = select_common_type(analysis, [left, *items], None)
    if not common or common == oids.RECORD or not analysis.catalog.type(common).array:
        return None
    coerced = [coerce_to_common(analysis, item, common, "IN") for item in items]
    row = operators.resolve(analysis, ["="], [type_of(left), common], location)
    sample = operators.apply(analysis, row, [left, coerced[0]], location)
    if not isinstance(sample, exp.Anonymous) or "proc" not in sample.meta:
        return None
    element = type_of(sample.expressions[1])
    rest = [operators.apply(analysis, row, [left, item], location).expressions[1] for item in coerced[1:]]
    if any(type_of(item) != element for item in rest):
        return None
    return typed(call("in:list", sample, *rest), oids.BOOL, -1, location)


# LIKE and friends: the operator is in the node; SIMILAR TO and ESCAPE come as function calls in the right argument.
_BETWEEN: dict[str, tuple[type[exp.And | exp.Or], str, str, bool]] = {
    "AEXPR_BETWEEN": (exp.And, ">=", "<=", False),
    "AEXPR_NOT_BETWEEN": (exp.Or, "<", ">", False),
    "AEXPR_BETWEEN_SYM": (exp.And, ">=", "<=", True),
    "AEXPR_NOT_BETWEEN_SYM": (exp.Or, "<", ">", True),
}


def _between(scope: Scope, value: Node) -> exp.Expr:
    """BETWEEN as two comparisons, SYMMETRIC as both ways round (transformAExprBetween)."""
    connective, low_operator, high_operator, symmetric = _BETWEEN[value["kind"]]
    location = value.get("location")
    operand: Node = value["lexpr"]
    low: Node
    high: Node
    low, high = value["rexpr"]["List"]["items"]

    def one(first: Node, second: Node) -> exp.Expr:
        left = _compare(scope, [low_operator], operand, first, location)
        right = _compare(scope, [high_operator], operand, second, location)
        return connect(connective, [left, right], location)

    if not symmetric:
        return one(low, high)
    return connect(exp.Or if connective is exp.And else exp.And, [one(low, high), one(high, low)], location)


def _named_argument(scope: Scope, value: Node) -> exp.Expr:
    raise SqlError(codes.SYNTAX_ERROR, "named arguments are not allowed here", location=value.get("location"))


def _default(scope: Scope, value: Node) -> exp.Expr:
    raise SqlError(codes.SYNTAX_ERROR, "DEFAULT is not allowed in this context", location=value.get("location"))


def _multi_assign(scope: Scope, value: Node) -> exp.Expr:
    raise unsupported("multiple-column assignment from this source")


def _typed_already(scope: Scope, value: Any) -> exp.Expr:
    """An expression that was analyzed before and stands in a grammar tree: how SQL functions get their arguments."""
    node: exp.Expr = value["node"]
    return node.copy()


_A_EXPR: dict[str, Callable[[Scope, Node], exp.Expr]] = {
    "AEXPR_OP": _plain_operator,
    "AEXPR_OP_ANY": _quantified,
    "AEXPR_OP_ALL": _quantified,
    "AEXPR_DISTINCT": _distinct,
    "AEXPR_NOT_DISTINCT": _distinct,
    "AEXPR_NULLIF": _nullif,
    "AEXPR_IN": _in,
    "AEXPR_LIKE": _plain_operator,
    "AEXPR_ILIKE": _plain_operator,
    "AEXPR_SIMILAR": _plain_operator,
    **dict.fromkeys(_BETWEEN, _between),
}


def _merge_action(scope: Scope, value: Node) -> exp.Expr:
    """merge_action(), also in subqueries of the RETURNING list (transformMergeSupportFunc)."""
    level: Scope | None = scope
    while level is not None and level.merge_action is None:
        level = level.parent
    location = value.get("location")
    if level is None or level.merge_action is None:
        message = "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command"
        raise SqlError(codes.SYNTAX_ERROR, message, location=location)
    return typed(level.merge_action.copy(), oids.TEXT, -1, location)


_HANDLERS: dict[str, Callable[[Scope, Any], exp.Expr]] = {
    "A_Const": _constant,
    "ColumnRef": _column,
    "ParamRef": _parameter,
    "TypeCast": _cast,
    "A_Expr": _operator_expression,
    "BoolExpr": _boolean,
    "NullTest": _null_test,
    "BooleanTest": _boolean_test,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "MinMaxExpr": _greatest,
    "CollateClause": _collate,
    "SQLValueFunction": sql_values.sql_value,
    "NamedArgExpr": _named_argument,
    "SetToDefault": _default,
    "MultiAssignRef": _multi_assign,
    "FuncCall": calls.function_call,
    "GroupingFunc": calls.grouping,
    "A_ArrayExpr": rows.array,
    "RowExpr": rows.construct,
    "A_Indirection": subscripts.indirection,
    "SubLink": sublinks.transform_sublink,
    "Typed": _typed_already,
    "MergeSupportFunc": _merge_action,
    **json_constructs.HANDLERS,
    "JsonFuncExpr": json_queries.json_function,
}

# What the user calls a construct that has no handler yet.
_WORDS = {
    "XmlExpr": "XML expression",
    "XmlSerialize": "XMLSERIALIZE",
    "CurrentOfExpr": "WHERE CURRENT OF",
}

"""SQL/JSON query functions: JSON_EXISTS, JSON_VALUE, JSON_QUERY (transformJsonFuncExpr).

The input becomes jsonb and the path jsonpath. The call carries what ON EMPTY and ON ERROR say as words, and their DEFAULT
expressions as arguments, which are therefore computed always. The functions of functions/json_queries carry it out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import Context, coerce_to
from translator.analyze.json_constructs import Pieces, Returning, returning, returning_pieces, value, value_pieces, written
from translator.analyze.rows import resolve_unknown
from translator.analyze.scope import Scope
from translator.errors import SqlError, unsupported
from translator.quoting import quote_identifier
from translator.typed import call, integer, location_of, string, type_of, typed

Node = dict[str, Any]

_JSONPATH = 4072


@dataclass(frozen=True, slots=True)
class _Function:
    """Facts of one of the three functions."""

    name: str
    type_oid: int  # without RETURNING
    on_error: str
    behaviors: tuple[str, ...]
    words: str


_FUNCTIONS = {
    "JSON_EXISTS_OP": _Function(
        "JSON_EXISTS", oids.BOOL, "FALSE", ("ERROR", "TRUE", "FALSE", "UNKNOWN"), "ERROR, TRUE, FALSE, or UNKNOWN"
    ),
    "JSON_VALUE_OP": _Function(
        "JSON_VALUE", oids.TEXT, "NULL", ("ERROR", "NULL", "DEFAULT"), "ERROR, NULL, or DEFAULT expression"
    ),
    "JSON_QUERY_OP": _Function(
        "JSON_QUERY",
        oids.JSONB,
        "NULL",
        ("ERROR", "NULL", "EMPTY", "EMPTY_ARRAY", "EMPTY_OBJECT", "DEFAULT"),
        "ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT, or DEFAULT expression",
    ),
}


def json_function(scope: Scope, node: Node) -> exp.Expr:
    """A JsonFuncExpr node."""
    operation = node.get("op", "JSON_EXISTS_OP")
    function = _FUNCTIONS[operation]
    location = node.get("location")
    _check_clauses(node, function)
    item = value(scope, node["context_item"], "JS_FORMAT_JSON", oids.JSONB)
    names = [argument["JsonArgument"]["name"] for argument in node.get("passing", ())]
    passed = [_passed(scope, argument["JsonArgument"]["val"]) for argument in node.get("passing", ())]
    arguments = [item, _path(scope, node["pathspec"]), string(json.dumps(names))]
    on_error = _behavior(node, "on_error", function.on_error)
    pieces = [f"{function.name}(", *value_pieces(item), ", ", *_path_pieces(arguments[1])]
    for number, (name, argument) in enumerate(zip(names, passed, strict=True)):
        pieces += [", " if number else " PASSING ", *value_pieces(argument), f" AS {quote_identifier(name)}"]
    if operation == "JSON_EXISTS_OP":
        made = _call(function, [*arguments, string(on_error)], passed, Returning(oids.BOOL), location)
        return written(scope, made, [*pieces, *_behavior_pieces(function, "ERROR", on_error, None), ")"])
    output = node.get("output")
    result = returning(scope, output, formatted=False) if output else Returning(function.type_oid)
    on_empty = _behavior(node, "on_empty", "NULL")
    arguments += [integer(result.type_oid), integer(result.typmod), string(on_empty), string(on_error)]
    defaults = [_default(scope, node, key, result) for key in ("on_empty", "on_error")]
    arguments += defaults
    pieces += returning_pieces(result, result.type_oid, formatted=operation == "JSON_QUERY_OP")
    if operation == "JSON_QUERY_OP":
        wrapper = node.get("wrapper", "JSW_UNSPEC").removeprefix("JSW_")
        omit = node.get("quotes") == "JS_QUOTES_OMIT"
        arguments += [string(wrapper), integer(omit)]
        pieces.append(_WRAPPERS.get(wrapper, " WITHOUT WRAPPER") + (" OMIT QUOTES" if omit else " KEEP QUOTES"))
    for clause, word, default in zip(("EMPTY", "ERROR"), (on_empty, on_error), defaults, strict=True):
        pieces += _behavior_pieces(function, clause, word, default)
    made = written(scope, _call(function, arguments, passed, result, location), [*pieces, ")"])
    return _of_domain(scope, made, result, on_error)


_WRAPPERS = {"CONDITIONAL": " WITH CONDITIONAL WRAPPER", "UNCONDITIONAL": " WITH UNCONDITIONAL WRAPPER"}


def _path_pieces(path: exp.Expr) -> Pieces:
    """A constant path is written without its type (get_json_path_spec)."""
    if isinstance(path, exp.Literal):
        return ["'" + str(path.this).replace("'", "''") + "'"]
    return [path.copy()]


def _behavior_pieces(function: _Function, clause: str, word: str, default: exp.Expr | None) -> Pieces:
    """ON EMPTY or ON ERROR where it says something else than without it (get_json_behavior)."""
    if word == function.on_error:
        return []
    words = word.replace("_", " ")
    return [f" {words} ", *([] if word != "DEFAULT" or default is None else [default.copy(), " "]), f"ON {clause}"]


def _call(
    function: _Function, arguments: list[exp.Expr], passed: list[exp.Expr], result: Returning, location: int | None
) -> exp.Expr:
    node = call(f"sql_{function.name.lower()}", *arguments, *passed)
    node.meta["argument_types"] = types = tuple(type_of(argument) for argument in passed)
    if _is_mutable(arguments[1], types):
        node.meta["stable"] = True
    return typed(node, result.type_oid, result.typmod, location)


_CONVERSIONS = re.compile(r"\.(date|time|time_tz|timestamp|timestamp_tz)\(")
_COMPARISONS = re.compile("[<>=]")
_DATETIMES = {oids.DATE, oids.TIME, oids.TIMETZ, oids.TIMESTAMP, oids.TIMESTAMPTZ}


def _is_mutable(path: exp.Expr, passed: tuple[int, ...]) -> bool:
    """Whether the time zone may show in the result, as far as the path's text tells (jspIsMutable is more exact)."""
    if not isinstance(path, exp.Literal):
        return True
    text = str(path.this)
    if _CONVERSIONS.search(text):
        return True
    moments = ".datetime(" in text or not _DATETIMES.isdisjoint(passed)
    return moments and _COMPARISONS.search(text) is not None


def _check_clauses(node: Node, function: _Function) -> None:
    """What the grammar lets pass but the function has no use for. Raises 42601."""
    output = node.get("output")
    is_query = function.name == "JSON_QUERY"
    if output is not None and not is_query:
        given = output.get("returning", {}).get("format", {})
        if given.get("format_type", "JS_FORMAT_DEFAULT") != "JS_FORMAT_DEFAULT":
            raise SqlError(
                codes.SYNTAX_ERROR,
                f"cannot specify FORMAT JSON in RETURNING clause of {function.name}()",
                location=given.get("location"),
            )
    if is_query and node.get("quotes") == "JS_QUOTES_OMIT" and node.get("wrapper") in ("JSW_CONDITIONAL", "JSW_UNCONDITIONAL"):
        message = "SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used"
        raise SqlError(codes.SYNTAX_ERROR, message, location=node.get("location"))
    for key, clause in (("on_empty", "ON EMPTY"), ("on_error", "ON ERROR")):
        behavior = node.get(key)
        if behavior is not None and _word(behavior) not in function.behaviors:
            raise SqlError(
                codes.SYNTAX_ERROR,
                f"invalid {clause} behavior",
                detail=f"Only {function.words} is allowed in {clause} for {function.name}().",
                location=behavior.get("location"),
            )


def _word(behavior: Node) -> str:
    return str(behavior.get("btype", "JSON_BEHAVIOR_NULL")).removeprefix("JSON_BEHAVIOR_")


def _behavior(node: Node, key: str, default: str) -> str:
    """What ON EMPTY or ON ERROR says; EMPTY is short for EMPTY ARRAY."""
    word = _word(node[key]) if node.get(key) else default
    return "EMPTY_ARRAY" if word == "EMPTY" else word


def _path(scope: Scope, node: Node) -> exp.Expr:
    from translator.analyze.expressions import transform

    path = transform(scope, node)
    made = coerce_to(scope.analysis, path, _JSONPATH, -1, Context.EXPLICIT, location_of(path))
    if made is None:
        name = scope.analysis.type_name(type_of(path))
        message = f"JSON path expression must be of type jsonpath, not of type {name}"
        raise SqlError(codes.DATATYPE_MISMATCH, message, location=location_of(path))
    return made


def _passed(scope: Scope, node: Node) -> exp.Expr:
    return resolve_unknown(scope, value(scope, node, "JS_FORMAT_JSONB", passed=True))


def _default(scope: Scope, node: Node, key: str, result: Returning) -> exp.Expr:
    """DEFAULT expression of a clause as the result's type, NULL where there is none (transformJsonBehavior)."""
    from translator.analyze.expressions import transform

    behavior = node.get(key)
    if behavior is None or _word(behavior) != "DEFAULT":
        return typed(exp.Null(), result.type_oid)
    default = transform(scope, behavior["expr"])
    location = location_of(default)
    if not isinstance(default, exp.Column) and default.find(exp.Column) is not None:
        message = "DEFAULT expression must not contain column references"
        raise SqlError(codes.DATATYPE_MISMATCH, message, location=location)
    if default.find(exp.Column, exp.Subquery, exp.Query, exp.Case, exp.Window) is not None:
        message = "can only specify a constant, non-aggregate function, or operator expression for DEFAULT"
        raise SqlError(codes.DATATYPE_MISMATCH, message, location=location)
    made = coerce_to(scope.analysis, default, result.type_oid, result.typmod, Context.EXPLICIT, location)
    if made is None:
        target = scope.analysis.type_name(result.type_oid)
        raise SqlError(
            codes.CANNOT_COERCE,
            f"cannot cast behavior expression of type {scope.analysis.type_name(type_of(default))} to {target}",
            hint=f"You will need to explicitly cast the expression to type {target}.",
            location=location,
        )
    return made


def _of_domain(scope: Scope, node: exp.Expr, result: Returning, on_error: str) -> exp.Expr:
    """The constraints of a domain are tested outside of the call, which is right only where they raise errors."""
    catalog = scope.analysis.catalog
    if catalog.type(result.type_oid).kind != "d" or not catalog.domain_constraints(result.type_oid):
        return node
    if on_error != "ERROR":
        raise unsupported("RETURNING a domain with constraints without ERROR ON ERROR", location_of(node))
    typed(node, catalog.base_type(result.type_oid))
    return coerce_to(scope.analysis, node, result.type_oid, -1, Context.EXPLICIT, location_of(node)) or node

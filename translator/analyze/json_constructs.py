"""SQL/JSON constructors: JSON_OBJECT, JSON_ARRAY, their aggregates, JSON(), JSON_SCALAR, JSON_SERIALIZE, and IS JSON.

What they give is json, or jsonb where RETURNING or an argument says so, and is coerced to the type of RETURNING
(transformJsonConstructorOutput, coerceJsonFuncExpr). The functions of functions/json_constructors carry them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.calls import function_call
from translator.analyze.coerce import Context, cannot_cast, coerce_to
from translator.analyze.rows import resolve_unknown
from translator.analyze.scope import Scope
from translator.errors import SqlError
from translator.typed import call, expanded, integer, location_of, string, type_of, typed

Node = dict[str, Any]

_DEFAULT, _JSON, _JSONB = "JS_FORMAT_DEFAULT", "JS_FORMAT_JSON", "JS_FORMAT_JSONB"
_NO_ENCODING, _UTF8 = "JS_ENC_DEFAULT", "JS_ENC_UTF8"
_PLAIN: Node = {"format_type": _DEFAULT, "encoding": _NO_ENCODING}
_ANY_KIND = "JS_TYPE_ANY"


@dataclass(frozen=True, slots=True)
class Returning:
    """What RETURNING says (JsonReturning); no type where there is no such clause."""

    type_oid: int = 0
    typmod: int = -1
    format: str = _DEFAULT

    @property
    def binary(self) -> bool:
        return self.format == _JSONB


def returning(scope: Scope, output: Node | None, *, formatted: bool = True) -> Returning:
    """The RETURNING clause (transformJsonOutput). `formatted`: FORMAT JSON may go with types that are no strings."""
    if output is None:
        return Returning()
    location = output["typeName"].get("location")
    if output["typeName"].get("setof"):
        message = "returning SETOF types is not supported in SQL/JSON functions"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=location)
    type_oid, typmod = scope.analysis.resolve_type(output["typeName"])
    if scope.analysis.catalog.type(type_oid).kind == "p":
        message = "returning pseudo-types is not supported in SQL/JSON functions"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=location)
    given = output.get("returning", {}).get("format", _PLAIN)
    if given["format_type"] == _DEFAULT:
        return Returning(type_oid, typmod, _JSONB if type_oid == oids.JSONB else _JSON)
    _check_output_format(scope, given, type_oid, formatted=formatted)
    return Returning(type_oid, typmod, given["format_type"])


def _check_output_format(scope: Scope, given: Node, type_oid: int, *, formatted: bool) -> None:
    location = given.get("location")
    if not formatted and type_oid not in (oids.BYTEA, oids.JSON, oids.JSONB) and not _is_string(scope, type_oid):
        message = "cannot use JSON format with non-string output types"
        raise SqlError(codes.DATATYPE_MISMATCH, message, location=location)
    encoding = given.get("encoding", _NO_ENCODING)
    if encoding != _NO_ENCODING and type_oid != oids.BYTEA:
        message = "cannot set JSON encoding for non-bytea output types"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=location)
    check_encoding(encoding, location)


def check_encoding(encoding: str, location: int | None) -> None:
    """Raises 0A000 for an encoding other than UTF8."""
    if encoding not in (_NO_ENCODING, _UTF8):
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            "unsupported JSON encoding",
            hint="Only UTF8 JSON encoding is supported.",
            location=location,
        )


def _is_string(scope: Scope, type_oid: int) -> bool:
    return scope.analysis.catalog.type(scope.analysis.catalog.base_type(type_oid)).category == "S"


# What PASSING takes as it is, without making JSON of it (transformJsonValueExpr).
_PASSED = {oids.BOOL, oids.NUMERIC, oids.INT2, oids.INT4, oids.INT8, oids.FLOAT4, oids.FLOAT8, oids.TEXT, oids.VARCHAR}
_PASSED |= {oids.DATE, oids.TIME, oids.TIMETZ, oids.TIMESTAMP, oids.TIMESTAMPTZ}


def value(scope: Scope, item: Node, default: str = _DEFAULT, target: int = 0, *, passed: bool = False) -> exp.Expr:
    """`expression [FORMAT JSON]` as a value, or as json where the format says that it is JSON (transformJsonValueExpr)."""
    from translator.analyze.expressions import transform

    node = transform(scope, item["raw_expr"])
    made = _as_json(scope, node, item, default, target, passed=passed)
    if scope.analysis.keeps_form:
        made.meta["written"] = (node.copy(), _format_words(item.get("format", _PLAIN)))
    return made


def _as_json(scope: Scope, node: exp.Expr, item: Node, default: str, target: int, *, passed: bool) -> exp.Expr:
    source = type_of(node)
    given = item.get("format", _PLAIN)
    location = location_of(node)
    if given["format_type"] != _DEFAULT:
        encoding = given.get("encoding", _NO_ENCODING)
        if encoding != _NO_ENCODING and source != oids.BYTEA:
            message = "JSON ENCODING clause is only allowed for bytea input type"
            raise SqlError(codes.DATATYPE_MISMATCH, message, location=location)
        check_encoding(encoding, given.get("location"))
    if source in (oids.JSON, oids.JSONB):
        format = _DEFAULT
    elif given["format_type"] != _DEFAULT:
        format = given["format_type"]
    elif passed and (source in _PASSED or _is_string(scope, source)):
        return node
    else:
        format = default
    if format == _DEFAULT and (not target or source == target):
        return node
    return _formatted(scope, node, format, target, given, passed=passed)


def _formatted(scope: Scope, node: exp.Expr, format: str, target: int, given: Node, *, passed: bool) -> exp.Expr:
    source, location = type_of(node), location_of(node)
    if not passed and not target and source not in (oids.BYTEA, oids.UNKNOWN) and not _is_string(scope, source):
        how = "implicit" if given["format_type"] == _DEFAULT else "explicit"
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"cannot use non-string types with {how} FORMAT JSON clause",
            location=given["location"] if given.get("location", -1) >= 0 else location,
        )
    if source == oids.UNKNOWN:  # read as JSON when the statement runs, not now
        node = resolve_unknown(scope, node)
    if format == _JSON and source == oids.BYTEA:
        node = typed(call("pg_convert_from", node, string("UTF8")), oids.TEXT, -1, location)
    target = target or (oids.JSONB if format == _JSONB else oids.JSON)
    made = coerce_to(scope.analysis, node, target, -1, Context.EXPLICIT, location)
    if made is not None:
        return made
    if not passed:
        raise cannot_cast(scope.analysis, type_of(node), target, location)
    return typed(call("to_json" if target == oids.JSON else "to_jsonb", node), target, -1, location)


# What a construct looks like in SQL: text, expressions, and types as (OID, modifier); deparse puts it together.
Pieces = list[Any]


def written(scope: Scope, node: exp.Expr, pieces: Pieces) -> exp.Expr:
    """Note what the node was written as, where the tree is to be printed again."""
    if not scope.analysis.keeps_form:
        return node
    form = call("json:written")
    form.meta["pieces"] = pieces
    return expanded(node, form)


def value_pieces(node: exp.Expr) -> Pieces:
    """A value with its FORMAT clause."""
    return list(node.meta.get("written", (node,)))


def _format_words(given: Node) -> str:
    if given["format_type"] == _DEFAULT:
        return ""
    encoding = given.get("encoding", _NO_ENCODING)
    return " FORMAT JSON" + ("" if encoding == _NO_ENCODING else f" ENCODING {encoding.removeprefix('JS_ENC_')}")


def returning_pieces(result: Returning, type_oid: int, *, formatted: bool) -> Pieces:
    """RETURNING, which PostgreSQL always writes out (get_json_returning); the format where it is not the type's own."""
    typmod = result.typmod if result.type_oid else -1
    pieces: Pieces = [" RETURNING ", (type_oid, typmod)]
    own = _JSONB if type_oid == oids.JSONB else _JSON
    if formatted and result.format not in (own, _DEFAULT):
        pieces.append(f" FORMAT {result.format.removeprefix('JS_FORMAT_')}")
    return pieces


def _joined(parts: Sequence[Pieces]) -> Pieces:
    return [piece for number, part in enumerate(parts) for piece in ([", "] if number else []) + part]


def _binary(result: Returning, arguments: Sequence[exp.Expr]) -> bool:
    """Whether the constructor makes jsonb: by RETURNING, or else if an argument is jsonb."""
    if result.type_oid:
        return result.binary
    return any(type_of(argument) == oids.JSONB for argument in arguments)


def coerced(scope: Scope, node: exp.Expr, result: Returning, location: int | None) -> exp.Expr:
    """A json or jsonb as the type of RETURNING (coerceJsonFuncExpr)."""
    if not result.type_oid or result.type_oid == type_of(node):
        return node
    if result.format == _JSON and result.type_oid == oids.BYTEA:
        text = coerce_to(scope.analysis, node, oids.TEXT, -1, Context.EXPLICIT, location)
        assert text is not None
        return typed(call("pg_convert_to", text, string("UTF8")), oids.BYTEA, -1, location)
    # a text that is too long for varchar(n) is an error, as in an assignment
    context = Context.ASSIGNMENT if _is_string(scope, result.type_oid) else Context.EXPLICIT
    made = coerce_to(scope.analysis, node, result.type_oid, result.typmod, context, location)
    if made is None:
        raise cannot_cast(scope.analysis, type_of(node), result.type_oid, None)
    return made


def _constructor(
    scope: Scope,
    name: str,
    flags: Sequence[bool],
    arguments: list[exp.Expr],
    result: Returning,
    location: int | None,
    pieces: Pieces,
) -> exp.Expr:
    binary = _binary(result, arguments)
    arguments = [resolve_unknown(scope, argument) for argument in arguments]
    node = call(f"{'jsonb' if binary else 'json'}_{name}", *[integer(flag) for flag in flags], *arguments)
    node.meta["argument_types"] = tuple(type_of(argument) for argument in arguments)
    made = coerced(scope, typed(node, oids.JSONB if binary else oids.JSON, -1, location), result, location)
    return written(scope, made, [*pieces, *returning_pieces(result, type_of(made), formatted=True), ")"])


def json_object(scope: Scope, node: Node) -> exp.Expr:
    """JSON_OBJECT(key: value, …)."""
    from translator.analyze.expressions import transform

    arguments = []
    for item in node.get("exprs", ()):
        pair = item["JsonKeyValue"]
        arguments += [transform(scope, pair["key"]), value(scope, pair["value"])]
    flags = [bool(node.get("absent_on_null")), bool(node.get("unique"))]
    result = returning(scope, node.get("output"))
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    words = " ABSENT ON NULL" * flags[0] + " WITH UNIQUE KEYS" * flags[1]
    pieces = ["JSON_OBJECT(", *_joined([[key, " : ", *value_pieces(item)] for key, item in pairs]), words]
    return _constructor(scope, "construct_object", flags, arguments, result, node.get("location"), pieces)


def json_array(scope: Scope, node: Node) -> exp.Expr:
    """JSON_ARRAY(value, …)."""
    arguments = [value(scope, item["JsonValueExpr"]) for item in node.get("exprs", ())]
    flags = [bool(node.get("absent_on_null"))]
    result = returning(scope, node.get("output"))
    words = "" if flags[0] else " NULL ON NULL"
    pieces = ["JSON_ARRAY(", *_joined([value_pieces(argument) for argument in arguments]), words]
    return _constructor(scope, "construct_array", flags, arguments, result, node.get("location"), pieces)


def json_array_query(scope: Scope, node: Node) -> exp.Expr:
    """JSON_ARRAY(query): `(SELECT JSON_ARRAYAGG(a) FROM (query) AS q(a))` (transformJsonArrayQueryConstructor)."""
    from translator.analyze.expressions import transform
    from translator.analyze.select import transform_query

    columns = transform_query(scope.child(), node["query"]).targets
    if len(columns) != 1:
        raise SqlError(codes.SYNTAX_ERROR, "subquery must return only one column", location=node.get("location"))
    constructor = {key: node[key] for key in ("output", "location") if key in node}
    argument = {"raw_expr": _column_reference("q", "a"), "format": node.get("format", _PLAIN)}
    aggregate = {"constructor": constructor, "arg": argument, "absent_on_null": node.get("absent_on_null", False)}
    alias = {"aliasname": "q", "colnames": [{"String": {"sval": "a"}}]}
    query = {
        "targetList": [{"ResTarget": {"val": {"JsonArrayAgg": aggregate}}}],
        "fromClause": [{"RangeSubselect": {"subquery": node["query"], "alias": alias}}],
        "limitOption": "LIMIT_OPTION_DEFAULT",
        "op": "SETOP_NONE",
    }
    link = {"subLinkType": "EXPR_SUBLINK", "subselect": {"SelectStmt": query}, "location": node.get("location")}
    return transform(scope, {"SubLink": link})


def _column_reference(*names: str) -> Node:
    return {"ColumnRef": {"fields": [{"String": {"sval": name}} for name in names]}}


def json_object_aggregate(scope: Scope, node: Node) -> exp.Expr:
    """JSON_OBJECTAGG(key: value)."""
    from translator.analyze.expressions import transform

    arguments = [transform(scope, node["arg"]["key"]), value(scope, node["arg"]["value"])]
    unique, absent = bool(node.get("unique")), bool(node.get("absent_on_null"))
    name = "object_agg" + "_unique" * unique + "_strict" * absent
    words = " ABSENT ON NULL" * absent + " WITH UNIQUE KEYS" * unique
    return _aggregate(scope, node["constructor"], name, arguments, ("JSON_OBJECTAGG", words))


def json_array_aggregate(scope: Scope, node: Node) -> exp.Expr:
    """JSON_ARRAYAGG(value)."""
    name, words = ("agg_strict", "") if node.get("absent_on_null") else ("agg", " NULL ON NULL")
    return _aggregate(scope, node["constructor"], name, [value(scope, node["arg"])], ("JSON_ARRAYAGG", words))


def _aggregate(scope: Scope, node: Node, name: str, arguments: list[exp.Expr], words: tuple[str, str]) -> exp.Expr:
    result = returning(scope, node.get("output"))
    function = f"{'jsonb' if _binary(result, arguments) else 'json'}_{name}"
    function_node: Node = {
        "funcname": [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": function}}],
        "args": [{"Typed": {"node": resolve_unknown(scope, argument)}} for argument in arguments],
        **{key: node[key] for key in ("agg_filter", "agg_order", "over", "location") if key in node},
    }
    made = function_call(scope, function_node)
    converted = coerced(scope, made, result, node.get("location"))
    if not scope.analysis.keeps_form:
        return converted
    options = [words[1], *returning_pieces(result, type_of(converted), formatted=True)]
    _call_in(made).meta["json"] = words[0], [value_pieces(argument) for argument in arguments], options
    return converted if converted is made else expanded(converted, made)


def _call_in(node: exp.Expr) -> exp.Expr:
    """The aggregate's call inside of FILTER and OVER."""
    while isinstance(node, exp.Window | exp.Filter):
        node = node.this
    return node


def _text_argument(scope: Scope, item: Node) -> exp.Expr:
    """An argument that must be text, json or jsonb; strings and bytea become text (transformJsonParseArg)."""
    from translator.analyze.expressions import transform

    node = transform(scope, item["raw_expr"])
    source, location = type_of(node), location_of(node)
    if source == oids.BYTEA:
        return typed(call("pg_convert_from", node, string("UTF8")), oids.TEXT, -1, location)
    if source == oids.UNKNOWN or (source not in (oids.JSON, oids.JSONB, oids.TEXT) and _is_string(scope, source)):
        return coerce_to(scope.analysis, node, oids.TEXT, -1, Context.EXPLICIT, location) or node
    return node


def is_json(scope: Scope, node: Node) -> exp.Expr:
    """The predicate x IS JSON [VALUE | SCALAR | ARRAY | OBJECT] [WITH UNIQUE KEYS]."""
    argument = _text_argument(scope, {"raw_expr": node["expr"]})
    location = node.get("location")
    if type_of(argument) not in (oids.TEXT, oids.JSON, oids.JSONB):
        name = scope.analysis.type_name(type_of(argument))
        raise SqlError(codes.DATATYPE_MISMATCH, f"cannot use type {name} in IS JSON predicate")
    kind = node.get("item_type", _ANY_KIND).removeprefix("JS_TYPE_").lower()
    made = call("is_json", argument, string(kind), integer(bool(node.get("unique_keys"))))
    words = f" IS JSON{'' if kind == 'any' else ' ' + kind.upper()}{' WITH UNIQUE KEYS' if node.get('unique_keys') else ''}"
    typed(made, oids.BOOL, -1, location)
    return expanded(made, call("json:predicate", argument, words=words)) if scope.analysis.keeps_form else made


def _json_returning(scope: Scope, output: Node | None, name: str) -> Returning:
    """RETURNING of JSON() and JSON_SCALAR: json or jsonb (transformJsonReturning)."""
    if output is None:
        return Returning(oids.JSON, -1, _JSON)
    result = returning(scope, output)
    if result.type_oid not in (oids.JSON, oids.JSONB):
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"cannot use type {scope.analysis.type_name(result.type_oid)} in RETURNING clause of {name}",
            hint="Try returning json or jsonb.",
            location=output["typeName"].get("location"),
        )
    return result


def json_parse(scope: Scope, node: Node) -> exp.Expr:
    """JSON(text [WITH UNIQUE KEYS])."""
    result = _json_returning(scope, node.get("output"), "JSON()")
    location = node.get("location")
    if not node.get("unique_keys"):
        made = value(scope, node["expr"], _JSON, result.type_oid)
        return written(scope, made, ["JSON(", *value_pieces(made), ")"])
    argument = _text_argument(scope, node["expr"])
    if type_of(argument) != oids.TEXT:
        message = "cannot use non-string types with WITH UNIQUE KEYS clause"
        raise SqlError(codes.DATATYPE_MISMATCH, message, location=location)
    name = "jsonb_parse_unique" if result.binary else "json_parse_unique"
    made = typed(call(name, argument), result.type_oid, -1, location)
    return written(scope, made, ["JSON(", argument, " WITH UNIQUE KEYS)"])


def json_scalar(scope: Scope, node: Node) -> exp.Expr:
    """JSON_SCALAR(value)."""
    from translator.analyze.expressions import transform

    result = _json_returning(scope, node.get("output"), "JSON_SCALAR()")
    argument = resolve_unknown(scope, transform(scope, node["expr"]))
    made = typed(call("to_jsonb" if result.binary else "to_json", argument), result.type_oid, -1, node.get("location"))
    return written(scope, made, ["JSON_SCALAR(", argument, ")"])


def json_serialize(scope: Scope, node: Node) -> exp.Expr:
    """JSON_SERIALIZE(json): text, another string type or bytea."""
    argument = value(scope, node["expr"], _JSON)
    output = node.get("output")
    result = returning(scope, output) if output is not None else Returning(oids.TEXT, -1, _JSON)
    if output is not None and result.type_oid != oids.BYTEA and not _is_string(scope, result.type_oid):
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"cannot use type {scope.analysis.type_name(result.type_oid)} in RETURNING clause of JSON_SERIALIZE()",
            hint="Try returning a string type or bytea.",
        )
    made = coerced(scope, argument, result, node.get("location"))
    pieces = ["JSON_SERIALIZE(", *value_pieces(argument), *returning_pieces(result, result.type_oid, formatted=True), ")"]
    return written(scope, made, pieces)


HANDLERS = {
    "JsonObjectConstructor": json_object,
    "JsonArrayConstructor": json_array,
    "JsonArrayQueryConstructor": json_array_query,
    "JsonObjectAgg": json_object_aggregate,
    "JsonArrayAgg": json_array_aggregate,
    "JsonIsPredicate": is_json,
    "JsonParseExpr": json_parse,
    "JsonScalarExpr": json_scalar,
    "JsonSerializeExpr": json_serialize,
}

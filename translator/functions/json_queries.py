"""JSON_EXISTS, JSON_VALUE and JSON_QUERY: run a path, choose what ON EMPTY and ON ERROR say, make it the RETURNING type.

Arguments: the types of what PASSING gives, the jsonb, the path, the names of PASSING, then what the function needs, and
the values of PASSING (ExecEvalJsonExprPath; JsonPathExists, JsonPathValue, JsonPathQuery of jsonpath_exec.c).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.json_record import field_value
from translator.functions.jsonpath import Execution, exists_in, parse_path
from translator.functions.jsonpath_datetime import Moment, moment_of
from translator.functions.jsonpath_items import PathError
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.array import Array
from translator.types.composite import Composite
from translator.types.domain import underlying
from translator.types.json import JsonValue, parse, print_jsonb, read
from translator.types.names import sql_name
from translator.types.registry import builtin, type_of

if TYPE_CHECKING:
    from translator.types.base import Stored

_BOOL, _BYTEA, _JSON, _JSONB = 16, 17, 114, 3802
_NUMBERS = {20, 21, 23, 700, 701, 1700}
_STRINGS = {25, 1043}
_CONSTANTS = {"EMPTY_ARRAY": "[]", "EMPTY_OBJECT": "{}"}
_EXISTS_RESULTS = {"TRUE": True, "FALSE": False, "UNKNOWN": None}


class _Failed(Exception):  # noqa: N818  (it never leaves this file)
    """The path or the coercion of its result failed, and ON ERROR says what to do."""


def _split(arguments: tuple[Any, ...], fixed: int) -> tuple[tuple[Any, ...], list[int], tuple[Any, ...]]:
    """The fixed arguments, the types and the values of PASSING."""
    count = (len(arguments) - fixed) // 2
    return arguments[count : count + fixed], list(arguments[:count]), arguments[count + fixed :]


def _variables(names: str, types: list[int], values: tuple[Any, ...]) -> dict[str, JsonValue]:
    return {name: _item(oid, value) for name, oid, value in zip(json.loads(names), types, values, strict=True)}


def _item(oid: int, value: Stored | None) -> Any:
    """JsonItemFromDatum."""
    if value is None:
        return None
    if oid == _BOOL:
        return bool(value)
    if oid in _NUMBERS:
        return parse(builtin(oid).output(value, runtime.settings))
    if oid in _STRINGS:
        return value
    if oid in {_JSON, _JSONB}:
        return parse(str(value))
    found = moment_of(oid, str(value))
    if found is None:
        message = f"could not convert value of type {sql_name(oid)} to jsonpath"
        raise SqlError(codes.INVALID_PARAMETER_VALUE, message)
    return found


def _run(item: str, path: str, variables: dict[str, JsonValue], *, throwing: bool) -> list[Any]:
    lax, chain = parse_path(path)
    execution = Execution(lax, read(item), variables, throwing=throwing, zoned=True)
    found: list[Any] = []
    try:
        execution.run(chain, execution.root, found)
    except PathError:
        if throwing:
            raise
        raise _Failed from None
    return found


@function("sql_json_exists", strict=False, types="arguments", deterministic=False)
def sql_json_exists(*arguments: Any) -> bool | None:
    (item, path, names, on_error), types, values = _split(arguments, 4)
    if item is None or path is None:
        return None
    lax, chain = parse_path(path)
    throwing = on_error == "ERROR"
    execution = Execution(lax, read(item), _variables(names, types, values), throwing=throwing, zoned=True)
    found = exists_in(execution, chain, silent=not throwing)
    return _EXISTS_RESULTS[on_error] if found is None else found


@function("sql_json_value", strict=False, types="arguments", deterministic=False)
def sql_json_value(*arguments: Any) -> Stored | None:
    fixed, types, values = _split(arguments, 9)
    item, path, names, oid, typmod, on_empty, on_error, empty_default, error_default = fixed
    if item is None or path is None:
        return None
    throwing = on_error == "ERROR"
    try:
        found = _run(item, path, _variables(names, types, values), throwing=throwing)
        if found:
            return _scalar(found, oid, typmod, throwing=throwing)
    except _Failed:
        return _otherwise(oid, typmod, on_error, error_default, "ON ERROR")
    return _empty(oid, typmod, on_empty, empty_default)


def _scalar(found: list[Any], oid: int, typmod: int, *, throwing: bool) -> Stored | None:
    (value, *others) = found
    if others or isinstance(value, dict | list):
        if not throwing:
            raise _Failed
        code = codes.MORE_THAN_ONE_SQL_JSON_ITEM if others else codes.SQL_JSON_SCALAR_REQUIRED
        raise SqlError(code, "JSON path expression in JSON_VALUE must return single scalar item")
    if value is None:
        return None
    if oid in {_JSON, _JSONB}:
        return print_jsonb(value.text() if isinstance(value, Moment) else value)
    return _input(_scalar_text(value), oid, typmod, throwing=throwing)


def _scalar_text(value: Any) -> str:
    """ExecGetJsonValueItemString."""
    if isinstance(value, Moment):
        type_oid, stored = value.stored()
        return builtin(type_oid).output(stored, runtime.settings)
    if isinstance(value, bool):
        return "t" if value else "f"
    return value if isinstance(value, str) else print_jsonb(value)


def _input(text: str, oid: int, typmod: int, *, throwing: bool) -> Stored:
    try:
        return type_of(oid).input(text, runtime.settings, typmod)
    except SqlError:
        if throwing:
            raise
        raise _Failed from None


@function("sql_json_query", strict=False, types="arguments", deterministic=False)
def sql_json_query(*arguments: Any) -> Stored | None:
    fixed, types, values = _split(arguments, 11)
    item, path, names, oid, typmod, on_empty, on_error, empty_default, error_default, wrapper, omit = fixed
    if item is None or path is None:
        return None
    throwing = on_error == "ERROR"
    try:
        found = _run(item, path, _variables(names, types, values), throwing=throwing)
        if found:
            value = _wrapped(found, wrapper, throwing=throwing)
            return _populated_or_failed(value, oid, typmod, omit=bool(omit), throwing=throwing)
    except _Failed:
        return _otherwise(oid, typmod, on_error, error_default, "ON ERROR")
    return _empty(oid, typmod, on_empty, empty_default)


def _populated_or_failed(value: JsonValue, oid: int, typmod: int, *, omit: bool, throwing: bool) -> Stored | None:
    try:
        return _populated(value, oid, typmod, omit=omit)
    except SqlError:
        if throwing:
            raise
        raise _Failed from None


def _wrapped(found: list[Any], wrapper: str, *, throwing: bool) -> JsonValue:
    found = [value.text() if isinstance(value, Moment) else value for value in found]
    if wrapper == "UNCONDITIONAL" or (wrapper == "CONDITIONAL" and len(found) > 1):
        return found
    if len(found) == 1:
        return found[0]
    if not throwing:
        raise _Failed
    raise SqlError(
        codes.MORE_THAN_ONE_SQL_JSON_ITEM,
        "JSON path expression in JSON_QUERY must return single item when no wrapper is requested",
        hint="Use the WITH WRAPPER clause to wrap SQL/JSON items into an array.",
    )


def _populated(value: JsonValue, oid: int, typmod: int, *, omit: bool) -> Stored | None:
    """A JSON value as one of a type (json_populate_type). `omit`: a string without its quotes."""
    type = type_of(oid)
    text = print_jsonb(value)
    base = underlying(type)
    if omit and isinstance(value, str):
        return type.input(value, runtime.settings, typmod)
    if base.oid in {_JSON, _JSONB}:
        return text
    if value is None:
        return None
    if base.oid == _BYTEA:  # the bytes of the text
        return text.encode()
    if isinstance(base, Array) and isinstance(value, str):
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, "expected JSON array")
    if isinstance(base, Composite) and isinstance(value, str):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "cannot call populate_composite on a scalar")
    if isinstance(base, Array | Composite):
        return field_value(type, typmod, text, (0, len(text)), "")
    return type.input(text, runtime.settings, typmod)


def _empty(oid: int, typmod: int, behavior: str, default: Stored | None) -> Stored | None:
    if behavior == "ERROR":
        raise SqlError(codes.NO_SQL_JSON_ITEM, "no SQL/JSON item found for specified path")
    return _otherwise(oid, typmod, behavior, default, "ON EMPTY")


def _otherwise(oid: int, typmod: int, behavior: str, default: Stored | None, clause: str) -> Stored | None:
    """What a behavior other than ERROR gives."""
    constant = _CONSTANTS.get(behavior)
    if constant is None:
        return default
    try:
        return _populated(read(constant), oid, typmod, omit=False)
    except SqlError as error:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"could not coerce {clause} expression ({behavior.replace('_', ' ')}) to the RETURNING type",
            detail=error.message,
        ) from None

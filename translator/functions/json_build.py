"""From SQL values to JSON: to_json and its kin, row_to_json, array_to_json, json_build_object, json_build_array.

`json_text` writes a value of any type as json text (datum_to_json of PostgreSQL's json.c), `json_value` makes it a JSON
value for jsonb (datum_to_jsonb). Both know: numbers are numbers unless they are NaN or infinite, date and time types are
ISO 8601 whatever DateStyle says, arrays and composites go in, json is taken as it is, everything else is its text.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.array import Array
from translator.types.composite import Composite, Record
from translator.types.domain import underlying
from translator.types.json import JsonValue, canonical, parse, print_jsonb, quote, read, sorted_object, validate
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.types.base import Stored, Type

BOOL, TEXT, JSON, JSONB, DATE, TIMESTAMP, TIMESTAMPTZ = 16, 25, 114, 3802, 1082, 1114, 1184
_INTEGERS = frozenset({20, 21, 23})
_NUMBERS = frozenset({20, 21, 23, 700, 701, 1700})
_DATES = frozenset({DATE, TIMESTAMP, TIMESTAMPTZ})
_NOT_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})
_DIGITS = "0123456789"


def json_text(type: Type, value: Stored | None, *, pretty: bool = False) -> str:
    """A value as json text; `pretty` puts the elements of the outermost array or row on lines of their own."""
    if value is None:
        return "null"
    type = underlying(type)
    oid = type.oid
    if oid == BOOL:
        return "true" if value else "false"
    if oid in _NUMBERS:
        text = type.output(value, runtime.settings)
        return quote(text) if text in _NOT_NUMBERS else text
    if oid in {JSON, JSONB}:
        return str(value)
    if isinstance(type, Array):
        return _array_text(type, type.decode(value).elements, pretty)
    if isinstance(type, Composite | Record):
        separator = ",\n " if pretty else ","
        return "{" + separator.join([f"{quote(a.name)}:{json_text(a.type, item)}" for a, item in type.items(value)]) + "}"
    return quote(_scalar_text(type, value))


def _array_text(type: Array, elements: list[Any], pretty: bool) -> str:
    element = type.element
    separator = ",\n " if pretty else ","
    parts = [_array_text(type, item, False) if item.__class__ is list else json_text(element, item) for item in elements]
    return "[" + separator.join(parts) + "]"


def json_value(type: Type, value: Stored | None) -> JsonValue:
    """A value as a JSON value, objects in jsonb's order."""
    if value is None:
        return None
    type = underlying(type)
    oid = type.oid
    if oid == BOOL:
        return bool(value)
    if oid in _NUMBERS:
        text = type.output(value, runtime.settings)
        if text in _NOT_NUMBERS:
            return text
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)
    if oid == JSONB:
        return read(str(value))
    if oid == JSON:
        return parse(str(value))
    if isinstance(type, Array):
        return _array_value(type.element, type.decode(value).elements)
    if isinstance(type, Composite | Record):
        return sorted_object([(attribute.name, json_value(attribute.type, item)) for attribute, item in type.items(value)])
    return _scalar_text(type, value)


def jsonb_text(type: Type, value: Stored | None) -> str:
    """A value as canonical jsonb text. What is text already, or has a plain one, is not taken apart."""
    if value is None:
        return "null"
    oid = type.oid
    if oid == JSONB:
        return str(value)
    if oid in _INTEGERS:
        return str(value)
    if oid == TEXT:
        return quote(str(value))
    return print_jsonb(json_value(type, value))


def jsonb_object_text(pairs: list[tuple[str, str]]) -> str:
    """The object of keys and canonical texts; the last of equal keys wins."""
    return "{" + ", ".join([f"{quote(key)}: {text}" for key, text in sorted_object(pairs).items()]) + "}"


def _array_value(element: Type, elements: list[Any]) -> list[JsonValue]:
    return [_array_value(element, item) if item.__class__ is list else json_value(element, item) for item in elements]


def _scalar_text(type: Type, value: Stored) -> str:
    if type.oid in _DATES:
        return _iso_text(type, value)
    return type.output(value, runtime.settings)


def _iso_text(type: Type, value: Stored) -> str:
    """JsonEncodeDateTime: the XSD form, with `T` and the minutes of the zone's offset."""
    settings = runtime.settings
    if settings.date_style != "ISO":
        settings = replace(settings, date_style="ISO")
    text = type.output(value, settings)
    if type.oid == DATE or text[-1] == "y":  # infinity
        return text
    body, era = (text[:-3], " BC") if text.endswith(" BC") else (text, "")
    body = body.replace(" ", "T", 1)
    if type.oid == TIMESTAMPTZ and body[-3:-2] in {"+", "-"}:
        body += ":00"
    return body + era


def object_key(type: Type, value: Stored) -> str:
    """A value as the key of an object. Raises for types that cannot be keys."""
    type = underlying(type)
    if type.oid in {JSON, JSONB} or isinstance(type, Array | Composite | Record):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "key value must be scalar, not array, composite, or json")
    if type.oid == BOOL:
        return "true" if value else "false"
    return _scalar_text(type, value)


@function("to_json", types="arguments")
def to_json(oid: int, value: Stored) -> str:
    return json_text(type_of(oid), value)


@function("to_jsonb", types="arguments")
def to_jsonb(oid: int, value: Stored) -> str:
    return jsonb_text(type_of(oid), value)


@function("array_to_json", "row_to_json", types="arguments")
def structure_to_json(oid: int, value: Stored) -> str:
    return json_text(type_of(oid), value)


@function("array_to_json_pretty", "row_to_json_pretty", types="arguments")
def structure_to_json_pretty(oid: int, _: int, value: Stored, pretty: int) -> str:
    return json_text(type_of(oid), value, pretty=bool(pretty))


@function("json_build_object", strict=False, types="arguments")
def json_build_object(*arguments: Any) -> str:
    types, values = split(arguments)
    parts = []
    for (type, key), value in _pairs(types, values, "json_build_object"):
        if key is None:
            raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
        parts.append(f"{quote(object_key(type, key))} : {json_text(*value)}")
    return "{" + ", ".join(parts) + "}"


@function("jsonb_build_object", strict=False, types="arguments")
def jsonb_build_object(*arguments: Any) -> str:
    types, values = split(arguments)
    found: list[tuple[str, str]] = []
    for (type, key), value in _pairs(types, values, "jsonb_build_object"):
        if key is None:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, f"argument {2 * len(found) + 1}: key must not be null")
        found.append((object_key(type, key), jsonb_text(*value)))
    return jsonb_object_text(found)


@function("json_build_array", strict=False, types="arguments")
def json_build_array(*arguments: Any) -> str:
    return "[" + ", ".join([json_text(type, value) for type, value in zip(*split(arguments), strict=True)]) + "]"


@function("jsonb_build_array", strict=False, types="arguments")
def jsonb_build_array(*arguments: Any) -> str:
    return "[" + ", ".join([jsonb_text(type, value) for type, value in zip(*split(arguments), strict=True)]) + "]"


@function("json_build_object_noargs", "jsonb_build_object_noargs")
def empty_object() -> str:
    return "{}"


@function("json_build_array_noargs", "jsonb_build_array_noargs")
def empty_array() -> str:
    return "[]"


@function("json_object")
def json_object(pairs: str) -> str:
    return "{" + ", ".join([f"{quote(key)} : {_text_or_null(value)}" for key, value in _text_pairs(pairs)]) + "}"


@function("jsonb_object")
def jsonb_object(pairs: str) -> str:
    return print_jsonb(sorted_object(_text_pairs(pairs)))


@function("json_object_two_arg")
def json_object_two_arg(keys: str, values: str) -> str:
    return "{" + ", ".join([f"{quote(key)} : {_text_or_null(value)}" for key, value in _zipped(keys, values)]) + "}"


@function("jsonb_object_two_arg")
def jsonb_object_two_arg(keys: str, values: str) -> str:
    return print_jsonb(sorted_object(_zipped(keys, values)))


@function("json_as_jsonb")
def json_as_jsonb(text: str) -> str:
    """The input/output cast from json to jsonb."""
    return canonical(text)


@function("text_as_json")
def text_as_json(text: str) -> str:
    validate(text)
    return text


def split(arguments: Sequence[Any]) -> tuple[list[Type], Sequence[Stored | None]]:
    """The types and the values of a call that is told its argument types."""
    count = len(arguments) // 2
    return [type_of(oid) for oid in arguments[:count]], arguments[count:]


def _pairs(types: list[Type], values: Sequence[Stored | None], name: str) -> list[tuple[Any, Any]]:
    if len(values) % 2:
        raise SqlError(
            codes.INVALID_PARAMETER_VALUE,
            "argument list must have even number of elements",
            hint=f"The arguments of {name}() must consist of alternating keys and values.",
        )
    arguments = list(zip(types, values, strict=True))
    return list(zip(arguments[::2], arguments[1::2], strict=True))


def _texts(stored: str) -> tuple[list[int], list[Any]]:
    type = type_of(1009)
    assert isinstance(type, Array)
    array = type.decode(stored)
    return array.dimensions(), array.flat() if array.lower else []


def _text_pairs(stored: str) -> list[tuple[str, str | None]]:
    sizes, items = _texts(stored)
    if len(sizes) == 1 and sizes[0] % 2:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "array must have even number of elements")
    if len(sizes) == 2 and sizes[1] != 2:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "array must have two columns")
    if len(sizes) > 2:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    return _checked(items[::2], items[1::2])


def _zipped(keys: str, values: str) -> list[tuple[str, str | None]]:
    key_sizes, key_items = _texts(keys)
    value_sizes, value_items = _texts(values)
    if len(key_sizes) > 1 or len(key_sizes) != len(value_sizes):
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    if key_sizes != value_sizes:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "mismatched array dimensions")
    return _checked(key_items, value_items)


def _checked(keys: list[Any], values: list[Any]) -> list[tuple[str, str | None]]:
    if None in keys:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
    return list(zip(keys, values, strict=True))


def _text_or_null(value: str | None) -> str:
    return "null" if value is None else quote(value)

"""What SQL/JSON constructors call: objects and arrays with ABSENT ON NULL and UNIQUE KEYS, and the tests of IS JSON.

The first arguments are the flags, the others alternate or follow as in json_build_object and json_build_array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.json_access import elements, members, skip
from translator.functions.json_build import json_text, jsonb_object_text, jsonb_text, object_key, split
from translator.functions.registry import function
from translator.types.json import canonical, quote, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from translator.types.base import Stored, Type

_Value = tuple["Type", "Stored | None"]


def _arguments(arguments: tuple[Any, ...], flags: int) -> tuple[tuple[Any, ...], list[_Value]]:
    """The flags, which stand between the types and the values, and the typed values."""
    count = (len(arguments) - flags) // 2
    types, values = split((*arguments[:count], *arguments[count + flags :]))
    return arguments[count : count + flags], list(zip(types, values, strict=True))


def _pairs(values: list[_Value]) -> Iterator[tuple[_Value, _Value]]:
    return zip(values[::2], values[1::2], strict=True)


@function("json_construct_object", strict=False, types="arguments")
def json_construct_object(*arguments: Any) -> str:
    (absent, unique), values = _arguments(arguments, 2)
    parts, seen = [], set()
    for (key_type, key), value in _pairs(values):
        if key is None:
            raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
        name = quote(object_key(key_type, key))
        if unique and name in seen:
            raise SqlError(codes.DUPLICATE_JSON_OBJECT_KEY_VALUE, f"duplicate JSON object key value: {name}")
        seen.add(name)
        if value[1] is not None or not absent:
            parts.append(f"{name} : {json_text(*value)}")
    return "{" + ", ".join(parts) + "}"


@function("jsonb_construct_object", strict=False, types="arguments")
def jsonb_construct_object(*arguments: Any) -> str:
    (absent, unique), values = _arguments(arguments, 2)
    found: list[tuple[str, str]] = []
    seen = set()
    for number, ((key_type, key), value) in enumerate(_pairs(values)):
        if key is None:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, f"argument {2 * number + 1}: key must not be null")
        name = object_key(key_type, key)
        if unique and name in seen:
            raise SqlError(codes.DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value")
        seen.add(name)
        if value[1] is not None or not absent:
            found.append((name, jsonb_text(*value)))
    return jsonb_object_text(found)


@function("json_construct_array", strict=False, types="arguments")
def json_construct_array(*arguments: Any) -> str:
    (absent,), values = _arguments(arguments, 1)
    return "[" + ", ".join([json_text(*value) for value in values if value[1] is not None or not absent]) + "]"


@function("jsonb_construct_array", strict=False, types="arguments")
def jsonb_construct_array(*arguments: Any) -> str:
    (absent,), values = _arguments(arguments, 1)
    return "[" + ", ".join([jsonb_text(*value) for value in values if value[1] is not None or not absent]) + "]"


_KINDS = {"{": "object", "[": "array"}


@function("is_json")
def is_json(text: str, kind: str, unique: int) -> bool:
    """IS JSON: whether a text is JSON, of a kind, without a key that is twice in an object."""
    try:
        validate(text)
    except SqlError:
        return False
    start = skip(text, 0)
    if kind != "any" and kind != _KINDS.get(text[start], "scalar"):
        return False
    return not unique or _repeated_key(text, start) is None


def _repeated_key(text: str, start: int) -> str | None:
    """The first key that an object in the value has twice."""
    if text[start] == "{":
        seen = set()
        for key, (place, _) in members(text, start):
            if key in seen:
                return key
            seen.add(key)
            found = _repeated_key(text, place)
            if found is not None:
                return found
    elif text[start] == "[":
        for place, _ in elements(text, start):
            found = _repeated_key(text, place)
            if found is not None:
                return found
    return None


@function("json_parse_unique")
def json_parse_unique(text: str) -> str:
    validate(text)
    if _repeated_key(text, skip(text, 0)) is not None:
        raise SqlError(codes.DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value")
    return text


@function("jsonb_parse_unique")
def jsonb_parse_unique(text: str) -> str:
    return canonical(json_parse_unique(text))

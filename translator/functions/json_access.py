"""Looking into json and jsonb: `->`, `->>`, `#>`, `#>>`, lengths, kinds, casts, and the set-returning functions.

A json value inside another is a piece of its text, spaces and all, found with the C scanner of Python's json module. A piece
of canonical jsonb text is canonical, so what walks over all members serves both types; to look for one it is faster to read
a jsonb whole, in C, and to print what was found. Stored text is valid, so no syntax is checked here.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed, but what the module is made of
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function, rows, template
from translator.settings import runtime
from translator.types import json_syntax
from translator.types.json import JsonValue, print_jsonb, read
from translator.types.registry import builtin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from translator.types.base import Stored

Span = tuple[int, int]

_space = re.compile(r"[ \t\n\r]*").match
# Values are skipped, not kept; numbers are not even converted.
_scan = json.JSONDecoder(parse_int=len, parse_float=len).scan_once  # type: ignore[attr-defined]
_ABSENT: Any = object()
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MISSING: Span = (-1, -1)
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
SUBSCRIPT = re.compile(r"[ \t\n\v\f\r]*[-+]?[0-9]+\Z")


def skip(text: str, place: int) -> int:
    """The first place that is not white space."""
    if text[place : place + 1] > " ":
        return place
    match = _space(text, place)
    assert match is not None
    return match.end()


def members(text: str, start: int) -> Iterator[tuple[str, Span]]:
    """The keys of the object at `start` and the spans of their values, in the text's order."""
    place = skip(text, start + 1)
    while text[place] != "}":
        key, place = scanstring(text, place + 1, False)
        place = skip(text, skip(text, place) + 1)  # the colon
        end = _scan(text, place)[1]
        yield key, (place, end)
        place = skip(text, end)
        if text[place] == ",":
            place = skip(text, place + 1)


def elements(text: str, start: int) -> Iterator[Span]:
    """The spans of the elements of the array at `start`."""
    place = skip(text, start + 1)
    while text[place] != "]":
        end = _scan(text, place)[1]
        yield place, end
        place = skip(text, end)
        if text[place] == ",":
            place = skip(text, place + 1)


def member(text: str, start: int, key: str) -> Span:
    """The value of a key: of the last of equal ones."""
    found = _MISSING
    if text[start] == "{":
        for name, span in members(text, start):
            if name == key:
                found = span
    return found


def element(text: str, start: int, index: int) -> Span:
    """An element, counted from the end if the index is negative."""
    if text[start] != "[":
        return _MISSING
    if index < 0:
        spans = list(elements(text, start))
        return spans[index] if -index <= len(spans) else _MISSING
    for number, span in enumerate(elements(text, start)):
        if number == index:
            return span
    return _MISSING


def follow(text: str, path: str) -> Span:
    """What a text[] path leads to (get_path_all)."""
    steps = _steps(path)
    start, end = skip(text, 0), len(text.rstrip(" \t\n\r"))
    if not steps and text[start] not in "{[":
        return 0, end  # PostgreSQL gives a scalar with the space before it
    for step in steps:
        if step is None:
            return _MISSING
        if text[start] == "{":
            start, end = member(text, start, step)
        elif text[start] == "[" and SUBSCRIPT.match(step) and _INT_MIN <= int(step) <= _INT_MAX:
            start, end = element(text, start, int(step))
        else:
            return _MISSING
        if start < 0:
            return _MISSING
    return start, end


@lru_cache(maxsize=128)
def _steps(path: str) -> list[str | None]:
    """The elements of a path, which is the same for all rows as a rule."""
    steps = json.loads(path)
    found: list[str | None] = steps["elements"] if isinstance(steps, dict) else steps
    return found


def text_at(text: str, span: Span) -> str | None:
    """What `->>` gives for a value: a string's characters, NULL for null, the text of everything else."""
    start, end = span
    if start < 0:
        return None
    first = text[start]
    if first == '"':
        piece = text[start:end]
        if "\\u" in piece:
            json_syntax.check(piece, escapes=True)
        value: str = scanstring(text, start + 1, False)[0]
        return value
    return None if first == "n" else text[start:end]


def json_at(text: str, span: Span) -> str | None:
    start, end = span
    return text[start:end] if start >= 0 else None


def value_text(value: JsonValue) -> str | None:
    """What `->>` gives for the value of a jsonb."""
    if value is None or value.__class__ is str:
        text: str | None = value
        return text
    return print_jsonb(value)


@function("json_object_field")
def json_object_field(text: str, key: str) -> str | None:
    return json_at(text, member(text, skip(text, 0), key))


@function("json_object_field_text")
def json_object_field_text(text: str, key: str) -> str | None:
    return text_at(text, member(text, skip(text, 0), key))


@function("jsonb_object_field")
def jsonb_object_field(text: str, key: str) -> str | None:
    value = read(text)
    return print_jsonb(value[key]) if value.__class__ is dict and key in value else None


@function("jsonb_object_field_text")
def jsonb_object_field_text(text: str, key: str) -> str | None:
    value = read(text)
    return value_text(value.get(key)) if value.__class__ is dict else None


def native_path(steps: list[str | int]) -> str | None:
    """The SQLite JSON path of constant `->` steps into a jsonb, or None where SQLite might read it otherwise.

    For `jsonb_text_at`, which lowering may use for `doc -> 'a' -> 0 ->> 'b'` in place of one call for each arrow.
    """
    path = "$"
    for step in steps:
        if isinstance(step, int):
            if path == "$":
                return None  # a scalar at the top is an array of one for PostgreSQL
            path += f"[{step}]" if step >= 0 else f"[#{step}]"
        elif _PLAIN_KEY.match(step):
            path += f".{step}"
        else:
            return None
    return path


# What the path $2 (a literal of native_path) leads to in the jsonb $1, as text; $3 is the same path as a stored text[].
# SQLite finds strings, booleans and integers; it would give other texts for numbers with a scale, objects and arrays.
template(
    "jsonb_text_at",
    "CASE ifnull(json_type($1, $2), 'null') WHEN 'null' THEN NULL WHEN 'text' THEN $1 ->> $2"
    " WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
    " WHEN 'integer' THEN iif(typeof($1 ->> $2) = 'integer', CAST($1 ->> $2 AS TEXT), pg_jsonb_extract_path_text($1, $3))"
    " ELSE pg_jsonb_extract_path_text($1, $3) END",
)


@function("json_array_element")
def json_array_element(text: str, index: int) -> str | None:
    return json_at(text, element(text, skip(text, 0), index))


@function("json_array_element_text")
def json_array_element_text(text: str, index: int) -> str | None:
    return text_at(text, element(text, skip(text, 0), index))


def _element_of(text: str, index: int) -> JsonValue:
    """An element of a jsonb array; a scalar is an array of one (raw scalars). _ABSENT if there is none."""
    value = read(text)
    if value.__class__ is dict:
        return _ABSENT
    items = value if value.__class__ is list else [value]
    return items[index] if -len(items) <= index < len(items) else _ABSENT


@function("jsonb_array_element")
def jsonb_array_element(text: str, index: int) -> str | None:
    value = _element_of(text, index)
    return None if value is _ABSENT else print_jsonb(value)


@function("jsonb_array_element_text")
def jsonb_array_element_text(text: str, index: int) -> str | None:
    value = _element_of(text, index)
    return None if value is _ABSENT else value_text(value)


@function("json_extract_path")
def json_extract_path(text: str, path: str) -> str | None:
    return json_at(text, follow(text, path))


@function("json_extract_path_text")
def json_extract_path_text(text: str, path: str) -> str | None:
    start, end = follow(text, path)
    if start == 0 and text[skip(text, 0)] in 'n"':
        start = skip(text, 0)
    return text_at(text, (start, end))


def _walk(text: str, path: str) -> JsonValue:
    """What a text[] path leads to in a jsonb; _ABSENT if nowhere."""
    value = read(text)
    for step in _steps(path):
        if step is None:
            return _ABSENT
        if value.__class__ is dict:
            if step not in value:
                return _ABSENT
            value = value[step]
        elif value.__class__ is list and SUBSCRIPT.match(step) and -len(value) <= int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


@function("jsonb_extract_path")
def jsonb_extract_path(text: str, path: str) -> str | None:
    value = _walk(text, path)
    return None if value is _ABSENT else print_jsonb(value)


@function("jsonb_extract_path_text")
def jsonb_extract_path_text(text: str, path: str) -> str | None:
    value = _walk(text, path)
    return None if value is _ABSENT else value_text(value)


@function("json_array_length", "jsonb_array_length")
def array_length(text: str) -> int:
    start = skip(text, 0)
    if text[start] != "[":
        word = "non-array" if text[start] == "{" else "scalar"
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"cannot get array length of a {word}")
    return sum(1 for _ in elements(text, start))


_KINDS = {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}


@function("json_typeof", "jsonb_typeof")
def typeof(text: str) -> str:
    return _KINDS.get(text[skip(text, 0)], "number")


def _cast(text: str, kind: str, words: str, target: int) -> Stored | None:
    """A jsonb scalar as a value of a number type or boolean, through its text. NULL for null."""
    found = typeof(text)
    if found == "null":
        return None
    if found != kind:
        shown = "numeric" if found == "number" else found
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"cannot cast jsonb {shown} to type {words}")
    return builtin(target).input(text, runtime.settings)


@function("jsonb_bool")
def jsonb_bool(text: str) -> Stored | None:
    return _cast(text, "boolean", "boolean", 16)


@function("jsonb_numeric")
def jsonb_numeric(text: str) -> Stored | None:
    return _cast(text, "number", "numeric", 1700)


@function("jsonb_float4")
def jsonb_float4(text: str) -> Stored | None:
    return _cast(text, "number", "real", 700)


@function("jsonb_float8")
def jsonb_float8(text: str) -> Stored | None:
    return _cast(text, "number", "double precision", 701)


def _cast_integer(text: str, words: str, bits: int) -> int | None:
    """Through numeric, which rounds half away from zero."""
    value = _cast(text, "number", words, 1700)
    if value is None:
        return None
    whole, _, fraction = str(value).partition(".")
    number = int(whole)
    if fraction[:1] >= "5":
        number += -1 if whole.startswith("-") else 1
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, f"{words} out of range")
    return number


@function("jsonb_int2")
def jsonb_int2(text: str) -> int | None:
    return _cast_integer(text, "smallint", 16)


@function("jsonb_int4")
def jsonb_int4(text: str) -> int | None:
    return _cast_integer(text, "integer", 32)


@function("jsonb_int8")
def jsonb_int8(text: str) -> int | None:
    return _cast_integer(text, "bigint", 64)


def _refuse(message: str) -> SqlError:
    return SqlError(codes.INVALID_PARAMETER_VALUE, message)


def _json_object(text: str) -> int:
    start = skip(text, 0)
    if text[start] == "[":
        raise _refuse("cannot deconstruct an array as an object")
    if text[start] != "{":
        raise _refuse("cannot deconstruct a scalar")
    return start


def _jsonb_object(text: str, name: str) -> int:
    if text[0] != "{":
        raise _refuse(f"cannot call {name} on a non-object")
    return 0


@rows("json_each")
def json_each(text: str) -> Iterator[tuple[str, str]]:
    return ((key, text[start:end]) for key, (start, end) in members(text, _json_object(text)))


@rows("json_each_text")
def json_each_text(text: str) -> Iterator[tuple[str, str | None]]:
    return ((key, text_at(text, span)) for key, span in members(text, _json_object(text)))


@rows("jsonb_each")
def jsonb_each(text: str) -> Iterator[tuple[str, str]]:
    return ((key, text[start:end]) for key, (start, end) in members(text, _jsonb_object(text, "jsonb_each")))


@rows("jsonb_each_text")
def jsonb_each_text(text: str) -> Iterator[tuple[str, str | None]]:
    return ((key, text_at(text, span)) for key, span in members(text, _jsonb_object(text, "jsonb_each_text")))


def _keys(text: str, name: str) -> Iterator[str]:
    start = skip(text, 0)
    if text[start] != "{":
        raise _refuse(f"cannot call {name} on {'an array' if text[start] == '[' else 'a scalar'}")
    return (key for key, _ in members(text, start))


@rows("json_object_keys")
def json_object_keys(text: str) -> Iterator[str]:
    return _keys(text, "json_object_keys")


@rows("jsonb_object_keys")
def jsonb_object_keys(text: str) -> Iterator[str]:
    return _keys(text, "jsonb_object_keys")


def _json_array(text: str, name: str) -> int:
    start = skip(text, 0)
    if text[start] != "[":
        raise _refuse(f"cannot call {name} on a {'non-array' if text[start] == '{' else 'scalar'}")
    return start


def _jsonb_array(text: str) -> int:
    if text[0] != "[":
        raise _refuse(f"cannot extract elements from {'an object' if text[0] == '{' else 'a scalar'}")
    return 0


@rows("json_array_elements")
def json_array_elements(text: str) -> Iterator[Any]:
    return (text[start:end] for start, end in elements(text, _json_array(text, "json_array_elements")))


@rows("json_array_elements_text")
def json_array_elements_text(text: str) -> Iterator[Any]:
    return (text_at(text, span) for span in elements(text, _json_array(text, "json_array_elements_text")))


@rows("jsonb_array_elements")
def jsonb_array_elements(text: str) -> Iterator[Any]:
    return (text[start:end] for start, end in elements(text, _jsonb_array(text)))


@rows("jsonb_array_elements_text")
def jsonb_array_elements_text(text: str) -> Iterator[Any]:
    return (text_at(text, span) for span in elements(text, _jsonb_array(text)))

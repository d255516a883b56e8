"""Making a changed jsonb: `||`, `-`, `#-`, jsonb_set, jsonb_insert, jsonb_strip_nulls, jsonb_pretty, json_strip_nulls.

jsonfuncs.c: jsonb_concat (IteratorConcat), jsonb_delete…, setPath, setPathObject, setPathArray.
"""

from __future__ import annotations

import re
from typing import Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.json_access import elements, members, skip
from translator.functions.registry import function
from translator.types.array import Array
from translator.types.json import JsonValue, print_jsonb, quote, read, sorted_object
from translator.types.registry import builtin

_INTEGER = re.compile(r"[ \t\n\v\f\r]*([-+]?[0-9]+)\Z")
_DELETE, _REPLACE, _SET, _BEFORE, _AFTER = "delete", "replace", "set", "before", "after"
_INDENT = "    "


def _refuse(message: str) -> SqlError:
    return SqlError(codes.INVALID_PARAMETER_VALUE, message)


def _strings(array: str) -> list[str | None]:
    """The elements of a text[] of one dimension (or none)."""
    type = builtin(1009)
    assert isinstance(type, Array)
    value = type.decode(array)
    if len(value.lower) > 1:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    return value.elements


@function("jsonb_concat")
def jsonb_concat(left: str, right: str) -> str:
    first, second = read(left), read(right)
    if isinstance(first, dict) and isinstance(second, dict):
        return print_jsonb(sorted_object([*first.items(), *second.items()]))
    if isinstance(first, dict) and isinstance(second, list) and not second:
        return print_jsonb([first])
    return print_jsonb(_listed(first) + _listed(second))


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


@function("jsonb_delete")
def jsonb_delete(text: str, name: str) -> str:
    return _delete_names(text, {name})


@function("jsonb_delete_array")
def jsonb_delete_array(text: str, names: str) -> str:
    return _delete_names(text, {name for name in _strings(names) if name is not None})


def _delete_names(text: str, names: set[str]) -> str:
    value = read(text)
    if isinstance(value, dict):
        return print_jsonb({key: item for key, item in value.items() if key not in names})
    if isinstance(value, list):
        return print_jsonb([item for item in value if not (isinstance(item, str) and item in names)])
    raise _refuse("cannot delete from scalar")


@function("jsonb_delete_idx")
def jsonb_delete_idx(text: str, index: int) -> str:
    value = read(text)
    if isinstance(value, dict):
        raise _refuse("cannot delete from object using integer index")
    if not isinstance(value, list):
        raise _refuse("cannot delete from scalar")
    if -len(value) <= index < len(value):
        del value[index]
    return print_jsonb(value)


@function("jsonb_delete_path")
def jsonb_delete_path(text: str, path: str) -> str:
    steps = _strings(path)
    value = read(text)
    if not isinstance(value, dict | list):
        raise _refuse("cannot delete path in scalar")
    return _changed(text, value, steps, None, _DELETE)


@function("jsonb_set")
def jsonb_set(text: str, path: str, new: str, create: int) -> str:
    steps = _strings(path)
    value = read(text)
    if not isinstance(value, dict | list):
        raise _refuse("cannot set path in scalar")
    return _changed(text, value, steps, read(new), _SET if create else _REPLACE)


@function("jsonb_insert")
def jsonb_insert(text: str, path: str, new: str, after: int) -> str:
    steps = _strings(path)
    value = read(text)
    if not isinstance(value, dict | list):
        raise _refuse("cannot set path in scalar")
    return _changed(text, value, steps, read(new), _AFTER if after else _BEFORE)


@function("jsonb_set_lax", strict=False)
def jsonb_set_lax(text: str | None, path: str | None, new: str | None, create: int | None, treatment: str | None) -> str | None:
    if text is None or path is None or create is None:
        return None
    if new is not None and treatment is not None:
        return jsonb_set(text, path, new, create)
    if treatment not in {"raise_exception", "use_json_null", "delete_key", "return_target"}:
        raise _refuse('null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"')
    match treatment:
        case "raise_exception":
            raise SqlError(
                codes.NULL_VALUE_NOT_ALLOWED,
                "JSON value must not be null",
                detail='Exception was raised because null_value_treatment is "raise_exception".',
                hint="To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
            )
        case "use_json_null":
            return jsonb_set(text, path, "null", create)
        case "delete_key":
            return jsonb_delete_path(text, path)
    return text


def _changed(text: str, value: JsonValue, steps: list[str | None], new: JsonValue, operation: str) -> str:
    if not steps or (not value and operation in {_DELETE, _REPLACE}):
        return text
    return print_jsonb(set_path(value, steps, 0, new, operation))


def set_path(value: JsonValue, steps: list[str | None], level: int, new: JsonValue, operation: str) -> JsonValue:
    """The value with what the path names changed (setPath)."""
    step = steps[level]
    if step is None:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, f"path element at position {level + 1} is null")
    if isinstance(value, dict):
        return _set_in_object(value, steps, level, new, operation)
    if isinstance(value, list):
        return _set_in_array(value, steps, level, new, operation)
    return value


def _set_in_object(
    value: dict[str, JsonValue], steps: list[str | None], level: int, new: JsonValue, operation: str
) -> JsonValue:
    step = steps[level]
    assert step is not None
    if step in value:
        if level < len(steps) - 1:
            return {**value, step: set_path(value[step], steps, level + 1, new, operation)}
        if operation in {_BEFORE, _AFTER}:
            raise SqlError(
                codes.INVALID_PARAMETER_VALUE,
                "cannot replace existing key",
                hint="Try using the function jsonb_set to replace key value.",
            )
        if operation == _DELETE:
            return {key: item for key, item in value.items() if key != step}
        return {**value, step: new}
    if level == len(steps) - 1 and operation in {_SET, _BEFORE, _AFTER}:
        return sorted_object([*value.items(), (step, new)])
    return value


def _set_in_array(value: list[JsonValue], steps: list[str | None], level: int, new: JsonValue, operation: str) -> JsonValue:
    step = steps[level]
    assert step is not None
    match = _INTEGER.match(step)
    if match is None or not -(2**31) <= int(match[1]) < 2**31:
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'path element at position {level + 1} is not an integer: "{step}"')
    index, size = int(match[1]), len(value)
    if index < 0:
        index = index + size if -index <= size else -1
    creates = level == len(steps) - 1 and operation in {_SET, _BEFORE, _AFTER}
    if index < 0 or index >= size:
        if not creates:
            return value
        return [new, *value] if index < 0 else [*value, new]
    if level < len(steps) - 1:
        changed = [set_path(value[index], steps, level + 1, new, operation)]
    else:
        old = value[index]
        changed = {_DELETE: [], _BEFORE: [new, old], _AFTER: [old, new]}.get(operation, [new])
    return value[:index] + changed + value[index + 1 :]


_ABSENT: Any = object()


def fill_path(value: JsonValue, steps: list[Any], new: JsonValue, level: int = 0) -> JsonValue:
    """Subscripted assignment: what is absent on the way is made, an array by an integer subscript (setPath, FILL_GAPS)."""
    if level == len(steps):
        return new
    step = steps[level]
    if value is _ABSENT and level and (match := _INTEGER.match(str(step))):  # push_path goes by the text
        return [None] * int(match[1]) + [fill_path(_ABSENT, steps, new, level + 1)]
    if value is _ABSENT:
        value = [] if isinstance(step, int) else {}
    if isinstance(value, dict):
        key = str(step)
        return sorted_object([*value.items(), (key, fill_path(value.get(key, _ABSENT), steps, new, level + 1))])
    if not isinstance(value, list):
        raise SqlError(
            codes.INVALID_PARAMETER_VALUE,
            "cannot replace existing key",
            detail="The path assumes key is a composite object, but it is a scalar value.",
        )
    index = _subscript(step, len(value), level + 1)
    filled = value + [_ABSENT] * (index + 1 - len(value))
    filled[index] = fill_path(filled[index], steps, new, level + 1)
    return [None if item is _ABSENT else item for item in filled]


def assign_path(text: str | None, steps: list[Any], new: JsonValue) -> str:
    """The stored jsonb with what the subscripts name set to a value."""
    return print_jsonb(fill_path(_ABSENT if text is None else read(text), steps, new))


def _subscript(step: Any, size: int, position: int) -> int:
    match = _INTEGER.match(str(step))
    if match is None:
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'path element at position {position} is not an integer: "{step}"')
    index = int(match[1])
    if index < 0:
        if -index > size:
            raise _refuse(f"path element at position {position} is out of range: {index}")
        index += size
    return index


@function("jsonb_strip_nulls")
def jsonb_strip_nulls(text: str, in_arrays: int) -> str:
    return print_jsonb(_stripped(read(text), bool(in_arrays)))


def _stripped(value: JsonValue, in_arrays: bool) -> JsonValue:
    if isinstance(value, dict):
        return {key: _stripped(item, in_arrays) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_stripped(item, in_arrays) for item in value if item is not None or not in_arrays]
    return value


@function("json_strip_nulls")
def json_strip_nulls(text: str, in_arrays: int) -> str:
    """The text without white space and nulls; scalars but strings stay as they were written."""
    return _strip_text(text, skip(text, 0), len(text.rstrip(" \t\n\r")), bool(in_arrays))


def _strip_text(text: str, start: int, end: int, in_arrays: bool) -> str:
    first = text[start]
    if first == "{":
        parts = [
            f"{quote(key)}:{_strip_text(text, *span, in_arrays)}" for key, span in members(text, start) if text[span[0]] != "n"
        ]
        return "{" + ",".join(parts) + "}"
    if first == "[":
        spans = [span for span in elements(text, start) if text[span[0]] != "n" or not in_arrays]
        return "[" + ",".join([_strip_text(text, *span, in_arrays) for span in spans]) + "]"
    return quote(read(text[start:end])) if first == '"' else text[start:end]


@function("jsonb_pretty")
def jsonb_pretty(text: str) -> str:
    return _pretty(read(text), "\n")


def _pretty(value: JsonValue, margin: str) -> str:
    inner = margin + _INDENT
    if isinstance(value, dict):
        return _block("{", "}", [f"{quote(key)}: {_pretty(item, inner)}" for key, item in value.items()], margin)
    if isinstance(value, list):
        return _block("[", "]", [_pretty(item, inner) for item in value], margin)
    return print_jsonb(value)


def _block(opening: str, closing: str, lines: list[str], margin: str) -> str:
    inner = margin + _INDENT
    return opening + ",".join([inner + line for line in lines]) + margin + closing

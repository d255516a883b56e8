"""Comparing jsonb: the btree order, equality, containment and existence (`=`, `<`, `@>`, `<@`, `?`, `?|`, `?&`).

`key_jsonb` gives bytes that sort as compareJsonbContainers sorts: Object > Array > Boolean > Number > String > Null,
containers with fewer members first, members one after the other. A scalar at the top is an array of one, and sorts before
a true array of one (and so, oddly, after the empty array).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from translator.functions.registry import function, template
from translator.types.json import JsonValue, read
from translator.types.registry import builtin

_NULL, _STRING, _NUMBER, _BOOL, _ARRAY, _OBJECT = b"\x01", b"\x02", b"\x03", b"\x04", b"\x10", b"\x11"
_COMPLEMENT = bytes(255 - byte for byte in range(256))


def _count(size: int) -> bytes:
    return size.to_bytes(4, "big")


def number_bytes(number: int | Decimal) -> bytes:
    """A number so that equal numbers have equal bytes whatever their scale, and smaller ones smaller bytes."""
    if not number:
        return b"\x80"
    if isinstance(number, int):
        digits = str(abs(number))
        exponent = len(digits) - 1
    else:
        digits = "".join(map(str, number.as_tuple().digits))
        exponent = number.adjusted()
    magnitude = (exponent + 2**30).to_bytes(4, "big") + digits.rstrip("0").encode() + b"\x00"
    return b"\x7f" + magnitude.translate(_COMPLEMENT) if number < 0 else b"\x81" + magnitude


def _key(value: JsonValue) -> bytes:
    kind = value.__class__
    if kind is str:
        return _STRING + str(value).encode("utf-8", "surrogatepass") + b"\x00"
    if kind is bool:
        return _BOOL + (b"\x01" if value else b"\x00")
    if value is None:
        return _NULL
    if kind is list:
        return _ARRAY + _count(len(value)) + b"".join(map(_key, value))
    if kind is dict:
        parts = [_OBJECT, _count(len(value))]
        for name, item in value.items():
            parts.append(_key(name))
            parts.append(_key(item))
        return b"".join(parts)
    return _NUMBER + number_bytes(value)


@function("key_jsonb")
def key_jsonb(text: str) -> bytes:
    value = read(text)
    if isinstance(value, dict):
        return _key(value)
    if isinstance(value, list):
        return _ARRAY + _count(len(value)) + b"\x01" + b"".join(map(_key, value))
    return _ARRAY + _count(1) + b"\x00" + _key(value)


@function("jsonb_eq")
def jsonb_eq(left: str, right: str) -> bool:
    if left == right:
        return True
    # Equal values differ in text only by the scale of numbers.
    return "." in left + right and key_jsonb(left) == key_jsonb(right)


@function("jsonb_ne")
def jsonb_ne(left: str, right: str) -> bool:
    return not jsonb_eq(left, right)


template("jsonb_lt", "pg_key_jsonb($1) < pg_key_jsonb($2)")
template("jsonb_le", "pg_key_jsonb($1) <= pg_key_jsonb($2)")
template("jsonb_gt", "pg_key_jsonb($1) > pg_key_jsonb($2)")
template("jsonb_ge", "pg_key_jsonb($1) >= pg_key_jsonb($2)")


@function("jsonb_cmp")
def jsonb_cmp(left: str, right: str) -> int:
    first, second = key_jsonb(left), key_jsonb(right)
    return (first > second) - (first < second)


def _same_scalar(left: JsonValue, right: JsonValue) -> bool:
    """Python takes True for 1; JSON does not."""
    return (left.__class__ is bool) == (right.__class__ is bool) and bool(left == right)


def _contains(left: JsonValue, right: JsonValue) -> bool:
    """JsonbDeepContains of two values below the top."""
    if isinstance(right, dict):
        return isinstance(left, dict) and all(key in left and _contains(left[key], item) for key, item in right.items())
    if isinstance(right, list):
        return isinstance(left, list) and all(any(_contains(mine, item) for mine in left) for item in right)
    return not isinstance(left, dict | list) and _same_scalar(left, right)


@function("jsonb_contains")
def jsonb_contains(left: str, right: str) -> bool:
    """`@>`. At the top an array contains a scalar that is one of its elements."""
    return contains(read(left), read(right))


def contains(container: JsonValue, contained: JsonValue) -> bool:
    if isinstance(container, list) and not isinstance(contained, list | dict):
        contained = [contained]
    return _contains(container, contained)


@function("jsonb_contained")
def jsonb_contained(left: str, right: str) -> bool:
    return contains(read(right), read(left))


def _names(text: str) -> Any:
    """What `?` looks among: keys, string elements, or the string itself."""
    value = read(text)
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {item for item in value if isinstance(item, str)}
    return {value} if isinstance(value, str) else ()


def _wanted(array: str) -> list[str]:
    type = builtin(1009)
    items: list[str | None] = type.decode(array).flat() if array != "[]" else []  # type: ignore[attr-defined]
    return [item for item in items if item is not None]


@function("jsonb_exists")
def jsonb_exists(text: str, name: str) -> bool:
    return name in _names(text)


@function("jsonb_exists_any")
def jsonb_exists_any(text: str, names: str) -> bool:
    found = _names(text)
    return any(name in found for name in _wanted(names))


@function("jsonb_exists_all")
def jsonb_exists_all(text: str, names: str) -> bool:
    found = _names(text)
    return all(name in found for name in _wanted(names))

"""Arrays: finding, removing and replacing elements, sorting, shuffling, trimming (chapter 9.19).

As in array.py, the functions get the OIDs of their arguments first.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.array import array_type, equality
from translator.functions.keys import key as sort_key
from translator.functions.keys import ordering
from translator.functions.registry import function
from translator.types.array import Array, ArrayValue, Elements, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from translator.types.base import Stored


def _searchable(type: Array, stored: str, doing: str) -> ArrayValue:
    array = type.decode(stored)
    if len(array.lower) > 1:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"{doing} multidimensional arrays is not supported")
    return array


@function("array_position", strict=False, types="arguments")
def array_position(oid: int, _: int, stored: str | None, value: Stored | None) -> int | None:
    return _position(oid, stored, value, None)


@function("array_position_start", strict=False, types="arguments")
def array_position_start(
    oid: int, _: int, _start: int, stored: str | None, value: Stored | None, start: int | None
) -> int | None:
    if stored is None:
        return None
    if start is None:
        array = _searchable(array_type(oid), stored, "searching for elements in")
        if not array.elements or (value is None and None not in array.elements):
            return None
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "initial position must not be null")
    return _position(oid, stored, value, start)


def _position(oid: int, stored: str | None, value: Stored | None, start: int | None) -> int | None:
    if stored is None:
        return None
    for place in _positions(oid, stored, value):
        if start is None or place >= start:
            return place
    return None


def _positions(oid: int, stored: str, value: Stored | None) -> Iterator[int]:
    type = array_type(oid)
    array = _searchable(type, stored, "searching for elements in")
    key = equality(type.element)
    wanted = None if value is None else key(value)
    for place, item in enumerate(array.elements, array.lower[0] if array.lower else 1):
        if (item is None) == (value is None) and (item is None or key(item) == wanted):
            yield place


@function("array_positions", strict=False, types="arguments")
def array_positions(oid: int, _: int, stored: str | None, value: Stored | None) -> str | None:
    return None if stored is None else encode_json(list(_positions(oid, stored, value)))


@function("array_remove", strict=False, types="arguments")
def array_remove(oid: int, _: int, stored: str | None, value: Stored | None) -> str | None:
    if stored is None:
        return None
    type = array_type(oid)
    array = _searchable(type, stored, "removing elements from")
    same = _sameness(type, value)
    kept = [item for item in array.elements if not same(item)]
    return type.encode(ArrayValue(kept, array.lower if kept else []))


@function("array_replace", strict=False, types="arguments")
def array_replace(oid: int, _: int, _new: int, stored: str | None, old: Stored | None, new: Stored | None) -> str | None:
    if stored is None:
        return None
    type = array_type(oid)
    array = type.decode(stored)
    same = _sameness(type, old)

    def replaced(elements: Elements) -> Elements:
        return [replaced(item) if item.__class__ is list else new if same(item) else item for item in elements]

    return type.encode(ArrayValue(replaced(array.elements), array.lower))


def _sameness(type: Array, value: Stored | None) -> Callable[[Any], bool]:
    """Whether an element is not distinct from the value."""
    key = equality(type.element)
    if value is None:
        return lambda item: item is None
    wanted = key(value)
    return lambda item: item is not None and bool(key(item) == wanted)


@function("array_sort", types="arguments")
def array_sort(oid: int, stored: str) -> str:
    return _sorted(oid, stored, descending=False, nulls_first=False)


@function("array_sort_order", types="arguments")
def array_sort_order(oid: int, _: int, stored: str, descending: int) -> str:
    return _sorted(oid, stored, descending=bool(descending), nulls_first=bool(descending))


@function("array_sort_order_nulls_first", types="arguments")
def array_sort_order_nulls_first(oid: int, _: int, _nulls: int, stored: str, descending: int, nulls_first: int) -> str:
    return _sorted(oid, stored, descending=bool(descending), nulls_first=bool(nulls_first))


def _sorted(oid: int, stored: str, *, descending: bool, nulls_first: bool) -> str:
    type = array_type(oid)
    array = type.decode(stored)
    if not array.lower or len(array.elements) == 1:
        return stored
    key: Callable[[Any], Any]
    if len(array.lower) > 1:  # the sub-arrays are sorted, as arrays
        depth = len(array.lower) - 1

        def key(part: Elements) -> Any:
            return sort_key(type.oid, type.encode(ArrayValue(part, [1] * depth)))
    else:
        key = ordering(type.element)
    filled = sorted([item for item in array.elements if item is not None], key=key, reverse=descending)
    nulls = [None] * (len(array.elements) - len(filled))
    return type.encode(ArrayValue(nulls + filled if nulls_first else filled + nulls, array.lower))


@function("array_reverse", types="arguments")
def array_reverse(oid: int, stored: str) -> str:
    type = array_type(oid)
    array = type.decode(stored)
    return type.encode(ArrayValue(array.elements[::-1], array.lower))


@function("array_shuffle", deterministic=False, types="arguments")
def array_shuffle(oid: int, stored: str) -> str:
    type = array_type(oid)
    array = type.decode(stored)
    random.shuffle(array.elements)
    return type.encode(array)


@function("array_sample", deterministic=False, types="arguments")
def array_sample(oid: int, _: int, stored: str, count: int) -> str:
    type = array_type(oid)
    array = type.decode(stored)
    if not 0 <= count <= len(array.elements):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"sample size must be between 0 and {len(array.elements)}")
    chosen = random.sample(array.elements, count)
    return type.encode(ArrayValue(chosen, [1, *array.lower[1:]] if chosen else []))


@function("trim_array", types="arguments")
def trim_array(oid: int, _: int, stored: str, count: int) -> str:
    type = array_type(oid)
    array = type.decode(stored)
    size = len(array.elements)
    if not 0 <= count <= size:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, f"number of elements to trim must be between 0 and {size}")
    kept = array.elements[: size - count]
    return type.encode(ArrayValue(kept, [1] * len(array.lower) if kept else []))

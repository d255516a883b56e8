"""Subscripts: `a[i]`, `a[l:u]` and assignment to them in INSERT and UPDATE.

The translator calls these functions; PostgreSQL has no pg_proc rows for them (arraysubs.c: array_get_element,
array_get_slice, array_set_element, array_set_slice). All get the OIDs of their arguments first. An omitted slice bound is
the text `omitted`, NULL is SQL's NULL.

array_subscript(array, i, …)            a[i][j]          array_assign(array, value, i, …)             SET a[i] = value
array_slice(array, l, u, …)             a[l:u][l2:u2]    array_assign_slice(array, source, l, u, …)   SET a[l:u] = source
jsonb_subscript(doc, step, …)           j['a'][0]        jsonb_assign(doc, value, step, …)            SET j['a'] = value
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.array import array_type
from translator.functions.json_access import SUBSCRIPT, element, member
from translator.functions.json_edit import assign_path
from translator.functions.registry import function
from translator.types.array import ArrayValue, Elements, check_dimensions, nest
from translator.types.json import read

if TYPE_CHECKING:
    from translator.types.base import Stored

OMITTED = "omitted"


def _split(arguments: tuple[Any, ...]) -> tuple[int, tuple[Any, ...]]:
    """The first argument's type OID and the values."""
    count = len(arguments) // 2
    return arguments[0], arguments[count:]


@function("array_subscript", types="arguments")
def array_subscript(*arguments: Any) -> Stored | None:
    """One element; NULL outside the bounds or with another number of subscripts than dimensions."""
    oid, (stored, *subscripts) = _split(arguments)
    array = array_type(oid).decode(stored)
    if len(subscripts) != len(array.lower):
        return None
    item: Any = array.elements
    for subscript, low in zip(subscripts, array.lower, strict=True):
        place = subscript - low
        if not 0 <= place < len(item):
            return None
        item = item[place]
    found: Stored | None = item
    return found


@function("array_slice", strict=False, types="arguments")
def array_slice(*arguments: Any) -> str | None:
    """A part, its lower bounds 1; what is outside the bounds is cut off."""
    oid, (stored, *bounds) = _split(arguments)
    if stored is None or None in bounds:
        return None
    type = array_type(oid)
    array = type.decode(stored)
    count = len(bounds) // 2
    if not array.lower or count > len(array.lower):
        return "[]"
    ranges = []
    sizes = array.dimensions()
    for dimension, (size, low) in enumerate(zip(sizes, array.lower, strict=True)):
        start, end = 0, size
        if dimension < count:
            lower, upper = bounds[2 * dimension], bounds[2 * dimension + 1]
            start = 0 if lower == OMITTED else max(lower - low, 0)
            end = size if upper == OMITTED else min(upper - low + 1, size)
        if start >= end:
            return "[]"
        ranges.append((start, end))
    return type.encode(ArrayValue(_cut(array.elements, ranges), [1] * len(ranges)))


def _cut(elements: Elements, ranges: list[tuple[int, int]]) -> Elements:
    start, end = ranges[0]
    if len(ranges) == 1:
        return elements[start:end]
    return [_cut(part, ranges[1:]) for part in elements[start:end]]


def _checked(subscripts: list[Any]) -> None:
    if None in subscripts:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null")
    if len(subscripts) > 6:
        raise SqlError(
            codes.PROGRAM_LIMIT_EXCEEDED, f"number of array dimensions ({len(subscripts)}) exceeds the maximum allowed (6)"
        )


def _out_of_range() -> SqlError:
    return SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "array subscript out of range")


def _wrong_number() -> SqlError:
    return SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")


@function("array_assign", strict=False, types="arguments")
def array_assign(*arguments: Any) -> str:
    """The array with one element changed; a one-dimensional array grows, with NULLs in the gap."""
    oid, (stored, value, *subscripts) = _split(arguments)
    _checked(subscripts)
    type = array_type(oid)
    array = type.decode(stored) if stored is not None else ArrayValue([], [])
    if not array.lower:
        check_dimensions([1] * len(subscripts), subscripts)
        return type.encode(ArrayValue(nest([value], [1] * len(subscripts)), list(subscripts)))
    if len(subscripts) != len(array.lower):
        raise _wrong_number()
    if len(subscripts) == 1:
        _grow(array, subscripts[0], subscripts[0])
    item: Any = array.elements
    for subscript, low in zip(subscripts[:-1], array.lower[:-1], strict=True):
        if not 0 <= subscript - low < len(item):
            raise _out_of_range()
        item = item[subscript - low]
    place = subscripts[-1] - array.lower[-1]
    if not 0 <= place < len(item):
        raise _out_of_range()
    item[place] = value
    return type.encode(array)


def _grow(array: ArrayValue, first: int, last: int) -> None:
    """Make a one-dimensional array reach from `first` to `last` at least."""
    low = array.lower[0]
    before, after = max(low - first, 0), max(last - low - len(array.elements) + 1, 0)
    check_dimensions([len(array.elements) + before + after], [low - before])
    array.elements[:0] = [None] * before
    array.elements.extend([None] * after)
    array.lower[0] = low - before


@function("array_assign_slice", strict=False, types="arguments")
def array_assign_slice(*arguments: Any) -> str:
    """The array with a slice replaced by the elements of another array, taken in row-major order."""
    oid, (stored, source, *bounds) = _split(arguments)
    _checked(bounds[::2])
    _checked(bounds[1::2])
    if source is None:
        return stored if stored is not None else "[]"
    type = array_type(oid)
    array = type.decode(stored) if stored is not None else ArrayValue([], [])
    items = type.decode(source).flat()
    if not array.lower:
        return type.encode(_new_slice(bounds, items))
    if len(bounds) // 2 > len(array.lower):
        raise _wrong_number()
    ranges = _slice_ranges(array, bounds)
    needed = 1
    for first, last in ranges:
        needed *= last - first + 1
    if len(items) < needed:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "source array too small")
    if len(array.lower) == 1:
        _grow(array, *ranges[0])
    for number, value in enumerate(items[:needed]):
        _put(array, ranges, number, value)
    return type.encode(array)


def _new_slice(bounds: list[Any], items: Elements) -> ArrayValue:
    if OMITTED in bounds:
        raise SqlError(
            codes.ARRAY_SUBSCRIPT_ERROR,
            "array slice subscript must provide both boundaries",
            detail="When assigning to a slice of an empty array value, slice boundaries must be fully specified.",
        )
    lower = bounds[::2]
    sizes = [last - first + 1 for first, last in zip(lower, bounds[1::2], strict=True)]
    check_dimensions(sizes, lower)
    if 0 in sizes:
        return ArrayValue([], [])
    needed = 1
    for size in sizes:
        needed *= size
    if len(items) < needed:
        raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "source array too small")
    return ArrayValue(nest(items[:needed], sizes), lower)


def _slice_ranges(array: ArrayValue, bounds: list[Any]) -> list[tuple[int, int]]:
    ranges = []
    sizes = array.dimensions()
    for dimension, (size, low) in enumerate(zip(sizes, array.lower, strict=True)):
        first, last = low, low + size - 1
        if dimension < len(bounds) // 2:
            given_first, given_last = bounds[2 * dimension], bounds[2 * dimension + 1]
            first = first if given_first == OMITTED else given_first
            last = last if given_last == OMITTED else given_last
        if first > last:
            raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound")
        if len(sizes) > 1 and (first < low or last > low + size - 1):
            raise _out_of_range()
        ranges.append((first, last))
    return ranges


def _put(array: ArrayValue, ranges: list[tuple[int, int]], number: int, value: Any) -> None:
    places = []
    for first, last in reversed(ranges):
        number, offset = divmod(number, last - first + 1)
        places.append(first + offset)
    item: Any = array.elements
    *outer, inner = [place - low for place, low in zip(reversed(places), array.lower, strict=True)]
    for place in outer:
        item = item[place]
    item[inner] = value


@function("jsonb_subscript", types="arguments")
def jsonb_subscript(*arguments: Any) -> str | None:
    """`j['a'][0]`: like `->`, step by step; a subscript is text or int4."""
    _, (text, *steps) = _split(arguments)
    start, end = 0, len(text)
    for step in steps:
        if text[start] == "[":
            if not SUBSCRIPT.match(str(step)):
                return None
            start, end = element(text, start, int(step))
        else:
            start, end = member(text, start, str(step))
        if start < 0:
            return None
    found: str = text[start:end]
    return found


@function("jsonb_assign", strict=False, types="arguments")
def jsonb_assign(*arguments: Any) -> str:
    """`SET j['a'][0] = value`: makes what is missing on the way, NULLs in the gaps (JB_PATH_FILL_GAPS)."""
    _, (text, value, *steps) = _split(arguments)
    if None in steps:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "jsonb subscript in assignment must not be null")
    new = None if value is None else read(value)
    return assign_path(text, steps, new)

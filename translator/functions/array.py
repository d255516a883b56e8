"""Arrays: comparison, containment, size, building, text, rows (chapter 9.19).

All polymorphic functions are told the OIDs of their arguments, the array type's among them, since the stored JSON does not say
what its elements are. array_search.py has what finds, replaces and
sorts elements, array_subscript.py the subscripts.

arrayfuncs.c and array_userfuncs.c of PostgreSQL decide on bounds, NULLs and errors.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.keys import key as sort_key
from translator.functions.keys import ordering, unordered
from translator.functions.registry import function, rows
from translator.settings import runtime
from translator.types.array import (
    MAX_DIMENSIONS,
    Array,
    ArrayValue,
    check_dimensions,
    map_elements,
    nest,
    too_many_dimensions,
)
from translator.types.composite import row_items
from translator.types.domain import underlying
from translator.types.names import sql_name
from translator.types.registry import builtin_rows, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from translator.types.base import Stored, Type


_builtin_arrays: dict[int, Array] = {}


def array_type(oid: int) -> Array:
    """The array type of an OID; of a domain, what it is over."""
    found = _builtin_arrays.get(oid)
    if found is not None:
        return found
    type = underlying(type_of(oid))
    assert isinstance(type, Array)
    if oid in builtin_rows():
        _builtin_arrays[oid] = type
    return type


def equality(element: Type) -> Callable[[Any], Any]:
    """What elements are compared by for equality. Raises for types that have none."""
    if unordered(element):
        raise SqlError(codes.UNDEFINED_FUNCTION, f"could not identify an equality operator for type {element.name}")
    return ordering(element)


def array_error(message: str, detail: str | None = None) -> SqlError:
    return SqlError(codes.ARRAY_SUBSCRIPT_ERROR, message, detail=detail)


# Comparison


@function("array_eq", types="arguments")
def array_eq(oid: int, _: int, left: str, right: str) -> bool:
    element = array_type(oid).element
    if unordered(element):
        equality(element)
    if left == right:
        return True
    if element.key is None and element.sqlite_type != "REAL":
        return False  # what is equal is stored alike
    return sort_key(oid, left) == sort_key(oid, right)


@function("array_ne", types="arguments")
def array_ne(oid: int, other: int, left: str, right: str) -> bool:
    return not array_eq(oid, other, left, right)


def _compare(oid: int, left: Stored, right: Stored) -> int:
    first: Any = sort_key(oid, left)
    second: Any = sort_key(oid, right)
    return int(first > second) - int(first < second)


@function("array_lt", types="arguments")
def array_lt(oid: int, _: int, left: str, right: str) -> bool:
    return _compare(oid, left, right) < 0


@function("array_le", types="arguments")
def array_le(oid: int, _: int, left: str, right: str) -> bool:
    return _compare(oid, left, right) <= 0


@function("array_gt", types="arguments")
def array_gt(oid: int, _: int, left: str, right: str) -> bool:
    return _compare(oid, left, right) > 0


@function("array_ge", types="arguments")
def array_ge(oid: int, _: int, left: str, right: str) -> bool:
    return _compare(oid, left, right) >= 0


@function("btarraycmp", types="arguments")
def btarraycmp(oid: int, _: int, left: str, right: str) -> int:
    return _compare(oid, left, right)


@function("array_larger", types="arguments")
def array_larger(oid: int, _: int, left: str, right: str) -> str:
    return left if _compare(oid, left, right) > 0 else right


@function("array_smaller", types="arguments")
def array_smaller(oid: int, _: int, left: str, right: str) -> str:
    return left if _compare(oid, left, right) < 0 else right


def _keyed(type: Array, stored: str) -> tuple[set[Any], bool]:
    """The elements' keys, and whether there is a NULL."""
    key = equality(type.element)
    items = type.decode(stored).flat()
    return {key(item) for item in items if item is not None}, None in items


@function("arraycontains", types="arguments")
def arraycontains(oid: int, _: int, left: str, right: str) -> bool:
    """`@>`: a NULL on the right is contained in nothing."""
    type = array_type(oid)
    wanted, has_null = _keyed(type, right)
    return not has_null and wanted <= _keyed(type, left)[0]


@function("arraycontained", types="arguments")
def arraycontained(oid: int, other: int, left: str, right: str) -> bool:
    return arraycontains(oid, other, right, left)


@function("arrayoverlap", types="arguments")
def arrayoverlap(oid: int, _: int, left: str, right: str) -> bool:
    type = array_type(oid)
    return not _keyed(type, left)[0].isdisjoint(_keyed(type, right)[0])


# Size


def _shape(oid: int, stored: str) -> tuple[list[int], list[int]]:
    array = array_type(oid).decode(stored)
    return array.dimensions(), array.lower


@function("array_ndims", types="arguments")
def array_ndims(oid: int, stored: str) -> int | None:
    return len(_shape(oid, stored)[0]) or None


@function("array_dims", types="arguments")
def array_dims(oid: int, stored: str) -> str | None:
    sizes, lower = _shape(oid, stored)
    return "".join(f"[{low}:{low + size - 1}]" for size, low in zip(sizes, lower, strict=True)) or None


@function("array_length", types="arguments")
def array_length(oid: int, _: int, stored: str, dimension: int) -> int | None:
    sizes, _lower = _shape(oid, stored)
    return sizes[dimension - 1] if 1 <= dimension <= len(sizes) else None


@function("array_lower", types="arguments")
def array_lower(oid: int, _: int, stored: str, dimension: int) -> int | None:
    _sizes, lower = _shape(oid, stored)
    return lower[dimension - 1] if 1 <= dimension <= len(lower) else None


@function("array_upper", types="arguments")
def array_upper(oid: int, _: int, stored: str, dimension: int) -> int | None:
    sizes, lower = _shape(oid, stored)
    return lower[dimension - 1] + sizes[dimension - 1] - 1 if 1 <= dimension <= len(sizes) else None


@function("array_cardinality", types="arguments")
def array_cardinality(oid: int, stored: str) -> int:
    return len(array_type(oid).decode(stored).flat())


# Building


@function("array_construct", strict=False, types="both")
def array_construct(*arguments: Any) -> str:
    """ARRAY[…] of elements: the result type's OID follows the arguments' OIDs."""
    count = len(arguments) // 2
    return array_type(arguments[count]).encode(ArrayValue(list(arguments[count + 1 :]), [1] if count else []))


@function("array_from_multi", strict=False, types="arguments")
def array_from_multi(*arguments: Any) -> str:
    """ARRAY[…] of arrays: one dimension more (ExecEvalArrayExpr)."""
    count = len(arguments) // 2
    type = array_type(arguments[0])
    parts = [type.decode(item) for item in arguments[count:] if item is not None]
    filled = [part for part in parts if part.lower]
    if not filled:
        return "[]"
    if len(filled) >= 1 and len(filled[0].lower) + 1 > MAX_DIMENSIONS:
        raise too_many_dimensions(len(filled[0].lower) + 1)
    shape = (filled[0].dimensions(), filled[0].lower)
    if len(filled) < count or any((part.dimensions(), part.lower) != shape for part in filled):
        raise array_error("multidimensional arrays must have array expressions with matching dimensions")
    return type.encode(ArrayValue([part.elements for part in filled], [1, *filled[0].lower]))


def _one_dimension(type: Array, stored: str | None) -> ArrayValue:
    array = type.decode(stored) if stored is not None else ArrayValue([], [])
    if len(array.lower) > 1:
        raise SqlError(codes.DATA_EXCEPTION, "argument must be empty or one-dimensional array")
    return array


@function("array_append", strict=False, types="arguments")
def array_append(oid: int, _: int, stored: str | None, value: Stored | None) -> str:
    type = array_type(oid)
    array = _one_dimension(type, stored)
    return type.encode(ArrayValue([*array.elements, value], array.lower or [1]))


@function("array_prepend", strict=False, types="arguments")
def array_prepend(_: int, oid: int, value: Stored | None, stored: str | None) -> str:
    type = array_type(oid)
    array = _one_dimension(type, stored)
    return type.encode(ArrayValue([value, *array.elements], array.lower or [1]))


@function("array_cat", strict=False, types="arguments")
def array_cat(oid: int, _: int, left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return right if left is None else left
    type = array_type(oid)
    first, second = type.decode(left), type.decode(right)
    if not first.lower:
        return right
    if not second.lower:
        return left
    depth, other = len(first.lower), len(second.lower)
    sizes, other_sizes = first.dimensions(), second.dimensions()
    if depth == other:
        if sizes[1:] != other_sizes[1:] or first.lower[1:] != second.lower[1:]:
            raise _incompatible("Arrays with differing element dimensions are not compatible for concatenation.")
        return type.encode(ArrayValue(first.elements + second.elements, first.lower))
    if depth == other - 1:
        if sizes != other_sizes[1:] or first.lower != second.lower[1:]:
            raise _incompatible("Arrays with differing dimensions are not compatible for concatenation.")
        return type.encode(ArrayValue([first.elements, *second.elements], second.lower))
    if depth == other + 1:
        if sizes[1:] != other_sizes or first.lower[1:] != second.lower:
            raise _incompatible("Arrays with differing dimensions are not compatible for concatenation.")
        return type.encode(ArrayValue([*first.elements, second.elements], first.lower))
    raise _incompatible(f"Arrays of {depth} and {other} dimensions are not compatible for concatenation.")


def _incompatible(detail: str) -> SqlError:
    return array_error("cannot concatenate incompatible arrays", detail)


@function("array_fill", strict=False, types="both")
def array_fill(_: int, _sizes: int, result: int, value: Stored | None, sizes: str | None) -> str:
    return _filled(result, value, sizes, None, given=False)


@function("array_fill_with_lower_bounds", strict=False, types="both")
def array_fill_with_lower_bounds(
    _: int, _sizes: int, _lower: int, result: int, value: Stored | None, sizes: str | None, lower: str | None
) -> str:
    return _filled(result, value, sizes, lower, given=True)


def _filled(result: int, value: Stored | None, sizes: str | None, lower: str | None, *, given: bool) -> str:
    if sizes is None or (given and lower is None):
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null")
    counts = _bounds(sizes)
    if len(counts) > MAX_DIMENSIONS:
        raise too_many_dimensions(len(counts))
    bounds = _bounds(lower) if lower is not None else [1] * len(counts)
    if len(bounds) != len(counts):
        raise array_error("wrong number of array subscripts", "Low bound array has different size than dimensions array.")
    check_dimensions(counts, bounds)
    total = 1 if counts else 0
    for count in counts:
        total *= count
    if not total:
        return "[]"
    return array_type(result).encode(ArrayValue(nest([value] * total, counts), bounds))


def _bounds(stored: str) -> list[int]:
    array = array_type(1007).decode(stored)
    if len(array.lower) > 1:
        raise array_error("wrong number of array subscripts", "Dimension array must be one dimensional.")
    if None in array.elements:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null")
    return array.elements


# Text, buckets, rows


@function("array_to_text", types="arguments")
def array_to_text(oid: int, _: int, stored: str, delimiter: str) -> str:
    return _joined(oid, stored, delimiter, None)


@function("array_to_text_null", strict=False, types="arguments")
def array_to_text_null(oid: int, _: int, _null: int, stored: str | None, delimiter: str | None, null: str | None) -> str | None:
    return None if stored is None or delimiter is None else _joined(oid, stored, delimiter, null)


def _joined(oid: int, stored: str, delimiter: str, null: str | None) -> str:
    type = array_type(oid)
    write, settings = type.element.output, runtime.settings
    items = type.decode(stored).flat()
    texts = [null if item is None else write(item, settings) for item in items]
    return delimiter.join([text for text in texts if text is not None])


@function("width_bucket_array", types="arguments")
def width_bucket_array(_: int, oid: int, value: Stored, thresholds: str) -> int:
    type = array_type(oid)
    array = type.decode(thresholds)
    if len(array.lower) > 1:
        raise array_error("thresholds must be one-dimensional array")
    if None in array.elements:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs")
    key = ordering(type.element)
    return bisect_right(array.elements, key(value), key=key)


@rows("array_unnest", types="arguments")
def array_unnest(oid: int, stored: str) -> Iterator[Stored | None]:
    """One row for each element. For a one-dimensional array SQLite's json_each is the same, but for bytes and floats."""
    return iter(array_type(oid).decode(stored).flat())


_NO_FIELDS = (None,) * 32  # a NULL row: as many NULLs as a set-returning function has columns


@rows("array_unnest_rows", types="arguments")
def array_unnest_rows(oid: int, stored: str) -> Iterator[tuple[Stored | None, ...]]:
    """The same for an array of a composite type or of records, in FROM: a row with the element's fields."""
    type = array_type(oid)
    element = underlying(type.element)
    for item in type.decode(stored).flat():
        yield _NO_FIELDS if item is None else tuple(value for _, value in row_items(element, item))


@rows("generate_subscripts_nodir", types="arguments")
def generate_subscripts_nodir(oid: int, _: int, stored: str, dimension: int) -> range:
    sizes, lower = _shape(oid, stored)
    if not 1 <= dimension <= len(sizes):
        return range(0)
    return range(lower[dimension - 1], lower[dimension - 1] + sizes[dimension - 1])


@rows("generate_subscripts", types="arguments")
def generate_subscripts(oid: int, number: int, _: int, stored: str, dimension: int, reverse: int) -> range:
    subscripts = generate_subscripts_nodir(oid, number, stored, dimension)
    return subscripts[::-1] if reverse else subscripts


# Vectors: arrays of oid and int2 with operators of their own


def _vector_key(stored: str) -> tuple[int, list[int]]:
    elements: list[int] = array_type(30).decode(stored).elements
    return len(elements), elements


@function("btoidvectorcmp")
def btoidvectorcmp(left: str, right: str) -> int:
    first, second = _vector_key(left), _vector_key(right)
    return (first > second) - (first < second)


@function("oidvectoreq")
def oidvectoreq(left: str, right: str) -> bool:
    return left == right


@function("oidvectorne")
def oidvectorne(left: str, right: str) -> bool:
    return left != right


@function("oidvectorlt")
def oidvectorlt(left: str, right: str) -> bool:
    return _vector_key(left) < _vector_key(right)


@function("oidvectorle")
def oidvectorle(left: str, right: str) -> bool:
    return _vector_key(left) <= _vector_key(right)


@function("oidvectorgt")
def oidvectorgt(left: str, right: str) -> bool:
    return _vector_key(left) > _vector_key(right)


@function("oidvectorge")
def oidvectorge(left: str, right: str) -> bool:
    return _vector_key(left) >= _vector_key(right)


@function("array_coerce_io", types="both")
def array_coerce_io(source: int, result: int, stored: str) -> str:
    """An array cast whose elements go through text: output of one type, input of the other (CoerceViaIO)."""
    from_type, to_type = array_type(source), array_type(result)
    settings = runtime.settings
    array = from_type.decode(stored)
    write, read = from_type.element.output, to_type.element.input
    changed = map_elements(lambda item: read(write(item, settings), settings), array.elements)
    return to_type.encode(ArrayValue(changed, array.lower))


@function("oidvectortypes")
def oidvectortypes(stored: str) -> str:
    """The names of types, as pg_proc.proargtypes lists them."""
    return ", ".join([sql_name(oid) for oid in array_type(30).decode(stored).elements])

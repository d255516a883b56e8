"""Rows as values: ROW(…), assignment to a field, IS NULL, comparison; pg_typeof.

row_construct(values)             an anonymous record, told the types of its arguments
composite_to_record(value)        the cast of a composite value to record
record_assign(record, n, value)   a composite value with one field changed; NULL becomes a row of NULLs

rowtypes.c: record_cmp, record_image_cmp. The order of images is PostgreSQL's for equal and unequal only; it compares bytes
of its own storage.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.keys import key as sort_key
from translator.functions.keys import require_order, sort_bytes
from translator.functions.registry import function
from translator.types.base import Stored
from translator.types.composite import Composite, Record, row_items
from translator.types.domain import underlying
from translator.types.names import sql_name
from translator.types.registry import builtin, type_of

if TYPE_CHECKING:
    from translator.types.composite import Item


def _record() -> Record:
    type = builtin(2249)
    assert isinstance(type, Record)
    return type


def composite_type(oid: int) -> Composite:
    type = underlying(type_of(oid))
    assert isinstance(type, Composite)
    return type


def _items(oid: int, stored: Stored) -> list[Item]:
    return row_items(underlying(type_of(oid)), stored)


@function("row_construct", strict=False, types="arguments")
def row_construct(*arguments: Any) -> str:
    count = len(arguments) // 2
    return _record().encode(list(zip(arguments[:count], arguments[count:], strict=True)))


@function("composite_to_record", types="arguments")
def composite_to_record(oid: int, stored: Stored) -> str:
    return _record().encode([(attribute.type.oid, value, attribute.name) for attribute, value in _items(oid, stored)])


@function("record_assign", strict=False, types="arguments")
def record_assign(oid: int, _: int, _value: int, stored: Stored | None, number: int, value: Stored | None) -> str:
    type = composite_type(oid)
    fields: list[Stored | None] = [None] * len(type.attributes) if stored is None else type.decode(stored)
    fields[number - 1] = value
    return type.encode(fields)


def _compare(oid: int, other: int, left: Stored, right: Stored) -> int:
    """Field by field, NULLs last (record_cmp)."""
    first, second = _items(oid, left), _items(other, right)
    for number, ((mine, value), (theirs, another)) in enumerate(zip(first, second, strict=False), 1):
        if mine.type.oid != theirs.type.oid:
            raise _dissimilar(mine.type.oid, theirs.type.oid, number)
        require_order(mine.type)
        if value is None or another is None:
            if value is None and another is None:
                continue
            return 1 if value is None else -1
        key, other_key = _field_key(mine.type, value), _field_key(mine.type, another)
        if key != other_key:
            return -1 if key < other_key else 1
    if len(first) != len(second):
        raise SqlError(codes.DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns")
    return 0


def _dissimilar(left: int, right: int, number: int) -> SqlError:
    message = f"cannot compare dissimilar column types {sql_name(left)} and {sql_name(right)} at record column {number}"
    return SqlError(codes.DATATYPE_MISMATCH, message)


def _field_key(type: Any, value: Stored) -> bytes:
    return sort_bytes(sort_key(type.oid, value))


function("btrecordcmp", types="arguments")(_compare)


@function("record_larger", types="arguments")
def record_larger(oid: int, other: int, left: Stored, right: Stored) -> Stored:
    return left if _compare(oid, other, left, right) > 0 else right


@function("record_smaller", types="arguments")
def record_smaller(oid: int, other: int, left: Stored, right: Stored) -> Stored:
    return left if _compare(oid, other, left, right) < 0 else right


def _image(oid: int, stored: Stored) -> list[tuple[bool, bytes]]:
    """Fields as they are stored, NULLs last: what the operators `*=`, `*<`, … go by (record_image_cmp)."""
    return [(value is None, b"" if value is None else sort_bytes(value)) for _, value in _items(oid, stored)]


def _compare_images(oid: int, other: int, left: Stored, right: Stored) -> int:
    mine, theirs = _items(oid, left), _items(other, right)
    for number, ((one, _), (another, _)) in enumerate(zip(mine, theirs, strict=False), 1):
        if one.type.oid != another.type.oid:
            raise _dissimilar(one.type.oid, another.type.oid, number)
    if len(mine) != len(theirs):
        raise SqlError(codes.DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns")
    first, second = _image(oid, left), _image(other, right)
    return (first > second) - (first < second)


function("btrecordimagecmp", types="arguments")(_compare_images)


_Order = Callable[[int, int, Stored, Stored], int]


def _comparison(test: Callable[[int, int], bool], order: _Order) -> Callable[[int, int, Stored, Stored], bool]:
    return lambda oid, other, left, right: test(order(oid, other, left, right), 0)


for _test in (eq, ne, lt, le, gt, ge):
    function(f"record_{_test.__name__}", types="arguments")(_comparison(_test, _compare))
    function(f"record_image_{_test.__name__}", types="arguments")(_comparison(_test, _compare_images))


@function("pg_typeof", strict=False, types="arguments")
def pg_typeof(oid: int, _: Stored | None) -> int:
    return oid

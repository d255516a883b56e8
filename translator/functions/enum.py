"""Enums: comparison by the order of the labels, and the functions that list them (chapter 9.10).

Every function gets the OIDs of its arguments first: the labels are the type's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function, template
from translator.types.array import encode_json
from translator.types.domain import underlying
from translator.types.enum import Enum
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Callable

template("enum_eq", "$1 = $2")
template("enum_ne", "$1 <> $2")


def enum_type(oid: int) -> Enum:
    type = underlying(type_of(oid))
    assert isinstance(type, Enum)
    return type


def _compare(oid: int, left: str, right: str) -> int:
    places = enum_type(oid).places
    return places[left] - places[right]


def _comparison(test: Callable[[int], bool]) -> Callable[[int, int, str, str], bool]:
    return lambda oid, _, left, right: test(_compare(oid, left, right))


function("enum_lt", types="arguments")(_comparison(lambda sign: sign < 0))
function("enum_le", types="arguments")(_comparison(lambda sign: sign <= 0))
function("enum_gt", types="arguments")(_comparison(lambda sign: sign > 0))
function("enum_ge", types="arguments")(_comparison(lambda sign: sign >= 0))


@function("enum_cmp", types="arguments")
def enum_cmp(oid: int, _: int, left: str, right: str) -> int:
    sign = _compare(oid, left, right)
    return (sign > 0) - (sign < 0)


@function("enum_larger", types="arguments")
def enum_larger(oid: int, _: int, left: str, right: str) -> str:
    return left if _compare(oid, left, right) > 0 else right


@function("enum_smaller", types="arguments")
def enum_smaller(oid: int, _: int, left: str, right: str) -> str:
    return left if _compare(oid, left, right) < 0 else right


def _labels(oid: int) -> tuple[str, ...]:
    type = enum_type(oid)
    if not type.labels:
        raise SqlError(codes.OBJECT_NOT_IN_PREREQUISITE_STATE, f"enum {type.name} contains no values")
    return type.labels


@function("enum_first", strict=False, types="arguments")
def enum_first(oid: int, _: str | None) -> str:
    return _labels(oid)[0]


@function("enum_last", strict=False, types="arguments")
def enum_last(oid: int, _: str | None) -> str:
    return _labels(oid)[-1]


@function("enum_range_all", strict=False, types="arguments")
def enum_range_all(oid: int, _: str | None) -> str:
    return encode_json(list(enum_type(oid).labels))


@function("enum_range_bounds", strict=False, types="arguments")
def enum_range_bounds(oid: int, _: int, lower: str | None, upper: str | None) -> str:
    """From one label to another; NULL leaves that end open."""
    type = enum_type(oid)
    start = 0 if lower is None else type.places[lower]
    end = len(type.labels) if upper is None else type.places[upper] + 1
    return encode_json(list(type.labels[start:end]))

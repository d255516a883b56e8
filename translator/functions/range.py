"""Ranges and multiranges: operators and functions (chapter 9.20).

Both are lists of spans here (types/range.py), a range of at most one, so that one test serves range against range, range
against multirange and so on. Everything that is polymorphic gets the OIDs of its arguments first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.keys import key_function, sort_bytes
from translator.functions.registry import aggregate, function, rows, template
from translator.types.array import Array
from translator.types.domain import underlying
from translator.types.range import Multirange, Range, Span, adjacent, hull
from translator.types.registry import builtin_ranges, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from translator.types.base import Stored

Spans = list[Span]


def _type(oid: int) -> Range | Multirange:
    type = underlying(type_of(oid))
    assert isinstance(type, Range | Multirange)
    return type


def _range_type(oid: int) -> Range:
    type = _type(oid)
    return type.range if isinstance(type, Multirange) else type


def _multirange_type(oid: int) -> Multirange:
    """A multirange type, or that of a range type."""
    type = _type(oid)
    if isinstance(type, Range):
        type = _type(builtin_ranges()[type.oid][1])
    assert isinstance(type, Multirange)
    return type


# Keys


def _key(type: Range | Multirange) -> Callable[[str], bytes]:
    """Spans one after the other, lower bound first; no span sorts before any (range_cmp, multirange_cmp)."""
    bound_key = key_function(_range_type(type.oid).subtype)

    def bound(value: Stored | None, infinite: bytes, side: int) -> bytes:
        return infinite if value is None else b"\x01" + sort_bytes(bound_key(value)) + bytes([side])

    def key(stored: str) -> bytes:
        parts = []
        for span in type.spans(stored):
            parts.append(b"\x01" + bound(span.lower, b"\x00", 1 if span.lower_inc else 2))
            parts.append(bound(span.upper, b"\x02", 1 if span.upper_inc else 0))
        return b"".join(parts) + b"\x00"

    return key


def _lazy_key(oid: int) -> Callable[[str], bytes]:
    made: list[Callable[[str], bytes]] = []

    def key(stored: str) -> bytes:
        if not made:
            made.append(_key(_type(oid)))
        return made[0](stored)

    return key


for _oid, (_, _multirange, _name, _multi_name) in builtin_ranges().items():
    function(f"key_{_name}")(_lazy_key(_oid))
    function(f"key_{_multi_name}")(_lazy_key(_multirange))


# Tests of two lists of spans


def _contains(left: Spans, right: Spans) -> bool:
    return all(any(mine.low <= other.low and other.high <= mine.high for mine in left) for other in right)


def _overlaps(left: Spans, right: Spans) -> bool:
    return any(mine.low <= other.high and other.low <= mine.high for mine in left for other in right)


def _before(left: Spans, right: Spans) -> bool:
    return bool(left and right) and left[-1].high < right[0].low


def _overleft(left: Spans, right: Spans) -> bool:
    return bool(left and right) and left[-1].high <= right[-1].high


def _overright(left: Spans, right: Spans) -> bool:
    return bool(left and right) and left[0].low >= right[0].low


def _adjacent(left: Spans, right: Spans) -> bool:
    return bool(left and right) and (adjacent(left[-1].high, right[0].low) or adjacent(right[-1].high, left[0].low))


def _order(spans: Spans) -> list[Any]:
    return [(span.low, span.high) for span in spans]


_TESTS: dict[str, Callable[[Spans, Spans], bool]] = {
    "contains": _contains,
    "contained_by": lambda left, right: _contains(right, left),
    "overlaps": _overlaps,
    "before": _before,
    "after": lambda left, right: _before(right, left),
    "overleft": _overleft,
    "overright": _overright,
    "adjacent": _adjacent,
}
_COMPARISONS: dict[str, Callable[[Spans, Spans], Any]] = {
    "eq": lambda left, right: _order(left) == _order(right),
    "ne": lambda left, right: _order(left) != _order(right),
    "lt": lambda left, right: _order(left) < _order(right),
    "le": lambda left, right: _order(left) <= _order(right),
    "gt": lambda left, right: _order(left) > _order(right),
    "ge": lambda left, right: _order(left) >= _order(right),
    "cmp": lambda left, right: (_order(left) > _order(right)) - (_order(left) < _order(right)),
}


def _of_spans(test: Callable[[Spans, Spans], Any]) -> Callable[[int, int, str, str], Any]:
    def call(oid: int, other: int, left: str, right: str) -> Any:
        return test(_type(oid).spans(left), _type(other).spans(right))

    return call


for _word, _test in _TESTS.items():
    _names = (
        f"range_{_word}", f"range_{_word}_multirange", f"multirange_{_word}_range", f"multirange_{_word}_multirange",
    )  # fmt: skip
    function(*_names, types="arguments")(_of_spans(_test))
for _word, _test in _COMPARISONS.items():
    function(f"range_{_word}", f"multirange_{_word}", types="arguments")(_of_spans(_test))


def _has(oid: int, stored: str, value: Stored) -> bool:
    return _contains(_type(oid).spans(stored), [_range_type(oid).point(value)])


@function("range_contains_elem", "multirange_contains_elem", types="arguments")
def range_contains_elem(oid: int, _: int, stored: str, value: Stored) -> bool:
    return _has(oid, stored, value)


@function("elem_contained_by_range", "elem_contained_by_multirange", types="arguments")
def elem_contained_by_range(_: int, oid: int, value: Stored, stored: str) -> bool:
    return _has(oid, stored, value)


# Parts


@function("range_lower", "multirange_lower", types="arguments")
def range_lower(oid: int, stored: str) -> Stored | None:
    spans = _type(oid).spans(stored)
    return spans[0].lower if spans else None


@function("range_upper", "multirange_upper", types="arguments")
def range_upper(oid: int, stored: str) -> Stored | None:
    spans = _type(oid).spans(stored)
    return spans[-1].upper if spans else None


@function("range_lower_inc", "multirange_lower_inc", types="arguments")
def range_lower_inc(oid: int, stored: str) -> bool:
    spans = _type(oid).spans(stored)
    return bool(spans) and spans[0].lower_inc


@function("range_upper_inc", "multirange_upper_inc", types="arguments")
def range_upper_inc(oid: int, stored: str) -> bool:
    spans = _type(oid).spans(stored)
    return bool(spans) and spans[-1].upper_inc


@function("range_lower_inf", "multirange_lower_inf", types="arguments")
def range_lower_inf(oid: int, stored: str) -> bool:
    spans = _type(oid).spans(stored)
    return bool(spans) and spans[0].lower is None


@function("range_upper_inf", "multirange_upper_inf", types="arguments")
def range_upper_inf(oid: int, stored: str) -> bool:
    spans = _type(oid).spans(stored)
    return bool(spans) and spans[-1].upper is None


@function("range_empty")
def range_empty(stored: str) -> bool:
    return stored == "empty"


@function("multirange_empty")
def multirange_empty(stored: str) -> bool:
    return stored == "{}"


# Making and combining

# A stored range is canonical.
for _name in ("int4range_canonical", "int8range_canonical", "daterange_canonical"):
    template(_name, "$1")
for _name in ("int4range_subdiff", "int8range_subdiff"):
    template(_name, "CAST($1 AS REAL) - $2")


@function("range_constructor2", strict=False, types="result")
def range_constructor2(oid: int, lower: Stored | None, upper: Stored | None) -> str:
    return range_constructor3(oid, lower, upper, "[)")


@function("range_constructor3", strict=False, types="result")
def range_constructor3(oid: int, lower: Stored | None, upper: Stored | None, flags: str | None) -> str:
    if flags is None:
        raise SqlError(codes.DATA_EXCEPTION, "range constructor flags argument must not be null")
    if flags not in {"[]", "[)", "(]", "()"}:
        raise SqlError(codes.SYNTAX_ERROR, "invalid range bound flags", hint='Valid values are "[]", "[)", "(]", and "()".')
    type = _range_type(oid)
    span = type.make(lower, upper, flags[0] == "[", flags[1] == "]")
    return type.encode([] if span is None else [span])


@function("range_union", types="arguments")
def range_union(oid: int, _: int, left: str, right: str) -> str:
    type = _range_type(oid)
    first, second = type.spans(left), type.spans(right)
    if not first or not second:
        return right if not first else left
    if not _overlaps(first, second) and not _adjacent(first, second):
        raise SqlError(codes.DATA_EXCEPTION, "result of range union would not be contiguous")
    return type.encode([hull(first[0], second[0])])


@function("range_merge", types="arguments")
def range_merge(oid: int, _: int, left: str, right: str) -> str:
    type = _range_type(oid)
    first, second = type.spans(left), type.spans(right)
    if not first or not second:
        return right if not first else left
    return type.encode([hull(first[0], second[0])])


@function("range_merge_from_multirange", types="arguments")
def range_merge_from_multirange(oid: int, stored: str) -> str:
    spans = _type(oid).spans(stored)
    return _range_type(oid).encode([hull(spans[0], spans[-1])] if spans else [])


@function("range_intersect", "multirange_intersect", types="arguments")
def range_intersect(oid: int, other: int, left: str, right: str) -> str:
    return _type(oid).encode(_intersection(_type(oid).spans(left), _type(other).spans(right)))


def _intersection(left: Spans, right: Spans) -> Spans:
    found = []
    for mine in left:
        for other in right:
            below = mine if mine.low >= other.low else other
            above = mine if mine.high <= other.high else other
            if below.low <= above.high:
                found.append(Span(below.lower, above.upper, below.lower_inc, above.upper_inc, below.low, above.high))
    return found


@function("range_minus", types="arguments")
def range_minus(oid: int, _: int, left: str, right: str) -> str:
    type = _range_type(oid)
    found = _difference(type, type.spans(left), type.spans(right))
    if len(found) > 1:
        raise SqlError(codes.DATA_EXCEPTION, "result of range difference would not be contiguous")
    return type.encode(found)


@function("multirange_minus", types="arguments")
def multirange_minus(oid: int, other: int, left: str, right: str) -> str:
    type = _type(oid)
    return type.encode(_difference(_range_type(oid), type.spans(left), _type(other).spans(right)))


def _difference(type: Range, left: Spans, right: Spans) -> Spans:
    rest = left
    for cut in right:
        kept: Spans = []
        for span in rest:
            if not _overlaps([span], [cut]):
                kept.append(span)
                continue
            if span.low < cut.low and (before := type.make(span.lower, cut.lower, span.lower_inc, not cut.lower_inc)):
                kept.append(before)
            if cut.high < span.high and (after := type.make(cut.upper, span.upper, not cut.upper_inc, span.upper_inc)):
                kept.append(after)
        rest = kept
    return rest


@function("multirange_union", types="arguments")
def multirange_union(oid: int, other: int, left: str, right: str) -> str:
    type = _multirange_type(oid)
    return type.encode(type.united(type.spans(left) + _type(other).spans(right)))


@function("multirange_constructor0", types="result")
def multirange_constructor0(_: int) -> str:
    return "{}"


@function("multirange_constructor1", types="arguments")
def multirange_constructor1(oid: int, stored: str) -> str:
    return _multirange_type(oid).encode(_type(oid).spans(stored))


@function("multirange_constructor2", types="both")
def multirange_constructor2(oid: int, result: int, stored: str) -> str:
    """From an array of ranges, which is what the variadic call has."""
    array = underlying(type_of(oid))
    assert isinstance(array, Array)
    value = array.decode(stored)
    if len(value.lower) > 1:
        raise SqlError(codes.CARDINALITY_VIOLATION, "multiranges cannot be constructed from multidimensional arrays")
    if None in value.elements:
        raise SqlError(codes.NULL_VALUE_NOT_ALLOWED, "multirange values cannot contain null members")
    type = _multirange_type(result)
    return type.encode(type.united(span for item in value.elements for span in type.range.spans(item)))


@rows("multirange_unnest", types="arguments")
def multirange_unnest(oid: int, stored: str) -> Iterator[str]:
    type = _range_type(oid)
    return (type.encode([span]) for span in _type(oid).spans(stored))


# Aggregates


class SpansAgg:
    """What the aggregates share: the spans so far, None before the first value."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.spans: Spans | None = None
        self.type = 0

    def step(self, oid: int, value: str | None) -> None:
        if value is not None:
            self.type = oid
            found = _type(oid).spans(value)
            self.spans = found if self.spans is None else self.combined(self.spans, found)

    def combined(self, spans: Spans, more: Spans) -> Spans:
        raise NotImplementedError


@aggregate("range_agg(anyrange)", "range_agg(anymultirange)", types="arguments")
class RangeAgg(SpansAgg):
    """The union, as a multirange."""

    def combined(self, spans: Spans, more: Spans) -> Spans:
        return spans + more

    def final(self) -> str | None:
        if self.spans is None:
            return None
        type = _multirange_type(self.type)
        return type.encode(type.united(self.spans))


@aggregate("range_intersect_agg(anyrange)", "range_intersect_agg(anymultirange)", types="arguments")
class RangeIntersectAgg(SpansAgg):
    def combined(self, spans: Spans, more: Spans) -> Spans:
        return _intersection(spans, more)

    def final(self) -> str | None:
        return None if self.spans is None else _type(self.type).encode(self.spans)

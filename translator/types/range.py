"""Range types: `[1,5)`, `empty`; and multirange types: `{[1,5),[7,9)}` (manual, "Range Types").

A range is stored as PostgreSQL's text of it, canonical (integers and dates as `[low,high)`), with the bounds written under
the default settings. In Python it is a `Span` with two keys that order bounds as range_cmp_bounds does: a bound is before,
at or behind its value, so (value, -1 | 0 | 1) says all, and infinite bounds are below and above everything. The empty range
is no span at all; a multirange is the list of its spans, in order and apart from each other. So a range is the same as a
multirange of at most one span, and the operators of both are one set of functions (translator/functions/range.py).

rangetypes.c, multirangetypes.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.settings import Settings
from translator.types.base import Stored, Type
from translator.types.binary import Reader
from translator.types.composite import is_canonical, shows_settings
from translator.types.range_literal import MultirangeLiteral, read_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NEEDS_QUOTES = re.compile(r'["\\()\[\], \t\n\r\v\f]')
_DOUBLED = re.compile(r'(["\\])')
_CANONICAL = Settings()
_EMPTY, _LOWER_INC, _UPPER_INC, _LOWER_INF, _UPPER_INF = 1, 2, 4, 8, 16  # RANGE_EMPTY … of the binary form
_NUMERIC, _DATE = 1700, 1082
_INTEGERS = {23: ("integer", 2**31), 20: ("bigint", 2**63)}

BoundKey = tuple[Any, ...]
BELOW: BoundKey = (-1,)
ABOVE: BoundKey = (1,)


@dataclass(frozen=True, slots=True)
class Span:
    """A range that is not empty. A bound of None is infinite, and not inclusive."""

    lower: Stored | None
    upper: Stored | None
    lower_inc: bool
    upper_inc: bool
    low: BoundKey
    high: BoundKey


class Range(Type):
    """One range type over a subtype."""

    def __init__(self, oid: int, name: str, subtype: Type) -> None:
        self.oid = oid
        self.name = name
        self.subtype = subtype
        self._order = _order_of(subtype)
        vars(self).update(key=f"key_{name}")  # the key function knows the subtype by its name

    def make(self, lower: Stored | None, upper: Stored | None, lower_inc: bool, upper_inc: bool) -> Span | None:
        """The span of two bounds, None if it is empty (make_range)."""
        lower_inc = lower_inc and lower is not None
        upper_inc = upper_inc and upper is not None
        span = self._span(lower, upper, lower_inc, upper_inc)
        if lower is not None and upper is not None and span.low[1] > span.high[1]:
            raise SqlError(codes.DATA_EXCEPTION, "range lower bound must be less than or equal to range upper bound")
        if span.low > span.high:
            return None
        span = self._canonical(span)
        return None if span.low > span.high else span

    def point(self, value: Stored) -> Span:
        """The span of one value."""
        return self._span(value, value, True, True)

    def _span(self, lower: Stored | None, upper: Stored | None, lower_inc: bool, upper_inc: bool) -> Span:
        low = BELOW if lower is None else (0, self._order(lower), 0 if lower_inc else 1)
        high = ABOVE if upper is None else (0, self._order(upper), 0 if upper_inc else -1)
        return Span(lower, upper, lower_inc, upper_inc, low, high)

    def _canonical(self, span: Span) -> Span:
        """Ranges of integers and dates as `[low,high)` (int4range_canonical, daterange_canonical)."""
        following = self._following
        if following is None:
            return span
        lower, upper, lower_inc, upper_inc = span.lower, span.upper, span.lower_inc, span.upper_inc
        if lower is not None and not lower_inc and (found := following(lower)) is not None:
            lower, lower_inc = found, True
        if upper is not None and upper_inc and (found := following(upper)) is not None:
            upper, upper_inc = found, False
        return self._span(lower, upper, lower_inc, upper_inc)

    @property
    def _following(self) -> Callable[[Any], Stored | None] | None:
        """The function to the next value of a discrete subtype; it gives None behind an infinite date."""
        if self.subtype.oid in _INTEGERS:
            return self._next_integer
        return _next_date if self.subtype.oid == _DATE else None

    def _next_integer(self, value: int) -> int:
        words, limit = _INTEGERS[self.subtype.oid]
        if value + 1 >= limit:
            raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, f"{words} out of range")
        return value + 1

    def spans(self, value: Stored) -> list[Span]:
        """The stored range as a list of at most one span."""
        found = self._read(str(value), _CANONICAL)
        return [] if found is None else [found]

    def encode(self, spans: list[Span]) -> str:
        """The stored range of at most one span."""
        return self.text(spans[0] if spans else None, _CANONICAL)

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return self.text(self._read(text, settings), _CANONICAL)

    def output(self, value: Stored, settings: Settings) -> str:
        if is_canonical(settings) or not shows_settings(self.subtype):
            return str(value)
        return self.text(self._read(str(value), _CANONICAL), settings)

    def _read(self, text: str, settings: Settings) -> Span | None:
        bounds = read_range(text)
        if bounds is None:
            return None
        lower, upper, lower_inc, upper_inc = bounds
        read = self.subtype.input
        return self.make(
            None if lower is None else read(lower, settings),
            None if upper is None else read(upper, settings),
            lower_inc,
            upper_inc,
        )

    def text(self, span: Span | None, settings: Settings) -> str:
        """range_deparse."""
        if span is None:
            return "empty"
        lower, upper = self._bound(span.lower, settings), self._bound(span.upper, settings)
        return f"{'[' if span.lower_inc else '('}{lower},{upper}{']' if span.upper_inc else ')'}"

    def _bound(self, value: Stored | None, settings: Settings) -> str:
        if value is None:
            return ""
        text = self.subtype.output(value, settings)
        return '"' + _DOUBLED.sub(r"\1\1", text) + '"' if not text or _NEEDS_QUOTES.search(text) else text

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        reader = Reader(data)
        flags = reader.take(1)[0] & 0x1F
        lower, upper = (
            None if flags & absent else self.subtype.receive(reader.take(reader.int4()), settings)
            for absent in (_EMPTY | _LOWER_INF, _EMPTY | _UPPER_INF)
        )
        reader.end()
        if flags & _EMPTY:
            return "empty"
        return self.text(self.make(lower, upper, bool(flags & _LOWER_INC), bool(flags & _UPPER_INC)), _CANONICAL)

    def send(self, value: Stored, settings: Settings) -> bytes:
        spans = self.spans(value)
        return self.send_span(spans[0], settings) if spans else bytes([_EMPTY])

    def send_span(self, span: Span, settings: Settings) -> bytes:
        flags = span.lower_inc * _LOWER_INC | span.upper_inc * _UPPER_INC
        flags |= (span.lower is None) * _LOWER_INF | (span.upper is None) * _UPPER_INF
        parts = [bytes([flags])]
        for bound in (span.lower, span.upper):
            if bound is not None:
                body = self.subtype.send(bound, settings)
                parts.append(len(body).to_bytes(4, "big") + body)
        return b"".join(parts)


class Multirange(Type):
    """One multirange type over its range type."""

    def __init__(self, oid: int, name: str, range: Range) -> None:
        self.oid = oid
        self.name = name
        self.range = range
        vars(self).update(key=f"key_{name}")

    def spans(self, value: Stored) -> list[Span]:
        """The stored multirange as its spans."""
        texts = MultirangeLiteral(str(value)).read()
        return [span for text in texts for span in self.range.spans(text)]

    def encode(self, spans: list[Span]) -> str:
        """The stored multirange of spans that are in order and apart."""
        return self._text(spans, _CANONICAL)

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        found = [self.range._read(part, settings) for part in MultirangeLiteral(text).read()]
        return self.encode(self.united(span for span in found if span is not None))

    def output(self, value: Stored, settings: Settings) -> str:
        if is_canonical(settings) or not shows_settings(self.range.subtype):
            return str(value)
        return self._text(self.spans(value), settings)

    def _text(self, spans: list[Span], settings: Settings) -> str:
        return "{" + ",".join([self.range.text(span, settings) for span in spans]) + "}"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        reader = Reader(data)
        parts = [self.range.receive(reader.take(reader.int4()), settings) for _ in range(reader.int4())]
        reader.end()
        return self.encode(self.united(span for part in parts for span in self.range.spans(part)))

    def send(self, value: Stored, settings: Settings) -> bytes:
        parts = [self.range.send_span(span, settings) for span in self.spans(value)]
        return len(parts).to_bytes(4, "big") + b"".join([len(part).to_bytes(4, "big") + part for part in parts])

    def united(self, spans: Iterable[Span]) -> list[Span]:
        """The spans in order, those that meet or overlap as one (multirange_canonicalize)."""
        found: list[Span] = []
        for span in sorted(spans, key=lambda one: (one.low, one.high)):
            if found and (span.low <= found[-1].high or adjacent(found[-1].high, span.low)):
                last = found[-1]
                found[-1] = hull(last, span)
            else:
                found.append(span)
        return found


def adjacent(high: BoundKey, low: BoundKey) -> bool:
    """Whether an upper bound and a lower one meet without a gap or an overlap (bounds_adjacent)."""
    return len(high) > 1 and len(low) > 1 and high[1] == low[1] and (high[2] == 0) != (low[2] == 0)


def hull(first: Span, second: Span) -> Span:
    """The smallest span that has both in it; of equal bounds (1, 1.0) the second's, as range_union_internal has it."""
    below = first if first.low < second.low else second
    above = first if first.high > second.high else second
    return Span(below.lower, above.upper, below.lower_inc, above.upper_inc, below.low, above.high)


def _order_of(subtype: Type) -> Callable[[Any], Any]:
    """What orders bounds: the stored value of a native subtype, the number of a numeric."""
    if subtype.oid == _NUMERIC:
        return lambda text: (1, 0) if text == "NaN" else (0, Decimal(text))
    if subtype.key is not None:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"a range over type {subtype.name} is not supported")
    if subtype.sqlite_type == "REAL":
        return lambda value: (1, 0) if value == "NaN" else (0, value)
    return lambda value: value


def _next_date(value: str) -> Stored | None:
    from translator.types.datetime_stored import DATE_END, date_stored, day_of, is_finite

    if not is_finite(value):
        return None
    day = day_of(value)
    if day + 1 >= DATE_END:
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "date out of range")
    return date_stored(day + 1)

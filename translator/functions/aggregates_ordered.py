"""Ordered-set and hypothetical-set aggregates: percentile_cont, percentile_disc, mode, rank, … (chapter 9.21).

Lowering writes WITHIN GROUP (ORDER BY …) as an ORDER BY inside the call, so that `step` gets the rows in that order; direct
arguments come first and are the same in each row. The hypothetical ones get one more argument before them, text that says
how each column is ordered, "a" or "d" and "f" or "l" for NULLs: `rank(2, 'x') WITHIN GROUP (ORDER BY a, b DESC)` is
pg_rank(25, 23, 25, 23, 25, 'aldf', 2, 'x', a, b).

orderedsetaggs.c.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.array import array_type
from translator.functions.interval import add, multiply, negate
from translator.functions.keys import ordering
from translator.functions.registry import aggregate
from translator.types.array import ArrayValue, map_elements
from translator.types.floating import double_text, load, store
from translator.types.interval import interval_of, interval_stored
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from translator.types.base import Stored


def checked_fraction(value: Stored) -> float:
    """A percentile, which must be from 0 to 1."""
    fraction = load(value)
    if not 0 <= fraction <= 1:
        shown = (
            double_text(fraction)
            if math.isfinite(fraction)
            else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(fraction), "NaN")
        )
        raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, f"percentile value {shown} is not between 0 and 1")
    return fraction


class Percentile:
    """The values that are not NULL, in order, and one fraction or an array of them."""

    window: ClassVar[bool] = False
    array: ClassVar[bool] = False
    result_type: int = 0  # of the array of results

    def __init__(self) -> None:
        self.fraction: Stored | None = None
        self.values: list[Stored] = []

    def step(self, fraction: Stored | None, value: Stored | None) -> None:
        self.fraction = fraction
        if value is not None:
            self.values.append(value)

    def at(self, fraction: float) -> Stored:
        raise NotImplementedError

    def final(self) -> Stored | None:
        if self.fraction is None:
            return None
        if not self.array:
            fraction = checked_fraction(self.fraction)
            return self.at(fraction) if self.values else None
        if not self.values:
            return None
        fractions = array_type(1022).decode(self.fraction)
        results = map_elements(lambda item: self.at(checked_fraction(item)), fractions.elements)
        return array_type(self.result_type).encode(ArrayValue(results, fractions.lower))


class Continuous(Percentile):
    """Between two values, in proportion (percentile_cont_final_common)."""

    def at(self, fraction: float) -> Stored:
        place = fraction * (len(self.values) - 1)
        first, second = math.floor(place), math.ceil(place)
        if first == second:
            return self.values[first]
        return self.between(self.values[first], self.values[second], place - first)

    def between(self, low: Any, high: Any, proportion: float) -> Stored:
        raise NotImplementedError


@aggregate("percentile_cont(float8,float8)")
class ContinuousFloat(Continuous):
    def between(self, low: Any, high: Any, proportion: float) -> Stored:
        first = load(low)
        return store(first + proportion * (load(high) - first))


@aggregate("percentile_cont(float8,interval)")
class ContinuousInterval(Continuous):
    def between(self, low: Any, high: Any, proportion: float) -> Stored:
        first = interval_of(low)
        difference = add(interval_of(high), negate(first))
        return interval_stored(add(first, multiply(difference, proportion)))


@aggregate("percentile_cont(_float8,float8)")
class ContinuousFloats(ContinuousFloat):
    array = True
    result_type = 1022


@aggregate("percentile_cont(_float8,interval)")
class ContinuousIntervals(ContinuousInterval):
    array = True
    result_type = 1187


class Discrete(Percentile):
    """The first value at or after the place (percentile_disc_final)."""

    def at(self, fraction: float) -> Stored:
        return self.values[max(math.ceil(fraction * len(self.values)), 1) - 1]


@aggregate("percentile_disc(float8,anyelement)")
class DiscreteOne(Discrete):
    pass


@aggregate("percentile_disc(_float8,anyelement)", types="result")
class DiscreteMany(Discrete):
    array = True

    def step(self, result: int, fraction: Stored | None, value: Stored | None) -> None:  # type: ignore[override]
        self.result_type = result
        super().step(fraction, value)


@aggregate("mode(anyelement)", types="arguments")
class Mode:
    """The most frequent value, the first of several; equal values come one after the other (mode_final)."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.key: Callable[[Stored], Any] | None = None
        self.best: Stored | None = None
        self.best_count = 0
        self.last: Stored | None = None
        self.last_key: Any = None
        self.count = 0

    def step(self, oid: int, value: Stored | None) -> None:
        if value is None:
            return
        if self.key is None:
            self.key = ordering(type_of(oid))
        key = self.key(value)
        if self.count and key == self.last_key:
            self.count += 1
        else:
            self.last, self.last_key, self.count = value, key, 1
        if self.count > self.best_count:
            self.best, self.best_count = self.last, self.count

    def final(self) -> Stored | None:
        return self.best


class Hypothetical:
    """Where a row would stand: how many rows, and how many different ones, come before it or are its peers."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.rows = self.before = self.peers = self.distinct = 0
        self.columns: list[tuple[Callable[[Stored], Any], bool, bool]] = []
        self.last: list[Any] | None = None

    def step(self, *arguments: Any) -> None:
        count = len(arguments) // 2
        oids, (order, *values) = arguments[1:count], arguments[count:]
        width = len(values) // 2
        if not self.columns:
            self.columns = [
                (ordering(type_of(oid)), order[2 * place] == "d", order[2 * place + 1] == "f")
                for place, oid in enumerate(oids[:width])
            ]
        self.rows += 1
        keys = [None if value is None else key(value) for (key, *_), value in zip(self.columns, values[width:], strict=True)]
        comparison = self._compare(keys, values[:width])
        if comparison < 0:
            self.before += 1
            if keys != self.last:
                self.distinct += 1
                self.last = keys
        elif comparison == 0:
            self.peers += 1

    def _compare(self, keys: list[Any], hypothetical: list[Any]) -> int:
        for (key, descending, nulls_first), left, value in zip(self.columns, keys, hypothetical, strict=True):
            if left is None or value is None:
                if left is None and value is None:
                    continue
                return -1 if (left is None) == nulls_first else 1
            right = key(value)
            if left != right:
                return -1 if (left < right) != descending else 1
        return 0

    def final(self) -> int | float | None:
        raise NotImplementedError


@aggregate("rank(any)", types="arguments")
class HypotheticalRank(Hypothetical):
    def final(self) -> int | float | None:
        return self.before + 1


@aggregate("dense_rank(any)", types="arguments")
class HypotheticalDenseRank(Hypothetical):
    def final(self) -> int | float | None:
        return self.distinct + 1


@aggregate("percent_rank(any)", types="arguments")
class HypotheticalPercentRank(Hypothetical):
    def final(self) -> int | float | None:
        return self.before / self.rows if self.rows else 0.0


@aggregate("cume_dist(any)", types="arguments")
class HypotheticalCumeDist(Hypothetical):
    def final(self) -> int | float | None:
        return (self.before + self.peers + 1) / (self.rows + 1)

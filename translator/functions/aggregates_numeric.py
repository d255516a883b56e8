"""sum, avg, variance and standard deviation with exact results: of integers, numeric, money and intervals.

What PostgreSQL does with int128 or numeric states is done with Python's integers and Decimal, which are exact as well; the
quotients have PostgreSQL's scale. All of them have inverses, as PostgreSQL's moving-aggregate functions do.

numeric.c: numeric_accum, int8_avg_accum, numeric_sum, numeric_avg, numeric_stddev_internal.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.interval import divide as divide_interval
from translator.functions.numeric_arithmetic import divide, divide_to, quotient_scale
from translator.functions.registry import aggregate
from translator.types.interval import INFINITY, MINUS_INFINITY, Interval, check_interval, interval_of, interval_stored
from translator.types.numeric import EXACT, rescale, text_of

_INT8 = 2**63


class IntegerState:
    """Number and sum of integers."""

    window: ClassVar[bool] = True

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def step(self, value: int | None) -> None:
        if value is not None:
            self.count += 1
            self.sum += value

    def inverse(self, value: int | None) -> None:
        if value is not None:
            self.count -= 1
            self.sum -= value

    def value(self) -> str | None:
        raise NotImplementedError

    def final(self) -> str | None:
        return self.value()


@aggregate("sum(int8)")
class IntegerSum(IntegerState):
    def value(self) -> str | None:
        return str(self.sum) if self.count else None


@aggregate("avg(int2)", "avg(int4)", "avg(int8)")
class IntegerAvg(IntegerState):
    def value(self) -> str | None:
        return text_of(divide(Decimal(self.sum), Decimal(self.count), 0)) if self.count else None


@aggregate("sum(money)")
class MoneySum:
    """Cents; overflow is cash_pl's error."""

    window: ClassVar[bool] = True

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def step(self, value: int | None) -> None:
        if value is not None:
            self.count += 1
            self.add(value)

    def inverse(self, value: int | None) -> None:
        if value is not None:
            self.count -= 1
            self.add(-value)

    def add(self, value: int) -> None:
        self.sum += value
        if not -_INT8 <= self.sum < _INT8:
            raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, "money out of range")

    def value(self) -> int | None:
        return self.sum if self.count else None

    def final(self) -> int | None:
        return self.value()


class NumericState:
    """NumericAggState without squares: finite values are summed, NaNs and infinities counted.

    `scales` says how many values had which display scale, since a result has the largest of those in the frame.
    """

    window: ClassVar[bool] = True

    def __init__(self) -> None:
        self.finite = 0
        self.special = {"NaN": 0, "Infinity": 0, "-Infinity": 0}
        self.sum = Decimal(0)
        self.scales: dict[int, int] = {}

    @property
    def count(self) -> int:
        return self.finite + sum(self.special.values())

    def step(self, value: str | None) -> None:
        if value is None:
            return
        if value in self.special:
            self.special[value] += 1
            return
        self.finite += 1
        self.sum = EXACT.add(self.sum, Decimal(value))
        point = value.find(".")
        scale = len(value) - point - 1 if point >= 0 else 0
        if scale in self.scales:
            self.scales[scale] += 1
        else:
            self.scales[scale] = 1

    def inverse(self, value: str | None) -> None:
        if value is None:
            return
        if value in self.special:
            self.special[value] -= 1
            return
        self.finite -= 1
        self.sum = EXACT.subtract(self.sum, Decimal(value))
        point = value.find(".")
        scale = len(value) - point - 1 if point >= 0 else 0
        self.scales[scale] -= 1
        if not self.scales[scale]:
            del self.scales[scale]

    @property
    def scale(self) -> int:
        return max(self.scales, default=0)

    def special_sum(self) -> str | None:
        """What a sum with NaNs or infinities is; None if there are none."""
        special = self.special
        if special["NaN"] or (special["Infinity"] and special["-Infinity"]):
            return "NaN"
        if special["Infinity"]:
            return "Infinity"
        return "-Infinity" if special["-Infinity"] else None

    def exact_sum(self) -> Decimal:
        return rescale(self.sum, self.scale)

    def value(self) -> str | None:
        raise NotImplementedError

    def final(self) -> str | None:
        return self.value()


@aggregate("sum(numeric)")
class NumericSum(NumericState):
    def value(self) -> str | None:
        if not self.count:
            return None
        return self.special_sum() or text_of(self.exact_sum())


@aggregate("avg(numeric)")
class NumericAvg(NumericState):
    def value(self) -> str | None:
        if not self.count:
            return None
        return self.special_sum() or text_of(divide(self.exact_sum(), Decimal(self.finite), self.scale))


class Variance(NumericState):
    """Sum and sum of squares; the four results differ in the divisor and in the root."""

    sample: ClassVar[bool]
    root: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.squares = Decimal(0)

    def step(self, value: int | str | None) -> None:
        if value is None:
            return
        text = str(value)
        super().step(text)
        if text not in self.special:
            number = Decimal(text)
            self.squares = EXACT.add(self.squares, EXACT.multiply(number, number))

    def inverse(self, value: int | str | None) -> None:
        if value is None:
            return
        text = str(value)
        super().inverse(text)
        if text not in self.special:
            number = Decimal(text)
            self.squares = EXACT.subtract(self.squares, EXACT.multiply(number, number))

    def value(self) -> str | None:
        """numeric_stddev_internal."""
        if self.count <= self.sample:
            return None
        if self.special_sum() is not None:
            return "NaN"
        count = Decimal(self.finite)
        numerator = EXACT.subtract(EXACT.multiply(count, self.squares), EXACT.multiply(self.sum, self.sum))
        if numerator <= 0:
            return "0"
        divisor = EXACT.multiply(count, count - self.sample)
        scale = quotient_scale(numerator, divisor, 2 * self.scale)
        variance = divide_to(numerator, divisor, scale)
        return text_of(square_root(variance, scale) if self.root else variance)


def square_root(value: Decimal, scale: int) -> Decimal:
    """The root, rounded to `scale` places (sqrt_var). Decimal's own root rounds half to even, one step too early."""
    root = math.isqrt(int(value.scaleb(2 * scale + 2, EXACT)))  # with one digit more than wanted
    return Decimal((root + 5) // 10).scaleb(-scale, EXACT)


for _names, _sample, _root in (
    (("var_pop",), False, False),
    (("var_samp", "variance"), True, False),
    (("stddev_pop",), False, True),
    (("stddev_samp", "stddev"), True, True),
):
    _keys = [f"{name}({type_name})" for name in _names for type_name in ("int2", "int4", "int8", "numeric")]
    aggregate(*_keys)(type(_names[0], (Variance,), {"sample": _sample, "root": _root}))


class IntervalState:
    """Number and sum of finite intervals, and how many infinite ones (IntervalAggState)."""

    window: ClassVar[bool] = True

    def __init__(self) -> None:
        self.finite = 0
        self.infinite = {INFINITY: 0, MINUS_INFINITY: 0}
        self.sum: Interval = (0, 0, 0)

    def step(self, value: str | None) -> None:
        self.add(value, 1)

    def inverse(self, value: str | None) -> None:
        self.add(value, -1)

    def add(self, value: str | None, times: int) -> None:
        if value is None:
            return
        interval = interval_of(value)
        if interval in self.infinite:
            self.infinite[interval] += times
            return
        self.finite += times
        months, days, microseconds = self.sum
        self.sum = check_interval(months + times * interval[0], days + times * interval[1], microseconds + times * interval[2])

    def special(self) -> Interval | None:
        up, down = self.infinite[INFINITY], self.infinite[MINUS_INFINITY]
        if up and down:
            raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "interval out of range.")
        return INFINITY if up else MINUS_INFINITY if down else None

    def result(self) -> Interval:
        raise NotImplementedError

    def value(self) -> str | None:
        if not self.finite and not any(self.infinite.values()):
            return None
        return interval_stored(self.special() or self.result())

    def final(self) -> str | None:
        return self.value()


@aggregate("sum(interval)")
class IntervalSum(IntervalState):
    def result(self) -> Interval:
        return self.sum


@aggregate("avg(interval)")
class IntervalAvg(IntervalState):
    def result(self) -> Interval:
        return divide_interval(self.sum, float(self.finite))

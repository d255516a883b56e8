"""sum, avg, variance, correlation and regression of float4 and float8.

The results depend on the order and kind of the additions, so this follows float.c operation by operation: float8_accum and
float8_regr_accum (Youngs and Cramer's updates), plain sums for sum(). SQLite's sum() compensates its rounding errors and
gives other last digits. Like in PostgreSQL there are no inverses, since rounding cannot be undone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import aggregate, template
from translator.types.floating import load, single, store

if TYPE_CHECKING:
    from translator.types.base import Stored

_NAN = math.nan
_isinf = math.isinf


def overflow() -> SqlError:
    return SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")


@aggregate("sum(float8)")
class FloatSum:
    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.sum: float | None = None

    def step(self, value: Stored | None) -> None:
        if value is None:
            return
        number = load(value)
        if self.sum is None:
            self.sum = number
            return
        total = self.rounded(self.sum + number)
        if _isinf(total) and not _isinf(self.sum) and not _isinf(number):
            raise overflow()
        self.sum = total

    def rounded(self, value: float) -> float:
        return value

    def final(self) -> Stored | None:
        return None if self.sum is None else store(self.sum)


@aggregate("sum(float4)")
class SingleSum(FloatSum):
    """float4pl rounds each sum to a float4."""

    def rounded(self, value: float) -> float:
        return single(value)


class FloatState:
    """N, Sx and Sxx of float8_accum."""

    window: ClassVar[bool] = False

    def __init__(self) -> None:
        self.count = 0.0
        self.sum = 0.0
        self.squares = 0.0

    def step(self, value: Stored | None) -> None:
        if value is None:
            return
        number = load(value)
        before, sum_before = self.count, self.sum
        count = self.count = before + 1.0
        self.sum += number
        if before > 0.0:
            delta = number * count - self.sum
            self.squares += delta * delta / (count * before)
            if _isinf(self.sum) or _isinf(self.squares):
                if not _isinf(sum_before) and not _isinf(number):
                    raise overflow()
                self.squares = _NAN
        elif not math.isfinite(number):
            self.squares = _NAN

    def result(self) -> float | None:
        raise NotImplementedError

    def final(self) -> Stored | None:
        result = self.result()
        return None if result is None else store(result)


@aggregate("avg(float4)", "avg(float8)")
class FloatAvg(FloatState):
    def result(self) -> float | None:
        return self.sum / self.count if self.count else None


class FloatVariance(FloatState):
    """The four results differ in the divisor and in the root."""

    sample: ClassVar[bool]
    root: ClassVar[bool]

    def result(self) -> float | None:
        if self.count <= self.sample:
            return None
        variance = self.squares / (self.count - self.sample)
        return math.sqrt(variance) if self.root else variance


for _names, _sample, _root in (
    (("var_pop",), False, False),
    (("var_samp", "variance"), True, False),
    (("stddev_pop",), False, True),
    (("stddev_samp", "stddev"), True, True),
):
    _keys = [f"{name}({type_name})" for name in _names for type_name in ("float4", "float8")]
    aggregate(*_keys)(type(f"float_{_names[0]}", (FloatVariance,), {"sample": _sample, "root": _root}))


template("regr_count(float8,float8)", "count($1 || $2)")


class Regression:
    """N, Sx, Sxx, Sy, Syy and Sxy of float8_regr_accum. The arguments are (Y, X), as the SQL standard has them."""

    window: ClassVar[bool] = False
    least: ClassVar[int] = 1

    def __init__(self) -> None:
        self.count = 0.0
        self.sx = self.sxx = self.sy = self.syy = self.sxy = 0.0

    def step(self, y_value: Stored | None, x_value: Stored | None) -> None:
        if y_value is None or x_value is None:
            return
        y, x = load(y_value), load(x_value)
        before, sx_before, sy_before = self.count, self.sx, self.sy
        count = self.count = before + 1.0
        self.sx += x
        self.sy += y
        if before > 0.0:
            delta_x = x * count - self.sx
            delta_y = y * count - self.sy
            scale = 1.0 / (count * before)
            self.sxx += delta_x * delta_x * scale
            self.syy += delta_y * delta_y * scale
            self.sxy += delta_x * delta_y * scale
            self.check(not _isinf(sx_before) and not _isinf(x), not _isinf(sy_before) and not _isinf(y))
        else:
            if not math.isfinite(x):
                self.sxx = self.sxy = _NAN
            if not math.isfinite(y):
                self.syy = self.sxy = _NAN

    def check(self, finite_x: bool, finite_y: bool) -> None:
        """Infinity out of finite values is an error; out of infinite ones it is made NaN."""
        wide_x, wide_y = _isinf(self.sx) or _isinf(self.sxx), _isinf(self.sy) or _isinf(self.syy)
        wide_xy = _isinf(self.sxy)
        if (wide_x and finite_x) or (wide_y and finite_y) or (wide_xy and finite_x and finite_y):
            raise overflow()
        if _isinf(self.sxx):
            self.sxx = _NAN
        if _isinf(self.syy):
            self.syy = _NAN
        if wide_xy:
            self.sxy = _NAN

    def result(self) -> float | None:
        raise NotImplementedError

    def final(self) -> Stored | None:
        result = self.result() if self.count >= self.least else None
        return None if result is None else store(result)


@aggregate("regr_sxx(float8,float8)")
class RegrSxx(Regression):
    def result(self) -> float | None:
        return self.sxx


@aggregate("regr_syy(float8,float8)")
class RegrSyy(Regression):
    def result(self) -> float | None:
        return self.syy


@aggregate("regr_sxy(float8,float8)")
class RegrSxy(Regression):
    def result(self) -> float | None:
        return self.sxy


@aggregate("regr_avgx(float8,float8)")
class RegrAvgX(Regression):
    def result(self) -> float | None:
        return self.sx / self.count


@aggregate("regr_avgy(float8,float8)")
class RegrAvgY(Regression):
    def result(self) -> float | None:
        return self.sy / self.count


@aggregate("covar_pop(float8,float8)")
class CovarPop(Regression):
    def result(self) -> float | None:
        return self.sxy / self.count


@aggregate("covar_samp(float8,float8)")
class CovarSamp(Regression):
    least = 2

    def result(self) -> float | None:
        return self.sxy / (self.count - 1.0)


@aggregate("corr(float8,float8)")
class Corr(Regression):
    def result(self) -> float | None:
        if self.sxx == 0 or self.syy == 0:
            return None
        return self.sxy / math.sqrt(self.sxx * self.syy)


@aggregate("regr_r2(float8,float8)")
class RegrR2(Regression):
    def result(self) -> float | None:
        if self.sxx == 0:
            return None
        if self.syy == 0:
            return 1.0
        return (self.sxy * self.sxy) / (self.sxx * self.syy)


@aggregate("regr_slope(float8,float8)")
class RegrSlope(Regression):
    def result(self) -> float | None:
        return None if self.sxx == 0 else self.sxy / self.sxx


@aggregate("regr_intercept(float8,float8)")
class RegrIntercept(Regression):
    def result(self) -> float | None:
        return None if self.sxx == 0 else (self.sy - self.sx * self.sxy / self.sxx) / self.count

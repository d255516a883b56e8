"""The mathematical functions of double precision: powers, logarithms, trigonometry (float.c).

Arguments outside a function's domain are errors, not NaN; NaN itself passes through. The degree variants are exact where the
result is (sind(30) = 0.5): their quadrants are scaled by the value that the library gives for 30, 45 and 60 degrees.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.floating import Value, input_out_of_range, overflow, underflow
from translator.functions.registry import function, template
from translator.types.floating import NAN, load, store

if TYPE_CHECKING:
    from collections.abc import Callable

_RADIANS = 0.0174532925199432957692

template("dpi", "3.141592653589793")


def _declare(name: str, operation: Callable[[float], float]) -> None:
    """A function of one argument for which NaN gives NaN."""

    def apply(value: Value) -> Value:
        if value == NAN:
            return NAN
        return store(operation(float(value)))

    function(name)(apply)


def _no_infinity(operation: Callable[[float], float]) -> Callable[[float], float]:
    def checked(value: float) -> float:
        if math.isinf(value):
            raise input_out_of_range()
        return operation(value)

    return checked


def _unit_interval(operation: Callable[[float], float]) -> Callable[[float], float]:
    def checked(value: float) -> float:
        if not -1 <= value <= 1:
            raise input_out_of_range()
        return operation(value)

    return checked


def _power_error(message: str) -> SqlError:
    return SqlError(sqlstate.INVALID_ARGUMENT_FOR_POWER_FUNCTION, message)


def _square_root(value: float) -> float:
    if value < 0:
        raise _power_error("cannot take square root of a negative number")
    return math.sqrt(value)


def _exponential(value: float) -> float:
    try:
        result = math.exp(value)
    except OverflowError:
        raise overflow() from None
    if result == 0 and not math.isinf(value):
        raise underflow()
    return result


def check_logarithm(sign: int) -> None:
    """Refuse what has no logarithm."""
    if sign > 0:
        return
    message = "cannot take logarithm of zero" if sign == 0 else "cannot take logarithm of a negative number"
    raise SqlError(sqlstate.INVALID_ARGUMENT_FOR_LOGARITHM, message)


def _logarithm(operation: Callable[[float], float]) -> Callable[[float], float]:
    def checked(value: float) -> float:
        check_logarithm((value > 0) - (value < 0))
        return operation(value)

    return checked


def _cotangent(value: float) -> float:
    tangent = math.tan(value)
    return math.copysign(math.inf, tangent) if tangent == 0 else 1 / tangent


def _hyperbolic(operation: Callable[[float], float], negative: float) -> Callable[[float], float]:
    """For sinh and cosh: too large a result is infinite, no error."""

    def apply(value: float) -> float:
        try:
            return operation(value)
        except OverflowError:
            return negative * math.inf if value < 0 else math.inf

    return apply


def _inverse_hyperbolic_cosine(value: float) -> float:
    if value < 1:
        raise input_out_of_range()
    return math.acosh(value)


def _inverse_hyperbolic_tangent(value: float) -> float:
    if not -1 <= value <= 1:
        raise input_out_of_range()
    return math.copysign(math.inf, value) if abs(value) == 1 else math.atanh(value)


def _gamma(value: float) -> float:
    if value == -math.inf:
        raise overflow()
    try:
        result = math.gamma(value)
    except (OverflowError, ValueError):
        raise overflow() from None
    if result == 0:
        raise underflow()
    return result


def _log_gamma(value: float) -> float:
    if math.isinf(value):
        return math.inf
    try:
        return math.lgamma(value)
    except (OverflowError, ValueError):
        raise overflow() from None


def _degrees(value: float) -> float:
    result = value / _RADIANS
    if math.isinf(result) and not math.isinf(value):
        raise overflow()
    return result


def _radians(value: float) -> float:
    result = value * _RADIANS
    if result == 0 and value != 0:
        raise underflow()
    return result


for _name, _operation in (
    ("dsqrt", _square_root),
    ("dcbrt", math.cbrt),
    ("dexp", _exponential),
    ("dlog1", _logarithm(math.log)),
    ("dlog10", _logarithm(math.log10)),
    ("dsin", _no_infinity(math.sin)),
    ("dcos", _no_infinity(math.cos)),
    ("dtan", _no_infinity(math.tan)),
    ("dcot", _no_infinity(_cotangent)),
    ("dasin", _unit_interval(math.asin)),
    ("dacos", _unit_interval(math.acos)),
    ("datan", math.atan),
    ("dsinh", _hyperbolic(math.sinh, -1)),
    ("dcosh", _hyperbolic(math.cosh, 1)),
    ("dtanh", math.tanh),
    ("dasinh", math.asinh),
    ("dacosh", _inverse_hyperbolic_cosine),
    ("datanh", _inverse_hyperbolic_tangent),
    ("derf", math.erf),
    ("derfc", math.erfc),
    ("dgamma", _gamma),
    ("dlgamma", _log_gamma),
    ("degrees", _degrees),
    ("radians", _radians),
):
    _declare(_name, _operation)


@function("dpow")
def dpow(base: Value, exponent: Value) -> Value:
    """POSIX's pow with PostgreSQL's errors; anything to the power 0 is 1, and so is 1 to any power, NaN included."""
    left, right = load(base), load(exponent)
    if math.isnan(left) or math.isnan(right):
        return 1.0 if right == 0 or left == 1 else NAN
    if left == 0 and right < 0:
        raise _power_error("zero raised to a negative power is undefined")
    if left < 0 and not math.isinf(right) and right != math.floor(right):
        raise _power_error("a negative number raised to a non-integer power yields a complex result")
    try:
        result = math.pow(left, right)
    except OverflowError:
        raise overflow() from None
    if result == 0 and left != 0 and not math.isinf(left) and not math.isinf(right):
        raise underflow()
    return result


@function("datan2")
def datan2(ordinate: Value, abscissa: Value) -> Value:
    if NAN in (ordinate, abscissa):
        return NAN
    return math.atan2(float(ordinate), float(abscissa))


# Degrees. The library's value at 30, 45 and 60 degrees; dividing by it makes the results there exact.
_SIN_30 = math.sin(30 * _RADIANS)
_ONE_MINUS_COS_60 = 1 - math.cos(60 * _RADIANS)
_ASIN_HALF = math.asin(0.5)
_ACOS_HALF = math.acos(0.5)
_ATAN_ONE = math.atan(1.0)


def _sine_first_quadrant(angle: float) -> float:
    if angle <= 30:
        return math.sin(angle * _RADIANS) / _SIN_30 / 2
    return 1 - (1 - math.cos((90 - angle) * _RADIANS)) / _ONE_MINUS_COS_60 / 2


def _cosine_first_quadrant(angle: float) -> float:
    if angle <= 60:
        return 1 - (1 - math.cos(angle * _RADIANS)) / _ONE_MINUS_COS_60 / 2
    return math.sin((90 - angle) * _RADIANS) / _SIN_30 / 2


_TAN_45 = _sine_first_quadrant(45) / _cosine_first_quadrant(45)
_COT_45 = _cosine_first_quadrant(45) / _sine_first_quadrant(45)


def _sine(angle: float) -> float:
    angle = math.fmod(angle, 360)
    sign = 1
    if angle < 0:
        angle, sign = -angle, -1
    if angle > 180:
        angle, sign = 360 - angle, -sign
    if angle > 90:
        angle = 180 - angle
    return sign * _sine_first_quadrant(angle)


def _cosine(angle: float) -> float:
    angle = abs(math.fmod(angle, 360))
    sign = 1
    if angle > 180:
        angle = 360 - angle
    if angle > 90:
        angle, sign = 180 - angle, -1
    return sign * _cosine_first_quadrant(angle)


def _folded(angle: float) -> tuple[float, int]:
    """The angle in the first quadrant and the sign that tangent and cotangent have where it came from."""
    angle = math.fmod(angle, 360)
    sign = 1
    if angle < 0:
        angle, sign = -angle, -1
    if angle > 180:
        angle, sign = 360 - angle, -sign
    if angle > 90:
        angle, sign = 180 - angle, -sign
    return angle, sign


def _quotient(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.copysign(math.inf, numerator) * math.copysign(1, denominator)


def _tangent_of_degrees(angle: float) -> float:
    angle, sign = _folded(angle)
    result = sign * (_quotient(_sine_first_quadrant(angle), _cosine_first_quadrant(angle)) / _TAN_45)
    return 0.0 if result == 0 else result


def _cotangent_of_degrees(angle: float) -> float:
    angle, sign = _folded(angle)
    result = sign * (_quotient(_cosine_first_quadrant(angle), _sine_first_quadrant(angle)) / _COT_45)
    return 0.0 if result == 0 else result


def _arc_sine_first_quadrant(value: float) -> float:
    if value <= 0.5:
        return math.asin(value) / _ASIN_HALF * 30
    return 90 - math.acos(value) / _ACOS_HALF * 60


def _arc_cosine_first_quadrant(value: float) -> float:
    if value <= 0.5:
        return 90 - math.asin(value) / _ASIN_HALF * 30
    return math.acos(value) / _ACOS_HALF * 60


def _arc_sine(value: float) -> float:
    return _arc_sine_first_quadrant(value) if value >= 0 else -_arc_sine_first_quadrant(-value)


def _arc_cosine(value: float) -> float:
    return _arc_cosine_first_quadrant(value) if value >= 0 else 90 + _arc_sine_first_quadrant(-value)


def _arc_tangent(value: float) -> float:
    return math.atan(value) / _ATAN_ONE * 45


for _name, _operation in (
    ("dsind", _no_infinity(_sine)),
    ("dcosd", _no_infinity(_cosine)),
    ("dtand", _no_infinity(_tangent_of_degrees)),
    ("dcotd", _no_infinity(_cotangent_of_degrees)),
    ("dasind", _unit_interval(_arc_sine)),
    ("dacosd", _unit_interval(_arc_cosine)),
    ("datand", _arc_tangent),
):
    _declare(_name, _operation)


@function("datan2d")
def datan2d(ordinate: Value, abscissa: Value) -> Value:
    if NAN in (ordinate, abscissa):
        return NAN
    return math.atan2(float(ordinate), float(abscissa)) / _ATAN_ONE * 45

"""What SQL/JSON paths do to single items: methods, comparison, `starts with`, `like_regex` (jsonpath_exec.c)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.jsonpath_datetime import Moment, compare_moments
from translator.functions.regexp import regexp_like
from translator.settings import runtime
from translator.types.json import JsonValue, print_jsonb, read
from translator.types.jsonpath_syntax import COMPARISONS
from translator.types.numeric import NUMERIC
from translator.types.registry import builtin

if TYPE_CHECKING:
    from collections.abc import Callable

Truth = bool | None  # None: unknown
_INT_LIMIT = 2**31


class PathError(SqlError):
    """An error in the data, not in the call."""


def kind_of(value: Any) -> str:
    if isinstance(value, Moment):
        return value.type_name
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"


def is_number(value: JsonValue) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def method_error(code: str, name: str, what: str) -> PathError:
    return PathError(code, f"jsonpath item method .{name}() can only be applied to {what}")


def _numeric_method(name: str, change: Callable[[Any], JsonValue]) -> Callable[[JsonValue], JsonValue]:
    def method(item: JsonValue) -> JsonValue:
        if not is_number(item):
            raise method_error(codes.NON_NUMERIC_SQL_JSON_ITEM, name, "a numeric value")
        return change(item)

    return method


def _converted(name: str, words: str, oid: int) -> Callable[[JsonValue], JsonValue]:
    """A method that makes a number of a number or a string, through the type's input function."""

    def method(item: JsonValue) -> JsonValue:
        if not is_number(item) and not isinstance(item, str):
            raise method_error(codes.NON_NUMERIC_SQL_JSON_ITEM, name, "a string or numeric value")
        text = item if isinstance(item, str) else print_jsonb(item)
        try:
            if isinstance(item, Decimal) and name in {"bigint", "integer"}:
                text = str(int(item.to_integral_value("ROUND_HALF_UP")))
            stored = builtin(oid).input(text, runtime.settings)
        except SqlError:
            raise _invalid(text, name, words) from None
        if stored in {"NaN", "Infinity", "-Infinity", float("inf"), float("-inf")}:
            raise PathError(
                codes.NON_NUMERIC_SQL_JSON_ITEM, f"NaN or Infinity is not allowed for jsonpath item method .{name}()"
            )
        if is_number(item) and name not in {"bigint", "integer"}:
            return item
        return read(builtin(oid).output(stored, runtime.settings))

    return method


def _invalid(text: str, name: str, words: str) -> PathError:
    message = f'argument "{text}" of jsonpath item method .{name}() is invalid for type {words}'
    return PathError(codes.NON_NUMERIC_SQL_JSON_ITEM, message)


def decimal(item: JsonValue, precision: int, scale: int = 0) -> JsonValue:
    """.decimal(precision[, scale])."""
    number = METHODS["decimal"](item)
    for what, value in (("precision", precision), ("scale", scale)):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            message = f"{what} of jsonpath item method .decimal() is out of range for type integer"
            raise PathError(codes.NON_NUMERIC_SQL_JSON_ITEM, message)
    typmod = NUMERIC.typmod_in([str(precision), str(scale)])
    text = print_jsonb(number)
    try:
        stored = NUMERIC.input(text, runtime.settings, typmod)
    except SqlError:
        raise _invalid(text, "decimal", "numeric") from None
    return read(NUMERIC.output(stored, runtime.settings))


def _boolean(item: JsonValue) -> JsonValue:
    if isinstance(item, bool):
        return item
    text = item if isinstance(item, str) else print_jsonb(item)
    if not isinstance(item, str) and not is_number(item):
        raise method_error(codes.NON_NUMERIC_SQL_JSON_ITEM, "boolean", "a boolean, string, or numeric value")
    try:
        if is_number(item):
            return bool(builtin(23).input(text, runtime.settings))
        return bool(builtin(16).input(text, runtime.settings))
    except SqlError:
        raise PathError(
            codes.NON_NUMERIC_SQL_JSON_ITEM,
            f'argument "{text}" of jsonpath item method .boolean() is invalid for type boolean',
        ) from None


def _string(item: Any) -> JsonValue:
    if isinstance(item, Moment):
        return item.text()
    if isinstance(item, str):
        return item
    if isinstance(item, bool) or is_number(item):
        return print_jsonb(item)
    raise method_error(codes.NON_NUMERIC_SQL_JSON_ITEM, "string", "a boolean, string, numeric, or datetime value")


METHODS: dict[str, Callable[[JsonValue], JsonValue]] = {
    "abs": _numeric_method("abs", abs),
    "floor": _numeric_method("floor", lambda item: int(Decimal(item).to_integral_value("ROUND_FLOOR"))),
    "ceiling": _numeric_method("ceiling", lambda item: int(Decimal(item).to_integral_value("ROUND_CEILING"))),
    "double": _converted("double", "double precision", 701),
    "bigint": _converted("bigint", "bigint", 20),
    "integer": _converted("integer", "integer", 23),
    "number": _converted("number", "numeric", 1700),
    "decimal": _converted("decimal", "numeric", 1700),
    "boolean": _boolean,
    "string": _string,
}


def compare(operator: str, left: Any, right: Any, *, zoned: bool) -> Truth:
    """compareItems: null equals null only; other kinds compare with their own kind; containers with nothing."""
    if isinstance(left, Moment) and isinstance(right, Moment):
        order = compare_moments(left, right, zoned=zoned)
        return None if order is None else _holds(operator, order)
    kind = kind_of(left)
    if kind != kind_of(right):
        return operator == "!=" if left is None or right is None else None
    if kind in {"array", "object"}:
        return None
    if kind == "string":
        left, right = left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
    sign = 0 if kind == "null" else (left > right) - (left < right)
    return _holds(operator, sign)


def _holds(operator: str, sign: int) -> bool:
    return (sign == 0, sign != 0, sign < 0, sign <= 0, sign > 0, sign >= 0)[COMPARISONS.index(operator)]


def starts_with(left: JsonValue, right: JsonValue) -> Truth:
    return left.startswith(right) if isinstance(left, str) and isinstance(right, str) else None


def like_regex(item: JsonValue, pattern: str, flags: str) -> Truth:
    """XQuery's flags as those of regexp_like: the dot matches a newline only with `s` (jspConvertRegexFlags)."""
    if not isinstance(item, str):
        return None
    options = "i" if "i" in flags else ""
    if "q" in flags:
        return regexp_like(item, "***=" + pattern, options)
    lines = {"": "p", "m": "n", "s": "s", "sm": "w"}["".join(flag for flag in "sm" if flag in flags)]
    return regexp_like(item, pattern, options + lines)

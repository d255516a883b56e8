"""concat, concat_ws, format, and quoting (varlena.c, quote.c).

concat and its kin take values of any type and use the type's output function. Their first arguments here are therefore the type
OIDs of all the others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function
from translator.quoting import quote_identifier
from translator.settings import runtime
from translator.types.integer import INT4
from translator.types.registry import type_of

if TYPE_CHECKING:
    from translator.types.base import Stored

_TEXT_TYPES = frozenset({25, 1043, 705, 19, 2275})


def quoted_literal(text: str) -> str:
    """A string constant; one with backslashes is an escape string, so that no setting changes its meaning."""
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return "E" + quoted if "\\" in text else quoted


function("quote_ident")(quote_identifier)
function("quote_literal")(quoted_literal)


@function("quote_nullable", strict=False)
def quote_nullable(text: str | None) -> str:
    return "NULL" if text is None else quoted_literal(text)


def output_text(oid: int, value: Stored) -> str:
    """The value as its type writes it."""
    if oid in _TEXT_TYPES:
        return str(value)
    return type_of(oid).output(value, runtime.settings)


def _typed(arguments: tuple[Any, ...]) -> list[tuple[int, Any]]:
    count = len(arguments) // 2
    return list(zip(arguments[:count], arguments[count:], strict=True))


@function("text_concat", strict=False, types="arguments")
def text_concat(*arguments: Any) -> str:
    return "".join([output_text(oid, value) for oid, value in _typed(arguments) if value is not None])


@function("text_concat_ws", strict=False, types="arguments")
def text_concat_ws(*arguments: Any) -> str | None:
    (_, separator), *values = _typed(arguments)
    if separator is None:
        return None
    return str(separator).join([output_text(oid, value) for oid, value in values if value is not None])


# %[position$][flags][width]type; a width is digits, or * with or without the position of an argument.
_SPECIFIER = re.compile(r"%(?:(%)|(?:([0-9]+)\$)?(-*)(?:([0-9]+)|(\*)(?:([0-9]+)(\$)?)?)?(.)?)", re.DOTALL)
_HINT = 'For a single "%" use "%%".'


def _format_error(message: str, hint: str | None = None) -> SqlError:
    return SqlError(sqlstate.INVALID_PARAMETER_VALUE, message, hint=hint)


class _Arguments:
    """The arguments of one call and which of them comes next."""

    def __init__(self, values: list[tuple[int, Any]]) -> None:
        self.values = values
        self.place = 0  # of the last one taken; they are numbered from 1

    def take(self, position: str | None) -> tuple[int, Any]:
        if position is None:
            self.place += 1
        else:
            self.place = _number(position)
            if self.place == 0:
                raise _format_error("format specifies argument 0, but arguments are numbered from 1")
        if self.place > len(self.values):
            raise _format_error("too few arguments for format()")
        return self.values[self.place - 1]


def _number(digits: str) -> int:
    number = int(digits[:20])
    if number > 2**31 - 1:
        raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range")
    return number


@function("text_format", "text_format_nv", strict=False, types="arguments")
def text_format(*arguments: Any) -> str | None:
    (_, pattern), *values = _typed(arguments)
    if pattern is None:
        return None
    rest = _Arguments(values)
    return _SPECIFIER.sub(lambda match: _formatted(match, rest), str(pattern))


def _formatted(match: re.Match[str], arguments: _Arguments) -> str:
    percent, position, minus, width_digits, star, width_position, dollar, kind = match.groups()
    if percent:
        return "%"
    if position is not None and _number(position) == 0:
        raise _format_error("format specifies argument 0, but arguments are numbered from 1")
    width = _number(width_digits) if width_digits else 0
    if star:
        if width_position is not None and _number(width_position) == 0:
            raise _format_error("format specifies argument 0, but arguments are numbered from 1")
        if width_position is not None and not dollar:
            raise _format_error('width argument position must be ended by "$"')
    if kind is None:
        raise _format_error("unterminated format() type specifier", _HINT)
    if kind not in "sIL":
        raise _format_error(f'unrecognized format() type specifier "{kind}"', _HINT)
    if star:
        width = _width(*arguments.take(width_position))
    return _padded(_converted(kind, *arguments.take(position)), width, left=bool(minus))


def _width(oid: int, value: Any) -> int:
    """A width that is an argument: NULL is 0, a negative one aligns left."""
    if value is None:
        return 0
    if oid in (21, 23):
        return int(value)
    return int(INT4.input(output_text(oid, value), runtime.settings))


def _converted(kind: str, oid: int, value: Any) -> str:
    if value is None:
        if kind == "I":
            raise SqlError(sqlstate.NULL_VALUE_NOT_ALLOWED, "null values cannot be formatted as an SQL identifier")
        return "NULL" if kind == "L" else ""
    text = output_text(oid, value)
    return text if kind == "s" else quote_identifier(text) if kind == "I" else quoted_literal(text)


def _padded(text: str, width: int, *, left: bool) -> str:
    return text.ljust(abs(width)) if left or width < 0 else text.rjust(width)

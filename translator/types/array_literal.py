"""Array literals: `{1,2}`, `{{a,"b c"},{NULL,d}}`, `[0:1]={1,2}` (manual, "Array Input and Output Syntax").

The checks and their order are those of array_in: ReadArrayDimensions, ReadArrayStr and ReadArrayToken of PostgreSQL's
arrayfuncs.c.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.array import MAX_DIMENSIONS, ArrayValue, Elements, check_dimensions, dimensions, size_exceeded

if TYPE_CHECKING:
    from translator.settings import Settings
    from translator.types.array import Array

_INT_MAX = 2**31 - 1
_SPACE = " \t\n\r\v\f"  # scanner_isspace
_DIMENSION_INT = re.compile(r"[-+]?[0-9]+")
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)


class ArrayLiteral:
    """One literal and how far it has been read."""

    def __init__(self, text: str, array: Array, settings: Settings, typmod: int) -> None:
        self.text = text
        self.place = 0
        self.delimiter = array.delimiter
        self.element = array.element
        self.settings = settings
        self.typmod = typmod

    def malformed(self, detail: str) -> NoReturn:
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'malformed array literal: "{self.text}"', detail=detail)

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def skip_space(self) -> None:
        while (char := self.peek()) and char in _SPACE:
            self.place += 1

    def read(self) -> ArrayValue:
        self.skip_space()
        sizes, lower = self.read_dimensions()
        if not sizes:
            if self.peek() != "{":
                self.malformed('Array value must start with "{" or dimension information.')
        else:
            if self.peek() != "=":
                self.malformed('Missing "=" after array dimensions.')
            self.place += 1
            self.skip_space()
            if self.peek() != "{":
                self.malformed('Array contents must start with "{".')
        elements, depth = self.read_elements(sizes)
        self.skip_space()
        if self.peek():
            self.malformed("Junk after closing right brace.")
        if not any(True for _ in _leaves(elements)):
            return ArrayValue([], [])
        lower = lower or [1] * depth
        check_dimensions(dimensions(elements), lower)
        return ArrayValue(elements, lower)

    def read_dimensions(self) -> tuple[list[int], list[int]]:
        sizes: list[int] = []
        lower: list[int] = []
        while True:
            self.skip_space()
            if self.peek() != "[":
                return sizes, lower
            self.place += 1
            if len(sizes) >= MAX_DIMENSIONS:
                raise _dimensions_exceeded()
            low, high = 1, self.read_bound('"[" must introduce explicitly-specified array dimensions.')
            if self.peek() == ":":
                self.place += 1
                low, high = high, self.read_bound("Missing array dimension value.")
            if self.peek() != "]":
                self.malformed('Missing "]" after array dimensions.')
            self.place += 1
            if high < low:
                raise SqlError(codes.ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound")
            if high == _INT_MAX:
                raise SqlError(codes.PROGRAM_LIMIT_EXCEEDED, f"array upper bound is too large: {high}")
            if high - low + 1 > _INT_MAX:
                raise size_exceeded()
            sizes.append(high - low + 1)
            lower.append(low)

    def read_bound(self, missing: str) -> int:
        match = _DIMENSION_INT.match(self.text, self.place)
        if match is None:
            self.malformed(missing)
        self.place = match.end()
        bound = int(match[0])
        if not -_INT_MAX - 1 <= bound <= _INT_MAX:
            raise SqlError(codes.PROGRAM_LIMIT_EXCEEDED, "array bound is out of integer range")
        return bound

    def read_elements(self, sizes: list[int]) -> tuple[Elements, int]:
        """The nested elements and the number of dimensions (ReadArrayStr)."""
        specified = bool(sizes)
        lengths = dict(enumerate(sizes))
        depth = len(sizes)
        frozen = specified
        mismatch = (
            "Specified array dimensions do not match array contents."
            if specified
            else "Multidimensional arrays must have sub-arrays with matching dimensions."
        )
        stack: list[Elements] = []
        expect_delimiter = False
        while True:
            kind, value = self.token()
            if kind == "{":
                if expect_delimiter:
                    self.malformed('Unexpected "{" character.')
                if len(stack) >= MAX_DIMENSIONS:
                    raise _dimensions_exceeded()
                stack.append([])
                if len(stack) > depth:
                    if frozen:
                        self.malformed(mismatch)
                    depth = len(stack)
            elif kind == "}":
                if stack[-1] and not expect_delimiter:
                    self.malformed('Unexpected "}" character.')
                level = stack.pop()
                if lengths.setdefault(len(stack), len(level)) != len(level):
                    self.malformed(mismatch)
                if not stack:
                    return level, depth
                stack[-1].append(level)
                expect_delimiter = True
            elif kind == self.delimiter:
                if not expect_delimiter:
                    self.malformed(f'Unexpected "{self.delimiter}" character.')
                expect_delimiter = False
            else:
                if expect_delimiter:
                    self.malformed("Unexpected array element.")
                item = None if value is None else self.element.input(value, self.settings, self.typmod)
                frozen = True
                if len(stack) != depth:
                    self.malformed(mismatch)
                stack[-1].append(item)
                expect_delimiter = True

    def token(self) -> tuple[str, str | None]:
        self.skip_space()
        char = self.peek()
        if char in {"{", "}", self.delimiter}:
            self.place += 1
            return char, None
        if char == "":
            self.malformed("Unexpected end of input.")
        if char == '"':
            self.place += 1
            return "element", self.quoted()
        return "element", self.unquoted()

    def quoted(self) -> str:
        text, start = self.text, self.place
        while True:
            char = self.peek()
            if char == "" or (char == "\\" and self.place + 1 >= len(text)):
                self.malformed("Unexpected end of input.")
            if char == '"':
                break
            self.place += 2 if char == "\\" else 1
        value = _UNESCAPE.sub(r"\1", text[start : self.place])
        self.place += 1
        self.skip_space()
        follows = self.peek()
        if follows == "":
            self.malformed("Unexpected end of input.")
        if follows not in {self.delimiter, "}", "{"}:
            self.malformed("Incorrectly quoted array element.")
        return value

    def unquoted(self) -> str | None:
        parts: list[str] = []
        kept = 0  # how many characters are kept: trailing space counts only if it was escaped
        escaped = False
        while True:
            char = self.peek()
            if char == "":
                self.malformed("Unexpected end of input.")
            if char in {"}", self.delimiter}:
                value = "".join(parts[:kept])
                return None if not escaped and value.upper() == "NULL" else value
            if char == "{":
                self.malformed('Unexpected "{" character.')
            if char == '"':
                self.malformed("Incorrectly quoted array element.")
            if char == "\\":
                self.place += 1
                char = self.peek()
                if char == "":
                    self.malformed("Unexpected end of input.")
                escaped = True
                kept = len(parts) + 1
            elif char not in _SPACE:
                kept = len(parts) + 1
            parts.append(char)
            self.place += 1


def _leaves(elements: Elements) -> Any:
    for item in elements:
        if item.__class__ is list:
            yield from _leaves(item)
        else:
            yield item


def _dimensions_exceeded() -> SqlError:
    message = f"number of array dimensions exceeds the maximum allowed ({MAX_DIMENSIONS})"
    return SqlError(codes.PROGRAM_LIMIT_EXCEEDED, message)

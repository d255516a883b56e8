"""Literals of ranges and multiranges, cut into the texts of their bounds (range_parse, multirange_in)."""

from __future__ import annotations

from typing import NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError

_SPACE = " \t\n\r\v\f"
_ENDS = {",", ")", "]"}


def read_range(text: str) -> tuple[str | None, str | None, bool, bool] | None:
    """The texts of the bounds (None: infinite) and whether they are inclusive; None for `empty`."""
    place = len(text) - len(text.lstrip(_SPACE))
    if text[place : place + 5].lower() == "empty":
        if text[place + 5 :].strip(_SPACE):
            _malformed(text, 'Junk after "empty" key word.')
        return None
    opening = text[place : place + 1]
    if opening not in {"[", "("} or not opening:
        _malformed(text, "Missing left parenthesis or bracket.")
    lower, place = _bound(text, place + 1)
    if text[place] != ",":
        _malformed(text, "Missing comma after lower bound.")
    upper, place = _bound(text, place + 1)
    closing = text[place]
    if closing == ",":
        _malformed(text, "Too many commas.")
    if text[place + 1 :].strip(_SPACE):
        _malformed(text, "Junk after right parenthesis or bracket.")
    return lower, upper, opening == "[", closing == "]"


def _bound(text: str, place: int) -> tuple[str | None, int]:
    """One bound, and the place of the character that ends it (range_parse_bound)."""
    if text[place : place + 1] in _ENDS:
        return None, place
    chars: list[str] = []
    quoted = False
    while True:
        char = text[place : place + 1]
        if not quoted and char in _ENDS:
            return "".join(chars), place
        place += 1
        if char == "" or (char == "\\" and place >= len(text)):
            _malformed(text, "Unexpected end of input.")
        elif char == "\\":
            chars.append(text[place])
            place += 1
        elif char == '"':
            if quoted and text[place : place + 1] == '"':
                chars.append('"')
                place += 1
            else:
                quoted = not quoted
        else:
            chars.append(char)


def _malformed(text: str, detail: str) -> NoReturn:
    raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'malformed range literal: "{text}"', detail=detail)


class MultirangeLiteral:
    """A multirange literal and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def read(self) -> list[str]:
        """The texts of the ranges."""
        if self.next() != "{":
            self.malformed("Missing left brace.")
        self.place += 1
        found: list[str] = []
        while True:
            char = self.next()
            if char == "}" and not found:
                break
            found.append(self.range(char))
            char = self.next()
            if char == "}":
                break
            if char != ",":
                self.malformed("Expected comma or end of multirange." if char else "Unexpected end of input.")
            self.place += 1
        self.place += 1
        if self.next():
            self.malformed("Junk after closing right brace.")
        return found

    def next(self) -> str:
        """The next character that is not space."""
        while (char := self.text[self.place : self.place + 1]) and char in _SPACE:
            self.place += 1
        return char

    def range(self, char: str) -> str:
        start = self.place
        if self.text[start : start + 5].lower() == "empty":
            self.place += 5
            return "empty"
        if not char:
            self.malformed("Unexpected end of input.")
        if char not in {"[", "("}:
            self.malformed("Expected range start.")
        quoted = False
        while True:
            char = self.text[self.place : self.place + 1]
            if not char:
                self.malformed("Unexpected end of input.")
            self.place += 2 if char == "\\" else 1
            if char == '"':
                quoted = not quoted
            elif char in {"]", ")"} and not quoted:
                return self.text[start : self.place]

    def malformed(self, detail: str) -> NoReturn:
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'malformed multirange literal: "{self.text}"', detail=detail)

"""to_number: reading a number by a pattern (formatting.c, NUM_processor and NUM_numpart_from_char).

The pattern says where digits, the point and the sign may be; characters that are none of these are skipped, one for each literal
character of the pattern. What was read is then a numeric with the pattern's precision.
"""

from __future__ import annotations

import re

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.number_pattern import Pattern, pattern
from translator.functions.numeric_arithmetic import numeric_mul
from translator.functions.numeric_math import numeric_power
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.numeric import NUMERIC, pack_typmod

_DATA = frozenset("0123456789.,+-")
_SIGNS = {"MI": ("-",), "PL": ("+",), "SG": ("-", "+")}
_HIGHEST_NUMERAL = 3999
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NUMERAL = re.compile(r"[ \t\n\v\f\r]*([ivxlcdmIVXLCDM]+)")


class _Reader:
    """One text being read."""

    def __init__(self, layout: Pattern, text: str) -> None:
        self.layout = layout
        self.text = text
        self.place = 0
        self.sign = " "
        self.number = ""
        self.point_read = False
        self.digits_before = 0
        self.digits_after = 0

    def read(self) -> str:
        for word, is_keyword in self.layout.steps:
            if self.place >= len(self.text):
                break
            if not is_keyword:
                self.place += 1
            else:
                self._keyword(word)
        return self.sign + self.number.removesuffix(".")

    def _keyword(self, word: str) -> None:
        match word:
            case "9" | "0" | "." | "D":
                self._digit(word)
                self.place += 1
            case "," | "G":
                # Nothing has been read that would suppress it: num_in is never set while reading.
                if not self.layout.fill_mode and self._next() == ",":
                    self.place += 1
            case "MI" | "PL" | "SG" if self._next() in _SIGNS[word]:
                self.sign = self._next()
                self.place += 1
            case "L" | "MI" | "PL" | "SG":
                self._skip(1)
            case "TH" if not self.layout.decimal:
                self._skip(2)

    def _next(self) -> str:
        return self.text[self.place : self.place + 1]

    def _skip(self, count: int) -> None:
        """NUM_eat_non_data_chars: what can be part of a number is left alone."""
        while count and self._next() and self._next() not in _DATA:
            self.place += 1
            count -= 1

    def _digit(self, word: str) -> None:
        if self._next() == " ":
            self.place += 1
        digits = self.digits_before + self.digits_after
        if self.sign == " " and word in "09" and not digits:
            self._leading_sign()
        character = self._next()
        if not character:
            return
        read = False
        if character in "0123456789":
            if self.point_read and self.digits_after == self.layout.after:
                return
            self.number += character
            if self.point_read:
                self.digits_after += 1
            else:
                self.digits_before += 1
            read = True
        elif self.layout.decimal and not self.point_read and character == ".":
            self.number += "."
            self.point_read = read = True
        if self.sign == " " and self.digits_before + self.digits_after:
            self._trailing_sign(read=read)

    def _leading_sign(self) -> None:
        character = self._next()
        if character == "<" and self.layout.brackets:
            character = "-"
        if character in ("-", "+") and character:
            self.sign = character
            self.place += 1

    def _trailing_sign(self, *, read: bool) -> None:
        """A sign directly behind the digit that was just read (S), or where a digit was expected (MI, PL, SG)."""
        if self.layout.locale_sign:
            following = self.text[self.place + 1 : self.place + 2]
            if read and following in ("-", "+") and following:
                self.sign = following
                self.place += 1
        elif not read and (self.layout.plus or self.layout.minus) and self._next() in ("-", "+"):
            self.sign = self._next()


def _roman_number(text: str) -> int:
    """roman_to_int: a numeral as people write it, up to 3999. What follows it is not read."""
    match = _NUMERAL.match(text)
    if match is None:
        raise _invalid_numeral()
    numeral = match[1].upper()
    total = 0
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    for place, value in enumerate(values):
        total += -value if place + 1 < len(values) and values[place + 1] > value else value
    if total > _HIGHEST_NUMERAL or _numeral(total) != numeral:
        raise _invalid_numeral()
    return total


def _invalid_numeral() -> SqlError:
    return SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, "invalid Roman numeral")


def _numeral(number: int) -> str:
    text = ""
    for value, letters in (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
        (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ):  # fmt: skip
        count, number = divmod(number, value)
        text += letters * count
    return text


@function("numeric_to_number")
def to_number(text: str, template: str) -> str | None:
    if not template:
        return None
    layout = pattern(template)
    if layout.roman and text:
        return str(_roman_number(text))
    if layout.exponent:
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, '"EEEE" not supported for input')
    reader = _Reader(layout, text)
    number = reader.read()
    scale = reader.digits_after
    precision = layout.before + layout.shift + scale
    result = str(NUMERIC.input(number, runtime.settings, pack_typmod(precision, scale)))
    if layout.shifted:
        result = numeric_mul(result, numeric_power("10", str(-layout.shift)))
    return result

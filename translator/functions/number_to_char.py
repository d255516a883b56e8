"""to_char of numbers (formatting.c, the NUM_ functions).

A number is first written plainly, with as many digits behind the point as the pattern has; `_Writer` then walks over the pattern and
puts digits, blanks, signs and separators where they belong. The locale is C: "." and ",", and a blank for the currency.
"""

from __future__ import annotations

import math
from decimal import Decimal

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.integer import BIGINT, out_of_range, wrap
from translator.functions.number_pattern import Pattern, pattern
from translator.functions.numeric_arithmetic import numeric_mul
from translator.functions.registry import function
from translator.types.floating import load, single
from translator.types.numeric import EXACT, rescale, text_of

_ROMAN_WIDTH = 15  # MAX_ROMAN_LEN
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"),
    (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def _roman(number: int | None, layout: Pattern) -> str:
    """RN: 1 to 3999, right-aligned unless FM; number signs for what has no Roman numeral."""
    if number is None or not 1 <= number <= 3999:
        text = "#" * _ROMAN_WIDTH
    else:
        text = ""
        for value, letters in _ROMAN:
            count, number = divmod(number, value)
            text += letters * count
    if layout.lower:
        text = text.lower()
    return text if layout.fill_mode else text.rjust(_ROMAN_WIDTH)


class _Writer:
    """One number being written (NUMProc). `number` has no sign; `blanks` is how many digits it lacks before the point."""

    def __init__(self, layout: Pattern, number: str, sign: str, before: int, after: int) -> None:
        self.layout = layout
        self.sign = sign
        self.after = after
        length = len(number.partition(".")[0])
        if length > before:
            number = "#" * before + "." + "#" * after
            length = before
        self.number = number
        self.blanks = before - length
        self.place = 0  # in the number
        self.current = 0  # digit positions of the pattern that are done
        self.in_number = False
        self.output: list[str] = []
        self._set_sign(before)
        self.last = self._last_relevant()
        self.count = before + after - 1 + (not self.sign_written and self.blanks == 0)
        self.zero_start = layout.zero_start - 1 if layout.zero_start else 0

    def _set_sign(self, before: int) -> None:
        """Who writes the sign: MI, PL and SG do so themselves; otherwise it stands before the first digit."""
        layout = self.layout
        self.brackets = layout.brackets
        self.sign_place = layout.sign
        if layout.plus or layout.minus:
            self.sign_written = not (layout.plus and not layout.minus)
            return
        if self.sign != "-" and layout.fill_mode:
            self.brackets = False
        self.sign_written = self.sign == "+" and layout.fill_mode and not layout.locale_sign
        if layout.sign == "before" and before == layout.digits_before_sign:
            self.sign_place = "behind"

    def _last_relevant(self) -> int | None:
        """With FM: the place of the last digit that is shown, which is the point where all behind it are zeros."""
        layout = self.layout
        if not (layout.fill_mode and layout.decimal):
            return None
        point = self.number.find(".")
        if point < 0:
            return None
        last = len(self.number.rstrip("0")) - 1
        if layout.zero_end > self.blanks:
            last = max(last, min(len(self.number) - 1, layout.zero_end - self.blanks))
        return last

    def _at(self, place: int | None) -> str:
        return "" if place is None else self.number[place : place + 1]

    def write(self) -> str:
        for step, (word, is_keyword) in enumerate(self.layout.steps):
            if is_keyword:
                self._keyword(word, step)
            else:
                self.output.append(word)
        return "".join(self.output).partition("\0")[0]

    def _keyword(self, word: str, step: int) -> None:
        fill_mode = self.layout.fill_mode
        match word:
            case "9" | "0" | "." | "D":
                self._digit(word)
            case "," | "G":
                self.output.append("," if self.in_number else "" if fill_mode else " ")
            case "L":
                self.output.append(" ")
            case "TH":
                if self.number[:1] != "#" and self.sign != "-" and not self.layout.decimal:
                    ending = _ordinal_ending(self.number)
                    self.output.append(ending if step in self.layout.lower else ending.upper())
            case "MI":
                self.output.append("-" if self.sign == "-" else "" if fill_mode else " ")
            case "PL":
                self.output.append("+" if self.sign == "+" else "" if fill_mode else " ")
            case "SG":
                self.output.append(self.sign)

    def _before_point_blank(self) -> bool:
        """IS_PREDEC_SPACE: the zero of 0.1 is not shown by a 9."""
        return not self.layout.zero and self.place == 0 and self.number[:1] == "0" and self.after != 0

    def _digit(self, word: str) -> None:
        """NUM_numpart_to_char: one position of the pattern."""
        self.in_number = False
        starts = self.current >= self.blanks or (self.layout.zero and self.zero_start == self.current)
        if not self.sign_written and starts and (not self._before_point_blank() or self._at(self.last) == "."):
            self._leading_sign()
        if self.current < self.blanks and (self.zero_start > self.current or not self.layout.zero):
            if not self.layout.fill_mode:
                self.output.append(" ")
        elif self.layout.zero and self.current < self.blanks:
            self.output.append("0")
            self.in_number = True
        else:
            self._digit_of_number(word)
        end = self.count + (self.blanks > 0) + self.layout.decimal
        if self.last is not None and self.last == self.place:
            end = self.current
        if self.current + 1 == end:
            self._trailing_sign()
        self.current += 1

    def _leading_sign(self) -> None:
        if self.layout.locale_sign:
            if self.sign_place == "before":
                self.output.append(self.sign)
                self.sign_written = True
            return
        if self.brackets:
            self.output.append(" " if self.sign == "+" else "<")
        elif self.sign == "-":
            self.output.append("-")
        elif not self.layout.fill_mode:
            self.output.append(" ")
        self.sign_written = True

    def _digit_of_number(self, word: str) -> None:
        character = self._at(self.place)
        if character == ".":
            if self._at(self.last) != "." or self.layout.fill_mode:
                self.output.append(".")
        elif self.last is not None and self.place > self.last and word != "0":
            pass
        elif self._before_point_blank():
            if not self.layout.fill_mode:
                self.output.append(" ")
            elif self._at(self.last) == ".":
                self.output.append("0")
        else:
            # Behind the number's end PostgreSQL writes the end of a C string there, and what follows is lost.
            self.output.append(character or "\0")
            self.in_number = True
        if character:
            self.place += 1

    def _trailing_sign(self) -> None:
        if self.sign_written and self.brackets:
            self.output.append(" " if self.sign == "+" else ">")
        elif self.layout.locale_sign and self.sign_place == "behind":
            self.output.append(self.sign)


def _ordinal_ending(number: str) -> str:
    if not number[-1:].isdigit():
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'"{number}" is not a number')
    if number[-2:-1] == "1":
        return "th"
    return {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")


def _written(layout: Pattern, number: str, after: int) -> str:
    """The number, with its sign, in the pattern's form."""
    sign = "-" if number[0] == "-" else "+"
    before = layout.before + layout.shift if layout.shifted else layout.before
    return _Writer(layout, number.lstrip("-"), sign, before, after).write()


def _no_exponent(layout: Pattern) -> str:
    """EEEE of what is not finite."""
    text = "#" * (layout.before + layout.after + 6)
    return " " + text[1 : layout.before + 1] + "." + text[layout.before + 2 :]


def _scientific(value: Decimal, layout: Pattern) -> str:
    """numeric_out_sci: the exponent is the unrounded number's, so that the digits may round up to 10."""
    power = value.adjusted() if value else 0
    digits = text_of(rescale(value.scaleb(-power, EXACT), layout.after))
    text = f"{digits}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return text if text[0] == "-" else " " + text


def _whole(value: int, layout: Pattern) -> str:
    number = str(value)
    return _written(layout, f"{number}.{'0' * layout.after}" if layout.after else number, layout.after)


@function("int4_to_char")
def int4_to_char(value: int, text: str) -> str:
    if not text:
        return ""
    layout = pattern(text)
    if layout.roman:
        return _roman(value, layout)
    if layout.exponent:
        return _scientific_float(float(value), layout)
    return _whole(wrap(value * 10**layout.shift, 32), layout)  # PostgreSQL does not check this product


@function("int8_to_char")
def int8_to_char(value: int, text: str) -> str:
    if not text:
        return ""
    layout = pattern(text)
    if layout.roman:
        return _roman(value, layout)
    if layout.exponent:
        return _scientific(Decimal(value), layout)
    value *= 10**layout.shift
    if not -(2**63) <= value < 2**63:
        raise out_of_range(BIGINT)
    return _whole(value, layout)


@function("numeric_to_char")
def numeric_to_char(value: str, text: str) -> str:
    if not text:
        return ""
    layout = pattern(text)
    finite = value[-1] <= "9"
    if layout.roman:
        return _roman(int(rescale(Decimal(value), 0)) if finite else None, layout)
    if layout.exponent:
        return _scientific(Decimal(value), layout) if finite else _no_exponent(layout)
    if not finite:
        return _written(layout, value, layout.after)
    if layout.shifted:
        value = numeric_mul(value, "1" + "0" * layout.shift)
    return _written(layout, text_of(rescale(Decimal(value), layout.after)), layout.after)


def _float_to_char(value: float, text: str, digits: int) -> str:
    """Floats show no more digits than their type is exact for: digits behind the point are left off."""
    layout = pattern(text)
    if layout.roman:
        return _roman(round(value) if math.isfinite(value) else None, layout)
    if layout.exponent:
        return _scientific_float(value, layout) if math.isfinite(value) else _no_exponent(layout)
    if layout.shifted:
        value *= 10.0**layout.shift
    length = len(_plain(abs(value), 0))
    after = 0 if length >= digits else min(layout.after, digits - length)
    return _written(layout, _plain(value, after), after)


def _plain(value: float, places: int) -> str:
    if math.isfinite(value):
        return f"{value:.{places}f}"
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _scientific_float(value: float, layout: Pattern) -> str:
    text = f"{value:.{layout.after}e}"
    return text if text[0] == "-" else " " + text


@function("float8_to_char")
def float8_to_char(value: float | str, text: str) -> str:
    return _float_to_char(load(value), text, 15) if text else ""


@function("float4_to_char")
def float4_to_char(value: float | str, text: str) -> str:
    if not text:
        return ""
    number = load(value)
    layout = pattern(text)
    if layout.shifted:
        return _float_to_char(single(number * 10.0**layout.shift) / 10.0**layout.shift, text, 6)
    return _float_to_char(number, text, 6)

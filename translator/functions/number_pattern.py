"""The patterns of to_char and to_number for numbers, read into steps (manual, "Template Patterns for Numeric Formatting").

Here it is decided what a pattern means as a whole: how many digits it has on either side of the point, how the sign is shown
(NUMDesc_prepare). Writing numbers is in number_to_char.py, reading them in number_from_char.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from translator import sqlstate
from translator.errors import SqlError

# The longest keyword that fits counts; each is known in upper and in lower case, but not in mixed case.
_KEYWORDS = ("EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", "B", "C", "D", "G", "L", "S", "V")
_TOKEN = re.compile(
    rf"({'|'.join([*_KEYWORDS, *[word.lower() for word in _KEYWORDS]])}|[.,09])"
    r'|"((?:[^"\\]|\\.)*)(?:"|\\?\Z)'  # a literal text in quotes, which may stay open
    r'|\\(")'
    r"|(.)",
    re.DOTALL,
)


@dataclass(slots=True)
class Pattern:
    """NUMDesc: what the steps amount to. `steps` are keywords in upper case, or literal characters with a quote before them."""

    steps: list[tuple[str, bool]] = field(default_factory=list)  # (keyword or character, is it a keyword)
    lower: set[int] = field(default_factory=set)  # places of keywords in lower case, for TH and RN
    before: int = 0  # digits before the point
    after: int = 0  # digits behind it
    shift: int = 0  # digits behind V
    sign: str = ""  # "before" or "behind": where S puts it
    digits_before_sign: int = 0  # digits that S follows
    zero_start: int = 0  # place of the first 0, counted from 1
    zero_end: int = 0  # number of digits as far as the last 0
    decimal: bool = False
    fill_mode: bool = False
    locale_sign: bool = False  # S
    brackets: bool = False  # PR
    minus: bool = False  # MI, SG
    plus: bool = False  # PL, SG
    zero: bool = False
    blank: bool = False  # B
    roman: bool = False
    shifted: bool = False  # V
    exponent: bool = False  # EEEE

    def add(self, keyword: str) -> None:
        """Take a keyword into account. Raises 42601 for what does not go together."""
        if self.exponent and keyword != "EEEE":
            raise _error('"EEEE" must be the last pattern used')
        match keyword:
            case "9" | "0":
                self._add_digit(keyword)
            case "B":
                self.blank = self.blank or not (self.before or self.after or self.zero)
            case "D" | ".":
                self._add_point()
            case "FM":
                self.fill_mode = True
            case "S" | "MI" | "PL" | "SG" | "PR":
                self._add_sign(keyword)
            case "RN":
                if self.roman:
                    raise _error('cannot use "RN" twice')
                self.roman = True
            case "V":
                if self.decimal:
                    raise _error('cannot use "V" and decimal point together')
                self.shifted = True
            case "EEEE":
                self._add_exponent()
        if self.roman and self._more_than_fill_mode():
            detail = '"RN" may only be used together with "FM".'
            raise _error('"RN" is incompatible with other formats', detail)

    def _more_than_fill_mode(self) -> bool:
        return bool(
            self.decimal or self.locale_sign or self.brackets or self.minus or self.plus or self.zero or self.blank
            or self.shifted or self.exponent
        )  # fmt: skip

    def _add_digit(self, keyword: str) -> None:
        if self.brackets:
            raise _error(f'"{keyword}" must be ahead of "PR"')
        if keyword == "9" and self.shifted:
            self.shift += 1
            return
        if keyword == "0" and not self.zero and not self.decimal:
            self.zero = True
            self.zero_start = self.before + 1
        if self.decimal:
            self.after += 1
        else:
            self.before += 1
        if keyword == "0":
            self.zero_end = self.before + self.after

    def _add_point(self) -> None:
        if self.decimal:
            raise _error("multiple decimal points")
        if self.shifted:
            raise _error('cannot use "V" and decimal point together')
        self.decimal = True

    def _add_sign(self, keyword: str) -> None:
        if keyword == "S":
            if self.locale_sign:
                raise _error('cannot use "S" twice')
            if self.plus or self.minus or self.brackets:
                raise _error('cannot use "S" and "PL"/"MI"/"SG"/"PR" together')
            self.locale_sign = True
            self.sign = "behind" if self.decimal else "before"
            self.digits_before_sign = 0 if self.decimal else self.before
        elif keyword == "PR":
            if self.locale_sign or self.plus or self.minus:
                raise _error('cannot use "PR" and "S"/"PL"/"MI"/"SG" together')
            self.brackets = True
        else:
            if self.locale_sign:
                raise _error(f'cannot use "S" and "{keyword}" together')
            self.minus = self.minus or keyword in ("MI", "SG")
            self.plus = self.plus or keyword in ("PL", "SG")

    def _add_exponent(self) -> None:
        if self.exponent:
            raise _error('cannot use "EEEE" twice')
        others = self.blank, self.fill_mode, self.locale_sign, self.brackets, self.minus, self.plus, self.roman, self.shifted
        if any(others):
            detail = '"EEEE" may only be used together with digit and decimal point patterns.'
            raise _error('"EEEE" is incompatible with other formats', detail)
        self.exponent = True


def _error(message: str, detail: str | None = None) -> SqlError:
    return SqlError(sqlstate.SYNTAX_ERROR, message, detail=detail)


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """The pattern that a text describes. It is shared, so that nobody may change it."""
    result = Pattern()
    for keyword, quoted, quote, character in _TOKEN.findall(text):
        if keyword:
            word = keyword.upper()
            if word != keyword:
                result.lower.add(len(result.steps))
            result.steps.append((word, True))
            result.add(word)
        else:
            literal = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) or quote or character
            result.steps.extend([(letter, False) for letter in literal])
    return result

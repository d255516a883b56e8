"""Walk a template over text and collect what is found (DCH_from_char in PostgreSQL's formatting.c).

A value that two keywords give must be the same, and Gregorian and ISO week keywords do not mix. What the findings mean as a
date and time is decided in datetime_from_char.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_pattern import (
    MONTHS_SHORT,
    ROMAN_MONTHS,
    WEEKDAYS_SHORT,
    Keyword,
    Node,
    is_separator,
    parse_pattern,
    parse_standard_pattern,
)
from translator.settings import runtime
from translator.types.calendar import MONTHS, WEEKDAYS
from translator.types.timezone_names import find_abbreviation_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.types.timezones import Zone

_SPACE = " \t\n\r\f\v"
_INTEGER = re.compile(r"[ \t\n\r\f\v]*([+-]?[0-9]+)")
_COMMA_YEAR = re.compile(r"[ \t\n\r\f\v]*([+-]?[0-9]+),[ \t\n\r\f\v]*([+-][0-9]{1,2}|[0-9]{1,3})")
_INT32 = 2**31

# Keyword -> (what it sets, how many digits it takes when they are not delimited)
_INTEGERS = {
    "HH": ("hour", 2), "HH12": ("hour", 2), "HH24": ("hour", 2), "MI": ("minute", 2), "SS": ("second", 2),
    "MM": ("month", 2), "DDD": ("day_of_year", 3), "IDDD": ("day_of_year", 3), "DD": ("day", 2), "D": ("weekday", 1),
    "WW": ("week", 2), "IW": ("week", 2), "CC": ("century", 2), "W": ("week_of_month", 1), "J": ("julian", 1),
    "YYYY": ("year", 4), "IYYY": ("year", 4), "YYY": ("year", 3), "IYY": ("year", 3), "YY": ("year", 2), "IY": ("year", 2),
    "Y": ("year", 1), "I": ("year", 1),
}  # fmt: skip
_NAMES: dict[str, tuple[Sequence[str], str]] = {
    "MONTH": (MONTHS, "month"), "MON": (MONTHS_SHORT, "month"), "DAY": (WEEKDAYS, "weekday"), "DY": (WEEKDAYS_SHORT, "weekday"),
    "RM": (ROMAN_MONTHS, "month"), "AM": (("am", "pm"), "pm"), "PM": (("am", "pm"), "pm"),
    "A.M.": (("a.m.", "p.m."), "pm"), "P.M.": (("a.m.", "p.m."), "pm"), "AD": (("ad", "bc"), "bc"), "BC": (("ad", "bc"), "bc"),
    "A.D.": (("a.d.", "b.c."), "bc"), "B.C.": (("a.d.", "b.c."), "bc"),
}  # fmt: skip


@dataclass(slots=True)
class Found:
    """What the text says (TmFromChar); 0 is "not given"."""

    convention: str = ""
    hour: int = 0
    pm: int = 0
    minute: int = 0
    second: int = 0
    second_of_day: int = 0
    weekday: int = 0  # 1 for Sunday
    day: int = 0
    day_of_year: int = 0
    month: int = 0
    millisecond: int = 0
    microsecond: int = 0
    year: int = 0
    bc: int = 0
    week: int = 0
    week_of_month: int = 0
    century: int = 0
    julian: int = 0
    year_width: int = 0
    clock12: bool = False
    precision: int = 0
    zone_sign: int = 0
    zone_hour: int = 0
    zone_minute: int = 0
    has_zone: bool = False
    offset: int = 0  # seconds east
    dynamic: tuple[Zone, str] | None = None


def scan(text: str, pattern: str) -> Found:
    """What text says by a template."""
    return _Reader(text, parse_pattern(pattern)).read()


def scan_standard(text: str, pattern: str) -> Found:
    """The same in SQL's standard mode: separators and literals must match, and nothing may be left of either."""
    reader = _StandardReader(text, parse_standard_pattern(pattern))
    found = reader.read()
    reader.finish()
    return found


class _Reader:
    """DCH_from_char."""

    def __init__(self, text: str, nodes: Sequence[Node]) -> None:
        self.text = text
        self.nodes = nodes
        self.position = 0
        self.extra = 0  # characters skipped beyond what the template says
        self.fixed = False  # FX
        self.done = 0  # nodes that were read
        self.found = Found()

    def read(self) -> Found:
        for index, node in enumerate(self.nodes):
            if self.position >= len(self.text):
                break
            self.done = index + 1
            keyword = node.keyword
            if not self.fixed and (keyword is None or keyword.field != "FX") and (keyword is not None or index == 0):
                self.skip_space()
            if keyword is None:
                self.skip_literal(node)
                continue
            self.set_convention(keyword)
            self.read_keyword(index, node, keyword)
            if not self.fixed:
                self.extra = 0
                self.skip_space()
        return self.found

    def skip_space(self) -> None:
        while self.position < len(self.text) and self.text[self.position] in _SPACE:
            self.position += 1
            self.extra += 1

    def skip_literal(self, node: Node) -> None:
        """Literals need not match; outside of FX a separator may be missing."""
        if self.fixed:
            self.position += 1
        elif node.kind != "character":
            self.extra -= 1
            if self.position < len(self.text):
                character = self.text[self.position]
                if character in _SPACE or is_separator(character):
                    self.position += 1
                    self.extra += 1
        elif self.extra > 0:
            self.extra -= 1
        else:
            self.position += 1

    def set_convention(self, keyword: Keyword) -> None:
        if not keyword.convention:
            return
        if self.found.convention and self.found.convention != keyword.convention:
            raise SqlError(
                codes.INVALID_DATETIME_FORMAT,
                "invalid combination of date conventions",
                hint="Do not mix Gregorian and ISO week date conventions in a formatting template.",
            )
        self.found.convention = keyword.convention

    def read_keyword(self, index: int, node: Node, keyword: Keyword) -> None:
        field = keyword.field.upper()
        found = self.found
        if field in _INTEGERS:
            self.read_number(index, node, field)
        elif field in _NAMES:
            self.read_name(field, keyword)
            return
        elif field == "FX":
            self.fixed = True
        elif field in {"TZ", "OF", "TZH", "TZM"}:
            self.read_zone(index, field, keyword)
            return
        elif field == "ID":
            self.integer(index, "weekday", 1)
            found.weekday = found.weekday + 1 if found.weekday < 7 else 1
        elif field == "Q":
            self.integer(index, "", 1)  # which date of the quarter is meant? it is read and ignored
        elif field == "SSSS":
            self.integer(index, "second_of_day", len(keyword.name))
        elif field == "MS":
            length = self.integer(index, "millisecond", 3)
            found.millisecond *= {1: 100, 2: 10}.get(length, 1)
        elif field == "US" or field.startswith("FF"):
            self.read_microseconds(index, field)
        elif field == "Y,YYY":
            self.read_comma_year(keyword)
        if node.ordinal:
            self.position = min(self.position + 2, len(self.text))

    def read_number(self, index: int, node: Node, field: str) -> None:
        target, width = _INTEGERS[field]
        length = self.integer(index, target, width)
        if field in {"HH", "HH12"}:
            self.found.clock12 = True
        elif target == "year":
            self.found.year_width = width
            if width < 4 and length < 4:
                self.found.year = _nearest_to_2020(self.found.year)

    def read_microseconds(self, index: int, field: str) -> None:
        digits = 6
        if field != "US":
            digits = self.found.precision = int(field[2])
        length = self.integer(index, "microsecond", digits)
        if length < 6:
            self.found.microsecond *= 10 ** (6 - length)

    def read_comma_year(self, keyword: Keyword) -> None:
        match = _COMMA_YEAR.match(self.text, self.position)
        if match is None:
            raise SqlError(codes.INVALID_DATETIME_FORMAT, f'invalid value "{self.text[self.position :]}" for "Y,YYY"')
        year = int(match[1]) * 1000 + int(match[2])
        if not -_INT32 <= year < _INT32:
            raise SqlError(codes.DATETIME_FIELD_OVERFLOW, 'value for "Y,YYY" in source string is out of range')
        self.set("year", year, keyword)
        self.found.year_width = 4
        self.position = match.end()

    def read_name(self, field: str, keyword: Keyword) -> None:
        names, target = _NAMES[field]
        rest = self.text[self.position :].lower()
        number = next((number for number, name in enumerate(names) if rest.startswith(name.lower())), None)
        if number is None:
            word = re.split(r"[ \t\n\r\f\v]", self.text[self.position :], maxsplit=1)[0]
            raise SqlError(
                codes.INVALID_DATETIME_FORMAT,
                f'invalid value "{word}" for "{keyword.name}"',
                detail="The given value did not match any of the allowed values for this field.",
            )
        self.position += len(names[number])
        match target:
            case "month":
                self.set(target, 12 - number if field == "RM" else number + 1, keyword)
            case "weekday":
                self.set(target, number, keyword)
                self.found.weekday += 1
            case _:
                self.set(target, number, keyword)
                self.found.clock12 |= target == "pm"

    def read_zone(self, index: int, field: str, keyword: Keyword) -> None:
        found = self.found
        if field == "TZM":
            found.zone_sign = found.zone_sign or 1
            self.integer(index, "zone_minute", 2)
            return
        if field == "TZ" and self.read_abbreviation(keyword):
            return
        character = self.text[self.position : self.position + 1]
        if character and character in "+- ":
            found.zone_sign = -1 if character == "-" else 1
            self.position += 1
        else:  # a minus may have been taken for a separator
            found.zone_sign = -1 if self.extra > 0 and self.text[self.position - 1] == "-" else 1
        self.integer(index, "zone_hour", 2)
        if field != "TZH" and self.text[self.position : self.position + 1] == ":":
            self.position += 1
            self.integer(index, "zone_minute", 2)

    def read_abbreviation(self, keyword: Keyword) -> bool:
        rest = self.text[self.position :]
        match = find_abbreviation_prefix(rest, runtime.settings)
        if match is None:
            if rest[:1].isascii() and rest[:1].isalpha():
                raise SqlError(
                    codes.INVALID_DATETIME_FORMAT,
                    f'invalid value "{rest}" for "{keyword.name}"',
                    detail="Time zone abbreviation is not recognized.",
                )
            return False
        length, meaning = match
        found = self.found
        found.has_zone, found.zone_sign, found.offset = True, 0, meaning.offset
        found.dynamic = (meaning.zone, rest[:length]) if meaning.zone is not None else None
        self.position += length
        return True

    def set(self, target: str, value: int, keyword: Keyword) -> None:
        """from_char_set_int."""
        known = getattr(self.found, target)
        if known not in {0, value}:
            raise SqlError(
                codes.INVALID_DATETIME_FORMAT,
                f'conflicting values for "{keyword.name}" field in formatting string',
                detail="This value contradicts a previous setting for the same field type.",
            )
        setattr(self.found, target, value)

    def integer(self, index: int, target: str, width: int) -> int:
        """from_char_parse_int_len: read a number; the characters that it took, with the space before them."""
        node = self.nodes[index]
        assert node.keyword is not None
        name = node.keyword.name
        start = self.position
        while self.position < len(self.text) and self.text[self.position] in _SPACE:
            self.position += 1
        copy = _copy(self.text[self.position :], width)
        value = 0
        if node.fill or self.is_delimited(index):
            match = _INTEGER.match(self.text, start)
            self.position = start if match is None else match.end()
        else:
            self.check_width(name, copy, width)
            match = _INTEGER.match(copy)
            used = 0 if match is None else match.end()
            if 0 < used < width:
                raise _too_short(f'invalid value "{copy}" for "{name}"', width, used, "could be parsed")
            self.position += used
        if match is not None:
            value = int(match[1])
        if self.position == start:
            raise SqlError(
                codes.INVALID_DATETIME_FORMAT, f'invalid value "{copy}" for "{name}"', detail="Value must be an integer."
            )
        if not -_INT32 <= value < _INT32:
            raise SqlError(
                codes.DATETIME_FIELD_OVERFLOW,
                f'value for "{name}" in source string is out of range',
                detail=f"Value must be in the range {-_INT32} to {_INT32 - 1}.",
            )
        if target:
            self.set(target, value, node.keyword)
        return self.position - start

    def check_width(self, name: str, copy: str, width: int) -> None:
        if len(copy) < width:
            message = f'source string too short for "{name}" formatting field'
            raise _too_short(message, width, len(copy), "remain")

    def is_delimited(self, index: int) -> bool:
        """is_next_separator: whether what follows in the template cannot be a digit."""
        if self.nodes[index].ordinal or index + 1 == len(self.nodes):
            return True
        following = self.nodes[index + 1]
        if following.keyword is not None:
            return not following.keyword.is_number
        return not following.character.isdigit()


class _StandardReader(_Reader):
    def __init__(self, text: str, nodes: Sequence[Node]) -> None:
        super().__init__(text, nodes)
        self.fixed = True

    def skip_literal(self, node: Node) -> None:
        if self.text[self.position] != node.character:
            what = "character" if node.kind == "character" else "separator"
            raise SqlError(codes.INVALID_DATETIME_FORMAT, f'unmatched format {what} "{node.character}"')
        self.position += 1

    def finish(self) -> None:
        """Raises 22007 unless template and text both end here; trailing spaces do not count."""
        if self.done < len(self.nodes):
            raise SqlError(codes.INVALID_DATETIME_FORMAT, "input string is too short for datetime format")
        if self.text[self.position :].strip(_SPACE):
            message = "trailing characters remain in input string after datetime format"
            raise SqlError(codes.INVALID_DATETIME_FORMAT, message)


def _copy(text: str, width: int) -> str:
    """strlcpy: so many bytes of text."""
    copy = text[:width]
    return copy if copy.isascii() else copy.encode()[:width].decode(errors="ignore")


def _too_short(message: str, width: int, used: int, what: str) -> SqlError:
    return SqlError(
        codes.INVALID_DATETIME_FORMAT,
        message,
        detail=f"Field requires {width} characters, but only {used} {what}.",
        hint='If your source string is not fixed-width, try using the "FM" modifier.',
    )


def _nearest_to_2020(year: int) -> int:
    """adjust_partial_year_to_2020."""
    if year < 70:
        return year + 2000
    if year < 100:
        return year + 1900
    if year < 520:
        return year + 2000
    return year + 1000 if year < 1000 else year

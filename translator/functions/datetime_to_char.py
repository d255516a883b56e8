"""to_char of timestamps and intervals (DCH_to_char in PostgreSQL's formatting.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import session_zone
from translator.functions.datetime_pattern import MONTHS_SHORT, ROMAN_MONTHS, WEEKDAYS_SHORT, Node, parse_pattern
from translator.functions.registry import function
from translator.types.calendar import (
    DAY,
    HOUR,
    MINUTE,
    MONTHS,
    SECOND,
    UNIX_EPOCH_SECONDS,
    WEEKDAYS,
    date_of_day,
    day_number,
    iso_week_date,
    iso_week_start,
    julian_day,
    truncated_division,
    truncated_divmod,
    weekday,
)  # fmt: skip
from translator.types.datetime_stored import is_finite, microseconds_of
from translator.types.interval import interval_of
from translator.types.interval_print import break_down

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Broken:
    """A broken-down timestamp or interval (TmToChar)."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int
    day_of_year: int
    is_interval: bool = False
    weekday: int = 0
    offset: int = 0
    abbreviation: str = ""

    def shown_year(self, year: int) -> int:
        """ADJUST_YEAR: years before 1 without their sign."""
        return year if self.is_interval or year > 0 else 1 - year

    def iso_year(self) -> int:
        return self.shown_year(iso_week_date(self.year, self.month, self.day)[0])


def _padded(value: int, width: int, node: Node) -> str:
    """A number with leading zeros unless FM says otherwise; a minus is not counted."""
    if node.fill:
        return str(value)
    return f"{value:0{width + (value < 0)}d}"


def _remainder(dividend: int, divisor: int) -> int:
    return truncated_divmod(dividend, divisor)[1]


def _ordinal(text: str, form: str) -> str:
    """get_th: the English ending of a number."""
    if not text[-1:].isdigit():
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'"{text}" is not a number')
    last = "" if text[-2:-1] == "1" else text[-1]
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(last, "th")
    return text + (ending.upper() if form == "TH" else ending)


def _hour12(value: Broken, node: Node) -> str:
    hour = _remainder(value.hour, 12) or 12
    return str(hour) if node.fill else f"{hour:0{2 if value.hour >= 0 else 3}d}"


def _fraction(digits: int) -> Callable[[Broken, Node], str]:
    return lambda value, node: f"{truncated_division(value.microsecond, 10 ** (6 - digits)):0{digits}d}"


def _century(value: Broken, node: Node) -> str:
    if value.is_interval:
        century = truncated_division(value.year, 100)
    elif value.year > 0:
        century = (value.year - 1) // 100 + 1
    else:
        century = truncated_division(value.year, 100) - 1
    return _padded(century, 2, node) if -99 <= century <= 99 else str(century)


def _comma_year(value: Broken, node: Node) -> str:
    year = value.shown_year(value.year)
    thousands = truncated_division(year, 1000)
    return f"{thousands},{year - thousands * 1000:03d}"


def _year(width: int, iso: bool = False) -> Callable[[Broken, Node], str]:
    def text(value: Broken, node: Node) -> str:
        year = value.iso_year() if iso else value.shown_year(value.year)
        shown = year if width == 4 else _remainder(year, 10**width)
        if width == 1:
            return str(shown)
        # The sign of the calendar year decides on the width, also for an ISO year.
        sign = value.shown_year(value.year) < 0
        return str(shown) if node.fill else f"{shown:0{width + sign}d}"

    return text


def _roman(value: Broken, node: Node) -> str:
    if not value.month and not value.year:
        return ""
    if value.month == 0:  # whole years of an interval
        index = 0 if value.year >= 0 else 11
    elif value.month < 0:
        index = -value.month - 1
    else:
        index = 12 - value.month
    return ROMAN_MONTHS[index] if node.fill else ROMAN_MONTHS[index].ljust(4)


def _offset(value: Broken, node: Node) -> str:
    hour, rest = divmod(abs(value.offset), 3600)
    sign = "+" if value.offset >= 0 else "-"
    text = f"{sign}{hour}" if node.fill else f"{sign}{hour:02d}"
    return f"{text}:{rest // 60:02d}" if rest else text


def _plain(value: int, width: int, node: Node) -> str:
    return str(value) if node.fill else f"{value:0{width}d}"


def _iso_day_of_year(value: Broken, node: Node) -> str:
    iso_year = iso_week_date(value.year, value.month, value.day)[0]
    day = day_number(value.year, value.month, value.day) - iso_week_start(iso_year, 1) + 1
    return _plain(day, 3, node)


# Numbers, which TH may follow.
_NUMBERS: dict[str, Callable[[Broken, Node], str]] = {
    "HH": _hour12,
    "HH12": _hour12,
    "HH24": lambda value, node: _padded(value.hour, 2, node),
    "MI": lambda value, node: _padded(value.minute, 2, node),
    "SS": lambda value, node: _padded(value.second, 2, node),
    "SSSS": lambda value, node: str(value.hour * 3600 + value.minute * 60 + value.second),
    "MS": _fraction(3),
    "US": _fraction(6),
    **{f"FF{digits}": _fraction(digits) for digits in range(1, 7)},
    "MM": lambda value, node: _padded(value.month, 2, node),
    "DDD": lambda value, node: str(value.day_of_year) if node.fill else f"{value.day_of_year:03d}",
    "IDDD": _iso_day_of_year,
    "DD": lambda value, node: str(value.day) if node.fill else f"{value.day:02d}",
    "D": lambda value, node: str(value.weekday + 1),
    "ID": lambda value, node: str(value.weekday or 7),
    "WW": lambda value, node: _plain(truncated_division(value.day_of_year - 1, 7) + 1, 2, node),
    "IW": lambda value, node: _plain(iso_week_date(value.year, value.month, value.day)[1], 2, node),
    "W": lambda value, node: str(truncated_division(value.day - 1, 7) + 1),
    "Q": lambda value, node: str(truncated_division(value.month - 1, 3) + 1) if value.month else "",
    "CC": _century,
    "J": lambda value, node: str(julian_day(value.year, value.month, value.day)),
    "Y,YYY": _comma_year,
    "YYYY": _year(4),
    "YYY": _year(3),
    "YY": _year(2),
    "Y": _year(1),
    "IYYY": _year(4, iso=True),
    "IYY": _year(3, iso=True),
    "IY": _year(2, iso=True),
    "I": _year(1, iso=True),
}


def _name(text: str, keyword: str, node: Node, width: int) -> str:
    """A name in the case of its keyword: MONTH, Month, month."""
    if keyword.isupper():
        text = text.upper()
    elif keyword.islower():
        text = text.lower()
    return text if node.fill or node.translate else text.ljust(width)


def _text(value: Broken, node: Node, field: str) -> str:
    """What a keyword that is not a number stands for."""
    match field.upper():
        case "AM" | "PM":
            text = "pm" if _remainder(value.hour, 24) >= 12 else "am"
            return text.upper() if field.isupper() else text
        case "A.M." | "P.M.":
            text = "p.m." if _remainder(value.hour, 24) >= 12 else "a.m."
            return text.upper() if field[0].isupper() else text
        case "RM":
            text = _roman(value, node)
            return text if field.isupper() else text.lower()
        case "FX":
            return ""
    if value.is_interval:
        raise _no_interval()
    match field.upper():
        case "AD" | "BC" | "A.D." | "B.C.":
            text = "bc" if value.year <= 0 else "ad"
            if "." in field:
                text = f"{text[0]}.{text[1]}."
            return text.upper() if field[0].isupper() else text
        case "MONTH":
            return _name(MONTHS[value.month - 1], field, node, 9)
        case "MON":
            return _name(MONTHS_SHORT[value.month - 1], field, node, 3)
        case "DAY":
            return _name(WEEKDAYS[value.weekday], field, node, 9)
        case "DY":
            return _name(WEEKDAYS_SHORT[value.weekday], field, node, 3)
        case "TZ":
            return value.abbreviation.lower() if field.islower() else value.abbreviation
        case "TZH":
            return f"{'+' if value.offset >= 0 else '-'}{abs(value.offset) // 3600:02d}"
        case "TZM":
            return f"{abs(value.offset) % 3600 // 60:02d}"
    return _offset(value, node)


def _no_interval() -> SqlError:
    return SqlError(
        codes.INVALID_DATETIME_FORMAT,
        "invalid format specification for an interval value",
        hint="Intervals are not tied to specific calendar dates.",
    )


def format_broken(value: Broken, pattern: str) -> str:
    """Fill a template."""
    parts = []
    for node in parse_pattern(pattern):
        keyword = node.keyword
        if keyword is None:
            parts.append(node.character)
            continue
        number = _NUMBERS.get(keyword.field)
        if number is None:
            parts.append(_text(value, node, keyword.field))
            continue
        if value.is_interval and keyword.field in {"D", "ID"}:
            raise _no_interval()
        text = number(value, node)
        parts.append(_ordinal(text, node.ordinal) if node.ordinal and (text or keyword.field != "Q") else text)
    return "".join(parts)


def _broken_timestamp(local: int) -> Broken:
    day, time = divmod(local, DAY)
    year, month, day_of_month = date_of_day(day)
    hour, time = divmod(time, HOUR)
    minute, time = divmod(time, MINUTE)
    second, microsecond = divmod(time, SECOND)
    day_of_year = day - day_number(year, 1, 1) + 1
    return Broken(year, month, day_of_month, hour, minute, second, microsecond, day_of_year, False, weekday(day))


@function("timestamp_to_char")
def timestamp_to_char(value: str, pattern: str) -> str | None:
    if not pattern or not is_finite(value):
        return None
    return format_broken(_broken_timestamp(microseconds_of(value)), pattern)


@function("timestamptz_to_char")
def timestamptz_to_char(value: str, pattern: str) -> str | None:
    if not pattern or not is_finite(value):
        return None
    number = microseconds_of(value)
    type = session_zone().at(number // SECOND + UNIX_EPOCH_SECONDS)
    broken = _broken_timestamp(number + type.offset * SECOND)
    broken.offset, broken.abbreviation = type.offset, type.abbreviation
    return format_broken(broken, pattern)


@function("interval_to_char")
def interval_to_char(value: str, pattern: str) -> str | None:
    """The days of the year are all days of the interval, with months of 30."""
    if not pattern or not is_finite(value):
        return None
    months, days, time = interval_of(value)
    parts = break_down(months, days, time)
    return format_broken(Broken(*parts, day_of_year=months * 30 + days, is_interval=True), pattern)

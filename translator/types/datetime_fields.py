"""What the fields of date and time input mean, given what has been read before them.

`Fields` collects a broken-down time; its methods are DecodeDate, DecodeTime, DecodeNumber, DecodeNumberField, DecodeTimezone
and ValidateDate of PostgreSQL's datetime.c. `seen` and the values returned say which parts are known, as bits: a part that
is given twice is an error, which the callers see by `found & seen`.

Not here: which field is which (datetime_parse), and words.
"""

from __future__ import annotations

import re

from translator.types.calendar import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    UNIX_EPOCH_JULIAN,
    date_of_julian,
    days_in_month,
    is_valid_julian,
    julian_day,
)
from translator.types.datetime_words import BadInput, Word, date_word

YEAR, MONTH, DAY_OF_MONTH, TIME, ZONE, SUMMER, SUMMER_MODIFIER, DAY_OF_YEAR, DYNAMIC, MERIDIEM, ERA, WEEKDAY = (
    1 << bit for bit in range(12)
)
DATE = YEAR | MONTH | DAY_OF_MONTH

_INT_END = 2**31
_INTEGER = re.compile(r"[0-9]*")
_PART = re.compile(r"[^0-9A-Za-z]*([0-9]+|[A-Za-z]+).?")  # the character behind a part is dropped, whatever it is
_CLOCK = re.compile(r"([0-9]+):([0-9]*)(?::([0-9]*))?(\.[0-9]*)?")
_ZONE = re.compile(r"([+-])([0-9]*)(?::(-[0-9]+|[0-9]*)(?::(-[0-9]+|[0-9]*))?)?")
_LARGEST_ZONE_HOUR = 15  # MAX_TZDISP_HOUR


def bounded_int(text: str, error: str = BadInput.OVERFLOW) -> int:
    """strtoint: digits as a 32-bit integer; none are 0."""
    number = int(text or 0)
    if number >= _INT_END:
        raise BadInput(error)
    return number


def fraction_of(text: str) -> float:
    """ParseFraction: a point and digits, or nothing."""
    if not text or text == ".":
        return 0.0
    if not text[1:].isdigit():
        raise BadInput(BadInput.FORMAT)
    return float("0" + text)


def microseconds_of_fraction(text: str) -> int:
    """ParseFractionalSecond: rounded to even at the seventh digit, as rint does."""
    return round(fraction_of(text) * 1_000_000)


def decode_clock(text: str, minutes_first: bool = False) -> tuple[int, int, int, int]:
    """DecodeTimeCommon: hours, minutes, seconds, microseconds. `minutes_first` reads "1:2" as MINUTE TO SECOND."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise BadInput(BadInput.FORMAT)
    first, second, third, fraction = match.groups()
    hour = int(first)
    if hour >= 2**63:
        raise BadInput(BadInput.OVERFLOW)
    minute = bounded_int(second)
    seconds = 0
    if third is not None:
        seconds = bounded_int(third)
    elif fraction is not None or minutes_first:  # mm:ss.sss always means minutes and seconds
        if hour >= _INT_END:
            raise BadInput(BadInput.OVERFLOW)
        hour, minute, seconds = 0, hour, minute
    microseconds = microseconds_of_fraction(fraction) if fraction else 0
    if minute > 59 or seconds > 60:
        raise BadInput(BadInput.OVERFLOW)
    return hour, minute, seconds, microseconds


def decode_zone(text: str) -> int:
    """DecodeTimezone: a numeric offset in seconds east of Greenwich."""
    match = _ZONE.match(text)
    if match is None:
        raise BadInput(BadInput.FORMAT)
    sign, first, second, third = match.groups()
    hour = bounded_int(first, BadInput.ZONE_OVERFLOW)
    minute = second_of_minute = 0
    if second is not None:
        minute = bounded_int(second, BadInput.ZONE_OVERFLOW)
        second_of_minute = bounded_int(third or "", BadInput.ZONE_OVERFLOW)
    elif match.end() == len(text) and len(text) > 3:
        hour, minute = divmod(hour, 100)  # run together: +0530
    if hour > _LARGEST_ZONE_HOUR or not 0 <= minute <= 59 or not 0 <= second_of_minute <= 59:
        raise BadInput(BadInput.ZONE_OVERFLOW)
    if match.end() != len(text):
        raise BadInput(BadInput.FORMAT)
    offset = hour * 3600 + minute * 60 + second_of_minute
    return -offset if sign == "-" else offset


class Fields:
    """A broken-down date and time in the making. Years are as written until `validate_date` makes them astronomical."""

    def __init__(self, date_order: str) -> None:
        self.date_order = date_order
        self.year = self.month = self.day = 0
        self.day_of_year = 0
        self.hour = self.minute = self.second = self.microsecond = 0
        self.two_digit_year = False

    def set_julian(self, julian: int) -> None:
        """Take the date of a Julian day."""
        self.year, self.month, self.day = date_of_julian(julian)

    def set_time(self, microseconds: int) -> None:
        """dt2time: take the time of microseconds since midnight."""
        self.hour, rest = divmod(microseconds, HOUR)
        self.minute, rest = divmod(rest, MINUTE)
        self.second, self.microsecond = divmod(rest, SECOND)

    def time_overflows(self) -> bool:
        """float_time_overflows and time_overflows: whether the time is not within 00:00:00 and 24:00:00."""
        if self.hour > 24 or self.minute > 59 or self.second > 60 or self.microsecond > SECOND:
            return True
        return self.microseconds() > DAY

    def microseconds(self) -> int:
        """Microseconds since midnight."""
        return ((self.hour * 60 + self.minute) * 60 + self.second) * SECOND + self.microsecond

    def local_seconds(self) -> int:
        """Seconds since 1970 as if the time were UTC, for time zones; 0 outside of the calendar's range."""
        if not is_valid_julian(self.year, self.month):
            return 0
        days = julian_day(self.year, self.month, self.day) - UNIX_EPOCH_JULIAN
        return days * 86400 + (self.hour * 60 + self.minute) * 60 + self.second

    def decode_time(self, text: str) -> int:
        """DecodeTime: a field with colons."""
        hour, self.minute, self.second, self.microsecond = decode_clock(text)
        if hour >= _INT_END:
            raise BadInput(BadInput.OVERFLOW)
        self.hour = hour
        return TIME

    def decode_date(self, text: str, seen: int) -> int:
        """DecodeDate: a field with delimiters. Its parts are words and numbers in any order."""
        parts = []
        position = 0
        while position < len(text):
            match = _PART.match(text, position)
            if match is None:
                raise BadInput(BadInput.FORMAT)
            parts.append(match[1])
            position = match.end()
        found = 0
        numbers = []
        text_month = False
        for part in parts:
            if not part.isalpha():
                numbers.append(part)
                continue
            kind, value = date_word(part) or (None, 0)
            if kind is Word.IGNORED:
                continue
            if kind is not Word.MONTH or seen & MONTH:
                raise BadInput(BadInput.FORMAT)
            self.month, text_month = int(value), True
            seen |= MONTH
            found |= MONTH
        for part in numbers:
            bits = self.decode_number(part, text_month, seen)
            if seen & bits:
                raise BadInput(BadInput.FORMAT)
            seen |= bits
            found |= bits
        if seen & ~(DAY_OF_YEAR | ZONE) != DATE:
            raise BadInput(BadInput.FORMAT)
        return found

    def decode_number(self, text: str, text_month: bool, seen: int) -> int:
        """DecodeNumber: a number whose place in the date says what it is."""
        match = _INTEGER.match(text)
        digits = match[0] if match is not None else ""
        value = bounded_int(digits)
        if not digits:
            raise BadInput(BadInput.FORMAT)
        if len(digits) < len(text):
            if text[len(digits)] != ".":
                raise BadInput(BadInput.FORMAT)
            if len(digits) > 2:  # 2001.360, 20011225.040506 …
                return self.decode_number_field(text, seen | DATE)
            self.microsecond = microseconds_of_fraction(text[len(digits) :])
        if len(text) == 3 and seen & DATE == YEAR and 1 <= value <= 366:
            self.day_of_year = value
            return DAY_OF_YEAR | MONTH | DAY_OF_MONTH
        bits = self._place_number(len(text), value, text_month, seen & DATE)
        if not bits:
            return self.decode_number_field(text, seen)
        if bits == YEAR:
            self.two_digit_year = len(text) <= 2
        return bits

    def _place_number(self, width: int, value: int, text_month: bool, known: int) -> int:
        """Which part of the date a number is; 0 when the date is complete."""
        if known == DATE:
            return 0
        if known == 0:  # either YYYY first, or the order of DateStyle
            part = YEAR if width >= 3 or self.date_order == "YMD" else DAY_OF_MONTH if self.date_order == "DMY" else MONTH
        elif known == YEAR:
            part = MONTH
        elif known == MONTH:
            part = YEAR if text_month and (width >= 3 or self.date_order == "YMD") else DAY_OF_MONTH
        elif known == YEAR | MONTH:
            part = DAY_OF_MONTH
            if text_month and width >= 3 and self.two_digit_year:  # DD-MON-YYYY in YMD order: the first was the day
                self.day, self.year, self.two_digit_year = self.year, value, False
                return part
        elif known == DAY_OF_MONTH:
            part = MONTH
        elif known == MONTH | DAY_OF_MONTH:
            part = YEAR
        else:
            raise BadInput(BadInput.FORMAT)
        if part == YEAR:
            self.year = value
        elif part == MONTH:
            self.month = value
        else:
            self.day = value
        return part

    def decode_number_field(self, text: str, seen: int) -> int:
        """DecodeNumberField: a date or time without delimiters, 20011225 or 040506.789."""
        digits, point, _ = text.partition(".")
        if not all(character in "0123456789." for character in text):
            raise BadInput(BadInput.FORMAT)
        if point:
            self.microsecond = microseconds_of_fraction(text[len(digits) :])
        elif seen & DATE != DATE and len(digits) >= 6:
            year = digits[:-4]
            self.year, self.month, self.day = int(year), int(digits[-4:-2]), int(digits[-2:])
            if self.year >= _INT_END:
                raise BadInput(BadInput.OVERFLOW)
            if len(year) == 2:
                self.two_digit_year = True
            return DATE
        if not seen & TIME and len(digits) in {4, 6}:
            self.hour, self.minute, self.second = int(digits[:2]), int(digits[2:4]), int(digits[4:] or 0)
            return TIME
        raise BadInput(BadInput.FORMAT)

    def validate_date(self, seen: int, julian: bool = False, bc: bool = False) -> None:
        """ValidateDate: make the year astronomical, resolve a day of the year, check month and day."""
        if seen & YEAR and not julian:
            self._adjust_year(bc)
        if seen & DAY_OF_YEAR:
            self.set_julian(julian_day(self.year, 1, 1) + self.day_of_year - 1)
        if (seen & MONTH and not 1 <= self.month <= 12) or (seen & DAY_OF_MONTH and not 1 <= self.day <= 31):
            raise BadInput(BadInput.MONTH_DAY_OVERFLOW)
        if seen & DATE == DATE and self.day > days_in_month(self.year, self.month):
            raise BadInput(BadInput.OVERFLOW)

    def _adjust_year(self, bc: bool) -> None:
        if bc:
            if self.year <= 0:
                raise BadInput(BadInput.OVERFLOW)
            self.year = 1 - self.year
        elif self.two_digit_year:  # 1970 to 2069; '0' and '00' are allowed
            if self.year < 70:
                self.year += 2000
            elif self.year < 100:
                self.year += 1900
        elif self.year <= 0:
            raise BadInput(BadInput.OVERFLOW)

    def apply_meridiem(self, meridiem: str) -> None:
        """Turn a 12-hour clock's hour into one of 24."""
        if not meridiem:
            return
        if self.hour > 12:
            raise BadInput(BadInput.OVERFLOW)
        if meridiem == "am" and self.hour == 12:
            self.hour = 0
        elif meridiem == "pm" and self.hour != 12:
            self.hour += 12

"""Interval input: PostgreSQL's words, SQL's "1-2 3 04:05:06", ISO 8601's "P1Y2M3DT4H5M6S" in both forms.

DecodeInterval and DecodeISO8601Interval of PostgreSQL's datetime.c. The first walks from right to left, because a unit
stands behind its number. Sums are checked against C's integer types, since that is where "out of range" begins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.calendar import DAY, HOUR, MINUTE, SECOND, truncated_divmod
from translator.types.datetime_fields import bounded_int, decode_clock, fraction_of
from translator.types.datetime_words import BadInput, Field, Kind, Word, date_word, split_fields, unit_word

if TYPE_CHECKING:
    from translator.settings import Settings

_WORK_SPACE = 256
_INT32 = 2**31
_INT64 = 2**63

_UNIT_MICROSECONDS = {"microsecond": 1, "millisecond": 1000, "second": SECOND, "minute": MINUTE, "hour": HOUR}
_UNIT_YEARS = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
_SECOND_UNITS = frozenset({"second", "millisecond", "microsecond"})
_CLOCK_UNITS = frozenset({"hour", "minute", *_SECOND_UNITS})

# INTERVAL_MASK of typmods (utils/timestamp.h): the rightmost field says what a number without a unit is.
MASK_MONTH, MASK_YEAR, MASK_DAY, MASK_HOUR, MASK_MINUTE, MASK_SECOND = 2, 4, 8, 1 << 10, 1 << 11, 1 << 12
FULL_RANGE = 0x7FFF
_RANGE_UNITS = {
    MASK_YEAR: "year",
    MASK_MONTH: "month",
    MASK_YEAR | MASK_MONTH: "month",
    MASK_DAY: "day",
    MASK_HOUR: "hour",
    MASK_DAY | MASK_HOUR: "hour",
    MASK_MINUTE: "minute",
    MASK_HOUR | MASK_MINUTE: "minute",
    MASK_DAY | MASK_HOUR | MASK_MINUTE: "minute",
}

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:(-)([0-9]*)|(\.[0-9.]*))?(.*)", re.DOTALL)
_ISO_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ISO_DIGITS = re.compile(r"-?([0-9]*)")


class IntervalSum:
    """The parts of an interval in the making (pg_itm_in)."""

    def __init__(self) -> None:
        self.years = self.months = self.days = self.microseconds = 0

    def add_microseconds(self, value: int, fraction: float, scale: int) -> None:
        """AdjustMicroseconds."""
        self.microseconds = _int64(self.microseconds + _int64(value * scale))
        self.add_fraction(fraction, scale)

    def add_fraction(self, fraction: float, scale: int) -> None:
        """AdjustFractMicroseconds: the fraction of a unit, rounded half away from zero."""
        if fraction:
            product = fraction * scale
            whole = int(product)
            product -= whole
            if product > 0.5:
                whole += 1
            elif product < -0.5:
                whole -= 1
            self.microseconds = _int64(self.microseconds + whole)

    def add_days(self, value: int, fraction: float, scale: int) -> None:
        """AdjustDays and AdjustFractDays: the fraction of a week or month goes into days, then into the time."""
        self.days = _int32(self.days + _int32(_int32(value) * scale))
        self.add_fraction_days(fraction, scale)

    def add_fraction_days(self, fraction: float, scale: int) -> None:
        """AdjustFractDays."""
        if fraction:
            product = fraction * scale
            whole = int(product)
            self.days = _int32(self.days + whole)
            self.add_fraction(product - whole, DAY)

    def add_months(self, value: int, fraction: float) -> None:
        """AdjustMonths; a fraction becomes days of a month of 30."""
        self.months = _int32(self.months + _int32(value))
        self.add_fraction_days(fraction, 30)

    def add_years(self, value: int, fraction: float, scale: int) -> None:
        """AdjustYears and AdjustFractYears: the fraction becomes whole months."""
        self.years = _int32(self.years + _int32(_int32(value) * scale))
        if fraction:
            self.months = _int32(self.months + round(fraction * scale * 12))

    def negate(self) -> None:
        """What "ago" does."""
        if self.microseconds == -_INT64 or -_INT32 in {self.days, self.months, self.years}:
            raise BadInput(BadInput.OVERFLOW)
        self.years, self.months, self.days, self.microseconds = -self.years, -self.months, -self.days, -self.microseconds

    def total(self) -> tuple[int, int, int]:
        """itmin2interval: months, days and microseconds."""
        months = self.years * 12 + self.months
        if not -_INT32 <= months < _INT32:
            raise SqlError(codes.DATETIME_FIELD_OVERFLOW, "interval out of range")
        return months, self.days, self.microseconds


def _int32(value: int) -> int:
    if not -_INT32 <= value < _INT32:
        raise BadInput(BadInput.OVERFLOW)
    return value


def _int64(value: int) -> int:
    if not -_INT64 <= value < _INT64:
        raise BadInput(BadInput.OVERFLOW)
    return value


class _IntervalReader:
    """DecodeInterval."""

    def __init__(self, fields: list[Field], settings: Settings, fields_range: int) -> None:
        self.input = fields
        self.range = fields_range
        self.sum = IntervalSum()
        self.seen: set[str] = set()
        self.unit = ""  # of the number to the left
        self.unit_waits = False
        self.ago = False
        self.infinity = ""
        # SQL's '-1 1:00:00' is all negative, unless another sign says otherwise (manual, "Interval Input").
        self.negative = (
            settings.interval_style == "sql_standard"
            and bool(fields)
            and fields[0].text[0] == "-"
            and not any(field.text[0] in "+-" for field in fields[1:])
        )

    def read(self) -> None:
        last = len(self.input) - 1
        for index in range(last, -1, -1):
            field = self.input[index]
            if field.kind in {Kind.STRING, Kind.SPECIAL}:
                found = self.read_word(field.text, index == last)
            elif field.kind is Kind.TIME or (field.kind is Kind.ZONE and ":" in field.text and self._is_clock(field.text)):
                found = self.read_clock(field.text)
            else:
                found = self.read_number(field.text)
            if found & self.seen:
                raise BadInput(BadInput.FORMAT)
            self.seen |= found
        if not self.seen or self.unit_waits:
            raise BadInput(BadInput.FORMAT)
        if self.ago:
            self.sum.negate()

    def _is_clock(self, text: str) -> bool:
        try:
            self._clock_microseconds(text[1:])
        except BadInput:
            return False
        return True

    def _clock_microseconds(self, text: str) -> int:
        hour, minute, second, fraction = decode_clock(text, self.range == MASK_MINUTE | MASK_SECOND)
        return _int64(_int64(hour * HOUR) + minute * MINUTE + second * SECOND + fraction)

    def read_clock(self, text: str) -> frozenset[str]:
        value = self._clock_microseconds(text.lstrip("+-"))
        if text[0] == "-" or (self.negative and value > 0):
            value = -value
        self.sum.microseconds = value
        self.unit, self.unit_waits = "day", False
        return _CLOCK_UNITS

    def read_number(self, text: str) -> frozenset[str]:
        unit = self.unit or _RANGE_UNITS.get(self.range, "second")
        value, fraction, year_month = _number_of(text)
        if year_month:
            unit = "month"
        if self.negative:
            value, fraction = -abs(value), -abs(fraction)
        self.unit, self.unit_waits = unit, False
        if unit in _UNIT_MICROSECONDS:
            self.sum.add_microseconds(value, fraction, _UNIT_MICROSECONDS[unit])
            if unit == "hour":
                self.unit = "day"
            return _SECOND_UNITS if unit == "second" and fraction else frozenset({unit})
        if unit == "day":
            self.sum.add_days(value, 0.0, 1)
            self.sum.add_fraction(fraction, DAY)
        elif unit == "week":
            self.sum.add_days(value, fraction, 7)
        elif unit == "month":
            self.sum.add_months(value, fraction)
        elif unit in _UNIT_YEARS:
            self.sum.add_years(value, fraction, _UNIT_YEARS[unit])
        else:
            raise BadInput(BadInput.FORMAT)
        return frozenset({unit})

    def read_word(self, text: str, last: bool) -> frozenset[str]:
        if self.unit_waits:
            raise BadInput(BadInput.FORMAT)
        kind, value = unit_word(text) or date_word(text) or (None, "")
        match kind:
            case Word.IGNORED:
                return frozenset()
            case Word.UNIT:
                self.unit, self.unit_waits = str(value), True
                return frozenset()
            case Word.AGO if last:
                self.ago = True
                self.unit = "ago"  # no unit: a number next to it is an error
                return frozenset()
            case Word.RESERVED if last and value in {"infinity", "-infinity"}:
                self.infinity = str(value)
                return frozenset({"year", "month", "day", *_CLOCK_UNITS})
        raise BadInput(BadInput.FORMAT)


def _number_of(text: str) -> tuple[int, float, bool]:
    """A number's whole part and fraction; or, for SQL's "years-months", the months."""
    match = _NUMBER.fullmatch(text)
    assert match is not None
    sign, digits, dash, months, fraction, rest = match.groups()
    value = int(digits or 0)
    if value >= _INT64 + (sign == "-"):
        raise BadInput(BadInput.OVERFLOW)
    if sign == "-":
        value = -value
    if dash:
        extra = bounded_int(months)
        if extra >= 12:
            raise BadInput(BadInput.OVERFLOW)
        if rest:
            raise BadInput(BadInput.FORMAT)
        return _int64(_int64(value * 12) + (-extra if sign == "-" else extra)), 0.0, True
    if rest:
        raise BadInput(BadInput.FORMAT)
    part = fraction_of(fraction or "")
    return value, -part if sign == "-" else part, False


class _IsoReader:
    """DecodeISO8601Interval."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 1
        self.sum = IntervalSum()

    def number(self) -> tuple[int, float]:
        """ParseISO8601Number; everything that strtod takes, including exponents."""
        match = _ISO_NUMBER.match(self.text, self.position)
        if match is None:
            raise BadInput(BadInput.FORMAT)
        self.position = match.end()
        value = float(match[0])
        if abs(value) > 1e15:
            raise BadInput(BadInput.OVERFLOW)
        return int(value), value - int(value)

    def take(self) -> str:
        """The character behind a number; empty at the end."""
        character = self.text[self.position : self.position + 1]
        self.position += 1
        return character

    def width(self, start: int) -> int:
        match = _ISO_DIGITS.match(self.text, start)
        return len(match[1]) if match is not None else 0

    def read(self) -> None:
        if len(self.text) < 2 or self.text[0] != "P":
            raise BadInput(BadInput.FORMAT)
        date_part, have_field = True, False
        while self.position < len(self.text):
            if self.text[self.position] == "T":
                date_part, have_field = False, False
                self.position += 1
                continue
            start = self.position
            value, fraction = self.number()
            unit = self.take()
            if not date_part:
                if self.read_time(unit, value, fraction, start, have_field):
                    return
                have_field = True
            elif unit in {"Y", "M", "W", "D"}:
                self.add_date(unit, value, fraction)
                have_field = True
            elif self.read_date(unit, value, fraction, start, have_field):
                return
            else:
                date_part, have_field = False, False

    def add_date(self, unit: str, value: int, fraction: float) -> None:
        match unit:
            case "Y":
                self.sum.add_years(value, fraction, 1)
            case "M":
                self.sum.add_months(value, fraction)
            case "W":
                self.sum.add_days(value, fraction, 7)
            case "D":
                self.sum.add_days(value, 0.0, 1)
                self.sum.add_fraction(fraction, DAY)

    def read_date(self, unit: str, value: int, fraction: float, start: int, have_field: bool) -> bool:
        """The alternative format, P0001-02-03 or P00010203; True at the end, False where a time follows."""
        if unit not in {"", "T", "-"}:
            raise BadInput(BadInput.FORMAT)
        if unit != "-" and self.width(start) == 8 and not have_field:
            years, rest = truncated_divmod(value, 10000)
            months, days = truncated_divmod(rest, 100)
            self.add_date("Y", years, 0.0)
            self.add_date("M", months, 0.0)
            self.add_date("D", days, fraction)
            return not unit
        if have_field:
            raise BadInput(BadInput.FORMAT)
        self.add_date("Y", value, fraction)
        for part in ("M", "D"):
            if unit in {"", "T"}:
                return not unit
            if unit != "-":
                raise BadInput(BadInput.FORMAT)
            self.add_date(part, *self.number())
            unit = self.take()
        if unit in {"", "T"}:
            return not unit
        raise BadInput(BadInput.FORMAT)

    def read_time(self, unit: str, value: int, fraction: float, start: int, have_field: bool) -> bool:
        """A time field; True at the end of the alternative format, T04:05:06 or T040506."""
        scale = {"H": HOUR, "M": MINUTE, "S": SECOND}.get(unit)
        if scale is not None:
            self.sum.add_microseconds(value, fraction, scale)
            return False
        if unit not in {"", ":"}:
            raise BadInput(BadInput.FORMAT)
        if not unit and self.width(start) == 6 and not have_field:
            hours, rest = truncated_divmod(value, 10000)
            minutes, seconds = truncated_divmod(rest, 100)
            for part, part_scale in ((hours, HOUR), (minutes, MINUTE), (seconds, SECOND)):
                self.sum.add_microseconds(part, 0.0, part_scale)
            self.sum.add_fraction(fraction, 1)
            return True
        if have_field:
            raise BadInput(BadInput.FORMAT)
        self.sum.add_microseconds(value, fraction, HOUR)
        for scale in (MINUTE, SECOND):
            if not unit:
                return True
            if unit != ":":
                raise BadInput(BadInput.FORMAT)
            self.sum.add_microseconds(*self.number(), scale)
            unit = self.take()
        if unit:
            raise BadInput(BadInput.FORMAT)
        return True


def parse_interval(text: str, settings: Settings, fields_range: int) -> tuple[int, int, int] | str:
    """interval_in: months, days and microseconds, or "infinity" or "-infinity". Raises BadInput."""
    try:
        reader = _IntervalReader(split_fields(text, _WORK_SPACE), settings, fields_range)
        reader.read()
    except BadInput as error:
        if error.args[0] != BadInput.FORMAT:
            raise
        return _parse_iso(text)
    return reader.infinity or reader.sum.total()


def _parse_iso(text: str) -> tuple[int, int, int]:
    iso = _IsoReader(text)
    iso.read()
    return iso.sum.total()

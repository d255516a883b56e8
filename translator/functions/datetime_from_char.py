"""to_timestamp and to_date: what the text of a date says is made a date and time (do_to_timestamp in formatting.c)."""

from __future__ import annotations

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.datetime_arithmetic import session_zone
from translator.functions.datetime_scan import Found, scan, scan_standard
from translator.functions.registry import function
from translator.types.calendar import (
    DAY,
    SECOND,
    date_of_day,
    day_number,
    is_leap,
    is_valid_julian,
    iso_week_start,
    truncated_divmod,
)
from translator.types.date import check_date
from translator.types.datetime_fields import DATE, DAY_OF_MONTH, MONTH, YEAR, Fields
from translator.types.datetime_stored import date_stored, timestamp_stored
from translator.types.datetime_words import BadInput
from translator.types.timestamp import check_timestamp, round_timestamp
from translator.types.timezone_names import local_abbreviation_type

_INT32 = 2**31
_YEAR_DAYS = (
    (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365),
    (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366),
)


def _int32(value: int) -> int:
    if not -_INT32 <= value < _INT32:
        raise BadInput(BadInput.OVERFLOW)
    return value


class _Conversion:
    """do_to_timestamp: findings to a date and time."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.fields = Fields("")
        self.fields.month = self.fields.day = 1
        self.known = 0  # of the date, for validate_date

    def run(self) -> None:
        self.convert_time()
        self.convert_year()
        self.convert_date()
        found, fields = self.found, self.fields
        fields.microsecond = _int32(_int32(found.millisecond * 1000) + found.microsecond)
        if self.known:
            try:
                fields.validate_date(self.known, julian=True)
            except BadInput:  # a hint about DateStyle would mislead
                raise BadInput(BadInput.OVERFLOW) from None
        if not (
            0 <= fields.hour < 24 and 0 <= fields.minute < 60 and 0 <= fields.second < 60 and 0 <= fields.microsecond < SECOND
        ):
            raise BadInput(BadInput.OVERFLOW)
        self.convert_zone()

    def convert_time(self) -> None:
        found, fields = self.found, self.fields
        if found.second_of_day:
            fields.hour, rest = truncated_divmod(found.second_of_day, 3600)
            fields.minute, fields.second = truncated_divmod(rest, 60)
        fields.second = found.second or fields.second
        fields.minute = found.minute or fields.minute
        fields.hour = found.hour or fields.hour
        if found.clock12:
            if not 1 <= fields.hour <= 12:
                raise SqlError(
                    codes.INVALID_DATETIME_FORMAT,
                    f'hour "{fields.hour}" is invalid for the 12-hour clock',
                    hint="Use the 24-hour clock, or give an hour between 1 and 12.",
                )
            if found.pm and fields.hour < 12:
                fields.hour += 12
            elif not found.pm and fields.hour == 12:
                fields.hour = 0

    def convert_year(self) -> None:
        found, fields = self.found, self.fields
        century = -found.century if found.bc else found.century
        if found.year and not (found.century and found.year_width <= 2):
            fields.year = -found.year if found.bc else found.year
            if fields.year < 0:
                fields.year += 1  # there is no year 0
        elif found.year:  # the two low digits; the 21st century is 2001 to 2100, the 6th BC 600 to 501
            fields.year = truncated_divmod(found.year, 100)[1]
            if not fields.year:
                fields.year = century * 100 + (0 if century >= 0 else 1)
            elif century >= 0:
                fields.year = _int32(fields.year + _int32((century - 1) * 100))
            else:
                fields.year = _int32(_int32((century + 1) * 100) - fields.year + 1)
        elif found.century:
            fields.year = _int32((century - 1) * 100 + 1 if century >= 0 else century * 100 + 1)
        else:
            return
        self.known |= YEAR

    def convert_date(self) -> None:
        found, fields = self.found, self.fields
        if found.julian:
            fields.set_julian(found.julian)
            self.known |= DATE
        if found.week:
            if found.convention == "iso":
                days = 0 if not found.weekday else found.weekday - 2 if found.weekday > 1 else 6
                self.set_day(iso_week_start(fields.year, found.week) + days)
            else:
                found.day_of_year = _int32((found.week - 1) * 7 + 1)
        if found.week_of_month:
            found.day = _int32((found.week_of_month - 1) * 7 + 1)
        if found.day:
            fields.day = found.day
            self.known |= DAY_OF_MONTH
        if found.month:
            fields.month = found.month
            self.known |= MONTH
        if found.day_of_year and (fields.month <= 1 or fields.day <= 1):
            self.convert_day_of_year()

    def set_day(self, day: int) -> None:
        self.fields.year, self.fields.month, self.fields.day = date_of_day(day)
        self.known |= DATE

    def convert_day_of_year(self) -> None:
        found, fields = self.found, self.fields
        if not fields.year and not found.bc:
            raise SqlError(codes.INVALID_DATETIME_FORMAT, "cannot calculate day of year without year information")
        if found.convention == "iso":
            self.set_day(iso_week_start(fields.year, 1) - 1 + found.day_of_year)
            return
        sums = _YEAR_DAYS[is_leap(fields.year)]
        month = next((number for number in range(1, 13) if found.day_of_year <= sums[number]), 13)
        if fields.month <= 1:
            fields.month = month
        if fields.day <= 1:
            fields.day = found.day_of_year - sums[month - 1]
        self.known |= MONTH | DAY_OF_MONTH

    def convert_zone(self) -> None:
        found = self.found
        if found.zone_sign:
            if not (0 <= found.zone_hour <= 15 and 0 <= found.zone_minute < 60):
                raise BadInput(BadInput.ZONE_OVERFLOW)
            found.has_zone = True
            found.offset = found.zone_sign * (found.zone_hour * 3600 + found.zone_minute * 60)
        elif found.dynamic is not None:
            found.offset = local_abbreviation_type(*found.dynamic, self.fields.local_seconds()).offset


def _convert(text: str, pattern: str) -> tuple[Fields, Found]:
    return _converted(text, scan(text, pattern))


def convert_standard(text: str, pattern: str) -> tuple[Fields, Found]:
    """What a text is by a template in SQL's standard mode, as SQL/JSON paths read it."""
    return _converted(text, scan_standard(text, pattern))


def _converted(text: str, found: Found) -> tuple[Fields, Found]:
    conversion = _Conversion(found)
    try:
        conversion.run()
    except BadInput as error:
        raise error.report(text, "timestamp") from None
    return conversion.fields, found


def local_microseconds(fields: Fields, message: str) -> int:
    """Date and time as microseconds since 2000-01-01; 22008 with the message for a date that cannot be counted."""
    if not is_valid_julian(fields.year, fields.month):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
    return day_number(fields.year, fields.month, fields.day) * DAY + fields.microseconds()


@function("to_timestamp")
def to_timestamp(text: str, pattern: str) -> str:
    fields, found = _convert(text, pattern)
    offset = found.offset if found.has_zone else session_zone().local_type(fields.local_seconds())[0].offset
    number = local_microseconds(fields, "timestamp out of range") - offset * SECOND
    return timestamp_stored(round_timestamp(check_timestamp(number), found.precision or -1))


@function("to_date")
def to_date(text: str, pattern: str) -> str:
    fields, _found = _convert(text, pattern)
    message = f'date out of range: "{text}"'
    if not is_valid_julian(fields.year, fields.month):
        raise SqlError(codes.DATETIME_FIELD_OVERFLOW, message)
    return date_stored(check_date(day_number(fields.year, fields.month, fields.day), message))

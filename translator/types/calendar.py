"""The proleptic Gregorian calendar in day numbers.

A *day* is counted from 2000-01-01, as PostgreSQL's date is; a *Julian day* from 4714-11-24 BC. Years are astronomical:
1 BC is 0, 2 BC is -1. Ported from date2j, j2date and the ISO week functions of PostgreSQL's datetime.c and timestamp.c.

Not here: text (datetime_stored, datetime_parse, datetime_print) and time zones.
"""

from __future__ import annotations

from functools import lru_cache

EPOCH_JULIAN = 2451545  # 2000-01-01, POSTGRES_EPOCH_JDATE
UNIX_EPOCH_JULIAN = 2440588  # 1970-01-01
UNIX_EPOCH_SECONDS = 946684800  # 2000-01-01 in seconds since 1970-01-01

SECOND = 1_000_000  # microseconds
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 86400 * SECOND

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")  # fmt: skip
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def truncated_division(dividend: int, divisor: int) -> int:
    """C's integer division, which rounds towards zero."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def truncated_divmod(dividend: int, divisor: int) -> tuple[int, int]:
    """C's quotient and remainder: the remainder has the sign of the dividend."""
    quotient = truncated_division(dividend, divisor)
    return quotient, dividend - quotient * divisor


def is_leap(year: int) -> bool:
    """Whether an astronomical year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """The length of a month, 1 to 12."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def julian_day(year: int, month: int, day: int) -> int:
    """date2j: the Julian day of a date; day and month may lie outside of their ranges by a little."""
    if month > 2:
        month += 1
        year += 4800
    else:
        month += 13
        year += 4799
    century = year // 100
    return year * 365 - 32167 + year // 4 - century + century // 4 + 7834 * month // 256 + day


def date_of_julian(julian: int) -> tuple[int, int, int]:
    """j2date: year, month and day of a Julian day."""
    julian += 32044
    quad, rest = divmod(julian, 146097)
    extra = rest * 4 + 3
    julian += 60 + quad * 3 + extra // 146097
    quad, julian = divmod(julian, 1461)
    year = julian * 4 // 1461
    julian = ((julian + 305) % 365 if year else (julian + 306) % 366) + 123
    year += quad * 4
    quad = julian * 2141 // 65536
    return year - 4800, (quad + 10) % 12 + 1, julian - 7834 * quad // 256


def day_number(year: int, month: int, day: int) -> int:
    """Days since 2000-01-01."""
    return julian_day(year, month, day) - EPOCH_JULIAN


@lru_cache(maxsize=20_000)
def date_of_day(day: int) -> tuple[int, int, int]:
    """Year, month and day of a day number."""
    return date_of_julian(day + EPOCH_JULIAN)


def is_valid_julian(year: int, month: int) -> bool:
    """IS_VALID_JULIAN: from November 4714 BC to May 5874898, which is what the day arithmetic can do in C."""
    return (year > -4713 or (year == -4713 and month >= 11)) and (year < 5874898 or (year == 5874898 and month < 6))


def weekday(day: int) -> int:
    """0 for Sunday to 6 for Saturday."""
    return (day + 6) % 7


def iso_week_start(year: int, week: int) -> int:
    """isoweek2j as a day number: the Monday of an ISO week. Week 1 is the one with January 4th in it."""
    fourth = day_number(year, 1, 4)
    return week * 7 + fourth - 7 - (weekday(fourth) - 1) % 7


def iso_week_date(year: int, month: int, day: int) -> tuple[int, int]:
    """date2isoyear and date2isoweek: the ISO year and week of a date."""
    number = day_number(year, month, day)
    iso_year = year
    start = iso_week_start(iso_year, 1)
    if number < start:
        iso_year -= 1
        start = iso_week_start(iso_year, 1)
    elif number >= iso_week_start(iso_year + 1, 1):
        iso_year += 1
        start = iso_week_start(iso_year, 1)
    return iso_year, (number - start) // 7 + 1

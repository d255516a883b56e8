"""Date and time output in the styles of DateStyle (EncodeDateOnly, EncodeDateTime in PostgreSQL's datetime.c).

    ISO       2024-02-29 12:34:56+01
    SQL       02/29/2024 12:34:56 CET         29/02/2024 with DMY
    Postgres  Thu Feb 29 12:34:56 2024 CET    Thu 29 Feb with DMY
    German    29.02.2024 12:34:56 CET

ISO output is mostly the stored text; only what is not comes here.
"""

from __future__ import annotations

from translator.types.calendar import DAY, MONTHS, WEEKDAYS, date_of_day, weekday
from translator.types.datetime_stored import time_stored


def _year_text(year: int) -> str:
    return f"{year if year > 0 else 1 - year:04d}"


def date_text(day: int, style: str, order: str) -> str:
    """A date that is not infinite; day is days since 2000-01-01."""
    year, month, day_of_month = date_of_day(day)
    return _date(year, month, day_of_month, style, order) + (" BC" if year <= 0 else "")


def _date(year: int, month: int, day: int, style: str, order: str) -> str:
    match style:
        case "ISO":
            return f"{_year_text(year)}-{month:02d}-{day:02d}"
        case "German":
            return f"{day:02d}.{month:02d}.{_year_text(year)}"
    mark = "/" if style == "SQL" else "-"
    first, second = (day, month) if order == "DMY" else (month, day)
    return f"{first:02d}{mark}{second:02d}{mark}{_year_text(year)}"


def timestamp_text(number: int, style: str, order: str, zone: str = "", separator: str = " ") -> str:
    """A local time that is not infinite; `zone` is what stands behind it: an offset for ISO, else an abbreviation."""
    day, rest = divmod(number, DAY)
    year, month, day_of_month = date_of_day(day)
    time = time_stored(rest)
    era = " BC" if year <= 0 else ""
    if style == "Postgres":
        name = MONTHS[month - 1][:3]
        date = f"{day_of_month:02d} {name}" if order == "DMY" else f"{name} {day_of_month:02d}"
        text = f"{WEEKDAYS[weekday(day)][:3]} {date} {time} {_year_text(year)}"
    else:
        text = _date(year, month, day_of_month, style, order) + separator + time
    if zone and style != "ISO":
        zone = " " + zone
    return text + zone + era


def offset_text(offset: int, style: str = "") -> str:
    """EncodeTimezone: an offset in seconds east. Minutes and seconds are printed when there are any, or for XSD."""
    hour, rest = divmod(abs(offset), 3600)
    text = f"{'-' if offset < 0 else '+'}{hour:02d}"
    minute, second = divmod(rest, 60)
    if minute or second or style == "XSD":
        text += f":{minute:02d}"
    return f"{text}:{second:02d}" if second else text

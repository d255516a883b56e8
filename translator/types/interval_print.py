"""Interval output in the styles of IntervalStyle (EncodeInterval in PostgreSQL's datetime.c).

postgres            1 year 2 mons -3 days +04:05:06.7
postgres_verbose    @ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs
sql_standard        +1-2 -3 +4:05:06.7
iso_8601            P1Y2M-3DT4H5M6.7S
"""

from __future__ import annotations

from typing import NamedTuple

from translator.types.calendar import HOUR, MINUTE, SECOND, truncated_divmod


class IntervalParts(NamedTuple):
    """An interval broken down (pg_itm): years and months share a sign, and so do the four parts of the time."""

    years: int
    months: int
    days: int
    hours: int
    minutes: int
    seconds: int
    microseconds: int


def break_down(months: int, days: int, microseconds: int) -> IntervalParts:
    """interval2itm."""
    years, months = truncated_divmod(months, 12)
    hours, rest = truncated_divmod(microseconds, HOUR)
    minutes, rest = truncated_divmod(rest, MINUTE)
    seconds, rest = truncated_divmod(rest, SECOND)
    return IntervalParts(years, months, days, hours, minutes, seconds, rest)


def interval_text(months: int, days: int, microseconds: int, style: str) -> str:
    """An interval that is not infinite."""
    parts = break_down(months, days, microseconds)
    match style:
        case "sql_standard":
            return _sql_standard(parts)
        case "iso_8601":
            return _iso_8601(parts)
        case "postgres_verbose":
            return _verbose(parts)
    return _postgres(parts)


def _seconds(parts: IntervalParts, width: int = 2) -> str:
    """Seconds without their sign, trailing zeros of the fraction trimmed."""
    text = f"{abs(parts.seconds):0{width}d}"
    return f"{text}.{abs(parts.microseconds):06d}".rstrip("0") if parts.microseconds else text


def _postgres(parts: IntervalParts) -> str:
    texts: list[str] = []
    negative = False  # a positive part behind a negative one shows its sign
    for value, unit in ((parts.years, "year"), (parts.months, "mon"), (parts.days, "day")):
        if value:
            texts.append(f"{'+' if negative and value > 0 else ''}{value} {unit}{'' if value == 1 else 's'}")
            negative = value < 0
    if any(parts[3:]) or not texts:
        sign = "-" if min(parts[3:]) < 0 else "+" if negative else ""
        texts.append(f"{sign}{abs(parts.hours):02d}:{abs(parts.minutes):02d}:{_seconds(parts)}")
    return " ".join(texts)


def _verbose(parts: IntervalParts) -> str:
    if not any(parts):
        return "@ 0"
    texts = ["@"]
    ago: bool | None = None  # the first part's sign, which "ago" takes from all
    units = ("year", "mon", "day", "hour", "min")
    for value, unit in zip(parts[:5], units, strict=True):
        if value:
            if ago is None:
                ago = value < 0
            shown = -value if ago else value
            texts.append(f"{shown} {unit}{'' if shown == 1 else 's'}")
    if parts.seconds or parts.microseconds:
        negative = parts.seconds < 0 or (parts.seconds == 0 and parts.microseconds < 0)
        if ago is None:
            ago = negative
        sign = "-" if negative != ago else ""
        plural = abs(parts.seconds) != 1 or parts.microseconds != 0
        texts.append(f"{sign}{_seconds(parts, 1)} sec{'s' if plural else ''}")
    return " ".join(texts) + (" ago" if ago else "")


def _sql_standard(parts: IntervalParts) -> str:
    negative, positive = min(parts) < 0, max(parts) > 0
    year_month, day_time = any(parts[:2]), any(parts[2:])
    if not negative and not positive:
        return "0"
    time = f"{abs(parts.hours)}:{abs(parts.minutes):02d}:{_seconds(parts)}"
    if (negative and positive) or (year_month and day_time):  # the standard has no such value: every sign is shown
        signs = ["-" if min(group) < 0 else "+" for group in (parts[:2], parts[2:3], parts[3:])]
        return f"{signs[0]}{abs(parts.years)}-{abs(parts.months)} {signs[1]}{abs(parts.days)} {signs[2]}{time}"
    sign = "-" if negative else ""
    if year_month:
        return f"{sign}{abs(parts.years)}-{abs(parts.months)}"
    return f"{sign}{abs(parts.days)} {time}" if parts.days else sign + time


def _iso_8601(parts: IntervalParts) -> str:
    if not any(parts):
        return "PT0S"
    date = "".join(f"{value}{unit}" for value, unit in zip(parts[:3], "YMD", strict=True) if value)
    time = "".join(f"{value}{unit}" for value, unit in zip(parts[3:5], "HM", strict=True) if value)
    if parts.seconds or parts.microseconds:
        sign = "-" if parts.seconds < 0 or parts.microseconds < 0 else ""
        time += f"{sign}{_seconds(parts, 1)}S"
    return f"P{date}{'T' + time if time else ''}"

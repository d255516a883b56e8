"""Functions of dates, times, timestamps and intervals.

What PostgreSQL 18 answered, recorded; the session's zone is Europe/Berlin.
"""

from __future__ import annotations

import apsw
import pytest

from translator.errors import SqlError
from translator.functions import (
    datetime_arithmetic,  # noqa: F401  (each module declares its functions)
    datetime_comparison,  # noqa: F401
    datetime_current,
    datetime_extract,  # noqa: F401
    datetime_from_char,  # noqa: F401
    datetime_to_char,  # noqa: F401
    datetime_truncate,
    interval,  # noqa: F401
    timezone,
)
from translator.functions.registry import IMPLEMENTATIONS
from translator.settings import Settings, runtime
from translator.types.registry import builtin
from translator.types.timezones import find_zone

OIDS = {"date": 1082, "time": 1083, "timestamp": 1114, "timestamptz": 1184, "interval": 1186, "timetz": 1266}

OTHERS = {"bool": lambda value: str(bool(value)).lower(), "float8": lambda value: builtin(701).output(value, Settings())}

# internal name, signature, arguments, result or (SQLSTATE, message)
CASES = [
    ("date_pli", "date int4 -> date", ("2024-02-28", 2), "2024-03-01"),
    ("date_mii", "date int4 -> date", ("2024-03-01", 1), "2024-02-29"),
    ("date_mi", "date date -> int4", ("2024-03-01", "2024-02-01"), "29"),
    ("date_mi", "date date -> int4", ("infinity", "2024-02-01"), ("22008", "cannot subtract infinite dates")),
    ("date_pli", "date int4 -> date", ("5874897-12-31", 1), ("22008", "date out of range")),
    ("date_pl_interval", "date interval -> timestamp", ("2024-01-31", "1 mon"), "2024-02-29 00:00:00"),
    ("date_mi_interval", "date interval -> timestamp", ("2024-03-31", "1 mon"), "2024-02-29 00:00:00"),
    ("datetime_timestamp", "date time -> timestamp", ("2024-02-29", "12:34:56"), "2024-02-29 12:34:56"),
    ("datetimetz_timestamptz", "date timetz -> timestamptz", ("2024-02-29", "12:00:00-08"), "2024-02-29 21:00:00+01"),
    ("date_timestamp", "date -> timestamp", ("294277-01-01",), ("22008", "date out of range for timestamp")),
    ("date_timestamptz", "date -> timestamptz", ("2024-07-01",), "2024-07-01 00:00:00+02"),
    ("timestamp_date", "timestamp -> date", ("2024-07-01 23:00:00",), "2024-07-01"),
    ("timestamptz_date", "timestamptz -> date", ("2024-07-01 23:00:00+00",), "2024-07-02"),
    ("timestamp_pl_interval", "timestamp interval -> timestamp", ("2024-01-31 12:00:00", "1 mon"), "2024-02-29 12:00:00"),
    (
        "timestamp_pl_interval",
        "timestamp interval -> timestamp",
        ("2024-02-29 12:00:00", "1 year 1 day 01:00:00"),
        "2025-03-01 13:00:00",
    ),
    (
        "timestamp_pl_interval",
        "timestamp interval -> timestamp",
        ("infinity", "-infinity"),
        ("22008", "timestamp out of range"),
    ),
    ("timestamp_mi_interval", "timestamp interval -> timestamp", ("2024-03-31 00:00:00", "1 mon"), "2024-02-29 00:00:00"),
    (
        "timestamp_pl_interval",
        "timestamp interval -> timestamp",
        ("2000-01-01 00:00:00", "3000000 years"),
        ("22008", "timestamp out of range"),
    ),
    (
        "timestamptz_pl_interval",
        "timestamptz interval -> timestamptz",
        ("2024-03-30 12:00:00+01", "1 day"),
        "2024-03-31 12:00:00+02",
    ),
    (
        "timestamptz_pl_interval",
        "timestamptz interval -> timestamptz",
        ("2024-03-30 12:00:00+01", "24:00:00"),
        "2024-03-31 13:00:00+02",
    ),
    (
        "timestamptz_mi_interval",
        "timestamptz interval -> timestamptz",
        ("2024-03-31 12:00:00+02", "1 day"),
        "2024-03-30 12:00:00+01",
    ),
    (
        "timestamptz_pl_interval_at_zone",
        "timestamptz interval text -> timestamptz",
        ("2024-03-09 12:00:00+00", "1 day", "America/New_York"),
        "2024-03-10 12:00:00+01",
    ),
    (
        "timestamptz_mi_interval_at_zone",
        "timestamptz interval text -> timestamptz",
        ("2024-03-11 12:00:00+00", "1 day", "America/New_York"),
        "2024-03-10 13:00:00+01",
    ),
    ("timestamp_mi", "timestamp timestamp -> interval", ("2024-03-01 12:00:00", "2024-02-01 00:00:00"), "29 days 12:00:00"),
    ("timestamp_mi", "timestamp timestamp -> interval", ("infinity", "2024-02-01 00:00:00"), "infinity"),
    ("timestamp_mi", "timestamp timestamp -> interval", ("infinity", "infinity"), ("22008", "interval out of range")),
    ("timestamp_age", "timestamp timestamp -> interval", ("2024-03-01 00:00:00", "2023-12-31 12:00:00"), "2 mons 12:00:00"),
    ("timestamp_age", "timestamp timestamp -> interval", ("2023-12-31 12:00:00", "2024-03-01 00:00:00"), "-2 mons -12:00:00"),
    (
        "timestamptz_age",
        "timestamptz timestamptz -> interval",
        ("2024-07-01 00:00:00+00", "2000-01-31 00:00:00+00"),
        "24 years 5 mons 1 day 01:00:00",
    ),
    ("interval_pl", "interval interval -> interval", ("1 mon", "1 day"), "1 mon 1 day"),
    ("interval_mi", "interval interval -> interval", ("1 mon", "1 mon 1 day"), "-1 days"),
    ("interval_um", "interval -> interval", ("1 year -2 days",), "-1 years +2 days"),
    ("interval_mul", "interval float8 -> interval", ("1 mon", 1.5), "1 mon 15 days"),
    ("interval_mul", "interval float8 -> interval", ("1 mon 1 day", 0.1), "3 days 02:24:00"),
    ("interval_mul", "interval float8 -> interval", ("infinity", -2.0), "-infinity"),
    ("interval_div", "interval float8 -> interval", ("1 mon", 7.0), "4 days 06:51:25.6896"),
    ("interval_div", "interval float8 -> interval", ("1 day", 0.0), ("22012", "division by zero")),
    ("mul_d_interval", "float8 interval -> interval", (0.5, "1 year"), "6 mons"),
    ("interval_justify_hours", "interval -> interval", ("50:00:00",), "2 days 02:00:00"),
    ("interval_justify_days", "interval -> interval", ("65 days",), "2 mons 5 days"),
    ("interval_justify_interval", "interval -> interval", ("1 mon -1 hour",), "29 days 23:00:00"),
    ("interval_time", "interval -> time", ("-25:00:00",), "23:00:00"),
    ("time_interval", "time -> interval", ("12:34:56",), "12:34:56"),
    ("time_pl_interval", "time interval -> time", ("23:00:00", "02:00:00"), "01:00:00"),
    ("time_mi_interval", "time interval -> time", ("01:00:00", "02:00:00"), "23:00:00"),
    ("time_mi_time", "time time -> interval", ("12:00:00", "13:30:00"), "-01:30:00"),
    ("timetz_pl_interval", "timetz interval -> timetz", ("23:00:00+02", "02:00:00"), "01:00:00+02"),
    ("time_pl_interval", "time interval -> time", ("12:00:00", "infinity"), ("22008", "cannot add infinite interval to time")),
    ("timestamp_timestamptz", "timestamp -> timestamptz", ("2024-03-31 02:30:00",), "2024-03-31 03:30:00+02"),
    ("timestamptz_timestamp", "timestamptz -> timestamp", ("2024-07-01 12:00:00+00",), "2024-07-01 14:00:00"),
    ("timestamptz_time", "timestamptz -> time", ("2024-07-01 12:00:00+00",), "14:00:00"),
    ("timestamptz_timetz", "timestamptz -> timetz", ("2024-07-01 12:00:00+00",), "14:00:00+02"),
    ("timestamp_time", "timestamp -> time", ("infinity",), None),
    ("timestamp_scale", "timestamp int4 -> timestamp", ("2024-02-29 12:34:56.98765", 2), "2024-02-29 12:34:56.99"),
    ("timestamp_scale", "timestamp int4 -> timestamp", ("-infinity", 2), "-infinity"),
    ("time_scale", "time int4 -> time", ("23:59:59.9999", 0), "24:00:00"),
    ("extract_timestamp", "text timestamp -> numeric", ("epoch", "2024-02-29 12:34:56.5"), "1709210096.500000"),
    ("extract_timestamp", "text timestamp -> numeric", ("julian", "2024-02-29 12:34:56.5"), "2460370.52426504629629629630"),
    ("extract_timestamp", "text timestamp -> numeric", ("second", "2024-02-29 12:34:56.5"), "56.500000"),
    ("extract_timestamp", "text timestamp -> numeric", ("week", "2024-12-30 00:00:00"), "1"),
    ("extract_timestamp", "text timestamp -> numeric", ("isoyear", "2024-12-30 00:00:00"), "2025"),
    ("extract_timestamp", "text timestamp -> numeric", ("century", "2000-12-31 00:00:00"), "20"),
    ("extract_timestamp", "text timestamp -> numeric", ("year", "infinity"), "Infinity"),
    ("extract_timestamp", "text timestamp -> numeric", ("day", "infinity"), None),
    (
        "extract_timestamp",
        "text timestamp -> numeric",
        ("timezone", "2024-12-30 00:00:00"),
        ("0A000", 'unit "timezone" not supported for type timestamp without time zone'),
    ),
    (
        "extract_timestamp",
        "text timestamp -> numeric",
        ("foo", "2024-12-30 00:00:00"),
        ("22023", 'unit "foo" not recognized for type timestamp without time zone'),
    ),
    ("extract_timestamptz", "text timestamptz -> numeric", ("timezone", "2024-07-01 12:00:00+00"), "7200"),
    ("extract_timestamptz", "text timestamptz -> numeric", ("hour", "2024-07-01 12:00:00+00"), "14"),
    ("extract_date", "text date -> numeric", ("doy", "2024-12-31"), "366"),
    ("extract_date", "text date -> numeric", ("hour", "2024-12-31"), ("0A000", 'unit "hour" not supported for type date')),
    ("extract_time", "text time -> numeric", ("milliseconds", "12:34:56.789"), "56789.000"),
    ("extract_timetz", "text timetz -> numeric", ("timezone_hour", "12:34:56-08"), "-8"),
    ("extract_interval", "text interval -> numeric", ("epoch", "1 year 1 mon 1 day 01:00:00"), "34239600.000000"),
    ("extract_interval", "text interval -> numeric", ("quarter", "-4 mons"), "-2"),
    ("timestamp_part", "text timestamp -> float8", ("second", "2024-02-29 12:34:56.789"), "56.789"),
    ("interval_part", "text interval -> float8", ("epoch", "1 mon"), "2592000"),
    ("timestamp_trunc", "text timestamp -> timestamp", ("quarter", "2024-05-17 12:34:56"), "2024-04-01 00:00:00"),
    ("timestamp_trunc", "text timestamp -> timestamp", ("week", "2024-01-01 12:34:56"), "2024-01-01 00:00:00"),
    ("timestamp_trunc", "text timestamp -> timestamp", ("century", "2000-05-17 12:34:56"), "1901-01-01 00:00:00"),
    ("timestamp_trunc", "text timestamp -> timestamp", ("milliseconds", "2024-05-17 12:34:56.7891"), "2024-05-17 12:34:56.789"),
    ("timestamptz_trunc", "text timestamptz -> timestamptz", ("day", "2024-07-01 23:00:00+00"), "2024-07-02 00:00:00+02"),
    ("timestamptz_trunc", "text timestamptz -> timestamptz", ("hour", "2024-10-27 01:30:00+00"), "2024-10-27 02:00:00+01"),
    (
        "timestamptz_trunc_zone",
        "text timestamptz text -> timestamptz",
        ("day", "2024-07-01 03:00:00+00", "America/New_York"),
        "2024-06-30 06:00:00+02",
    ),
    ("interval_trunc", "text interval -> interval", ("year", "25 mons"), "2 years"),
    (
        "interval_trunc",
        "text interval -> interval",
        ("week", "25 mons"),
        ("0A000", 'unit "week" not supported for type interval'),
    ),
    (
        "timestamp_trunc",
        "text timestamp -> timestamp",
        ("dow", "2024-07-01 00:00:00"),
        ("22023", 'unit "dow" not recognized for type timestamp without time zone'),
    ),
    (
        "timestamp_bin",
        "interval timestamp timestamp -> timestamp",
        ("00:15:00", "2024-02-29 12:34:56", "2001-01-01 00:00:00"),
        "2024-02-29 12:30:00",
    ),
    (
        "timestamp_bin",
        "interval timestamp timestamp -> timestamp",
        ("1 mon", "2024-02-29 12:34:56", "2001-01-01 00:00:00"),
        ("0A000", "timestamps cannot be binned into intervals containing months or years"),
    ),
    ("timestamp_zone", "text timestamp -> timestamptz", ("America/New_York", "2024-07-01 12:00:00"), "2024-07-01 18:00:00+02"),
    (
        "timestamptz_zone",
        "text timestamptz -> timestamp",
        ("America/New_York", "2024-07-01 12:00:00+00"),
        "2024-07-01 08:00:00",
    ),
    ("timestamptz_zone", "text timestamptz -> timestamp", ("MSK", "2012-01-01 12:00:00+00"), "2012-01-01 16:00:00"),
    ("timestamptz_izone", "interval timestamptz -> timestamp", ("05:30:00", "2024-07-01 12:00:00+00"), "2024-07-01 17:30:00"),
    (
        "timestamp_izone",
        "interval timestamp -> timestamptz",
        ("1 day", "2024-07-01 12:00:00"),
        ("22023", 'interval time zone "1 day" must not include months or days'),
    ),
    (
        "timestamptz_zone",
        "text timestamptz -> timestamp",
        ("nowhere", "2024-07-01 12:00:00+00"),
        ("22023", 'time zone "nowhere" not recognized'),
    ),
    ("timetz_izone", "interval timetz -> timetz", ("05:30:00", "12:00:00+00"), "17:30:00+05:30"),
    ("make_date", "int4 int4 int4 -> date", (2024, 2, 29), "2024-02-29"),
    ("make_date", "int4 int4 int4 -> date", (2023, 2, 29), ("22008", "date field value out of range: 2023-02-29")),
    ("make_date", "int4 int4 int4 -> date", (-44, 3, 15), "0044-03-15 BC"),
    ("make_time", "int4 int4 float8 -> time", (12, 34, 56.789), "12:34:56.789"),
    ("make_time", "int4 int4 float8 -> time", (24, 0, 1.0), ("22008", "time field value out of range: 24:00:01")),
    ("make_timestamp", "int4 int4 int4 int4 int4 float8 -> timestamp", (2024, 2, 29, 12, 34, 56.5), "2024-02-29 12:34:56.5"),
    ("make_timestamptz", "int4 int4 int4 int4 int4 float8 -> timestamptz", (2024, 7, 1, 12, 0, 0.0), "2024-07-01 12:00:00+02"),
    (
        "make_timestamptz_at_timezone",
        "int4 int4 int4 int4 int4 float8 text -> timestamptz",
        (2024, 7, 1, 12, 0, 0.0, "America/New_York"),
        "2024-07-01 18:00:00+02",
    ),
    (
        "make_timestamptz_at_timezone",
        "int4 int4 int4 int4 int4 float8 text -> timestamptz",
        (2024, 7, 1, 12, 0, 0.0, "5"),
        ("22023", 'invalid input syntax for type numeric time zone: "5"'),
    ),
    (
        "make_interval",
        "int4 int4 int4 int4 int4 int4 float8 -> interval",
        (1, 2, 3, 4, 5, 6, 7.5),
        "1 year 2 mons 25 days 05:06:07.5",
    ),
    ("float8_timestamptz", "float8 -> timestamptz", (1704067200.5,), "2024-01-01 01:00:00.5+01"),
    ("float8_timestamptz", "float8 -> timestamptz", (1e20,), ("22008", 'timestamp out of range: "1e+20"')),
    (
        "timestamp_to_char",
        "timestamp text -> text",
        ("2024-02-29 13:04:05.067", "Day, FMDDth Month YYYY HH12:MI:SS.MS am"),
        "Thursday , 29th February  2024 01:04:05.067 pm",
    ),
    (
        "timestamp_to_char",
        "timestamp text -> text",
        ("2024-02-29 13:04:05.067", 'YYYY-MM-DD"T"HH24:MI:SS.US IYYY-IW-ID DDD Q CC J RM'),
        "2024-02-29T13:04:05.067000 2024-09-4 060 1 21 2460370 II  ",
    ),
    ("timestamptz_to_char", "timestamptz text -> text", ("2024-07-01 12:00:00+00", "TZ tz OF TZH:TZM"), "CEST cest +02 +02:00"),
    ("timestamp_to_char", "timestamp text -> text", ("0044-03-15 00:00:00 BC", "YYYY YY BC a.d."), "0044 44 BC b.c."),
    (
        "interval_to_char",
        "interval text -> text",
        ("26 mons -3 days +04:05:06", "YYYY MM DD HH24:MI:SS"),
        "0002 02 -3 04:05:06",
    ),
    (
        "interval_to_char",
        "interval text -> text",
        ("1 day", "Mon"),
        ("22007", "invalid format specification for an interval value"),
    ),
    (
        "to_timestamp",
        "text text -> timestamptz",
        ("2024-02-29 01:02:03 PM", "YYYY-MM-DD HH12:MI:SS AM"),
        "2024-02-29 13:02:03+01",
    ),
    (
        "to_timestamp",
        "text text -> timestamptz",
        ("29 February 2024 13.5", "DD Month YYYY HH24.MS"),
        "2024-02-29 13:00:00.5+01",
    ),
    (
        "to_timestamp",
        "text text -> timestamptz",
        ("2024-02-29 12:00 -05:30", "YYYY-MM-DD HH24:MI TZH:TZM"),
        "2024-02-29 18:30:00+01",
    ),
    ("to_timestamp", "text text -> timestamptz", ("2024-07-01 EDT", "YYYY-MM-DD TZ"), "2024-07-01 06:00:00+02"),
    ("to_date", "text text -> date", ("20240229", "YYYYMMDD"), "2024-02-29"),
    ("to_date", "text text -> date", ("2024-060", "YYYY-DDD"), "2024-02-29"),
    ("to_date", "text text -> date", ("2024-W09-4", 'IYYY-"W"IW-ID'), "2024-02-29"),
    ("to_date", "text text -> date", ("44 BC", "YYYY BC"), "0044-01-01 BC"),
    (
        "to_date",
        "text text -> date",
        ("Feb 30 2024", "Mon DD YYYY"),
        ("22008", 'date/time field value out of range: "Feb 30 2024"'),
    ),
    ("to_date", "text text -> date", ("2024-13", "YYYY-IW"), ("22007", "invalid combination of date conventions")),
    ("to_date", "text text -> date", ("x", "DD"), ("22007", 'invalid value "x" for "DD"')),
    ("to_timestamp", "text text -> timestamptz", ("13 PM", "HH12 AM"), ("22007", 'hour "13" is invalid for the 12-hour clock')),
    (
        "overlaps_timestamp",
        "timestamptz timestamptz timestamptz timestamptz -> bool",
        ("2024-01-01 00:00:00", "2024-01-10 00:00:00", "2024-01-09 00:00:00", "2024-01-20 00:00:00"),
        "true",
    ),
    (
        "overlaps_timestamp",
        "timestamptz timestamptz timestamptz timestamptz -> bool",
        ("2024-01-01 00:00:00", "2024-01-10 00:00:00", "2024-01-10 00:00:00", "2024-01-20 00:00:00"),
        "false",
    ),
    (
        "overlaps_timestamp",
        "timestamptz timestamptz timestamptz timestamptz -> bool",
        ("2024-01-01 00:00:00", None, "2024-01-01 00:00:00", "2024-01-20 00:00:00"),
        None,
    ),
    ("date_lt_timestamp", "date timestamp -> bool", ("2024-02-29", "2024-02-29 00:00:01"), "true"),
    ("timestamp_eq_date", "timestamp date -> bool", ("2024-02-29 00:00:00", "2024-02-29"), "true"),
    ("date_gt_timestamp", "date timestamp -> bool", ("infinity", "294276-01-01 00:00:00"), "true"),
    ("timestamptz_eq_timestamp", "timestamptz timestamp -> bool", ("2024-07-01 10:00:00+00", "2024-07-01 12:00:00"), "true"),
    ("timestamptz_ge_date", "timestamptz date -> bool", ("2024-06-30 22:00:00+00", "2024-07-01"), "true"),
    ("timetz_eq", "timetz timetz -> bool", ("12:00:00+02", "11:00:00+01"), "false"),
    ("timetz_lt", "timetz timetz -> bool", ("12:00:00+02", "11:00:00+01"), "true"),
    ("interval_eq", "interval interval -> bool", ("1 mon", "30 days"), "true"),
    ("interval_gt", "interval interval -> bool", ("1 day", "23:59:59"), "true"),
    ("interval_cmp", "interval interval -> int4", ("-infinity", "-178000000 years"), "-1"),
    ("time_lt", "time time -> bool", ("09:00:00", "24:00:00"), "true"),
    ("timestamp_larger", "timestamp timestamp -> timestamp", ("2024-01-01 00:00:00", "infinity"), "infinity"),
    ("interval_smaller", "interval interval -> interval", ("1 mon", "29 days"), "29 days"),
    ("timestamp_finite", "timestamp -> bool", ("infinity",), "false"),
    ("interval_finite", "interval -> bool", ("1 day",), "true"),
]


@pytest.fixture(autouse=True)
def session(monkeypatch):
    berlin = find_zone("Europe/Berlin")
    assert berlin is not None
    monkeypatch.setattr(runtime, "settings", Settings(timezone_name="Europe/Berlin", timezone=berlin))
    monkeypatch.setattr(runtime, "transaction_timestamp", 1_709_249_400_123_456)  # 2024-02-29 23:30:00.123456 UTC
    return runtime.settings


def evaluate(name, arguments):
    """The result of a declared function: of its template in SQLite, or of its Python code."""
    implementation = IMPLEMENTATIONS[name]
    if implementation.template is None:
        return implementation.function(*arguments)
    connection = apsw.Connection(":memory:")
    for key in ("timetz_key", "interval_key", "date_as_timestamptz", "timestamp_as_timestamptz"):
        connection.create_scalar_function(f"pg_{key}", IMPLEMENTATIONS[key].function)
    sql = implementation.template
    for number in range(len(arguments), 0, -1):
        sql = sql.replace(f"${number}", f"?{number}")
    return connection.execute(f"SELECT {sql}", arguments).fetchone()[0]


@pytest.mark.parametrize(("name", "signature", "arguments", "expected"), CASES)
def test_functions(name, signature, arguments, expected, session):
    types, _, result_type = signature.partition(" -> ")
    try:
        stored = [
            builtin(OIDS[type]).input(value, session) if type in OIDS and value is not None else value
            for type, value in zip(types.split(), arguments, strict=True)
        ]
        result = evaluate(name, stored)
    except SqlError as error:
        result = (error.sqlstate, error.message)
    else:
        if result is not None and result_type in OIDS:
            result = builtin(OIDS[result_type]).output(result, session)
        elif result is not None:
            result = OTHERS.get(result_type, str)(result)
    assert result == expected


def test_current_time():
    assert datetime_current.now() == "2024-02-29 23:30:00.123456"
    assert datetime_current.current_date() == "2024-03-01"
    assert datetime_current.current_time() == "00:30:00.123456+01"
    assert datetime_current.current_time(2) == "00:30:00.12+01"
    assert datetime_current.current_timestamp(0) == "2024-02-29 23:30:00"
    assert datetime_current.localtime(3) == "00:30:00.123"
    assert datetime_current.localtimestamp() == "2024-03-01 00:30:00.123456"


def test_series():
    series = IMPLEMENTATIONS["generate_series_timestamp"].rows
    assert list(series("2024-01-31 00:00:00", "2024-05-01 00:00:00", "1 mon")) == [
        "2024-01-31 00:00:00",
        "2024-02-29 00:00:00",
        "2024-03-29 00:00:00",
        "2024-04-29 00:00:00",
    ]
    assert list(series("2024-01-02 00:00:00", "2024-01-01 00:00:00", "-12:00:00")) == [
        "2024-01-02 00:00:00",
        "2024-01-01 12:00:00",
        "2024-01-01 00:00:00",
    ]
    with pytest.raises(SqlError, match="step size cannot equal zero"):
        list(series("2024-01-01 00:00:00", "2024-01-02 00:00:00", "00:00:00"))
    # Days of the session's zone: the last of March 2024 has 23 hours in Berlin.
    local = list(datetime_truncate.generate_series_timestamptz("2024-03-30 11:00:00", "2024-03-31 23:00:00", "1 day"))
    assert local == ["2024-03-30 11:00:00", "2024-03-31 10:00:00"]


def test_time_zone_views():
    names = {name: rest for name, *rest in timezone.pg_timezone_names()}
    assert names["Asia/Kolkata"] == ["IST", "05:30:00", False]
    assert set(timezone.pg_timezone_abbrevs_zone()) == {
        ("LMT", "00:53:28", False), ("CET", "01:00:00", False), ("CEST", "02:00:00", True), ("CEMT", "03:00:00", True),
    }  # fmt: skip
    abbreviations = {abbreviation: rest for abbreviation, *rest in timezone.pg_timezone_abbrevs_abbrevs()}
    assert len(abbreviations) == 195
    assert abbreviations["MSK"] == ["03:00:00", False]

"""Input, output and binary form of date, time and timestamp types.

What PostgreSQL 18 answered, recorded; time zones of before 1970 may change with the tzdata package.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from translator.errors import SqlError
from translator.settings import Settings, runtime
from translator.types.datetime_stored import (
    DATE_END,
    DATE_INFINITY,
    DATE_MINUS_INFINITY,
    FIRST_DATE,
    FIRST_TIMESTAMP,
    INFINITY,
    MINUS_INFINITY,
    TIMESTAMP_END,
    date_stored,
    day_of,
    microseconds_of,
    timestamp_stored,
)
from translator.types.registry import builtin
from translator.types.time import timetz_key
from translator.types.timezone_setting import zone_of_setting
from translator.types.timezones import find_zone

OIDS = {"date": 1082, "time": 1083, "timestamp": 1114, "timestamptz": 1184, "timetz": 1266}

# type, input, output, binary form in hexadecimal; ISO, MDY, UTC
VALUES = [
    ("date", "2024-02-29", "2024-02-29", "00002279"),
    ("date", "0001-01-01", "0001-01-01", "fff4dbf9"),
    ("date", "9999-12-31", "9999-12-31", "002c95d3"),
    ("date", "10000-01-01", "10000-01-01", "002c95d4"),
    ("date", "5874897-12-31", "5874897-12-31", "7fda970c"),
    ("date", "4714-11-24 BC", "4714-11-24 BC", "ffda97a7"),
    ("date", "infinity", "infinity", "7fffffff"),
    ("date", "-infinity", "-infinity", "80000000"),
    ("date", "epoch", "1970-01-01", "ffffd533"),
    ("date", "J2460370", "2024-02-29", "00002279"),
    ("date", "20240229", "2024-02-29", "00002279"),
    ("date", "2024.060", "2024-02-29", "00002279"),
    ("date", "Feb 29, 2024", "2024-02-29", "00002279"),
    ("date", "29 Feb 2024", "2024-02-29", "00002279"),
    ("date", "1/8/1999", "1999-01-08", "fffffe9a"),
    ("date", "January 8, 99 BC", "0099-01-08 BC", "fff44ec0"),
    ("date", "2024-02-29 23:59:59+05", "2024-02-29", "00002279"),
    ("timestamp", "2024-02-29 12:34:56", "2024-02-29 12:34:56", "0002b58341667c00"),
    ("timestamp", "2024-02-29 12:34:56.5", "2024-02-29 12:34:56.5", "0002b583416e1d20"),
    ("timestamp", "2024-02-29T12:34:56.123456", "2024-02-29 12:34:56.123456", "0002b58341685e40"),
    ("timestamp", "2024-02-29 12:34:56.1234567", "2024-02-29 12:34:56.123457", "0002b58341685e41"),
    ("timestamp", "2024-02-29 12:34:56.500+05:30", "2024-02-29 12:34:56.5", "0002b583416e1d20"),
    ("timestamp", "2024-02-29 12:34", "2024-02-29 12:34:00", "0002b5833e0ffe00"),
    ("timestamp", "20240229T123456", "2024-02-29 12:34:56", "0002b58341667c00"),
    ("timestamp", "2024-02-29 24:00:00", "2024-03-01 00:00:00", "0002b58cd363c000"),
    ("timestamp", "2024-02-29 23:59:60", "2024-03-01 00:00:00", "0002b58cd363c000"),
    ("timestamp", "294276-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999", "7fffff5bb3b29fff"),
    ("timestamp", "4714-11-24 00:00:00 BC", "4714-11-24 00:00:00 BC", "fd0f7cc1411fa000"),
    ("timestamp", "epoch", "1970-01-01 00:00:00", "fffca2fec4c82000"),
    ("timestamp", "infinity", "infinity", "7fffffffffffffff"),
    ("timestamp", "-infinity", "-infinity", "8000000000000000"),
    ("timestamp", "Thu Feb 29 12:34:56 2024", "2024-02-29 12:34:56", "0002b58341667c00"),
    ("timestamp", "J2460370.25", "2024-02-29 06:00:00", "0002b57dbd023800"),
    ("timestamp", "2024-02-29 allballs", "2024-02-29 00:00:00", "0002b578b58c6000"),
    ("timestamptz", "2024-02-29 12:34:56+00", "2024-02-29 12:34:56+00", "0002b58341667c00"),
    ("timestamptz", "2024-02-29 12:34:56Z", "2024-02-29 12:34:56+00", "0002b58341667c00"),
    ("timestamptz", "2024-02-29T12:34:56.25+05:30", "2024-02-29 07:04:56.25+00", "0002b57ea53e4690"),
    ("timestamptz", "2024-02-29 12:34:56-0330", "2024-02-29 16:04:56+00", "0002b586306b3a00"),
    ("timestamptz", "2024-07-01 12:00 America/New_York", "2024-07-01 16:00:00+00", "0002bf307541c000"),
    ("timestamptz", "2024-07-01 12:00 PDT", "2024-07-01 19:00:00+00", "0002bf32f8fcac00"),
    ("timestamptz", "2024-03-31 02:30 Europe/Berlin", "2024-03-31 01:30:00+00", "0002b7e9947e7600"),
    ("timestamptz", "2024-10-27 02:30 Europe/Berlin", "2024-10-27 01:30:00+00", "0002c86a0f2b3600"),
    ("timestamptz", "2014-10-26 01:00 MSK", "2014-10-25 22:00:00+00", "0001a94530023800"),
    ("timestamptz", "2010-01-01 12:00 MSK", "2010-01-01 09:00:00+00", "00011f155d7da400"),
    ("timestamptz", "2024-07-01 12:00 EST5EDT", "2024-07-01 16:00:00+00", "0002bf307541c000"),
    ("timestamptz", "2024-01-01 12:00 MET DST", "2024-01-01 10:00:00+00", "0002b0de36ada800"),
    ("timestamptz", "10000-01-01 00:00+14", "9999-12-31 10:00:00+00", "0380e6ffd5288800"),
    ("time", "12:34:56", "12:34:56", "0000000a8bda1c00"),
    ("time", "12:34:56.789", "12:34:56.789", "0000000a8be62608"),
    ("time", "00:00", "00:00:00", "0000000000000000"),
    ("time", "24:00:00", "24:00:00", "000000141dd76000"),
    ("time", "23:59:60", "24:00:00", "000000141dd76000"),
    ("time", "11:59 pm", "23:59:00", "000000141a43d900"),
    ("time", "12:00 am", "00:00:00", "0000000000000000"),
    ("time", "040506", "04:05:06", "000000036c8bc080"),
    ("time", "040506.789", "04:05:06.789", "000000036c97ca88"),
    ("time", "T040506", "04:05:06", "000000036c8bc080"),
    ("time", "allballs", "00:00:00", "0000000000000000"),
    ("time", "12:34:56+05", "12:34:56", "0000000a8bda1c00"),
    ("timetz", "12:34:56+02", "12:34:56+02", "0000000a8bda1c00ffffe3e0"),
    ("timetz", "12:34:56.5-08:00", "12:34:56.5-08", "0000000a8be1bd2000007080"),
    ("timetz", "040506-08", "04:05:06-08", "000000036c8bc08000007080"),
    ("timetz", "12:34 PST", "12:34:00-08", "0000000a88839e0000007080"),
    ("timetz", "12:34:56+05:30:15", "12:34:56+05:30:15", "0000000a8bda1c00ffffb299"),
    ("timetz", "2024-07-01 12:00 America/New_York", "12:00:00-04", "0000000a0eebb00000003840"),
    ("timetz", "00:00 UTC", "00:00:00+00", "000000000000000000000000"),
]
# type, input, SQLSTATE, message
ERRORS = [
    ("date", "44-03-15 BC", "22008", 'date/time field value out of range: "44-03-15 BC"'),
    ("date", "99-Jan-08", "22008", 'date/time field value out of range: "99-Jan-08"'),
    ("timestamp", "12:34 pm 2024-02-29", "22007", 'invalid input syntax for type timestamp: "12:34 pm 2024-02-29"'),
    (
        "timestamptz",
        "2024-07-01 12:00 <+03>-3",
        "22007",
        'invalid input syntax for type timestamp with time zone: "2024-07-01 12:00 <+03>-3"',
    ),
    ("timestamptz", "1880-01-01 Europe/Amst", "22023", 'time zone "europe/amst" not recognized'),
    ("date", "", "22007", 'invalid input syntax for type date: ""'),
    ("date", "foo", "22007", 'invalid input syntax for type date: "foo"'),
    ("date", "2024-02-30", "22008", 'date/time field value out of range: "2024-02-30"'),
    ("date", "2024-13-01", "22008", 'date/time field value out of range: "2024-13-01"'),
    ("date", "0000-01-01", "22008", 'date/time field value out of range: "0000-01-01"'),
    ("date", "31/12/2024", "22008", 'date/time field value out of range: "31/12/2024"'),
    ("date", "5874898-01-01", "22008", 'date out of range: "5874898-01-01"'),
    ("date", "2024-02-29 BC AD", "22007", 'invalid input syntax for type date: "2024-02-29 BC AD"'),
    ("date", "Feb 30 2024", "22008", 'date/time field value out of range: "Feb 30 2024"'),
    ("date", "2024-02", "22007", 'invalid input syntax for type date: "2024-02"'),
    ("date", "now 5", "22007", 'invalid input syntax for type date: "now 5"'),
    ("date", "4714-11-23 BC", "22008", 'date out of range: "4714-11-23 BC"'),
    ("timestamp", "2024-02-29 25:00:00", "22008", 'date/time field value out of range: "2024-02-29 25:00:00"'),
    ("timestamp", "2024-02-29 12:60", "22008", 'date/time field value out of range: "2024-02-29 12:60"'),
    ("timestamp", "294277-01-01", "22008", 'timestamp out of range: "294277-01-01"'),
    ("timestamp", "2024-02-29 12:34:56 Foo/Bar", "22023", 'time zone "foo/bar" not recognized'),
    ("timestamp", "2024-02-29 12:34:56+16", "22009", 'time zone displacement out of range: "2024-02-29 12:34:56+16"'),
    ("timestamp", "2024-02-29 12", "22007", 'invalid input syntax for type timestamp: "2024-02-29 12"'),
    ("timestamp", "99999999999-01-01", "22008", 'date/time field value out of range: "99999999999-01-01"'),
    ("timestamp", "é", "22007", 'invalid input syntax for type timestamp: "é"'),
    ("timestamptz", "2024-02-29 12:34:56+15:60", "22009", 'time zone displacement out of range: "2024-02-29 12:34:56+15:60"'),
    (
        "timestamptz",
        "2024-02-29 12:34:56 foo",
        "22007",
        'invalid input syntax for type timestamp with time zone: "2024-02-29 12:34:56 foo"',
    ),
    ("timestamptz", "2024-01-01 DST", "22007", 'invalid input syntax for type timestamp with time zone: "2024-01-01 DST"'),
    ("time", "25:00", "22008", 'date/time field value out of range: "25:00"'),
    ("time", "12:60", "22008", 'date/time field value out of range: "12:60"'),
    ("time", "24:00:01", "22008", 'date/time field value out of range: "24:00:01"'),
    ("time", "13:00 pm", "22008", 'date/time field value out of range: "13:00 pm"'),
    ("time", "foo", "22007", 'invalid input syntax for type time: "foo"'),
    ("time", "", "22007", 'invalid input syntax for type time: ""'),
    (
        "timetz",
        "12:00 America/New_York",
        "22007",
        'invalid input syntax for type time with time zone: "12:00 America/New_York"',
    ),
    ("timetz", "12:00+16", "22009", 'time zone displacement out of range: "12:00+16"'),
    ("timetz", "12:00 foo", "22007", 'invalid input syntax for type time with time zone: "12:00 foo"'),
]
# style, order, type, input, output; Europe/Berlin
STYLES = [
    ("SQL", "MDY", "date", "2024-02-29", "02/29/2024"),
    ("SQL", "MDY", "date", "0044-03-15 BC", "03/15/0044 BC"),
    ("SQL", "MDY", "timestamp", "2024-02-29 12:34:56.5", "02/29/2024 12:34:56.5"),
    ("SQL", "MDY", "timestamptz", "2024-07-01 12:00:00+00", "07/01/2024 14:00:00 CEST"),
    ("SQL", "MDY", "timestamptz", "1890-01-01 00:00:00+00", "01/01/1890 00:53:28 LMT"),
    ("SQL", "MDY", "timestamptz", "0044-03-15 12:00:00+00 BC", "03/15/0044 12:53:28 LMT BC"),
    ("SQL", "MDY", "timestamp", "infinity", "infinity"),
    ("SQL", "DMY", "date", "2024-02-29", "29/02/2024"),
    ("SQL", "DMY", "date", "0044-03-15 BC", "15/03/0044 BC"),
    ("SQL", "DMY", "timestamp", "2024-02-29 12:34:56.5", "29/02/2024 12:34:56.5"),
    ("SQL", "DMY", "timestamptz", "2024-07-01 12:00:00+00", "01/07/2024 14:00:00 CEST"),
    ("SQL", "DMY", "timestamptz", "1890-01-01 00:00:00+00", "01/01/1890 00:53:28 LMT"),
    ("SQL", "DMY", "timestamptz", "0044-03-15 12:00:00+00 BC", "15/03/0044 12:53:28 LMT BC"),
    ("SQL", "DMY", "timestamp", "infinity", "infinity"),
    ("Postgres", "MDY", "date", "2024-02-29", "02-29-2024"),
    ("Postgres", "MDY", "date", "0044-03-15 BC", "03-15-0044 BC"),
    ("Postgres", "MDY", "timestamp", "2024-02-29 12:34:56.5", "Thu Feb 29 12:34:56.5 2024"),
    ("Postgres", "MDY", "timestamptz", "2024-07-01 12:00:00+00", "Mon Jul 01 14:00:00 2024 CEST"),
    ("Postgres", "MDY", "timestamptz", "1890-01-01 00:00:00+00", "Wed Jan 01 00:53:28 1890 LMT"),
    ("Postgres", "MDY", "timestamptz", "0044-03-15 12:00:00+00 BC", "Fri Mar 15 12:53:28 0044 LMT BC"),
    ("Postgres", "MDY", "timestamp", "infinity", "infinity"),
    ("Postgres", "DMY", "date", "2024-02-29", "29-02-2024"),
    ("Postgres", "DMY", "date", "0044-03-15 BC", "15-03-0044 BC"),
    ("Postgres", "DMY", "timestamp", "2024-02-29 12:34:56.5", "Thu 29 Feb 12:34:56.5 2024"),
    ("Postgres", "DMY", "timestamptz", "2024-07-01 12:00:00+00", "Mon 01 Jul 14:00:00 2024 CEST"),
    ("Postgres", "DMY", "timestamptz", "1890-01-01 00:00:00+00", "Wed 01 Jan 00:53:28 1890 LMT"),
    ("Postgres", "DMY", "timestamptz", "0044-03-15 12:00:00+00 BC", "Fri 15 Mar 12:53:28 0044 LMT BC"),
    ("Postgres", "DMY", "timestamp", "infinity", "infinity"),
    ("German", "MDY", "date", "2024-02-29", "29.02.2024"),
    ("German", "MDY", "date", "0044-03-15 BC", "15.03.0044 BC"),
    ("German", "MDY", "timestamp", "2024-02-29 12:34:56.5", "29.02.2024 12:34:56.5"),
    ("German", "MDY", "timestamptz", "2024-07-01 12:00:00+00", "01.07.2024 14:00:00 CEST"),
    ("German", "MDY", "timestamptz", "1890-01-01 00:00:00+00", "01.01.1890 00:53:28 LMT"),
    ("German", "MDY", "timestamptz", "0044-03-15 12:00:00+00 BC", "15.03.0044 12:53:28 LMT BC"),
    ("German", "MDY", "timestamp", "infinity", "infinity"),
    ("German", "DMY", "date", "2024-02-29", "29.02.2024"),
    ("German", "DMY", "date", "0044-03-15 BC", "15.03.0044 BC"),
    ("German", "DMY", "timestamp", "2024-02-29 12:34:56.5", "29.02.2024 12:34:56.5"),
    ("German", "DMY", "timestamptz", "2024-07-01 12:00:00+00", "01.07.2024 14:00:00 CEST"),
    ("German", "DMY", "timestamptz", "1890-01-01 00:00:00+00", "01.01.1890 00:53:28 LMT"),
    ("German", "DMY", "timestamptz", "0044-03-15 12:00:00+00 BC", "15.03.0044 12:53:28 LMT BC"),
    ("German", "DMY", "timestamp", "infinity", "infinity"),
]
# order, date, the date it is read as or SQLSTATE
ORDERS = [
    ("MDY", "01/02/03", "2003-01-02"),
    ("MDY", "13/02/2003", "22008"),
    ("MDY", "2003/02/13", "2003-02-13"),
    ("MDY", "08-Jan-99", "1999-01-08"),
    ("MDY", "99-01-08", "22008"),
    ("MDY", "Jan-08-1999", "1999-01-08"),
    ("DMY", "01/02/03", "2003-02-01"),
    ("DMY", "13/02/2003", "2003-02-13"),
    ("DMY", "2003/02/13", "2003-02-13"),
    ("DMY", "08-Jan-99", "1999-01-08"),
    ("DMY", "99-01-08", "22008"),
    ("DMY", "Jan-08-1999", "1999-01-08"),
    ("YMD", "01/02/03", "2001-02-03"),
    ("YMD", "13/02/2003", "22008"),
    ("YMD", "2003/02/13", "2003-02-13"),
    ("YMD", "08-Jan-99", "22008"),
    ("YMD", "99-01-08", "1999-01-08"),
    ("YMD", "Jan-08-1999", "1999-01-08"),
]
# zone, timestamptz, output in the zone
ZONES = [
    ("America/New_York", "2024-07-01 12:00:00+00", "2024-07-01 08:00:00-04"),
    ("America/New_York", "1950-01-01 00:00:00.5+00", "1949-12-31 19:00:00.5-05"),
    ("America/New_York", "2024-03-10 07:00:00+00", "2024-03-10 03:00:00-04"),
    ("America/New_York", "12000-01-01 00:00:00+00", "11999-12-31 19:00:00-05"),
    ("America/New_York", "2024-03-10 02:30:00", "2024-03-10 03:30:00-04"),
    ("America/New_York", "2024-11-03 01:30:00", "2024-11-03 01:30:00-05"),
    ("Asia/Kolkata", "2024-07-01 12:00:00+00", "2024-07-01 17:30:00+05:30"),
    ("Asia/Kolkata", "1950-01-01 00:00:00.5+00", "1950-01-01 05:30:00.5+05:30"),
    ("Asia/Kolkata", "2024-03-10 07:00:00+00", "2024-03-10 12:30:00+05:30"),
    ("Asia/Kolkata", "12000-01-01 00:00:00+00", "12000-01-01 05:30:00+05:30"),
    ("Asia/Kolkata", "2024-03-10 02:30:00", "2024-03-10 02:30:00+05:30"),
    ("Asia/Kolkata", "2024-11-03 01:30:00", "2024-11-03 01:30:00+05:30"),
    ("Africa/Monrovia", "2024-07-01 12:00:00+00", "2024-07-01 12:00:00+00"),
    ("Africa/Monrovia", "1950-01-01 00:00:00.5+00", "1949-12-31 23:15:30.5-00:44:30"),
    ("Africa/Monrovia", "2024-03-10 07:00:00+00", "2024-03-10 07:00:00+00"),
    ("Africa/Monrovia", "12000-01-01 00:00:00+00", "12000-01-01 00:00:00+00"),
    ("Africa/Monrovia", "2024-03-10 02:30:00", "2024-03-10 02:30:00+00"),
    ("Africa/Monrovia", "2024-11-03 01:30:00", "2024-11-03 01:30:00+00"),
    ("<+03>-3", "2024-07-01 12:00:00+00", "2024-07-01 15:00:00+03"),
    ("<+03>-3", "1950-01-01 00:00:00.5+00", "1950-01-01 03:00:00.5+03"),
    ("<+03>-3", "2024-03-10 07:00:00+00", "2024-03-10 10:00:00+03"),
    ("<+03>-3", "12000-01-01 00:00:00+00", "12000-01-01 03:00:00+03"),
    ("<+03>-3", "2024-03-10 02:30:00", "2024-03-10 02:30:00+03"),
    ("<+03>-3", "2024-11-03 01:30:00", "2024-11-03 01:30:00+03"),
    ("FOO5BAR", "2024-07-01 12:00:00+00", "2024-07-01 08:00:00-04"),
    ("FOO5BAR", "1950-01-01 00:00:00.5+00", "1949-12-31 19:00:00.5-05"),
    ("FOO5BAR", "2024-03-10 07:00:00+00", "2024-03-10 03:00:00-04"),
    ("FOO5BAR", "12000-01-01 00:00:00+00", "11999-12-31 19:00:00-05"),
    ("FOO5BAR", "2024-03-10 02:30:00", "2024-03-10 03:30:00-04"),
    ("FOO5BAR", "2024-11-03 01:30:00", "2024-11-03 01:30:00-05"),
    ("Europe/Moscow", "2024-07-01 12:00:00+00", "2024-07-01 15:00:00+03"),
    ("Europe/Moscow", "1950-01-01 00:00:00.5+00", "1950-01-01 03:00:00.5+03"),
    ("Europe/Moscow", "2024-03-10 07:00:00+00", "2024-03-10 10:00:00+03"),
    ("Europe/Moscow", "12000-01-01 00:00:00+00", "12000-01-01 03:00:00+03"),
    ("Europe/Moscow", "2024-03-10 02:30:00", "2024-03-10 02:30:00+03"),
    ("Europe/Moscow", "2024-11-03 01:30:00", "2024-11-03 01:30:00+03"),
]
# type, modifiers, typmod, format_type, input, output
TYPMODS = [
    ("timestamp", ["0"], 0, "timestamp(0) without time zone", "2024-02-29 23:59:59.98765", "2024-03-01 00:00:00"),
    ("timestamp", ["3"], 3, "timestamp(3) without time zone", "2024-02-29 23:59:59.98765", "2024-02-29 23:59:59.988"),
    ("time", ["2"], 2, "time(2) without time zone", "23:59:59.995", "24:00:00"),
    ("timetz", ["1"], 1, "time(1) with time zone", "23:59:59.95+01", "24:00:00+01"),
    ("timestamptz", ["4"], 4, "timestamp(4) with time zone", "2024-02-29 23:59:59.98765+00", "2024-02-29 23:59:59.9877+00"),
]


def settings_for(zone: str = "UTC", **others: Any) -> Settings:
    found = find_zone(zone)
    assert found is not None
    return Settings(timezone_name=zone, timezone=found, **others)


UTC = settings_for()


@pytest.mark.parametrize(("type", "text", "expected", "binary"), VALUES)
def test_input_output_and_binary_form(type, text, expected, binary):
    implementation = builtin(OIDS[type])
    stored = implementation.input(text, UTC)
    assert implementation.output(stored, UTC) == expected
    assert implementation.send(stored, UTC).hex() == binary
    assert implementation.receive(bytes.fromhex(binary), UTC) == stored


@pytest.mark.parametrize(("type", "text", "sqlstate", "message"), ERRORS)
def test_errors(type, text, sqlstate, message):
    with pytest.raises(SqlError) as caught:
        builtin(OIDS[type]).input(text, UTC)
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


@pytest.mark.parametrize(("style", "order", "type", "text", "expected"), STYLES)
def test_date_styles(style, order, type, text, expected):
    implementation = builtin(OIDS[type])
    settings = settings_for("Europe/Berlin", date_style=style, date_order=order)
    assert implementation.output(implementation.input(text, UTC), settings) == expected


@pytest.mark.parametrize(("order", "text", "expected"), ORDERS)
def test_date_orders(order, text, expected):
    try:
        result = builtin(OIDS["date"]).input(text, settings_for(date_order=order))
    except SqlError as error:
        result = error.sqlstate
    assert result == expected


@pytest.mark.parametrize(("zone", "text", "expected"), ZONES)
def test_time_zones(zone, text, expected):
    implementation = builtin(OIDS["timestamptz"])
    settings = settings_for(zone)
    assert implementation.output(implementation.input(text, settings), settings) == expected


@pytest.mark.parametrize(("type", "modifiers", "typmod", "name", "text", "expected"), TYPMODS)
def test_typmods(type, modifiers, typmod, name, text, expected):
    implementation = builtin(OIDS[type])
    assert implementation.typmod_in(modifiers) == typmod
    assert name == {"timetz": "time", "timestamptz": "timestamp"}.get(type, type) + implementation.typmod_out(typmod)
    assert implementation.output(implementation.input(text, UTC, typmod), UTC) == expected


def test_stored_dates_sort_as_text():
    days = [random.randrange(FIRST_DATE, DATE_END) for _ in range(2000)]
    days += [DATE_INFINITY, DATE_MINUS_INFINITY, FIRST_DATE, DATE_END - 1, -730120, -730119, 2921939, 2921940]
    assert [day_of(stored) for stored in sorted(map(date_stored, days))] == sorted(days)


def test_stored_timestamps_sort_as_text():
    numbers = [random.randrange(FIRST_TIMESTAMP, TIMESTAMP_END) for _ in range(2000)]
    numbers += [INFINITY, MINUS_INFINITY, FIRST_TIMESTAMP, TIMESTAMP_END - 1, 0, 1, 500_000, 999_999, 1_000_000]
    assert [microseconds_of(stored) for stored in sorted(map(timestamp_stored, numbers))] == sorted(numbers)


def test_timetz_keys_sort_by_instant_then_zone():
    # as PostgreSQL sorts them
    ordered = ["00:00:00+02", "12:00:00+02", "11:00:00+01", "10:00:00+00", "12:00:00+01", "04:00:00-08"]
    assert sorted(ordered, key=timetz_key) == ordered


def test_special_dates_follow_the_transaction_and_the_zone():
    runtime.transaction_timestamp = 1_709_249_400_123_456  # 2024-02-29 23:30:00.123456 UTC
    berlin = settings_for("Europe/Berlin")
    date, timestamp, timestamptz = (builtin(OIDS[name]) for name in ("date", "timestamp", "timestamptz"))
    assert [date.input(word, UTC) for word in ("yesterday", "today", "tomorrow")] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert date.input("today", berlin) == "2024-03-01"
    assert timestamp.input("now", berlin) == "2024-03-01 00:30:00.123456"
    assert timestamptz.input("now", berlin) == "2024-02-29 23:30:00.123456"
    assert timestamptz.input("today 12:00", berlin) == "2024-03-01 11:00:00"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_cached_output_is_what_computing_gives(zone):
    settings = settings_for(zone)
    implementation = builtin(OIDS["timestamptz"])
    for _ in range(500):
        number = random.randrange(-3_000_000_000, 3_000_000_000) * 1_000_000
        stored = timestamp_stored(number)
        once = implementation.output(stored, settings)
        assert implementation.output(stored, settings) == once
        assert implementation.input(once, UTC) == stored


def test_timezone_settings():
    names = {"5": "<+05>-05", "-5.5": "<-05:30>+05:30", "europe/berlin": "Europe/Berlin", "INTERVAL '5:30'": "<+05:30>-05:30"}
    assert {text: zone_of_setting(text, UTC).name for text in names} == names
    with pytest.raises(SqlError, match='invalid value for parameter "TimeZone": "nowhere"'):
        zone_of_setting("nowhere", UTC)

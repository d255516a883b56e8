"""Input, output, binary form and order of intervals.

What PostgreSQL 18 answered, recorded; settings are PostgreSQL's defaults but for the time zone, UTC.
"""

from __future__ import annotations

import random

import pytest

from translator.errors import SqlError
from translator.settings import Settings
from translator.types.interval import IntervalType, interval_key, interval_of, interval_span, interval_stored

INTERVAL = IntervalType()

# input, output, binary form in hexadecimal
VALUES = [
    ("1 year 2 mons 3 days 04:05:06.789", "1 year 2 mons 3 days 04:05:06.789", "000000036c97ca88000000030000000e"),
    ("-1 year -2 mons +3 days -04:05:06", "-1 years -2 mons +3 days -04:05:06", "fffffffc93743f8000000003fffffff2"),
    ("1 day ago", "-1 days", "0000000000000000ffffffff00000000"),
    ("@ 1 hour 30 mins ago", "-01:30:00", "fffffffebe228a000000000000000000"),
    ("1.5 months", "1 mon 15 days", "00000000000000000000000f00000001"),
    ("1.7 weeks", "11 days 21:36:00", "000000121adb70000000000b00000000"),
    ("0.1 years", "1 mon", "00000000000000000000000000000001"),
    ("2 weeks", "14 days", "00000000000000000000000e00000000"),
    ("1 century 1 decade", "110 years", "00000000000000000000000000000528"),
    ("90 minutes", "01:30:00", "0000000141dd76000000000000000000"),
    ("1-2 3 4:05:06", "1 year 2 mons 3 days 04:05:06", "000000036c8bc080000000030000000e"),
    ("-1-2", "-1 years -2 mons", "000000000000000000000000fffffff2"),
    ("3 4:05", "3 days 04:05:00", "000000036c3033000000000300000000"),
    ("P1Y2M3DT4H5M6.7S", "1 year 2 mons 3 days 04:05:06.7", "000000036c966ee0000000030000000e"),
    ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06", "000000036c8bc080000000030000000e"),
    ("P00010203T040506", "1 year 2 mons 3 days 04:05:06", "000000036c8bc080000000030000000e"),
    ("PT0.5S", "00:00:00.5", "000000000007a1200000000000000000"),
    ("P1W", "7 days", "00000000000000000000000700000000"),
    ("infinity", "infinity", "7fffffffffffffff7fffffff7fffffff"),
    ("-infinity", "-infinity", "80000000000000008000000080000000"),
    ("1 us", "00:00:00.000001", "00000000000000010000000000000000"),
    ("178956970 years 7 mons 2147483647 days 2562047788:00:54.775807", "infinity", "7fffffffffffffff7fffffff7fffffff"),
    ("0", "00:00:00", "00000000000000000000000000000000"),
    ("5", "00:00:05", "00000000004c4b400000000000000000"),
    ("1", "00:00:01", "00000000000f42400000000000000000"),
]

# input, SQLSTATE, message
ERRORS = [
    ("", "22007", 'invalid input syntax for type interval: ""'),
    ("foo", "22007", 'invalid input syntax for type interval: "foo"'),
    ("1 foo", "22007", 'invalid input syntax for type interval: "1 foo"'),
    ("1 day 2 days", "22007", 'invalid input syntax for type interval: "1 day 2 days"'),
    ("1 year ago 2 days", "22007", 'invalid input syntax for type interval: "1 year ago 2 days"'),
    ("3000000000 days", "22015", 'interval field value out of range: "3000000000 days"'),
    ("179000000 years", "22008", "interval out of range"),
    ("1 day infinity", "22007", 'invalid input syntax for type interval: "1 day infinity"'),
    ("P", "22007", 'invalid input syntax for type interval: "P"'),
    ("1:2:3:4", "22007", 'invalid input syntax for type interval: "1:2:3:4"'),
    ("infinity ago", "22007", 'invalid input syntax for type interval: "infinity ago"'),
]

# style, interval, output
STYLES = [
    ("postgres_verbose", "1 year 2 mons 3 days 04:05:06.789", "@ 1 year 2 mons 3 days 4 hours 5 mins 6.789 secs"),
    ("postgres_verbose", "-10 mons -3 days +04:05:06", "@ 10 mons 3 days -4 hours -5 mins -6 secs ago"),
    ("postgres_verbose", "-00:00:00.5", "@ 0.5 secs ago"),
    ("postgres_verbose", "1 mon", "@ 1 mon"),
    ("postgres_verbose", "00:00:00", "@ 0"),
    ("postgres_verbose", "-1 days -02:03:04", "@ 1 day 2 hours 3 mins 4 secs ago"),
    ("postgres_verbose", "1 day 00:00:01", "@ 1 day 1 sec"),
    ("sql_standard", "1 year 2 mons 3 days 04:05:06.789", "+1-2 +3 +4:05:06.789"),
    ("sql_standard", "-10 mons -3 days +04:05:06", "-0-10 -3 +4:05:06"),
    ("sql_standard", "-00:00:00.5", "-0:00:00.5"),
    ("sql_standard", "1 mon", "0-1"),
    ("sql_standard", "00:00:00", "0"),
    ("sql_standard", "-1 days -02:03:04", "-1 2:03:04"),
    ("sql_standard", "1 day 00:00:01", "1 0:00:01"),
    ("iso_8601", "1 year 2 mons 3 days 04:05:06.789", "P1Y2M3DT4H5M6.789S"),
    ("iso_8601", "-10 mons -3 days +04:05:06", "P-10M-3DT4H5M6S"),
    ("iso_8601", "-00:00:00.5", "PT-0.5S"),
    ("iso_8601", "1 mon", "P1M"),
    ("iso_8601", "00:00:00", "PT0S"),
    ("iso_8601", "-1 days -02:03:04", "P-1DT-2H-3M-4S"),
    ("iso_8601", "1 day 00:00:01", "P1DT1S"),
]

# modifiers, typmod, format_type, input, output
TYPMODS = [
    (["4"], 327679, "interval year", "1 year 2 mons 3 days 04:05:06.78951", "1 year"),
    (["4"], 327679, "interval year", "7", "7 years"),
    (["2"], 196607, "interval month", "1 year 2 mons 3 days 04:05:06.78951", "1 year 2 mons"),
    (["2"], 196607, "interval month", "7", "7 mons"),
    (["6"], 458751, "interval year to month", "1 year 2 mons 3 days 04:05:06.78951", "1 year 2 mons"),
    (["6"], 458751, "interval year to month", "7", "7 mons"),
    (["1032"], 67698687, "interval day to hour", "1 year 2 mons 3 days 04:05:06.78951", "1 year 2 mons 3 days 04:00:00"),
    (["1032"], 67698687, "interval day to hour", "7", "07:00:00"),
    (["3080"], 201916415, "interval day to minute", "1 year 2 mons 3 days 04:05:06.78951", "1 year 2 mons 3 days 04:05:00"),
    (["3080"], 201916415, "interval day to minute", "7", "00:07:00"),
    (["32767", "2"], 2147418114, "interval(2)", "1 year 2 mons 3 days 04:05:06.78951", "1 year 2 mons 3 days 04:05:06.79"),
    (["32767", "2"], 2147418114, "interval(2)", "7", "00:00:07"),
    (
        ["7176", "3"],
        470286339,
        "interval day to second(3)",
        "1 year 2 mons 3 days 04:05:06.78951",
        "1 year 2 mons 3 days 04:05:06.79",
    ),
    (["7176", "3"], 470286339, "interval day to second(3)", "7", "00:00:07"),
    (["1024"], 67174399, "interval hour", "1 year 2 mons 3 days 04:05:06.78951", "1 year 2 mons 3 days 04:00:00"),
    (["1024"], 67174399, "interval hour", "7", "07:00:00"),
    (
        ["6144"],
        402718719,
        "interval minute to second",
        "1 year 2 mons 3 days 04:05:06.78951",
        "1 year 2 mons 3 days 04:05:06.78951",
    ),
    (["6144"], 402718719, "interval minute to second", "7", "00:00:07"),
]


@pytest.mark.parametrize(("text", "expected", "binary"), VALUES)
def test_input_output_and_binary_form(text, expected, binary):
    stored = INTERVAL.input(text, Settings())
    assert INTERVAL.output(stored, Settings()) == expected
    assert INTERVAL.send(stored, Settings()).hex() == binary
    assert INTERVAL.receive(bytes.fromhex(binary), Settings()) == stored


@pytest.mark.parametrize(("text", "sqlstate", "message"), ERRORS)
def test_errors(text, sqlstate, message):
    with pytest.raises(SqlError) as caught:
        INTERVAL.input(text, Settings())
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


@pytest.mark.parametrize(("style", "text", "expected"), STYLES)
def test_styles(style, text, expected):
    assert INTERVAL.output(text, Settings(interval_style=style)) == expected


def test_sql_standard_sign_holds_for_all_fields():
    assert INTERVAL.input("-1 1:00:00", Settings()) == "-1 days +01:00:00"
    assert INTERVAL.input("-1 1:00:00", Settings(interval_style="sql_standard")) == "-1 days -01:00:00"
    assert INTERVAL.input("-1 +1:00:00", Settings(interval_style="sql_standard")) == "-1 days +01:00:00"


@pytest.mark.parametrize(("modifiers", "typmod", "name", "text", "expected"), TYPMODS)
def test_typmods(modifiers, typmod, name, text, expected):
    assert INTERVAL.typmod_in(modifiers) == typmod
    assert name == "interval" + INTERVAL.typmod_out(typmod)
    assert INTERVAL.output(INTERVAL.input(text, Settings(), typmod), Settings()) == expected


def random_interval(largest):
    months, days, time = (random.randrange(-limit, limit) for limit in largest)
    return months, days, time


def test_keys_sort_as_spans():
    values = [random_interval((2**31, 2**31, 2**63)) for _ in range(500)]
    values += [random_interval((3, 90, 2)) for _ in range(500)]
    stored = [interval_stored(value) for value in values]
    assert [interval_of(text) for text in stored] == values
    by_span = sorted(stored, key=lambda text: interval_span(interval_of(text)))
    assert [interval_key(text) for text in by_span] == sorted(map(interval_key, stored))
    assert interval_key("1 mon") == interval_key("30 days") == interval_key("720:00:00")
    assert interval_key("-infinity") < min(map(interval_key, stored))
    assert interval_key("infinity") > max(map(interval_key, stored))

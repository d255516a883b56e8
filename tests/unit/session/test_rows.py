"""Binders and row encoders: the generated functions agree with the types' own, and errors name the parameter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.session import kernel, rows
from translator.errors import SqlError
from translator.plan import Field
from translator.settings import Settings
from translator.types.registry import type_of

SETTINGS = Settings()

VALUES = {
    21: st.integers(-(1 << 15), (1 << 15) - 1),
    23: st.integers(-(1 << 31), (1 << 31) - 1),
    20: st.integers(-(1 << 63), (1 << 63) - 1),
    25: st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    16: st.sampled_from([0, 1]),
    701: st.one_of(st.floats(allow_nan=False), st.just("NaN")),
    17: st.binary(max_size=2000),
    1700: st.sampled_from(["0", "1.50", "-12345678901234567890.123", "NaN"]),
    1184: st.sampled_from(["2024-01-02 03:04:05", "2024-01-02 03:04:05.123456", "infinity", "-infinity"]),
    1114: st.sampled_from(["2024-01-02 03:04:05.5", "1999-12-31 23:59:59"]),
    1082: st.sampled_from(["2024-02-29", "infinity"]),
    2950: st.uuids().map(str),
}


@given(st.data(), st.sampled_from([(0, False), (1, False), (0, True)]))
def test_encoder_agrees_with_types(data, mode):
    format, other_settings = mode
    settings = Settings(date_style="SQL", bytea_output="escape", extra_float_digits=0) if other_settings else SETTINGS
    oids = data.draw(st.lists(st.sampled_from(list(VALUES)), max_size=5))
    found = [tuple(data.draw(st.one_of(st.none(), VALUES[oid])) for oid in oids) for _ in range(3)]
    fields = [Field(f"c{number}", oid) for number, oid in enumerate(oids)]
    formats = [format] * len(oids)
    types = [type_of(oid) for oid in oids]
    for encode in encoders(fields, types, formats, settings):
        assert encode(found, settings) == rows.encode_generally(found, types, formats, settings)


def encoders(fields, types, formats, settings):
    """That in Python, and the compiled one where it was built."""
    yield rows.generated_encoder(fields, types, formats, settings)
    if kernel.BUILT:
        yield kernel.row_encoder(types, formats, settings, rows.DATA_ROW)


def encoded(oids, formats, found, settings=SETTINGS):
    fields = [Field(f"c{number}", oid) for number, oid in enumerate(oids)]
    made = {encode(found, settings) for encode in encoders(fields, [type_of(oid) for oid in oids], formats, settings)}
    assert len(made) == 1
    return made.pop()


def test_time_zone_of_the_session():
    from translator.types.timezones import find_zone

    settings = Settings(timezone_name="Asia/Tokyo", timezone=find_zone("Asia/Tokyo"))
    assert encoded([1184], [0], [("2024-01-02 03:04:05",)], settings).endswith(b"2024-01-02 12:04:05+09")


def test_rows_without_columns():
    assert encoded([], [], [(), (1,)]) == b"D\0\0\0\x06\0\0" * 2


def test_a_value_of_another_class_is_encoded_all_the_same():
    assert encoded([701], [1], [("NaN",)]).endswith(b"\x7f\xf8\0\0\0\0\0\0")


@pytest.mark.parametrize("format", [0, 1])
@pytest.mark.parametrize(
    ("oid", "values"),
    [
        (
            1700,
            [
                "0",
                "0.00",
                "-0.001",
                "1",
                "-1.5",
                "10000",
                "99999999.9999",
                "100000000",
                "0.00010000",
                "1" * 300,
                "NaN",
                "-Infinity",
            ],
        ),
        (1700, ["12345678901234567890.123456789", "-0.0000000001", "1200.0", "0.1", "00.5", "10001.0001", 5]),
        (701, [0.0, -0.0, 1e-5, 1e15, 123456789012345.6, -1.5, float("inf"), 0.1, 3, "NaN"]),
        (1082, ["0001-01-01", "1999-12-31", "2000-02-29", "9999-12-31", ":0010000-01-01", "/9999957-03-15", "-infinity"]),
        (
            1114,
            [
                "0001-01-01 00:00:00",
                "1999-12-31 23:59:59.999999",
                "2000-01-01 00:00:00.1",
                "/9999957-03-15 01:02:03",
                "infinity",
            ],
        ),
        (2950, ["7d444840-9dc0-11d1-b245-5ffdce74fad2"]),
        (23, [0, -1, (1 << 31) - 1, -(1 << 31)]),
        (20, [0, (1 << 63) - 1, -(1 << 63)]),
        (16, [0, 1, 2]),
        (25, ["", "ä€😀", "x" * 100_000]),
        (17, [b"", b"\0\xff" * 70_000]),
        (1186, ["1 day"]),
    ],
)
def test_values_at_the_edges(oid, values, format):
    fields, types = [Field("c", oid)], [type_of(oid)]
    found = [(value,) for value in values]
    for encode in encoders(fields, types, [format], SETTINGS):
        assert encode(found, SETTINGS) == rows.encode_generally(found, types, [format], SETTINGS)


@pytest.mark.parametrize(("given", "count", "expected"), [((), 2, (0, 0)), ((1,), 2, (1, 1)), ((0, 1), 2, (0, 1)), ((), 0, ())])
def test_format_codes_spread(given, count, expected):
    assert rows.spread(given, count) == expected


def read(types, values, formats=None, portal=""):
    formats = formats or (0,) * len(types)
    readers = rows.parameter_reader(types, formats, None)
    return rows.read_parameters(readers, values, SETTINGS, portal, formats)


def test_parameters():
    assert read((23, 25, 16, 23), [b"12", b"x", b"t", None]) == (12, "x", 1, None)
    assert read((23, 20, 25), [b"\0\0\0\7", b"\xff" * 8, b"x"], (1, 1, 1)) == (7, -1, "x")
    assert read((23,), [b" -7 "]) == (-7,)


@pytest.mark.parametrize(
    ("type", "value", "format", "portal", "error", "where"),
    [
        (23, b"x", 0, "", '22P02: invalid input syntax for type integer: "x"', "unnamed portal parameter $1 = '...'"),
        (23, b"x", 0, "p1", '22P02: invalid input syntax for type integer: "x"', "portal \"p1\" parameter $1 = '...'"),
        (
            23,
            b"2147483648",
            0,
            "",
            '22003: value "2147483648" is out of range for type integer',
            "unnamed portal parameter $1 = '...'",
        ),
        (23, b"1_0x", 0, "", "22P02", "unnamed portal parameter $1 = '...'"),
        (23, b"xyz", 1, "", "08P01: insufficient data left in message", "unnamed portal parameter $1"),
        (23, b"xyzzyx", 1, "", "22P03: incorrect binary data format in bind parameter 1", "unnamed portal parameter $1"),
        (25, b"a\xff", 0, "", '22021: invalid byte sequence for encoding "UTF8": 0xff', "unnamed portal parameter $1"),
        (25, b"a\0b", 0, "", '22021: invalid byte sequence for encoding "UTF8": 0x00', "unnamed portal parameter $1"),
        (23, b"1", 5, "", "22023: unsupported format code: 5", "unnamed portal parameter $1"),
    ],
)
def test_bad_parameter(type, value, format, portal, error, where):
    with pytest.raises(SqlError) as raised:
        read((type,), [value], (format,), portal)
    assert str(raised.value).startswith(error)
    assert raised.value.where == where

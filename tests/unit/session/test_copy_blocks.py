"""Converters of whole columns: they give what the type's input function gives for each field, and raise where it raises."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.session import kernel
from proxy.session.copy_blocks import IRREGULAR, converter_of, rows_of
from proxy.session.copy_formats import reader_of
from proxy.session.copy_lines import header_line, lines_of
from proxy.session.copy_options import CopyOptions
from translator.catalog import Column
from translator.errors import SqlError
from translator.settings import Settings
from translator.types.numeric import pack_typmod
from translator.types.registry import type_of

INT2, INT4, INT8, TEXT, VARCHAR, BPCHAR, BOOL, FLOAT8 = 21, 23, 20, 25, 1043, 1042, 16, 701
DATE, TIMESTAMP, TIMESTAMPTZ, NUMERIC, UUID, BYTEA = 1082, 1114, 1184, 1700, 2950, 17

NUMBERS = [
    *("0", "1", "-1", "-0", "+5", " 7 ", "007", "1_000", "1__0", "0x1F", "", "-", "1-2", "٣", "²", "1\x1c", "\x1f1", "9" * 25),
    *("32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808"),
    *("1.5", "-1.50", "0.05", "-0.05", "-0.00", ".5", "5.", "1e3", "1E-400", "0e5", "1e400", "NaN", "nan", "inf", "-Infinity"),
    *("12345678.12", "123456789.12", "1.123", "99999999.999", "00.50", "1\n2", "1.25\n2.50"),
]
MOMENTS = [
    *("2024-02-29", "2023-02-29", "2024-13-01", "0000-01-01", "infinity", "epoch", "20240229", "2024-2-9", "10000-01-01", "x"),
    *("2024-02-29 12:34:56", "2024-02-29T12:34:56", "2024-02-29 24:00:00", "2024-02-29 12:34:60", "2024-02-29 12:34"),
    *("2024-02-29 12:34:56+00", "2024-02-30 12:34:56+00", "2024-02-29 12:34:56+02", "2024-02-29 12:34:56.5+00"),
    *("2024-02-29 12:34:56.50+00", "2024-02-29 12:34:56.123456+00", "2024-02-29 12:34:56.1234567+00", "2024-02-29 12:34:56Z"),
    *("2024-02-29 12:34:56.5", "2024-02-29 12:34:56.50", "2024-02-29 25:00:00+00", "2024-02-29 12:34:56\n2024-02-29 12:34:57"),
]
WORDS = ["", "t", "f", "true", "yes", "T", "on", "2", "ab", "abc", "abcd", "abc  ", "ä€", r"\x4142", r"\x4", "\n"]
IDS = [
    "7d444840-9dc0-11d1-b245-5ffdce74fad2",
    "7D444840-9dc0-11d1-b245-5ffdce74fad2",
    "{7d4448409dc011d1b2455ffdce74fad2}",
    "7d44",
]

CASES = [
    *((oid, -1, NUMBERS) for oid in (INT2, INT4, INT8, FLOAT8, NUMERIC, TEXT)),
    *((NUMERIC, pack_typmod(*form), NUMBERS) for form in ((10, 2), (4, 0), (2, 2), (20, 3), (5, -2), (2, 4))),
    *((oid, typmod, MOMENTS) for oid in (DATE, TIMESTAMP, TIMESTAMPTZ) for typmod in (-1, 0, 3) if oid != DATE or typmod < 0),
    *((oid, -1, WORDS) for oid in (BOOL, TEXT, VARCHAR, BYTEA)),
    *((oid, 7, WORDS) for oid in (VARCHAR, BPCHAR)),
    (UUID, -1, IDS),
]


# What the compiled reader must take itself.
REGULAR = {
    (INT2, -1): {"0", "1", "-1", "32767"},
    (INT8, -1): {"2147483648"},
    (FLOAT8, -1): {"0", "-1", "1.5", "-1.50", "1e3"},
    (NUMERIC, -1): {"1.5", "-1.50", "12345678.12"},
    (NUMERIC, pack_typmod(10, 2)): {"-1.50", "12345678.12"},
    (NUMERIC, pack_typmod(4, 0)): {"0", "1", "-1"},
    (DATE, -1): {"2024-02-29"},
    (TIMESTAMP, -1): {"2024-02-29 12:34:56", "2024-02-29 12:34:56.5"},
    (TIMESTAMPTZ, -1): {"2024-02-29 12:34:56+00", "2024-02-29 12:34:56.123456+00"},
    (BOOL, -1): {"t", "f", "true"},
    (TEXT, -1): {*WORDS, r"\x4142"} - {"\n"},
    (VARCHAR, 7): {"ab", "abc", "ä€"},
    (UUID, -1): set(IDS[:3]),
}


def column(oid: int, typmod: int = -1) -> Column:
    return Column("c", 1, oid, typmod=typmod)


@pytest.mark.parametrize(("oid", "typmod", "texts"), CASES)
def test_a_converter_agrees_with_the_input_function(oid, typmod, texts):
    settings = Settings()
    convert = converter_of(column(oid, typmod), None, settings, binary=False)
    good = {}
    for text in texts:
        try:
            good[text] = type_of(oid).input(text, settings, typmod)
        except SqlError:
            with pytest.raises(IRREGULAR):
                convert([text])
        else:
            assert identical(convert([text]), [good[text]]), text
    for one, other in itertools.product(good, repeat=2):
        assert identical(convert([one, other]), [good[one], good[other]]), (one, other)


@pytest.mark.parametrize(("oid", "typmod", "texts"), CASES)
@pytest.mark.parametrize("options", [CopyOptions(), CopyOptions("csv", ",", "NULL", quote="'", escape="'")])
def test_the_compiled_reader_agrees_with_the_input_function(oid, typmod, texts, options):
    """It may leave what is rare to others, but takes most."""
    settings = Settings()
    read = kernel.line_reader(options, [column(oid, typmod)], None, settings) if kernel.BUILT else lambda line: [(line,)]
    for text in texts if kernel.BUILT else []:
        line = header_line(options, [text])
        try:
            expected = [(type_of(oid).input(text, settings, typmod),)]
        except SqlError:
            with pytest.raises(IRREGULAR):
                read(line)
            continue
        try:
            found = read(line)
        except IRREGULAR:
            assert text not in REGULAR.get((oid, typmod), ())
        else:
            assert identical(found, expected), text


FIELDS = st.one_of(st.none(), st.text(st.sampled_from("ab1N.,;\"\\'\t\n\rä€"), max_size=5))


@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=4), st.data())
def test_the_compiled_reader_and_encoder_agree_with_those_in_python(values, data):
    options = data.draw(
        st.sampled_from(
            [
                CopyOptions(),
                CopyOptions(delimiter=";", null=""),
                CopyOptions("csv", ",", ""),
                CopyOptions("csv", ";", "N", quote="'", escape="\\"),
                CopyOptions("csv", ",", "", force_quote=("b",)),
            ]
        )
    )
    settings = Settings()
    types = [type_of(TEXT)] * 2
    lines = lines_of(options, ["a", "b"], types, settings)(values)
    messages = b"".join(struct.pack("!cI", b"d", len(line) + 4) + line for line in lines)
    encode = kernel.line_encoder(options, ["a", "b"], types, settings) if kernel.BUILT else lambda *_: messages
    assert encode(values, settings) == messages
    columns = [column(TEXT), column(TEXT)]
    read = kernel.line_reader(options, columns, None, settings) if kernel.BUILT else None
    if read is not None:
        block = b"".join(lines)
        try:
            expected = [tuple(row) for row in reader_of(options, ["a", "b"]).feed(block, last=True)]
        except SqlError:
            expected = None  # a carriage return that was first taken for the end of a line
        try:
            assert reader_of(options, ["a", "b"]).feed_lines(block, read, last=True) in (None, expected)
        except IRREGULAR:
            assert any("\n" in field for row in values for field in row if field is not None)


def identical(found, expected) -> bool:
    return list(map(repr, found)) == list(map(repr, expected))


def test_nulls_keep_their_places():
    converters = [converter_of(column(oid), None, Settings(), binary=False) for oid in (INT4, TEXT)]
    assert rows_of([["1", None, "3"], [None, "b", None]], converters) == [(1, None), (None, "b"), (3, None)]


@pytest.mark.parametrize("columns", [[["1", "2"]], [["1"], ["a"], ["b"]], [["x"], ["a"]]])
def test_what_is_not_regular_raises(columns):
    converters = [converter_of(column(oid), None, Settings(), binary=False) for oid in (INT4, TEXT)]
    with pytest.raises(IRREGULAR):
        rows_of(columns, converters)


@pytest.mark.parametrize("piece", [1, 5, 16, 1000])
@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"1\ta\n2\t\\N\n3\t\\\\N\n4\tx\\ty\n5\ta\\\tb\n6\ta\\\nb\n\\N\t\\x41\n", CopyOptions()),
        (b"1\ta\r\n2\tb\r\n\\.\r\n", CopyOptions()),
        (b"1\ta\n2\tNULL\n3\t\n", CopyOptions(null="NULL")),
        (b'1,a\n,\n3,\n4,"x\ny"\n5,z\n', CopyOptions("csv", ",", "")),
        (b"id,b\n1,a\n2,b\n", CopyOptions("csv", ",", "", header="true")),
        (b"1\tx", CopyOptions()),
    ],
)
def test_columns_hold_what_rows_hold(data, options, piece):
    rows = reader_of(options, ["a", "b"])
    blocks = reader_of(options, ["a", "b"])
    for start in range(0, len(data), piece):
        part, last = data[start : start + piece], start + piece >= len(data)
        expected = [tuple(row) for row in rows.feed(part, last=last)]
        assert list(zip(*blocks.feed_columns(part, last=last), strict=True)) == expected
        assert blocks.line == rows.line

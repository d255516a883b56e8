"""COPY's formats: however the data is cut into pieces, the rows are the same; errors as PostgreSQL words them."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.session.copy_binary import SIGNATURE
from proxy.session.copy_formats import DEFAULT, reader_of
from proxy.session.copy_lines import lines_of
from proxy.session.copy_options import CopyOptions
from translator.errors import SqlError
from translator.settings import Settings
from translator.types.registry import type_of

CSV = CopyOptions("csv", ",", "")
HEAD = SIGNATURE + struct.pack("!II", 0, 0)


def read(data: bytes, options: CopyOptions, columns: int = 2, piece: int = 1 << 20) -> list[list]:
    reader = reader_of(options, [chr(97 + number) for number in range(columns)])
    found: list[Any] = []
    for start in range(0, len(data), piece):
        found += reader.feed(data[start : start + piece])
    return found + list(reader.feed(b"", last=True))


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1\ta\n2\t\\N\n", [["1", "a"], ["2", None]]),
        (b"1\ta\\tb\\x41\\101\\\\\n", [["1", "a\tbAA\\"]]),
        (b"1\ta\r\n2\tb\r\n", [["1", "a"], ["2", "b"]]),
        (b"1\ta\r2\tb\r", [["1", "a"], ["2", "b"]]),
        (b"1\ta\\\nb\n", [["1", "a\nb"]]),
        (b"1\tx\n\\.\n99 garbage\n", [["1", "x"]]),
        (b"1\tx", [["1", "x"]]),
        ("1\tä€\n".encode(), [["1", "ä€"]]),
        (b"1\t\\\\N\n", [["1", "\\N"]]),
        (b"1\t\\xc3\\xa4\n", [["1", "ä"]]),
    ],
)
def test_text(data, expected, piece):
    assert read(data, CopyOptions(), piece=piece) == expected


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'1,"a""b\n\nc"\n2,\n3,""\n4,abc"d,e"f\n', [["1", 'a"b\n\nc'], ["2", None], ["3", ""], ["4", "abcd,ef"]]),
        (b"1,\\N\n", [["1", "\\N"]]),
        (b'1,"x\r\ny"\r\n2,z\r\n', [["1", "x\r\ny"], ["2", "z"]]),
    ],
)
def test_csv(data, expected, piece):
    assert read(data, CSV, piece=piece) == expected


def test_csv_with_its_own_escape():
    options = CopyOptions("csv", ",", "", escape="\\")
    assert read(b'1,"a\\"b,\\\\"\n', options) == [["1", 'a"b,\\']]


def test_csv_nulls_by_force():
    options = CopyOptions("csv", ",", "x", force_null=("a",), force_not_null=("b",))
    assert read(b'"x",x\n', options) == [[None, "x"]]


def test_default_marker():
    options = CopyOptions(default="\\D")
    assert read(b"1\t\\D\n", options) == [["1", DEFAULT]]


@pytest.mark.parametrize(
    ("options", "data", "error", "line"),
    [
        (CopyOptions(), b"1\tx\t3\n", "22P04: extra data after last expected column", 1),
        (CopyOptions(), b"1\tx\n\\.x\n", "22P04: end-of-copy marker is not alone on its line", 2),
        (CopyOptions(), b"1\ta\r\n2\tb\n", "22P04: literal newline found in data", 2),
        (CopyOptions(), b"1\ta\n2\tb\r\n", "22P04: literal carriage return found in data", 2),
        (CopyOptions(), b"1\ta\xff\n", '22021: invalid byte sequence for encoding "UTF8": 0xff', 1),
        (CSV, b'1,"abc\n', "22P04: unterminated CSV quoted field", 1),
        (
            CopyOptions("csv", ",", "", header="match"),
            b"x,y\n",
            '22P04: column name mismatch in header line field 1: got "x", expected "a"',
            1,
        ),
        (
            CopyOptions("csv", ",", "", header="match"),
            b"a\n",
            "22P04: wrong number of fields in header line: got 1, expected 2",
            1,
        ),
        (CopyOptions("binary"), b"PGCOPX", "22P04: COPY file signature not recognized", 0),
        (CopyOptions("binary"), HEAD + struct.pack("!h", 1), "22P04: row field count is 1, expected 2", 1),
        (CopyOptions("binary"), HEAD + struct.pack("!hii", 2, 100, 3), "22P04: unexpected EOF in COPY data", 1),
    ],
)
def test_errors(options, data, error, line):
    reader = reader_of(options, ["a", "b"])
    with pytest.raises(SqlError) as raised:
        list(reader.feed(data, last=True))
    assert str(raised.value) == error
    assert reader.line == line


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_binary(piece):
    row = struct.pack("!hi", 2, 4) + b"abcd" + struct.pack("!i", -1)
    assert read(HEAD + row + row + b"\xff\xff", CopyOptions("binary"), piece=piece) == [[b"abcd", None]] * 2


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
line = st.lists(st.one_of(st.none(), texts), min_size=2, max_size=2)


def written(options: CopyOptions, rows: list[list]) -> list[bytes]:
    return lines_of(options, ["a", "b"], [type_of(25), type_of(25)], Settings())(rows)


@given(st.lists(line, max_size=5), st.integers(1, 9))
def test_text_round_trip(values, piece):
    assert read(b"".join(written(CopyOptions(), values)), CopyOptions(), piece=piece) == values


@given(st.lists(line, max_size=5), st.integers(1, 9))
def test_csv_round_trip(values, piece):
    # The kind of line end is found at the first one, which must not be inside a value.
    data = b"x,y\n" + b"".join(written(CSV, values))
    assert read(data, CSV, piece=piece)[1:] == values

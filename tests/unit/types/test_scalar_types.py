"""What recorded/scalar.tsv does not hold: type modifiers, malformed binary values, settings that change the output."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from tests.unit.functions import calls
from translator.errors import SqlError
from translator.settings import Settings, runtime
from translator.types.floating import double_text, single, single_text
from translator.types.numeric import pack_typmod, unpack_typmod
from translator.types.registry import type_of
from translator.types.text import truncate_name

SETTINGS = Settings()


def _type(name: str) -> Any:
    return type_of(calls.OIDS[name])


def _answer(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except SqlError as error:
        return error.sqlstate, error.message, error.detail


# Assignment to a column of that type, as PostgreSQL 18 answered.
ASSIGNMENTS = [
    ("numeric", ["5", "2"], "1.005", "1.01"),
    ("numeric", ["5", "2"], "-999.994", "-999.99"),
    ("numeric", ["3", "-2"], "12355", "12400"),
    ("numeric", ["2", "5"], "0.00099", "0.00099"),
    ("numeric", ["5", "2"], "NaN", "NaN"),
    (
        "numeric",
        ["5", "2"],
        "999.995",
        (
            "22003",
            "numeric field overflow",
            "A field with precision 5, scale 2 must round to an absolute value less than 10^3.",
        ),
    ),
    (
        "numeric",
        ["1", "1"],
        "1",
        ("22003", "numeric field overflow", "A field with precision 1, scale 1 must round to an absolute value less than 1."),
    ),
    (
        "numeric",
        ["5", "2"],
        "Infinity",
        ("22003", "numeric field overflow", "A field with precision 5, scale 2 cannot hold an infinite value."),
    ),
    ("varchar", ["3"], "abc  ", "abc"),
    ("varchar", ["3"], "日本語", "日本語"),
    ("varchar", ["3"], "abcd", ("22001", "value too long for type character varying(3)", None)),
    ("bpchar", ["3"], "a", "a  "),
    ("bpchar", ["3"], "abc   ", "abc"),
    ("bpchar", ["3"], "abcd", ("22001", "value too long for type character(3)", None)),
    ("bit", ["3"], "101", "101"),
    ("bit", ["3"], "1010", ("22026", "bit string length 4 does not match type bit(3)", None)),
    ("varbit", ["3"], "1", "1"),
    ("varbit", ["3"], "1011", ("22001", "bit string too long for type bit varying(3)", None)),
]


@pytest.mark.parametrize(("name", "modifiers", "text", "expected"), ASSIGNMENTS)
def test_assignment(name: str, modifiers: list[str], text: str, expected: Any) -> None:
    type = _type(name)
    typmod = type.typmod_in(modifiers)
    answer = _answer(type.input, text, SETTINGS, typmod)
    shown = answer if isinstance(answer, tuple) else type.for_typmod(typmod).output(answer, SETTINGS)
    assert shown == expected
    if not isinstance(answer, tuple):
        sent = type.for_typmod(typmod).send(answer, SETTINGS)
        assert type.receive(sent, SETTINGS, typmod) == answer


@pytest.mark.parametrize(
    ("name", "modifiers", "expected"),
    [
        ("numeric", ["10", "2"], "(10,2)"),
        ("numeric", ["7"], "(7,0)"),
        ("numeric", ["3", "-2"], "(3,-2)"),
        ("varchar", ["10"], "(10)"),
        ("bit", ["5"], "(5)"),
        ("numeric", ["0"], ("22023", "NUMERIC precision 0 must be between 1 and 1000", None)),
        ("numeric", ["5", "1001"], ("22023", "NUMERIC scale 1001 must be between -1000 and 1000", None)),
        ("numeric", ["5", "1", "1"], ("22023", "invalid NUMERIC type modifier", None)),
        ("varchar", ["0"], ("22023", "length for type varchar must be at least 1", None)),
        ("bpchar", ["10485761"], ("22023", "length for type char cannot exceed 10485760", None)),
        ("bit", ["0"], ("22023", "length for type bit must be at least 1", None)),
        ("varchar", ["x"], ("22P02", 'invalid input syntax for type integer: "x"', None)),
        ("text", ["5"], ("42601", 'type modifier is not allowed for type "text"', None)),
    ],
)
def test_type_modifier(name: str, modifiers: list[str], expected: Any) -> None:
    type = _type(name)
    answer = _answer(type.typmod_in, modifiers)
    assert (answer if isinstance(answer, tuple) else type.typmod_out(answer)) == expected


def test_numeric_typmod_packs_signed_scales() -> None:
    for precision, scale in ((1, 0), (1000, 1000), (1000, -1000), (10, 2)):
        assert unpack_typmod(pack_typmod(precision, scale)) == (precision, scale)


@pytest.mark.parametrize(
    "name",
    [
        "bool",
        "int2",
        "int4",
        "int8",
        "oid",
        "xid8",
        "tid",
        "float4",
        "float8",
        "uuid",
        "money",
        "pg_lsn",
        "char",
        "numeric",
        "bit",
    ],
)
def test_wrong_lengths_are_refused(name: str) -> None:
    type = _type(name)
    text = {"tid": "(1,2)", "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "pg_lsn": "1/2"}.get(name, "1")
    sent = type.send(type.input(text, SETTINGS), SETTINGS)
    for length in range(len(sent)):
        assert _answer(type.receive, sent[:length], SETTINGS)[:2] == ("08P01", "insufficient data left in message")
    assert _answer(type.receive, sent + b"\0", SETTINGS)[0] == "22P03"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (struct.pack("!HhHH", 0, 0, 1, 0), '22P03: invalid sign in external "numeric" value'),
        (struct.pack("!HhHH", 0, 0, 0, 20000), '22P03: invalid scale in external "numeric" value'),
        (struct.pack("!HhHHH", 1, 0, 0, 0, 10000), '22P03: invalid digit in external "numeric" value'),
    ],
)
def test_numeric_receive_checks_its_parts(data: bytes, expected: str) -> None:
    with pytest.raises(SqlError) as raised:
        _type("numeric").receive(data, SETTINGS)
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff", 'invalid byte sequence for encoding "UTF8": 0xff'),
        (b"a\xe3\x81", 'invalid byte sequence for encoding "UTF8": 0xe3 0x81'),
        (b"\xc0\xaf", 'invalid byte sequence for encoding "UTF8": 0xc0 0xaf'),
        (b"a\0b", 'invalid byte sequence for encoding "UTF8": 0x00'),
    ],
)
def test_text_is_verified(data: bytes, message: str) -> None:
    assert _answer(_type("text").receive, data, SETTINGS) == ("22021", message, None)


def test_settings_change_the_output() -> None:
    escape = Settings(bytea_output="escape", extra_float_digits=0)
    assert _type("bytea").output(b"a\0\\\xff", escape) == "a\\000\\\\\\377"
    assert _type("float8").output(0.1 + 0.2, escape) == "0.3"
    assert _type("float8").output(0.1 + 0.2, SETTINGS) == "0.30000000000000004"
    assert _type("float4").output(single(0.1), Settings(extra_float_digits=-3)) == "0.1"


def test_shortest_floats_read_back() -> None:
    source = random.Random(11)
    for _ in range(3000):
        (value,) = struct.unpack("!d", source.randbytes(8))
        if value == value:
            assert float(double_text(value)) == value
        (value,) = struct.unpack("!f", source.randbytes(4))
        if value == value:
            assert single(float(single_text(value))) == value
            assert len(single_text(value).partition("e")[0].strip("-").replace(".", "").strip("0")) <= 9


# Ties between two doubles, powers of two, subnormal numbers: where repr and float8out or float4out differ.
@pytest.mark.parametrize(
    ("value", "expected"),
    [(5.382509139077592e17, "5.3825091390775923e+17"), (8.1536e23, "8.153599999999999e+23"), (1e15, "1e+15"), (2.0**122, None)],
)
def test_double_text(value: float, expected: str | None) -> None:
    assert double_text(value) == (expected or "5.316911983139664e+36")


def test_single_text_above_a_power_of_two() -> None:
    assert single_text(1.262177448353619e-29) == "1.2621775e-29"
    assert single_text(1.401298464324817e-45) == "1e-45"
    assert single_text(1234567.0) == "1.234567e+06"


def test_names_are_cut_between_characters() -> None:
    assert truncate_name("é" * 40) == "é" * 31
    assert truncate_name("x" * 64) == "x" * 63
    assert _answer(_type("name").receive, b"x" * 64, SETTINGS)[:2] == ("42622", "identifier too long")


class _Names:
    """A catalog that knows one relation."""

    object_names: Any

    def __init__(self) -> None:
        self.object_names = self

    def object_oid(self, type_name: str, text: str) -> int:
        if (type_name, text) == ("regclass", "t"):
            return 16384
        raise SqlError("42P01", f'relation "{text}" does not exist')

    def object_name(self, type_name: str, oid: int) -> str | None:
        return "t" if oid == 16384 else None


def test_object_identifier_types(monkeypatch: pytest.MonkeyPatch) -> None:
    regclass = _type("regclass")
    assert [regclass.input(text, SETTINGS) for text in ("-", "0", "12", "010")] == [0, 0, 12, 8]
    assert regclass.output(0, SETTINGS) == "-"
    assert regclass.output(16384, SETTINGS) == "16384"
    assert _answer(regclass.input, "t", SETTINGS)[0] == "0A000"
    monkeypatch.setattr(runtime, "catalog", _Names())
    assert regclass.input("t", SETTINGS) == 16384
    assert regclass.output(16384, SETTINGS) == "t"
    assert regclass.output(99, SETTINGS) == "99"
    assert _answer(regclass.input, "u", SETTINGS)[:2] == ("42P01", 'relation "u" does not exist')
    connection = calls.connection()
    assert calls.call(connection, "to_regclass", ["text"], ["u"], "regclass") is None
    assert calls.call(connection, "to_regclass", ["text"], ["t"], "regclass") == "t"

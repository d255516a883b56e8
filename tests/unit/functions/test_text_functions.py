"""String functions that the recorded calls do not reach: values of any type, sets of rows, LIKE and regular expressions inside."""

from __future__ import annotations

import json
from typing import Any

import apsw
import pytest

from tests.unit.functions import calls
from translator.errors import SqlError
from translator.functions.like import check_pattern, matcher
from translator.functions.regexp_pattern import compiled
from translator.functions.registry import IMPLEMENTATIONS


def _format(*arguments: Any) -> Any:
    types = [{str: 25, int: 23, bool: 16, type(None): 25}[type(argument)] for argument in arguments]
    function = IMPLEMENTATIONS["text_format"].function
    assert function is not None
    try:
        return function(*types, *arguments)
    except SqlError as error:
        return error.sqlstate, error.message


# Recorded from PostgreSQL 18: SELECT format(…).
FORMATS: list[tuple[tuple[Any, ...], Any]] = [
    (("%s %I %L", "a", "A b", "it's"), "a \"A b\" 'it''s'"),
    (("%2$s %1$s %s", "a", "b"), "b a b"),
    (("%1$s%1$I%s", "A b", "c"), 'A b"A b"c'),
    (("%-5s|%5s|", "a", "b"), "a    |    b|"),
    (("%*s|", 5, "a"), "    a|"),
    (("%*s|", -6, "a"), "a     |"),
    (("%*s|", None, "a"), "a|"),
    (("%1$*2$s", "a", 4), "   a"),
    (("%L%s", None, None), "NULL"),
    (("%s", True), "t"),
    (("%%",), "%"),
    ((None, "a"), None),
    (("%",), ("22023", "unterminated format() type specifier")),
    (("%x", 1), ("22023", 'unrecognized format() type specifier "x"')),
    (("%s",), ("22023", "too few arguments for format()")),
    (("%0$s", "a"), ("22023", "format specifies argument 0, but arguments are numbered from 1")),
    (("%*1s", "a"), ("22023", 'width argument position must be ended by "$"')),
    (("%*s", "x", "a"), ("22P02", 'invalid input syntax for type integer: "x"')),
    (("%I", None), ("22004", "null values cannot be formatted as an SQL identifier")),
    (("%99999999999s", "a"), ("22003", "number is out of range")),
]


@pytest.mark.parametrize(("arguments", "expected"), FORMATS)
def test_format(arguments: tuple[Any, ...], expected: Any) -> None:
    assert _format(*arguments) == expected


def test_concat_uses_output_functions() -> None:
    concat, concat_ws = IMPLEMENTATIONS["text_concat"].function, IMPLEMENTATIONS["text_concat_ws"].function
    assert concat is not None
    assert concat_ws is not None
    assert concat(25, 16, 1700, 17, "a", 1, "1.50", b"\xff") == "at1.50\\xff"
    assert concat(25, 23, None, None) == ""
    assert concat_ws(25, 25, 23, 25, ",", None, 7, "b") == "7,b"
    assert concat_ws(25, 25, None, "a") is None


# Recorded: the rows of SELECT * FROM function(…).
ROWS: list[tuple[str, tuple[Any, ...], list[Any]]] = [
    ("regexp_matches", ("foobarbequebaz", "b(..)", "g"), [["ar"], ["eq"], ["az"]]),
    ("regexp_matches_no_flags", ("abc", "x"), []),
    ("regexp_matches", ("abc", "b*", "g"), [[""], ["b"], [""], [""]]),
    ("regexp_split_to_table_no_flags", ("a1b22c", r"\d+"), ["a", "b", "c"]),
    ("text_to_table_null", ("a,,b", ",", ""), ["a", None, "b"]),
    ("text_to_table", ("abc", None), ["a", "b", "c"]),
    ("text_to_table", (None, ","), []),
    ("generate_series_step_numeric", ("1.50", "3", "0.7"), ["1.50", "2.20", "2.90"]),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), ROWS)
def test_rows(name: str, arguments: tuple[Any, ...], expected: list[Any]) -> None:
    rows = IMPLEMENTATIONS[name].rows
    assert rows is not None
    found = [json.loads(row) if isinstance(row, str) and row.startswith("[") else row for row in rows(*arguments)]
    assert found == expected


def test_like_pattern_that_ends_with_its_escape_character() -> None:
    check_pattern(r"a\%\\")
    with pytest.raises(SqlError, match="LIKE pattern must not end with escape character"):
        check_pattern("a\\")
    assert matcher("abc\\")("abc") is False
    with pytest.raises(SqlError, match="22025"):
        matcher("abc\\")("abcd")


def test_like_does_not_try_all_ways_to_divide_a_text() -> None:
    assert matcher("%a%b%c%d%e%f%g%h%")("abcdefg" * 2000) is False


def test_like_is_native_and_case_sensitive() -> None:
    connection = apsw.Connection(":memory:")
    connection.pragma("case_sensitive_like", 1)
    sql = calls.expression("textlike", ["text", "text"], ["?1", "?2"], "bool")
    answers = [next(connection.execute(f"SELECT {sql}", pair))[0] for pair in (("abc", "a%"), ("Abc", "a%"), ("a%", r"a\%"))]
    assert answers == [1, 0, 1]


def test_a_pattern_is_compiled_once() -> None:
    assert compiled("a+b") is compiled("a+b")


def test_the_longest_match_wins_and_then_its_parts() -> None:
    match = compiled("(a|ab)(c|bcd)(d*)").search("xabcd")
    assert match is not None
    assert (match.start, match.end) == (1, 5)
    assert [match.group(number) for number in range(4)] == ["abcd", "ab", "c", "d"]


def test_a_search_that_would_never_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("translator.functions.regexp_pattern._TIME_LIMIT", 0.05)
    with pytest.raises(SqlError, match="2201B: regular expression failed: regular expression is too complex"):
        compiled("(a|aa)+$").exists("a" * 60 + "b")


@pytest.mark.parametrize("pattern", ["(" * 5000 + "a" + ")" * 5000, "((((a{255}){255}){255}){255})"])
def test_patterns_that_are_too_large_are_refused(pattern: str) -> None:
    with pytest.raises(SqlError, match="2201B: invalid regular expression: regular expression is too complex"):
        compiled(pattern)

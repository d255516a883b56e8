"""Quoting and splitting of names."""

import pytest

from proxy.pg_catalog.texts import quote_identifier, split_identifier


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("abc", "abc"),
        ("aBc", '"aBc"'),
        ("order", '"order"'),
        ("a b", '"a b"'),
        ('a"b', '"a""b"'),
        ("_x1", "_x1"),
        ("1x", '"1x"'),
    ],
)
def test_quote_identifier(name, quoted):
    assert quote_identifier(name) == quoted


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Abc", ["abc"]),
        ('s."A.b"', ["s", "A.b"]),
        (' a . "b""c" ', ["a", 'b"c']),
        ("", None),
        ("a.", None),
        ('"a', None),
    ],
)
def test_split_identifier(text, parts):
    assert split_identifier(text) == parts

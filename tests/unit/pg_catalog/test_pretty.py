"""The pretty form of stored expressions, recorded from pg_get_expr(…, true) of PostgreSQL 18."""

import pytest

from proxy.pg_catalog.pretty import pretty
from proxy.pg_catalog.texts import quote_identifier, split_identifier


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(x > (0)::numeric)", "x > 0::numeric"),
        ("((b > 0) OR (c IS NULL))", "b > 0 OR c IS NULL"),
        ("((a > 1) AND (b ~~ 'x%'::text))", "a > 1 AND b ~~ 'x%'::text"),
        ("lower((c)::text)", "lower(c::text)"),
        ("((a > 1) AND ((b > 2) OR (c > 3)))", "a > 1 AND (b > 2 OR c > 3)"),
        ("(((a > 1) AND (b > 2)) OR (c > 3))", "a > 1 AND b > 2 OR c > 3"),
        ("'it''s (not) it'::text", "'it''s (not) it'::text"),
        ("nextval('t_id_seq'::regclass)", "nextval('t_id_seq'::regclass)"),
    ],
)
def test_pretty(text, expected):
    assert pretty(text) == expected


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

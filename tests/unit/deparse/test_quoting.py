"""quote_identifier quotes what quote_ident does."""

import psycopg
import pytest

from tests.harness.client import Address
from translator.data import load
from translator.quoting import quote_identifier, quote_string

NAMES = [
    "a",
    "_a1",
    "a$",
    "1a",
    "A",
    "ä",
    "a b",
    'a"b',
    "",
    "select",
    "user",
    "order",
    "left",
    "between",
    "char",
    "name",
    "text",
]
QUOTED = ['"select"', '"user"', '"order"', '"left"', '"between"', '"char"', "name", "text"]


def test_keywords_are_quoted_unless_unreserved() -> None:
    assert [quote_identifier(name) for name in NAMES[-8:]] == QUOTED


def test_only_lower_case_letters_digits_and_underscores_are_safe() -> None:
    assert [quote_identifier(name) for name in NAMES[:9]] == ["a", "_a1", '"a$"', '"1a"', '"A"', '"ä"', '"a b"', '"a""b"', '""']


def test_strings_keep_their_backslashes() -> None:
    assert quote_string("it's a\\b") == "'it''s a\\b'"


@pytest.mark.oracle
def test_every_keyword_is_quoted_as_by_postgresql(oracle: Address) -> None:
    names = [*NAMES, *load("keywords").column("word")]
    with psycopg.connect(oracle.dsn) as connection:
        rows = connection.execute(
            "SELECT quote_ident(name) FROM unnest(%s::text[]) WITH ORDINALITY AS u (name, n) ORDER BY n", [names]
        )
        assert [quote_identifier(name) for name in names] == [text for (text,) in rows]

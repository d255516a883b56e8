"""Numbers: the order that numeric's sort key gives, its storage form, random numbers, and uuids."""

from __future__ import annotations

import random as python_random
import re
from decimal import Decimal
from typing import Any

import apsw
import pytest

from translator.errors import SqlError
from translator.functions.numeric import numeric_sortkey
from translator.functions.registry import IMPLEMENTATIONS
from translator.types.numeric import STORE_TEMPLATE, has_storage_form, load_template, pack_typmod, text_of


def _call(name: str, *arguments: Any) -> Any:
    function = IMPLEMENTATIONS[name].function
    assert function is not None
    return function(*arguments)


def _numbers(count: int) -> list[str]:
    source = python_random.Random(7)
    return [
        text_of(Decimal(source.randrange(-(10 ** source.randrange(1, 30)), 10**12)).scaleb(-source.randrange(20)))
        for _ in range(count)
    ]


def test_sort_key_orders_as_numbers() -> None:
    finite = [*_numbers(3000), "0", "0.00", "1", "1.0", "-1", "-1.25", "-1.2", "-1.3", "1e1".replace("e1", "0")]
    by_key = sorted(finite, key=numeric_sortkey)
    assert [Decimal(text) for text in by_key] == sorted(map(Decimal, finite))
    assert all(
        (numeric_sortkey(a) == numeric_sortkey(b)) == (Decimal(a) == Decimal(b)) for a in finite[-9:] for b in finite[-9:]
    )
    special = ["-Infinity", *by_key, "Infinity", "NaN"]
    assert sorted(special, key=numeric_sortkey) == special


def test_storage_form_is_exact() -> None:
    source = python_random.Random(3)
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (v REAL, expected TEXT)")
    for scale in (1, 2, 6, 15):
        texts = [text_of(Decimal(source.randrange(-(10**15) + 1, 10**15)).scaleb(-scale)) for _ in range(2000)]
        connection.execute("DELETE FROM t")
        connection.executemany("INSERT INTO t VALUES (?1, ?1)", [(text,) for text in [*texts, "NaN"]])
        loaded = load_template(scale).replace("$1", "v")
        assert connection.execute(f"SELECT count(*) FROM t WHERE {loaded} IS NOT expected").fetchall() == [(0,)]
    assert connection.execute(f"SELECT {load_template(2).replace('$1', 'NULL')}").fetchall() == [(None,)]
    assert connection.execute(f"SELECT {STORE_TEMPLATE.replace('$1', '?1')}", ("12.50",)).fetchall() == [(12.5,)]
    assert connection.execute(f"SELECT {STORE_TEMPLATE.replace('$1', '?1')}", ("NaN",)).fetchall() == [("NaN",)]


@pytest.mark.parametrize(
    ("precision", "scale", "stored"),
    [(10, 2, True), (15, 15, True), (15, 0, True), (16, 2, False), (3, -2, False), (3, 5, False)],
)
def test_which_columns_are_stored_as_numbers(precision: int, scale: int, *, stored: bool) -> None:
    assert has_storage_form(pack_typmod(precision, scale)) is stored


def test_a_seed_gives_the_numbers_that_it_gives_in_postgresql() -> None:
    # SELECT setseed(0.5); SELECT random(), …; SELECT random(1, 100), …; SELECT random_normal()
    _call("setseed", 0.5)
    assert [_call("drandom") for _ in range(3)] == [0.9851677175347999, 0.825301858027981, 0.12974610012450416]
    assert [_call("int4random", 1, 100) for _ in range(5)] == [21, 83, 18, 20, 66]
    assert _call("drandom_normal", 0.0, 1.0) == -0.17203184487953266


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("setseed", (2.0,), "setseed parameter 2 is out of allowed range [-1,1]"),
        ("int4random", (5, 1), "lower bound must be less than or equal to upper bound"),
        ("numeric_random", ("NaN", "1"), "lower bound cannot be NaN"),
        ("numeric_random", ("1", "Infinity"), "upper bound cannot be infinity"),
    ],
)
def test_random_refuses(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(SqlError, match=f"22023: {re.escape(message)}"):
        _call(name, *arguments)


def test_uuids() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", _call("gen_random_uuid"))
    ascending = [_call("uuidv7") for _ in range(500)]
    assert ascending == sorted(set(ascending))
    assert _call("uuid_extract_version", ascending[0]) == 7
    assert _call("uuid_extract_timestamp", _call("uuidv7_interval", "1 year")) > _call("uuid_extract_timestamp", ascending[0])

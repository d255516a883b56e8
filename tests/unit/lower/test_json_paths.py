"""`doc -> 'a' ->> 'b'` becomes one look-up by SQLite, and gives what PostgreSQL gives."""

from __future__ import annotations

import pytest

from tests.unit.functions import calls
from translator import compiler
from translator.catalog import Catalog, NoSource
from translator.plan import QueryPlan
from translator.settings import Settings, runtime

DOCUMENT = '{"a": "x", "b": {"c": 12}, "l": [1, "two", {"x": 1.50}], "t": true, "z": null, "d e": 4}'


def _plan(expression: str, type_name: str = "jsonb") -> QueryPlan:
    text = f"SELECT {expression} FROM (VALUES ('{DOCUMENT}'::{type_name})) AS t (v)"
    (statement,) = compiler.parse(text)
    plan = compiler.compile_statement(statement, Catalog(NoSource()), Settings())
    assert isinstance(plan, QueryPlan)
    return plan


@pytest.mark.parametrize(
    ("expression", "path", "expected"),
    [
        ("v ->> 'a'", "$.a", "x"),
        ("v -> 'b' ->> 'c'", "$.b.c", "12"),
        ("v -> 'l' ->> 1", "$.l[1]", "two"),
        ("v -> 'l' -> -1 ->> 'x'", "$.l[#-1].x", "1.50"),
        ("v ->> 'b'", "$.b", '{"c": 12}'),
        ("v ->> 't'", "$.t", "true"),
        ("v ->> 'z'", "$.z", None),
        ("v ->> 'missing'", "$.missing", None),
    ],
)
def test_native_look_up(monkeypatch: pytest.MonkeyPatch, expression: str, path: str, expected: str | None) -> None:
    monkeypatch.setattr(runtime, "settings", Settings())
    sql = _plan(expression).steps[0].sql
    assert f'json_type("t"."column1", \'{path}\')' in sql
    assert calls.connection().execute(sql).fetchall() == [(expected,)]


@pytest.mark.parametrize(
    ("expression", "type_name"),
    [("v ->> 'd e'", "jsonb"), ("v ->> 0", "jsonb"), ("(v || '{}') ->> 'a'", "jsonb"), ("v ->> (v ->> 'a')", "jsonb"), ("v ->> 'a'", "json")],
)  # fmt: skip
def test_functions_do_the_rest(expression: str, type_name: str) -> None:
    assert "object_field_text(" in (sql := _plan(expression, type_name).steps[0].sql) or "array_element_text(" in sql

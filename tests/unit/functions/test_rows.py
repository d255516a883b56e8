"""Set-returning functions against what PostgreSQL 18 answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.functions import calls
from translator.errors import SqlError
from translator.functions.registry import IMPLEMENTATIONS
from translator.settings import Settings, runtime

COMP_COLUMNS = '[["a",23,-1],["b",25,-1]]'

# internal name, argument types and values, column types, rows or (SQLSTATE, message)
CASES: list[tuple[str, list[tuple[str, str | None]], list[str], Any]] = [
    ("json_each", [("json", '{"a" : [1, 2], "b":null,"a":3}')], ["text", "json"], [("a", "[1, 2]"), ("b", "null"), ("a", "3")]),
    ("json_each", [("json", "[1]")], [], ("22023", "cannot deconstruct an array as an object")),
    ("json_each", [("json", "1")], [], ("22023", "cannot deconstruct a scalar")),
    ("json_each_text", [("json", '{"a" : "\\u00e9", "b":null}')], ["text", "text"], [("a", "é"), ("b", None)]),
    ("jsonb_each", [("jsonb", '{"bb":1.50,"a":{"z":1}}')], ["text", "jsonb"], [("a", '{"z": 1}'), ("bb", "1.50")]),
    ("jsonb_each", [("jsonb", "[1]")], [], ("22023", "cannot call jsonb_each on a non-object")),
    ("jsonb_each_text", [("jsonb", '{"a":"x","b":true}')], ["text", "text"], [("a", "x"), ("b", "true")]),
    ("jsonb_each_text", [("jsonb", "1")], [], ("22023", "cannot call jsonb_each_text on a non-object")),
    ("json_object_keys", [("json", '{"a":1,"b":2,"a":3}')], ["text"], [("a",), ("b",), ("a",)]),
    ("json_object_keys", [("json", "[1]")], [], ("22023", "cannot call json_object_keys on an array")),
    ("jsonb_object_keys", [("jsonb", '{"bb":1,"a":2}')], ["text"], [("a",), ("bb",)]),
    ("jsonb_object_keys", [("jsonb", "1")], [], ("22023", "cannot call jsonb_object_keys on a scalar")),
    ("json_array_elements", [("json", '[1, {"a" : 2}, null]')], ["json"], [("1",), ('{"a" : 2}',), ("null",)]),
    ("json_array_elements", [("json", "{}")], [], ("22023", "cannot call json_array_elements on a non-array")),
    ("json_array_elements_text", [("json", '["x", null, 1.0]')], ["text"], [("x",), (None,), ("1.0",)]),
    ("json_array_elements_text", [("json", "1")], [], ("22023", "cannot call json_array_elements_text on a scalar")),
    ("jsonb_array_elements", [("jsonb", '[1, {"b" : 2, "a":1}]')], ["jsonb"], [("1",), ('{"a": 1, "b": 2}',)]),
    ("jsonb_array_elements", [("jsonb", "1")], [], ("22023", "cannot extract elements from a scalar")),
    ("jsonb_array_elements_text", [("jsonb", '["x", null]')], ["text"], [("x",), (None,)]),
    ("jsonb_array_elements_text", [("jsonb", "{}")], [], ("22023", "cannot extract elements from an object")),
    ("jsonb_path_query", [("jsonb", "[1,2,3]"), ("jsonpath", "$[*] ? (@ > 1)"), ("jsonb", "{}"), ("bool", "f")], ["jsonb"], [("2",), ("3",)]),
    ("json_to_record", [("json", '{"a":"5","b":[1, 2]}'), ("text", COMP_COLUMNS)], ["int4", "text"], [("5", "[1, 2]")]),
    ("jsonb_to_record", [("jsonb", "[1]"), ("text", COMP_COLUMNS)], [], ("22023", "cannot call populate_composite on an array")),
    ("jsonb_to_recordset", [("jsonb", '[{"a":1},{"b":true}]'), ("text", COMP_COLUMNS)], ["int4", "text"], [("1", None), (None, "true")]),
    ("jsonb_to_recordset", [("jsonb", "{}"), ("text", COMP_COLUMNS)], [], ("22023", "cannot call jsonb_to_recordset on a non-array")),
    (
        "jsonb_populate_recordset",
        [("comp", "(9,q,)"), ("jsonb", '[{"a":1},{"b":"x"}]')],
        ["int4", "text", "_numeric"],
        [("1", "q", None), ("9", "x", None)],
    ),
    ("json_populate_recordset", [("comp", None), ("json", "[1]"), ("bool", "f")], [], ("22023", "argument of json_populate_recordset must be an array of objects")),
    ("json_populate_recordset", [("comp", None), ("json", "{}"), ("bool", "f")], [], ("22023", "cannot call json_populate_recordset on an object")),
    ("array_unnest", [("_numeric", "{{1.0,2},{NULL,3}}")], ["numeric"], [("1.0",), ("2",), (None,), ("3",)]),
    ("array_unnest", [("_bytea", '{"\\\\x01"}')], ["bytea"], [("\\x01",)]),
    ("array_unnest", [("_float8", "{NaN,-Infinity}")], ["float8"], [("NaN",), ("-Infinity",)]),
    ("generate_subscripts_nodir", [("_int4", "[5:6]={1,2}"), ("int4", "1")], ["int4"], [("5",), ("6",)]),
    ("generate_subscripts_nodir", [("_int4", "{1}"), ("int4", "2")], ["int4"], []),
    ("generate_subscripts", [("_int4", "{1,2}"), ("int4", "1"), ("bool", "t")], ["int4"], [("2",), ("1",)]),
    ("generate_series_int4", [("int4", "1"), ("int4", "3")], ["int4"], [("1",), ("2",), ("3",)]),
    ("generate_series_step_int4", [("int4", "3"), ("int4", "1"), ("int4", "-2")], ["int4"], [("3",), ("1",)]),
    ("generate_series_step_int8", [("int8", "1"), ("int8", "3"), ("int8", "0")], [], ("22023", "step size cannot equal zero")),
    ("multirange_unnest", [("int4multirange", "{[1,2],[5,6]}")], ["int4range"], [("[1,3)",), ("[5,7)",)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "columns", "expected"), CASES)
def test_rows(
    monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[tuple[str, str | None]], columns: list[str], expected: Any
) -> None:
    monkeypatch.setattr(runtime, "settings", Settings())
    monkeypatch.setattr(runtime, "catalog", calls.UserTypes())
    implementation = IMPLEMENTATIONS[name]
    assert implementation.rows is not None
    told = [calls.OIDS[type_name] for type_name, _ in arguments] if implementation.types else []
    values = [calls.stored(*argument) for argument in arguments]
    try:
        found = list(implementation.rows(*told, *values))
    except SqlError as error:
        assert (error.sqlstate, error.message) == expected
        return
    rows = [row if isinstance(row, tuple) else (row,) for row in found]
    assert [tuple(map(calls.shown, columns, row)) for row in rows] == expected

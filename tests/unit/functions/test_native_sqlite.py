"""Templates over SQLite's own functions do what PostgreSQL does: window functions and the paths into jsonb."""

from __future__ import annotations

import re

import apsw
import pytest

from tests.unit.functions import calls
from translator.errors import SqlError
from translator.functions.json_access import native_path
from translator.functions.registry import IMPLEMENTATIONS

ROWS = [(1, 10, 1), (2, 20, None), (3, None, -1), (4, 20, 2), (5, 30, 0)]

# internal name, arguments, frame, PostgreSQL's answers in order of id
WINDOWS = [
    ("window_row_number", [], "ORDER BY id DESC", [5, 4, 3, 2, 1]),
    ("window_rank", [], "ORDER BY x NULLS LAST", [1, 2, 5, 2, 4]),
    ("window_dense_rank", [], "ORDER BY x NULLS LAST", [1, 2, 4, 2, 3]),
    ("window_percent_rank", [], "ORDER BY x NULLS LAST", [0.0, 0.25, 1.0, 0.25, 0.75]),
    ("window_cume_dist", [], "ORDER BY x NULLS LAST", [0.2, 0.6, 1.0, 0.6, 0.8]),
    ("window_ntile", ["2"], "ORDER BY id", [1, 1, 1, 2, 2]),
    ("window_lag", ["x"], "ORDER BY id", [None, 10, 20, None, 20]),
    ("window_lag_with_offset", ["x", "n"], "ORDER BY id", [None, None, 20, 20, 30]),
    ("window_lag_with_offset", ["x", "2"], "ORDER BY id", [None, None, 10, 20, None]),
    ("window_lag_with_offset_and_default", ["x", "n", "id"], "ORDER BY id", [1, None, 20, 20, 30]),
    ("window_lead_with_offset_and_default", ["x", "n", "id"], "ORDER BY id", [20, None, 20, 4, 30]),
    ("window_first_value", ["x"], "ORDER BY id ROWS 1 PRECEDING", [10, 10, 20, None, 20]),
    ("window_last_value", ["x"], "ORDER BY id", [10, 20, None, 20, 30]),
    ("window_nth_value", ["x", "2"], "ORDER BY id", [None, 20, 20, 20, 20]),
    ("window_nth_value", ["x", "NULL"], "ORDER BY id", [None, None, None, None, None]),
]  # fmt: skip


@pytest.fixture(scope="module")
def sqlite() -> apsw.Connection:
    connection = calls.connection()
    connection.execute("CREATE TABLE w (id INTEGER PRIMARY KEY, x, n)")
    connection.executemany("INSERT INTO w VALUES (?, ?, ?)", ROWS)
    return connection


def _windowed(name: str, arguments: list[str], frame: str) -> str:
    """The template with OVER behind SQLite's window function, as lowering puts it."""
    template = IMPLEMENTATIONS[name].template
    assert template is not None
    sql = re.sub(r"\$(\d)", lambda match: f"({arguments[int(match[1]) - 1]})", template)
    over = f" OVER ({frame})"
    return sql.replace("{over}", over) if "{over}" in sql else sql + over


@pytest.mark.parametrize(("name", "arguments", "frame", "expected"), WINDOWS)
def test_window_function(sqlite: apsw.Connection, name: str, arguments: list[str], frame: str, expected: list[object]) -> None:
    found = sqlite.execute(f"SELECT {_windowed(name, arguments, frame)} FROM w ORDER BY id").fetchall()
    assert [value for (value,) in found] == expected


@pytest.mark.parametrize(
    ("name", "arguments", "sqlstate", "message"),
    [
        ("window_ntile", ["0"], "22014", "argument of ntile must be greater than zero"),
        ("window_nth_value", ["x", "0"], "22016", "argument of nth_value must be greater than zero"),
    ],
)
def test_window_function_error(sqlite: apsw.Connection, name: str, arguments: list[str], sqlstate: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        sqlite.execute(f"SELECT {_windowed(name, arguments, 'ORDER BY id')} FROM w").fetchall()
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


DOCUMENT = '{"a": "é\\n\\u0001", "b": {"c": [10, 2.50, true, null, {"d": []}]}, "big": 99999999999999999999, "no": false}'


@pytest.mark.parametrize(
    "steps",
    [
        ["a"], ["b"], ["b", "c"], ["b", "c", 0], ["b", "c", 1], ["b", "c", 2], ["b", "c", 3], ["b", "c", 4, "d"], ["b", "c", -1],
        ["b", "c", 9], ["big"], ["no"], ["missing"], ["a", "x"], ["b", 0],
    ],
)  # fmt: skip
def test_native_path_gives_what_the_function_gives(sqlite: apsw.Connection, steps: list[str | int]) -> None:
    path = native_path(steps)
    assert path is not None
    array = "[" + ",".join(f'"{step}"' for step in steps) + "]"
    native = IMPLEMENTATIONS["jsonb_text_at"].template
    assert native is not None
    document = calls.stored("jsonb", DOCUMENT)
    sql = native.replace("$1", "?1").replace("$2", "?2").replace("$3", "?3")
    ((found,),) = sqlite.execute(f"SELECT {sql}", (document, path, array)).fetchall()
    assert found == IMPLEMENTATIONS["jsonb_extract_path_text"].function(document, array)


@pytest.mark.parametrize("steps", [[0], ["$a"], ["[0]"], ["a b"], [""], ['x"y'], ["é"]])
def test_no_native_path_where_sqlite_reads_it_otherwise(steps: list[str | int]) -> None:
    assert native_path(steps) is None

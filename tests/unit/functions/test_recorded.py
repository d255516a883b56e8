"""Functions against what PostgreSQL 18 answered, recorded in recorded/*.tsv.

A line is: internal name, signature, arguments, answer; the last two are JSON. An answer is a text, null, or the SQLSTATE,
message, detail and hint of an error. For aggregates the arguments are rows, and the answer is followed by the answers over
a moving frame of three rows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.unit.functions import calls
from translator.errors import SqlError
from translator.settings import Settings, runtime

RECORDED = Path(__file__).parent / "recorded"


def _read(file: str) -> dict[str, list[list[Any]]]:
    """The lines of a file by function."""
    found: dict[str, list[list[Any]]] = defaultdict(list)
    for line in (RECORDED / file).read_text(encoding="utf-8").rstrip("\n").split("\n"):
        name, signature, *rest = line.split("\t")
        types, result = signature.split("->")
        found[name].append([types.split(), result.strip(), *map(json.loads, rest)])
    return found


LINES = {name: lines for path in sorted(RECORDED.glob("*.tsv")) for name, lines in _read(path.name).items()}
AGGREGATES = [name for name, lines in LINES.items() if len(lines[0]) == 5]


@pytest.fixture(scope="module")
def sqlite() -> Iterator[apsw.Connection]:
    connection = calls.connection()
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "settings", Settings())
    monkeypatch.setattr(runtime, "catalog", calls.UserTypes())


def _answer(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except SqlError as error:
        return [error.sqlstate, error.message, error.detail, error.hint]


@pytest.mark.parametrize("name", [name for name in LINES if name not in AGGREGATES])
def test_function(sqlite: apsw.Connection, name: str) -> None:
    for types, result, values, expected in LINES[name]:
        assert _answer(calls.call, sqlite, name, types, values, result) == expected, values


@pytest.mark.parametrize("name", AGGREGATES)
def test_aggregate(sqlite: apsw.Connection, name: str) -> None:
    for types, result, rows, expected, moving in LINES[name]:
        answer = _answer(calls.aggregate, sqlite, name, types, rows, result)
        if isinstance(answer, list):
            assert answer == expected, rows
            continue
        assert answer[0] == expected, rows
        assert answer[1] is None or answer[1] == moving, rows

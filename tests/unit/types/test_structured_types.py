"""json, arrays, enums, domains and composite types against what PostgreSQL 18 answered, recorded in recorded/*.tsv.

A line is: type, input text, answer, binary form; all but the type in JSON. An answer is the output text, or the SQLSTATE,
message, detail and context of an error; the binary form is in hexadecimal, null for errors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.functions import calls
from translator.errors import SqlError
from translator.settings import Settings, runtime
from translator.types.composite import Record
from translator.types.registry import builtin, type_of

LINES = [
    line.split("\t")
    for path in sorted((Path(__file__).parent / "recorded").glob("*.tsv"))
    for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n")
]
SETTINGS = Settings()


@pytest.fixture(autouse=True)
def user_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "catalog", calls.UserTypes())


@pytest.mark.parametrize("type_name", sorted({line[0] for line in LINES}))
def test_input_output_send_receive(type_name: str) -> None:
    for text, answer, binary in (map(json.loads, line[1:]) for line in LINES if line[0] == type_name):
        assert _answer(type_name, text) == (answer, binary), text


def _answer(type_name: str, text: str) -> tuple[Any, str | None]:
    type = type_of(calls.OIDS[type_name])
    try:
        stored = type.input(text, SETTINGS)
    except SqlError as error:
        return [error.sqlstate, error.message, error.detail, error.where], None
    sent = type.send(stored, SETTINGS)
    if type_name not in {"comp", "comp2", "_comp", "_mood"}:
        assert type.receive(sent, SETTINGS) == stored
    return type.output(stored, SETTINGS), sent.hex()


@pytest.mark.parametrize(
    ("data", "sqlstate", "message"),
    [
        (b"", "08P01", "insufficient data left in message"),
        (b"\xff\xff\xff\xff" + b"\0" * 8, "22P03", "invalid number of dimensions: -1"),
        (b"\0\0\0\7" + b"\0" * 8, "54000", "number of array dimensions (7) exceeds the maximum allowed (6)"),
        (b"\0\0\0\0\0\0\0\2\0\0\0\x17", "22P03", "invalid array flags"),
        (
            b"\0\0\0\0\0\0\0\0\0\0\0\x19",
            "42804",
            "binary data has array element type 25 (text) instead of expected 23 (integer)",
        ),
    ],
)
def test_array_receive_errors(data: bytes, sqlstate: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        builtin(1007).receive(data, SETTINGS)
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


def test_record_keeps_types_values_and_names() -> None:
    record = builtin(2249)
    assert isinstance(record, Record)
    stored = record.encode([(23, 1), (25, 'a "b"', "name"), (17, b"\x01\xff"), (701, float("inf")), (1700, None)])
    assert record.output(stored, SETTINGS) == '(1,"a ""b""","\\\\x01ff",Infinity,)'
    assert [attribute.name for attribute, _ in record.items(stored)] == ["f1", "name", "f3", "f4", "f5"]
    assert record.send(stored, SETTINGS)[:16].hex() == "00000005000000170000000400000001"


def test_records_are_not_read() -> None:
    with pytest.raises(SqlError, match="input of anonymous composite types is not implemented"):
        builtin(2249).input("(1)", SETTINGS)

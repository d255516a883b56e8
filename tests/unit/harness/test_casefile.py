"""Reading and writing case files, lifting literals, and the text of a row."""

from pathlib import Path

import pytest

from proxy.wire.frontend import Bind, Parse, Sync
from tests.harness import casefile, compare
from tests.harness.lift import lift
from tests.harness.runner import message

TEXT = """\
# a topic

query rowsort on other
SELECT 1

FROM t
----
a:int4
1

error
SELECT x
----
42703 column "x" does not exist
divergence said otherwise
0A000 x is not supported
"""


def test_a_file_is_read_into_cases(tmp_path: Path) -> None:
    path = tmp_path / "topic.test"
    path.write_text(TEXT)
    first, second = casefile.read(path).cases
    assert (first.directive, sorted(first.options), first.session) == ("query", ["rowsort"], "other")
    assert first.input == "SELECT 1\n\nFROM t"
    assert first.expected == ["a:int4", "1"]
    assert second.expected_of("postgres") == ['42703 column "x" does not exist']
    assert second.expected_of("litephant") == ["0A000 x is not supported"]
    assert second.where == "topic.test:11"


def test_recording_changes_nothing_but_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "topic.test"
    path.write_text(TEXT)
    file = casefile.read(path)
    file.cases[0].expected[:] = ["a:int8", "2"]
    file.write()
    assert path.read_text() == TEXT.replace("a:int4\n1", "a:int8\n2")


@pytest.mark.parametrize("text", ["query\nSELECT 1\n", "quarry\nSELECT 1\n----\n", "query fast\nSELECT 1\n----\n"])
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.test"
    path.write_text(text)
    with pytest.raises(casefile.CaseFileError, match=r"wrong\.test:1"):
        casefile.read(path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "NULL"), ("NULL", '"NULL"'), ("", '""'), (" a", '" a"'), ("a b", "a b"), ("a|b", '"a|b"'), ('"', '"\\""')],
)
def test_a_cell_is_never_ambiguous(value: str | None, shown: str) -> None:
    assert compare.cell(value) == shown


def test_user_oids_are_forgiven_and_no_others() -> None:
    assert compare.cell("16384", 26) == "<oid>"
    assert compare.cell("16383", 26) == "16383"
    assert compare.cell("16384", 23) == "16384"


@pytest.mark.parametrize(
    ("text", "lifted"),
    [
        ("SELECT 'é', a FROM t WHERE b = 1.5 ORDER BY 1, f(2)", "SELECT $1, a FROM t WHERE b = $2 ORDER BY 1, f($3)"),
        ("SELECT -1, 'x'::date, date '2024-01-01'", "SELECT $1, $2::date, date '2024-01-01'"),
        ("SELECT a::numeric(5,2) FROM t FETCH NEXT ROW ONLY", None),
        ("CREATE TABLE t (a int DEFAULT 1)", None),
        ("SELEC 1", None),
    ],
)
def test_literals_are_lifted(text: str, lifted: str | None) -> None:
    result = lift(text)
    assert (result.text if result else None) == lifted


def test_messages_are_written_as_json() -> None:
    assert message("Sync") == Sync()
    assert message('Parse {"query": "SELECT 1", "parameter_types": [23]}') == Parse("", "SELECT 1", (23,))
    bind = message('Bind {"parameters": ["1", null, {"hex": "00ff"}], "result_formats": [1]}')
    assert bind == Bind("", "", (), [b"1", None, b"\x00\xff"], (1,))

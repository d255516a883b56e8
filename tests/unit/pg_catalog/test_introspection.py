"""What psql and ORMs ask about the objects of one schema, answered as PostgreSQL 18 answers: recorded from it.

A query, `----`, the rows in any order: values separated by |, ∅ for NULL, ⏎ for a line break.
"""

from pathlib import Path

import pytest

from tests.unit.ddl.database import Database

_FOLDER = Path(__file__).parent / "cases"
_BLOCKS = (_FOLDER / "introspection.txt").read_text(encoding="utf-8").strip().split("\n\n")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    made = Database(tmp_path_factory.mktemp("introspection") / "test.db")
    answer = made.run((_FOLDER / "schema.sql").read_text(encoding="utf-8"))
    assert "ERROR" not in answer, answer
    yield made
    made.close()


@pytest.mark.parametrize("block", _BLOCKS, ids=lambda block: " ".join(block.partition("\n----\n")[0].split())[:60])
def test_answers_like_postgresql(database, block):
    query, _, expected = block.partition("\n----\n")
    rows = ("|".join("∅" if value is None else value.replace("\n", "⏎") for value in row) for row in database.rows(query))
    assert sorted(rows) == (expected.split("\n") if expected else [])

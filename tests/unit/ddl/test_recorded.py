"""Definitions and their mistakes, answered as PostgreSQL 18 answers them: the expectations were recorded from it.

A file is a script for one database. A statement, `----`, the notices and the command tag or error, an empty line.
"""

from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_answers_like_postgresql(database, path):
    for number, block in enumerate(path.read_text(encoding="utf-8").strip().split("\n\n")):
        statement, _, expected = block.partition("\n----\n")
        assert database.run(statement) == expected, f"{path.name}, statement {number + 1}: {statement}"

"""The generated files against a PostgreSQL made from the wheel."""

import pytest

from translator.data import generate, loader


@pytest.mark.oracle
def test_the_stored_files_are_what_postgresql_has(capsys):
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_difference_is_shown_and_counts_as_failure(capsys):
    stored = {f"data/catalog/{path.name}": path.read_text() for path in loader._CATALOG.iterdir() if path.suffix != ".py"}
    changed = dict(stored)
    changed["data/catalog/pg_am.tsv"] = stored["data/catalog/pg_am.tsv"].replace("\theap\t", "\tpile\t")
    stored_files = {path: text for path, text in stored.items() if path.startswith("data/catalog/")}
    assert generate._compare(stored_files) == 0
    capsys.readouterr()
    assert generate._compare(changed) == 1
    assert "+2\tpile\t3\tt" in capsys.readouterr().out


def test_a_stored_file_that_the_server_does_not_give_is_a_difference(capsys):
    stored = {f"data/catalog/{path.name}": path.read_text() for path in loader._CATALOG.iterdir() if path.suffix != ".py"}
    del stored["data/catalog/pg_am.tsv"]
    assert generate._compare(stored) == 1
    assert "-2\theap\t3\tt" in capsys.readouterr().out


def test_the_digest_does_not_depend_on_order_but_on_content():
    assert generate.digest({"a.tsv": "1", "b.tsv": "2"}) == generate.digest({"b.tsv": "2", "a.tsv": "1"})
    assert generate.digest({"a.tsv": "1", "b.tsv": "2"}) != generate.digest({"a.tsv": "2", "b.tsv": "1"})
    assert generate.digest({"a.tsv": "1", "notes.txt": "2"}) == generate.digest({"a.tsv": "1"})

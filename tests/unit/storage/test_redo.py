"""A transaction that steps aside: its log, and what replaying it makes of others' commits meanwhile."""

import pytest

from proxy.storage import redo
from proxy.storage.redo import replay
from translator.errors import SqlError

SCHEMA = """
CREATE TABLE parent (id INTEGER PRIMARY KEY NOT NULL, name TEXT UNIQUE);
CREATE TABLE child (parent INTEGER REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, "rowid" TEXT);
CREATE TABLE computed (a INTEGER, b AS (a + 1));
INSERT INTO parent VALUES (1, 'one'), (2, 'two');
INSERT INTO child VALUES (1, 'first'), (2, 'second');
"""


@pytest.fixture
def writer(connection):
    connection.execute(SCHEMA)
    connection.track_rows()
    return connection


def aside(writer, *statements):
    """Execute statements in a transaction, roll it back, and give its log."""
    writer.start_writing()
    for statement in statements:
        writer.execute(statement)
    log = writer.changed.redo
    writer.changed.redo = redo.RedoLog()
    writer.rollback()
    return log


def again(writer, log):
    writer.start_writing()
    replay(writer, log)
    return writer


def rows(connection, table):
    return connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()


def test_all_changes_are_done_again(writer):
    log = aside(
        writer,
        "INSERT INTO parent VALUES (3, 'three'), (4, 'four')",
        "INSERT INTO child VALUES (3, 'third')",
        "UPDATE parent SET id = 30, name = 'thirty' WHERE id = 3",
        "DELETE FROM parent WHERE id = 1",
        "UPDATE child SET \"rowid\" = 'changed' WHERE parent = 2",
    )
    assert rows(writer, "parent") == [(1, "one"), (2, "two")]
    again(writer, log).commit()
    assert rows(writer, "parent") == [(2, "two"), (4, "four"), (30, "thirty")]
    assert rows(writer, "child") == [(2, "changed"), (30, "third")]


def test_a_transaction_can_step_aside_twice(writer):
    log = aside(writer, "INSERT INTO child VALUES (1, 'new')", "UPDATE parent SET id = 10 WHERE id = 1")
    again(writer, log).execute("INSERT INTO child VALUES (2, 'newer')")
    log = writer.changed.redo
    writer.changed.redo = redo.RedoLog()
    writer.rollback()
    again(writer, log).commit()
    assert rows(writer, "child") == [(2, "newer"), (2, "second"), (10, "first"), (10, "new")]


def test_a_row_whose_place_is_taken_moves(writer):
    log = aside(
        writer,
        "INSERT INTO child VALUES (1, 'mine')",
        "UPDATE child SET \"rowid\" = 'still mine' WHERE \"rowid\" = 'mine'",
        "INSERT INTO child VALUES (1, 'gone')",
        "DELETE FROM child WHERE \"rowid\" = 'gone'",
    )
    writer.execute("INSERT INTO child VALUES (2, 'yours'), (2, 'yours too')")
    again(writer, log).commit()
    assert rows(writer, "child") == [(1, "first"), (1, "still mine"), (2, "second"), (2, "yours"), (2, "yours too")]


def test_savepoints_are_set_again(writer):
    writer.start_writing()
    writer.savepoint("s1")
    writer.execute("INSERT INTO parent VALUES (3, 'three')")
    writer.savepoint("s2")
    writer.savepoint("s3")
    writer.execute("INSERT INTO parent VALUES (4, 'four')")
    writer.savepoint("s4")
    writer.release("s3")
    writer.execute("INSERT INTO parent VALUES (5, 'five')")
    writer.savepoint("s3")
    log = writer.changed.redo
    writer.changed.redo = redo.RedoLog()
    writer.rollback()
    again(writer, log)
    writer.rollback_to("s3")
    assert len(rows(writer, "parent")) == 5
    writer.rollback_to("s2")
    assert rows(writer, "parent") == [(1, "one"), (2, "two"), (3, "three")]
    writer.rollback_to("s1")
    assert writer.changed.redo.changes == []
    writer.commit()
    assert rows(writer, "parent") == [(1, "one"), (2, "two")]


def test_what_a_savepoint_took_back_is_not_done_again(writer):
    writer.start_writing()
    writer.savepoint("s1")
    writer.execute("INSERT INTO parent VALUES (3, 'three')")
    writer.rollback_to("s1")
    writer.execute("INSERT INTO parent VALUES (4, 'four')")
    assert [change[2] for change in writer.changed.redo.changes] == [4]
    writer.rollback()


@pytest.mark.parametrize(
    "meanwhile",
    [
        "INSERT INTO parent VALUES (3, 'others')",  # the key
        "INSERT INTO parent VALUES (5, 'three')",  # a unique column
        "DELETE FROM parent WHERE id = 2",  # what a row refers to
    ],
)
def test_what_others_would_have_waited_for_is_a_deadlock(writer, meanwhile):
    log = aside(writer, "INSERT INTO parent VALUES (3, 'three')", "INSERT INTO child VALUES (2, 'refers')")
    writer.execute(meanwhile)
    with pytest.raises(SqlError) as caught:
        again(writer, log)
    assert caught.value.sqlstate == "40P01"
    writer.rollback()


def test_rows_that_refer_to_each_other(writer):
    writer.execute("CREATE TABLE tree (id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree)")
    log = aside(writer, "INSERT INTO tree VALUES (1, 2), (2, 1)")
    again(writer, log).commit()
    assert rows(writer, "tree") == [(1, 2), (2, 1)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO computed (a) VALUES (1)",
        "WITH RECURSIVE c (x) AS (VALUES (10) UNION ALL SELECT x + 1 FROM c LIMIT 6) INSERT INTO parent SELECT x, x FROM c",
        'CREATE TABLE "litephant.made" (a); INSERT INTO "litephant.made" VALUES (1)',
    ],
)
def test_no_log_of_what_it_cannot_tell(writer, monkeypatch, statement):
    monkeypatch.setattr(redo, "MOST_CHANGES", 5)
    assert not aside(writer, statement).complete


def test_no_log_of_a_transaction_that_began_without_one(connection):
    connection.execute(SCHEMA)
    connection.start_writing()
    connection.savepoint("s1")
    connection.track_rows()
    connection.execute("INSERT INTO parent VALUES (3, 'three')")
    connection.rollback_to("s1")
    connection.release("s1")
    assert not connection.changed.redo.complete
    connection.rollback()

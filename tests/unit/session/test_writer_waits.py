"""The wait for the writer: everything that can end it, and what a transaction keeps when it steps aside."""

import pytest

from proxy.wire import frontend
from proxy.wire.message import CopyData, CopyDone
from tests.harness.conversation import brief

INSERT = "INSERT INTO t VALUES (1)"


@pytest.fixture
def pair(talk):
    """Two sessions; the first one writes."""
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    first.query(f"BEGIN; {INSERT}")
    return first, second


def wait(conversation, sql=INSERT):
    """Send what has to wait for the writer."""
    conversation.feed(frontend.Query(sql).encode())
    conversation.wait_for(lambda: conversation.connection.session.connections.waiting is not None)


def end(conversation):
    conversation.settle()
    return brief(conversation.answers())


@pytest.mark.parametrize(
    ("limit", "error"),
    [("lock_timeout", "ERROR 55P03"), ("statement_timeout", "ERROR 57014")],
)
def test_it_ends_with_a_limit(pair, limit, error):
    first, second = pair
    second.query(f"SET {limit} = 20")
    assert brief(second.query(f"BEGIN; SAVEPOINT a; {INSERT}")) == ["BEGIN", "SAVEPOINT", error, "E"]
    assert brief(second.query("ROLLBACK TO a; SELECT count(*) FROM t; COMMIT"))[2:] == ["(0)", "SELECT 1", "COMMIT", "I"]
    first.query("COMMIT")
    assert brief(second.query(INSERT)) == ["INSERT 0 1", "I"]


def test_it_ends_with_the_transactions_limit(pair):
    _, second = pair
    second.query("SET transaction_timeout = 30")
    second.feed(frontend.Query(INSERT).encode())
    second.wait_for(lambda: second.transport.closing)
    [error] = second.answers()
    assert (error.severity, error.code) == ("FATAL", "25P04")


@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
def test_it_is_ended_by_another_session(pair, function):
    first, second = pair
    wait(second)
    process_id = second.connection.session.process_id
    assert brief(first.query(f"SELECT {function}({process_id})"))[1] == "(t)"
    if function == "pg_cancel_backend":
        assert end(second) == ["ERROR 57014", "I"]
        first.query("COMMIT")
        assert brief(second.query(INSERT)) == ["INSERT 0 1", "I"]
    else:
        second.wait_for(lambda: second.transport.closing)
        assert brief(second.answers()) == ["FATAL 57P01"]


def test_a_client_that_goes_away_leaves_the_queue(pair, talk):
    first, second = pair
    third = talk()
    wait(second)
    wait(third)
    second.disconnect()
    first.query("COMMIT")
    assert end(third) == ["INSERT 0 1", "I"]
    assert brief(first.query("SELECT count(*) FROM t"))[1] == "(2)"


def test_a_writer_that_goes_away_lets_others_write(pair):
    first, second = pair
    wait(second)
    first.disconnect()
    assert end(second) == ["INSERT 0 1", "I"]
    assert brief(second.query("SELECT count(*) FROM t"))[1] == "(1)"


def test_the_queue_is_fair(pair, talk):
    first, second = pair
    others = [second, talk(), talk()]
    for number, other in enumerate(others):
        wait(other, f"INSERT INTO t VALUES ({number}) RETURNING (SELECT count(*) FROM t)")
    first.query("COMMIT")
    assert [end(other)[1] for other in others] == ["(1)", "(2)", "(3)"]


def test_it_shows(pair):
    first, second = pair
    wait(second)
    process_id = second.connection.session.process_id
    seen = f"SELECT state, wait_event_type, wait_event, query FROM pg_stat_activity WHERE pid = {process_id}"
    assert brief(first.query(seen))[1] == f"(active,Lock,transactionid,{INSERT})"
    held = "SELECT pid, locktype, mode, granted FROM pg_locks WHERE locktype = 'object' ORDER BY granted DESC"
    own = first.connection.session.process_id
    assert brief(first.query(held))[1:3] == [f"({own},object,ExclusiveLock,t)", f"({process_id},object,ExclusiveLock,f)"]
    assert brief(first.query(f"SELECT pg_blocking_pids({process_id})"))[1] == f"({{{own}}})"
    first.query("COMMIT")
    second.settle()


# Stepping aside


@pytest.fixture
def aside(talk):
    """The second session has written, and waits for a row of the first one's."""
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    first.query("SELECT * FROM t FOR UPDATE")  # from now on rows are tracked
    first.query("BEGIN; SELECT * FROM t WHERE a = 1 FOR UPDATE")
    second.query("BEGIN; UPDATE t SET b = 20 WHERE a = 2; SAVEPOINT a; UPDATE t SET b = 30 WHERE a = 3")
    second.feed(frontend.Query("UPDATE t SET b = 10 WHERE a = 1").encode())
    second.wait_for(lambda: second.connection.session.locks.owner.wait is not None)
    return first, second


def test_who_is_canceled_meanwhile_has_its_savepoints(aside):
    first, second = aside
    process_id = second.connection.session.process_id
    first.query(f"SELECT pg_cancel_backend({process_id})")
    assert end(second) == ["ERROR 57014", "E"]
    assert brief(second.query("ROLLBACK TO a; SELECT b FROM t ORDER BY a; COMMIT"))[2:5] == ["(1)", "(20)", "(3)"]


def test_who_goes_away_meanwhile_leaves_nothing(aside, instance):
    first, second = aside
    second.disconnect()
    assert brief(first.query("UPDATE t SET b = b + 1; COMMIT; SELECT b FROM t ORDER BY a"))[-5:-2] == ["(2)", "(3)", "(4)"]
    assert instance.locks.rows == {}


def test_the_first_row_lock_of_a_database_is_on_a_new_table(session):
    answers = brief(session.query("BEGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1); SELECT * FROM t FOR UPDATE"))
    assert answers[-3:] == ["(1)", "SELECT 1", "T"]


def test_sequences_go_on(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a serial, b int); INSERT INTO t (b) VALUES (1); SELECT * FROM t FOR UPDATE")
    first.query("BEGIN; SELECT * FROM t WHERE b = 1 FOR UPDATE")
    second.query("BEGIN; INSERT INTO t (b) VALUES (2)")
    second.feed(frontend.Query("UPDATE t SET b = 10 WHERE b = 1").encode())
    second.wait_for(lambda: second.connection.session.locks.owner.wait is not None)
    assert brief(first.query("INSERT INTO t (b) VALUES (3) RETURNING a"))[1] == "(3)"
    first.query("COMMIT")
    second.settle()
    second.query("COMMIT")
    assert brief(first.query("SELECT a, b FROM t ORDER BY a"))[1:4] == ["(1,10)", "(2,2)", "(3,3)"]
    database = first.connection.session.database
    reader = database.take_reader()
    [(mark,)] = reader.execute('SELECT last_value FROM "litephant.sequence"')
    database.give_reader(reader)
    assert mark >= 3


# A write that is interrupted, which SQLite answers by rolling everything back


def test_an_interrupted_write_leaves_the_savepoints(session):
    session.query("CREATE TABLE t (a int); INSERT INTO t SELECT * FROM generate_series(1, 10)")
    session.query("SELECT * FROM t FOR UPDATE")  # from now on rows are tracked
    session.query("BEGIN; INSERT INTO t VALUES (11); SAVEPOINT a; INSERT INTO t VALUES (12); SAVEPOINT b")
    session.query("SET LOCAL statement_timeout = '30ms'")
    slow = "INSERT INTO t SELECT n FROM generate_series(1, 100000000) AS n"
    assert brief(session.query(slow)) == ["ERROR 57014", "E"]
    assert brief(session.query("ROLLBACK TO b; SELECT count(*) FROM t"))[2:] == ["(12)", "SELECT 1", "T"]
    session.query("INSERT INTO t VALUES (13)")
    assert brief(session.query("ROLLBACK TO a; SELECT count(*) FROM t; COMMIT"))[2] == "(11)"
    assert brief(session.query("SELECT count(*) FROM t"))[1] == "(11)"


def test_copy_takes_data_after_it_has_waited(pair):
    first, second = pair
    wait(second, "COPY t FROM STDIN")
    assert second.answers() == []
    first.query("COMMIT")
    assert end(second) == ["CopyInResponse"]
    assert brief(second.send(CopyData(b"1\n"), CopyData(b"2\n"), CopyDone())) == ["COPY 2", "I"]


def test_every_copy_of_a_query_string_takes_data(session):
    session.query("CREATE TABLE t (a int)")
    assert brief(session.query("COPY t FROM STDIN; COPY t FROM STDIN")) == ["CopyInResponse"]
    assert brief(session.send(CopyData(b"1\n"), CopyDone())) == ["COPY 1", "CopyInResponse"]
    assert brief(session.send(CopyData(b"2\n"), CopyDone())) == ["COPY 1", "I"]


def test_who_waited_gets_no_connection_that_has_become_another_ones(pair):
    first, second = pair
    wait(second, "CREATE TEMP TABLE scratch (b text); INSERT INTO scratch VALUES ('mine')")
    first.query("CREATE TEMP TABLE scratch (a int)")  # so the connection that it writes on is its own from now on
    first.query("COMMIT")
    assert end(second) == ["CREATE TABLE", "INSERT 0 1", "I"]
    assert "(0)" in brief(first.query("SELECT count(*) FROM scratch"))
    assert "(mine)" in brief(second.query("SELECT b FROM scratch"))

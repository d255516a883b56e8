"""Sessions, driven by messages. The expected answers are PostgreSQL 18.4's, shortened by `brief`."""

import pytest

from proxy.wire import frontend
from proxy.wire.backend import ErrorResponse
from proxy.wire.message import CopyData, CopyDone
from tests.harness.conversation import brief

PARSE, BIND, EXECUTE, DESCRIBE, CLOSE, SYNC = (
    frontend.Parse,
    frontend.Bind,
    frontend.Execute,
    frontend.Describe,
    frontend.Close,
    frontend.Sync,
)


@pytest.fixture
def session(talk):
    return talk()


def ask(session, *messages):
    return brief(session.send(*messages, SYNC()))


def error_of(answers) -> ErrorResponse:
    [error] = [each for each in answers if isinstance(each, ErrorResponse)]
    return error


# Simple query


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", ["EmptyQueryResponse", "I"]),
        (" ;; -- x", ["EmptyQueryResponse", "I"]),
        ("SELECT 1; SELECT 2", ["RowDescription", "(1)", "SELECT 1", "RowDescription", "(2)", "SELECT 1", "I"]),
        ("BEGIN; SELECT nosuch; COMMIT", ["BEGIN", "ERROR 42703", "E"]),
        ("SELECT 1; SAVEPOINT a", ["RowDescription", "(1)", "SELECT 1", "ERROR 25P01", "I"]),
        ("COMMIT", ["WARNING 25P01", "COMMIT", "I"]),
        ("BEGIN; BEGIN", ["BEGIN", "WARNING 25001", "BEGIN", "T"]),
        ("SELECT 1; VACUUM", ["RowDescription", "(1)", "SELECT 1", "ERROR 25001", "I"]),
        ("CREATE DATABASE x; SELECT 1", ["ERROR 25001", "I"]),
        ("SELECT $1", ["ERROR 42P02", "I"]),
        ("BEGIN READ ONLY; CREATE TABLE r (a int)", ["BEGIN", "ERROR 25006", "E"]),
        ("SET LOCAL work_mem = '1MB'", ["WARNING 25P01", "SET", "I"]),
        ("SET timezone = 'Asia/Tokyo'", ["SET", "ParameterStatus", "I"]),
        ("DECLARE c CURSOR FOR SELECT 1", ["ERROR 25P01", "I"]),
        ("FETCH c", ["ERROR 34000", "I"]),
        ("EXECUTE p", ["ERROR 26000", "I"]),
        (
            "LISTEN a; NOTIFY a, 'p'; SELECT 1",
            ["LISTEN", "NOTIFY", "RowDescription", "(1)", "SELECT 1", "NotificationResponse", "I"],
        ),
        ("DO 'x'", ["ERROR 0A000", "I"]),
    ],
)
def test_simple_query(session, sql, expected):
    assert brief(session.query(sql)) == expected


def test_an_error_undoes_the_whole_string(session):
    session.query("CREATE TABLE t (a int PRIMARY KEY)")
    assert brief(session.query("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)")) == ["INSERT 0 1", "ERROR 23505", "I"]
    assert brief(session.query("SELECT * FROM t")) == ["RowDescription", "SELECT 0", "I"]


def test_a_plan_that_fails_keeps_nothing_of_where_it_failed(session, instance):
    for _ in range(2):
        assert brief(session.query("SELECT 1 / 0")) == ["ERROR 22012", "I"]
    [failure] = [plan.failure for _, _, plan in instance.cached_plans() if plan.failure is not None]
    assert failure.__traceback__ is failure.__context__ is None


def test_positions_count_characters(session):
    error = error_of(session.query("SELECT 'ääää', nosuch"))
    assert error.position == "16"


def test_an_internal_error_is_logged_and_named_so(session, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("proxy.session.compilation.Compilation.section", fail)
    answers = session.query("SELECT 1")
    assert error_of(answers).code == "XX000"
    assert "ZeroDivisionError" in caplog.text


# Extended query


def test_parse_bind_describe_execute(session):
    assert ask(
        session,
        PARSE("s", "SELECT $1::int + 1", ()),
        DESCRIBE("S", "s"),
        BIND("", "s", (), [b"41"], ()),
        DESCRIBE("P", ""),
        EXECUTE("", 0),
        CLOSE("S", "s"),
    ) == [
        "ParseComplete", "ParameterDescription", "RowDescription", "BindComplete", "RowDescription", "(42)", "SELECT 1",
        "CloseComplete", "I",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "code", "text"),
    [
        ([BIND("", "nope")], "26000", 'prepared statement "nope" does not exist'),
        ([DESCRIBE("S", "")], "26000", "unnamed prepared statement does not exist"),
        ([DESCRIBE("P", "nope")], "34000", 'portal "nope" does not exist'),
        ([EXECUTE("")], "34000", 'portal "" does not exist'),
        ([PARSE("a", "SELECT 1"), PARSE("a", "SELECT 2")], "42P05", 'prepared statement "a" already exists'),
        ([PARSE("a", "SELECT 1"), BIND("p", "a"), BIND("p", "a")], "42P03", 'cursor "p" already exists'),
        ([PARSE("", "SELECT 1; SELECT 2")], "42601", "cannot insert multiple commands into a prepared statement"),
        (
            [PARSE("", "SELECT $1::int, $2::int"), BIND("", "", (), [b"1"])],
            "08P01",
            'bind message supplies 1 parameters, but prepared statement "" requires 2',
        ),
        (
            [PARSE("", "SELECT $1::int, $2::int"), BIND("", "", (0, 0, 0), [b"1", b"2"])],
            "08P01",
            "bind message has 3 parameter formats but 2 parameters",
        ),
        (
            [PARSE("", "SELECT 1, 2"), BIND("", "", (), [], (0, 0, 1))],
            "08P01",
            "bind message has 3 result formats but query has 2 columns",
        ),
        ([PARSE("", "SELECT 1"), BIND("", "", (), [], (5,)), EXECUTE("")], "22023", "unsupported format code: 5"),
        ([PARSE("", "SET a.b = 1"), BIND("", ""), EXECUTE(""), EXECUTE("")], "55000", 'portal "" cannot be run'),
    ],
)
def test_refused(session, messages, code, text):
    error = error_of(session.send(*messages, SYNC()))
    assert (error.code, error.message) == (code, text)


def test_everything_up_to_sync_is_skipped(session):
    assert ask(session, PARSE("", "SELECT nosuch"), BIND("", ""), EXECUTE(""), CLOSE("S", "")) == ["ERROR 42703", "I"]
    assert ask(session, PARSE("", "SELECT 1")) == ["ParseComplete", "I"]


def test_rows_in_portions(session):
    assert ask(session, PARSE("g", "SELECT * FROM generate_series(1, 5)"), BIND("", "g"), *[EXECUTE("", 2)] * 4)[2:] == [
        "(1)",
        "(2)",
        "PortalSuspended",
        "(3)",
        "(4)",
        "PortalSuspended",
        "(5)",
        "SELECT 1",
        "SELECT 0",
        "I",
    ]
    assert ask(session, BIND("", "g"), EXECUTE("", 5), EXECUTE("", 5))[6:] == ["PortalSuspended", "SELECT 0", "I"]


def test_a_large_result_in_portions(session):
    session.query("BEGIN")
    session.send(PARSE("g", "SELECT * FROM generate_series(1, 1000)"), BIND("p", "g"), SYNC())
    seen = []
    while True:
        answers = ask(session, EXECUTE("p", 300))
        seen += [row for row in answers if row.startswith("(")]
        if "PortalSuspended" not in answers:
            break
    assert seen == [f"({number})" for number in range(1, 1001)]


def test_a_pipeline_is_one_transaction(session):
    session.query("CREATE TABLE t (a int PRIMARY KEY)")
    insert = [PARSE("", "INSERT INTO t VALUES (1)"), BIND("", ""), EXECUTE("")]
    assert ask(session, *insert, *insert)[-2:] == ["ERROR 23505", "I"]
    assert brief(session.query("SELECT count(*) FROM t"))[1] == "(0)"
    assert ask(session, *insert)[-2:] == ["INSERT 0 1", "I"]


def test_returning_in_portions_is_run_once(session):
    session.query("CREATE TABLE t (a int)")
    answers = ask(
        session, PARSE("", "INSERT INTO t VALUES (1), (2), (3) RETURNING a"), BIND("", ""), EXECUTE("", 2), EXECUTE("", 2)
    )
    assert answers[2:] == ["(1)", "(2)", "PortalSuspended", "(3)", "INSERT 0 1", "I"]
    assert brief(session.query("SELECT count(*) FROM t"))[1] == "(3)"


def test_a_changed_result_type(session):
    session.query("CREATE TABLE t (a int)")
    session.send(PARSE("s", "SELECT * FROM t"), SYNC())
    session.query("ALTER TABLE t ADD b int")
    error = error_of(session.send(BIND("", "s"), SYNC()))
    known = (error.code, error.message, error.routine)
    assert known == ("0A000", "cached plan must not change result type", "RevalidateCachedQuery")


def test_only_the_end_is_taken_in_a_failed_block(session):
    session.send(PARSE("s", "SELECT 1"), PARSE("r", "ROLLBACK"), SYNC())
    session.query("BEGIN; SELECT nosuch")
    for messages in ([PARSE("", "SELECT 1")], [BIND("", "s")], [DESCRIBE("S", "s")]):
        assert ask(session, *messages) == ["ERROR 25P02", "E"]
    assert ask(session, BIND("", "r"), EXECUTE("")) == ["BindComplete", "ROLLBACK", "I"]


# Transactions


def test_savepoints_undo_rows_and_settings(session):
    session.query("CREATE TABLE t (a int)")
    session.query("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s; INSERT INTO t VALUES (2); SET timezone = 'Asia/Tokyo'")
    assert brief(session.query("SELECT nosuch"))[-1] == "E"
    assert brief(session.query("ROLLBACK TO s")) == ["ROLLBACK", "T"]
    assert brief(session.query("SHOW timezone"))[1] == "(UTC)"
    assert brief(session.query("COMMIT")) == ["COMMIT", "I"]
    assert brief(session.query("SELECT a FROM t"))[1:] == ["(1)", "SELECT 1", "I"]


def test_a_failed_block_lets_others_write(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    first.query("BEGIN; INSERT INTO t VALUES (1); SELECT nosuch")
    assert brief(second.query("INSERT INTO t VALUES (2)")) == ["INSERT 0 1", "I"]


def test_rolling_back_to_before_the_first_write_lets_others_write(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    first.query("BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s")
    assert brief(second.query("INSERT INTO t VALUES (2)")) == ["INSERT 0 1", "I"]
    assert brief(first.query("INSERT INTO t VALUES (3); ROLLBACK TO s; COMMIT")) == ["INSERT 0 1", "ROLLBACK", "COMMIT", "I"]
    assert brief(first.query("SELECT a FROM t"))[1:-2] == ["(2)"]


def test_read_committed_sees_each_commit(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    second.query("BEGIN")
    assert brief(second.query("SELECT count(*) FROM t"))[1] == "(0)"
    first.query("INSERT INTO t VALUES (1)")
    assert brief(second.query("SELECT count(*) FROM t"))[1] == "(1)"


def test_repeatable_read_keeps_its_snapshot(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    second.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t")
    first.query("INSERT INTO t VALUES (1)")
    assert brief(second.query("SELECT count(*) FROM t"))[1] == "(0)"
    assert brief(second.query("INSERT INTO t VALUES (2)")) == ["ERROR 40001", "E"]
    assert brief(second.query("ROLLBACK; SELECT count(*) FROM t"))[2] == "(1)"


def test_ddl_is_seen_at_commit(talk):
    first, second = talk(), talk()
    assert brief(first.query("BEGIN; CREATE TABLE t (a int); SELECT * FROM t"))[-2:] == ["SELECT 0", "T"]
    assert brief(second.query("SELECT * FROM t")) == ["ERROR 42P01", "I"]
    first.query("COMMIT")
    assert brief(second.query("SELECT * FROM t"))[1:] == ["SELECT 0", "I"]


def test_rolled_back_ddl_is_gone(session):
    session.query("BEGIN; CREATE TABLE t (a int); SELECT * FROM t; ROLLBACK")
    assert brief(session.query("SELECT * FROM t")) == ["ERROR 42P01", "I"]


def test_temporary_tables_are_the_sessions_own(talk):
    first, second = talk(), talk()
    first.query("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1)")
    assert brief(first.query("SELECT * FROM t"))[1] == "(1)"
    assert brief(second.query("SELECT * FROM t")) == ["ERROR 42P01", "I"]
    assert brief(first.query("DISCARD ALL")) == ["DISCARD ALL", "I"]
    assert brief(first.query("SELECT * FROM t")) == ["ERROR 42P01", "I"]


def test_lock_timeout(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    first.query("BEGIN; INSERT INTO t VALUES (1)")
    second.query("SET lock_timeout = '20ms'")
    error = error_of(second.query("INSERT INTO t VALUES (2)"))
    assert (error.code, error.message) == ("55P03", "canceling statement due to lock timeout")


def test_statement_timeout(session):
    session.query("SET statement_timeout = '30ms'")
    error = error_of(session.query("SELECT pg_sleep(60)"))
    assert (error.code, error.message) == ("57014", "canceling statement due to statement timeout")
    error = error_of(session.query("SELECT count(*) FROM generate_series(1, 100000000)"))
    assert error.code == "57014"


@pytest.mark.parametrize(
    ("parameter", "before", "code"),
    [
        ("idle_in_transaction_session_timeout", "BEGIN", "25P03"),
        ("idle_session_timeout", "SELECT 1", "57P05"),
        ("transaction_timeout", "BEGIN", "25P04"),
    ],
)
def test_timeouts_that_end_the_session(session, instance, parameter, before, code):
    session.query(f"SET {parameter} = '20ms'")
    session.query(before)
    session.wait_for(lambda: session.transport.closing)
    [error] = session.answers()
    assert (error.severity, error.code) == ("FATAL", code)


# Cursors, prepared statements of SQL


def test_fetch_in_all_directions(session):
    session.query("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM generate_series(1, 5)")
    for command, rows in [
        ("FETCH LAST", "5"),
        ("FETCH PRIOR", "4"),
        ("FETCH ABSOLUTE 2", "2"),
        ("FETCH RELATIVE 1", "3"),
        ("FETCH RELATIVE 0", "3"),
        ("FETCH ABSOLUTE -1", "5"),
        ("FETCH BACKWARD ALL", "4321"),
        ("FETCH ALL", "12345"),
        ("FETCH 1", ""),
        ("FETCH -2", "54"),
    ]:
        answers = brief(session.query(f"{command} FROM c"))
        assert (command, answers[1:-2]) == (command, [f"({row})" for row in rows])
    assert brief(session.query("MOVE ABSOLUTE 3 FROM c; FETCH 0 FROM c"))[0] == "MOVE 1"


def test_a_forward_cursor_streams_and_still_goes_back(session):
    session.query("BEGIN; DECLARE c CURSOR FOR SELECT * FROM generate_series(1, 1000)")
    assert brief(session.query("FETCH 3 FROM c"))[1:4] == ["(1)", "(2)", "(3)"]
    assert brief(session.query("FETCH BACKWARD 1 FROM c"))[1] == "(2)"
    assert brief(session.query("FETCH FORWARD 2 FROM c"))[1:3] == ["(3)", "(4)"]


def test_no_scroll(session):
    session.query("BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT 1")
    error = error_of(session.query("FETCH PRIOR FROM c"))
    assert (error.code, error.message) == ("55000", "cursor can only scan forward")


def test_a_cursor_does_not_see_later_rows(session):
    session.query("CREATE TABLE t (a int); INSERT INTO t SELECT g FROM generate_series(1, 600) g")
    session.query("BEGIN; INSERT INTO t VALUES (601); DECLARE c CURSOR FOR SELECT a FROM t; FETCH 1 FROM c")
    session.query("INSERT INTO t VALUES (602)")
    assert brief(session.query("MOVE ALL FROM c")) == ["MOVE 600", "T"]


def test_with_hold(session):
    session.query("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
    session.query("BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT a FROM t; COMMIT; DELETE FROM t")
    assert brief(session.query("FETCH ALL FROM h"))[1:3] == ["(1)", "(2)"]
    session.query("BEGIN; DECLARE g CURSOR WITH HOLD FOR SELECT 1; ROLLBACK")
    assert brief(session.query("FETCH g")) == ["ERROR 34000", "I"]


def test_prepare_and_execute(session):
    assert brief(session.query("PREPARE p AS SELECT $1::int + 1")) == ["PREPARE", "I"]
    assert brief(session.query("EXECUTE p(41)")) == ["RowDescription", "(42)", "SELECT 1", "I"]
    assert error_of(session.query("EXECUTE p(1, 2)")).detail == "Expected 1 parameters but got 2."
    assert brief(session.query("DEALLOCATE p; EXECUTE p(1)")) == ["DEALLOCATE", "ERROR 26000", "I"]


# COPY


def test_copy_in_and_out(session):
    session.query("CREATE TABLE t (a int, b text DEFAULT 'd')")
    assert brief(session.query("COPY t (a) FROM STDIN")) == ["CopyInResponse"]
    assert brief(session.send(CopyData(b"1\n2"), CopyData(b"\n"), CopyDone())) == ["COPY 2", "I"]
    answers = session.query("COPY t TO STDOUT (FORMAT csv, HEADER)")
    assert [each.data for each in answers if isinstance(each, CopyData)] == [b"a,b\n", b"1,d\n", b"2,d\n"]


def test_copy_names_the_place_of_an_error(session):
    session.query("CREATE TABLE t (a int, b float8)")
    session.query("COPY t FROM STDIN")
    error = error_of(session.send(CopyData(b"1\t1\n2\tq\n"), CopyDone()))
    assert error.message == 'invalid input syntax for type double precision: "q"'
    assert error.where == 'COPY t, line 2, column b: "q"'
    assert brief(session.query("SELECT count(*) FROM t"))[1] == "(0)"


def test_copy_fail(session):
    session.query("CREATE TABLE t (a int)")
    session.query("COPY t FROM STDIN")
    error = error_of(session.send(frontend.CopyFail("because")))
    assert (error.code, error.message, error.where) == ("57014", "COPY from stdin failed: because", "COPY t, line 1")


def test_another_message_during_copy_ends_the_session(session):
    session.query("CREATE TABLE t (a int)")
    session.query("COPY t FROM STDIN")
    answers = session.send(frontend.Query("SELECT 1"))
    assert [(each.severity, each.code) for each in answers] == [("ERROR", "08P01"), ("FATAL", "08P01")]
    assert session.transport.closing


# Other sessions


def test_notifications_come_at_commit_and_between_transactions(talk):
    listener, sender = talk(), talk()
    listener.query("LISTEN c")
    sender.query("BEGIN; NOTIFY c, 'x'; NOTIFY c, 'x'; NOTIFY c, 'y'")
    assert listener.answers() == []
    sender.query("COMMIT")
    assert [each.payload for each in listener.answers()] == ["x", "y"]
    listener.query("BEGIN")
    sender.query("NOTIFY c, 'z'")
    assert listener.answers() == []
    assert brief(listener.query("COMMIT")) == ["COMMIT", "NotificationResponse", "I"]
    sender.query("BEGIN; NOTIFY c; ROLLBACK")
    assert listener.answers() == []


def test_advisory_locks(talk):
    first, second = talk(), talk()
    assert brief(first.query("SELECT pg_try_advisory_lock(7)"))[1] == "(t)"
    assert brief(second.query("SELECT pg_try_advisory_lock(7)"))[1] == "(f)"
    second.feed(frontend.Query("SELECT pg_advisory_lock(7)").encode())
    assert "SELECT 1" not in brief(second.answers())
    assert brief(first.query("SELECT pg_advisory_unlock(7)"))[1] == "(t)"
    second.settle()
    assert brief(second.answers())[-2:] == ["SELECT 1", "I"]
    assert brief(first.query("SELECT pg_advisory_unlock(7)")) == ["RowDescription", "WARNING 01000", "(f)", "SELECT 1", "I"]


def test_a_transactions_advisory_locks_go_with_it(talk):
    first, second = talk(), talk()
    first.query("BEGIN; SELECT pg_advisory_xact_lock(1, 2)")
    assert brief(second.query("SELECT pg_try_advisory_xact_lock(1, 2)"))[1] == "(f)"
    first.query("ROLLBACK")
    assert brief(second.query("SELECT pg_try_advisory_xact_lock(1, 2)"))[1] == "(t)"


def test_advisory_deadlock(talk):
    first, second = talk(), talk()
    first.query("SET deadlock_timeout = 50; BEGIN; SELECT pg_advisory_xact_lock(1)")
    second.query("SET deadlock_timeout = 50; BEGIN; SELECT pg_advisory_xact_lock(2)")
    first.feed(frontend.Query("SELECT pg_advisory_xact_lock(2)").encode())
    answers = brief(second.query("SELECT pg_advisory_xact_lock(1)"))
    first.settle()
    assert sorted([answers[-1], brief(first.answers())[-1]]) == ["E", "T"]


def test_terminate_backend(talk, instance):
    first, second = talk(), talk()
    victim = max(instance.sessions)
    assert brief(first.query(f"SELECT pg_terminate_backend({victim})"))[1] == "(t)"
    second.wait_for(lambda: second.transport.closing)
    [error] = second.answers()
    assert (error.severity, error.code) == ("FATAL", "57P01")

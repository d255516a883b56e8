"""Sessions that are opened for reading only, or for trying out: what SQL cannot do about it."""

import pytest

from proxy.wire import backend, frontend
from tests.harness.conversation import Conversation, brief

READ_ONLY = {"litephant.access_mode": "read-only"}
ROLLBACK_ONLY = {"litephant.access_mode": "rollback-only"}

WRITES = [
    "INSERT INTO t VALUES (2)",
    "WITH w AS (DELETE FROM t RETURNING a) SELECT * FROM w",
    "WITH w AS (UPDATE t SET a = 9 RETURNING a) SELECT * FROM w",
    "EXPLAIN ANALYZE DELETE FROM t",
    "MERGE INTO t USING (SELECT 1 AS a) s ON t.a = s.a WHEN MATCHED THEN DELETE",
    "SELECT * FROM t FOR UPDATE",
    "SELECT a INTO x FROM t",
    "CREATE TABLE x AS SELECT a FROM t",
    "CREATE TABLE x (a int)",
    "CREATE TEMP TABLE x (a int)",
    "CREATE VIEW v AS SELECT 1",
    "ALTER TABLE t ADD b int",
    "DROP TABLE t",
    "DROP SCHEMA public CASCADE",
    "TRUNCATE t",
    "COMMENT ON TABLE t IS 'x'",
    "GRANT ALL ON t TO PUBLIC",
    "CREATE DATABASE x",
    "CREATE DATABASE x TEMPLATE postgres",
    "DROP DATABASE x",
    "ALTER DATABASE other RENAME TO x",
    "COPY t FROM STDIN",
    "SELECT nextval('s')",
    "SELECT setval('s', 100)",
    "SELECT writes()",
    "SELECT pg_notify('c', 'x')",
    "NOTIFY c",
    "VACUUM",
    "VACUUM FULL",
    "ANALYZE",
    "CHECKPOINT",
    "CLUSTER",
    "REINDEX TABLE t",
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "SELECT pg_cancel_backend(pg_backend_pid())",
    "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE",
    "BEGIN READ WRITE",
    "START TRANSACTION READ WRITE",
    "BEGIN; SET TRANSACTION READ WRITE",
    "BEGIN; SET transaction_read_only = off",
    "BEGIN; SET LOCAL transaction_read_only = off",
]

ESCAPES = [
    "SET litephant.access_mode = 'read-write'",
    "SET LOCAL litephant.access_mode TO DEFAULT",
    "RESET litephant.access_mode",
    "SELECT set_config('litephant.access_mode', 'read-write', false)",
]

# Accepted, and without effect.
DETOURS = [
    "COMMIT",
    "ROLLBACK",
    "RESET ALL",
    "DISCARD ALL",
    "SET default_transaction_read_only = off",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
]


@pytest.fixture(autouse=True)
def schema(talk):
    owner = talk()
    for sql in (
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (1)",
        "CREATE SEQUENCE s",
        "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (3) RETURNING a'",
        "CREATE DATABASE other",
    ):
        done = brief(owner.query(sql))
        assert done[-1] == "I", (sql, done)
        assert not any("ERROR" in each for each in done), (sql, done)
    return owner


def opened(talk, parameters: dict[str, str]) -> Conversation:
    conversation = talk()
    conversation.disconnect()
    conversation = Conversation(conversation.loop, conversation.connection._instance)
    conversation.start(**parameters)
    return conversation


def error(messages: list) -> str:
    found = [message for message in messages if isinstance(message, backend.ErrorResponse)]
    return f"{found[0].code} {found[0].message}" if found else ""


def state(owner: Conversation) -> list[str]:
    return brief(owner.query("SELECT (SELECT array_agg(a) FROM t), (SELECT is_called FROM s), count(*) FROM pg_class"))


def test_a_read_only_session_refuses_to_write(talk, schema):
    before = state(schema)
    session = opened(talk, READ_ONLY)
    for sql in WRITES:
        assert error(session.query(sql)).startswith("25006 cannot "), sql
        session.query("COMMIT")
    assert state(schema) == before


def test_the_mode_cannot_be_changed(talk):
    session = opened(talk, READ_ONLY)
    for sql in ESCAPES:
        answer = error(session.query(sql))
        assert answer == '55P02 parameter "litephant.access_mode" cannot be set after connection start', sql
        assert error(session.query("DELETE FROM t")) == "25006 cannot execute DELETE in a read-only transaction"


def test_nothing_makes_a_detour(talk, schema):
    before = state(schema)
    session = opened(talk, READ_ONLY)
    for detour in DETOURS:
        session.query(detour)
        assert error(session.query("DELETE FROM t")).startswith("25006"), detour
        assert error(session.query(f"{detour}; DROP TABLE t")) != "", detour
        assert "DROP TABLE" not in brief(session.query("COMMIT; DROP TABLE t")), detour
    assert state(schema) == before


def test_it_reads_and_says_what_it_is(talk):
    session = opened(talk, READ_ONLY)
    assert "(1)" in brief(session.query("SELECT a FROM t"))
    assert "(on)" in brief(session.query("SHOW transaction_read_only"))
    assert "(read-only)" in brief(session.query("SHOW litephant.access_mode"))
    assert "LISTEN" in brief(session.query("LISTEN c"))
    assert "(on)" in brief(session.query("BEGIN; SHOW transaction_read_only"))


def test_a_wrong_mode_is_fatal(talk):
    session = talk()
    session = Conversation(session.loop, session.connection._instance)
    answer = session.start(**{"litephant.access_mode": "no"})
    assert brief(answer) == ["FATAL 22023"]


TRIED = [
    "DELETE FROM t",
    "DROP TABLE t",
    "BEGIN; DELETE FROM t; COMMIT",
    "BEGIN; DELETE FROM t; COMMIT AND CHAIN; DROP TABLE t; COMMIT",
    "DELETE FROM t; COMMIT; DROP TABLE t",
    "BEGIN; SAVEPOINT a; DELETE FROM t; RELEASE a; COMMIT",
    "CREATE TABLE x AS SELECT 1",
    "CREATE INDEX CONCURRENTLY i ON t (a)",
    "SELECT setval('s', 100)",
    "CREATE DATABASE x",
    "DROP DATABASE other",
    "ALTER DATABASE other RENAME TO x",
    "VACUUM FULL",
    "ALTER SEQUENCE s RESTART 50",
]


def test_what_is_tried_out_leaves_nothing(talk, schema):
    databases = "SELECT datname FROM pg_database ORDER BY 1"
    before = state(schema), brief(schema.query(databases))
    session = opened(talk, ROLLBACK_ONLY)
    for sql in TRIED:
        session.query(sql)
        session.query("COMMIT")
        assert (state(opened(talk, {})), brief(schema.query(databases))) == before, sql


def test_trying_tells_what_would_happen(talk):
    session = opened(talk, ROLLBACK_ONLY)
    assert brief(session.query("UPDATE t SET a = 5")) == ["UPDATE 1", "I"]
    assert brief(session.query("BEGIN; INSERT INTO t VALUES (7) RETURNING a")) == [
        "BEGIN",
        "RowDescription",
        "(7)",
        "INSERT 0 1",
        "T",
    ]
    assert "(1),(7)" in ",".join(brief(session.query("SELECT a FROM t ORDER BY 1")))
    assert brief(session.query("COMMIT")) == ["ROLLBACK", "I"]
    for sql in ("SELECT pg_terminate_backend(1)", "NOTIFY c", "SELECT setval('s', 4)"):
        assert error(session.query(sql)).startswith("25006"), sql
    extended = session.send(
        frontend.Parse("", "DELETE FROM t RETURNING a", ()), frontend.Bind("", ""), frontend.Execute(""), frontend.Sync()
    )
    assert brief(extended)[-3:] == ["(1)", "DELETE 1", "I"]
    assert "(1)" in brief(session.query("SELECT count(*) FROM t"))


FIXED = {"statement_timeout": "5s", "litephant.fixed_parameters": "statement_timeout, search_path"}


CHANGES = [
    "SET statement_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SET STATEMENT_TIMEOUT TO DEFAULT",
    "RESET statement_timeout",
    "SELECT set_config('statement_timeout', '0', false)",
    "SET search_path = x",
    "SET litephant.fixed_parameters = ''",
]


def test_fixed_parameters_keep_their_value(talk):
    session = opened(talk, FIXED)
    for sql in CHANGES:
        assert error(session.query(sql)).startswith("55P02 parameter "), sql
        session.query("DISCARD ALL")
        session.query("RESET ALL")
        assert "(5s)" in brief(session.query("SHOW statement_timeout")), sql
    assert "SET" in brief(session.query("SET work_mem = '8MB'"))


def test_a_parameter_must_exist_to_be_fixed(talk):
    session = talk()
    session = Conversation(session.loop, session.connection._instance)
    assert brief(session.start(**{"litephant.fixed_parameters": "no_such"})) == ["FATAL 22023"]

"""What is counted: statements, transactions, the WAL; and the views that show it."""

import random
from typing import cast

import pytest

from proxy.session import statement_statistics
from proxy.session.statement_statistics import StatementCounts, StatementStatistics
from proxy.storage.database import Database
from proxy.wire import frontend
from tests.harness.conversation import brief

DATABASE = cast(Database, "database")


def rows(answers):
    return [each[1:-1] for each in brief(answers) if each.startswith("(")]


def counts_of(*times):
    counts = StatementCounts(None, "postgres", 1, "SELECT $1")
    for each in times:
        counts.add(each, 2)
    return counts.copy()


def test_figures():
    counts = counts_of(*range(1, 1001))
    assert (counts.calls, counts.rows, counts.total) == (1000, 2000, 500_500)
    assert (counts.shortest, counts.longest) == (1, 1000)
    assert counts.deviation == pytest.approx(288.675, rel=1e-4)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("longest", [5, 60, 1_000, 50_000_000])
def test_percentiles_are_right_to_an_eighth(share, longest):
    times = sorted(random.Random(longest).choices(range(1, longest + 1), k=2_001))
    exact = times[int(share * 2_000)]
    assert counts_of(*times).percentile(share) == pytest.approx(exact, rel=0.13)


def test_one_execution_has_one_time():
    counts = counts_of(12_345)
    assert [counts.percentile(share) for share in (0.5, 0.99)] == [12_345, 12_345]


def test_statements_that_differ_in_constants_are_one():
    statistics = StatementStatistics()
    for text in ("SELECT * FROM t WHERE a = 1", "SELECT * FROM t WHERE a = 'x'", "SELECT * FROM t WHERE a = $1"):
        statistics.entry(DATABASE, "postgres", text).add(1, 1)
    statistics.entry(DATABASE, "other", "SELECT * FROM t WHERE a = 1").add(1, 1)
    assert [(each.user, each.query, each.calls) for each in statistics] == [
        ("postgres", "SELECT * FROM t WHERE a = $1", 3),
        ("other", "SELECT * FROM t WHERE a = $1", 1),
    ]


def test_the_least_called_make_room(monkeypatch):
    monkeypatch.setattr(statement_statistics, "MOST_ENTRIES", 20)
    monkeypatch.setattr(statement_statistics, "_DROPPED", 5)
    statistics = StatementStatistics()
    for number in range(20):
        entry = statistics.entry(DATABASE, "postgres", f"SELECT a{number}")
        for _ in range(number + 1):
            entry.add(1, 1)
    statistics.entry(DATABASE, "postgres", "SELECT b").add(1, 1)
    assert [each.query for each in statistics] == [*(f"SELECT a{number}" for number in range(5, 20)), "SELECT b"]
    assert statistics.dropped == 1


def test_pg_stat_statements(session):
    session.query("CREATE TABLE t (a int)")
    assert brief(session.query("CREATE EXTENSION pg_stat_statements")) == ["CREATE EXTENSION", "I"]
    for number in range(3):
        session.query(f"INSERT INTO t VALUES ({number}), ({number})")
    session.query("SELECT 1 / 0")
    session.query("SELECT a FROM t WHERE a < 2; SELECT count(*) FROM t")
    session.send(frontend.Parse("", "SELECT a FROM t WHERE a < $1", (23,)), frontend.Sync())
    session.send(frontend.Bind("", "", (), [b"1"]), frontend.Execute(""), frontend.Sync())
    found = rows(
        session.query("SELECT query, calls, rows FROM pg_stat_statements WHERE query ~ '[ ]t' ORDER BY query COLLATE \"C\"")
    )
    assert found == [
        "CREATE TABLE t (a int),1,0",
        "INSERT INTO t VALUES ($1), ($2),3,6",
        "SELECT a FROM t WHERE a < $1,2,6",
        "SELECT count(*) FROM t,1,1",
    ]
    sane = """SELECT bool_and(min_exec_time <= p50_exec_time AND p50_exec_time <= p99_exec_time AND p99_exec_time <= max_exec_time
        AND total_exec_time >= max_exec_time AND datname = 'postgres' AND usename = 'postgres') FROM litephant.statements"""
    assert rows(session.query(sane)) == ["t"]
    assert rows(session.query("SELECT pg_stat_statements_reset() > now() - interval '1 hour'")) == ["t"]
    assert rows(session.query("SELECT count(*) FROM pg_stat_statements WHERE query ~ '[ ]t'")) == ["0"]
    assert rows(session.query("SELECT dealloc FROM pg_stat_statements_info")) == ["0"]


def test_the_extension_owns_its_objects(session):
    assert brief(session.query("CREATE SCHEMA s; CREATE EXTENSION pg_stat_statements SCHEMA s")) == [
        "CREATE SCHEMA",
        "CREATE EXTENSION",
        "I",
    ]
    assert brief(session.query("CREATE EXTENSION pg_stat_statements")) == ["ERROR 42710", "I"]
    assert brief(session.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))[-2:] == ["CREATE EXTENSION", "I"]
    assert rows(session.query("SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements'")) == ["1.12"]
    assert brief(session.query("DROP VIEW s.pg_stat_statements")) == ["ERROR 2BP01", "I"]
    assert brief(session.query("DROP FUNCTION s.pg_stat_statements_reset")) == ["ERROR 2BP01", "I"]
    assert brief(session.query("DROP EXTENSION pg_stat_statements")) == ["DROP EXTENSION", "I"]
    assert brief(session.query("SELECT * FROM s.pg_stat_statements")) == ["ERROR 42P01", "I"]
    assert brief(session.query("DROP SCHEMA s")) == ["DROP SCHEMA", "I"]
    assert brief(session.query("CREATE EXTENSION pg_stat_statements VERSION '0.1'")) == ["ERROR 22023", "I"]
    assert rows(
        session.query("SELECT name, default_version, installed_version FROM pg_available_extensions WHERE name ~ 'statements'")
    ) == ["pg_stat_statements,1.12,"]


def test_transactions_are_counted(talk):
    session = talk()
    figures = "SELECT xact_commit, xact_rollback, sessions FROM pg_stat_database WHERE datname = 'postgres'"

    def read():
        [row] = rows(session.query(figures))
        return [int(each) for each in row.split(",")]

    before = read()
    session.query("CREATE TABLE t (a int PRIMARY KEY)")
    session.query("SELECT 1")
    session.query("BEGIN; INSERT INTO t VALUES (1); COMMIT")
    session.query("BEGIN; ROLLBACK")
    session.query("INSERT INTO t VALUES (1)")
    session.query("BEGIN; SELECT nosuch")
    session.query("COMMIT")
    talk().disconnect()
    after = read()
    assert [new - old for new, old in zip(after, before, strict=True)] == [
        5,
        3,
        1,
    ]  # with the read of `before`, and the start of another session


def test_the_wal_is_counted(session):
    def read():
        return [
            int(each) for each in rows(session.query("SELECT wal_records, wal_fpi, wal_bytes FROM pg_stat_wal"))[0].split(",")
        ]

    session.query("CREATE TABLE t (a int)")
    before = read()
    session.query("INSERT INTO t VALUES (1)")
    records, pages, size = (new - old for new, old in zip(read(), before, strict=True))
    assert (records, size) == (1, pages * 4120)
    assert pages >= 1


def test_the_writers_queue(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    look = "SELECT position, state, query FROM litephant.writer_queue ORDER BY position"
    assert rows(first.query(look)) == []
    first.query("BEGIN; INSERT INTO t VALUES (1)")
    second.feed(frontend.Query("INSERT INTO t VALUES (2)").encode())
    second.wait_for(lambda: second.connection.session.connections.waiting is not None)
    assert rows(talk().query(look)) == [
        "0,idle in transaction,BEGIN; INSERT INTO t VALUES (1)",
        "1,active,INSERT INTO t VALUES (2)",
    ]
    first.query("COMMIT")
    second.settle()


def test_checkpoints(session):
    session.query("CREATE TABLE t (a int)")
    assert rows(session.query("SELECT datname, checkpoints, total_time, wal_pages > 0 FROM litephant.checkpoints")) == [
        "postgres,0,0,t"
    ]


def test_the_plan_cache(session):
    session.query("CREATE TABLE t (a int)")
    session.query("SELECT a FROM t WHERE a = 1")
    look = "SELECT parameters, steps, slow, current FROM litephant.plan_cache WHERE query LIKE 'SELECT a FROM t%'"
    assert rows(session.query(look)) == ["1,1,f,t"]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM litephant.nosuch", "42P01"),
        ("CREATE SCHEMA litephant", "42P06"),
        ("CREATE TABLE litephant.t (a int)", "42501"),
        ("DROP TABLE litephant.statements", "42501"),
        ("DELETE FROM litephant.statements", "42501"),
    ],
)
def test_the_schema_is_the_servers(session, sql, code):
    assert brief(session.query(sql)) == [f"ERROR {code}", "I"]
    assert rows(session.query("SELECT count(*) FROM pg_namespace WHERE nspname = 'litephant'")) == ["0"]

"""One connection: setup, budget, cancellation, transactions, functions and virtual tables on demand."""

import threading

import apsw
import pytest

from proxy.storage.connection import BudgetExceeded, Connection, FileBusy, SystemCatalog
from translator.errors import SqlError
from translator.functions import registry
from translator.functions.registry import IMPLEMENTATIONS

ENDLESS = "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


@pytest.fixture
def declare(monkeypatch):
    """Declarations that last for one test."""
    monkeypatch.setattr(registry, "IMPLEMENTATIONS", IMPLEMENTATIONS)
    before = set(IMPLEMENTATIONS)
    yield registry
    for name in set(IMPLEMENTATIONS) - before:
        del IMPLEMENTATIONS[name]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("foreign_keys", 1), ("journal_mode", "wal"), ("synchronous", 1), ("wal_autocheckpoint", 0), ("recursive_triggers", 1)],
)
def test_setup(connection, pragma, value):
    assert connection.execute(f"PRAGMA {pragma}").fetchall() == [(value,)]


def test_setup_gives_sql_postgresqls_meaning(connection):
    assert connection.execute("SELECT 'a' LIKE 'A'").fetchall() == [(0,)]
    with pytest.raises(apsw.SQLError, match="no such column"):
        connection.execute('SELECT "x"')  # SQLite's default would be the string 'x'


def test_readers_cannot_write_but_can_have_temp_views(connection):
    connection.execute("CREATE TABLE t (a)")
    reader = Connection(connection.path, writable=False)
    reader.execute("CREATE TEMP VIEW v AS SELECT * FROM t")
    assert reader.execute("SELECT * FROM v").fetchall() == []
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("INSERT INTO t VALUES (1)")
    reader.close()


def test_budget_ends_a_long_statement_and_no_short_one(connection):
    for _ in range(3_000):  # SQLite counts the steps of a prepared statement on, from run to run
        connection.budget(10_000)
        connection.execute("SELECT 1").fetchall()
    connection.budget(100_000)
    with pytest.raises(BudgetExceeded):
        connection.execute(ENDLESS)
    connection.budget(100_000)
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_write_over_budget_ends_its_transaction(connection):
    connection.execute("CREATE TABLE t (a)")
    fill = "INSERT INTO t WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c LIMIT 100000) SELECT x FROM c"
    connection.begin_immediate()
    connection.budget(20_000)
    with pytest.raises(BudgetExceeded):
        connection.execute(fill)
    assert not connection.in_transaction
    connection.start_writing()
    connection.unlimited()
    connection.execute(fill)
    connection.start_writing()  # nothing to do
    connection.commit()
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(100_000,)]


def test_cancel_ends_a_statement_in_a_thread_with_the_given_error(connection):
    outcome = []
    connection.enter_thread()

    def work():
        try:
            connection.execute(ENDLESS)
        except (SqlError, apsw.InterruptError) as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    timeout = SqlError("57014", "canceling statement due to statement timeout")
    connection.cancel(timeout)
    thread.join(10)
    assert connection.cancelled is timeout
    assert outcome and (outcome[0] is timeout or isinstance(outcome[0], apsw.InterruptError))
    connection.leave_thread()
    connection.cancel(timeout)
    assert connection.cancelled is None  # nothing runs in a thread


def test_another_processs_lock_is_not_waited_for_on_the_loop(connection):
    other = apsw.Connection(str(connection.path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(FileBusy):
        connection.begin_immediate()
    assert not connection.in_transaction
    connection.enter_thread()
    threading.Timer(0.05, lambda: other.execute("ROLLBACK")).start()
    connection.begin_immediate()
    connection.leave_thread()
    connection.rollback()
    other.close()


def test_an_old_snapshot_cannot_be_written_to(connection):
    connection.execute("CREATE TABLE t (a)")
    other = Connection(connection.path, writable=True)
    connection.begin()
    connection.execute("SELECT * FROM t").fetchall()
    other.execute("INSERT INTO t VALUES (1)")
    assert connection.execute("SELECT * FROM t").fetchall() == []
    with pytest.raises(SqlError) as raised:
        connection.start_writing()
    assert str(raised.value) == "40001: could not serialize access due to concurrent update"
    connection.rollback()
    connection.begin()
    connection.execute("SELECT * FROM t").fetchall()
    connection.start_writing()
    connection.execute("DELETE FROM t")
    connection.commit()
    assert connection.wal_pages > 0
    other.close()


def test_savepoints(connection):
    connection.execute("CREATE TABLE t (a)")
    connection.begin_immediate()
    for depth in ('s"1', "s2"):
        connection.savepoint(depth)
        connection.execute("INSERT INTO t VALUES (1)")
    connection.rollback_to("s2")
    connection.release('s"1')
    connection.commit()
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(1,)]


def test_scalar_functions(connection, declare):
    calls = []

    @declare.function("test_add")
    def add(a, b):
        calls.append((a, b))
        return a + b

    declare.function("test_twice")(lambda a: a * 2)
    declare.function("test_coalesce", strict=False)(lambda *values: next((v for v in values if v is not None), None))
    declare.function("test_many")(lambda *values: len(values))
    connection.require(frozenset({"test_add", "test_twice", "test_coalesce", "test_many"}))
    open_cursor = connection.execute("SELECT pg_test_add(value, 1) FROM json_each('[1,2]')")
    assert next(open_cursor) == (2,)
    connection.require(frozenset({"test_add"}))  # installed already: SQLite would refuse, as it is in use
    open_cursor.close()
    calls.clear()
    sql = "SELECT pg_test_add(1, 2), pg_test_add(NULL, 2), pg_test_twice(4), pg_test_twice(NULL), pg_test_coalesce(NULL, 3), pg_test_many(1, NULL), pg_test_many(1, 2, 3)"
    assert connection.execute(sql).fetchall() == [(3, None, 8, None, 3, None, 3)]
    assert calls == [(1, 2)]


def test_aggregates_and_window_functions(connection, declare):
    @declare.aggregate("test_concat(text)")
    class Concat:
        def __init__(self):
            self.values = []

        def step(self, value):
            self.values.append(value)

        def final(self):
            return "".join(self.values)

    @declare.aggregate("test_sum")
    class Sum:
        def __init__(self):
            self.total = 0

        def step(self, value):
            self.total += value

        def inverse(self, value):
            self.total -= value

        def value(self):
            return self.total

        final = value

    connection.require(frozenset({"test_concat(text)", "test_sum"}))
    assert connection.execute("""SELECT "pg_test_concat(text)"(value) FROM json_each('["a","b"]')""").fetchall() == [("ab",)]
    assert connection.execute("SELECT pg_test_sum(value) FROM json_each('[]')").fetchall() == [(0,)]
    sql = "SELECT pg_test_sum(value) OVER (ORDER BY value ROWS 1 PRECEDING) FROM json_each('[1,2,3]')"
    assert connection.execute(sql).fetchall() == [(1,), (3,), (5,)]


@pytest.fixture
def series(connection, declare):
    @declare.rows("test_series")
    def series(start, stop, step=1):
        if step == 0:
            raise SqlError("22023", "step size cannot equal zero")
        yield from range(start, stop + 1, step)

    declare.rows("test_pairs", strict=False)(lambda text: [(c, None if text is None else len(text)) for c in text or "-"])
    declare.rows("test_variadic")(lambda *values: reversed(values))
    connection.require(frozenset({"test_series", "test_pairs", "test_variadic"}))
    return connection


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT c1, ordinality FROM pg_test_series(3, 5)", [(3, 1), (4, 2), (5, 3)]),
        ("SELECT c1 FROM pg_test_series(1, 9, 4)", [(1,), (5,), (9,)]),
        ("SELECT c1 FROM pg_test_series(1, NULL)", []),
        ("SELECT c1, c2 FROM pg_test_pairs('ab')", [("a", 2), ("b", 2)]),
        ("SELECT c1, c2 FROM pg_test_pairs(NULL)", [("-", None)]),
        ("SELECT c1 FROM pg_test_variadic(1, 2, 3)", [(3,), (2,), (1,)]),
        ("SELECT a.c1, b.c1 FROM pg_test_series(1, 2) a, pg_test_series(a.c1, 2) b", [(1, 1), (1, 2), (2, 2)]),
        ("SELECT a.c1, b.c1 FROM pg_test_series(a.c1, 2) b JOIN pg_test_series(1, 2) a", [(1, 1), (1, 2), (2, 2)]),
        ("SELECT t.n, s.c1 FROM t LEFT JOIN pg_test_series(2, t.n) s ORDER BY 1, 2", [(1, None), (2, 2), (3, 2), (3, 3)]),
        ("SELECT n, (SELECT sum(c1) FROM pg_test_series(1, t.n)) FROM t ORDER BY n", [(1, 1), (2, 3), (3, 6)]),
        ("SELECT c1 FROM pg_test_series(1, 5) WHERE c1 > 2 AND ordinality < 5 ORDER BY c1 DESC", [(4,), (3,)]),
    ],
)
def test_set_returning_functions(series, sql, rows):
    series.execute("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (3), (1), (2)")
    assert series.execute(sql).fetchall() == rows


def test_errors_of_set_returning_functions_pass_through(series):
    with pytest.raises(SqlError, match="step size cannot equal zero"):
        series.execute("SELECT c1 FROM pg_test_series(1, 2, 0)").fetchall()


def test_live_relations_are_computed_when_scanned(connection):
    activity = [(1, "idle")]
    for _ in range(2):
        connection.register_live("pg_stat_test", ["pid", "state"], lambda: activity)
    sql = 'SELECT a.pid, b."state" FROM pg_stat_test a JOIN pg_stat_test b ON a.pid = b.pid ORDER BY 1'
    assert connection.execute(sql).fetchall() == [(1, "idle")]
    activity.append((2, "active"))
    assert connection.execute(sql).fetchall() == [(1, "idle"), (2, "active")]


def test_the_system_catalog_is_attached_when_first_used(tmp_path):
    static = apsw.Connection(str(tmp_path / "static file?.db"))
    static.execute("CREATE TABLE pg_type (oid); INSERT INTO pg_type VALUES (23)")
    static.close()
    installs = []

    def install(connection):
        installs.append(connection)
        connection.execute("CREATE TEMP VIEW pg_type_all AS SELECT oid FROM pgcat.pg_type")

    system = SystemCatalog(tmp_path / "static file?.db", install=install)
    connection = Connection(tmp_path / "x.db", writable=True, system=system)
    assert installs == []
    connection.begin_immediate()
    connection.use_catalog()
    connection.use_catalog()
    connection.commit()
    assert connection.execute("SELECT oid FROM pg_type_all").fetchall() == [(23,)]
    assert installs == [connection]
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM pgcat.pg_type")
    connection.close()

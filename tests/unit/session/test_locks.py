"""The lock table without sessions, and what sessions show of it.

The matrices are those of the manual, "Table-Level Locks" and "Row-Level Locks".
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.storage import deadlock
from proxy.storage.lock_modes import NAMES
from proxy.storage.locks import MOST_ROWS, LockTable, RowIsLocked
from proxy.wire import frontend
from proxy.wire.backend import DataRow, ErrorResponse, ReadyForQuery
from tests.harness.client import Client
from tests.harness.conversation import brief
from tests.harness.databases import execute, fresh_database
from translator.errors import SqlError
from translator.lower.row_locks import MODES

TABLE_LOCKS = [
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
]
# A row for each requested mode, an X for each held mode that it conflicts with, both in the order above.
TABLE_CONFLICTS = [
    ".......X",
    "......XX",
    "....XXXX",
    "...XXXXX",
    "..XX.XXX",
    "..XXXXXX",
    ".XXXXXXX",
    "XXXXXXXX",
]
ROW_LOCKS = ["FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"]
ROW_CONFLICTS = [
    "...X",
    "..XX",
    ".XXX",
    "XXXX",
]

RELATION = ("relation", "db", 16384)
ROWS = ("db", 16384)


@pytest.fixture
def table():
    return LockTable()


def owners(table, count):
    return [table.add(f"s{number}") for number in range(1, count + 1)]


def test_table_locks_conflict_as_the_manual_says():
    for requested, row in enumerate(TABLE_CONFLICTS):
        for held, conflict in enumerate(row):
            table = LockTable()
            first, second = owners(table, 2)
            assert table.try_request(first, RELATION, held + 1)
            assert table.try_request(second, RELATION, requested + 1) is (conflict == "."), (requested, held)
            table.end_transaction(second)
            assert table.try_request(first, RELATION, requested + 1)  # nobody conflicts with himself


def test_lock_table_conflicts_as_the_manual_says(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    for requested, row in zip(TABLE_LOCKS, TABLE_CONFLICTS, strict=True):
        for held, conflict in zip(TABLE_LOCKS, row, strict=True):
            first.query(f"BEGIN; LOCK TABLE t IN {held} MODE")
            answer = brief(second.query(f"BEGIN; LOCK TABLE t IN {requested} MODE NOWAIT"))
            assert answer[1] == ("LOCK TABLE" if conflict == "." else "ERROR 55P03"), (requested, held)
            first.query("ROLLBACK")
            second.query("ROLLBACK")


def test_row_locks_conflict_as_the_manual_says(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    for requested, row in zip(ROW_LOCKS, ROW_CONFLICTS, strict=True):
        for held, conflict in zip(ROW_LOCKS, row, strict=True):
            first.query(f"BEGIN; SELECT a FROM t WHERE a = 1 {held}")
            skipped = brief(second.query(f"SELECT a FROM t ORDER BY a LIMIT 1 {requested} SKIP LOCKED"))
            assert skipped[1] == ("(1)" if conflict == "." else "(2)"), (requested, held)
            answer = brief(second.query(f"SELECT a FROM t WHERE a = 1 {requested} NOWAIT"))
            assert answer[-2] == ("SELECT 1" if conflict == "." else "ERROR 55P03"), (requested, held)
            first.query("ROLLBACK")


def test_all_modes_have_names():
    assert [name.removesuffix("Lock") for name in NAMES[1:]] == [name.title().replace(" ", "") for name in TABLE_LOCKS]
    assert list(MODES) == ROW_LOCKS


# Waiting


def test_waiters_are_served_in_order(table):
    first, second, third, fourth = owners(table, 4)
    assert table.request(first, RELATION, 8) is None
    waits = [table.request(owner, RELATION, mode) for owner, mode in ((second, 5), (third, 8), (fourth, 5))]
    table.end_transaction(first)
    assert [wait.future.done() for wait in waits] == [True, False, False]
    table.end_transaction(second)
    assert [wait.future.done() for wait in waits] == [True, True, False]
    table.end_transaction(third)
    assert waits[2].future.done()


def test_compatible_waiters_are_served_together(table):
    first, second, third = owners(table, 3)
    table.request(first, RELATION, 8)
    waits = [table.request(owner, RELATION, 5) for owner in (second, third)]
    table.end_transaction(first)
    assert all(wait.future.done() for wait in waits)


def test_who_holds_a_lock_goes_before_those_that_wait_for_him(table):
    first, second = owners(table, 2)
    table.request(first, RELATION, 1)
    wait = table.request(second, RELATION, 8)
    assert table.request(first, RELATION, 5) is None
    assert table.blockers(wait) == [first]


def test_a_failed_wait_lets_the_next_one_through(table):
    first, second, third = owners(table, 3)
    table.request(first, RELATION, 1)
    wait = table.request(second, RELATION, 8)
    behind = table.request(third, RELATION, 1)
    assert table.blockers(behind) == [second]
    table.fail(wait, SqlError("57014", "canceled"))
    assert behind.future.done()
    with pytest.raises(SqlError, match="canceled"):
        wait.future.result()
    assert table.waits == []


def test_strong_locks_are_counted(table):
    first, second = owners(table, 2)
    table.request(first, RELATION, 5)
    table.request(first, RELATION, 8)
    assert table.strong == 1
    wait = table.request(second, RELATION, 8)
    assert table.strong == 2
    table.fail(wait, SqlError("57014", "canceled"))
    table.end_transaction(first)
    assert table.strong == 0


def test_savepoints_give_up_what_was_taken_after_them(table):
    first, second = owners(table, 2)
    table.lock_row(first, ROWS, 1, 2)
    table.set_savepoint(first, 1)
    table.lock_row(first, ROWS, 1, 8)
    table.lock_row(first, ROWS, 2, 8)
    table.rollback_to(first, 1)
    assert table.locked_rows(second, ROWS, 8) == [1]
    assert table.locked_rows(second, ROWS, 2) == []
    assert table.locked_rows(second, ROWS, 7) == [1]
    table.end_transaction(first)
    assert table.rows == {}


def test_too_many_rows_become_all_rows(table):
    first, second = owners(table, 2)
    for rowid in range(MOST_ROWS + 1):
        assert table.lock_row(first, ROWS, rowid, 8)
    assert not table.lock_row(second, ROWS, MOST_ROWS + 5, 8)
    assert table.locked_rows(second, ROWS, 1) is None
    assert len(table.rows[ROWS].by_rowid) == MOST_ROWS
    wait = table.request(second, ("tuple", *ROWS, MOST_ROWS + 5), 8)
    table.end_transaction(first)
    assert wait.future.done()
    table.end_transaction(second)
    assert table.rows == {}


def test_changed_rows_are_locked_together_or_not_at_all(table):
    first, second = owners(table, 2)
    table.lock_row(first, ROWS, 2, 1)
    assert table.lock_changed(second, [(ROWS, 1, 7), (ROWS, 2, 7)]) is None  # FOR KEY SHARE lets UPDATE through
    table.end_transaction(second)
    conflict = table.lock_changed(second, [(ROWS, 1, 8), (ROWS, 2, 8)])
    assert isinstance(conflict, RowIsLocked)
    assert conflict.tag == ("tuple", *ROWS, 2)
    assert table.locked_rows(first, ROWS, 8) == []


def test_advisory_locks_of_session_and_transaction(table):
    first, second = owners(table, 2)
    tag = ("advisory", "db", 0, 1, 1)
    for of_session in (True, True, False):
        assert table.request(first, tag, 7, of_session=of_session) is None
    table.end_transaction(first)
    assert table.release(first, tag, 7)
    assert not table.try_request(second, tag, 5)
    assert table.release(first, tag, 7)
    assert not table.release(first, tag, 7)
    assert table.try_request(second, tag, 5)


# Deadlocks


def test_a_circle_is_found_from_each_of_its_members(table):
    members = owners(table, 3)
    tags = [("advisory", "db", 0, number, 1) for number in range(3)]
    for owner, tag in zip(members, tags, strict=True):
        table.request(owner, tag, 7)
    for owner, tag in zip(members, [*tags[1:], tags[0]], strict=True):
        assert deadlock.find_cycle(table, owner, lambda _: ()) == []
        table.request(owner, tag, 7)
    for number, owner in enumerate(members):
        edges = deadlock.find_cycle(table, owner, lambda _: ())
        assert [edge.waiter for edge in edges] == members[number:] + members[:number]


def test_the_writer_is_part_of_circles(table):
    first, second = owners(table, 2)
    tag = ("tuple", *ROWS, 1)
    table.lock_row(second, ROWS, 1, 8)
    table.request(first, tag, 8)
    waits = {second: [first]}  # second waits for the writer, which first has
    edges = deadlock.find_cycle(table, second, lambda owner: waits.get(owner, ()))
    assert [(edge.waiter, edge.blocker) for edge in edges] == [(second, first), (first, second)]


def test_waiting_outside_a_circle_is_no_deadlock(table):
    first, second, third = owners(table, 3)
    table.request(first, RELATION, 8)
    table.request(second, RELATION, 8)
    table.request(third, RELATION, 8)
    assert deadlock.find_cycle(table, third, lambda _: ()) == []


# Sessions


@pytest.fixture
def pair(talk):
    """Two sessions, the first of which holds a row of t."""
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 1), (2, 2)")
    first.query("BEGIN; SELECT * FROM t WHERE a = 1 FOR UPDATE")
    return first, second


def wait_in(conversation, sql):
    """Send what has to wait."""
    conversation.feed(frontend.Query(sql).encode())
    locks = conversation.connection.session.locks
    conversation.wait_for(lambda: locks.owner.wait is not None)


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_a_wait_ends_with_its_limit(pair, limit):
    _, second = pair
    second.query(f"SET {limit} = 20")
    code = "55P03" if limit == "lock_timeout" else "57014"
    assert brief(second.query("UPDATE t SET b = 0 WHERE a = 1"))[-2:] == [f"ERROR {code}", "I"]
    assert brief(second.query("UPDATE t SET b = 0 WHERE a = 2"))[-2:] == ["UPDATE 1", "I"]


def test_a_wait_is_canceled(pair, instance):
    first, second = pair
    wait_in(second, "SELECT * FROM t FOR SHARE")
    process_id = second.connection.session.process_id
    assert brief(first.query(f"SELECT pg_cancel_backend({process_id})"))[1] == "(t)"
    second.settle()
    assert brief(second.answers())[-2:] == ["ERROR 57014", "I"]
    assert instance.locks.waits == []


def test_who_goes_away_gives_up_locks_and_waits(pair, talk, instance):
    first, second = pair
    wait_in(second, "SELECT * FROM t WHERE a = 1 FOR UPDATE")
    second.disconnect()
    third = talk()
    wait_in(third, "SELECT a FROM t WHERE a = 1 FOR UPDATE")
    first.disconnect()
    third.settle()
    assert brief(third.answers())[-2:] == ["SELECT 1", "I"]
    assert instance.locks.rows == {}


def test_a_waiting_writer_does_not_keep_the_writer(pair, talk):
    first, second = pair
    wait_in(second, "BEGIN; UPDATE t SET b = 10 WHERE a = 1")
    assert brief(talk().query("UPDATE t SET b = 20 WHERE a = 2"))[-2:] == ["UPDATE 1", "I"]
    assert brief(first.query("UPDATE t SET b = 5 WHERE a = 1; COMMIT"))[-1] == "I"
    second.settle()
    assert brief(second.query("COMMIT; SELECT b FROM t ORDER BY a"))[-4:] == ["(10)", "(20)", "SELECT 2", "I"]


def test_views_show_who_waits_for_whom(pair, talk):
    first, second = pair
    wait_in(second, "UPDATE t SET b = 0 WHERE a = 1")
    watcher = talk()
    one, two = (each.connection.session.process_id for each in (first, second))
    assert brief(watcher.query(f"SELECT pg_blocking_pids({two}), pg_blocking_pids({one})"))[1] == f"({{{one}}},{{}})"
    blocked = f"SELECT pg_isolation_test_session_is_blocked({two}, '{{{one}}}')"
    assert brief(watcher.query(blocked))[1] == "(t)"
    activity = f"SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = {two}"
    assert brief(watcher.query(activity))[1] == "(Lock,transactionid)"
    waiting = (
        f"SELECT locktype, mode, granted FROM pg_locks WHERE pid = {two} AND locktype IN ('tuple', 'transactionid') ORDER BY 1"
    )
    assert brief(watcher.query(waiting))[1:3] == ["(transactionid,ShareLock,f)", "(tuple,ExclusiveLock,t)"]
    relation = f"SELECT relation::regclass, mode FROM pg_locks WHERE pid = {one} AND locktype = 'relation'"
    assert brief(watcher.query(relation))[1] == "(t,RowShareLock)"


def test_many_changed_rows_are_all_of_them(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE big (a int PRIMARY KEY); SELECT * FROM big FOR UPDATE")
    first.query(f"INSERT INTO big SELECT g FROM generate_series(1, {MOST_ROWS + 100}) AS g")
    first.query("BEGIN; DELETE FROM big")
    assert brief(second.query("SELECT * FROM big LIMIT 1 FOR SHARE SKIP LOCKED"))[-2] == "SELECT 0"
    first.query("ROLLBACK")
    assert brief(second.query("SELECT * FROM big ORDER BY a LIMIT 1 FOR SHARE SKIP LOCKED"))[-2] == "SELECT 1"


# Over connections

JOBS, WORKERS = 200, 4

_TAKE = "SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
_CLAIM = f"UPDATE jobs SET state = 'done', times = times + 1 WHERE id = ({_TAKE}) RETURNING id"


def _value(client, sql):
    """The first value of the last result; an error fails."""
    client.send(frontend.Query(sql))
    found = None
    for message in client.receive_until(ReadyForQuery):
        assert not isinstance(message, ErrorResponse), message
        if isinstance(message, DataRow):
            found = message.values[0]
    return found


def _work_in_blocks(address):
    """Take a job, work on it, and say that it is done, in one transaction."""
    done = []
    with Client(address) as client:
        while (job := _value(client, f"BEGIN; {_TAKE}")) is not None:
            _value(client, f"UPDATE jobs SET state = 'done', times = times + 1 WHERE id = {int(job)}; COMMIT")
            done.append(int(job))
    return done


def _work_in_statements(address):
    """Claim a job with one statement."""
    done = []
    with Client(address) as client:
        while (job := _value(client, _CLAIM)) is not None:
            done.append(int(job))
    return done


@pytest.mark.parametrize("work", [_work_in_blocks, _work_in_statements])
def test_every_job_is_done_once(server, work):
    with fresh_database(server) as address:
        execute(address, "CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL, times int NOT NULL)")
        execute(address, f"INSERT INTO jobs SELECT g, 'queued', 0 FROM generate_series(1, {JOBS}) AS g")
        with ThreadPoolExecutor(WORKERS) as threads:
            lists = list(threads.map(work, [address] * WORKERS))
        with Client(address) as client:
            assert _value(client, "SELECT count(*) FROM jobs WHERE state = 'done' AND times = 1") == str(JOBS).encode()
    assert sorted(job for jobs in lists for job in jobs) == list(range(1, JOBS + 1))

"""The writer's queue, threads, commits, snapshots and the catalog version of one database."""

import asyncio
import contextlib
import os
import threading
import time

import apsw
import pytest

from proxy.storage import disk
from proxy.storage.connection import BudgetExceeded, Connection, SystemCatalog
from proxy.storage.database import Database
from proxy.storage.writer import WriterLease
from translator.errors import SqlError
from translator.settings import Settings, runtime

LONG = "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c LIMIT 300000) SELECT count(*) FROM c"
ENDLESS = "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


async def write(database, sql, owner="writer", **options):
    lease = database.lease_writer(owner)
    if not isinstance(lease, WriterLease):
        lease = await lease
    lease.connection.execute(sql)
    if flushed := database.commit(lease, **options):
        await flushed


def read(database, sql):
    reader = database.take_reader()
    try:
        return reader.execute(sql).fetchall()
    finally:
        database.give_reader(reader)


def test_a_commit_is_read_by_others(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        lease = database.lease_writer("me")
        lease.connection.execute("INSERT INTO t VALUES (1)")
        assert read(database, "SELECT * FROM t") == []
        assert database.writer_holder is lease
        await database.commit(lease)
        assert lease.ended
        assert database.writer_holder is None
        assert read(database, "SELECT * FROM t") == [(1,)]

    run(scenario)


def test_commit_waits_for_the_disk_only_when_it_must(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        nothing = database.lease_writer("me")
        assert database.commit(nothing) is None
        lease = database.lease_writer("me")
        lease.connection.execute("INSERT INTO t VALUES (1)")
        assert database.commit(lease, synchronous=False) is None

    run(scenario)


def test_release_rolls_back(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        lease = database.lease_writer("me")
        lease.connection.execute("INSERT INTO t VALUES (1)")
        database.release(lease)
        database.release(lease)  # as an error path may
        assert read(database, "SELECT * FROM t") == []

    run(scenario)


def test_the_queue_is_fair_and_visible(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (owner)")
        first = database.lease_writer(0)
        futures = [database.lease_writer(number) for number in range(1, 20)]
        assert [entry.owner for entry in database.writer_waiting] == list(range(1, 20))
        assert all(entry.since <= time.time() for entry in database.writer_waiting)
        futures[4].cancel()
        futures[7].cancel()
        assert [entry.owner for entry in database.writer_waiting] == [n for n in range(1, 20) if n not in (5, 8)]

        async def turn(future):
            with contextlib.suppress(asyncio.CancelledError):
                lease = await future
                lease.connection.execute("INSERT INTO t VALUES (?)", (lease.owner,))
                database.commit(lease, synchronous=False)

        turns = [asyncio.ensure_future(turn(future)) for future in reversed(futures)]
        await asyncio.sleep(0)
        database.release(first)
        late = database.lease_writer(99)
        assert isinstance(late, asyncio.Future)  # nobody gets in between
        await asyncio.gather(*turns, turn(late))
        assert [owner for (owner,) in read(database, "SELECT owner FROM t ORDER BY rowid")] == [
            *(n for n in range(1, 20) if n not in (5, 8)),
            99,
        ]

    run(scenario)


def test_waiting_ends_after_lock_timeout(run):
    async def scenario(database):
        lease = database.lease_writer("holder")
        waiting = database.lease_writer("waiter", timeout=0.01)
        with pytest.raises(SqlError, match="55P03: canceling statement due to lock timeout"):
            await waiting
        assert database.writer_waiting == []
        database.release(lease)
        again = database.lease_writer("waiter", timeout=0.01)
        assert isinstance(again, WriterLease)
        database.release(again)

    run(scenario)


def test_a_session_that_goes_away_leaves_nothing(run):
    async def scenario(database):
        lease = database.lease_writer("gone")
        waits = [database.lease_writer(owner) for owner in ("gone", "next")]
        database.forget("gone")
        with pytest.raises(SqlError, match="57P01"):
            await waits[0]
        granted = await waits[1]
        assert lease.ended
        assert granted.owner == "next"
        database.forget("somebody")
        assert database.writer_holder is granted
        unnoticed = database.lease_writer("late")
        database.release(granted)  # `late` has its lease now, and has not looked
        database.forget("late")
        assert unnoticed.result().ended
        assert database.writer_holder is None

    run(scenario)


def test_another_process_writing_is_waited_for_in_a_thread(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        other = apsw.Connection(str(database.path))
        other.execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        lease = database.lease_writer("me")
        timed_out = database.lease_writer("impatient", timeout=0.02)
        assert [entry.owner for entry in database.writer_waiting] == ["me", "impatient"]
        with pytest.raises(SqlError, match="55P03"):
            await timed_out
        other.execute("COMMIT")
        other.close()
        lease = await lease
        assert lease.connection.execute("SELECT * FROM t").fetchall() == [(1,)]
        assert database.writer_waiting == []
        database.release(lease)

    run(scenario)


def test_a_wait_for_another_process_can_be_given_up(run):
    async def scenario(database):
        other = apsw.Connection(str(database.path))
        other.execute("BEGIN IMMEDIATE")
        waits = [database.lease_writer("me", timeout=0.02), database.lease_writer("next")]
        with pytest.raises(SqlError, match="55P03"):
            await waits[0]
        other.execute("COMMIT")
        other.close()
        lease = await waits[1]
        lease.connection.execute("CREATE TABLE t (a)")
        await database.commit(lease)

    run(scenario)


def test_what_exceeds_the_budget_runs_in_a_thread(run):
    async def scenario(database):
        reader = database.take_reader()
        reader.budget(50_000)
        with pytest.raises(BudgetExceeded):
            reader.execute(LONG)
        rows = await database.run_in_thread(reader, lambda: reader.execute(LONG).fetchall())
        assert rows == [(300_000,)]
        database.give_reader(reader)

    run(scenario)


def test_a_reader_keeps_no_budget_of_an_earlier_use(run):
    async def check(database):
        reader = database.take_reader()
        reader.budget(1)
        database.give_reader(reader)
        again = database.take_reader()
        assert again is reader
        assert again.execute(LONG).fetchall()
        database.give_reader(again)

    run(check)


def test_threads_work_for_the_session_that_asked(run):
    async def scenario(database):
        mine = Settings(database="mine")
        runtime.settings, runtime.session = mine, "session"
        try:
            reader = database.take_reader()
            seen = await database.run_in_thread(
                reader, lambda: (runtime.settings is mine, runtime.session, threading.current_thread().name)
            )
            assert seen[:2] == (True, "session")
            assert seen[2] != threading.current_thread().name
            runtime.session = None
            assert await database.run_in_thread(reader, lambda: runtime.session) is None
            database.give_reader(reader)
        finally:
            vars(runtime).clear()

    run(scenario)


def test_errors_and_cancellation_arrive_from_threads(run):
    async def scenario(database):
        reader = database.take_reader()
        with pytest.raises(ZeroDivisionError):
            await database.run_in_thread(reader, lambda: 1 // 0)
        running = database.run_in_thread(reader, lambda: reader.execute(ENDLESS).fetchall())
        await asyncio.sleep(0.02)
        reader.cancel(SqlError("57014", "canceling statement due to user request"))
        with pytest.raises(SqlError, match="57014: canceling statement due to user request"):
            await running
        early = database.run_in_thread(reader, lambda: reader.execute(ENDLESS).fetchall())
        reader.cancel(SqlError("57014", "canceling statement due to user request"))
        with pytest.raises(SqlError, match="57014: canceling statement due to user request"):
            await early
        assert reader.execute("SELECT 1").fetchall() == [(1,)]
        database.give_reader(reader)

    run(scenario)


def test_pauses_are_for_threads_and_can_be_cancelled(run):
    async def scenario(database):
        reader = database.take_reader()
        reader.create_function("pg_sleep", reader.pause)
        with pytest.raises(BudgetExceeded):
            reader.execute("SELECT pg_sleep(0.01)")
        await database.run_in_thread(reader, lambda: reader.execute("SELECT pg_sleep(0.001)").fetchall())
        sleeping = database.run_in_thread(reader, lambda: reader.execute("SELECT pg_sleep(60)").fetchall())
        await asyncio.sleep(0.01)
        reader.cancel(SqlError("57014", "canceling statement due to statement timeout"))
        with pytest.raises(SqlError, match="statement timeout"):
            await sleeping
        database.give_reader(reader)

    run(scenario)


def test_a_heavy_write_holds_up_no_reader(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        lease = database.lease_writer("me")
        fill = f"INSERT INTO t SELECT value FROM json_each('[1,2,3]'), ({LONG})"
        writing = database.run_in_thread(lease.connection, lambda: lease.connection.execute(fill).fetchall())
        assert lease.threaded
        assert read(database, "SELECT count(*) FROM t") == [(0,)]
        await writing
        flushed = database.commit(lease)
        assert not lease.ended  # the COMMIT runs in the writer's thread, too
        await flushed
        assert lease.ended
        assert read(database, "SELECT count(*) FROM t") == [(3,)]

    run(scenario)


@pytest.mark.parametrize("threaded", [False, True])
def test_a_failed_commit_keeps_the_lease_and_its_transaction(run, threaded):
    async def scenario(database):
        await write(database, "CREATE TABLE p (id INTEGER PRIMARY KEY)")
        await write(database, "CREATE TABLE c (p INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
        lease = database.lease_writer("me")
        lease.connection.execute("INSERT INTO c VALUES (1)")
        lease.threaded = threaded
        with pytest.raises(apsw.ConstraintError):
            await database.commit(lease)
        assert not lease.ended
        assert lease.connection.in_transaction
        database.release(lease)
        assert read(database, "SELECT count(*) FROM c") == [(0,)]

    run(scenario)


def test_repeatable_read(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        mine = database.take_private()
        mine.begin()
        assert mine.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
        lease = database.lease_writer("me", mine)  # nobody has committed in between
        mine.execute("INSERT INTO t VALUES (1)")
        await database.commit(lease)
        mine.begin()
        assert mine.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
        await write(database, "INSERT INTO t VALUES (2)")
        assert mine.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
        with pytest.raises(SqlError, match="40001: could not serialize access due to concurrent update"):
            database.lease_writer("me", mine)
        holder = database.lease_writer("other")
        waiting = database.lease_writer("me", mine)
        database.release(holder)
        with pytest.raises(SqlError, match="40001"):
            await waiting
        assert database.writer_holder is None
        database.give_private(mine)
        assert not mine.in_transaction

    run(scenario)


def test_temporary_tables_are_a_sessions_own(run):
    async def scenario(database):
        mine = database.take_private()
        mine.execute("CREATE TEMP TABLE scratch (a); INSERT INTO scratch VALUES (1)")
        lease = database.lease_writer("me", mine)
        mine.execute("CREATE TABLE t AS SELECT a FROM scratch")
        await database.commit(lease)
        assert read(database, "SELECT * FROM t") == [(1,)]
        with pytest.raises(apsw.SQLError):
            read(database, "SELECT * FROM scratch")
        database.give_private(mine, reusable=False)
        again = database.take_private()
        with pytest.raises(apsw.SQLError):
            again.execute("SELECT * FROM scratch")
        database.give_private(again)

    run(scenario)


def test_the_catalog_version_moves_with_commits_of_ddl(run):
    async def scenario(database):
        before = database.catalog_version
        await write(database, "CREATE TABLE plain (a)")
        lease = database.lease_writer("me")
        assert lease.catalog_version == database.catalog_version == before
        lease.connection.execute("CREATE TABLE t (a)")
        database.catalog_changed(lease)
        changed = lease.catalog_version
        assert changed != before
        assert database.catalog_version == before  # others do not see it yet
        database.catalog_changed(lease)  # as ROLLBACK TO does
        assert lease.catalog_version not in (before, changed)
        await database.commit(lease)
        assert database.catalog_version == lease.catalog_version
        abandoned = database.lease_writer("me")
        database.catalog_changed(abandoned)
        database.release(abandoned)
        assert database.catalog_version == lease.catalog_version
        assert abandoned.catalog_version != database.lease_writer("me").catalog_version

    run(scenario)


def test_ddl_of_another_process_is_noticed(run, tmp_path, threads):
    async def scenario(_):
        calls: list[Connection] = []
        system = SystemCatalog(bootstrap=calls.append)
        database = Database("other", tmp_path / "other.db", threads, system)
        assert len(calls) == 1
        lease = database.lease_writer("me")
        assert isinstance(lease, WriterLease)
        lease.connection.execute("CREATE TABLE ours (a)")
        database.catalog_changed(lease)
        await database.commit(lease)
        version = database.catalog_version
        assert not database.refresh()
        other = apsw.Connection(str(database.path))
        other.execute("CREATE TABLE foreign_table (a)")
        other.close()
        assert database.refresh()
        assert database.catalog_version != version
        assert len(calls) == 2
        assert not database.refresh()
        database.close()

    run(scenario)


def test_one_sync_serves_many_commits_and_a_failed_one_is_a_panic(run, monkeypatch, caplog):
    syncs = []
    gate = threading.Event()

    def slow_sync(descriptor):
        gate.wait(10)
        syncs.append(descriptor)
        os.fdatasync(descriptor)

    def failing_sync(descriptor):
        raise OSError(5, "Input/output error")

    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        monkeypatch.setattr(disk, "sync", slow_sync)
        flushes = []
        for number in range(50):
            lease = database.lease_writer(number)
            lease.connection.execute("INSERT INTO t VALUES (?)", (number,))
            flushes.append(database.commit(lease))
        assert read(database, "SELECT count(*) FROM t") == [(50,)]  # visible before it is durable
        await asyncio.sleep(0.01)
        assert not any(future.done() for future in flushes)
        gate.set()
        await asyncio.gather(*flushes)
        assert len(syncs) <= 2
        monkeypatch.setattr(disk, "sync", failing_sync)
        lease = database.lease_writer("me")
        lease.connection.execute("INSERT INTO t VALUES (0)")
        with pytest.raises(SqlError, match=r'58030: could not fdatasync file "test.db-wal": Input/output error'):
            await database.commit(lease)
        monkeypatch.undo()
        with pytest.raises(SqlError, match="58030"):
            database.lease_writer("me")
        assert "PANIC" in caplog.text

    run(scenario)


def test_commits_that_nobody_waits_for_reach_the_disk_soon(run, monkeypatch):
    synced = asyncio.Event()
    monkeypatch.setattr("proxy.storage.database._FLUSH_DELAY", 0.01)

    async def scenario(database):
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(disk, "sync", lambda descriptor: loop.call_soon_threadsafe(synced.set))
        await write(database, "CREATE TABLE t (a)", synchronous=False)
        await write(database, "INSERT INTO t VALUES (1)", synchronous=False)
        await synced.wait()

    run(scenario)


def test_checkpoints_keep_the_wal_short(run):
    async def scenario(database):
        await write(database, "CREATE TABLE t (a)")
        wal = database.path.with_name("test.db-wal")
        largest = 0
        for _ in range(60):
            await write(database, "INSERT INTO t VALUES (zeroblob(1000000))", synchronous=False)
            largest = max(largest, wal.stat().st_size)
            await asyncio.sleep(0.002)
        for _ in range(200):
            if database.writer_holder is None and not database.writer_waiting:
                break
            await asyncio.sleep(0.01)
        assert largest < 80_000_000
        assert read(database, "SELECT count(*) FROM t") == [(60,)]

    run(scenario)


def test_the_wal_is_truncated_when_checkpoints_cannot_catch_up(run, monkeypatch):
    monkeypatch.setattr("proxy.storage.checkpoint.TRUNCATE_PAGES", 2_000)

    async def scenario(database):
        database._checkpointer._next_truncate = 2_000
        await write(database, "CREATE TABLE t (a)")
        pinned = database.take_reader()
        pinned.begin()
        pinned.execute("SELECT * FROM t").fetchall()  # an old snapshot keeps the WAL from starting again
        wal = database.path.with_name("test.db-wal")
        for _ in range(3):
            await write(database, "INSERT INTO t VALUES (zeroblob(5000000))", synchronous=False)
            await asyncio.sleep(0.05)
        database.give_reader(pinned)
        for _ in range(100):
            await write(database, "INSERT INTO t VALUES (zeroblob(5000000))", synchronous=False)
            await asyncio.sleep(0.05)
            if wal.stat().st_size < 6_000_000:
                break
        else:
            pytest.fail("the WAL was never truncated")

    run(scenario)

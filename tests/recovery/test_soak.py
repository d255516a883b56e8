"""Mixed load by clients that come, go, cancel, are ended and die: then nothing is left of them, and all adds up.

The load runs in rounds, with a pause after each. In the last pause the server must be as it was in the first one: memory, open files,
threads, tasks, sessions, locks. RECOVERY_FACTOR=60 makes an hour of it.
"""

import os
import time

import psycopg
import pytest

from tests.recovery import soundness
from tests.recovery.serving import killable
from tests.recovery.soaking import ACCOUNTS, BALANCE, SETUP, Client, Told

SECONDS = 20 * int(os.environ.get("RECOVERY_FACTOR", "1"))  # of each round
ROUNDS = 3
CLIENTS = 8
LIMIT = 60  # seconds until clients and sessions are gone
MOST_GROWTH = 16  # MB from the first pause to the last


def work(address, told, observer):
    """One round."""
    clients = [Client(address, number, told, SECONDS) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    end = time.monotonic() + SECONDS + LIMIT
    for client in clients:
        client.join(max(0, end - time.monotonic()))
        assert not client.is_alive(), f"a client hangs: {activity(observer)}"
    for client in clients:
        if client.failure is not None:
            raise client.failure


def activity(observer):
    return observer.execute("SELECT pid, state, wait_event, query FROM pg_stat_activity").fetchall()


def wait_until_alone(observer):
    end = time.monotonic() + LIMIT
    while observer.execute("SELECT count(*) FROM pg_stat_activity").fetchone() != (1,):
        assert time.monotonic() < end, f"a session is left: {activity(observer)}"
        time.sleep(0.05)
    assert observer.execute("SELECT * FROM pg_locks WHERE pid <> pg_backend_pid()").fetchall() == []


def check_data(observer, told):
    """What clients were told is there, and nothing twice."""
    assert observer.execute("SELECT sum(balance), count(*) FROM account").fetchone() == (BALANCE * ACCOUNTS, ACCOUNTS)
    notes = {number for (number,) in observer.execute("SELECT number FROM note")}
    assert set(told.notes) <= notes
    assert len(told.jobs) == len(set(told.jobs)), "a job was taken twice"
    left = {number for (number,) in observer.execute("SELECT id FROM job")}
    assert not left & set(told.jobs), "a job is there that was taken"
    made = observer.execute("SELECT count(*) FROM pg_class WHERE relname ~ '^made_[0-9]+$'").fetchone()[0]
    assert made <= CLIENTS
    assert observer.execute("SELECT count(*) FROM pg_class WHERE relname = 'loaded'").fetchone() == (0,)


def check_counters(observer, told):
    """The server has counted each session, and at least each commit that was answered."""
    sessions, backends, committed, rolled_back = observer.execute(
        "SELECT sessions, numbackends, xact_commit, xact_rollback FROM pg_stat_database WHERE datname = 'postgres'"
    ).fetchone()
    assert backends == 1
    assert sessions == next(told.sessions) + 1  # and the observer's
    assert committed >= len(told.notes) + len(told.jobs)
    assert rolled_back > 0


@pytest.mark.slow
def test_soak(tmp_path):
    told = Told()
    with killable(tmp_path, passive_pages=200, truncate_pages=2_000) as served:
        with psycopg.connect(served.address.dsn, autocommit=True) as observer:
            observer.execute(SETUP)
            pauses = []
            for _ in range(ROUNDS):
                work(served.address, told, observer)
                wait_until_alone(observer)
                pauses.append((served.census(), served.resident()))
            check_data(observer, told)
            check_counters(observer, told)
        (first, memory), *_, (last, memory_at_last) = pauses
        assert memory_at_last - memory < MOST_GROWTH, [resident for _, resident in pauses]
        assert (last["sessions"], last["portals"], last["connections"], last["sockets"]) == (1, 0, 1, first["sockets"])
        assert last["tasks"] == first["tasks"]
        assert last["files"] <= first["files"] + 16  # SQLite's connections are pooled
        assert last["threads"] <= first["threads"] + CLIENTS  # so are threads
        soundness.check(tmp_path / "postgres.db")

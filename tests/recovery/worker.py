"""One of many processes that work on one database: operations of all kinds, none of which PostgreSQL would refuse.

Run by test_mixed.py: `python -m tests.recovery.worker DSN NUMBER OPERATIONS`. Prints what it did as JSON, and fails on any error that
is not part of an operation. A transaction locks accounts in the order of their ids, and one that events refer to at once, so that
there is no deadlock.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import errors

ACCOUNTS: Final = 20
BALANCE: Final = 1_000
JOBS: Final = 200

SETUP: Final = f"""
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL CHECK (balance > -1000000));
INSERT INTO accounts SELECT n, {BALANCE} FROM generate_series(1, {ACCOUNTS}) AS n;
CREATE TABLE events (id bigserial PRIMARY KEY, worker int NOT NULL, account int REFERENCES accounts, note text);
CREATE INDEX events_worker ON events (worker);
CREATE TABLE counters (name text PRIMARY KEY, value int NOT NULL DEFAULT 1);
CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL DEFAULT 'ready');
INSERT INTO jobs SELECT n FROM generate_series(1, {JOBS}) AS n;
CREATE TABLE results (job int PRIMARY KEY REFERENCES jobs, worker int NOT NULL)
"""

_READY: Final = "SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
_EVENT: Final = "INSERT INTO events (worker, account, note) VALUES (%s, %s, %s)"
_ADD: Final = "UPDATE accounts SET balance = balance + %s WHERE id = %s"


class Worker:
    """One session and its operations; `done` counts what has to be found in the database at the end."""

    def __init__(self, dsn: str, number: int) -> None:
        self.done: Counter[str] = Counter()
        self._number = number
        self._random = random.Random(number)
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._execute = self._connection.execute

    def run(self, operations: int) -> None:
        choices = self._operations()
        for _ in range(operations):
            self._random.choice(choices)()
        self._connection.close()

    def _operations(self) -> list[Callable[[], None]]:
        """Those that are likely stand twice."""
        likely = [self._insert, self._update, self._select, self._upsert, self._claim, self._transfer]
        return [
            *(likely * 2),
            self._delete,
            self._claim_at_once,
            self._write_then_lock,
            self._savepoint,
            self._roll_back,
            self._snapshot,
            self._advisory,
            self._many,
        ]

    def _account(self) -> int:
        return self._random.randint(1, ACCOUNTS)

    # One statement

    def _insert(self) -> None:
        self._execute(_EVENT, (self._number, self._account(), "one"))
        self.done["events"] += 1

    def _update(self) -> None:
        self._execute("UPDATE accounts SET balance = balance WHERE id = %s", (self._account(),))

    def _delete(self) -> None:
        cursor = self._execute("DELETE FROM events WHERE id = (SELECT max(id) FROM events WHERE worker = %s)", (self._number,))
        self.done["events"] -= cursor.rowcount

    def _select(self) -> None:
        sql = """SELECT a.id, count(e.id) FROM accounts a LEFT JOIN events e ON e.account = a.id WHERE a.id < %s
                 GROUP BY a.id ORDER BY a.id"""
        self._execute(sql, (self._account(),)).fetchall()

    def _upsert(self) -> None:
        sql = "INSERT INTO counters (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1"
        self._execute(sql, (f"counter {self._random.randint(1, 5)}",))
        self.done["counted"] += 1

    def _claim_at_once(self) -> None:
        row = self._execute(f"UPDATE jobs SET state = 'done' WHERE id = ({_READY}) RETURNING id").fetchone()
        if row is not None:
            self._execute("INSERT INTO results VALUES (%s, %s)", (*row, self._number))
            self.done["jobs"] += 1

    # Transactions

    def _claim(self) -> None:
        with self._connection.transaction():
            row = self._execute(_READY).fetchone()
            if row is not None:
                self._execute("INSERT INTO results VALUES (%s, %s)", (*row, self._number))
                self._execute("UPDATE jobs SET state = 'done' WHERE id = %s", row)
                self.done["jobs"] += 1

    def _transfer(self) -> None:
        one, other = sorted(self._random.sample(range(1, ACCOUNTS + 1), 2))
        with self._connection.transaction():
            self._execute("SELECT balance FROM accounts WHERE id IN (%s, %s) ORDER BY id FOR UPDATE", (one, other))
            self._execute(_ADD, (5, other))
            self._execute(_ADD, (-5, one))
            self._execute(_EVENT, (self._number, one, "transfer"))
        self.done["events"] += 1

    def _write_then_lock(self) -> None:
        """Waits for a row while what it wrote is not committed."""
        account = self._account()
        with self._connection.transaction():
            self._execute(_EVENT, (self._number, None, "first"))
            self._execute("SELECT balance FROM accounts WHERE id = %s FOR UPDATE", (account,))
            self._execute("UPDATE accounts SET balance = balance WHERE id = %s", (account,))
        self.done["events"] += 1

    def _savepoint(self) -> None:
        account = self._account()
        with self._connection.transaction():
            self._execute(_EVENT, (self._number, account, "before"))
            try:
                with self._connection.transaction():
                    self._execute(_EVENT, (self._number, account, "undone"))
                    self._execute("INSERT INTO accounts VALUES (1, 0)")
            except errors.UniqueViolation:
                self._execute(_EVENT, (self._number, account, "after"))
        self.done["events"] += 2

    def _roll_back(self) -> None:
        account = self._account()
        with self._connection.transaction(force_rollback=True):
            self._execute(_ADD, (100, account))
            self._execute(_EVENT, (self._number, account, "rolled back"))

    def _snapshot(self) -> None:
        """Money is neither made nor lost, at any moment."""
        with self._connection.transaction():
            self._execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for _ in range(2):
                row = self._execute("SELECT sum(balance) FROM accounts").fetchone()
                assert row == (ACCOUNTS * BALANCE,), row

    def _advisory(self) -> None:
        with self._connection.transaction():
            self._execute("SELECT pg_advisory_xact_lock(%s)", (self._random.randint(1, 3),))
            self._execute("SELECT pg_notify('work', %s)", (str(self._number),))

    def _many(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_EVENT, [(self._number, self._account(), "many")] * 5)
        self.done["events"] += 5


if __name__ == "__main__":
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    worker.run(int(sys.argv[3]))
    print(json.dumps(worker.done))

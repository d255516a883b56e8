"""Kill a server at a random moment while clients write and define, start another one on what it left, and again.

Nothing that was acknowledged may be missing, no half transaction may be there, no value of a sequence comes twice, and the
catalogs agree with SQLite's schema. A killed process leaves the kernel's page cache: what a power cut does is another test's.
"""

import itertools
import os
import random
import threading
import time

import psycopg

from tests.recovery import soundness
from tests.recovery.serving import killable

ROUNDS = 10 * int(os.environ.get("RECOVERY_FACTOR", "1"))
ACCOUNTS = 50

SETUP = f"""
CREATE TABLE half (worker int, number int, side int, filler text, PRIMARY KEY (worker, number, side));
CREATE INDEX half_filler ON half (filler, number);
CREATE TABLE account (id int PRIMARY KEY, balance numeric NOT NULL CHECK (balance > -100000));
INSERT INTO account SELECT n, 100 FROM generate_series(1, {ACCOUNTS}) AS n;
CREATE TABLE ticket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, worker int);
"""


class Worker(threading.Thread):
    """A client that does transactions of one kind until its server is gone, and knows what it was told."""

    def __init__(self, address, number, kind, first):
        super().__init__(daemon=True)
        self.acknowledged = []
        self.attempted = []
        self.failure = None
        self.ready = threading.Event()
        self._address = address
        self._number = number
        self._kind = kind
        self._first = first
        self._chance = random.Random(number * 1000 + first)

    def run(self):
        try:
            with psycopg.connect(self._address.dsn, autocommit=True) as connection:
                for number in itertools.count(self._first):
                    self.attempted.append(number)
                    self._kind(self, connection, number)
                    self.acknowledged.append(number)
                    self.ready.set()
        except psycopg.OperationalError as error:
            if "terminating" not in str(error) and "closed" not in str(error) and "reset" not in str(error):
                self.failure = error
        except BaseException as error:
            self.failure = error
        finally:
            self.ready.set()

    def halves(self, connection, number):
        """Two rows in a transaction, by all the ways of committing, and money moved."""
        filler = "x" * self._chance.choice((1, 500, 5_000))
        amount = self._chance.randint(1, 100) / 4
        with connection.transaction():
            for side in (1, 2):
                connection.execute("INSERT INTO half VALUES (%s, %s, %s, %s)", (self._number, number, side, filler))
            for sign in (-1, 1):
                account = self._chance.randint(1, ACCOUNTS)
                connection.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (sign * amount, account))

    def tickets(self, connection, number):
        """Values of a sequence: `acknowledged` has the number of the ticket as well."""
        row = connection.execute("INSERT INTO ticket (worker) VALUES (%s) RETURNING id", (self._number,)).fetchone()
        self.acknowledged.append(("ticket", row[0]))

    def definitions(self, connection, number):
        """A table comes with an index, changes, and goes after a while."""
        name = f"made_{self._number}_{number}"
        with connection.transaction():
            connection.execute(f"CREATE TABLE {name} (a int PRIMARY KEY, b text UNIQUE, c numeric)")
            connection.execute(f"CREATE INDEX ON {name} (c)")
            connection.execute(f"INSERT INTO {name} VALUES (1, 'one', 1.5)")
        connection.execute(f"ALTER TABLE {name} ADD COLUMN d date DEFAULT '2000-01-01', DROP COLUMN c")
        if number % 3:
            connection.execute(f"DROP TABLE {name}")


KINDS = (Worker.halves, Worker.halves, Worker.halves, Worker.tickets, Worker.definitions)


class Ledger:
    """What clients were told, over all rounds."""

    def __init__(self):
        self.halves = {}
        self.attempted = set()
        self.tickets = []
        self.definitions = {}

    def add(self, workers):
        for worker in workers:
            assert worker.failure is None, worker.failure
            match worker._kind:
                case Worker.tickets:
                    self.tickets += [each[1] for each in worker.acknowledged if isinstance(each, tuple)]
                case Worker.halves:
                    self.halves.setdefault(worker._number, set()).update(worker.acknowledged)
                    self.attempted.update((worker._number, number) for number in worker.attempted)
                case _:
                    self.definitions.update((number, bool(number % 3)) for number in worker.acknowledged)

    def check(self, connection):
        rows = connection.execute("SELECT worker, number, count(*) FROM half GROUP BY worker, number").fetchall()
        assert {count for _, _, count in rows} <= {2}, "half a transaction"
        there = {(worker, number) for worker, number, _ in rows}
        assert there <= self.attempted
        assert {(worker, number) for worker, numbers in self.halves.items() for number in numbers} <= there
        assert connection.execute("SELECT sum(balance) FROM account").fetchone()[0] == 100 * ACCOUNTS
        assert len(self.tickets) == len(set(self.tickets)), "a value of a sequence came twice"
        tickets = {number for (number,) in connection.execute("SELECT id FROM ticket")}
        assert set(self.tickets) <= tickets
        tables = {
            name
            for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'made\\_%' AND relkind = 'r'")
        }
        for number, dropped in self.definitions.items():
            assert (f"made_{len(KINDS) - 1}_{number}" in tables) is not dropped


def one_round(directory, number, ledger, chance):
    """Start a server, check what it found, let clients work, kill it."""
    with killable(directory, passive_pages=20, truncate_pages=100) as served:
        with psycopg.connect(served.address.dsn, autocommit=True) as connection:
            if number == 0:
                connection.execute(SETUP)
            ledger.check(connection)
        soundness.check(directory / "postgres.db")
        workers = [Worker(served.address, index, kind, number * 100_000) for index, kind in enumerate(KINDS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.ready.wait(20)
        time.sleep(chance.random() * 0.4)
        served.kill()
        for worker in workers:
            worker.join(20)
    ledger.add(workers)


def test_acknowledged_commits_survive(tmp_path):
    ledger, chance = Ledger(), random.Random()
    for number in range(ROUNDS + 1):
        one_round(tmp_path, number, ledger, chance)
    assert ledger.halves
    assert ledger.tickets
    assert ledger.definitions

"""Clients for the soak test: each opens sessions one after the other, does some operations in each, and ends it in one way or another.

They cancel statements, end each other's sessions, and are gone in the middle of what the server does for them. What a client was told
is in `Told`, for the test to compare with what is there.
"""

import contextlib
import itertools
import os
import random
import socket
import struct
import threading
import time

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

ACCOUNTS = 100
BALANCE = 1_000

SETUP = f"""
CREATE TABLE account (id int PRIMARY KEY, balance numeric(20, 2) NOT NULL);
INSERT INTO account SELECT n, {BALANCE} FROM generate_series(1, {ACCOUNTS}) AS n;
CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client int, number int UNIQUE, text text);
CREATE TABLE job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload text);
"""

# What a client meets because others cancel, end sessions, or lock: PostgreSQL would give it, too.
_EXPECTED = (
    errors.QueryCanceled,
    errors.AdminShutdown,
    errors.SerializationFailure,
    errors.DeadlockDetected,
)
_SLOW = ("SELECT pg_sleep(30)", "SELECT count(*) FROM generate_series(1, 1000000000) AS n")
_BUSY = ("SELECT pg_sleep(30)", "SELECT n FROM generate_series(1, 10000000) AS n", "UPDATE account SET balance = balance")
_WRONG = ("SELECT 1 / 0", "SELECT nothing", "SELEC", "INSERT INTO account VALUES (1, 1)", "SELECT 'x'::int")
_TAKE = "DELETE FROM job WHERE id = (SELECT id FROM job ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id"


class Told:
    """What the clients were told, and what they know of each other."""

    def __init__(self):
        self.connections = {}  # the one that each client has now
        self.numbers = itertools.count(1)
        self.sessions = itertools.count()
        self.notes = []
        self.jobs = []


class Client(threading.Thread):
    """See the module. `failure`: what it met and should not have."""

    def __init__(self, address, number, told, seconds):
        super().__init__(daemon=True)
        self.failure = None
        self._dsn = address.dsn
        self._number = number
        self._told = told
        self._until = time.monotonic() + seconds
        self._chance = random.Random()

    def run(self):
        try:
            while time.monotonic() < self._until:
                self._live()
        except BaseException as error:
            self.failure = error

    def _live(self):
        connection = psycopg.connect(self._dsn, autocommit=True, prepare_threshold=self._chance.choice((None, 1, 5)))
        next(self._told.sessions)
        self._told.connections[self._number] = connection
        try:
            for _ in range(self._chance.randint(1, 30)):
                self._chance.choice(OPERATIONS)(self, connection)
                assert connection.closed or connection.info.transaction_status == TransactionStatus.IDLE
        except _EXPECTED:
            pass
        except psycopg.OperationalError as error:
            if error.sqlstate is not None:  # else the connection is gone: another one has ended the session
                raise
        finally:
            self._chance.choice(ENDS)(self, connection)

    # Operations

    def read(self, connection):
        low = self._chance.randint(1, ACCOUNTS - 9)
        rows = connection.execute("SELECT * FROM account WHERE id BETWEEN %s AND %s ORDER BY id", (low, low + 9)).fetchall()
        assert len(rows) == 10

    def add_up(self, connection):
        assert connection.execute("SELECT sum(balance) FROM account").fetchone() == (BALANCE * ACCOUNTS,)

    def note(self, connection):
        number = next(self._told.numbers)
        text = "x" * self._chance.choice((10, 100, 5_000))
        connection.execute("INSERT INTO note (client, number, text) VALUES (%s, %s, %s)", (self._number, number, text))
        self._told.notes.append(number)

    def forget(self, connection):
        """Keep the table from growing, which is no leak."""
        deleted = connection.execute("DELETE FROM note WHERE client = %s RETURNING number", (self._number,)).fetchall()
        gone = {number for (number,) in deleted}
        self._told.notes[:] = [number for number in self._told.notes if number not in gone]

    def transfer(self, connection):
        amount = self._chance.randint(1, 1000) / 100
        with contextlib.suppress(errors.SerializationFailure, errors.DeadlockDetected), connection.transaction():
            if self._chance.random() < 0.3:
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for sign in (1, -1):
                account = self._chance.randint(1, ACCOUNTS)
                connection.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (sign * amount, account))

    def undo(self, connection):
        """Savepoints, errors, and a rollback of it all."""
        with connection.transaction(force_rollback=True):
            connection.execute("UPDATE account SET balance = 0")
            with contextlib.suppress(errors.UniqueViolation), connection.transaction():
                connection.execute("INSERT INTO account VALUES (1, 0)")

    def take_job(self, connection):
        with connection.transaction():
            connection.execute("INSERT INTO job (payload) VALUES ('work')")
            taken = connection.execute(_TAKE).fetchone()
        if taken is not None:
            self._told.jobs.append(taken[0])

    def fail(self, connection):
        for statement in _WRONG:
            with contextlib.suppress(errors.DataError, errors.ProgrammingError, errors.IntegrityError):
                connection.execute(statement)
                raise AssertionError(statement)

    def define(self, connection):
        name = sql.Identifier(f"made_{self._number}")
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE TABLE {} (a int PRIMARY KEY, b text); CREATE INDEX ON {} (b)").format(name, name))
        connection.execute(sql.SQL("INSERT INTO {} SELECT n, n FROM generate_series(1, 50) AS n").format(name))
        connection.execute(sql.SQL("DROP TABLE {}").format(name))

    def copy(self, connection):
        """Into a temporary table and out of it."""
        connection.execute("CREATE TEMP TABLE loaded (a int, b text)")
        with connection.cursor().copy("COPY loaded FROM STDIN") as copy:
            for number in range(300):
                copy.write_row((number, "x" * 100))
        with connection.cursor().copy("COPY loaded TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == 300
        connection.execute("DROP TABLE loaded")

    def page(self, connection):
        """A cursor that is left half read."""
        with connection.transaction():
            connection.execute("DECLARE pages CURSOR FOR SELECT n, repeat('x', 100) FROM generate_series(1, 100000) AS n")
            assert len(connection.execute("FETCH 500 FROM pages").fetchall()) == 500

    def notify(self, connection):
        connection.execute("LISTEN news")
        connection.execute("SELECT pg_notify('news', %s)", (str(self._number),))

    def lock(self, connection):
        connection.execute("SELECT pg_advisory_lock(%s)", (self._chance.randint(1, 3),))
        connection.execute("SELECT pg_advisory_unlock_all()")

    def cancel(self, connection):
        timer = threading.Timer(0.05, connection.cancel_safe)
        timer.start()
        self._be_cancelled(connection)
        timer.join()

    def time_out(self, connection):
        connection.execute("SET statement_timeout = 50")
        self._be_cancelled(connection)
        connection.execute("RESET statement_timeout")

    def _be_cancelled(self, connection):
        with contextlib.suppress(errors.QueryCanceled):
            connection.execute(self._chance.choice(_SLOW))
            raise AssertionError("it was not cancelled")

    def end_another(self, connection):
        other = self._chance.choice(list(self._told.connections.values()))
        if other is not connection and not other.closed:
            connection.execute("SELECT pg_terminate_backend(%s)", (other.info.backend_pid,))

    # Ends

    def close(self, connection):
        connection.close()

    def die(self, connection):
        """The socket is gone, by an end or a reset, in the middle of something or not."""
        if connection.closed:
            return
        if self._chance.random() < 0.7:
            with contextlib.suppress(psycopg.Error):
                connection.execute("BEGIN")
                connection.pgconn.send_query(self._chance.choice(_BUSY).encode())
                connection.pgconn.flush()
                time.sleep(self._chance.random() * 0.02)
        if not connection.closed:
            with socket.socket(fileno=os.dup(connection.pgconn.socket)) as raw:
                if self._chance.random() < 0.5:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                with contextlib.suppress(OSError):
                    raw.shutdown(socket.SHUT_RDWR)
        connection.close()


OPERATIONS = (
    *(Client.read, Client.note, Client.transfer) * 4,
    *(Client.add_up, Client.take_job, Client.undo, Client.fail, Client.define, Client.copy, Client.page, Client.forget),
    *(Client.notify, Client.lock, Client.cancel, Client.time_out, Client.end_another),
)
ENDS = (Client.close, Client.close, Client.die)

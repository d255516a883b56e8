"""pg_dump and pg_restore of PostgreSQL 18: from litephant to PostgreSQL and back, without a difference.

`sql/dump.sql` has an object of every kind. Dumps of both servers are compared as text, and so is what a restored dump gives when it
is dumped again; the one thing that pg_dump makes up anew each time, the word behind \\restrict, is left out.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drivers.test_psql import psql
from tests.harness.client import Address
from tests.harness.databases import fresh_database
from tests.harness.oracle import binaries

pytestmark = pytest.mark.drivers

SCHEMA = (Path(__file__).parent / "sql" / "dump.sql").read_text()
ROLES = ("dump_reader", "dump_writer")

PARTS = {
    "all": (),
    "INSERTs": ("--inserts",),
    "INSERTs with columns": ("--column-inserts", "--rows-per-insert=2"),
    "definitions only": ("--schema-only",),
    "rows only": ("--data-only",),
    "one table": ("-t", "child"),
    "one schema": ("-n", "app"),
    "all but one table": ("-T", "everything"),
    "clean": ("--clean", "--if-exists"),
    "create": ("--create",),
    "no owners, no rights": ("--no-owner", "--no-privileges"),
}


@contextmanager
def with_roles(server: Address) -> Iterator[Address]:
    """A fresh database on a server that has the roles. PostgreSQL's roles are the cluster's, ours the database's."""
    with fresh_database(server) as address:
        psql(binaries() / "psql", address, "".join(f"CREATE ROLE {role};\n" for role in ROLES))
        yield address
    psql(binaries() / "psql", server, "".join(f"DROP ROLE IF EXISTS {role};\n" for role in ROLES))


@pytest.fixture
def ours(driver_server: Address) -> Iterator[Address]:
    with with_roles(driver_server) as address:
        load(address, SCHEMA)
        yield address


@pytest.fixture
def theirs(oracle: Address) -> Iterator[Address]:
    with with_roles(oracle) as address:
        load(address, SCHEMA)
        yield address


def run(program: str, address: Address, *arguments: str | Path, script: str | None = None) -> str:
    command = [binaries() / program, "-d", address.dsn, *arguments]
    environment = {**os.environ, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=script, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(address: Address, script: str) -> None:
    run("psql", address, "-X", "-q", "-v", "ON_ERROR_STOP=1", script=script)


def dump(address: Address, *options: str) -> str:
    text = run("pg_dump", address, *options).replace(address.database, "the_database")
    return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def test_a_dump_is_what_postgresql_dumps(ours: Address, theirs: Address) -> None:
    for name, options in PARTS.items():
        assert dump(ours, *options) == dump(theirs, *options), name


def test_a_plain_dump_restores_into_postgresql(ours: Address, oracle: Address) -> None:
    with with_roles(oracle) as restored:
        load(restored, run("pg_dump", ours))
        assert dump(restored) == dump(ours)


def test_a_plain_dump_of_postgresql_restores_into_litephant(theirs: Address, driver_server: Address) -> None:
    with with_roles(driver_server) as restored:
        load(restored, run("pg_dump", theirs))
        assert dump(restored) == dump(theirs)


@pytest.mark.parametrize("how", [("custom", ()), ("directory", ()), ("directory", ("-j", "2")), ("tar", ())], ids=str)
def test_an_archive_restores_into_postgresql(
    ours: Address, oracle: Address, tmp_path: Path, how: tuple[str, tuple[str, ...]]
) -> None:
    _move(ours, oracle, tmp_path, *how)


@pytest.mark.parametrize("how", [("custom", ()), ("directory", ()), ("directory", ("-j", "2")), ("tar", ())], ids=str)
def test_an_archive_of_postgresql_restores_into_litephant(
    theirs: Address, driver_server: Address, tmp_path: Path, how: tuple[str, tuple[str, ...]]
) -> None:
    _move(theirs, driver_server, tmp_path, *how)


def _move(source: Address, server: Address, directory: Path, form: str, jobs: tuple[str, ...]) -> None:
    archive = directory / "archive"
    run("pg_dump", source, "-F", form, "-f", archive)
    with with_roles(server) as restored:
        run("pg_restore", restored, "--exit-on-error", *jobs, archive)
        assert dump(restored) == dump(source)


def test_an_archive_that_is_restored_twice(ours: Address, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    run("pg_dump", ours, "-F", "custom", "-f", archive)
    before = dump(ours, "--no-privileges")  # the functions are made again, now with the default privileges
    run("pg_restore", ours, "--clean", "--if-exists", "--exit-on-error", archive)
    assert dump(ours, "--no-privileges") == before


def test_the_rows_of_a_restored_table_are_the_same(ours: Address, oracle: Address) -> None:
    with with_roles(oracle) as restored:
        load(restored, run("pg_dump", ours))
        for table in ("everything", "serials", "app.identities", "parent", "child", "dropped", "summary", "app.merged"):
            assert _rows(restored, table) == _rows(ours, table)


def _rows(address: Address, table: str) -> list[str]:
    return sorted(run("psql", address, "-XAt", "-c", f"TABLE {table}").splitlines())

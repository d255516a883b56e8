"""psql of the test dependencies (18) and Debian's (15): scripts, and backslash commands as PostgreSQL answers them."""

import difflib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.client import Address
from tests.harness.oracle import binaries

pytestmark = pytest.mark.drivers

SCHEMA = """
CREATE TABLE parent (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x' UNIQUE, at timestamptz DEFAULT now(),
                     price numeric(10,2) CHECK (price > 0), tags text[], doc jsonb DEFAULT '{}');
CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id int NOT NULL REFERENCES parent ON DELETE CASCADE,
                    note char(5), twice int GENERATED ALWAYS AS (1 + 1) STORED);
CREATE INDEX child_parent ON child (parent_id DESC) WHERE parent_id > 0;
CREATE UNIQUE INDEX child_note ON child (lower(note));
CREATE VIEW cheap AS SELECT id, name FROM parent WHERE price < 10.0;
CREATE SEQUENCE counter START 5 INCREMENT 2;
CREATE SCHEMA app;
CREATE TABLE app.inner_table (a int, b date);
CREATE TYPE mood AS ENUM ('sad', 'happy');
COMMENT ON TABLE parent IS 'the parents';
"""

COMMANDS = [
    r"\d",
    r"\dt",
    r"\dt *.inner*",
    r"\dn",
    r"\di",
    r"\ds",
    r"\dv",
    r"\dT",
    r"\du",
    r"\d parent",
    r"\d child",
    r"\d cheap",
    r"\d counter",
    r"\d parent_pkey",
    r"\d app.inner_table",
    r"\d nothing",
    r"\d+ parent",
    r"\d+ cheap",
    r"\dt+ parent",
    r"\df lower",
    r"\encoding",
    r"\dconfig work_mem",
    r"\sv cheap",
]

# What \l and \conninfo say of owners, and the sizes of \dt+, differ by nature.
_SIZES = re.compile(r"\b\d+ (bytes|kB|MB)\b")


def psql(program: str | Path, address: Address, script: str, *options: str) -> str:
    command = [program, "-X", "-v", "ON_ERROR_STOP=0", *options, address.dsn]
    environment = {**os.environ, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8", "PAGER": "cat"}
    done = subprocess.run(command, input=script, capture_output=True, text=True, env=environment, timeout=30, check=False)
    return done.stdout + done.stderr


def debian() -> Path:
    """Debian's psql, another major version."""
    found = shutil.which("psql")
    assert found, "psql is not installed: apt-get install postgresql-client"
    return Path(found)


def _differences(program: Path, ours: Address, theirs: Address) -> list[str]:
    for address in (ours, theirs):
        assert "ERROR" not in psql(program, address, SCHEMA)
    found = []
    for command in COMMANDS:
        answers = [_SIZES.sub("<size>", psql(program, address, command + "\n")) for address in (theirs, ours)]
        if answers[0] != answers[1]:
            lines = difflib.unified_diff(answers[0].splitlines(), answers[1].splitlines(), "PostgreSQL", "ours", lineterm="")
            found.append(f"{command}\n" + "\n".join(lines))
    return found


def test_backslash_commands_of_psql_18(database: Address, oracle_database: Address) -> None:
    differences = _differences(binaries() / "psql", database, oracle_database)
    assert not differences, "\n\n".join(differences)


@pytest.mark.node
def test_backslash_commands_of_debians_psql(database: Address, oracle_database: Address) -> None:
    differences = _differences(debian(), database, oracle_database)
    assert not differences, "\n\n".join(differences)


def test_the_list_of_databases(database: Address) -> None:
    listed = psql(binaries() / "psql", database, r"\l" + "\n", "-At")
    rows = [line.split("|") for line in listed.splitlines() if "|" in line]
    assert [row[2:5] for row in rows if row[0] == database.database] == [["UTF8", "libc", "C.UTF-8"]]
    assert {"postgres", "template0", "template1"} <= {row[0] for row in rows}


def test_a_script(database: Address) -> None:
    script = r"""
\set ON_ERROR_STOP 1
CREATE TABLE t (id int PRIMARY KEY, name text);
\copy t FROM pstdin WITH (FORMAT csv)
1,one
2,"two, quoted"
\.
BEGIN;
INSERT INTO t VALUES (3, 'three');
\echo :ROW_COUNT
ROLLBACK;
SELECT count(*) AS n FROM t \gset
\echo counted :n
SELECT * FROM t ORDER BY id;
\copy (SELECT name FROM t ORDER BY id) TO STDOUT
PREPARE p (int) AS SELECT name FROM t WHERE id = $1;
EXECUTE p(2);
SELECT id FROM t WHERE id = $1 \bind 1 \g
\x
SELECT 1 AS a, NULL AS b;
SELECT 'broken'::int;
SELECT 'not reached';
"""
    shown = psql(binaries() / "psql", database, script.replace("pstdin", "STDIN"), "-P", "null=<null>")
    assert shown.splitlines() == [
        "CREATE TABLE",
        "COPY 2",
        "BEGIN",
        "INSERT 0 1",
        "1",
        "ROLLBACK",
        "counted 2",
        " id |    name     ",
        "----+-------------",
        "  1 | one",
        "  2 | two, quoted",
        "(2 rows)",
        "",
        "one",
        "two, quoted",
        "PREPARE",
        "    name     ",
        "-------------",
        " two, quoted",
        "(1 row)",
        "",
        " id ",
        "----",
        "  1",
        "(1 row)",
        "",
        "Expanded display is on.",
        "-[ RECORD 1 ]",
        "a | 1",
        "b | <null>",
        "",
        'ERROR:  invalid input syntax for type integer: "broken"',
        "LINE 1: SELECT 'broken'::int;",
        "               ^",
    ]


def test_several_statements_on_the_command_line(database: Address) -> None:
    program = binaries() / "psql"
    done = subprocess.run(
        [program, "-XAt", "-c", "SELECT 1; SELECT 2", "-c", "SELECT current_database()", database.dsn],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.splitlines() == ["1", "2", database.database]

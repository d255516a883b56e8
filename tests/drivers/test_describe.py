"""psql's describing commands and the functions behind them: for one schema, both servers give the same.

`sql/describe.psql` has the commands, `sql/definitions.sql` calls of pg_describe_object, pg_get_functiondef and kin.
"""

import difflib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.test_pg_dump import SCHEMA, load, with_roles
from tests.drivers.test_psql import debian, psql
from tests.harness.client import Address
from tests.harness.oracle import binaries

pytestmark = pytest.mark.drivers

FOLDER = Path(__file__).parent / "sql"
COMMANDS = (FOLDER / "describe.psql").read_text().splitlines()
STATEMENTS = (FOLDER / "definitions.sql").read_text().splitlines()
PROGRAM = binaries() / "psql"

# What may differ, and why: sizes on disk are those of two storage formats.
_SIZES = re.compile(r"\b\d+ (bytes|kB|MB)\b")
# Columns of the listing are as wide as the sizes, so these are compared without alignment.
_WITH_SIZES = re.compile(r"\\d\+$|\\(dt|di|ds|dm|dtv|dtS|diS|db|l)\+")
# The families' types are collected without ORDER BY, so they come in the order of the table's rows.
_UNORDERED = re.compile(r"\\dAf")


@pytest.fixture
def both(driver_server: Address, oracle: Address) -> Iterator[tuple[Address, Address]]:
    """(PostgreSQL, litephant)"""
    with with_roles(oracle) as theirs, with_roles(driver_server) as ours:
        for address in (theirs, ours):
            load(address, SCHEMA)
        yield theirs, ours


def answers(address: Address, inputs: list[str], program: Path = PROGRAM) -> list[str]:
    """What one psql prints for each of the inputs."""
    script = []
    for number, line in enumerate(inputs):
        aligned = "unaligned" if _WITH_SIZES.match(line) else "aligned"
        script += [f"\\echo <<{number}>>", f"\\pset format {aligned}", line]
    command = [str(program), "-X", "-q", "-P", "pager=off", address.dsn]
    text = "\n".join(script) + "\n"
    # what goes to the error stream would come between the lines of other answers
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True)
    assert not done.stderr, done.stderr
    found = re.split(r"<<\d+>>\n", done.stdout.replace(address.database, "the_database"))[1:]
    return [normalized(line, answer) for line, answer in zip(inputs, found, strict=True)]


def normalized(command: str, answer: str) -> str:
    answer = _SIZES.sub("<size>", answer)
    if _UNORDERED.match(command):
        answer = "\n".join(", ".join(sorted(re.split(r", | *\| *", line))) for line in answer.splitlines())
    return answer


def differences(inputs: list[str], theirs: list[str], ours: list[str]) -> str:
    found = []
    for line, one, other in zip(inputs, theirs, ours, strict=True):
        if one != other:
            diff = difflib.unified_diff(one.splitlines(), other.splitlines(), "PostgreSQL", "litephant", lineterm="", n=1)
            found.append("\n".join([line, *diff]))
    return "\n\n".join(found)


def test_describing_commands(both: tuple[Address, Address]) -> None:
    assert len(COMMANDS) > 100
    theirs, ours = (answers(address, COMMANDS) for address in both)
    assert not (found := differences(COMMANDS, theirs, ours)), found


@pytest.mark.node
def test_describing_commands_of_debians_psql(both: tuple[Address, Address]) -> None:
    # \drg is new in 16; the collation columns that \dO and \l of 15 read have other names since 17
    commands = [each for each in COMMANDS if not re.match(r"\\drg|\\dO|\\l ", each)]
    theirs, ours = (answers(address, commands, debian()) for address in both)
    assert not (found := differences(commands, theirs, ours)), found


@pytest.mark.parametrize("command", [r"\d nothing", r"\sf nothing", r"\sv nothing", r"\sv summary", r"\d+ nothing.at_all"])
def test_commands_that_find_nothing(both: tuple[Address, Address], command: str) -> None:
    theirs, ours = (psql(PROGRAM, address, command + "\n") for address in both)
    assert ours == theirs


def test_functions_that_describe(both: tuple[Address, Address]) -> None:
    script = "\\pset format unaligned\n\\t\n" + "".join(f"\\echo {line}\n{line}\n" for line in STATEMENTS)
    theirs, ours = (psql(PROGRAM, address, script).splitlines() for address in both)
    assert not list(difflib.unified_diff(theirs, ours, "PostgreSQL", "litephant", lineterm="", n=1))


def test_meta_commands_on_queries(both: tuple[Address, Address]) -> None:
    script = r"""
SELECT a, b, c, "Mixed Case", now() AS at, NULL AS nothing, '{1}'::int[] AS list, 'ok'::mood FROM parent \gdesc
SELECT FROM parent \gdesc
\copy parent TO STDOUT
\copy (SELECT b, c FROM parent ORDER BY a) TO STDOUT WITH (FORMAT csv, HEADER, NULL 'none')
\copy parent (a, b) FROM STDIN WITH (FORMAT csv)
7,seven
8,"eight, quoted"
\.
SELECT b, a, c FROM parent ORDER BY 1 \crosstabview
SELECT b, "select", a FROM parent ORDER BY 1 \crosstabview b select a
SELECT count(*) AS n FROM parent \gset found_
\echo :found_n
SELECT format('SELECT %s', a) FROM parent ORDER BY a \gexec
SELECT a FROM parent ORDER BY a \gx
\bind 1 seven
SELECT b FROM parent WHERE a = $1 OR b = $2 ORDER BY a \g
SELECT a FROM parent WHERE a = $1 \parse named
\bind_named named 7 \g
\close_prepared named
\set FETCH_COUNT 1
SELECT a FROM parent ORDER BY a;
\unset FETCH_COUNT
\timing off
\startpipeline
SELECT 1 \bind \sendpipeline
SELECT 2 \bind \sendpipeline
\endpipeline
"""
    theirs, ours = (psql(PROGRAM, address, script).splitlines() for address in both)
    assert not list(difflib.unified_diff(theirs, ours, "PostgreSQL", "litephant", lineterm="", n=1))


def test_a_repeated_query(both: tuple[Address, Address]) -> None:
    # the title has the time of day
    theirs, ours = (psql(PROGRAM, address, "SELECT 1 AS one \\watch i=0.01 c=2\n", "-t") for address in both)
    moment = re.compile(r"\w+ \w+ +\d+ [\d:]+ \d+")
    assert moment.sub("<moment>", ours) == moment.sub("<moment>", theirs)
    assert ours.count("1\n") == 2


def test_the_last_error_in_full(both: tuple[Address, Address]) -> None:
    script = "INSERT INTO parent (a, b) VALUES (1, 'x');\n\\errverbose\nSELECT nothing;\n\\errverbose\n"
    # the location is one in PostgreSQL's source
    theirs, ours = (
        [line for line in psql(PROGRAM, address, script).splitlines() if not line.startswith("LOCATION")] for address in both
    )
    assert ours == theirs

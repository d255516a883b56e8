"""Random conversations of the extended protocol, held with litephant and with PostgreSQL: the replies must be the same.

A conversation is made from a seed, so a failure can be repeated. The vocabulary leaves out what differs on purpose or by
nature: statements whose rows come before an error, the unnamed portal after a simple query that failed.
"""

import random
import re
from typing import Final

import pytest

from proxy.wire import backend, frontend
from proxy.wire.message import CopyData, CopyDone, Message
from tests.harness import compare
from tests.harness.client import Address, Client
from tests.harness.databases import execute, fresh_database

pytestmark = pytest.mark.oracle

_SETUP: Final = "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL)"
_QUERIES: Final = (
    *(
        "SELECT $1::int + 1",
        "SELECT $1 || 'x', $2::int8",
        "SELECT a, b FROM t ORDER BY a",
        "SELECT a FROM t WHERE a > $1 ORDER BY a",
    ),
    *(
        "INSERT INTO t VALUES ($1, $2)",
        "INSERT INTO t VALUES ($1, $2) RETURNING a, b",
        "DELETE FROM t WHERE a = $1 RETURNING *",
    ),
    *(
        "SELECT",
        "TABLE t ORDER BY a",
        "VALUES (1, 'a'), (2, NULL)",
        "SELECT generate_series(1, $1)",
        "SELECT $2::text",
        "SELECT 1 / 0",
    ),
    *("SELECT nope FROM t", "SELEC 1", "", "SELECT 1; SELECT 2", "SELECT a FROM t ORDER BY a FOR UPDATE"),
    *("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT x", "ROLLBACK TO x", "RELEASE x", "SET TRANSACTION READ ONLY", "LOCK TABLE t"),
    *("SHOW work_mem", "SET work_mem = '5MB'", "SET LOCAL work_mem = '6MB'", "RESET work_mem", "LISTEN channel", "VACUUM t"),
    *(
        "DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a",
        "FETCH 1 FROM c",
        "CLOSE c",
        "FETCH 2 FROM p",
        "MOVE 1 IN q",
        "CLOSE p",
    ),
    *("DECLARE h CURSOR WITH HOLD FOR SELECT a FROM t ORDER BY a", "FETCH 2 FROM h", "CLOSE ALL", "DISCARD ALL"),
    *("PREPARE e (int) AS SELECT a FROM t WHERE a = $1", "EXECUTE e (1)", "DEALLOCATE e", "DEALLOCATE ALL"),
    *("CREATE TABLE u (x int)", "DROP TABLE IF EXISTS u", "INSERT INTO u VALUES (1)"),
)
_VALUES: Final = (b"1", b"2", b"3", b"x", None, b"\0\0\0\1", b"10", b"", b"\xff", b"-5", b"1.50")
_STATEMENTS: Final = ("", "r", "s")
_PORTALS: Final = ("p", "q")
_COPY: Final = (b"7\ty\n8\tz\n", b"bad\n", b"9\t", b"5\n", b"\\.\n")


def _step(chance: random.Random) -> list[Message]:
    """What is sent before the client waits: a simple query, a COPY, or a pipeline."""
    match chance.choice(("query", "copy", "pipeline", "pipeline", "pipeline")):
        case "query":
            texts = chance.choices([text for text in _QUERIES if "$" not in text], k=chance.choice((1, 1, 2, 3)))
            return [frontend.Query("; ".join(texts))]
        case "copy":
            data = [CopyData(piece) for piece in chance.choices(_COPY, k=chance.randrange(3))]
            return [frontend.Query("COPY t FROM STDIN"), *data, CopyDone()]
    count = [1]
    return [*(_message(chance, count) for _ in range(chance.choice((1, 2, 3, 5, 8)))), frontend.Sync()]


def _message(chance: random.Random, count: list[int]) -> Message:
    """One message; `count` remembers how many parameters the last Parse has, so that most of Bind's fit."""
    match chance.choice("PPBBBDEEEECF"):
        case "P":
            text = chance.choice(_QUERIES)
            count[0] = len(set(re.findall(r"\$\d", text)))
            return frontend.Parse(chance.choice(_STATEMENTS), text, chance.choice(((), (), (23,), (25, 20))))
        case "B":
            values = chance.choices(_VALUES, k=chance.choice((count[0], count[0], 0, 1, 2)))
            formats, results = chance.choice(((), (0,), (1,))), chance.choice(((), (0,), (1,), (1, 0)))
            return frontend.Bind(chance.choice(_PORTALS), chance.choice(_STATEMENTS), formats, values, results)
        case "D":
            return chance.choice(
                (
                    frontend.Describe("S", chance.choice(_STATEMENTS)),
                    frontend.Describe("P", chance.choice((*_PORTALS, "c", "h"))),
                )
            )
        case "E":
            return frontend.Execute(chance.choice((*_PORTALS, "c")), chance.choice((0, 0, 1, 2, 5)))
        case "C":
            return chance.choice(
                (frontend.Close("S", chance.choice(_STATEMENTS)), frontend.Close("P", chance.choice(_PORTALS)))
            )
    return frontend.Flush()


def _converse(address: Address, steps: list[list[Message]]) -> list[str]:
    replies = []
    with Client(address) as client:
        for step in steps:
            client.send(*step)
            replies += [*map(str, step), *compare.conversation(client.receive_until(backend.ReadyForQuery))]
    return replies


@pytest.mark.parametrize("seed", range(25))
def test_the_same_replies(server: Address, oracle: Address, seed: int) -> None:
    chance = random.Random(seed)
    steps = [_step(chance) for _ in range(20)]
    answers = []
    for target in (server, oracle):
        with fresh_database(target) as address:
            execute(address, _SETUP)
            answers.append(_converse(address, steps))
    assert answers[0] == answers[1]

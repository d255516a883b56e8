"""INSERTs of many rows: which texts are regular enough, and that rows are compiled once. What they answer is in cases/dml/many_rows.test."""

import re

import pytest

from proxy.session.values_lists import split_literals, split_parameters
from proxy.wire import frontend
from tests.harness.conversation import brief

ROWS = 9
SELECTED = (
    "INSERT INTO t (a, b) SELECT p0::integer, p1::varchar FROM (VALUES {(%, %, #)}) AS v (p0, p1, n) ORDER BY n RETURNING id, a"
)


def many(text, rows=ROWS, separator=", "):
    """The text with many rows for the one in braces: # is its number, and every % the next parameter."""
    begin, row, end = re.fullmatch(r"(.*)\{(.*)\}(.*)", text, re.DOTALL).groups()
    pieces = separator.join(row.replace("#", str(number)) for number in range(rows)).split("%")
    return begin + "".join(f"{piece}${number}" for number, piece in enumerate(pieces[:-1], 1)) + pieces[-1] + end


@pytest.mark.parametrize(
    ("text", "row", "first"),
    [
        ("INSERT INTO t VALUES {(#)}", "INSERT INTO t VALUES ($1)", "0"),
        ("insert into s.t(a)values{(-#)};", "insert into s.t(a)values($1);", "-0"),
        (
            """INSERT INTO "t 1" (a, "b 2") VALUES\n{(DEFAULT, 'it''s #'::text, now())} RETURNING 'x%s'""",
            """INSERT INTO "t 1" (a, "b 2") VALUES\n(DEFAULT, $1::text, now()) RETURNING 'x%s'""",
            "'it''s 0'::text",
        ),
        ("INSERT INTO t VALUES {( null , #.5e3, TRUE)}", "INSERT INTO t VALUES ( $1 , $2, $3)", "null"),
        (
            "INSERT INTO t VALUES {(#, 1)} ON CONFLICT DO NOTHING",
            "INSERT INTO t VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "0",
        ),
    ],
)
@pytest.mark.parametrize("separator", [", ", ",", "\n  , "])
def test_literals(text, row, first, separator):
    grid = split_literals(many(text.replace("%s", "@"), separator=separator).replace("@", "%s"))
    assert grid.row == row
    assert grid.rows == ROWS
    assert len(grid.columns) == grid.width
    assert {len(column) for column in grid.columns} == {ROWS}
    assert grid.columns[0][0] == first


@pytest.mark.parametrize(
    "text",
    [
        many("INSERT INTO t VALUES {(#)}", 7),
        many("INSERT INTO t VALUES {(# + 1)}"),
        many("INSERT INTO t VALUES {(#, f(#))}"),
        many("INSERT INTO t VALUES {(#, E'#')}"),
        many("INSERT INTO t VALUES {(#)}").replace(", (5", ",  (5"),
        many("INSERT INTO t VALUES {(#)}, (1 + 1)"),
        many("INSERT INTO t VALUES {(#)} RETURNING $1"),
        many("INSERT INTO t VALUES {(DEFAULT)}"),
        many("INSERT INTO t VALUES {('a'::text#)}"),
        many("INSERT INTO t VALUES {(#)} ON CONFLICT (a) DO UPDATE SET a = 1 WHERE t.b IN (1), (3)"),
        many("WITH c AS (SELECT 1) INSERT INTO t VALUES {(#)}"),
        many("SELECT {(#)}"),
    ],
)
def test_irregular_literals(text):
    assert split_literals(text) is None


@pytest.mark.parametrize(
    ("text", "row", "counted", "plain"),
    [
        ("INSERT INTO t VALUES {(%)}", "INSERT INTO t VALUES ($1)", False, True),
        ("INSERT INTO t VALUES {(%, 0)}", "INSERT INTO t VALUES ($1, 0)", False, True),
        (
            "INSERT INTO t (a, b) VALUES {(DEFAULT, %::int, %::numeric(10, 2))} RETURNING a",
            "INSERT INTO t (a, b) VALUES (DEFAULT, $1::int, $2::numeric(10, 2)) RETURNING a",
            False,
            True,
        ),
        ("INSERT INTO t VALUES {(%, lower(%), %)}", "INSERT INTO t VALUES ($1, lower($2), $3)", False, False),
        ("INSERT INTO t VALUES {(% + 1)}", "INSERT INTO t VALUES ($1 + 1)", False, False),
        (SELECTED, SELECTED.replace("{(%, %, #)}", "($1, $2, 0)"), True, True),
    ],
)
def test_parameters(text, row, counted, plain):
    grid = split_parameters(many(text))
    assert (grid.row, grid.rows, grid.counted, grid.plain) == (row, ROWS, counted, plain)


@pytest.mark.parametrize(
    "text",
    [
        many("INSERT INTO t VALUES {(%)}", 7),
        many("INSERT INTO t VALUES {(%, #)}").replace(", 3)", ", 7)"),
        many("INSERT INTO t VALUES {(%)}").replace("$9", "$8"),
        many("INSERT INTO t VALUES {(%)} ON CONFLICT (a) DO UPDATE SET a = $1"),
        many("INSERT INTO t VALUES {(%, $$)$$)}"),
        many("INSERT INTO t VALUES {(%, ')')}"),
        many("INSERT INTO t VALUES {(%, -- )}"),
        many("INSERT INTO t SELECT s.values {(%)}"),
        many("SELECT * FROM (VALUES {(%)}) v"),
    ],
)
def test_irregular_parameters(text):
    assert split_parameters(text) is None


@pytest.fixture
def session(talk):
    session = talk()
    session.query("CREATE TABLE t (id serial, a int, b text)")
    return session


def test_rows_are_compiled_once(session, monkeypatch):
    session.query(many("INSERT INTO t (a, b) VALUES {(#, 'x')}"))

    def fail(*_):
        raise AssertionError("nothing is to be compiled")

    monkeypatch.setattr("translator.compiler.compile_statement", fail)
    monkeypatch.setattr("translator.compiler.compile_values", fail)
    assert brief(session.query(many("INSERT INTO t (a, b) VALUES {(#, 'y')}", 20))) == ["INSERT 0 20", "I"]


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("INSERT INTO t (a, b) VALUES {(%, %)}", (), (23, 25) * ROWS),
        ("INSERT INTO t (a, b) VALUES {(%, %)}", (21, 0) * 8 + (20,), (21, 25) * 8 + (20, 25)),
        ("INSERT INTO t (a, b) VALUES {(% + 1, %)}", (), (23, 25) * ROWS),
        (SELECTED, (), (25, 25) * ROWS),
        (SELECTED, (21, 25) * 8 + (23, 25), (21, 25) * 8 + (23, 25)),
    ],
)
def test_parameters_are_described_and_inserted(session, text, types, expected):
    values: list[bytes | None] = [str(number).encode() for number in range(ROWS * 2)]
    answers = session.send(
        frontend.Parse("", many(text), types),
        frontend.Describe("S", ""),
        frontend.Bind("", "", (), values, ()),
        frontend.Execute("", 0),
        frontend.Sync(),
    )
    assert answers[1].parameter_types == expected
    returned = [answer for answer in brief(answers) if answer.startswith("(")]
    assert returned == ([f"({number + 1},{number * 2})" for number in range(ROWS)] if text is SELECTED else [])
    assert brief(answers)[-2:] == [f"INSERT 0 {ROWS}", "I"]
    added = ROWS if "+ 1" in text else 0
    assert brief(session.query("SELECT count(*), sum(a), max(b) FROM t"))[1] == f"({ROWS},{ROWS * (ROWS - 1) + added},9)"


def test_the_plan_is_made_anew_when_the_table_changes(session):
    session.send(frontend.Parse("many", many("INSERT INTO t (a, b) VALUES {(%, %)}"), ()), frontend.Sync())
    session.query("ALTER TABLE t ADD COLUMN c int DEFAULT 5")
    answers = session.send(frontend.Bind("", "many", (), [b"1", b"x"] * ROWS, ()), frontend.Execute("", 0), frontend.Sync())
    assert brief(answers)[-2:] == [f"INSERT 0 {ROWS}", "I"]
    assert brief(session.query("SELECT sum(c) FROM t"))[1] == f"({ROWS * 5})"


def test_more_rows_than_the_event_loop_takes(session):
    assert brief(session.query(many("INSERT INTO t (a) VALUES {(#)}", 5000))) == ["INSERT 0 5000", "I"]
    assert brief(session.query("SELECT count(*), sum(a), max(id) FROM t"))[1] == "(5000,12497500,5000)"


def test_a_thousand_rows_are_run_once(session):
    """A run that was interrupted and done again would leave a gap in the sequence."""
    session.query(many("INSERT INTO t (a) VALUES {(#)}", 1000))
    assert brief(session.query("SELECT min(id), max(id) FROM t"))[1] == "(1,1000)"

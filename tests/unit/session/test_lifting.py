"""Literals as parameters: where they are lifted, and that nobody can tell."""

from typing import cast

import pytest

from proxy.session.lifting import cut, lift, shape_of
from proxy.session.plans import CompiledPlan
from tests.harness.conversation import brief


@pytest.mark.parametrize(
    ("text", "lifted", "types", "values"),
    [
        ("SELECT a FROM t WHERE id = 5", "SELECT a FROM t WHERE id =  $1", (23,), [5]),
        ("select a from t where n='x''y' and b>=7;", "select a from t where n= $1 and b>= $2;", (0, 23), ["x'y", 7]),
        ("UPDATE t SET a = a + -3 WHERE id = 1", "UPDATE t SET a = a + - $1 WHERE id =  $2", (23, 23), [3, 1]),
        (
            "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
            "INSERT INTO t VALUES ( $1,  $2), ( $3,  $4)",
            (23, 0, 23, 0),
            [1, "x", 2, "y"],
        ),
        ("DELETE FROM t WHERE a IN (1, 2)", "DELETE FROM t WHERE a IN ( $1,  $2)", (23, 23), [1, 2]),
        ("SELECT 1 FROM t WHERE a = 2 ORDER BY 1 LIMIT 3", "SELECT 1 FROM t WHERE a =  $1 ORDER BY 1 LIMIT 3", (23,), [2]),
    ],
)
def test_lifted(text, lifted, types, values):
    assert lift(text) == (lifted, types, values)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT a FROM t LIMIT 5",
        "SELECT a FROM t ORDER BY 1",
        "SELECT a FROM t GROUP BY a = 1",
        "SELECT a FROM t WHERE b LIKE 'x%'",
        "SELECT date_trunc('day', b) FROM t",
        "SELECT a FROM t WHERE b = E'x'",
        "SELECT a FROM t WHERE b = 1.5",
        "SELECT a FROM t WHERE b = 2147483648",
        "SELECT a FROM t WHERE b = 1 -- comment",
        "SELECT a FROM t WHERE b = 1; SELECT 2",
        "SELECT a FROM t WHERE b = $1 AND c = 2",
        "SELECT a->'x' FROM t",
        "SELECT numeric(10, 2) '1'",
        "SHOW work_mem",
        "SELECT a FROM t WHERE b = 'unterminated",
    ],
)
def test_not_lifted(text):
    assert lift(text) is None


def test_texts_share_a_plan(talk, monkeypatch):
    session = talk()
    session.query("CREATE TABLE t (a int PRIMARY KEY, b text)")
    assert brief(session.query("INSERT INTO t VALUES (1, 'x')")) == ["INSERT 0 1", "I"]
    session.query("SELECT b FROM t WHERE a = 1")

    def fail(*_):
        raise AssertionError("nothing is to be compiled")

    monkeypatch.setattr("translator.compiler.compile_statement", fail)
    assert brief(session.query("INSERT INTO t VALUES (2, 'it''s')")) == ["INSERT 0 1", "I"]
    assert brief(session.query("SELECT b FROM t WHERE a = 2"))[1] == "(it's)"


def test_errors_are_those_of_the_text(talk):
    session = talk()
    session.query("CREATE TABLE t (a int, b int)")
    session.query("SELECT a FROM t WHERE a = '1'")
    [error, _] = session.query("SELECT a FROM t WHERE a = 'x'")
    assert (error.code, error.position, error.where) == ("22P02", "27", None)
    [error, _] = session.query("SELECT nosuch FROM t WHERE a = 1")
    assert (error.code, error.position) == ("42703", "8")
    assert brief(session.query("SELECT b = 1 FROM t GROUP BY b = 1")) == ["RowDescription", "SELECT 0", "I"]


def test_now_is_read_each_time(talk):
    session = talk()
    session.query("CREATE TABLE t (a timestamptz)")
    for _ in range(2):
        session.query("INSERT INTO t VALUES ('now')")
    assert brief(session.query("SELECT count(DISTINCT a) FROM t"))[1] == "(2)"


@pytest.mark.parametrize(
    ("learnt", "text", "values"),
    [
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = 77", [77]),
        ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = 'it''s'", ["it's"]),
        ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = 1", None),
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = 2147483648", None),
        ("SELECT a FROM t WHERE b = 1 LIMIT 5", "SELECT a FROM t WHERE b = 2 LIMIT 5", [2]),
        ("SELECT a FROM t WHERE b = 1 LIMIT 5", "SELECT a FROM t WHERE b = 2 LIMIT 6", None),
        ("SELECT a FROM t WHERE b = 1 ORDER BY 1", "SELECT a FROM t WHERE b = 2 ORDER BY 2", None),
        ('SELECT "a 1" FROM t WHERE b = 1', 'SELECT "a 1" FROM t WHERE b = 3', [3]),
        ('SELECT "a 1" FROM t WHERE b = 1', 'SELECT "a 2" FROM t WHERE b = 3', None),
        (
            "INSERT INTO t VALUES (1, 'a', -2), (3, 'b', 4)",
            "INSERT INTO t VALUES (5, '', -6), (7, '8', 9)",
            [5, "", 6, 7, "8", 9],
        ),
        ("SELECT a FROM t WHERE b LIKE 'x%' AND c = 1", "SELECT a FROM t WHERE b LIKE 'x%' AND c = 2", [2]),
        ("SELECT a FROM t WHERE b LIKE 'x%' AND c = 1", "SELECT a FROM t WHERE b LIKE 'y%' AND c = 2", None),
    ],
)
def test_a_shape_knows_what_lift_finds(learnt, text, values):
    lifted = lift(learnt)
    skeleton, literals = cut(learnt)
    shape = shape_of(learnt, lifted[0])
    plan = cast(CompiledPlan, "plan")
    shape.keep(literals, plan)
    other, others = cut(text)
    found = shape.find(others) if other == skeleton else None
    assert found == (None if values is None else (plan, values))
    if values is not None:
        assert lift(text) == (lifted[0], lifted[1], values)


def test_no_shape_where_a_name_has_an_apostrophe():
    text = """SELECT "it's" FROM t WHERE b = 'x'"""
    assert shape_of(text, lift(text)[0]) is None

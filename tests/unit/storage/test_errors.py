"""Constraint violations against the words of PostgreSQL 18.4, and SQLite's other errors."""

import logging

import apsw
import pytest

from proxy.storage.errors import Failed, translate
from translator.errors import SqlError
from translator.functions.registry import IMPLEMENTATIONS, Implementation

INT4, TEXT, NUMERIC, BPCHAR = 23, 25, 1700, 1042


@pytest.fixture
def fail(connection, tables):
    """The error report of a statement that must fail, inside a transaction that must survive it unchanged."""

    def fail(sql, binds=(), target=None, **facts):
        connection.begin_immediate()
        before = connection.sqlite.total_changes()
        with pytest.raises(apsw.Error) as raised:
            connection.execute(sql, binds).fetchall()
        failed = Failed(sql, binds, target.oid if target else 0, tables, **facts)
        error = translate(raised.value, connection, failed)
        assert connection.in_transaction
        assert connection.execute("SELECT count(*) FROM temp.sqlite_schema").fetchall() == [(0,)]
        assert connection.execute("PRAGMA defer_foreign_keys").fetchall() == [(0,)]
        assert before <= connection.sqlite.total_changes()
        connection.rollback()
        return error

    return fail


def facts(error):
    """What a client sees of it."""
    return error.sqlstate, error.message, error.detail, error.schema, error.table, error.constraint or error.column


@pytest.fixture
def people(connection, tables):
    connection.execute(
        "CREATE TABLE p (id INTEGER, n TEXT, PRIMARY KEY (id), UNIQUE (n)); INSERT INTO p VALUES (1, 'a'), (2, 'b')"
    )
    return tables.table("p", {"id": INT4, "n": TEXT}, indexes=(tables.unique("p_pkey", 1), tables.unique("p_n_key", 2)))


def test_primary_key(fail, people):
    assert facts(fail("INSERT INTO p VALUES (?1, 'z')", (1,), people)) == (
        "23505",
        'duplicate key value violates unique constraint "p_pkey"',
        "Key (id)=(1) already exists.",
        "public",
        "p",
        "p_pkey",
    )


def test_unique_names_the_row_of_many_that_failed(fail, people):
    error = fail("INSERT INTO p VALUES (5, 'c'), (6, 'b'), (7, 'd')", target=people)
    assert error.detail == "Key (n)=(b) already exists."
    error = fail("UPDATE p SET n = 'b' WHERE id = 1", target=people)
    assert (error.constraint, error.detail) == ("p_n_key", "Key (n)=(b) already exists.")


def test_composite_key_in_a_schema_with_awkward_names(fail, connection, tables):
    connection.execute('CREATE TABLE "s.t, u.v" (a INTEGER, "B, c" TEXT, PRIMARY KEY (a, "B, c"))')
    table = tables.table("t, u.v", {"a": INT4, "B, c": TEXT}, schema="s", indexes=(tables.unique("t_pkey", 1, 2),))
    assert facts(fail('INSERT INTO "s.t, u.v" VALUES (1, ?1), (1, ?1)', ("x",), table)) == (
        "23505",
        'duplicate key value violates unique constraint "t_pkey"',
        'Key (a, "B, c")=(1, x) already exists.',
        "s",
        "t, u.v",
        "t_pkey",
    )


def test_partial_expression_index(fail, connection, tables):
    connection.execute(
        "CREATE TABLE u (a INTEGER, b TEXT);"
        'CREATE UNIQUE INDEX "u_lower" ON "u" (lower("b") COLLATE BINARY, "a" DESC, (a + 1)) WHERE a > 5'
    )
    index = tables.unique("u_lower", 0, 1, 0, expressions=("lower(b)", "a + 1"))
    table = tables.table("u", {"a": INT4, "b": TEXT}, indexes=(index,))
    error = fail("INSERT INTO u VALUES (6, 'X'), (6, 'x')", target=table)
    assert error.detail == "Key (lower(b), a, (a + 1))=(x, 6, 7) already exists."
    assert error.constraint == "u_lower"


def test_values_are_printed_in_output_form(fail, connection, tables):
    connection.execute("CREATE TABLE v (n NUMERIC, c TEXT, d REAL, x INTEGER); CREATE UNIQUE INDEX v_key ON v (n, c, d, x)")
    columns = {
        "n": {"type_oid": NUMERIC, "typmod": (5 << 16 | 2) + 4},
        "c": {"type_oid": BPCHAR, "typmod": 9},
        "d": 701,
        "x": 16,
    }
    table = tables.table("v", columns, indexes=(tables.unique("v_key", 1, 2, 3, 4),))
    error = fail("INSERT INTO v VALUES (1.5, 'ab', 0.1, 1), (1.5, 'ab', 0.1, 1)", target=table)
    assert error.detail == "Key (n, c, d, x)=(1.50, ab   , 0.1, t) already exists."


@pytest.fixture
def children(connection, tables, people):
    connection.execute(
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p (id), q TEXT NOT NULL,"
        " e INTEGER CONSTRAINT c_e_check CHECK (e > 0), g INTEGER GENERATED ALWAYS AS (e * 2) STORED,"
        " v INTEGER GENERATED ALWAYS AS (e + 1) VIRTUAL); INSERT INTO c (id, p_id, q, e) VALUES (1, 1, 'x', 5)"
    )
    columns = {"id": INT4, "p_id": INT4, "q": TEXT, "e": INT4, "g": {"type_oid": INT4, "generated": "s"}}
    columns["v"] = {"type_oid": INT4, "generated": "v"}
    constraints = (tables.foreign_key("c_p_fk", (2,), people, (1,)), tables.check("c_e_check"))
    return tables.table("c", columns, constraints=constraints)


def test_not_null(fail, children):
    assert facts(fail("INSERT INTO c (id, p_id, q, e) VALUES (2, 1, NULL, 5)", target=children)) == (
        "23502",
        'null value in column "q" of relation "c" violates not-null constraint',
        "Failing row contains (2, 1, null, 5, 10, virtual).",
        "public",
        "c",
        "q",
    )


def test_check_and_long_values(fail, children):
    error = fail("INSERT INTO c (id, p_id, q, e) VALUES (3, 1, 'y', 1), (2, 1, ?1, -5)", ("ä" * 80,), children)
    assert facts(error) == (
        "23514",
        'new row for relation "c" violates check constraint "c_e_check"',
        f"Failing row contains (2, 1, {'ä' * 32}..., -5, -10, virtual).",
        "public",
        "c",
        "c_e_check",
    )


def test_foreign_key_from_the_child(fail, children):
    assert facts(fail("INSERT INTO c (id, p_id, q) VALUES (2, 1, 'x'), (3, ?1, 'x')", (9,), children)) == (
        "23503",
        'insert or update on table "c" violates foreign key constraint "c_p_fk"',
        'Key (p_id)=(9) is not present in table "p".',
        "public",
        "c",
        "c_p_fk",
    )
    assert fail("UPDATE c SET p_id = 8", target=children).detail == 'Key (p_id)=(8) is not present in table "p".'


def test_foreign_key_from_the_parent(fail, people, children):
    expected = (
        "23503",
        'update or delete on table "p" violates foreign key constraint "c_p_fk" on table "c"',
        'Key (id)=(1) is still referenced from table "c".',
        "public",
        "c",
        "c_p_fk",
    )
    assert facts(fail("DELETE FROM p", target=people)) == expected
    assert facts(fail("UPDATE p SET id = 7 WHERE id = 1", target=people)) == expected


def test_restrict(fail, connection, tables, people):
    connection.execute(
        "CREATE TABLE r (id INTEGER, p_id INTEGER REFERENCES p ON DELETE RESTRICT ON UPDATE RESTRICT); INSERT INTO r VALUES (1, 2)"
    )
    definition = "FOREIGN KEY (p_id) REFERENCES p(id) ON UPDATE RESTRICT ON DELETE RESTRICT"
    key = tables.foreign_key("r_p_id_fkey", (2,), people, (1,), definition=definition)
    tables.table("r", {"id": INT4, "p_id": INT4}, constraints=(key,))
    expected = (
        "23001",
        'update or delete on table "p" violates RESTRICT setting of foreign key constraint "r_p_id_fkey" on table "r"',
        'Key (id)=(2) is referenced from table "r".',
        "public",
        "r",
        "r_p_id_fkey",
    )
    assert facts(fail("DELETE FROM p WHERE id > 0", target=people)) == expected
    assert facts(fail("UPDATE p SET id = 8 WHERE id = 2", target=people)) == expected


def test_self_reference(fail, connection, tables):
    connection.execute(
        "CREATE TABLE self (id INTEGER PRIMARY KEY, up INTEGER REFERENCES self); INSERT INTO self VALUES (1, 1), (2, 1)"
    )
    oid = tables.oid() + 2
    key = tables.foreign_key("self_up_fkey", (2,), oid, (1,))
    table = tables.table("self", {"id": INT4, "up": INT4}, constraints=(key,))
    assert table.oid == oid
    error = fail("INSERT INTO self VALUES (3, 4)", target=table)
    assert error.message == 'insert or update on table "self" violates foreign key constraint "self_up_fkey"'
    assert error.detail == 'Key (up)=(4) is not present in table "self".'
    error = fail("DELETE FROM self WHERE id = 1", target=table)
    assert error.message == 'update or delete on table "self" violates foreign key constraint "self_up_fkey" on table "self"'
    assert error.detail == 'Key (id)=(1) is still referenced from table "self".'


def test_violations_at_the_end_of_a_cascade(fail, connection, tables, people):
    connection.execute(
        "CREATE TABLE casc (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE);"
        "CREATE TABLE g (id INTEGER REFERENCES casc);"
        "INSERT INTO casc VALUES (1, 1); INSERT INTO g VALUES (1);"
        "CREATE TABLE sn (id INTEGER, p INTEGER NOT NULL REFERENCES p ON DELETE SET NULL); INSERT INTO sn VALUES (1, 2)"
    )
    casc = tables.table("casc", {"id": INT4, "p": INT4}, constraints=(tables.foreign_key("casc_p_fkey", (2,), people, (1,)),))
    tables.table("g", {"id": INT4}, constraints=(tables.foreign_key("g_id_fkey", (1,), casc, (1,)),))
    tables.table("sn", {"id": INT4, "p": INT4}, constraints=(tables.foreign_key("sn_p_fkey", (2,), people, (1,)),))
    error = fail("DELETE FROM p WHERE id = 1", target=people)
    assert error.message == 'update or delete on table "casc" violates foreign key constraint "g_id_fkey" on table "g"'
    assert error.detail == 'Key (id)=(1) is still referenced from table "g".'
    error = fail("DELETE FROM p WHERE id = 2", target=people)
    assert error.message == 'null value in column "p" of relation "sn" violates not-null constraint'
    assert error.detail == "Failing row contains (1, null)."


def test_a_deferred_key_may_dangle_while_an_immediate_one_fails(fail, connection, tables, people):
    connection.execute(
        "CREATE TABLE two (a INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED, b INTEGER REFERENCES p, c INTEGER)"
    )
    keys = (
        tables.foreign_key("two_a", (1,), people, (1,), deferrable=True, deferred=True),
        tables.foreign_key("two_b", (2,), people, (1,)),
    )
    table = tables.table("two", {"a": INT4, "b": INT4, "c": INT4}, constraints=keys)
    assert fail("INSERT INTO two VALUES (7, 8, 9)", target=table).constraint == "two_b"


@pytest.fixture
def deferred(connection, tables, people):
    connection.execute(
        "CREATE TABLE d (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1, 1)"
    )
    key = tables.foreign_key("d_p_fkey", (2,), people, (1,), deferrable=True, deferred=True)
    return tables.table("d", {"id": INT4, "p": INT4}, constraints=(key,))


@pytest.mark.parametrize(
    ("statement", "message", "detail"),
    [
        (
            "INSERT INTO d VALUES (2, 77)",
            'insert or update on table "d" violates foreign key constraint "d_p_fkey"',
            'Key (p)=(77) is not present in table "p".',
        ),
        (
            "DELETE FROM p WHERE id = 1",
            'update or delete on table "p" violates foreign key constraint "d_p_fkey" on table "d"',
            'Key (id)=(1) is still referenced from table "d".',
        ),
    ],
)
def test_deferred_foreign_key_at_commit(connection, tables, deferred, statement, message, detail):
    reader = type(connection)(connection.path, writable=False)
    connection.begin_immediate()
    connection.execute(statement)
    assert connection.deferred_violations
    with pytest.raises(apsw.ConstraintError) as raised:
        connection.commit()
    error = translate(raised.value, connection, Failed("", (), 0, tables, committed=reader))
    assert (error.sqlstate, error.message, error.detail) == ("23503", message, detail)
    assert connection.in_transaction
    connection.rollback()
    reader.close()


def test_a_statement_in_a_block_with_open_cursor_can_fail_twice(fail, connection, people):
    rows = connection.execute("WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT x FROM c")
    assert next(rows) == (1,)
    for _ in range(2):
        assert fail("INSERT INTO p VALUES (1, 'z')", target=people).detail == "Key (id)=(1) already exists."
    rows.close()


def test_volatile_functions_give_the_same_in_the_second_run(fail, connection, people, monkeypatch):
    sequence = iter(range(1, 100))
    nextval = Implementation("test_nextval", function=lambda: next(sequence), deterministic=False)
    monkeypatch.setitem(IMPLEMENTATIONS, "test_nextval", nextval)
    connection.require(frozenset({"test_nextval"}))
    connection.unlimited()
    error = fail("INSERT INTO p (id, n) SELECT 2 - pg_test_nextval(), value FROM json_each('[7,8,9]')", target=people)
    assert (error.constraint, error.detail) == ("p_pkey", "Key (id)=(1) already exists.")
    assert next(sequence) == 2


def test_sql_errors_of_functions_pass_through(connection):
    mine = SqlError("22012", "division by zero")

    def divide():
        raise mine

    connection.create_function("divide", divide)
    with pytest.raises(SqlError) as raised:
        connection.execute("SELECT divide()").fetchall()
    assert translate(raised.value, connection) is mine


@pytest.mark.parametrize(
    ("sql", "sqlstate", "message"),
    [
        ("SELECT sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1)", "22003", "bigint out of range"),
        ("SELECT abs(-9223372036854775808)", "22003", "bigint out of range"),
        ("SELECT zeroblob(2000000000)", "54000", "value is too big: maximum size is 1000000000 bytes"),
        (f"SELECT 1{' + 1' * 1200}", "54001", "stack depth limit exceeded"),
    ],
)
def test_errors_of_sqlite_itself(connection, sql, sqlstate, message):
    with pytest.raises(apsw.Error) as raised:
        connection.execute(sql).fetchall()
    error = translate(raised.value, connection)
    assert (error.sqlstate, error.message) == (sqlstate, message)


def test_a_broken_file(connection, tmp_path):
    (tmp_path / "broken.db").write_bytes(b"This is no database, although it is long enough for one." * 100)
    raw = apsw.Connection(str(tmp_path / "broken.db"))
    with pytest.raises(apsw.NotADBError) as raised:
        raw.execute("SELECT * FROM sqlite_schema")
    raw.close()
    error = translate(raised.value, connection)
    assert (error.sqlstate, error.message) == ("XX001", 'database file "test.db" is corrupted')


def test_a_full_disk(connection):
    connection.execute("CREATE TABLE big (x)")
    connection.execute("PRAGMA max_page_count = 10").fetchall()
    with pytest.raises(apsw.FullError) as raised:
        connection.execute("INSERT INTO big VALUES (zeroblob(1000000))")
    error = translate(raised.value, connection)
    assert (error.sqlstate, error.hint) == ("53100", "Check free disk space.")


def test_whatever_else_is_a_bug_and_is_logged(connection, caplog):
    with pytest.raises(apsw.SQLError) as raised:
        connection.execute("SELECT secret FROM nowhere")
    with caplog.at_level(logging.ERROR):
        error = translate(raised.value, connection)
    assert (error.sqlstate, error.message, error.detail) == ("XX000", "internal error", None)
    assert "no such table: nowhere" in caplog.text

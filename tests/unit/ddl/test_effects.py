"""What definitions do to stored rows, to SQLite's schema and to the catalog tables."""

import pytest
from apsw import ConstraintError

from proxy.pg_catalog.relations import USER_CATALOGS


def sqlite_tables(database):
    sql = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'pg\\_catalog.%' ESCAPE '\\' AND name NOT LIKE 'litephant%'"
    return dict(database.connection.execute(sql))


def ok(database, sql):
    """Run statements that must succeed."""
    answer = database.run(sql)
    assert "ERROR" not in answer, answer
    return answer


def test_a_dropped_table_leaves_nothing_behind(database):
    before = {name: database.rows(f"select count(*) from {name}") for name in USER_CATALOGS}
    ok(
        database,
        "create table t (id serial primary key, a int unique check (a > 0), b text default 'x', g int generated always as (a + 1)"
        " stored); create index on t (lower(b)) where a > 1; comment on column t.a is 'c'; create view v as select * from t;"
        " drop table t cascade",
    )
    assert {name: database.rows(f"select count(*) from {name}") for name in USER_CATALOGS} == before
    assert sqlite_tables(database) == {}
    assert database.connection.execute('SELECT count(*) FROM "litephant.relation"').fetchone() == (0,)


def test_a_failed_definition_is_undone(database):
    assert database.run("create table t (a serial, b int references missing)").startswith("ERROR: 42P01")
    assert sqlite_tables(database) == {}
    assert database.rows("select relname from pg_class where oid >= 16384") == []


def test_sqlite_types_and_names(database):
    ok(
        database,
        'create schema s; create table s.t (a int8, b numeric(10,2), c numeric, d numeric(8), e jsonb, f bytea, "A" bool, h float4)',
    )
    sql = sqlite_tables(database)["s.t"]
    assert '"a" INTEGER, "b" REAL, "c" TEXT, "d" INTEGER, "e" TEXT, "f" BLOB, "A_1" INTEGER, "h" REAL' in sql
    assert database.rows("select attname from pg_attribute where attrelid = 's.t'::regclass and attnum = 7") == [("A",)]


def test_storage_names_differ_where_only_case_does(database):
    ok(database, 'create table t (a int); create table "T" (b int); create index i on t (a); create index "I" on "T" (b)')
    assert set(sqlite_tables(database)) == {"t", "T_1", "i", "I_1"}
    ok(database, 'insert into "T" values (7)')
    assert database.rows('select * from "T"') == [("7",)]
    assert database.rows("select * from t") == []


def test_constraints_are_enforced_by_sqlite(database):
    ok(
        database,
        "create table p (id int primary key, n text unique); create table c (x int references p on delete cascade, y int not null"
        " check (y < 10)); insert into p values (1, 'a'); insert into c values (1, 1)",
    )
    for sql in (
        "insert into c values (2, 1)",
        "insert into c values (1, 10)",
        "insert into c values (1, null)",
        "insert into p values (2, 'a')",
    ):
        with pytest.raises(ConstraintError):
            database.connection.execute(sql)
    ok(database, "delete from p")
    assert database.rows("select * from c") == []


def test_alter_table_keeps_rows_and_children(database):
    ok(
        database,
        "create table p (id int primary key, v text); create table c (x int references p on delete cascade);"
        " insert into p values (1, '10'), (2, '20'); insert into c values (1), (2);"
        " alter table p alter column v type int using v::int; alter table p add column w int not null default 5;"
        " alter table p alter column id type bigint; alter table p rename to q; alter table q rename column v to u;"
        " alter table q add constraint positive check (u > 0)",
    )
    assert database.rows("select id, u, w from q order by id") == [("1", "10", "5"), ("2", "20", "5")]
    assert database.rows("select x from c order by x") == [("1",), ("2",)]
    assert 'REFERENCES "q"' in sqlite_tables(database)["c"]
    with pytest.raises(ConstraintError):
        database.connection.execute("UPDATE q SET u = -1")
    ok(database, "delete from q where id = 1")
    assert database.rows("select x from c") == [("2",)]


def test_a_primary_key_added_later_becomes_the_rowid(database):
    ok(
        database,
        "create table t (a text, id int); insert into t values ('x', 7), ('y', 9); create index i on t (a);"
        " create table c (r int); alter table t add primary key (id); alter table c add foreign key (r) references t;"
        " insert into c values (7)",
    )
    assert '"id" INTEGER PRIMARY KEY NOT NULL' in sqlite_tables(database)["t"]
    assert database.connection.execute("SELECT rowid, a FROM t ORDER BY 1").fetchall() == [(7, "x"), (9, "y")]
    assert "i" in sqlite_tables(database)
    ok(database, "alter table t drop constraint t_pkey cascade")
    assert database.rows("select id, a from t order by id") == [("7", "x"), ("9", "y")]
    assert database.rows("select r from c") == [("7",)]
    assert "PRIMARY KEY" not in sqlite_tables(database)["t"]


def test_dropping_the_primary_key_column_of_a_parent_keeps_its_children(database):
    ok(
        database,
        "create table p (id int primary key, v int); create table c (x int references p on delete cascade);"
        " insert into p values (1, 10); insert into c values (1); alter table p drop column id cascade",
    )
    assert database.rows("select * from p") == [("10",)]
    assert database.rows("select * from c") == [("1",)]


def test_views_survive_changes_of_what_they_read(database):
    ok(
        database,
        "create table t (a int, b text); insert into t values (1, 'x'); create view v as select * from t;"
        " alter table t add column c int; alter table t rename column b to bb; alter table t rename to u;"
        " create schema s; alter table u set schema s",
    )
    assert database.rows("select * from v") == [("1", "x")]
    assert database.rows("select column_name from information_schema.columns where table_name = 'v'") == [("a",), ("b",)]


def test_sequences_are_not_rolled_back(database):
    ok(database, "create sequence s start 5")
    assert database.rows("select nextval('s'), currval('s'), lastval()") == [("5", "5", "5")]
    database.connection.begin_immediate()
    assert database.rows("select nextval('s')") == [("6",)]
    database.connection.rollback()
    database.session.sequences.rolled_back()
    assert database.rows("select nextval('s')") == [("7",)]
    assert database.rows("select setval('s', 20, false), nextval('s'), nextval('s')") == [("20", "20", "21")]
    assert database.rows("select last_value, is_called from s") == [("21", "t")]


def test_a_crash_gives_no_committed_value_again(database):
    ok(database, "create sequence s; create table t (a int default nextval('s')); insert into t default values")
    (mark,) = database.connection.execute('SELECT last_value FROM "litephant.sequence"').fetchone()
    assert mark >= 1
    database.session.sequences.database.known.clear()  # what a new process knows
    assert int(database.rows("select nextval('s')")[0][0]) > 1


def test_temporary_tables_live_in_the_temp_schema(database):
    ok(
        database,
        "create table t (a int); insert into t values (1); create temp table t (b text default 'y'); insert into t default values",
    )
    assert database.rows("select * from t") == [("y",)]
    assert database.rows("select * from public.t") == [("1",)]
    assert database.rows("select relpersistence from pg_class where relname = 't' order by 1") == [("p",), ("t",)]
    ok(database, "drop table t")
    assert database.rows("select * from t") == [("1",)]


def test_create_table_as_and_materialized_views(database):
    ok(database, "create table t (a int, n numeric(8,2)); insert into t values (1, 1.50), (2, 2.25)")
    assert ok(database, "create table c as select a + 1 as b, n from t") == "SELECT 2"
    assert database.rows("select b, n from c order by b") == [("2", "1.50"), ("3", "2.25")]
    assert ok(database, "create materialized view m as select count(*) as k from t") == "SELECT 1"
    ok(database, "insert into t values (3, 0); refresh materialized view m")
    assert database.rows("select k from m") == [("3",)]


def test_like_copies_what_it_is_told(database):
    ok(
        database,
        "create table t (id int generated always as identity primary key, a text default 'x' check (a <> ''), b int);"
        " create index on t (b desc); create table u (like t including all); create table v (like t)",
    )
    assert database.rows(
        "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'u'::regclass order by 1"
    ) == [
        ("t_a_check", "CHECK ((a <> ''::text))"),
        ("t_id_not_null", "NOT NULL id"),
        ("u_pkey", "PRIMARY KEY (id)"),
    ]
    assert database.rows("select pg_get_indexdef('u_b_idx'::regclass)") == [
        ("CREATE INDEX u_b_idx ON public.u USING btree (b DESC)",)
    ]
    assert database.rows("select count(*) from pg_constraint where conrelid = 'v'::regclass") == [("1",)]


def test_enum_values_are_renamed_where_they_are_stored(database):
    ok(
        database,
        "create type m as enum ('a', 'c'); create table t (x m); insert into t values ('a'), ('c');"
        " alter type m add value 'b' before 'c'; alter type m rename value 'a' to 'z'",
    )
    assert database.rows("select x from t order by x") == [("z",), ("c",)]
    assert database.rows("select enumlabel from pg_enum order by enumsortorder") == [("z",), ("b",), ("c",)]


def test_truncate_restarts_identities(database):
    ok(
        database,
        "create table t (id int generated always as identity, a int); insert into t (a) values (1), (2);"
        " truncate t restart identity; insert into t (a) values (3)",
    )
    assert database.rows("select id, a from t") == [("1", "3")]


def test_grants_are_kept_and_shown(database):
    ok(database, "create role bob; create table t (a int); grant select, insert on t to bob; revoke insert on t from bob")
    assert database.rows("select relacl from pg_class where relname = 't'") == [
        ("{postgres=arwdDxtm/postgres,bob=r/postgres}",)
    ]
    assert database.rows("select has_table_privilege('bob', 't', 'select'), has_table_privilege('bob', 't', 'insert')") == [
        ("t", "f")
    ]


def test_a_foreign_key_to_a_type_with_a_key_function(database):
    ok(
        database,
        "create table p (n numeric primary key, parent numeric references p); create table c (n numeric references p on delete"
        " cascade); insert into p values (1.5, null); insert into c values (1.5); delete from p",
    )
    assert database.rows("select * from c") == []

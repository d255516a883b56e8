"""The read-only file of catalog rows: content, keys, and how it is built and found."""

import os
import stat
import threading
from pathlib import Path

import apsw
import pytest

from proxy.pg_catalog import static
from translator.data import load, relation_names

VIEWS = {"pg_settings", "pg_roles"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return static.ensure_static_catalog(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def query(path):
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(":memory:", flags=flags)
    connection.execute("ATTACH ? AS cat", (path.as_uri() + "?mode=ro&immutable=1",))
    yield lambda sql, *values: connection.execute(sql, values).fetchall()
    connection.close()


def test_a_table_for_each_catalog_and_none_for_views(query):
    tables = {name for (name,) in query("SELECT name FROM cat.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")}
    assert tables == {table.name for table in static.catalog_tables()}
    assert set(relation_names()) - tables == VIEWS
    assert {"pg_trigger", "pg_statistic", "information_schema.sql_features"} <= tables


def test_all_rows_are_there(query):
    for name in set(relation_names()) - VIEWS:
        assert query(f'SELECT count(*) FROM cat."{name}"') == [(len(load(name)),)], name


def test_columns_are_those_of_pg_attribute_also_of_empty_tables(query):
    names = [name for (name,) in query("SELECT name FROM pragma_table_info('pg_inherits', 'cat')")]
    assert names == ["inhrelid", "inhparent", "inhseqno", "inhdetachpending"]


def test_storage_classes(query):
    row = query(
        "SELECT proname, proisstrict, procost, proargtypes, proargmodes, proacl, typeof(prosupport), typeof(procost)"
        " FROM cat.pg_proc WHERE oid = 3539"
    )
    assert row == [("format", 0, 1.0, "[25,2276]", '["i","v"]', None, "integer", "real")]
    assert query("SELECT typinput, typbyval, typcategory FROM cat.pg_type WHERE typname = 'int4'") == [(42, 1, "N")]
    assert query("SELECT nspacl FROM cat.pg_namespace WHERE oid = 11") == [('["postgres=UC/postgres","=U/postgres"]',)]
    assert query("SELECT conkey FROM cat.pg_constraint WHERE conname = 'pg_class_oid_index'") == [("[1]",)]
    assert query('SELECT sizing_id, supported_value FROM cat."information_schema.sql_sizing" WHERE sizing_id = 34') == [
        (34, 63)
    ]


def test_vectors_and_arrays_are_json_in_every_row(query):
    for table in static.catalog_tables():
        for column in table.columns:
            if column.type_name.startswith("_") or column.type_name.endswith("vector"):
                invalid = f'SELECT count(*) FROM cat."{table.name}" WHERE NOT json_valid("{column.name}")'
                assert query(invalid) == [(0,)], (table.name, column.name)


def test_the_indexes_serve_the_joins_of_clients(query):
    plan = query(
        "EXPLAIN QUERY PLAN SELECT a.attname, t.typname, d.description FROM cat.pg_class c"
        " JOIN cat.pg_attribute a ON a.attrelid = c.oid JOIN cat.pg_type t ON t.oid = a.atttypid"
        " LEFT JOIN cat.pg_description d ON d.objoid = c.oid AND d.classoid = 1259 AND d.objsubid = a.attnum"
        " WHERE c.relname = 'pg_type' AND a.attnum > 0"
    )
    assert [step for *_, step in plan if not step.startswith("SEARCH")] == []
    for table, columns in [
        ("pg_depend", "classid = 1 AND objid = 2"),
        ("pg_depend", "refclassid = 1 AND refobjid = 2"),
        ("pg_proc", "proname = 'x'"),
        ("pg_type", "typname = 'x'"),
        ("pg_type", "typrelid = 1"),
        ("pg_class", "relnamespace = 1"),
        ("pg_index", "indrelid = 1"),
    ]:
        ((*_, step),) = query(f"EXPLAIN QUERY PLAN SELECT * FROM cat.{table} WHERE {columns}")
        assert step.startswith("SEARCH"), (table, columns, step)


def test_the_file_is_sound_and_cannot_be_written(query, path):
    assert query("PRAGMA cat.integrity_check") == [("ok",)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    with pytest.raises(apsw.ReadOnlyError):
        query("DELETE FROM cat.pg_type")


def test_it_is_built_once(path):
    before = path.stat()
    assert static.ensure_static_catalog(path.parent) == path
    assert path.stat() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_name_tells_the_content(path, monkeypatch):
    static._file_digest.cache_clear()
    monkeypatch.setattr(static, "catalog_digest", lambda: "another")
    try:
        assert static._file_digest() not in path.name
    finally:
        static._file_digest.cache_clear()


def test_builders_at_the_same_time_leave_one_whole_file(tmp_path, path):
    threads = [threading.Thread(target=static.ensure_static_catalog, args=(tmp_path,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    (built,) = tmp_path.iterdir()
    assert built.read_bytes() == path.read_bytes()


def test_a_failed_build_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(static, "_create_table", lambda table: "CREATE TABLE")
    with pytest.raises(apsw.SQLError):
        static.ensure_static_catalog(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"LITEPHANT_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/litephant"),
        ({"HOME": "/c"}, "/c/.cache/litephant"),
    ],
)
def test_where_the_cache_is(environment, directory, monkeypatch):
    for name in ("LITEPHANT_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert static._default_cache_directory() == Path(directory)


def test_an_unusable_cache_directory_is_replaced_by_a_private_one(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    path = static.ensure_static_catalog(in_the_way / "cache")
    assert path.is_file()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert static.ensure_static_catalog(in_the_way / "cache") == path
    assert os.access(path, os.R_OK)

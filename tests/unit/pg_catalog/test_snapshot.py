"""CatalogSource: what analysis is told about the user's and the system's relations and types."""

import time

import pytest

from proxy.pg_catalog.snapshot import CatalogSource
from tests.unit.ddl.database import Database


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path / "test.db")
    yield made
    made.close()


def test_a_table_with_everything(database):
    database.run(
        "create type mood as enum ('sad', 'ok'); create table p (id int primary key);"
        " create table t (id int primary key, m mood, n numeric(10,2) default 1 check (n > 0), g int generated always as (id * 2)"
        " stored, x int references p, unique nulls not distinct (m, n))"
    )
    source = CatalogSource(database.connection)
    table = source.relation(2200, "t")
    assert (table.kind, table.storage, table.where, table.rowid, table.primary_key) == ("r", "t", "main", "rowid", (1,))
    assert [column.name for column in table.columns] == ["id", "m", "n", "g", "x"]
    assert (table.columns[0].not_null, table.columns[2].typmod, table.columns[2].default) == (True, 655366, "1")
    assert table.columns[3].generated == "s"
    by_kind = {constraint.kind: constraint for constraint in table.constraints}
    assert by_kind["f"].referenced == source.relation(2200, "p").oid
    assert by_kind["u"].nulls_not_distinct
    assert source.type_by_name(2200, "mood").labels == ("sad", "ok")
    assert source.relation_by_storage("T").oid == table.oid


def test_system_relations(database):
    source = CatalogSource(database.connection)
    pg_class = source.relation(11, "pg_class")
    assert (pg_class.oid, pg_class.where, pg_class.storage) == (1259, "both", "pg_catalog.all.pg_class")
    assert source.relation(11, "pg_operator").columns[0].name == "oid"
    assert source.relation(11, "pg_am").where == "static"
    assert source.relation(11, "pg_tables").view.lstrip().startswith("SELECT")
    schema = source.namespace("information_schema")
    assert source.relation(schema, "columns").kind == "v"
    assert source.relation(11, "no_such") is None


def test_a_view_and_a_sequence_are_queries(database):
    database.run("create sequence s; create view v as select 1 as a")
    source = CatalogSource(database.connection)
    assert "pg_get_sequence_data" in source.relation(2200, "s").view
    assert source.relation(2200, "v").view == "SELECT 1 AS a"


def test_a_thousand_tables_cost_nothing_until_named(database):
    database.connection.begin_immediate()
    database.connection.rollback()
    for start in range(0, 200, 50):
        database.run(";".join(f"create table t{number} (id int primary key, a text)" for number in range(start, start + 50)))
    begin = time.perf_counter()
    source = CatalogSource(database.connection)
    assert source.relation(2200, "t123").columns[1].name == "a"
    assert time.perf_counter() - begin < 0.05

"""The text files of translator/data, as values."""

import pglast.parser
import pytest

from translator.data import Rows, catalog_digest, load, relation_names, view_definitions
from translator.data.generate import digest
from translator.data.loader import _CATALOG


def convert(type_name, *texts):
    return Rows({"c": type_name}, [list(texts)]).column("c")


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("oid", "4294967295", 4294967295),
        ("regproc", "1242", 1242),
        ("int2", "-1", -1),
        ("bool", "t", True),
        ("bool", "f", False),
        ("float4", "0.01", 0.01),
        ("float4", "-1", -1.0),
        ("oidvector", "23 23", (23, 23)),
        ("oidvector", "", ()),
        ("int2vector", "1", (1,)),
        ("oid[]", "{25,2276}", (25, 2276)),
        ("oid[]", "{}", ()),
        ("text[]", "{}", ()),
        ("char[]", "{i,v}", ("i", "v")),
        ("text[]", '{a,"b c",NULL,"NULL",""}', ("a", "b c", None, "NULL", "")),
        ("text[]", r'{"a\\"b","c\\\\d","{,}"}', ('a"b', "c\\d", "{,}")),
        ("text", "", ""),
        ("text", r"a\tb\nc\\d", "a\tb\nc\\d"),
        ("name", "int4", "int4"),
    ],
)
def test_a_value_has_the_python_type_of_its_column(type_name, text, value):
    (converted,) = convert(type_name, text)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize("type_name", ["oid", "bool", "float4", "oidvector", "int2[]", "text[]", "text"])
def test_null_is_none_alone_and_among_values(type_name):
    assert convert(type_name, "\\N", "\\N") == [None, None]
    assert convert(type_name, "\\N", "1" if "[]" not in type_name else "{1}")[0] is None


def test_the_word_null_is_not_null():
    assert convert("text", "\\N", "N", r"\\N") == [None, "N", "\\N"]


def test_rows_are_selected_by_column_name():
    types = {name: (oid, length) for oid, name, length in load("pg_type").select("oid", "typname", "typlen")}
    assert types["int4"] == (23, 4)
    assert types["text"] == (25, -1)


def test_select_without_names_gives_whole_rows():
    rows = load("pg_am")
    first = next(rows.select())
    assert dict(zip(rows.types, first, strict=True)) == {"oid": 2, "amname": "heap", "amhandler": 3, "amtype": "t"}


def test_an_overloaded_function_with_arrays_and_defaults():
    procs = load("pg_proc")
    by_oid = {row[0]: row[1:] for row in procs.select("oid", "proargtypes", "proallargtypes", "proargmodes", "proargnames")}
    assert by_oid[3539] == ((25, 2276), (25, 2276), ("i", "v"), None)
    defaults = dict(procs.select("oid", "proargdefaults"))
    assert defaults[3579] == "false"  # jsonb_insert


def test_sql_functions_keep_their_bodies():
    bodies = dict(load("pg_proc").select("oid", "prosqlbody"))
    assert bodies[879] == "RETURN lpad($1, $2, ' '::text)"
    pglast.parser.parse_sql_json(f"SELECT {bodies[879].removeprefix('RETURN ')}")


def test_every_row_of_every_relation_converts():
    for name in relation_names():
        rows = load(name)
        assert len(list(rows.select())) == len(rows) > 0


def test_regproc_columns_hold_oids_of_pg_proc():
    known = set(load("pg_proc").column("oid")) | {0}
    for name in ("pg_type", "pg_operator", "pg_aggregate", "pg_conversion", "pg_range"):
        rows = load(name)
        for column in (column for column, type_name in rows.types.items() if type_name == "regproc"):
            assert set(rows.column(column)) <= known


def test_oids_name_the_same_object_everywhere():
    types = set(load("pg_type").column("oid"))
    for source, target in load("pg_cast").select("castsource", "casttarget"):
        assert {source, target} <= types
    relations = set(load("pg_class").column("oid"))
    assert set(load("pg_attribute").column("attrelid")) <= relations


def test_keywords_tell_their_category():
    keywords = {word: (category, bare) for word, category, bare in load("keywords").select("word", "catcode", "barelabel")}
    assert keywords["select"] == ("R", True)
    assert keywords["abort"] == ("U", True)
    assert keywords["day"] == ("U", False)


def test_settings_hold_what_every_server_starts_with():
    rows = load("pg_settings")
    settings = dict(rows.select("name", "setting"))
    assert settings["DateStyle"] == "ISO, MDY"
    assert settings["port"] == "5432"
    assert set(rows.column("source")) == {"default"}
    assert settings["data_directory"] is None


def test_every_view_of_pg_class_has_a_definition_that_parses():
    namespaces = dict(load("pg_namespace").select("oid", "nspname"))
    views = {
        f"{namespaces[namespace]}.{name}"
        for name, namespace, kind in load("pg_class").select("relname", "relnamespace", "relkind")
        if kind == "v"
    }
    definitions = view_definitions()
    assert definitions.keys() == views
    for query in definitions.values():
        pglast.parser.parse_sql_json(query)


def test_the_digest_is_that_of_the_files():
    files = {path.name: path.read_text(encoding="utf-8") for path in _CATALOG.glob("*.tsv")}
    assert catalog_digest() == digest(files)

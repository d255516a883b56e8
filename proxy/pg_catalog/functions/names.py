"""Names of objects as SQL functions: format_type, visibility, descriptions."""

from typing import Any

from proxy.pg_catalog import current
from proxy.pg_catalog.identify import identify
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.object_names import resolve_type
from translator import oids
from translator.analyze import typenames
from translator.errors import SqlError
from translator.functions.registry import function
from translator.types import registry
from translator.types.composite import Record

_UNKNOWN_TYPE = "???"


@function("format_type", strict=False, deterministic=False)
def format_type(oid: int | None, typmod: int | None) -> str | None:
    """The SQL name of a type (format_type_extended)."""
    if oid is None:
        return None
    if oid == 0:
        return "-"
    return type_text(oid, typmod)


def type_text(oid: int, typmod: int | None = None) -> str:
    """A type's name, with its modifier; qualified where the search path does not find it."""
    catalog = current.catalog()
    row = catalog.type_by_oid(oid)
    if row is None:
        return _UNKNOWN_TYPE
    if row.element and row.length == -1 and oid not in oids.VECTORS:
        return type_text(row.element, typmod) + "[]"
    # Without a modifier given at all, char and bit keep the names that do not mean char(1) and bit(1).
    if oid == oids.BPCHAR and typmod == -1:
        return "bpchar"
    if oid == oids.BIT and typmod == -1:
        return '"bit"'
    if row.oid in typenames.SQL_NAMES:
        return typenames.display(catalog, oid, -1 if typmod is None else typmod)
    name: str = current.describer().type_name(oid)
    if typmod is not None and typmod >= 0:
        name += registry.type_of(oid, catalog).typmod_out(typmod)
    return name


@function("pg_get_userbyid", deterministic=False)
def pg_get_userbyid(oid: int) -> str:
    """A role's name."""
    row = record(current.connection(), "pg_authid", oid)
    return f"unknown (OID={oid})" if row is None else row["rolname"]


@function("pg_describe_object", deterministic=False)
def pg_describe_object(classid: int, objid: int, objsubid: int) -> str | None:
    """An object in words."""
    if classid == 0 and objid == 0:
        return None
    return current.describer().describe(classid, objid, objsubid)


@function("pg_identify_object", deterministic=False)
def pg_identify_object(classid: int, objid: int, objsubid: int) -> str:
    """The kind, schema, name and identity of an object; a row of NULLs if there is none."""
    values = identify(classid, objid, objsubid) or (None,) * 4
    fields = zip(values, ("type", "schema", "name", "identity"), strict=True)
    return Record().encode([(oids.TEXT, value, name) for value, name in fields])


# ---------------------------------------------------------------------- visibility


@function("pg_table_is_visible", deterministic=False)
def pg_table_is_visible(oid: int) -> bool | None:
    """Whether the search path finds the relation by its name alone (RelationIsVisible)."""
    row = record(current.connection(), "pg_class", oid)
    if row is None:
        return None
    return _first(row["relnamespace"], lambda namespace: current.catalog().relation(namespace, row["relname"]) is not None)


@function("pg_type_is_visible", deterministic=False)
def pg_type_is_visible(oid: int) -> bool | None:
    """TypeIsVisible."""
    row = current.catalog().type_by_oid(oid)
    if row is None:
        return None
    return _first(row.namespace, lambda namespace: current.catalog().type_by_name(namespace, row.name) is not None)


@function("pg_function_is_visible", deterministic=False)
def pg_function_is_visible(oid: int) -> bool | None:
    """FunctionIsVisible: no function of the same name and arguments comes before it."""
    row = record(current.connection(), "pg_proc", oid)
    if row is None:
        return None
    same = current.catalog().procs(row["proname"])
    arguments = next((each.arguments for each in same if each.oid == oid), None)
    spaces = {each.namespace for each in same if each.arguments == arguments}
    return _first(row["pronamespace"], spaces.__contains__)


def _first(namespace: int, has: Any) -> bool:
    for candidate in current.path():
        if candidate == namespace:
            return True
        if has(candidate):
            return False
    return False


_VISIBLE = {
    "pg_collation_is_visible": ("pg_collation", "collnamespace"),
    "pg_conversion_is_visible": ("pg_conversion", "connamespace"),
    "pg_operator_is_visible": ("pg_operator", "oprnamespace"),
    "pg_opclass_is_visible": ("pg_opclass", "opcnamespace"),
    "pg_opfamily_is_visible": ("pg_opfamily", "opfnamespace"),
    "pg_statistics_obj_is_visible": ("pg_statistic_ext", "stxnamespace"),
    "pg_ts_config_is_visible": ("pg_ts_config", "cfgnamespace"),
    "pg_ts_dict_is_visible": ("pg_ts_dict", "dictnamespace"),
    "pg_ts_parser_is_visible": ("pg_ts_parser", "prsnamespace"),
    "pg_ts_template_is_visible": ("pg_ts_template", "tmplnamespace"),
}


def _declare_visible(name: str, catalog: str, column: str) -> None:
    @function(name, deterministic=False)
    def is_visible(oid: int) -> bool | None:
        row = record(current.connection(), catalog, oid)
        return None if row is None else row[column] in current.path()


for _name, (_catalog, _column) in _VISIBLE.items():
    _declare_visible(_name, _catalog, _column)


# ---------------------------------------------------------------------- types and schemas


@function("to_regtypemod", deterministic=False)
def to_regtypemod(text: str) -> int | None:
    """The type modifier that a type's text has."""
    try:
        return resolve_type(text)[1]
    except SqlError:
        return None


@function("pg_my_temp_schema", strict=False, deterministic=False)
def pg_my_temp_schema() -> int:
    """The OID of the session's temporary schema, 0 if it has none."""
    return current.catalog().namespace("pg_temp") or 0


@function("pg_is_other_temp_schema", deterministic=False)
def pg_is_other_temp_schema(oid: int) -> bool:
    """Temporary schemas of other sessions cannot be seen."""
    return False

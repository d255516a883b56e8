"""DROP of kinds of objects that nobody can create here: such an object is PostgreSQL's own, or it does not exist.

What does not exist gets PostgreSQL's error, or the notice of IF EXISTS; what does exist is not dropped: 0A000.
"""

from typing import Any

from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import find_in_path, range_var_of, strings
from translator import sqlstate
from translator.analyze import typenames
from translator.data import load
from translator.errors import SqlError, unsupported

# Kinds with a name of their own: the word, the catalog that has PostgreSQL's, its column.
_NAMED = {
    "OBJECT_COLLATION": ("collation", "pg_collation", "collname"),
    "OBJECT_LANGUAGE": ("language", "pg_language", "lanname"),
    "OBJECT_ACCESS_METHOD": ("access method", "pg_am", "amname"),
    "OBJECT_EVENT_TRIGGER": ("event trigger", "", ""),
    "OBJECT_FDW": ("foreign-data wrapper", "", ""),
    "OBJECT_FOREIGN_SERVER": ("server", "", ""),
    "OBJECT_PUBLICATION": ("publication", "", ""),
    "OBJECT_CONVERSION": ("conversion", "", ""),
    "OBJECT_STATISTIC_EXT": ("statistics object", "", ""),
    "OBJECT_TSPARSER": ("text search parser", "pg_ts_parser", "prsname"),
    "OBJECT_TSDICTIONARY": ("text search dictionary", "pg_ts_dict", "dictname"),
    "OBJECT_TSTEMPLATE": ("text search template", "pg_ts_template", "tmplname"),
    "OBJECT_TSCONFIGURATION": ("text search configuration", "pg_ts_config", "cfgname"),
}
# Kinds that belong to a relation: the word, and how the relation is called in the error.
_OF_RELATIONS = {
    "OBJECT_TRIGGER": ("trigger", "table"),
    "OBJECT_RULE": ("rule", "relation"),
    "OBJECT_POLICY": ("policy", "table"),
}
KINDS = frozenset({*_NAMED, *_OF_RELATIONS, "OBJECT_CAST"})


def find(execution: Execution, kind: str, item: Any, *, missing_ok: bool) -> Address | str:
    """The notice that the object does not exist. Raises 42704 without IF EXISTS, 0A000 for an object that is there."""
    if kind == "OBJECT_CAST":
        return _cast(execution, item, missing_ok=missing_ok)
    if kind in _OF_RELATIONS:
        return _of_relation(execution, kind, strings(item["List"]["items"]), missing_ok=missing_ok)
    word, catalog, column = _NAMED[kind]
    names = strings(item["List"]["items"]) if "List" in item else [item["String"]["sval"]]
    if len(names) > 1 and execution.catalog.namespace(names[-2]) is None:
        return _missing(f'schema "{names[-2]}" does not exist', sqlstate.INVALID_SCHEMA_NAME, missing_ok=missing_ok)
    if catalog and any(name == names[-1] for (name,) in load(catalog).select(column)):
        raise unsupported(f"DROP {word.upper()}")
    shown = f'{word} "{".".join(names)}"'
    if kind == "OBJECT_COLLATION" and not missing_ok:
        shown += ' for encoding "UTF8"'
    return _missing(f"{shown} does not exist", sqlstate.UNDEFINED_OBJECT, missing_ok=missing_ok)


def _missing(message: str, code: str, *, missing_ok: bool) -> str:
    if not missing_ok:
        raise SqlError(code, message)
    return f"{message}, skipping"


def _of_relation(execution: Execution, kind: str, names: list[str], *, missing_ok: bool) -> str:
    word, owner = _OF_RELATIONS[kind]
    range_var = range_var_of(names[:-1])
    schema, table = range_var.get("schemaname"), range_var["relname"]
    if schema is not None and execution.catalog.namespace(schema) is None:
        return _missing(f'schema "{schema}" does not exist', sqlstate.INVALID_SCHEMA_NAME, missing_ok=missing_ok)
    namespace = execution.catalog.namespace(schema) if schema is not None else None
    found = find_in_path(execution, table) if namespace is None else execution.catalog.relation(namespace, table)
    if found is None:
        full = f"{schema}.{table}" if schema else table
        return _missing(f'relation "{full}" does not exist', sqlstate.UNDEFINED_TABLE, missing_ok=missing_ok)
    message = f'{word} "{names[-1]}" for {owner} "{table}" does not exist'
    return _missing(message, sqlstate.UNDEFINED_OBJECT, missing_ok=missing_ok)


def _cast(execution: Execution, item: Any, *, missing_ok: bool) -> str:
    oids, shown = [], []
    for node in item["List"]["items"]:
        names = strings(node["TypeName"]["names"])
        if len(names) > 1 and execution.catalog.namespace(names[-2]) is None:
            return _missing(f'schema "{names[-2]}" does not exist', sqlstate.INVALID_SCHEMA_NAME, missing_ok=missing_ok)
        row = typenames.lookup(execution.catalog, execution.path, names)
        if row is None:
            return _missing(f'type "{".".join(names)}" does not exist', sqlstate.UNDEFINED_OBJECT, missing_ok=missing_ok)
        oids.append(row.oid)
        shown.append(typenames.display(execution.catalog, row.oid))
    if execution.catalog.cast(oids[0], oids[1]) is not None:
        raise unsupported("DROP CAST")
    message = f"cast from type {shown[0]} to type {shown[1]} does not exist"
    return _missing(message, sqlstate.UNDEFINED_OBJECT, missing_ok=missing_ok)

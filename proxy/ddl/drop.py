"""DROP of any kind of object: names to addresses; the rest is dependency.py (RemoveObjects, dropcmds.c)."""

from collections.abc import Callable
from typing import Any

from proxy.ddl import drop_absent
from proxy.ddl.dependency import perform_deletion
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import find_in_path, namespace_oid, range_var_of, strings, wrong_kind
from proxy.pg_catalog import classes
from proxy.pg_catalog.system import namespace_names
from translator import sqlstate
from translator.analyze import typenames
from translator.catalog import Relation
from translator.errors import SqlError, unsupported
from translator.rows import ProcRow
from translator.statements import command_tag

_RELATION_KINDS = {  # removeType: the relkinds it drops, and its word
    "OBJECT_TABLE": ("rp", "table", sqlstate.UNDEFINED_TABLE),
    "OBJECT_VIEW": ("v", "view", sqlstate.UNDEFINED_TABLE),
    "OBJECT_MATVIEW": ("m", "materialized view", sqlstate.UNDEFINED_TABLE),
    "OBJECT_SEQUENCE": ("S", "sequence", sqlstate.UNDEFINED_TABLE),
    "OBJECT_INDEX": ("iI", "index", sqlstate.UNDEFINED_OBJECT),
    "OBJECT_FOREIGN_TABLE": ("f", "foreign table", sqlstate.UNDEFINED_OBJECT),
}
_WORDS = {
    "OBJECT_TYPE": "TYPE",
    "OBJECT_DOMAIN": "DOMAIN",
    "OBJECT_SCHEMA": "SCHEMA",
    "OBJECT_FUNCTION": "FUNCTION",
    "OBJECT_PROCEDURE": "PROCEDURE",
    "OBJECT_ROUTINE": "ROUTINE",
    "OBJECT_AGGREGATE": "AGGREGATE",
    "OBJECT_EXTENSION": "EXTENSION",
}
_Finder = Callable[[Execution, Any, str], Address | str]


def drop(statement: dict[str, Any], execution: Execution) -> str:
    """DROP kind name, … [CASCADE]."""
    kind = statement["removeType"]
    missing_ok = bool(statement.get("missing_ok"))
    if statement.get("concurrent"):
        _check_concurrent(statement)
    addresses = []
    for item in statement["objects"]:
        found = _find(execution, kind, item, missing_ok=missing_ok)
        if isinstance(found, Address):
            if found not in addresses:
                addresses.append(found)
        else:
            execution.note(found)
    cascade = statement.get("behavior") == "DROP_CASCADE"
    perform_deletion(execution, addresses, cascade=cascade)
    return command_tag("DropStmt", statement)


def _check_concurrent(statement: dict[str, Any]) -> None:
    words = "DROP INDEX CONCURRENTLY does not support"
    if len(statement["objects"]) != 1:
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"{words} dropping multiple objects")
    if statement.get("behavior") == "DROP_CASCADE":
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"{words} CASCADE")


def _find(execution: Execution, kind: str, item: Any, *, missing_ok: bool) -> Address | str:
    """The object that is named, or the notice that it does not exist."""
    if kind in _RELATION_KINDS:
        return _find_relation(execution, kind, strings(item["List"]["items"]), missing_ok=missing_ok)
    finders: dict[str, _Finder] = {
        "OBJECT_TYPE": _find_type,
        "OBJECT_DOMAIN": _find_type,
        "OBJECT_SCHEMA": _find_schema,
        "OBJECT_FUNCTION": _find_function,
        "OBJECT_PROCEDURE": _find_function,
        "OBJECT_ROUTINE": _find_function,
        "OBJECT_AGGREGATE": _find_function,
        "OBJECT_EXTENSION": _find_extension,
    }
    if kind in drop_absent.KINDS:
        return drop_absent.find(execution, kind, item, missing_ok=missing_ok)
    if kind not in finders:
        raise unsupported(f"DROP {kind.removeprefix('OBJECT_').replace('_', ' ')}")
    try:
        return finders[kind](execution, item, kind)
    except SqlError as error:
        if missing_ok and error.sqlstate in _MISSING:
            return f"{_missing_words(item, error)}, skipping"
        raise


_MISSING = frozenset({sqlstate.UNDEFINED_OBJECT, sqlstate.UNDEFINED_FUNCTION, sqlstate.INVALID_SCHEMA_NAME})


def _missing_words(item: Any, error: SqlError) -> str:
    """A function that is missing is named with its argument types as they were written (does_not_exist_skipping)."""
    node = item.get("ObjectWithArgs")
    if node is None or node.get("args_unspecified"):
        return error.message
    types = ",".join(".".join(strings(argument["TypeName"]["names"])) for argument in node.get("objargs", ()))
    word = error.message.partition(" ")[0]
    return f"{word} {'.'.join(strings(node['objname']))}({types}) does not exist"


def _find_relation(execution: Execution, kind: str, parts: list[str], *, missing_ok: bool) -> Address | str:
    kinds, word, code = _RELATION_KINDS[kind]
    range_var = range_var_of(parts)
    schema, name = range_var.get("schemaname"), range_var["relname"]
    if schema is None:
        found = find_in_path(execution, name)
    elif missing_ok and execution.catalog.namespace(schema) is None:
        return f'schema "{schema}" does not exist, skipping'
    else:
        found = execution.catalog.relation(namespace_oid(execution, schema), name)
    if found is None:
        shown = name if schema is None or code == sqlstate.UNDEFINED_TABLE else f"{schema}.{name}"
        if missing_ok:
            return f'{word} "{name}" does not exist, skipping'
        raise SqlError(code, f'{word} "{shown}" does not exist')
    _check_kind(found, kinds, word)
    return Address(classes.PG_CLASS, found.oid)


def _check_kind(relation: Relation, kinds: str, word: str) -> None:
    if relation.kind not in kinds:
        raise wrong_kind(relation, word)
    if relation.namespace in namespace_names():
        raise SqlError(sqlstate.INSUFFICIENT_PRIVILEGE, f'permission denied: "{relation.name}" is a system catalog')


def _find_type(execution: Execution, item: Any, kind: str) -> Address:
    names = strings(item["TypeName"]["names"])
    if len(names) > 1:
        namespace_oid(execution, names[-2])
    row = typenames.lookup(execution.catalog, execution.path, names)
    if row is None:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'type "{".".join(names)}" does not exist')
    if kind == "OBJECT_DOMAIN" and row.kind != "d":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{".".join(names)}" is not a domain')
    if row.kind == "c" and row.relation >= 16384 and execution.relation(row.relation).kind == "c":
        return Address(classes.PG_TYPE, row.oid)
    return Address(classes.PG_TYPE, row.oid)


def _find_schema(execution: Execution, item: Any, kind: str) -> Address:
    return Address(classes.PG_NAMESPACE, namespace_oid(execution, item["String"]["sval"]))


def _find_extension(execution: Execution, item: Any, kind: str) -> Address:
    name = item["String"]["sval"]
    found = execution.select("pg_extension", 0, "oid", extname=name)
    if not found:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'extension "{name}" does not exist')
    return Address(classes.PG_EXTENSION, found[0][0])


def _find_function(execution: Execution, item: Any, kind: str) -> Address:
    return Address(classes.PG_PROC, find_function(execution, item["ObjectWithArgs"], _WORDS[kind].lower()).oid)


ROUTINES = {
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_ROUTINE": "routine",
    "OBJECT_AGGREGATE": "aggregate",
}


def find_function(execution: Execution, node: Any, word: str) -> ProcRow:
    """The routine that a name with or without argument types means (LookupFuncWithArgs). `word`: the kind that was said."""
    names = strings(node["objname"])
    shown_name = ".".join(names)
    candidates = _functions_named(execution, names)
    if node.get("args_unspecified"):
        fitting = [row for row in candidates if row.kind in _ROUTINES[word]]
        if len(fitting) > 1:
            message = f'{word} name "{shown_name}" is not unique'
            hint = f"Specify the argument list to select the {word} unambiguously."
            raise SqlError(sqlstate.AMBIGUOUS_FUNCTION, message, hint=hint)
        if not fitting:
            article = "an" if word == "aggregate" else "a"
            raise SqlError(sqlstate.UNDEFINED_FUNCTION, f'could not find {article} {word} named "{shown_name}"')
        return _of_kind(execution, fitting[0], word, shown_name)
    types = tuple(
        typenames.resolve(execution.catalog, execution.path, argument["TypeName"])[0] for argument in node.get("objargs", ())
    )
    for row in candidates:
        if row.arguments == types:
            return _of_kind(execution, row, word, shown_name)
    shown = ", ".join(typenames.display(execution.catalog, oid) for oid in types)
    if word == "aggregate":
        shown = shown or "*"
    raise SqlError(sqlstate.UNDEFINED_FUNCTION, f"{word} {shown_name}({shown}) does not exist")


_ROUTINES = {"function": "fwa", "procedure": "p", "aggregate": "a", "routine": "fwap"}


def _of_kind(execution: Execution, row: ProcRow, word: str, name: str) -> ProcRow:
    """The routine, if it is what the statement says; DROP and ALTER FUNCTION take aggregates for functions, too."""
    if row.kind in _ROUTINES[word]:
        return row
    shown = f"{name}({', '.join(typenames.display(execution.catalog, oid) for oid in row.arguments)})"
    wrong = {"aggregate": f"function {shown} is not an aggregate"}.get(word, f"{shown} is not a {word}")
    raise SqlError(sqlstate.WRONG_OBJECT_TYPE, wrong)


def _functions_named(execution: Execution, names: list[str]) -> list[ProcRow]:
    namespaces = [namespace_oid(execution, names[-2])] if len(names) > 1 else execution.path
    return [row for row in execution.catalog.procs(names[-1]) if row.namespace in namespaces]

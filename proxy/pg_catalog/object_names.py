"""Names of objects for regclass, regtype and their kin: text to OID and back (regproc.c)."""

import json
from typing import Any

from proxy.pg_catalog import rows
from proxy.pg_catalog.texts import quote_identifier, quote_qualified, split_identifier
from translator import builtins, sqlstate
from translator.errors import SqlError, unsupported

_BINARY = 2  # arguments of an operator


class ObjectNames:
    """translator.types.reg.ObjectNames over the current statement's catalog."""

    def object_oid(self, type_name: str, text: str) -> int:
        """The OID of the object that `text` names."""
        match type_name:
            case "regclass":
                return _relation(text)
            case "regtype":
                return _type(text)
            case "regproc":
                return _function(text)
            case "regprocedure":
                return _procedure(text)
            case "regnamespace":
                return _namespace(text)
            case "regrole":
                return _role(text)
            case "regcollation" | "regconfig" | "regdictionary":
                return _static(type_name, text)
            case "regoper":
                return _operator(text)
            case "regoperator":
                return _operator_with_types(text)
        raise unsupported(f"a name as input of type {type_name}")

    def object_name(self, type_name: str, oid: int) -> str | None:
        """What the output function prints; None where there is no such object."""
        match type_name:
            case "regclass":
                return _relation_name(oid)
            case "regtype":
                return _type_name(oid)
            case "regproc":
                return _function_name(oid)
            case "regprocedure":
                return _describer().function_name(oid) if _record("pg_proc", oid) else None
            case "regnamespace":
                found = _catalog().namespace_name(oid)
                return None if found is None else quote_identifier(found)
            case "regrole":
                return _simple_name("pg_authid", oid, "rolname")
            case "regcollation":
                return _simple_name("pg_collation", oid, "collname")
            case "regconfig":
                return _simple_name("pg_ts_config", oid, "cfgname")
            case "regdictionary":
                return _simple_name("pg_ts_dict", oid, "dictname")
            case "regoper":
                return _simple_operator(oid)
            case "regoperator":
                return _full_operator(oid)
        return None


def _catalog() -> Any:
    from proxy.pg_catalog import current

    return current.catalog()


def _path() -> list[int]:
    from proxy.pg_catalog import current

    return current.path()


def _describer() -> Any:
    from proxy.pg_catalog import current

    return current.describer()


def _record(catalog: str, oid: int) -> dict[str, Any] | None:
    from proxy.pg_catalog import current
    from proxy.pg_catalog.lookup import record

    return record(current.connection(), catalog, oid)


def _parts(text: str) -> list[str]:
    parts = split_identifier(text)
    if parts is None:
        raise SqlError(sqlstate.INVALID_NAME, "invalid name syntax")
    return parts


def _namespaces(parts: list[str]) -> list[int]:
    """Where to look for a name: in the schema that it has, or along the path."""
    if len(parts) == 1:
        return _path()
    found = _catalog().namespace(parts[-2])
    return [] if found is None else [found]


# ---------------------------------------------------------------------- text to OID


def _relation(text: str) -> int:
    parts = _parts(text)
    for namespace in _namespaces(parts):
        relation = _catalog().relation(namespace, parts[-1])
        if relation is not None:
            return int(relation.oid)
    raise SqlError(sqlstate.UNDEFINED_TABLE, f'relation "{".".join(parts)}" does not exist')


def _type(text: str) -> int:
    return resolve_type(text)[0]


def resolve_type(text: str) -> tuple[int, int]:
    """The type OID and typmod of a type's name (parseTypeString)."""
    from pglast import parser

    from translator.analyze import typenames

    try:
        tree = json.loads(parser.parse_sql_json(f"SELECT NULL::{text}"))
        node = tree["stmts"][0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]["TypeCast"]["typeName"]
    except (parser.ParseError, KeyError):
        raise SqlError(sqlstate.SYNTAX_ERROR, f'invalid type name "{text}"') from None
    node = {key: value for key, value in node.items() if key != "location"}
    return typenames.resolve(_catalog(), _path(), node)


def _function(text: str) -> int:
    parts = _parts(text)
    namespaces = _namespaces(parts)
    found = [row.oid for row in _catalog().procs(parts[-1]) if row.namespace in namespaces]
    if not found:
        raise SqlError(sqlstate.UNDEFINED_FUNCTION, f'function "{text}" does not exist')
    if len(found) > 1:
        raise SqlError(sqlstate.AMBIGUOUS_FUNCTION, f'more than one function named "{text}"')
    return int(found[0])


def _procedure(text: str) -> int:
    name, parenthesis, rest = text.partition("(")
    if not parenthesis or not rest.rstrip().endswith(")"):
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, "expected a left parenthesis")
    arguments = rest.rstrip()[:-1].strip()
    types = tuple(_type(each.strip()) for each in arguments.split(",")) if arguments else ()
    parts = _parts(name)
    namespaces = _namespaces(parts)
    for row in _catalog().procs(parts[-1]):
        if row.namespace in namespaces and row.arguments == types:
            return int(row.oid)
    raise SqlError(sqlstate.UNDEFINED_FUNCTION, f'function "{text}" does not exist')


def _namespace(text: str) -> int:
    parts = _parts(text)
    if len(parts) != 1:
        raise SqlError(sqlstate.INVALID_NAME, "invalid name syntax")
    found = _catalog().namespace(parts[0])
    if found is None:
        raise SqlError(sqlstate.INVALID_SCHEMA_NAME, f'schema "{parts[0]}" does not exist')
    return int(found)


def _role(text: str) -> int:
    from proxy.pg_catalog import current

    parts = _parts(text)
    if len(parts) != 1:
        raise SqlError(sqlstate.INVALID_NAME, "invalid name syntax")
    oid = role_oid(current.connection(), parts[0])
    if oid is None:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{parts[0]}" does not exist')
    return oid


def role_oid(connection: Any, name: str) -> int | None:
    """The OID of a role."""
    found = rows.select(connection, "pg_authid", ["oid"], rolname=name)
    if found:
        return int(found[0][0])
    from translator.data import load

    return next((oid for oid, each in load("pg_authid").select("oid", "rolname") if each == name and oid != 10), None)


_STATIC = {
    "regcollation": ("pg_collation", "collname", 'collation "{}" for encoding "UTF8" does not exist'),
    "regconfig": ("pg_ts_config", "cfgname", 'text search configuration "{}" does not exist'),
    "regdictionary": ("pg_ts_dict", "dictname", 'text search dictionary "{}" does not exist'),
}


def _static(type_name: str, text: str) -> int:
    from translator.data import load

    catalog, column, message = _STATIC[type_name]
    name = _parts(text)[-1]
    for oid, each in load(catalog).select("oid", column):
        if each == name:
            return int(oid)
    raise SqlError(sqlstate.UNDEFINED_OBJECT, message.format(".".join(_parts(text))))


def _operator(text: str) -> int:
    name = text.rpartition(".")[2]
    found = builtins.operators_by_name().get(name, [])
    if not found:
        raise SqlError(sqlstate.UNDEFINED_FUNCTION, f"operator does not exist: {text}")
    if len(found) > 1:
        raise SqlError(sqlstate.AMBIGUOUS_FUNCTION, f"more than one operator named {text}")
    return found[0].oid


def _operator_with_types(text: str) -> int:
    """name(left, right), with NONE for the side that a prefix operator has not (parseNameAndArgTypes)."""
    name, parenthesis, rest = text.partition("(")
    if not parenthesis or not rest.rstrip().endswith(")"):
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, "expected a left parenthesis")
    arguments = [each.strip() for each in rest.rstrip()[:-1].split(",")]
    if len(arguments) == 1:
        hint = "Use NONE to denote the missing argument of a unary operator."
        raise SqlError(sqlstate.UNDEFINED_PARAMETER, "missing argument", hint=hint)
    if len(arguments) > _BINARY:
        hint = "Provide two argument types for operator."
        raise SqlError(sqlstate.TOO_MANY_ARGUMENTS, "too many arguments", hint=hint)
    types = [0 if each.lower() == "none" else _type(each) for each in arguments]
    for row in builtins.operators_by_name().get(name.strip().rpartition(".")[2], []):
        if [row.left, row.right] == types:
            return row.oid
    raise SqlError(sqlstate.UNDEFINED_FUNCTION, f"operator does not exist: {text}")


# ---------------------------------------------------------------------- OID to text


def _relation_name(oid: int) -> str | None:
    if _catalog().relation_by_oid(oid) is None:
        return None
    return str(_describer().relation_name(oid))


def _type_name(oid: int) -> str | None:
    if _catalog().type_by_oid(oid) is None:
        return None
    return str(_describer().type_name(oid))


def _function_name(oid: int) -> str | None:
    """A function's name, qualified unless it is the only one of that name in sight."""
    row = _record("pg_proc", oid)
    if row is None:
        return None
    path = _path()
    candidates = [each for each in _catalog().procs(row["proname"]) if each.namespace in path]
    if len(candidates) == 1 and candidates[0].oid == oid:
        return quote_identifier(row["proname"])
    return quote_qualified(_catalog().namespace_name(row["pronamespace"]), row["proname"])


def _simple_name(catalog: str, oid: int, column: str) -> str | None:
    row = _record(catalog, oid)
    return None if row is None else quote_identifier(row[column])


def _full_operator(oid: int) -> str | None:
    row = builtins.operators().get(oid)
    if row is None:
        return None
    left, right = (_type_name(each) if each else "NONE" for each in (row.left, row.right))
    return f"{row.name}({left},{right})"


def _simple_operator(oid: int) -> str | None:
    row = _record("pg_operator", oid)
    if row is None:
        return None
    same = builtins.operators_by_name().get(row["oprname"], [])
    return row["oprname"] if len(same) == 1 else f"pg_catalog.{row['oprname']}"

"""COMMENT ON (comment.c)."""

from typing import Any

from proxy.ddl.drop import ROUTINES, find_function
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import column_named, namespace_oid, open_relation, range_var_of, strings
from proxy.ddl.types import open_type
from proxy.pg_catalog import classes
from proxy.pg_catalog.object_names import role_oid
from translator import sqlstate
from translator.errors import SqlError, unsupported

_RELATION_KINDS = {
    "OBJECT_TABLE": ("rp", "table"),
    "OBJECT_VIEW": ("v", "view"),
    "OBJECT_MATVIEW": ("m", "materialized view"),
    "OBJECT_SEQUENCE": ("S", "sequence"),
    "OBJECT_INDEX": ("i", "index"),
    "OBJECT_FOREIGN_TABLE": ("f", "foreign table"),
}


def comment(statement: dict[str, Any], execution: Execution) -> str:
    """COMMENT ON object IS text or NULL."""
    kind, node = statement["objtype"], statement["object"]
    text = statement.get("comment") or None  # the empty string is no comment either (CreateComments)
    if kind in ("OBJECT_DATABASE", "OBJECT_ROLE"):
        _comment_shared(execution, kind, node["String"]["sval"], text)
        return "COMMENT"
    address = _address(execution, kind, node)
    where = {"objoid": address.oid, "classoid": address.catalog, "objsubid": address.column}
    execution.delete("pg_description", address.oid, **where)
    if text is not None:
        execution.insert("pg_description", address.oid, **where, description=text)
    return "COMMENT"


def _address(execution: Execution, kind: str, node: Any) -> Address:
    if kind in _RELATION_KINDS:
        kinds, word = _RELATION_KINDS[kind]
        relation = open_relation(execution, range_var_of(strings(node["List"]["items"])))
        if relation.kind not in kinds:
            article = "an" if word[0] in "aeiou" else "a"
            raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is not {article} {word}')
        return Address(classes.PG_CLASS, relation.oid)
    match kind:
        case "OBJECT_COLUMN":
            return _column(execution, strings(node["List"]["items"]))
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            return Address(classes.PG_TYPE, open_type(execution, strings(node["TypeName"]["names"])).oid)
        case "OBJECT_SCHEMA":
            return Address(classes.PG_NAMESPACE, namespace_oid(execution, node["String"]["sval"]))
        case "OBJECT_TABCONSTRAINT":
            return _constraint(execution, strings(node["List"]["items"]))
        case "OBJECT_DOMCONSTRAINT":
            return _domain_constraint(execution, node)
        case "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE" | "OBJECT_AGGREGATE":
            return Address(classes.PG_PROC, find_function(execution, node["ObjectWithArgs"], ROUTINES[kind]).oid)
        case "OBJECT_EXTENSION":
            name = node["String"]["sval"]
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'extension "{name}" does not exist')
    raise unsupported(f"COMMENT ON {kind.removeprefix('OBJECT_').replace('_', ' ')}")


def _domain_constraint(execution: Execution, node: Any) -> Address:
    items = node["List"]["items"]
    names, name = strings(items[0]["TypeName"]["names"]), items[1]["String"]["sval"]
    row = open_type(execution, names)
    if row.kind != "d":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{".".join(names)}" is not a domain')
    found = execution.select("pg_constraint", row.oid, "oid", contypid=row.oid, conname=name)
    if not found:
        message = f'constraint "{name}" for domain {".".join(names)} does not exist'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    return Address(classes.PG_CONSTRAINT, found[0][0])


def _column(execution: Execution, names: list[str]) -> Address:
    relation = open_relation(execution, range_var_of(names[:-1]))
    return Address(classes.PG_CLASS, relation.oid, column_named(relation, names[-1]).attnum)


def _constraint(execution: Execution, names: list[str]) -> Address:
    relation = open_relation(execution, range_var_of(names[:-1]))
    for constraint in relation.constraints:
        if constraint.name == names[-1]:
            return Address(classes.PG_CONSTRAINT, constraint.oid)
    message = f'constraint "{names[-1]}" for table "{relation.name}" does not exist'
    raise SqlError(sqlstate.UNDEFINED_OBJECT, message)


def _comment_shared(execution: Execution, kind: str, name: str, text: str | None) -> None:
    if kind == "OBJECT_ROLE":
        oid = role_oid(execution.connection, name)
        if oid is None:
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{name}" does not exist')
        classid = classes.PG_AUTHID
    else:
        known = execution.cluster.databases() if execution.cluster is not None else ()
        if name != execution.settings.database and name not in known:  # dumps are restored elsewhere
            execution.note(f'database "{name}" does not exist', sqlstate.INVALID_CATALOG_NAME, severity="WARNING")
            return
        raise unsupported("COMMENT ON DATABASE")
    execution.delete("pg_shdescription", 0, objoid=oid, classoid=classid)
    if text is not None:
        execution.insert("pg_shdescription", 0, objoid=oid, classoid=classid, description=text)

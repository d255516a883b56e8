"""GRANT and REVOKE on objects, ALTER … OWNER TO (aclchk.c, alter.c): kept in the ACL and owner columns."""

import json
from dataclasses import dataclass
from typing import Any

from proxy.ddl.drop import ROUTINES, find_function
from proxy.ddl.execution import Execution
from proxy.ddl.names import column_named, namespace_oid, open_relation, strings
from proxy.ddl.types import open_type
from proxy.pg_catalog import acl
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.object_names import role_oid as find_role
from proxy.pg_catalog.relations import OWNER
from translator import sqlstate
from translator.catalog import Relation
from translator.errors import SqlError, unsupported


@dataclass(frozen=True, slots=True)
class Target:
    """An object whose list is changed: its row, the columns of owner and list, the kind of list."""

    catalog: str
    oid: int
    owner_column: str
    acl_column: str
    kind: str


_CLASS = ("pg_class", "relowner", "relacl")


def role_name(execution: Execution, spec: dict[str, Any]) -> str:
    """The name of a RoleSpec."""
    match spec.get("roletype", "ROLESPEC_CSTRING"):
        case "ROLESPEC_CURRENT_USER" | "ROLESPEC_CURRENT_ROLE":
            return execution.settings.user
        case "ROLESPEC_SESSION_USER":
            return execution.settings.session_user
        case "ROLESPEC_PUBLIC":
            return ""
    return str(spec["rolename"])


def role_oid(execution: Execution, spec: dict[str, Any]) -> int:
    """The OID of a RoleSpec. Raises 42704."""
    name = role_name(execution, spec)
    oid = find_role(execution.connection, name)
    if oid is None:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{name or "public"}" does not exist')
    return oid


# ---------------------------------------------------------------------- GRANT and REVOKE


def grant(statement: dict[str, Any], execution: Execution) -> str:
    """GRANT and REVOKE of privileges on objects."""
    granted = bool(statement.get("is_grant"))
    grantees = grantee_names(execution, statement)
    privileges = [item["AccessPriv"] for item in statement.get("privileges", ())]
    for target in _targets(execution, statement):
        row = execution.record(target.catalog, target.oid, oid=target.oid)
        by_column = [each for each in privileges if "cols" in each]
        whole = [each for each in privileges if "cols" not in each]
        if whole or not privileges:
            letters = privilege_letters(whole, target.kind)
            _change(execution, target, row, grantees, letters, statement)
        for each in by_column:
            _change_columns(execution, target, row, grantees, each, statement)
    return "GRANT" if granted else "REVOKE"


def grantee_names(execution: Execution, statement: dict[str, Any]) -> list[str]:
    """The names of the roles that GRANT or REVOKE is about, empty for PUBLIC. Raises 42704."""
    return [_grantee(execution, item["RoleSpec"]) for item in statement["grantees"]]


def _grantee(execution: Execution, spec: dict[str, Any]) -> str:
    if spec.get("roletype") == "ROLESPEC_PUBLIC":
        return ""
    role_oid(execution, spec)
    return role_name(execution, spec)


def privilege_letters(privileges: list[dict[str, Any]], kind: str, *, any_relation: bool = True) -> str:
    """The letters of privileges, of all if none is named. Raises 0LP01 for one that the kind of object does not have.

    `any_relation`: GRANT ON TABLE may be about a sequence.
    """
    if not privileges:
        return acl.ALL[kind]
    letters = ""
    for each in privileges:
        name = each["priv_name"]
        letter = acl.PRIVILEGES.get(name.upper())
        if letter is None:
            raise SqlError(sqlstate.SYNTAX_ERROR, f'unrecognized privilege type "{name}"')
        if letter not in acl.ALL[kind] and not (any_relation and kind == "r" and letter == "U"):
            words = {
                "r": "relation",
                "s": "sequence",
                "d": "database",
                "f": "function",
                "n": "schema",
                "T": "type",
                "c": "column",
            }
            message = f"invalid privilege type {name.upper()} for {words.get(kind, 'object')}"
            raise SqlError(sqlstate.INVALID_GRANT_OPERATION, message)
        letters += letter
    return letters


def _change(
    execution: Execution,
    target: Target,
    row: dict[str, Any],
    grantees: list[str],
    letters: str,
    statement: dict[str, Any],
) -> None:
    owner = record(execution.connection, "pg_authid", row[target.owner_column])
    owner_name = owner["rolname"] if owner else "postgres"
    texts = row[target.acl_column]
    items = [acl.parse(text) for text in json.loads(texts)] if texts else acl.default(target.kind, owner_name)
    items = changed_items(items, grantees, letters, owner_name, statement)
    texts_now = [item.text() for item in items]
    execution.update(target.catalog, target.oid, {target.acl_column: texts_now}, oid=target.oid)


def changed_items(
    items: list[acl.AclItem], grantees: list[str], letters: str, grantor: str, statement: dict[str, Any]
) -> list[acl.AclItem]:
    """A list after GRANT or REVOKE."""
    option = bool(statement.get("grant_option"))
    for grantee in grantees:
        if statement.get("is_grant"):
            items = acl.grant(items, grantee, letters, grantor, option=option)
        else:
            items = acl.revoke(items, grantee, letters, option_only=option)
    return items


def _change_columns(
    execution: Execution,
    target: Target,
    row: dict[str, Any],
    grantees: list[str],
    privilege: dict[str, Any],
    statement: dict[str, Any],
) -> None:
    if target.kind != "r":
        message = "column privileges are only valid for relations"
        raise SqlError(sqlstate.INVALID_GRANT_OPERATION, message)
    relation = execution.relation(target.oid)
    owner = record(execution.connection, "pg_authid", row[target.owner_column])
    letters = (
        privilege_letters([{"priv_name": privilege.get("priv_name", "")}], "c") if "priv_name" in privilege else acl.ALL["c"]
    )
    for name in strings(privilege["cols"]):
        where = {"attrelid": relation.oid, "attnum": column_named(relation, name).attnum}
        (texts,) = execution.select("pg_attribute", relation.oid, "attacl", **where)[0]
        items = [acl.parse(text) for text in json.loads(texts)] if texts else []
        grantor = owner["rolname"] if owner else "postgres"
        items = changed_items(items, grantees, letters, grantor, statement)
        texts_now = [item.text() for item in items] or None
        execution.update("pg_attribute", relation.oid, {"attacl": texts_now}, **where)


def _targets(execution: Execution, statement: dict[str, Any]) -> list[Target]:
    kind, objects = statement["objtype"], statement.get("objects", ())
    if statement.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        return _all_in_schema(execution, kind, strings(objects))
    match kind:
        case "OBJECT_TABLE" | "OBJECT_SEQUENCE":
            return [_relation_target(execution, item["RangeVar"], kind) for item in objects]
        case "OBJECT_SCHEMA":
            return [_system_checked("pg_namespace", namespace_oid(execution, name), "nsp", "n") for name in strings(objects)]
        case "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE" | "OBJECT_AGGREGATE":
            found = (find_function(execution, item["ObjectWithArgs"], ROUTINES[kind]).oid for item in objects)
            return [_system_checked("pg_proc", oid, "pro", "f") for oid in found]
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            rows = (open_type(execution, strings(item["List"]["items"])) for item in objects)
            return [_system_checked("pg_type", row.oid, "typ", "T") for row in rows]
        case "OBJECT_DATABASE":
            for name in strings(objects):
                check_database(execution, name)
            raise unsupported("GRANT and REVOKE ON DATABASE")
    raise unsupported(f"GRANT ON {kind.removeprefix('OBJECT_').replace('_', ' ')}")


def check_database(execution: Execution, name: str) -> None:
    """The database exists. Raises 3D000."""
    if execution.cluster is not None and name not in execution.cluster.databases():
        raise SqlError(sqlstate.INVALID_CATALOG_NAME, f'database "{name}" does not exist')


def _system_checked(catalog: str, oid: int, prefix: str, kind: str) -> Target:
    if oid < 16384 and oid != 2200:
        raise unsupported("GRANT on an object of the system")
    return Target(catalog, oid, f"{prefix}owner", f"{prefix}acl", kind)


def _relation_target(execution: Execution, range_var: dict[str, Any], kind: str) -> Target:
    relation = open_relation(execution, range_var)
    if relation.kind == "i":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is an index')
    if kind == "OBJECT_SEQUENCE" and relation.kind != "S":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{relation.name}" is not a sequence')
    if relation.oid < 16384:
        raise unsupported("GRANT on a relation of the system")
    return Target(_CLASS[0], relation.oid, _CLASS[1], _CLASS[2], "s" if relation.kind == "S" else "r")


def _all_in_schema(execution: Execution, kind: str, schemas: list[str]) -> list[Target]:
    targets = []
    for schema in schemas:
        namespace = namespace_oid(execution, schema)
        if kind in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
            wanted = "S" if kind == "OBJECT_SEQUENCE" else "rvmfp"
            for oid, relkind in execution.select("pg_class", namespace, "oid", "relkind", relnamespace=namespace):
                if relkind in wanted:
                    targets.append(Target(_CLASS[0], oid, _CLASS[1], _CLASS[2], "s" if relkind == "S" else "r"))
        else:
            found = execution.select("pg_proc", namespace, "oid", pronamespace=namespace)
            targets.extend(Target("pg_proc", oid, "proowner", "proacl", "f") for (oid,) in found)
    return targets


# ---------------------------------------------------------------------- OWNER TO


def change_relation_owner(execution: Execution, relation: Relation, owner: int) -> None:
    """A relation's owner, and that of what belongs to it (ATExecChangeOwner)."""
    for oid in (relation.oid, *(index.oid for index in relation.indexes)):
        execution.update("pg_class", relation.oid, {"relowner": owner}, oid=oid)
    if relation.row_type:
        array = execution.catalog.type(relation.row_type).array
        for oid in (relation.row_type, array):
            execution.update("pg_type", relation.oid, {"typowner": owner}, oid=oid)
    for column in relation.columns:
        from proxy.ddl.sequence import owned_sequence

        found = owned_sequence(execution, relation.oid, column.attnum)
        if found is not None:
            execution.update("pg_class", relation.oid, {"relowner": owner}, oid=found)


def alter_owner(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER … OWNER TO, of what is no relation."""
    owner = role_oid(execution, statement["newowner"])
    kind, node = statement["objectType"], statement["object"]
    match kind:
        case "OBJECT_SCHEMA":
            oid = namespace_oid(execution, node["String"]["sval"])
            execution.update("pg_namespace", oid, {"nspowner": owner}, oid=oid)
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            row = open_type(execution, strings(node["List"]["items"]))
            for oid in (row.oid, row.array):
                execution.update("pg_type", oid, {"typowner": owner}, oid=oid)
        case "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE" | "OBJECT_AGGREGATE":
            oid = find_function(execution, node["ObjectWithArgs"], ROUTINES[kind]).oid
            execution.update("pg_proc", oid, {"proowner": owner}, oid=oid)
        case "OBJECT_DATABASE":
            check_database(execution, node["String"]["sval"])
            if owner != OWNER:  # every database belongs to the cluster's owner
                raise unsupported("ALTER DATABASE OWNER TO another role than the cluster's owner")
        case _:
            raise unsupported(f"ALTER {kind.removeprefix('OBJECT_').replace('_', ' ')} OWNER TO")
    return f"ALTER {kind.removeprefix('OBJECT_').replace('_', ' ')}"

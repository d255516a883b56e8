"""Roles: CREATE, ALTER, DROP ROLE, membership (user.c). They are shown and compared; nothing is enforced yet."""

from typing import Any

from proxy.ddl.execution import Execution
from proxy.pg_catalog.object_names import role_oid as find_role
from translator import sqlstate
from translator.errors import SqlError, unsupported

_FLAGS = {
    "superuser": "rolsuper",
    "inherit": "rolinherit",
    "createrole": "rolcreaterole",
    "createdb": "rolcreatedb",
    "canlogin": "rolcanlogin",
    "isreplication": "rolreplication",
    "bypassrls": "rolbypassrls",
}


def create_role(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE ROLE, USER, GROUP."""
    name = statement["role"]
    if name.startswith("pg_"):
        message = f'role name "{name}" is reserved'
        raise SqlError(sqlstate.RESERVED_NAME, message, detail='Role names starting with "pg_" are reserved.')
    if find_role(execution.connection, name) is not None:
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'role "{name}" already exists')
    oid = execution.new_oid()
    values: dict[str, Any] = {"rolinherit": True, "rolconnlimit": -1}
    values["rolcanlogin"] = statement.get("stmt_type") == "ROLESTMT_USER"
    values.update(_options(statement.get("options", ())))
    execution.insert("pg_authid", oid, oid=oid, rolname=name, **values)
    for item in statement.get("options", ()):
        _membership(execution, oid, item["DefElem"])
    return "CREATE ROLE"


def _membership(execution: Execution, oid: int, element: dict[str, Any]) -> None:
    from proxy.ddl.privileges import role_oid

    kind = element["defname"]
    if kind not in ("addroleto", "rolemembers", "adminmembers"):
        return
    for item in element["arg"]["List"]["items"]:
        other = role_oid(execution, item["RoleSpec"])
        group, member = (other, oid) if kind == "addroleto" else (oid, other)
        _add_member(execution, group, member, admin=kind == "adminmembers")


def _options(options: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in options:
        element = item["DefElem"]
        key, argument = element["defname"], element.get("arg", {})
        if key in _FLAGS:
            values[_FLAGS[key]] = bool(argument["Boolean"].get("boolval"))
        elif key == "connectionlimit":
            values["rolconnlimit"] = int(argument["Integer"].get("ival", 0))
        elif key == "validUntil":
            values["rolvaliduntil"] = argument["String"]["sval"]
        elif key == "password":
            values["rolpassword"] = _verifier(argument["String"].get("sval", "")) if argument else None
        elif key not in ("addroleto", "rolemembers", "adminmembers", "sysid"):
            raise unsupported(f"role option {key}")
    return values


def _verifier(password: str) -> str:
    """A SCRAM verifier in the place of a password in clear."""
    if password.startswith("SCRAM-SHA-256$"):
        return password
    from proxy.wire.scram import Verifier

    return str(Verifier.build(password))


def alter_role(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER ROLE, and GROUP … ADD USER."""
    from proxy.ddl.privileges import role_oid

    oid = role_oid(execution, statement["role"])
    changes = _options(statement.get("options", ()))
    if changes:
        execution.update("pg_authid", oid, changes, oid=oid)
    return "ALTER ROLE"


def drop_role(statement: dict[str, Any], execution: Execution) -> str:
    """DROP ROLE [IF EXISTS]."""
    for item in statement["roles"]:
        name = item["RoleSpec"].get("rolename", "")
        oid = find_role(execution.connection, name)
        if oid is None:
            if not statement.get("missing_ok"):
                raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{name}" does not exist')
            execution.note(f'role "{name}" does not exist, skipping')
            continue
        if name == execution.settings.user:
            raise SqlError(sqlstate.OBJECT_IN_USE, "current user cannot be dropped")
        _refuse_owner(execution, oid, name)
        execution.delete("pg_authid", oid, oid=oid)
        execution.delete("pg_auth_members", oid, roleid=oid)
        execution.delete("pg_auth_members", oid, member=oid)
    return "DROP ROLE"


def _refuse_owner(execution: Execution, oid: int, name: str) -> None:
    from proxy.ddl.dependency import describer_of
    from proxy.pg_catalog import classes

    owned = []
    for catalog, column, classid in (
        ("pg_class", "relowner", classes.PG_CLASS),
        ("pg_namespace", "nspowner", classes.PG_NAMESPACE),
        ("pg_proc", "proowner", classes.PG_PROC),
    ):
        for (found,) in execution.select(catalog, 0, "oid", **{column: oid}):
            owned.append(f"owner of {describer_of(execution).describe(classid, found)}")
    if owned:
        message = f'role "{name}" cannot be dropped because some objects depend on it'
        raise SqlError(sqlstate.DEPENDENT_OBJECTS_STILL_EXIST, message, detail="\n".join(owned))


def grant_role(statement: dict[str, Any], execution: Execution) -> str:
    """GRANT role TO role, REVOKE role FROM role."""
    from proxy.ddl.privileges import role_oid

    granted = bool(statement.get("is_grant"))
    for group_item in statement["granted_roles"]:
        name = group_item["AccessPriv"]["priv_name"]
        group = find_role(execution.connection, name)
        if group is None:
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{name}" does not exist')
        for item in statement["grantee_roles"]:
            member = role_oid(execution, item["RoleSpec"])
            if granted:
                admin = any(each["DefElem"]["defname"] == "admin" for each in statement.get("opt", ()))
                _add_member(execution, group, member, admin=admin)
            else:
                execution.delete("pg_auth_members", group, roleid=group, member=member)
    return "GRANT ROLE" if granted else "REVOKE ROLE"


def _add_member(execution: Execution, group: int, member: int, *, admin: bool) -> None:
    execution.delete("pg_auth_members", group, roleid=group, member=member)
    oid = execution.new_oid()
    execution.insert(
        "pg_auth_members",
        oid,
        oid=oid,
        roleid=group,
        member=member,
        grantor=execution.owner,
        admin_option=admin,
        inherit_option=True,
        set_option=True,
    )


def rename_role(execution: Execution, old: str, new: str) -> str:
    """ALTER ROLE … RENAME TO."""
    oid = find_role(execution.connection, old)
    if oid is None:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{old}" does not exist')
    if find_role(execution.connection, new) is not None:
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'role "{new}" already exists')
    execution.update("pg_authid", oid, {"rolname": new}, oid=oid)
    return "ALTER ROLE"


def reassign_owned(statement: dict[str, Any], execution: Execution) -> str:
    """REASSIGN OWNED BY … TO …: every object of a role gets another owner."""
    from proxy.ddl.privileges import role_oid

    owner = role_oid(execution, statement["newrole"])
    for item in statement["roles"]:
        old = role_oid(execution, item["RoleSpec"])
        for catalog, column in (
            ("pg_class", "relowner"),
            ("pg_namespace", "nspowner"),
            ("pg_proc", "proowner"),
            ("pg_type", "typowner"),
        ):
            execution.update(catalog, 0, {column: owner}, **{column: old})
    return "REASSIGN OWNED"

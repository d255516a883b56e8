"""has_…_privilege, pg_has_role, and the functions that take access control lists apart (acl.c)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from proxy.pg_catalog import acl, current, rows
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.object_names import ObjectNames, role_oid
from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function
from translator.functions.registry import rows as row_function
from translator.settings import runtime

_names = ObjectNames()

# Kind of function -> (catalog, owner column, acl column, kind of acl, how a name is looked up).
_OBJECTS = {
    "table": ("pg_class", "relowner", "relacl", "r", "regclass"),
    "any_column": ("pg_class", "relowner", "relacl", "r", "regclass"),
    "column": ("pg_class", "relowner", "relacl", "r", "regclass"),
    "sequence": ("pg_class", "relowner", "relacl", "s", "regclass"),
    "schema": ("pg_namespace", "nspowner", "nspacl", "n", "regnamespace"),
    "function": ("pg_proc", "proowner", "proacl", "f", "regprocedure"),
    "type": ("pg_type", "typowner", "typacl", "T", "regtype"),
    "language": ("pg_language", "lanowner", "lanacl", "l", "language"),
    "database": ("pg_database", "datdba", "datacl", "d", "database"),
    "tablespace": ("pg_tablespace", "spcowner", "spcacl", "t", "tablespace"),
    "server": ("pg_foreign_server", "srvowner", "srvacl", "S", "server"),
    "foreign_data_wrapper": ("pg_foreign_data_wrapper", "fdwowner", "fdwacl", "F", "foreign-data wrapper"),
}


_NEVER = frozenset({"server", "foreign_data_wrapper"})  # there are none
_NAME_COLUMNS = {
    "database": "datname",
    "tablespace": "spcname",
    "language": "lanname",
    "server": "srvname",
    "foreign-data wrapper": "fdwname",
}


def _role_of(value: Any) -> dict[str, Any] | None:
    """The role that an argument names: by OID or by name."""
    connection = current.connection()
    if isinstance(value, str):
        oid = role_oid(connection, value)
        if oid is None:
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'role "{value}" does not exist')
        return record(connection, "pg_authid", oid)
    return record(connection, "pg_authid", value)


def _object_oid(kind: str, value: Any) -> int:
    how = _OBJECTS[kind][4]
    if not isinstance(value, str):
        return int(value)
    if how in _NAME_COLUMNS:
        catalog = _OBJECTS[kind][0]
        column = _NAME_COLUMNS[how]
        from translator.data import load

        for oid, name in load(catalog).select("oid", column) if kind not in _NEVER else ():
            if name == value:
                return int(oid)
        if how == "database" and value == runtime.settings.database:
            return 0
        code = sqlstate.INVALID_CATALOG_NAME if how == "database" else sqlstate.UNDEFINED_OBJECT
        raise SqlError(code, f'{how} "{value}" does not exist')
    if how == "regnamespace":  # the name as it is, not an identifier that may be quoted
        namespace = current.catalog().namespace(value)
        if namespace is None:
            raise SqlError(sqlstate.INVALID_SCHEMA_NAME, f'schema "{value}" does not exist')
        return namespace
    return _names.object_oid(how, value)


def _letters(text: str, kind: str) -> list[str]:
    """The privileges of a text like "SELECT, INSERT WITH GRANT OPTION" (convert_any_priv_string)."""
    letters = []
    for part in text.split(","):
        name = part.strip().upper().removesuffix(" WITH GRANT OPTION")
        letter = acl.PRIVILEGES.get(name)
        if letter is None or letter not in acl.ALL[_OBJECTS[kind][3]]:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'unrecognized privilege type: "{part.strip()}"')
        letters.append(letter)
    return letters


def _has(kind: str, role: dict[str, Any] | None, target: Any, privileges: str, column: Any = None) -> bool | None:
    letters = _letters(privileges, kind)
    oid = _object_oid(kind, target)
    catalog, owner_column, acl_column, acl_kind, _ = _OBJECTS[kind]
    if kind in _NEVER:
        return True if role is not None and role["rolsuper"] else None
    row = record(current.connection(), catalog, oid) if catalog != "pg_database" else {}
    if row is None:
        return None
    if role is None or role["rolsuper"] or not row:
        return role is not None
    roles = _memberships(role)
    owner = record(current.connection(), "pg_authid", row[owner_column])
    owner_name = owner["rolname"] if owner else ""
    if owner_name in roles:
        return True
    texts = row[acl_column]
    items = [acl.parse(each) for each in _list(texts)] if texts else acl.default(acl_kind, owner_name)
    lists = [items, *_column_lists(oid, column)] if kind in ("column", "any_column") else [items]
    return any(acl.allows(each, roles, letter) for each in lists for letter in letters)


def _column_lists(relation: int, column: Any) -> list[list[acl.AclItem]]:
    """The lists of a column, by name or number, or of all columns."""
    schema = rows.schema_of(relation)
    found = rows.select(current.connection(), "pg_attribute", ["attname", "attnum", "attacl"], schema, attrelid=relation)
    wanted = [texts for name, number, texts in found if texts and column in (None, name, number)]
    return [[acl.parse(text) for text in _list(texts)] for texts in wanted]


def _list(value: Any) -> list[str]:
    return list(json.loads(value)) if isinstance(value, str) else list(value)


def _memberships(role: dict[str, Any]) -> set[str]:
    """The role and every role that it is a member of."""
    found, todo = {role["rolname"]}, [role["oid"]]
    while todo:
        for (oid,) in rows.select(current.connection(), "pg_auth_members", ["roleid"], member=todo.pop()):
            group = record(current.connection(), "pg_authid", oid)
            if group is not None and group["rolname"] not in found:
                found.add(group["rolname"])
                todo.append(oid)
    return found


def _declare(kind: str, name: str, implementation: Callable[..., bool | None]) -> None:
    function(f"has_{kind}_privilege_{name}", deterministic=False)(implementation)


def _declare_kind(kind: str) -> None:
    """The six forms: with a role by name or OID or the current one, and an object by name or OID."""

    def of_current(target: Any, privileges: str) -> bool | None:
        return _has(kind, _role_of(runtime.settings.user), target, privileges)

    def of_role(role: Any, target: Any, privileges: str) -> bool | None:
        return _has(kind, _role_of(role), target, privileges)

    for name in ("name", "id"):
        _declare(kind, name, of_current)
    for name in ("name_name", "name_id", "id_name", "id_id"):
        _declare(kind, name, of_role)


def _declare_column() -> None:
    """has_column_privilege has the column as one argument more, by name or number."""

    def of_current(table: Any, column: Any, privileges: str) -> bool | None:
        return _has("column", _role_of(runtime.settings.user), table, privileges, column)

    def of_role(role: Any, table: Any, column: Any, privileges: str) -> bool | None:
        return _has("column", _role_of(role), table, privileges, column)

    for table in ("name", "id"):
        for column in ("name", "attnum"):
            _declare("column", f"{table}_{column}", of_current)
            for role in ("name", "id"):
                _declare("column", f"{role}_{table}_{column}", of_role)


for _kind in _OBJECTS:
    if _kind == "column":
        _declare_column()
    else:
        _declare_kind(_kind)


def _pg_has_role(member: Any, group: Any) -> bool:
    role, other = _role_of(member), _role_of(group)
    if role is None or other is None:
        return False
    return bool(role["rolsuper"]) or other["rolname"] in _memberships(role)


@function("pg_has_role_name", "pg_has_role_id", deterministic=False)
def pg_has_role(group: Any, privileges: str) -> bool:
    """Whether the current user is a member of a role."""
    return _pg_has_role(runtime.settings.user, group)


@function("pg_has_role_name_name", "pg_has_role_name_id", "pg_has_role_id_name", "pg_has_role_id_id", deterministic=False)
def pg_has_role_of(member: Any, group: Any, privileges: str) -> bool:
    """Whether a role is a member of another."""
    return _pg_has_role(member, group)


@row_function("aclexplode", deterministic=False)
def aclexplode(items: str) -> Iterator[tuple[int, int, str, bool]]:
    """A row for each right in an access control list."""
    connection = current.connection()
    for text in json.loads(items):
        item = acl.parse(text)
        grantor = role_oid(connection, item.grantor) or 0
        grantee = role_oid(connection, item.grantee) or 0 if item.grantee else 0
        for letter in item.letters:
            yield grantor, grantee, acl.LETTERS[letter], letter in item.grantable


@function("acldefault_sql", deterministic=False)
def acldefault(kind: str, owner: int) -> str:
    """The list that holds where none is kept."""
    row = record(current.connection(), "pg_authid", owner)
    name = row["rolname"] if row else str(owner)
    return json.dumps([item.text() for item in acl.default(kind, name)], separators=(",", ":"))


@function("row_security_active", "row_security_active_name", deterministic=False)
def row_security_active(table: Any) -> bool:
    """There is no row security."""
    return False


@function("makeaclitem", deterministic=False)
def makeaclitem(grantee: int, grantor: int, privileges: str, grantable: int) -> str:
    """An access control list's item from its parts."""
    connection = current.connection()
    names = []
    for oid in (grantee, grantor):
        row = record(connection, "pg_authid", oid) if oid else None
        names.append(row["rolname"] if row else str(oid) if oid else "")
    letters = ""
    for word in privileges.split(","):
        letter = acl.PRIVILEGES.get(word.strip().upper())
        if letter is None:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'unrecognized privilege type: "{word.strip()}"')
        letters += letter
    return acl.AclItem(names[0], letters, letters if grantable else "", names[1] or "0").text()


# The catalogs whose objects have an access control list: by OID their name and the column.
_LISTS = {
    1259: ("pg_class", "relacl"),
    1255: ("pg_proc", "proacl"),
    1247: ("pg_type", "typacl"),
    2615: ("pg_namespace", "nspacl"),
    1262: ("pg_database", "datacl"),
    2612: ("pg_language", "lanacl"),
}


@function("pg_get_acl", deterministic=False)
def pg_get_acl(classid: int, objid: int, objsubid: int) -> str | None:
    """The access control list of an object, NULL if it has none of its own."""
    connection = current.connection()
    if classid == 1259 and objsubid:
        found = rows.select(connection, "pg_attribute", ["attacl"], rows.schema_of(objid), attrelid=objid, attnum=objsubid)
        return found[0][0] if found else None
    if classid not in _LISTS:
        return None
    catalog, column = _LISTS[classid]
    row = record(connection, catalog, objid)
    items = row[column] if row else None
    return items if items is None or isinstance(items, str) else json.dumps(items, separators=(",", ":"))


@row_function("pg_options_to_table")
def pg_options_to_table(options: str) -> Iterator[tuple[str, str | None]]:
    """name=value options as rows."""
    for option in json.loads(options):
        name, separator, value = option.partition("=")
        yield name, value if separator else None

"""ALTER DEFAULT PRIVILEGES (aclchk.c); what new objects have by it is in initial_rights.py.

A role has one list for each kind of object in all schemas, which starts as what the kind has anyway, and one for each schema,
which starts empty and is added. A list that is as it started is not kept.
"""

import json
from typing import Any

from proxy.ddl.execution import Address, Execution
from proxy.ddl.initial_rights import KINDS, role_name_of, sorted_texts
from proxy.ddl.names import namespace_oid, strings
from proxy.ddl.privileges import changed_items, grantee_names, privilege_letters, role_oid
from proxy.pg_catalog import acl, classes
from translator import sqlstate
from translator.errors import SqlError, unsupported


def alter_default_privileges(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER DEFAULT PRIVILEGES [FOR ROLE …] [IN SCHEMA …] GRANT or REVOKE."""
    options = {item["DefElem"]["defname"]: item["DefElem"]["arg"]["List"]["items"] for item in statement.get("options", ())}
    action = statement["action"]
    if action["objtype"] not in KINDS:
        raise unsupported(f"ALTER DEFAULT PRIVILEGES ON {action['objtype'].removeprefix('OBJECT_')}S")
    object_type, kind = KINDS[action["objtype"]]
    if kind == "n" and "schemas" in options:
        message = "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS"
        raise SqlError(sqlstate.INVALID_GRANT_OPERATION, message)
    grantees = grantee_names(execution, action)
    letters = privilege_letters([item["AccessPriv"] for item in action.get("privileges", ())], kind, any_relation=False)
    specs = [item["RoleSpec"] for item in options["roles"]] if "roles" in options else [{"roletype": "ROLESPEC_CURRENT_USER"}]
    roles = [role_oid(execution, spec) for spec in specs]
    namespaces = [namespace_oid(execution, name) for name in strings(options["schemas"])] if "schemas" in options else [0]
    for role in roles:
        for namespace in namespaces:
            _change(execution, role, namespace, object_type, kind, grantees, letters, action)
    return "ALTER DEFAULT PRIVILEGES"


def _change(
    execution: Execution,
    role: int,
    namespace: int,
    object_type: str,
    kind: str,
    grantees: list[str],
    letters: str,
    action: dict[str, Any],
) -> None:
    """Change one list (SetDefaultACL)."""
    name = role_name_of(execution, role)
    start = [] if namespace else acl.default(kind, name)
    where = {"defaclrole": role, "defaclnamespace": namespace, "defaclobjtype": object_type}
    found = execution.select("pg_default_acl", 0, "oid", "defaclacl", **where)
    items = [acl.parse(text) for text in json.loads(found[0][1])] if found else start
    items = changed_items(items, grantees, letters, name, action)
    texts = sorted_texts(execution, items)
    if set(texts) == {item.text() for item in start}:
        for oid, _ in found:
            execution.delete("pg_default_acl", oid, oid=oid)
            execution.delete("pg_depend", oid, classid=classes.PG_DEFAULT_ACL, objid=oid)
    elif found:
        execution.update("pg_default_acl", found[0][0], {"defaclacl": texts}, oid=found[0][0])
    else:
        oid = execution.new_oid()
        execution.insert("pg_default_acl", oid, oid=oid, **where, defaclacl=texts)
        if namespace:
            execution.depend(Address(classes.PG_DEFAULT_ACL, oid), Address(classes.PG_NAMESPACE, namespace), "a")

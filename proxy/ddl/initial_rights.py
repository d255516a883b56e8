"""The access control list that a new object starts with: what ALTER DEFAULT PRIVILEGES said, or none (get_user_default_acl)."""

import json
from collections.abc import Iterable

from proxy.ddl.execution import Execution
from proxy.pg_catalog import acl
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.object_names import role_oid as find_role

# objtype of a statement: pg_default_acl.defaclobjtype, the kind of list.
KINDS = {
    "OBJECT_TABLE": ("r", "r"),
    "OBJECT_SEQUENCE": ("S", "s"),
    "OBJECT_FUNCTION": ("f", "f"),
    "OBJECT_PROCEDURE": ("f", "f"),
    "OBJECT_ROUTINE": ("f", "f"),
    "OBJECT_TYPE": ("T", "T"),
    "OBJECT_SCHEMA": ("n", "n"),
}
_LISTS = dict(KINDS.values())


def role_name_of(execution: Execution, oid: int) -> str:
    """The name of a role that is known to exist."""
    row = record(execution.connection, "pg_authid", oid)
    return str(row["rolname"]) if row is not None else ""


def sorted_texts(execution: Execution, items: Iterable[acl.AclItem]) -> list[str]:
    """A list in the order of its grantees, PUBLIC first (aclitemsort)."""
    return [item.text() for item in sorted(items, key=lambda item: find_role(execution.connection, item.grantee) or 0)]


def initial_rights(execution: Execution, object_type: str, namespace: int, owner: int | None = None) -> list[str] | None:
    """The list that a new object of the owner starts with; None for what its kind has anyway (get_user_default_acl)."""
    owner = execution.owner if owner is None else owner
    rows = execution.select("pg_default_acl", 0, "defaclnamespace", "defaclacl", defaclrole=owner, defaclobjtype=object_type)
    lists = {schema: [acl.parse(text) for text in json.loads(texts)] for schema, texts in rows if schema in (0, namespace)}
    if not lists:
        return None
    start = acl.default(_LISTS[object_type], role_name_of(execution, owner))
    items = lists.get(0, start)
    for item in lists.get(namespace, []) if namespace else ():
        items = acl.merge(items, item)
    texts = sorted_texts(execution, items)
    return None if set(texts) == {item.text() for item in start} else texts

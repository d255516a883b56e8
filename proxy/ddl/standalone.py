"""DDL that PostgreSQL carries out in transactions of its own, so that it cannot stand in a block (PreventInTransactionBlock).

Here it runs in one transaction like all DDL: nobody reads an index that is being built. What is refused is refused as there.
"""

from typing import Any

_WHOLE = {"REINDEX_OBJECT_SCHEMA": "SCHEMA", "REINDEX_OBJECT_SYSTEM": "SYSTEM", "REINDEX_OBJECT_DATABASE": "DATABASE"}
_FALSE = ("false", "off", "0")


def standalone_command(node: str, tree: dict[str, Any]) -> str | None:
    """The name of a command that must not be in a transaction block; None for all others."""
    match node:
        case "IndexStmt" if tree.get("concurrent"):
            return "CREATE INDEX CONCURRENTLY"
        case "DropStmt" if tree.get("concurrent"):
            return "DROP INDEX CONCURRENTLY"
        case "ReindexStmt" if tree["kind"] in _WHOLE:
            return f"REINDEX {_WHOLE[tree['kind']]}"
        case "ReindexStmt" if is_concurrent(tree):
            return "REINDEX CONCURRENTLY"
    return None


def is_concurrent(tree: dict[str, Any]) -> bool:
    """Whether REINDEX has the option CONCURRENTLY."""
    for item in tree.get("params", ()):
        option = item["DefElem"]
        if option["defname"] == "concurrently":
            text = option.get("arg", {}).get("String", {}).get("sval", "true")
            return text.lower() not in _FALSE
    return False

"""Names: which schema and which relation a RangeVar means, the names that PostgreSQL makes up, the names in SQLite.

The grammar has already cut identifiers at 63 bytes. A relation is stored in SQLite under its own name when it is in
public, else as `schema.name`; where that name is taken (SQLite compares without case) a number is added.
"""

from collections.abc import Iterable
from typing import Any

from proxy.ddl.execution import Execution
from proxy.pg_catalog import rows
from proxy.pg_catalog.classes import PUBLIC_NAMESPACE, RELATION_KINDS
from proxy.pg_catalog.system import namespace_names
from proxy.pg_catalog.texts import quote_identifier
from translator import sqlstate
from translator.catalog import PG_CATALOG, Column, Relation
from translator.errors import SqlError

NAME_BYTES = 63  # NAMEDATALEN - 1


def strings(nodes: Iterable[dict[str, Any]]) -> list[str]:
    """The texts of a list of String nodes."""
    return [node["String"].get("sval", "") for node in nodes]


def quote(name: str) -> str:
    """An SQL identifier for SQLite."""
    return '"' + name.replace('"', '""') + '"'


# ---------------------------------------------------------------------- schemas


def namespace_oid(execution: Execution, name: str, location: int | None = None) -> int:
    """The OID of a schema that must exist (get_namespace_oid)."""
    oid = execution.catalog.namespace(name)
    if oid is None:
        raise SqlError(sqlstate.INVALID_SCHEMA_NAME, f'schema "{name}" does not exist', location=location)
    return oid


def creation_namespace(execution: Execution, schema: str | None, name: str, location: int | None = None) -> int:
    """The schema that a new object goes into (RangeVarGetCreationNamespace)."""
    if schema is not None:
        namespace = namespace_oid(execution, schema, location)
        if namespace in namespace_names():
            raise SqlError(
                sqlstate.INSUFFICIENT_PRIVILEGE,
                f'permission denied to create "{schema}.{name}"',
                detail="System catalog modifications are currently disallowed.",
            )
        return namespace
    for candidate in execution.settings.search_path:
        found = execution.catalog.namespace(execution.settings.user if candidate == "$user" else candidate)
        if found is not None and found != PG_CATALOG:
            return found
    raise SqlError(sqlstate.INVALID_SCHEMA_NAME, "no schema has been selected to create in", location=location)


def qualified(execution: Execution, relation: Relation) -> str:
    """A relation's name, with its schema where the search path does not find it (getRelationDescription)."""
    visible = find_in_path(execution, relation.name)
    name = quote_identifier(relation.name)
    if visible is not None and visible.oid == relation.oid:
        return name
    return f"{quote_identifier(relation.schema)}.{name}"


# ---------------------------------------------------------------------- relations


def find_in_path(execution: Execution, name: str) -> Relation | None:
    """The first relation of that name in the search path."""
    for namespace in execution.path:
        found = execution.catalog.relation(namespace, name)
        if found is not None:
            return found
    return None


def find_relation(execution: Execution, range_var: dict[str, Any]) -> Relation | None:
    """The relation that a RangeVar names, or None; an unknown schema is an error (RangeVarGetRelid)."""
    check_database(execution, range_var.get("catalogname"), range_var)
    schema = range_var.get("schemaname")
    if schema is None:
        return find_in_path(execution, range_var["relname"])
    return execution.catalog.relation(namespace_oid(execution, schema), range_var["relname"])


def open_relation(execution: Execution, range_var: dict[str, Any], location: int | None = None) -> Relation:
    """The relation that a RangeVar names. Raises 42P01."""
    found = find_relation(execution, range_var)
    if found is None:
        raise undefined_relation(range_var, location)
    return found


def find_column(relation: Relation | None, attnum: int) -> Column | None:
    """The column with that number, if there is one."""
    if relation is None:
        return None
    return next((column for column in relation.columns if column.attnum == attnum), None)


def column_named(relation: Relation, name: str) -> Column:
    """A column of a relation. Raises 42703."""
    for column in relation.columns:
        if column.name == name:
            return column
    raise SqlError(sqlstate.UNDEFINED_COLUMN, f'column "{name}" of relation "{relation.name}" does not exist')


def forbid_system(relation: Relation) -> None:
    """System catalogs are not for users to change."""
    if relation.namespace in namespace_names():
        raise SqlError(sqlstate.INSUFFICIENT_PRIVILEGE, f'permission denied: "{relation.name}" is a system catalog')


def undefined_relation(range_var: dict[str, Any], location: int | None = None) -> SqlError:
    """42P01, in the words of the grammar's name."""
    schema = range_var.get("schemaname")
    name = range_var["relname"] if schema is None else f"{schema}.{range_var['relname']}"
    return SqlError(sqlstate.UNDEFINED_TABLE, f'relation "{name}" does not exist', location=location)


def check_database(execution: Execution, name: str | None, range_var: dict[str, Any]) -> None:
    """A name may be qualified with the current database, with no other."""
    if name is not None and name != execution.settings.database:
        full = ".".join([name, range_var.get("schemaname", ""), range_var["relname"]])
        message = f'cross-database references are not implemented: "{full}"'
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message, location=range_var.get("location"))


def range_var_of(parts: list[str]) -> dict[str, Any]:
    """A list of names as a RangeVar (makeRangeVarFromNameList)."""
    if len(parts) > 3:
        message = f"improper relation name (too many dotted names): {'.'.join(parts)}"
        raise SqlError(sqlstate.SYNTAX_ERROR, message)
    names = ("relname", "schemaname", "catalogname")
    return dict(zip(names, reversed(parts), strict=False))


def wrong_kind(relation: Relation, wanted: str) -> SqlError:
    """42809 with the hint that names the right command (DropErrorMsgWrongType)."""
    article = "an" if wanted[0] in "aeiou" else "a"
    actual = RELATION_KINDS[relation.kind]
    command = "TYPE" if relation.kind == "c" else actual.upper()
    actual_article = "an" if command[0] in "AEIOU" else "a"
    return SqlError(
        sqlstate.WRONG_OBJECT_TYPE,
        f'"{relation.name}" is not {article} {wanted}',
        hint=f"Use DROP {command} to remove {actual_article} {command.lower()}.",
    )


# ---------------------------------------------------------------------- made-up names


def make_object_name(first: str, second: str | None, label: str | None) -> str:
    """first_second_label, of which the longer of the first two is cut until 63 bytes are enough (makeObjectName)."""
    room = NAME_BYTES - (len(label.encode()) + 1 if label else 0)
    left = first.encode()
    right = None if second is None else second.encode()
    if right is not None:
        room -= 1
    while len(left) + len(right or b"") > room:
        if right is None or len(left) > len(right):
            left = left[:-1]
        else:
            right = right[:-1]
    # A character must not be cut in the middle (pg_mbcliplen).
    parts = [left.decode(errors="ignore")]
    if right is not None:
        parts.append(right.decode(errors="ignore"))
    if label:
        parts.append(label)
    return "_".join(parts)


def choose_relation_name(
    execution: Execution, first: str, second: str | None, label: str, namespace: int, *, for_constraint: bool = False
) -> str:
    """A name that no relation of the schema has: t_a_idx, t_a_idx1, … (ChooseRelationName)."""
    number = 0
    while True:
        name = make_object_name(first, second, f"{label}{number}" if number else label)
        taken = execution.catalog.relation(namespace, name) is not None
        if not taken and not (for_constraint and constraint_exists(execution, namespace, name)):
            return name
        number += 1


def choose_constraint_name(
    execution: Execution, first: str, second: str | None, label: str, namespace: int, others: Iterable[str] = ()
) -> str:
    """A name that no constraint of the schema has (ChooseConstraintName)."""
    taken = set(others)
    number = 0
    while True:
        name = make_object_name(first, second, f"{label}{number}" if number else label)
        if name not in taken and not constraint_exists(execution, namespace, name):
            return name
        number += 1


def constraint_exists(execution: Execution, namespace: int, name: str) -> bool:
    """Whether a constraint of the schema has that name."""
    return bool(execution.select("pg_constraint", namespace, "1", conname=name, connamespace=namespace))


def key_name_part(columns: Iterable[str]) -> str:
    """a_b_c for a generated name, not longer than a name may be (ChooseIndexNameAddition)."""
    text = ""
    for column in columns:
        text = f"{text}_{column}" if text else column
        if len(text.encode()) > NAME_BYTES:
            break
    return text.encode()[:NAME_BYTES].decode(errors="ignore")


# ---------------------------------------------------------------------- names in SQLite


def choose_storage(execution: Execution, schema: str, namespace: int, name: str) -> str:
    """The SQLite name of a new table or index. `schema` is SQLite's: main or temp."""
    plain = namespace == PUBLIC_NAMESPACE and "." not in name and not name.lower().startswith("sqlite_")
    base = name if plain or schema == "temp" else f"{execution.catalog.namespace_name(namespace)}.{name}"
    if base.lower().startswith("sqlite_"):
        base = f"pg_temp.{name}"
    candidate, number = base, 0
    while _stored(execution, schema, candidate):
        number += 1
        candidate = f"{base}_{number}"
    return candidate


def _stored(execution: Execution, schema: str, name: str) -> bool:
    sql = f"SELECT 1 FROM {schema}.sqlite_schema WHERE name = ? COLLATE NOCASE"
    return execution.connection.execute(sql, (name,)).fetchone() is not None


def column_storage(name: str, taken: Iterable[str]) -> str:
    """The SQLite name of a new column."""
    used = {other.lower() for other in taken}
    candidate, number = name, 0
    while candidate.lower() in used:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def set_storage(execution: Execution, oid: int, storage: str | None, definition: str | None = None) -> None:
    """Keep what SQLite calls a relation, and a view's query."""
    sql = f'INSERT OR REPLACE INTO {rows.schema_of(oid)}."litephant.relation" VALUES (?, ?, ?)'
    execution.connection.execute(sql, (oid, storage, definition))


def stored_definition(execution: Execution, oid: int) -> str | None:
    """The text of a view's query."""
    sql = f'SELECT definition FROM {rows.schema_of(oid)}."litephant.relation" WHERE oid = ?'
    row = execution.connection.execute(sql, (oid,)).fetchone()
    return None if row is None else row[0]


def index_storage(execution: Execution, oid: int) -> str | None:
    """The SQLite index of a pg_class index; None for a primary key that is the rowid."""
    sql = f'SELECT storage FROM {rows.schema_of(oid)}."litephant.relation" WHERE oid = ?'
    row = execution.connection.execute(sql, (oid,)).fetchone()
    return None if row is None else row[0]

"""CREATE TYPE as enum or composite, and ALTER TYPE of enums (typecmds.c, pg_enum.c)."""

from typing import Any

from proxy.ddl import heap
from proxy.ddl.columns import ColumnReader, check_columns
from proxy.ddl.execution import Address, Execution
from proxy.ddl.initial_rights import initial_rights
from proxy.ddl.names import creation_namespace, find_column, namespace_oid, quote, strings
from proxy.pg_catalog import classes
from translator import sqlstate
from translator.analyze import typenames
from translator.errors import SqlError
from translator.rows import TypeRow

_ENUM_IN, _ENUM_OUT, _ENUM_RECV, _ENUM_SEND = 3506, 3507, 3532, 3533


def type_namespace(execution: Execution, names: list[str]) -> int:
    """The schema of a new type."""
    return creation_namespace(execution, names[-2] if len(names) > 1 else None, names[-1])


def refuse_existing(execution: Execution, namespace: int, name: str) -> None:
    """A type's name is not taken; an array type that has it makes room (moveArrayTypeName)."""
    found = execution.catalog.type_by_name(namespace, name)
    if found is None:
        return
    element = execution.catalog.type_by_oid(found.element) if found.element else None
    if element is None or element.array != found.oid:
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'type "{name}" already exists')
    other = heap.array_type_name(execution, name, namespace)
    execution.update("pg_type", found.oid, {"typname": other}, oid=found.oid)
    execution.changed()


def open_type(execution: Execution, names: list[str]) -> TypeRow:
    """The type of a name. Raises 42704."""
    if len(names) > 1:
        namespace_oid(execution, names[-2])
    row = typenames.lookup(execution.catalog, execution.path, names)
    if row is None:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'type "{".".join(names)}" does not exist')
    return row


# ---------------------------------------------------------------------- enums


def create_enum(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE TYPE … AS ENUM."""
    names = strings(statement["typeName"])
    namespace = type_namespace(execution, names)
    refuse_existing(execution, namespace, names[-1])
    oid, array = execution.new_oid(), execution.new_oid()
    execution.insert(
        "pg_type",
        oid,
        oid=oid,
        typname=names[-1],
        typnamespace=namespace,
        typowner=execution.owner,
        typacl=initial_rights(execution, "T", namespace),
        typlen=4,
        typbyval=True,
        typtype="e",
        typcategory="E",
        typarray=array,
        typinput=_ENUM_IN,
        typoutput=_ENUM_OUT,
        typreceive=_ENUM_RECV,
        typsend=_ENUM_SEND,
    )
    heap.insert_array_type(execution, array, oid, names[-1], namespace, "i")
    execution.depend(Address(classes.PG_TYPE, oid), Address(classes.PG_NAMESPACE, namespace))
    seen: set[str] = set()
    for number, label in enumerate(strings(statement.get("vals", ())), 1):
        _check_label(label)
        if label in seen:
            raise SqlError(
                sqlstate.UNIQUE_VIOLATION,
                'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
                detail=f"Key (enumtypid, enumlabel)=({oid}, {label}) already exists.",
                schema="pg_catalog",
                table="pg_enum",
                constraint="pg_enum_typid_label_index",
            )
        seen.add(label)
        _insert_label(execution, oid, number, label)
    execution.changed()
    return "CREATE TYPE"


def _check_label(label: str) -> None:
    if len(label.encode()) > 63:
        raise SqlError(sqlstate.INVALID_NAME, f'invalid enum label "{label}"', detail="Labels must be 63 bytes or less.")


def _insert_label(execution: Execution, oid: int, place: float, label: str) -> None:
    execution.insert("pg_enum", oid, oid=execution.new_oid(), enumtypid=oid, enumsortorder=place, enumlabel=label)


def alter_enum(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER TYPE … ADD VALUE and RENAME VALUE."""
    row = open_type(execution, strings(statement["typeName"]))
    if row.kind != "e":
        name = typenames.display(execution.catalog, row.oid)
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f"{name} is not an enum")
    labels = dict(execution.select("pg_enum", row.oid, "enumlabel", "enumsortorder", enumtypid=row.oid))
    if "oldVal" in statement:
        _rename_value(execution, row.oid, labels, statement["oldVal"], statement["newVal"])
    else:
        _add_value(execution, row.oid, labels, statement)
    execution.changed()
    return "ALTER TYPE"


def _rename_value(execution: Execution, oid: int, labels: dict[str, float], old: str, new: str) -> None:
    _check_label(new)
    if old not in labels:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'"{old}" is not an existing enum label')
    if new in labels:
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'enum label "{new}" already exists')
    execution.update("pg_enum", oid, {"enumlabel": new}, enumtypid=oid, enumlabel=old)
    _rename_stored(execution, oid, old, new)


def _rename_stored(execution: Execution, oid: int, old: str, new: str) -> None:
    """Values are stored as labels, so a new label has to reach every column of the type, whichever refers to which."""
    with execution.connection.deferred_foreign_keys():
        for relation_oid, attnum in execution.select("pg_attribute", oid, "attrelid", "attnum", atttypid=oid):
            relation = execution.catalog.relation_by_oid(relation_oid)
            column = find_column(relation, attnum)
            if relation is not None and column is not None and relation.kind in "rm":
                name, table = quote(column.storage_name), f"{relation.where}.{quote(relation.storage)}"
                execution.connection.execute(f"UPDATE {table} SET {name} = ? WHERE {name} = ?", (new, old))


def _add_value(execution: Execution, oid: int, labels: dict[str, float], statement: dict[str, Any]) -> None:
    label = statement["newVal"]
    _check_label(label)
    if label in labels:
        message = f'enum label "{label}" already exists'
        if statement.get("skipIfNewValExists"):
            execution.note(f"{message}, skipping", sqlstate.DUPLICATE_OBJECT)
            return
        raise SqlError(sqlstate.DUPLICATE_OBJECT, message)
    places = sorted(labels.values())
    neighbor = statement.get("newValNeighbor")
    if neighbor is None:
        place = places[-1] + 1 if places else 1.0
    elif neighbor not in labels:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'"{neighbor}" is not an existing enum label')
    else:
        place = _between(places, places.index(labels[neighbor]), after=bool(statement.get("newValIsAfter")))
    _insert_label(execution, oid, place, label)


def _between(places: list[float], index: int, *, after: bool) -> float:
    """A sort position next to an existing one (AddEnumLabel)."""
    other = index + 1 if after else index - 1
    if other < 0:
        return places[0] - 1
    if other >= len(places):
        return places[-1] + 1
    return (places[index] + places[other]) / 2


# ---------------------------------------------------------------------- composite types


def create_composite(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE TYPE … AS (name type, …)."""
    range_var = statement["typevar"]
    name = range_var["relname"]
    namespace = creation_namespace(execution, range_var.get("schemaname"), name)
    if execution.catalog.relation(namespace, name) is not None and execution.catalog.type_by_name(namespace, name) is None:
        raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{name}" already exists')
    refuse_existing(execution, namespace, name)
    reader = ColumnReader(execution, name)
    columns = [reader.read(item["ColumnDef"]) for item in statement.get("coldeflist", ())]
    check_columns(execution, columns, "c")
    heap.create_relation(execution, name, namespace, "c", columns)
    return "CREATE TYPE"

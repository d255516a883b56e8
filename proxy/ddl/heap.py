"""Rows of a new relation: pg_class, pg_attribute, its row type and array type (heap_create_with_catalog, heap.c)."""

from collections.abc import Sequence

from proxy.ddl.columns import ColumnSpec
from proxy.ddl.execution import Address, Execution
from proxy.ddl.initial_rights import initial_rights
from proxy.ddl.names import choose_storage, column_storage, make_object_name, set_storage
from proxy.pg_catalog import classes, types
from proxy.pg_catalog.rows import schema_of

_SYSTEM_ATTRIBUTES = (  # name, type, number: SystemAttributeDefinition's order
    ("tableoid", 26, -6),
    ("cmax", 29, -5),
    ("xmax", 28, -4),
    ("cmin", 29, -3),
    ("xmin", 28, -2),
    ("ctid", 27, -1),
)
_WITH_SYSTEM_COLUMNS = "rmSpf"
_WITH_STORAGE = "rm"
_ARRAY_IN, _ARRAY_OUT, _ARRAY_RECV, _ARRAY_SEND = 750, 751, 2400, 2401
_RECORD_IN, _RECORD_OUT, _RECORD_RECV, _RECORD_SEND = 2290, 2291, 2402, 2403
_ARRAY_TYPANALYZE, _ARRAY_SUBSCRIPT_HANDLER = 3816, 6179


def create_relation(
    execution: Execution,
    name: str,
    namespace: int,
    kind: str,
    columns: Sequence[ColumnSpec],
    *,
    persistence: str = "p",
    definition: str | None = None,
) -> int:
    """Write the rows of a table, view, sequence or composite type; returns its OID. The SQLite side is the caller's."""
    schema = "temp" if persistence == "t" else "main"
    oid = execution.new_oid(schema)
    if execution.session is not None:
        execution.session.on_commit.pop(oid, None)  # of a table that was rolled back
    row_type = 0 if kind == "S" else _create_row_type(execution, name, namespace, oid, kind)
    _insert_class(execution, oid, name, namespace, kind, len(columns), persistence, row_type)
    if kind in _WITH_SYSTEM_COLUMNS:
        _insert_system_attributes(execution, oid)
    taken: list[str] = []
    for number, column in enumerate(columns, 1):
        column.storage = column_storage(column.name, taken)
        taken.append(column.storage)
        insert_attribute(execution, oid, number, column)
    storage = choose_storage(execution, schema, namespace, name) if kind in _WITH_STORAGE else None
    set_storage(execution, oid, storage, definition)
    if kind == "c":
        execution.depend(Address(classes.PG_CLASS, oid), Address(classes.PG_TYPE, row_type), "i")
    else:
        execution.depend(Address(classes.PG_CLASS, oid), Address(classes.PG_NAMESPACE, namespace))
    execution.changed()
    return oid


def _insert_class(
    execution: Execution, oid: int, name: str, namespace: int, kind: str, natts: int, persistence: str, row_type: int
) -> None:
    stored = kind in _WITH_STORAGE
    execution.insert(
        "pg_class",
        oid,
        oid=oid,
        relname=name,
        relnamespace=namespace,
        reltype=row_type,
        relowner=execution.owner,
        relacl=initial_rights(execution, "S" if kind == "S" else "r", namespace) if kind in "rvmS" else None,
        relam=classes.HEAP if stored else 0,
        relfilenode=oid if stored or kind == "S" else 0,
        relpages=1 if kind == "S" else 0,
        reltuples=1 if kind == "S" else -1,
        relpersistence=persistence,
        relkind=kind,
        relnatts=natts,
        relhasrules=kind in "vm",
        relreplident="d" if stored else "n",
    )


def insert_attribute(execution: Execution, relation: int, number: int, column: ColumnSpec) -> None:
    """Write the pg_attribute row of a column, its SQLite name, and what it depends on."""
    facts = types.physical(execution.connection, column.type_oid)
    execution.insert(
        "pg_attribute",
        relation,
        attrelid=relation,
        attname=column.name,
        atttypid=column.type_oid,
        attlen=facts.length,
        attnum=number,
        atttypmod=column.typmod,
        attndims=column.dimensions,
        attbyval=facts.by_value,
        attalign=facts.alignment,
        attstorage=facts.storage,
        attnotnull=column.not_null,
        atthasdef=False,
        attidentity=column.identity,
        attgenerated=column.generated,
        attcollation=column.collation,
    )
    if column.storage and column.storage != column.name:
        sql = f'INSERT OR REPLACE INTO {schema_of(relation)}."litephant.attribute" VALUES (?, ?, ?, 0)'
        execution.connection.execute(sql, (relation, number, column.storage))
    address = Address(classes.PG_CLASS, relation, number)
    execution.depend(address, Address(classes.PG_TYPE, column.type_oid))
    if column.collation not in (0, 100):
        execution.depend(address, Address(classes.PG_COLLATION, column.collation))


def _insert_system_attributes(execution: Execution, relation: int) -> None:
    for name, type_oid, number in _SYSTEM_ATTRIBUTES:
        facts = types.physical(execution.connection, type_oid)
        execution.insert(
            "pg_attribute",
            relation,
            attrelid=relation,
            attname=name,
            atttypid=type_oid,
            attlen=facts.length,
            attnum=number,
            attbyval=facts.by_value,
            attalign=facts.alignment,
            attstorage=facts.storage,
            attnotnull=True,
        )


def _create_row_type(execution: Execution, name: str, namespace: int, relation: int, kind: str) -> int:
    schema = schema_of(relation)
    row_type, array_type = execution.new_oid(schema), execution.new_oid(schema)
    execution.insert(
        "pg_type",
        row_type,
        oid=row_type,
        typname=name,
        typnamespace=namespace,
        typowner=execution.owner,
        typacl=initial_rights(execution, "T", namespace) if kind == "c" else None,
        typtype="c",
        typcategory="C",
        typrelid=relation,
        typarray=array_type,
        typinput=_RECORD_IN,
        typoutput=_RECORD_OUT,
        typreceive=_RECORD_RECV,
        typsend=_RECORD_SEND,
        typalign="d",
        typstorage="x",
    )
    insert_array_type(execution, array_type, row_type, name, namespace, "d")
    address = Address(classes.PG_TYPE, row_type)
    if kind == "c":
        execution.depend(address, Address(classes.PG_NAMESPACE, namespace))
    else:
        execution.depend(address, Address(classes.PG_CLASS, relation), "i")
    return row_type


def insert_array_type(
    execution: Execution, oid: int, element: int, name: str, namespace: int, alignment: str, delimiter: str = ","
) -> None:
    """Write the row of the array type over a new type."""
    execution.insert(
        "pg_type",
        oid,
        oid=oid,
        typname=array_type_name(execution, name, namespace),
        typnamespace=namespace,
        typowner=execution.owner,
        typcategory="A",
        typdelim=delimiter,
        typsubscript=_ARRAY_SUBSCRIPT_HANDLER,
        typelem=element,
        typinput=_ARRAY_IN,
        typoutput=_ARRAY_OUT,
        typreceive=_ARRAY_RECV,
        typsend=_ARRAY_SEND,
        typanalyze=_ARRAY_TYPANALYZE,
        typalign="d" if alignment == "d" else "i",
        typstorage="x",
    )
    execution.depend(Address(classes.PG_TYPE, oid), Address(classes.PG_TYPE, element), "i")


def array_type_name(execution: Execution, name: str, namespace: int) -> str:
    """_name, _name_1, … : the first that no type has (makeArrayTypeName)."""
    number = 0
    while True:
        candidate = make_object_name("", name, str(number) if number else None)
        if execution.catalog.type_by_name(namespace, candidate) is None:
            return candidate
        number += 1

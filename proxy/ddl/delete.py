"""Removing objects whose dependents are removed with them: their catalog rows and their SQLite side (doDeletion)."""

from proxy.ddl import rebuild, sequence, sqlite_schema, verify
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import index_storage, quote
from proxy.pg_catalog import classes
from proxy.pg_catalog.rows import schema_of

_TABLES = "rm"


def delete_objects(execution: Execution, addresses: list[Address]) -> None:
    """Remove objects, which come in an order in which none is needed by a later one."""
    dropped = {address.oid for address in addresses if address.catalog == classes.PG_CLASS and not address.column}
    tables = [execution.relation(oid) for oid in dropped if _kind(execution, oid) in _TABLES]
    for table in tables:
        verify.not_in_use(execution, table, "DROP TABLE")
    _detach_children(execution, addresses, {table.oid for table in tables})
    altered: dict[int, None] = {}
    for address in addresses:
        if address.column and address.oid in dropped:
            forget(execution, address)
            continue
        _delete(execution, address, dropped, altered)
    execution.changed()
    for table in tables:
        execution.connection.execute(f"DROP TABLE {table.where}.{quote(table.storage)}")
    for oid in altered:
        if oid not in dropped:
            rebuild.synchronize(execution, execution.relation(oid))
    execution.changed()


def _kind(execution: Execution, oid: int) -> str:
    found = execution.select("pg_class", oid, "relkind", oid=oid)
    return str(found[0][0]) if found else ""


def _detach_children(execution: Execution, addresses: list[Address], tables: set[int]) -> None:
    """Take foreign keys that refer to a dropped table out of SQLite first: dropping a parent acts on its children."""
    children: dict[int, None] = {}
    for address in addresses:
        if address.catalog != classes.PG_CONSTRAINT:
            continue
        row = execution.record("pg_constraint", address.oid, oid=address.oid)
        if row["contype"] == "f" and row["confrelid"] in tables and row["conrelid"] != row["confrelid"]:
            execution.delete("pg_constraint", address.oid, oid=address.oid)
            children[row["conrelid"]] = None
    execution.changed()
    for oid in children:
        sqlite_schema.rewrite_table(execution, execution.relation(oid))


def _delete(execution: Execution, address: Address, dropped: set[int], altered: dict[int, None]) -> None:
    match address.catalog:
        case classes.PG_CLASS if address.column:
            from proxy.ddl import drop_column

            drop_column.drop_column(execution, execution.relation(address.oid), address.column)
        case classes.PG_CLASS:
            _delete_relation(execution, address.oid, dropped)
        case classes.PG_CONSTRAINT:
            _delete_constraint(execution, address.oid, dropped, altered)
        case classes.PG_ATTRDEF:
            _delete_default(execution, address.oid, dropped, altered)
        case classes.PG_TYPE:
            execution.delete("pg_enum", address.oid, enumtypid=address.oid)
            execution.delete("pg_range", address.oid, rngtypid=address.oid)
            execution.delete("pg_type", address.oid, oid=address.oid)
        case _:
            execution.delete(_CATALOG_NAMES[address.catalog], address.oid, oid=address.oid)
    forget(execution, address)


_CATALOG_NAMES = {
    classes.PG_REWRITE: "pg_rewrite",
    classes.PG_PROC: "pg_proc",
    classes.PG_NAMESPACE: "pg_namespace",
    classes.PG_TRIGGER: "pg_trigger",
    classes.PG_EXTENSION: "pg_extension",
    classes.PG_CAST: "pg_cast",
    classes.PG_OPERATOR: "pg_operator",
    classes.PG_COLLATION: "pg_collation",
    classes.PG_DEFAULT_ACL: "pg_default_acl",
}


def forget(execution: Execution, address: Address) -> None:
    """Delete an object's dependencies and comments (those of its columns too, when it is the whole object)."""
    part = {"objsubid": address.column} if address.column else {}
    execution.delete("pg_depend", address.oid, classid=address.catalog, objid=address.oid, **part)
    refpart = {"refobjsubid": address.column} if address.column else {}
    execution.delete("pg_depend", address.oid, refclassid=address.catalog, refobjid=address.oid, **refpart)
    execution.delete("pg_description", address.oid, classoid=address.catalog, objoid=address.oid, **part)
    execution.changed()


def _delete_relation(execution: Execution, oid: int, dropped: set[int]) -> None:
    kind = _kind(execution, oid)
    if kind == "i":
        _drop_index(execution, oid, dropped)
    if kind == "S":
        execution.delete("pg_sequence", oid, seqrelid=oid)
        execution.connection.execute(f'DELETE FROM {schema_of(oid)}."litephant.sequence" WHERE oid = ?', (oid,))
        sequence.forget_value(execution, oid)
    execution.delete("pg_attribute", oid, attrelid=oid)
    execution.delete("pg_class", oid, oid=oid)
    schema = schema_of(oid)
    execution.connection.execute(f'DELETE FROM {schema}."litephant.relation" WHERE oid = ?', (oid,))
    execution.connection.execute(f'DELETE FROM {schema}."litephant.attribute" WHERE relid = ?', (oid,))


def _drop_index(execution: Execution, oid: int, dropped: set[int]) -> None:
    row = execution.record("pg_index", oid, indexrelid=oid)
    storage = index_storage(execution, oid)
    execution.delete("pg_index", oid, indexrelid=oid)
    if row["indrelid"] in dropped:
        return
    schema = schema_of(oid)
    if storage is not None:
        execution.connection.execute(f"DROP INDEX IF EXISTS {schema}.{quote(storage)}")
    execution.connection.execute(f"DROP INDEX IF EXISTS {schema}.{quote(f'litephant.parent.{oid}')}")


def _delete_constraint(execution: Execution, oid: int, dropped: set[int], altered: dict[int, None]) -> None:
    rows = execution.select("pg_constraint", oid, "conrelid", "contype", "conkey", "conindid", oid=oid)
    execution.delete("pg_constraint", oid, oid=oid)
    execution.connection.execute(f'DELETE FROM {schema_of(oid)}."litephant.unenforced" WHERE oid = ?', (oid,))
    if not rows:  # detached already
        return
    relation, kind, key, _ = rows[0]
    if relation == 0 or relation in dropped:
        return
    if kind == "n":
        import json

        (attnum,) = json.loads(key)
        execution.update("pg_attribute", relation, {"attnotnull": False}, attrelid=relation, attnum=attnum)
    if kind == "c":
        count = len(execution.select("pg_constraint", relation, "1", conrelid=relation, contype="c"))
        execution.update("pg_class", relation, {"relchecks": count}, oid=relation)
    altered[relation] = None


def _delete_default(execution: Execution, oid: int, dropped: set[int], altered: dict[int, None]) -> None:
    rows = execution.select("pg_attrdef", oid, "adrelid", "adnum", oid=oid)
    execution.delete("pg_attrdef", oid, oid=oid)
    for relation, attnum in rows:
        if relation not in dropped:
            execution.update("pg_attribute", relation, {"atthasdef": False}, attrelid=relation, attnum=attnum)

"""ALTER TABLE … ADD COLUMN, DROP COLUMN, SET and DROP EXPRESSION."""

from typing import Any

from proxy.ddl import defaults, heap, like, rebuild, sequence, sqlite_schema
from proxy.ddl.columns import ColumnReader, ColumnSpec, check_columns
from proxy.ddl.dependency import perform_deletion
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import column_named, column_storage, find_column, quote
from proxy.pg_catalog import classes
from translator import sqlstate
from translator.analyze import typenames
from translator.catalog import Column, Relation
from translator.compiler import Expression
from translator.errors import SqlError


def add_column(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """ADD COLUMN [IF NOT EXISTS]."""
    from proxy.ddl.alter import enforce
    from proxy.ddl.table import add_constraints, make_column_sequence

    node = command["def"]["ColumnDef"]
    reader = ColumnReader(execution, relation.name)
    spec = reader.read(node)
    check_columns(execution, [spec], relation.kind)
    if any(column.name == spec.name for column in relation.columns):
        message = f'column "{spec.name}" of relation "{relation.name}" already exists'
        if not command.get("missing_ok"):
            raise SqlError(sqlstate.DUPLICATE_COLUMN, message)
        execution.note(f"{message}, skipping", sqlstate.DUPLICATE_COLUMN)
        return
    if relation.kind == "c":
        refuse_used_type(execution, relation)
    if any(each.kind == "p" for each in reader.constraints) and any(each.kind == "p" for each in relation.constraints):
        message = f'multiple primary keys for table "{relation.name}" are not allowed'
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
    made = None
    if spec.serial or spec.identity:
        made = make_column_sequence(execution, relation.name, relation.namespace, relation.persistence, spec)
    attnum = _insert(execution, relation, spec)
    if made is not None:
        sequence.link(execution, made, relation.oid, attnum, "a" if spec.serial else "i")
    if relation.kind == "c":
        return
    compiled = _default(execution, relation, attnum, spec, made)
    before = execution.relation(relation.oid)
    _store(execution, before, attnum, compiled)
    add_constraints(execution, relation.oid, [spec] if spec.not_null else [], reader.constraints)
    enforce(execution, before)


def _insert(execution: Execution, relation: Relation, spec: ColumnSpec) -> int:
    attnum = int(execution.record("pg_class", relation.oid, oid=relation.oid)["relnatts"]) + 1
    spec.storage = column_storage(spec.name, (column.storage_name for column in relation.columns))
    not_null, spec.not_null = spec.not_null, False  # its constraint comes when the column has values
    heap.insert_attribute(execution, relation.oid, attnum, spec)
    spec.not_null = not_null
    execution.update("pg_class", relation.oid, {"relnatts": attnum}, oid=relation.oid)
    execution.changed()
    return attnum


def _default(execution: Execution, relation: Relation, attnum: int, spec: ColumnSpec, made: int | None) -> Expression | None:
    now = execution.relation(relation.oid)
    if made is not None:
        compiled = defaults.compile_default(execution, now, attnum, like.nextval_node(made))
        if spec.serial:
            defaults.add_default(execution, now, attnum, like.nextval_node(made))
        return compiled
    if spec.default is not None:
        return defaults.add_default(execution, now, attnum, spec.default)
    row = execution.catalog.type(spec.type_oid)
    if row.kind == "d":
        return _domain_default(execution, now, attnum, spec)
    return None


def _domain_default(execution: Execution, relation: Relation, attnum: int, spec: ColumnSpec) -> Expression | None:
    from proxy.ddl.expressions import parse_expression

    text = execution.record("pg_type", spec.type_oid, oid=spec.type_oid)["typdefaultbin"]
    return None if text is None else defaults.compile_default(execution, relation, attnum, parse_expression(text))


def _store(execution: Execution, relation: Relation, attnum: int, compiled: Expression | None) -> None:
    """Add the SQLite column, with the default in the rows that exist."""
    column = next(each for each in relation.columns if each.attnum == attnum)
    if column.computed and column.generated == "s":
        rebuild.rebuild(execution, relation)
        return
    table = f"{relation.where}.{quote(relation.storage)}"
    kind = sqlite_schema.storage_type(execution.catalog, column.type_oid, column.typmod)
    if len(relation.columns) == 1:  # the first one takes the place of the stand-in
        rebuild.rebuild(execution, relation)
    else:
        execution.connection.execute(f"ALTER TABLE {table} ADD COLUMN {quote(column.storage_name)} {kind}")
    if compiled is not None and not column.computed and column.generated != "v":
        set_all(execution, relation, column, compiled)


def set_all(execution: Execution, relation: Relation, column: Column, compiled: Expression) -> None:
    """Give a column the value of an expression in every row."""
    execution.connection.require(compiled.functions)
    table = f"{relation.where}.{quote(relation.storage)}"
    execution.connection.execute(f"UPDATE {table} SET {quote(column.storage_name)} = {compiled.sql}", ())


def drop_column(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """DROP COLUMN [IF EXISTS] [CASCADE]."""
    name = command["name"]
    column = next((each for each in relation.columns if each.name == name), None)
    if column is None:
        message = f'column "{name}" of relation "{relation.name}" does not exist'
        if not command.get("missing_ok"):
            raise SqlError(sqlstate.UNDEFINED_COLUMN, message)
        execution.note(f"{message}, skipping")
        return
    if relation.kind == "c":
        refuse_used_type(execution, relation)
    address = Address(classes.PG_CLASS, relation.oid, column.attnum)
    perform_deletion(execution, [address], cascade=command.get("behavior") == "DROP_CASCADE")


def refuse_used_type(execution: Execution, relation: Relation) -> None:
    """Stored values of a composite type have the fields it had then (find_composite_type_dependencies)."""
    for table, attnum in execution.select("pg_attribute", relation.oid, "attrelid", "attnum", atttypid=relation.row_type):
        user = execution.catalog.relation_by_oid(table)
        column = find_column(user, attnum)
        if user is not None and column is not None and user.kind in "rm":
            shown = typenames.display(execution.catalog, relation.row_type)
            message = f'cannot alter type "{shown}" because column "{user.name}.{column.name}" uses it'
            raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)


def drop_expression(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """DROP EXPRESSION: the column keeps its values and becomes an ordinary one."""
    column = column_named(relation, command["name"])
    message = f'column "{column.name}" of relation "{relation.name}" is not a generated column'
    if not column.generated:
        if not command.get("missing_ok"):
            raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        execution.note(f"{message}, skipping")
        return
    if column.generated == "v":
        raise SqlError(
            sqlstate.FEATURE_NOT_SUPPORTED,
            "ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns",
            detail=f'Column "{column.name}" of relation "{relation.name}" is a virtual generated column.',
        )
    defaults.drop_default(execution, relation, column.attnum)
    execution.update("pg_attribute", relation.oid, {"attgenerated": ""}, attrelid=relation.oid, attnum=column.attnum)
    defaults.forget_computed(execution, relation, column.attnum)
    execution.changed()
    sqlite_schema.rewrite_table(execution, execution.relation(relation.oid))


def set_expression(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """SET EXPRESSION AS (…): the stored values are computed again."""
    column = column_named(relation, command["name"])
    if not column.generated:
        message = f'column "{column.name}" of relation "{relation.name}" is not a generated column'
        raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    defaults.drop_default(execution, relation, column.attnum)
    defaults.forget_computed(execution, relation, column.attnum)
    execution.changed()
    now = execution.relation(relation.oid)
    compiled = defaults.add_default(execution, now, column.attnum, command["def"])
    now = execution.relation(relation.oid)
    if column.generated == "s" and column.computed:
        rebuild.rebuild(execution, now)
    else:
        sqlite_schema.rewrite_table(execution, now)
        fresh = next(each for each in now.columns if each.attnum == column.attnum)
        if column.generated == "s" and not fresh.computed and compiled is not None:
            from proxy.ddl.alter_type import assign_rows

            assign_rows(execution, now, fresh, compiled)

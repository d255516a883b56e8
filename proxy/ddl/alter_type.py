"""ALTER TABLE … ALTER COLUMN … TYPE: convert what is stored, and describe it anew (ATExecAlterColumnType).

The conversion is an UPDATE in place, under a text of the table that has the new type and no constraint. Nothing is moved, so
a table that others refer to keeps its rows; constraints and indexes are checked and built again behind it.
"""

import json
from typing import Any

from proxy.ddl import defaults, rebuild, sqlite_schema, verify
from proxy.ddl.columns import check_column_type, check_identity_type, column_collation
from proxy.ddl.constraints import foreign_keys_over, renew_foreign_keys
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import freeze, parse_expression, recompile
from proxy.ddl.index import KeyColumn, operator_class
from proxy.ddl.names import choose_storage, column_named, index_storage, quote, set_storage
from proxy.pg_catalog import classes, types
from proxy.pg_catalog.rows import schema_of
from translator import compiler, sqlstate
from translator.analyze import typenames
from translator.catalog import Column, Relation
from translator.compiler import Expression
from translator.errors import SqlError
from translator.quoting import quote_identifier


def alter_column_type(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """ALTER COLUMN name TYPE type [COLLATE …] [USING expression]."""
    from proxy.ddl.alter_column import refuse_used_type

    column = column_named(relation, command["name"])
    node = command["def"]["ColumnDef"]
    type_oid, typmod = typenames.resolve(execution.catalog, execution.path, node["typeName"])
    collation = column_collation(execution, type_oid, node.get("collClause"))
    check_column_type(execution, column.name, type_oid)
    if relation.kind == "c":
        refuse_used_type(execution, relation)
        _describe(execution, relation, column, type_oid, typmod, collation)
        return
    _refuse_readers(execution, relation, column)
    if column.identity:
        _change_identity_type(execution, relation, column, type_oid)
    if column.generated and node.get("raw_default"):
        message = "cannot specify USING when altering type of generated column"
        raise SqlError(sqlstate.INVALID_COLUMN_DEFINITION, message, detail=f'Column "{column.name}" is a generated column.')
    conversion = _conversion(execution, relation, column, (type_oid, typmod), node.get("raw_default"))
    default = _new_default(execution, column, (type_oid, typmod))
    if node.get("raw_default") or not sqlite_schema.is_integer(type_oid):
        relation = _leave_rowid(execution, relation, column)
    _describe(execution, relation, column, type_oid, typmod, collation)
    _renew_checks(execution, relation)
    _renew_indexes(execution, relation, column)
    renew_foreign_keys(execution, relation, column.attnum)
    _convert(execution, relation, column, conversion)
    if default is not None:
        defaults.drop_default(execution, execution.relation(relation.oid), column.attnum)
        defaults.add_default(execution, execution.relation(relation.oid), column.attnum, default)
        sqlite_schema.rewrite_table(execution, execution.relation(relation.oid))


def _change_identity_type(execution: Execution, relation: Relation, column: Column, type_oid: int) -> None:
    """The sequence of an identity column counts in the column's type (transformAlterTableStmt)."""
    from proxy.ddl.sequence import change_sequence, owned_sequence

    check_identity_type(type_oid)
    sequence = owned_sequence(execution, relation.oid, column.attnum, "i")
    if sequence is not None:
        names = [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": execution.catalog.type(type_oid).name}}]
        option = {"DefElem": {"defname": "as", "arg": {"TypeName": {"names": names, "typemod": -1}}}}
        change_sequence(execution, execution.relation(sequence), [option])


def _refuse_readers(execution: Execution, relation: Relation, column: Column) -> None:
    where = {"refclassid": classes.PG_CLASS, "refobjid": relation.oid, "refobjsubid": column.attnum}
    for classid, objid in execution.select("pg_depend", relation.oid, "classid", "objid", **where):
        if classid == classes.PG_REWRITE:
            from proxy.ddl.dependency import describer_of

            raise SqlError(
                sqlstate.FEATURE_NOT_SUPPORTED,
                "cannot alter type of a column used by a view or rule",
                detail=f'{describer_of(execution).describe(classid, objid)} depends on column "{column.name}"',
            )
        if classid == classes.PG_ATTRDEF:
            number = execution.record("pg_attrdef", relation.oid, oid=objid)["adnum"]
            if number != column.attnum:
                other = next(each for each in relation.columns if each.attnum == number)
                raise SqlError(
                    sqlstate.FEATURE_NOT_SUPPORTED,
                    "cannot alter type of a column used by a generated column",
                    detail=f'Column "{column.name}" is used by generated column "{other.name}".',
                )


def _conversion(execution: Execution, relation: Relation, column: Column, target: tuple[int, int], using: Any) -> Expression:
    reference = {"ColumnRef": {"fields": [{"String": {"sval": column.name}}]}}
    try:
        return compiler.compile_expression(
            reference if using is None else using,
            execution.catalog,
            execution.settings,
            relation=relation,
            target=target,
            clause="USING",
        )
    except SqlError as error:
        if error.sqlstate != sqlstate.DATATYPE_MISMATCH:
            raise
        shown = typenames.display(execution.catalog, *target)
        if using is None:
            name = quote_identifier(column.name)
            raise SqlError(
                sqlstate.DATATYPE_MISMATCH,
                f'column "{column.name}" cannot be cast automatically to type {typenames.display(execution.catalog, target[0])}',
                hint=f'You might need to specify "USING {name}::{shown}".',
            ) from None
        raise SqlError(
            sqlstate.DATATYPE_MISMATCH,
            f'result of USING clause for column "{column.name}" cannot be cast automatically to type '
            f"{typenames.display(execution.catalog, target[0])}",
            hint="You might need to add an explicit cast.",
        ) from None


def _new_default(execution: Execution, column: Column, target: tuple[int, int]) -> Any:
    """The default, if it can be one of the new type."""
    if column.default is None or column.generated:
        return None
    node = parse_expression(column.default)
    try:
        compiler.compile_expression(node, execution.catalog, execution.settings, target=target, clause="DEFAULT")
    except SqlError as error:
        if error.sqlstate != sqlstate.DATATYPE_MISMATCH:
            raise
        shown = typenames.display(execution.catalog, target[0])
        message = f'default for column "{column.name}" cannot be cast automatically to type {shown}'
        raise SqlError(sqlstate.DATATYPE_MISMATCH, message) from None
    return node


def _leave_rowid(execution: Execution, relation: Relation, column: Column) -> Relation:
    """A primary key that was SQLite's rowid gets an index, and its values a place in the row."""
    if sqlite_schema.rowid_alias(execution, relation) is not column:
        return relation
    primary = next(each for each in relation.constraints if each.kind == "p")
    schema = schema_of(relation.oid)
    storage = choose_storage(execution, schema, relation.namespace, primary.name)
    set_storage(execution, primary.index, storage)
    execution.changed()
    relation = execution.relation(relation.oid)
    rebuild.rebuild(execution, relation)
    return relation


def _describe(execution: Execution, relation: Relation, column: Column, type_oid: int, typmod: int, collation: int) -> None:
    facts = types.physical(execution.connection, type_oid)
    changes = {
        "atttypid": type_oid,
        "atttypmod": typmod,
        "attcollation": collation,
        "attlen": facts.length,
        "attbyval": facts.by_value,
        "attalign": facts.alignment,
        "attstorage": facts.storage,
    }
    where = {"attrelid": relation.oid, "attnum": column.attnum}
    execution.update("pg_attribute", relation.oid, changes, **where)
    old = {"classid": classes.PG_CLASS, "objid": relation.oid, "objsubid": column.attnum, "refclassid": classes.PG_TYPE}
    execution.delete("pg_depend", relation.oid, **old)
    execution.depend(Address(classes.PG_CLASS, relation.oid, column.attnum), Address(classes.PG_TYPE, type_oid))
    for index in relation.indexes:
        if column.attnum in index.columns:
            place = index.columns.index(column.attnum) + 1
            execution.update("pg_attribute", relation.oid, changes, attrelid=index.oid, attnum=place)
    execution.changed()


def _renew_checks(execution: Execution, relation: Relation) -> None:
    """The conditions must mean something for the new type; their text may have other casts."""
    now = execution.relation(relation.oid)
    for constraint in now.constraints:
        if constraint.kind == "c":
            compiled = recompile(execution, now, constraint.expression, "CHECK constraint")
            text = freeze(execution, compiled.text)
            execution.update("pg_constraint", relation.oid, {"conbin": text}, oid=constraint.oid)
    execution.changed()


def _renew_indexes(execution: Execution, relation: Relation, column: Column) -> None:
    """Indexes on the column take the default operator class of the new type, or keep the one that was asked for.

    PostgreSQL makes them again from their definitions, which name an operator class only if it is not the type's default.
    """
    now = execution.relation(relation.oid)
    changed = next(each for each in now.columns if each.attnum == column.attnum)
    methods = {oid: name for name, oid in types.access_methods().items()}
    for index in now.indexes:
        if column.attnum not in index.columns:
            continue
        place = index.columns.index(column.attnum)
        row = execution.record("pg_index", index.oid, indexrelid=index.oid)
        method = execution.record("pg_class", index.oid, oid=index.oid)["relam"]
        classes_now, collations = json.loads(row["indclass"]), json.loads(row["indcollation"])
        default = types.default_operator_class(execution.catalog, column.type_oid, method)
        asked = types.operator_classes()[classes_now[place]]
        names = [] if default is not None and default.oid == asked.oid else [asked.name]
        found = operator_class(execution, KeyColumn(changed, name=changed.name), names, methods[method])
        assert found is not None
        classes_now[place] = found.oid
        if collations[place] == column.collation:
            collations[place] = changed.collation
        elif not changed.collation:
            shown = typenames.display(execution.catalog, changed.type_oid)
            raise SqlError(sqlstate.DATATYPE_MISMATCH, f"collations are not supported by type {shown}")
        changes = {"indclass": classes_now, "indcollation": collations}
        execution.update("pg_index", index.oid, changes, indexrelid=index.oid)
    execution.changed()


def _convert(execution: Execution, relation: Relation, column: Column, conversion: Expression) -> None:
    now = execution.relation(relation.oid)
    if column.computed:
        rebuild.rebuild(execution, now)
        return
    alias = sqlite_schema.rowid_alias(execution, now)
    if alias is not None and alias.attnum == column.attnum:  # between integer types: the values stay, if they fit
        execution.connection.require(conversion.functions)
        execution.connection.execute(f"SELECT count({conversion.sql}) FROM {now.where}.{quote(now.storage)}").fetchall()
        sqlite_schema.rewrite_table(execution, now)
        return
    if conversion.sql.strip("()") == quote(column.storage_name):
        sqlite_schema.rewrite_table(execution, now)
        return
    assign_rows(execution, now, column, conversion)


def assign_rows(execution: Execution, now: Relation, column: Column, value: Expression) -> None:
    """Give a column a value in every row and check what the new values must obey, in PostgreSQL's words."""
    indexes = [index for index in now.indexes if index_storage(execution, index.oid) is not None]
    for index in indexes:
        execution.connection.execute(f"DROP INDEX IF EXISTS {now.where}.{quote(index_storage(execution, index.oid) or '')}")
    # no foreign key may act on the change, or miss the index that it refers to
    tables = [now, *_children(execution, now)]
    for each in tables:
        sqlite_schema.write_text(execution, each, sqlite_schema.bare_sql(execution, each))
    execution.connection.require(value.functions)
    table = f"{now.where}.{quote(now.storage)}"
    execution.connection.execute(f"UPDATE {table} SET {quote(column.storage_name)} = {value.sql}")
    _verify_constraints(execution, now, column)
    for each in tables:
        sqlite_schema.rewrite_table(execution, each)
    for index in indexes:
        if index.unique:
            verify.no_duplicates(execution, now, index.oid)
        sqlite_schema.create_index(execution, now, index.oid)


def _children(execution: Execution, parent: Relation) -> list[Relation]:
    found = execution.select("pg_constraint", parent.oid, "conrelid", confrelid=parent.oid, contype="f")
    return [execution.relation(oid) for oid in {oid for (oid,) in found} - {parent.oid}]


def _verify_constraints(execution: Execution, now: Relation, column: Column) -> None:
    if column.not_null:
        verify.no_nulls(execution, now, column)
    for constraint in now.constraints:
        if constraint.kind == "c" and _is_validated(execution, constraint.oid, now):
            compiled = recompile(execution, now, constraint.expression, "CHECK constraint")
            verify.check_holds(execution, now, constraint.name, compiled)
    for child, constraint in foreign_keys_over(execution, now, column.attnum):
        if _is_validated(execution, constraint.oid, child):
            verify.foreign_key_holds(execution, child, constraint.oid)


def _is_validated(execution: Execution, constraint: int, relation: Relation) -> bool:
    return bool(execution.record("pg_constraint", relation.oid, oid=constraint)["convalidated"])

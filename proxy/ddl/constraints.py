"""Constraints of tables: their rows in pg_constraint, and what must be true before they are written.

The SQLite side follows from the rows (sqlite_schema.py); whether existing rows of the table obey is `verify.py`'s.
"""

from typing import Any

from proxy.ddl import sqlite_schema
from proxy.ddl.columns import ConstraintSpec
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import compile_check, freeze, is_persistable, recompile, record_references
from proxy.ddl.names import choose_constraint_name, find_column, key_name_part, open_relation, quote, strings
from proxy.pg_catalog import classes, types
from proxy.pg_catalog.rows import schema_of
from translator import sqlstate
from translator.analyze import typenames
from translator.catalog import Column, Constraint, Relation
from translator.errors import SqlError, unsupported

_MATCH_SIMPLE = "s"


def insert_constraint(execution: Execution, relation: Relation, kind: str, name: str, **values: Any) -> int:
    """Write a pg_constraint row of a table and its dependency on the columns; returns its OID."""
    oid = execution.new_oid(schema_of(relation.oid))
    execution.insert(
        "pg_constraint",
        relation.oid,
        oid=oid,
        conname=name,
        connamespace=relation.namespace,
        contype=kind,
        conrelid=relation.oid,
        **values,
    )
    address = Address(classes.PG_CONSTRAINT, oid)
    columns = values.get("conkey") or ()
    for attnum in columns:
        execution.depend(address, Address(classes.PG_CLASS, relation.oid, attnum), "a")
    if not columns:
        execution.depend(address, Address(classes.PG_CLASS, relation.oid), "a")
    return oid


def refuse_duplicate(execution: Execution, relation: Relation, name: str, kind: str = "constraint") -> None:
    """A table's constraints have different names."""
    if execution.select("pg_constraint", relation.oid, "1", conrelid=relation.oid, conname=name):
        message = f'constraint "{name}" for relation "{relation.name}" already exists'
        if kind == "check constraint":
            message = f'check constraint "{name}" already exists'
        raise SqlError(sqlstate.DUPLICATE_OBJECT, message)


# ---------------------------------------------------------------------- CHECK and NOT NULL


def add_check(execution: Execution, relation: Relation, spec: ConstraintSpec, *, said: set[str] | None = None) -> str:
    """Write a CHECK; returns its name. `said`: names of CHECKs of the same statement (AddRelationNewConstraints)."""
    node = spec.node
    compiled = compile_check(execution, relation, node["raw_expr"])
    if spec.name is not None:
        if said is not None and spec.name in said:
            raise SqlError(sqlstate.DUPLICATE_OBJECT, f'check constraint "{spec.name}" already exists')
        refuse_duplicate(execution, relation, spec.name)
        name = spec.name
    else:
        one = next((c.name for c in relation.columns if compiled.columns == (c.attnum,)), None)
        name = choose_constraint_name(execution, relation.name, one, "check", relation.namespace)
    if said is not None:
        said.add(name)
    text = freeze(execution, compiled.text)
    oid = insert_constraint(
        execution,
        relation,
        "c",
        name,
        conkey=sorted(compiled.columns) or None,
        conbin=text,
        connoinherit=bool(node.get("is_no_inherit")),
        conenforced=spec.enforced,
        convalidated=spec.enforced and not node.get("skip_validation"),
    )
    address = Address(classes.PG_CONSTRAINT, oid)
    for attnum in sorted(compiled.columns):
        execution.depend(address, Address(classes.PG_CLASS, relation.oid, attnum))
    record_references(execution, address, text, node["raw_expr"])
    # What SQLite gets is compiled from the text, now and whenever the table changes.
    if not is_persistable(recompile(execution, relation, text, "CHECK constraint")):
        sql = f'INSERT INTO {schema_of(relation.oid)}."litephant.unenforced" VALUES (?)'
        execution.connection.execute(sql, (oid,))
    count = len(execution.select("pg_constraint", relation.oid, "1", conrelid=relation.oid, contype="c"))
    execution.update("pg_class", relation.oid, {"relchecks": count}, oid=relation.oid)
    execution.changed()
    return name


def add_not_null(
    execution: Execution, relation: Relation, column: Column, name: str | None = None, *, valid: bool = True
) -> None:
    """Write the constraint of a NOT NULL column, which has one since PostgreSQL 18."""
    if name is not None:
        refuse_duplicate(execution, relation, name)
    else:
        name = choose_constraint_name(execution, relation.name, column.name, "not_null", relation.namespace)
    insert_constraint(execution, relation, "n", name, conkey=[column.attnum], convalidated=valid)
    execution.update("pg_attribute", relation.oid, {"attnotnull": True}, attrelid=relation.oid, attnum=column.attnum)
    execution.changed()


# ---------------------------------------------------------------------- FOREIGN KEY


def add_foreign_key(execution: Execution, relation: Relation, spec: ConstraintSpec) -> int:
    """Write a foreign key (ATAddForeignKeyConstraint, tablecmds.c)."""
    node = spec.node
    parent = open_relation(execution, node["pktable"])
    _check_parent(execution, relation, parent, node)
    columns = [_key_column(relation, name) for name in spec.columns]
    referenced, index = _referenced_key(execution, parent, node)
    name = spec.name
    if name is None:
        part = key_name_part(column.name for column in columns)
        name = choose_constraint_name(execution, relation.name, part, "fkey", relation.namespace)
    else:
        refuse_duplicate(execution, relation, name)
    if len(columns) != len(referenced):
        message = "number of referencing and referenced columns for foreign key disagree"
        raise SqlError(sqlstate.INVALID_FOREIGN_KEY, message)
    operators = _operators(execution, name, columns, referenced)
    _check_actions(node, columns)
    oid = insert_constraint(
        execution,
        relation,
        "f",
        name,
        conkey=[column.attnum for column in columns],
        confkey=[column.attnum for column in referenced],
        confrelid=parent.oid,
        conindid=index,
        confupdtype=node.get("fk_upd_action", "a"),
        confdeltype=node.get("fk_del_action", "a"),
        confmatchtype=node.get("fk_matchtype", _MATCH_SIMPLE),
        condeferrable=spec.deferrable,
        condeferred=spec.deferred,
        connoinherit=True,
        conenforced=spec.enforced,
        convalidated=spec.enforced and not node.get("skip_validation"),
        **operators,
    )
    address = Address(classes.PG_CONSTRAINT, oid)
    for column in referenced:
        execution.depend(address, Address(classes.PG_CLASS, parent.oid, column.attnum))
    execution.depend(address, Address(classes.PG_CLASS, index))
    for each in (relation, parent):
        execution.update("pg_class", each.oid, {"relhastriggers": True}, oid=each.oid)
    execution.changed()
    return oid


def _check_parent(execution: Execution, relation: Relation, parent: Relation, node: dict[str, Any]) -> None:
    if parent.kind not in "rp":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'referenced relation "{parent.name}" is not a table')
    if parent.where not in ("main", "temp"):
        raise SqlError(sqlstate.INSUFFICIENT_PRIVILEGE, f'permission denied: "{parent.name}" is a system catalog')
    if relation.persistence == "t" and parent.persistence != "t":
        message = "constraints on temporary tables may reference only temporary tables"
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
    if relation.persistence == "p" and parent.persistence != "p":
        message = "constraints on permanent tables may reference only permanent tables"
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
    if node.get("fk_matchtype") == "p":
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "MATCH PARTIAL not yet implemented", location=node.get("location"))
    if node.get("fk_matchtype") == "f" and len(node.get("fk_attrs", ())) > 1:
        raise unsupported("MATCH FULL", node.get("location"))
    if node.get("fk_with_period"):
        raise unsupported("PERIOD in a foreign key", node.get("location"))
    if node.get("fk_del_set_cols"):
        raise unsupported("a column list of ON DELETE SET", node.get("location"))


def _key_column(relation: Relation, name: str) -> Column:
    for column in relation.columns:
        if column.name == name:
            return column
    message = f'column "{name}" referenced in foreign key constraint does not exist'
    raise SqlError(sqlstate.UNDEFINED_COLUMN, message)


def _referenced_key(execution: Execution, parent: Relation, node: dict[str, Any]) -> tuple[list[Column], int]:
    """The referenced columns and the unique index over them (transformFkeyCheckAttrs)."""
    names = strings(node.get("pk_attrs", ()))
    by_number = {column.attnum: column for column in parent.columns}
    if not names:
        primary = next((each for each in parent.constraints if each.kind == "p"), None)
        if primary is None:
            message = f'there is no primary key for referenced table "{parent.name}"'
            raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
        if primary.deferrable:
            raise _deferrable_key("primary key", parent)
        return [by_number[attnum] for attnum in primary.columns], primary.index
    columns = [_key_column(parent, name) for name in names]
    if len(set(names)) != len(names):
        message = "foreign key referenced-columns list must not contain duplicates"
        raise SqlError(sqlstate.INVALID_FOREIGN_KEY, message)
    wanted = sorted(column.attnum for column in columns)
    matching = [
        index
        for index in parent.indexes
        if index.unique and index.predicate is None and not index.expressions and sorted(index.columns) == wanted
    ]
    for index in matching:
        if index.immediate:
            return columns, index.oid
    if matching:
        raise _deferrable_key("unique constraint", parent)
    message = f'there is no unique constraint matching given keys for referenced table "{parent.name}"'
    raise SqlError(sqlstate.INVALID_FOREIGN_KEY, message)


def _deferrable_key(kind: str, parent: Relation) -> SqlError:
    message = f'cannot use a deferrable {kind} for referenced table "{parent.name}"'
    return SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message)


def foreign_keys_over(execution: Execution, relation: Relation, attnum: int) -> list[tuple[Relation, Constraint]]:
    """The foreign keys that a column is in, on either side, with the tables that have them."""
    found = [(relation, each) for each in relation.constraints if each.kind == "f" and attnum in each.columns]
    for oid, child in execution.select("pg_constraint", relation.oid, "oid", "conrelid", confrelid=relation.oid, contype="f"):
        other = execution.relation(child)
        key = next(each for each in other.constraints if each.oid == oid)
        if attnum in key.referenced_columns and (other, key) not in found:
            found.append((other, key))
    return found


def renew_foreign_keys(execution: Execution, relation: Relation, attnum: int) -> None:
    """A column has another type: its foreign keys compare with other operators. Raises 42804 where there are none."""
    for child, key in foreign_keys_over(execution, execution.relation(relation.oid), attnum):
        parent = execution.relation(key.referenced)
        columns = [column for number in key.columns if (column := find_column(child, number))]
        referenced = [column for number in key.referenced_columns if (column := find_column(parent, number))]
        operators = _operators(execution, key.name, columns, referenced)
        execution.update("pg_constraint", child.oid, operators, oid=key.oid)
    execution.changed()


def _operators(execution: Execution, name: str, columns: list[Column], referenced: list[Column]) -> dict[str, list[int]]:
    """What a foreign key compares with, as pg_constraint has it."""
    found = [_equality(execution, name, *pair) for pair in zip(columns, referenced, strict=True)]
    names = ("conpfeqop", "conppeqop", "conffeqop")
    return {name: [each[place] for each in found] for place, name in enumerate(names)}


def _equality(execution: Execution, name: str, column: Column, referenced: Column) -> tuple[int, int, int]:
    """The operators that compare parent with child, parent with parent, child with child."""
    catalog = execution.catalog
    parent_type, child_type = catalog.base_type(referenced.type_oid), catalog.base_type(column.type_oid)
    found = types.default_operator_class(catalog, parent_type)
    own = types.default_operator_class(catalog, child_type)
    if found is not None and own is not None:
        across = types.equality_operator(found.family, found.input_type, own.input_type)
        same = types.equality_operator(found.family, found.input_type, found.input_type)
        child = types.equality_operator(own.family, own.input_type, own.input_type)
        polymorphic = found.input_type == own.input_type and catalog.type(found.input_type).kind == "p"
        if across and same and child and (not polymorphic or parent_type == child_type):
            return across, same, child
        # An implicit cast to the parent's type will do as well: varchar to text, integer to numeric.
        cast = catalog.cast(child_type, parent_type)
        if same and cast is not None and cast.context == "i":
            return same, same, same
    child_name = typenames.display(catalog, column.type_oid, column.typmod)
    parent_name = typenames.display(catalog, referenced.type_oid, referenced.typmod)
    raise SqlError(
        sqlstate.DATATYPE_MISMATCH,
        f'foreign key constraint "{name}" cannot be implemented',
        detail=f'Key columns "{column.name}" of the referencing table and "{referenced.name}" of the referenced table '
        f"are of incompatible types: {child_name} and {parent_name}.",
    )


def _check_actions(node: dict[str, Any], columns: list[Column]) -> None:
    for column in columns:
        if column.generated and node.get("fk_upd_action") in ("n", "d", "c"):
            message = "invalid ON UPDATE action for foreign key constraint containing generated column"
            raise SqlError(sqlstate.SYNTAX_ERROR, message)
        if column.generated and node.get("fk_del_action") in ("n", "d"):
            message = "invalid ON DELETE action for foreign key constraint containing generated column"
            raise SqlError(sqlstate.SYNTAX_ERROR, message)


def provide_parent_keys(execution: Execution, relation: Relation) -> None:
    """SQLite finds a parent through a unique index on the columns themselves; one on key expressions is not enough."""
    for constraint in relation.constraints:
        if constraint.kind == "f":
            parent = execution.relation(constraint.referenced)
            by_number = {column.attnum: column for column in parent.columns}
            columns = [by_number[attnum] for attnum in constraint.referenced_columns]
            _provide_parent_key(execution, parent, columns, constraint.index)


def _provide_parent_key(execution: Execution, parent: Relation, columns: list[Column], index: int) -> None:
    catalog = execution.catalog
    keyed = any(sqlite_schema.equality_key(catalog, each.type_oid, each.typmod) for each in columns)
    if not keyed and not _is_expression_index(execution, index):
        return
    storage = quote(f"litephant.parent.{index}")
    listed = ", ".join(quote(column.storage_name) for column in columns)
    target = quote(parent.storage)
    execution.connection.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {parent.where}.{storage} ON {target} ({listed})")


def _is_expression_index(execution: Execution, index: int) -> bool:
    return bool(execution.select("pg_index", index, "1", indexrelid=index, indnullsnotdistinct=True))

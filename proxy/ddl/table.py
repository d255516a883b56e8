"""CREATE TABLE: specifications gathered from the statement, then rows, then the SQLite table (transformCreateStmt, DefineRelation).

Not supported: INHERITS, PARTITION BY / OF, OF type, tablespaces other than the default, access methods other than heap.
"""

from dataclasses import dataclass, field
from typing import Any

from proxy.ddl import constraints, heap, index, like, sequence, sqlite_schema, temporary
from proxy.ddl.columns import (
    ColumnReader,
    ColumnSpec,
    ConstraintSpec,
    apply_attribute,
    check_columns,
    constraint_spec,
)
from proxy.ddl.defaults import add_default
from proxy.ddl.execution import Execution
from proxy.ddl.names import strings
from proxy.ddl.options import TABLE, read_options
from proxy.ddl.sequence import heap_namespace
from translator import sqlstate
from translator.errors import SqlError, unsupported


@dataclass
class TableSpec:
    """A table to be made."""

    name: str
    namespace: int
    persistence: str = "p"
    columns: list[ColumnSpec] = field(default_factory=list)
    constraints: list[ConstraintSpec] = field(default_factory=list)
    likes: list[like.Like] = field(default_factory=list)
    options: list[str] | None = None


def create_table(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE TABLE with a column list."""
    refuse_unsupported(statement)
    range_var = statement["relation"]
    namespace = heap_namespace(execution, range_var)
    if exists_already(execution, namespace, range_var["relname"], if_not_exists=bool(statement.get("if_not_exists"))):
        return "CREATE TABLE"
    spec = TableSpec(range_var["relname"], namespace, range_var.get("relpersistence", "p"))
    _read_elements(execution, spec, statement.get("tableElts", ()))
    spec.options = reloptions(statement.get("options", ()))
    on_commit = temporary.on_commit_action(statement.get("oncommit"), spec.persistence)
    temporary.remember(execution, build(execution, spec), on_commit)
    return "CREATE TABLE"


def refuse_unsupported(statement: dict[str, Any]) -> None:
    """Name what we do not have, before anything else is looked at."""
    location = statement["relation"].get("location")
    for key, feature in (
        ("inhRelations", "table inheritance"),
        ("ofTypename", "CREATE TABLE OF"),
        ("partspec", "PARTITION BY"),
    ):
        if key in statement and not (key == "inhRelations" and "partbound" in statement):
            raise unsupported(feature, location)
    if "partbound" in statement:
        raise unsupported("PARTITION OF", location)
    if statement.get("tablespacename", "pg_default") != "pg_default":
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'tablespace "{statement["tablespacename"]}" does not exist')
    if statement.get("accessMethod", "heap") != "heap":
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'access method "{statement["accessMethod"]}" does not exist')


def exists_already(execution: Execution, namespace: int, name: str, *, if_not_exists: bool) -> bool:
    """Whether the name is taken and that is no error."""
    if execution.catalog.relation(namespace, name) is None:
        if execution.catalog.type_by_name(namespace, name) is not None:
            raise SqlError(
                sqlstate.DUPLICATE_OBJECT,
                f'type "{name}" already exists',
                hint="A relation has an associated type of the same name, so you must use a name that doesn't conflict "
                "with any existing type.",
            )
        return False
    if not if_not_exists:
        raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{name}" already exists')
    execution.note(f'relation "{name}" already exists, skipping', sqlstate.DUPLICATE_TABLE)
    return True


def reloptions(nodes: Any) -> list[str] | None:
    """WITH (…) as pg_class.reloptions keeps it: storage parameters have no effect here, but are shown."""
    return read_options(nodes, TABLE)


def _read_elements(execution: Execution, spec: TableSpec, elements: Any) -> None:
    reader = ColumnReader(execution, spec.name)
    previous: ConstraintSpec | None = None
    # a NOT NULL may stand before its column
    for element in sorted(elements, key=lambda each: each.get("Constraint", {}).get("contype") == "CONSTR_NOTNULL"):
        kind, node = next(iter(element.items()))
        match kind:
            case "ColumnDef":
                spec.columns.append(reader.read(node))
            case "TableLikeClause":
                found = like.read(execution, node)
                spec.likes.append(found)
                spec.columns.extend(found.columns)
                reader.constraints.extend(found.checks)
            case "Constraint":
                previous = read_table_constraint(spec.columns, reader.constraints, node, previous)
            case _:
                raise unsupported(kind)
    spec.constraints = reader.constraints


def read_table_constraint(
    columns: list[ColumnSpec], found: list[ConstraintSpec], node: dict[str, Any], previous: ConstraintSpec | None
) -> ConstraintSpec | None:
    """A constraint that is an element of its own."""
    kind = node["contype"]
    if kind.startswith("CONSTR_ATTR"):
        apply_attribute(previous, node)
        return previous
    if kind == "CONSTR_NOTNULL":
        name = strings(node["keys"])[0]
        column = next((each for each in columns if each.name == name), None)
        if column is None:
            message = f'column "{name}" named in not-null constraint does not exist'
            raise SqlError(sqlstate.UNDEFINED_COLUMN, message, location=node.get("location"))
        said = node.get("conname")
        if said and column.not_null_name and column.not_null_name != said:
            message = f'conflicting not-null constraint names "{column.not_null_name}" and "{said}"'
            raise SqlError(sqlstate.SYNTAX_ERROR, message, location=node.get("location"))
        column.not_null = True
        column.not_null_name = said or column.not_null_name
        return None
    keys = strings(node.get("fk_attrs" if kind == "CONSTR_FOREIGN" else "keys", ()))
    spec = constraint_spec(node, keys)
    found.append(spec)
    return spec


def build(execution: Execution, spec: TableSpec, kind: str = "r", definition: str | None = None) -> int:
    """Write everything about a new table and create it in SQLite; returns its OID."""
    check_columns(execution, spec.columns, kind)
    _check_one_primary_key(spec)
    sequences = [_own_sequence(execution, spec, column) for column in spec.columns]
    oid = heap.create_relation(
        execution, spec.name, spec.namespace, kind, spec.columns, persistence=spec.persistence, definition=definition
    )
    for number, found in enumerate(sequences, 1):
        if found is not None:
            sequence.link(execution, found, oid, number, "a" if spec.columns[number - 1].serial else "i")
    if spec.options:
        execution.update("pg_class", oid, {"reloptions": spec.options}, oid=oid)
    _add_defaults(execution, oid, spec, sequences)
    add_constraints(execution, oid, spec.columns, spec.constraints)
    relation = execution.relation(oid)
    sqlite_schema.create_table(execution, relation)
    for each in relation.indexes:
        sqlite_schema.create_index(execution, relation, each.oid)
    constraints.provide_parent_keys(execution, relation)
    for clause in spec.likes:
        like.finish(execution, clause, oid)
    return oid


def _check_one_primary_key(spec: TableSpec) -> None:
    primary = [each for each in spec.constraints if each.kind == "p"]
    if len(primary) > 1:
        message = f'multiple primary keys for table "{spec.name}" are not allowed'
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message, location=primary[1].location)
    for each in spec.constraints:
        if each.kind == "x":
            raise unsupported("EXCLUDE", each.location)


def _own_sequence(execution: Execution, spec: TableSpec, column: ColumnSpec) -> int | None:
    """The sequence of a serial or identity column, made before the table (generateSerialExtraStmts)."""
    if not column.serial and not column.identity:
        return None
    return make_column_sequence(execution, spec.name, spec.namespace, spec.persistence, column)


def make_column_sequence(execution: Execution, table: str, namespace: int, persistence: str, column: ColumnSpec) -> int:
    """Make the sequence that fills a column."""
    parameters = sequence.read_options(
        execution, column.sequence_options, sequence.Parameters(type_oid=execution.catalog.base_type(column.type_oid))
    )
    name = parameters.name[-1] if parameters.name else sequence.choose_name(execution, table, column.name, namespace)
    return sequence.insert_sequence(execution, name, namespace, parameters, persistence)


def _add_defaults(execution: Execution, oid: int, spec: TableSpec, sequences: list[int | None]) -> None:
    for number, (column, found) in enumerate(zip(spec.columns, sequences, strict=True), 1):
        if column.serial and found is not None:
            add_default(execution, execution.relation(oid), number, like.nextval_node(found))
        elif column.default is not None and not column.generated:
            add_default(execution, execution.relation(oid), number, column.default)
    for number, column in enumerate(spec.columns, 1):
        if column.generated:
            add_default(execution, execution.relation(oid), number, column.default)


def add_constraints(execution: Execution, oid: int, columns: list[ColumnSpec], specs: list[ConstraintSpec]) -> None:
    """Write the constraints of new columns and tables, in PostgreSQL's order: checks, not nulls, keys, foreign keys."""
    said: set[str] = set()
    for spec in specs:
        if spec.kind == "c":
            constraints.add_check(execution, execution.relation(oid), spec, said=said)
    # Names that were given are taken first.
    for column in sorted((each for each in columns if each.not_null), key=lambda each: each.not_null_name is None):
        relation = execution.relation(oid)
        number = next(each for each in relation.columns if each.name == column.name)
        constraints.add_not_null(execution, relation, number, column.not_null_name)
    keys = sorted((each for each in specs if each.kind in "pu"), key=lambda each: each.kind != "p")
    made: list[tuple[list[str], bool]] = []
    for spec in keys:
        same = (spec.columns, bool(spec.node.get("nulls_not_distinct")))
        if spec.kind == "u" and spec.name is None and same in made:
            continue  # the same key twice is one index (transformIndexConstraints)
        made.append(same)
        index.add_key(execution, execution.relation(oid), spec)
    for spec in specs:
        if spec.kind == "f":
            constraints.add_foreign_key(execution, execution.relation(oid), spec)

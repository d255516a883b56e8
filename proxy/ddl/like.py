"""LIKE in CREATE TABLE: columns and, as its options say, what belongs to them (transformTableLikeClause, expandTableLikeClause)."""

from dataclasses import dataclass, field
from typing import Any

from proxy.ddl.columns import ColumnSpec, ConstraintSpec
from proxy.ddl.execution import Execution
from proxy.ddl.names import open_relation
from proxy.pg_catalog import classes
from translator import sqlstate
from translator.catalog import Relation
from translator.errors import SqlError

_COMMENTS, _CONSTRAINTS, _DEFAULTS, _GENERATED, _IDENTITY, _INDEXES = 1, 4, 8, 16, 32, 64


@dataclass
class Like:
    """A LIKE clause: the columns it gives, and what is to be done when the table exists."""

    source: Relation
    options: int
    columns: list[ColumnSpec] = field(default_factory=list)
    checks: list[ConstraintSpec] = field(default_factory=list)


def read(execution: Execution, node: dict[str, Any]) -> Like:
    """The clause's columns and CHECK constraints."""
    from proxy.ddl.expressions import parse_expression

    source = open_relation(execution, node["relation"], node["relation"].get("location"))
    if source.kind not in "rvmcfp":
        message = f'relation "{source.name}" is invalid in LIKE clause'
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message, location=node["relation"].get("location"))
    options = int(node.get("options", 0))
    found = Like(source, options)
    not_nulls = {each.columns[0]: each.name for each in source.constraints if each.kind == "n"}
    for column in source.columns:
        spec = ColumnSpec(column.name, column.type_oid, column.typmod, column.collation, not_null=column.not_null)
        spec.not_null_name = not_nulls.get(column.attnum)
        if column.default is not None and not column.generated and options & _DEFAULTS:
            spec.default = parse_expression(column.default)
        if column.generated and options & _GENERATED:
            spec.default, spec.generated = parse_expression(column.default or "NULL"), column.generated
        if column.identity and options & _IDENTITY:
            spec.identity = column.identity
            spec.sequence_options = _identity_options(execution, source, column.attnum)
        found.columns.append(spec)
    if options & _CONSTRAINTS:
        for check in source.constraints:
            if check.kind == "c":
                raw = {"raw_expr": parse_expression(check.expression), "contype": "CONSTR_CHECK"}
                found.checks.append(ConstraintSpec("c", check.name, [], raw, enforced=check.enforced))
    return found


def finish(execution: Execution, found: Like, target: int) -> None:
    """Indexes and comments, which need the table."""
    if found.options & _INDEXES:
        _copy_indexes(execution, found.source, target)
    if found.options & _COMMENTS:
        _copy_comments(execution, found.source, target)


def _identity_options(execution: Execution, source: Relation, attnum: int) -> list[Any]:
    from proxy.ddl.sequence import owned_sequence

    oid = owned_sequence(execution, source.oid, attnum, "i")
    if oid is None:
        return []
    row = execution.record("pg_sequence", oid, seqrelid=oid)
    names = {"start": "seqstart", "increment": "seqincrement", "maxvalue": "seqmax", "minvalue": "seqmin", "cache": "seqcache"}
    return [{"DefElem": {"defname": name, "arg": {"Float": {"fval": str(row[column])}}}} for name, column in names.items()]


def _copy_indexes(execution: Execution, source: Relation, target: int) -> None:
    from proxy.ddl import index, index_copy, sqlite_schema
    from proxy.ddl.columns import constraint_spec

    for each in source.indexes:
        constraint = next((c for c in source.constraints if c.index == each.oid and c.kind in "pu"), None)
        relation = execution.relation(target)
        if constraint is not None and constraint.kind == "p" and any(each.kind == "p" for each in relation.constraints):
            message = f'multiple primary keys for table "{relation.name}" are not allowed'
            raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
        if constraint is not None:
            names = {column.attnum: column.name for column in source.columns}
            node = {
                "contype": "CONSTR_PRIMARY" if constraint.kind == "p" else "CONSTR_UNIQUE",
                "nulls_not_distinct": constraint.nulls_not_distinct,
                "deferrable": constraint.deferrable,
                "initdeferred": constraint.deferred,
            }
            made = index.add_key(execution, relation, constraint_spec(node, [names[attnum] for attnum in constraint.columns]))
            if constraint.kind == "p" and sqlite_schema.rowid_alias(execution, execution.relation(target)) is not None:
                from proxy.ddl import rebuild

                rebuild.rebuild(execution, execution.relation(target))
                continue
            sqlite_schema.rewrite_table(execution, execution.relation(target))
        else:
            made = index.insert_index(execution, relation, index_copy.copied_spec(execution, source, relation, each.oid))
        sqlite_schema.create_index(execution, execution.relation(target), made)


def _copy_comments(execution: Execution, source: Relation, target: int) -> None:
    numbers = {column.name: column.attnum for column in execution.relation(target).columns}
    names = {column.attnum: column.name for column in source.columns}
    for row in execution.select(
        "pg_description", source.oid, "objsubid", "description", objoid=source.oid, classoid=classes.PG_CLASS
    ):
        if row[0] in names:
            execution.insert(
                "pg_description",
                target,
                objoid=target,
                classoid=classes.PG_CLASS,
                objsubid=numbers[names[row[0]]],
                description=row[1],
            )


def nextval_node(oid: int) -> dict[str, Any]:
    """nextval('oid'::regclass), the default of a serial column."""
    constant = {"A_Const": {"sval": {"sval": str(oid)}}}
    regclass = {"names": [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": "regclass"}}], "typemod": -1}
    argument = {"TypeCast": {"arg": constant, "typeName": regclass}}
    name = [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": "nextval"}}]
    return {"FuncCall": {"funcname": name, "args": [argument], "funcformat": "COERCE_EXPLICIT_CALL"}}

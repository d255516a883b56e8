"""What every write adds: assignment coercions, defaults, generated columns, CHECKs that SQLite cannot hold."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import Context, coerce, coerce_to
from translator.analyze.scope import Entry, Scope, ViewCheck
from translator.catalog import Column, Relation
from translator.errors import SqlError, unsupported
from translator.parser import parse_expressions
from translator.typed import call, location_of, string, type_of, typed

Node = dict[str, Any]

_INTEGERS = {oids.INT2, oids.INT4, oids.INT8}
_KINDS = {"v": "view", "S": "sequence", "m": "materialized view", "i": "index", "c": "composite type"}


def refuse_relation(relation: Relation) -> None:
    """Only tables can be written. Raises 42809, 42501, 55000, 0A000."""
    if relation.where in ("static", "both", "live"):
        raise SqlError(codes.INSUFFICIENT_PRIVILEGE, f'permission denied: "{relation.name}" is a system catalog')
    if relation.kind == "v":
        raise unsupported(f'writing to view "{relation.name}"')
    if relation.kind == "m":
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot change materialized view "{relation.name}"')
    if relation.kind == "S":
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot change sequence "{relation.name}"')


def find_column(relation: Relation, name: str, location: int | None) -> Column:
    """The column that an INSERT or UPDATE names. Raises 42703."""
    for item in relation.columns:
        if item.name == name:
            return item
    raise SqlError(codes.UNDEFINED_COLUMN, f'column "{name}" of relation "{relation.name}" does not exist', location=location)


def coerce_assigned(scope: Scope, relation: Relation, item: Column, node: exp.Expr) -> exp.Expr:
    """The value as the column's type and modifier (transformAssignedExpr). Raises 42804."""
    made = coerce_to(scope.analysis, node, item.type_oid, item.typmod, Context.ASSIGNMENT, location_of(node))
    if made is None:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f'column "{item.name}" is of type {scope.analysis.type_name(item.type_oid)} but expression is of type'
            f" {scope.analysis.type_name(type_of(node))}",
            hint="You will need to rewrite or cast the expression.",
            location=location_of(node),
        )
    return made


def default_value(scope: Scope, relation: Relation, item: Column) -> exp.Expr:
    """The column's default: its text, analyzed now; nextval for an identity column; NULL if there is none."""
    from translator.analyze.expressions import transform_in

    if item.identity:
        return identity_value(scope, relation, item)
    if item.default is None or item.generated:
        return _null(scope, item)
    (node,) = parse_expressions(item.default)
    made = transform_in(Scope(scope.analysis), node, "DEFAULT expressions")
    return coerce_assigned(scope, relation, item, _without_locations(made))


def _null(scope: Scope, item: Column) -> exp.Expr:
    """A NULL of the column's type; a domain may have a default of its own, and refuse NULL (build_column_default)."""
    from translator.analyze.expressions import transform_in

    null: exp.Expr = typed(exp.Null(), oids.UNKNOWN)
    if scope.analysis.catalog.type(item.type_oid).kind != "d" or item.generated:
        return typed(null, item.type_oid, item.typmod)
    text = scope.analysis.catalog.domain_default(item.type_oid)
    if text is not None:
        (node,) = parse_expressions(text)
        null = _without_locations(transform_in(Scope(scope.analysis), node, "DEFAULT expressions"))
    return coerce(scope.analysis, null, item.type_oid, item.typmod, Context.ASSIGNMENT)


def identity_value(scope: Scope, relation: Relation, item: Column) -> exp.Expr:
    """The next value of the sequence behind an identity column."""
    scope.analysis.volatile = True
    made = call("identity_nextval", exp.Literal.number(relation.oid), exp.Literal.number(item.attnum))
    return coerce_assigned(scope, relation, item, typed(made, oids.INT8))


def _without_locations(node: exp.Expr) -> exp.Expr:
    """Positions inside a default's text mean nothing in the statement."""
    for part in node.walk():
        part.meta.pop("location", None)
    return node


def stored(scope: Scope, relation: Relation, item: Column, node: exp.Expr, row: dict[int, exp.Expr] | None = None) -> exp.Expr:
    """What goes into the SQLite column. A key that is SQLite's rowid must not be NULL: SQLite would make up a value.

    `row`: the values of the new row by attnum, which the error shows; they are evaluated only then.
    """
    if not item.not_null or not is_rowid(relation, item) or _never_null(node):
        return node
    values = [
        typed(exp.Null(), one.type_oid) if row is None or one.attnum not in row else row[one.attnum].copy()
        for one in relation.columns
    ]
    violation = call("not_null_violation", exp.Literal.number(relation.oid), string(item.name), *values)
    return typed(exp.Coalesce(this=node, expressions=[violation]), item.type_oid, item.typmod)


def is_rowid(relation: Relation, item: Column) -> bool:
    """Whether the column is declared INTEGER PRIMARY KEY in SQLite."""
    return relation.primary_key == (item.attnum,) and item.type_oid in _INTEGERS


def _never_null(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) or (isinstance(node, exp.Anonymous) and node.this == "identity_nextval")


def assign(scope: Scope, relation: Relation, entry: Entry, attnum: int, assigned: dict[int, exp.Expr]) -> exp.Expr:
    """SET column = value."""
    item = next(one for one in relation.columns if one.attnum == attnum)
    name = exp.Column(this=exp.Identifier(this=item.storage_name or item.name, quoted=True))
    row = None
    if is_rowid(relation, item):
        row = {one.attnum: new_value(relation, entry, one.attnum, assigned) for one in relation.columns}
    return exp.EQ(this=name, expression=stored(scope, relation, item, assigned[attnum].copy(), row))


def generated_values(scope: Scope, relation: Relation, entry: Entry, assigned: dict[int, exp.Expr]) -> dict[int, exp.Expr]:
    """The generated columns that SQLite does not compute itself, over the new values of the others."""
    made = {}
    for item in relation.columns:
        if item.generated_by_server:
            made[item.attnum] = generated_value(scope, relation, entry, item, assigned)
    return made


def generated_value(scope: Scope, relation: Relation, entry: Entry, item: Column, assigned: dict[int, exp.Expr]) -> exp.Expr:
    """A generated column over the new values of the others."""
    return over_new_values(scope, relation, entry, item.default or "NULL", assigned, "column generation expressions")


def enforced_checks(scope: Scope, relation: Relation, entry: Entry, assigned: dict[int, exp.Expr]) -> list[exp.Expr]:
    """A condition for each CHECK that needs functions of ours: true, or an error that names the constraint."""
    conditions: list[exp.Expr] = []
    virtual = [item for item in relation.columns if item.generated == "v"] if has_checks(scope, relation) else []
    assigned = {**assigned, **{item.attnum: generated_value(scope, relation, entry, item, assigned) for item in virtual}}
    for item in virtual:
        if item.not_null and item.computed_when_read:
            value = assigned[item.attnum]
            row = [new_value(relation, entry, one.attnum, assigned) for one in relation.columns]
            violation = call("not_null_violation", exp.Literal.number(relation.oid), string(item.name), *row)
            present = exp.Not(this=exp.Paren(this=exp.Is(this=exp.Paren(this=value.copy()), expression=exp.Null())))
            conditions.append(typed(exp.Or(this=present, expression=violation), oids.BOOL))
    for constraint in relation.constraints:
        if constraint.kind == "c" and constraint.enforced_by_server:
            test = over_new_values(scope, relation, entry, constraint.expression, assigned, "check constraints")
            row = [new_value(relation, entry, item.attnum, assigned) for item in relation.columns]
            made = call("enforce_check", exp.Literal.number(relation.oid), string(constraint.name), test, *row)
            conditions.append(typed(made, oids.BOOL))
    conditions += [_view_check(relation, entry, check, assigned) for check in scope.view_checks]
    return conditions


def has_checks(scope: Scope, relation: Relation) -> bool:
    """Whether there is something that the server checks over the whole new row."""
    return (
        bool(scope.view_checks)
        or any(constraint.enforced_by_server for constraint in relation.constraints)
        or any(item.not_null and item.computed_when_read for item in relation.columns)
    )


def _view_check(relation: Relation, entry: Entry, check: ViewCheck, assigned: dict[int, exp.Expr]) -> exp.Expr:
    """The condition of a view over the new row."""
    condition = check.condition.copy()
    for part in list(condition.find_all(exp.Column)):
        if part.table == check.alias and "column" in part.meta:
            part.replace(new_value(relation, entry, part.meta["column"][1], assigned))
    row = [new_value(relation, entry, item.attnum, assigned) for item in relation.columns]
    made = call("enforce_view_check", exp.Literal.number(relation.oid), string(check.view), condition, *row)
    return typed(made, oids.BOOL)


def new_value(relation: Relation, entry: Entry, attnum: int, assigned: dict[int, exp.Expr]) -> exp.Expr:
    """The value that the column will have: the assigned one, else what it has."""
    if attnum in assigned:
        return assigned[attnum].copy()
    return next(one.node.copy() for one in entry.columns if one.attnum == attnum)


def over_new_values(
    scope: Scope, relation: Relation, entry: Entry, text: str, assigned: dict[int, exp.Expr], clause: str
) -> exp.Expr:
    """An expression of the catalog (CHECK, generated column) over the row as it will be."""
    from translator.analyze.expressions import transform_in
    from translator.analyze.scope import EntryColumn

    (node,) = parse_expressions(text)
    columns = [
        EntryColumn(item.name, new_value(relation, entry, item.attnum, assigned), relation.oid, item.attnum)
        for item in relation.columns
    ]
    inner = Scope(scope.analysis)
    inner.add(Entry(relation.name, columns, entry.sql_alias, relation))
    return _without_locations(transform_in(inner, node, clause))

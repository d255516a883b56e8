"""INSERT: its source rows, ON CONFLICT, and RETURNING (transformInsertStmt, transformOnConflictClause)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import conflict
from translator.analyze.query import Query, Target, result_field, unique_names
from translator.analyze.scope import Entry, EntryColumn, Item, Scope
from translator.analyze.select import transform_query, values_rows
from translator.analyze.writes import (
    coerce_assigned,
    default_value,
    enforced_checks,
    find_column,
    generated_values,
    refuse_relation,
    stored,
)
from translator.catalog import Column, Relation
from translator.errors import SqlError, unsupported
from translator.plan import Field
from translator.typed import column, location_of, type_of, typed, typmod_of

Node = dict[str, Any]


@dataclass(slots=True)
class Modification:
    """An analyzed INSERT, UPDATE or DELETE: SQLite's statement as a typed tree, and the RETURNING columns."""

    tree: exp.Expr
    tag: str
    relation: Relation
    fields: tuple[Field, ...] | None = None

    def set_returning(self, targets: list[Target], *, foreign: bool) -> None:
        """Attach RETURNING. SQLite's sees the changed row only, under the table's own column names."""
        for target in targets:
            for part in target.node.find_all(exp.Column):
                owner = part.meta.get("column", (0, 0))[0]
                if foreign and owner != self.relation.oid:
                    raise unsupported("RETURNING columns of other tables", location_of(target.node))
                if part.parent_select is None:
                    part.set("table", None)
        names = unique_names([target.name for target in targets])
        items = [
            exp.Alias(this=target.node, alias=exp.Identifier(this=f"{name}", quoted=True))
            for target, name in zip(targets, names, strict=True)
        ]
        self.fields = tuple(result_field(target) for target in targets)
        self.tree.set("returning", exp.Returning(expressions=items))


Returning = Callable[[Scope, Node, Modification, list[exp.Expr]], None]


def transform(scope: Scope, value: Node, returning: Returning) -> Modification:
    """An InsertStmt."""
    from translator.analyze.dml import target_entry

    relation, entry, table = target_entry(scope, value["relation"])
    refuse_relation(relation)
    named, steps = _named_columns(relation, value.get("cols"))
    if any(steps):
        raise unsupported("INSERT into part of a column")
    override = value.get("override", "OVERRIDING_NOT_SET")
    rows, query = _source(scope, relation, value, named)
    if not relation.columns:
        return _insert_nothing(scope, relation, entry, table, value, returning)
    columns, tree_source = _complete(scope, relation, named, rows, query, override)
    tree = exp.Insert(
        this=exp.Schema(
            this=table,
            expressions=[exp.Identifier(this=item.storage_name or item.name, quoted=True) for item in columns],
        ),
        expression=tree_source,
    )
    scope.items = [Item(entry)]
    if value.get("onConflictClause"):
        tree.set("conflict", conflict.transform(scope, relation, entry, value["onConflictClause"]))
        _avoid_ambiguity(tree)
    made = Modification(tree, "INSERT 0", relation)
    returning(scope, value, made, [])
    return made


def _insert_nothing(
    scope: Scope, relation: Relation, entry: Entry, table: exp.Table, value: Node, returning: Returning
) -> Modification:
    """A row of a table without columns."""
    made = Modification(exp.Insert(this=table, default=True), "INSERT 0", relation)
    scope.items = [Item(entry)]
    returning(scope, value, made, [])
    return made


def _avoid_ambiguity(tree: exp.Insert) -> None:
    """In INSERT … SELECT … ON CONFLICT SQLite could take ON for a join's; a WHERE ends the doubt (its documentation says)."""
    source = tree.expression
    if isinstance(source, exp.Select) and source.args.get("where") is None and source.args.get("group") is None:
        source.set("where", exp.Where(this=exp.Boolean(this=True)))


def _named_columns(relation: Relation, nodes: list[Node] | None) -> tuple[list[Column], list[Any]]:
    """The columns that the statement names, all if it names none (checkInsertTargets)."""
    if not nodes:
        return list(relation.columns), []
    found: list[Column] = []
    steps = []
    for node in nodes:
        value = node["ResTarget"]
        item = find_column(relation, value["name"], value.get("location"))
        if item in found:
            raise SqlError(
                codes.DUPLICATE_COLUMN, f'column "{item.name}" specified more than once', location=value.get("location")
            )
        found.append(item)
        steps.append(value.get("indirection"))
    return found, steps


# A row of the source: the value for each named column, None for DEFAULT.
Row = list[exp.Expr | None]


def _source(scope: Scope, relation: Relation, value: Node, named: list[Column]) -> tuple[list[Row] | None, Query | None]:
    """VALUES lists as rows, anything else as a query; neither for DEFAULT VALUES."""
    node = value.get("selectStmt")
    if node is None:
        named.clear()
        return [[]], None
    select = node["SelectStmt"]
    plain = not any(select.get(key) for key in ("sortClause", "limitCount", "limitOffset", "lockingClause", "withClause"))
    if select.get("valuesLists") and plain:
        rows = values_rows(scope, select["valuesLists"], allow_default=True)
        _check_count(named, len(rows[0]), rows[0], value)
        del named[len(rows[0]) :]
        return [[_assigned(scope, relation, item, node) for item, node in zip(named, row, strict=True)] for row in rows], None
    query = transform_query(scope.child(), node, keep_unknown=True)
    _check_count(named, len(query.targets), [target.node for target in query.targets], value)
    del named[len(query.targets) :]
    return None, query


def _check_count(named: list[Column], given: int, nodes: list[exp.Expr], value: Node) -> None:
    if given > len(named):
        raise SqlError(
            codes.SYNTAX_ERROR,
            "INSERT has more expressions than target columns",
            location=location_of(nodes[len(named)]),
        )
    if value.get("cols") and given < len(named):
        location = value["cols"][given]["ResTarget"].get("location")
        raise SqlError(codes.SYNTAX_ERROR, "INSERT has more target columns than expressions", location=location)


def _assigned(scope: Scope, relation: Relation, item: Column, node: exp.Expr) -> exp.Expr | None:
    if isinstance(node, exp.Var):
        return None
    return coerce_assigned(scope, relation, item, node)


def _complete(
    scope: Scope, relation: Relation, named: list[Column], rows: list[Row] | None, query: Query | None, override: str
) -> tuple[list[Column], exp.Expr]:
    """The source with a value for every column that SQLite must be given."""
    if query is not None:
        return _complete_query(scope, relation, named, query, override)
    assert rows is not None
    for row in rows:
        for position, item in enumerate(named):
            row[position] = _checked(scope, relation, item, row[position], override)
    extra = [item for item in relation.columns if item not in named and not item.generated and _has_default(item)]
    columns = [item for item in named if not item.generated] + extra
    needs_row = any(item.generated_by_server for item in relation.columns) or any(
        constraint.enforced_by_server for constraint in relation.constraints
    )
    lists = []
    for row in rows:
        values = [
            stored(scope, relation, item, node if node is not None else default_value(scope, relation, item))
            for item, node in zip(named, row, strict=True)
            if not item.generated
        ]
        values += [stored(scope, relation, item, default_value(scope, relation, item)) for item in extra]
        lists.append(values)
    if not columns:
        columns = [next(item for item in relation.columns if not item.generated)]
        lists = [[typed(exp.Null(), columns[0].type_oid)] for _ in lists]
    if needs_row:
        return _over_rows(scope, relation, columns, _values_query(scope, lists, columns))
    return columns, exp.Values(expressions=[exp.Tuple(expressions=values) for values in lists])


def _has_default(item: Column) -> bool:
    return item.default is not None or bool(item.identity)


def _checked(scope: Scope, relation: Relation, item: Column, node: exp.Expr | None, override: str) -> exp.Expr | None:
    """GENERATED columns take DEFAULT only, unless OVERRIDING says otherwise (rewriteTargetListIU). Raises 428C9."""
    if node is None:
        return None
    if item.generated:
        raise SqlError(
            codes.GENERATED_ALWAYS,
            f'cannot insert a non-DEFAULT value into column "{item.name}"',
            detail=f'Column "{item.name}" is a generated column.',
        )
    if item.identity == "a" and override == "OVERRIDING_NOT_SET":
        raise SqlError(
            codes.GENERATED_ALWAYS,
            f'cannot insert a non-DEFAULT value into column "{item.name}"',
            detail=f'Column "{item.name}" is an identity column defined as GENERATED ALWAYS.',
            hint="Use OVERRIDING SYSTEM VALUE to override.",
        )
    if item.identity and override == "OVERRIDING_USER_VALUE":
        return None
    return node


def _values_query(scope: Scope, lists: list[list[exp.Expr]], columns: list[Column]) -> tuple[exp.Expr, list[str]]:
    values = exp.Values(expressions=[exp.Tuple(expressions=row) for row in lists])
    return values, [f"column{number}" for number in range(1, len(columns) + 1)]


def _over_rows(
    scope: Scope, relation: Relation, columns: list[Column], source: tuple[exp.Expr, list[str]]
) -> tuple[list[Column], exp.Expr]:
    """SELECT the source's columns, what is generated from them, and only rows that pass the server's CHECKs."""
    tree, names = source
    alias = scope.analysis.alias("new")
    present = {item.attnum: name for item, name in zip(columns, names, strict=True)}
    entry_columns = []
    for item in relation.columns:
        if item.attnum in present:
            node = typed(column(alias, present[item.attnum]), item.type_oid, item.typmod)
        else:
            node = typed(exp.Null(), item.type_oid, item.typmod)
        entry_columns.append(EntryColumn(item.name, node, relation.oid, item.attnum))
    entry = Entry(relation.name, entry_columns, alias, relation)
    assigned: dict[int, exp.Expr] = {}
    assigned.update(generated_values(scope, relation, entry, assigned))
    everything = columns + [item for item in relation.columns if item.attnum in assigned and item not in columns]
    nodes = [
        assigned[item.attnum] if item.attnum in assigned else next(c.node for c in entry_columns if c.attnum == item.attnum)
        for item in everything
    ]
    select = exp.Select(
        expressions=[
            exp.Alias(this=node.copy(), alias=exp.Identifier(this=item.storage_name or item.name, quoted=True))
            for item, node in zip(everything, nodes, strict=True)
        ]
    )
    select.set(
        "from_", exp.From(this=exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True))))
    )
    condition: exp.Expr | None = None
    for check in enforced_checks(scope, relation, entry, assigned):
        condition = check if condition is None else exp.And(this=condition, expression=check)
    if condition is not None:
        select.set("where", exp.Where(this=condition))
    return everything, select


def _complete_query(
    scope: Scope, relation: Relation, named: list[Column], query: Query, override: str
) -> tuple[list[Column], exp.Expr]:
    """INSERT … SELECT: the query's columns coerced, defaults beside them."""
    for item in named:
        if item.generated or item.identity == "a":
            _checked(scope, relation, item, exp.Null(), override)
    inner = _coerced_query(scope, relation, named, query)
    alias = scope.analysis.alias("source")
    values: list[exp.Expr] = []
    columns: list[Column] = []
    for item, target, name in zip(named, inner.targets, inner.columns, strict=True):
        node: exp.Expr = typed(column(alias, name), type_of(target.node), typmod_of(target.node))
        node = coerce_assigned(scope, relation, item, node)
        if item.identity and override == "OVERRIDING_USER_VALUE":
            node = default_value(scope, relation, item)
        values.append(stored(scope, relation, item, node))
        columns.append(item)
    for item in relation.columns:
        if item not in named and not item.generated and _has_default(item):
            values.append(stored(scope, relation, item, default_value(scope, relation, item)))
            columns.append(item)
    names = unique_names([item.storage_name or item.name for item in columns])
    select = exp.Select(
        expressions=[
            exp.Alias(this=node, alias=exp.Identifier(this=name, quoted=True)) for node, name in zip(values, names, strict=True)
        ]
    )
    source = exp.Subquery(this=inner.tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    select.set("from_", exp.From(this=source))
    if any(item.generated_by_server for item in relation.columns) or any(c.enforced_by_server for c in relation.constraints):
        return _over_rows(scope, relation, columns, (select, names))
    return columns, select


def _coerced_query(scope: Scope, relation: Relation, named: list[Column], query: Query) -> Query:
    """Open literals and parameters of the select list take the types of their columns."""
    tree = query.tree
    for position, (item, target) in enumerate(zip(named, query.targets, strict=True)):
        if type_of(target.node) != oids.UNKNOWN:
            continue
        if isinstance(tree, exp.Select):
            target.node = coerce_assigned(scope, relation, item, target.node)
            tree.expressions[position].set("this", target.node)
    return query


def assignments(scope: Scope, relation: Relation, nodes: list[Node], verb: str) -> dict[int, exp.Expr]:
    """SET lists: attnum -> coerced value. `(a, b) = (x, y)` and `= (SELECT …)` are taken apart (transformUpdateTargetList)."""
    from translator.analyze.expressions import transform_in

    found: dict[int, exp.Expr] = {}
    for node in nodes:
        value = node["ResTarget"]
        item = find_column(relation, value["name"], value.get("location"))
        if item.attnum in found:
            raise SqlError(codes.SYNTAX_ERROR, f'multiple assignments to same column "{item.name}"')
        source = value["val"]
        if "MultiAssignRef" in source:
            source = _multi_source(source["MultiAssignRef"])
        if "SetToDefault" in source:
            found[item.attnum] = default_value(scope, relation, item)
            continue
        if item.generated:
            raise SqlError(
                codes.GENERATED_ALWAYS,
                f'column "{item.name}" can only be updated to DEFAULT',
                detail=f'Column "{item.name}" is a generated column.',
            )
        if item.identity == "a":
            raise SqlError(
                codes.GENERATED_ALWAYS,
                f'column "{item.name}" can only be updated to DEFAULT',
                detail=f'Column "{item.name}" is an identity column defined as GENERATED ALWAYS.',
            )
        made = transform_in(scope, source, verb)
        if value.get("indirection"):
            made = _assign_part(scope, relation, item, value["indirection"], made)
        found[item.attnum] = coerce_assigned(scope, relation, item, made)
    return {attnum: node for attnum, node in found.items() if not _is_generated(relation, attnum)}


def _is_generated(relation: Relation, attnum: int) -> bool:
    return any(item.attnum == attnum and item.generated for item in relation.columns)


def _multi_source(reference: Node) -> Node:
    """One column's part of `(a, b) = source`."""
    source = reference["source"]
    position = reference["colno"]
    if "RowExpr" in source:
        arguments = source["RowExpr"].get("args", [])
        if len(arguments) != reference["ncolumns"]:
            raise SqlError(
                codes.SYNTAX_ERROR,
                "number of columns does not match number of values",
                location=source["RowExpr"].get("location"),
            )
        return arguments[position - 1]  # type: ignore[no-any-return]
    if "SubLink" in source:
        link = source["SubLink"]
        select = link["subselect"]["SelectStmt"]
        if select.get("op", "SETOP_NONE") == "SETOP_NONE" and select.get("targetList") and not select.get("distinctClause"):
            if len(select["targetList"]) != reference["ncolumns"]:
                raise SqlError(codes.SYNTAX_ERROR, "number of columns does not match number of values")
            one = {**select, "targetList": [select["targetList"][position - 1]]}
            return {"SubLink": {**link, "subLinkType": "EXPR_SUBLINK", "subselect": {"SelectStmt": one}}}
    raise SqlError(
        codes.FEATURE_NOT_SUPPORTED,
        "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
    )


def _assign_part(scope: Scope, relation: Relation, item: Column, steps: list[Node], value: exp.Expr) -> exp.Expr:
    """`SET a[1] = x`, `SET a[1:2] = x`: the array with that part replaced."""
    from translator.analyze.coerce import Context, coerce_to
    from translator.analyze.scope import find_column as lookup
    from translator.analyze.subscripts import _bound, _index
    from translator.typed import call

    element = scope.analysis.catalog.element(item.type_oid)
    if not element or any("A_Indices" not in step for step in steps):
        raise unsupported("assignment to part of a value that is not an array")
    current = lookup(scope, item.name, None)
    slices = any(step["A_Indices"].get("is_slice") for step in steps)
    target = item.type_oid if slices else element
    coerced = coerce_to(scope.analysis, value, target, item.typmod, Context.ASSIGNMENT, location_of(value))
    if coerced is None or current is None:
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f'subscripted assignment to "{item.name}" requires type {scope.analysis.type_name(target)}'
            f" but expression is of type {scope.analysis.type_name(type_of(value))}",
            hint="You will need to rewrite or cast the expression.",
            location=location_of(value),
        )
    bounds: list[exp.Expr] = []
    for step in steps:
        indices = step["A_Indices"]
        if slices:
            bounds += [_bound(scope, indices.get("lidx")), _bound(scope, indices.get("uidx"))]
        else:
            bounds.append(_index(scope, indices["uidx"]))
    name = "array:assign_slice" if slices else "array:assign"
    return typed(call(name, current, coerced, *bounds), item.type_oid, item.typmod)

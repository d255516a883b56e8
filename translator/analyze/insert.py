"""INSERT: its source rows, ON CONFLICT, and RETURNING (transformInsertStmt, transformOnConflictClause)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import conflict, parts, returning, view_target
from translator.analyze.changes import Change
from translator.analyze.insertion import Insert
from translator.analyze.parts import Place
from translator.analyze.query import Query, Target, unique_names
from translator.analyze.scope import Entry, EntryColumn, Item, Scope, use
from translator.analyze.select import transform_query, values_rows
from translator.analyze.target import expand_star
from translator.analyze.writes import (
    coerce_assigned,
    default_value,
    enforced_checks,
    find_column,
    generated_values,
    has_checks,
    is_rowid,
    stored,
)
from translator.catalog import Column, Relation
from translator.errors import SqlError
from translator.typed import column, location_of, type_of, typed, typmod_of

Node = dict[str, Any]

# SQLite has no table without columns; this one stands in (proxy/ddl/sqlite_schema.py).
NO_COLUMN = Column("", 0, oids.INT4, storage_name="litephant.none")


def transform(scope: Scope, value: Node) -> Change:
    """An InsertStmt."""
    target = view_target.resolve(scope, value["relation"], "INSERT")
    relation, entry = target.relation, target.entry
    named, places = _named_columns(target.naming, value.get("cols"))
    override = value.get("override", "OVERRIDING_NOT_SET")
    rows, query = _source(scope, target.naming, value, named, places)
    if target.naming is not relation:
        target.check_assignable([item.name for item in named], "INSERT")
        named = [next(item for item in relation.columns if item.attnum == one.attnum) for one in named]
    change = Insert(scope, relation, entry, target.table)
    change.columns, change.source = complete(scope, relation, named, rows, query, override)
    scope.items = [Item(target.visible)]
    if value.get("onConflictClause"):
        change.conflict = conflict.transform(scope, target, value["onConflictClause"])
        change.updates = bool(change.conflict.expressions)
    change.returning = returning.transform(scope, value, target.visible)
    return change


def _named_columns(relation: Relation, nodes: list[Node] | None) -> tuple[list[Column], list[Node]]:
    """The columns that the statement names, all if it names none; their ResTargets if it names parts (checkInsertTargets)."""
    if not nodes:
        return list(relation.columns), []
    found: list[Column] = []
    places: list[Node] = []
    for node in nodes:
        value = node["ResTarget"]
        item = find_column(relation, value["name"], value.get("location"))
        earlier = [place for one, place in zip(found, places, strict=True) if one == item]
        if earlier and not all(place.get("indirection") for place in [value, *earlier]):
            raise SqlError(
                codes.DUPLICATE_COLUMN, f'column "{item.name}" specified more than once', location=value.get("location")
            )
        found.append(item)
        places.append(value)
    return found, places if any(place.get("indirection") for place in places) else []


# A row of the source: the value for each named column, None for DEFAULT.
Row = list[exp.Expr | None]


def _source(
    scope: Scope, relation: Relation, value: Node, named: list[Column], places: list[Node]
) -> tuple[list[Row] | None, Query | None]:
    """VALUES lists as rows, anything else as a query; neither for DEFAULT VALUES. `named` is cut to what there are values for."""
    node = value.get("selectStmt")
    if node is None:
        named.clear()
        return [[]], None
    select = node["SelectStmt"]
    plain = not any(select.get(key) for key in ("sortClause", "limitCount", "limitOffset", "lockingClause", "withClause"))
    if select.get("valuesLists") and plain:
        rows = values_rows(scope, select["valuesLists"], allow_default=True)
        if scope.has_sets:
            # one row of VALUES is as good as a select list, and may have sets (EXPR_KIND_VALUES_SINGLE)
            scope.has_sets = False
            (items,) = select["valuesLists"]
            targets = [{"ResTarget": {"val": item}} for item in items["List"]["items"]]
            return _source(scope, relation, {**value, "selectStmt": {"SelectStmt": {"targetList": targets}}}, named, places)
        _check_count(named, len(rows[0]), rows[0], value)
        del named[len(rows[0]) :]
        made = [_assigned_row(scope, relation, named, places, row) for row in rows]
        named[:] = dict.fromkeys(named)
        return made, None
    query = transform_query(scope.child(), node, keep_unknown=True)
    _check_count(named, len(query.targets), [target.node for target in query.targets], value)
    del named[len(query.targets) :]
    if places:
        query = _merged(scope, relation, named, places, query)
        named[:] = dict.fromkeys(named)
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


def _assigned_row(scope: Scope, relation: Relation, named: list[Column], places: list[Node], row: list[exp.Expr]) -> Row:
    """The values of a row as their columns' types; parts of one column are put together."""
    if not places:
        return [_assigned(scope, relation, item, node) for item, node in zip(named, row, strict=True)]
    found: dict[Column, exp.Expr | None] = {}
    for item, place, given in zip(named, places, row, strict=False):
        steps, location = place.get("indirection", []), place.get("location")
        node = given
        if isinstance(given, exp.Var):
            _refuse_default(steps, location)
        elif steps:
            current = found.get(item) or typed(exp.Null(), item.type_oid, item.typmod)
            node = parts.assign(scope, Place(item.name, item.type_oid, item.typmod, current, location), steps, given)
        found[item] = _assigned(scope, relation, item, node)
    return list(found.values())


def _merged(scope: Scope, relation: Relation, named: list[Column], places: list[Node], query: Query) -> Query:
    """A query whose columns are whole columns of the table, made of those of a query for parts of them."""
    alias = scope.analysis.alias("parts")
    given: list[exp.Expr] = [
        typed(column(alias, name), type_of(target.node), typmod_of(target.node))
        for name, target in zip(query.columns, query.targets, strict=True)
    ]
    values = _assigned_row(scope, relation, named, places, given)
    items = list(dict.fromkeys(named))
    targets = [Target(item.name, value) for item, value in zip(items, values, strict=True) if value is not None]
    select = exp.Select(
        expressions=[exp.Alias(this=target.node, alias=exp.Identifier(this=target.name, quoted=True)) for target in targets]
    )
    source = exp.Subquery(this=query.tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    select.set("from_", exp.From(this=source))
    return Query(select, targets, [target.name for target in targets])


def _assigned(scope: Scope, relation: Relation, item: Column, node: exp.Expr) -> exp.Expr | None:
    if isinstance(node, exp.Var):
        return None
    return coerce_assigned(scope, relation, item, node)


def complete(
    scope: Scope, relation: Relation, named: list[Column], rows: list[Row] | None, query: Query | None, override: str
) -> tuple[list[Column], exp.Expr]:
    """The source with a value for every column that SQLite must be given."""
    if query is not None:
        return _complete_query(scope, relation, named, query, override)
    assert rows is not None
    columns, lists = _values_lists(scope, relation, named, rows, override)
    if needs_row(scope, relation):
        return _over_rows(scope, relation, columns, _values_query(scope, lists, columns))
    return columns, exp.Values(expressions=[exp.Tuple(expressions=values) for values in lists])


def needs_row(scope: Scope, relation: Relation) -> bool:
    """Whether the server computes or checks something over the whole new row."""
    return has_checks(scope, relation) or any(item.generated_by_server for item in relation.columns)


def _values_lists(
    scope: Scope, relation: Relation, named: list[Column], rows: list[Row], override: str
) -> tuple[list[Column], list[list[exp.Expr]]]:
    """Rows of values, defaults among them, and the columns that they are for."""
    for row in rows:
        for position, item in enumerate(named):
            row[position] = _checked(scope, relation, item, row[position], override)
    extra = _unnamed(scope, relation, named)
    columns = [item for item in named if not item.generated] + extra
    lists = []
    for row in rows:
        given = {
            item.attnum: node if node is not None else default_value(scope, relation, item)
            for item, node in zip(named, row, strict=True)
            if not item.generated
        }
        given.update({item.attnum: default_value(scope, relation, item) for item in extra})
        lists.append([stored(scope, relation, item, given[item.attnum], given) for item in columns])
    if not columns:
        columns = [next((item for item in relation.columns if not item.generated), NO_COLUMN)]
        lists = [[typed(exp.Null(), columns[0].type_oid)] for _ in lists]
    return columns, lists


def single_row(
    scope: Scope, relation: Relation, targets: list[Node] | None, values: Node | None, clause: Node
) -> tuple[list[Column], list[exp.Expr]]:
    """The row that MERGE … INSERT makes: its columns and their values. `values`: a List node, None for DEFAULT VALUES."""
    named, places = _named_columns(relation, targets)
    row: Row = []
    if values is None:
        named.clear()
    else:
        (made,) = values_rows(scope, [values], allow_default=True)
        _check_count(named, len(made), made, {"cols": targets})
        del named[len(made) :]
        row = _assigned_row(scope, relation, named, places, made)
        named = list(dict.fromkeys(named))
    columns, lists = _values_lists(scope, relation, named, [row], clause.get("override", "OVERRIDING_NOT_SET"))
    return columns, lists[0]


def finished(scope: Scope, relation: Relation, columns: list[Column], source: exp.Select) -> tuple[list[Column], exp.Expr]:
    """A source whose values are final, with what the server computes over the new row and its checks."""
    if not needs_row(scope, relation):
        return columns, source
    return _over_rows(scope, relation, columns, (source, [item.alias for item in source.expressions]))


def _unnamed(scope: Scope, relation: Relation, named: list[Column]) -> list[Column]:
    """The columns that SQLite must be given although the statement does not name them: with a default, of a domain, or its rowid."""
    catalog = scope.analysis.catalog
    return [
        item
        for item in relation.columns
        if item not in named
        and not item.generated
        and (item.default is not None or item.identity or is_rowid(relation, item) or catalog.type(item.type_oid).kind == "d")
    ]


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
        node: exp.Expr = column(alias, present[item.attnum]) if item.attnum in present else exp.Null()
        typed(node, item.type_oid, item.typmod)
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
    for item in _unnamed(scope, relation, named):
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
    return finished(scope, relation, columns, select)


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
    partly: set[int] = set()  # columns of which parts were assigned
    for node in nodes:
        value = node["ResTarget"]
        item = _set_column(scope, relation, value)
        steps = value.get("indirection", [])
        if item.attnum in found and not (steps and item.attnum in partly):
            raise SqlError(codes.SYNTAX_ERROR, f'multiple assignments to same column "{item.name}"')
        source = value["val"]
        if "MultiAssignRef" in source:
            source = _multi_source(scope, source["MultiAssignRef"])
        if "SetToDefault" in source:
            _refuse_default(steps, value.get("location"))
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
        if steps:
            current = found[item.attnum] if item.attnum in partly else _current(scope, relation, item)
            made = parts.assign(
                scope, Place(item.name, item.type_oid, item.typmod, current, value.get("location")), steps, made
            )
            partly.add(item.attnum)
        found[item.attnum] = coerce_assigned(scope, relation, item, made)
    return {attnum: node for attnum, node in found.items() if not _is_generated(relation, attnum)}


def _expanded(scope: Scope, argument: Node) -> list[Node]:
    """`v.*` in a ROW as one reference for each of its columns."""
    reference = argument.get("ColumnRef")
    if reference is None or "A_Star" not in reference["fields"][-1]:
        return [argument]
    table = reference["fields"][:-1]
    return [
        {"ColumnRef": {**reference, "fields": [*table, {"String": {"sval": target.name}}]}}
        for target in expand_star(scope, reference)
    ]


def _set_column(scope: Scope, relation: Relation, value: Node) -> Column:
    """The column that SET names. Raises 42703."""
    try:
        return find_column(relation, value["name"], value.get("location"))
    except SqlError as error:
        if value.get("indirection") and any(one.entry.target and one.entry.name == value["name"] for one in scope.items):
            error.hint = "SET target columns cannot be qualified with the relation name."
        raise


def _current(scope: Scope, relation: Relation, item: Column) -> exp.Expr:
    """What the column of the row that is updated holds."""
    for other in scope.items:
        for one in other.entry.columns if other.entry.target or other.entry.relation is relation else ():
            if (one.table_oid, one.attnum) == (relation.oid, item.attnum):
                return use(one, None)
    raise AssertionError("an update without its relation in scope")


def _refuse_default(steps: list[Node], location: int | None) -> None:
    if steps:
        what = "an array element" if "A_Indices" in steps[-1] else "a subfield"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot set {what} to DEFAULT", location=location)


def _is_generated(relation: Relation, attnum: int) -> bool:
    return any(item.attnum == attnum and item.generated for item in relation.columns)


def _multi_source(scope: Scope, reference: Node) -> Node:
    """One column's part of `(a, b) = source`."""
    source, position = reference["source"], int(reference["colno"])
    if "RowExpr" in source:
        arguments: list[Node] = []
        for argument in source["RowExpr"].get("args", []):
            arguments += _expanded(scope, argument)
        if len(arguments) != reference["ncolumns"]:
            raise SqlError(
                codes.SYNTAX_ERROR,
                "number of columns does not match number of values",
                location=source["RowExpr"].get("location"),
            )
        return arguments[position - 1]
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

"""ON CONFLICT: which unique index arbitrates, and what happens instead of the INSERT (infer_arbiter_indexes)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.from_clause import compute_virtual, relation_columns, stored_column
from translator.analyze.program import substitute
from translator.analyze.scope import Entry, EntryColumn, Item, Scope
from translator.analyze.view_target import Target
from translator.analyze.writes import assign, enforced_checks, generated_values
from translator.catalog import Index, Relation
from translator.errors import SqlError
from translator.parser import parse_expressions

Node = dict[str, Any]


def transform(scope: Scope, target: Target, value: Node) -> exp.OnConflict:
    """An OnConflictClause."""
    update = value["action"] == "ONCONFLICT_UPDATE"
    tree = exp.OnConflict(action=exp.Var(this="DO UPDATE" if update else "DO NOTHING"))
    inferred = _inferred(scope, target, value.get("infer"), update=update, location=value.get("location"))
    if update:
        _set_update(scope, target, value, tree)
    # only the planner looks for an index
    index = _arbiter(scope, target, value.get("infer"), inferred)
    if index is not None:
        tree.set("conflict_keys", _keys(scope, target.relation, index))
        if index.predicate is not None:
            tree.set("index_predicate", exp.Where(this=_own(scope, target.relation, index.predicate)))
    return tree


def _set_update(scope: Scope, target: Target, value: Node, tree: exp.OnConflict) -> None:
    """DO UPDATE: what is set, over the row that is there and the one that was to be inserted."""
    from translator.analyze import insert
    from translator.analyze.expressions import transform_condition

    relation, entry = target.relation, target.entry
    scope.items = [Item(target.visible), Item(_excluded(scope, target), by_column=False)]
    target.check_assignable([node["ResTarget"]["name"] for node in value["targetList"]], "INSERT")
    assigned = insert.assignments(scope, target.naming, value["targetList"], "UPDATE")
    assigned.update(generated_values(scope, relation, entry, assigned))
    tree.set("expressions", [assign(scope, relation, entry, attnum, assigned) for attnum in assigned])
    where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE") if value.get("whereClause") else None
    for check in enforced_checks(scope, relation, entry, assigned):
        where = check if where is None else exp.And(this=exp.Paren(this=where), expression=check)
    if where is not None:
        tree.set("where", exp.Where(this=where))
    scope.items = [Item(target.visible)]


def _excluded(scope: Scope, target: Target) -> Entry:
    """The row that was to be inserted, with the columns that the statement sees."""
    base = Entry("excluded", relation_columns(scope.analysis.catalog, target.relation, "excluded"), "excluded", target.relation)
    compute_virtual(scope, target.relation, base, native=False)
    if target.visible is target.entry:
        return base
    return replace(
        base, columns=_over(target, base.columns), relation=target.visible.relation, row_type=target.visible.row_type
    )


def _over(target: Target, columns: list[EntryColumn]) -> list[EntryColumn]:
    """The columns that the statement sees, over these columns of the table."""
    if target.visible is target.entry:
        return columns
    nodes = {one.attnum: one.node for one in columns}

    def moved(part: exp.Column) -> exp.Expr | None:
        found = nodes.get(part.meta.get("column", (0, 0))[1]) if part.table == target.entry.sql_alias else None
        return None if found is None else found.copy()

    return [replace(one, node=substitute(one.node.copy(), moved)) for one in target.visible.columns]


@dataclass(frozen=True, slots=True)
class Inferred:
    """A conflict target: columns of the table, printed expressions, and its WHERE."""

    columns: list[int]
    expressions: list[str]
    where: exp.Expr | None


def _arbiter(scope: Scope, target: Target, infer: Node | None, inferred: Inferred) -> Index | None:
    """The unique index that the conflict target names. Raises 42P10, 42704, 55000."""
    relation = target.relation
    if infer is None:
        for index in relation.indexes:
            _refuse_deferrable(relation, index)
        return None
    if infer.get("conname"):
        return _refuse_deferrable(relation, _by_constraint(target.visible.relation or relation, infer["conname"]))
    for index in relation.indexes:
        if not index.unique:
            continue
        if sorted(number for number in index.columns if number) != sorted(inferred.columns):
            continue
        if sorted({_normal(scope, relation, text) for text in index.expressions}) != sorted(set(inferred.expressions)):
            continue
        if index.predicate is None or _implied(scope, relation, index.predicate, inferred.where):
            return _refuse_deferrable(relation, index)
    raise SqlError(
        codes.INVALID_COLUMN_REFERENCE,
        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
    )


def _refuse_deferrable(relation: Relation, index: Index) -> Index:
    """What arbitrates must be unique at every moment (ExecCheckIndexConstraints)."""
    if index.unique and not index.immediate:
        raise SqlError(
            codes.OBJECT_NOT_IN_PREREQUISITE_STATE,
            "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters",
            schema=relation.schema,
            table=relation.name,
            constraint=index.name,
        )
    return index


def _implied(scope: Scope, relation: Relation, predicate: str, where: exp.Expr | None) -> bool:
    """Whether the inference clause's WHERE has all that the index's predicate demands (predicate_implied_by, its simple part)."""
    if where is None:
        return False
    if where.find(exp.Parameter) is not None:
        return True  # PostgreSQL plans with the values, which are not known here; a wrong guess fails when the row is written
    given = {_print(part) for part in _conjuncts(where)}
    return all(_print(part) in given for part in _conjuncts(_own(scope, relation, predicate)))


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    return [*_conjuncts(node.this), *_conjuncts(node.expression)] if isinstance(node, exp.And) else [node]


def _by_constraint(relation: Relation, name: str) -> Index:
    for constraint in relation.constraints:
        if constraint.name == name and constraint.kind in ("p", "u"):
            found = next((index for index in relation.indexes if index.oid == constraint.index), None)
            if found is not None:
                return found
        if constraint.name == name:
            raise SqlError(codes.WRONG_OBJECT_TYPE, "constraint in ON CONFLICT clause has no associated index")
    raise SqlError(codes.UNDEFINED_OBJECT, f'constraint "{name}" for table "{relation.name}" does not exist')


def _inferred(scope: Scope, target: Target, infer: Node | None, *, update: bool, location: int | None) -> Inferred:
    """The columns and expressions of a conflict target (transformOnConflictArbiter). Raises 42601, 42703."""
    if infer is None and update:
        raise SqlError(
            codes.SYNTAX_ERROR,
            "ON CONFLICT DO UPDATE requires inference specification or constraint name",
            hint="For example, ON CONFLICT (column_name).",
            location=location,
        )
    own = relation_columns(scope.analysis.catalog, target.relation)
    entry = Entry(target.visible.name, _over(target, own), "", target.visible.relation)
    columns: list[int] = []
    expressions: list[str] = []
    for node in (infer or {}).get("indexElems", ()):
        element = node["IndexElem"]
        named = {
            "ColumnRef": {"fields": [{"String": {"sval": element.get("name")}}], "location": (infer or {}).get("location")}
        }
        made = _in(scope, entry, named if element.get("name") else element["expr"])
        number = made.meta.get("column", (0, 0))[1] if isinstance(made, exp.Column) else 0
        if number:
            columns.append(number)
        else:
            expressions.append(_print(made))
    where = (infer or {}).get("whereClause")
    return Inferred(list(dict.fromkeys(columns)), expressions, None if where is None else _in(scope, entry, where))


def _normal(scope: Scope, relation: Relation, text: str) -> str:
    (node,) = parse_expressions(text)
    return _print(_transformed(scope, relation, node))


def _print(node: exp.Expr) -> str:
    return repr(node)


def _transformed(scope: Scope, relation: Relation, node: Node) -> exp.Expr:
    columns = relation_columns(scope.analysis.catalog, relation)
    return _in(scope, Entry(relation.name, columns, relation.name, relation), node)


def _in(scope: Scope, entry: Entry, node: Node) -> exp.Expr:
    from translator.analyze.expressions import transform_in

    inner = Scope(scope.analysis)
    inner.add(entry)
    made = transform_in(inner, node, "index expressions")
    for part in made.find_all(exp.Anonymous):
        part.meta["persistent"] = True  # SQLite compares the text with that of the index
    return made


def _own(scope: Scope, relation: Relation, text: str) -> exp.Expr:
    (node,) = parse_expressions(text)
    return _transformed(scope, relation, node)


def _keys(scope: Scope, relation: Relation, index: Index) -> list[exp.Expr]:
    """The index's columns and expressions, as SQLite's conflict target lists them."""
    names = {item.attnum: item for item in relation.columns}
    texts = iter(index.expressions)
    keys: list[exp.Expr] = []
    for number in index.columns:
        if number:
            keys.append(stored_column(scope.analysis.catalog, names[number]))
        else:
            keys.append(_own(scope, relation, next(texts)))
    return keys

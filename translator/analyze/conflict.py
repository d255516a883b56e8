"""ON CONFLICT: which unique index arbitrates, and what happens instead of the INSERT (infer_arbiter_indexes)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.from_clause import compute_virtual, relation_columns, stored_column
from translator.analyze.scope import Entry, Item, Scope
from translator.analyze.writes import assign, enforced_checks, generated_values
from translator.catalog import Index, Relation
from translator.errors import SqlError
from translator.parser import parse_expressions

Node = dict[str, Any]


def transform(scope: Scope, relation: Relation, entry: Entry, value: Node) -> exp.OnConflict:
    """An OnConflictClause."""
    from translator.analyze import insert
    from translator.analyze.expressions import transform_condition

    update = value["action"] == "ONCONFLICT_UPDATE"
    index = _arbiter(scope, relation, value.get("infer"), update=update, location=value.get("location"))
    tree = exp.OnConflict(action=exp.Var(this="DO UPDATE" if update else "DO NOTHING"))
    if index is not None:
        tree.set("conflict_keys", _keys(scope, relation, index))
        if index.predicate is not None:
            tree.set("index_predicate", exp.Where(this=_own(scope, relation, index.predicate)))
    if not update:
        return tree
    excluded = Entry("excluded", relation_columns(scope.analysis.catalog, relation, "excluded"), "excluded", relation)
    compute_virtual(scope, relation, excluded, native=False)
    scope.items = [Item(entry), Item(excluded, by_column=False)]
    assigned = insert.assignments(scope, relation, value["targetList"], "UPDATE")
    assigned.update(generated_values(scope, relation, entry, assigned))
    tree.set("expressions", [assign(scope, relation, entry, attnum, assigned) for attnum in assigned])
    where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE") if value.get("whereClause") else None
    for check in enforced_checks(scope, relation, entry, assigned):
        where = check if where is None else exp.And(this=exp.Paren(this=where), expression=check)
    if where is not None:
        tree.set("where", exp.Where(this=where))
    scope.items = [Item(entry)]
    return tree


def _arbiter(scope: Scope, relation: Relation, infer: Node | None, *, update: bool, location: int | None) -> Index | None:
    """The unique index that the conflict target names. Raises 42P10, 42704, 42601."""
    if infer is None:
        if update:
            raise SqlError(
                codes.SYNTAX_ERROR,
                "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                hint="For example, ON CONFLICT (column_name).",
                location=location,
            )
        for index in relation.indexes:
            _refuse_deferrable(relation, index)
        return None
    if infer.get("conname"):
        return _refuse_deferrable(relation, _by_constraint(relation, infer["conname"]))
    columns, expressions = _inferred(scope, relation, infer)
    for index in relation.indexes:
        if not index.unique:
            continue
        if sorted(number for number in index.columns if number) != sorted(columns):
            continue
        if sorted({_normal(scope, relation, text) for text in index.expressions}) != sorted(set(expressions)):
            continue
        if index.predicate is None or _implied(scope, relation, index.predicate, infer.get("whereClause")):
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


def _implied(scope: Scope, relation: Relation, predicate: str, where: Node | None) -> bool:
    """Whether the inference clause's WHERE has all that the index's predicate demands (predicate_implied_by, its simple part)."""
    if where is None:
        return False
    made = _transformed(scope, relation, where)
    if made.find(exp.Parameter) is not None:
        return True  # PostgreSQL plans with the values, which are not known here; a wrong guess fails when the row is written
    given = {_print(part) for part in _conjuncts(made)}
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


def _inferred(scope: Scope, relation: Relation, infer: Node) -> tuple[list[int], list[str]]:
    from translator.analyze.writes import find_column

    columns, expressions = [], []
    for node in infer["indexElems"]:
        element = node["IndexElem"]
        if element.get("name"):
            columns.append(find_column(relation, element["name"], infer.get("location")).attnum)
        else:
            expressions.append(_print(_transformed(scope, relation, element["expr"])))
    return list(dict.fromkeys(columns)), expressions


def _normal(scope: Scope, relation: Relation, text: str) -> str:
    (node,) = parse_expressions(text)
    return _print(_transformed(scope, relation, node))


def _print(node: exp.Expr) -> str:
    return repr(node)


def _transformed(scope: Scope, relation: Relation, node: Node) -> exp.Expr:
    from translator.analyze.expressions import transform_in

    inner = Scope(scope.analysis)
    inner.add(Entry(relation.name, relation_columns(scope.analysis.catalog, relation), relation.name, relation))
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

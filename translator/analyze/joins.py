"""JOIN: ON, USING, NATURAL, and the columns a join merges (the JoinExpr branch of transformFromClauseItem)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze import operators
from translator.analyze.coerce import coerce_to_boolean, coerce_to_common, select_common_type, select_common_typmod
from translator.analyze.form import JoinForm, RangeForm, alias_of, rename
from translator.analyze.from_clause import Source, alias_columns, transform_item
from translator.analyze.scope import Entry, EntryColumn, Item, Scope, check_names, hide_columns, use
from translator.errors import SqlError
from translator.typed import type_of, typed

Node = dict[str, Any]

_SIDES = {"JOIN_INNER": "", "JOIN_LEFT": "LEFT", "JOIN_RIGHT": "RIGHT", "JOIN_FULL": "FULL"}


def transform_join(scope: Scope, value: Node) -> Source:
    """A JoinExpr: the join tree, and its two sides' items without the columns that USING merged."""
    kind = value.get("jointype", "JOIN_INNER")
    left = transform_item(scope, value["larg"])
    # the right side may refer to the left one, LATERAL and for INNER and LEFT joins only
    lateral_ok = kind in ("JOIN_INNER", "JOIN_LEFT")
    for item in left.items:
        item.lateral_only, item.lateral_ok = True, lateral_ok
    before = len(scope.items)
    scope.items += left.items
    right = transform_item(scope, value["rarg"])
    del scope.items[before:]
    check_names(left.items, right.items)
    for side, kinds in ((left, ("JOIN_RIGHT", "JOIN_FULL")), (right, ("JOIN_LEFT", "JOIN_FULL"))):
        for item in side.items if kind in kinds else ():
            item.entry.nullable = True
    for item in left.items:
        item.lateral_only, item.lateral_ok = False, True
    using = _using_names(value, left, right)
    condition, merged = _using(scope, using, left, right, kind)
    form = _form(scope, value, merged, left, right)
    items = left.items + right.items
    for item in items:
        item.joined = True
    if value.get("quals"):
        condition = _on(scope, value["quals"], items)
        if form is not None:
            form.condition = condition
    elif using:
        hidden = set(using)
        items = [Item(Entry("", merged, kind="join"), by_name=False), *(hide_columns(item, hidden) for item in items)]
        if value.get("join_using_alias"):
            entry = Entry(value["join_using_alias"]["aliasname"], [_copy(column) for column in merged], kind="join")
            item = Item(entry, by_column=False)
            check_names([item], items)
            items.append(item)
    tree = _join_tree(left.tree, right.tree, _SIDES[kind], condition)
    return Source(tree, _aliased(value, items, form) if value.get("alias") else items, form)


def _copy(column: EntryColumn) -> EntryColumn:
    return EntryColumn(column.name, column.node, column.table_oid, column.attnum)


def _aliased(value: Node, items: list[Item], form: JoinForm | None) -> list[Item]:
    """`(a JOIN b) AS j`: only j is visible."""
    columns = [_copy(column) for item in items if item.by_column for column in item.visible_columns()]
    entry = Entry(value["alias"]["aliasname"], columns, kind="join")
    if form is not None:
        entry.form = form.range
        for number, each in enumerate(columns, 1):
            rename(each, form.range.key, number)
    alias_columns(entry, value["alias"])
    return [Item(entry)]


def _using_names(value: Node, left: Source, right: Source) -> list[str]:
    if value.get("isNatural"):
        right_names = [column.name for item in right.items if item.by_column for column in item.visible_columns()]
        left_names = [column.name for item in left.items if item.by_column for column in item.visible_columns()]
        return [name for name in dict.fromkeys(left_names) if name in right_names]
    names = [part["String"]["sval"] for part in value.get("usingClause", ())]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise SqlError(codes.DUPLICATE_COLUMN, f'column name "{name}" appears more than once in USING clause')
    return names


def _form(scope: Scope, value: Node, merged: list[EntryColumn], left: Source, right: Source) -> JoinForm | None:
    """The form of a join; merged columns that are neither side's become columns of the join itself (buildMergedJoinVar)."""
    if left.form is None or right.form is None:
        return None
    using = [each.name for each in merged]
    alias, aliases = alias_of(value)
    key = scope.analysis.alias("join")
    one, two = (
        [each.name for item in side.items if item.by_column for each in item.visible_columns()] for side in (left, right)
    )
    sides: list[tuple[int | None, int | None]] = [(one.index(name), two.index(name)) for name in using]
    sides += [(place, None) for place, name in enumerate(one) if name not in using]
    sides += [(None, place) for place, name in enumerate(two) if name not in using]
    names = [*using, *(name for name in [*one, *two] if name not in using)]
    columns = RangeForm(
        "join", key, [f"c{number}" for number in range(1, len(names) + 1)], names, alias, "unnamed_join", aliases
    )
    using_alias = value["join_using_alias"]["aliasname"] if value.get("join_using_alias") else None
    own = [number for number, each in enumerate(merged, 1) if not each.of_side]
    for number in own:
        rename(merged[number - 1], key, number)
    kind = value.get("jointype", "JOIN_INNER")
    return JoinForm(left.form, right.form, kind, None, using, columns, sides, bool(own), using_alias)


def _using(scope: Scope, names: list[str], left: Source, right: Source, kind: str) -> tuple[exp.Expr | None, list[EntryColumn]]:
    """The equalities that USING stands for, and the merged columns (transformJoinUsingClause, buildMergedJoinVar)."""
    from translator.analyze.expressions import connect

    analysis = scope.analysis
    conditions: list[exp.Expr] = []
    merged: list[EntryColumn] = []
    for name in names:
        one, two = _side(left, name, "left"), _side(right, name, "right")
        equal = operators.make(analysis, ["="], [use(one, None), use(two, None)], None)
        conditions.append(coerce_to_boolean(analysis, equal, "JOIN/USING"))
        both = [use(one, None), use(two, None)]
        common = select_common_type(analysis, both, "JOIN/USING")
        typmod = select_common_typmod(both, common)
        first, second = (coerce_to_common(analysis, node, common, "JOIN/USING") for node in both)
        if kind == "JOIN_FULL":
            node: exp.Expr = typed(exp.Coalesce(this=first, expressions=[second]), common, typmod)
            merged.append(EntryColumn(name, node))
        else:
            chosen, source = (second, two) if kind == "JOIN_RIGHT" else (first, one)
            same = type_of(source.node) == common
            merged.append(
                EntryColumn(name, chosen, source.table_oid if same else 0, source.attnum if same else 0, of_side=same)
            )
    return (connect(exp.And, conditions) if conditions else None), merged


def _side(source: Source, name: str, side: str) -> EntryColumn:
    found = [column for item in source.items if item.by_column for column in item.visible_columns() if column.name == name]
    if not found:
        raise SqlError(codes.UNDEFINED_COLUMN, f'column "{name}" specified in USING clause does not exist in {side} table')
    if len(found) > 1:
        raise SqlError(codes.AMBIGUOUS_COLUMN, f'common column name "{name}" appears more than once in {side} table')
    return found[0]


def _on(scope: Scope, node: Node, items: list[Item]) -> exp.Expr:
    """ON sees the two sides of its join, and LATERAL's outer levels; not its FROM neighbours."""
    from translator.analyze.expressions import transform_condition

    outer = scope.items
    scope.items = items
    condition = transform_condition(scope, node, "JOIN conditions", "JOIN/ON")
    scope.items = outer
    return condition


def _join_tree(left: exp.Expr, right: exp.Expr, side: str, condition: exp.Expr | None) -> exp.Expr:
    """Append the join to the left item; a right side that has joins of its own goes into parentheses."""
    if right.args.get("joins"):
        right = exp.Subquery(this=right)
    join = exp.Join(this=right)
    if side:
        join.set("side", side)
    if condition is not None:
        join.set("on", condition)
    elif side:
        join.set("on", typed(exp.Boolean(this=True), 16))
    else:
        join.set("kind", "CROSS")
    left.append("joins", join)
    return left

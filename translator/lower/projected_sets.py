"""Set-returning functions in a select list: what PostgreSQL's ProjectSet nodes do, with lateral FROM items.

PostgreSQL evaluates a set as late as possible: below GROUP BY if it is grouped by, below the window functions if one of
them sorts or partitions by it, above all of them otherwise (split_pathtarget_at_srfs). Where sets must be evaluated above
what the SELECT itself does, the SELECT goes into a subquery. Sets within arguments of sets run first; those of one depth
run in lockstep, the shorter ones padded with NULLs (manual, "SQL Functions Returning Sets").
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, reference, select, table_function
from translator.typed import call, column, type_of, typed

Test = Callable[[exp.Expr], bool]


def set_returning_targets(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Expand the sets of every select list.

    before: SELECT a, unnest(b) FROM t
    after:  SELECT t.a, s.c1 FROM t CROSS JOIN pg_array_unnest(t.b) AS s

    before: SELECT a, generate_series(1, count(*)) FROM t GROUP BY a
    after:  SELECT p.v1, s.c1 FROM (SELECT t.a AS v1, count(*) AS v2 FROM t GROUP BY t.a) AS p
            CROSS JOIN pg_generate_series_int8(1, p.v2) AS s
    """
    for node in list(tree.find_all(exp.Select)):
        if not node.meta.get("has_sets"):
            continue
        node.meta["has_sets"] = False
        made = _project(node, lowering)
        if node is tree:
            tree = made
    return tree


def _project(node: exp.Select, lowering: Lowering) -> exp.Select:
    _group_by_sets(node, lowering)
    windows = [part for place in _places(node) for part in place.find_all(exp.Window) if part.parent_select is node]
    sets = [part for window in windows for part in _own_sets(window)]
    if sets:
        node = _split(node, lowering, lambda part: isinstance(part, exp.Window) or _is_set(part))
        wanted = [part for place in _places(node) for window in place.find_all(exp.Window) for part in _own_sets(window)]
        _expand(node, lowering, lambda part: part in wanted)
    if not any(_own_sets(place) for place in _places(node)):
        return node
    if windows or node.meta.get("grouped"):
        node = _split(node, lowering, _is_set)
    _expand(node, lowering, _is_set)
    return node


def _is_set(node: exp.Expr) -> bool:
    proc = node.meta.get("proc") if isinstance(node, exp.Anonymous) else None
    return proc is not None and proc.returns_set


def _own_sets(place: exp.Expr) -> list[exp.Expr]:
    """The sets in an expression of a select list, without those of subqueries in it."""
    level = place.parent_select
    return [part for part in place.find_all(exp.Anonymous) if _is_set(part) and part.parent_select is level]


def _places(node: exp.Select) -> list[exp.Expr]:
    """Where a SELECT may have sets once its GROUP BY is done: the select list, ORDER BY, DISTINCT ON."""
    order, distinct = node.args.get("order"), node.args.get("distinct")
    chosen = distinct.args.get("on") if distinct is not None else None
    return [
        *node.expressions,
        *(order.expressions if order is not None else ()),
        *(chosen.expressions if chosen is not None else ()),
    ]


# ------------------------------------------------------------------ sets as FROM items


def _group_by_sets(node: exp.Select, lowering: Lowering) -> None:
    """Sets that are grouped by become FROM items of the SELECT itself; the grouped expressions then have none left."""
    group = node.args.get("group")
    if group is None or not any(_own_sets(item) for item in group.expressions):
        return
    before = [item.copy() for item in group.expressions]
    sets = [part.copy() for item in group.expressions for part in _own_sets(item)]
    _expand(node, lowering, lambda part: part in sets, list(group.expressions))
    after = node.args["group"].expressions
    having = [node.args["having"]] if node.args.get("having") is not None else []
    for place in [*_places(node), *having]:
        for part in list(place.walk()):
            if part in before and part.parent is not None:
                part.replace(after[before.index(part)].copy())


def _expand(node: exp.Select, lowering: Lowering, chosen: Test, places: list[exp.Expr] | None = None) -> None:
    """Put the chosen sets into FROM, the innermost first, and their columns where they stood."""
    while True:
        standing = [
            part
            for place in (_places(node) if places is None else places)
            for part in _own_sets(place)
            if chosen(part) and not any(inner is not part for inner in _own_sets_within(part))
        ]
        if not standing:
            return
        name = lowering.alias("set")
        sets: list[exp.Expr] = []
        widths: list[int] = []
        for part in standing:
            volatile = part.meta["proc"].volatility == "v" and part.find_ancestor(exp.Ordered) is None
            if volatile or part not in sets:
                sets.append(part.copy())
                widths.append(len(_fields(part, lowering) or [1]))
            place = len(sets) - 1 if volatile else sets.index(part)
            _replace(part, name, sum(widths[:place]) + 1, lowering, node)
        source = table_function(_in_lockstep(sets, widths), name)
        if node.args.get("from_") is None:
            node.set("from_", exp.From(this=source))
        else:
            # the sets run inside the loop over the rows, as PostgreSQL's do: SQLite does not reorder a CROSS JOIN
            node.append("joins", exp.Join(this=source, kind="CROSS"))


def _own_sets_within(part: exp.Expr) -> list[exp.Expr]:
    level = part.parent_select
    return [inner for inner in part.find_all(exp.Anonymous) if _is_set(inner) and inner.parent_select is level]


def _in_lockstep(sets: list[exp.Expr], widths: list[int]) -> exp.Expr:
    this = sets[0] if len(sets) == 1 else call("set:rows_from", *sets)
    this.meta["widths"] = widths
    return this


def _fields(part: exp.Expr, lowering: Lowering) -> list[tuple[str, int]] | None:
    """Name and type of the columns of a set of rows; None for a set of single values."""
    if part.this in ("sql:rows", "array_unnest"):
        return None
    if "field_names" in part.meta:
        return list(zip(part.meta["field_names"], part.meta["field_types"], strict=True))
    catalog = lowering.analysis.catalog
    row = catalog.type_by_oid(catalog.base_type(type_of(part)))
    relation = catalog.relation_by_oid(row.relation) if row is not None and row.relation else None
    return [(item.name, item.type_oid) for item in relation.columns] if relation is not None else None


def _replace(part: exp.Expr, name: str, first: int, lowering: Lowering, node: exp.Select) -> None:
    """Put the set's column where the set stands; of a set of rows a field, or all of them as one row."""
    fields = _fields(part, lowering)
    made: exp.Expr
    if fields is None:
        made = typed(column(name, f"c{first}"), type_of(part))
    elif isinstance(part.parent, exp.Anonymous) and part.parent.this == "row:field":
        part = part.parent
        made = typed(column(name, f"c{first + int(part.expressions[1].this) - 1}"), type_of(part))
    else:
        made = call(
            "row:construct", *[typed(column(name, f"c{first + place}"), oid) for place, (_, oid) in enumerate(fields)]
        )
        made.meta["names"] = tuple(label for label, _ in fields)
        typed(made, type_of(part))
    part.replace(made)


# ------------------------------------------------------------------ a SELECT in two


def _split(node: exp.Select, lowering: Lowering, stays: Test) -> exp.Select:
    """Compute in a subquery what does not depend on the expressions that stay; gives the outer SELECT, which has these."""
    name = lowering.alias("projected")
    inner: list[exp.Expr] = []

    def lift(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Literal | exp.Null | exp.Boolean | exp.Parameter | exp.Star):
            return part.copy()
        if "type" in part.meta and not any(stays(one) and one.parent_select is node for one in part.walk()):
            known = next((place for place, one in enumerate(inner) if one == part and _is_plain(one)), None)
            if known is None:
                inner.append(part.copy())
                known = len(inner) - 1
            return reference(name, f"v{known + 1}", part)
        copy = part.copy()
        children = list(zip(copy.iter_expressions(), part.iter_expressions(), strict=True))
        for mine, original in children:
            mine.replace(lift(original))
        return copy

    outer = select([alias(lift(item.this), item.alias) for item in node.expressions])
    outer.meta["grouped"] = False
    order = node.args.get("order")
    if order is not None:
        outer.set("order", exp.Order(expressions=[_sorted(item, outer, lift) for item in order.expressions]))
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        on = exp.Tuple(expressions=[lift(item) for item in distinct.args["on"].expressions])
        distinct = exp.Distinct(on=on)
    outer.set("distinct", distinct)
    for clause in ("limit", "offset", "with_"):
        outer.set(clause, node.args.get(clause))
        node.set(clause, None)
    node.set("order", None)
    node.set("distinct", None)
    for key in ("with_ties", "scalar"):
        if node.meta.pop(key, None):
            outer.meta[key] = True
    if node.parent is not None:
        node.replace(outer)
    node.set("expressions", [alias(part, f"v{place}") for place, part in enumerate(inner, 1)])
    outer.set("from_", exp.From(this=derived(node, name)))
    return outer


def _is_plain(node: exp.Expr) -> bool:
    """Whether two equal expressions are certainly one value."""
    return isinstance(node, exp.Column) or bool(node.meta.get("aggregate"))


def _sorted(item: exp.Expr, outer: exp.Select, lift: Callable[[exp.Expr], exp.Expr]) -> exp.Ordered:
    position = item.meta.get("position")
    target = lift(item.this) if position is None else outer.expressions[position].this.copy()
    made = exp.Ordered(this=target, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first"))
    if position is not None:
        made.meta["position"] = position
    return made

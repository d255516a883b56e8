"""Set-returning functions in a select list: what PostgreSQL's ProjectSet nodes do, with lateral FROM items.

PostgreSQL evaluates a set as late as possible: below GROUP BY if it is grouped by, below the window functions if one of
them sorts or partitions by it, above all of them otherwise (split_pathtarget_at_srfs). Where sets must be evaluated above
what the SELECT itself does, the SELECT goes into a subquery. Sets within arguments of sets run first; those of one depth
run in lockstep, the shorter ones padded with NULLs (manual, "SQL Functions Returning Sets").
"""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, table_function
from translator.lower.projection import Test, split
from translator.typed import call, column, type_of, typed


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
        inner = node
        node = split(node, lowering, lambda part: isinstance(part, exp.Window) or _is_set_of(part, inner))
        wanted = [part for place in _places(node) for window in place.find_all(exp.Window) for part in _own_sets(window)]
        _expand(node, lowering, lambda part: part in wanted)
    if not any(_own_sets(place) for place in _places(node)):
        return node
    if windows or node.meta.get("grouped"):
        grouped = node
        node = split(node, lowering, lambda part: _is_set_of(part, grouped))
    _expand(node, lowering, _is_set)
    return node


def _is_set(node: exp.Expr) -> bool:
    proc = node.meta.get("proc") if isinstance(node, exp.Anonymous) else None
    return proc is not None and proc.returns_set


def _is_set_of(part: exp.Expr, node: exp.Select) -> bool:
    return _is_set(part) and part.parent_select is node


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
    _expand(node, lowering, lambda part: part in sets, [group])
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
        made = call("row:construct", *[typed(column(name, f"c{first + place}"), oid) for place, (_, oid) in enumerate(fields)])
        made.meta["names"] = tuple(label for label, _ in fields)
        typed(made, type_of(part))
    part.replace(made)

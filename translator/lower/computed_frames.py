"""Window frames that SQLite cannot have, since their offsets are not numbers that are known beforehand.

Such a frame is a subquery: the rows are numbered once, and each row asks for those in its frame. That takes time with the square
of the rows of a partition, so it is done only where it must be: for RANGE with an offset of months, which are not all equally
long, with a parameter that is no integer, and for offsets that are computed.
"""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.analyze.expressions import connect
from translator.errors import unsupported
from translator.functions.window_frames import depends_on_calendar
from translator.lower.lowering import Lowering, alias, derived, native, number, select
from translator.lower.projection import Test, split
from translator.lower.window_frames import FAMILIES, bare, offsets
from translator.typed import call, column, location_of, string, type_of, typed

_FRAME_FUNCTIONS = {"window_first_value", "window_last_value", "window_nth_value"}
# Aggregates whose result depends on the order of the rows.
_ORDERED = ("array_agg(", "string_agg(", "json_", "jsonb_", "xmlagg(")


def computed_frames(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Number the rows, and compute over those of the frame.

    before: SELECT sum(a) OVER (ORDER BY day RANGE '1 month' PRECEDING) FROM t
    after:  WITH f AS MATERIALIZED (SELECT p.*, row_number() OVER w AS "row 1", dense_rank() OVER w AS "group 1" FROM (…) AS p)
            SELECT (SELECT sum(q.v1) FROM f AS q WHERE pg_in_range_date_interval(q.v2, p.v2, '1 month', 1, 0)
                    AND q."group 1" <= p."group 1") FROM f AS p
    """
    if not lowering.analysis.grouped:
        return tree
    for node in list(tree.find_all(exp.Select)):
        if any(_is_computed(window, lowering) for window in _windows(node)):
            outer = split(node, lowering, _computed_windows_of(node, lowering))
            _compute(outer, lowering)
            if node is tree:
                tree = outer
    return tree


def _windows(node: exp.Select) -> list[exp.Window]:
    order = node.args.get("order")
    places = [*node.expressions, *(order.expressions if order is not None else ())]
    return [part for place in places for part in place.find_all(exp.Window) if part.parent_select is node]


def _computed_windows_of(node: exp.Select, lowering: Lowering) -> Test:
    return lambda part: isinstance(part, exp.Window) and part.parent_select is node and _is_computed(part, lowering)


def _is_computed(window: exp.Window, lowering: Lowering) -> bool:
    function = window.this.this if isinstance(window.this, exp.Filter) else window.this
    proc = function.meta.get("proc")
    if proc is not None and proc.kind == "w" and function.this not in _FRAME_FUNCTIONS:
        window.set("spec", None)  # such a function looks at the partition
        return False
    spec = window.args.get("spec")
    if spec is None:
        return False
    for value in offsets(spec):
        offset = bare(value)
        family = FAMILIES[lowering.analysis.catalog.base_type(_sorted_type(window))] if spec.args["kind"] == "RANGE" else "rows"
        if isinstance(offset, exp.Literal | exp.Null):
            if isinstance(offset, exp.Literal) and depends_on_calendar(family, str(offset.this)):
                return True
        elif not isinstance(offset, exp.Parameter) or family not in ("rows", "integer"):
            return True
    return False


def _sorted_type(window: exp.Window) -> int:
    (item,) = window.args["order"].expressions
    return type_of(item.this)


# ------------------------------------------------------------------ the query


def _compute(outer: exp.Select, lowering: Lowering) -> None:
    """`outer` selects from the projection p: p becomes the table of numbered rows, each window a subquery over it."""
    source = outer.args["from_"].this
    base, rows = source.alias, lowering.alias("frame rows")
    inner = lowering.alias("unnumbered")
    numbered: list[exp.Expr] = [exp.Column(this=exp.Star(), table=exp.Identifier(this=inner, quoted=True))]
    for place, window in enumerate(_windows(outer), 1):
        frame = _Frame(window, base, lowering, place)
        numbered += [
            alias(exp.Window(this=native(name), **_renamed_clauses(window, base, inner)), f"{label} {place}")
            for name, label in (("row_number", "row"), ("dense_rank", "group"))
        ]
        made = frame.subquery(rows)
        made.meta.update({key: window.meta[key] for key in ("type", "typmod", "location") if key in window.meta})
        window.replace(made)
    table = exp.Table(this=exp.Identifier(this=rows, quoted=True), alias=_alias(base))
    outer.args["from_"].set("this", table)
    query = select(numbered, derived(source.this, inner))
    cte = exp.CTE(this=query, alias=_alias(rows), materialized=True)
    with_ = outer.args.get("with_")
    if with_ is None:
        outer.set("with_", exp.With(expressions=[cte]))
    else:
        with_.append("expressions", cte)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.Identifier(this=name, quoted=True))


def _renamed_clauses(window: exp.Window, base: str, inner: str) -> dict[str, object]:
    order = window.args.get("order")
    return {
        "partition_by": [_over(item, base, inner) for item in window.args.get("partition_by") or ()],
        "order": _over(order, base, inner) if order is not None else None,
    }


def _over(node: exp.Expr, base: str, name: str) -> exp.Expr:
    """A copy of the expression over another alias of the same rows."""
    copy = node.copy()
    for part in copy.find_all(exp.Column):
        if part.table == base:
            part.set("table", exp.Identifier(this=name, quoted=True))
    return copy


class _Frame:
    """One window's frame. p is the row it is the frame of, q a row that may be in it."""

    def __init__(self, window: exp.Window, base: str, lowering: Lowering, place: int) -> None:
        self._window = window
        self._p = base
        self._q = lowering.alias("framed")
        self._lowering = lowering
        self._place = place

    def subquery(self, rows: str) -> exp.Subquery:
        """The window function over the rows of the frame."""
        call_ = self._window.this
        function = call_.this if isinstance(call_, exp.Filter) else call_
        table = exp.Table(this=exp.Identifier(this=rows, quoted=True), alias=_alias(self._q))
        where = exp.Where(this=connect(exp.And, self._conditions()))
        if function.this not in _FRAME_FUNCTIONS:
            made = select([alias(self._aggregate(call_, function), "value")], table, where=where)
            made.meta["grouped"] = True
            return exp.Subquery(this=made)
        value, *rest = [_over(argument, self._p, self._q) for argument in function.expressions]
        last = function.this == "window_last_value"
        order = exp.Order(expressions=[exp.Ordered(this=self._number(self._q, "row"), desc=last, nulls_first=not last)])
        made = select([alias(value, "value")], table, where=where, order=order, limit=exp.Limit(expression=number(1)))
        if rest:
            if rest[0].find(exp.Column):
                raise unsupported("nth_value of a computed row in a frame with this offset", location_of(function))
            skipped = exp.Add(this=call("guard_nth_value", rest[0]), expression=number(-1))
            made.set("offset", exp.Offset(expression=skipped))
        made.meta["grouped"] = False
        return exp.Subquery(this=made)

    def _aggregate(self, call_: exp.Expr, function: exp.Expr) -> exp.Expr:
        made = _over(call_, self._p, self._q)
        inner = made.this if isinstance(made, exp.Filter) else made
        if str(function.this).startswith(_ORDERED) and inner.expressions:
            row = exp.Ordered(this=self._number(self._q, "row"), desc=False, nulls_first=True)
            inner.set("expressions", [*inner.expressions[:-1], exp.Order(this=inner.expressions[-1], expressions=[row])])
        return made

    def _number(self, table: str, label: str) -> exp.Expr:
        return typed(column(table, f"{label} {self._place}"), oids.INT8)

    def _conditions(self) -> list[exp.Expr]:
        spec = self._window.args["spec"]
        kind = spec.args["kind"]
        conditions: list[exp.Expr] = []
        for item in self._window.args.get("partition_by") or ():
            sides = [self._lowering.key(_over(item, self._p, name)) for name in (self._q, self._p)]
            conditions.append(exp.NullSafeEQ(this=exp.Paren(this=sides[0]), expression=exp.Paren(this=sides[1])))
        for side in ("start", "end"):
            value, word = spec.args.get(side), spec.args.get(f"{side}_side")
            if value == "UNBOUNDED":
                continue
            if not isinstance(value, exp.Expr):  # CURRENT ROW, also where no end is given
                conditions.append(self._bound(side, "row" if kind == "ROWS" else "group", None))
            elif kind == "RANGE":
                conditions.append(self._in_range(side, value, preceding=word == "PRECEDING"))
            else:
                distance = call("frame_offset_rows", string("starting" if side == "start" else "ending"), value.copy())
                conditions.append(
                    self._bound(side, "row" if kind == "ROWS" else "group", distance, preceding=word == "PRECEDING")
                )
        return [*conditions, *self._excluded(spec.args.get("exclude"))] or [exp.Boolean(this=True)]

    def _bound(self, side: str, label: str, distance: exp.Expr | None, *, preceding: bool = True) -> exp.Expr:
        """Q at or behind the start of the frame, or at or before its end, by numbers of rows or groups."""
        limit = self._number(self._p, label)
        if distance is not None:
            distance = exp.Paren(this=distance)
            moved = exp.Paren(this=exp.Neg(this=distance)) if preceding else distance
            limit = exp.Paren(this=exp.Add(this=limit, expression=moved))
        test = exp.GTE if side == "start" else exp.LTE
        return test(this=self._number(self._q, label), expression=limit)

    def _in_range(self, side: str, value: exp.Expr, *, preceding: bool) -> exp.Expr:
        """The in_range function of the sorted type; NULLs are only near each other, and behind or before all others."""
        (item,) = self._window.args["order"].expressions
        descending = bool(item.args.get("desc"))
        p, q = (_over(item.this, self._p, name) for name in (self._p, self._q))
        catalog = self._lowering.analysis.catalog
        names = [catalog.type(catalog.base_type(type_of(one))).name for one in (item.this, value)]
        subtract, less = preceding != descending, (side == "end") != descending
        offset = call("frame_offset_given", string("starting" if side == "start" else "ending"), value.copy())
        test = call(f"in_range_{names[0]}_{names[1]}", q, p, offset, number(int(subtract)), number(int(less)))
        null = connect(exp.Or, [exp.Is(this=exp.Paren(this=one.copy()), expression=exp.Null()) for one in (p, q)])
        return exp.Case(ifs=[exp.If(this=null, true=self._bound(side, "group", None))], default=test)

    def _excluded(self, exclude: exp.Expr | None) -> list[exp.Expr]:
        same_row = exp.EQ(this=self._number(self._q, "row"), expression=self._number(self._p, "row"))
        other_row = exp.NEQ(this=self._number(self._q, "row"), expression=self._number(self._p, "row"))
        other_group = exp.NEQ(this=self._number(self._q, "group"), expression=self._number(self._p, "group"))
        match str(exclude.this) if exclude is not None else "":
            case "CURRENT ROW":
                return [other_row]
            case "GROUP":
                return [other_group]
            case "TIES":
                return [connect(exp.Or, [other_group, same_row])]
        return []

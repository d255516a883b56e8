"""A SELECT in two: the inner one computes what the outer one's expressions are made of.

What PostgreSQL evaluates above grouping and window functions (sets, subqueries that name an aggregate of the query around
them) goes outside, over the columns v1 … vn of the inner SELECT.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, number, reference, select

Test = Callable[[exp.Expr], bool]
# Constructs whose arguments refer to columns that come into being with their lowering.
_WITH_STAND_INS = {"query:any", "query:all", "array:query", "array:any", "array:all", "coerce:array", "sql:rows"}
_CONSTANTS = (exp.Literal, exp.Null, exp.Boolean, exp.Parameter, exp.Star)


def split(node: exp.Select, lowering: Lowering, stays: Test, level: int | None = None) -> exp.Select:
    """Move the SELECT into a subquery of one that has its select list, ORDER BY, DISTINCT and LIMIT; gives the outer one.

    Expressions in which `stays` finds nothing are computed inside. HAVING goes outside, as WHERE, if something stays in it.
    """
    parts = _Projection(node, lowering, stays, level)
    outer = select([alias(parts.lift_target(item.this), item.alias) for item in node.expressions])
    outer.meta["grouped"] = False
    order = node.args.get("order")
    if order is not None:
        outer.set("order", exp.Order(expressions=[_sorted(item, outer, parts) for item in order.expressions]))
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        distinct = exp.Distinct(on=exp.Tuple(expressions=[parts.lift(item) for item in distinct.args["on"].expressions]))
    outer.set("distinct", distinct)
    having = node.args.get("having")
    if having is not None and parts.has_staying(having):
        outer.set("where", exp.Where(this=parts.lift(having.this)))
        node.set("having", None)
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
    node.set("expressions", [alias(part, f"v{place}") for place, part in enumerate(parts.inner, 1)])
    outer.set("from_", exp.From(this=derived(node, parts.name)))
    return outer


def above(node: exp.Select, lowering: Lowering, stays: Test, level: int | None) -> exp.Select:
    """Move the SELECT with ORDER BY and LIMIT into a subquery of one that has only its select list; gives the outer one."""
    parts = _Projection(node, lowering, stays, level)
    outer = select([alias(parts.lift_target(item.this), item.alias) for item in node.expressions])
    outer.meta["grouped"] = False
    outer.set("with_", node.args.get("with_"))
    node.set("with_", None)
    for item in node.args["order"].expressions:
        item.meta.pop("position", None)
    if node.parent is not None:
        node.replace(outer)
    if node.meta.pop("scalar", None):
        outer.meta["scalar"] = True
    node.set("expressions", [alias(part, f"v{place}") for place, part in enumerate(parts.inner, 1)] or [number(1)])
    outer.set("from_", exp.From(this=derived(node, parts.name)))
    return outer


def own_aliases(node: exp.Select) -> set[str]:
    """The aliases of the SELECT's FROM items; they are unique in the whole statement."""
    found: set[str] = set()
    source = node.args.get("from_")
    pending = [source.this] if source is not None else []
    pending += [join.this for join in node.args.get("joins") or ()]
    while pending:
        item = pending.pop()
        pending += [join.this for join in item.args.get("joins") or ()]
        if item.alias:
            found.add(item.alias)
        elif isinstance(item, exp.Subquery):
            pending.append(item.this)
    return found


def is_of_level(node: exp.Expr, level: int | None) -> bool:
    """Whether the node is an aggregate or a GROUPING that belongs to the query level."""
    call = node.this if isinstance(node, exp.Filter) else node
    return level is not None and isinstance(call, exp.Anonymous) and call.meta.get("level") == level


class _Projection:
    """The inner SELECT's columns, as they turn out to be needed."""

    def __init__(self, node: exp.Select, lowering: Lowering, stays: Test, level: int | None) -> None:
        self.name = lowering.alias("projected")
        self.inner: list[exp.Expr] = []
        self._stays = stays
        self._node = node
        self._level = level
        self._own = own_aliases(node)
        group = node.args.get("group")
        self._group = list(group.expressions) if group is not None else []

    def has_staying(self, part: exp.Expr) -> bool:
        return any(self._stays(one) for one in part.walk())

    def lift(self, part: exp.Expr) -> exp.Expr:
        """The expression over the inner SELECT's columns."""
        if isinstance(part, _CONSTANTS):
            return part.copy()
        if "type" in part.meta and not self.has_staying(part):
            return self._column(part)
        if isinstance(part, exp.Query) or (isinstance(part, exp.Anonymous) and part.this in _WITH_STAND_INS):
            return self._lift_inside(part)
        if isinstance(part, exp.Window):
            return self._rebuilt(part, lambda one: self._lift_call(one) if one is part.this else self.lift(one))
        return self._rebuilt(part, self.lift)

    def _lift_call(self, part: exp.Expr) -> exp.Expr:
        """A window function stays; its arguments, and what its FILTER looks at, need not."""
        if isinstance(part, exp.Filter):
            return self._rebuilt(part, lambda one: self._lift_call(one) if one is part.this else self.lift(one))
        return self._rebuilt(part, self.lift)

    def lift_target(self, part: exp.Expr) -> exp.Expr:
        """The same for an entry of the select list, which may be grouped by even if it is a constant."""
        return self._column(part) if any(part == item for item in self._group) else self.lift(part)

    def _lift_inside(self, part: exp.Expr) -> exp.Expr:
        """Within a subquery only what belongs to the outer level is lifted."""
        grouped = any(part == item for item in self._group)
        own = isinstance(part, exp.Column) and part.table in self._own
        window = isinstance(part, exp.Window) and part.parent_select is self._node
        if grouped or own or window or is_of_level(part, self._level):
            return self._column(part)
        return self._rebuilt(part, self._lift_inside)

    def _rebuilt(self, part: exp.Expr, lift: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
        copy = part.copy()
        for mine, original in list(zip(copy.iter_expressions(), part.iter_expressions(), strict=True)):
            mine.replace(lift(original))
        return copy

    def _column(self, part: exp.Expr) -> exp.Expr:
        place = next((place for place, one in enumerate(self.inner, 1) if one == part and _is_plain(one)), None)
        if place is None:
            self.inner.append(part.copy())
            place = len(self.inner)
        return reference(self.name, f"v{place}", part)


def _is_plain(node: exp.Expr) -> bool:
    """Whether two equal expressions are certainly one value."""
    return isinstance(node, exp.Column) or bool(node.meta.get("aggregate"))


def _sorted(item: exp.Expr, outer: exp.Select, parts: _Projection) -> exp.Ordered:
    position = item.meta.get("position")
    target = parts.lift(item.this) if position is None else outer.expressions[position].this.copy()
    made = exp.Ordered(this=target, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first"))
    if position is not None:
        made.meta["position"] = position
    return made

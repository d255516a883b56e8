"""Comparisons that SQLite spells with keywords: IN lists, IS DISTINCT FROM, GREATEST and LEAST."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.analyze.expressions import connect
from translator.lower.lowering import Lowering, alias, derived, is_stored_number, number, raw, select
from translator.typed import call, column, string, type_of, typed

# Types whose values of different width are the same integers or doubles to SQLite.
_FAMILIES = [
    {oids.INT2, oids.INT4, oids.INT8, oids.OID},
    {oids.FLOAT4, oids.FLOAT8},
    {oids.TEXT, oids.VARCHAR, oids.NAME, oids.BPCHAR},
]


def native_sides(node: exp.Expr, lowering: Lowering) -> tuple[exp.Expr, exp.Expr] | None:
    """The two sides of an `=` operator as expressions that SQLite compares rightly, or None for another operator."""
    if not isinstance(node, exp.Anonymous) or node.meta.get("operator") != "=" or len(node.expressions) != 2:
        return None
    left, right = node.expressions
    one, two = (lowering.analysis.catalog.base_type(type_of(side)) for side in (left, right))
    if one != two and not any(one in family and two in family for family in _FAMILIES):
        return None
    if lowering.key_name(one) is not None and (is_stored_number(left) or is_stored_number(right)):
        return _stored(left), _stored(right)
    return lowering.key(left), lowering.key(right)


def _stored(node: exp.Expr) -> exp.Expr:
    return raw(node) if is_stored_number(node) else call("numeric_bracket", node)


def _in_list(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: x IN (1, 2)      n IN (1.5, 2)
    after:  x IN (1, 2)      pg_numeric_sortkey(n) IN (pg_numeric_sortkey('1.5'), pg_numeric_sortkey('2'))
    """
    sample, *rest = node.expressions
    comparisons = [sample, *(_same_comparison(sample, item) for item in rest)]
    sides = [native_sides(comparison, lowering) for comparison in comparisons]
    if any(side is None for side in sides):
        return exp.Paren(this=connect(exp.Or, comparisons))
    return exp.In(this=sides[0][0], expressions=[side[1] for side in sides if side is not None])  # type: ignore[index]


def _same_comparison(sample: exp.Expr, right: exp.Expr) -> exp.Expr:
    made = sample.copy()
    made.set("expressions", [made.expressions[0], right])
    return made


def _distinct(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: a IS DISTINCT FROM b
    after:  a IS NOT b
    """
    (comparison,) = node.expressions
    sides = native_sides(comparison, lowering)
    if sides is not None:
        return exp.Paren(this=exp.NullSafeNEQ(this=exp.Paren(this=sides[0]), expression=exp.Paren(this=sides[1])))
    left, right = comparison.expressions
    # the comparison knows how; NULLs are told apart before it
    nulls = exp.NEQ(this=exp.Paren(this=_is_null(left)), expression=exp.Paren(this=_is_null(right)))
    differs = exp.Is(this=exp.Paren(this=comparison), expression=exp.Boolean(this=False))
    return exp.Paren(this=exp.Or(this=exp.Paren(this=nulls), expression=exp.Paren(this=differs)))


def _is_null(node: exp.Expr) -> exp.Expr:
    return exp.Is(this=exp.Paren(this=node.copy()), expression=exp.Null())


def _extreme(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """GREATEST ignores NULLs, SQLite's max(a, b) does not.

    before: GREATEST(a, b)
    after:  (SELECT v.value FROM (SELECT a AS value UNION ALL SELECT b) AS v
             WHERE NOT v.value IS NULL ORDER BY v.value DESC LIMIT 1)
    """
    name = lowering.alias("extreme")
    values: exp.Expr = select([alias(node.expressions[0], "value")])
    for item in node.expressions[1:]:
        values = exp.Union(this=values, expression=select([item]), distinct=False)
    value = typed(column(name, "value"), type_of(node))
    ordered = exp.Ordered(this=lowering.key(value.copy()), desc=node.this == "extreme:greatest", nulls_first=False)
    if not ordered.args["desc"]:
        ordered.set("nulls_first", True)  # no NULL is left: SQLite's default needs no words
    query = select(
        [alias(value, "value")],
        derived(values, name),
        where=exp.Where(this=exp.Not(this=_is_null(value))),
        order=exp.Order(expressions=[ordered]),
        limit=exp.Limit(expression=number(1)),
    )
    return exp.Subquery(this=query)


_LIKES = {"textlike", "textnlike", "bpcharlike", "bpcharnlike", "namelike", "namenlike"}


def like_patterns(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    r"""A LIKE pattern is checked where it is computed; SQLite's own LIKE, which an index can serve, wants it bare.

    before: a LIKE b || '%'
    after:  a LIKE pg_like_pattern(b || '%') ESCAPE '\\'

    before: a LIKE $1
    after:  a LIKE ?1 ESCAPE '\\' AND NOT pg_like_pattern(?1) IS NULL
    """
    for node in list(tree.find_all(exp.Anonymous)):
        if node.this not in _LIKES or len(node.expressions) != 2:
            continue
        pattern = node.expressions[1]
        persistent = lowering.persistent or node.meta.get("persistent")
        if persistent and isinstance(pattern, exp.Literal) and (glob := _glob(pattern.this)) is not None:
            node.set("this", "text_not_glob" if node.this.endswith("nlike") else "text_glob")
            pattern.replace(string(glob))
        elif isinstance(pattern, exp.Parameter):
            checked = exp.Not(this=exp.Paren(this=_is_null(call("like_pattern", pattern))))
            made = exp.Paren(this=exp.And(this=node.copy(), expression=checked))
            made.meta["type"] = oids.BOOL
            if node is tree:
                tree = made
            else:
                node.replace(made)
        elif not isinstance(pattern, exp.Literal) or pattern.this.endswith("\\"):
            pattern.replace(call("like_pattern", pattern.copy()))
    return tree


def _glob(pattern: str) -> str | None:
    """The same pattern for GLOB, which in a schema means the same to everybody; LIKE there ignores case, and is no pure function."""
    made = []
    characters = iter(pattern)
    for character in characters:
        escaped = next(characters, "") if character == "\\" else None
        if escaped == "":
            return None
        literal = character if escaped is None else escaped
        wild = {"%": "*", "_": "?"}.get(character) if escaped is None else None
        made.append(wild or (f"[{literal}]" if literal in "*?[" else literal))
    return "".join(made)


REWRITES = {
    "in:list": _in_list,
    "distinct:from": _distinct,
    "extreme:greatest": _extreme,
    "extreme:least": _extreme,
}

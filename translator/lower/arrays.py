"""Array constructs: ARRAY[…], subscripts, op ANY (array), element-wise coercion. Arrays are JSON text of stored elements."""

from __future__ import annotations

import json

from sqlglot import exp

from translator import oids
from translator.lower.comparisons import native_sides
from translator.lower.lowering import Lowering, alias, derived, native, select, table_function
from translator.lower.subqueries import quantified
from translator.typed import call, column, type_of, typed

# Element types whose stored values SQLite's json_array writes as the stored form of arrays has them.
_PLAIN_ELEMENTS = {
    oids.BOOL,
    oids.INT2,
    oids.INT4,
    oids.INT8,
    oids.OID,
    oids.TEXT,
    oids.VARCHAR,
    oids.NAME,
    oids.UUID,
    oids.NUMERIC,
    oids.DATE,
    oids.TIMESTAMP,
    oids.TIMESTAMPTZ,
    oids.TIME,
}


def _construct(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: ARRAY[a, b]
    after:  json_array(a, b)
    """
    element = lowering.analysis.catalog.element(type_of(node))
    if lowering.analysis.catalog.base_type(element) in _PLAIN_ELEMENTS:
        return native("json_array", *node.expressions)
    return _typed_call("array_construct", node)


def _multi(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    return _typed_call("array_from_multi", node)


def _typed_call(name: str, node: exp.Anonymous) -> exp.Expr:
    made = call(name, *node.expressions)
    made.meta["type"] = type_of(node)
    return made


def _subscript(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    made = _typed_call("array_subscript", node)
    made.meta["type"] = type_of(node)
    return made


def _slice(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    # an open bound is the text 'omitted', which no subscript is
    return call("array_slice", *_with_open_bounds(node.expressions))


def _with_open_bounds(arguments: list[exp.Expr]) -> list[exp.Expr]:
    return [
        exp.Literal.string("omitted") if isinstance(item, exp.Anonymous) and item.this == "array:omitted" else item
        for item in arguments
    ]


def _assign(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: SET a[1] = 5
    after:  SET a = pg_array_assign(a, 5, 1)
    """
    return call("array_assign", *node.expressions)


def _assign_slice(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    return call("array_assign_slice", *_with_open_bounds(node.expressions))


def _assign_jsonb(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    return call("jsonb_assign", *node.expressions)


def _element_value(source: str, element: int, name: str = "value") -> exp.Expr:
    """The stored value of an element that json_each gives."""
    value = column(source, name)
    if element == oids.BYTEA:
        return native("unhex", native("substr", value, exp.Literal.number(3)))
    return value


def _bind_element(tree: exp.Expr, source: str, element: int) -> exp.Expr:
    """Put the value of the current element in the place of the analyzer's stand-in."""
    for part in list(tree.find_all(exp.Column)):
        if part.meta.get("array_element"):
            made = _element_value(source, element)
            made.meta.update({key: part.meta[key] for key in ("type", "typmod") if key in part.meta})
            if part is tree:
                return made
            part.replace(made)
    return tree


def _elements(array: exp.Expr, name: str) -> exp.Table:
    """The elements of an array of any shape as rows; one NULL for a NULL array."""
    return table_function(native("json_each", call("array_leaves", array)), name)


def _any(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: x = ANY(a)
    after:  x IN (SELECT e.value FROM json_each(pg_array_leaves(a)) AS e)
    """
    array, comparison = node.expressions
    element = lowering.analysis.catalog.element(type_of(array))
    name = lowering.alias("element")
    listed = _in_list(array, comparison, element, lowering)
    if listed is not None:
        return listed
    comparison = _bind_element(comparison, name, element)
    sides = native_sides(comparison, lowering)
    if sides is not None:
        return exp.In(this=sides[0], query=exp.Subquery(this=select([sides[1]], _elements(array, name))))
    return quantified(_elements(array, name), comparison, lowering, any_=True)


_MOST_LISTED = 500
_CONSTRUCTORS = {"json_array", "array_construct"}  # what `_construct` has made of ARRAY[…]


def _in_list(array: exp.Expr, comparison: exp.Expr, element: int, lowering: Lowering) -> exp.Expr | None:
    """Elements that are known one by one; None if they are not, or if SQLite does not compare them as PostgreSQL does.

    before: x = ANY (ARRAY['a', 'b'])
    after:  x IN ('a', 'b')
    """
    elements = _known_elements(array, element)
    if elements is None or len(elements) > _MOST_LISTED:
        return None
    left = None
    values = []
    for value in elements:
        one = comparison.copy()
        for part in list(one.find_all(exp.Column)):
            if part.meta.get("array_element"):
                part.replace(typed(value.copy(), type_of(part)))
        sides = native_sides(one, lowering)
        if sides is None:
            return None
        left, right = sides
        values.append(right)
    return exp.In(this=left, expressions=values) if left is not None else None


def _known_elements(array: exp.Expr, element: int) -> list[exp.Expr] | None:
    if isinstance(array, exp.Anonymous) and array.this in _CONSTRUCTORS:
        return list(array.expressions)
    if not isinstance(array, exp.Literal) or not array.is_string or element == oids.BYTEA:
        return None
    values = json.loads(array.this)
    if not isinstance(values, list) or any(isinstance(value, list | dict | bool) for value in values):
        return None
    return [_literal(value) for value in values]


def _literal(value: str | float | None) -> exp.Expr:
    if value is None:
        return exp.Null()
    return exp.Literal(this=str(value), is_string=isinstance(value, str))


def _all(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: x <> ALL(a)
    after:  NOT x IN (SELECT e.value FROM json_each(pg_array_leaves(a)) AS e)
    """
    array, comparison = node.expressions
    element = lowering.analysis.catalog.element(type_of(array))
    name = lowering.alias("element")
    if isinstance(comparison, exp.Anonymous) and comparison.meta.get("operator") == "<>":
        equal = comparison.copy()
        equal.meta["operator"] = "="
        listed = _in_list(array, equal, element, lowering)
        if listed is not None:
            return exp.Not(this=exp.Paren(this=listed))
    comparison = _bind_element(comparison, name, element)
    if isinstance(comparison, exp.Anonymous) and comparison.meta.get("operator") == "<>":
        equal = comparison.copy()
        equal.meta["operator"] = "="
        sides = native_sides(equal, lowering)
        if sides is not None:
            found = exp.In(this=sides[0], query=exp.Subquery(this=select([sides[1]], _elements(array, name))))
            return exp.Not(this=exp.Paren(this=found))
    return quantified(_elements(array, name), comparison, lowering, any_=False)


def _query(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: ARRAY(SELECT a FROM t ORDER BY b)
    after:  (SELECT json_group_array(q.a) FROM (SELECT a FROM t ORDER BY b) AS q)
    """
    (subquery,) = node.expressions
    name = lowering.alias("array")
    value = column(name, node.meta["columns"][0])
    element = lowering.analysis.catalog.element(type_of(node))
    nested = _inner_type(subquery, element)
    value = typed(value, nested)
    if lowering.analysis.catalog.base_type(element) in _PLAIN_ELEMENTS and nested == element:
        made: exp.Expr = native("json_group_array", value)
    else:
        vectors = (oids.INT2VECTOR, oids.OIDVECTOR)  # values like others, though arrays
        multi = nested not in vectors and bool(lowering.analysis.catalog.element(nested))
        made = call("array_agg(anyarray)" if multi else "array_agg(anynonarray)", value)
        made.meta.update(aggregate=True, argument_types=(nested,), type=type_of(node))
        made = exp.Coalesce(this=made, expressions=[exp.Literal.string("[]")])
    return exp.Subquery(this=select([made], derived(subquery.this, name)))


def _inner_type(subquery: exp.Expr, element: int) -> int:
    query = subquery.this
    while isinstance(query, exp.SetOperation):
        query = query.this
    if isinstance(query, exp.Select):
        return int(query.expressions[0].this.meta.get("type", element))
    return element


def _coerce(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: a::int8[]::text[]
    after:  (SELECT pg_array_reshape(a, json_group_array(CAST(e.value AS TEXT))) FROM json_each(pg_array_leaves(a)) AS e
            HAVING NOT a IS NULL)
    """
    array, converted = node.expressions
    catalog = lowering.analysis.catalog
    source, target = catalog.element(type_of(array)), catalog.element(type_of(node))
    name = lowering.alias("element")
    value = _bind_element(converted, name, source)
    if catalog.base_type(target) in _PLAIN_ELEMENTS:
        made: exp.Expr = native("json_group_array", value)
    else:
        made = call("array_agg(anynonarray)", typed(value, target))
        made.meta.update(aggregate=True, argument_types=(target,), type=type_of(node))
        made = exp.Coalesce(this=made, expressions=[exp.Literal.string("[]")])
    present = exp.Not(this=exp.Paren(this=exp.Is(this=exp.Paren(this=array.copy()), expression=exp.Null())))
    made = call("array_reshape", array.copy(), made)
    query = select([alias(made, "array")], _elements(array, name), having=exp.Having(this=present))
    return exp.Subquery(this=query)


def _name_subscript(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """A byte of a name, counted from 0 (raw_array_subscript_handler)."""
    name, position = node.expressions
    start = exp.Add(this=exp.Paren(this=position), expression=exp.Literal.number(1))
    return native("substr", name, start, exp.Literal.number(1))


REWRITES = {
    "name:subscript": _name_subscript,
    "array:construct": _construct,
    "array:multi": _multi,
    "array:subscript": _subscript,
    "array:slice": _slice,
    "array:omitted": lambda node, lowering: node,
    "array:assign": _assign,
    "array:assign_slice": _assign_slice,
    "jsonb:assign": _assign_jsonb,
    "array:any": _any,
    "array:all": _all,
    "array:query": _query,
    "coerce:array": _coerce,
}

"""The typed tree: sqlglot nodes whose `meta` says what parse analysis found out.

    type       type OID                         on every expression
    typmod     type modifier, -1 if none        likewise
    location   byte offset in the query string, absent when the node was made up
    proc       ProcRow of a function call (an Anonymous named by its prosrc)
    operator   the operator's name, where the call was written as one
    cast       "implicit" | "assignment" | "explicit", where a call is a coercion
    layers     what PostgreSQL's tree has around the node and ours does not need: see `layer`
    form       the node that PostgreSQL's tree has here, where ours is its expansion; only if Analysis.keeps_form
    construct  the keyword construct that the node was written as, where the node alone does not tell
    relation   Relation of a table in FROM; column: the (relation OID, attnum) of a Column
    unknown    the text of a literal whose type is still open
    argument_of  (call, number) of each argument of an inlined function that the node is (analyze/inlining.py)

Function calls are exp.Anonymous: with the compiled sqlglot no Expression class can be subclassed. Arguments of
constructs that SQL spells with keywords go into Anonymous nodes with names that no function has: they contain a colon
("array:construct") and are lowered by the rule that knows them.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlglot import exp

N = TypeVar("N", bound=exp.Expr)


class Meta(dict[str, Any]):
    """The meta of an analyzed node. Its values are never changed in place, so a copy of the node may have the same ones.

    sqlglot copies a node's meta with `copy.deepcopy`; without this, that would be half the cost of a copy.
    """

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Meta:
        return Meta(self)


def meta_of(node: exp.Expr) -> dict[str, Any]:
    """The node's meta, which from now on is copied with it as `Meta` says."""
    meta: dict[str, Any] | None = node._meta
    if meta is None:
        node._meta = meta = Meta()
    return meta


def typed(node: N, type_oid: int, typmod: int = -1, location: int | None = None) -> N:
    """Write type, typmod and location into the node's meta; returns the node."""
    meta = meta_of(node)
    meta["type"] = type_oid
    meta["typmod"] = typmod
    if location is not None and location >= 0:
        meta["location"] = location
    return node


def type_of(node: exp.Expr) -> int:
    """The type OID of an analyzed expression."""
    return int(node.meta["type"])


def typmod_of(node: exp.Expr) -> int:
    """The type modifier of an analyzed expression."""
    return int(node.meta.get("typmod", -1))


# Where an expression begins further left than the token that names it (exprLocation's leftmostLoc).
_BEGINS_WITH_OPERAND = (exp.And, exp.Or, exp.Is, exp.Not, exp.Paren)


def location_of(node: exp.Expr) -> int | None:
    """Where the expression begins in the query string, if it stands there (exprLocation)."""
    found = node.meta.get("location")
    begins = isinstance(node, _BEGINS_WITH_OPERAND) or (
        isinstance(node, exp.Anonymous) and ("operator" in node.meta or "cast" in node.meta)
    )
    if begins:
        first = next(iter(node.iter_expressions()), None)
        inner = location_of(first) if first is not None else None
        if inner is not None and (found is None or inner < found):
            return inner
    return None if found is None else int(found)


def call(name: str, *arguments: exp.Expr, **meta: Any) -> exp.Anonymous:
    """A call under one of our names; the keyword arguments go into its meta."""
    node = exp.Anonymous(this=name, expressions=list(arguments))
    if meta:
        node._meta = Meta(meta)
    return node


def layer(node: exp.Expr, word: str, type_oid: int, typmod: int) -> None:
    """Note a step that changes nothing but the type in meta: a relabelling ("explicit", …) or "COLLATE name".

    `meta["layers"]` then holds (word, type, typmod) from the inside outwards, first ("", …) of the bare node.
    """
    layers = node.meta.get("layers") or (("", type_of(node), typmod_of(node)),)
    node.meta["layers"] = (*layers, (word, type_oid, typmod))


def bare_type(node: exp.Expr) -> tuple[int, int]:
    """Type and typmod of the node without its layers."""
    layers = node.meta.get("layers")
    return layers[0][1:] if layers else (type_of(node), typmod_of(node))


def keep_fields(node: exp.Expr, source: exp.Expr) -> None:
    """What is known of a row's fields goes with it out of a subquery."""
    if "names" in source.meta and isinstance(source, exp.Anonymous):
        node.meta["field_names"] = list(source.meta["names"])
        node.meta["field_types"] = [type_of(item) for item in source.expressions]
    for key in ("field_names", "field_types"):
        if key in source.meta:
            node.meta[key] = source.meta[key]


def expanded(node: N, form: exp.Expr) -> N:
    """Note that the node is the expansion of `form`, which is what a reader of the SQL knows; returns the node."""
    node.meta.pop("layers", None)
    node.meta["form"] = typed(form, type_of(node), typmod_of(node))
    return node


def column(table: str, name: str) -> exp.Column:
    """A reference to a column of a table in FROM."""
    return exp.Column(this=exp.Identifier(this=name, quoted=True), table=exp.Identifier(this=table, quoted=True))


def integer(value: int) -> exp.Expr:
    """An integer literal; a negative one keeps its sign inside the literal so that no operator can bind to it."""
    return exp.Literal(this=str(value), is_string=False)


def string(value: str) -> exp.Expr:
    """A string literal."""
    return exp.Literal(this=value, is_string=True)

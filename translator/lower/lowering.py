"""What rules share: the statement's analysis, and how they build SQLite's own constructs.

`native` marks a call of one of SQLite's functions; every other Anonymous that reaches the printer must be in the table of
implementations. `key` gives what sorts, groups and equals as PostgreSQL says.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator.analyze.analysis import Analysis
from translator.analyze.query import unique_names
from translator.typed import call, column, type_of
from translator.types import registry

# Keys of types that are made up of others are told the type OID.
_TYPED_KEYS = {"key_array", "key_record", "key_enum"}


def native(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of SQLite's own function."""
    return call(name, *arguments, native=True)


def number(value: int) -> exp.Expr:
    """An integer literal."""
    return exp.Literal(this=str(value), is_string=False)


def select(expressions: list[exp.Expr], source: exp.Expr | None = None, **clauses: Any) -> exp.Select:
    """SELECT expressions FROM source, with ready-made clauses by sqlglot's argument names."""
    tree = exp.Select(expressions=expressions)
    if source is not None:
        tree.set("from_", exp.From(this=source))
    for name, clause in clauses.items():
        tree.set(name, clause)
    return tree


def alias(node: exp.Expr, name: str) -> exp.Alias:
    """A select list entry."""
    return exp.Alias(this=node, alias=exp.Identifier(this=name, quoted=True))


def derived(query: exp.Expr, name: str) -> exp.Subquery:
    """A subquery in FROM."""
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=name, quoted=True)))


def table_function(node: exp.Expr, name: str) -> exp.Table:
    """A table-valued function in FROM."""
    return exp.Table(this=node, alias=exp.TableAlias(this=exp.Identifier(this=name, quoted=True)))


# Where gathered rows are (analyze/program.py): by the key of a Gathering, the number of its parameter and its types.
Places = dict[int, tuple[int, tuple[int, ...]]]


class Lowering:
    """One run of the rules over one statement."""

    def __init__(
        self, analysis: Analysis, places: Places | None = None, *, computing: bool = False, persistent: bool = False
    ) -> None:
        self.analysis = analysis
        self.persistent = persistent  # an expression that may become part of the schema
        self.places = places or {}
        self.computing = computing  # a constant expression, to replace it by its value

    def alias(self, name: str) -> str:
        """A FROM alias that the statement does not have yet."""
        return self.analysis.alias(name)

    def key_name(self, type_oid: int) -> str | None:
        """The key function of a type, None for a native one."""
        return registry.type_of(self.analysis.catalog.base_type(type_oid), self.analysis.catalog).key

    def key(self, node: exp.Expr) -> exp.Expr:
        """The expression whose values SQLite compares as PostgreSQL compares the node's; the node itself if native."""
        base = self.analysis.catalog.base_type(type_of(node))
        name = self.key_name(base)
        if name is None:
            return node
        if is_stored_number(node):
            return raw(node)
        if name in _TYPED_KEYS:
            return call(name, number(base), node)
        return call(name, node)

    def columns(self, query: exp.Expr) -> list[tuple[str, exp.Expr]]:
        """The names and typed nodes of a SELECT's columns."""
        names = unique_names([item.alias for item in query.expressions])
        return [(name, item.this) for name, item in zip(names, query.expressions, strict=True)]


def is_stored_number(node: exp.Expr) -> bool:
    """Whether the node is a column of numeric in its storage form (REAL or INTEGER)."""
    return isinstance(node, exp.Column) and "stored" in node.meta and not node.meta.get("raw")


def raw(node: exp.Expr) -> exp.Expr:
    """The column as it is stored, without its load."""
    node.meta["raw"] = True
    return node


def reference(table: str, name: str, like: exp.Expr) -> exp.Expr:
    """A column reference with the type of another expression."""
    made = column(table, name)
    made.meta.update({key: like.meta[key] for key in ("type", "typmod") if key in like.meta})
    return made

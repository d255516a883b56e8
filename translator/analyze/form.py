"""What a query looked like to PostgreSQL, noted next to its tree for `deparse` (the Query node of parsenodes.h).

The typed tree is made for SQLite: joins are flat, ORDER BY has copies of targets, views are expanded. So that a query can be
printed as PostgreSQL prints it, analysis writes one QueryForm a query level while `Analysis.keeps_form` is set. Expressions
in it are the nodes of the tree; a Column in them names the `key` of a RangeForm and one of its `keys`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from translator.typed import column, expanded, type_of, typed, typmod_of

if TYPE_CHECKING:
    from translator.analyze.clauses import SortItem
    from translator.analyze.query import Target
    from translator.analyze.scope import Entry, EntryColumn
    from translator.catalog import Relation


class _Shared:
    """Copies of a tree refer to the same form."""

    def __deepcopy__(self, memo: object) -> Any:
        return self


@dataclass(slots=True)
class RangeForm(_Shared):
    """A FROM item (RangeTblEntry). `kind`: relation, subquery, function, values, cte or join.

    `keys`: what its columns are called in the tree; `names`: the columns' own names; `aliases`: those that the alias gave.
    """

    kind: str
    key: str
    keys: list[str]
    names: list[str]
    alias: str | None
    name: str
    aliases: Sequence[str] = ()
    lateral: bool = False
    only: bool = False
    relation: Relation | None = None
    query: QueryForm | None = None
    functions: Sequence[exp.Expr] = ()
    rows: Sequence[Sequence[exp.Expr]] = ()
    ordinality: bool = False
    sample: tuple[str, exp.Expr, exp.Expr | None] | None = None


@dataclass(slots=True)
class JoinForm(_Shared):
    """A JOIN (JoinExpr); `range` has the alias and the columns, of which those of `using` come first.

    `sides`: for each column its place among the columns of the left and of the right side. `merged`: whether a column of
    `using` is a value of its own, neither side's.
    """

    left: FromForm
    right: FromForm
    kind: str
    condition: exp.Expr | None
    using: list[str]
    range: RangeForm
    sides: list[tuple[int | None, int | None]]
    merged: bool
    using_alias: str | None = None


FromForm = RangeForm | JoinForm


@dataclass(slots=True)
class SetForm(_Shared):
    """UNION, INTERSECT or EXCEPT (SetOperationStmt)."""

    word: str
    all: bool
    left: QueryForm | SetForm
    right: QueryForm | SetForm


@dataclass(slots=True)
class WindowForm(_Shared):
    """A window definition (WindowClause). `order` holds exp.Ordered nodes, `frame` an exp.WindowSpec."""

    name: str | None
    base: str | None
    partition: list[exp.Expr]
    order: list[exp.Expr]
    frame: exp.WindowSpec | None
    between: bool = False


@dataclass(slots=True)
class CteForm(_Shared):
    """A WITH item (CommonTableExpr). `node` is the grammar's, for SEARCH and CYCLE."""

    name: str
    aliases: list[str]
    materialized: str
    query: QueryForm
    node: dict[str, Any]
    marks: tuple[exp.Expr, exp.Expr] | None = None  # CYCLE's two values, where they are not true and false


@dataclass(slots=True)
class GroupForm(_Shared):
    """An item of GROUP BY with grouping sets (GroupingSet). `kind`: EMPTY, SIMPLE, ROLLUP, CUBE or SETS."""

    kind: str
    content: list[Any]  # Targets of SIMPLE, GroupForms of the others


@dataclass(slots=True)
class QueryForm(_Shared):
    """One query level. A set operation has `operation`, all others have the clauses of a SELECT, VALUES too."""

    targets: list[Target] = field(default_factory=list)
    sources: list[FromForm] = field(default_factory=list)
    where: exp.Expr | None = None
    group: list[Target] = field(default_factory=list)
    sets: list[GroupForm] | None = None
    group_distinct: bool = False
    having: exp.Expr | None = None
    windows: list[WindowForm] = field(default_factory=list)
    distinct: list[Target] | None = None  # empty where it is not DISTINCT ON
    sort: list[SortItem] = field(default_factory=list)
    limit: exp.Expr | None = None
    offset: exp.Expr | None = None
    ties: bool = False
    locks: list[tuple[str, str, str]] = field(default_factory=list)  # strength, FROM item's key, NOWAIT or SKIP LOCKED
    operation: SetForm | None = None
    is_values: bool = False
    is_return: bool = False  # RETURN expression, as the body of a function
    ctes: list[CteForm] = field(default_factory=list)
    recursive: bool = False


def alias_of(value: dict[str, Any]) -> tuple[str | None, list[str]]:
    """The alias that a FROM item was given, and the column names in it."""
    alias = value.get("alias")
    if alias is None:
        return None, []
    return alias["aliasname"], [part["String"]["sval"] for part in alias.get("colnames", ())]


def range_form(entry: Entry, value: dict[str, Any], *, name: str, **details: Any) -> RangeForm:
    """The form of an entry of FROM, before its alias renames its columns. `name`: what it is called without an alias."""
    alias, aliases = alias_of(value)
    keys = [each.node.name for each in entry.columns]
    names = [each.name for each in entry.columns]
    return RangeForm(entry.kind, entry.sql_alias, keys, names, alias, name, aliases, relation=entry.relation, **details)


def rename(entry_column: EntryColumn, key: str, number: int) -> None:
    """Let references to the column be references to the column c<number> of a join."""
    node = entry_column.node.copy()
    entry_column.node = expanded(node, typed(column(key, f"c{number}"), type_of(node), typmod_of(node)))

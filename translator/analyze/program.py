"""What a modifying statement becomes when one SQLite statement cannot do it: gather first, then apply.

A Program is a list of actions, each one SQLite statement as a typed tree. An action that collects puts its rows into one
parameter of the later actions (`plan.Step.collect`); its Gathering says which columns they have and lets trees refer to them.
So expressions are evaluated once, in the state before the statement, which is what PostgreSQL's snapshot shows to all parts of
a statement (manual, "Data-Modifying Statements in WITH"), and applying needs nothing but the collected rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlglot import exp

from translator.analyze.analysis import Analysis
from translator.plan import Field
from translator.typed import call, column, type_of, typed, typmod_of

_keys = count(1)


class Gathering:
    """Rows that one action collects: the expressions of their columns, and how later actions read them."""

    def __init__(self, analysis: Analysis) -> None:
        self.key = next(_keys)
        self.alias = analysis.alias("gathered")
        self.nodes: list[exp.Expr] = []

    def add(self, node: exp.Expr) -> exp.Column:
        """Gather the value of an expression; gives a reference to it."""
        self.nodes.append(node)
        return self.reference(len(self.nodes) - 1)

    def reference(self, position: int) -> exp.Column:
        """The value of a gathered expression, for trees that have `rows()` in FROM."""
        node = self.nodes[position]
        made = typed(column(self.alias, f"c{position}"), type_of(node), typmod_of(node))
        for key in ("names", "field_names", "field_types"):
            if key in node.meta:
                made.meta["field_names" if key == "names" else key] = node.meta[key]
        return made

    def query(self, source: exp.Expr | None = None, **clauses: Any) -> exp.Select:
        """The SELECT that gathers; complete only when everything is added."""
        items: list[exp.Expr] = [
            exp.Alias(this=node, alias=exp.Identifier(this=f"c{position}", quoted=True))
            for position, node in enumerate(self.nodes)
        ]
        return plain_select(items, source, **clauses)

    def rows(self) -> exp.Table:
        """The gathered rows as a FROM item (lower/gathered.py)."""
        return exp.Table(
            this=call("gathered:rows", gathering=self.key),
            alias=exp.TableAlias(this=exp.Identifier(this=self.alias, quoted=True)),
        )

    def types(self) -> tuple[int, ...]:
        """The types of the columns."""
        return tuple(type_of(node) for node in self.nodes)


@dataclass(slots=True)
class Action:
    """One SQLite statement of a program; the flags are those of plan.Step."""

    tree: exp.Expr
    gathering: Gathering | None = None
    result: bool = False
    counts: bool = False
    distinct: bool = False
    once: str = ""
    undone: bool = False
    relation: int = 0


@dataclass(slots=True)
class Program:
    """An analyzed statement that writes: its command tag, its result columns, what to do in order."""

    tag: str
    fields: tuple[Field, ...] | None
    actions: list[Action] = field(default_factory=list)


@dataclass(slots=True)
class Gathered:
    """A modification in two phases. `returned`: the RETURNING list as a query over what `before` collects."""

    before: list[Action]
    returned: exp.Select | None
    after: list[Action]


def substitute(tree: exp.Expr, replacement: Callable[[exp.Column], exp.Expr | None]) -> exp.Expr:
    """The tree with some of its columns replaced, also inside its subqueries."""
    for part in list(tree.find_all(exp.Column)):
        made = replacement(part)
        if made is None:
            continue
        for key in ("location", "column"):
            if key in part.meta:
                made.meta.setdefault(key, part.meta[key])
        if part is tree:
            tree = made
        else:
            part.replace(made)
    return tree


def has_subquery(node: exp.Expr) -> bool:
    """Whether an expression reads anything but its row."""
    return node.find(exp.Query, exp.Exists) is not None


def is_volatile(node: exp.Expr) -> bool:
    """Whether an expression may give another value when it is evaluated again."""
    procs = (part.meta.get("proc") for part in node.find_all(exp.Anonymous))
    return any(proc is not None and proc.volatility == "v" for proc in procs) or any(
        part.this == "identity_nextval" for part in node.find_all(exp.Anonymous)
    )


def equal_rowid(table: str, rowid: str, reference: exp.Expr) -> exp.Expr:
    """The condition that a row of the table is the gathered one."""
    return exp.EQ(this=column(table, rowid), expression=reference)


def plain_select(items: list[exp.Expr], source: exp.Expr | None = None, **clauses: Any) -> exp.Select:
    """A SELECT made up by analysis; `where`, `joins` and others by sqlglot's argument names."""
    tree = exp.Select(expressions=items)
    tree.meta["grouped"] = False
    if source is not None:
        tree.set("from_", exp.From(this=source))
    for name, clause in clauses.items():
        if clause is not None:
            tree.set(name, clause)
    return tree

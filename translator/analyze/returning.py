"""RETURNING: the changed row before and after, and what it was made from (transformReturningClause).

A column of the list belongs to the target (whose new row it means, for DELETE the old one), to `old` or `new`, or to another
table of the statement. SQLite's own RETURNING knows the one row that it changed; the rest is read from gathered rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.program import has_subquery, plain_select, substitute
from translator.analyze.query import Target, result_field, unique_names
from translator.analyze.scope import Entry, EntryColumn, Item, Scope, find_item
from translator.analyze.target import resolve_targets, transform_targets
from translator.errors import SqlError
from translator.plan import Field
from translator.typed import type_of, typed, typmod_of

Node = dict[str, Any]

_OPTIONS = {"RETURNING_OPTION_OLD": "OLD", "RETURNING_OPTION_NEW": "NEW"}


@dataclass(slots=True)
class Returning:
    """An analyzed RETURNING list. `own`, `old`, `new`: the aliases of the target and of its row's two versions."""

    targets: list[Target]
    own: str
    old: str
    new: str

    def fields(self) -> tuple[Field, ...]:
        """The result columns."""
        return tuple(result_field(target) for target in self.targets)

    def uses(self, alias: str) -> bool:
        """Whether the list names a column of that alias."""
        return any(part.table == alias for target in self.targets for part in target.node.find_all(exp.Column))

    def reads(self) -> bool:
        """Whether the list has a subquery."""
        return any(has_subquery(target.node) for target in self.targets)

    def single(self, changed: set[str], missing: set[str]) -> exp.Returning | None:
        """SQLite's RETURNING, None if it takes more. `changed`: aliases of the changed row; `missing`: of no row at all."""
        if self.reads():
            return None
        nodes = []
        for target in self.targets:
            if any(part.table not in changed | missing for part in target.node.find_all(exp.Column)):
                return None
            always: dict[str, exp.Expr] = dict.fromkeys(missing, exp.Boolean(this=True))
            nodes.append(substitute(_whole_rows(target.node.copy(), always), lambda part: _single(part, missing)))
        return exp.Returning(expressions=self._aliased(nodes))

    def query(
        self,
        replacement: Callable[[exp.Column], exp.Expr | None],
        source: exp.Expr,
        missing: dict[str, exp.Expr] | None = None,
        joins: list[exp.Expr] | None = None,
    ) -> exp.Select:
        """The list as a query over gathered rows; `replacement` gives what stands for a column.

        `missing`: by alias of a version of the row, the condition under which there is none: then it is NULL as a whole.
        """
        nodes = [substitute(_whole_rows(target.node.copy(), missing or {}), replacement) for target in self.targets]
        return plain_select(self._aliased(nodes), source, joins=joins)

    def _aliased(self, nodes: list[exp.Expr]) -> list[exp.Expr]:
        names = unique_names([target.name for target in self.targets])
        return [
            exp.Alias(this=node, alias=exp.Identifier(this=name, quoted=True)) for node, name in zip(nodes, names, strict=True)
        ]


def _whole_rows(tree: exp.Expr, missing: dict[str, exp.Expr]) -> exp.Expr:
    """NULL in the place of a row that is not there, rather than a row of NULLs."""
    for node in list(tree.find_all(exp.Anonymous)):
        aliases = {part.table for part in node.expressions if isinstance(part, exp.Column)}
        if node.this != "row:construct" or "construct" not in node.meta or len(aliases) != 1:
            continue
        condition = missing.get(aliases.pop())
        if condition is None:
            continue
        made = exp.Case(ifs=[exp.If(this=condition.copy(), true=null_like(node))], default=node.copy())
        typed(made, type_of(node), typmod_of(node))
        if node is tree:
            tree = made
        else:
            node.replace(made)
    return tree


def _single(part: exp.Column, missing: set[str]) -> exp.Expr:
    return null_like(part) if part.table in missing else unqualified(part)


def unqualified(part: exp.Column) -> exp.Expr:
    """The column without its table, as SQLite wants it in RETURNING."""
    made = part.copy()
    made.set("table", None)
    return made


def null_like(part: exp.Expr) -> exp.Expr:
    """A NULL of the same type."""
    return typed(exp.Null(), type_of(part), typmod_of(part))


def transform(scope: Scope, value: Node, entry: Entry) -> Returning | None:
    """The RETURNING clause of a statement whose target is `entry`; None if there is none. Raises 42712, 42601."""
    clause = value.get("returningClause") or {}
    nodes = clause.get("exprs") or value.get("returningList")
    if not nodes:
        return None
    outer = list(scope.items)
    names = _version_names(scope, clause.get("options", []))
    aliases = []
    for name in names:
        alias = scope.analysis.alias("version")
        aliases.append(alias)
        if name is not None:
            columns = [_of_version(column, entry.sql_alias, alias) for column in entry.columns]
            version = Entry(name, columns, alias, entry.relation, row_type=entry.row_type, target=True)
            scope.items.append(Item(version, by_column=False))
    targets = transform_targets(scope, nodes, "RETURNING")
    if not targets:
        location = nodes[0]["ResTarget"].get("location")
        raise SqlError(codes.SYNTAX_ERROR, "RETURNING must have at least one column", location=location)
    resolve_targets(scope, targets)
    scope.items = outer
    return Returning(targets, entry.sql_alias, aliases[0], aliases[1])


def _of_version(one: EntryColumn, own: str, alias: str) -> EntryColumn:
    """A column of the target as one of a version of its row."""
    node = one.node.copy()
    for part in list(node.find_all(exp.Column)):
        if part.table == own:
            part.set("table", exp.Identifier(this=alias, quoted=True))
    return EntryColumn(one.name, node, one.table_oid, one.attnum)


def _version_names(scope: Scope, options: list[Node]) -> list[str | None]:
    """The names of the old and the new row: OLD and NEW unless the statement has a table of that name, or as WITH says."""
    found: dict[str, str] = {}
    for option in options:
        value = option["ReturningOption"]
        word, name = _OPTIONS[value["option"]], value["value"]
        if word in found:
            raise SqlError(codes.SYNTAX_ERROR, f"{word} cannot be specified multiple times", location=value.get("location"))
        if name in found.values() or find_item(scope, None, name, None) is not None:
            raise SqlError(
                codes.DUPLICATE_ALIAS, f'table name "{name}" specified more than once', location=value.get("location")
            )
        found[word] = name
    names: list[str | None] = []
    for word in ("OLD", "NEW"):
        default = word.lower()
        hidden = default in found.values() or find_item(scope, None, default, None) is not None
        names.append(found.get(word, None if hidden else default))
    return names

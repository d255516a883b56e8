"""WITH RECURSIVE … SEARCH and CYCLE, rewritten to what they stand for (rewriteSearchCycle.c).

The first term becomes a subquery with the added columns beside it, on the grammar's tree. The recursive term must not: SQLite
wants the reference to the item itself at the top. So it is analyzed with the added columns as they were in the row before, and
then these are replaced by expressions over its typed targets.

before: WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) CYCLE a SET m USING p
after:  WITH RECURSIVE r(a, m, p) AS (SELECT b.a, false, ARRAY[ROW(b.a)] FROM (SELECT 1 AS a) AS b(a)
        UNION ALL SELECT a + 1, CASE WHEN ROW(a + 1) = ANY (r.p) THEN true ELSE false END, array_append(r.p, ROW(a + 1))
        FROM r WHERE r.m <> true)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.coerce import Context, coerce_to
from translator.analyze.query import Query
from translator.analyze.scope import Scope
from translator.errors import SqlError
from translator.parser import parse, parse_expressions
from translator.quoting import quote_identifier
from translator.typed import type_of, typmod_of

Node = dict[str, Any]

DEPTH = "*DEPTH*"  # PostgreSQL's name of the depth inside a breadth-first sequence column


@dataclass(slots=True)
class _Added:
    """A column that a clause adds: its name, its first value over `b`, and the next over `s`."""

    name: str
    first: str
    next: str


class SearchCycle:
    """The clauses of one item, whose query gives the columns `names`. `added`: the names of the columns they add, in order.

    A last one named DEPTH is not the user's. Raises what is wrong with the clauses.
    """

    def __init__(self, value: Node, names: list[str]) -> None:
        _check(value, names)
        self._value = value
        self._names = names
        self._columns = _columns(value)
        self.added = [column.name for column in self._columns]
        self._cycle = value.get("cycle_clause")
        constants = {}
        if self._cycle:
            constants = {"$value": self._cycle["cycle_mark_value"], "$default": self._cycle["cycle_mark_default"]}
        self._constants: dict[str, Node] = constants

    def item(self) -> Node:
        """The item with the added columns in both its terms."""
        value = self._value
        select = value["ctequery"]["SelectStmt"]
        base = _template(self._names, self._columns)
        first = _replaced(base, lambda fields: self._constants.get(fields[0]))
        first["fromClause"][0]["RangeSubselect"]["subquery"] = {"SelectStmt": select["larg"]}
        terms = {**select, "larg": first, "rarg": _with_columns(value, select["rarg"], self._columns)}
        plain = {key: part for key, part in value.items() if key not in ("search_clause", "cycle_clause", "aliascolnames")}
        return {**plain, "ctequery": {"SelectStmt": terms}}

    def complete(self, scope: Scope, base: Query, step: Query) -> None:
        """Compute the added columns of the recursive term from its own and those of the row before."""
        analysis = scope.analysis
        values: dict[str, exp.Expr] = {}
        names = [*self._names, *self.added]
        for name, first, target in zip(names, base.targets, step.targets, strict=True):
            node = target.node
            if type_of(node) == oids.UNKNOWN:
                made = coerce_to(analysis, node.copy(), type_of(first.node), typmod_of(first.node), Context.IMPLICIT, None)
                node = node if made is None else made
            values[name] = node
        select = step.tree
        assert isinstance(select, exp.Select)
        for position, column in enumerate(self._columns, len(self._names)):
            made = self._expression(scope, column.next, values)
            step.targets[position].node = made
            select.expressions[position].set("this", made)
        if self._cycle:
            mark = quote_identifier(self._cycle["cycle_mark_column"])
            condition = self._expression(scope, f's.{mark} <> "$value"', values)
            where = select.args.get("where")
            if where is not None:
                condition = exp.And(this=exp.Paren(this=where.this), expression=exp.Paren(this=condition))
            select.set("where", exp.Where(this=condition))

    def _expression(self, scope: Scope, text: str, values: dict[str, exp.Expr]) -> exp.Expr:
        from translator.analyze.expressions import transform

        def meant(fields: list[str]) -> Node | None:
            if len(fields) == 2 and fields[0] == "s":
                return {"Typed": {"node": values[fields[1]]}}
            return self._constants.get(fields[0])

        (node,) = parse_expressions(text)
        return transform(Scope(scope.analysis), _replaced(node, meant))


def _columns(value: Node) -> list[_Added]:
    added = []
    search, cycle = value.get("search_clause"), value.get("cycle_clause")
    if search:
        name = search["search_seq_column"]
        first, following = (_row(alias, search["search_col_list"]) for alias in "bs")
        if search.get("search_breadth_first"):
            added.append(_Added(name, f"ROW(0::bigint, {first}", f'ROW(s."{DEPTH}" + 1, {following}'))
        else:
            added.append(_Added(name, f"ARRAY[ROW({first}]", f"array_append(s.{quote_identifier(name)}, ROW({following})"))
    if cycle:
        first, following = (_row(alias, cycle["cycle_col_list"]) for alias in "bs")
        path = quote_identifier(cycle["cycle_path_column"])
        choice = 'CASE WHEN {} THEN "$value" ELSE "$default" END'
        added.append(
            _Added(cycle["cycle_mark_column"], choice.format("false"), choice.format(f"ROW({following} = ANY (s.{path})"))
        )
        added.append(_Added(cycle["cycle_path_column"], f"ARRAY[ROW({first}]", f"array_append(s.{path}, ROW({following})"))
    if search and search.get("search_breadth_first"):
        added.append(_Added(DEPTH, "0::bigint", f's."{DEPTH}" + 1'))
    return added


def _row(alias: str, columns: list[Node]) -> str:
    """The inside of ROW(…) and its closing parenthesis."""
    return ", ".join(f"{alias}.{quote_identifier(part['String']['sval'])}" for part in columns) + ")"


def _template(columns: list[str], added: list[_Added]) -> Node:
    """SELECT b.columns, added FROM (placeholder) AS b(columns)"""
    quoted = [quote_identifier(name) for name in columns]
    targets = [f"b.{name}" for name in quoted] + [f"{column.first} AS {quote_identifier(column.name)}" for column in added]
    (statement,) = parse(f"SELECT {', '.join(targets)} FROM (SELECT) AS b({', '.join(quoted)})")
    tree: Node = statement.tree
    return tree


def _replaced(node: Any, meant: Callable[[list[str]], Node | None]) -> Any:
    """The tree with its placeholders replaced, and without positions, which mean nothing in the statement."""
    if isinstance(node, list):
        return [_replaced(part, meant) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("ColumnRef")
    if reference is not None:
        found = meant([part["String"]["sval"] for part in reference["fields"]])
        if found is not None:
            return found
    return {key: _replaced(part, meant) for key, part in node.items() if key != "location"}


def _with_columns(value: Node, step: Node, added: list[_Added]) -> Node:
    """The recursive term with the added columns of its reference in its select list. Raises 42601, 0A000."""
    name = value["ctename"]
    if step.get("op", "SETOP_NONE") != "SETOP_NONE" or step.get("valuesLists"):
        message = "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT"
        raise SqlError(codes.SYNTAX_ERROR, message)
    alias = _reference(step.get("fromClause", []), name)
    if alias is None:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            f'with a SEARCH or CYCLE clause, the recursive reference to WITH query "{name}" must be at the top level of its'
            " right-hand SELECT",
        )
    targets = [
        {"ResTarget": {"val": {"ColumnRef": {"fields": [{"String": {"sval": alias}}, {"String": {"sval": column.name}}]}}}}
        for column in added
    ]
    return {**step, "targetList": [*step.get("targetList", []), *targets]}


def _reference(items: list[Node], name: str) -> str | None:
    """The alias under which the top level of FROM has the item itself."""
    for item in items:
        variable, join = item.get("RangeVar"), item.get("JoinExpr")
        if variable is not None and variable["relname"] == name and not variable.get("schemaname"):
            return str(variable["alias"]["aliasname"]) if variable.get("alias") else name
        if join is not None:
            found = _reference([join["larg"], join["rarg"]], name)
            if found is not None:
                return found
    return None


def _check(value: Node, names: list[str]) -> None:
    """The rules for the clauses' names (analyzeCTE). Raises 42701, 42601."""
    search, cycle = value.get("search_clause"), value.get("cycle_clause")
    for word, clause in (("search", search), ("cycle", cycle)):
        if not clause:
            continue
        location = clause.get("location")
        seen: set[str] = set()
        for part in clause[f"{word}_col_list"]:
            name = part["String"]["sval"]
            if name not in names:
                message = f'{word} column "{name}" not in WITH query column list'
                raise SqlError(codes.SYNTAX_ERROR, message, location=location)
            if name in seen:
                raise SqlError(codes.DUPLICATE_COLUMN, f'{word} column "{name}" specified more than once', location=location)
            seen.add(name)
    labels = []
    if search:
        labels.append(("search sequence column name", search["search_seq_column"], search))
    if cycle:
        labels.append(("cycle mark column name", cycle["cycle_mark_column"], cycle))
        labels.append(("cycle path column name", cycle["cycle_path_column"], cycle))
    for position, (label, name, clause) in enumerate(labels):
        if name in names:
            message = f'{label} "{name}" already used in WITH query column list'
            raise SqlError(codes.SYNTAX_ERROR, message, location=clause.get("location"))
        for other, taken, first in labels[:position]:
            if taken == name:
                message = f"{other} and {label} are the same"
                raise SqlError(codes.SYNTAX_ERROR, message, location=first.get("location"))

"""WITH RECURSIVE … SEARCH and CYCLE, rewritten to what they stand for (rewriteSearchCycle.c).

Both terms of the union become subqueries; the columns that the clauses add are computed beside theirs. The rewriting is done
on the grammar's tree, so that the rest of the analysis sees an ordinary recursive query.

before: WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) CYCLE a SET m USING p
after:  WITH RECURSIVE r(a, m, p) AS (SELECT b.a, false, ARRAY[ROW(b.a)] FROM (SELECT 1 AS a) AS b(a)
        UNION ALL SELECT s.a, CASE WHEN ROW(s.a) = ANY (s.p) THEN true ELSE false END, s.p || ROW(s.a)
        FROM (SELECT a + 1, r.m, r.p FROM r) AS s(a, m, p) WHERE s.m <> true)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.parser import parse
from translator.quoting import quote_identifier

Node = dict[str, Any]

DEPTH = "*DEPTH*"  # PostgreSQL's name of the depth inside a breadth-first sequence column


@dataclass(slots=True)
class _Added:
    """A column that a clause adds: its name, its first value over `b`, and the next over `s`."""

    name: str
    first: str
    next: str


def expand(value: Node, names: list[str]) -> tuple[Node, list[str]]:
    """The CommonTableExpr without its clauses, whose query gives `names`; and the names of the added columns, in order.

    A last one named DEPTH is not the user's.
    """
    _check(value, names)
    select = value["ctequery"]["SelectStmt"]
    added = _columns(value)
    cycle = value.get("cycle_clause")
    constants = {"$value": cycle["cycle_mark_value"], "$default": cycle["cycle_mark_default"]} if cycle else {}
    every = [*names, *(column.name for column in added)]
    base = _template("b", names, [(column.first, column.name) for column in added], "")
    where = f"WHERE s.{quote_identifier(cycle['cycle_mark_column'])} <> \"$value\"" if cycle else ""
    step = _template("s", every, [(column.next, column.name) for column in added], where, own=len(names))
    rewritten = {
        **select,
        "larg": _filled(base, constants, {"SelectStmt": select["larg"]}),
        "rarg": _filled(step, constants, {"SelectStmt": _with_columns(value, select["rarg"], added)}),
    }
    plain = {key: part for key, part in value.items() if key not in ("search_clause", "cycle_clause", "aliascolnames")}
    plain["ctequery"] = {"SelectStmt": rewritten}
    return plain, every[len(names) :]


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
        added.append(_Added(cycle["cycle_mark_column"], choice.format("false"), choice.format(f"ROW({following} = ANY (s.{path})")))
        added.append(_Added(cycle["cycle_path_column"], f"ARRAY[ROW({first}]", f"array_append(s.{path}, ROW({following})"))
    if search and search.get("search_breadth_first"):
        added.append(_Added(DEPTH, "0::bigint", f's."{DEPTH}" + 1'))
    return added


def _row(alias: str, columns: list[Node]) -> str:
    """The inside of ROW(…) and its closing parenthesis."""
    return ", ".join(f"{alias}.{quote_identifier(part['String']['sval'])}" for part in columns) + ")"


def _template(alias: str, columns: list[str], added: list[tuple[str, str]], where: str, own: int | None = None) -> Node:
    """SELECT alias.columns, added FROM (placeholder) AS alias(columns) WHERE …"""
    quoted = [quote_identifier(name) for name in columns]
    targets = [f"{alias}.{name}" for name in quoted[:own]]
    targets += [f"{expression} AS {quote_identifier(name)}" for expression, name in added]
    text = f"SELECT {', '.join(targets)} FROM (SELECT) AS {alias}({', '.join(quoted)}) {where}"
    (statement,) = parse(text)
    tree: Node = statement.tree
    return tree


def _filled(tree: Node, constants: dict[str, Node], subquery: Node) -> Node:
    """The template with its placeholders replaced, and without positions, which mean nothing in the statement."""
    made = _replaced(tree, constants)
    made["fromClause"][0]["RangeSubselect"]["subquery"] = subquery
    return made


def _replaced(node: Any, constants: dict[str, Node]) -> Any:
    if isinstance(node, list):
        return [_replaced(part, constants) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("ColumnRef")
    if reference is not None and len(reference["fields"]) == 1:
        name = reference["fields"][0].get("String", {}).get("sval")
        if name in constants:
            return constants[name]
    return {key: _replaced(part, constants) for key, part in node.items() if key != "location"}


def _with_columns(value: Node, step: Node, added: list[_Added]) -> Node:
    """The recursive term with the added columns of its reference in its select list. Raises 0A000."""
    name = value["ctename"]
    if step.get("op", "SETOP_NONE") != "SETOP_NONE" or step.get("valuesLists"):
        message = "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message)
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
    """The rules for the clauses' names (analyzeCTE). Raises 42P10, 42701, 42601."""
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
                raise SqlError(codes.INVALID_COLUMN_REFERENCE, message, location=location)
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
            raise SqlError(codes.DUPLICATE_COLUMN, message, location=clause.get("location"))
        for other, taken, first in labels[:position]:
            if taken == name:
                message = f"{other} and {label} are the same"
                raise SqlError(codes.SYNTAX_ERROR, message, location=first.get("location"))

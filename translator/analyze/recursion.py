"""WITH RECURSIVE before it is analyzed: which items refer to which, and where they must not (checkWellFormedRecursion).

Works on the grammar's tree, by name, as PostgreSQL does: an item may name any other one of its WITH clause, so they are put
in an order in which each comes after those it names. Two that name each other are not implemented in PostgreSQL either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from translator import sqlstate as codes
from translator.analyze.clauses import place_of
from translator.errors import SqlError, unsupported

Node = dict[str, Any]

_WITHIN = {
    "base": "its non-recursive term",
    "sublink": "a subquery",
    "outer": "an outer join",
    "intersect": "INTERSECT",
    "except": "EXCEPT",
}
_DECORATIONS = (
    ("sortClause", "ORDER BY"),
    ("limitOffset", "OFFSET"),
    ("limitCount", "LIMIT"),
    ("lockingClause", "FOR UPDATE/SHARE"),
)


def ordered(items: list[Node]) -> list[Node]:
    """The CommonTableExprs of WITH RECURSIVE, each after those it names.

    Raises 0A000 for mutual recursion (TopologicalSort).
    """
    names = [item["ctename"] for item in items]
    uses = {item["ctename"]: named(item["ctequery"], set(names)) for item in items}
    left = list(items)
    result: list[Node] = []
    done: set[str] = set()
    while left:
        ready = next((item for item in left if uses[item["ctename"]] <= done | {item["ctename"]}), None)
        if ready is None:
            message = "mutual recursion between WITH items is not implemented"
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=left[0].get("location"))
        left.remove(ready)
        done.add(ready["ctename"])
        result.append(ready)
    return result


def named(node: Any, names: set[str]) -> set[str]:
    """The items that a query refers to; an inner WITH hides the names it has."""
    if not names:
        return set()
    found: set[str] = set()
    if isinstance(node, list):
        for item in node:
            found |= named(item, names)
    elif isinstance(node, dict):
        variable = node.get("RangeVar")
        if variable is not None and not variable.get("schemaname") and variable["relname"] in names:
            found.add(variable["relname"])
        clause = node.get("withClause")
        if clause is not None:
            inner = names
            for item in clause["ctes"]:
                cte = item["CommonTableExpr"]
                if clause.get("recursive"):
                    inner = inner - {one["CommonTableExpr"]["ctename"] for one in clause["ctes"]}
                found |= named(cte["ctequery"], inner)
                inner = inner - {cte["ctename"]}
            names = inner
        for key, item in node.items():
            if key != "withClause":
                found |= named(item, names)
    return found


def check(item: Node) -> None:
    """Raises 42P19, or 0A000, where the item refers to itself in a way that has no meaning, or none here."""
    name = item["ctename"]
    select = item["ctequery"].get("SelectStmt")
    location = item.get("location")
    if select is None:
        message = f'recursive query "{name}" must not contain data-modifying statements'
        raise SqlError(codes.INVALID_RECURSION, message, location=location)
    if select.get("op", "SETOP_NONE") != "SETOP_UNION":
        raise SqlError(
            codes.INVALID_RECURSION,
            f'recursive query "{name}" does not have the form non-recursive-term UNION [ALL] recursive-term',
            location=location,
        )
    if select.get("withClause"):
        _References(name, "sublink").visit(select["withClause"]["ctes"])
    for key, word in _DECORATIONS:
        if select.get(key):
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED, f"{word} in a recursive query is not implemented", location=place_of(select[key])
            )
    _References(name, "base").visit({"SelectStmt": select["larg"]})
    _References(name, "").visit({"SelectStmt": select["rarg"]})


@dataclass(slots=True)
class _References:
    """The walk through a query (checkWellFormedRecursionWalker). `context`: a key of _WITHIN, "" where all is well."""

    name: str
    context: str
    count: int = 0
    nested: int = 0  # subqueries in FROM and inner WITH items around
    hidden: list[str] = field(default_factory=list)

    def visit(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self.visit(item)
        elif isinstance(node, dict):
            for kind, value in node.items():
                handler = _HANDLERS.get(kind)
                if handler is not None and isinstance(value, dict):
                    handler(self, value)
                else:
                    self.visit(value)

    def within(self, context: str, node: Any) -> None:
        outer, self.context = self.context, self.context or context
        self.visit(node)
        self.context = outer

    def range_variable(self, value: Node) -> None:
        if value.get("schemaname") or value["relname"] != self.name or self.name in self.hidden:
            return
        reference = f'recursive reference to query "{self.name}" must not appear'
        if self.context:
            message = f"{reference} within {_WITHIN[self.context]}"
            raise SqlError(codes.INVALID_RECURSION, message, location=value.get("location"))
        self.count += 1
        if self.count > 1:
            raise SqlError(codes.INVALID_RECURSION, f"{reference} more than once", location=value.get("location"))
        if self.nested:
            raise unsupported("a recursive reference inside a subquery", value.get("location"))

    def select(self, value: Node) -> None:
        hidden = len(self.hidden)
        self._with(value.get("withClause"))
        operation = value.get("op", "SETOP_NONE")
        sides = {"larg", "rarg"}
        if operation == "SETOP_INTERSECT":
            for key in sides:
                self.within("intersect" if value.get("all") else "", {"SelectStmt": value[key]})
        elif operation == "SETOP_EXCEPT":
            self.within("except" if value.get("all") else "", {"SelectStmt": value["larg"]})
            self.within("except", {"SelectStmt": value["rarg"]})
        elif operation != "SETOP_NONE":
            self.nested += 1  # SQLite's compound queries are flat
            for key in sides:
                self.visit({"SelectStmt": value[key]})
            self.nested -= 1
        for key, item in value.items():
            if key not in ("larg", "rarg", "withClause"):
                self.visit(item)
        del self.hidden[hidden:]

    def _with(self, clause: Node | None) -> None:
        if clause is None:
            return
        items = [item["CommonTableExpr"] for item in clause["ctes"]]
        if clause.get("recursive"):
            self.hidden += [item["ctename"] for item in items]
        for item in items:
            self.nested += 1
            self.visit(item["ctequery"])
            self.nested -= 1
            self.hidden.append(item["ctename"])

    def subselect(self, value: Node) -> None:
        self.nested += 1
        self.visit(value["subquery"])
        self.nested -= 1

    def join(self, value: Node) -> None:
        kind = value.get("jointype", "JOIN_INNER")
        self.within("outer" if kind in ("JOIN_RIGHT", "JOIN_FULL") else "", value["larg"])
        self.within("outer" if kind in ("JOIN_LEFT", "JOIN_FULL") else "", value["rarg"])
        self.visit(value.get("quals"))

    def sublink(self, value: Node) -> None:
        outer, self.context = self.context, "sublink"
        self.visit(value["subselect"])
        self.context = outer
        self.visit(value.get("testexpr"))


_HANDLERS = {
    "RangeVar": _References.range_variable,
    "SelectStmt": _References.select,
    "RangeSubselect": _References.subselect,
    "JoinExpr": _References.join,
    "SubLink": _References.sublink,
}

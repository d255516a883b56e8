"""WITH whose items change data (manual, "Data-Modifying Statements in WITH").

All parts of such a statement see the database as it was before it. So every item gathers, and the main query with them,
before any item is applied; then they are applied in order. What an item returns is read from what it gathered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze import cte
from translator.analyze.program import Action, Gathering, has_subquery, plain_select
from translator.analyze.query import Target, unique_names
from translator.analyze.scope import Cte, Scope
from translator.errors import SqlError
from translator.typed import column, type_of, typed, typmod_of

Node = dict[str, Any]


@dataclass(slots=True)
class Items:
    """An analyzed WITH clause. `written`: the OIDs of the relations that its items change."""

    ctes: list[exp.CTE] = field(default_factory=list)
    recursive: bool = False
    before: list[Action] = field(default_factory=list)
    after: list[Action] = field(default_factory=list)
    written: set[int] = field(default_factory=set)

    def attach(self, tree: exp.Expr) -> None:
        """Give a statement the items that it refers to, before those that it has itself."""
        own = tree.args.get("with_")
        present = {item.alias for item in own.expressions} if own is not None else set()
        needed = self._needed(tree, present)
        if not needed:
            return
        inner = list(own.expressions) if own is not None else []
        recursive = self.recursive or bool(own is not None and own.args.get("recursive"))
        tree.set("with_", exp.With(expressions=[*(item.copy() for item in needed), *inner], recursive=recursive))

    def _needed(self, tree: exp.Expr, present: set[str]) -> list[exp.CTE]:
        names = {table.name for table in tree.find_all(exp.Table)} - present
        found = []
        for item in reversed(self.ctes):
            if item.alias in names:
                found.append(item)
                names |= {table.name for table in item.find_all(exp.Table)}
        return found[::-1]


def modifies(clause: Node | None) -> bool:
    """Whether a WITH clause has an item that changes data."""
    if clause is None:
        return False
    return any("SelectStmt" not in item["CommonTableExpr"]["ctequery"] for item in clause["ctes"])


def relations_read(tree: exp.Expr) -> set[int]:
    """The OIDs of the relations that a statement reads; what it only inserts into is not among them."""
    inserted = tree.this.this if isinstance(tree, exp.Insert) else None
    return {
        table.meta["relation"].oid for table in tree.find_all(exp.Table) if "relation" in table.meta and table is not inserted
    }


def transform(scope: Scope, value: Node) -> Items:
    """The WITH clause of a top-level statement; its items become visible in the scope."""
    clause = value.get("withClause")
    if clause is None:
        return Items()
    items = Items(recursive=bool(clause.get("recursive")))
    if not modifies(clause):
        plain = cte.transform_with(scope, clause)
        items.ctes = list(plain.expressions) if plain is not None else []
        return items
    checked = cte.checked_items(clause)
    scope.future_ctes = {item["ctename"] for item in checked}
    for item in checked:
        ((kind, _),) = item["ctequery"].items()
        if kind == "SelectStmt":
            _query(scope, items, item)
        else:
            _modification(scope, items, item, kind, value)
        scope.future_ctes.discard(item["ctename"])
    return items


def _query(scope: Scope, items: Items, item: Node) -> None:
    """A plain item; with side effects it is evaluated once, whoever refers to it."""
    analysis = scope.analysis
    outer, analysis.volatile = analysis.volatile, False
    tree = cte.transform_item(scope, item, recursive=items.recursive)
    declared = scope.ctes[item["ctename"]]
    if analysis.volatile:
        gathering = Gathering(analysis)
        alias = analysis.alias("once")
        for (_, type_oid, typmod), name in zip(declared.columns, _names(declared), strict=True):
            gathering.add(typed(column(alias, name), type_oid, typmod))
        table = exp.Table(
            this=exp.Identifier(this=declared.sql_name, quoted=True),
            alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)),
        )
        collecting = gathering.query(table)
        collecting.set("with_", exp.With(expressions=[tree], recursive=items.recursive))
        items.attach(collecting)
        items.before.append(Action(collecting, gathering=gathering))
        tree = _over(declared, gathering)
    analysis.volatile = outer or analysis.volatile
    items.ctes.append(tree)


def _modification(scope: Scope, items: Items, item: Node, kind: str, statement: Node) -> None:
    """An item that changes data."""
    from translator.analyze.dml import modification

    name, value = item["ctename"], item["ctequery"][kind]
    if items.recursive and cte.mentions(item["ctequery"], name):
        raise SqlError(
            codes.INVALID_RECURSION,
            f'recursive query "{name}" must not contain data-modifying statements',
            location=item.get("location"),
        )
    inner = scope.child()
    own = cte.transform_with(inner, value.get("withClause"))
    change = modification(inner, kind, {key: part for key, part in value.items() if key != "withClause"})
    gathered = change.gather(shared=_is_shared(scope, change.relation.oid, statement, item))
    items.written.add(change.relation.oid)
    targets = change.returning.targets if change.returning is not None else []
    declared = cte.declare(scope, item, targets) if targets else Cte(name, scope.analysis.alias(f"with {name}"), [])
    declared.writes = True
    scope.ctes[name] = declared
    actions = [*gathered.before]
    tree = None
    if gathered.returned is not None:
        if any(has_subquery(target.node) for target in targets) or scope.analysis.volatile:
            collecting = _collect(scope, gathered.returned, targets)
            actions.append(collecting)
            assert collecting.gathering is not None
            tree = _over(declared, collecting.gathering)
        else:
            tree = cte.tree(item, declared, gathered.returned)
    for action in [*actions, *gathered.after]:
        action.counts = False
        if own is not None:
            Items(list(own.expressions), bool(own.args.get("recursive"))).attach(action.tree)
        items.attach(action.tree)
    items.before += actions
    items.after += gathered.after
    if tree is not None:
        items.ctes.append(tree)


def _collect(scope: Scope, query: exp.Select, targets: list[Target]) -> Action:
    """Collect the rows of a RETURNING list."""
    gathering = Gathering(scope.analysis)
    alias = scope.analysis.alias("returned")
    for target, item in zip(targets, query.expressions, strict=True):
        gathering.add(typed(column(alias, item.alias), type_of(target.node), typmod_of(target.node)))
    source = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    return Action(gathering.query(source), gathering=gathering)


def _names(declared: Cte) -> list[str]:
    return unique_names([name for name, _, _ in declared.columns])


def _over(declared: Cte, gathering: Gathering) -> exp.CTE:
    """The item as a query of its collected rows."""
    items: list[exp.Expr] = [
        exp.Alias(this=gathering.reference(position), alias=exp.Identifier(this=name, quoted=True))
        for position, name in enumerate(_names(declared))
    ]
    alias = exp.TableAlias(
        this=exp.Identifier(this=declared.sql_name, quoted=True),
        columns=[exp.Identifier(this=name, quoted=True) for name in _names(declared)],
    )
    return exp.CTE(this=plain_select(items, gathering.rows()), alias=alias)


def _is_shared(scope: Scope, oid: int, statement: Node, item: Node) -> bool:
    """Whether another part of the statement may read the relation: it names it, or a view."""
    names = {part["CommonTableExpr"]["ctename"] for part in statement["withClause"]["ctes"]}
    for variable in _variables(statement, item):
        if variable["relname"] in names and not variable.get("schemaname"):
            continue
        for namespace in [scope.analysis.catalog.namespace(variable.get("schemaname") or ""), *scope.analysis.path]:
            relation = scope.analysis.catalog.relation(namespace, variable["relname"]) if namespace is not None else None
            if relation is not None and (relation.oid == oid or relation.kind == "v"):
                return True
    return False


def _variables(node: Any, without: Node) -> list[Node]:
    """All RangeVars of a tree, but not those of one item."""
    if node is without:
        return []
    if isinstance(node, list):
        return [found for part in node for found in _variables(part, without)]
    if not isinstance(node, dict):
        return []
    found = [node["RangeVar"]] if "RangeVar" in node else []
    if "relname" in node:
        found.append(node)
    return found + [inner for part in node.values() for inner in _variables(part, without)]

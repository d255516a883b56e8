"""WITH: plain and recursive items (parse_cte.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import recursion
from translator.analyze.coerce import coerce_to_common, select_common_type
from translator.analyze.form import CteForm, QueryForm, SetForm
from translator.analyze.query import Query, Target, unique_names
from translator.analyze.scope import Cte, Scope
from translator.analyze.search_cycle import DEPTH, SearchCycle
from translator.errors import SqlError
from translator.typed import location_of, type_of, typmod_of

Node = dict[str, Any]


def transform_with(scope: Scope, clause: Node | None) -> exp.With | None:
    """The WITH clause of a statement; its items become visible in the scope."""
    if clause is None:
        return None
    recursive = bool(clause.get("recursive"))
    expressions = []
    items = checked_items(clause)
    scope.future_ctes = {item["ctename"] for item in items}
    if scope.form is not None:
        scope.form.recursive = recursive
    for item in items:
        if "SelectStmt" not in item["ctequery"]:
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED,
                "WITH clause containing a data-modifying statement must be at the top level",
                location=item.get("location"),
            )
        expressions.append(transform_item(scope, item, recursive=recursive))
        scope.future_ctes.discard(item["ctename"])
    return exp.With(expressions=expressions, recursive=recursive)


def checked_items(clause: Node) -> list[Node]:
    """The CommonTableExprs of a WITH clause, each after those that it refers to. Raises 42712, 0A000."""
    items = [item["CommonTableExpr"] for item in clause["ctes"]]
    seen = set()
    for value in items:
        name = value["ctename"]
        if name in seen:
            raise SqlError(
                codes.DUPLICATE_ALIAS, f'WITH query name "{name}" specified more than once', location=value.get("location")
            )
        seen.add(name)
    return recursion.ordered(items) if clause.get("recursive") else items


def transform_item(scope: Scope, value: Node, *, recursive: bool) -> exp.CTE:
    """An item that is a query; it becomes visible in the scope."""
    refers = recursive and mentions(value["ctequery"], value["ctename"])
    if value.get("search_clause") or value.get("cycle_clause"):
        if not refers:
            raise SqlError(codes.SYNTAX_ERROR, "WITH query is not recursive", location=value.get("location"))
        return _searched(scope, value)
    return _recursive(scope, value) if refers else _plain(scope, value)


def mentions(node: Any, name: str) -> bool:
    """Whether a query names the item itself, not an inner WITH item of the same name."""
    return bool(recursion.named(node, {name}))


def _sql_name(scope: Scope, name: str) -> str:
    """WITH t AS (SELECT * FROM t) names the table inside; a name no table has keeps SQLite from seeing a circle."""
    return scope.analysis.alias(f"with {name}")


def _plain(scope: Scope, value: Node) -> exp.CTE:
    from translator.analyze.select import transform_query

    analysis = scope.analysis
    outer, analysis.volatile = analysis.volatile, False
    query = transform_query(scope.child(), value["ctequery"])
    _note(scope, value, query.form)
    cte = declare(scope, value, query.targets)
    scope.ctes[cte.name] = cte
    made = tree(value, cte, query.tree)
    if analysis.volatile:
        made.set(
            "materialized", True
        )  # whatever was asked for: it must run once (contain_volatile_functions in SS_process_ctes)
    analysis.volatile = analysis.volatile or outer
    return made


def _note(scope: Scope, value: Node, query: QueryForm | SetForm | None) -> None:
    if scope.form is None:
        return
    assert isinstance(query, QueryForm)
    names = [part["String"]["sval"] for part in value.get("aliascolnames", ())]
    materialized = value.get("ctematerialized", "CTEMaterializeDefault").removeprefix("CTEMaterialize")
    scope.form.ctes.append(CteForm(value["ctename"], names, materialized, query, value))


def declare(scope: Scope, value: Node, targets: list[Target]) -> Cte:
    """The item as the rest of the statement knows it. Raises 42P10."""
    names = [part["String"]["sval"] for part in value.get("aliascolnames", ())]
    if len(names) > len(targets):
        raise SqlError(
            codes.INVALID_COLUMN_REFERENCE,
            f'WITH query "{value["ctename"]}" has {len(targets)} columns available but {len(names)} columns specified',
            location=value.get("location"),
        )
    named = [*names, *(target.name for target in targets[len(names) :])]
    columns = [(name, type_of(target.node), typmod_of(target.node)) for name, target in zip(named, targets, strict=True)]
    return Cte(value["ctename"], _sql_name(scope, value["ctename"]), columns)


def tree(value: Node, cte: Cte, query: exp.Expr) -> exp.CTE:
    """The item as a tree."""
    names = unique_names([name for name, _, _ in cte.columns])
    alias = exp.TableAlias(
        this=exp.Identifier(this=cte.sql_name, quoted=True),
        columns=[exp.Identifier(this=name, quoted=True) for name in names],
    )
    made = exp.CTE(this=query, alias=alias)
    materialized = value.get("ctematerialized", "CTEMaterializeDefault")
    if materialized != "CTEMaterializeDefault":
        made.set("materialized", materialized == "CTEMaterializeAlways")
    return made


# Types that PostgreSQL can sort but not hash: bit, varbit, money, tsvector, tsquery.
_UNHASHABLE = {oids.BIT, oids.VARBIT, 790, 3614, 3615}


def _check_hashable(scope: Scope, query: Query) -> None:
    """Rows of a recursive UNION are found again by their hash (plan_union_children of a RecursiveUnion). Raises 0A000."""
    for target in query.targets:
        if scope.analysis.catalog.base_type(type_of(target.node)) in _UNHASHABLE:
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED,
                "could not implement recursive UNION",
                detail="All column datatypes must be hashable.",
            )


def _searched(scope: Scope, value: Node) -> exp.CTE:
    """A recursive item with SEARCH or CYCLE: the item that it stands for (search_cycle.py)."""
    from translator.analyze.select import transform_query

    select = value["ctequery"]["SelectStmt"]
    given = [part["String"]["sval"] for part in value.get("aliascolnames", ())]
    names = list(given)
    if select.get("op", "SETOP_NONE") == "SETOP_UNION":
        base = transform_query(scope.child(), {"SelectStmt": select["larg"]})
        names += [target.name for target in base.targets[len(given) :]]
        clauses = SearchCycle(value, names)
        written = _written(scope, value)
        made = _recursive(scope, clauses.item(), clauses)
        if clauses.added[-1] == DEPTH:
            scope.ctes[value["ctename"]].columns.pop()
        if written is not None and scope.form is not None:
            scope.form.ctes[-1] = written
        return made
    return _recursive(scope, value)


def _written(scope: Scope, value: Node) -> CteForm | None:
    """The form of an item without the columns that SEARCH and CYCLE add."""
    from translator.analyze.expressions import transform

    if scope.form is None:
        return None
    _recursive(scope, {key: part for key, part in value.items() if key not in ("search_clause", "cycle_clause")})
    form = replace(scope.form.ctes.pop(), node=value)
    cycle = value.get("cycle_clause")
    values = [cycle[key] for key in ("cycle_mark_value", "cycle_mark_default")] if cycle else []
    if [each.get("A_Const", {}).get("boolval") for each in values] not in ([], [{"boolval": True}, {}]):
        nodes = [transform(scope, each) for each in values]
        common = select_common_type(scope.analysis, nodes, "CYCLE")
        one, two = (coerce_to_common(scope.analysis, each, common, "CYCLE") for each in nodes)
        form.marks = one, two
    return form


def _recursive(scope: Scope, value: Node, clauses: SearchCycle | None = None) -> exp.CTE:
    """`base UNION [ALL] step`: the base gives the columns, the step must agree with them."""
    from translator.analyze import setops
    from translator.analyze.select import transform_query
    from translator.analyze.target import resolve_targets

    recursion.check(value)
    select = value["ctequery"]["SelectStmt"]
    name = value["ctename"]
    inner = scope.child()
    inner.form = QueryForm() if scope.form is not None else None
    withs = transform_with(inner, select.get("withClause"))
    base: Query = transform_query(inner.child(), {"SelectStmt": select["larg"]})
    resolve_targets(inner, base.targets)
    cte = declare(scope, value, base.targets)
    cte.recursive = cte.open = True
    cte.hidden = len(clauses.added) if clauses is not None else 0
    inner.ctes[name] = cte
    step = transform_query(inner.child(), {"SelectStmt": select["rarg"]}, keep_unknown=True)
    if clauses is not None:
        clauses.complete(inner, base, step)
    before = [(type_of(target.node), typmod_of(target.node), location_of(target.node)) for target in base.targets]
    if not select.get("all"):
        _check_hashable(scope, base)
    query = setops.join(scope, exp.Union, "UNION", base, step, distinct=not select.get("all"))
    for position, (target, (type_oid, typmod, place)) in enumerate(zip(query.targets, before, strict=True), 1):
        if (type_of(target.node), typmod_of(target.node)) != (type_oid, typmod):
            raise SqlError(
                codes.DATATYPE_MISMATCH,
                f'recursive query "{name}" column {position} has type {scope.analysis.type_name(type_oid, typmod)} in non-recursive'
                f" term but type {scope.analysis.type_name(type_of(target.node), typmod_of(target.node))} overall",
                hint="Cast the output of the non-recursive term to the correct type.",
                location=place,
            )
    if withs is not None:
        query.tree.set("with_", withs)
    if scope.form is not None:
        ctes = inner.form.ctes if inner.form is not None else []
        assert isinstance(query.form, SetForm)
        _note(scope, value, QueryForm(targets=query.targets, operation=query.form, ctes=ctes))
    cte.hidden, cte.open = 0, False
    scope.ctes[name] = cte
    return tree(value, cte, query.tree)

"""The query of a view as text that means the same tomorrow.

PostgreSQL stores a view as a tree of OIDs and column numbers. The text that stands for it here has every relation with its
schema and every `*` written out, so neither search_path nor a new column of a table changes the view. When a table
or a column is renamed, the text is changed as well (`rename_relation`, `rename_column`).
"""

from collections.abc import Callable, Iterable
from typing import Any

from pglast import ast, parse_sql, stream, visitors

from proxy.ddl.execution import Execution
from proxy.ddl.names import find_in_path, stored_definition
from proxy.pg_catalog.classes import PG_CLASS, PG_REWRITE
from proxy.pg_catalog.rows import schema_of
from translator import compiler
from translator.catalog import PG_CATALOG, Relation
from translator.errors import SqlError


def settle(execution: Execution, query: Any, names: list[str] | None = None) -> str:
    """The query of the statement that is carried out, printed with its names settled."""
    tree = _query_in(execution.text, query)
    _Stars(execution)(tree)
    _Qualify(execution, tree)(tree)
    if names is not None:
        _name_targets(tree, names)
    return printed(tree)


def printed(tree: Any) -> str:
    """A tree as text."""
    return str(stream.RawStream()(tree))


def _tree(text: str) -> Any:
    statements: Any = parse_sql(text)
    return statements[0].stmt


def _query_in(text: str, query: Any) -> Any:
    """The tree of the query that the statement's JSON has: a statement has one view, CREATE SCHEMA may have several."""
    from proxy.ddl.expressions import parse_query

    found: list[Any] = []

    class Queries(visitors.Visitor):
        def visit_ViewStmt(self, ancestors: Any, node: Any) -> None:  # noqa: N802
            found.append(node.query)

        def visit_CreateTableAsStmt(self, ancestors: Any, node: Any) -> None:  # noqa: N802
            found.append(node.query)

    Queries()(parse_sql(text))
    if len(found) == 1:
        return found[0]
    wanted = _without_locations(query)
    for each in found:
        if _without_locations(parse_query(printed(each))) == wanted:
            return each
    return found[0]


def _without_locations(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_locations(value) for key, value in node.items() if key != "location"}
    return [_without_locations(item) for item in node] if isinstance(node, list) else node


class _Stars(visitors.Visitor):
    """Writes `*` and `t.*` out, in every SELECT that can be compiled by itself."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def visit_SelectStmt(self, ancestors: Any, node: Any) -> None:  # noqa: N802
        if not any(_star_of(target) is not None for target in node.targetList or ()):
            return
        targets: list[Any] = []
        for target in node.targetList:
            qualifier = _star_of(target)
            if qualifier is None:
                targets.append(target)
                continue
            try:
                targets.extend(self._columns(node, qualifier))
            except SqlError:  # it needs an outer query: EXISTS (SELECT * …), LATERAL
                return
        node.targetList = tuple(targets)

    def _columns(self, node: Any, qualifier: tuple[str, ...]) -> list[Any]:
        if qualifier:
            return [_target((*qualifier, name)) for name in self._names(node, qualifier)]
        merged = _has_merged_columns(node.fromClause or ())
        items = [alias for item in node.fromClause or () for alias in _aliases(item)]
        if merged or any(alias is None for alias in items):
            return [_target((name,)) for name in self._names(node, ())]
        return [_target((alias, name)) for alias in items if alias for name in self._names(node, (alias,))]

    def _names(self, node: Any, qualifier: tuple[str, ...]) -> list[str]:
        """The columns that qualifier.* stands for: those of a query that selects nothing else."""
        from proxy.ddl.expressions import parse_query

        star = ast.ColumnRef(fields=(*(ast.String(sval=part) for part in qualifier), ast.A_Star()))
        probe = ast.SelectStmt(
            targetList=(ast.ResTarget(val=star),),
            fromClause=node.fromClause,
            withClause=node.withClause,
            limitOption=node.limitOption,
            op=node.op,
        )
        execution = self._execution
        plan = compiler.compile_query(parse_query(printed(probe)), execution.catalog, execution.settings)
        return [field.name for field in plan.fields or ()]


def _star_of(target: Any) -> tuple[str, ...] | None:
    """The qualifier of a `*` in a select list."""
    fields = _fields(getattr(target, "val", None))
    if fields and isinstance(fields[-1], ast.A_Star):
        return tuple(field.sval for field in fields[:-1])
    return None


def _fields(node: Any) -> tuple[Any, ...]:
    """The parts of a column reference's name; none if the node is something else."""
    return tuple(node.fields or ()) if isinstance(node, ast.ColumnRef) else ()


def _target(parts: tuple[str, ...]) -> Any:
    return ast.ResTarget(val=ast.ColumnRef(fields=tuple(ast.String(sval=part) for part in parts)))


def _has_merged_columns(items: Iterable[Any]) -> bool:
    return any(
        isinstance(item, ast.JoinExpr)
        and (item.isNatural or item.usingClause or item.alias or _has_merged_columns((item.larg, item.rarg)))
        for item in items
    )


def _aliases(item: Any) -> list[str | None]:
    """The names by which the columns of a FROM item are reached."""
    if isinstance(item, ast.JoinExpr):
        return [*_aliases(item.larg), *_aliases(item.rarg)]
    alias = getattr(item, "alias", None)
    if alias is not None:
        return [alias.aliasname]
    return [item.relname] if isinstance(item, ast.RangeVar) else [None]


class _Qualify(visitors.Visitor):
    """Gives every relation its schema."""

    def __init__(self, execution: Execution, tree: Any) -> None:
        self._execution = execution
        self._ctes: set[str] = set()
        collect = _Ctes(self._ctes)
        collect(tree)

    def visit_RangeVar(self, ancestors: Any, node: Any) -> None:  # noqa: N802
        if node.schemaname is not None or node.relname in self._ctes:
            return
        relation = find_in_path(self._execution, node.relname)
        if relation is not None and relation.namespace != PG_CATALOG:
            node.schemaname = relation.schema


class _Ctes(visitors.Visitor):
    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_CommonTableExpr(self, ancestors: Any, node: Any) -> None:  # noqa: N802
        self._names.add(node.ctename)


def _name_targets(tree: Any, names: list[str]) -> None:
    """Say the names of the result columns where the query does not."""
    while getattr(tree, "larg", None) is not None:
        tree = tree.larg
    for target, name in zip(tree.targetList or (), names, strict=False):
        fields = _fields(target.val)
        same = bool(fields) and getattr(fields[-1], "sval", None) == name
        if target.name != name and not (same and target.name is None):
            target.name = name


# ---------------------------------------------------------------------- renaming


def rename_relation(execution: Execution, old: Relation, schema: str, name: str) -> None:
    """A relation has another name: views that read it must say it, and still call it as they did."""

    def change(tree: Any) -> None:
        class Rename(visitors.Visitor):
            def visit_RangeVar(self, ancestors: Any, node: Any) -> None:  # noqa: N802
                if (node.schemaname, node.relname) == (old.schema, old.name):
                    if node.alias is None and name != old.name:
                        node.alias = ast.Alias(aliasname=old.name)
                    node.schemaname, node.relname = schema, name

        Rename()(tree)

    change_views(execution, old.oid, change)


def rename_column(execution: Execution, relation: Relation, old: str, new: str) -> None:
    """A column has another name: views that read it must say it; their own columns keep their names."""

    def change(tree: Any) -> None:
        aliases: set[str] = set()

        class Sources(visitors.Visitor):
            def visit_RangeVar(self, ancestors: Any, node: Any) -> None:  # noqa: N802
                if (node.schemaname, node.relname) == (relation.schema, relation.name):
                    aliases.add(node.alias.aliasname if node.alias is not None else node.relname)

        class Rename(visitors.Visitor):
            def visit_ResTarget(self, ancestors: Any, node: Any) -> None:  # noqa: N802
                if node.name is None and _refers(node.val, aliases, old):
                    node.name = old

            def visit_ColumnRef(self, ancestors: Any, node: Any) -> None:  # noqa: N802
                if _refers(node, aliases, old):
                    node.fields = (*node.fields[:-1], ast.String(sval=new))

        Sources()(tree)
        Rename()(tree)

    change_views(execution, relation.oid, change)


def _refers(node: Any, aliases: set[str], column: str) -> bool:
    fields = _fields(node)
    if not fields or getattr(fields[-1], "sval", None) != column:
        return False
    return len(fields) == 1 or fields[-2].sval in aliases


def change_views(execution: Execution, oid: int, change: Callable[[Any], None]) -> None:
    """Change the text of every view that reads a relation."""
    rules = execution.select("pg_depend", oid, "objid", classid=PG_REWRITE, refclassid=PG_CLASS, refobjid=oid)
    for rule in {row[0] for row in rules}:
        for (view,) in execution.select("pg_rewrite", oid, "ev_class", oid=rule):
            if view == oid:
                continue
            _change_view(execution, view, change)
    execution.changed()


def _change_view(execution: Execution, view: int, change: Callable[[Any], None]) -> None:
    tree = _tree(stored_definition(execution, view) or "")
    change(tree)
    sql = f'UPDATE {schema_of(view)}."litephant.relation" SET definition = ? WHERE oid = ?'
    execution.connection.execute(sql, (printed(tree), view))


def rename_result(execution: Execution, view: Relation, attnum: int, name: str) -> None:
    """A column of a view itself has another name."""
    names = [name if column.attnum == attnum else column.name for column in view.columns]
    _change_view(execution, view.oid, lambda tree: _name_targets(tree, names))
    execution.changed()


def rename_in_expression(text: str, table: str, old: str, new: str) -> str:
    """An expression over a table's columns, one of which has another name."""
    from proxy.pg_catalog.texts import quote_identifier

    places = []

    class Find(visitors.Visitor):
        def visit_ColumnRef(self, ancestors: Any, node: Any) -> None:  # noqa: N802
            if _refers(node, {table}, old):
                places.append(node.location - len(_SELECT))

    Find()(parse_sql(_SELECT + text))
    # Only the name changes, so that the text stays as PostgreSQL prints it.
    shown, encoded = quote_identifier(old).encode(), text.encode()
    for place in sorted(places, reverse=True):
        start = encoded.index(shown, place)
        encoded = encoded[:start] + quote_identifier(new).encode() + encoded[start + len(shown) :]
    return encoded.decode()


_SELECT = "SELECT "

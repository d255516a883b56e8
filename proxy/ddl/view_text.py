"""The queries of views as text that means the same tomorrow.

PostgreSQL stores a view as a tree of OIDs and column numbers. Here it is that tree's text as PostgreSQL would print it with
nothing but pg_catalog in the search path, so neither search_path nor a new column of a table changes the view. When what
views name gets another name, their trees are read before and printed again afterwards (`kept`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pglast import ast, parse_sql, visitors

from proxy.ddl.execution import Execution
from proxy.ddl.expressions import freeze, parse_query
from proxy.ddl.kept_expressions import kept_expressions
from proxy.ddl.names import stored_definition
from proxy.pg_catalog.classes import PG_REWRITE
from proxy.pg_catalog.rows import schema_of
from proxy.pg_catalog.texts import quote_identifier
from translator import definitions


def of_query(execution: Execution, query: Any, names: list[str]) -> str:
    """The text of a view's query; `names`: those of the view's columns."""
    form = definitions.analyze_view(query, execution.catalog, execution.settings)
    return _printed(execution, form, names)


def _printed(execution: Execution, form: Any, names: list[str]) -> str:
    return freeze(execution, definitions.stored_view_text(form, names, execution.catalog, execution.settings))


@contextmanager
def kept(execution: Execution, catalog: int, oid: int, name: str | None = None) -> Iterator[None]:
    """While an object gets another name: what names it says the new one afterwards.

    These are the views that depend on it and, if `name` is what it is called, expressions and function bodies.
    """
    rules = execution.select("pg_depend", oid, "objid", classid=PG_REWRITE, refclassid=catalog, refobjid=oid)
    views = {
        view for rule in {row[0] for row in rules} for (view,) in execution.select("pg_rewrite", oid, "ev_class", oid=rule)
    }
    with kept_expressions(execution, name), _kept(execution, views - {oid}):
        yield


@contextmanager
def all_kept(execution: Execution, name: str) -> Iterator[None]:
    """The same for an object that any view may name: a schema."""
    views = {view for (view,) in execution.select("pg_rewrite", 0, "ev_class")}
    with kept_expressions(execution, name), _kept(execution, views):
        yield


@contextmanager
def _kept(execution: Execution, views: set[int]) -> Iterator[None]:
    forms = {}
    for view in sorted(views):
        query = parse_query(stored_definition(execution, view) or "")
        forms[view] = definitions.analyze_view(query, execution.catalog, execution.settings)
    yield
    execution.changed()
    for view, form in forms.items():
        names = [column.name for column in execution.relation(view).columns]
        sql = f'UPDATE {schema_of(view)}."litephant.relation" SET definition = ? WHERE oid = ?'
        execution.connection.execute(sql, (_printed(execution, form, names), view))
    execution.changed()


def rename_in_expression(text: str, table: str, old: str, new: str) -> str:
    """An expression over a table's columns, one of which has another name."""
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


def _refers(node: Any, aliases: set[str], column: str) -> bool:
    fields = _fields(node)
    if not fields or getattr(fields[-1], "sval", None) != column:
        return False
    return len(fields) == 1 or fields[-2].sval in aliases


def _fields(node: Any) -> tuple[Any, ...]:
    """The parts of a column reference's name; none if the node is something else."""
    return tuple(node.fields or ()) if isinstance(node, ast.ColumnRef) else ()

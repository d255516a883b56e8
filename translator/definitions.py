"""What the catalog keeps as text: expressions and views, and how they are shown. With `compiler` the translator's entrance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from translator import deparse
from translator.analyze.analysis import Analysis
from translator.analyze.form import QueryForm
from translator.analyze.modifying_cte import modifies
from translator.analyze.scope import Scope
from translator.analyze.select import transform_query
from translator.analyze.sqlfunction import Body, argument_names, statements_of
from translator.catalog import PG_CATALOG, Catalog, Relation
from translator.compiler import analyze_expression, running_for
from translator.parser import parse_expressions
from translator.rows import ProcRow
from translator.settings import Settings
from translator.typed import typed


def analyze_stored(text: str, catalog: Catalog, settings: Settings, relation: Relation | None = None) -> exp.Expr:
    """The tree of an expression of the catalog, over the relation's columns."""
    (node,) = parse_expressions(text)
    with running_for(catalog, settings):
        _, made = analyze_expression(node, catalog, settings, relation=relation, clause="CHECK constraint")
        return made


def expression_text(node: exp.Expr, catalog: Catalog, settings: Settings, path: Sequence[int], *, pretty: bool = False) -> str:
    """An expression as pg_get_expr gives it; names outside of `path` are qualified."""
    with running_for(catalog, settings):
        return deparse.expression(node, catalog, path, pretty=pretty)


def stored_expression_text(node: exp.Expr, catalog: Catalog, settings: Settings) -> str:
    """The expression as text that means the same whatever the search path is, with the names that the catalog has now."""
    with running_for(catalog, settings):
        return deparse.stored_expression(node, catalog)


def analyze_routine(proc: ProcRow, catalog: Catalog, settings: Settings) -> list[QueryForm] | None:
    """What the SQL-standard body of a function looks like to PostgreSQL; None if it does more than SELECT."""
    statements = statements_of(proc.body)
    if any(each.node != "SelectStmt" or modifies(each.tree.get("withClause")) for each in statements):
        return None
    arguments = [
        typed(exp.Parameter(this=exp.Literal.number(number)), type_oid) for number, type_oid in enumerate(proc.arguments, 1)
    ]
    names = argument_names(proc)
    for argument, name in zip(arguments, [*names, *[""] * (len(arguments) - len(names))], strict=False):
        argument.meta["argument"] = proc, name
    with running_for(catalog, settings):
        analysis = Analysis(catalog, settings)
        analysis.keeps_form = analysis.only_form = True
        forms = []
        with Body(analysis, proc, arguments, None):
            for statement in statements:
                form = transform_query(Scope(analysis), {"SelectStmt": statement.tree}).form
                assert isinstance(form, QueryForm)
                if proc.body.lstrip()[:6].upper() == "RETURN":
                    form.is_return = True
                    form.targets[0].name = "?column?"  # it is no column of a result
                forms.append(form)
        return forms


def routine_text(forms: Sequence[QueryForm], catalog: Catalog, settings: Settings, path: Sequence[int]) -> str:
    """The body as pg_get_function_sqlbody gives it."""
    with running_for(catalog, settings):
        return deparse.routine_body(forms, catalog, path)


def stored_routine_text(forms: Sequence[QueryForm], catalog: Catalog, settings: Settings) -> str:
    """The body as text that means the same whatever the search path is, with the names that the catalog has now."""
    with running_for(catalog, settings):
        return deparse.routine_body(forms, catalog, (PG_CATALOG,), stored=True)


def analyze_view(node: Any, catalog: Catalog, settings: Settings) -> QueryForm:
    """What a view's query looks like to PostgreSQL, for `view_text`. Raises like a statement."""
    with running_for(catalog, settings):
        analysis = Analysis(catalog, settings)
        analysis.keeps_form = analysis.only_form = True
        form = transform_query(Scope(analysis), node).form
        assert isinstance(form, QueryForm)
        return form


def view_text(
    form: QueryForm, columns: Sequence[str], catalog: Catalog, settings: Settings, path: Sequence[int], *, pretty: bool = False
) -> str:
    """The query as PostgreSQL prints it, its result columns called `columns`; names outside of `path` are qualified."""
    with running_for(catalog, settings):
        return deparse.view(form, columns, catalog, path, pretty=pretty)


def stored_view_text(form: QueryForm, columns: Sequence[str], catalog: Catalog, settings: Settings) -> str:
    """The query as text that means the same whatever the search path is.

    Relations are called what the catalog calls them now, which need not be the catalog that the form was made with.
    """
    with running_for(catalog, settings):
        return deparse.stored_view(form, columns, catalog)

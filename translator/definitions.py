"""What the catalog keeps as text: expressions and views, and how they are shown. With `compiler` the translator's entrance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from translator import deparse
from translator.analyze.analysis import Analysis
from translator.analyze.form import QueryForm
from translator.analyze.scope import Scope
from translator.analyze.select import transform_query
from translator.catalog import Catalog, Relation
from translator.compiler import analyze_expression, running_for
from translator.parser import parse_expressions
from translator.settings import Settings


def expression_text(
    text: str,
    catalog: Catalog,
    settings: Settings,
    path: Sequence[int],
    *,
    relation: Relation | None = None,
    pretty: bool = False,
) -> str:
    """An expression of the catalog, over the relation's columns, as pg_get_expr gives it; names outside of `path` are qualified."""
    (node,) = parse_expressions(text)
    with running_for(catalog, settings):
        _, made = analyze_expression(node, catalog, settings, relation=relation, clause="CHECK constraint")
        return deparse.expression(made, catalog, path, pretty=pretty)


def analyze_view(node: Any, catalog: Catalog, settings: Settings) -> QueryForm:
    """What a view's query looks like to PostgreSQL, for `view_text`. Raises like a statement."""
    with running_for(catalog, settings):
        analysis = Analysis(catalog, settings)
        analysis.keeps_form = True
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

"""Views as text: what the catalog keeps of one, and what pg_get_viewdef gives. With `compiler` the translator's entrance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from translator import deparse
from translator.analyze.analysis import Analysis
from translator.analyze.form import QueryForm
from translator.analyze.scope import Scope
from translator.analyze.select import transform_query
from translator.catalog import Catalog
from translator.compiler import running_for
from translator.settings import Settings


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

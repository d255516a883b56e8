"""The text of a view (make_viewdef)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.catalog import PG_CATALOG
from translator.deparse.expression import broken, new_context
from translator.deparse.query import query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.analyze.form import QueryForm
    from translator.catalog import Catalog


def view(form: QueryForm, columns: Sequence[str], catalog: Catalog, path: Sequence[int], *, pretty: bool = False) -> str:
    """A query whose result columns are called `columns`, with a semicolon. 0A000 for what `deparse` leaves out."""
    context = new_context(catalog, path, pretty=pretty)
    return broken(query(context.inside(form, titles=columns, titled=True), form)) + ";"


def stored_view(form: QueryForm, columns: Sequence[str], catalog: Catalog) -> str:
    """The same as text that means the query wherever it is read: what is not in pg_catalog has its schema."""
    context = new_context(catalog, (PG_CATALOG,), stored=True)
    return broken(query(context.inside(form, titles=columns, titled=True), form)).strip()

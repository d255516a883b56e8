"""The body of a function in the SQL-standard form (print_function_sqlbody)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.analyze.form import QueryForm
from translator.deparse.expression import broken, new_context
from translator.deparse.names import Namespace
from translator.deparse.query import query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.catalog import Catalog


def routine_body(forms: Sequence[QueryForm], catalog: Catalog, path: Sequence[int], *, stored: bool = False) -> str:
    """RETURN on one line, or BEGIN ATOMIC with the queries."""
    context = new_context(catalog, path, stored=stored)
    context.levels = (Namespace(QueryForm(), (), catalog),)  # the function's own, which has nothing but parameters
    if any(form.is_return for form in forms):
        context.lines = False
        return query(context.inside(forms[0], titles=None, titled=False), forms[0])
    context.indent = 1
    texts = [query(context.inside(form, titles=None, titled=False), form) + ";\n" for form in forms]
    return broken(f"BEGIN ATOMIC\n{''.join(texts)}END")

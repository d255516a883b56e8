"""From the analyzed tree back to PostgreSQL's SQL, as pg_get_expr prints it."""

from sqlglot import exp

from translator.catalog import Catalog


def expression(node: exp.Expr, catalog: Catalog) -> str:
    """PostgreSQL's text of an analyzed expression."""
    return node.sql()
